"""What an odd answer costs: a row that cannot be read one row, a field that is gone one column."""

import math
from datetime import UTC, datetime

import pytest

from integration_tests.expected import records
from integration_tests.faults.forks import PAGE_SIZE, ForkedConnector, Forks
from integration_tests.linear_api import LinearApi
from source_linear.config import milliseconds
from source_linear.state import StreamState
from tools.schemas import streams

STREAMS = {stream.name: stream for stream in streams()}
# A stream of each kind, and the entity of which one row fails.
KINDS = {
    "comments": "Comment",  # windowed
    "projects": "Project",  # swept
    "agent_sessions": "AgentSession",  # feed
    "issue_history": "Issue",  # child
    "project_history": "Project",  # swept, with parents
}


@pytest.fixture
def api():
    with LinearApi(issues=30, seed=5) as api:
        for entity in ("Project", "AgentSession"):
            while len(api.workspace.ids(entity)) < 8:
                api.workspace.create(entity)
        api.clock.advance(2)
        yield api


@pytest.fixture
def connector(api, tmp_path, forks):
    connector = ForkedConnector.of(api, tmp_path)
    connector.forks = forks
    return connector


def by_id(rows):
    return {row["id"]: row for row in rows}


def warnings(output):
    return [line for line in output.logs if line.startswith("WARN")]


def again(output, name):
    (state,) = (one for one in output.last_states if one["stream"]["stream_descriptor"]["name"] == name)
    return list(StreamState.decoded(state["stream"]["stream_state"], STREAMS[name].cursor_field).pending)


def rows_of(api, name, entity, one):
    """The ids of a stream's rows that one row of an entity brings: itself, or what hangs on it."""
    stream = STREAMS[name]
    expected = records(api.workspace, stream)
    if not stream.parents:
        return {one}
    return {row for row, record in expected.items() if record[f"{entity[0].lower()}{entity[1:]}Id"] == one}


@pytest.mark.parametrize(
    "how",
    ["error", pytest.param("5xx", marks=pytest.mark.slow), pytest.param("hang", marks=pytest.mark.slow)],
)
@pytest.mark.parametrize("name", KINDS)
def test_a_row_that_cannot_be_read_costs_that_row_until_it_can(api, connector, name, how):
    catalog = connector.catalog([name])
    ids = api.workspace.ids(KINDS[name])
    bad = max(ids, key=lambda one: len(rows_of(api, name, KINDS[name], one)))
    missing = rows_of(api, name, KINDS[name], bad)
    assert missing
    fault = api.faults.row(bad, how=how)
    expected = records(api.workspace, STREAMS[name])

    first = connector.read(catalog)
    assert first.exit_code == 0 and first.statuses[name][-1] == "COMPLETE"
    assert by_id(first.records[name]) == {row: one for row, one in expected.items() if row not in missing}
    assert [line for line in warnings(first) if bad in line and "The next sync asks for it again" in line]
    assert again(first, name) == [bad]

    still = connector.read(catalog, first.last_states)
    assert still.exit_code == 0 and again(still, name) == [bad]

    api.faults.remove(fault)
    healed = connector.read(catalog, still.last_states)
    assert by_id(healed.records[name]).keys() >= missing
    everything = by_id(first.records[name]) | by_id(still.records[name]) | by_id(healed.records[name])
    assert everything == expected
    assert again(healed, name) == []


def test_a_row_that_was_deleted_meanwhile_is_asked_for_once_more_only(api, connector):
    catalog = connector.catalog(["comments"])
    bad = api.workspace.ids("Comment")[4]
    fault = api.faults.row(bad)
    first = connector.read(catalog)
    api.faults.remove(fault)
    api.workspace.purge("Comment", bad)
    second = connector.read(catalog, first.last_states)
    assert second.exit_code == 0 and again(second, "comments") == []


def test_a_row_in_a_page_of_250_costs_few_requests(make_linear_api, tmp_path):
    api = make_linear_api(issues=5, seed=2)
    while len(api.workspace.ids("WorkflowState")) < 250:
        api.workspace.create("WorkflowState")
    api.clock.advance(2)
    with Forks(page_size=250) as forks:
        connector = ForkedConnector.of(api, tmp_path)
        connector.forks = forks
        _a_row_costs_few_requests(api, connector)


def _a_row_costs_few_requests(api, connector):
    catalog = connector.catalog(["workflow_states"])
    connector.read(catalog)
    bad = api.workspace.ids("WorkflowState")[123]
    for how, most in (("error", 8), ("5xx", 5 * 2 * math.log2(250))):
        api.faults.row(bad, how=how)
        api.requests.clear()
        output = connector.read(catalog)
        assert len(output.records["workflow_states"]) == len(api.workspace.ids("WorkflowState")) - 1
        # Without the walk of the list, which asks for no more than each row's dates.
        asked = [one for one in api.requests.to("workflowStates") if not one.query.startswith("query sync")]
        assert 0 < len(asked) <= most, how
        api.faults.clear()


def test_many_rows_that_cannot_be_read_cost_themselves_and_few_lines_of_log(api, connector):
    while len(api.workspace.ids("Comment")) < 140:
        api.workspace.create("Comment")
    api.clock.advance(2)
    catalog = connector.catalog(["comments"])
    bad = api.workspace.ids("Comment")[:120]
    api.faults.row(bad)
    output = connector.read(catalog)
    assert output.exit_code == 0
    assert by_id(output.records["comments"]).keys() == set(api.workspace.ids("Comment")) - set(bad)
    assert set(again(output, "comments")) == set(bad)
    assert len(warnings(output)) < 30


