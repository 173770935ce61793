"""Random histories through the connector's own process: `python -m integration_tests.soak [--histories 500]`.

The world in memory of unit_tests/world answers by HTTP. What the process adds is tried: arguments and files,
HTTP, threads, messages. Its threads take turns as they like, so a seed decides what happens to the workspace,
but not the order of the requests.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from integration_tests.connector import Connector
from integration_tests.faults.forks import ForkedConnector, Forks
from unit_tests.world.connector import catalog_of, doubtful, is_walked
from unit_tests.world.histories import History, Read
from unit_tests.world.linear import Linear
from unit_tests.world.plans import plan

PAGE_SIZE = 7  # rows, for 250
_RARELY = "1000000 hours"  # none is due but those that the state says are
_EVERY = 30.0  # seconds between two lines of progress


class Served:
    """Linear over a world, by HTTP on this machine; a context manager.

    Attributes:
        linear: what answers: that of the sync which is running.
        url: where.
    """

    def __init__(self) -> None:
        self.linear: Linear | None = None
        served = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                assert served.linear is not None
                status, body, headers = served.linear.answer("", asked["query"], asked.get("variables") or {})
                self.send_response_only(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)  # one answer after another: a world has no lock
        self.url = f"http://127.0.0.1:{self._server.server_port}/graphql"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> "Served":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Process:
    """The connector's process as a source of histories."""

    def __init__(self, served: Served, forks: Forks, directory: Path) -> None:
        self._served, self._forks, self._directory = served, forks, directory
        self.syncs = 0

    def __call__(self, given: Read) -> Iterator[tuple[str, str, Any]]:
        """A sync: its rows and states, in the order of its output.

        Raises:
            AssertionError: it ended by a bug of ours.
        """
        self.syncs += 1
        self._served.linear = given.linear
        config = {
            "credentials": {"auth_type": "API Key", "api_key": "lin_api_histories"},
            "api_url": self._served.url,
            **given.config,
        }
        if given.walks is not None:
            config["detect_deletions"] = "each sync" if given.walks else _RARELY
        connector = ForkedConnector(self._directory, config, forks=self._forks, options=())
        states = [
            {"type": "STREAM", "stream": {"stream_descriptor": {"name": name}, "stream_state": state}}
            for name, state in given.states.items()
        ]
        output = Connector.read(connector, catalog_of(given.streams), states or None)
        bugs = [one["message"] for one in output.errors if one["failure_type"] == "system_error"]
        assert not bugs, bugs
        for message in output.messages:
            match message:
                case {"type": "RECORD", "record": record}:
                    yield "row", record["stream"], {"deletedAt": None} | record["data"]
                case {"type": "STATE", "state": state}:
                    stream = state["stream"]
                    yield "state", stream["stream_descriptor"]["name"], stream["stream_state"]


def play(seeds: Sequence[int]) -> Iterator[tuple[int, list[str]]]:
    """Play histories, one after another: the seed of each, and what is wrong."""
    with ExitStack() as stack:
        forks = stack.enter_context(Forks(page_size=PAGE_SIZE))  # forked before there are threads
        served = stack.enter_context(Served())
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="soak")))
        source = Process(served, forks, directory)
        for seed in seeds:
            yield seed, History(plan(seed), source, doubtful, is_walked).play()


def main(arguments: Sequence[str] | None = None) -> int:
    """Play them and sum them up; 1 if one of them went wrong."""
    parser = argparse.ArgumentParser(prog="python -m integration_tests.soak", description=__doc__)
    parser.add_argument("--histories", type=int, default=500)
    parser.add_argument("--first-seed", type=int, default=0)
    given = parser.parse_args(arguments)
    started = said = time.monotonic()
    wrong = []
    seeds = range(given.first_seed, given.first_seed + given.histories)
    for number, (seed, found) in enumerate(play(seeds), 1):
        if found:
            wrong.append(seed)
            print(f"Seed {seed}: {'; '.join(found[:3])}", flush=True)
        if time.monotonic() - said > _EVERY:
            said = time.monotonic()
            print(f"{number:,} histories, {len(wrong)} wrong; {said - started:.0f} s", flush=True)
    print(f"{len(seeds):,} histories by process: {len(wrong)} wrong; {time.monotonic() - started:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
