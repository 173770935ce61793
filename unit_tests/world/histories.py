"""Random histories of a workspace that is synced: what the destination must have, then and in the end."""

import random
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from source_linear.packaged import manifest
from unit_tests.world.destination import Destination, Platform, Record
from unit_tests.world.filters import test_of
from unit_tests.world.linear import ALWAYS, STALE, Faults, Linear
from unit_tests.world.plans import REFUSED, Change, Plan, Sync, Turn, Wait
from unit_tests.world.schema import schema
from unit_tests.world.world import VERSION, Row, World, is_archived, text

TEAMS = ("ENG", "OPS")
VIEWERS = ("ada", "bob")
_QUIET = 4  # syncs without faults at the end
_DAY = 86_400
BEGINNING = "1970-01-01T00:00:00.000Z"
LISTS = {"attachmentIds": "attachments", "relationIds": "relations"}  # columns of issues: lists inside them
_DECLARED = {one["$parameters"]["name"]: one["$parameters"] for one in manifest()["streams"]}


@dataclass
class Read:
    """What a sync is given.

    Attributes:
        streams: the names of the streams.
        config: the user's configuration.
        states: the states, by stream.
        linear: Linear, as this sync sees it.
        seed: decides the order of the workers.
        walks: whether long lists are to be walked; None for once a day.
    """

    streams: tuple[str, ...]
    config: Mapping[str, Any]
    states: Mapping[str, Any]
    linear: Linear
    seed: int
    walks: bool | None


Source = Callable[[Read], Iterator[tuple[str, str, Any]]]


@dataclass
class Table:
    """The rows of one stream, as a history changes them."""

    stream: str
    entity: str = ""
    kind: str = ""
    mark: str = ""
    parents: tuple[tuple[str, str], ...] = ()
    can_trash: bool = False
    team_filter: Any = None
    cursor: str = "updatedAt"

    def __post_init__(self) -> None:
        declared = _DECLARED[self.stream]
        self.entity, self.kind = declared["entity"], declared["kind"]
        self.mark = schema().marks[self.entity]
        children = {child: key for key, child in schema().children.items()}
        self.parents = tuple(key for key, child in schema().children.items() if child == self.entity)
        assert not self.parents or self.entity in children
        self.can_trash = "trashed" in declared["fields"].split() and not self.parents
        self.team_filter = declared.get("team_filter")
        self.cursor = declared.get("cursor_field", "updatedAt")

    @property
    def reports_deleted(self) -> bool:
        """Whether the stream tells what is gone."""
        by_parents = self.kind == "child" or any(
            "$order" in one for one in _DECLARED[self.stream].get("parents", ())
        )
        return not by_parents


