"""The commands `check`, `discover` and `read`, and `spec` with whatever options there are."""

import argparse
import gc
import logging
import os
import signal
import sys
import types
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, NoReturn

import orjson
from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.exception_handler import init_uncaught_exception_handler
from airbyte_cdk.logger import PRINT_BUFFER
from airbyte_cdk.models import (
    AirbyteMessage,
    AirbyteMessageSerializer,
    AirbyteStateMessage,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteCatalogSerializer,
    FailureType,
    Type,
)
from airbyte_cdk.sources.source import Source
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_linear.config import config_error, read_json
from source_linear.source import SourceLinear

_ENDING = (signal.SIGTERM, signal.SIGINT)
# A write lets the reading threads run, and takes long to come back: better few than many.
_PRINTED_AT_ONCE = 256 * 1024  # bytes
_COLLECTED_AFTER = 50_000  # objects


class Printer:
    """Prints messages as lines on stdout, many at a time, and ends the process at once on SIGTERM and Ctrl-C.

    Never inside a line: what is printed is complete. What was read and not yet covered by a printed
    state is read again by the next sync.
    """

    def __init__(self) -> None:
        self._lines: list[bytes] = []
        self._size = 0
        self._printing = False
        self._exit_code = 0
        for number in _ENDING:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as in the background
                signal.signal(number, self._terminate)

    def print(self, messages: Iterable[AirbyteMessage]) -> None:
        """Print each message; a record may wait for others, everything else is printed at once."""
        try:
            for message in messages:
                line = orjson.dumps(_plain(message), option=orjson.OPT_APPEND_NEWLINE)
                self._lines.append(line)
                self._size += len(line)
                if self._size > _PRINTED_AT_ONCE or message.type is not Type.RECORD:
                    self._flush()
        finally:
            self._flush()

    def _flush(self) -> None:
        self._printing = True
        lines, self._lines, self._size = b"".join(self._lines), [], 0
        with PRINT_BUFFER.lock:  # the logger prints from other threads: never into one of our lines
            while lines:
                lines = lines[os.write(sys.stdout.fileno(), lines) :]
        self._printing = False
        if self._exit_code:
            os._exit(self._exit_code)

    def _terminate(self, number: int, frame: types.FrameType | None) -> None:
        self._exit_code = 128 + number
        if not self._printing:
            self._flush()  # and out, without waiting for the threads that are still reading


def _plain(message: AirbyteMessage) -> Any:
    """What the CDK's serializer makes of a message, nulls left out; for a record it takes longer."""
    if record := message.record:
        data = {name: value for name, value in record.data.items() if value is not None}
        plain = {"stream": record.stream, "data": data, "emitted_at": record.emitted_at}
        return {"type": "RECORD", "record": plain}
    return AirbyteMessageSerializer.dump(message)


def run(arguments: list[str]) -> None:
    """Run one command as `source_linear.run.main` says."""
    logging.raiseExceptions = False  # of a log that nobody reads any more
    init_uncaught_exception_handler(logging.getLogger("airbyte"))
    parsed = AirbyteEntrypoint.parse_args(arguments)
    if not parsed.command:
        AirbyteEntrypoint.parse_args(["--help"])
    printer = Printer()
    try:
        source = _source(arguments)
        # Reading makes no cycles, but each collection would walk all the rows that wait.
        gc.freeze()
        gc.set_threshold(_COLLECTED_AFTER)
        printer.print(_messages(parsed, source))
    except AirbyteTracedException as error:
        messages = [error.as_sanitized_airbyte_message()]
        failed_check = parsed.command == "check" and error.failure_type is FailureType.config_error
        if failed_check and (status := error.as_connection_status_message()):
            messages.append(status)
        printer.print(messages)
        if not failed_check:
            _leave(1)
    except BrokenPipeError:  # whoever read the output has enough
        _leave(1)
    except Exception:
        sys.excepthook(*sys.exc_info())
        _leave(1)


def _leave(code: int) -> NoReturn:
    """End the process, without the threads that still read: they wait for someone to take their rows."""
    with suppress(OSError):
        logging.shutdown()
        sys.stderr.flush()
        sys.stdout.flush()
    os._exit(code)


def _messages(parsed: argparse.Namespace, source: SourceLinear) -> Iterator[AirbyteMessage]:
    """The messages of one command. The entrypoint's own loop prints each record by itself, as text."""
    entrypoint = AirbyteEntrypoint(source)
    logger = logging.getLogger("airbyte")
    logger.setLevel(logging.DEBUG if parsed.debug else logging.INFO)
    source.logger.setLevel(logger.level)
    specification = source.spec(logger)
    if parsed.command == "spec":
        yield AirbyteMessage(type=Type.SPEC, spec=specification)
        return
    config = source.configure(source.read_config(parsed.config), "")
    try:
        if parsed.command == "check":
            yield from entrypoint.check(specification, config)
        elif parsed.command == "discover":
            yield from entrypoint.discover(specification, config)
        else:
            catalog = source.read_catalog(parsed.catalog)
            yield from entrypoint.read(specification, config, catalog, source.read_state(parsed.state))
    finally:
        yield from entrypoint._emit_queued_messages(source)


def _source(arguments: list[str]) -> SourceLinear:
    config_path = AirbyteEntrypoint.extract_config(arguments)
    return SourceLinear(
        catalog=_catalog(AirbyteEntrypoint.extract_catalog(arguments)),
        config=read_json(config_path, "--config") if config_path else None,
        state=_state(AirbyteEntrypoint.extract_state(arguments)),
        config_path=config_path,
    )


def _catalog(path: str | None) -> ConfiguredAirbyteCatalog | None:
    if path is None:
        return None
    document = read_json(path, "--catalog")
    try:
        return ConfiguredAirbyteCatalogSerializer.load(document)
    except Exception:
        raise config_error(
            f"--catalog: {path} is not a configured catalog. Make one from what discover prints."
        ) from None


def _state(path: str | None) -> list[AirbyteStateMessage]:
    if path is None:
        return []
    read_json(path, "--state")
    try:
        return list(Source.read_state(path))
    except Exception:
        raise config_error(
            f"--state: {path} is not a list of state messages as an earlier read printed them."
        ) from None
