"""Windows: the slice of time that one read covers, and the state that it leaves behind.

One sync reads from its state S to its start E, both inclusive, in windows that touch at a millisecond:

        S          w1         w2         E
    ----[----------][---------][---------]---->  updatedAt
                                          ^ later changes: the next sync's

Nothing past E is read, so nothing can push the state past a change that was not read.
"""

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from airbyte_cdk.sources.streams.concurrent.state_converters.datetime_stream_state_converter import (
    CustomFormatConcurrentStreamStateConverter,
)
from airbyte_cdk.sources.types import StreamSlice

from source_linear.config import milliseconds, timestamp
from source_linear.queries import CURSOR_FIELD, Record

CREATED_AT = "createdAt"
# An entry of a history may be stamped after its parent: a sync that ended between the two missed it.
_LATER_THAN_ITS_PARENT = timedelta(minutes=1)


@dataclass(frozen=True)
class Window:
    """What one slice of one stream reads. Timestamps are as Linear writes them: they sort as text.

    Attributes:
        start: first millisecond of the slice; None if it is open to the past.
        end: last millisecond of the slice.
        field: the date that the slice is about. `createdAt` in a first or full read: it never changes,
            so no row can slip out of a window that is being read. `updatedAt` afterwards.
        since: with `createdAt`: only rows updated since (`start_date`).
        archived_before: also rows archived in the window that were last updated before this.
        child: whether the server is asked for parents, of which only some rows are wanted.
        rows: first and last millisecond of the rows wanted, where the server cannot be asked for them.
    """

    start: str | None
    end: str
    field: str
    since: str | None
    archived_before: str | None
    child: bool
    rows: tuple[str | None, str | None]

    @classmethod
    def of(cls, stream_slice: StreamSlice, parameters: Mapping[str, Any]) -> "Window":
        """The window of a slice; `parameters` hold what the source said of this sync."""
        sync, child = parameters["sync"], parameters["kind"] == "child"
        start: str | None = stream_slice["start_time"]
        end: str = stream_slice["end_time"]
        if sync["open"] and start == sync["start"]:  # imported rows may be older than the workspace
            start = None
        if sync["full"]:
            rows: tuple[str | None, str | None] = (None, None)
        elif child and sync["field"] == CREATED_AT:
            rows = (None, sync["end"])
        else:
            rows = (start, end)
        return cls(start, end, sync["field"], sync["since"], sync["archived_before"], child, rows)

    def filter(self) -> dict[str, Any]:
        """The root's `filter` argument that selects this window on the server."""
        interval: dict[str, Any] = {"gte": self.start} if self.start else {}
        if not (self.child and self.field == CURSOR_FIELD):
            interval["lte"] = self.end
        elif self.start:
            # No end: a parent that changes again while it is read must not take its older rows with it.
            interval["gte"] = milliseconds(timestamp(self.start) - _LATER_THAN_ITS_PARENT)
        changed: dict[str, Any] = {self.field: interval}
        if self.since:
            changed[CURSOR_FIELD] = {"gte": self.since}
        if not self.archived_before:
            return changed
        archived = {"archivedAt": interval, CURSOR_FIELD: {"lt": self.archived_before}}
        return {"or": [changed, archived]}

    def holds(self, row: Record) -> bool:
        """Whether a row that the server was not asked for by date changed, or was archived, in time."""
        first, last = self.rows
        updated, archived = row[CURSOR_FIELD], row["archivedAt"]
        if last is not None and updated > last:
            return False
        if first is None or updated >= first:
            return True
        return archived is not None and archived >= first


def archivings_of(parameters: Mapping[str, Any], stream_slice: StreamSlice) -> tuple[str, str] | None:
    """First and last millisecond of the archivings that `reconcile_archived` looks for after a slice.

    They are looked for once a sync, with its first slice, and for all of its slices: no state can be
    written before they were found. None where nothing is to be looked for.
    """
    sync = parameters["sync"]
    if not sync["reconcile"] or stream_slice["start_time"] != sync["reconcile"]:
        return None
    return sync["reconcile"], sync["end"]


class WindowState(CustomFormatConcurrentStreamStateConverter):
    """Keeps as state the end of what was read without a gap.

    The CDK would keep the newest cursor value seen: then a sync right after would read the time
    between that row and the last sync's end again, and emit again what was archived in it.
    """

    def __init__(self) -> None:
        super().__init__(
            datetime_format="%Y-%m-%dT%H:%M:%S.%_msZ", cursor_granularity=timedelta(milliseconds=1)
        )

    def _get_latest_complete_time(self, slices: list[MutableMapping[str, Any]]) -> Any:
        return self.merge_intervals(slices)[0][self.END_KEY]
