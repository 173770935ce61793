"""Every stream is read completely and exactly."""

import json

import jsonschema
import pytest

from integration_tests.connector import Output
from integration_tests.expected import records
from integration_tests.faults.forks import ForkedConnector
from integration_tests.linear_api import PURGED, LinearApi
from tools.schemas import streams

STREAMS = {stream.name: stream for stream in streams()}
LONG_LISTS = {
    "issues": [("Issue", "subscribers"), ("Issue", "attachments"), ("Issue", "relations")],
    "projects": [("Project", "members"), ("Project", "teams")],
    "cycles": [("Cycle", "uncompletedIssuesUponClose")],
    "documents": [("Document", "subscribers")],
    "users": [("User", "teams")],
    "release_pipelines": [("ReleasePipeline", "teams")],
    "issue_history": [("Issue", "history")],
    "issue_state_spans": [("Issue", "stateHistory")],
    "project_history": [("Project", "history")],
    "initiative_history": [("Initiative", "history")],
    "entity_external_links": [
        ("Project", "externalLinks"),
        ("Initiative", "links"),
        ("Cycle", "links"),
        ("Release", "links"),
    ],
}


@pytest.fixture(scope="module")
def workspace_with_long_lists(tmp_path_factory, patient_forks):
    """A workspace with nested lists of every awkward length, and one full read of it."""
    with LinearApi(issues=400, seed=3, purged=PURGED) as api:
        for lists in LONG_LISTS.values():
            for type_name, name in lists:
                ids = api.workspace.ids(type_name)
                for row_id, size in zip(ids, (0, 1, 49, 50, 51, 251), strict=False):
                    api.workspace.set_list(type_name, row_id, name, size)
        api.clock.advance(2)
        connector = ForkedConnector.of(api, tmp_path_factory.mktemp("read"))
        connector.forks, connector.options = patient_forks, ()
        yield api, connector, connector.read(connector.catalog())


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_is_read_completely_and_exactly(workspace_with_long_lists, name):
    api, _, output = workspace_with_long_lists
    expected = records(api.workspace, STREAMS[name])
    read = output.records[name]
    assert expected
    assert len(read) == len(expected)
    by_id = {record["id"]: record for record in read}
    assert by_id.keys() == expected.keys()
    for row_id, record in expected.items():
        assert by_id[row_id] == record


@pytest.mark.parametrize("name", LONG_LISTS)
def test_lists_of_every_awkward_length_were_there_to_be_read(workspace_with_long_lists, name):
    api, _, _ = workspace_with_long_lists
    for type_name, field in LONG_LISTS[name]:
        lengths = {
            len(api.workspace.list_ids(type_name, row_id, field)) for row_id in api.workspace.ids(type_name)
        }
        assert max(lengths) == 251 or len(api.workspace.ids(type_name)) < 6


@pytest.mark.parametrize("name", STREAMS)
def test_records_are_valid_by_the_discovered_schema_and_have_no_further_column(
    workspace_with_long_lists, name
):
    _, connector, output = workspace_with_long_lists
    catalog = json.loads((connector.directory / "catalog.json").read_text("utf-8"))
    schema = next(
        item["stream"]["json_schema"] for item in catalog["streams"] if item["stream"]["name"] == name
    )
    closed = jsonschema.Draft7Validator(
        {**schema, "additionalProperties": False}, format_checker=jsonschema.FormatChecker()
    )
    for record in output.records[name]:
        closed.validate(record)


def test_every_stream_is_complete_and_leaves_a_state(workspace_with_long_lists):
    _, _, output = workspace_with_long_lists
    assert output.exit_code == 0
    assert output.errors == []
    assert output.statuses == {name: ["STARTED", "RUNNING", "COMPLETE"] for name in STREAMS}
    assert set(output.states) == set(STREAMS)


def test_a_full_refresh_brings_the_same(workspace_with_long_lists):
    api, connector, _ = workspace_with_long_lists
    output: Output = connector.read(connector.catalog(sync_mode="full_refresh"))
    assert output.exit_code == 0
    for name, stream in STREAMS.items():
        expected = records(api.workspace, stream)
        assert {record["id"]: record for record in output.records[name]} == expected
        assert len(output.records[name]) == len(expected)


def test_every_stream_is_discovered_with_key_cursor_and_both_sync_modes(connector):
    catalog = connector.discover().one("CATALOG")["catalog"]["streams"]
    assert [stream["name"] for stream in catalog] == list(STREAMS)
    for stream in catalog:
        assert stream["source_defined_primary_key"] == [["id"]]
        assert stream["default_cursor_field"] == [STREAMS[stream["name"]].cursor_field]
        assert stream["source_defined_cursor"] is True
        assert sorted(stream["supported_sync_modes"]) == ["full_refresh", "incremental"]
        assert stream["is_resumable"] is True


def test_columns_that_are_not_selected_are_neither_queried_nor_emitted(linear_api, connector):
    linear_api.clock.advance(2)
    catalog = connector.catalog(["issues"], columns={"issues": ["id", "title", "assigneeId"]})
    output = connector.read(catalog)
    assert output.exit_code == 0
    columns = set().union(*output.records["issues"])
    assert columns == {"id", "title", "assigneeId", "updatedAt", "isArchived"}
    (query,) = {one.query for one in linear_api.requests.to("issues") if one.query.startswith("query issues")}
    assert "nodes { id createdAt updatedAt archivedAt title trashed assignee { id } }" in query
