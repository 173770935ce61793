"""A destination that keeps one row per key, as Airbyte's deduplicating destinations do."""

from collections.abc import Mapping
from typing import Any

from source_linear.streams import DELETED_AT, Stream

Record = dict[str, Any]


class Destination:
    """Per stream the row of each key that has the latest cursor, and of those the one extracted last.

    A row with `_ab_cdc_deleted_at` removes its key.
    """

    def __init__(self, streams: Mapping[str, Stream]) -> None:
        self._streams = streams
        self._rows: dict[str, dict[str, Record]] = {name: {} for name in streams}

    def write(self, name: str, record: Record) -> None:
        """Take a record over, unless there is a later version of its row."""
        rows, cursor = self._rows[name], self._streams[name].cursor_field
        known = rows.get(record["id"])
        if known is not None and known[cursor] > record[cursor]:
            return
        if record.get(DELETED_AT):
            rows.pop(record["id"], None)
        else:
            rows[record["id"]] = record

    def rows(self, name: str) -> dict[str, Record]:
        """The rows of a stream by id."""
        return self._rows[name]
