"""The rules of a copy hold in random histories, and each of them is needed."""

from dataclasses import replace
from functools import partial

import pytest

from unit_tests.model.rules import RULES, Bounds, doubtful, source
from unit_tests.world.histories import History
from unit_tests.world.plans import Change, Plan, Sync, Wait, plan

# The rules are of one stream whose root takes a filter, or gives its whole list.
STREAMS = {
    "windowed": ("comments", "attachments", "documents", "issues"),
    "swept": ("issue_labels", "projects"),
    "feed": ("issue_relations", "agent_sessions"),
}
# A history that goes wrong without the rule; found by playing them one after another.
GOES_WRONG = {
    "nothing is gone without asking": 92,
    "what was listed came, or is pending": 9,
    "before the cursor passes it": 1030,
    "promises go ahead": 1741,
    "rows are named before they are sent": 105,
    "a promise makes the next walk due": 52,
    "an open promise holds the cursor": 71,
    "a row sent ahead keeps its cursor": 14,
    "what may be deleted is sent ahead": 105,
    "what the copy has keeps its stamp": 2,
    "a tombstone is announced": 325,
    "no cursor below one that was sent": 24,
    "the lookback window": 6,
    "a state of others has all it read": 1,
}


def history(seed: int) -> Plan:
    kind = tuple(STREAMS)[seed % len(STREAMS)]
    return replace(plan(seed, kind), streams=(STREAMS[kind][seed % len(STREAMS[kind])],))


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_no_row_is_missing_too_many_stale_or_wrongly_stamped(first: int) -> None:
    for seed in range(first, first + 50):
        assert History(history(seed), source, doubtful).play() == [], f"seed {seed}"


def test_a_state_that_can_name_few_rows_comes_to_the_same_end() -> None:
    few = partial(source, bounds=Bounds(differences=1000, pending=3, new=3))
    for seed in range(8):
        assert History(history(seed), few, doubtful, quiet=45).play() == [], f"seed {seed}"


@pytest.mark.parametrize("rule", GOES_WRONG)
def test_without_a_rule_a_history_goes_wrong(rule: str) -> None:
    assert History(history(GOES_WRONG[rule]), partial(source, without=rule), doubtful).play()


def test_without_its_name_a_row_that_was_reported_without_a_list_is_missing_when_it_is_back() -> None:
    steps = [
        *(Sync(seed=1), Change("update", 0.5), Change("refuse", 0.5), Wait(100), Sync(seed=2, walks=False)),
        *(Change("hide", 0.5), Wait(100), Sync(seed=3, walks=False), Change("show", 0.5), Wait(100)),
    ]
    given = Plan(1, ("comments",), 5, "flag", False, tuple(steps))
    rule = "a tombstone without a list is named"
    assert {*RULES} == {*GOES_WRONG, rule}
    assert History(given, source, doubtful).play() == []
    (problem,) = History(given, partial(source, without=rule), doubtful).play()
    assert "missing" in problem
