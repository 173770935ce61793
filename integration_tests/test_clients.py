"""The recipes of docs/clients.md for other clients than PyAirbyte, each against the simulator."""

import json
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from integration_tests.connector import Connector, Output
from integration_tests.expected import records
from integration_tests.figures import note
from integration_tests.linear_api import LinearApi
from integration_tests.recipes import EXECUTABLE, ROOT, environment, recipe, run, shell, with_refresh_token
from integration_tests.test_destination import change
from tools.connector import write
from tools.schemas import streams

pytestmark = [pytest.mark.clients, pytest.mark.timeout(600)]

STREAMS = {stream.name: stream for stream in streams()}
# airbyte-serverless with a state, which its destination `print` has none of.
_AGAIN = """
import json
from airbyte_serverless.connections import Connection

with open("again.json") as file:
    given = json.load(file)
Connection(given["connection"]).run(state=given["state"])
"""


@pytest.fixture
def api(make_linear_api: Callable[..., LinearApi]) -> LinearApi:
    api = make_linear_api(issues=60, seed=3)
    api.clock.advance(2)
    return api


@pytest.fixture
def config(api: LinearApi, tmp_path: Path) -> dict[str, Any]:
    """The configuration, which is in `config.json` too."""
    config = dict(Connector.of(api, tmp_path).config)
    write(tmp_path / "config.json", config)
    return config


@pytest.fixture
def checkout(tmp_path: Path, config: Mapping[str, Any]) -> Path:
    """A checkout after `make setup`, with a maintainer's configuration."""
    folder = tmp_path / "source-linear"
    ours = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "secrets")
    shutil.copytree(ROOT, folder, ignore=ours)
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "secrets").mkdir()
    write(folder / "secrets" / "config.json", config)
    write(folder / "config.json", config)
    refused = folder / "integration_tests" / "configs" / "refused.json"
    write(refused, json.loads(refused.read_text("utf-8")) | {"api_url": config["api_url"]})
    return folder


def ids(api: LinearApi, name: str) -> list[str]:
    return sorted(records(api.workspace, STREAMS[name]))


def test_dlt_merges_what_the_recipe_reads_and_keeps_new_refresh_tokens(
    api: LinearApi, tmp_path: Path
) -> None:
    python = environment("dlt") / "python"
    api.auth.replay_seconds = 0  # a retired refresh token is void at once
    write(tmp_path / "config.json", with_refresh_token(api) | {"archived_rows": "delete"})
    write(tmp_path / "linear.py", recipe("dlt", "python"))
    run(tmp_path, python, "linear.py")
    first = _compare_with_dlt(api, tmp_path)

    api.clock.advance(60)
    change(api.workspace)
    api.clock.advance(60)
    api.auth.expire_access_tokens()
    run(tmp_path, python, "linear.py")
    second = _compare_with_dlt(api, tmp_path)
    assert second < first / 2
    note(f"dlt: {first:,} rows, then {second:,}, as in the workspace")


def _compare_with_dlt(api: LinearApi, folder: Path) -> int:
    """The tables hold the rows that are not archived; returns how many the last load brought."""
    loaded = 0
    with duckdb.connect(folder / "workspace.duckdb", read_only=True) as database:
        database.execute("SET TimeZone = 'UTC'")
        for name in ("issues", "comments", "teams", "users", "workflow_states"):
            rows = records(api.workspace, STREAMS[name]).values()
            columns = "id, is_archived, strftime(updated_at, '%Y-%m-%dT%H:%M:%S.%g') || 'Z'"
            found = database.execute(f"SELECT {columns} FROM linear.{name} ORDER BY id").fetchall()
            expected = [(row["id"], False, row["updatedAt"]) for row in rows if not row["isArchived"]]
            assert found == sorted(expected), name
            newest = "(SELECT max(load_id) FROM linear._dlt_loads)"
            query = f"SELECT count(*) FROM linear.{name} WHERE _dlt_load_id = {newest}"
            loaded += database.execute(query).fetchall()[0][0]
        query = "SELECT id, title, estimate, label_ids::JSON FROM linear.issues"
        for row_id, title, estimate, label_ids in database.execute(query).fetchall():
            row = records(api.workspace, STREAMS["issues"])[row_id]
            assert (title, estimate, json.loads(label_ids)) == (
                row["title"],
                row.get("estimate"),
                row["labelIds"],
            )
    return loaded


