"""JSON whose form is not that of its column: sent as it came, with one warning a column."""

import pytest

from integration_tests.linear_api import LinearApi
from source_linear.sync.forms import warning


@pytest.fixture
def api():
    with LinearApi(issues=400, seed=3) as api:
        api.clock.advance(2)
        yield api


def warned(output):
    return [line.split("Stream ", 1)[1] for line in output.logs if "its column is declared as" in line]


def test_recorded_forms_are_not_warned_of(api, make_connector):
    connector = make_connector(api)
    output = connector.read(connector.catalog(["agent_sessions", "comments", "issues", "templates"]))
    assert {len(record["reactionData"]) for record in output.records["comments"]} > {0, 1}
    assert warned(output) == []


def test_another_form_is_warned_of_once_a_column_and_sent_as_it_came(api, make_connector):
    comments, sessions = api.workspace.ids("Comment"), api.workspace.ids("AgentSession")
    api.workspace.bulk_update("Comment", comments, reactionData={"eyes": 1})
    api.workspace.bulk_update("AgentSession", sessions, plan='[{"content": "Read"}]', context={"issue": "i1"})
    api.clock.advance(2)
    connector = make_connector(api)
    output = connector.read(connector.catalog(["agent_sessions", "comments"]))
    assert len(api.requests.to("comments")) > 3, "so that more than one page could warn"
    assert sorted(warned(output)) == sorted(
        warning(*each).split("Stream ", 1)[1]
        for each in [
            ("agent_sessions", "context", "array", "object"),
            ("agent_sessions", "plan", "array", "string"),
            ("comments", "reactionData", "array", "object"),
        ]
    )
    assert {record["id"] for record in output.records["comments"]} == set(comments)
    assert all(record["reactionData"] == {"eyes": 1} for record in output.records["comments"])
    assert all(record["plan"] == '[{"content": "Read"}]' for record in output.records["agent_sessions"])
