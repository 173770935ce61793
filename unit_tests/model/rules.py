"""The rules of a copy, as a source of one stream: sets where the connector has a sketch.

    A difference between the copy and Linear goes away only by being sent.

A sync is killed anywhere; lists, reads by date and reads by id disagree. What must hold after a sync that
ended and saw the world as it is: the destination has exactly the rows that Linear shows, each in its newest
version, with its flag. Each rule has a name: `test_rules.py` plays histories without one at a time.
"""

import random
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from typing import Any

from source_linear.linear.errors import LinearError
from unit_tests.world.histories import Read, Table, filled
from unit_tests.world.schema import schema
from unit_tests.world.world import is_archived, moment, text

LOOKBACK = 60_000  # milliseconds: a row can be seen at most so long after its stamp
DAILY = 20 * 3_600_000  # milliseconds after a walk the next one is due: so none comes later than in a day
BEGINNING = -(10**15)
Message = tuple[str, str, Any]


@dataclass(frozen=True)
class Bounds:
    """How much a state can name.

    Attributes:
        differences: that a sketch tells apart.
        pending: ids of rows that are still to be sent or reported.
        new: ids of rows that were sent since the last walk.
    """

    differences: int = 512
    pending: int = 700
    new: int = 512


@dataclass(frozen=True)
class Row:
    """A row as it came."""

    id: str
    created: int
    updated: int
    archived: bool
    archived_at: int | None = None
    version: int = 0


@dataclass(frozen=True)
class State:
    """What a sync leaves to the next one.

    Attributes:
        cursor: what was stamped up to it was sent; None for from the beginning.
        copy: the rows that the destination has, or will have by going on from the cursor, each with its flag.
        pending: rows that may be in the destination, or not, each with whether a tombstone may stand against
            it. Never in `copy`.
        walked: when the copy was last compared with a list.
        new: rows that were sent since, with their flags; None for those reported as gone.
        late: rows sent with a cursor ahead of their stamp, and with which: until the stamp has passed it.
        due: the next sync must walk: a walk's promises were not kept yet, or more is new than can be named.
        high: no cursor above it was sent for any row.
        unsure: more differed than can be told.
    """

    cursor: int | None = None
    copy: Mapping[str, bool] = field(default_factory=dict)
    pending: Mapping[str, bool] = field(default_factory=dict)
    walked: int | None = None
    new: Mapping[str, bool | None] = field(default_factory=dict)
    late: Mapping[str, int] = field(default_factory=dict)
    due: bool = True
    high: int = 0
    unsure: bool = False
    scope: Any = None


class Asking:
    """Asks for a stream's rows: a list, by date, by id, or whether they are there; each has its moment."""

    def __init__(self, given: Read, table: Table) -> None:
        self._ask, self._table = given.linear.ask, table
        self._root = next(root for root, entity in schema().connections.items() if entity == table.entity)
        keys = list(given.config.get("team_keys") or ())
        self._of_teams = filled(table.team_filter, keys) if keys and table.team_filter else None

    def walk(self) -> dict[str, Row] | None:
        """All rows; None where they cannot be listed."""
        try:
            return self._rows(self._pages("", None))
        except LinearError:
            return None

    def since(self, begin: int) -> tuple[dict[str, Row], list[str]]:
        """The rows stamped since then, and the ids of those that cannot be read."""
        where = {"updatedAt": {"gte": text(max(begin, 0))}}
        return self._read(where)

    def by_id(self, ids: Collection[str]) -> tuple[dict[str, Row], list[str]]:
        """Rows by their ids, and the ids of those that cannot be read."""
        return self._read({"id": {"in": list(ids)}}) if ids else ({}, [])

    def there(self, ids: Collection[str]) -> dict[str, Row | None]:
        """Which of some ids Linear shows: a question for nothing but that. A row that fails is there."""
        found: dict[str, Row | None] = {}
        for row_id in ids:
            try:
                found |= self._rows(self._pages("", {"id": {"in": [row_id]}}))
            except LinearError:
                found[row_id] = None
        return found

    def _read(self, where: Mapping[str, Any]) -> tuple[dict[str, Row], list[str]]:
        try:
            nodes = self._pages(self._table.mark, where)
            if None not in nodes:
                return self._rows(nodes), []
        except LinearError:
            pass
        found: dict[str, Row] = {}
        unread: list[str] = []
        try:
            ids = [node["id"] for node in self._pages("", where)]
        except LinearError:
            ids = where["id"]["in"]
        for row_id in ids:
            try:
                nodes = self._pages(self._table.mark, {"id": {"in": [row_id]}})
            except LinearError:
                nodes = [None]
            if None in nodes or not nodes:  # it was told of a moment ago
                unread.append(row_id)
            else:
                found |= self._rows(nodes)
        return found, unread

    def _pages(self, mark: str, where: Mapping[str, Any] | None) -> list[Any]:
        given = [one for one in (self._of_teams, where) if one]
        filters = (
            ("($after: String, $filter: Filter)", ", filter: $filter") if given else ("($after: String)", "")
        )
        trashed = "trashed" if self._table.can_trash else ""
        query = (
            f"query rows{filters[0]} {{"
            f" {self._root}(first: 250, after: $after, includeArchived: true{filters[1]})"
            f" {{ nodes {{ id createdAt updatedAt archivedAt {trashed} {mark} }}"
            " pageInfo { hasNextPage endCursor } } }"
        )
        nodes: list[Any] = []
        variables: dict[str, Any] = {"filter": {"and": given}} if given else {}
        while True:
            answer = self._ask(self._table.stream, query, variables, {self._root: ("nodes", "pageInfo")})
            nodes += answer.data[self._root]["nodes"]
            if not answer.data[self._root]["pageInfo"]["hasNextPage"]:
                return nodes
            variables["after"] = answer.data[self._root]["pageInfo"]["endCursor"]

    def _rows(self, nodes: Iterable[Any]) -> dict[str, Row]:
        mark = self._table.mark
        return {
            one["id"]: Row(
                one["id"],
                moment(one["createdAt"]),
                moment(one["updatedAt"]),
                is_archived(one),
                moment(one["archivedAt"]) if one["archivedAt"] else None,
                int(one.get(mark) or 0),
            )
            for one in nodes
        }


