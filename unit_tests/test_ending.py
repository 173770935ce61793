"""The end by a signal: what is printed before it, and that nothing holds it up."""

import json
import signal
import subprocess
import sys

import pytest

from source_linear.ending import GRACE

RECORDS = """
import os, signal
from airbyte_cdk.models import AirbyteMessage, AirbyteRecordMessage, Type
from source_linear.command import Printer
from source_linear.ending import ENDING

def messages():
    for number in range(3):
        record = AirbyteRecordMessage(stream="issues", data={"id": str(number)}, emitted_at=1)
        yield AirbyteMessage(type=Type.RECORD, record=record)
    os.kill(os.getpid(), signal.SIGTERM)
    raise AssertionError("it goes on")

ENDING.heed()
Printer().print(messages())
"""

HELD_UP = """
import os, signal, threading
from source_linear.ending import ENDING

def never_done():
    threading.Event().wait()

ENDING.heed()
ENDING.before = never_done
os.kill(os.getpid(), signal.SIGTERM)
"""

TWICE = """
import os, signal
from source_linear import ending

def impatient():
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGTERM)
    raise AssertionError("it goes on")

ending.GRACE = 3600
ending.ENDING.heed()
ending.ENDING.before = impatient
os.kill(os.getpid(), signal.SIGTERM)
"""

IGNORED = """
import os, signal
from source_linear.ending import ENDING
signal.signal(signal.SIGINT, signal.SIG_IGN)
ENDING.heed()
os.kill(os.getpid(), signal.SIGINT)
"""


def run(script):
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)


def test_records_that_wait_to_be_printed_are_printed_before_the_end():
    done = run(RECORDS)
    assert (done.returncode, done.stderr) == (-signal.SIGTERM, "")
    printed = [json.loads(line)["record"]["data"]["id"] for line in done.stdout.splitlines()]
    assert printed == ["0", "1", "2"]


@pytest.mark.parametrize("script", [HELD_UP, TWICE], ids=["once", "twice"])
def test_what_does_not_finish_ends_all_the_same(script):
    done = run(script)
    assert (done.returncode, done.stderr) == (-signal.SIGTERM, "")


def test_the_watch_leaves_room_within_two_seconds():
    assert GRACE <= 1.5


def test_a_signal_that_is_ignored_stays_ignored():
    done = run(IGNORED)
    assert (done.returncode, done.stderr) == (0, "")
