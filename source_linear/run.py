"""The command `source-linear spec | check | discover | read`."""

import logging
import sys

from airbyte_cdk.entrypoint import AirbyteEntrypoint, launch
from airbyte_cdk.exception_handler import init_uncaught_exception_handler
from airbyte_cdk.models import (
    AirbyteMessage,
    AirbyteStateMessage,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteCatalogSerializer,
    FailureType,
)
from airbyte_cdk.sources.source import Source
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_linear.config import config_error, read_json
from source_linear.source import SourceLinear


def main(arguments: list[str] | None = None) -> None:
    """Run one command of the Airbyte protocol: messages as JSON lines on stdout.

    Exits with 0, with 1 if the command failed, and with 2 if it was not understood.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    init_uncaught_exception_handler(logging.getLogger("airbyte"))
    parsed = AirbyteEntrypoint.parse_args(arguments)
    if not parsed.command:
        AirbyteEntrypoint.parse_args(["--help"])
    try:
        launch(_source(arguments), arguments)
    except AirbyteTracedException as error:
        _print(error.as_sanitized_airbyte_message())
        if parsed.command == "check" and error.failure_type is FailureType.config_error:
            status = error.as_connection_status_message()
            if status:
                _print(status)
            return
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


def _print(message: AirbyteMessage) -> None:
    print(AirbyteEntrypoint.airbyte_message_to_string(message), flush=True)


if __name__ == "__main__":
    main()
