from __future__ import annotations

import pytest

from integration_tests.linear_api import Clock, Workspace, generate
from unit_tests.linear_api.selection import SCHEMA

NOW = "2025-06-01T00:00:00.000Z"
LATER = "2025-06-01T01:00:00.000Z"


@pytest.fixture
def workspace() -> Workspace:
    """Twenty issues; the clock stands still."""
    return generate(1, 20, Clock(NOW))


def test_archiving_does_not_touch_updated_at(workspace: Workspace) -> None:
    issue = workspace.create("Issue")
    workspace.clock.advance(3600)
    workspace.archive("Issue", issue)
    record = workspace.expected("Issue", issue)
    assert (record["updatedAt"], record["archivedAt"], record["trashed"]) == (NOW, LATER, None)


@pytest.mark.parametrize("type_name", ["Issue", "Project", "Document", "Initiative"])
def test_the_trash_sets_trashed_and_archived_at_only(workspace: Workspace, type_name: str) -> None:
    row = workspace.create(type_name)
    workspace.clock.advance(3600)
    workspace.trash(type_name, row)
    record = workspace.expected(type_name, row)
    assert (record["updatedAt"], record["archivedAt"], record["trashed"]) == (NOW, LATER, True)


def test_what_has_no_trash_cannot_be_trashed(workspace: Workspace) -> None:
    with pytest.raises(ValueError, match="trashed"):
        workspace.trash("Team", workspace.ids("Team")[0])


@pytest.mark.parametrize(("touch", "expected"), [(False, NOW), (True, LATER)])
def test_unarchiving_touches_updated_at_only_when_told(
    workspace: Workspace, touch: bool, expected: str
) -> None:
    issue = workspace.create("Issue")
    workspace.trash("Issue", issue)
    workspace.clock.advance(3600)
    workspace.unarchive("Issue", issue, touch=touch)
    record = workspace.expected("Issue", issue)
    assert (record["updatedAt"], record["archivedAt"], record["trashed"]) == (expected, None, None)


def test_an_update_touches_updated_at_unless_told(workspace: Workspace) -> None:
    issue = workspace.create("Issue")
    workspace.clock.advance(3600)
    workspace.update("Issue", issue, touch=False, title="Silent")
    assert workspace.expected("Issue", issue)["updatedAt"] == NOW
    workspace.update("Issue", issue, title="Loud")
    record = workspace.expected("Issue", issue)
    assert (record["updatedAt"], record["title"]) == (LATER, "Loud")


def test_a_bulk_update_stamps_one_updated_at_on_all(workspace: Workspace) -> None:
    issues = workspace.ids("Issue")[:10]
    workspace.clock.advance(3600)
    stamp = workspace.bulk_update("Issue", issues, priority=3.0)
    assert stamp == LATER
    rows = [workspace.expected("Issue", issue) for issue in issues]
    assert {(row["updatedAt"], row["priority"]) for row in rows} == {(LATER, 3.0)}


def test_date_times_are_kept_as_linear_writes_them(workspace: Workspace) -> None:
    issue = workspace.create("Issue", updatedAt="2025-03-01T13:00:00+01:00")
    workspace.archive("Issue", issue, at="2025-03-02")
    record = workspace.expected("Issue", issue)
    assert record["updatedAt"] == "2025-03-01T12:00:00.000Z"
    assert record["archivedAt"] == "2025-03-02T00:00:00.000Z"


def test_an_unknown_field_is_refused(workspace: Workspace) -> None:
    with pytest.raises(ValueError, match="nonsense"):
        workspace.create("Issue", nonsense=1)
    with pytest.raises(ValueError, match="set_list"):
        workspace.create("Issue", comments=[])


def test_an_unknown_row_is_refused(workspace: Workspace) -> None:
    with pytest.raises(KeyError):
        workspace.update("Issue", "nobody", title="x")


