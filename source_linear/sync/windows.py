"""Windows: the slice of time that one read covers, and the state that it leaves behind.

One sync reads from its state S, less the lookback window, to its start E, both inclusive, in windows that
touch at a millisecond:

    S - LOOKBACK   w1         w2         E
    ----[----------][---------][---------]---->  updatedAt
                                          ^ later changes: the next sync's

Nothing past E is read, so nothing can push the state past a change that was not read.
"""

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

import pendulum
from airbyte_cdk.sources.streams.concurrent.state_converters.datetime_stream_state_converter import (
    CustomFormatConcurrentStreamStateConverter,
)
from airbyte_cdk.sources.types import StreamSlice

from source_linear.config import milliseconds, timestamp
from source_linear.streams import CURSOR_FIELD, Record, Stream
from source_linear.sync.bounds import CREATED_AT, Bounds

# An entry of a history may be stamped after its parent: a sync that ended between the two missed it.
_LATER_THAN_ITS_PARENT = pendulum.duration(minutes=1)


@dataclass(frozen=True)
class Window:
    """What one slice of one stream reads. Timestamps are as Linear writes them: they sort as text.

    Attributes:
        stream: the stream.
        start: first millisecond of the slice; None if it is open to the past.
        end: last millisecond of the slice.
        bounds: those of the stream in this sync.
        rows: first and last millisecond of the rows wanted, where the server cannot be asked for them.
        slice: the slice itself: its first and last millisecond.
    """

    stream: Stream
    start: str | None
    end: str
    bounds: Bounds
    rows: tuple[str | None, str | None]
    slice: tuple[str, str] = ("", "")

    @classmethod
    def of(cls, stream_slice: StreamSlice, stream: Stream, sync: Mapping[str, Any] | None) -> "Window":
        """The window of a slice.

        Args:
            stream_slice: the slice.
            stream: the stream.
            sync: its bounds in this sync; None where the CDK's own runner reads.
        """
        begins, end = stream_slice["start_time"], stream_slice["end_time"]
        bounds = Bounds(**sync) if sync else Bounds.of_slice(stream, begins, end)
        # Imported rows may be older than the workspace.
        start = None if bounds.open and begins == bounds.start else begins
        if bounds.full:
            rows: tuple[str | None, str | None] = (None, None)
        elif stream.kind == "child" and bounds.field == CREATED_AT:
            rows = (None, bounds.end)
        else:
            rows = (start, end)
        return cls(stream, start, end, bounds, rows, (begins, end))

    @classmethod
    def since(cls, stream: Stream, cursor: str) -> "Window":
        """What changed since a cursor, without an end."""
        before = cursor if stream.is_of_issues else None
        bounds = Bounds(cursor, "", archived_before=before, follows=stream.is_of_issues)
        return cls(stream, cursor, "", bounds, (cursor, None))

    def filter(self, declared: Mapping[str, Any]) -> dict[str, Any]:
        """The root's `filter` argument that selects this window on the server.

        Args:
            declared: what the manifest's cursor makes of the slice: `{"updatedAt": {"gte": …, "lte": …}}`.
        """
        field, bounds = self.bounds.field, self.bounds
        interval = dict(declared[field])
        if self.start is None:
            del interval["gte"]
        if self.stream.kind == "child" and field == CURSOR_FIELD:
            # No end: a parent that changes again while it is read must not take its older rows with it.
            interval.pop("lte", None)
            if self.start and self.stream.has_own_dates:
                interval["gte"] = milliseconds(timestamp(self.start) - _LATER_THAN_ITS_PARENT)
        changed: dict[str, Any] = {**declared, field: interval}
        if bounds.since:
            changed[CURSOR_FIELD] = {"gte": bounds.since}
        if not bounds.archived_before:
            return changed
        before = {CURSOR_FIELD: {"lt": bounds.archived_before}}
        parts = [changed, {"archivedAt": interval, **before}]
        # Once a sync: no state is written before they were found.
        if bounds.follows and self.start == bounds.archived_before and self.stream.has_own_dates:
            # docs/linear-api.md, UPDATED-4: an attachment does not move its issue's stamp.
            since = {"gte": self.start} | ({"lte": bounds.end} if bounds.end else {})
            parts.append({"attachments": {"some": {CURSOR_FIELD: since}}, **before})
        return {"or": parts}

    def holds(self, row: Record, since: str | None = None) -> bool:
        """Whether a row that the server was not asked for by date changed, or was archived, in time.

        Args:
            row: the row.
            since: from when on, if not from the window's start.
        """
        first, last = self.rows
        first = first if since is None else since
        updated, archived = row[CURSOR_FIELD], row.get("archivedAt")
        if last is not None and updated > last:
            return False
        if first is None or updated >= first:
            return True
        return archived is not None and archived >= first


class WindowState(CustomFormatConcurrentStreamStateConverter):
    """Keeps as state the end of what was read without a gap.

    The CDK would keep the newest cursor value seen: then a sync right after would read the time
    between that row and the last sync's end again, and emit again what was archived in it.
    """

    def __init__(self) -> None:
        super().__init__(
            datetime_format="%Y-%m-%dT%H:%M:%S.%_msZ", cursor_granularity=pendulum.duration(milliseconds=1)
        )

    def _get_latest_complete_time(self, slices: list[MutableMapping[str, Any]]) -> Any:
        return self.merge_intervals(slices)[0][self.END_KEY]
