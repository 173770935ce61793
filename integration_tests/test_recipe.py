"""The recipe of docs/command-line.md, and what the README begins with, run as they are printed."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from integration_tests.connector import Connector
from integration_tests.expected import records
from integration_tests.image import Unavailable, install
from integration_tests.linear_api import LinearApi
from tools.demo.destination import DuckDBDestination
from tools.schemas import ROOT, streams

STREAMS = {stream.name: stream for stream in streams()}

pytestmark = pytest.mark.processes


def blocks() -> list[str]:
    """The blocks of the recipe: with Docker, without, what comes first, and each sync."""
    page = (ROOT / "docs" / "command-line.md").read_text("utf-8")
    found = re.findall(r"^```bash\n(.*?)^```", page, re.M | re.S)
    assert len(found) == 4
    return found


WITH_DOCKER, WITHOUT, ONCE, SYNC = blocks()


class Shell:
    """Runs blocks of the recipe in a folder, as somebody does who pastes them."""

    def __init__(self, folder: Path, defined: str, **variables: str) -> None:
        """A shell in which `defined` makes the function `linear` known."""
        self.folder = folder
        self._defined = defined
        self._variables = variables

    def run(self, block: str, then: str = "", timeout: float = 500) -> None:
        """Paste a block; `then` comes after it."""
        done = self._pasted(f"{block}\n{then}", timeout)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Traceback" not in done.stderr

    def ends(self, block: str) -> tuple[int, list[str]]:
        """Paste a block; returns its exit code, and the lines that it prints."""
        done = self._pasted(block)
        return done.returncode, done.stdout.splitlines()

    def _pasted(self, text: str, timeout: float = 500) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", f"{self._defined}\n{text}"],
            cwd=self.folder,
            env={**os.environ, **self._variables},
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "messages.jsonl").open("rb")]

    def records(self) -> dict[str, dict[str, dict[str, Any]]]:
        """What the last sync printed: by stream, by id."""
        found: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in STREAMS}
        for message in self.messages():
            if message["type"] == "RECORD":
                found[message["record"]["stream"]][message["record"]["data"]["id"]] = message["record"][
                    "data"
                ]
        return found

    def states(self) -> dict[str, str]:
        """The cursor in each stream's state in the file."""
        states = [one["stream"] for one in json.loads((self.folder / "sync" / "state.json").read_text())]
        assert len({one["stream_descriptor"]["name"] for one in states}) == len(states)
        return {one["stream_descriptor"]["name"]: next(iter(one["stream_state"].values())) for one in states}


@pytest.fixture(autouse=True)
def jq() -> None:
    try:
        install("jq", provides="/usr/bin/jq")
    except Unavailable as reason:
        pytest.skip(f"no jq here: {reason}")


def configure(api: LinearApi, folder: Path) -> None:
    (folder / "sync").mkdir()
    config = {"credentials": {"auth_type": "API Key", "api_key": api.api_key}, "api_url": api.url}
    (folder / "sync" / "config.json").write_text(json.dumps(config))


@pytest.fixture
def shell(linear_api: LinearApi, tmp_path: Path) -> Shell:
    """A shell where the connector is installed."""
    configure(linear_api, tmp_path)
    installed = Path(sys.executable).with_name("source-linear")
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    (tmp_path / "venv" / "bin" / "source-linear").symlink_to(installed)
    return Shell(tmp_path, WITHOUT.splitlines()[-1])


def syncs_and_goes_on(api: LinearApi, shell: Shell) -> None:
    """The recipe reads everything, and then what changed."""
    shell.run(ONCE)
    api.clock.advance(2)
    shell.run(SYNC)
    assert shell.records() == {name: records(api.workspace, stream) for name, stream in STREAMS.items()}
    first = shell.states()
    assert first.keys() == STREAMS.keys()

    api.clock.advance(60)
    changed = api.workspace.ids("Issue", archived=False)[0]
    api.workspace.update("Issue", changed, title="Changed")
    api.clock.advance(60)
    shell.run(SYNC)
    assert shell.records()["issues"].keys() == {changed}
    assert all(cursor > first[name] for name, cursor in shell.states().items())


@pytest.mark.slow
def test_the_recipe_reads_everything_and_then_what_changed(linear_api: LinearApi, shell: Shell) -> None:
    syncs_and_goes_on(linear_api, shell)


def checked(shell: Shell, config: dict[str, Any]) -> tuple[int, list[str]]:
    """How the recipe's check ends, and what it prints."""
    (shell.folder / "sync" / "config.json").write_text(json.dumps(config))
    (check,) = [block for block in ONCE.split("\n\n") if "linear check" in block]
    return shell.ends(check)