class History:
    """A world, a connection that reads it by a source, and what is wrong with the copy.

    Attributes:
        problems: what is wrong in silence, each a sentence.
        told: what is wrong and was told: a state says that it is unsure.
        stayed: rows that stay because the states that announced them were lost, as docs/syncs.md says.
        unsure: whether a state said that more differs than it can tell.
        messages: how many messages came.
    """

    def __init__(
        self,
        given: Plan,
        source: Source,
        doubtful: Callable[[str, Any], Collection[str]] = lambda stream, state: (),
        is_walked: Callable[[Any], bool] = lambda state: True,
        quiet: int = _QUIET,
    ) -> None:
        """Make ready to play.

        Args:
            given: the plan.
            source: what reads.
            doubtful: which ids a state of a stream names against which a tombstone may stand.
            is_walked: whether a state knows a list.
            quiet: how many syncs without faults there are in the end.
        """
        self.problems: list[str] = []
        self.told: list[str] = []
        self.stayed: list[str] = []
        self.unsure, self.messages = False, 0
        self._plan, self._source = given, source
        self._doubtful, self._is_walked, self._quiet = doubtful, is_walked, quiet
        self._rng = random.Random(f"rows {given.seed}")
        self._world = World(self._rng)
        self._world.viewer = VIEWERS[0]
        self._world.organization["createdIssueCount"] = given.rows
        self._tables = {name: Table(name) for name in given.streams}
        cursors = {name: one.cursor for name, one in self._tables.items()}
        self._destination = Destination(cursors)
        self._platform = Platform(self._destination)
        self._config: dict[str, Any] = {"archived_rows": given.archived_rows}
        self._excused: set[str] = set()  # hidden once: what changed meanwhile no list tells
        self._untold: set[str] = set()  # differed before a list came
        self._doubted: set[str] = set()  # reported as gone once, or perhaps
        self._gone: dict[str, int] = {}  # since when rows of the copy are gone, as far as a sync has seen it
        self._arrived: dict[tuple[str, str], int] = {}  # after how many states rows came
        self._orphans: set[tuple[str, str]] = set()  # rows that came after a state that was lost
        self._teams = [self._world.create("Team", key=key) for key in TEAMS]
        for table in self._tables.values():
            for _ in range(given.rows):
                self._create(table, self._rng.random(), 0, is_old=True)
        self._world.tick(STALE)  # no answer lags behind the world's beginning

    def play(self) -> list[str]:
        """Play it; returns what is wrong."""
        if self._plan.others:
            self._take_over()
            self._sync(Sync(seed=0))  # what comes between is taken as sent
        for step in self._plan.steps:
            if isinstance(step, Change):
                self._change(step)
            elif isinstance(step, Wait):
                self._world.tick(step.seconds)
            elif isinstance(step, Turn):
                self._turn(step)
            else:
                self._sync(step)
        self._world.refused.clear()
        for number in range(self._quiet):
            self._world.tick(_DAY if self._plan.daily else 65)
            self._sync(Sync(seed=number))
        self._compare()
        before = {name: self._destination.kept(name) for name in self._tables}
        self._world.tick(65)
        self._sync(Sync(seed=self._quiet))
        for name, rows in before.items():
            sent = [one for one, row in self._destination.kept(name).items() if row != rows.get(one)]
            if sent and not self.problems and not self.unsure:
                self.problems.append(f"{name}: a quiet sync sends {sent[:3]}")
        return self.problems

    # --- what users do -------------------------------------------------------------------------

    def _change(self, change: Change) -> None:
        tables, world = list(self._tables.values()), self._world
        table = tables[int(change.pick * 7919) % len(tables)]
        if change.kind in ("create", "import", "odd"):
            self._create(table, change.pick, change.late, change.kind == "import", change.kind == "odd")
            return
        if change.kind == "give back":
            if world.refused:
                del world.refused[sorted(world.refused)[int(change.pick * len(world.refused))]]
            return
        entity = table.parents[0][0] if table.parents else table.entity
        if change.kind == "show":
            if hidden := sorted(world.hidden(entity)):
                world.show(hidden[int(change.pick * len(hidden))])
            return
        rows = world.view().rows(entity)
        ids = sorted(one for one in rows if not world.is_coming(one))
        if ids:
            self._change_row(table, change, ids, ids[int(change.pick * len(ids))])

    def _change_row(self, table: Table, change: Change, ids: list[str], row_id: str) -> None:
        world, kind = self._world, change.kind
        if table.entity in schema().plain.values() and kind in ("archive", "trash", "wave"):
            self._excused.update(ids if kind == "wave" else [row_id])  # a plain list does not show them
        if kind == "update":
            self._update(table, row_id, change.late)
        elif kind == "archive":
            if not is_archived(world.view().find(row_id) or {}):
                world.archive(row_id)
        elif kind == "restore":
            world.restore(row_id)
        elif kind == "purge":
            world.purge(row_id)
        elif kind == "hide":
            self._excused.add(row_id)
            self._excused |= {one["id"] for one in self._inside(row_id)}
            world.hide(row_id)
        elif kind == "trash" and table.can_trash:
            world.trash(row_id, stamped=change.pick < 0.5)
        elif kind == "wave":
            world.archive(*[one for one in ids[::2] if not is_archived(world.view().find(one) or {})])
        elif kind == "attach":
            world.create("Attachment", issue=row_id)
        elif kind == "relate":
            world.create("IssueRelation", issue=row_id, relatedIssue=ids[0])
        elif kind == "refuse":
            world.refused[row_id] = REFUSED[int(change.pick * 997) % len(REFUSED)]
            self._doubted |= {row_id} if world.refused[row_id] == ALWAYS else set()

    def _create(
        self, table: Table, pick: float, late: int, is_old: bool = False, is_odd: bool = False
    ) -> None:
        world = self._world
        created = world.now - 1 - int(pick * 100 * _DAY * 1000) if is_old else None
        row_id = f"odd {len(world.stamps)}" if is_odd else None
        if not table.parents:
            world.create(table.entity, late, None, row_id, created, **self._fields(table, pick))
            return
        entity, name = table.parents[int(pick * 31) % min(2, len(table.parents))]
        parents = sorted(one for one in world.view().rows(entity) if not world.is_coming(one))
        if parents and pick > 0.3 and not is_old:
            parent = parents[int(pick * len(parents))]
            if table.kind == "child":
                world.update(parent, late)
        else:
            parent = world.create(entity, created=created, **self._fields(table, pick, entity))
        inside = parent, name
        world.create(table.entity, inside=inside, row_id=row_id, created=created, **{table.mark: "0"})

    def _fields(self, table: Table, pick: float, entity: str = "") -> dict[str, Any]:
        team = (
            (*self._teams, None)[int(pick * 101) % 3]
            if table.stream != "issues"
            else self._teams[int(pick * 101) % 2]
        )
        hidden = int(pick * 1009) % 5 == 0
        return {
            schema().marks[entity or table.entity]: "0",
            "team": team,
            "teams": [team] if team else [],
            "hidden": VIEWERS[1:] if hidden else (),
        }

    def _update(self, table: Table, row_id: str, late: int) -> None:
        world = self._world
        if table.parents:
            rows = [one for one in self._inside(row_id) if world.entity_of(one["id"]) == table.entity]
            world.update(row_id, late)
            if not rows:
                return
            row_id, late = rows[-1]["id"], 0
        row = world.view().find(row_id)
        if row is None:
            return
        version = row[VERSION] + 1
        stamped = table.entity not in schema().undated
        world.update(row_id, late, stamped, **{table.mark: str(version)})

    def _inside(self, row_id: str) -> list[Any]:
        view, entity = self._world.view(), self._world.entity_of(row_id) or ""
        row = view.find(row_id)
        found = [view.inside(entity, name, row) for of, name in schema().children if of == entity and row]
        return [one for rows in found for one in rows or ()]

    # --- what becomes of the connection --------------------------------------------------------

    def _turn(self, turn: Turn) -> None:
        config = self._config
        if turn.kind == "viewer":
            self._world.viewer = VIEWERS[self._world.viewer == VIEWERS[0]]
        elif turn.kind == "team_keys":
            keys = self._rng.choice(((), TEAMS[:1], TEAMS[1:]))
            self._config = {**config, "team_keys": list(keys)}
        elif turn.kind == "start_date":
            self._config = {
                **config,
                "start_date": text(self._world.now - self._rng.choice((1, 10, 200)) * _DAY * 1000),
            }
        elif turn.kind == "restore":
            self._restore(self._rng.randrange(1, 8))
        elif turn.kind == "clear":
            self._destination = Destination({name: one.cursor for name, one in self._tables.items()})
            self._platform = Platform(self._destination)
            self._doubted.clear()
            self._arrived.clear()
            self._orphans.clear()
        for name, table in self._tables.items():  # they may be gone, and be back before the next list
            lost = self._destination.kept(name).keys() - self._wanted(table).keys()
            self._doubted |= lost
            self._excused |= lost

    def _restore(self, steps: int) -> None:
        """States are lost, as from a backup; the rows that came after them are not."""
        before = list(self._platform.history)
        self._platform.restore(steps)
        kept = len(self._platform.history)
        for (name, row_id), at in self._arrived.items():
            undone = range(kept, at)
            if any(before[one].get(name) is not before[one - 1].get(name) for one in undone):
                self._orphans.add((name, row_id))
            self._arrived[name, row_id] = min(at, kept)

    def _note_arrival(self, name: str, record: Record, is_lost: bool) -> None:
        """Whether a state that the platform keeps says that a row may be there."""
        key = name, record["id"]
        if record.get("deletedAt"):
            self._arrived.pop(key, None)
            self._orphans.discard(key)
        elif not is_lost:
            self._orphans.discard(key)
            self._arrived.setdefault(key, len(self._platform.history))
        elif record["id"] not in self._destination.rows(name):
            self._orphans.add(key)

    def _take_over(self) -> None:
        """Begin with what another connector has written: all rows, and a cursor."""
        messages: list[tuple[str, str, Any]] = []
        source = self._source(self._read(Sync(seed=0), Linear(self._world)))
        messages += [one for one in source if one[0] == "row"]
        for name, table in self._tables.items():
            messages.append(("state", name, ({table.cursor: text(self._world.now)}, self._scope())))
        self._platform.receive(messages)
        states = len(self._platform.history)  # theirs come after their rows, and vouch for them
        self._arrived |= {
            (name, one): states for name in self._tables for one in self._destination.rows(name)
        }

    def _scope(self) -> tuple[Any, ...]:
        keys = tuple(self._config.get("team_keys") or ())
        return self._world.viewer, keys, self._config.get("start_date") or ""

    # --- a sync --------------------------------------------------------------------------------

    def _read(self, step: Sync, linear: Linear) -> Read:
        states = {name: state for name, (state, _) in self._platform.states.items()}
        walks = None if self._plan.daily else step.walks
        return Read(tuple(self._tables), self._config, states, linear, step.seed, walks)

    def _sync(self, step: Sync) -> None:
        rng, world = random.Random(step.seed), self._world
        roots = {root for root, entity in schema().connections.items() if entity in self._entities()}
        faults = step.faults
        if "*" in faults.failing:
            faults = replace(faults, failing=dict.fromkeys(roots, faults.failing["*"]))

        def agitate() -> None:
            world.tick(rng.choice((0, 1, 3)))
            if rng.random() < step.busy:
                for _ in range(rng.choice((1, 3))):
                    kind = rng.choice(
                        ("create", "update", "update", "archive", "restore", "purge", "hide", "show")
                    )
                    self._change(Change(kind, rng.random(), rng.choice((0, 0, 0, 1, 20))))

        linear = Linear(world, faults, random.Random(step.seed + 1), agitate, step.behind)
        shown = {name: set(self._wanted(table)) for name, table in self._tables.items()}
        for table in self._tables.values():
            self._note_gone(table)
        given, scope = dict(self._platform.states), self._scope()
        begins = {name: self._begins(table, given.get(name), scope) for name, table in self._tables.items()}
        for name, (state, _) in given.items():
            self._doubted.update(self._doubtful(name, state))
        unlisted = [self._tables[name] for name, (one, _) in given.items() if not self._is_walked(one)]
        self._excuse(unlisted)
        messages: list[tuple[str, str, Any]] = []
        source = self._source(self._read(step, linear))
        for message in source:
            if step.kill is not None and len(messages) >= step.kill:
                break
            messages.append(message)
        source.close()
        self._excuse(unlisted)
        self.messages += len(messages)
        states = sum(kind == "state" for kind, _, _ in messages)
        lost: set[str] = set()  # streams of which a state was
        for kind, name, value in messages:
            if kind == "row":
                self._note_arrival(name, value, name in lost)
                self._judge(self._tables[name], value, shown[name], begins[name])
                self._platform.receive([(kind, name, value)])
                continue
            self.unsure = self.unsure or bool(value.get("unsure"))
            if states > step.lost:
                self._platform.receive([(kind, name, (value, scope))])
            else:
                lost.add(name)
            states -= 1
        if faults == Faults() and step.kill is None and not (step.busy or step.lost):
            self._judge_gone()

    def _note_gone(self, table: Table) -> None:
        wanted = self._wanted(table)
        for row_id in self._destination.rows(table.stream):
            if row_id in wanted:
                self._gone.pop(row_id, None)
            else:
                self._gone.setdefault(row_id, self._world.now)

    def _judge_gone(self) -> None:
        """After a sync in which nothing went wrong no row of the copy is gone for more than a day."""
        if not self._plan.daily or self.unsure:
            return
        for table in self._tables.values():
            found = self._destination.rows(table.stream) if table.reports_deleted else {}
            floor = self._config.get("start_date") or ""
            late = [
                one
                for one, record in found.items()
                if self._world.now - self._gone.get(one, self._world.now) > _DAY * 1000
                and one not in self._untold
                and one not in self._wanted(table)
                and record[table.cursor] >= floor
            ]
            late = self._unexplained(table, late)
            self.problems += [f"{table.stream}: {one} is gone for more than a day" for one in late[:3]]

    def _unexplained(self, table: Table, rows: Sequence[str]) -> list[str]:
        """Those of some rows that are too many which no loss of a state explains."""
        explained = [one for one in rows if (table.stream, one) in self._orphans]
        self.stayed += [f"{table.stream}: {one}" for one in explained]
        return [one for one in rows if one not in explained]

    def _excuse(self, tables: Collection[Table]) -> None:
        """Of streams whose list never came: what differs before it comes is taken for what was sent."""
        for table in tables:
            found, wanted = self._destination.kept(table.stream), self._wanted(table)
            self._doubted |= found.keys()
            self._untold |= found.keys() & self._excused  # hidden, perhaps while the first list was walked
            self._untold |= {
                one
                for one in {*found, *wanted}
                if one not in found
                or one not in wanted
                or found[one].get(table.mark) != wanted[one][table.mark]
                or found[one]["isArchived"] is not self._is_archived(wanted[one])
            }

    def _entities(self) -> set[str]:
        return {parent for one in self._tables.values() for parent, _ in one.parents} | {
            one.entity for one in self._tables.values() if not one.parents
        }

    def _begins(self, table: Table, given: tuple[Any, Any] | None, scope: tuple[Any, ...]) -> bool:
        """Whether a stream is read from the beginning."""
        return given is None or given[1] != scope or given[0].get(table.cursor, "") <= BEGINNING

    def _judge(self, table: Table, record: Record, shown: Collection[str], begins: bool) -> None:
        """Whether a record may be sent so; the world is as it was when the sync ended."""
        row_id = record["id"]
        if record.get("deletedAt") and table.mark not in record:
            self._doubted.add(row_id)
            if row_id in shown and row_id in self._wanted(table) and row_id not in self._excused:
                self.problems.append(f"{table.stream}: {row_id} was reported as gone")
            return
        before = self._destination.kept(table.stream).get(row_id)
        if begins or self.unsure or before is None or before.get(table.mark) is None:
            return
        if table.entity in schema().undated or row_id in self._doubted | self._excused:
            return
        if row_id not in self._wanted(table):  # an answer that lags behind still has it
            return
        stamps = self._world.stamps[row_id]
        if before[table.cursor] in stamps and record[table.cursor] not in stamps:
            said = f"{record[table.cursor]}, which is not Linear's stamp, though the copy had it"
            self.problems.append(f"{table.stream}: {row_id} was stamped {said}")

    # --- what must be there --------------------------------------------------------------------

    def _wanted(self, table: Table) -> dict[str, Row]:
        """The rows that the stream shows."""
        view = self._world.view()
        keys = list(self._config.get("team_keys") or ())
        rows = view.rows(table.entity)
        if keys and table.team_filter:
            entity = table.parents[0][0] if table.parents else table.entity
            test = test_of(view, entity, filled(table.team_filter, keys))
            rows = {
                one: row
                for one, row in rows.items()
                if test(view.find(row["_parent"][0]) if row["_parent"] else row)
            }
        if table.entity in schema().plain.values():
            rows = {one: row for one, row in rows.items() if row["archivedAt"] is None}
        return rows

    def _compare(self) -> None:
        for table in self._tables.values():
            found, wanted = self._destination.rows(table.stream), self._wanted(table)
            if self._config["archived_rows"] == "delete":
                wanted = {one: row for one, row in wanted.items() if not self._is_archived(row)}
            problems = []
            for row_id, row in wanted.items():
                if row_id in self._untold or self._is_too_old(table, row):
                    continue
                if (record := found.get(row_id)) is None:
                    if row_id in self._excused and not table.reports_deleted:
                        continue  # it is new in a parent that was hidden before it was read
                    problems.append(f"{row_id} is missing")
                elif record["isArchived"] is not self._is_archived(row):
                    problems.append(f"{row_id} has the wrong flag")
                elif row_id not in self._excused and not self._is_fresh(table, record, row):
                    problems.append(f"{row_id} is stale")
            if table.reports_deleted:
                floor = self._config.get("start_date") or ""
                too_many = [
                    one
                    for one, record in found.items()
                    if one not in wanted and one not in self._untold and record[table.cursor] >= floor
                ]
                problems += [f"{one} is too many" for one in self._unexplained(table, too_many)]
            where = self.told if self.unsure else self.problems
            where += [f"{table.stream}: {one}" for one in problems[:3]]

    def _is_fresh(self, table: Table, record: Record, row: Row) -> bool:
        """Whether a record has the newest version of a row, and all of the lists inside it."""
        if table.stream == "issues":
            view = self._world.view()
            for column, name in LISTS.items():
                inside = view.inside(table.entity, name, row) or ()
                if column in record and {*record[column]} != {one["id"] for one in inside}:
                    return False
        return bool(record[table.mark] == row[table.mark])

    def _is_archived(self, row: Row) -> bool:
        if row.get("updatedAt") is None:
            row = self._world.view().find(row["_parent"][0]) or {}
        return is_archived(row)

    def _is_too_old(self, table: Table, row: Row) -> bool:
        floor = self._config.get("start_date") or ""
        parent = self._world.view().find(row["_parent"][0]) if row["_parent"] else None
        dates = [one["updatedAt"] for one in (row, parent) if one and "updatedAt" in one]
        return table.kind != "swept" and min(dates) < floor


def filled(value: Any, keys: list[str]) -> Any:
    if isinstance(value, Mapping):
        return {name: filled(one, keys) for name, one in value.items()}
    if isinstance(value, list):
        return [filled(one, keys) for one in value]
    return keys if value == "TEAM_KEYS" else value
