"""The end by a signal, of processes that do nothing but wait for it."""

import signal

import pytest

from integration_tests.processes import HANG, SIGNALS, as_pid_1, process, python
from source_linear.ending import GRACE

WAITING = """
from source_linear.ending import ENDING
from threading import Event
with ENDING:
    {before}
    print("ready", flush=True)
    {waits}
"""
FOR_EVER = "Event().wait()"
# A call that no signal ends, as some that resolve a name; its shell ends with the test.
IN_C = """
from ctypes import CDLL
from source_linear.ending import ENDING
with ENDING:
    CDLL(None).system(b"exec 2>&-; echo ready; exec 1>&-; read line")
"""


def ends(script: str, number: int) -> int:
    """How a process ends that is sent a signal when it says that it is ready."""
    with process(python(script)) as started:
        assert b"ready" in started.stdout.readline()
        started.send_signal(number)
        code = started.wait(HANG)
        assert started.stderr.read() == b""
    return code


def test_the_grace_leaves_a_margin_within_two_seconds():
    assert GRACE <= 1.5


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_process_ends_of_the_signal_itself(number):
    assert ends(WAITING.format(before="", waits=FOR_EVER), number) == -number


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_pid_1_ends_with_the_code_that_shells_have_for_the_signal(number):
    sends_it = f"import os; assert os.getpid() == 1; os.kill(1, {int(number)}); {FOR_EVER}"
    with process(as_pid_1(python(WAITING.format(before="", waits=sends_it)))) as started:
        printed, said = started.communicate(timeout=HANG)
    assert (started.returncode, printed, said) == (128 + number, b"ready\n", b"")


def test_a_main_thread_that_does_not_come_back_holds_nothing_up():
    assert ends(IN_C, signal.SIGTERM) == -signal.SIGTERM


def test_what_must_not_be_cut_is_completed_first():
    before = 'ENDING.finish = lambda: print("whole", flush=True)'
    with process(python(WAITING.format(before=before, waits=FOR_EVER))) as started:
        assert started.stdout.readline() == b"ready\n"
        started.terminate()
        assert started.stdout.read() == b"whole\n"
        assert started.wait(HANG) == -signal.SIGTERM


@pytest.mark.parametrize("finish", ["Event().wait", "lambda: (_ for _ in ()).throw(BrokenPipeError())"])
def test_what_cannot_be_completed_is_left(finish):
    script = WAITING.format(before=f"ENDING.finish = {finish}", waits=FOR_EVER)
    assert ends(script, signal.SIGTERM) == -signal.SIGTERM


def test_a_signal_that_was_ignored_stays_ignored():
    ignored = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
    sends_it = f"import os; os.kill(os.getpid(), signal.SIGINT); print('still there', flush=True); {FOR_EVER}"
    with process(python(ignored + WAITING.format(before="", waits=sends_it))) as started:
        assert [started.stdout.readline() for _ in range(2)] == [b"ready\n", b"still there\n"]
        started.terminate()
        assert started.wait(HANG) == -signal.SIGTERM


def test_a_process_that_is_done_is_ended_by_a_signal_as_any_other():
    done = WAITING.format(before="pass", waits="pass") + f'\nprint("done", flush=True); {FOR_EVER}'
    with process(python(done)) as started:
        assert [started.stdout.readline() for _ in range(2)] == [b"ready\n", b"done\n"]
        started.terminate()
        assert started.wait(HANG) == -signal.SIGTERM


# Importing the CDK takes a second; here it never comes to an end.
STARTING = """
import os, sys
from threading import Event
class Never:
    def find_spec(self, name, path, target=None):
        if name == "airbyte_cdk":
            {starting}
            Event().wait()
sys.meta_path.insert(0, Never())
from source_linear.run import main
main(["discover", "--config", "none.json"])
"""


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_command_that_is_starting_ends_of_the_signal(number):
    assert ends(STARTING.format(starting='print("ready", flush=True)'), number) == -number


def test_a_command_that_is_starting_as_pid_1_ends_by_the_code():
    with process(as_pid_1(python(STARTING.format(starting="os.kill(1, 15)")))) as started:
        printed, said = started.communicate(timeout=HANG)
    assert (started.returncode, printed, said) == (143, b"", b"")
