"""What Linear listed in this sync: of each row its id, its stamp, and a few facts, in at most 32 bytes."""

from array import array
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from source_linear.sync.sketch import Sketch, id_of, number_of

_LOW = (1 << 64) - 1
_FULL = 48  # rows of a bucket, on the average, after which there are twice as many buckets
# A row's bucket is told by the highest bits of its id times this (Fibonacci hashing): all bits of the id
# count, and made-up ids may differ in few.
_ODD, _BITS, _ID = 0x9E3779B97F4A7C15F39CC0605CEDC835, 128, (1 << 128) - 1
# Of a row's word: the stamp in milliseconds, and these.
_ARCHIVED, _COMES, _FRESH, _SENT, _WAS_ARCHIVED, _OLD, _MOVED, _BORN = (1 << bit for bit in range(8))
_STAMP = 8
_KEPT = 1024  # places of rows that are kept: a page's rows are looked up several times each
_EPOCH, _MILLISECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)


class Seen(NamedTuple):
    """A row, or a parent of rows, as it came. Dates are as Linear writes them: they sort as text.

    Attributes:
        archived_at: when it was archived; None where it is not, or where that is not said.
        comes: whether something but its own dates says that it changed since the stream's cursor.
    """

    id: str
    archived: bool
    updated: str
    created: str
    archived_at: str | None = None
    comes: bool = False


@dataclass
class Since:
    """What a list is compared with.

    Attributes:
        begin: where the cursor begins to bring rows; None for from the beginning.
        walked: when the list before was walked; None where there was none.
        moved: since when a row that was stamped may have been stamped after that.
        end: the sync's start.
        floor: rows that were last updated before do not count.
        wave: the last archiving, by its time and id, that the destination is known to have.
        pending: the ids that are in no copy.
        by_archiving: whether the cursor brings rows that were archived since.
    """

    begin: str | None
    walked: str | None
    moved: str
    end: str
    floor: str = ""
    wave: tuple[str, str] = ("", "")
    pending: Container[str] = ()
    by_archiving: bool = False

    def brings(self, row: Seen) -> bool:
        """Whether the cursor brings a row by its dates."""
        if self.begin is None or row.updated >= self.begin or row.created >= self.begin:
            return True
        return self.by_archiving and (row.archived_at or "") >= self.begin


