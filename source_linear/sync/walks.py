"""Walking lists from their first page to their last: what they hold of each stream, and what is news."""

from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from uuid import UUID

from source_linear.streams import CURSOR_FIELD, MAX_PAGE_SIZE, NestedList, Record, Root, Stream
from source_linear.sync.nodes import is_sound
from source_linear.sync.roots import Question, Roots
from source_linear.sync.sketch import IdFilter, Sketch

DATES = f"id {CURSOR_FIELD} archivedAt"
_SHORT = 50  # rows of a list that are asked for where it is not known how long it is: most are shorter
_MARGIN = 5  # rows, and a tenth of the list, that may have come since it was counted
_MOST_CHANGED = 100_000  # rows that are remembered one by one
_LONG_AT_ONCE = 20  # lists of 250 rows: within what a query may cost
_LOW = (1 << 64) - 2


@dataclass
class Whole:
    """All rows of a stream that Linear shows, or all parents of its rows, as far as a sync must know them.

    Attributes:
        floor: older rows do not count: the configuration's `start_date`.
        sketch: the rows.
        ids: a part of each id with the flag, in order once `finish` was called.
        changed: the rows that changed since the stream's cursor, each with whether it is archived.
        archived: of those the ones that no stamp tells of, but `archivedAt`.
        unsure: rows that an earlier sync may have reported as gone; None for none.
        returned: of those the ones that are there.
        pages: on how many pages they came: on one page they are all of the same moment.
        is_known: whether it is all of them.
        forbidden: the roots that these credentials may not read.
    """

    floor: str = ""
    sketch: Sketch = field(default_factory=Sketch)
    ids: "array[int]" = field(default_factory=lambda: array("Q"))
    changed: dict[str, bool] = field(default_factory=dict)
    archived: list[str] = field(default_factory=list)
    unsure: IdFilter | None = None
    returned: list[str] = field(default_factory=list)
    pages: int = 0
    is_known: bool = True
    forbidden: list[str] = field(default_factory=list)

    def take(self, row: Record, since: str | None) -> None:
        """Take a row; `since` is the stream's cursor."""
        archived = row["archivedAt"] is not None
        if row[CURSOR_FIELD] < self.floor:
            return
        try:
            self.ids.append(UUID(row["id"]).int & _LOW | archived)
        except ValueError:
            self.is_known = False
            return
        self.sketch.add(row["id"], archived)
        if self.unsure is not None and row["id"] in self.unsure:
            self.returned.append(row["id"])
        if since and is_since(row, since):
            if len(self.changed) < _MOST_CHANGED:
                self.changed[row["id"]] = archived
            if archived and row[CURSOR_FIELD] < since:
                self.archived.append(row["id"])

    def finish(self) -> None:
        """All lists were walked. A row that came twice was moved while they were: then it is not known."""
        ordered = sorted(self.ids)
        self.is_known = self.is_known and all(a >> 1 != b >> 1 for a, b in pairwise(ordered))
        self.ids = array("Q", ordered)

    def flag(self, row_id: str) -> bool | None:
        """Whether a row is archived; None where it is not among them.

        Raises:
            ValueError: its id is not a UUID.
        """
        low = UUID(row_id).int & _LOW
        at = bisect_left(self.ids, low)
        known = at < len(self.ids) and self.ids[at] >> 1 == low >> 1
        return bool(self.ids[at] & 1) if known else None


@dataclass
class Part:
    """What a list is to one stream: its rows are the list's own, or stand in a list inside each of them.

    Attributes:
        since: the stream's cursor, None where it is read from the beginning.
        inside: the list inside each of the list's rows that holds the stream's; None where they are its own.
        whole: what all lists of the stream hold; None where that need not be known.
        changed: the ids of the list's rows that are news to it.
        long: the ids of the list's rows inside which there may be more.
    """

    since: str | None
    inside: NestedList | None = None
    whole: Whole | None = None
    changed: list[str] = field(default_factory=list)
    long: list[str] = field(default_factory=list)

    def take(self, node: Record) -> bool:
        """Take a row of the list; returns whether it could be read."""
        if self.since and has_news(node, self.since, self.inside):
            self.changed.append(node["id"])
        if self.whole is None:
            return True
        if self.inside is None or self.inside.is_ordered:
            self.whole.take(node, self.since)
            return True
        rows = _rows_in(node, self.inside)
        if rows is None or not all(is_sound(row) for row in rows):
            return False
        if len(rows) >= self.inside.first:
            self.long.append(node["id"])
            return True
        for row in rows:
            self.whole.take(row, self.since)
        return True


