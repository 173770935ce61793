"""The connector's own sync over a world in memory: histories by the thousand, and what single ones found."""

import logging
from collections.abc import Iterator

import pytest

from unit_tests.world.connector import doubtful, is_walked, source
from unit_tests.world.histories import History
from unit_tests.world.plans import Change, Plan, Step, Sync, Wait, plan, shortest

HISTORIES = 1000


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


def story(stream: str, *steps: Step, rows: int = 5, archived_rows: str = "flag") -> list[str]:
    return problems(Plan(1, (stream,), rows, archived_rows, False, steps))


@pytest.mark.parametrize(
    "stream", ["team_memberships", "templates", "entity_external_links", "issue_relations", "comments"]
)
def test_a_row_that_is_gone_is_reported_whether_or_not_its_root_takes_a_filter(stream: str) -> None:
    assert story(stream, Sync(seed=1), Change("purge", 0.5), Sync(seed=2)) == []
