"""One history, decided by its seed: changes, syncs, interruptions, and the comparison at the end."""

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Set
from dataclasses import dataclass, fields
from typing import Any

from source_linear.declared import lookback_of
from source_linear.state import looked_back

from integration_tests.expected import records
from integration_tests.linear_api import PURGED, Clock, LinearApi, Request, generate
from integration_tests.linear_api.clock import to_text
from integration_tests.linear_api.late import Late
from source_linear.streams import CURSOR_FIELD, DELETED_AT, GONE_AT
from tools.schemas import streams

from .changes import UNSTAMPED, Changes
from .connection import Connection, Output, Record
from .destination import Destination

STREAMS = {stream.name: stream for stream in streams()}
# In every history most of these, which differ most in how they are read ...
_CORE = (
    "issues",
    "comments",
    "attachments",
    "documents",
    "projects",
    "issue_labels",
    "cycles",
    "users",
    "teams",
    "team_memberships",
    "issue_relations",
    "issue_history",
    "issue_state_spans",
)
_OTHERS = tuple(name for name in STREAMS if name not in _CORE)  # ... and a few of the others
_PAGE_SIZES = (2, 3, 5, 10, 40)
_MANY = 1000
_PAUSES = (0, 0.001, 0.4, 1, 2, 60, 3600, 86_400, 20 * 86_400)  # seconds


class BrokenRule(AssertionError):
    """A sync did what none may do."""


class LostRows(AssertionError):
    """After the last quiet sync the destination is not what the workspace is."""


@dataclass
class Tally:
    """What happened in some histories."""

    histories: int = 0
    syncs: int = 0
    interruptions: int = 0
    changes: int = 0
    deleted: int = 0
    reported: int = 0
    compared: int = 0

    def __iadd__(self, other: "Tally") -> "Tally":
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))
        return self

    def __str__(self) -> str:
        return (
            f"{self.histories:,} histories, {self.syncs:,} syncs, {self.interruptions:,} interruptions, "
            f"{self.changes:,} changes, {self.deleted:,} deletions, {self.reported:,} reported, "
            f"{self.compared:,} rows compared"
        )


def play(seed: int, *, rules: bool = True) -> Tally:
    """Play one history.

    Args:
        seed: decides it.
        rules: whether each read is held to the rules that follow from how windows are made; without them
            only what is in the destination at the end counts.

    Raises:
        BrokenRule: in one of its syncs.
        LostRows: at its end.
    """
    rng = random.Random(f"history {seed}")
    workspace = generate(seed, rng.randint(4, 16), Clock("2025-06-01T00:00:02.500Z"), PURGED)
    workspace.late = Late(seed)
    with LinearApi(workspace) as api:
        api.limits.set(requests=10**9, points=10**12)
        return _History(api, rng, rules).play()


