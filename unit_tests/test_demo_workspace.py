"""What the demo's directory holds, and whose workspace it is."""

from pathlib import Path

import pytest

from tools.demo.errors import DemoError
from tools.demo.screen import Screen
from tools.demo.simulator import Round
from tools.demo.workspace import (
    Directory,
    Memory,
    make_room_for_own,
    own_workspace,
    simulated_workspace,
)

MEMORY = Memory(
    issues=50,
    moment="2026-01-01T00:00:00.000Z",
    rounds=[Round("2026-01-02T00:00:00.000Z", [{"op": "archive"}], "an issue was archived")],
)


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    return Directory(tmp_path / "demo")


def test_a_workspace_is_remembered(directory: Directory) -> None:
    directory.remember(MEMORY)

    assert directory.recall() == MEMORY


def test_an_empty_directory_holds_nothing(directory: Directory) -> None:
    assert directory.recall() is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"rounds": 1}', '{"rounds": [], "other": 1}'])
def test_a_memory_that_cannot_be_read_is_none(directory: Directory, text: str) -> None:
    directory.database.with_name("workspace.json").write_text(text)

    assert directory.recall() is None


def test_starting_over_removes_the_demos_files_and_no_others(directory: Directory) -> None:
    directory.remember(MEMORY)
    directory.database.touch()
    notes = directory.database.with_name("my notes.txt")
    notes.touch()

    directory.clear()

    assert list(notes.parent.iterdir()) == [notes]


def test_ones_own_workspace_takes_the_simulators_place(directory: Directory) -> None:
    directory.remember(MEMORY)
    directory.database.touch()

    make_room_for_own(directory)

    assert directory.recall() == Memory() and not directory.database.exists()


def test_ones_own_workspace_stays_for_the_next_run(directory: Directory) -> None:
    make_room_for_own(directory)
    directory.database.touch()

    make_room_for_own(directory)

    assert directory.database.exists()


def test_the_simulator_never_takes_the_place_of_ones_own_workspace(directory: Directory) -> None:
    make_room_for_own(directory)

    with (
        pytest.raises(DemoError, match="Set LINEAR_API_KEY to go on with it"),
        simulated_workspace(50, directory, Screen()),
    ):
        pass


def test_a_key_is_the_whole_configuration_unless_linear_is_behind_a_proxy() -> None:
    credentials = {"auth_type": "API Key", "api_key": "k"}

    assert own_workspace("k", None).config == {"credentials": credentials}
    assert own_workspace("k", "https://proxy.example/graphql").config == {
        "credentials": credentials,
        "api_url": "https://proxy.example/graphql",
    }
