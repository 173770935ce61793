"""A Linear workspace in memory: rows by type and id, and what users do to them."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from graphql import get_named_type

from .clock import Clock, to_milliseconds, to_text
from .defaults import slug
from .diary import Diary
from .links import Inverse, Stored, Through, hidden_keys
from .ownership import references
from .rows import Row, embedded, plain
from .schema import Kind, Schema
from .tables import Tables

# counting field -> the list that it counts
COUNTS: dict[tuple[str, str], str] = {
    ("InitiativeUpdate", "commentCount"): "comments",
    ("ProjectUpdate", "commentCount"): "comments",
    ("Release", "issueCount"): "issues",
    ("Team", "issueCount"): "issues",
}


class Workspace(Tables):
    """What users do, and what a sync must bring.

    Fields are given by their GraphQL names; a relation takes the other row's id under `issue`
    or `issueId`, a stored list takes ids under `labels` or `labelIds`. Timestamps come from
    the clock unless given; any ISO 8601 text will do.
    """

    def __init__(self, clock: Clock | None = None, seed: int = 0, schema: Schema | None = None) -> None:
        super().__init__(clock, seed, schema)
        self.diary: Diary | None = None  # of the company whose workspace it is, if it was generated
        self._hidden_keys = hidden_keys(self.links)
        self._made: dict[str, int] = dict.fromkeys(self.rows, 0)
        self._issue_numbers: dict[str, int] = {}
        self._random = random.Random(f"{seed}:workspace")

    # --- reading ---------------------------------------------------------------------------

    def list_ids(self, type_name: str, row_id: str, field: str) -> list[str]:
        """The ids of a nested list in the API's default order.

        Of a connection all, archived and disabled ones too; a plain list, which takes no
        `includeArchived`, never has archived ones.
        """
        with self.lock:
            rows = self.linked(type_name, self._visible(type_name, row_id), field)
            if self.schema.fields(type_name)[field].kind is Kind.LIST:
                rows = [row for row in rows if row["archivedAt"] is None]
            link = self.links[type_name, field]
            rows.sort(key=self.default_order(link.target), reverse=True)
            return [row["id"] for row in rows]

    def default_order(self, type_name: str) -> Callable[[Row], tuple[Any, str]]:
        """The key of `orderBy: createdAt` (spans have only `startedAt`)."""
        field = "createdAt" if "createdAt" in self.schema.fields(type_name) else "startedAt"
        return lambda row: (row[field], row["id"])

    def expected(self, type_name: str, row_id: str) -> dict[str, Any]:
        """The whole row as it can be seen, without GraphQL: what a complete sync must bring.

        Scalars and embedded objects under their names, each relation as `<field>Id`, each
        nested list as ids under the singular plus `Ids` as `list_ids` gives them. Lists whose
        key the schema itself has as a scalar (`Issue.labelIds`) keep the stored order.

        Raises:
            KeyError: there is no such row, or it cannot be seen (yet).
        """
        with self.lock:
            row = self._visible(type_name, row_id)
            fields = self.schema.fields(type_name)
            record: dict[str, Any] = {}
            for name, field in fields.items():
                if (type_name, name) in COUNTS:
                    record[name] = self.count(type_name, row, name)
                elif field.kind is Kind.RELATION:
                    record[field.key] = row[field.key] if row[field.key] in self.rows[field.target] else None
                elif field.kind in (Kind.LIST, Kind.CONNECTION):
                    if field.key not in fields:
                        record[field.key] = self.list_ids(type_name, row_id, name)
                else:
                    record[name] = plain(row[name])
            return record

    def count(self, type_name: str, row: Row, field: str, *, archived: bool = False) -> int:
        """The value of a counting field such as `Team.issueCount`."""
        rows = self._linked(self.links[type_name, COUNTS[type_name, field]], row)
        return sum(1 for other in rows if archived or other["archivedAt"] is None)

    # --- what users do ---------------------------------------------------------------------

    def create(self, type_name: str, **values: Any) -> str:
        """Make a row; what isn't given is filled from the schema's types and existing rows.

        Returns:
            The new row's id.

        Raises:
            ValueError: a field is unknown.
        """
        with self.lock:
            own = self._normalised(type_name, values)
            now = self.clock.text
            if self._late is not None:
                self._late.stamp(type_name, own, self.clock.milliseconds)
            own.setdefault("id", self.new_id(type_name))
            own.setdefault("createdAt", now)
            own.setdefault("updatedAt", now)
            complete = getattr(self, f"_complete_{type_name.lower()}", None)
            if complete is not None:
                complete(own)
            self._fill_required(type_name, own)
            if self._late is None:
                return self.insert(type_name, own)
            self._late.add(type_name, own["id"], own, self.clock.milliseconds, is_new=True)
            return str(own["id"])

    def update(self, type_name: str, row_id: str, *, touch: bool = True, **values: Any) -> None:
        """Change a row; `updatedAt` becomes now unless given or `touch` is false.

        Raises:
            KeyError: there is no such row.
            ValueError: a field is unknown.
        """
        with self.lock:
            changes = self._normalised(type_name, values)
            if touch:
                changes.setdefault("updatedAt", self.clock.text)
            self._commit(type_name, row_id, changes)

    def bulk_update(
        self, type_name: str, row_ids: Iterable[str], *, at: str | None = None, **values: Any
    ) -> str:
        """Change many rows under one `updatedAt`: ties are common in Linear.

        Returns:
            The stamp.
        """
        with self.lock:
            stamp = to_text(to_milliseconds(at or self.clock.text))
            if self._late is not None:
                self._late.at_once(True)
            for row_id in list(row_ids):
                self.update(type_name, row_id, **{"updatedAt": stamp, **values})
            if self._late is not None:
                self._late.at_once(False)
            return stamp

    def archive(self, type_name: str, row_id: str, *, at: str | None = None) -> None:
        """Set `archivedAt` and nothing else: archiving does not advance `updatedAt`."""
        with self.lock:
            changes = self._normalised(type_name, {"archivedAt": at or self.clock.text})
            self._commit(type_name, row_id, changes)

    def trash(self, type_name: str, row_id: str, *, at: str | None = None) -> None:
        """Delete as Linear does: `trashed: true` with `archivedAt`; `updatedAt` stays.

        Raises:
            ValueError: the type has no `trashed`.
        """
        with self.lock:
            changes = {"trashed": True, "archivedAt": at or self.clock.text}
            self._commit(type_name, row_id, self._normalised(type_name, changes))

    def unarchive(self, type_name: str, row_id: str, *, touch: bool = False) -> None:
        """Clear `archivedAt` (and `trashed`); whether Linear touches `updatedAt` isn't known."""
        with self.lock:
            changes: dict[str, Any] = {"archivedAt": None}
            if self._row(type_name, row_id)["trashed"]:
                changes["trashed"] = None
            if touch:
                changes["updatedAt"] = self.clock.text
            self._commit(type_name, row_id, changes)

    def purge(self, type_name: str, row_id: str) -> None:
        """Remove a row, hidden or not, without a trace, with the rows that cannot be without it.

        What merely refers to it (a nullable relation, a list) loses the reference, untouched
        otherwise; see ownership.py. The row's last state stays as a tombstone, so that its id
        still works as a cursor.
        """
        with self.lock:
            self._flush(row_id)
            self._take(type_name, row_id)
            for child, key, required in references(self.schema, self.links, type_name):
                for child_id, row in self._referring(child, key, row_id):
                    value = row[key]
                    if child_id not in self.rows[child] and child_id not in self._hidden[child]:
                        continue  # gone with another one
                    if isinstance(value, list):
                        self._change(child, child_id, {key: [i for i in value if i != row_id]})
                    elif required:
                        self.purge(child, child_id)
                    elif not self._is_required(child, key):  # whose scalar keeps the id
                        self._change(child, child_id, {key: None})

    def _is_required(self, type_name: str, key: str) -> bool:
        scalar = self.schema.fields(type_name).get(key)
        return bool(scalar and scalar.required)

    def set_list(self, type_name: str, row_id: str, field: str, size: int) -> list[str]:
        """Give a row's nested list exactly `size` items, making or purging rows as needed.

        The row's own `updatedAt` stays.

        Returns:
            The ids, as `list_ids` orders them.

        Raises:
            ValueError: the list isn't the row's own (all users of the organization, ancestors).
        """
        with self.lock, self._without_delay(row_id):
            row = self._visible(type_name, row_id)
            link = self.links[type_name, field]
            if isinstance(link, Stored):
                ids = self._several(link.target, size, list(row[link.key] or ()))
                self._change(type_name, row_id, {link.key: ids})
            elif isinstance(link, Inverse):
                self._resize(link.target, link.key, row[link.own], size)
            elif isinstance(link, Through):
                index = self._index(link.join, link.near)
                while len(index.get(row_id, ())) > size:
                    self.purge(link.join, next(reversed(index[row_id])))
                taken = [self.rows[link.join][i][link.far] for i in index.get(row_id, ())]
                for other in self._several(link.target, size, taken)[len(taken) :]:
                    self.create(link.join, **{link.near: row_id, link.far: other})
            else:
                raise ValueError(f"{type_name}.{field} is not a list of its row's own")
            return self.list_ids(type_name, row_id, field)

    # --- for the generator ------------------------------------------------------------------

    def new_id(self, type_name: str) -> str:
        """The next id of a type: looks like a UUID, the same for the same seed."""
        number = self._made[type_name] = self._made[type_name] + 1
        digest = hashlib.blake2b(f"{self.seed}:{type_name}:{number}".encode(), digest_size=16).hexdigest()
        return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:]}"

    def next_issue_number(self, team_id: str) -> int:
        """The next number of a team's issues."""
        number = self._issue_numbers[team_id] = self._issue_numbers.get(team_id, 0) + 1
        return number

    def any_id(self, type_name: str) -> str | None:
        """The id of some row, the same for the same seed and history; None without rows."""
        ids = self.ids(type_name)
        return self._random.choice(ids) if ids else None

    # --- inside -----------------------------------------------------------------------------

    def _normalised(self, type_name: str, values: Mapping[str, Any]) -> dict[str, Any]:
        fields = self.schema.fields(type_name)
        keys = self.schema.relations(type_name).keys() | self._hidden_keys.get(type_name, set())
        own: dict[str, Any] = {}
        for name, value in values.items():
            field = fields.get(name)
            if field is not None and field.kind is Kind.LEAF:
                own[name] = self._date_time(type_name, name, value)
            elif field is not None and field.kind is Kind.VALUE:
                own[name] = embedded(value)
            elif field is not None and field.kind is Kind.RELATION:
                own[field.key] = value
            elif field is not None and isinstance(self.links[type_name, name], Stored):
                own[field.key] = list(value)
            elif field is None and name in keys:
                own[name] = value
            else:
                hint = "; see set_list" if field else ""
                raise ValueError(f"{type_name} has no stored field {name}{hint}")
        return own

    def _date_time(self, type_name: str, name: str, value: Any) -> Any:
        """Date-times are kept as Linear writes them, so that they compare as texts."""
        kind = get_named_type(self.schema.type(type_name).fields[name].type)
        if kind.name != "DateTime" or value is None:
            return value
        return to_text(to_milliseconds(value))

    def _fill_required(self, type_name: str, own: dict[str, Any]) -> None:
        fields = self.schema.fields(type_name)
        for key, field in self.schema.relations(type_name).items():
            scalar = fields.get(key)
            if own.get(key) is None and (field.required or (scalar and scalar.required)):
                own[key] = self.any_id(field.target) or self.create(field.target)

    def _complete_issue(self, own: dict[str, Any]) -> None:
        team_id = own.get("teamId") or self.any_id("Team") or self.create("Team")
        own["teamId"] = team_id
        if own.get("stateId") is None:
            states = [row for row in self.rows["WorkflowState"].values() if row["teamId"] == team_id]
            started = [row for row in states if row["type"] == "unstarted"] or states
            own["stateId"] = started[0]["id"] if started else self.create("WorkflowState", team=team_id)
        number = own.setdefault("number", self.next_issue_number(team_id))
        identifier = own.setdefault("identifier", f"{self._row('Team', team_id)['key']}-{number}")
        own.setdefault("labelIds", [])
        own.setdefault("subscriberIds", [])
        address = f"https://linear.app/standin/issue/{identifier}/{slug(own.get('title') or '')}"
        own.setdefault("url", address.rstrip("/"))
        own.setdefault("branchName", f"user/{identifier.lower()}")

    def _complete_team(self, own: dict[str, Any]) -> None:
        own.setdefault("key", f"T{self._made['Team']}")
        own.setdefault("parentId", None)

    def _complete_comment(self, own: dict[str, Any]) -> None:
        if not own.keys() & self.schema.relations("Comment").keys():
            own["issueId"] = self.any_id("Issue") or self.create("Issue")

    def _complete_document(self, own: dict[str, Any]) -> None:
        if own.get("documentContentId") is None:
            own["documentContentId"] = self.create("DocumentContent", document=own["id"])

    def _complete_user(self, own: dict[str, Any]) -> None:
        number = self._made["User"]
        own.setdefault("name", f"New Person {number}")
        own.setdefault("email", f"new{number}@standin.example")
        for name, value in (("active", True), ("isMe", False), ("app", False), ("guest", False)):
            own.setdefault(name, value)

    def _several(self, type_name: str, size: int, first: list[str]) -> list[str]:
        chosen = first[:size]
        taken = set(chosen)
        for row_id in self.ids(type_name, archived=False):
            if len(chosen) == size:
                break
            if row_id not in taken and self.rows[type_name][row_id]["active"] is not False:
                chosen.append(row_id)
        while len(chosen) < size:
            chosen.append(self.create(type_name))
        return chosen

    def _resize(self, type_name: str, key: str, owner: str, size: int) -> None:
        index = self._index(type_name, key)
        while len(index.get(owner, ())) > size:
            self._drop(type_name, key, owner, next(reversed(index[owner])))
        if not key.endswith("Ids"):
            while len(index.get(owner, ())) < size:
                self.create(type_name, **{key: owner})
            return
        missing = size - len(index.get(owner, ()))
        others = [row_id for row_id in self.ids(type_name) if row_id not in index.get(owner, ())]
        others += [self.create(type_name) for _ in range(missing - len(others))]
        for row_id in others[:missing]:
            value = self.rows[type_name][row_id][key] or []
            self._change(type_name, row_id, {key: [*value, owner]})

    def _drop(self, type_name: str, key: str, owner: str, row_id: str) -> None:
        value = self.rows[type_name][row_id][key]
        if isinstance(value, list):
            self._change(type_name, row_id, {key: [i for i in value if i != owner]})
        else:
            self.purge(type_name, row_id)