class Sync:
    """One sync of a stream.

    `rules` are those that hold; a test leaves one out.
    """

    def __init__(self, given: Read, bounds: Bounds, without: str, windows: int) -> None:
        self._table = Table(given.streams[0])
        self._asking, self._bounds, self._without = Asking(given, self._table), bounds, without
        self._windows, self._walks = windows, given.walks
        self._deletes = given.config.get("archived_rows") == "delete"
        who = given.linear.ask("", "{ viewer { id } }")
        found = given.states.get(self._table.stream)
        self._state = found["state"] if found and "state" in found else State()
        if found and "state" not in found:  # of others: a cursor alone
            self._state = State(moment(found["updatedAt"]))
        config = given.config
        scope = who.data["viewer"]["id"], tuple(config.get("team_keys") or ()), config.get("start_date")
        if self._state.scope not in (None, scope):  # another owner, or other options
            self._state = replace(self._state, cursor=None, due=True)
        now = round(parsedate_to_datetime(who.headers["Date"]).timestamp() * 1000)
        self._state = replace(self._state, scope=scope)
        self.end = max(now, self._state.cursor or 0)  # a clock may go back
        state = self._state
        lookback = LOOKBACK if self._holds("the lookback window") else 0
        self._begin = BEGINNING if state.cursor is None else state.cursor - lookback
        self._copy, self._pending, self._new = dict(state.copy), dict(state.pending), dict(state.new)
        self._late, self._sent = dict(state.late), dict[str, Row]()
        self._high = max(state.high if self._holds("no cursor below one that was sent") else 0, self.end)
        self._listed: dict[str, Row] | None = None
        self._walked, self._due, self._unsure = state.walked, state.due, state.unsure
        self._stays = False

    def messages(self) -> Iterator[Message]:
        """What it prints. What is written ahead goes out before what it announces."""
        state = self._state
        walks = self._walks
        if walks is None:
            walks = state.walked is None or self.end - state.walked >= DAILY
        listed = self._asking.walk() if walks or state.due else None
        if listed is None and state.walked is None:
            listed = self._asking.walk()
            if listed is None:  # no row is sent before a list was had
                return
        if listed is not None:
            self._compare(listed)
        yield from self._rows_by_id()
        yield from self._slices()

    # --- what differs --------------------------------------------------------------------------

    def _compare(self, listed: dict[str, Row]) -> None:
        """What the copy has otherwise than Linear is pending; the copy promises what the cursor brings."""
        state, pending = self._state, self._pending
        held = self._held(listed)
        gone = held.keys() - listed.keys()
        if self._holds("nothing is gone without asking"):
            there = self._asking.there(sorted(gone))
            listed |= {one: row for one, row in there.items() if row}
            gone -= listed.keys()
        again = state.cursor is None and state.walked is not None  # tombstones may stand in the destination
        apart = {
            one
            for one, row in listed.items()
            if one not in pending and held.get(one) is not row.archived
            if not self._comes(row) or (again and one not in held and row.created < (state.walked or 0))
        }
        for one in sorted(gone | apart)[: max(self._bounds.pending - len(pending), 0)]:
            keeps = self._holds("what the copy has keeps its stamp")
            pending[one] = one not in held or one in gone or not keeps
        # The others differ still: the next list shows them. A tombstone that was promised holds the cursor.
        self._stays = bool(gone - pending.keys()) and state.due
        kept = {one: flag for one, flag in held.items() if one not in pending}
        self._copy = {one: flag for one, flag in kept.items() if one not in listed or one in apart}
        for one, row in listed.items():
            if one not in pending and one not in apart and row.created < self.end:
                self._copy[one] = row.archived
        self._new = {
            one: flag
            for one, flag in kept.items()
            if one in listed and one not in apart and listed[one].created >= self.end
        }
        self._listed, self._walked = listed, self.end
        self._due = self._holds("a promise makes the next walk due")

    def _held(self, listed: Mapping[str, Row]) -> dict[str, bool]:
        """Which rows the copy has, and how: what a sketch tells where few enough differ."""
        state = self._state
        if state.walked is None:
            taken = state.cursor is not None and self._holds("a state of others has all it read")
            return {one: row.archived for one, row in listed.items()} if taken else {}
        # What a sketch made then cannot hold is left out; what was archived since is taken for not archived.
        since = state.walked
        right = {
            one: row.archived and not (row.archived_at or 0) >= since - LOOKBACK
            for one, row in listed.items()
            if one not in state.pending and row.created < since
        }
        settled = {one: flag for one, flag in right.items() if listed[one].updated < since - LOOKBACK}
        for rows in (right, settled):
            if len(set(state.copy.items()) ^ set(rows.items())) <= self._bounds.differences:
                return {one: flag for one, flag in {**state.copy, **state.new}.items() if flag is not None}
        self._unsure = True  # warned until a refresh; from now on this is the copy
        return {one: row.archived for one, row in listed.items() if one not in state.pending}

    def _comes(self, row: Row) -> bool:
        return row.updated >= self._begin or row.created >= self._begin

    # --- what the cursor does not bring: first, while the state still has the old one ----------

    def _rows_by_id(self) -> Iterator[Message]:
        pending, listed = self._pending, self._listed
        found, unread = self._asking.by_id(pending)
        lost = [
            one for one in pending if one not in found and one not in unread and one not in (listed or {})
        ]
        if self._holds("nothing is gone without asking"):
            lost = sorted(set(lost) - self._asking.there(lost).keys())
        tombstone = self._high
        if lost:
            self._high += 1  # a row that comes after it wins, whatever the order of equal cursors
            if self._holds("a tombstone is announced"):
                pending |= dict.fromkeys(lost, True)
                yield self._told()
        for one in lost:
            yield "row", self._table.stream, self._tombstone(one, tombstone)
            self._late[one] = self._high
            del pending[one]
            if listed is None and self._holds("a tombstone without a list is named"):
                self._new[one] = None
        self._raise(found.values())
        if self._holds("promises go ahead"):
            yield self._told()
        for one, row in sorted(found.items()):
            yield self._send(row, pending.pop(one))
            self._place(row)
        yield self._told()

    # --- by date -------------------------------------------------------------------------------

    def _slices(self) -> Iterator[Message]:
        pending, begin, first = self._pending, self._begin, self._state.cursor or 0
        ends = {first + (self.end - first) * part // self._windows for part in range(1, self._windows)}
        for until in [*sorted(ends), None]:  # the last one has no upper bound
            read, unread = self._asking.since(begin)
            rows = [row for row in read.values() if until is None or row.updated <= until]
            rows = [
                row for row in rows if row.id not in self._sent or self._sent[row.id].version < row.version
            ]
            for row in rows:
                self._announce(row)
            self._raise(rows)
            yield self._told()
            for row in rows:
                yield self._send(row, pending.pop(row.id, False))
                self._place(row)
            for one in unread:
                if self._listed is not None:  # else nobody knows whether the sketch has it
                    self._copy.pop(one, None)
                pending.setdefault(one, False)
            self._account(until)
            begin = until + 1 if until is not None else begin
            yield self._told()

    def _announce(self, row: Row) -> None:
        """A row is named before it is sent: by the copy where a list was had, else one by one."""
        if self._listed is None or row.created >= self.end:
            if self._new.get(row.id) is not row.archived and self._holds(
                "rows are named before they are sent"
            ):
                self._pending.setdefault(row.id, False)
        elif row.id not in self._pending:
            self._copy[row.id] = row.archived

    def _account(self, until: int | None) -> None:
        """What the list said is to come has come, or is pending, before the cursor passes it."""
        last = (
            until if self._holds("before the cursor passes it") else self.end if until is None else BEGINNING
        )
        owed = {
            one
            for one, row in (self._listed or {}).items()
            if self._comes(row) and (until is None or row.updated <= (last or 0)) and one not in self._pending
            if one not in self._sent or self._sent[one].version < row.version
            if self._holds("what was listed came, or is pending")
        }
        crowded = len(self._pending) + len(owed) > self._bounds.pending
        open_ = self._state.due and self._listed is None and self._holds("an open promise holds the cursor")
        stays = crowded or self._stays or open_
        if until is None:
            self._due = stays or len(self._new) > self._bounds.new
        if stays:
            return
        for one in owed:
            self._copy.pop(one, None)
            self._pending[one] = False
        self._state = replace(self._state, cursor=self.end if until is None else until)

    # --- what is sent --------------------------------------------------------------------------

    def _raise(self, rows: Iterable[Row]) -> None:
        if self._holds("no cursor below one that was sent"):
            self._high = max([self._high, *(row.updated for row in rows)])

    def _send(self, row: Row, ahead: bool) -> Message:
        """A row that the copy has keeps Linear's stamp; one that may be deleted goes ahead of all stamps."""
        if ahead and self._holds("what may be deleted is sent ahead"):
            at = max(self._high, row.updated)
        else:
            at = max(row.updated, self._late.get(row.id, 0))
        if at > row.updated and self._holds("a row sent ahead keeps its cursor"):
            self._late[row.id] = at
        elif at == row.updated:
            self._late.pop(row.id, None)
        self._sent[row.id] = row
        record = {
            "id": row.id,
            "updatedAt": text(at),
            "isArchived": row.archived,
            self._table.mark: str(row.version),
        }
        if self._deletes and row.archived:
            record["_ab_cdc_deleted_at"] = text(at)
        return "row", self._table.stream, record

    def _tombstone(self, row_id: str, at: int) -> dict[str, Any]:
        return {"id": row_id, "updatedAt": text(at), "isArchived": True, "deletedAt": text(at)}

    def _place(self, row: Row) -> None:
        """Without a list nobody knows what is in a sketch, and the next list leaves out what is newer."""
        if self._listed is None or row.created >= self.end:
            self._new[row.id] = row.archived
        else:
            self._copy[row.id] = row.archived

    def _told(self) -> Message:
        self._state = replace(
            self._state,
            copy=dict(self._copy),
            pending=dict(self._pending),
            walked=self._walked,
            new=dict(self._new),
            late=dict(self._late),
            due=self._due,
            high=self._high,
            unsure=self._unsure,
        )
        cursor = text(max(self._state.cursor or 0, 0))
        return (
            "state",
            self._table.stream,
            {"updatedAt": cursor, "unsure": self._unsure, "state": self._state},
        )

    def _holds(self, rule: str) -> bool:
        return rule != self._without


RULES = (
    "nothing is gone without asking",
    "what was listed came, or is pending",
    "before the cursor passes it",
    "promises go ahead",
    "rows are named before they are sent",
    "a promise makes the next walk due",
    "an open promise holds the cursor",
    "a row sent ahead keeps its cursor",
    "what may be deleted is sent ahead",
    "what the copy has keeps its stamp",
    "a tombstone is announced",
    "a tombstone without a list is named",
    "no cursor below one that was sent",
    "the lookback window",
    "a state of others has all it read",
)


def doubtful(_: str, given: Any) -> list[str]:
    """The ids that a state names against which a tombstone may stand."""
    return [
        one
        for one, may_be_deleted in (given["state"].pending if "state" in given else {}).items()
        if may_be_deleted
    ]


def source(given: Read, bounds: Bounds = Bounds(), without: str = "") -> Iterator[Message]:
    """A sync of one stream by the rules, `without` one of them."""
    windows = random.Random(given.seed).choice((1, 1, 3))
    try:
        yield from Sync(given, bounds, without, windows).messages()
    except LinearError:
        return
