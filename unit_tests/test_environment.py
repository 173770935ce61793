"""tools/environment.sh makes an environment whole or not at all, and says which Python it needs."""

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration_tests.processes import namespace

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


@pytest.mark.parametrize("version", ["2.7", "3.10", "3.15"])
def test_a_python_that_does_not_fit_is_named_with_what_to_give(tmp_path: Path, version: str) -> None:
    done = environment("sync", tmp_path / "home", lock(tmp_path), PYTHON=python(tmp_path, version))
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert f"is Python {version}. This needs Python 3.11 to 3.14, for example: make PYTHON=python3.1" in line
    assert not (tmp_path / "home").exists()


def test_a_python_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = environment("sync", tmp_path / "home", lock(tmp_path), PYTHON="/no/such/python3")
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("There is no Python at /no/such/python3.")


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port on which nobody answers."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def repository(folder: Path) -> Path:
    """A copy of what set-up needs, without any environment."""
    for name in (
        "tools/environment.sh",
        "tools/pip_settings.py",
        "requirements/uv.txt",
        "pyproject.toml",
        "Makefile",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.mark.slow
def test_an_index_that_uv_does_not_reach_is_one_sentence(tmp_path: Path, closed_port: int) -> None:
    variables = {
        "UV_OFFLINE": "0",
        "UV_DEFAULT_INDEX": f"http://127.0.0.1:{closed_port}/",
        "UV_HTTP_RETRIES": "0",
    }
    away = {"UV_INDEX": "", "UV_FIND_LINKS": "", "UV_CACHE_DIR": str(tmp_path / "cache")}
    done = environment("sync", tmp_path / "home", lock(tmp_path), PYTHON=sys.executable, **variables, **away)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("The package index cannot be reached: check the network")
    assert not (tmp_path / "home" / "requirements.stamp").exists()


@pytest.mark.slow
def test_an_index_that_pip_does_not_reach_is_one_sentence(tmp_path: Path, closed_port: int) -> None:
    script = repository(tmp_path / "repository") / "tools" / "environment.sh"
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    variables |= {"PIP_INDEX_URL": f"http://127.0.0.1:{closed_port}/", "PIP_RETRIES": "0"}
    variables |= {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1", "PYTHON": sys.executable}
    done = subprocess.run([script, "get-uv"], env=variables, capture_output=True, text=True)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("The package index cannot be reached: check the network")


@pytest.mark.slow
@pytest.mark.skipif(not namespace(), reason="no small disk can be mounted here")
@pytest.mark.parametrize(("command", "size"), [("get-uv", "600k"), ("sync", "32k")])
def test_a_full_disk_is_one_sentence(tmp_path: Path, command: str, size: str) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if command == "sync":
        order = f"{ROOT}/tools/environment.sh sync {disk}/home {lock(tmp_path)}"
    else:
        copy = repository(tmp_path / "repository")
        order = f"cp -r {copy}/. {disk} && {disk}/tools/environment.sh get-uv"
    variables = {"PYTHON": sys.executable, "UV_OFFLINE": "1", "UV_FIND_LINKS": str(tmp_path)}
    done = subprocess.run(
        [*namespace(), "sh", "-c", f"mount -t tmpfs -o size={size} none {disk} && {order}"],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("The disk is full: set-up needs about 600 MB")


def stamped(tmp_path: Path) -> tuple[Path, Path]:
    """A repository with a whole environment, and the stamp of it."""
    home = repository(tmp_path / "repository") / ".venv"
    done = environment("sync", home, lock(tmp_path), PYTHON=sys.executable, UV_FIND_LINKS=str(tmp_path))
    assert done.returncode == 0, done.stderr
    return home.parent, home / "requirements.stamp"


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What make would do in a folder; it was given no Python but the one in its arguments."""
    variables = {name: value for name, value in os.environ.items() if name != "PYTHON"}
    return subprocess.run(
        ["make", "-n", "setup", *arguments], cwd=folder, env=variables, capture_output=True, text=True
    )


@pytest.mark.slow
def test_an_environment_whose_python_is_gone_is_made_anew(tmp_path: Path) -> None:
    folder, stamp = stamped(tmp_path)
    make(folder, f"PYTHON={sys.executable}")
    assert stamp.exists(), "nothing is wrong with it"
    (folder / ".venv" / "bin" / "python").unlink()
    make(folder)
    assert not stamp.exists()


@pytest.mark.slow
def test_another_python_that_is_given_gets_an_environment_of_its_own(tmp_path: Path) -> None:
    folder, stamp = stamped(tmp_path)
    settings = folder / ".venv" / "pyvenv.cfg"
    ours = ".".join(map(str, sys.version_info[:3]))
    settings.write_text(settings.read_text("utf-8").replace(ours, "3.11.0"), "utf-8")
    make(folder)
    assert stamp.exists(), "no Python was given"
    make(folder, f"PYTHON={sys.executable}")
    assert not stamp.exists()


def test_a_python_that_does_not_fit_is_named_even_where_an_environment_is_there(tmp_path: Path) -> None:
    folder, stamp = stamped(tmp_path)
    done = make(folder, f"PYTHON={python(tmp_path, '3.10')}")
    assert done.returncode != 0
    [line] = done.stderr.splitlines()
    assert "is Python 3.10. This needs Python 3.11 to 3.14" in line
    assert stamp.exists()


def test_a_file_in_the_place_of_an_environment_gives_way(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    done = environment(
        "sync", tmp_path / "home", lock(tmp_path), PYTHON=sys.executable, UV_FIND_LINKS=str(tmp_path)
    )
    assert done.returncode == 0, done.stderr
