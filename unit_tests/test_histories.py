"""The connector's own sync over a world in memory: histories by the thousand, and what single ones found."""

import logging
import os
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from unit_tests.world.connector import doubtful, is_walked, source
from unit_tests.world.histories import History, Read
from unit_tests.world.linear import Faults, Linear
from unit_tests.world.plans import Change, Plan, Step, Sync, Wait, plan, shortest
from unit_tests.world.schema import schema
from unit_tests.world.world import START, World, text

HISTORIES = int(os.environ.get("HISTORIES", 1000))


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def problems(given: Plan) -> list[str]:
    return History(given, source, doubtful, is_walked).play()


@pytest.mark.parametrize("first", range(0, HISTORIES, 50))
def test_no_row_is_missing_too_many_stale_or_wrongly_stamped(first: int) -> None:
    for seed in range(first, first + 50):
        if problems(plan(seed)):
            history = shortest(plan(seed), lambda one: bool(problems(one)))
            pytest.fail("\n".join([*problems(history), str(history)]))


@pytest.mark.parametrize("walks", [True, False])
@pytest.mark.parametrize("stream", ["issue_history", "issue_state_spans", "project_history"])
def test_all_rows_of_a_parent_that_appears_are_read_though_it_changed_since(stream: str, walks: bool) -> None:
    hide, show, update = Change("hide", 0.5), Change("show", 0.5), Change("update", 0.5)
    steps = [hide, Sync(seed=1), Wait(4000), show, update, Sync(seed=2, walks=walks)]
    assert story(stream, *steps) == []


def test_rows_are_not_gone_because_the_answer_about_their_ids_is_short() -> None:
    assert story("comments", Sync(seed=1), Wait(4000), Sync(seed=2, faults=Faults(cut=1)), rows=60) == []


@pytest.mark.parametrize("first", range(20_000, 20_040, 20))
def test_where_states_are_lost_only_rows_stay_that_came_after_a_lost_one(first: int) -> None:
    for seed in range(first, first + 20):
        assert problems(plan(seed, loses_states=True)) == [], f"seed {seed}"


def test_a_row_stays_whose_state_was_lost_and_no_other() -> None:
    made, gone = [Change("create", pick) for pick in (0.2, 0.5, 0.8)], [Change("purge", 0.5), Wait(4000)]
    kept = [Sync(seed=1), Wait(4000), *made, Wait(70)]
    given = Plan(
        1, ("comments",), 0, "flag", False, (*kept, Sync(seed=2, lost=9), *gone, *[Sync(seed=3)] * 2)
    )
    history = History(given, source, doubtful, is_walked)
    assert history.play() == []
    assert len(history.stayed) == 1
    history = History(replace(given, steps=(*kept, Sync(seed=2), *gone)), source, doubtful, is_walked)
    assert (history.play(), history.stayed) == ([], [])


@pytest.mark.parametrize("stream", ["templates", "team_memberships", "comments"])
def test_rows_are_not_gone_because_lists_lag_behind_their_creation(stream: str) -> None:
    made, lags = [Change("create", pick) for pick in (0.1, 0.5, 0.9)], Faults(stale=1)
    syncs = [Sync(seed=1), Wait(1), *(Sync(seed=seed, faults=lags) for seed in (2, 3, 4))]
    assert story(stream, Wait(4000), *made, *syncs) == []


def test_a_template_that_is_archived_is_reported_though_its_id_still_tells_of_it() -> None:
    archived = [Change("create", 0.5), Sync(seed=1), Wait(4000), Change("archive", 0.5)]
    assert story("templates", *archived, rows=1) == []


@pytest.mark.parametrize("stream", ["comments", "issue_history"])
def test_a_row_that_changed_and_is_not_found_by_its_id_is_asked_for_again(stream: str) -> None:
    update, blind = Change("update", 0.5), Sync(seed=2, walks=False, faults=Faults(blind=1))
    assert story(stream, Sync(seed=1), Wait(4000), update, Wait(100), blind, Wait(4000)) == []


def test_a_row_of_a_page_that_fails_and_is_not_found_by_its_id_is_asked_for_again() -> None:
    steps = [Change("update", pick, 0) for pick in (0.1, 0.3, 0.5, 0.7, 0.9)] * 3
    refused, blind = Change("refuse", 0.902), Sync(seed=2, walks=False, faults=Faults(blind=0.9))
    assert story("comments", Sync(seed=1), Wait(4000), *steps, refused, Wait(100), blind, rows=40) == []


