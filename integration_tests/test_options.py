"""What the options of the configuration change."""

import pytest

from integration_tests.expected import records
from source_linear.declared import lookback_of
from tools.schemas import streams

BEYOND = lookback_of().total_seconds() + 1  # seconds: what changed before is not read again
STREAMS = {stream.name: stream for stream in streams()}
COMPARED = sorted(
    stream.name
    for stream in STREAMS.values()
    if stream.kind in ("windowed", "feed") and stream.entity != "Issue"
)
BY_TEAM = sorted(stream.name for stream in STREAMS.values() if stream.team_filter)


def is_page(request, name):
    """Whether a stream asks for a page."""
    return request.query.startswith(f"query {name}($first")


@pytest.fixture
def busy(make_linear_api):
    """A workspace with something of everything."""
    api = make_linear_api(issues=120, seed=5)
    api.clock.advance(BEYOND)
    return api


def test_team_keys_limit_what_belongs_to_a_team_and_leave_the_rest_whole(busy, make_connector):
    issues = [busy.workspace.expected("Issue", row_id) for row_id in busy.workspace.ids("Issue")]
    team_id = issues[0]["teamId"]
    team = busy.workspace.expected("Team", team_id)
    connector = make_connector(busy, team_keys=[team["key"]])
    output = connector.read(connector.catalog())
    assert output.exit_code == 0

    own = {issue["id"] for issue in issues if issue["teamId"] == team_id}
    assert 0 < len(own) < len(issues)
    assert {record["id"] for record in output.records["issues"]} == own
    for name in ("cycles", "workflow_states"):
        assert {record["teamId"] for record in output.records[name]} == {team_id}
    for name in ("issue_history", "issue_state_spans"):
        assert {record["issueId"] for record in output.records[name]} <= own
    assert {record.get("teamId") for record in output.records["issue_labels"]} == {None, team_id}
    assert {record.get("issueId") for record in output.records["comments"]} - own <= {None}
    shared = records(busy.workspace, STREAMS["projects"])
    assert {record["id"] for record in output.records["projects"]} == {
        row_id for row_id, project in shared.items() if team_id in project["teamIds"]
    }
    for name in sorted(set(STREAMS) - set(BY_TEAM)):
        assert len(output.records[name]) == len(records(busy.workspace, STREAMS[name])), name


def test_team_keys_filter_on_the_server(busy, make_connector):
    key = busy.workspace.expected("Team", busy.workspace.ids("Team")[0])["key"]
    connector = make_connector(busy, team_keys=[key])
    connector.read(connector.catalog(BY_TEAM))
    for name in BY_TEAM:
        asked = [one for one in busy.requests.to(STREAMS[name].roots[0].name) if is_page(one, name)]
        assert asked, name
        for request in asked:
            assert f"'{key}'" in str(request.variables), name


@pytest.mark.parametrize("option", [{"detect_deletions": "each sync"}, {"reconcile_archived": "true"}])
def test_archivings_that_no_filter_can_ask_for_are_found_by_comparing(busy, make_connector, option):
    connector = make_connector(busy, **option)
    catalog = connector.catalog(COMPARED)
    first = connector.read(catalog)
    archived = {}
    busy.clock.advance(BEYOND)
    for name in COMPARED:
        entity = STREAMS[name].entity
        archived[name] = busy.workspace.ids(entity, archived=False)[:2]
        for row_id in archived[name]:
            busy.workspace.archive(entity, row_id)
    busy.clock.advance(BEYOND)
    second = connector.read(catalog, first.last_states)
    assert second.exit_code == 0
    for name in COMPARED:
        expected = records(busy.workspace, STREAMS[name])
        found = {record["id"]: record for record in second.records[name]}
        assert archived[name]
        assert found == {row_id: expected[row_id] for row_id in archived[name]}
        assert all(record["isArchived"] for record in found.values())
    busy.clock.advance(BEYOND)
    third = connector.read(catalog, second.last_states)
    assert sum(len(found) for found in third.records.values()) == 0


def test_without_comparing_nothing_is_walked_that_did_not_change(busy, make_connector):
    quiet = make_connector(busy, detect_deletions="never")
    catalog = quiet.catalog(["comments"])
    first = quiet.read(catalog)
    busy.clock.advance(BEYOND)
    before = len(busy.requests)
    quiet.read(catalog, first.last_states)
    assert len(busy.requests) - before == 1  # the change probe: there is nothing to walk


def test_rows_that_were_updated_and_archived_come_once(busy, make_connector):
    connector = make_connector(busy, detect_deletions="each sync")
    catalog = connector.catalog(["comments", "issues"])
    first = connector.read(catalog)
    busy.clock.advance(BEYOND)
    for entity in ("Comment", "Issue"):
        row_id = busy.workspace.ids(entity, archived=False)[0]
        busy.workspace.update(entity, row_id)
        busy.clock.advance(1)
        busy.workspace.archive(entity, row_id)
    busy.clock.advance(BEYOND)
    second = connector.read(catalog, first.last_states)
    assert len(second.records["comments"]) == 1
    assert len(second.records["issues"]) == 1


@pytest.mark.parametrize("option", ["flag", "delete"])
def test_archived_rows_are_flagged_or_marked_as_deleted(busy, make_connector, option):
    connector = make_connector(busy, archived_rows=option)
    names = ["issues", "projects", "comments", "issue_state_spans"]
    catalog = connector.catalog(names)
    output = connector.read(catalog)
    for item in catalog["streams"]:
        name = item["stream"]["name"]
        expected = records(busy.workspace, STREAMS[name])
        assert output.records[name]
        assert {record["id"] for record in output.records[name]} == set(expected)
        assert ("_ab_cdc_deleted_at" in item["stream"]["json_schema"]["properties"]) is (option == "delete")
        for record in output.records[name]:
            deleted_at = record.pop("_ab_cdc_deleted_at", None)
            archived_at = record.get("archivedAt", record.get("issueArchivedAt"))
            assert deleted_at == (archived_at if option == "delete" else None)
            assert record == expected[record["id"]]


@pytest.mark.parametrize("sync_mode", ["incremental", "full_refresh"])
def test_a_start_date_limits_events_and_nothing_that_they_refer_to(busy, make_connector, sync_mode):
    rows = records(busy.workspace, STREAMS["issues"])
    start_date = sorted(row["updatedAt"] for row in rows.values())[len(rows) // 2]
    connector = make_connector(busy, start_date=start_date)
    output = connector.read(connector.catalog(["issues", "comments", "users", "projects"], sync_mode))
    for name in ("users", "projects"):
        assert len(output.records[name]) == len(records(busy.workspace, STREAMS[name]))
    for name in ("issues", "comments"):
        expected = records(busy.workspace, STREAMS[name])
        since = {row_id for row_id, row in expected.items() if row["updatedAt"] >= start_date}
        assert {record["id"] for record in output.records[name]} == since
        assert 0 < len(since) < len(expected)


def test_a_list_that_linear_refuses_is_null_and_its_rows_are_kept(busy, make_connector):
    connector = make_connector(busy)
    catalog = connector.catalog(["projects"])
    busy.faults.partial(root="projects", field="members", count=None)
    output = connector.read(catalog)
    expected = records(busy.workspace, STREAMS["projects"])
    assert output.exit_code == 0
    assert {record["id"] for record in output.records["projects"]} == set(expected)
    assert any("memberIds" not in record for record in output.records["projects"])
    assert any("WARN" in line and "members" in line for line in output.logs)
