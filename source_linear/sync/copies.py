"""The copy of a stream in the destination: what it may hold, what of it is gone, what it does not have.

A state remembers a sketch of the rows that the copy may hold. Where a sync knows all rows that Linear shows,
the difference tells which rows are gone, and which became visible or were unarchived without a stamp.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from source_linear.linear.errors import subject
from source_linear.streams import ARCHIVED_FLAG, CURSOR_FIELD, DELETED_AT, GONE_AT, Record, Stream
from source_linear.sync.sketch import CAPACITY, Difference, IdFilter, Row, Sketch, is_uuid
from source_linear.sync.walks import Whole

_LOGGER = logging.getLogger("airbyte")
Confirm = Callable[[list[str]], Collection[str] | None]
Created = Callable[[], Collection[str]]


class Copy:
    """What the destination may hold of one stream: rows, or the parents of which it holds the rows.

    Attributes:
        walked: when the rows that it knows were read, by Linear's clock; "" where that is not known.
        gone: the ids of rows that the copy may hold and Linear no longer shows.
        appeared: the ids of rows, or parents, that Linear shows, of which no stamp tells that the copy lacks
            them.
    """

    def __init__(self, stream: Stream, found: Any, scope: str) -> None:
        """Go on from a state.

        Args:
            stream: the stream.
            found: what `state` returned at the end of an earlier sync; None where there was none.
            scope: whose rows these are, and which: with another one than that of the state, it starts anew,
                but for the reports: a destination keeps those.
        """
        self.walked = ""
        self.gone: list[str] = []
        self.appeared: list[str] = []
        self._stream, self._scope = stream, scope
        self._sketch: Sketch | None = None
        self._reported, self._until = IdFilter(), ""
        self._pending: IdFilter | None = None  # rows that may have been reported, or not
        self._is_reporting = self._is_incomplete = False
        self._whole: Whole | None = None
        self._floor = ""
        self._sent: dict[str, bool] = {}  # otherwise than `_whole` says
        self._unplaced: dict[str, bool] = {}  # sent while no whole was known
        self._text: dict[str, Any] | None = None
        if isinstance(found, Mapping):
            self._resume(found, found.get("scope") == scope)
        self.before = self.state()

    def compare(
        self, whole: Whole, confirm: Confirm, created: Created, room: int = CAPACITY, at: str = ""
    ) -> None:
        """Compare the copy with what Linear shows.

        Args:
            whole: all rows that Linear shows; where it is not known to be all, nothing is concluded.
            confirm: is asked which of some ids Linear still shows, where a list may not be of one moment;
                returns None where that cannot be said.
            created: is asked which rows were created since the stream's cursor, where more differ than a
                sketch can tell.
            room: how many rows more a state can name that are to be read again.
            at: the sync's start, by Linear's clock.
        """
        self._floor = whole.floor
        if not whole.is_known:
            return
        if self._sketch is None:
            self._take(whole, (), at)
            return
        found = self._difference(self._sketch, whole, created)
        appeared = list(dict.fromkeys([*self._appeared(found, whole), *whole.returned])) if found else []
        if room < len(appeared) <= CAPACITY:
            return  # the next sync, which has fewer rows to read again, concludes the same
        if len(appeared) > CAPACITY:  # a sketch may tell more than it promises
            found = None
        gone, kept = self._gone(self._sketch, found, whole, confirm) if found else ([], [])
        self.gone, self.appeared = [row.id for row in gone], appeared if found else []
        self._is_incomplete |= found is None
        self._take(whole, kept, at)
        if self._is_incomplete:
            _LOGGER.warning(
                "%sMore than %d rows were deleted, or became visible, between two comparisons with Linear's "
                "list: more than a state can tell apart. They were not reported. Refresh this stream (clear "
                "its data and state) to correct the copy.",
                subject(self._stream.name),
                CAPACITY,
            )

    def _appeared(self, found: Difference, whole: Whole) -> list[str]:
        """What no stamp tells of: of a parent that has come, its own does not tell of all its rows."""
        known = set(whole.changed)
        if self._stream.goes_by_parents:
            known &= {row.id for row in found.left}
        shown = {row_id: whole.flag(row_id) for row_id in self._unplaced}
        known |= {row_id for row_id, archived in self._unplaced.items() if shown[row_id] is archived}
        differ = [row_id for row_id, archived in self._unplaced.items() if shown[row_id] is (not archived)]
        return [row_id for row_id in (*(row.id for row in found.right), *differ) if row_id not in known]

    def _gone(
        self, before: Sketch, found: Difference, whole: Whole, confirm: Confirm
    ) -> tuple[list[Row], list[Row]]:
        """The rows that are gone, and those of which that is not sure."""
        held = {row.id: row for row in found.left} | {one: Row(one, at) for one, at in self._unplaced.items()}
        gone = [row for row in held.values() if whole.flag(row.id) is None]
        if not self._stream.reports_deleted:
            return [], []
        if not gone or (whole.pages == 1 and len(gone) * 2 <= before.rows):
            return gone, []
        shown = confirm([row.id for row in gone])
        if shown is None:
            return [], gone
        return [row for row in gone if row.id not in shown], [row for row in gone if row.id in shown]

    def tombstones(self, end: str, archived_rows: str) -> list[Record]:
        """The records that report the rows that are gone.

        The state that goes out before them says that the destination may have them, or not; see `reported`.

        Args:
            end: the sync's start, by Linear's clock, which may have gone back since these rows were read.
            archived_rows: the configuration's `archived_rows`.
        """
        end = max(end, self.walked)  # later than all that the copy has of these rows
        made = {CURSOR_FIELD: end, ARCHIVED_FLAG: True}
        if self._stream.is_selected(GONE_AT):
            made[GONE_AT] = end
        if archived_rows == "delete":
            made[DELETED_AT] = end
        pending = IdFilter()
        if self.gone:
            self._pending, self._text, self._is_reporting = pending, None, True
            self._until = max(end, self._until)
        for row_id in self.gone:
            pending.add(row_id)
            if archived_rows != "delete":  # else the destination keeps none, and a row that returns wins
                self._reported.add(row_id)
        return [{"id": row_id, **made} for row_id in self.gone]

    def reported(self) -> None:
        """The records were sent."""
        self._text, self._pending, self._is_reporting = None, None, False

    def send(self, rows: Collection[Record], end: str) -> bool:
        """Rows are about to be sent.

        A row that is older than the report that it is gone would lose against it: it takes the sync's time.

        Args:
            rows: the records, changed in place.
            end: the sync's start, by Linear's clock.

        Returns:
            Whether the state did not know some of them so: then it goes out first, so that a sync that is
            killed leaves no row that no state knows.
        """
        if self._until:
            end, is_later = max(end, self._until), False
            for row in rows:
                if row[CURSOR_FIELD] < self._until and row["id"] in self._reported:
                    row[CURSOR_FIELD] = end
                    is_later = True
            if is_later:  # a change that is committed late must not lose against it
                self._until, self._text = end, None
        return self.know((row["id"], row[ARCHIVED_FLAG], row[CURSOR_FIELD]) for row in rows)

    def know(self, rows: Iterable[tuple[str, bool, str]]) -> bool:
        """Know rows as they came: each an id, whether it is archived, and its cursor; see `send`."""
        whole, sketch = self._whole, self._sketch
        if sketch is None or self._stream.goes_by_parents:
            return False
        if whole is None:
            return self._know_unplaced(rows)
        is_news = False
        for row_id, archived, updated in rows:
            try:
                before = self._sent[row_id] if row_id in self._sent else whole.flag(row_id)
            except ValueError:
                continue  # not a UUID: a sketch cannot hold it
            if before is archived or updated < whole.floor:
                continue
            if before is not None:
                sketch.remove(row_id, before)
            sketch.add(row_id, archived)
            self._sent[row_id] = archived
            is_news = True
        self._text = None if is_news else self._text
        return is_news

    def _know_unplaced(self, rows: Iterable[tuple[str, bool, str]]) -> bool:
        is_news = False
        for row_id, archived, updated in rows:
            if self._unplaced.get(row_id) is archived or updated < self._floor or not is_uuid(row_id):
                continue
            if row_id in self._unplaced or len(self._unplaced) < CAPACITY:
                self._unplaced[row_id] = archived
            elif self._is_incomplete:
                continue
            self._is_incomplete |= row_id not in self._unplaced
            is_news = True
        self._text = None if is_news else self._text
        return is_news

    def state(self) -> dict[str, Any] | None:
        """What a later sync must know of the copy: at most 50 kB, and 25 kB more where lists did not come."""
        if self._sketch is None and not self._until:
            return None
        if self._text is None:
            self._text = {"scope": self._scope}
            if self._sketch is not None:
                rows = self.before["rows"] if self._is_reporting and self.before else self._sketch.text()
                self._text |= {"rows": rows, "walked": self.walked}
            if self._until:
                self._text |= {"reported": self._reported.text(), "until": self._until}
            if self._pending is not None:
                self._text |= {"pending": self._pending.text()}
            if self._unplaced:
                self._text |= {"unplaced": dict(self._unplaced)}
            if self._is_incomplete:
                self._text |= {"incomplete": True}
        return self._text

    @property
    def is_news(self) -> bool:
        """Whether a state that goes out now says more than when the list was walked."""
        return _without_moment(self.state()) != _without_moment(self.before)

    def _resume(self, found: Mapping[str, Any], is_of_scope: bool) -> None:
        try:
            if found.get("until"):
                self._reported, self._until = IdFilter.parse(found["reported"]), str(found["until"])
            if is_of_scope:
                sketch, unplaced = Sketch.parse(found["rows"]), found.get("unplaced") or {}
                self._unplaced = {one: bool(archived) for one, archived in unplaced.items() if is_uuid(one)}
                self._pending, self._is_incomplete = unsure(found), "incomplete" in found
                self.walked, self._sketch = str(found.get("walked") or ""), sketch
                if self._pending is not None:
                    self._reported.update(self._pending)
        except (KeyError, TypeError, ValueError, AttributeError):
            return  # it starts anew

    def _take(self, whole: Whole, kept: Collection[Row], at: str) -> None:
        """From now on the copy is what Linear shows, and `kept`."""
        self.walked = max(at, self.walked)
        self._whole, self._sketch, self._text = whole, whole.sketch.copy(), None
        self._unplaced, self._pending = {}, None
        for row in kept:
            self._sketch.add(row.id, row.archived)
            self._sent[row.id] = row.archived

    @staticmethod
    def _difference(before: Sketch, whole: Whole, created: Created) -> Difference | None:
        """What differs; where it is too much, without rows created or archived since: those are sent."""
        found = before.difference(whole.sketch)
        if found is None:
            rest, new = whole.sketch.copy(), created()
            for row_id in new:
                if (archived := whole.flag(row_id)) is not None:
                    rest.remove(row_id, archived)
            found = before.difference(rest)
            if found is None:
                for row_id, archived in whole.changed.items():
                    if archived and row_id not in new:
                        rest.remove(row_id, True)
                        rest.add(row_id, False)
                found = before.difference(rest)
        return found


def _without_moment(state: Mapping[str, Any] | None) -> dict[str, Any]:
    return {key: value for key, value in (state or {}).items() if key != "walked"}


def unsure(found: Any) -> IdFilter | None:
    """The rows of which a sync that was killed may have reported that they are gone; None where none did.

    Args:
        found: what `Copy.state` returned in that sync.
    """
    try:
        return IdFilter.parse(found["pending"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
