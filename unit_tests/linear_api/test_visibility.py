from __future__ import annotations

from typing import Any

import pytest

from integration_tests.linear_api import LinearApi, Workspace
from integration_tests.linear_api.schema import Kind
from unit_tests.linear_api.conftest import Asker

# what Linear deletes with nothing archived
GONE_WITHOUT_A_TRACE = (
    ("Attachment", "attachments"),
    ("Comment", "comments"),
    ("IssueRelation", "issueRelations"),
    ("ProjectRelation", "projectRelations"),
    ("InitiativeRelation", "initiativeRelations"),
    ("InitiativeToProject", "initiativeToProjects"),
    ("IssueToRelease", "issueToReleases"),
    ("TeamMembership", "teamMemberships"),
    ("CustomView", "customViews"),
    ("Webhook", "webhooks"),
    ("Customer", "customers"),
    ("CustomerStatus", "customerStatuses"),
    ("CustomerTier", "customerTiers"),
    ("CustomerNeed", "customerNeeds"),
    ("ProjectMilestone", "projectMilestones"),
    ("Template", "templates"),
    ("TimeSchedule", "timeSchedules"),
    ("TriageResponsibility", "triageResponsibilities"),
    ("Emoji", "emojis"),
    ("EntityExternalLink", None),
    ("ReleaseNote", "releaseNotes"),
    ("IssueLabel", "issueLabels"),
    ("ProjectLabel", "projectLabels"),
    ("InitiativeLabel", "initiativeLabels"),
    ("OrganizationInvite", "organizationInvites"),
    ("Integration", "integrations"),
    ("AgentSkill", "agentSkills"),
    # these go to the trash first, and are purged later
    ("Issue", "issues"),
    ("Project", "projects"),
    ("Document", "documents"),
    ("Initiative", "initiatives"),
    ("Release", "releases"),
    ("ReleasePipeline", "releasePipelines"),
)


def stamps(workspace: Workspace) -> dict[str, tuple[Any, Any]]:
    return {
        row_id: (row["updatedAt"], row["archivedAt"])
        for rows in workspace.rows.values()
        for row_id, row in rows.items()
    }


