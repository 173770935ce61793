"""builder.yaml in the CDK's own runner, without any code of ours: as Airbyte's Connector Builder runs it."""

import sys
from datetime import datetime
from functools import cache

import pytest
import yaml
from airbyte_cdk.sources.declarative.parsers.manifest_reference_resolver import ManifestReferenceResolver

from integration_tests.builder import runner
from integration_tests.expected import records
from tools.builder import BUILDER, columns, cursor_field, is_given
from tools.connector import configured
from tools.schemas import streams

pytestmark = pytest.mark.slow

STREAMS = {stream.name: stream for stream in streams() if is_given(stream)}
COUNTED = {"teams": {"issueCount"}}  # Linear counts anew without moving a stamp


@pytest.fixture
def make_runner(tmp_path, monkeypatch):
    """A factory of the CDK's runner with builder.yaml, that may run no code of ours."""
    monkeypatch.delenv("AIRBYTE_ENABLE_UNSAFE_CODE", raising=False)
    return lambda api, *credentials, **options: runner(api, tmp_path, *credentials, **options)


@cache
def discovered():
    """The streams as the manifest declares them."""
    resolved = ManifestReferenceResolver().preprocess_manifest(yaml.safe_load(BUILDER.read_text("utf-8")))
    return {
        stream["name"]: {
            "name": stream["name"],
            "json_schema": stream["schema_loader"]["schema"],
            "supported_sync_modes": ["full_refresh", "incremental"],
            "default_cursor_field": [stream["incremental_sync"]["cursor_field"]],
            "source_defined_primary_key": [stream["primary_key"]],
        }
        for stream in resolved["streams"]
    }


def catalog_of(names=tuple(STREAMS)):
    return {"streams": [configured(discovered()[name]) for name in names]}


def compared(name, rows):
    """Rows by id, in the columns that both have."""
    kept = set(columns(STREAMS[name])) - COUNTED.get(name, set())
    return {row["id"]: {column: value for column, value in row.items() if column in kept} for row in rows}


def expected(api, name):
    """What a complete sync of ours brings."""
    return compared(name, records(api.workspace, STREAMS[name]).values())


def by_id(output, name):
    return compared(name, output.records[name])


def seconds(stamp):
    return datetime.fromisoformat(stamp).timestamp()


def test_it_checks_and_discovers_its_streams(linear_api, make_runner):
    connector = make_runner(linear_api)
    assert connector.check().one("CONNECTION_STATUS")["connectionStatus"]["status"] == "SUCCEEDED"
    assert linear_api.requests.user_agents == {"source-linear (builder.yaml)"}
    found = connector.discover().one("CATALOG")["catalog"]["streams"]
    assert [stream["name"] for stream in found] == list(STREAMS)
    for stream in found:
        declared = discovered()[stream["name"]]
        assert stream["json_schema"] == declared["json_schema"]
        assert stream["default_cursor_field"] == declared["default_cursor_field"]
        assert stream["source_defined_primary_key"] == [["id"]]
        assert stream["supported_sync_modes"] == declared["supported_sync_modes"]


def test_the_builders_own_backend_resolves_it_and_tests_a_stream(make_linear_api, make_runner):
    api = make_linear_api(issues=300, seed=1)
    connector = make_runner(api, None, __command="resolve_manifest")
    connector.command = [sys.executable, "-m", "airbyte_cdk.connector_builder.main"]
    catalog = catalog_of(["issues"])
    resolved = connector.read(catalog).one("RECORD")["record"]["data"]["manifest"]
    assert [stream["name"] for stream in resolved["streams"]] == list(STREAMS)

    connector.config |= {"__command": "test_read"}
    tested = connector.read(catalog).one("RECORD")["record"]["data"]
    (of_slice,) = tested["slices"]
    rows = [row for page in of_slice["pages"] for row in page["records"]]
    # There, other than in a sync, null columns come, too.
    there = [{column: value for column, value in row.items() if value is not None} for row in rows]
    assert compared("issues", there) == expected(api, "issues")
    assert [len(page["records"]) for page in of_slice["pages"]] == [250, 50]
    assert not [log for log in tested["logs"] if log["level"] in ("ERROR", "FATAL", "WARN")]


