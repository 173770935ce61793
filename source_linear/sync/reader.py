"""Reading one slice of one stream: a generator of pages. Cursors and waiting rows are its local variables."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import pendulum

from source_linear.config import Config, milliseconds, timestamp
from source_linear.graphql import MAX_COST, Question, Root, all_of
from source_linear.linear.errors import REFUSALS, LinearError, failure, subject
from source_linear.linear.selection import Selection, price
from source_linear.streams import CREATED_AT, CURSOR_FIELD, Record, Stream
from source_linear.sync.forms import Forms
from source_linear.sync.listed import Seen
from source_linear.sync.lister import Lister, Nodes, expected, is_sound, items_of
from source_linear.sync.records import is_since, seen

_LOGGER = logging.getLogger("airbyte")
# An entry of a history may be stamped after its parent: a sync that ended between the two missed it.
_LATER_THAN_ITS_PARENT = pendulum.duration(minutes=1)
_FULL_REQUESTS = 4  # for lists inside rows that go on together
_NO_MATCH = "It does not match Linear's schema."


@dataclass(frozen=True)
class Slice:
    """A part of a stream that is read by itself. Dates are as Linear writes them: they sort as text.

    Attributes:
        start: the first millisecond; None if it is open to the past.
        end: the last one; None if it has no upper bound: what changes while it is read is sent as it is seen.
        field: the date that it is about. `createdAt` in a first read: it never changes, so no row can slip
            out of a slice that is being read. `updatedAt` afterwards.
        since: with `createdAt`, and with `every`: only rows updated since (`start_date`).
        first: whether it is the first one: what no date of a row tells is asked for once.
        ids: the rows, or the parents, to ask for instead, by their ids.
        every: with `ids`: whether all rows of these parents are wanted, whenever they changed.
        doubtful: those of `ids` that Linear does not list: they may be gone.
        gone: those of them that its list, walked once more, does not have either: for roots without a filter,
            which cannot be asked for nothing but ids.
        until: the cursor once it is read; None for the sync's start.
        nodes: about how many nodes each root has in it, where that is known.
    """

    start: str | None = None
    end: str | None = None
    field: str = CURSOR_FIELD
    since: str | None = None
    first: bool = False
    ids: tuple[str, ...] | None = None
    every: bool = False
    doubtful: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    until: str | None = None
    nodes: Mapping[str, int] | None = None


@dataclass
class Page:
    """What a reader found out: rows, and what it learned.

    Attributes:
        rows: the records.
        seen: what is known of each of them, in the same order; of streams that go by parents: the parents,
            all rows of which are here or on an earlier page.
        unread: the ids of rows, or of parents, that could not be read, each with the reason.
        refused: those of them that these credentials may not see.
        nameless: the reasons of those whose ids did not come either.
        lost: the rows that were asked for by their ids and are gone.
        missing: the rows, or parents, that Linear named, and that did not come: they are asked for again.
        deviations: columns that hold a value of another JSON type than declared: the types expected and seen.
        roots: the roots that these credentials may not read, each with the reason.
        oldest: how far into the past a slice is read, by its date.
    """

    rows: list[Record] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    unread: dict[str, str] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    nameless: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    deviations: dict[str, tuple[str, str]] = field(default_factory=dict)
    roots: dict[str, str] = field(default_factory=dict)
    oldest: str = ""


class Declared(Protocol):
    """What the manifest declares of a stream, as the CDK's objects say it."""

    stream: Stream
    page_size: int

    def variables(self, first: int, after: str, interval: Mapping[str, str] | None) -> dict[str, Any]:
        """The variables of a page's query: what is declared, and size, token and times in their places."""

    def ends(self, value: Any) -> tuple[Sequence[Any], bool, str | None]:
        """What a root answered, taken apart: its nodes, whether there are more, and behind which cursor."""

    def transform(self, node: Record) -> None:
        """Turn a node into a record, in place."""


