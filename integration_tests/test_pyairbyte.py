"""PyAirbyte runs the recipes, syncs the workspace into DuckDB and PostgreSQL, and reads a few rows."""

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pytest

from integration_tests.connector import Connector
from integration_tests.expected import records
from integration_tests.figures import note
from integration_tests.linear_api import LinearApi
from integration_tests.linear_api.workspace import COUNTS
from integration_tests.postgres import Postgres
from integration_tests.recipes import EXECUTABLE, ROOT, environment, recipe, with_refresh_token
from integration_tests.recipes import run as run_in
from integration_tests.test_destination import change, purge
from source_linear.streams import GONE_AT
from tools.connector import write
from tools.schemas import streams

pytestmark = [pytest.mark.clients, pytest.mark.timeout(900)]

SCRIPTS = ROOT / "integration_tests" / "pyairbyte"
STREAMS = {stream.name: stream for stream in streams()}


class Database(Protocol):
    def execute(self, query: Any) -> Any: ...


@pytest.fixture
def api(make_linear_api: Callable[..., LinearApi]) -> LinearApi:
    api = make_linear_api(issues=100, seed=6)
    api.clock.advance(2)
    return api


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., str]:
    """Runs a script where PyAirbyte is, which must succeed without a traceback; returns what it prints."""
    python = environment("pyairbyte") / "python"

    def run(script: Path | str, *arguments: Any, **variables: str) -> str:
        return run_in(tmp_path, python, script, *arguments, **variables)

    return run


@pytest.fixture(autouse=True)
def config(api: LinearApi, tmp_path: Path) -> Path:
    """The connector's configuration as a file."""
    config = Connector.of(api, tmp_path, detect_deletions="each sync").config
    return Path(write(tmp_path / "config.json", config))


@pytest.mark.parametrize("auth_type", ["API Key", "OAuth2.0"])
def test_the_recipe_runs_twice_without_a_traceback(
    api: LinearApi, run: Callable[..., str], tmp_path: Path, config: Path, auth_type: str
) -> None:
    if auth_type == "OAuth2.0":
        api.auth.replay_seconds = 0  # a retired refresh token is void at once
        write(config, with_refresh_token(api))
    script = write(tmp_path / "recipe.py", recipe("PyAirbyte", "python"))

    def counts() -> list[int]:
        return [int(word) for word in run(script).splitlines()[-1].split() if word.isdecimal()]

    rows = records(api.workspace, STREAMS["issues"]).values()
    unfinished = [row for row in rows if not (row.get("completedAt") or row.get("canceledAt"))]
    wanted = [len(rows), sum(not row["isArchived"] for row in unfinished)]

    def kept() -> str | None:
        token: str | None = json.loads(config.read_text("utf-8"))["credentials"].get("refresh_token")
        return token

    given = kept()
    *first, read = counts()
    assert first == wanted
    renewed = kept()
    api.auth.expire_access_tokens()
    *second, read_again = counts()
    assert second == wanted
    assert read_again < read / 2
    if auth_type == "OAuth2.0":
        assert len({given, renewed, kept()}) == 3
        assert kept() == api.auth.refresh_token


def test_reads_that_end_after_a_few_rows_print_no_traceback(
    api: LinearApi, run: Callable[..., str], config: Path
) -> None:
    names = ["issues"]
    printed = run(SCRIPTS / "samples.py", EXECUTABLE, config, *names)
    samples = [json.loads(line) for line in printed.splitlines() if line.startswith('{"stream"')]
    assert [sample["stream"] for sample in samples] == names
    for sample in samples:
        ids = records(api.workspace, STREAMS[sample["stream"]]).keys()
        few, rows = min(3, len(ids)), sample["rows"]
        assert {call: len(found) for call, found in rows.items()} == {
            "get_samples": few,
            "get_records": few,
            "the first of all": 1,
        }
        assert ids >= {row_id for found in rows.values() for row_id in found}


def test_duckdb_holds_the_workspace_after_two_syncs(
    api: LinearApi, run: Callable[..., str], config: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache.duckdb"

    def sync() -> int:
        return int(run(SCRIPTS / "sync.py", EXECUTABLE, config, cache).split()[-1])

    def compare() -> int:
        with duckdb.connect(cache, read_only=True) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            return assert_mirrored(api, connection, "main", STREAMS)

    _sync_twice("DuckDB", api, sync, compare)


def test_postgresql_holds_the_workspace_after_two_runs_of_the_recipe(
    api: LinearApi, run: Callable[..., str], tmp_path: Path, postgres: Postgres
) -> None:
    script = write(tmp_path / "recipe.py", recipe("PyAirbyte", "python", 1))
    database = postgres.create("pyairbyte")
    variables = {
        "PGHOST": postgres.host,
        "PGPORT": str(postgres.port),
        "PGUSER": postgres.user,
        "PGPASSWORD": "any",
        "PGDATABASE": database,
    }

    def sync() -> int:
        return int(run(script, **variables).splitlines()[-1].split()[0])

    def compare() -> int:
        with postgres.connect(database) as connection:
            return assert_mirrored(api, connection, "linear", STREAMS)

    _sync_twice("PostgreSQL", api, sync, compare)


def _sync_twice(database: str, api: LinearApi, sync: Callable[[], int], compare: Callable[[], int]) -> None:
    first = sync()
    assert compare() == first
    api.clock.advance(60)
    change(api.workspace)
    api.clock.advance(60)
    second = sync()
    assert second < first / 2
    rows = compare()
    api.clock.advance(60)
    purge(api.workspace)
    api.clock.advance(60)
    sync()
    assert compare() < rows
    note(
        f"PyAirbyte: {len(STREAMS)} streams into {database}, {first:,} records, "
        f"then {second:,}: {rows:,} rows as in the workspace"
    )


def assert_mirrored(api: LinearApi, database: Database, schema: str, names: Iterable[str]) -> int:
    """Every table holds its stream's rows, exactly, and marks what is gone; returns how many there are."""
    count = 0
    for name in names:
        stream = STREAMS[name]
        counters = {field for entity, field in COUNTS if entity == stream.entity}
        found = database.execute(f'SELECT * FROM {schema}."{name}"')
        columns = [column[0] for column in found.description]
        stored = {
            row["id"]: row for row in (dict(zip(columns, values, strict=True)) for values in found.fetchall())
        }
        if stream.reports_deleted:
            stored = {row_id: row for row_id, row in stored.items() if row[GONE_AT.lower()] is None}
        expected = records(api.workspace, stream)
        assert stored.keys() == expected.keys(), name
        assert {column.lower() for column in stream.column_names} <= set(columns), name
        for row_id, record in expected.items():
            for column in set(stream.column_names) - counters:
                value = _plain(stored[row_id][column.lower()], record.get(column))
                assert value == record.get(column), f"{name} {row_id} {column}"
        count += len(stored)
    return count


def _plain(value: Any, like: Any) -> Any:
    """A database's value as the connector sends it."""
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, Decimal):  # PyAirbyte keeps nine places
        return like if round(Decimal(like), 9) == value else float(value)
    if isinstance(value, str) and not isinstance(like, str):
        return json.loads(value)
    return value.isoformat() if hasattr(value, "isoformat") else value
