"""Processes that a test sends signals to."""

import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import pytest

from integration_tests.figures import note

HANG = 60  # seconds after which a process that should have ended by itself is said to hang
SIGNALS = [signal.SIGTERM, signal.SIGINT]


@contextmanager
def process(command: Sequence[str], cwd: Path | None = None) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that heeds the signals; killed where it still runs when the block is left."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=pipe, cwd=cwd, preexec_fn=_heed
    ) as started:
        try:
            yield started
        finally:
            started.kill()


def python(script: str) -> list[str]:
    """The command that runs a script."""
    return [sys.executable, "-c", script]


def as_pid_1(command: Sequence[str]) -> list[str]:
    """The command that runs another one as PID 1; skips the test where that is not allowed."""
    if not _unshare():
        note("SKIPPED: no PID namespace can be made here, the end as PID 1 is NOT tested")
        pytest.skip("no PID namespace can be made here (unshare --pid)")
    return [*_unshare(), *command]


@cache
def _unshare() -> list[str]:
    for rights in ([], ["--user", "--map-root-user"]):
        prefix = ["unshare", *rights, "--pid", "--fork", "--kill-child"]
        try:
            if subprocess.run([*prefix, "true"], capture_output=True).returncode == 0:
                return prefix
        except FileNotFoundError:
            break
    return []


@cache
def namespace() -> list[str]:
    """What a command needs before it to have mounts of its own; [] where that is not allowed."""
    for rights in ([], ["--user", "--map-root-user"]):
        prefix = ["unshare", *rights, "--mount"]
        with suppress(FileNotFoundError):
            probe = [*prefix, "mount", "-t", "tmpfs", "none", "/mnt"]
            if subprocess.run(probe, capture_output=True).returncode == 0:
                return prefix
    return []


def _heed() -> None:
    """A process in the background ignores Ctrl-C, and so would its children."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