@dataclass
class Walk:
    """One list, as the streams that read it ask for it.

    Attributes:
        root: the field of `Query` that gives it.
        filter: its `filter` argument; None where it has none.
        length: how many rows there were when they were last counted; 0 if it is not known.
        parts: what it is to each stream.
        count: how many rows came.
        goes_on: whether there may be more.
        is_failed: whether it could not be walked.
        is_forbidden: whether these credentials may not read it: then it has no rows for them.
        is_doubtful: whether it had rows and came empty: nothing but a `pageInfo` tells that from a lost page.
        checks_end: whether it is asked for with a `pageInfo` that tells.
    """

    root: Root
    filter: Mapping[str, Any] | None
    length: int = 0
    parts: dict[str, Part] = field(default_factory=dict)
    count: int = 0
    goes_on: bool = True
    is_failed: bool = False
    is_forbidden: bool = False
    is_doubtful: bool = False
    checks_end: bool = False
    _last: str = ""
    _asked: int = 0

    def question(self, name: str) -> Question:
        """What asks for its next rows. A page that is not full is the last one: it needs no `hasNextPage`."""
        inner = [DATES]
        inner += [newest(part.inside) for part in self.parts.values() if part.inside]
        left = self.length + max(_MARGIN, self.length // 10) - self.count if self.length else 0
        self._asked = min(left if left > 0 else MAX_PAGE_SIZE if self.count else _SHORT, MAX_PAGE_SIZE)
        # docs/linear-api.md, PAGING-4: a cursor is the id of the last row
        arguments = [f'after: "{self._last}"'] if self._last else []
        variables: dict[str, tuple[str, Any]] = {}
        if self.filter:
            arguments.append(f"filter: ${name}")
            variables[name] = (f"{self.root.entity}Filter", self.filter)
        selection = " ".join(dict.fromkeys(inner))
        info = "pageInfo { endCursor }" if self.checks_end else ""
        keys = ("nodes", "pageInfo") if self.checks_end else ("nodes",)
        text = f"{self.root.call(self._asked, *arguments)} {{ nodes {{ {selection} }} {info} }}"
        return Question(text, variables, keys)

    def take(self, page: Mapping[str, Any]) -> None:
        """Take the rows of a page, where they can be the next ones."""
        nodes: Sequence[Record | None] = page["nodes"]
        sound = [node for node in nodes if is_sound(node)]
        ids = {node["id"] for node in sound}
        lost = not nodes and self.checks_end and page["pageInfo"].get("endCursor")
        if lost or len(ids) < len(nodes) or self._last in ids:
            self.is_failed = True
            return
        self.is_doubtful = bool(self.length) and not self.count and not nodes
        for part in self.parts.values():
            for node in sound:
                self.is_failed = not part.take(node) or self.is_failed
            if part.whole is not None and (nodes or self.count):  # an empty one is a page, too
                part.whole.pages += 1
        self.count += len(nodes)
        self._last = sound[-1]["id"] if sound else self._last
        self.goes_on = len(nodes) >= self._asked


def walk(roots: Roots, walks: Mapping[str, Walk], answered: Mapping[str, Any] | None = None) -> None:
    """Walk lists to their ends; one that cannot be walked is marked as failed.

    Args:
        roots: asks.
        walks: the lists, each with the name under which it is asked for.
        answered: what their first pages brought, where they were asked for.
    """
    while True:
        going_on = {name: one for name, one in walks.items() if one.goes_on and not one.is_failed}
        if not going_on:
            break
        if answered is None:
            answered = roots.ask({name: one.question(name) for name, one in going_on.items()})
        for name, one in going_on.items():
            if name in answered:
                one.take(answered[name])
            else:
                one.is_forbidden = name in roots.forbidden
                one.is_failed, one.goes_on = not one.is_forbidden, False
        answered = None
    for one in walks.values():
        for part in one.parts.values():
            if part.whole is not None and part.inside is not None and not one.is_failed:
                part.whole.is_known &= _walk_long(roots, one.root, part.inside, part, part.whole)
    wholes = [part.whole for one in walks.values() for part in one.parts.values() if part.whole]
    for whole in {id(one): one for one in wholes}.values():
        whole.finish()


def _walk_long(roots: Roots, root: Root, inside: NestedList, part: Part, whole: Whole) -> bool:
    """Walk the lists inside of rows that were longer than what came; returns whether all of them ended."""
    waiting: list[tuple[list[str], str]] = [
        (part.long[start : start + _LONG_AT_ONCE], "") for start in range(0, len(part.long), _LONG_AT_ONCE)
    ]
    while waiting:
        some, after = waiting.pop()
        arguments = f"first: {MAX_PAGE_SIZE}, includeArchived: true{after}"
        text = (
            f"{root.call(len(some), 'filter: $ids')} "
            f"{{ nodes {{ id {inside.name}({arguments}) {{ nodes {{ {DATES} }} }} }} }}"
        )
        ids = {"ids": (f"{root.entity}Filter", {"id": {"in": some}})}
        nodes = roots.ask({"long": Question(text, ids, ("nodes",))}).get("long", {"nodes": []})["nodes"]
        if len(nodes) < len(some):
            return False
        for node in nodes:
            rows = _rows_in(node, inside)
            if rows is None or not all(map(is_sound, rows)):
                return False
            for row in rows:
                whole.take(row, part.since)
            if len(rows) >= MAX_PAGE_SIZE:  # docs/linear-api.md, PAGING-4: a cursor is the id of the last row
                waiting.append(([node["id"]], f', after: "{rows[-1]["id"]}"'))
            whole.pages += 1
    return True


def created(roots: Roots, stream: Stream, cursor: str | None) -> set[str]:
    """The ids of the rows of a stream, or of parents, that were created since a cursor.

    As many as could be asked for. Roots are ordered by `createdAt`, newest first (docs/linear-api.md,
    FILTER-6 and FILTER-7).
    """
    found: set[str] = set()
    root = stream.roots[0]
    if not cursor or not stream.connection or (root.children and not stream.goes_by_parents):
        return found
    arguments = f"orderBy: createdAt, includeArchived: true{f', {root.arguments}' if root.arguments else ''}"
    for nodes in roots.pages(root.name, arguments, "id createdAt"):
        found |= {node["id"] for node in nodes or () if str(node.get("createdAt")) >= cursor}
        if not nodes or str(nodes[-1].get("createdAt")) < cursor:
            break
    return found


def newest(inside: NestedList) -> str:
    """GraphQL text that asks for the newest row of a list in a parent, or for as many as may be archived."""
    first = 1 if inside.is_ordered else inside.first
    return (
        f"{inside.name}(first: {first}, includeArchived: true, orderBy: updatedAt) {{ nodes {{ {DATES} }} }}"
    )


def has_news(node: Record, cursor: str, inside: NestedList | None) -> bool:
    """Whether a row, or a row of a list inside it, was changed or archived at a moment or after it."""
    if inside is None:
        return is_since(node, cursor)
    rows = _rows_in(node, inside)
    return rows is None or any(not is_sound(row) or is_since(row, cursor) for row in rows)


def _rows_in(node: Any, inside: NestedList) -> list[Any] | None:
    """The rows of a list inside a node; None where it did not come."""
    found = node.get(inside.name) if isinstance(node, dict) else None
    rows = found.get("nodes") if isinstance(found, dict) else None
    return rows if isinstance(rows, list) else None


def is_since(node: Record, cursor: str) -> bool:
    """Whether a row was changed, or archived, at a moment or after it."""
    updated, archived = node.get(CURSOR_FIELD), node.get("archivedAt")
    return not updated or updated >= cursor or (archived is not None and archived >= cursor)