def test_a_page_that_is_too_much_for_linear_is_asked_for_in_parts(api, connector):
    catalog = connector.catalog(["comments"])
    api.faults.larger_than(PAGE_SIZE - 1, root="comments")
    output = connector.read(catalog)
    assert output.exit_code == 0 and again(output, "comments") == []
    assert by_id(output.records["comments"]) == records(api.workspace, STREAMS["comments"])


@pytest.mark.parametrize(
    ("name", "removed", "columns"),
    [
        ("comments", "Comment.quotedText", {"quotedText"}),
        ("comments", "Comment.user", {"userId"}),
        ("comments", "Comment.botActor", {"botActor"}),
        ("projects", "Project.members", {"memberIds"}),
        ("issue_history", "IssueHistory.toTitle", {"toTitle"}),
        ("organization", "Organization.logoUrl", {"logoUrl"}),
    ],
)
def test_what_linear_no_longer_has_costs_one_column(api, connector, name, removed, columns):
    assert columns <= set(STREAMS[name].column_names)
    catalog = connector.catalog([name])
    expected = records(api.workspace, STREAMS[name])
    api.remove(removed)
    output = connector.read(catalog)
    assert output.exit_code == 0
    hidden = {*columns, *(copy for copy, of in STREAMS[name].copies.items() if of in columns)}
    assert by_id(output.records[name]) == {
        row: {column: value for column, value in one.items() if column not in hidden}
        for row, one in expected.items()
    }
    (warning,) = [line for line in warnings(output) if "no longer has" in line]
    assert f"Stream {name}: " in warning and "A newer version of source-linear is due." in warning


def test_several_fields_that_are_gone_are_left_out_together(api, connector):
    catalog = connector.catalog(["comments"])
    api.remove("Comment.quotedText", "Comment.url", "ActorBot.avatarUrl")
    output = connector.read(catalog)
    assert output.exit_code == 0
    assert len(output.records["comments"]) == len(api.workspace.ids("Comment"))
    assert not any("quotedText" in row or "url" in row for row in output.records["comments"])


@pytest.mark.parametrize("removed", ["Comment.updatedAt", "Query.comments", "Query.comments(filter:)"])
def test_what_a_stream_cannot_do_without_fails_it(api, connector, removed):
    catalog = connector.catalog(["comments", "users"])
    api.remove(removed)
    output = connector.read(catalog)
    assert output.statuses["comments"][-1] == "INCOMPLETE" and output.statuses["users"][-1] == "COMPLETE"
    assert output.errors[0]["failure_type"] == "system_error"


def test_one_root_of_several_that_is_refused_costs_that_root(api, connector):
    catalog = connector.catalog(["entity_external_links"])
    expected = records(api.workspace, STREAMS["entity_external_links"])
    api.faults.not_enabled("Releases", root="releases")
    output = connector.read(catalog)
    assert output.exit_code == 0
    found = by_id(output.records["entity_external_links"])
    assert found == {row: one for row, one in expected.items() if not one.get("releaseId")}
    assert 0 < len(found) < len(expected)
    (warning,) = warnings(output)
    assert "Linear refuses releases" in warning and "Upgrade the plan" in warning


@pytest.mark.parametrize("fault", ["no_cursor", "same_cursor"])
def test_a_list_inside_a_row_needs_no_cursor_of_linears_to_be_read_to_its_end(api, connector, fault):
    issue = api.workspace.ids("Issue")[0]
    api.workspace.set_list("Issue", issue, "subscribers", 300)
    api.clock.advance(2)
    catalog = connector.catalog(["issues"])
    getattr(api.faults, fault)(root="issues", field="subscribers", count=None)
    output = connector.read(catalog)
    assert by_id(output.records["issues"]) == records(api.workspace, STREAMS["issues"])


def test_odd_text_arrives(api, connector):
    catalog = connector.catalog(["comments"])
    texts = ["cut \ud83d", "\x00nul", "line\u2028separator", "long " * 600_000]
    for row, text in zip(api.workspace.ids("Comment"), texts, strict=False):
        api.workspace.update("Comment", row, body=text)
    api.clock.advance(2)
    found = by_id(connector.read(catalog).records["comments"])
    wanted = ["cut \N{REPLACEMENT CHARACTER}", *texts[1:]]
    assert [found[row]["body"] for row in api.workspace.ids("Comment")[:4]] == wanted


@pytest.mark.parametrize("date", [None, "tomorrow, perhaps", 3 * 86_400])
def test_a_sync_never_ends_later_than_linears_clock(api, connector, date):
    """A wrong date is a proxy's: the clock of this machine is right."""
    api.clock.set(datetime.now(UTC))
    catalog = connector.catalog(["issues", "users"])
    api.faults.date(date, count=None)
    first = connector.read(catalog)
    assert first.exit_code == 0
    assert any("Check the clock of this machine" in line for line in warnings(first))
    assert all(first.cursor(name) <= milliseconds(datetime.now(UTC)) for name in ("issues", "users"))
    changed = api.workspace.ids("Issue")[0]
    api.clock.set(datetime.now(UTC))
    api.workspace.update("Issue", changed, title="Later")
    assert changed in by_id(connector.read(catalog, first.last_states).records["issues"])


def test_every_request_says_who_asks(api, connector):
    connector.check()
    connector.read(connector.catalog(["issues", "users"]))
    assert len(api.requests) > 2
    assert all(agent.startswith("source-linear/") for agent in api.requests.user_agents)
