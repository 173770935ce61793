"""The rules of a copy hold in random histories, and each of them is needed."""

from dataclasses import replace
from functools import partial

import pytest

from unit_tests.model.rules import RULES, Bounds, doubtful, source
from unit_tests.world.histories import History
from unit_tests.world.plans import Plan, plan

# The rules are of one stream whose root takes a filter, or gives its whole list.
STREAMS = {
    "windowed": ("comments", "attachments", "documents", "issues"),
    "swept": ("issue_labels", "projects"),
    "feed": ("issue_relations", "agent_sessions"),
}
# A history that goes wrong without the rule; found by playing them one after another.
GOES_WRONG = {
    "nothing is gone without asking": 1,
    "what was listed came, or is pending": 9,
    "before the cursor passes it": 256,
    "promises go ahead": 60,
    "rows are named before they are sent": 79,
    "a promise makes the next walk due": 52,
    "an open promise holds the cursor": 71,
    "a row sent ahead keeps its cursor": 14,
    "what may be deleted is sent ahead": 144,
    "what the copy has keeps its stamp": 2,
    "a tombstone is announced": 75,
    "a tombstone without a list is named": 0,
    "no cursor below one that was sent": 24,
    "the lookback window": 6,
    "a state of others has all it read": 1,
}


def history(seed: int) -> Plan:
    kind = tuple(STREAMS)[seed % len(STREAMS)]
    return replace(plan(seed, kind), streams=(STREAMS[kind][seed % len(STREAMS[kind])],))


@pytest.mark.parametrize("first", range(0, 400, 50))
def test_no_row_is_missing_too_many_stale_or_wrongly_stamped(first: int) -> None:
    for seed in range(first, first + 50):
        assert History(history(seed), source, doubtful).play() == [], f"seed {seed}"


def test_a_state_that_can_name_few_rows_comes_to_the_same_end() -> None:
    few = partial(source, bounds=Bounds(differences=1000, pending=3, new=3))
    for seed in range(20):
        assert History(history(seed), few, doubtful, quiet=45).play() == [], f"seed {seed}"


@pytest.mark.parametrize("rule", RULES)
def test_without_a_rule_a_history_goes_wrong(rule: str) -> None:
    assert History(history(GOES_WRONG[rule]), partial(source, without=rule), doubtful).play()
