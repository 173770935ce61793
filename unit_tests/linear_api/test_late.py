from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest

from integration_tests.linear_api import Clock, Late, LinearApi, generate
from integration_tests.linear_api.clock import to_milliseconds
from unit_tests.linear_api.conftest import Asker

NOW = "2025-06-01T00:00:00.000Z"


@pytest.fixture
def late() -> Iterator[Asker]:
    """Asks a simulator whose clock stands still and that commits late."""
    with LinearApi(generate(1, 10, Clock(NOW))) as api:
        api.workspace.late = Late(seed=1)
        asker = Asker(api)
        yield asker
        asker.close()


def seconds_late(ask: Asker) -> list[float]:
    now = ask.api.clock.milliseconds
    return [(one.due - now) / 1000 for one in ask.api.workspace.pending]


def test_it_is_off_by_default(ask: Asker) -> None:
    assert ask.api.workspace.create("Issue") in ask.ids("issues")
    assert ask.api.workspace.pending == []


def test_a_new_row_is_seen_only_some_time_after_its_stamp(late: Asker) -> None:
    issue = late.api.workspace.create("Issue")
    [pending] = late.api.workspace.pending
    late.api.clock.advance(seconds_late(late)[0] - 0.001)
    assert issue not in late.ids("issues") and issue not in late.api.workspace.ids("Issue")
    late.api.clock.advance(0.001)
    assert late.api.clock.text == pending.visible_at
    assert issue in late.ids("issues")
    assert late.api.workspace.expected("Issue", issue)["updatedAt"] == NOW


def test_a_change_is_seen_only_some_time_after_its_stamp(late: Asker) -> None:
    issue = late.ids("issues")[0]
    query = f'{{ issue(id: "{issue}") {{ title updatedAt archivedAt }} }}'
    before = late.data(query)
    late.api.workspace.update("Issue", issue, title="Changed")
    late.api.workspace.archive("Issue", issue)
    assert late.data(query) == before
    late.api.clock.advance(31)
    assert late.data(query)["issue"] == {"title": "Changed", "updatedAt": NOW, "archivedAt": NOW}


def test_delays_are_between_20_ms_and_30_s_of_every_size(late: Asker) -> None:
    for _ in range(300):
        late.api.workspace.create("Team")
    delays = seconds_late(late)
    assert 0.02 <= min(delays) < 0.04 and 15 < max(delays) <= 30
    sizes = {round(math.log2(delay)) for delay in delays}
    assert sizes >= set(range(-5, 5))


def test_the_same_seed_commits_equally_late(late: Asker) -> None:
    def delays(seed: int) -> list[float]:
        late.api.workspace.late = Late(seed)
        for _ in range(20):
            late.api.workspace.create("Team")
        return seconds_late(late)

    assert delays(1) == delays(1) != delays(2)


def test_a_comment_is_stamped_before_it_is_created(late: Asker) -> None:
    for _ in range(50):
        late.api.workspace.create("Comment")
    comments = [one for one in late.api.workspace.pending if one.type_name == "Comment"]
    leads = []
    for one in comments:
        created, updated = (to_milliseconds(one.values[name]) for name in ("createdAt", "updatedAt"))
        leads.append(created - updated)
        assert one.due >= created
    assert min(leads) >= 15 and max(leads) <= 200 and len(set(leads)) > 10


def test_an_issue_comes_to_its_team_after_it_was_stamped(late: Asker) -> None:
    late.api.workspace.create("Issue")
    [one] = late.api.workspace.pending
    lag = to_milliseconds(one.values["addedToTeamAt"]) - to_milliseconds(one.values["updatedAt"])
    assert 320 <= lag <= 380 and one.due >= to_milliseconds(one.values["addedToTeamAt"])


def test_stamps_that_are_given_stay(late: Asker) -> None:
    stamps = {"createdAt": "2025-01-01T00:00:00.000Z", "updatedAt": "2025-01-02T00:00:00.000Z"}
    late.api.workspace.create("Comment", **stamps)
    assert stamps.items() <= late.api.workspace.pending[0].values.items()


def test_no_row_is_seen_before_what_it_refers_to(late: Asker) -> None:
    for _ in range(20):
        team = late.api.workspace.create("Team")
        issue = late.api.workspace.create("Issue", team=team)
        comment = late.api.workspace.create("Comment", issue=issue)
        due = {one.row_id: one.due for one in late.api.workspace.pending}
        assert due[team] <= due[issue] <= due[comment]


def test_the_changes_of_a_row_come_in_their_order(late: Asker) -> None:
    issue = late.api.workspace.create("Issue", title="0")
    for number in range(1, 20):
        late.api.workspace.update("Issue", issue, title=str(number))
    titles: list[Any] = []
    for one in late.api.workspace.pending:
        late.api.clock.set(one.visible_at)
        late.api.workspace.settle()
        titles.append(int(late.api.workspace.rows["Issue"][issue]["title"]))
    assert titles == sorted(titles) and titles[-1] == 19


def test_a_bulk_operation_is_committed_at_one_moment(late: Asker) -> None:
    ids = late.api.workspace.ids("Issue")
    late.api.workspace.bulk_update("Issue", ids, priority=1.0)
    assert len(late.api.workspace.pending) == len(ids)
    assert len({one.due for one in late.api.workspace.pending}) == 1


def test_what_is_pending_can_be_committed_now(late: Asker) -> None:
    issue = late.api.workspace.create("Issue")
    late.api.workspace.commit()
    assert issue in late.ids("issues") and late.api.workspace.pending == []
    another = late.api.workspace.create("Issue")
    late.api.workspace.late = None
    assert another in late.ids("issues")


def test_a_row_may_be_purged_before_it_was_seen(late: Asker) -> None:
    issue = late.api.workspace.create("Issue")
    late.api.workspace.update("Issue", issue, title="Changed")
    late.api.workspace.purge("Issue", issue)
    late.api.clock.advance(60)
    assert issue not in late.ids("issues") and late.api.workspace.pending == []


def test_a_list_is_given_its_size_at_once(late: Asker) -> None:
    issue = late.api.workspace.create("Issue")
    assert len(late.api.workspace.set_list("Issue", issue, "comments", 3)) == 3
    assert late.api.workspace.expected("Issue", issue)["commentIds"]


@pytest.mark.parametrize(("shortest", "longest"), [(0, 1), (2, 1)])
def test_impossible_delays_are_refused(shortest: float, longest: float) -> None:
    with pytest.raises(ValueError, match="shortest"):
        Late(1, shortest, longest)