def test_airbyte_serverless_runs_the_recipe(api: LinearApi, config: dict[str, Any], tmp_path: Path) -> None:
    programs = environment("airbyte-serverless")
    connection = yaml.safe_load(recipe("airbyte-serverless", "yaml"))
    connection["source"]["config"] = config
    (tmp_path / "connections").mkdir()
    write(tmp_path / "connections" / "linear.yaml", yaml.safe_dump(connection))
    printed = shell(tmp_path, recipe("airbyte-serverless", "bash"), programs)
    assert set(re.findall(r"SUCCESS: (.*,.*)", printed)[0].split(",")) == set(STREAMS)
    assert printed.rstrip().endswith("SUCCESS: OK")
    assert "NOT JSON" not in printed
    for name in ("issues", "teams", "users"):
        assert sorted(row["id"] for row in _loaded(printed, f"_airbyte_raw_{name}")) == ids(api, name)

    states = {
        state["stream"]["stream_descriptor"]["name"]: state for state in _loaded(printed, "_airbyte_states")
    }
    write(tmp_path / "again.json", {"connection": connection, "state": list(states.values())})
    api.clock.advance(60)
    changed = api.workspace.ids("Issue", archived=False)[0]
    api.workspace.update("Issue", changed, title="Changed")
    api.clock.advance(60)
    printed = run(tmp_path, programs / "python", "-c", _AGAIN)
    assert [row["id"] for row in _loaded(printed, "_airbyte_raw_issues")] == [changed]


def _loaded(printed: str, table: str) -> list[dict[str, Any]]:
    """What the destination `print` was given for a table."""
    found = []
    for part in re.split(r"\n -{100}\n", printed):
        head, *rows = part.splitlines() or [""]
        if head == table.upper():
            loaded = [json.loads(row) for row in rows if row.startswith('{"_airbyte_raw_id"')]
            found += [json.loads(row["_airbyte_data"]) for row in loaded]
    return found


def test_the_singer_tap_converts_every_record(api: LinearApi, config: dict[str, Any], tmp_path: Path) -> None:
    python = environment("singer", "tap.stamp") / "python"
    tap = [python, ROOT / "integration_tests" / "singer" / "tap.py", EXECUTABLE, "--config", "tap.json"]
    write(tmp_path / "tap.json", {"airbyte_config": config})
    write(tmp_path / "singer.json", run(tmp_path, *tap, "--discover"))
    printed = run(tmp_path, *tap, "--catalog", "singer.json")
    messages = [json.loads(line) for line in printed.splitlines()]
    keys = {one["stream"]: one["key_properties"] for one in messages if one["type"] == "SCHEMA"}
    assert keys == {name: ["id"] for name in STREAMS}
    rows: dict[str, dict[str, Any]] = {name: {} for name in STREAMS}
    for message in messages:
        if message["type"] == "RECORD":
            rows[message["stream"]][message["record"]["id"]] = message["record"]
    for name, stream in STREAMS.items():
        assert rows[name] == records(api.workspace, stream), name
    states = [message["value"]["airbyte_state"] for message in messages if message["type"] == "STATE"]
    assert {one["stream"]["stream_descriptor"]["name"] for one in states[-1]} == set(STREAMS)
    count = sum(len(found) for found in rows.values())
    note(f"Singer: {count:,} records of {len(rows)} streams, as in the workspace")


def test_the_meltano_recipe_passes_on_a_valid_configuration(connector: Connector) -> None:
    (extractor,) = yaml.safe_load(recipe("Meltano", "yaml"))["plugins"]["extractors"]
    assert extractor["config"]["airbyte_spec"] == {"image": "source-linear", "tag": "latest"}
    given = extractor["config"]["airbyte_config"]
    assert given["credentials"].keys() == connector.config["credentials"].keys()
    assert {pattern.removesuffix(".*") for pattern in extractor["select"]} <= STREAMS.keys()


def test_airbytes_standard_tests_pass_by_their_command(checkout: Path) -> None:
    printed = shell(checkout, recipe("airbyte-cdk connector test", "bash"))
    passed = int(re.findall(r"(\d+) passed", printed)[0])
    assert passed == 8
    assert "failed" not in printed.splitlines()[-1]


def test_the_cdks_own_runner_reads_by_the_recipe(api: LinearApi, checkout: Path) -> None:
    shell(checkout, recipe("The CDK's own runner", "bash"))
    lines = (checkout / "messages.jsonl").read_text("utf-8").splitlines()
    output = Output(0, [json.loads(line) for line in lines], "")
    assert {name: sorted(row["id"] for row in rows) for name, rows in output.records.items()} == {
        name: ids(api, name) for name in STREAMS if ids(api, name)
    }
