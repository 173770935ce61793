"""The manifest by itself: the CDK's own runner reads all streams, without SourceLinear."""

import sys
from pathlib import Path

import pytest

from integration_tests.connector import Connector
from integration_tests.expected import records
from source_linear.packaged import manifest
from tools.schemas import streams

pytestmark = pytest.mark.slow

# What Linear counts anew without moving a stamp.
COUNTED = {"teams": {"issueCount"}}


@pytest.fixture
def runner(make_linear_api, tmp_path, monkeypatch):
    """The CDK's runner with the manifest in its configuration, and the simulator that it reads."""
    monkeypatch.setenv("AIRBYTE_ENABLE_UNSAFE_CODE", "true")  # for the classes that the manifest names
    api = make_linear_api(issues=60, seed=3)
    own = Connector.of(api, tmp_path)
    config = {**own.config, "__injected_declarative_manifest": manifest()}
    command = [str(Path(sys.executable).with_name("source-declarative-manifest"))]
    return api, own.catalog(), Connector(tmp_path, config, command)


def rows_of(output, name):
    hidden = COUNTED.get(name, set())
    return {
        row["id"]: {column: value for column, value in row.items() if column not in hidden}
        for row in output.records[name]
    }


def test_the_manifest_checks_and_discovers_in_the_cdks_own_runner(runner):
    _, catalog, connector = runner
    assert connector.check().one("CONNECTION_STATUS")["connectionStatus"]["status"] == "SUCCEEDED"
    discovered = connector.discover().one("CATALOG")["catalog"]["streams"]
    assert sorted(one["name"] for one in discovered) == sorted(
        one["stream"]["name"] for one in catalog["streams"]
    )


def test_the_manifest_reads_all_streams_in_the_cdks_own_runner(runner):
    api, catalog, connector = runner
    first = connector.read(catalog)
    assert first.exit_code == 0
    for stream in streams():
        found = {row["id"]: row for row in first.records[stream.name]}
        assert found == records(api.workspace, stream), stream.name

    api.clock.advance(60)
    api.workspace.update("Issue", api.workspace.ids("Issue")[0], title="Changed")
    api.workspace.archive("Issue", api.workspace.ids("Issue", archived=False)[5])
    api.workspace.archive("Project", api.workspace.ids("Project", archived=False)[0])
    api.workspace.create("Comment", body="New")
    api.clock.advance(60)
    second = connector.read(catalog, first.last_states)
    assert second.exit_code == 0
    for stream in streams():
        hidden = COUNTED.get(stream.name, set())
        expected = {
            row: {column: value for column, value in record.items() if column not in hidden}
            for row, record in records(api.workspace, stream).items()
        }
        assert rows_of(first, stream.name) | rows_of(second, stream.name) == expected, stream.name
        assert len(second.records[stream.name]) < max(len(expected), 2), stream.name
