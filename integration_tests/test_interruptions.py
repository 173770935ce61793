"""Interrupted and disturbed syncs of the process that users run. (At any message: histories/.)"""

import array
import fcntl
import json
import os
import random
import signal
import subprocess
import sys
import termios
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from integration_tests.connector import Connector, Output
from integration_tests.expected import records
from integration_tests.histories import UNSTAMPED, Changes, Destination
from integration_tests.linear_api import Clock, LinearApi, Request
from tools.schemas import ROOT, streams

STREAMS = {stream.name: stream for stream in streams()}
NAMES = ["issues", "comments", "projects", "issue_relations", "issue_history", "issue_state_spans", "users"]

Catalog = Mapping[str, Any]
Interrupts = Callable[[Request, int], bool]


@pytest.fixture
def api(make_linear_api: Callable[..., LinearApi]) -> LinearApi:
    """A workspace whose clock stands still until it is moved."""
    api = make_linear_api(issues=300, seed=2, clock=Clock("2025-06-01T00:00:00Z"))
    api.clock.advance(2)
    return api


@pytest.fixture
def connector(api: LinearApi, make_connector: Callable[..., Connector]) -> Connector:
    return make_connector(api, reconcile_archived=True)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    with LinearApi(issues=1) as api:
        return Connector.of(api, tmp_path_factory.mktemp("catalog")).catalog(NAMES)


@dataclass
class Interrupted:
    """A read that a signal ended.

    Attributes:
        exit_code: of the process; negative if the signal itself ended it.
        output: the complete lines that it printed.
        rest: what it printed of one more line.
    """

    exit_code: int
    output: Output
    rest: bytes


def interrupted(
    api: LinearApi,
    connector: Connector,
    catalog: Catalog,
    number: signal.Signals,
    when: Interrupts,
    silence: float = 0.0,
) -> Interrupted:
    """Read from the beginning until `when` says yes to a request and the others have been silent for long."""
    asked: list[Request] = []
    last_request = 0.0

    def interrupt() -> None:
        while time.monotonic() < last_request + silence:
            time.sleep(0.05)
        os.kill(process.pid, number)

    def watch(request: Request, count: int) -> None:
        nonlocal last_request
        if not when(request, count):
            last_request = time.monotonic()
        elif not asked:
            asked.append(request)
            last_request = time.monotonic()
            threading.Thread(target=interrupt).start() if silence else interrupt()

    api.requests.clear()
    api.before_response(watch)
    process = subprocess.Popen(
        reading(connector, catalog), stdout=subprocess.PIPE, preexec_fn=lambda: heeds(number)
    )
    printed, _ = process.communicate(timeout=120)
    api.before_response(None)
    *lines, rest = printed.split(b"\n")
    output = Output(process.returncode, [json.loads(line) for line in lines], "")
    return Interrupted(process.returncode, output, rest)


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
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_an_interrupted_sync_and_the_next_one_bring_what_an_uninterrupted_one_would(
    api, connector, catalog, number, request_number
):
    first = interrupted(api, connector, catalog, number, lambda _, count: count == request_number)
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
    if number is signal.SIGTERM:
        assert first.rest == b""


@pytest.mark.parametrize("waits_for", ["an answer", "the rate limit", "Linear to recover"])
def test_sigterm_ends_a_sync_that_waits_with_all_that_was_read_printed(api, connector, catalog, waits_for):
    if waits_for == "an answer":
        api.faults.slow(60, root="users")
    elif waits_for == "the rate limit":
        api.faults.rate_limited(reset_seconds=3600, root="users", count=None)
    else:
        api.faults.html(503, root="users", count=None)

    def is_it(request: Request, number: int) -> bool:
        return "users" in request.roots

    done = interrupted(api, connector, catalog, signal.SIGTERM, is_it, silence=3)
    assert (done.exit_code, done.rest) == (-signal.SIGTERM, b"")
    assert done.output.records["users"] == []
    others = set(NAMES) - {"users"} if waits_for != "the rate limit" else set()  # for that all streams wait
    for name in others:
        assert len(done.output.records[name]) == len(records(api.workspace, STREAMS[name]))
        assert done.output.cursor(name) == api.clock.text


