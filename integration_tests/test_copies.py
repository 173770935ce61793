"""The destination stays a copy of the workspace, whatever goes wrong between two syncs."""

import pytest

from integration_tests.histories.connection import Connection
from integration_tests.histories.destination import Destination
from integration_tests.linear_api import PURGED, Clock, LinearApi, generate
from source_linear.streams import DELETED_AT, GONE_AT
from tools.schemas import streams

STREAMS = {stream.name: stream for stream in streams()}
OLD = "2020-01-01T00:00:00.000Z"  # older than the workspace
HOUR = 3600


@pytest.fixture
def api():
    with LinearApi(generate(1, 20, Clock("2025-06-01T00:00:02.500Z"), PURGED)) as api:
        api.clock.advance(HOUR)
        yield api


@pytest.fixture
def copy(api):
    """Syncs a connection an hour after its last one, into a destination."""
    return Copy(api)


class Copy:
    def __init__(self, api):
        self.api, self.destination = api, Destination(STREAMS)

    def sync(self, connection):
        output = connection.sync()
        connection.receive(output)
        self.api.clock.advance(HOUR)
        for name, record in output.records():
            self.destination.write(name, record)
        return output

    def row(self, name, row_id):
        return self.destination.rows(name)[row_id]


def is_probe(request):
    return request.query.startswith("query sync")


def deletions(output):
    return [record["id"] for _, record in output.records() if GONE_AT in record or DELETED_AT in record]


def test_a_row_that_was_sent_while_its_list_could_not_be_walked_is_reported_when_it_is_deleted(api, copy):
    connection = Connection.of(api, ["issue_labels"])
    copy.sync(connection)
    new = api.workspace.create("IssueLabel", name="new")
    api.clock.advance(HOUR)
    api.faults.null_node([0], errors=False, root="issueLabels", where=is_probe)
    copy.sync(connection)
    assert copy.row("issue_labels", new)["name"] == "new"
    api.workspace.purge("IssueLabel", new)
    copy.sync(connection)
    assert copy.row("issue_labels", new)[GONE_AT]
    assert deletions(copy.sync(connection)) == []


def test_a_row_that_was_sent_archived_while_its_list_could_not_be_walked_is_sent_when_it_is_not(api, copy):
    connection = Connection.of(api, ["issue_labels"])
    label = api.workspace.ids("IssueLabel", archived=False)[0]
    copy.sync(connection)
    api.workspace.archive("IssueLabel", label)
    api.clock.advance(HOUR)
    api.faults.null_node([0], errors=False, root="issueLabels", where=is_probe)
    copy.sync(connection)
    assert copy.row("issue_labels", label)["isArchived"]
    api.workspace.unarchive("IssueLabel", label)
    copy.sync(connection)
    assert not copy.row("issue_labels", label)["isArchived"]


def test_a_first_sync_whose_lists_could_not_be_walked_walks_them_once_more(api, copy):
    connection = Connection.of(api, ["issue_labels"])
    label = api.workspace.ids("IssueLabel")[0]
    api.faults.null_node([0], errors=False, root="issueLabels", where=is_probe)
    copy.sync(connection)
    api.workspace.purge("IssueLabel", label)
    copy.sync(connection)
    assert copy.row("issue_labels", label)[GONE_AT]


def test_a_row_that_comes_back_is_there_though_archived_rows_says_delete_since(api, copy):
    first, second = api.workspace.ids("Team")[:2]
    flags = Connection.of(api, ["teams"])
    copy.sync(flags)
    api.workspace.hide("Team", first)
    copy.sync(flags)
    assert copy.row("teams", first)[GONE_AT]
    deletes = Connection.of(api, ["teams"], archived_rows="delete")
    deletes.states = flags.states
    api.workspace.hide("Team", second)
    copy.sync(deletes)
    api.workspace.show("Team", first)
    copy.sync(deletes)
    assert copy.row("teams", first)["name"]
    assert not copy.row("teams", first).get(GONE_AT)


def test_a_row_that_comes_back_is_there_though_other_rows_were_read_meanwhile(api, copy):
    team, *others = api.workspace.ids("Team")
    everything = Connection.of(api, ["workflow_states"])
    keys = [api.workspace.get("Team", one)["key"] for one in others]
    of_teams = Connection.of(api, ["workflow_states"], team_keys=keys)
    copy.sync(everything)
    rows = copy.destination.rows("workflow_states").values()
    state = next(row["id"] for row in rows if row["teamId"] == team)
    api.workspace.hide("Team", team)
    copy.sync(everything)
    assert copy.row("workflow_states", state)[GONE_AT]
    of_teams.states = everything.states
    copy.sync(of_teams)
    everything.states = of_teams.states
    copy.sync(everything)
    api.workspace.show("Team", team)
    copy.sync(everything)
    assert copy.row("workflow_states", state)["name"]


def test_a_row_that_comes_back_is_there_though_reconcile_archived_is_off_by_then(api, copy):
    team = api.workspace.ids("Team")[0]
    compares = Connection.of(api, ["issues"], detect_deletions="each sync")
    copy.sync(compares)
    rows = copy.destination.rows("issues").values()
    issue = next(row["id"] for row in rows if row["teamId"] == team and not row["isArchived"])
    api.workspace.hide("Team", team)
    copy.sync(compares)
    assert copy.row("issues", issue)[GONE_AT]
    does_not = Connection.of(api, ["issues"])
    does_not.states = compares.states
    copy.sync(does_not)
    api.workspace.show("Team", team)
    api.workspace.archive("Issue", issue)
    api.clock.advance(HOUR)
    copy.sync(does_not)
    assert copy.row("issues", issue)["title"]


