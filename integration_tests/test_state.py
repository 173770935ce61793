"""A stream's state: where it stands, what is taken over, what is refused."""

from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from integration_tests import histories
from integration_tests.connector import Connector, Output
from integration_tests.expected import records
from integration_tests.histories import Connection
from integration_tests.linear_api import Clock, Late, LinearApi
from source_linear.config import milliseconds
from source_linear.declared import lookback_of
from source_linear.state import looked_back
from tools.schemas import streams

STREAMS = {stream.name: stream for stream in streams()}
BEYOND = lookback_of().total_seconds() + 1  # seconds: what changed before is not read again
DATES = ("updatedAt", "archivedAt", "issueUpdatedAt", "issueArchivedAt")


@pytest.fixture
def api(make_linear_api: Callable[..., LinearApi]) -> LinearApi:
    """A workspace whose clock stands still until it is moved, at a whole second: syncs end at one.

    Nothing has changed in it for so long that a second sync does not look back at it.
    """
    api = make_linear_api(issues=50, seed=1, clock=Clock("2025-06-01T00:00:00Z"))
    api.clock.set("2025-06-01T00:01:10.000Z")
    return api


@pytest.fixture
def connector(api: LinearApi, make_connector: Callable[..., Connector]) -> Connector:
    return make_connector(api)


def state(stream: str, **cursor: str) -> dict[str, Any]:
    """A state as Airbyte hands it to a sync."""
    descriptor = {"name": stream}
    return {"type": "STREAM", "stream": {"stream_descriptor": descriptor, "stream_state": cursor}}


def ids_in(output: histories.Output) -> dict[str, set[str]]:
    """The ids that a sync brought by stream, each of them once."""
    assert output.error is None
    ids: dict[str, set[str]] = defaultdict(set)
    for name, record in output.records():
        assert record["id"] not in ids[name], name
        ids[name].add(record["id"])
    return ids


def changed_since(api: LinearApi, name: str, moment: str) -> set[str]:
    """The ids of the rows of a stream that were updated or archived since then."""
    rows = records(api.workspace, STREAMS[name])
    return {row_id for row_id, row in rows.items() if any(row.get(date, "") >= moment for date in DATES)}


def shown_by(api: LinearApi, moment: str) -> set[str]:
    """The ids of the issues that show an attachment or a relation that changed since then."""
    found: set[str] = set()
    for name in ("attachments", "issue_relations"):
        rows = records(api.workspace, STREAMS[name])
        for row_id in changed_since(api, name, moment):
            found |= {rows[row_id].get(column) for column in ("issueId", "relatedIssueId")} - {None}
    return found


def test_the_next_sync_repeats_what_lies_in_the_lookback_window_and_nothing_else(api: LinearApi) -> None:
    """What is stamped a minute before the last sync's end is in it, what is a millisecond older is not."""
    end = api.clock.text
    first = looked_back(end, lookback_of())
    before = milliseconds(api.clock.now() - lookback_of() - timedelta(milliseconds=1))
    for stream in STREAMS.values():
        ids = api.workspace.ids(stream.entity, archived=False)
        if stream.kind == "child":  # of two issues
            ids = list({api.workspace.get(stream.entity, one)["issueId"]: one for one in ids}.values())
        for row_id, at in zip(ids, (first, before), strict=False):
            if stream.has_own_dates:
                api.workspace.update(stream.entity, row_id, updatedAt=at)
            if stream.kind == "child":  # an issue changes with its history
                issue = api.workspace.get(stream.entity, row_id)["issueId"]
                api.workspace.update("Issue", issue, updatedAt=at)
    in_the_window = {name: changed_since(api, name, first) for name in STREAMS}
    in_the_window["issues"] |= shown_by(api, first)
    connection = Connection.of(api, list(STREAMS))

    connection.receive(connection.sync())
    assert {name: connection.cursor(name) for name in STREAMS} == dict.fromkeys(STREAMS, end)
    api.clock.advance(5)
    second = connection.sync()
    connection.receive(second)
    assert ids_in(second) == in_the_window
    assert all(in_the_window.values())
    api.clock.advance(5)
    # Now it begins at the 55 seconds before the first one's end.
    assert ids_in(connection.sync()) == {}


def test_a_row_that_becomes_visible_after_a_sync_that_has_passed_its_stamp_is_sent_by_the_next_one(api):
    api.workspace.late = Late(shortest=29.9, longest=30.0)
    names = ["issues", "comments", "projects", "issue_labels", "agent_sessions"]
    late = {name: {api.workspace.create(STREAMS[name].entity)} for name in names}
    api.clock.advance(1)
    connection = Connection.of(api, names)
    first = connection.sync()
    connection.receive(first)
    assert not set().union(*ids_in(first).values()) & set().union(*late.values())
    api.clock.advance(40)
    second = connection.sync()
    connection.receive(second)
    assert ids_in(second) == late
    api.clock.advance(BEYOND)
    third = connection.sync()
    connection.receive(third)
    api.clock.advance(BEYOND)
    assert ids_in(connection.sync()) == {}