def heeds(number: signal.Signals) -> None:
    """A process in the background would ignore Ctrl-C, and so would its children."""
    if number is not signal.SIGKILL:
        signal.signal(number, signal.SIG_DFL)


def reading(connector: Connector, catalog: Catalog) -> list[str]:
    """The command that reads, its files written."""
    config, chosen = connector.directory / "config.json", connector.directory / "catalog.json"
    config.write_text(json.dumps(connector.config), "utf-8")
    chosen.write_text(json.dumps(catalog), "utf-8")
    return [*connector.command, "read", "--config", str(config), "--catalog", str(chosen)]


def test_a_read_ends_when_nobody_takes_what_it_prints(connector, catalog):
    command = reading(connector, catalog)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(20) == 1
        assert process.stderr.read() == b""


def test_a_read_ends_at_once_on_ctrl_c(api, connector, catalog):
    done = interrupted(api, connector, catalog, signal.SIGINT, lambda request, number: number == 20)
    assert done.exit_code == -signal.SIGINT


@pytest.fixture
def stuck(connector, catalog):
    """Starts a read whose output nobody takes: the pipe behind it is full; ends what is left of it."""
    started = []

    def start(number, *before):
        process = subprocess.Popen(
            [*before, *reading(connector, catalog)], stdout=subprocess.PIPE, preexec_fn=lambda: heeds(number)
        )
        started.append(process)
        size = fcntl.fcntl(process.stdout, fcntl.F_GETPIPE_SZ)
        waiting = array.array("i", [0])
        while waiting[0] < size // 2:  # the rest is too little for what comes next
            assert process.poll() is None
            fcntl.ioctl(process.stdout, termios.FIONREAD, waiting)
            os.sched_yield()
        return process

    yield start
    for process in started:
        process.kill()
        process.stdout.close()
        process.wait(60)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_ends_a_read_whose_output_nobody_takes(stuck, number):
    process = stuck(number)
    process.send_signal(number)
    assert process.wait(60) == -number


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may make a PID namespace")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_as_pid_1_a_signal_is_told_by_the_exit_code(stuck, number):
    process = stuck(number, "unshare", "--pid", "--fork", "--kill-child")
    (child,) = subprocess.check_output(["pgrep", "--parent", str(process.pid)]).split()
    os.kill(int(child), number)
    assert process.wait(60) == 128 + number


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_ends_a_check_that_waits_for_an_answer(api, connector, number):
    api.faults.slow(60, count=None)
    arrived = threading.Event()
    api.before_response(lambda request, count: arrived.set())
    config = connector.directory / "config.json"
    config.write_text(json.dumps(connector.config), "utf-8")
    process = subprocess.Popen(
        [*connector.command, "check", "--config", str(config)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: heeds(number),
    )
    assert arrived.wait(60)
    process.send_signal(number)
    _, told = process.communicate(timeout=60)
    assert (process.returncode, told) == (-number, b"")


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
    done = subprocess.run(reading(connector, catalog), capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert done.returncode == 1
    assert "Source exceeded memory limit" in done.stdout.splitlines()[-1]


def test_a_full_refresh_brings_every_row_once_while_the_workspace_changes_under_it(api, make_connector):
    connector = make_connector(api)
    changes = Changes(api.workspace, list(STREAMS.values()), random.Random(1))
    before = {name: records(api.workspace, stream) for name, stream in STREAMS.items()}

    def change(request: Request, number: int) -> None:
        if number > 1:
            changes.burst(3)
            api.clock.advance(0.5)

    catalog = connector.catalog(sync_mode="full_refresh")
    api.requests.clear()
    api.before_response(change)
    output = connector.read(catalog)
    api.before_response(None)
    assert output.exit_code == 0
    assert changes.count > len(STREAMS)
    for name, rows in before.items():
        times = Counter(record["id"] for record in output.records[name])
        assert {times[row_id] for row_id in rows} == {1}, name
        assert set(times.values()) == {1}, name
        after = records(api.workspace, STREAMS[name])
        for record in output.records[name]:
            row = rows.get(record["id"])
            if row == after[record["id"]]:
                assert record.keys() == row.keys()
                assert {column for column in row if record[column] != row[column]} <= {
                    *UNSTAMPED.get(name, ())
                }
