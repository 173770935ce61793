"""Odd answers that Linear, its edge or a proxy gives, as files: `unit_tests/answers/<case>.json`.

A file holds `seen` (how well the answer is known), `status`, `headers`, `body` (JSON) or `raw_body` (a text,
in `encoding`, else UTF-8), `asked_for` (the root or roots) and `expect` (what the connector makes of it).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .text import stringify

DIRECTORY = Path(__file__).parents[2] / "unit_tests" / "answers"


@dataclass(frozen=True)
class Answer:
    """One answer, as a client receives it."""

    name: str
    seen: str
    status: int
    headers: dict[str, str]
    body: bytes
    asked_for: tuple[str, ...]
    expect: str
    content: Any = field(default=None, repr=False)  # the body as JSON, where the file has it as such


def answer(name: str) -> Answer:
    """An answer by its file's name, without `.json`.

    Raises:
        FileNotFoundError: there is no such file.
        KeyError: the file lacks a key.
    """
    given = json.loads((DIRECTORY / f"{name}.json").read_text("utf-8"))
    if "raw_body" in given:
        body = given["raw_body"].encode(given.get("encoding", "utf-8"))
    else:
        body = stringify(given["body"])
    return Answer(
        name,
        given["seen"],
        given["status"],
        given["headers"],
        body,
        tuple(given["asked_for"].split()),
        given["expect"],
        given.get("body"),
    )


def answers() -> list[Answer]:
    """All of them, by name."""
    return [answer(path.stem) for path in sorted(DIRECTORY.glob("*.json"))]
