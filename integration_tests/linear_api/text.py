"""JSON as JavaScript's `JSON.stringify` writes it, halves of characters included."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

_HALF = re.compile("[\ud800-\udfff]")


def stringify(value: Any) -> bytes:
    """JSON without spaces, in UTF-8; half of a surrogate pair becomes an escape such as `\\ud83d`."""
    try:
        return orjson.dumps(value)
    except TypeError:  # orjson refuses what is not valid Unicode
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    return _HALF.sub(lambda half: f"\\u{ord(half[0]):04x}", whole).encode()


def parsed(body: bytes) -> Any:
    """The value of a JSON text, halves of characters included.

    Raises:
        ValueError: it is no JSON.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return json.loads(body)
