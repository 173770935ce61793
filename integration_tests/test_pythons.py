"""The package works on every Python that it says it is for; of ours test_wheel.py speaks."""

import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from integration_tests.connector import Connector
from integration_tests.expected import records
from integration_tests.figures import note
from integration_tests.linear_api import LinearApi
from tools.schemas import streams

pytestmark = [pytest.mark.processes, pytest.mark.pythons, pytest.mark.timeout(900)]

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
OURS = f"{sys.version_info.major}.{sys.version_info.minor}"


def _python(version: str) -> Path | None:
    """The interpreter of a version: where pyenv keeps it, or on the path."""
    kept = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python3"))
    on_path = shutil.which(f"python{version}")
    for found in [*kept, *([Path(on_path)] if on_path else [])]:
        if subprocess.run([found, "--version"], capture_output=True).returncode == 0:
            return found
    return None


@pytest.mark.parametrize("version", [version for version in VERSIONS if version != OURS])
def test_every_stream_is_read_on(
    version: str, linear_api: LinearApi, make_connector: Callable[..., Connector], tmp_path: Path
) -> None:
    python = _python(version)
    if python is None:
        note(f"SKIPPED: no Python {version} here")
        warnings.warn(f"No Python {version} here", stacklevel=1)
        pytest.skip(f"no Python {version} here")
    home = tmp_path / "environment"
    subprocess.run([python, "-m", "venv", home], check=True)
    pip = [home / "bin" / "python", "-m", "pip", "install", "--quiet"]  # its own: ours may be too old for it
    requirements = str(ROOT / "requirements" / "run.txt")
    subprocess.run([*pip, "--require-hashes", "--requirement", requirements], check=True)
    subprocess.run([*pip, "--no-deps", str(ROOT)], check=True)

    linear_api.clock.advance(2)
    connector = make_connector(linear_api)
    connector.command = [str(home / "bin" / "source-linear")]
    assert connector.spec().exit_code == 0
    assert connector.check().exit_code == 0
    output = connector.read(connector.catalog())
    assert output.exit_code == 0
    assert output.stderr == ""
    count = 0
    for stream in streams():
        expected = records(linear_api.workspace, stream)
        assert {record["id"]: record for record in output.records[stream.name]} == expected
        count += len(expected)
    note(f"Python {version}: {count:,} records")
