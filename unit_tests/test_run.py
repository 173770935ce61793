"""The command, before and after the CDK is imported."""

import ctypes
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import orjson
import pytest
from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.models import AirbyteMessage, AirbyteMessageSerializer, Type
from airbyte_cdk.utils.memory_monitor import MemoryMonitor

import source_linear
from source_linear.command import _read
from source_linear.messages import lines_of, message_of
from source_linear.source import SourceLinear
from source_linear.sync.sync import Rows, State

ROOT = Path(__file__).resolve().parent.parent


def test_spec_is_the_one_that_the_cdk_makes_of_the_manifest():
    command = [sys.executable, "-m", "source_linear.run", "spec"]
    printed = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    theirs = AirbyteMessage(type=Type.SPEC, spec=SourceLinear().spec(None))
    assert printed == json.loads(orjson.dumps(AirbyteMessageSerializer.dump(theirs)))


@pytest.mark.parametrize(
    "arguments", [["spec"], ["spec", "--debug"], ["check", "--config", "none.json"]], ids=" ".join
)
def test_a_command_that_nobody_reads_ends_without_a_word(arguments):
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "source_linear.run", *arguments]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")


def test_threads_take_memory_from_one_heap():
    """glibc's own report of its heaps; another libc has none to report."""
    if not hasattr(ctypes.CDLL(None), "malloc_info"):
        pytest.skip("this libc does not say which heaps it has")
    script = (
        "import ctypes, threading; from source_linear.run import share_one_heap; share_one_heap();"
        "libc = ctypes.CDLL(None); libc.malloc.restype = ctypes.c_void_p;"
        "threads = [threading.Thread(target=libc.malloc, args=(10_000,)) for _ in range(4)];"
        "[one.start() for one in threads]; [one.join() for one in threads];"
        "libc.fdopen.restype = ctypes.c_void_p; out = ctypes.c_void_p(libc.fdopen(1, b'w'));"
        "libc.malloc_info(0, out); libc.fflush(out)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.count("<heap nr=") == 1


def test_the_package_has_the_source_where_airbytes_tools_look_for_it():
    assert source_linear.SourceLinear is SourceLinear
    with pytest.raises(AttributeError, match="no attribute 'SourceLinea'"):
        _ = source_linear.SourceLinea


@pytest.mark.parametrize("arguments", [["spec"], ["check", "--config", "none.json"]], ids=" ".join)
def test_a_command_may_follow_two_dashes(arguments):
    command = [sys.executable, "-m", "source_linear.run"]
    plain, dashed = (
        subprocess.run([*command, *dashes, *arguments], capture_output=True, text=True)
        for dashes in ([], ["--"])
    )
    assert (dashed.returncode, dashed.stderr) == (plain.returncode, plain.stderr)
    assert [json.loads(line)["type"] for line in dashed.stdout.splitlines()] == [
        json.loads(line)["type"] for line in plain.stdout.splitlines()
    ]


def printed_without_the_cdk(*arguments):
    """What the command prints, which must not have imported the CDK for it."""
    script = f"""
import atexit, os, sys
from source_linear.run import main
atexit.register(lambda: os._exit(3) if "airbyte_cdk" in sys.modules else None)
main({list(arguments)!r})
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize("arguments", [["spec"], ["--help"], ["read", "--help"]], ids=" ".join)
def test_what_needs_no_cdk_does_without_it(arguments):
    assert printed_without_the_cdk(*arguments)


def test_the_version_is_the_packages():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert printed_without_the_cdk("--version") == f"source-linear {project['version']}\n"


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("spec", {"--help", "--debug"}),
        ("check", {"--help", "--debug", "--config"}),
        ("discover", {"--help", "--debug", "--config"}),
        ("read", {"--help", "--debug", "--config", "--catalog", "--state"}),
    ],
)
def test_a_command_has_no_option_that_does_nothing(command, options):
    assert set(re.findall(r"--\w[\w-]*", printed_without_the_cdk(command, "--help"))) == options


def test_a_command_that_there_is_not_is_named_with_those_that_there_are():
    command = [sys.executable, "-m", "source_linear.run", "write"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert "'write' (choose from" in done.stderr
    assert all(name in done.stderr for name in ("spec", "check", "discover", "read"))


def run_with(error, *arguments):
    """What the command prints where it meets with an error that nobody has thought of."""
    script = f"""
from airbyte_cdk.models import FailureType
from source_linear import command
from source_linear.arguments import parse
def fail(parsed):
    {error}
command._source = fail
command.run(parse({list(arguments)!r}))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


UNEXPECTED = "1 / 0"
PASSING = """raise command.AirbyteTracedException(
        message="It is down.", failure_type=FailureType.transient_error)"""


def test_a_check_that_meets_with_the_unexpected_ends_with_a_status():
    code, messages = run_with(UNEXPECTED, "check", "--config", "config.json")
    *_, error, status = messages
    assert code == 0
    assert (error["type"], error["trace"]["error"]["failure_type"]) == ("TRACE", "system_error")
    assert status["connectionStatus"]["status"] == "FAILED"
    assert "(ZeroDivisionError)" in status["connectionStatus"]["message"]


def test_a_check_that_fails_of_what_may_pass_ends_with_a_status():
    code, (error, status) = run_with(PASSING, "check", "--config", "config.json")
    assert code == 0
    assert error["trace"]["error"]["failure_type"] == "transient_error"
    assert status["connectionStatus"] == {"status": "FAILED", "message": "It is down."}


@pytest.mark.parametrize("error", [UNEXPECTED, PASSING])
def test_another_command_that_fails_has_no_status_but_an_exit_code(error):
    code, messages = run_with(error, "discover", "--config", "config.json")
    assert code == 1
    assert messages[-1]["type"] == "TRACE"
    assert "CONNECTION_STATUS" not in {message["type"] for message in messages}


def test_records_are_printed_as_the_cdk_would_print_them(monkeypatch):
    monkeypatch.setattr("time.time", lambda: 1_700_000_000.1239)
    first = {"id": "a", "title": None, "labelIds": ["b"], "reactions": [{"emoji": None}], "body": 'é"\n'}
    rows = Rows("issues", [first, {"id": "c"}])
    theirs = [orjson.dumps(AirbyteMessageSerializer.dump(one)) + b"\n" for one in message_of(rows)]
    assert lines_of(rows) == theirs


def test_a_read_counts_its_records_for_the_states_and_for_the_watch_over_the_memory(monkeypatch):
    watched = []
    monkeypatch.setattr(MemoryMonitor, "check_memory_usage", lambda self: watched.append(self))
    first, other = Rows("issues", [{"id": "a"}, {"id": "b"}]), Rows("users", [{"id": "c"}])
    state = State("issues", {"updatedAt": "2026-01-31T08:15:00.123Z"}, None)
    events = [first, other, state, Rows("issues", [{"id": "d"}]), state, state]
    printed = list(_read(AirbyteEntrypoint(SourceLinear()), events))
    assert [len(one) for one in printed if isinstance(one, list)] == [2, 1, 1]
    states = [one.state for one in printed if not isinstance(one, list)]
    assert [one.sourceStats.recordCount for one in states] == [2.0, 1.0, 0.0]
    assert len(watched) == 4
