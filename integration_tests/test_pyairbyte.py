"""PyAirbyte syncs the workspace into DuckDB and PostgreSQL, and twice brings what is there."""

import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pytest

from integration_tests.expected import records
from integration_tests.figures import note
from integration_tests.linear_api import LinearApi
from integration_tests.linear_api.workspace import COUNTS
from integration_tests.postgres import Postgres
from integration_tests.test_destination import change
from tools.schemas import streams

pytestmark = [pytest.mark.clients, pytest.mark.timeout(900)]

ROOT = Path(__file__).resolve().parent.parent
PYTHON = ROOT / ".cache" / "pyairbyte" / "bin" / "python"  # `make pyairbyte` makes it
STREAMS = {stream.name: stream for stream in streams()}
OFFLINE = {"AIRBYTE_OFFLINE_MODE": "1", "DO_NOT_TRACK": "1"}


class Database(Protocol):
    def execute(self, query: Any) -> Any: ...


@pytest.fixture(scope="module")
def python() -> Path:
    """The Python of PyAirbyte's environment."""
    if not PYTHON.exists():
        note("SKIPPED: PyAirbyte is not installed (make pyairbyte; it needs Python 3.11 or 3.12)")
        warnings.warn("PyAirbyte is not installed: make pyairbyte", stacklevel=1)
        pytest.skip("PyAirbyte is not installed: make pyairbyte")
    return PYTHON


@pytest.fixture
def api(make_linear_api: Callable[..., LinearApi]) -> LinearApi:
    api = make_linear_api(issues=100, seed=6)
    api.clock.advance(2)
    return api


@pytest.fixture
def sync(python: Path, api: LinearApi, tmp_path: Path) -> Callable[..., int]:
    """Syncs streams into a cache (a file or a port); returns how many records were written."""
    credentials = {"auth_type": "API Key", "api_key": api.api_key}
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"credentials": credentials, "api_url": api.url}), "utf-8")
    executable = Path(sys.executable).with_name("source-linear")

    def run(cache: str, names: Iterable[str]) -> int:
        script = ROOT / "integration_tests" / "pyairbyte" / "sync.py"
        done = subprocess.run(
            [python, script, executable, config, cache, *names],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, **OFFLINE},
            timeout=600,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
        return int(done.stdout.split()[-1])

    return run


def test_duckdb_holds_the_workspace_after_two_syncs(
    api: LinearApi, sync: Callable[..., int], tmp_path: Path
) -> None:
    cache = tmp_path / "cache.duckdb"

    def compare(names: Iterable[str]) -> int:
        with duckdb.connect(cache, read_only=True) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            return assert_mirrored(api, connection, "main", names)

    _sync_twice("DuckDB", api, lambda names: sync(str(cache), names), compare, list(STREAMS))


def test_postgresql_holds_the_workspace_after_two_syncs(
    api: LinearApi, sync: Callable[..., int], postgres: Postgres
) -> None:
    database = postgres.create("pyairbyte")

    def compare(names: Iterable[str]) -> int:
        with postgres.connect(database) as connection:
            return assert_mirrored(api, connection, "linear", names)

    _sync_twice("PostgreSQL", api, lambda names: sync(str(postgres.port), names), compare, list(STREAMS))


def _sync_twice(
    database: str,
    api: LinearApi,
    sync: Callable[[Iterable[str]], int],
    compare: Callable[[Iterable[str]], int],
    names: list[str],
) -> None:
    first = sync(names)
    assert compare(names) == first
    api.clock.advance(60)
    change(api.workspace)
    api.clock.advance(60)
    second = sync(names)
    assert second < first / 2
    rows = compare(names)
    note(
        f"PyAirbyte: {len(names)} of {len(STREAMS)} streams into {database}, {first:,} records, "
        f"then {second:,}: {rows:,} rows as in the workspace"
    )


def assert_mirrored(api: LinearApi, database: Database, schema: str, names: Iterable[str]) -> int:
    """Every table holds its stream's rows, exactly; returns how many there are."""
    count = 0
    for name in names:
        stream = STREAMS[name]
        counters = {field for entity, field in COUNTS if entity == stream.entity}
        found = database.execute(f'SELECT * FROM {schema}."{name}"')
        columns = [column[0] for column in found.description]
        stored = {
            row["id"]: row for row in (dict(zip(columns, values, strict=True)) for values in found.fetchall())
        }
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