def test_a_new_issue_is_complete(workspace: Workspace) -> None:
    team = workspace.ids("Team")[0]
    first, second = (workspace.create("Issue", team=team) for _ in range(2))
    one, two = workspace.expected("Issue", first), workspace.expected("Issue", second)
    assert one["teamId"] == team and two["number"] == one["number"] + 1
    assert one["identifier"].startswith(workspace.rows["Team"][team]["key"])
    assert workspace.rows["WorkflowState"][one["stateId"]]["teamId"] == team


@pytest.fixture(scope="module")
def grown() -> Workspace:
    """A workspace to which tests add, each what it needs."""
    return generate(1, 0, Clock(NOW))


def test_every_type_can_be_created(grown: Workspace) -> None:
    for type_name in sorted(SCHEMA.entities):
        row = grown.create(type_name)
        record = grown.expected(type_name, row)
        missing = [
            name
            for name, field in SCHEMA.fields(type_name).items()
            if field.required and record.get(field.key or name) is None and field.key not in record
        ]
        assert not missing


def test_a_purge_leaves_no_trace(workspace: Workspace) -> None:
    issue, child = workspace.create("Issue"), workspace.create("Issue")
    workspace.update("Issue", child, parent=issue)
    workspace.set_list("Issue", issue, "comments", 2)
    [entry] = workspace.set_list("Issue", issue, "history", 1)
    workspace.purge("Issue", issue)
    assert issue not in workspace.rows["Issue"]
    assert entry not in workspace.rows["IssueHistory"]
    assert workspace.expected("Issue", child)["parentId"] is None
    for type_name in workspace.rows:
        for row in workspace.rows[type_name].values():
            assert issue not in row.values()


def test_a_purged_label_leaves_the_lists(workspace: Workspace) -> None:
    label = workspace.create("IssueLabel")
    issue = workspace.create("Issue", labels=[label])
    workspace.purge("IssueLabel", label)
    assert workspace.expected("Issue", issue)["labelIds"] == []


def test_a_nested_list_can_be_given_a_size(workspace: Workspace) -> None:
    for size in [0, 1, 49, 50, 51, 251]:
        for type_name, field in [
            ("Issue", "subscribers"),
            ("Issue", "comments"),
            ("Team", "members"),
            ("Project", "teams"),
        ]:
            row = workspace.ids(type_name)[0]
            before = workspace.expected(type_name, row)["updatedAt"]
            ids = workspace.set_list(type_name, row, field, size)
            assert len(ids) == len(set(ids)) == size
            assert workspace.list_ids(type_name, row, field) == ids
            assert workspace.expected(type_name, row)["updatedAt"] == before


def test_every_nested_list_can_grow_and_shrink(grown: Workspace) -> None:
    for type_name, field in [
        (type_name, field)
        for (type_name, field) in sorted(Workspace(Clock(NOW)).links)
        if type_name in SCHEMA.entities and type_name != "Organization" and field != "ancestors"
    ]:
        row = grown.create(type_name)
        for size in (3, 1, 0, 2):
            assert len(grown.set_list(type_name, row, field, size)) == size


def test_the_record_of_a_row_needs_no_graphql(workspace: Workspace) -> None:
    label, person = workspace.create("IssueLabel"), workspace.create("User")
    issue = workspace.create("Issue", labels=[label], subscribers=[person], assignee=person)
    comments = workspace.set_list("Issue", issue, "comments", 3)
    record = workspace.expected("Issue", issue)
    assert record["labelIds"] == [label] and record["subscriberIds"] == [person]
    assert record["assigneeId"] == person and record["projectId"] is None
    assert record["commentIds"] == comments


def test_a_plain_list_never_has_archived_rows(workspace: Workspace) -> None:
    issue = workspace.ids("Issue")[0]
    kept, archived = workspace.set_list("Issue", issue, "reactions", 2)
    workspace.archive("Reaction", archived)
    assert workspace.expected("Issue", issue)["reactionIds"] == [kept]
