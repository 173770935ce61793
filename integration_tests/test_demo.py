"""`make demo`, for real: the tables are the workspace, and the second run reads what changed."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from integration_tests.expected import records
from integration_tests.linear_api import Clock, LinearApi, Workspace
from integration_tests.processes import namespace
from tools.demo.simulator import DemoSimulator, next_round
from tools.schemas import ROOT, streams

ISSUES = 60
ENTITIES = {stream.name: stream for stream in streams()}

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Run:
    """One run of the demo: what it printed, and the tables and the workspace after it."""

    code: int
    output: str
    tables: dict[str, list[dict[str, Any]]]
    workspace: Workspace
    rounds: list[dict[str, Any]]

    @property
    def read(self) -> int:
        """How many rows it said that it read."""
        found = re.search(r"This run read ([\d,]+) rows with \d+ requests", self.output)
        assert found, self.output
        return int(found[1].replace(",", ""))

    def row(self, table: str, row_id: str) -> dict[str, Any]:
        """The row with an id."""
        return next(row for row in self.tables[table] if row["id"] == row_id)


def command(directory: Path, *options: str) -> list[str]:
    demo = [sys.executable, "-m", "tools.demo", "--no-report", "--directory", str(directory)]
    return [*demo, "--issues", str(ISSUES), *options]


def environment(**variables: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "LINEAR_API_KEY"} | variables


def run(directory: Path) -> Run:
    done = subprocess.run(
        command(directory), cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=200
    )
    assert done.stderr == ""
    tables = {}
    with duckdb.connect(directory / "linear.duckdb", read_only=True) as database:
        for name in ENTITIES:
            cursor = database.execute(f'SELECT * FROM "{name}"')
            columns = [column[0] for column in cursor.description or ()]
            tables[name] = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    memory = json.loads((directory / "workspace.json").read_text())
    return Run(done.returncode, done.stdout, tables, workspace_after(memory), memory["rounds"])


def workspace_after(memory: dict[str, Any]) -> Workspace:
    """The workspace of the simulator as it was when the run read it."""
    api = LinearApi(issues=memory["issues"], seed=1, clock=Clock(memory["moment"]))
    for changes in memory["rounds"]:
        api.clock.set(changes["at"])
        for order in changes["orders"]:
            answer = api.control(json.dumps(order).encode())
            assert answer.status == 200, answer.body
    return api.workspace


def archived_flags(rows: list[dict[str, Any]]) -> dict[str, bool]:
    return {row["id"]: row["isArchived"] for row in rows}


def expected_flags(workspace: Workspace, table: str) -> dict[str, bool]:
    return archived_flags(list(records(workspace, ENTITIES[table]).values()))


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "of mine"


@pytest.fixture(scope="module")
def first(directory: Path) -> Run:
    return run(directory)


@pytest.fixture(scope="module")
def second(first: Run, directory: Path) -> Run:
    return run(directory)


def test_the_first_run_succeeds_and_answers_its_questions(first: Run) -> None:
    assert first.code == 0, first.output
    assert "\x1b" not in first.output
    assert "What is open, by team and kind of state?" in first.output
    assert "JOIN workflow_states AS states ON states.id = issues.stateId" in first.output
    assert "Nothing." not in first.output
    assert "linear.duckdb" in first.output


def test_every_table_is_the_workspace(first: Run) -> None:
    for table, rows in first.tables.items():
        assert archived_flags(rows) == expected_flags(first.workspace, table), table
    assert len(first.tables["issues"]) == ISSUES
    assert first.read == sum(map(len, first.tables.values()))


def content(row: dict[str, Any]) -> dict[str, Any]:
    """A row without what the destination says of it."""
    return {column: value for column, value in row.items() if not column.startswith("_airbyte")}


def test_the_second_run_reads_what_changed_and_nothing_else(first: Run, second: Run) -> None:
    assert second.code == 0, second.output
    changed = {order.get("id") or order["fields"]["id"] for order in second.rounds[-1]["orders"]}
    # An issue's spans have no date of their own: they are read again when their issue changed.
    spans = second.tables["issue_state_spans"]
    changed |= {span["id"] for span in spans if span["issueId"] in changed}
    before = {table: [content(row) for row in rows] for table, rows in first.tables.items()}
    read = {
        row["id"]
        for table, rows in second.tables.items()
        for row in rows
        if content(row) not in before[table]
    }
    assert read == changed
    # Entries of a history may come once more, with their parent.
    assert len(changed) <= second.read <= len(changed) + 5
    assert second.read < first.read / 5


def test_after_the_second_run_every_table_is_the_changed_workspace(second: Run) -> None:
    assert len(second.tables["issues"]) > ISSUES
    for table, rows in second.tables.items():
        assert archived_flags(rows) == expected_flags(second.workspace, table), table
    for row_id in second.workspace.ids("Issue"):
        wanted = second.workspace.expected("Issue", row_id)
        row = second.row("issues", row_id)
        assert (row["stateId"], row["title"]) == (wanted["stateId"], wanted["title"])
    for row_id in second.workspace.ids("User"):
        wanted = second.workspace.expected("User", row_id)
        assert second.row("users", row_id)["active"] == wanted["active"]
    for row in second.workspace.rows["IssueStateSpan"].values():
        stored = second.row("issue_state_spans", row["id"])
        assert (stored["stateId"], stored["issueId"]) == (row["stateId"], row["issueId"])


def test_archivings_are_seen_by_the_second_run(first: Run, second: Run) -> None:
    for table, archived in (("issues", 3), ("projects", 1)):
        before, after = archived_flags(first.tables[table]), archived_flags(second.tables[table])
        assert sum(after[name] and not before.get(name, False) for name in after) == archived


def test_something_happens_before_every_run_however_many_there_are() -> None:
    with LinearApi(issues=20) as api:
        address = {"url": api.url, "control_url": api.control_url, "api_key": api.api_key}
        workspace = DemoSimulator(address)
        for number in range(12):
            changes = next_round(workspace, number)
            workspace.play(changes)

    assert "4 were created" in changes.news
    assert "project" not in changes.news, "all of them are archived by then"
    assert any(row["active"] for row in api.workspace.rows["User"].values() if not row["isMe"])


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc")
def test_a_run_that_is_interrupted_ends_at_once_and_leaves_no_process(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command(tmp_path), cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "discover" in line:
            break
    deadline = time.monotonic() + 60
    while len(children := descendants(process.pid)) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(children) >= 2, "the simulator and the connector"

    process.send_signal(signal.SIGINT)

    assert process.wait(15) == 130
    assert "Stopped. What was stored is kept" in process.stdout.read()
    process.stdout.close()
    assert not any(Path(f"/proc/{child}").exists() for child in children)


def run_with_key(directory: Path, api: LinearApi, key: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command(directory, "--api-url", api.url),
        cwd=ROOT,
        env=environment(LINEAR_API_KEY=key),
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert "Traceback" not in done.stdout + done.stderr
    assert key not in done.stdout + done.stderr
    assert not any(key.encode() in file.read_bytes() for file in directory.iterdir())
    return done


def test_with_a_key_the_demo_reads_the_workspace_of_that_key(tmp_path: Path) -> None:
    with LinearApi(issues=20, seed=5) as api:
        done = run_with_key(tmp_path, api, api.api_key)
        asked = len(api.requests)

    assert done.returncode == 0, done.stdout
    assert "simulator" not in done.stdout
    with duckdb.connect(tmp_path / "linear.duckdb", read_only=True) as database:
        stored = database.execute("SELECT id FROM issues").fetchall()
    assert {row_id for (row_id,) in stored} == set(api.workspace.ids("Issue"))
    said = re.search(r"with ([\d,]+) requests", done.stdout)
    assert said and 0 < int(said[1].replace(",", "")) <= asked


def test_a_key_that_linear_refuses_ends_the_demo_with_the_connectors_reason(
    tmp_path: Path,
) -> None:
    with LinearApi(issues=20) as api:
        done = run_with_key(tmp_path, api, "lin_api_wrong")

    assert done.returncode == 1
    assert "Linear does not accept the credentials" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_place_of_its_folder_is_named(tmp_path: Path) -> None:
    for directory in (tmp_path / "file", tmp_path / "file" / "below"):
        (tmp_path / "file").touch()
        done = subprocess.run(command(directory), cwd=ROOT, env=environment(), capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (1, "")
        [line] = done.stdout.strip().splitlines()
        assert line.startswith(f"{tmp_path / 'file'} is a file, and the demo keeps its tables in a folder")


@pytest.mark.skipif(not namespace(), reason="no small disk can be mounted here")
@pytest.mark.parametrize("full", ["tables", "temporary files"])
def test_a_full_disk_is_one_sentence_and_the_next_run_goes_on(tmp_path: Path, full: str) -> None:
    disk, directory = tmp_path / "disk", tmp_path / "demo"
    disk.mkdir()
    if full == "tables":
        directory = disk / "demo"
    # As many issues as the small disk has no room for, and the larger one has.
    demo = " ".join(command(directory, "--issues", "1000"))
    script = f"""
        mount -t tmpfs -o size=2m none {disk}
        {"TMPDIR=" + str(disk) if full == "temporary files" else ""} {demo}; code=$?
        mount -o remount,size=200m {disk}; {demo} >{tmp_path}/second || exit 3
        exit $code
    """
    mounted = [*namespace(), "sh", "-c", script]
    done = subprocess.run(mounted, cwd=ROOT, env=environment(), capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, ""), done.stdout
    assert f"The disk is full: the demo needs about 50 MB for {directory}" in done.stdout
    assert "Open them with DuckDB" in (tmp_path / "second").read_text("utf-8")


def descendants(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [found for child in children for found in (int(child), *descendants(int(child)))]
