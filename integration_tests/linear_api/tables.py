"""The rows of a workspace: which there are, which can be seen, and how they refer to each other."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from .clock import Clock
from .defaults import Defaults
from .late import Late, Pending
from .links import Ancestors, Every, Inverse, Link, Stored, Through, links
from .ownership import references
from .rows import Row, ids_in
from .schema import Schema, linear_schema


class Tables:
    """Rows of every entity type, thread-safe.

    `rows` are those that can be seen; after a change look at them through a method, or `settle` first.
    """

    def __init__(self, clock: Clock | None = None, seed: int = 0, schema: Schema | None = None) -> None:
        self.schema = schema or linear_schema()
        self.clock = clock or Clock()
        self.seed = seed
        self.lock = threading.RLock()
        self.links: dict[tuple[str, str], Link] = links(self.schema)
        self.rows: dict[str, dict[str, Row]] = {name: {} for name in sorted(self.schema.entities)}
        self.tombstones: dict[str, dict[str, Row]] = {name: {} for name in self.rows}
        self.versions: dict[str, int] = dict.fromkeys(self.rows, 0)
        self.defaults = Defaults(self.schema, seed, self.clock.milliseconds)
        self._indexes: dict[tuple[str, str], dict[Any, dict[str, None]]] = {}
        self._hidden: dict[str, dict[str, Row]] = {name: {} for name in self.rows}
        self._closed: set[tuple[str, str]] = set()  # what is hidden by itself
        self._owners: dict[str, list[tuple[str, str]]] = {}
        self._late: Late | None = None
        self.deviations: set[str] = set()  # facts of docs/linear-api.md that it does not follow

    def get(self, type_name: str, row_id: str | None) -> Row | None:
        """A row, archived or not; None when there is none (any more)."""
        return self.rows[type_name].get(row_id) if row_id is not None else None

    def ids(self, type_name: str, *, archived: bool = True) -> list[str]:
        """The ids of a type in the order in which the rows were made."""
        self.settle()
        return [
            row_id for row_id, row in self.rows[type_name].items() if archived or row["archivedAt"] is None
        ]

    def counts(self) -> dict[str, int]:
        """How many rows, archived ones included, each type that has any has."""
        self.settle()
        return {name: len(rows) for name, rows in self.rows.items() if rows}

    def linked(self, type_name: str, row: Mapping[str, Any], field: str) -> list[Row]:
        """The rows of a nested list, archived ones included, in no particular order."""
        return list(self._linked(self.links[type_name, field], row))

    def insert(self, type_name: str, values: Mapping[str, Any]) -> str:
        """Put a row that is complete but for the type's defaults; returns its id."""
        row = Row(values, self.defaults.of(type_name))
        row_id: str = row["id"]
        if self._closed and not self._owners_seen(type_name, row):
            self._hidden[type_name][row_id] = row
            return row_id
        self.rows[type_name][row_id] = row
        self.versions[type_name] += 1
        if self._indexes:
            self._reindex(type_name, row_id, row)
        return row_id

    # --- what can be seen --------------------------------------------------------------------

    @property
    def late(self) -> Late | None:
        """How late changes are committed; None, and so it is at first: at once.

        Set to None, what was pending can be seen.
        """
        return self._late

    @late.setter
    def late(self, late: Late | None) -> None:
        with self.lock:
            self.commit()
            self._late = late

    @property
    def pending(self) -> list[Pending]:
        """The changes that are stamped and cannot be seen yet, in the order in which they will be."""
        with self.lock:
            self.settle()
            return self._late.pending if self._late is not None else []

    def settle(self) -> None:
        """Let be seen what is due by the clock; every answer and every look at rows begins with it."""
        if self._late is not None:
            with self.lock:
                self._apply(self._late.due(self.clock.milliseconds))

    def commit(self) -> None:
        """Let be seen now whatever is pending."""
        if self._late is not None:
            with self.lock:
                self._apply(self._late.due(None))

    def hide(self, type_name: str, *row_ids: str) -> None:
        """Let rows be seen no longer by whoever asks, and what hangs on them; no stamp moves.

        A team becomes private, a role loses an entity. References to such rows read as null, lists
        lack them.

        Raises:
            KeyError: there is no such row, or it is hidden already.
        """
        with self.lock:
            for row_id in row_ids:
                self._flush(row_id)
                self._visible(type_name, row_id)
                self._hide(type_name, row_id)
                self._closed.add((type_name, row_id))

    def show(self, type_name: str, *row_ids: str) -> None:
        """Let hidden rows be seen again as they are by now, and what hangs on them; no stamp moves.

        Raises:
            KeyError: the row is not hidden by itself.
        """
        with self.lock:
            for row_id in row_ids:
                self._closed.remove((type_name, row_id))
            while self._show_some():
                pass

    # --- inside -----------------------------------------------------------------------------

    def _visible(self, type_name: str, row_id: str) -> Row:
        self.settle()
        try:
            return self.rows[type_name][row_id]
        except KeyError:
            raise KeyError(f"no {type_name} {row_id}") from None

    def _row(self, type_name: str, row_id: str) -> Row:
        """A row, hidden or yet to be seen."""
        hidden = self._hidden[type_name].get(row_id)
        if hidden is not None:
            return hidden
        pending = self._late and self._late.new_row(type_name, row_id)
        if pending:
            return Row(pending.values, self.defaults.of(type_name))
        return self._visible(type_name, row_id)

    def _commit(self, type_name: str, row_id: str, changes: dict[str, Any]) -> None:
        self._row(type_name, row_id)
        if self._late is None:
            self._change(type_name, row_id, changes)
        else:
            self._late.add(type_name, row_id, changes, self.clock.milliseconds, is_new=False)

    def _apply(self, due: Iterable[Pending]) -> None:
        for one in due:
            if one.is_new and self._owners_exist(one.type_name, one.values):
                self.insert(one.type_name, one.values)
            elif one.is_new:  # it went with what it hangs on before it could be seen
                self.tombstones[one.type_name][one.row_id] = Row(one.values, self.defaults.of(one.type_name))
            elif one.row_id in self.rows[one.type_name] or one.row_id in self._hidden[one.type_name]:
                self._change(one.type_name, one.row_id, one.values)

    def _flush(self, row_id: str) -> None:
        """Let all changes of a row be seen now, and what was stamped before them."""
        due = self._late and self._late.last_due(row_id)
        if self._late is not None and due is not None:
            self._apply(self._late.due(due))

    @contextmanager
    def _without_delay(self, row_id: str) -> Iterator[None]:
        """For what makes several rows and looks at them at once."""
        self._flush(row_id)
        late, self._late = self._late, None
        try:
            yield
        finally:
            self._late = late

    def _take(self, type_name: str, row_id: str) -> Row:
        """Take a row away, hidden or not; its id still works as a cursor."""
        row = self._hidden[type_name].pop(row_id, None)
        self._closed.discard((type_name, row_id))
        if row is None:
            row = self._visible(type_name, row_id)
            del self.rows[type_name][row_id]
            self._unindex(type_name, row_id, row, row)
            self.versions[type_name] += 1
        self.tombstones[type_name][row_id] = row
        return row

    def _referring(self, type_name: str, key: str, target_id: str) -> list[tuple[str, Row]]:
        """The rows, hidden or not, that refer to one by a key."""
        rows = self.rows[type_name]
        found = [(row_id, rows[row_id]) for row_id in self._index(type_name, key).get(target_id, ())]
        hidden = self._hidden[type_name].items()
        return found + [(row_id, row) for row_id, row in hidden if target_id in ids_in(row[key])]

    def _hide(self, type_name: str, row_id: str) -> None:
        self._hidden[type_name][row_id] = self._take(type_name, row_id)
        for child, key, required in references(self.schema, self.links, type_name):
            if required:
                for child_id, _ in self._referring(child, key, row_id):
                    if child_id in self.rows[child]:
                        self._hide(child, child_id)

    def _show_some(self) -> bool:
        """Let be seen the hidden rows whose owners are; returns whether there were any."""
        shown = False
        for type_name, rows in self._hidden.items():
            for row_id, row in list(rows.items()):
                if (type_name, row_id) not in self._closed and self._owners_seen(type_name, row):
                    del rows[row_id]
                    self.tombstones[type_name].pop(row_id, None)
                    self.rows[type_name][row_id] = row
                    self._reindex(type_name, row_id, row)
                    self.versions[type_name] += 1
                    shown = True
        return shown

    def _owners_seen(self, type_name: str, row: Row) -> bool:
        """Whether no row that this one hangs on is hidden."""
        for owner, key in self._owner_keys(type_name):
            for value in ids_in(row[key]):
                if value in self._hidden[owner]:
                    return False
        return True

    def _owners_exist(self, type_name: str, values: Mapping[str, Any]) -> bool:
        """Whether all rows that this one hangs on are there, hidden or not."""
        return all(
            value in self.rows[owner] or value in self._hidden[owner]
            for owner, key in self._owner_keys(type_name)
            for value in ids_in(values.get(key))
        )

    def _owner_keys(self, type_name: str) -> list[tuple[str, str]]:
        known = self._owners.get(type_name)
        if known is None:
            known = self._owners[type_name] = [
                (owner, key)
                for owner in self.rows
                for child, key, required in references(self.schema, self.links, owner)
                if required and child == type_name
            ]
        return known

    def _linked(self, link: Link, row: Mapping[str, Any]) -> Iterator[Row]:
        rows = self.rows[link.target]
        if isinstance(link, Inverse):
            ids: Iterable[str] = self._index(link.target, link.key).get(row[link.own], ())
        elif isinstance(link, Stored):
            ids = row[link.key] or ()
        elif isinstance(link, Through):
            joins = self.rows[link.join]
            near = self._index(link.join, link.near).get(row["id"], ())
            ids = dict.fromkeys(joins[join_id][link.far] for join_id in near)
        elif isinstance(link, Every):
            ids = rows
        else:
            ids = self._ancestors(link, row)
        return (rows[row_id] for row_id in ids if row_id in rows)

    def _ancestors(self, link: Ancestors, row: Mapping[str, Any]) -> list[str]:
        found: list[str] = []
        above = row[link.key]
        while above in self.rows[link.target] and above not in found:
            found.append(above)
            above = self.rows[link.target][above][link.key]
        return found

    def _index(self, type_name: str, key: str) -> dict[Any, dict[str, None]]:
        index = self._indexes.get((type_name, key))
        if index is None:
            index = self._indexes[type_name, key] = {}
            for row_id, row in self.rows[type_name].items():
                for value in ids_in(row[key]):
                    index.setdefault(value, {})[row_id] = None
        return index

    def _reindex(self, type_name: str, row_id: str, changes: Mapping[str, Any]) -> None:
        for (indexed, key), index in self._indexes.items():
            if indexed == type_name and key in changes:
                for value in ids_in(changes[key]):
                    index.setdefault(value, {})[row_id] = None

    def _unindex(self, type_name: str, row_id: str, row: Row, changes: Mapping[str, Any]) -> None:
        for (indexed, key), index in self._indexes.items():
            if indexed == type_name and key in changes:
                for value in ids_in(row[key]):
                    index.get(value, {}).pop(row_id, None)

    def _change(self, type_name: str, row_id: str, changes: Mapping[str, Any]) -> None:
        hidden = self._hidden[type_name].get(row_id)
        if hidden is not None:
            hidden.update(changes)
            return
        row = self._visible(type_name, row_id)
        self._unindex(type_name, row_id, row, changes)
        row.update(changes)
        self._reindex(type_name, row_id, changes)
        self.versions[type_name] += 1