def test_a_first_sync_is_equal_to_ours_and_a_second_brings_what_changed_and_little_else(
    make_linear_api, make_runner
):
    api = make_linear_api(issues=60, seed=3)
    connector = make_runner(api)
    catalog = catalog_of()
    first = connector.read(catalog)
    assert first.exit_code == 0, first.errors
    for name in STREAMS:
        assert by_id(first, name) == expected(api, name), name
        assert len(first.records[name]) == len(expected(api, name)), name
        declared = {*columns(STREAMS[name]), cursor_field(STREAMS[name])}
        assert all(row.keys() <= declared for row in first.records[name]), name

    workspace = api.workspace
    api.clock.advance(600)
    edited, archived, other, *_ = workspace.ids("Issue", archived=False)
    user, template = workspace.ids("User")[0], workspace.ids("Template", archived=False)[0]
    workspace.update("Issue", edited, title="Changed")
    workspace.archive("Issue", archived)  # which moves no stamp
    workspace.update("User", user, displayName="Changed")
    workspace.update("Template", template, name="Changed")
    changed = {
        "issues": {edited, archived},
        "users": {user},
        "templates": {template},
        "comments": {workspace.create("Comment", body="New")},
        "issue_relations": {workspace.create("IssueRelation", issueId=edited, relatedIssueId=other)},
    }
    api.clock.advance(600)
    second = connector.read(catalog, first.last_states)
    assert second.exit_code == 0, second.errors
    for name in STREAMS:
        found = by_id(second, name)
        second_rows = {row["id"]: row for row in second.records[name]}
        assert changed.get(name, set()) <= set(found), name
        assert by_id(first, name) | found == expected(api, name), name
        stamps = {row["id"]: seconds(row[cursor_field(STREAMS[name])]) for row in first.records[name]}
        for row in set(found) - changed.get(name, set()):
            of_changed_issue = second_rows[row].get("issueId") in changed["issues"]
            in_lookback = max(stamps.values()) - stamps[row] <= 60
            assert in_lookback or (STREAMS[name].parents and of_changed_issue), (name, row)


NAMES = ("issues", "comments", "issue_labels", "issue_relations", "users", "organization")


def assert_complete(api, output):
    assert output.exit_code == 0, output.errors
    for name in NAMES:
        assert by_id(output, name) == expected(api, name), name
        assert len(output.records[name]) == len(expected(api, name)), name


LISTS = {
    "issue_history": ("Issue", "history"),
    "issue_state_spans": ("Issue", "stateHistory"),
    "project_history": ("Project", "history"),
    "initiative_history": ("Initiative", "history"),
}


def test_histories_are_read_to_their_end_however_long(make_linear_api, make_runner):
    api = make_linear_api(issues=60, seed=3)
    for entity, name in LISTS.values():
        for row, length in zip(
            api.workspace.ids(entity), (0, 1, 13, 14, 20, 21, 250, 251, 510), strict=False
        ):
            api.workspace.set_list(entity, row, name, length)
    api.clock.advance(2)
    connector = make_runner(api)
    output = connector.read(catalog_of(LISTS))
    assert output.exit_code == 0, output.errors
    for name in LISTS:
        assert by_id(output, name) == expected(api, name), name
        assert len(output.records[name]) == len(expected(api, name)), name


def test_streams_of_several_pages_and_years_are_complete(make_linear_api, make_runner):
    api = make_linear_api(issues=600, seed=5)
    for row in api.workspace.ids("Issue")[:300]:
        api.workspace.create("IssueRelation", issueId=row)
    connector = make_runner(api)
    assert_complete(api, connector.read(catalog_of(NAMES)))
    for root in ("issues", "comments", "issueRelations"):
        assert len(api.requests.to(root)) >= 2, root


