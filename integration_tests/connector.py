"""The connector as users run it: a process that prints the Airbyte protocol."""

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from integration_tests.linear_api import LinearApi
from tools.connector import MODULE, arguments, configured, write

COMMAND = [sys.executable, "-m", MODULE]
_DISCOVERED: dict[str, str] = {}


@dataclass
class Output:
    """What one command printed, by kind of message."""

    exit_code: int
    messages: list[dict[str, Any]]
    stderr: str
    records: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    states: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    statuses: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    errors: list[dict[str, Any]] = field(default_factory=list)
    logs: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for message in self.messages:
            match message:
                case {"type": "RECORD", "record": record}:
                    self.records[record["stream"]].append(record["data"])
                case {"type": "STATE", "state": state}:
                    name = state["stream"]["stream_descriptor"]["name"]
                    self.states[name].append(state)
                case {"type": "LOG", "log": log}:
                    self.logs.append(f"{log['level']} {log['message']}")
                case {"type": "TRACE", "trace": {"type": "ERROR", "error": error}}:
                    self.errors.append(error)
                case {"type": "TRACE", "trace": {"stream_status": status}}:
                    name = status["stream_descriptor"]["name"]
                    self.statuses[name].append(status["status"])

    def one(self, kind: str) -> dict[str, Any]:
        """The only message of a kind, for example CATALOG."""
        (message,) = (message for message in self.messages if message["type"] == kind)
        return message

    @property
    def last_states(self) -> list[dict[str, Any]]:
        """The last state of each stream, as `--state` takes them."""
        return [states[-1] for states in self.states.values()]

    def cursor(self, stream: str) -> str | None:
        """The cursor in a stream's last state."""
        state = self.states[stream][-1]["stream"]["stream_state"]
        return next(iter(state.values()), None)


@dataclass
class Connector:
    """Runs commands of the connector in a directory of its own."""

    directory: Path
    config: Mapping[str, Any]
    command: list[str] = field(default_factory=lambda: list(COMMAND))

    @classmethod
    def of(cls, api: LinearApi, directory: Path, **config: Any) -> "Connector":
        """A connector that reads the simulator."""
        credentials = {"auth_type": "API Key", "api_key": api.api_key}
        return cls(directory, {"credentials": credentials, "api_url": api.url, **config})

    def run(self, *arguments: str, timeout: float = 240) -> Output:
        """Run the command with these arguments."""
        done = subprocess.run(
            [*self.command, *arguments], capture_output=True, text=True, timeout=timeout, cwd=self.directory
        )
        messages = [json.loads(line) for line in done.stdout.split("\n") if line]
        return Output(done.returncode, messages, done.stderr)

    def spec(self) -> Output:
        return self.run("spec")

    def check(self) -> Output:
        return self.run(*self.arguments("check"))

    def discover(self) -> Output:
        return self.run(*self.arguments("discover"))

    def catalog(
        self,
        streams: Iterable[str] | None = None,
        sync_mode: str = "incremental",
        columns: Mapping[str, Iterable[str]] | None = None,
    ) -> dict[str, Any]:
        """A configured catalog of some streams (all, by default), with some columns of each (all)."""
        discovered = self._discovered()
        chosen = list(streams) if streams is not None else [stream["name"] for stream in discovered]
        by_name = {stream["name"]: stream for stream in discovered}
        for name, kept in (columns or {}).items():
            schema = by_name[name]["json_schema"]
            schema["properties"] = {column: schema["properties"][column] for column in kept}
        return {"streams": [configured(by_name[name], sync_mode) for name in chosen]}

    def _discovered(self) -> list[dict[str, Any]]:
        """The streams that `discover` finds, asked once for each command and configuration in a test run."""
        who = ("credentials", "api_url")  # on which no catalog depends
        options = {name: value for name, value in self.config.items() if name not in who}
        key = json.dumps([self.command, options], sort_keys=True)
        if key not in _DISCOVERED:
            _DISCOVERED[key] = json.dumps(self.discover().one("CATALOG")["catalog"]["streams"])
        streams: list[dict[str, Any]] = json.loads(_DISCOVERED[key])
        return streams

    def read(self, catalog: Any, state: Any = None, *options: str, timeout: float = 240) -> Output:
        return self.run(*self.arguments("read", catalog=catalog, state=state), *options, timeout=timeout)

    def arguments(self, command: str, **files: Any) -> list[str]:
        """The arguments of a command, its files written: the configuration, and those given."""
        return arguments(self.directory, command, config=self.config, **files)

    def _file(self, name: str, content: Any) -> str:
        return write(self.directory / f"{name}.json", content)