class _History:
    """A workspace, a connection that syncs it, and what happens to both."""

    def __init__(self, api: LinearApi, rng: random.Random, rules: bool) -> None:
        self._api = api
        self._rng = rng
        self._rules = rules
        self._tally = Tally(histories=1)
        self._names = [*rng.sample(_CORE, 9), *rng.sample(_OTHERS, 4)]
        self._archived_rows = rng.choice(("flag", "flag", "delete"))
        self._start_date = rng.choice((None, None, None, "2024-03-01T00:00:00.000Z"))
        self._is_large = rng.random() < 0.04
        self._page_size = 250 if self._is_large else rng.choice(_PAGE_SIZES)
        (organization,) = api.workspace.rows["Organization"].values()
        self._origin: str = organization["createdAt"]
        self._changes = Changes(api.workspace, [STREAMS[name] for name in self._names], rng)
        self._connection, self._destination = self._connect(), Destination(STREAMS)
        self._forgotten: set[str] = set()
        self._story = [
            f"streams: {', '.join(self._names)}",
            f"archived_rows: {self._archived_rows}; start_date: {self._start_date}; "
            f"pages of {self._page_size} rows at most",
        ]

    def play(self) -> Tally:
        """Play it to its end."""
        for _ in range(self._rng.randint(3, 6)):
            self._change()
            (happening,) = self._rng.choices((self._sync, self._start_afresh, self._refresh_fully), (8, 1, 1))
            happening()
        self._change()
        self._sync_quietly()
        for name in self._names:
            self._compare(name)
        self._tally.changes, self._tally.deleted = self._changes.count, self._changes.deleted
        return self._tally

    # --- what happens ------------------------------------------------------------------------

    def _change(self) -> None:
        before = self._changes.count
        self._changes.burst(20)
        if self._rng.random() < 0.25:
            self._changes.move_a_wall()
        if self._is_large:
            name = self._rng.choice([name for name in self._names if STREAMS[name].kind == "windowed"])
            if self._rng.random() < 0.4:
                self._changes.bring_in(STREAMS[name], _MANY)
            self._changes.edit(STREAMS[name], _MANY)
        clock = self._api.clock
        clock.advance(self._rng.choice(_PAUSES))
        if self._rng.random() < 0.4:  # what changes in the coming sync has the stamp of its very end
            clock.advance(-clock.milliseconds % 1000 / 1000)
        self._tell(f"{self._changes.count - before} changes; it is {clock.text}")

    def _sync(self) -> None:
        """An incremental sync that may be cut off."""
        connection = self._connection
        before = {name: connection.cursor(name) for name in self._names}
        self._take(connection, self._destination, self._read(connection, "incremental"))
        for name, old in before.items():
            new = connection.cursor(name)
            if old and (new is None or new < old):
                self._break(f"the state of {name} went back from {old} to {new}")

    def _forget(self, connection: Connection) -> None:
        """A state that is gone remembers no rows: what is deleted until the next one is not reported."""
        for name in self._names:
            if connection.cursor(name) is None:
                now = records(self._api.workspace, STREAMS[name])
                rows = self._destination.rows(name)
                self._forgotten |= {
                    one
                    for one, row in rows.items()
                    if one not in now or GONE_AT in row or _newer(row, now[one])
                }

    def _start_afresh(self) -> None:
        """What Airbyte calls a refresh that retains records."""
        self._tell("the states are cleared")
        self._connection = self._connect()
        self._sync()

    def _refresh_fully(self) -> None:
        """A full refresh, whose attempts may be cut off; then the connection goes on incrementally."""
        connection, destination = self._connect(), Destination(STREAMS)
        self._tell("the states and rows are cleared")
        if self._rng.random() < 0.5:
            self._refresh_in_one(connection, destination)
        else:
            for _ in range(self._rng.randint(1, 3)):
                self._take(connection, destination, self._read(connection, "full_refresh"))
        self._connection, self._destination = connection, destination

    def _refresh_in_one(self, connection: Connection, destination: Destination) -> None:
        """A full refresh reads each row that was there when it started, once, and as it was or became."""
        self._api.clock.advance(1)  # the start is a whole second: what is made in that second comes later
        before = {name: records(self._api.workspace, STREAMS[name]) for name in self._names}
        output = self._read(connection, "full_refresh", may_fail=False)
        found: dict[str, dict[str, Record]] = defaultdict(dict)
        for name, record in output.records():
            if record["id"] in found[name]:
                self._break(f"the full refresh has read {name} {record['id']} twice")
            found[name][record["id"]] = record
        for name, rows in before.items():
            after = records(self._api.workspace, STREAMS[name])
            for row_id, row in rows.items():
                if row_id not in after or row_id in self._changes.unstamped:
                    continue
                excluded = self._archived_rows == "exclude" and (row["isArchived"] or row != after[row_id])
                if row_id not in found[name] and not excluded and not self._is_too_old(name, row):
                    self._break(f"the full refresh has not read {name} {row_id}")
                if row == after[row_id] and row_id in found[name]:
                    self._expect_equal(name, row, found[name][row_id])
        self._write(destination, output)
        connection.receive(output)

    def _sync_quietly(self) -> None:
        self._api.clock.advance(40)  # what was committed late can be seen
        output = self._read(self._connection, "incremental", may_fail=False, restless=False)
        self._write(self._destination, output)

    def _connect(self) -> Connection:
        return Connection.of(
            self._api,
            self._names,
            self._rng,
            self._page_size,
            detect_deletions="each sync",
            archived_rows=self._archived_rows,
            **({"start_date": self._start_date} if self._start_date else {}),
        )

    # --- one read ----------------------------------------------------------------------------

    def _read(
        self, connection: Connection, sync_mode: str, *, may_fail: bool = True, restless: bool = True
    ) -> Output:
        """Read while things change, and while now and then a page of some stream fails for good."""
        api, rng = self._api, self._rng
        end = to_text(api.clock.milliseconds // 1000 * 1000)  # the Date header knows no milliseconds
        self._changes.edge = end
        pace = rng.choice((0, 0.05, 0.3)) if restless else 0

        def change(request: Request, number: int) -> None:
            # The first request asks when the sync starts: what is read comes after.
            if number > 1 and rng.random() < pace:
                self._changes.burst(3)
                api.clock.advance(rng.choice((0, 0, 0.001, 0.5, 2)))

        api.requests.clear()
        api.before_response(change)
        fails = may_fail and rng.random() < 0.15
        if fails:
            root = STREAMS[rng.choice(self._names)].roots[0].name
            api.faults.error("GRAPHQL_VALIDATION_FAILED", root=root, nth=rng.randint(2, 8))
        before = {name: self._since(connection, name) for name in self._names}
        if connection is self._connection:
            self._forget(connection)
        output = connection.sync() if sync_mode == "incremental" else connection.full_refresh()
        api.before_response(None)
        api.faults.clear()
        self._tally.syncs += 1
        self._tally.interruptions += output.error is not None
        self._tell(
            f"{sync_mode} sync until {end}: {len(api.requests)} requests, {len(output.messages)} messages; "
            f"then it is {api.clock.text}{f'; failed: {output.error}' if output.error else ''}"
        )
        if output.error and not fails:
            self._break("a sync failed")
        self._check(output, before, end, sync_mode)
        return output

    def _since(self, connection: Connection, name: str) -> str | None:
        """Where a read goes on; a state from before the workspace was there says: from the beginning."""
        cursor = connection.cursor(name)
        return cursor if cursor and cursor > self._origin else None

    def _check(self, output: Output, before: Mapping[str, str | None], end: str, sync_mode: str) -> None:
        """What holds for every read."""
        versions: Counter[tuple[str, str, str]] = Counter()
        again = {
            one
            for state in self._connection.states.values()
            for one in state["stream"]["stream_state"].get("again", ())
        }
        for name, record in output.records():
            stream, since = STREAMS[name], before[name]
            cursor = record[stream.cursor_field]
            if GONE_AT in record:
                self._tally.reported += 1
                continue
            if stream.kind != "feed":  # a page's last row that changes meanwhile takes the next page back
                versions[name, record["id"], cursor] += 1
            if since and not self._is_unstamped(name, record, again) and self._is_old(record, cursor, since):
                self._break(f"{name} {record['id']} was read again, but has not changed")
            # A full refresh reads what is there; a first read of windows goes by createdAt (windows.py).
            if since is None and stream.kind == "windowed":
                cursor = record["createdAt"]
            elif since is None and sync_mode == "full_refresh":
                continue
            if cursor > end:
                self._break(f"{name} {record['id']} is of {cursor}, after the start of the sync")
        for (name, row_id, cursor), times in versions.items():
            if times > 1 and row_id not in again and name != "issues":  # found by two of their dates
                self._break(f"{name} {row_id} of {cursor} was read {times} times")
        if output.error is None:
            states = output.states()
            for name in self._names:
                cursor = next(iter(states[name]["stream"]["stream_state"].values()))
                if cursor != end:
                    self._break(f"the state of {name} is {cursor}")

    def _is_old(self, record: Record, cursor: str, since: str) -> bool:
        return max(cursor, _archived_at(record)) < looked_back(since, lookback_of())

    def _is_unstamped(self, name: str, record: Record, again: Set[str]) -> bool:
        """Whether a row may be sent although no stamp of its own tells that it changed."""
        changes = self._changes
        if self._start_date and STREAMS[name].goes_by_parents:  # of a parent that was too old to be read
            return True
        parents = (record.get(f"{root.parent}Id") for root in STREAMS[name].roots if root.children)
        ids = {record["id"], *parents}
        return name == "issues" or bool(ids & (changes.unstamped | changes.gone | again))

    def _take(self, connection: Connection, destination: Destination, output: Output) -> None:
        """Take over what was printed, or what was printed until the sync was killed."""
        if self._rng.random() < 0.4:
            output = output.cut(self._rng.randrange(len(output.messages)))
            self._tally.interruptions += 1
            self._tell(str(output.error))
        self._write(destination, output)
        connection.receive(output)

    def _write(self, destination: Destination, output: Output) -> None:
        only_covered = output.error is not None and self._rng.random() < 0.5
        for name, record in output.covered_records() if only_covered else output.records():
            destination.write(name, record)

    # --- what is wrong -----------------------------------------------------------------------

    def _compare(self, name: str) -> None:
        wanted = everything = records(self._api.workspace, STREAMS[name])
        found = {
            row_id: row
            for row_id, row in self._destination.rows(name).items()
            if row_id in everything or not self._may_stay(name, row_id, row)
        }
        wanted = {
            row_id: row
            for row_id, row in wanted.items()
            if row_id not in self._forgotten
            or not (GONE_AT in found.get(row_id, {}) or _newer(found.get(row_id, {}), row))
        }
        found = {
            row_id: row
            for row_id, row in found.items()
            if row_id in wanted or row_id not in self._forgotten or row_id not in everything
        }
        found = {row_id: row for row_id, row in found.items() if GONE_AT not in row}
        if self._archived_rows == "delete":
            wanted = {row_id: row for row_id, row in wanted.items() if not _archived_at(row)}
        if self._archived_rows == "exclude":  # what was archived after it was read stays as it was
            wanted = {row_id: row for row_id, row in wanted.items() if not row["isArchived"]}
            found = {one: row for one, row in found.items() if one in wanted or one not in everything}
        wanted = {
            row_id: row
            for row_id, row in wanted.items()
            if row_id in found or not self._is_too_old(name, row)
        }
        unstamped = self._changes.unstamped
        untold = self._changes.gone | unstamped if self._is_incomplete(name) else set()
        # Of an issue that was read because it was archived since `start_date` no list tells.
        untold |= {
            row_id
            for row_id, row in wanted.items()
            if self._is_too_old(name, row) and {row_id, row.get("issueId")} & unstamped
        }
        for row_id in sorted((wanted.keys() | found.keys()) - untold):
            self._expect_equal(name, wanted.get(row_id, {}), found.get(row_id, {}))
        self._tally.compared += len(wanted)

    def _is_incomplete(self, name: str) -> bool:
        """Whether each sync warns that more rows were deleted, or became visible, than a state can tell."""
        state = self._connection.states.get(name)
        return state is not None and "incomplete" in state["stream"]["stream_state"].get("copy", {})

    def _may_stay(self, name: str, row_id: str, row: Record) -> bool:
        """Whether nobody can tell that a row is gone."""
        never = not STREAMS[name].reports_deleted or self._is_too_old(name, row)
        return never or row_id in self._forgotten

    def _is_too_old(self, name: str, row: Record) -> bool:
        """Whether the configuration's `start_date` says that it need not be read."""
        stream = STREAMS[name]
        if self._start_date is None or stream.kind not in ("windowed", "child"):
            return False
        dates = [row[stream.cursor_field]]
        if stream.kind == "child":  # found through its issue
            issue = self._api.workspace.get("Issue", row["issueId"])
            dates += [issue["updatedAt"]] if issue else []
        return min(dates) < self._start_date

    def _known(self, value: Any) -> Any:
        """A value without references to rows that could not be seen for a while."""
        if isinstance(value, list):
            return [one for one in map(self._known, value) if one is not None]
        if isinstance(value, dict) and value.get("id") in self._changes.gone:
            return None
        if isinstance(value, dict):
            return {name: self._known(one) for name, one in value.items()}
        return None if isinstance(value, str) and value in self._changes.gone else value

    def _expect_equal(self, name: str, wanted: Record, found: Record) -> None:
        row_id = {**found, **wanted}["id"]
        hidden = {*UNSTAMPED.get(name, ()), DELETED_AT}
        columns = [
            f"{column} is {found.get(column)!r} instead of {wanted.get(column)!r}"
            for column in sorted({*wanted, *found} - hidden)
            if self._known(wanted.get(column)) != self._known(found.get(column))
            and not (column == CURSOR_FIELD and row_id in self._changes.gone)  # it came back
        ]
        if columns:
            row = {**found, **wanted}
            what = "is lost" if not found else "is too many" if not wanted else "is stale"
            raise LostRows(self._with_story("\n  ".join([f"{name} {row['id']} {what}:", *columns])))

    def _tell(self, line: str) -> None:
        self._story.append(line)

    def _break(self, rule: str) -> None:
        if self._rules:
            raise BrokenRule(self._with_story(rule))

    def _with_story(self, what: str) -> str:
        return "\n- ".join([what, *self._story])


def _archived_at(record: Record) -> str:
    moment: str = record.get("archivedAt") or record.get("issueArchivedAt") or ""
    return moment


def _newer(row: Record, other: Record) -> bool:
    """Whether a row took the time of the sync that found it again."""
    return bool(row.get(CURSOR_FIELD, "") > other.get(CURSOR_FIELD, ""))