def listed(ask: Asker, entity: str, root: str) -> list[str]:
    """All ids that a root lists."""
    if ask.api.workspace.schema.fields("Query")[root].kind is Kind.LIST:
        return [row["id"] for row in ask.data(f"{{ {root} {{ id }} }}")[root]]
    found: list[str] = []
    after: str | None = None
    query = (
        f"query($a: String) {{ {root}(first: 250, includeArchived: true, after: $a)"
        " { nodes { id } pageInfo { hasNextPage endCursor } } }"
    )
    while True:
        page = ask.data(query, a=after)[root]
        found += [node["id"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return found


def test_a_hard_delete_leaves_no_trace_and_moves_no_stamp(ask: Asker) -> None:
    for entity, root in GONE_WITHOUT_A_TRACE:
        workspace = ask.api.workspace
        row = workspace.create(entity)
        if root is not None:
            assert row in listed(ask, entity, root)
        before = stamps(workspace)
        workspace.purge(entity, row)
        after = stamps(workspace)
        assert row not in workspace.ids(entity)
        assert after.items() <= before.items()
        if root is not None:
            assert row not in listed(ask, entity, root)
        with pytest.raises(KeyError):
            workspace.expected(entity, row)


def test_what_hangs_on_a_row_is_purged_with_it(ask: Asker) -> None:
    workspace = ask.api.workspace
    issue = workspace.create("Issue")
    comment = workspace.create("Comment", issue=issue)
    reply = workspace.create("Comment", issue=issue, parent=comment)
    attachment = workspace.create("Attachment", issue=issue)
    child = workspace.create("Issue", parent=issue)
    workspace.purge("Issue", issue)
    assert not {comment, reply, attachment} & {*workspace.ids("Comment"), *workspace.ids("Attachment")}
    assert workspace.expected("Issue", child)["parentId"] is None


@pytest.fixture
def private(ask: Asker) -> dict[str, str]:
    """A team with an issue, a comment on it, a relation to an issue of another team, a label."""
    workspace = ask.api.workspace
    team = workspace.create("Team", name="Private")
    issue = workspace.create("Issue", team=team)
    other = workspace.create("Issue", team=workspace.ids("Team")[0], parent=issue)
    return {
        "Team": team,
        "WorkflowState": workspace.rows["Issue"][issue]["stateId"],
        "Issue": issue,
        "Comment": workspace.create("Comment", issue=issue),
        "IssueRelation": workspace.create("IssueRelation", issue=other, relatedIssue=issue),
        "IssueLabel": workspace.create("IssueLabel", team=team),
        "other": other,
    }


ROOTS = {
    "Team": "teams",
    "WorkflowState": "workflowStates",
    "Issue": "issues",
    "Comment": "comments",
    "IssueRelation": "issueRelations",
    "IssueLabel": "issueLabels",
}


def test_a_team_that_becomes_private_takes_everything_with_it(ask: Asker, private: dict[str, str]) -> None:
    workspace = ask.api.workspace
    before = stamps(workspace)
    expected = {name: workspace.expected(name, private[name]) for name in ROOTS}
    workspace.hide("Team", private["Team"])
    for name, root in ROOTS.items():
        assert private[name] not in listed(ask, name, root), name
    other = private["other"]
    assert ask.data(f'{{ issue(id: "{other}") {{ parent {{ id }} }} }}')["issue"]["parent"] is None
    assert workspace.expected("Issue", other)["parentId"] is None
    assert stamps(workspace).items() <= before.items()
    workspace.show("Team", private["Team"])
    assert stamps(workspace) == before
    for name, root in ROOTS.items():
        assert private[name] in listed(ask, name, root), name
        assert workspace.expected(name, private[name]) == expected[name]
    assert workspace.expected("Issue", other)["parentId"] == private["Issue"]


def test_a_hidden_row_is_an_entity_not_found(ask: Asker, private: dict[str, str]) -> None:
    ask.api.workspace.hide("Team", private["Team"])
    assert ask.error(f'{{ issue(id: "{private["Issue"]}") {{ id }} }}') == (200, "INPUT_ERROR")


def test_a_hidden_row_may_change_and_is_seen_as_it_is_by_then(ask: Asker, private: dict[str, str]) -> None:
    workspace = ask.api.workspace
    workspace.hide("Team", private["Team"])
    workspace.update("Issue", private["Issue"], title="Changed behind closed doors")
    comment = workspace.create("Comment", issue=private["Issue"])
    assert comment not in listed(ask, "Comment", "comments")
    workspace.purge("Comment", private["Comment"])
    workspace.show("Team", private["Team"])
    assert workspace.expected("Issue", private["Issue"])["title"] == "Changed behind closed doors"
    comments = listed(ask, "Comment", "comments")
    assert comment in comments and private["Comment"] not in comments


def test_a_row_that_is_hidden_by_itself_stays_hidden(ask: Asker, private: dict[str, str]) -> None:
    workspace = ask.api.workspace
    workspace.hide("Comment", private["Comment"])
    workspace.hide("Team", private["Team"])
    workspace.show("Team", private["Team"])
    assert private["Issue"] in workspace.ids("Issue") and private["Comment"] not in workspace.ids("Comment")
    workspace.show("Comment", private["Comment"])
    assert private["Comment"] in workspace.ids("Comment")


def test_what_hangs_on_two_hidden_rows_waits_for_both(ask: Asker) -> None:
    workspace = ask.api.workspace
    one, two = workspace.create("Issue"), workspace.create("Issue")
    relation = workspace.create("IssueRelation", issue=one, relatedIssue=two)
    workspace.hide("Issue", one, two)
    workspace.show("Issue", one)
    assert relation not in workspace.ids("IssueRelation")
    workspace.show("Issue", two)
    assert relation in workspace.ids("IssueRelation")


def test_what_is_purged_behind_closed_doors_never_comes_back(ask: Asker, private: dict[str, str]) -> None:
    workspace = ask.api.workspace
    workspace.hide("Team", private["Team"])
    workspace.purge("Team", private["Team"])
    with pytest.raises(KeyError):
        workspace.show("Team", private["Team"])
    assert not {private[name] for name in ROOTS} & {
        row_id for name in ROOTS for row_id in workspace.ids(name)
    }


def test_a_role_may_lose_a_whole_entity(ask: Asker) -> None:
    workspace = ask.api.workspace
    ids = workspace.ids("AuditEntry")
    workspace.hide("AuditEntry", *ids)
    assert ids and listed(ask, "AuditEntry", "auditEntries") == []
    workspace.show("AuditEntry", *ids)
    assert sorted(listed(ask, "AuditEntry", "auditEntries")) == sorted(ids)


def test_the_id_of_a_hidden_row_still_works_as_a_cursor(ask: Asker) -> None:
    first, second, third = ask.ids("issues", "first: 3")
    ask.api.workspace.hide("Issue", second)
    assert ask.ids("issues", f'first: 1, after: "{second}"') == [third]
    assert ask.ids("issues", "first: 2") == [first, third]


@pytest.mark.parametrize("touch", [False, True])
def test_unarchiving_moves_the_stamp_only_where_it_is_told_to(ask: Asker, touch: bool) -> None:
    workspace = ask.api.workspace
    stamps = {"updatedAt": "2025-01-01T00:00:00.000Z", "archivedAt": "2025-01-02T00:00:00.000Z"}
    issue = workspace.create("Issue", **stamps)
    workspace.unarchive("Issue", issue, touch=touch)
    row = workspace.expected("Issue", issue)
    assert row["archivedAt"] is None
    assert (row["updatedAt"] == "2025-01-01T00:00:00.000Z") is not touch


def test_what_cannot_be_seen_cannot_be_hidden_or_shown(linear_api: LinearApi) -> None:
    issue = linear_api.workspace.ids("Issue")[0]
    with pytest.raises(KeyError):
        linear_api.workspace.show("Issue", issue)
    linear_api.workspace.hide("Issue", issue)
    with pytest.raises(KeyError):
        linear_api.workspace.hide("Issue", issue)
    with pytest.raises(KeyError):
        linear_api.workspace.expected("Issue", issue)
