"""What the destination has of one stream. It is changed by nothing but what was sent.

    A difference between the copy and Linear goes away only by being sent.

The copy is a sketch, so it may be changed only where it is known whether a row is in it. Where no list tells,
rows are named in the state. `Copy` belongs to the main thread alone.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

import pendulum

from source_linear.config import milliseconds, timestamp
from source_linear.state import MOST_LATE, MOST_NEW, MOST_OTHERS, MOST_PENDING, StreamState
from source_linear.sync.listed import Listed, Seen
from source_linear.sync.sketch import CAPACITY, Difference, id_of, number_of

# Asked which of some ids Linear shows, with what it says of them (None for nothing); None: it does not say.
Confirm = Callable[[Sequence[str]], Mapping[str, Seen | None] | None]
_Compared = tuple[Callable[[str], bool | None], Collection[str], list[str]]


class Copy:
    """The state of one stream while it is read.

    Attributes:
        cursor: what was stamped up to it was sent.
        pending: rows still to be sent or reported, each with whether a tombstone may stand against it.
        listed: what Linear listed in this sync; None where its list did not come, or was not asked for.
        tracks: whether the rows that are sent are remembered at all.
        gone: rows that are pending and gone, where only the list tells.
        roots: of a stream with several roots, those whose rows the copy may hold.
    """

    def __init__(
        self, state: StreamState, end: str, tracks: bool, reports: bool = True, parents: str | None = None
    ) -> None:
        """Go on from a state.

        Args:
            state: the state.
            end: the sync's start, by Linear's clock, not before the state's cursor.
            tracks: whether the rows that are sent are remembered: deletions of the stream are looked for.
            reports: whether rows that are gone are reported.
            parents: for a stream that goes by parents, of whose rows only those are read that are newer than
                a moment: this moment. Of a parent that is not in the copy all are, whatever its stamp.
        """
        self._state, self._end = state, end
        self.cursor, self.tracks, self._reports = state.cursor, tracks, reports
        self._parents = parents
        self.listed: Listed | None = None
        self.pending = dict(state.pending)
        self._sketch = state.copy.copy() if state.copy is not None else None
        self._others, self._new, self._late = dict(state.others), dict(state.new), dict(state.late)
        self._walked, self._wave, self._due, self._unsure = state.walked, state.wave, state.due, state.unsure
        self._unlisted, self._length, self._crowded = state.unlisted, state.length, state.crowded
        self._high = max(state.high, end)
        self._over: dict[str, bool | None] = {}  # of the listed rows, those that the copy has otherwise
        self._rest: list[str] = []  # gone, or apart, and no room in `pending` so far
        self._gone: set[str] = set()
        self.gone: frozenset[str] = frozenset()
        self.roots = state.roots
        self._shown: dict[str, Seen] = {}  # not listed, but there when asked for by id
        self._sent: dict[str, str] = {}  # rows sent in this sync: with a newer stamp than listed, or unlisted
        self._holds = False  # the cursor stays: more is owed than can be named
        self._may_be_deleted: dict[str, bool] = {}
        self._tombstone = ""
        self.is_news = True  # whether the state says something else than when it was asked for last

    # What differs

    def take(self, listed: Listed, confirm: Confirm | None, last: bool = True) -> bool:
        """Compare the copy with what Linear lists: what differs is pending from now on.

        Args:
            listed: the list.
            confirm: is asked for the rows that are gone: no row is gone without asking for its id. None where
                Linear takes no such question: then the list must have been walked to its told end.
            last: whether the list is what there is: else one that differs too much, or that lacks rows for
                which nobody can ask, is not taken.

        Returns:
            Whether the list was taken.
        """
        compared = self._held(listed)
        if compared is None and not last:
            return False
        if compared is None:  # from now on this is the copy
            self._unsure = True
            compared = (lambda row_id: None if row_id in self.pending else listed.flag(row_id)), (), []
        held, candidates, gone = compared
        if confirm is None and not last:
            missing = [*gone, *(row_id for row_id in self.pending if row_id not in listed)]
            if missing and self._reports:
                return False
        again = self._state.cursor is None and self._state.walked is not None
        self.listed, self._length, self._unlisted = listed, listed.rows, 0
        if not self._reports:
            gone = []
        shown = confirm(gone) if gone and confirm else {}
        if shown is None and self._state.due:  # they may be owed
            self._holds = True
        kept = set(gone if shown is None else shown)
        failing = {row_id for row_id, row in (shown or {}).items() if row is None}
        if confirm is None:
            self.gone = frozenset(row_id for row_id in (*gone, *self.pending) if row_id not in listed)
        self._shown = {row_id: row for row_id, row in (shown or {}).items() if row is not None}
        self._gone = set(gone) - kept
        apart = [row_id for row_id in candidates if self._is_apart(row_id, held, again)]
        apart += [row_id for row_id in self._shown if self._is_apart(row_id, held, again)]
        self._sketch = listed.now.copy()
        self._others = {
            row_id: row.archived
            for row_id, row in listed.others.items()
            if row_id not in self.pending and row.created < self._end
        }
        fresh = {
            row_id: flag
            for row_id in {
                *self._new,
                *candidates,
            }  # a clock that went back makes rows of the copy fresh again
            if listed.is_fresh(row_id) and (flag := held(row_id)) is not None
        }
        self._new = {row_id: flag for row_id, flag in fresh.items() if row_id not in self.pending}
        for row_id in kept:  # the list was short
            row = self._shown.get(row_id)
            self._put(row_id, held(row_id) if row is None or row_id in apart else row.archived)
        for row_id in (*apart, *self._gone):
            self._put(row_id, held(row_id))
        by_time = sorted(apart, key=lambda row_id: (listed.archived.get(row_id, ""), row_id))
        self._rest = [*sorted(self._gone), *sorted(failing), *by_time]
        doubtful = self._gone | failing
        self._may_be_deleted = {row_id: held(row_id) is None or row_id in doubtful for row_id in self._rest}
        self._walked, self._due, self._wave = self._end, True, listed.last_archiving
        self.fill()
        return True

    def fill(self) -> list[str]:
        """Name more of what differs, as far as there is room; returns what."""
        some = self._rest[: self._room()]
        self._rest = self._rest[len(some) :]
        self.is_news = True
        for row_id in some:
            self._put(row_id, None)
            self._new.pop(row_id, None)
            self.pending[row_id] = self._may_be_deleted[row_id]
        if self.listed is not None:  # the next list takes what was archived later for not archived
            left = [(at, row_id) for row_id in self._rest if (at := self.listed.archived.get(row_id))]
            before = [
                key
                for key in ((at, one) for one, at in self.listed.archived.items())
                if left and key < min(left)
            ]
            self._wave = max(before, default=self._state.wave) if left else self.listed.last_archiving
        return some

    @property
    def is_unsure(self) -> bool:
        """Whether more differed than a sketch can tell: rows may be missing or stale until a refresh."""
        return self._unsure

    def missed(self) -> None:
        """The list was wanted and did not come: after three syncs in a row the cursor goes on without it."""
        self._unlisted += 1
        self.is_news = True
        if self._unlisted >= 3 and self._state.walked is not None:
            self._unsure = True
        elif self._state.due and self._state.walked is not None:
            self._holds = True  # a promise that was not looked after

    def _held(self, listed: Listed) -> _Compared | None:
        """What the copy had before this sync.

        Returns:
            Whether it has a row, and how; the listed rows that it may have otherwise; the rows that it has,
            and that are not listed. None where more differs than a sketch can tell.
        """
        state = self._state
        if state.walked is None or self._sketch is None:
            if state.cursor is None:  # nothing was sent
                return (lambda row_id: None), (), []
            return listed.flag, (), []  # a cursor of others: all of it was sent
        for with_moved in (True, False):
            right = listed.settled.copy()
            if with_moved:
                right.add_all(listed.moved)
            found = self._sketch.difference(right)
            if found is not None and len(found.left) + len(found.right) <= CAPACITY:
                return self._told_apart(listed, found, with_moved)
        return None

    def _told_apart(self, listed: Listed, found: Difference, with_moved: bool) -> _Compared:
        left = {id_of(row.number): row.archived for row in found.left}
        right = {id_of(row.number) for row in found.right}
        new, others, more = self._new, self._others, len(listed.others) > MOST_OTHERS

        def held(row_id: str) -> bool | None:
            if row_id in new:
                return new[row_id]
            if row_id in left:
                return left[row_id]
            if row_id in right:
                return None
            if number_of(row_id) is None:
                return listed.flag(row_id) if more and row_id not in others else others.get(row_id)
            return listed.was(row_id, with_moved)

        candidates = {
            *left,
            *right,
            *new,
            *others,
            *listed.others,
            *listed.archived,
            *listed.young(with_moved),
        }
        gone = {
            row_id for row_id in (*left, *new, *others) if held(row_id) is not None and row_id not in listed
        }
        listed_only = [row_id for row_id in candidates if row_id in listed]
        return held, listed_only, sorted(gone - self.pending.keys())

    def _is_apart(self, row_id: str, held: Callable[[str], bool | None], again: bool) -> bool:
        """Whether the copy has a row otherwise than Linear, and the cursor does not bring it."""
        assert self.listed is not None
        if row_id in self.pending:
            return False
        had, row = held(row_id), self._shown.get(row_id)
        if had is (row.archived if row else self.listed.flag(row_id)):
            return False
        if self._parents and had is None and not self.listed.is_born(row_id):
            return True
        comes = self._brings(row) if row else self.listed.comes(row_id)
        if comes and had is None and self._reports and not row and not self.listed.is_dated(row_id):
            return True  # it appears with an old stamp, against which a tombstone may stand
        return not comes or (again and had is None and not self._is_young(row_id, row))

    def _brings(self, row: Seen) -> bool:
        """Whether the cursor brings a row, as it is now."""
        return self.listed is None or self.listed.since.brings(row)

    def _is_young(self, row_id: str, row: Seen | None) -> bool:
        """Whether a row was created since the list before."""
        assert self.listed is not None
        if row:
            return row.created >= (self._state.walked or "")
        if row_id in self.listed.others:
            return self.listed.others[row_id].created >= (self._state.walked or "")
        return self.listed.was(row_id, True) is None

    # What the copy has

    def _has(self, row_id: str) -> bool | None:
        if row_id in self._over:
            return self._over[row_id]
        if self.listed is None or row_id in self._state.pending:
            return None
        return self.listed.had(row_id)

    def _put(self, row_id: str, flag: bool | None) -> None:
        """Let the copy have a row so, or not have it; only where the list is known."""
        if self.listed is None or self._sketch is None:
            return
        before = self._has(row_id)
        if before is flag:
            return
        self.is_news = True
        self._over[row_id] = flag
        number = number_of(row_id)
        if number is None:
            self._others.pop(row_id, None)
            self._others |= {row_id: flag} if flag is not None else {}
            return
        if before is not None:
            self._sketch.remove(number, before)
        if flag is not None:
            self._sketch.add(number, flag)

    def _is_named(self, row: Seen) -> bool:
        """Whether a row that is sent is named.

        Without a list nobody knows whether it is in a sketch, and the next list leaves out what was created
        since this one.
        """
        return self.listed is None or row.created >= self._end

    def _is_half_read(self, row: Seen) -> bool:
        """Whether only the newest rows of a parent are read, and only a list tells whether it has others."""
        if self._parents is None or row.created >= self._parents:
            return False
        return self.listed is None or row.id not in self.listed

    def _place(self, row: Seen) -> None:
        if not self.tracks or self._is_half_read(row):
            return
        if self._is_named(row):
            self.is_news |= row.id not in self._new or self._new[row.id] is not row.archived
            self._new[row.id] = row.archived
        else:
            self._put(row.id, row.archived)

    # What is sent

    def announce(self, rows: Iterable[Seen]) -> list[Seen]:
        """Name rows before they are sent, by the copy where the cursor brings them.

        Returns:
            Those that may be sent now: in the order in which they came, as many as can be named.
        """
        wanted: list[Seen] = []
        named = len(self._new)
        for row in rows:
            if self.was_sent(row):
                continue  # an older version of a row never follows a newer one
            if self.tracks and row.id not in self.pending and not self._is_half_read(row):
                if self._is_named(row):
                    owed = row.id not in self._new or self._new[row.id] is not row.archived
                    named += row.id not in self._new
                else:  # what the cursor does not bring again is owed, if this sync ends here
                    differs = self._has(row.id) is not row.archived
                    owed = differs and not self._brings(row)
                    if differs and not owed:
                        self._put(row.id, row.archived)
                if owed and (self._room() <= 0 or named > MOST_NEW):
                    self._holds = True
                    break
                if owed:
                    self._put(row.id, None)
                    self.pending[row.id] = False
                    self.is_news = True
            wanted.append(row)
        self._raise(row.updated for row in wanted)
        return wanted

    def was_sent(self, row: Seen) -> bool:
        """Whether this version of a row was sent in this sync, or a newer one."""
        if (sent := self._sent.get(row.id)) is not None:
            return sent >= row.updated
        # The slices of a first read have no row in common.
        is_listed = self.listed is not None and self._state.cursor is not None
        return is_listed and self.listed is not None and self.listed.is_sent(row.id, row.updated)

    def _raise(self, stamps: Iterable[str]) -> None:
        high = max(stamps, default="")
        if high > self._high:
            self._high, self.is_news = high, True

    def send(self, row: Seen) -> str:
        """A row is sent: the cursor that it is sent with.

        A row that the destination has keeps Linear's stamp. One that appears, of which nobody knows whether
        it was once reported as gone, takes `high`: of equal cursors the later message wins.
        """
        at = row.updated
        if self.pending.get(row.id, False):
            at = max(self._high, at)
        elif row.id in self._late:
            at = max(at, self._late[row.id])
        if at != row.updated:
            self._keep_late(row.id, at)
        elif row.id in self._late:
            self.is_news = True
            del self._late[row.id]
        self.note(row)
        return at

    def note(self, row: Seen, whole: bool = True) -> None:
        """A row, or the rows of a parent, were sent; `whole`: all of them, whenever they changed."""
        if not whole and row.id in self.pending and row.created < (self._parents or ""):
            return  # of an older parent only the newest rows came
        if by_id := row.id in self.pending:
            self.is_news = True
            del self.pending[row.id]
        if self.listed is None:
            # A first read goes by createdAt: no row is in two slices of it.
            is_listed = self._state.cursor is None
        else:
            is_listed = self.listed.sent(row.id, row.updated)
            self._shown.pop(row.id, None)
        if by_id or not is_listed or row.updated > self._stamp_limit(row.id):
            self._sent[row.id] = row.updated
        self._place(row)

    def _stamp_limit(self, row_id: str) -> str:
        """Rows stamped later changed after they were listed, or go out by their ids: they are remembered."""
        return "" if row_id in self._late or row_id in self._state.pending else self._end

    def _keep_late(self, row_id: str, at: str) -> None:
        self.is_news = True
        if len(self._late) >= MOST_LATE and row_id not in self._late and self.listed is not None:
            # Rows that are gone go first: one that is back with an old stamp is apart.
            self._late = {one: ahead for one, ahead in self._late.items() if one in self.listed}
        if len(self._late) >= MOST_LATE and row_id not in self._late:
            self._crowded = True
            return
        self._late[row_id] = at

    def ahead(self, found: Sequence[Seen]) -> None:
        """Rows that were asked for by their ids are about to be sent."""
        if self._crowded:
            self.pending |= {row.id: True for row in found if row.id in self.pending}
        self._raise(row.updated for row in found)

    def lose(self, lost: Sequence[str]) -> list[str]:
        """Rows are gone from Linear: those to be reported, after a state that names them."""
        self.is_news |= bool(lost)
        for row_id in lost:
            if not self._reports:
                self.pending.pop(row_id, None)
        reported = [row_id for row_id in lost if row_id in self.pending]
        if reported:
            self.pending |= dict.fromkeys(reported, True)
            self._tombstone, self._high = self._high, _next(self._high)
        return reported

    def report(self, row_id: str) -> str:
        """A tombstone is sent: its cursor. A row that comes after it wins."""
        if len(self._late) < MOST_LATE or not self.tracks:
            self._keep_late(row_id, self._high)
        self.pending.pop(row_id, None)
        if self.tracks and self.listed is None:
            self._new[row_id] = None
        return self._tombstone

    def leave_out(self, row_ids: Iterable[str], refused: Collection[str] = ()) -> None:
        """Rows could not be read: they are asked for again. Where they cannot be named, the cursor stays.

        A row that these credentials may not see is no reason to stay.
        """
        for row_id in row_ids:
            if row_id in self.pending:
                continue
            self.is_news = True
            if self._room() > 0:
                self._put(row_id, None)
                self.pending[row_id] = False
            elif row_id not in refused:
                self._holds = True
            elif self.listed is not None:
                self.listed.sent(row_id, self._end)

    def account(self, until: str | None) -> None:
        """All up to a moment was read, None for all: what was to come and did not is pending.

        More than can be named: the cursor stays, and reading goes on.
        """
        owed = [row_id for row_id in self._owed(until) if row_id not in self.pending]
        promised = self._state.due and any(row_id in self._gone for row_id in self._rest)
        if len(owed) > self._room() or promised:
            self._holds = True
        self.is_news = True
        if until is None:
            self._due = self._holds or len(self._new) > MOST_NEW or bool(self._rest)
        if self._holds:
            return
        for row_id in owed:
            self._put(row_id, None)
            self._new.pop(row_id, None)
            self.pending[row_id] = False
        self.cursor = self._end if until is None else max(until, self.cursor or "")

    def _owed(self, until: str | None) -> Iterable[str]:
        if self.listed is None:
            return
        yield from self.listed.owed(until)
        for row_id, row in self._shown.items():
            if self._brings(row) and (until is None or row.updated <= until):
                yield row_id

    def _room(self) -> int:
        return MOST_PENDING - len(self.pending)

    # The state

    def state(self) -> StreamState:
        """The state as it is now."""
        self.is_news = False
        tracks = self.tracks and self._sketch is not None
        return replace(
            self._state,
            cursor=self.cursor,
            copy=self._sketch.copy() if tracks and self._sketch is not None else None,
            others=dict(list(self._others.items())[:MOST_OTHERS]) if tracks else {},
            pending=dict(self.pending),
            walked=self._walked if tracks else None,
            new=dict(self._new) if tracks else {},
            late=dict(self._late),
            crowded=self._crowded,
            high=self._high,
            wave=self._wave,
            due=self._due,
            unsure=self._unsure,
            unlisted=self._unlisted,
            length=self._length,
            roots=self.roots,
        )


def _next(moment: str) -> str:
    """The next millisecond."""
    return milliseconds(timestamp(moment) + pendulum.duration(milliseconds=1))
