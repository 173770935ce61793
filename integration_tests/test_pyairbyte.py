"""PyAirbyte syncs the workspace into DuckDB and PostgreSQL, runs the docs' example, and reads a few rows."""

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
SCRIPTS = ROOT / "integration_tests" / "pyairbyte"
EXECUTABLE = Path(sys.executable).with_name("source-linear")
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
def run(python: Path, tmp_path: Path) -> Callable[..., str]:
    """Runs a script where PyAirbyte is, which must succeed without a traceback; returns what it prints."""

    def run(script: Path, *arguments: Any, **variables: str) -> str:
        done = subprocess.run(
            [python, script, *arguments],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, **OFFLINE, **variables},
            timeout=600,
        )
        said = done.stdout + done.stderr
        assert done.returncode == 0, said[-6000:]
        assert "Traceback" not in said, said[said.index("Traceback") :]
        return done.stdout

    return run


@pytest.fixture
def config(api: LinearApi, tmp_path: Path) -> Path:
    """The connector's configuration as a file."""
    credentials = {"auth_type": "API Key", "api_key": api.api_key}
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"credentials": credentials, "api_url": api.url}), "utf-8")
    return config


@pytest.fixture
def sync(run: Callable[..., str], config: Path) -> Callable[..., int]:
    """Syncs streams into a cache (a file or a port); returns how many records were written."""

    def sync(cache: str, names: Iterable[str]) -> int:
        return int(run(SCRIPTS / "sync.py", EXECUTABLE, config, cache, *names).split()[-1])

    return sync


def example(api_url: str) -> str:
    """The example of the docs, reading another API."""
    section = (ROOT / "docs" / "linear.md").read_text("utf-8").split("### From PyAirbyte\n")[1]
    code = section.split("```python\n")[1].split("```\n")[0]
    assert code.count("config={") == 1
    return code.replace("config={", f'config={{"api_url": "{api_url}", ')


def test_the_example_of_the_docs_runs_twice_without_a_traceback(
    api: LinearApi, run: Callable[..., str], tmp_path: Path
) -> None:
    script = tmp_path / "example.py"
    counted = "\nprint(len(issues), len(open_issues), result.processed_records)\n"
    script.write_text(example(api.url) + counted, "utf-8")
    path = os.pathsep.join([str(EXECUTABLE.parent), os.environ["PATH"]])

    def counts() -> list[int]:
        printed = run(script, LINEAR_API_KEY=api.api_key, PATH=path)
        return [int(number) for number in printed.split()[-3:]]

    rows = records(api.workspace, STREAMS["issues"]).values()
    unfinished = [row for row in rows if not (row.get("completedAt") or row.get("canceledAt"))]
    wanted = [len(rows), sum(not row["isArchived"] for row in unfinished)]
    *first, read = counts()
    assert first == wanted
    *second, read_again = counts()
    assert second == wanted
    assert read_again < read / 2


def test_reads_that_end_after_a_few_rows_print_no_traceback(
    api: LinearApi, run: Callable[..., str], config: Path
) -> None:
    names = ["issues", "comments", "users"]
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