def test_a_feed_ends_at_the_first_page_that_is_older_than_the_state(make_linear_api, make_runner):
    api = make_linear_api(issues=60, seed=5)
    api.workspace.bulk_update("IssueRelation", api.workspace.ids("IssueRelation"), type="blocks")
    for row in api.workspace.ids("Issue") * 5:
        api.clock.advance(1)
        api.workspace.create("IssueRelation", issueId=row)
    connector = make_runner(api)
    catalog = catalog_of(["issue_relations"])
    first = connector.read(catalog)
    api.clock.advance(600)
    new = api.workspace.create("IssueRelation", issueId=api.workspace.ids("Issue")[0])
    api.requests.clear()
    second = connector.read(catalog, first.last_states)
    assert new in by_id(second, "issue_relations")
    assert len(second.records["issue_relations"]) <= 62
    assert len(api.requests.to("issueRelations")) == 1


def test_a_rate_limit_at_http_400_is_waited_out(linear_api, make_runner):
    connector = make_runner(linear_api)
    catalog = catalog_of(NAMES)
    linear_api.limits.set(requests=6, window=2.0)
    linear_api.limits.exhaust()
    output = connector.read(catalog)
    refused = [request for request in linear_api.requests if request.code == "RATELIMITED"]
    assert {request.status for request in refused} == {400}
    assert_complete(linear_api, output)


@pytest.mark.parametrize("auth_type", ["Client Credentials", "OAuth2.0"])
def test_oauth_reads_and_hands_a_new_refresh_token_to_airbyte(linear_api, make_runner, auth_type):
    auth = linear_api.auth
    credentials = {"auth_type": auth_type, "client_id": auth.client_id, "client_secret": auth.client_secret}
    if auth_type == "OAuth2.0":
        credentials["refresh_token"] = auth.refresh_token
    connector = make_runner(linear_api, credentials)
    output = connector.read(catalog_of(NAMES))
    assert_complete(linear_api, output)
    handed = [message["control"] for message in output.messages if message["type"] == "CONTROL"]
    tokens = {control["connectorConfig"]["config"]["credentials"]["refresh_token"] for control in handed}
    assert tokens == ({auth.refresh_token} if auth_type == "OAuth2.0" else set())


def test_a_start_date_limits_activity_and_nothing_else(make_linear_api, make_runner):
    api = make_linear_api(issues=60, seed=3)
    stamps = sorted(row["updatedAt"] for row in expected(api, "comments").values())
    start = stamps[len(stamps) // 2]
    connector = make_runner(api, start_date=f"{start[:19]}Z")
    output = connector.read(catalog_of(["comments", "users"]))
    wanted = {
        row for row, record in expected(api, "comments").items() if record["updatedAt"][:10] >= start[:10]
    }
    assert set(by_id(output, "comments")) == wanted
    assert len(wanted) < len(stamps)
    assert by_id(output, "users") == expected(api, "users")


def test_a_stream_that_is_refused_fails_with_our_sentence_and_stops_no_other(linear_api, make_runner):
    connector = make_runner(linear_api)
    catalog = catalog_of(["webhooks", "users"])
    linear_api.faults.admins_only("webhooks", root="webhooks")
    output = connector.read(catalog)
    (error,) = [one for one in output.errors if one.get("stream_descriptor", {}).get("name") == "webhooks"]
    assert error["message"].startswith("These credentials may not read it (You must be a workspace admin")
    assert error["failure_type"] == "config_error"
    assert output.statuses["users"][-1] == "COMPLETE"
    assert output.statuses["webhooks"][-1] == "INCOMPLETE"


def test_a_wrong_key_fails_the_check_with_our_sentence(linear_api, make_runner):
    connector = make_runner(linear_api, {"auth_type": "API Key", "api_key": "lin_api_wrong"})
    status = connector.check().one("CONNECTION_STATUS")["connectionStatus"]
    assert status["status"] == "FAILED"
    assert "Linear does not accept the credentials" in status["message"]
