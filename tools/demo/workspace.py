"""The workspace that the demo reads, and which one its directory holds already."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson

from tools.demo.errors import DemoError
from tools.demo.processes import KEY_VARIABLE
from tools.demo.screen import Screen
from tools.demo.simulator import DemoSimulator, Round, next_round, now, simulator, version

_AGE = timedelta(minutes=2)  # of a new workspace: the second sync does not look back at what was made with it


@dataclass
class Memory:
    """What the directory holds: a workspace of Linear's, or the simulator's and how to make it again.

    Attributes:
        issues: size of the simulator's workspace; None for one of Linear's.
        version: of the simulator that made it; another may make another workspace.
        moment: when the simulator's workspace was made.
        rounds: what was done in it since, a round a run.
    """

    issues: int | None = None
    version: str | None = None
    moment: str | None = None
    rounds: list[Round] = field(default_factory=list)


class Directory:
    """Where the demo leaves its files.

    Attributes:
        database: the DuckDB file.
    """

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.database = path / "linear.duckdb"
        self._memory = path / "workspace.json"

    def recall(self) -> Memory | None:
        """What is held; None if nothing is."""
        try:
            memory = json.loads(self._memory.read_text("utf-8"))
            rounds = [Round(**item) for item in memory.pop("rounds")]
            return Memory(**memory, rounds=rounds)
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def remember(self, memory: Memory) -> None:
        """Write down what is held, all or nothing."""
        written = self._memory.with_suffix(".tmp")
        written.write_bytes(orjson.dumps(asdict(memory)))
        written.replace(self._memory)

    def clear(self) -> None:
        """Remove what is held."""
        log = self.database.with_name(f"{self.database.name}.wal")
        report = self.database.with_name("report.html")
        for file in (self._memory, self.database, log, report):
            file.unlink(missing_ok=True)


@dataclass(frozen=True)
class Workspace:
    """A workspace that can be read now.

    Attributes:
        config: the connector's configuration.
        simulator: the simulator that plays it; None for a workspace of Linear's.
    """

    config: Mapping[str, Any]
    simulator: DemoSimulator | None = None


def own_workspace(key: str, api_url: str | None) -> Workspace:
    """The workspace of Linear's that a key opens."""
    config: dict[str, Any] = {"credentials": {"auth_type": "API Key", "api_key": key}}
    return Workspace(config | ({"api_url": api_url} if api_url else {}))


def make_room_for_own(directory: Directory) -> None:
    """Let a directory hold a workspace of Linear's; what it holds of the simulator's goes."""
    held = directory.recall()
    if held is None or held.issues is not None:
        directory.clear()
        directory.remember(Memory())


@contextmanager
def simulated_workspace(issues: int, directory: Directory, screen: Screen) -> Iterator[Workspace]:
    """The workspace of a simulator, as the last run left it and with new changes in it.

    Raises:
        DemoError: the directory holds a workspace of Linear's.
    """
    held = directory.recall()
    if held and held.issues is None:
        raise DemoError(
            f"{directory.database} holds your own workspace. Set {KEY_VARIABLE} to go on with it, "
            "or start over with the simulator: make demo FRESH=1"
        )
    wanted = Memory(issues, version())
    if held is None or (held.issues, held.version) != (wanted.issues, wanted.version):
        directory.clear()
        held = wanted
    first = held.moment is None
    held.moment = held.moment or now(_AGE)
    with ExitStack() as stack:
        with screen.step("workspace") as step:
            running = stack.enter_context(simulator(issues, held.moment))
            for past in held.rounds:
                running.play(past)
            if not first:
                held.rounds.append(next_round(running, len(held.rounds)))
                running.play(held.rounds[-1])
            directory.remember(held)  # before anything is read of it
            running.go_on()
            step.result = f"a simulator of Linear's API on this machine, with {issues:,} issues"
        if not first:
            screen.text(f"Since the last run: {held.rounds[-1].news}")
        yield Workspace(running.config, running)