@pytest.mark.parametrize("seconds", [-2 * HOUR, -400 * 24 * HOUR])
def test_a_deletion_is_reported_though_linears_clock_went_back(api, copy, seconds):
    connection = Connection.of(api, ["issue_labels"])
    label = api.workspace.ids("IssueLabel")[0]
    copy.sync(connection)
    api.workspace.update("IssueLabel", label, name="changed")
    api.clock.advance(60)
    copy.sync(connection)
    api.workspace.purge("IssueLabel", label)
    api.faults.date(seconds, count=None)
    copy.sync(connection)
    assert copy.row("issue_labels", label)[GONE_AT]


def test_what_is_older_than_the_workspace_comes_after_a_first_sync_that_failed(api, copy):
    old = api.workspace.create("IssueLabel", createdAt=OLD, updatedAt=OLD)
    connection = Connection.of(api, ["issue_labels"])
    api.faults.error("INVALID_INPUT", where=lambda request: not is_probe(request), count=None)
    assert copy.sync(connection).error
    api.faults.clear()
    copy.sync(connection)
    assert old in copy.destination.rows("issue_labels")


def test_an_empty_page_after_a_full_one_deletes_nothing(api, copy):
    for number in range(300 - len(api.workspace.ids("IssueLabel"))):
        api.workspace.create("IssueLabel", name=str(number))
    api.clock.advance(HOUR)
    connection = Connection.of(api, ["issue_labels"])
    copy.sync(connection)
    api.faults.raw(
        '{"data": {"list_issueLabels_all": {"nodes": []}}}',
        where=lambda request: is_probe(request) and "after:" in request.query,
    )
    assert deletions(copy.sync(connection)) == []


def test_a_plain_list_that_is_not_answered_says_nothing_of_its_rows(api, copy):
    for number in range(1000):
        api.workspace.create("Template", name=str(number))
    template = api.workspace.ids("Template", archived=False)[0]
    api.clock.advance(HOUR)
    connection = Connection.of(api, ["templates"])
    copy.sync(connection)
    api.faults.html(502, where=lambda request: "newest_templates" in request.query, count=3)
    copy.sync(connection)
    api.workspace.purge("Template", template)
    copy.sync(connection)
    assert copy.row("templates", template)[GONE_AT]


def test_deletions_are_reported_though_one_of_several_roots_is_refused(api, copy):
    connection = Connection.of(api, ["entity_external_links"])
    api.faults.not_enabled("Releases", root="releases", count=None)
    copy.sync(connection)
    rows = copy.destination.rows("entity_external_links")
    link = next(row["id"] for row in rows.values() if row["projectId"])
    api.workspace.purge("EntityExternalLink", link)
    copy.sync(connection)
    assert rows[link][GONE_AT]


def test_a_root_that_is_refused_from_now_on_deletes_none_of_its_rows(api, copy):
    connection = Connection.of(api, ["entity_external_links"])
    copy.sync(connection)
    assert any(row.get("releaseId") for row in copy.destination.rows("entity_external_links").values())
    api.faults.not_enabled("Releases", root="releases", count=None)
    assert deletions(copy.sync(connection)) == deletions(copy.sync(connection)) == []
    api.faults.clear()
    assert deletions(copy.sync(connection)) == []


@pytest.mark.parametrize("name", ["issues", "issue_history", "comments"])
def test_a_start_date_before_the_workspace_costs_no_more_than_none(name):
    costs = []
    for options in ({}, {"start_date": "2000-01-01T00:00:00Z"}):
        with LinearApi(generate(1, 300, Clock("2025-06-01T00:00:02.500Z"))) as api:
            assert Connection.of(api, [name], **options).sync().error is None
            costs.append((len(api.requests), sum(request.complexity for request in api.requests)))
    (requests, points), (requests_since, points_since) = costs
    assert requests_since <= requests + 1
    assert points_since <= 1.5 * points


def test_a_removed_archivedAt_costs_that_column(api, copy):
    api.remove("IssueLabel.archivedAt")
    connection = Connection.of(api, ["issue_labels"])
    assert copy.sync(connection).error is None
    assert copy.destination.rows("issue_labels").keys() == set(api.workspace.ids("IssueLabel"))


def test_without_the_count_of_issues_everything_is_read(api, copy):
    api.remove("Organization.createdIssueCount")
    assert copy.sync(Connection.of(api, ["issues"])).error is None
    assert copy.destination.rows("issues").keys() == set(api.workspace.ids("Issue"))


def test_a_refresh_token_that_is_refused_is_not_sent_again_and_again(api):
    connection = Connection.of(api, list(STREAMS))
    connection.receive(connection.sync())
    known = {"client_id": api.auth.client_id, "client_secret": api.auth.client_secret}
    connection.config = {
        **connection.config,
        "credentials": {"auth_type": "OAuth2.0", **known, "refresh_token": "void"},
    }
    assert "refresh token" in connection.sync().error
    assert len(api.token_requests) <= 2


def test_many_rows_of_a_feed_that_no_stamp_tells_of_cost_no_request_each(api, copy):
    issue, other = api.workspace.ids("Issue")[:2]
    related = [api.workspace.create("IssueRelation", issue=issue, relatedIssue=other) for _ in range(400)]
    api.clock.advance(HOUR)
    connection = Connection.of(api, ["issue_relations"], detect_deletions="each sync")
    copy.sync(connection)
    for row in related:
        api.workspace.archive("IssueRelation", row)
    api.clock.advance(HOUR)
    api.requests.clear()
    copy.sync(connection)
    assert all(copy.row("issue_relations", row)["isArchived"] for row in related)
    assert len(api.requests) <= 10
    assert list(copy.sync(connection).records()) == []
