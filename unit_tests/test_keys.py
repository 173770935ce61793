"""No key of Linear is in a file: none that could be real anywhere, and nothing like one in what ships."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = ("source_linear/", "manifest.yaml")
REAL = re.compile(rb"lin_[a-z]+_[A-Za-z0-9]{20}")
LIKE_ONE = re.compile(rb"lin_[a-z]+_\w")


@pytest.fixture(scope="module")
def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def holding(names: list[str], key: re.Pattern[bytes]) -> list[str]:
    return [name for name in names if key.search((ROOT / name).read_bytes())]


def test_no_file_holds_a_key_that_could_be_real(tracked: list[str]) -> None:
    assert holding(tracked, REAL) == []


def test_nothing_that_ships_holds_anything_like_a_key(tracked: list[str]) -> None:
    shipped = [name for name in tracked if name.startswith(SHIPPED)]
    assert len(shipped) > 40
    assert holding(shipped, LIKE_ONE) == []


def test_a_key_in_a_file_is_found(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text('{"api_key": "lin_api_' + "A1" * 20 + '"}')
    assert holding([str(file)], REAL) == holding([str(file)], LIKE_ONE) == [str(file)]
