"""The connector as a process: its command line, the files that this names, and configured catalogs."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MODULE = "source_linear.run"


def arguments(directory: Path, command: str, mode: int = 0o666, **files: Any) -> list[str]:
    """The arguments of a command, its files written.

    Args:
        directory: where the files are written.
        command: spec, check, discover or read.
        mode: of the files, less the umask.
        files: the content of `config`, `catalog` and `state`; one that is None is not named.
    """
    made = [command]
    for name, content in files.items():
        if content is not None:
            made += [f"--{name}", write(directory / f"{name}.json", content, mode)]
    return made


def write(path: Path, content: Any, mode: int = 0o666) -> str:
    """Write a file: JSON, or text as it is; returns its path."""
    text = content if isinstance(content, str) else json.dumps(content)
    with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, mode), "w", encoding="utf-8") as file:
        file.write(text)
    return str(path)


def configured(stream: Mapping[str, Any], sync_mode: str | None = None) -> dict[str, Any]:
    """A discovered stream as users configure it: incremental and deduplicated, unless told otherwise."""
    if sync_mode is None:
        incremental = "incremental" in stream["supported_sync_modes"]
        sync_mode = "incremental" if incremental else "full_refresh"
    return {
        "stream": stream,
        "sync_mode": sync_mode,
        "destination_sync_mode": "append_dedup" if sync_mode == "incremental" else "overwrite",
        "cursor_field": stream.get("default_cursor_field", []),
        "primary_key": stream.get("source_defined_primary_key", []),
    }