def test_a_sync_of_an_unchanged_workspace_costs_one_request(api):
    connection = Connection.of(api, list(STREAMS))
    connection.receive(connection.sync())
    api.clock.advance(3600)
    api.requests.clear()
    assert ids_in(connection.sync()) == {}
    assert len(STREAMS) == 50
    assert len(api.requests) == 1


def test_a_state_does_not_go_back_after_a_sync_that_only_brought_archived_rows(api):
    names = ["issues", "issue_state_spans", "comments", "projects", "issue_labels"]
    connection = Connection.of(api, names, detect_deletions="each sync")
    connection.receive(connection.sync())
    before = {name: connection.cursor(name) for name in names}
    api.clock.advance(BEYOND)
    for entity in ("Issue", "Comment", "Project", "IssueLabel"):
        api.workspace.archive(entity, api.workspace.ids(entity, archived=False)[0])
    archived = {name: changed_since(api, name, api.clock.text) for name in names}
    api.clock.advance(BEYOND)
    output = connection.sync()
    connection.receive(output)

    assert all(archived.values())
    assert ids_in(output) == archived
    assert all(record[STREAMS[name].cursor_field] < before[name] for name, record in output.records())
    assert {name: connection.cursor(name) for name in names} == dict.fromkeys(names, api.clock.text)
    api.clock.advance(BEYOND)
    assert ids_in(connection.sync()) == {}


