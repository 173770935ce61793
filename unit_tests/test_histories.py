"""The connector's own sync over a world in memory: histories by the thousand, and what single ones found."""

import logging
import os
from collections.abc import Iterator

import pytest

from unit_tests.world.connector import doubtful, is_walked, source
from unit_tests.world.histories import History
from unit_tests.world.linear import Faults
from unit_tests.world.plans import Change, Plan, Step, Sync, Wait, plan, shortest

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


# A parent shown again while it was read; one half read by date; a row restored between its list and its page.
@pytest.mark.parametrize("seed", [1107, 1363, 4008])
def test_a_history_that_went_wrong_once_goes_well(seed: int) -> None:
    assert problems(plan(seed)) == []


def story(stream: str, *steps: Step, rows: int = 5, archived_rows: str = "flag") -> list[str]:
    return problems(Plan(1, (stream,), rows, archived_rows, False, steps))


@pytest.mark.parametrize(
    "stream", ["team_memberships", "templates", "entity_external_links", "issue_relations", "comments"]
)
def test_a_row_that_is_gone_is_reported_whether_or_not_its_root_takes_a_filter(stream: str) -> None:
    assert story(stream, Sync(seed=1), Change("purge", 0.5), Sync(seed=2)) == []
