"""Changes: what people do to a workspace, and what no stamp tells of it."""

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from graphql import get_named_type

from integration_tests.linear_api import Workspace
from integration_tests.linear_api.links import Inverse, Stored
from source_linear.streams import CURSOR_FIELD, Stream

_COUNTED = "counts rows that come, go and are archived without this row being touched"
_PLAIN = "a plain list: it drops what is archived without this row being touched"

# Columns that may change while their row keeps its stamps. No connector can know of that from Linear, so
# they are as old as their row; they are left out when the destination is compared with the workspace.
UNSTAMPED: Mapping[str, Mapping[str, str]] = {
    "initiative_updates": {"commentCount": _COUNTED},
    "issue_history": {
        "descriptionUpdatedByIds": _PLAIN,
        "triageResponsibilityNotifiedUserIds": _PLAIN,
    },
    "project_updates": {"commentCount": _COUNTED},
    "release_notes": {"releaseIds": _PLAIN},
    "releases": {"issueCount": _COUNTED},
    "teams": {"issueCount": _COUNTED, "ancestorIds": _PLAIN},
}

# A new row of these stands in a list of its owner's: type of the row, type of the owner and the row's key of
# it. (users.teamIds, issues.attachmentIds, issues.relationIds) Users are touched with it; an issue never is
# (docs/linear-api.md, UPDATED-4 and UPDATED-5).
LISTED: Mapping[str, tuple[str, str]] = {
    "Attachment": ("Issue", "issueId"),
    "IssueRelation": ("Issue", "issueId"),
    "TeamMembership": ("User", "userId"),
}

# What is never archived in a history, as nobody could see it.
NEVER_ARCHIVED: Mapping[str, str] = {
    "InitiativeHistory": "nothing old in a history is archived (the head of manifest.yaml)",
    "IssueHistory": "nothing old in a history is archived (the head of manifest.yaml)",
    "IssueStateSpan": "has no archivedAt: it goes by its issue's",
    "Organization": "is the workspace itself",
    "ProjectHistory": "nothing old in a history is archived (the head of manifest.yaml)",
    "Template": "its root has no includeArchived",
}


@dataclass(frozen=True)
class Parent:
    """Where the rows of a stream without a root of its own live: the parent's type, and their key of it."""

    entity: str
    key: str


