"""Processes, measured from outside: seconds, CPU, memory, records."""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_RECORD = b'"type":"RECORD"'
_CHUNK = 1 << 20
_LOOK_AT_MEMORY_EVERY = 0.02  # seconds


@dataclass(frozen=True)
class Run:
    """What one process did.

    Attributes:
        seconds: from its start to its exit.
        first_record: seconds until it printed the first record; all of them, where it printed none.
        cpu: seconds of CPU, of all its threads.
        peak: bytes of memory at most.
        records: how many records it printed.
    """

    seconds: float
    first_record: float
    cpu: float
    peak: int
    records: int

    @property
    def rate(self) -> float:
        """Records a second, start-up included."""
        return self.records / self.seconds

    @property
    def reading_rate(self) -> float:
        """Records a second from the first record on."""
        return self.records / (self.seconds - self.first_record)


def run(command: Sequence[str], timeout: float = 600, environment: dict[str, str] | None = None) -> Run:
    """Run a command; what it prints goes through a pipe, as to Airbyte, and is counted.

    Raises:
        RuntimeError: it failed, or took longer than `timeout` seconds.
    """
    with tempfile.TemporaryFile() as errors:
        started = time.monotonic()
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
        )
        assert process.stdout is not None
        watchdog = threading.Timer(timeout, process.kill)
        watchdog.start()
        records, peak, looked, tail = 0, 0, 0.0, b""
        first_record = None
        while chunk := os.read(process.stdout.fileno(), _CHUNK):
            joined = tail + chunk
            found = joined.count(_RECORD)
            now = time.monotonic()
            if found and first_record is None:
                first_record = now - started
            records += found
            tail = chunk[1 - len(_RECORD) :]
            if now - looked > _LOOK_AT_MEMORY_EVERY:
                peak, looked = peak_of(process.pid) or peak, now
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        watchdog.cancel()
        process.stdout.close()
        if process.returncode:
            errors.seek(0)
            text = errors.read().decode()[-2000:] + joined.decode(errors="replace")[-2000:]
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{text}")
    unit = 1 if sys.platform == "darwin" else 1024
    return Run(
        seconds=seconds,
        first_record=seconds if first_record is None else first_record,
        cpu=usage.ru_utime + usage.ru_stime,
        peak=peak or usage.ru_maxrss * unit,
        records=records,
    )


def python(*arguments: str) -> list[str]:
    """The command that runs Python with these arguments."""
    return [sys.executable, *arguments]


@contextmanager
def server(*arguments: str) -> Iterator[dict[str, str]]:
    """A server in a process of its own; gives what it printed when it was ready."""
    process = subprocess.Popen(python(*arguments), stdout=subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def peak_of(pid: int) -> int | None:
    """Bytes of memory of a process at its peak, or None where /proc does not tell.

    Not `ru_maxrss`: it begins with the parent's memory.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text("utf-8")
    except OSError:
        return None
    return next(
        (int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM")), None
    )
