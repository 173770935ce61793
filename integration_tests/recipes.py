"""The recipes of docs/clients.md, run as they are printed."""

import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from integration_tests.figures import note
from integration_tests.linear_api import LinearApi

ROOT = Path(__file__).resolve().parent.parent
EXECUTABLE = Path(sys.executable).with_name("source-linear")
_TEXT = (ROOT / "docs" / "clients.md").read_text("utf-8")
# No client asks its maker for anything, or tells it.
_OFFLINE = {"AIRBYTE_OFFLINE_MODE": "1", "DO_NOT_TRACK": "1", "RUNTIME__DLTHUB_TELEMETRY": "false"}


def recipe(heading: str, language: str, number: int = 0) -> str:
    """A code block of the page.

    Args:
        heading: of its section.
        language: that of the block.
        number: which of the section's blocks in this language, from 0.
    """
    section = _TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return section.split(f"```{language}\n")[number + 1].split("```\n")[0]


def environment(name: str, stamp: str = "requirements.stamp") -> Path:
    """Where the programs of a client are; its tests are skipped where there are none."""
    folder = ROOT / ".cache" / name
    if not (folder / stamp).exists():
        reason = f"{name} is not installed (make clients)"
        note(f"SKIPPED: {reason}")
        warnings.warn(reason, stacklevel=1)
        pytest.skip(reason)
    return folder / "bin"


def run(folder: Path, *command: Any, programs: Path = EXECUTABLE.parent, **variables: str) -> str:
    """Run a command that must succeed without a traceback, ours in its PATH; returns what it prints."""
    path = os.pathsep.join([str(programs), str(EXECUTABLE.parent), os.environ["PATH"]])
    own = {"AIRBYTE_LOGGING_ROOT": str(folder / "logs"), "DLT_DATA_DIR": str(folder / "dlt"), "PATH": path}
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, **_OFFLINE, **own, **variables},
        timeout=600,
    )
    logs = "".join(path.read_text("utf-8") for path in (folder / "logs").rglob("*.log"))
    said = done.stdout + done.stderr + logs
    assert "Traceback" not in said, said[said.index("Traceback") :]
    assert done.returncode == 0, said[-6000:]
    return done.stdout


def shell(folder: Path, text: str, programs: Path = EXECUTABLE.parent) -> str:
    """Run a recipe for the shell, as `run` does."""
    return run(folder, "bash", "-euo", "pipefail", "-c", text, programs=programs)


def with_refresh_token(api: LinearApi) -> dict[str, Any]:
    """A configuration whose refresh token can be used once."""
    names = ("client_id", "client_secret", "refresh_token")
    credentials = {"auth_type": "OAuth2.0", **{name: getattr(api.auth, name) for name in names}}
    return {"credentials": credentials, "api_url": api.url}
