"""tap-airbyte with an executable in the place of an image: `python tap.py EXECUTABLE --config FILE …`.

The version on PyPI is made to run inside of an image, as `/airbyte/base.sh`, and reads a state as connectors
wrote it before each stream had its own. Both are put right here, and nothing else: discovery, catalog and
conversion are its own. Runs where tap-airbyte is installed and nothing of ours.
"""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, BinaryIO

from tap_airbyte import tap


class States:
    """The output of a read; each state holds, as `data`, the last ones of all streams."""

    def __init__(self, output: BinaryIO) -> None:
        self._output, self._last = output, {}

    def readline(self) -> bytes:
        line = self._output.readline()
        if not line.startswith(b'{"type":"STATE"'):
            return line
        message = json.loads(line)
        state = message["state"]
        self._last[state["stream"]["stream_descriptor"]["name"]] = dict(state)
        state["data"] = {"airbyte_state": list(self._last.values())}
        return json.dumps(message).encode()


def main(executable: str, *arguments: str) -> None:
    def started(command: list[str]) -> list[str]:
        return [executable, *command[1:]] if command[0].endswith("base.sh") else command

    def run(command: list[str], **options: Any) -> Any:
        return subprocess.run(started(command), **options | {"cwd": None})

    def popen(command: list[str], **options: Any) -> Any:
        process = subprocess.Popen(started(command), **options | {"cwd": None, "stderr": None})
        process.stdout = States(process.stdout)
        return process

    tap.subprocess = SimpleNamespace(PIPE=subprocess.PIPE, run=run, Popen=popen)
    tap.TapAirbyte.conf_dir = str(Path.cwd())
    tap.TapAirbyte.cli(list(arguments))


if __name__ == "__main__":
    main(*sys.argv[1:])
