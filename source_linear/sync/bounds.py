"""The bounds of a sync: from which state to which moment each stream is read, and how."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pendulum

from source_linear.config import milliseconds, timestamp
from source_linear.state import BEGINNING
from source_linear.streams import CURSOR_FIELD, Stream

_LOGGER = logging.getLogger("airbyte")
CREATED_AT = "createdAt"
# A row is stamped before it can be seen (docs/linear-api.md, UPDATED-9).
# So each sync reads again from this long before the end of the last one; the manifest's `lookback_window`.
LOOKBACK = pendulum.duration(minutes=1)
_EPOCH = pendulum.datetime(1970, 1, 1)
_SHORTEST_WINDOW = pendulum.duration(days=1)
_WRONG_CLOCK = pendulum.duration(days=1)


def looked_back(cursor: str) -> str:
    """Where a sync that goes on from a cursor begins to read: `LOOKBACK` before it."""
    return max(milliseconds(timestamp(cursor) - LOOKBACK), BEGINNING)


@dataclass(frozen=True)
class Bounds:
    """What the manifest's cursor and `Window` must know to read one stream in one sync.

    Dates are as Linear writes them: they sort as text.

    Attributes:
        start: the first millisecond that is read.
        end: the last one: the sync's start.
        step: how long a window is, an ISO 8601 duration.
        open: whether the first window is open to the past.
        full: whether it is a full refresh from the beginning.
        field: the date that the windows are about. `createdAt` in a first or full read: it never changes,
            so no row can slip out of a window that is being read. `updatedAt` afterwards.
        order_by: what the root is ordered by, newest first. `createdAt` never changes, so a row that is
            edited between two pages keeps its place; a feed that stops early needs `updatedAt`.
        since: with `createdAt`: only rows updated since (`start_date`).
        archived_before: also rows archived in a window that were last updated before this: where the sync
            begins, with its lookback.
        follows: whether issues are also asked for by what does not move their stamp. A first sync does not:
            with a `start_date` it would bring older issues.
    """

    start: str
    end: str
    step: str = ""
    open: bool = False
    full: bool = False
    field: str = CURSOR_FIELD
    order_by: str = CREATED_AT
    since: str | None = None
    archived_before: str | None = None
    follows: bool = False

    @classmethod
    def of_slice(cls, stream: Stream, start: str, end: str) -> "Bounds":
        """The bounds where nothing but the slice is known: the CDK's own runner reads.

        Args:
            stream: the stream.
            start: the first millisecond of the slice.
            end: its last one.
        """
        first = start <= BEGINNING
        before = start if stream.is_of_issues and not first else None
        return cls(start, end, open=first, archived_before=before, follows=before is not None)


@dataclass(frozen=True)
class Sync:
    """The two moments that bound a sync, and the size of what it reads.

    Attributes:
        start: when the sync started, by Linear's own clock: nothing later is read.
        origin: when the workspace was created: nothing but imported rows is older.
        issues: how many issues were ever created in the workspace, by Linear's own count.
    """

    start: datetime
    origin: datetime = _EPOCH
    issues: int = 0

    def is_reached(self, cursor: str) -> bool:
        """Whether anything was read up to a cursor: before the workspace there are but imported rows."""
        return timestamp(cursor) > self.origin

    def resumed(self, stream: str, cursor: str) -> str | None:
        """From where to go on after a state with this cursor; None for from the beginning.

        A cursor that lies ahead was written by a clock that was wrong. How wrong is not known: a little
        ahead, the day before is read again, far ahead, everything.
        """
        lead = timestamp(cursor) - pendulum.instance(self.start)
        if lead <= pendulum.duration():
            return cursor
        again = milliseconds(self.start - _WRONG_CLOCK) if lead <= _WRONG_CLOCK else None
        _LOGGER.warning(
            "Stream %s: its state, %s, is in the future; reading from %s.",
            stream,
            cursor,
            again or "the beginning",
        )
        return again

    def bounds(
        self,
        stream: Stream,
        cursor: str | None,
        full: bool,
        config: Mapping[str, Any],
        whole: bool = False,
    ) -> Bounds:
        """The bounds of one stream in this sync.

        Args:
            stream: the stream.
            cursor: the cursor in its state, None to start afresh.
            full: whether it is a full refresh; one that goes on from a state is like any other sync.
            config: the user's configuration.
            whole: whether it is known what changed: then one window is enough.
        """
        full = full and not cursor
        given = config.get("start_date") if stream.kind in ("windowed", "child") else None
        start_date = timestamp(given) if given else None
        since = timestamp(looked_back(cursor)) if cursor and self.is_reached(cursor) else None
        # What goes by createdAt never changes: nothing slips from a first or full read meanwhile.
        first_read = since is None and (full or not start_date)
        begin = start_date or self.origin
        first = self.origin if first_read else max(since or begin, begin)
        by_filter = stream.is_of_issues and not first_read
        return Bounds(
            start=milliseconds(self.origin if first_read else begin),
            end=milliseconds(self.start),
            step=self._step(stream, first, first_read, whole),
            open=first_read,
            full=full,
            field=CREATED_AT if first_read else CURSOR_FIELD,
            order_by=CURSOR_FIELD if stream.kind == "feed" and not first_read else CREATED_AT,
            since=milliseconds(start_date) if first_read and start_date else None,
            archived_before=milliseconds(first) if by_filter else None,
            follows=by_filter and since is not None,
        )

    def _step(self, stream: Stream, first: datetime, first_read: bool, whole: bool) -> str:
        """How long a window is that begins at `first`, as an ISO 8601 duration."""
        span = max(self.start - first, _SHORTEST_WINDOW)
        # Changed parents are asked for once, up to now (Window.filter); swept lists are read whole.
        several = stream.kind == "windowed" or (stream.kind == "child" and first_read)
        step = (
            max(span / stream.windows_of(self.issues), _SHORTEST_WINDOW)
            if several and not whole
            else span + _SHORTEST_WINDOW
        )
        return f"PT{int(step.total_seconds()) + 1}S"
