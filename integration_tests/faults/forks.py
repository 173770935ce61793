"""The connector's process without its second of start-up: forked from one that has imported everything.

The child runs the command's own `main`, with its own stdout, stderr and exit code. It is in a hurry:
it gives up after seconds what the connector tries for minutes, and its pages are small.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from integration_tests.connector import Connector, Output

PATIENCE = 2.0  # seconds, for 300 in a sync and 10 in a check
TIMEOUT = 0.7  # seconds without an answer, for 120
PAGE_SIZE = 3  # rows, for 250


class Forks:
    """The process that is forked for every command; a context manager that ends it.

    Attributes:
        patience: seconds after which it gives up what may pass.
    """

    def __init__(self, patience: float = PATIENCE) -> None:
        self.patience = patience

    def __enter__(self) -> Forks:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "integration_tests.faults.forks", str(self.patience)],
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

    def run(self, directory: Path, arguments: tuple[str, ...]) -> tuple[int, str, str]:
        """Run a command; returns its exit code, stdout and stderr."""
        assert self._process.stdin is not None and self._process.stdout is not None
        order = {"directory": str(directory), "arguments": arguments}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        exit_code = int(self._process.stdout.readline())
        printed = [(directory / name).read_text("utf-8") for name in ("stdout", "stderr")]
        return exit_code, printed[0], printed[1]


@dataclass
class ForkedConnector(Connector):
    """A connector whose commands are forked, at debug level; it keeps what they printed."""

    forks: Forks | None = None
    printed: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def run(self, *arguments: str, timeout: float = 0) -> Output:
        assert self.forks is not None
        started = time.monotonic()
        exit_code, stdout, stderr = self.forks.run(self.directory, (*arguments, "--debug"))
        self.seconds = time.monotonic() - started
        self.printed += [stdout, stderr]
        return Output(exit_code, [json.loads(line) for line in stdout.split("\n") if line], stderr)


def _hurry(patience: float) -> None:
    from source_linear import source, streams
    from source_linear.linear import api

    prepare = api.Api.__init__

    def prepare_hurried(self: Any, *arguments: Any, **options: Any) -> None:
        prepare(self, *arguments, **options)
        self.patience = patience

    api.Api.__init__ = prepare_hurried
    api.READ = TIMEOUT
    api.LONGEST_PAUSE = 0.05
    source._CHECK_PATIENCE = patience
    streams.MAX_PAGE_SIZE = PAGE_SIZE


def _serve(orders: TextIO, patience: float) -> None:
    from source_linear.run import main
    from source_linear.source import SourceLinear

    _hurry(patience)
    SourceLinear()  # what it caches, its children have
    for line in orders:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
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
    _serve(sys.stdin, float(sys.argv[1]))