def test_the_check_of_the_recipe_ends_by_its_answer(linear_api: LinearApi, shell: Shell) -> None:
    good = json.loads((shell.folder / "sync" / "config.json").read_text())
    assert checked(shell, good) == (0, ["true"])
    code, (message, answer) = checked(
        shell, good | {"credentials": {"auth_type": "API Key", "api_key": "wrong"}}
    )
    assert (code, answer) == (1, "false") and message.startswith("Linear does not accept the credentials")
    code, (message, answer) = checked(shell, good | {"startdate": "2024-01-01"})
    assert (code, answer) == (0, "true") and message.endswith("Did you mean start_date?")


@pytest.mark.slow
def test_a_sync_that_is_cut_off_loses_the_state_of_no_stream(linear_api: LinearApi, shell: Shell) -> None:
    shell.run(ONCE)
    linear_api.clock.advance(2)
    shell.run(SYNC)
    first = shell.states()

    linear_api.clock.advance(60)
    *reads, merge = SYNC.split("\n\n")
    # Killed after half of its states, in the middle of a line.
    cut = """grep -n '"type":"STATE"' messages.jsonl | cut -d: -f1 >states
        last=$(sed -n "$(($(wc -l <states) / 2))p" states)
        { head -n "$last" messages.jsonl; printf '{"type":"STATE","sta'; } >cut
        mv cut messages.jsonl"""
    shell.run("\n\n".join(reads), f"{cut}\n{merge}")
    after = shell.states()
    assert after.keys() == STREAMS.keys()
    assert 0 < len([name for name, cursor in after.items() if cursor > first[name]]) < len(STREAMS)

    shell.run(SYNC)
    assert all(cursor > first[name] for name, cursor in shell.states().items())


@pytest.mark.slow
def test_the_recipe_without_docker_installs_what_it_runs(linear_api: LinearApi, tmp_path: Path) -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in tracked.stdout.splitlines():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    configure(linear_api, tmp_path)
    path = f"{Path(sys.base_prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}"
    Shell(tmp_path, WITHOUT, PATH=path).run(ONCE)
    assert (tmp_path / "venv" / "bin" / "source-linear").exists()
    assert len(json.loads((tmp_path / "sync" / "catalog.json").read_text())["streams"]) == len(STREAMS)


@pytest.mark.image_tests
@pytest.mark.timeout(900)
def test_the_recipe_with_docker(linear_api: LinearApi, image: str, tmp_path: Path) -> None:
    # The image is built, and a container reaches the simulator on this machine's loopback.
    real, wrapper = shutil.which("docker"), tmp_path / "bin" / "docker"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\ncase $1 in run) shift; exec {real} run --network host "$@" ;; esac\n')
    wrapper.chmod(0o755)
    tmp_path.chmod(0o755)
    configure(linear_api, tmp_path)
    path = f"{wrapper.parent}{os.pathsep}{os.environ['PATH']}"
    syncs_and_goes_on(linear_api, Shell(tmp_path, WITH_DOCKER, PATH=path))


def test_the_question_of_the_readme_is_answered_by_the_tables_of_the_demo(
    linear_api: LinearApi, connector: Connector, tmp_path: Path
) -> None:
    (tmp_path / ".demo").mkdir()
    (tmp_path / ".venv").symlink_to(sys.prefix)
    catalog = connector.catalog(["issues", "teams"])
    with DuckDBDestination(tmp_path / ".demo" / "linear.duckdb") as destination:
        destination.prepare([configured["stream"] for configured in catalog["streams"]])
        for message in connector.read(catalog).messages:
            destination.take(message)
        destination.flush()
    (question,) = re.findall(r"```bash\n(.+?)```", (ROOT / "README.md").read_text("utf-8"), re.S)
    code, printed = Shell(tmp_path, "").ends(question)
    assert code == 0
    answers = [re.findall(r"[^│]+", line) for line in printed if line.startswith("│")][2:]
    issues = records(linear_api.workspace, STREAMS["issues"]).values()
    unfinished = Counter(
        records(linear_api.workspace, STREAMS["teams"])[row["teamId"]]["name"]
        for row in issues
        if not (row["isArchived"] or row.get("completedAt") or row.get("canceledAt"))
    )
    assert len(answers) == min(3, len(unfinished))
    for team, count in answers:
        assert unfinished[team.strip()] == int(count)
    assert int(answers[0][1]) == max(unfinished.values())
