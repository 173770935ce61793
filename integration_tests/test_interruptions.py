"""Interrupted and disturbed syncs of the process that users run. (At any message: unit_tests/world/.)"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from integration_tests.connector import Connector, Output
from integration_tests.expected import records
from integration_tests.histories import Destination
from integration_tests.linear_api import Clock, LinearApi, Request
from integration_tests.processes import HANG, SIGNALS, as_pid_1, process
from tools.schemas import ROOT, streams

pytestmark = pytest.mark.processes

STREAMS = {stream.name: stream for stream in streams()}
NAMES = ["issues", "comments", "projects", "issue_relations", "issue_history", "issue_state_spans", "users"]
LONG = 1_000_000  # characters, more than any pipe holds

Catalog = Mapping[str, Any]


@pytest.fixture
def api(make_linear_api: Callable[..., LinearApi]) -> LinearApi:
    """A workspace whose clock stands still until it is moved."""
    api = make_linear_api(issues=300, seed=2, clock=Clock("2025-06-01T00:00:00Z"))
    api.clock.advance(2)
    return api


@pytest.fixture
def connector(api: LinearApi, make_connector: Callable[..., Connector]) -> Connector:
    return make_connector(api, detect_deletions="each sync")


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    with LinearApi(issues=1) as api:
        return Connector.of(api, tmp_path_factory.mktemp("catalog")).catalog(NAMES)


@dataclass
class Interrupted:
    """A command that a signal ended.

    Attributes:
        exit_code: of the process; negative if the signal itself ended it.
        output: the complete lines that it printed.
        rest: what it printed of one more line.
    """

    exit_code: int
    output: Output
    rest: bytes

    @classmethod
    def of(cls, ended: "subprocess.Popen[bytes]", printed: bytes = b"") -> "Interrupted":
        """What became of a process, after what was read of it already, once it has ended."""
        more = ended.stdout.read()
        ended.wait(HANG)
        assert ended.stderr.read() == b""
        *lines, rest = (printed + more).split(b"\n")
        output = Output(ended.returncode, [json.loads(line) for line in lines], "")
        return cls(ended.returncode, output, rest)


def command(connector: Connector, name: str, catalog: Catalog | None = None) -> list[str]:
    """The command line of a command, its files written."""
    files = {"catalog": catalog} if catalog else {}
    return [*connector.command, *connector.arguments(name, **files)]


def interrupted(
    api: LinearApi, arguments: list[str], number: int, when: Callable[[Request, int], bool]
) -> Interrupted:
    """Send a signal to a command while it waits for the first answer of which `when` says so."""
    sent: list[Request] = []

    def watch(request: Request, count: int) -> None:
        if when(request, count) and not sent:
            sent.append(request)
            os.kill(started.pid, number)

    api.requests.clear()
    api.before_response(watch)
    with process(arguments, ROOT) as started:
        done = Interrupted.of(started)
    api.before_response(None)
    assert sent
    return done


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "request_number"),
    [
        (signal.SIGKILL, 1),
        (signal.SIGKILL, 3),
        (signal.SIGKILL, 9),
        (signal.SIGKILL, 20),
        (signal.SIGKILL, 40),
        (signal.SIGTERM, 1),
        (signal.SIGTERM, 20),
        (signal.SIGINT, 20),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_an_interrupted_sync_and_the_next_one_bring_what_an_uninterrupted_one_would(
    api, connector, catalog, number, request_number
):
    first = interrupted(
        api, command(connector, "read", catalog), number, lambda _, count: count == request_number
    )
    api.clock.advance(60)
    for name in NAMES:
        entity = STREAMS[name].roots[0].entity
        api.workspace.update(entity, api.workspace.ids(entity)[0])
        api.workspace.archive(entity, api.workspace.ids(entity, archived=False)[-1])
    api.clock.advance(60)
    second = connector.read(catalog, first.output.last_states)

    assert first.exit_code == -number
    assert second.exit_code == 0
    destination = Destination(STREAMS)
    for output in (first.output, second):
        for name in NAMES:
            for record in output.records[name]:
                destination.write(name, record)
    for name in NAMES:
        assert destination.rows(name) == records(api.workspace, STREAMS[name])
    if number is not signal.SIGKILL:
        assert first.rest == b""


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
@pytest.mark.parametrize("name", ["check", "read"])
def test_a_command_that_waits_for_an_answer_ends_of_the_signal(api, connector, catalog, name, number):
    api.faults.slow(2 * HANG)
    arguments = command(connector, name, catalog if name == "read" else None)
    done = interrupted(api, arguments, number, lambda request, count: True)
    assert (done.exit_code, done.rest) == (-number, b"")
    assert "CONNECTION_STATUS" not in {message["type"] for message in done.output.messages}


def until(lines: Callable[[], bytes], *said: bytes) -> bytes:
    """What a command prints until it has said all of this."""
    printed, missing = b"", set(said)
    while missing:
        line = lines()
        assert line, f"it ended without {missing}"
        printed += line
        missing -= {text for text in missing if text in line}
    return printed


def test_a_command_that_waits_for_the_rate_limit_ends_of_the_signal(api, connector, catalog):
    api.faults.rate_limited(reset_seconds=3600, root="users", count=None)
    with process(command(connector, "read", catalog), ROOT) as started:
        printed = until(started.stdout.readline, b"waiting until")
        started.terminate()
        done = Interrupted.of(started, printed)
    assert (done.exit_code, done.rest) == (-signal.SIGTERM, b"")
    assert done.output.records["users"] == []


@pytest.mark.slow
def test_a_stream_that_waits_for_linear_to_recover_ends_with_all_others_printed(api, connector, catalog):
    api.faults.html(503, root="users", count=None)
    others = set(NAMES) - {"users"}
    complete = [f'"name":"{name}"}},"status":"COMPLETE"'.encode() for name in others]
    with process(command(connector, "read", catalog), ROOT) as started:
        printed = until(started.stdout.readline, b"Trying again in", *complete)
        started.terminate()
        done = Interrupted.of(started, printed)
    assert (done.exit_code, done.rest) == (-signal.SIGTERM, b"")
    assert done.output.records["users"] == []
    for name in others:
        assert len(done.output.records[name]) == len(records(api.workspace, STREAMS[name]))
        assert done.output.cursor(name) == api.clock.text


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_read_ends_of_the_signal_while_nobody_reads_what_it_prints(api, connector, catalog, number):
    issue = api.workspace.ids("Issue")[0]
    api.workspace.update("Issue", issue, description=LONG * "x")
    api.clock.advance(60)
    with process(command(connector, "read", catalog), ROOT) as started:
        until(
            lambda: started.stdout.read(1000), 1000 * b"x"
        )  # the rest of the line does not fit into the pipe
        started.send_signal(number)
        assert started.wait(HANG) == -number
        assert started.stderr.read() == b""


def test_a_discover_ends_of_the_signal_while_nobody_reads_what_it_prints(connector):
    with process(command(connector, "discover"), ROOT) as started:
        until(lambda: started.stdout.read(1), b"C")  # of CATALOG: a line that does not fit into the pipe
        started.terminate()
        assert started.wait(HANG) == -signal.SIGTERM
        assert started.stderr.read() == b""


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_read_as_pid_1_ends_with_the_code_that_shells_have_for_the_signal(api, connector, catalog, number):
    api.faults.rate_limited(reset_seconds=3600, count=None)
    with process(as_pid_1(command(connector, "read", catalog)), ROOT) as started:
        printed = until(started.stdout.readline, b"waiting until")
        children = Path(f"/proc/{started.pid}/task/{started.pid}/children")
        (child,) = children.read_text().split()
        os.kill(int(child), number)
        done = Interrupted.of(started, printed)
    assert (done.exit_code, done.rest) == (128 + number, b"")


def test_a_read_ends_when_nobody_takes_what_it_prints(connector, catalog):
    with process(command(connector, "read", catalog), ROOT) as started:
        started.stdout.readline()
        started.stdout.close()
        assert started.wait(HANG) == 1
        assert started.stderr.read() == b""


OUT_OF_MEMORY = """
import sys
from airbyte_cdk import entrypoint
from airbyte_cdk.utils.traced_exception import AirbyteTracedException
looks = iter(range(500))
def check_memory_usage(self):
    if next(looks, None) is None:
        raise AirbyteTracedException(message="Source exceeded memory limit")
entrypoint.MemoryMonitor.check_memory_usage = check_memory_usage
from source_linear.run import main
main(sys.argv[1:])
"""


def test_a_read_that_fails_as_a_whole_ends_though_its_threads_still_read(connector, catalog):
    connector.command = [sys.executable, "-c", OUT_OF_MEMORY]
    done = subprocess.run(
        command(connector, "read", catalog), capture_output=True, text=True, timeout=60, cwd=ROOT
    )
    assert done.returncode == 1
    assert "Source exceeded memory limit" in done.stdout.splitlines()[-1]