class Changes:
    """Seeded changes to the rows of some streams.

    Whether unarchiving touches the row at Linear is not known (docs/linear-api.md, UNKNOWN-1): here it does
    so now and then.

    Attributes:
        edge: the moment at which the last sync ended: some changes are stamped with it, after that sync.
        count: rows changed so far.
        deleted: rows deleted so far, those that went with others not counted.
        gone: the ids of all rows that could not be seen for a while, or for ever: what refers to them lost
            that reference without being touched.
        unstamped: the ids of rows that changed without a stamp.
    """

    def __init__(self, workspace: Workspace, streams: Sequence[Stream], rng: random.Random) -> None:
        self.edge: str | None = None
        self.count = 0
        self.deleted = 0
        self.gone: set[str] = set()
        self.unstamped: set[str] = set()
        self._closed: list[str] = []
        self._workspace = workspace
        self._streams = list(streams)
        self._rng = rng

    def burst(self, most: int) -> None:
        """Make some changes, one after the other."""
        for _ in range(self._rng.randint(1, most)):
            stream = self._rng.choice(self._streams)
            (change,) = self._rng.choices(
                (self._update, self._create, self._archive, self._unarchive, self._edit_many, self._purge),
                weights=(8, 4, 5, 2, 1, 2),
            )
            change(stream)

    def move_a_wall(self) -> None:
        """Close a team to the owner of the key, or open one again; no stamp tells of it."""
        with self._watched():
            if self._closed and self._rng.random() < 0.6:
                self._workspace.show("Team", self._closed.pop())
            elif len(teams := self._workspace.ids("Team")) > 1:
                self._closed.append(self._rng.choice(teams))
                self._workspace.hide("Team", self._closed[-1])

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Write down which rows come into view, or can no longer be seen."""
        before = self._visible()
        yield
        self.gone |= before ^ self._visible()

    def _visible(self) -> set[str]:
        return {row_id for rows in self._workspace.rows.values() for row_id in rows}

    def _purge(self, stream: Stream) -> None:
        row_id = self._any(stream)
        if row_id is None or not stream.reports_deleted or len(self._workspace.ids(stream.entity)) < 3:
            return
        if stream.entity in ("Team", "User") and self._rng.random() < 0.8:  # much goes with them
            return
        row = self._row(stream, row_id)
        if row["isMe"]:
            return
        with self._watched():
            self._workspace.purge(stream.entity, row_id)
        if stream.entity == "TeamMembership":
            owner, key = LISTED[stream.entity]
            if self._workspace.get(owner, row[key]):
                self._workspace.update(owner, row[key])
        self.deleted += 1
        self.count += 1

    def bring_in(self, stream: Stream, size: int) -> None:
        """Make many rows with one stamp, as an import does."""
        at = self._workspace.clock.text
        for _ in range(size):
            self._make(stream, at)

    def edit(self, stream: Stream, size: int) -> None:
        """Change many rows under one stamp, as a bulk edit does."""
        ids = self._workspace.ids(stream.entity)
        chosen = self._rng.sample(ids, min(size, len(ids)))
        self._workspace.bulk_update(stream.entity, chosen, **self._content(stream))
        for row_id in chosen if stream.kind == "child" else ():
            self._touch_parents(stream, row_id)
        self.count += len(chosen)

    def _update(self, stream: Stream) -> None:
        row_id = self._any(stream)
        if row_id is None:
            return
        content = self._content(stream)
        known = self._row(stream, row_id)[CURSOR_FIELD]
        waits = any(one.row_id == row_id for one in self._workspace.pending)
        if self.edge and not waits and (known is None or known <= self.edge) and self._rng.random() < 0.2:
            content |= self._stamps(stream, self.edge, CURSOR_FIELD)
        self._workspace.update(stream.entity, row_id, touch=self._has(stream, CURSOR_FIELD), **content)
        if stream.kind == "child":
            self._touch_parents(stream, row_id)
        self.count += 1

    def _create(self, stream: Stream) -> None:
        if stream.entity != "Organization":
            self._make(stream, self._moment())

    def _archive(self, stream: Stream) -> None:
        row_id = self._any(stream, archived=False)
        if row_id is None or stream.entity in NEVER_ARCHIVED:
            return
        trash = self._has(stream, "trashed") and self._rng.random() < 0.4
        archive = self._workspace.trash if trash else self._workspace.archive
        archive(stream.entity, row_id, at=self._moment())
        self.count += 1

    def _unarchive(self, stream: Stream) -> None:
        if not self._has(stream, "archivedAt"):
            return
        ids = self._workspace.ids(stream.entity)
        archived = [row_id for row_id in ids if self._row(stream, row_id)["archivedAt"]]
        if archived and stream.entity not in NEVER_ARCHIVED:
            row_id, touch = self._rng.choice(archived), self._rng.random() < 0.4
            self._workspace.unarchive(stream.entity, row_id, touch=touch)
            if not touch:
                self.unstamped.add(row_id)
            self.count += 1

    def _edit_many(self, stream: Stream) -> None:
        if self._has(stream, CURSOR_FIELD):
            self.edit(stream, self._rng.choice((3, 8, 20)))

    def _make(self, stream: Stream, at: str) -> None:
        values = self._content(stream) | self._stamps(stream, at, "createdAt", CURSOR_FIELD)
        parents = [parent for parent in self._parents(stream) if self._workspace.ids(parent.entity)]
        if parents:
            parent = self._rng.choice(parents)
            values[parent.key] = self._rng.choice(self._workspace.ids(parent.entity))
        owner, key = LISTED.get(stream.entity, ("", ""))
        if owner and self._workspace.ids(owner):
            values[key] = self._rng.choice(self._workspace.ids(owner))
        self._workspace.create(stream.entity, **values)
        if parents and stream.kind == "child":
            self._workspace.update(parent.entity, values[parent.key])
        if owner in ("User",) and key in values:
            self._workspace.update(owner, values[key])
        self.count += 1

    def _touch_parents(self, stream: Stream, row_id: str) -> None:
        for parent in self._parents(stream):
            self._workspace.update(parent.entity, self._row(stream, row_id)[parent.key])

    def _parents(self, stream: Stream) -> Iterator[Parent]:
        for text in stream.parents:
            entity, _, connection = text.partition(".")
            link = self._workspace.links[entity, connection.partition("(")[0]]
            assert isinstance(link, Inverse)
            yield Parent(entity, link.key)

    def _content(self, stream: Stream) -> dict[str, Any]:
        """New values: one that nobody else has, and now and then lists of another length."""
        fields = self._workspace.schema.type(stream.entity).fields
        content: dict[str, Any] = {}
        for name in stream.fields:
            kind = get_named_type(fields[name].type).name
            if kind in ("String", "Float") and not name.endswith(("Id", "Ids")):
                content[name] = f"Change {self.count}" if kind == "String" else float(self.count)
                break
        for nested in stream.lists.values():
            link = self._workspace.links[stream.entity, nested.name]
            if nested.first and isinstance(link, Stored) and self._rng.random() < 0.2:
                ids = self._workspace.ids(link.target)
                content[nested.name] = self._rng.sample(ids, self._rng.randint(0, len(ids)))
        return content

    def _stamps(self, stream: Stream, at: str, *names: str) -> dict[str, Any]:
        return {name: at for name in names if self._has(stream, name)}

    def _moment(self) -> str:
        """Now; sometimes the end of the last sync."""
        return self.edge if self.edge and self._rng.random() < 0.2 else self._workspace.clock.text

    def _any(self, stream: Stream, *, archived: bool = True) -> str | None:
        ids = self._workspace.ids(stream.entity, archived=archived)
        return self._rng.choice(ids) if ids else None

    def _row(self, stream: Stream, row_id: str) -> Mapping[str, Any]:
        row = self._workspace.get(stream.entity, row_id)
        assert row is not None
        return row

    def _has(self, stream: Stream, field: str) -> bool:
        return field in self._workspace.schema.fields(stream.entity)
