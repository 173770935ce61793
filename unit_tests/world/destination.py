"""What is behind a source: a destination by Airbyte's rule, and a platform that keeps states."""

from collections.abc import Mapping, Sequence
from typing import Any

Record = dict[str, Any]
DELETED = ("deletedAt", "_ab_cdc_deleted_at")


class Destination:
    """Keeps one row for each id: of its versions the one with the latest cursor, of equal ones the last.

    A row that was reported as gone stays as what it was reported with: where `archived_rows` is `flag`, or in
    one load, no older version that comes after it brings the row back.
    """

    def __init__(self, cursors: Mapping[str, str] | None = None) -> None:
        """Make an empty one; `cursors` are the cursor fields of the streams whose is not `updatedAt`."""
        self._cursors = cursors or {}
        self._rows: dict[str, dict[str, Record]] = {}

    def write(self, stream: str, record: Record) -> None:
        """Take a record over, unless there is a later version of its row."""
        rows, cursor = self._rows.setdefault(stream, {}), self._cursors.get(stream, "updatedAt")
        stored = rows.get(record["id"])
        if stored is None or stored[cursor] <= record[cursor]:
            rows[record["id"]] = record

    def rows(self, stream: str) -> dict[str, Record]:
        """The rows of a stream that are there, by id."""
        kept = self._rows.get(stream, {})
        return {one: row for one, row in kept.items() if not any(row.get(name) for name in DELETED)}

    def kept(self, stream: str) -> dict[str, Record]:
        """The same with those that were reported as gone."""
        return dict(self._rows.get(stream, {}))


class Platform:
    """Keeps the states of a connection. A state is acknowledged once all that came before it has arrived.

    Attributes:
        states: those that the next sync is given, by stream.
        history: all that were acknowledged, the oldest first.
    """

    def __init__(self, destination: Destination) -> None:
        self.states: dict[str, Any] = {}
        self.history: list[dict[str, Any]] = [{}]
        self._destination = destination

    def receive(self, messages: Sequence[tuple[str, str, Any]], behind: int = 0) -> None:
        """Take what a sync printed, until it ended or was killed.

        Args:
            messages: ("row", stream, record) and ("state", stream, state), in order.
            behind: so many states at the end are lost: their rows arrived, but nobody acknowledged them.
        """
        told = sum(kind == "state" for kind, _, _ in messages)
        for kind, stream, value in messages:
            if kind == "row":
                self._destination.write(stream, value)
                continue
            if told > behind:
                self.states = {**self.states, stream: value}
                self.history.append(self.states)
            told -= 1

    def restore(self, steps: int) -> None:
        """Go back to the states before the last `steps` that were acknowledged, as from a backup."""
        del self.history[max(len(self.history) - steps, 1) :]
        self.states = self.history[-1]
