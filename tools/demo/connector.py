"""The connector as Airbyte runs it: a process, files as arguments, JSON lines as answers."""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from tools.demo.errors import DemoError
from tools.demo.processes import running

Message = Mapping[str, Any]
_MODULE = "source_linear.run"
_SUCCEEDED = "Check succeeded"  # what the CDK logs last


class Connector:
    """source-linear with one configuration, which lies on disk only while the block runs."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = config

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="linear-demo-")  # 0700
        self._config_path = self._file("config.json", self._config)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._folder.cleanup()

    def spec(self) -> Mapping[str, Any]:
        """Which configuration the connector takes."""
        return self._one("SPEC", "spec")

    def check(self) -> str:
        """Whether the configuration works; returns what the connector says of the workspace.

        Raises:
            DemoError: it does not; with the connector's reason.
        """
        said = ""
        status: Mapping[str, Any] = {}
        for message in self._messages("check", "--config", self._config_path):
            if message["type"] == "CONNECTION_STATUS":
                status = message["connectionStatus"]
            elif message["type"] == "LOG" and message["log"]["message"] != _SUCCEEDED:
                said = message["log"]["message"]
        if status.get("status") != "SUCCEEDED":
            raise DemoError(status.get("message") or "The connector did not say whether it works.")
        return said

    def discover(self) -> list[dict[str, Any]]:
        """The streams of the workspace, with their JSON schemas."""
        streams: list[dict[str, Any]] = self._one("CATALOG", "discover", self._config_path)["streams"]
        return streams

    def read(
        self, streams: Sequence[Mapping[str, Any]], state: Sequence[Mapping[str, Any]] = ()
    ) -> Iterator[Message]:
        """Read streams from where `state` says; the messages as they come.

        Raises:
            DemoError: a stream failed; after everything that could be read.
        """
        catalog = self._file("catalog.json", {"streams": [configured(item) for item in streams]})
        arguments = ["--config", self._config_path, "--catalog", catalog]
        if state:
            arguments += ["--state", self._file("state.json", state)]
        yield from self._messages("read", *arguments)

    def _one(self, kind: str, command: str, config: str | None = None) -> Mapping[str, Any]:
        answer: Mapping[str, Any] | None = None
        for message in self._messages(command, *(["--config", config] if config else [])):
            if message["type"] == kind:
                answer = message[kind.lower()]
        if answer is None:
            raise DemoError(f"The connector's answer to {command} has no {kind}.")
        return answer

    def _messages(self, command: str, *arguments: str) -> Iterator[Message]:
        said = ""
        with running(_MODULE, command, *arguments) as process:
            for line in process.lines():
                try:
                    message = orjson.loads(line)
                except orjson.JSONDecodeError:
                    continue  # Airbyte's platform logs such lines and goes on
                if message["type"] == "TRACE" and message["trace"]["type"] == "ERROR":
                    said = message["trace"]["error"]["message"]
                yield message
            code = process.wait()
            if code:
                complaint = said or process.complaint()
                raise DemoError(complaint or f"{command} ended with exit code {code}.")

    def _file(self, name: str, content: Any) -> str:
        path = Path(self._folder.name) / name
        with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
            file.write(orjson.dumps(content))
        return str(path)


def configured(stream: Mapping[str, Any]) -> dict[str, Any]:
    """A discovered stream as a user would configure it: incremental, deduplicated."""
    incremental = "incremental" in stream["supported_sync_modes"]
    return {
        "stream": stream,
        "sync_mode": "incremental" if incremental else "full_refresh",
        "destination_sync_mode": "append_dedup",
        "cursor_field": stream.get("default_cursor_field", []),
        "primary_key": stream.get("source_defined_primary_key", []),
    }
