"""A destination that keeps one row per key, as Airbyte's deduplicating destinations do."""

from collections.abc import Mapping
from typing import Any

from source_linear.streams import Stream
from tools.deduplication import apply

Record = dict[str, Any]


class Destination:
    """The rows of each stream, of whose versions the one is kept that wins."""

    def __init__(self, streams: Mapping[str, Stream]) -> None:
        self._streams = streams
        self._rows: dict[str, dict[str, Record]] = {name: {} for name in streams}

    def write(self, name: str, record: Record) -> None:
        """Take a record over, unless there is a later version of its row."""
        apply(self._rows[name], record, self._streams[name].cursor_field)

    def rows(self, name: str) -> dict[str, Record]:
        """The rows of a stream by id."""
        return self._rows[name]
