"""tools/environment.sh makes an environment whole or not at all, and says which Python it needs."""

import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def environment(*arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs the script, away from any network."""
    return subprocess.run(
        [ROOT / "tools" / "environment.sh", *arguments],
        env={**os.environ, "UV_OFFLINE": "1", **variables},
        capture_output=True,
        text=True,
    )


def python(folder: Path, version: str) -> str:
    """A command that says that it is some version of Python."""
    command = folder / "python"
    command.write_text(f"#!/bin/sh\necho {version}\n")
    command.chmod(0o755)
    return str(command)


def lock(folder: Path) -> Path:
    """A lock of one package, which lies in the same folder."""
    wheel = folder / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("tiny.py", "")
        file.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        file.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        file.writestr("tiny-1.0.dist-info/RECORD", "")
    written = folder / "tiny.txt"
    written.write_text(f"tiny==1.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n")
    return written


@pytest.mark.parametrize("version", ["2.7", "3.10", "3.14"])
def test_a_python_that_does_not_fit_is_named_with_what_to_give(tmp_path: Path, version: str) -> None:
    done = environment("sync", tmp_path / "home", lock(tmp_path), PYTHON=python(tmp_path, version))
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert f"is Python {version}. This needs Python 3.11 to 3.13, for example: make PYTHON=python3.1" in line
    assert not (tmp_path / "home").exists()


def test_a_python_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = environment("sync", tmp_path / "home", lock(tmp_path), PYTHON="/no/such/python3")
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("There is no Python at /no/such/python3.")


def test_an_environment_holds_its_lock_and_says_so_while_it_is_made(tmp_path: Path) -> None:
    home = tmp_path / "home"
    done = environment(
        "sync", home, lock(tmp_path), PYTHON=sys.executable, UV_FIND_LINKS=str(tmp_path), UV_INDEX=""
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"installing the locked dependencies into {home} …\n"
    assert (home / "requirements.stamp").exists()
    subprocess.run([home / "bin" / "python", "-c", "import tiny"], check=True)


def test_a_package_that_is_not_the_locked_one_is_refused(tmp_path: Path) -> None:
    other = lock(tmp_path)
    other.write_text(f"tiny==1.0 --hash=sha256:{'0' * 64}\n")
    done = environment(
        "sync", tmp_path / "home", other, PYTHON=sys.executable, UV_FIND_LINKS=str(tmp_path), UV_INDEX=""
    )
    assert done.returncode != 0
    assert "Hash mismatch for `tiny==1.0`" in done.stderr


def test_an_install_that_fails_leaves_nothing_that_the_next_one_stumbles_over(tmp_path: Path) -> None:
    home, good = tmp_path / "home", lock(tmp_path)
    bad = tmp_path / "bad.txt"
    bad.write_text(f"tiny==2.0 --hash=sha256:{'0' * 64}\n")
    variables = {"PYTHON": sys.executable, "UV_FIND_LINKS": str(tmp_path)}

    for before in ("nothing", "a whole environment"):
        failed = environment("sync", home, bad, **variables)
        assert failed.returncode != 0, before
        assert "tiny==2.0" in failed.stderr, before
        assert not (home / "requirements.stamp").exists(), before
        left = home / "left-behind"
        left.touch()
        assert environment("sync", home, good, **variables).returncode == 0, before
        assert (home / "requirements.stamp").exists(), before
        assert not left.exists(), before
