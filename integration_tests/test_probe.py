"""A sync that finds nothing costs next to nothing, and a fault in the change probe loses nothing."""

import sys

import pytest

from integration_tests.connector import Connector
from integration_tests.expected import records
from integration_tests.faults.forks import ForkedConnector
from integration_tests.figures import note
from integration_tests.linear_api import LinearApi
from source_linear.declared import lookback_of
from tools.schemas import ROOT, streams

STREAMS = {stream.name: stream for stream in streams()}
BEYOND = lookback_of().total_seconds() + 1  # seconds: what changed before is not read again
LARGE = {"User": 300, "IssueLabel": 400, "Cycle": 500, "Project": 300, "TeamMembership": 1000}


@pytest.fixture
def make(make_linear_api, make_connector):
    """A workspace that was read once, the connector that read it, its catalog and its states."""

    def read_once(issues, **more):
        api = make_linear_api(issues=issues, seed=3)
        for entity, number in more.items():
            while len(api.workspace.ids(entity)) < number:
                api.workspace.create(entity)
        api.clock.advance(BEYOND)
        connector = make_connector(api)
        catalog = connector.catalog()
        first = connector.read(catalog)
        assert first.exit_code == 0
        api.clock.advance(BEYOND)
        api.limits.reset()
        api.requests.clear()
        return api, connector, catalog, first

    return read_once


def bill(api):
    """Requests and points since the log was cleared."""
    return len(api.requests), sum(request.complexity or 0 for request in api.requests)


def found(output):
    return {name: {row["id"] for row in rows} for name, rows in output.records.items() if rows}


def test_a_sync_of_50_streams_that_finds_nothing_costs_two_requests(make):
    api, connector, catalog, first = make(500)
    output = connector.read(catalog, first.last_states)
    requests, points = bill(api)
    note(f"quiet sync: {requests} requests, {points} points")
    assert found(output) == {} and output.exit_code == 0
    assert requests <= 3 and points <= 5_000
    assert {output.cursor(name) for name in STREAMS} == {output.cursor("issues")}
    assert output.cursor("issues") > first.cursor("issues")
    assert any("50 of 50 streams complete, 50 without changes" in line for line in output.logs)
    assert not any("Stream issues" in line for line in output.logs)  # without news there is no word


@pytest.mark.slow
def test_without_the_probe_each_stream_asks_for_itself(make, tmp_path):
    """The side that `make bench` compares with."""
    api, connector, catalog, first = make(200)
    unprobed = [sys.executable, str(ROOT / "benchmarks" / "unprobed.py")]
    output = Connector(tmp_path, connector.config, unprobed).read(catalog, first.last_states)
    assert found(output) == {} and output.exit_code == 0
    assert bill(api)[0] >= len(STREAMS)


def test_long_lists_cost_a_request_for_each_250_rows(make):
    api, connector, catalog, first = make(200, **LARGE)
    output = connector.read(catalog, first.last_states)
    requests, points = bill(api)
    note(f"quiet sync, long lists: {requests} requests, {points} points")
    assert found(output) == {}
    assert requests <= 8 and points <= 10_000


def test_a_change_in_each_of_five_streams_costs_five_requests_more(make):
    api, connector, catalog, first = make(200)
    quiet = connector.read(catalog, first.last_states)
    before, _ = bill(api)
    api.clock.advance(BEYOND)
    workspace, changed = api.workspace, {}
    for name, entity in (("comments", "Comment"), ("projects", "Project"), ("cycles", "Cycle")):
        changed[name] = {workspace.ids(entity)[0]}
        workspace.update(entity, *changed[name])
    for name, entity in (("issue_labels", "IssueLabel"), ("users", "User")):
        changed[name] = {workspace.ids(entity, archived=False)[0]}
        workspace.archive(entity, *changed[name])
    api.clock.advance(BEYOND)
    api.requests.clear()
    output = connector.read(catalog, quiet.last_states)
    requests, points = bill(api)
    note(f"five changes: {requests} requests, {points} points")
    assert found(output) == changed
    assert requests <= before + 5


def test_an_archived_issue_is_seen(make):
    api, connector, catalog, first = make(100)
    issue = api.workspace.ids("Issue", archived=False)[0]
    api.workspace.archive("Issue", issue)
    api.clock.advance(BEYOND)
    output = connector.read(catalog, first.last_states)
    assert {row["id"]: row["isArchived"] for row in output.records["issues"]} == {issue: True}


def test_more_changes_than_are_asked_for_by_id_are_read_as_usual(make):
    api, connector, catalog, first = make(100)
    comments = api.workspace.ids("Comment")[:25]
    for comment in comments:
        api.workspace.update("Comment", comment)
    api.clock.advance(BEYOND)
    output = connector.read(catalog, first.last_states)
    assert found(output)["comments"] == set(comments)


def is_probe(request):
    return request.query.startswith("query sync") and ("newest_" in request.query or "list_" in request.query)


FAULTS = {
    "HTTP 500, once": lambda faults, **on: faults.error("INTERNAL_SERVER_ERROR", 500, **on),
    "HTTP 500, always": lambda faults, **on: faults.error(
        "INTERNAL_SERVER_ERROR", 500, **{**on, "count": None}
    ),
    "too complex": lambda faults, **on: faults.too_complex(**{**on, "count": 3}),
    "a refusal that names no root": lambda faults, **on: faults.error("FORBIDDEN", 403, **{**on, "count": 2}),
    "cut": lambda faults, **on: faults.cut(**{**on, "count": None}),
    "no nodes": lambda faults, **on: faults.null_nodes(**{**on, "root": "teams", "count": None}),
    "a null node": lambda faults, **on: faults.null_node(**{**on, "root": "teams", "count": None}),
    "a missing root": lambda faults, **on: faults.missing_root(**{**on, "root": "teams", "count": None}),
}


FAST = ("HTTP 500, once", "a refusal that names no root", "cut", "a missing root")


@pytest.mark.parametrize(
    "name", [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in FAULTS]
)
def test_a_fault_in_the_probe_loses_nothing_and_brings_nothing_twice(tmp_path, forks, name):
    watched = ["issues", "comments", "projects", "teams", "agent_sessions", "issue_history", "templates"]
    with LinearApi(issues=20, seed=5) as api:
        api.clock.advance(BEYOND)
        connector = ForkedConnector.of(api, tmp_path)
        connector.forks = forks
        catalog = connector.catalog(watched)
        first = connector.read(catalog)
        api.clock.advance(120)
        for entity in ("Issue", "Comment", "Project", "Team", "AgentSession"):
            api.workspace.update(entity, api.workspace.ids(entity)[0])
        api.clock.advance(BEYOND)
        fault = FAULTS[name](api.faults, where=is_probe)
        second = connector.read(catalog, first.last_states)
        assert fault.fired > 0
        api.faults.clear()
        third = connector.read(catalog, second.last_states)
        for stream in watched:
            rows = {row["id"]: row for out in (first, second, third) for row in out.records[stream]}
            assert rows == records(api.workspace, STREAMS[stream]), stream
            assert len(second.records[stream]) == len({row["id"] for row in second.records[stream]})
        assert {stream: len(third.records[stream]) for stream in watched} == dict.fromkeys(watched, 0)
