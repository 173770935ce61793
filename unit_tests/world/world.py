"""The workspace: rows that come, change, are archived, hidden, purged, and become visible late."""

import random
import uuid
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from unit_tests.world.schema import INVERSE, schema

Row = dict[str, Any]  # never changed in place: an earlier view keeps what it saw
START = 1_750_000_000_000  # milliseconds since the epoch: June 15th, 2025
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HIDDEN, _PARENT, VERSION = "_hidden", "_parent", "_version"


@lru_cache(maxsize=65536)
def text(moment: int) -> str:
    """A moment as Linear writes it; it is given in milliseconds since the epoch."""
    return (_EPOCH + timedelta(milliseconds=moment)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


@lru_cache(maxsize=65536)
def moment(said: str) -> int:
    """Milliseconds since the epoch of a moment as Linear, or a filter, writes it."""
    return round((datetime.fromisoformat(said.replace("Z", "+00:00")) - _EPOCH) / timedelta(milliseconds=1))


class World:
    """A workspace whose clock moves by `tick` alone.

    Attributes:
        now: its clock, in milliseconds since the epoch.
        viewer: the id of the user whose credentials are used.
        organization: the workspace's own row.
        rows: by entity and id, those of all viewers.
        purged: the last form of each row that is gone, by id: a page's cursor may name it.
        refused: ids of rows that cannot be read, each with how; see `linear.Linear`.
        stamps: all that a row's `updatedAt` ever was, by id.
        version: changes with every change.
    """

    def __init__(self, rng: random.Random | None = None, now: int = START, name: str = "acme") -> None:
        """Make an empty workspace.

        Args:
            rng: makes ids, and tells how late a row is committed where that is left to chance.
            now: its clock.
            name: another workspace has another name.
        """
        self.rng = rng or random.Random(0)
        self.now = now
        self.viewer = f"viewer-{name}"
        self.organization: Row = {
            "id": f"organization-{name}",
            "name": name,
            "urlKey": name,
            "createdAt": text(START - 100 * 86_400_000),
            "updatedAt": text(START - 86_400_000),
            "archivedAt": None,
            "createdIssueCount": 0,
            _HIDDEN: frozenset(),
        }
        self.rows: dict[str, dict[str, Row]] = {}
        self.purged: dict[str, Row] = {}
        self.refused: dict[str, str] = {}
        self.stamps: dict[str, set[str]] = {}
        self.version = 0
        self._entity: dict[str, str] = {}
        self._coming: list[tuple[int, str, Row]] = []
        self._log: list[tuple[int, str, str, Row | None]] = []

    # --- time ----------------------------------------------------------------------------------

    def tick(self, seconds: float) -> None:
        """Let time pass; what was committed late becomes visible."""
        self.now += round(seconds * 1000)
        if self._coming:
            due = sorted((one for one in self._coming if one[0] <= self.now), key=lambda one: one[0])
            self._coming = [one for one in self._coming if one[0] > self.now]
            for when, entity, row in due:
                before = self.rows.get(entity, {}).get(row["id"])
                if before is None and row[VERSION]:
                    continue  # purged meanwhile
                hidden = before[_HIDDEN] if before else row[_HIDDEN]
                self._put(entity, {**row, _HIDDEN: hidden}, when)

    def is_coming(self, row_id: str) -> bool:
        """Whether a version of a row is stamped, but not visible yet."""
        return any(row["id"] == row_id for _, _, row in self._coming)

    # --- what users do -------------------------------------------------------------------------

    def create(
        self,
        entity: str,
        late: float = 0,
        inside: tuple[str, str] | None = None,
        row_id: str | None = None,
        created: int | None = None,
        hidden: Collection[str] = (),
        **fields: Any,
    ) -> str:
        """Make a row; returns its id.

        Args:
            entity: what it is.
            late: seconds after its stamp at which it becomes visible.
            inside: for a row without a root of its own: the id of the row it stands in, and the list there.
            row_id: its id, if not a new UUID.
            created: its `createdAt` where that is not now: an import keeps the old one, and `updatedAt` too.
            hidden: viewers who may not see it.
            fields: its other fields; a relation is the other row's id.
        """
        row_id = row_id or str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
        stamp = text(self.now if created is None else created)
        row = {"id": row_id, "createdAt": stamp, "updatedAt": stamp, "archivedAt": None, **fields}
        if entity in schema().undated:
            row = {"id": row_id, "startedAt": stamp, **fields}
        row |= {_HIDDEN: frozenset(hidden), _PARENT: inside, VERSION: 0}
        self._entity[row_id] = entity
        self._commit(entity, row, late)
        return row_id

    def update(self, row_id: str, late: float = 0, stamped: bool = True, **fields: Any) -> None:
        """Change a row; `stamped` tells whether that moves its `updatedAt`."""
        entity = self._entity[row_id]
        row = self.rows[entity][row_id]
        stamp = {"updatedAt": text(max(self.now, moment(row["updatedAt"])))} if stamped else {}
        self._commit(entity, {**row, **stamp, **fields, VERSION: row[VERSION] + 1}, late)

    def archive(self, *ids: str) -> None:
        """Archive rows: that moves no `updatedAt`."""
        for row_id in ids:
            self._set(row_id, archivedAt=text(self.now))

    def trash(self, row_id: str, stamped: bool = True) -> None:
        """Move a row to the trash; `stamped` tells whether that sets `archivedAt`, as it usually does."""
        at = text(self.now) if stamped else self._row(row_id)["archivedAt"]
        self._set(row_id, trashed=True, archivedAt=at)

    def restore(self, *ids: str) -> None:
        """Take rows out of the archive or the trash: no `updatedAt` moves."""
        for row_id in ids:
            self._set(row_id, archivedAt=None, trashed=None)

    def purge(self, row_id: str) -> None:
        """Remove a row, and the rows that stand inside of it, without a trace."""
        entity = self._entity[row_id]
        inside = [
            row["id"]
            for (parent, _), child in schema().children.items()
            if parent == entity
            for row in self.rows.get(child, {}).values()
            if row[_PARENT][0] == row_id
        ]
        for gone in [*inside, row_id]:
            self._log.append((self.now, self._entity[gone], gone, self.rows[self._entity[gone]][gone]))
            self.purged[gone] = self.rows[self._entity[gone]].pop(gone)
            self._coming = [one for one in self._coming if one[2]["id"] != gone]
        self.version += 1

    def hide(self, row_id: str, *viewers: str) -> None:
        """Take the permission to see a row from viewers, else from the current one."""
        row = self._row(row_id)
        self._set(row_id, **{_HIDDEN: row[_HIDDEN] | set(viewers or [self.viewer])})

    def show(self, row_id: str, *viewers: str) -> None:
        """Let viewers see a row again, else the current one."""
        row = self._row(row_id)
        self._set(row_id, **{_HIDDEN: row[_HIDDEN] - set(viewers or [self.viewer])})

    def hidden(self, entity: str) -> list[str]:
        """The ids of the rows that the current viewer may not see."""
        return [one for one, row in self.rows.get(entity, {}).items() if self.viewer in row[_HIDDEN]]

    # --- what can be seen ----------------------------------------------------------------------

    def view(self, ago: float = 0) -> "View":
        """What the current viewer sees, or saw so many seconds ago."""
        return View(self, None if ago <= 0 else self.now - round(ago * 1000))

    def rows_at(self, entity: str, at: int | None) -> Mapping[str, Row]:
        """The rows of an entity, those that the viewer may not see included; `at` a moment, or now."""
        rows = self.rows.get(entity, {})
        if at is None:
            return rows
        before = dict(rows)
        for when, of, row_id, row in reversed(self._log):
            if when <= at:
                break
            if of == entity:
                if row is None:
                    before.pop(row_id, None)
                else:
                    before[row_id] = row
        return before

    def entity_of(self, row_id: str) -> str | None:
        """What a row is, or was."""
        return self._entity.get(row_id)

    # --- inside --------------------------------------------------------------------------------

    def _row(self, row_id: str) -> Row:
        return self.rows[self._entity[row_id]][row_id]

    def _set(self, row_id: str, **fields: Any) -> None:
        self._put(self._entity[row_id], {**self._row(row_id), **fields})

    def _commit(self, entity: str, row: Row, late: float) -> None:
        self.stamps.setdefault(row["id"], set()).add(row.get("updatedAt", ""))
        if late:
            self._coming.append((self.now + round(late * 1000), entity, row))
        else:
            self._put(entity, row)

    def _put(self, entity: str, row: Row, when: int | None = None) -> None:
        rows = self.rows.setdefault(entity, {})
        at = self.now if when is None else when
        self._log.append((at, entity, row["id"], rows.get(row["id"])))
        rows[row["id"]] = row
        self.version += 1


class View:
    """A world as its viewer sees it at one moment."""

    def __init__(self, world: World, at: int | None) -> None:
        self.world = world
        self._at = at
        self._viewer = world.viewer
        self._rows: dict[str, dict[str, Row]] = {}
        self._inside: dict[tuple[str, str], dict[str, list[Row]]] = {}

    def rows(self, entity: str) -> dict[str, Row]:
        """The rows of an entity, by id: of those inside of others, the ones whose parents are visible."""
        known = self._rows.get(entity)
        if known is None:
            if entity == "Organization":
                known = {self.world.organization["id"]: self.world.organization}
            else:
                rows, viewer = self.world.rows_at(entity, self._at), self._viewer
                known = {one: row for one, row in rows.items() if viewer not in row[_HIDDEN]}
                if any(child == entity for child in schema().children.values()):
                    known = {one: row for one, row in known.items() if self.find(row[_PARENT][0])}
            self._rows[entity] = known
        return known

    def find(self, row_id: str) -> Row | None:
        """A row by its id, whatever it is."""
        entity = self.world.entity_of(row_id)
        return self.rows(entity).get(row_id) if entity else None

    def inside(self, entity: str, name: str, row: Row) -> list[Row] | None:
        """The rows of a list inside a row; None where the row itself has it, or nobody."""
        found = self._inside.get((entity, name))
        if found is None:
            found = self._inside[entity, name] = self._listed(entity, name)
        if found is _NOT_OURS:
            return None
        return found.get(row["id"], [])

    def _listed(self, entity: str, name: str) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = {}
        if child := schema().children.get((entity, name)):
            for row in self.rows(child).values():
                if row[_PARENT][1] == name:
                    found.setdefault(row[_PARENT][0], []).append(row)
        elif inverse := INVERSE.get((entity, name)):
            for row in self.rows(inverse[0]).values():
                found.setdefault(row.get(inverse[1]), []).append(row)
        else:
            return _NOT_OURS
        return found


_NOT_OURS: dict[str, list[Row]] = {}


def is_archived(row: Mapping[str, Any]) -> bool:
    """Whether a row is archived, or in the trash."""
    return row.get("archivedAt") is not None or bool(row.get("trashed"))


def fill(world: World, entity: str, number: int, days: float = 100, **fields: Any) -> list[str]:
    """Make rows that were created and changed in the past `days`; returns their ids."""
    made = []
    for _ in range(number):
        created = world.now - world.rng.randrange(1, round(days * 86_400_000))
        updated = world.rng.randrange(created, world.now)
        if entity not in schema().undated:
            fields |= {"updatedAt": text(updated)}
        made.append(world.create(entity, created=created, **fields))
    return made
