"""The connector's process without its second of start-up: forked from one that has imported everything.

The child runs the command's own `main`, with its own stdout, stderr and exit code. Its clock can be moved:
then neither a pause nor a hanging answer takes time, and they count as if they did. So a test of time-outs
and of patience takes no minutes, and holds however busy the machine is. Its pages are small then.
"""

from __future__ import annotations

import json
import logging
import os
import select
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from integration_tests.connector import COMMAND, Connector, Output
from integration_tests.linear_api.server import TELLS, WAITED

PAGE_SIZE = 3  # rows, for 250


class Forks:
    """The process that is forked for every command; a context manager that ends it."""

    def __init__(self, page_size: int | None = None) -> None:
        """Fork connectors such as users run; or with a moved clock, and with pages of so many rows."""
        self._page_size = page_size

    def __enter__(self) -> Forks:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "integration_tests.faults.forks", str(self._page_size or "")],
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

    def run(self, *arguments: str, timeout: float = 240) -> Output:
        assert self.forks is not None
        exit_code, stdout, stderr = self.forks.run(self.directory, (*arguments, *self.options), timeout)
        self.printed += [stdout, stderr]
        return Output(exit_code, [json.loads(line) for line in stdout.split("\n") if line], stderr)


class _Clock(threading.local):
    """The time of each thread, which only the simulator's word moves."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


def _move_clock(page_size: int) -> None:
    from requests.adapters import HTTPAdapter
    from requests.exceptions import ReadTimeout

    from source_linear import graphql
    from source_linear.linear import api, budget

    clock, prepare, send = _Clock(), api.Api.__init__, HTTPAdapter.send

    def prepare_moved(self: Any, *arguments: Any, **options: Any) -> None:
        prepare(self, *arguments, **options)
        self._sleep = lambda seconds: None  # what it waits for the rate budget, the budget sleeps

    def send_told(self: Any, request: Any, *arguments: Any, **options: Any) -> Any:
        request.headers[TELLS] = "1"
        timeout = options["timeout"][1]
        options["timeout"] = None
        response = send(self, request, *arguments, **options)
        waited = float(response.headers.get(WAITED, 0))
        clock.now += min(waited, timeout)
        if waited > timeout:
            raise ReadTimeout(request=request)
        return response

    api.Api.__init__, HTTPAdapter.send = prepare_moved, send_told  # type: ignore[method-assign]
    api.time = clock  # type: ignore[attr-defined]
    budget.UNTOLD = 0.05
    graphql.MAX_PAGE_SIZE = page_size


def _serve(orders: TextIO, page_size: int | None) -> None:
    from source_linear.run import main
    from source_linear.source import SourceLinear

    if page_size:
        _move_clock(page_size)
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
    _serve(sys.stdin, int(sys.argv[1]) if sys.argv[1] else None)