def test_a_parent_that_is_to_be_read_whole_is_not_done_when_its_newest_rows_came() -> None:
    show, blind = [Change("show", 0.5), Change("update", 0.5)], Sync(seed=2, faults=Faults(blind=0.7))
    again = [Change("update", pick) for pick in (0.1, 0.3, 0.5, 0.7, 0.9)]
    assert story("issue_history", *show, Sync(seed=1), Wait(4000), *show, *[blind, *again] * 5) == []


def test_a_parent_that_was_archived_and_restored_between_two_lists_has_its_rows_as_they_are() -> None:
    archive, restore = Change("archive", 0.5), Change("restore", 0.5)
    steps = [archive, Wait(100), Sync(seed=2, walks=False), restore, Wait(100)]
    assert story("issue_state_spans", Sync(seed=1), Wait(4000), *steps) == []


@pytest.mark.parametrize("stream", ["comments", "team_memberships", "issue_labels"])
def test_the_first_list_after_rows_were_sent_without_one_is_walked_to_its_end(stream: str) -> None:
    refused = Faults(failing={"*": "FORBIDDEN"}, together=True)
    steps = [Sync(seed=1, faults=refused), Wait(4000), Sync(seed=2, faults=Faults(short=0.3)), Wait(4000)]
    assert story(stream, *steps, *[Change("purge", 0.5)] * 4) == []


@pytest.mark.parametrize("walks", [True, False])
@pytest.mark.parametrize("kind", ["attach", "relate"])
def test_an_issue_is_sent_again_when_a_list_inside_it_grows_though_no_stamp_tells(
    kind: str, walks: bool
) -> None:
    grow = [Change(kind, 0.5)] * 3
    assert story("issues", *grow, Sync(seed=1), Wait(4000), *grow, Sync(seed=2, walks=walks)) == []


def test_a_row_that_is_gone_is_reported_though_the_clock_went_back_behind_its_creation() -> None:
    back, gone = Sync(seed=2, kill=1, behind=200), [Change("purge", pick) for pick in (0.1, 0.4, 0.7)]
    made = [Change("create", 0.5)] * 9
    killed = Sync(seed=1, kill=9)  # before the cursor is there: it would bind the next sync's start
    assert story("comments", *made, Wait(70), killed, Wait(5), back, Wait(5), *gone, rows=0) == []


def test_a_row_that_was_reported_without_a_list_is_sent_when_it_is_back() -> None:
    unread = [Change("update", 0.5), Change("refuse", 0.5), Wait(4000), Sync(seed=2, walks=False)]
    gone = [Change("hide", 0.5), Wait(4000), Sync(seed=3, walks=False)]
    assert story("comments", Sync(seed=1), *unread, *gone, Change("show", 0.5), Wait(4000)) == []


# A parent shown again while it was read; one half read by date; a row restored between its list and its page.
# Rows of a parent read whole while start_date was later than that of its copy.
@pytest.mark.parametrize("seed", [1107, 1363, 4008, 30283])
def test_a_history_that_went_wrong_once_goes_well(seed: int) -> None:
    assert problems(plan(seed)) == []


def story(stream: str, *steps: Step, rows: int = 5, archived_rows: str = "flag") -> list[str]:
    return problems(Plan(1, (stream,), rows, archived_rows, False, steps))


@pytest.mark.parametrize(
    "stream", ["team_memberships", "templates", "entity_external_links", "issue_relations", "comments"]
)
def test_a_row_that_is_gone_is_reported_whether_or_not_its_root_takes_a_filter(stream: str) -> None:
    assert story(stream, Sync(seed=1), Change("purge", 0.5), Sync(seed=2)) == []


@pytest.mark.parametrize(
    ("stream", "circle"),
    [
        ("comments", "comments"),
        ("issue_relations", "issueRelations"),
        ("issue_history", "history"),
        ("entity_external_links", "externalLinks"),
        ("issues", "attachments"),
    ],
)
def test_whatever_pages_ends_though_linear_ignores_the_cursor(stream: str, circle: str) -> None:
    world = World(random.Random(1))
    for entity, inside in (("Issue", "history"), ("Project", "externalLinks")):
        parent = world.create(entity)
        for _ in range(60):
            world.create(schema().children[entity, inside], inside=(parent, inside))
    for _ in range(260):
        world.create("Comment")
        world.create("IssueRelation", issue="gone", relatedIssue="gone")
        world.create("Attachment", issue=next(iter(world.rows["Issue"])))
    states: dict[str, Any] = {}
    for number in range(2):
        linear = Linear(world, Faults(circles=[circle]))
        for kind, name, state in source(Read((stream,), {"archived_rows": "flag"}, states, linear, 3, True)):
            states |= {name: state} if kind == "state" else {}
        assert 1 < len(linear.requests) < 300, number
        world.tick(100)
    cursor = states[stream]["updatedAt"]
    assert cursor < text(START)  # it was not read to its end
