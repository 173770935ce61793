"""The connector's process without its second of start-up: forked from one that has imported everything.

The child runs the command's own `main`, with its own stdout, stderr and exit code. It can be in a hurry:
then it gives up after seconds what the connector tries for minutes, and its pages are small.
"""

from __future__ import annotations

import json
import logging
import os
import select
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO

from integration_tests.connector import COMMAND, Connector, Output

PATIENCE = 2.0  # seconds, for 300 in a sync and 10 in a check
TIMEOUT = 0.7  # seconds without an answer, for 120
PAGE_SIZE = 3  # rows, for 250


@dataclass(frozen=True)
class Hurry:
    """How much of a hurry a connector is in.

    Attributes:
        patience: seconds after which it gives up what may pass.
        timeout: seconds without an answer after which it asks again.
        page_size: rows of a page at the most.
    """

    patience: float = PATIENCE
    timeout: float = TIMEOUT
    page_size: int = PAGE_SIZE


class Forks:
    """The process that is forked for every command; a context manager that ends it."""

    def __init__(self, hurry: Hurry | None = None) -> None:
        """Fork connectors that are in a hurry, or, without, such as users run."""
        self._hurry = hurry

    def __enter__(self) -> Forks:
        order = json.dumps(asdict(self._hurry) if self._hurry else None)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "integration_tests.faults.forks", order],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=10)

    def run(self, directory: Path, arguments: tuple[str, ...], timeout: float) -> tuple[int, str, str]:
        """Run a command; returns its exit code, stdout and stderr.

        Raises:
            subprocess.TimeoutExpired: it took too many seconds.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        order = {"directory": str(directory), "arguments": arguments, "environment": dict(os.environ)}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        if not select.select([self._process.stdout], [], [], timeout)[0]:
            self._process.kill()
            raise subprocess.TimeoutExpired([*COMMAND, *arguments], timeout)
        exit_code = int(self._process.stdout.readline())
        printed = [(directory / name).read_text("utf-8") for name in ("stdout", "stderr")]
        return exit_code, printed[0], printed[1]


@dataclass
class ForkedConnector(Connector):
    """A connector whose commands are forked; it keeps what they printed."""

    forks: Forks | None = None
    options: tuple[str, ...] = ("--debug",)
    printed: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def run(self, *arguments: str, timeout: float = 240) -> Output:
        assert self.forks is not None
        started = time.monotonic()
        exit_code, stdout, stderr = self.forks.run(self.directory, (*arguments, *self.options), timeout)
        self.seconds = time.monotonic() - started
        self.printed += [stdout, stderr]
        return Output(exit_code, [json.loads(line) for line in stdout.split("\n") if line], stderr)


def _hurry(hurry: Hurry) -> None:
    from source_linear import source, streams
    from source_linear.linear import api, budget

    prepare = api.Api.__init__

    def prepare_hurried(self: Any, *arguments: Any, **options: Any) -> None:
        prepare(self, *arguments, **options)
        self.patience = hurry.patience

    api.Api.__init__ = prepare_hurried
    api.READ = hurry.timeout
    api.LONGEST_PAUSE = budget.UNTOLD = 0.05
    source._CHECK_PATIENCE = hurry.patience
    streams.MAX_PAGE_SIZE = hurry.page_size


def _serve(orders: TextIO, hurry: Hurry | None) -> None:
    from source_linear.run import main
    from source_linear.source import SourceLinear

    if hurry:
        _hurry(hurry)
    SourceLinear()  # what it caches, its children have
    for line in orders:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            os.environ.clear()
            os.environ.update(order["environment"])
            _run(order["directory"], order["arguments"], main)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _run(directory: str, arguments: list[str], main: Any) -> None:
    os.chdir(directory)
    for descriptor, name in enumerate(("stdout", "stderr"), start=1):
        opened = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(opened, descriptor)
    exit_code: Any = 0
    try:
        main(arguments)
    except SystemExit as end:
        exit_code = end.code or 0
    except BaseException:
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
        exit_code = 1
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(int(exit_code))


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    _serve(sys.stdin, Hurry(**given) if given else None)
