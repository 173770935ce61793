"""The wheel, installed into an empty environment and run away from the repository."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integration_tests.linear_api import LinearApi
from tools.schemas import streams

ROOT = Path(__file__).resolve().parent.parent
STREAMS = [stream.name for stream in streams()]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def command(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed `source-linear`."""
    folder = tmp_path_factory.mktemp("environment")
    uv = (ROOT / "tools" / "environment.sh", "uv")
    _run(*uv, "venv", "--clear", "--python", sys.executable, folder)
    at = ("--python", folder / "bin" / "python")
    _run(*uv, "pip", "install", *at, "--require-hashes", "--requirement", ROOT / "requirements" / "run.txt")
    _run(*uv, "pip", "install", *at, "--no-deps", wheel)
    _run(*uv, "pip", "check", *at)
    return folder / "bin" / "source-linear"


@pytest.fixture(scope="module")
def api() -> Iterator[LinearApi]:
    with LinearApi() as running:
        yield running


@pytest.fixture
def elsewhere(tmp_path: Path, api: LinearApi) -> Path:
    """A folder that a user works in, with a manifest.yaml of some other connector."""
    (tmp_path / "manifest.yaml").write_text("type: DeclarativeSource\nstreams: not for you\n")
    credentials = {"auth_type": "API Key", "api_key": api.api_key}
    config = {"credentials": credentials, "api_url": api.url}
    (tmp_path / "config.json").write_text(json.dumps(config))
    return tmp_path


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"source_linear"}
    assert "source_linear/manifest.yaml" in names
    assert {f"source_linear/schemas/{name}.json" for name in STREAMS} <= set(names)


def test_spec_asks_for_credentials(command: Path, elsewhere: Path) -> None:
    [spec] = _messages(command, elsewhere, "spec", of="SPEC")
    assert spec["connectionSpecification"]["required"] == ["credentials"]


def test_check_succeeds(command: Path, elsewhere: Path) -> None:
    [status] = _messages(command, elsewhere, "check", of="CONNECTION_STATUS")
    assert status["status"] == "SUCCEEDED"


def test_discover_and_read(command: Path, elsewhere: Path, api: LinearApi) -> None:
    [catalog] = _messages(command, elsewhere, "discover", of="CATALOG")
    assert sorted(stream["name"] for stream in catalog["streams"]) == sorted(STREAMS)

    _configure(elsewhere, catalog, "issues", "teams")
    output = _output(command, elsewhere, "read", "--catalog", "catalog.json")
    ids = {
        name: sorted(
            message["record"]["data"]["id"]
            for message in output
            if message["type"] == "RECORD" and message["record"]["stream"] == name
        )
        for name in ("issues", "teams")
    }
    assert ids == {
        "issues": sorted(api.workspace.ids("Issue")),
        "teams": sorted(api.workspace.ids("Team")),
    }
    assert ids["issues"]
    states = [message["state"]["stream"] for message in output if message["type"] == "STATE"]
    assert {state["stream_descriptor"]["name"] for state in states} == {"issues", "teams"}


def _configure(folder: Path, catalog: dict[str, Any], *names: str) -> None:
    configured = [
        {"stream": stream, "sync_mode": "incremental", "destination_sync_mode": "append_dedup"}
        for stream in catalog["streams"]
        if stream["name"] in names
    ]
    (folder / "catalog.json").write_text(json.dumps({"streams": configured}))


def _messages(command: Path, folder: Path, verb: str, *, of: str) -> list[dict[str, Any]]:
    """What `source-linear VERB` prints of one type of message."""
    key = {"CONNECTION_STATUS": "connectionStatus"}.get(of, of.lower())
    return [message[key] for message in _output(command, folder, verb) if message["type"] == of]


def _output(command: Path, folder: Path, verb: str, *arguments: str) -> list[dict[str, Any]]:
    config = () if verb == "spec" else ("--config", "config.json")
    printed = _run(command, verb, *config, *arguments, folder=folder)
    return [json.loads(line) for line in printed.splitlines()]


def _run(*command: str | Path, folder: Path | None = None) -> str:
    """Runs a command that has to succeed, without this environment's own Python settings."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [str(part) for part in command], cwd=folder, env=clean, capture_output=True, text=True
    )
    assert done.returncode == 0, (
        f"{command} ended with {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    )
    return done.stdout
