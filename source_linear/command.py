"""The commands `check`, `discover` and `read`, and `spec` with whatever options there are."""

import argparse
import gc
import logging
import os
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import orjson
from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.exception_handler import init_uncaught_exception_handler
from airbyte_cdk.logger import PRINT_BUFFER
from airbyte_cdk.models import (
    AirbyteConnectionStatus,
    AirbyteMessage,
    AirbyteMessageSerializer,
    Status,
    Type,
)
from airbyte_cdk.sources.connector_state_manager import HashableStreamDescriptor
from airbyte_cdk.utils.airbyte_secrets_utils import filter_secrets
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_linear import cdk
from source_linear.catalog import read_catalog
from source_linear.config import read_config, unknown_options
from source_linear.ending import ENDING, GRACE
from source_linear.messages import lines_of, message_of
from source_linear.source import SourceLinear
from source_linear.state import read_states
from source_linear.sync.sync import Event, Rows

Printed = AirbyteMessage | list[bytes]  # or the lines of many records
# A write lets the reading threads run, and takes long to come back: better few than many.
_PRINTED_AT_ONCE = 256 * 1024  # bytes
_COLLECTED_AFTER = 50_000  # objects
_INTERRUPTED_EVERY = 0.02  # seconds


class Printer:
    """Prints messages as lines on stdout, many at a time; a signal ends the process between two of them.

    What was read and not yet covered by a printed state is read again by the next sync.
    """

    def __init__(self) -> None:
        self._lines: list[bytes] = []
        self._size = 0
        self._ending = False
        ENDING.finish = self._finish

    def print(self, messages: Iterable[Printed]) -> None:
        """Print each message; records may wait for others, everything else is printed at once."""
        try:
            for message in messages:
                if isinstance(message, list):
                    self._lines += message
                    self._size += sum(map(len, message))
                else:
                    plain = AirbyteMessageSerializer.dump(message)
                    self._lines.append(orjson.dumps(plain, option=orjson.OPT_APPEND_NEWLINE))
                if self._size > _PRINTED_AT_ONCE or not isinstance(message, list):
                    self._flush()
        finally:
            self._flush()

    def _flush(self) -> None:
        with PRINT_BUFFER.lock:  # the logger prints from other threads: never into one of our lines
            lines, self._lines, self._size = b"".join(self._lines), [], 0
            self._write(lines)
        if self._ending:
            threading.Event().wait()  # for the end: a state after what was left out would be wrong

    def _write(self, lines: bytes) -> None:
        """Write lines; no further one than the current as soon as the process is to end."""
        written, end = 0, len(lines)
        while written < end:
            written += os.write(sys.stdout.fileno(), memoryview(lines)[written:end])
            if self._ending:
                end = lines.find(b"\n", written - 1) + 1

    def _finish(self) -> None:
        """Complete the line that is being printed, print what waits as far as it is read, then no more."""
        self._ending = True
        last_line_until = time.monotonic() + GRACE / 2  # so that the last one has as long again
        while not PRINT_BUFFER.lock.acquire(timeout=_INTERRUPTED_EVERY):  # and kept: nobody prints after this
            ENDING.interrupt()
        sys.stdout.flush()
        for line in self._lines:
            if time.monotonic() > last_line_until:
                break
            self._write(line)


def run(parsed: argparse.Namespace) -> None:
    """Run one command as `source_linear.run.main` says; it was told what `arguments.parse` says."""
    logging.raiseExceptions = False  # of a log that nobody reads any more
    if sys.stderr.isatty() and not sys.stdout.isatty():
        _tell_the_terminal()
    init_uncaught_exception_handler(logging.getLogger("airbyte"))
    printer = Printer()
    try:
        source = _source(parsed)
        # Reading makes no cycles, but each collection would walk all the rows that wait.
        gc.freeze()
        gc.set_threshold(_COLLECTED_AFTER)
        printer.print(_messages(parsed, source))
    except AirbyteTracedException as error:
        printer.print([error.as_sanitized_airbyte_message()])
        _fail(parsed.command, printer, error.message or str(error))
    except BrokenPipeError:  # not an error of this command: `main` ends it
        raise
    except Exception as error:
        sys.excepthook(*sys.exc_info())
        sys.stdout.flush()
        kind = type(error).__name__
        _fail(
            parsed.command,
            printer,
            f"An unexpected error ({kind}). This is a bug of source-linear: please report it with the log.",
        )