@dataclass
class Listed:
    """All rows of a list.

    Attributes:
        since: what they are compared with.
        now: those that are not pending and not created after the sync's start, as they are.
        settled: those of them that the list before can have had, with the flags that it can have had.
        moved: those of `settled` that were stamped since, apart from them.
        others: rows whose ids are no UUIDs; no sketch can hold them.
        archived: when rows were archived that `settled` and `moved` do not hold as archived, though they are.
        rows: how many there are.
        nodes: how many nodes each root has: rows, or their parents.
        refused: of several roots, those that these credentials may not read.
    """

    since: Since
    now: Sketch = field(default_factory=Sketch)
    settled: Sketch = field(default_factory=Sketch)
    moved: Sketch = field(default_factory=Sketch)
    others: dict[str, Seen] = field(default_factory=dict)
    archived: dict[str, str] = field(default_factory=dict)
    rows: int = 0
    nodes: dict[str, int] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    _buckets: "list[array[int]]" = field(default_factory=lambda: [array("Q")])
    _shift: int = _BITS  # of a hash, to the number of its bucket
    _places: "dict[str, tuple[array[int], int] | None]" = field(default_factory=dict)

    def take(self, row: Seen) -> None:
        """Take a row; one that was there before was moved while the list was walked.

        Raises:
            ValueError: its dates are none.
        """
        since = self.since
        if row.updated < since.floor:
            return
        comes = row.comes or since.brings(row)
        number = number_of(row.id)
        if number is None:
            self.rows += row.id not in self.others
            self.others.setdefault(row.id, row._replace(comes=comes))
            return
        if self._place(number):
            return
        self._places.clear()
        word = (
            _milliseconds(row.updated) << _STAMP
            | (_ARCHIVED if row.archived else 0)
            | (_COMES if comes else 0)
        )
        self.rows += 1
        word |= _BORN if row.created >= (since.begin or "") else 0
        if row.created >= since.end:
            word |= _FRESH
        elif row.id not in since.pending:
            self.now.add(number, row.archived)
            if since.walked is not None and row.created < since.walked:
                was = row.archived
                if row.archived and row.archived_at and (row.archived_at, row.id) > since.wave:
                    was, self.archived[row.id] = False, row.archived_at
                word |= _OLD | (_WAS_ARCHIVED if was else 0)
                moved = row.updated >= since.moved
                word |= _MOVED if moved else 0
                (self.moved if moved else self.settled).add(number, was)
        self._bucket(number).extend((number & _LOW, number >> 64, word))
        if self.rows > _FULL * len(self._buckets):
            self._grow()

    def _bucket(self, number: int) -> "array[int]":
        return self._buckets[(number * _ODD & _ID) >> self._shift]

    def _grow(self) -> None:
        self._shift -= 1
        for place in range(len(self._buckets)):
            bucket, halves = self._buckets[2 * place], (array("Q"), array("Q"))
            for at in range(0, len(bucket), 3):
                hashed = (bucket[at + 1] << 64 | bucket[at]) * _ODD & _ID
                halves[hashed >> self._shift & 1].extend(bucket[at : at + 3])
            self._buckets[2 * place : 2 * place + 1] = halves

    def _place(self, number: int) -> tuple["array[int]", int] | None:
        """The bucket of a row, and where its word is in it."""
        bucket = self._bucket(number)
        low, high = number & _LOW, number >> 64
        ids = bucket[::3]
        at = -1
        while True:
            try:
                at = ids.index(low, at + 1)
            except ValueError:
                return None
            if bucket[3 * at + 1] == high:
                return bucket, 3 * at + 2

    def _place_of(self, row_id: str) -> tuple["array[int]", int] | None:
        try:
            return self._places[row_id]
        except KeyError:
            number = number_of(row_id)
            place = None if number is None else self._place(number)
            if len(self._places) >= _KEPT:
                self._places.clear()
            self._places[row_id] = place
            return place

    def _word(self, row_id: str) -> int | None:
        place = self._place_of(row_id)
        return None if place is None else place[0][place[1]]

    @property
    def last_archiving(self) -> tuple[str, str]:
        """The last archiving of a row, by its time and id."""
        return max(((at, row_id) for row_id, at in self.archived.items()), default=self.since.wave)

    def __contains__(self, row_id: str) -> bool:
        """Whether Linear listed a row."""
        return row_id in self.others or self._word(row_id) is not None

    def flag(self, row_id: str) -> bool | None:
        """Whether a row is archived; None where it was not listed."""
        if row_id in self.others:
            return self.others[row_id].archived
        word = self._word(row_id)
        return None if word is None else bool(word & _ARCHIVED)

    def is_fresh(self, row_id: str) -> bool:
        """Whether a row was created after the sync's start."""
        if row_id in self.others:
            return self.others[row_id].created >= self.since.end
        return bool((self._word(row_id) or 0) & _FRESH)

    def had(self, row_id: str) -> bool | None:
        """Whether a row is archived that is not fresh; None for a fresh one, and where it was not listed."""
        if row_id in self.others:
            row = self.others[row_id]
            return None if row.created >= self.since.end else row.archived
        word = self._word(row_id)
        return None if word is None or word & _FRESH else bool(word & _ARCHIVED)

    def is_born(self, row_id: str) -> bool:
        """Whether a row was created since the cursor begins to bring rows."""
        if row_id in self.others:
            return self.others[row_id].created >= (self.since.begin or "")
        return bool((self._word(row_id) or 0) & _BORN)

    def is_dated(self, row_id: str) -> bool:
        """Whether a row was stamped, or created, since the cursor begins to bring rows."""
        begin = self.since.begin or ""
        if row_id in self.others:
            return max(self.others[row_id].updated, self.others[row_id].created) >= begin
        word = self._word(row_id) or 0
        return bool(word & _BORN) or not begin or word >> _STAMP >= _milliseconds(begin)

    def comes(self, row_id: str) -> bool:
        """Whether the cursor brings a row."""
        if row_id in self.others:
            return self.others[row_id].comes
        return bool((self._word(row_id) or 0) & _COMES)

    def was(self, row_id: str, with_moved: bool) -> bool | None:
        """The flag of a row in `settled`, and in `moved` where those count; None where it is in neither."""
        word = self._word(row_id) or 0
        if not word & _OLD or (word & _MOVED and not with_moved):
            return None
        return bool(word & _WAS_ARCHIVED)

    def young(self, with_moved: bool) -> Iterator[str]:
        """The rows that `settled` (and `moved`) do not hold, and that are not fresh or pending."""
        for bucket in self._buckets:
            for at in range(2, len(bucket), 3):
                word = bucket[at]
                if not word & _OLD or (word & _MOVED and not with_moved):
                    yield id_of(bucket[at - 1] << 64 | bucket[at - 2])

    def coming(self) -> Iterator[str]:
        """The rows that the cursor brings."""
        yield from (row_id for row_id, row in self.others.items() if row.comes)
        for bucket in self._buckets:
            for at in range(2, len(bucket), 3):
                if bucket[at] & _COMES:
                    yield id_of(bucket[at - 1] << 64 | bucket[at - 2])

    def sent(self, row_id: str, updated: str) -> bool:
        """Account for a version of a row that was sent; returns whether the row was listed."""
        if row_id in self.others:
            if updated >= self.others[row_id].updated:
                self.others[row_id] = self.others[row_id]._replace(comes=False)
            return True
        place = self._place_of(row_id)
        if place is None:
            return False
        bucket, at = place
        if _milliseconds(updated) >= bucket[at] >> _STAMP:
            bucket[at] |= _SENT
        return True

    def is_sent(self, row_id: str, updated: str) -> bool:
        """Whether a row was sent in this version, the one that was listed, or a newer one."""
        place = self._place_of(row_id)
        if place is None:
            return False
        word = place[0][place[1]]
        return bool(word & _SENT) and word >> _STAMP >= _milliseconds(updated)

    def owed(self, until: str | None) -> Iterator[str]:
        """The rows that the cursor brings, stamped up to a moment, that were not sent."""
        last = None if until is None else _milliseconds(until)
        for row_id, row in self.others.items():
            if row.comes and (until is None or row.updated <= until):
                yield row_id
        for bucket in self._buckets:
            for at in range(2, len(bucket), 3):
                word = bucket[at]
                if word & (_COMES | _SENT) == _COMES and (last is None or word >> _STAMP <= last):
                    yield id_of(bucket[at - 1] << 64 | bucket[at - 2])


def _milliseconds(moment: str) -> int:
    """Milliseconds since 1970 of a moment as Linear writes it.

    Raises:
        ValueError: it is none.
    """
    try:
        return max(0, (datetime.fromisoformat(moment) - _EPOCH) // _MILLISECOND)
    except TypeError:
        raise ValueError(f"{moment} has no time zone") from None
