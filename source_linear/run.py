"""The command `source-linear spec | check | discover | read`."""

import logging
import os
import signal
import sys
import types
from collections.abc import Iterable

from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.exception_handler import init_uncaught_exception_handler
from airbyte_cdk.models import (
    AirbyteStateMessage,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteCatalogSerializer,
    FailureType,
)
from airbyte_cdk.sources.source import Source
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_linear.config import config_error, read_json
from source_linear.source import SourceLinear

_TERMINATED = 128 + signal.SIGTERM


class Printer:
    """Prints messages line by line, and ends the process at once on SIGTERM, but never inside a line.

    What was read and not yet covered by a printed state is read again by the next sync.
    """

    def __init__(self) -> None:
        self._printing = False
        self._terminated = False
        signal.signal(signal.SIGTERM, self._terminate)

    def print(self, messages: Iterable[str]) -> None:
        """Print each message as a line on stdout."""
        for message in messages:
            self._printing = True
            sys.stdout.write(f"{message}\n")
            # A state is of use only when it has arrived.
            if not message.startswith('{"type":"RECORD"'):
                sys.stdout.flush()
            self._printing = False
            if self._terminated:
                self._exit()
        sys.stdout.flush()

    def _terminate(self, number: int, frame: types.FrameType | None) -> None:
        self._terminated = True
        if not self._printing:
            self._exit()

    def _exit(self) -> None:
        sys.stdout.flush()
        # Without waiting for the threads that are still reading.
        os._exit(_TERMINATED)


def main(arguments: list[str] | None = None) -> None:
    """Run one command of the Airbyte protocol: messages as JSON lines on stdout.

    Exits with 0, with 1 if the command failed, with 2 if it was not understood, and with 143 if it
    was terminated.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    init_uncaught_exception_handler(logging.getLogger("airbyte"))
    parsed = AirbyteEntrypoint.parse_args(arguments)
    if not parsed.command:
        AirbyteEntrypoint.parse_args(["--help"])
    printer = Printer()
    try:
        printer.print(AirbyteEntrypoint(_source(arguments)).run(parsed))
    except AirbyteTracedException as error:
        messages = [error.as_sanitized_airbyte_message()]
        failed_check = parsed.command == "check" and error.failure_type is FailureType.config_error
        if failed_check and (status := error.as_connection_status_message()):
            messages.append(status)
        printer.print(map(AirbyteEntrypoint.airbyte_message_to_string, messages))
        if not failed_check:
            sys.exit(1)


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


if __name__ == "__main__":
    main()