@pytest.mark.parametrize("further_digits", ["", "000", "999"])
def test_a_state_that_airbytes_own_source_linear_wrote_is_taken_over(api, further_digits):
    names = ["issues", "projects", "users", "cycles"]
    connection = Connection.of(api, names)
    since = {}
    for name in names:
        cursors = sorted(row["updatedAt"] for row in records(api.workspace, STREAMS[name]).values())
        cursor = cursors[len(cursors) // 2]
        connection.states[name] = state(name, updatedAt=f"{cursor[:-1]}{further_digits}Z")
        since[name] = changed_since(api, name, looked_back(cursor, lookback_of()))
        if name == "issues":
            since[name] |= shown_by(api, looked_back(cursor, lookback_of()))
        assert 0 < len(since[name]) < len(cursors)
    output = connection.sync()
    connection.receive(output)
    assert ids_in(output) == since
    assert {name: connection.cursor(name) for name in names} == dict.fromkeys(names, api.clock.text)


@pytest.mark.parametrize("states", [[], [state("issues")]], ids=["no state", "an empty state"])
def test_without_a_cursor_a_stream_is_read_from_the_beginning(api, connector, states):
    output = connector.read(connector.catalog(["issues"]), states)
    assert output.exit_code == 0
    assert [line for line in output.logs if line.startswith("WARN")] == []
    assert len(output.records["issues"]) == len(api.workspace.ids("Issue"))
    assert {record["id"] for record in output.records["issues"]} == set(api.workspace.ids("Issue"))


@pytest.mark.parametrize(
    ("ahead", "is_read_from"),
    [
        (timedelta(hours=1), timedelta(days=1)),
        (timedelta(hours=23), timedelta(days=1)),
        (timedelta(days=365), timedelta(days=10_000)),
    ],
    ids=["an hour", "23 hours", "a year"],
)
def test_a_state_from_a_later_clock_reads_what_there_is_and_says_so(api, connector, ahead, is_read_from):
    recent, later = api.workspace.ids("Issue")[:2]
    api.workspace.update("Issue", recent)
    api.clock.advance(3600)
    cursor = milliseconds(api.clock.now() + ahead)
    there = changed_since(api, "issues", milliseconds(api.clock.now() - is_read_from))
    catalog = connector.catalog(["issues"])
    output = connector.read(catalog, [state("issues", updatedAt=cursor)])
    assert output.exit_code == 0
    assert {record["id"] for record in output.records["issues"]} == there
    assert recent in there
    (warning,) = (line for line in output.logs if line.startswith("WARN"))
    assert "issues" in warning and cursor in warning
    assert output.cursor("issues") == api.clock.text

    api.clock.advance(60)
    api.workspace.update("Issue", later, title="Changed before the time of that clock has come")
    api.clock.advance(2 * ahead.total_seconds())
    connection = Connection.of(api, ["issues"])
    connection.states = {"issues": output.last_states[0]}
    assert ids_in(connection.sync()) == {"issues": {later}}


@pytest.mark.parametrize(
    ("states", "kind"),
    [
        ([{"type": "LEGACY", "data": {"issues": {"updatedAt": "2025-01-01T00:00:00.000Z"}}}], "LEGACY"),
        ([{"type": "GLOBAL", "global": {"stream_states": [state("issues")["stream"]]}}], "GLOBAL"),
        ({"issues": {"updatedAt": "2025-01-01T00:00:00.000Z"}}, "--state"),
    ],
    ids=["LEGACY", "GLOBAL", "an object"],
)
def test_a_state_of_another_type_is_refused_with_a_sentence(api, connector, states, kind):
    output = connector.read(connector.catalog(["issues"]), states)
    assert output.exit_code == 1
    (error,) = output.errors
    assert error["failure_type"] == "config_error"
    assert "state" in error["message"] and kind in error["message"] and error["message"].endswith(".")
    assert len(api.requests) == 0


def warnings(output: Output) -> list[str]:
    return [line.removeprefix("WARN ") for line in output.logs if line.startswith("WARN")]


def scope(output: Output, stream: str) -> Any:
    return output.states[stream][-1]["stream"]["stream_state"].get("scope", {})


def test_a_state_remembers_beside_its_cursor_with_what_it_was_made(api, make_connector):
    names = ["issues", "users", "issue_state_spans"]
    key = api.workspace.get("Team", api.workspace.ids("Team")[0])["key"]
    options = {"archived_rows": "delete", "team_keys": [key], "start_date": "2020-01-01"}
    for config, of_issues, of_users in (
        ({}, {}, {}),
        (options, options | {"start_date": "2020-01-01T00:00:00.000Z"}, {"archived_rows": "delete"}),
    ):
        connector = make_connector(api, **config)
        output = connector.read(connector.catalog(names))
        assert output.exit_code == 0
        assert scope(output, "issues") == scope(output, "issue_state_spans") == of_issues
        assert scope(output, "users") == of_users
        for name in names:
            for one in output.states[name]:
                first, *beside = one["stream"]["stream_state"]
                assert first == STREAMS[name].cursor_field
                assert ("scope" in beside) is bool(config)
            assert output.cursor(name) == api.clock.text


@pytest.mark.parametrize(
    ("option", "value"), [("team_keys", None), ("start_date", None), ("archived_rows", "delete")]
)
def test_a_changed_option_reads_the_streams_that_it_is_about_again_with_a_warning(
    api, make_connector, option, value
):
    key = api.workspace.get("Team", api.workspace.ids("Team")[0])["key"]
    options = {"team_keys": [key], "start_date": "2025-01-01", "archived_rows": "flag"}
    before = make_connector(api, **options)
    catalog = before.catalog(["issues", "audit_entries"])
    first = before.read(catalog)
    api.clock.advance(60)

    after = make_connector(api, **{**options, option: value})
    changed = after.read(catalog, first.last_states)
    assert changed.exit_code == 0
    assert any(line.startswith(f"Stream issues: {option} was ") for line in warnings(changed))
    had = {row["id"] for row in first.records["issues"]}
    # What the destination may have been told is gone arrives with the sync's time (docs/syncs.md).
    anew = {
        row["id"]: row if row["id"] in had else row | {"updatedAt": api.clock.text}
        for row in after.read(catalog).records["issues"]
    }
    assert {row["id"]: row for row in changed.records["issues"]} == anew
    assert warnings(after.read(catalog, changed.last_states)) == []


def test_an_old_state_without_a_scope_goes_on_without_a_warning_and_gets_one(api, make_connector):
    key = api.workspace.get("Team", api.workspace.ids("Team")[0])["key"]
    connector = make_connector(api, team_keys=[key], archived_rows="delete", start_date="2024-06-01")
    old = [state("issues", updatedAt="2025-01-01T00:00:00.000Z")]
    output = connector.read(connector.catalog(["issues"]), old)
    assert output.exit_code == 0
    assert warnings(output) == []
    assert scope(output, "issues").keys() == {"team_keys", "archived_rows", "start_date"}


def test_an_interrupted_sync_remembers_what_it_was_made_with(api, make_connector):
    connector = make_connector(api, archived_rows="delete", num_workers=2)
    catalog = connector.catalog(["issues", "comments"])
    api.faults.error("GRAPHQL_VALIDATION_FAILED", root="comments", count=None)
    output = connector.read(catalog)
    assert output.exit_code == 1
    assert scope(output, "issues") == {"archived_rows": "delete"}
    api.faults.clear()
    assert warnings(connector.read(catalog, output.last_states)) == []


def test_a_full_refresh_that_is_handed_the_state_of_a_finished_one_goes_on_and_says_so(api, connector):
    names = ["issues", "users"]
    catalog = connector.catalog(names, sync_mode="full_refresh")
    first = connector.read(catalog)
    assert warnings(first) == []
    api.clock.advance(60)
    api.workspace.update("User", api.workspace.ids("User")[0])
    again = connector.read(catalog, first.last_states)
    (warning,) = warnings(again)
    assert warning.startswith("Full refresh of all streams: it continues from the state that was passed in")
    assert "omit --state" in warning
    assert {name: len(rows) for name, rows in again.records.items()} == {"users": 1}
    anew = connector.read(catalog)
    assert warnings(anew) == []
    assert len(anew.records["issues"]) == len(first.records["issues"]) > 0