class Reader:
    """Reads slices of one stream."""

    def __init__(self, declared: Declared, config: Config, lister: Lister) -> None:
        """Read the stream that is `declared`."""
        self._declared, self._stream, self._lister = declared, declared.stream, lister
        self._of_teams = declared.stream.filter_of_teams(config.team_keys)
        self._floor = config.start_date if declared.stream.kind in ("windowed", "child") else None
        self._lists = declared.stream.lists_inside
        self._forms = Forms(declared.stream.types)

    def pages(self, part: Slice) -> Iterator[Page]:
        """Read a slice, page by page.

        Raises:
            LinearError: it cannot be read.
        """
        stream = self._stream
        if part.ids is None:
            yield from self._roots(part)
        elif stream.connection and len(stream.roots) == 1:
            yield from self._by_ids(stream.roots[0], part)
        else:
            yield from self._picked(part)

    # By date

    def _roots(self, part: Slice) -> Iterator[Page]:
        """All roots, one after another; one of several that is refused costs its own rows."""
        refused = Page()
        for root in self._stream.roots:
            try:
                yield from self._root(root, part)
            except LinearError as error:
                refused.roots[root.name] = error.failure.message.removeprefix(subject(self._stream.name))
                is_all = len(refused.roots) == len(self._stream.roots)
                if is_all or error.failure.code not in REFUSALS:
                    raise
        if refused.roots:
            yield refused

    def _root(self, root: Root, part: Slice) -> Iterator[Page]:
        if not root.connection:
            yield self._plain(root, part)
            return
        order = CURSOR_FIELD if self._stream.kind == "feed" and part.start else CREATED_AT
        wanted = self._filter(part)

        def ask(first: int, after: str, selection: Selection) -> Question:
            if came < about:  # what is asked for is paid for
                first = min(first, about - came)
            times = {name: at for name, at in (("start", part.start), ("end", part.end)) if at}
            given = self._declared.variables(first, after, times)
            if order != CREATED_AT:
                given["orderBy"] = order
            if part.field != CURSOR_FIELD:
                given["order"] = part.field
            if self._stream.filterable:
                given["filter"] = wanted(given.get("filter") or {})
            return self._stream.operation.page(root, selection, given)

        size = min(self._declared.page_size, self._stream.page_size)
        known, came = (part.nodes or {}).get(root.name), 0
        about = 0 if known is None else expected(known)
        lists, since = [root.children] if root.children else self._lists, self._since(root, part)
        # What reading on costs: many nodes go on together, so that the last of their requests are full, too.
        a_node = sum(2 + price((one.page(max(2, one.first // 2)),)) for one in lists)
        at_once = max(1, int(_FULL_REQUESTS * MAX_COST / a_node)) if lists else 1
        waiting: list[Record] = []
        for nodes, ended in self._lister.pages(root, size, ask, self._declared.ends, self._of_teams):
            came += len(nodes.nodes) + len(nodes.unread) + len(nodes.nameless)
            past = order == CURSOR_FIELD and any(
                one[CURSOR_FIELD] < (part.start or "") for one in nodes.nodes[-1:]
            )
            oldest = str(nodes.nodes[-1].get(part.field) or "") if nodes.nodes else ""
            nodes.nodes = [one for one in nodes.nodes if self._is_wanted(one, part)]
            going_on = [one for one in nodes.nodes if self._lister.goes_on(one, lists, since)]
            if going_on:  # one request goes on with the lists of many nodes
                waiting += going_on
                ids = {one["id"] for one in going_on}
                nodes.nodes = [one for one in nodes.nodes if one["id"] not in ids]
            now = len(waiting) if ended or past else at_once if len(waiting) > at_once else 0
            whole = self._lister.completed_of(root, lists, nodes.nodes)
            whole.add(self._lister.completed(root, lists, waiting[:now], since, part.field))
            waiting = waiting[now:]
            nodes.nodes = []
            nodes.add(whole)
            page = self._page(root, nodes, part)
            page.oldest = oldest
            yield page
            if past:
                return

    def _filter(self, part: Slice) -> Any:
        """What makes the root's `filter` of the declared one: that selects the slice on the server."""
        stream = self._stream

        def wanted(declared: Mapping[str, Any]) -> dict[str, Any] | None:
            if stream.kind in ("swept", "feed"):
                return all_of(self._of_teams) or None
            interval = dict(next(iter(declared.values()), {}))
            if stream.kind == "child" and part.field == CURSOR_FIELD:
                # No end: a parent that changes again while it is read must not take its older rows with it.
                interval.pop("lte", None)
                interval |= {"gte": _begin(stream, interval["gte"])} if "gte" in interval else {}
            dates = declared if part.field == CURSOR_FIELD else (part.field,)
            changed: dict[str, Any] = dict.fromkeys(dates, interval) if interval else {}
            if part.since:
                changed[CURSOR_FIELD] = {"gte": part.since}
            return all_of(self._of_teams, unstamped(stream, part, changed, interval)) or None

        return wanted

    def _since(self, root: Root, part: Slice) -> str | None:
        """Since when the items of a list that is newest first are wanted."""
        children = root.children
        by_date = (
            children is not None and children.is_ordered and part.field == CURSOR_FIELD and not part.every
        )
        return part.start if by_date else None

    def _is_wanted(self, node: Record, part: Slice) -> bool:
        """Whether a node that the server was not asked for by date changed, or was archived, in time."""
        by_rows = bool(self._stream.parents) and self._stream.has_own_dates
        if self._stream.kind == "windowed" or by_rows or part.field == CREATED_AT:
            return True
        if is_since(node, part.start):
            return True
        _LOGGER.debug(
            "%sThe row %s is not sent: unchanged since %s.",
            subject(self._stream.name),
            node["id"],
            part.start,
        )
        return False

    # By id

    def _by_ids(self, root: Root, part: Slice) -> Iterator[Page]:
        assert part.ids is not None
        size = self._stream.page_size
        for start in range(0, len(part.ids), size):
            ids = part.ids[start : start + size]
            nodes = self._lister.rows(root, ids, self._of_teams)
            found = {one["id"] for one in nodes.nodes}
            lists = [root.children] if root.children else self._lists
            done = self._lister.completed(root, lists, nodes.nodes, self._since(root, part), part.field)
            nodes.nodes = []
            nodes.add(done)
            page = self._page(root, nodes, part)
            gone = [
                one for one in ids if one in part.doubtful and one not in found and one not in nodes.unread
            ]
            page.lost = self._gone(root, gone, part)
            known = found | page.unread.keys() | {*page.lost}
            page.missing += [one for one in ids if one not in known]
            yield page

    def _gone(self, root: Root, ids: Sequence[str], part: Slice) -> list[str]:
        """Those of some ids that Linear does not show when asked for nothing else."""
        if not ids or not root.knows_ids:
            return [one for one in ids if one in part.gone]
        there = self._lister.there(root, ids, self._of_teams)
        return [] if there is None else [one for one in ids if one not in there]

    def _picked(self, part: Slice) -> Iterator[Page]:
        """Rows by their ids, of a stream whose lists can only be read whole."""
        root = self._stream.roots[0]
        wanted, left = set(part.ids or ()), set(part.gone if root.connection else part.doubtful)
        for page in self._roots(Slice(field=CREATED_AT)):
            kept = [place for place, one in enumerate(page.seen) if one.id in wanted]
            page.rows = [page.rows[place] for place in kept]
            page.seen = [page.seen[place] for place in kept]
            left -= {one.id for one in page.seen} | page.unread.keys()
            yield page
        yield Page(lost=sorted(left) if root.connection else self._gone(root, sorted(left), part))

    # Nodes to rows

    def _plain(self, root: Root, part: Slice) -> Page:
        """A root that is no connection."""

        def ask(first: int, after: str, selection: Selection) -> Question:
            return self._stream.operation.page(root, selection, {})

        def ends(value: Any) -> tuple[Sequence[Any], bool, str | None]:
            nodes = [value] if root.is_object else value
            if not isinstance(nodes, list):
                raise LinearError(failure(self._stream.name, "INCOMPLETE", f"{root.name} is not a list"))
            return nodes, False, None

        nodes, _ = next(self._lister.pages(root, 1, ask, ends))
        nodes.nodes = [one for one in nodes.nodes if is_since(one, part.start)]
        return self._page(root, nodes, part)

    def _page(self, root: Root, nodes: Nodes, part: Slice) -> Page:
        page = Page([], [], nodes.unread, nodes.refused, nodes.nameless, missing=nodes.missing)
        for name in self._lister.absent(root):
            for node in nodes.nodes:
                node.setdefault(name, None)
        for row_id in nodes.damaged:
            page.unread[row_id] = "A part of it did not come."
        if root.children:
            self._add_children(root, nodes.nodes, part, page)
            if (
                not self._stream.goes_by_parents
            ):  # parents are no rows of it: the list says which did not come
                page.nameless += [*page.unread.values()]
                page.unread, page.refused, page.missing = {}, set(), []
        else:
            for node in nodes.nodes:
                self._add(node, node["id"], seen(node), page)
        page.deviations = self._forms.deviations(page.rows)
        return page

    def _add(self, node: Record, row_id: str, known: Seen | None, page: Page) -> bool:
        """Add a row; one that is not as Linear's schema says is unread."""
        try:
            self._declared.transform(node)
        except (AttributeError, KeyError, TypeError):
            page.unread[row_id] = _NO_MATCH
            return False
        page.rows.append(node)
        if known:
            page.seen.append(known)
        return True

    def _add_children(self, root: Root, parents: Sequence[Record], part: Slice, page: Page) -> None:
        """Add the rows wanted of some parents, each with the columns that it takes from its parent."""
        stream, children = self._stream, root.children
        assert children is not None
        by_parents = stream.goes_by_parents
        floor = part.since if part.every else self._floor
        begin = part.start if part.field == CURSOR_FIELD and not part.every else floor
        absent = self._lister.absent(root)
        for parent in parents:
            whole, before = True, len(page.rows)
            for row in items_of(parent, children):
                if not is_sound(row, stream.has_own_dates):
                    page.unread[parent["id"]] = f"Linear sent null for a row of its {children.name}."
                    whole = False
                    continue
                if stream.has_own_dates and not is_since(row, begin):
                    continue
                row.update(dict.fromkeys(stream.parent_columns))
                row[f"{root.parent}Id"] = parent["id"]
                if not stream.has_own_dates:
                    row[f"{root.parent}UpdatedAt"] = parent[CURSOR_FIELD]
                    row[f"{root.parent}ArchivedAt"] = parent.get("archivedAt")
                for name in absent:
                    row.setdefault(name, None)
                known = None if by_parents else seen(row)
                whole = self._add(row, parent["id"] if by_parents else row["id"], known, page) and whole
            if by_parents and whole:
                stamps = [row[CURSOR_FIELD] for row in page.rows[before:] if stream.has_own_dates]
                page.seen.append(seen(parent)._replace(updated=max([parent[CURSOR_FIELD], *stamps])))


def unstamped(
    stream: Stream, part: Slice, changed: dict[str, Any], interval: Mapping[str, str]
) -> dict[str, Any]:
    """The filter for what changed, and for what changed though no stamp of the row tells of it.

    Args:
        stream: the stream.
        part: the slice.
        changed: the filter by the rows' own stamps.
        interval: the slice's dates, as a filter takes them.
    """
    if not stream.is_of_issues or part.field != CURSOR_FIELD or part.start is None or not changed:
        return changed
    before = {CURSOR_FIELD: {"lt": part.start}}
    parts = [changed, {"archivedAt": dict(interval), **before}]
    if part.first and stream.dated_by:  # docs/linear-api.md, UPDATED-4: it does not move its issue's stamp
        parts.append({stream.dated_by: {"some": {CURSOR_FIELD: {"gte": part.start}}}, **before})
    return {"or": parts}


def changed_since(stream: Stream, begin: str) -> dict[str, Any]:
    """The filter for all that changed since a moment, without an end."""
    part = Slice(start=begin, first=True)
    interval = {"gte": _begin(stream, begin)}
    return unstamped(stream, part, {CURSOR_FIELD: interval}, interval)


def _begin(stream: Stream, start: str) -> str:
    """Since when parents are asked for."""
    if stream.kind == "child" and stream.has_own_dates:
        return milliseconds(timestamp(start) - _LATER_THAN_ITS_PARENT)
    return start