class _Sentence(logging.Formatter):
    """A message for people: its sentence, without secrets, and its level where that matters."""

    def format(self, record: logging.LogRecord) -> str:
        level = f"{record.levelname}: " if record.levelno >= logging.WARNING else ""
        return filter_secrets(f"{level}{record.getMessage()}")


def _tell_the_terminal() -> None:
    """Print the log to stderr, too: stdout goes to a file or another program, and somebody waits."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Sentence())
    logging.getLogger("airbyte").addHandler(handler)


def _fail(command: str, printer: Printer, message: str) -> None:
    """End a command that failed. A check that did has done its work: its status is the answer."""
    if command != "check":
        _leave(1)
    status = AirbyteConnectionStatus(status=Status.FAILED, message=filter_secrets(message))
    printer.print([AirbyteMessage(type=Type.CONNECTION_STATUS, connectionStatus=status)])


def _leave(code: int) -> NoReturn:
    """End the process, without the threads that still read: they wait for someone to take their rows."""
    with suppress(OSError):
        logging.shutdown()
        sys.stderr.flush()
        sys.stdout.flush()
    os._exit(code)


def _read(entrypoint: AirbyteEntrypoint, events: Iterable[Event]) -> Iterator[Printed]:
    """What a read prints: as the entrypoint's own `read`, but records by the page."""
    memory, counts = cdk.memory_monitor_of(entrypoint), defaultdict[HashableStreamDescriptor, float](float)
    for event in events:
        if isinstance(event, Rows):
            counts[HashableStreamDescriptor(name=event.stream)] += len(event.records)
            yield lines_of(event)
            for _ in event.records:  # it counts them
                memory.check_memory_usage()
        else:
            for message in message_of(event):
                yield entrypoint.handle_record_counts(message, counts)


def _messages(parsed: argparse.Namespace, source: SourceLinear) -> Iterator[Printed]:
    """What one command prints. The entrypoint's own loop prints each record by itself, as text."""
    entrypoint = AirbyteEntrypoint(source)
    logger = logging.getLogger("airbyte")
    logger.setLevel(logging.DEBUG if parsed.debug else logging.INFO)
    source.logger.setLevel(logger.level)
    specification = source.spec(logger)
    if parsed.command == "spec":
        yield AirbyteMessage(type=Type.SPEC, spec=specification)
        return
    config = source.configure({}, "")  # no file is read again: it may be a pipe
    if parsed.command == "discover":
        yield from entrypoint.discover(specification, config)
        return
    unknown = unknown_options(config, specification.connectionSpecification)
    for sentence in unknown:
        logger.warning(sentence)
    if parsed.command == "read":
        entrypoint.set_up_secret_filter(config, specification.connectionSpecification)
        yield from _read(entrypoint, source.events())
        return
    for message in entrypoint.check(specification, config):
        status = message.connectionStatus
        if unknown and status and status.status is Status.SUCCEEDED:
            status.message = " ".join([*unknown, *([status.message] if status.message else [])])
        yield message


def _source(parsed: argparse.Namespace) -> SourceLinear:
    config, catalog, state = (getattr(parsed, name, None) for name in ("config", "catalog", "state"))
    return SourceLinear(
        catalog=None if catalog is None else read_catalog(catalog),
        config=None if config is None else read_config(config),
        state=read_states(state) if state else None,
        config_path=config if config and Path(config).is_file() else None,
    )
