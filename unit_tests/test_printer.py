"""What is printed of a command that a signal ends, as far as anybody reads."""

import json
import signal

import pytest

from integration_tests.processes import HANG, process, python
from source_linear.command import Printer
from source_linear.ending import ENDING

PRINTING = """
from threading import Event
from airbyte_cdk.models import AirbyteLogMessage, AirbyteMessage, Level, Type
from source_linear import command, ending
from source_linear.messages import lines_of
from source_linear.sync.sync import Rows
{patch}
def record(text):
    return lines_of(Rows("issues", [{{"title": text}}]))
def log(text):
    return AirbyteMessage(type=Type.LOG, log=AirbyteLogMessage(level=Level.INFO, message=text))
def messages():
    {messages}
    Event().wait()
with ending.ENDING:
    command.Printer().print(messages())
"""
PATIENT = "ending.GRACE = 60"  # for a machine that is slow to read
LONG = 1_000_000  # bytes, more than any pipe holds: who reads the first of them reads while it is written
LINE = 4_000


def titles(printed: bytes) -> list[str]:
    return [json.loads(line)["record"]["data"]["title"] for line in printed.splitlines()]


def test_rows_that_wait_are_printed_at_the_end():
    messages = """
    yield log("ready")
    yield record("one")
    yield record("two")
    import os; os.kill(os.getpid(), 15)
"""
    with process(python(PRINTING.format(patch=PATIENT, messages=messages.strip()))) as started:
        assert b"ready" in started.stdout.readline()
        assert titles(started.stdout.read()) == ["one", "two"]
        assert started.wait(HANG) == -signal.SIGTERM


def test_a_line_that_nobody_reads_to_its_end_holds_nothing_up():
    script = PRINTING.format(patch="", messages=f"yield record({LONG} * 'x')")
    with process(python(script)) as started:
        assert started.stdout.read(1) == b"{"
        started.terminate()
        assert started.wait(HANG) == -signal.SIGTERM
        assert started.stderr.read() == b""


def test_a_line_that_is_read_is_completed():
    script = PRINTING.format(patch=PATIENT, messages=f"yield record({LONG} * 'x')")
    with process(python(script)) as started:
        begin = started.stdout.read(1)
        started.terminate()
        assert titles(begin + started.stdout.read()) == [LONG * "x"]
        assert started.wait(HANG) == -signal.SIGTERM


def test_no_further_line_is_begun_for_a_reader_that_is_slow():
    patch = f"""{PATIENT}
command._PRINTED_AT_ONCE = {LONG}
def interrupt(interrupt=ending.ENDING.interrupt):
    interrupt()
    print("interrupted", file=command.sys.stderr, flush=True)
ending.ENDING.interrupt = interrupt
"""
    messages = f"yield from (record(str(number).zfill({LINE})) for number in range({LONG // LINE}))"
    with process(python(PRINTING.format(patch=patch, messages=messages))) as started:
        begin = started.stdout.read(1)
        started.terminate()
        assert started.stderr.readline() == b"interrupted\n"
        printed = titles(begin + started.stdout.read())
        assert started.wait(HANG) == -signal.SIGTERM
    assert [int(title) for title in printed] == list(range(len(printed)))
    assert 0 < len(printed) < LONG // LINE / 2


@pytest.mark.parametrize(
    ("written", "printed"),
    [(3, b"first\n"), (5, b"first\n"), (6, b"first\n"), (7, b"first\nsecond\n"), (13, b"first\nsecond\n")],
)
def test_a_write_that_the_end_interrupts_goes_on_to_the_end_of_its_line(monkeypatch, written, printed):
    sizes = iter([written, 2, 100])
    pieces = []

    def write(descriptor, data):
        pieces.append(bytes(data[: next(sizes)]))
        printer._ending = True
        return len(pieces[-1])

    monkeypatch.setattr(ENDING, "finish", None)
    printer = Printer()
    monkeypatch.setattr("source_linear.command.os.write", write)
    printer._write(b"first\nsecond\nthird\n")
    assert b"".join(pieces) == printed
