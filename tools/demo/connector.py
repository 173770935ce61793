"""The connector as Airbyte runs it: a process, files as arguments, JSON lines as answers."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from tools.connector import MODULE, arguments, configured
from tools.demo.errors import DemoError
from tools.demo.processes import running

Message = Mapping[str, Any]
_SUCCEEDED = "Check succeeded"  # what the CDK logs last


class Connector:
    """source-linear with one configuration, which lies on disk only while the block runs."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = config

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="linear-demo-")  # 0700
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
        for message in self._messages("check", config=self._config):
            if message["type"] == "CONNECTION_STATUS":
                status = message["connectionStatus"]
            elif message["type"] == "LOG" and message["log"]["message"] != _SUCCEEDED:
                said = message["log"]["message"]
        if status.get("status") != "SUCCEEDED":
            raise DemoError(status.get("message") or "The connector did not say whether it works.")
        return said

    def discover(self) -> list[dict[str, Any]]:
        """The streams of the workspace, with their JSON schemas."""
        streams: list[dict[str, Any]] = self._one("CATALOG", "discover", config=self._config)["streams"]
        return streams

    def read(
        self, streams: Sequence[Mapping[str, Any]], state: Sequence[Mapping[str, Any]] = ()
    ) -> Iterator[Message]:
        """Read streams from where `state` says; the messages as they come.

        Raises:
            DemoError: a stream failed; after everything that could be read.
        """
        catalog = {"streams": [configured(item) for item in streams]}
        yield from self._messages("read", config=self._config, catalog=catalog, state=state or None)

    def _one(self, kind: str, command: str, **files: Any) -> Mapping[str, Any]:
        answer: Mapping[str, Any] | None = None
        for message in self._messages(command, **files):
            if message["type"] == kind:
                answer = message[kind.lower()]
        if answer is None:
            raise DemoError(f"The connector's answer to {command} has no {kind}.")
        return answer

    def _messages(self, command: str, **files: Any) -> Iterator[Message]:
        said = ""
        line = arguments(Path(self._folder.name), command, 0o600, **files)
        with running(MODULE, *line) as process:
            for printed in process.lines():
                try:
                    message = orjson.loads(printed)
                except orjson.JSONDecodeError:
                    continue  # Airbyte's platform logs such lines and goes on
                if message["type"] == "TRACE" and message["trace"]["type"] == "ERROR":
                    said = message["trace"]["error"]["message"]
                yield message
            code = process.wait()
            if code:
                complaint = said or process.complaint()
                raise DemoError(complaint or f"{command} ended with exit code {code}.")
