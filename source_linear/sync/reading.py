"""Reading one stream page by page: which rows of a page are wanted, and where the next one begins."""

import logging
import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from typing import Any

from airbyte_cdk.sources.types import StreamSlice

from source_linear.linear.errors import LinearError, failure
from source_linear.query import Shape, StreamQuery, all_of
from source_linear.scope import scope_of
from source_linear.shared import Shared
from source_linear.streams import CURSOR_FIELD, MAX_PAGE_SIZE, Record, Root, Stream
from source_linear.sync.asking import StreamApi
from source_linear.sync.bounds import CREATED_AT
from source_linear.sync.forms import Forms, warning
from source_linear.sync.lists import Lists, items_of
from source_linear.sync.nodes import Fetched, is_sound
from source_linear.sync.pages import Pages
from source_linear.sync.windows import Window

_LOGGER = logging.getLogger("airbyte")
ROWS, AGAIN, CURSOR, BEGINS = "rows", "again", "cursorField", "begins"
Nodes = list[tuple[Record, Shape]]


class Reader:
    """Reads the slices of one stream.

    The token of a page is `root>cursor` for each root that goes on: text that Jinja takes for nothing else.
    """

    def __init__(
        self,
        stream: Stream,
        variables: Mapping[str, Any],
        sync: Mapping[str, Any] | None,
        config: Mapping[str, Any],
        shared: Shared,
    ) -> None:
        """Read a stream within the bounds of this sync.

        Args:
            stream: the stream.
            variables: those of its query that are the same for all pages: how it is ordered.
            sync: its bounds in this sync; None where the CDK's own runner reads.
            config: the user's configuration.
            shared: what all streams share.
        """
        self._sync = sync
        self._stream = stream
        self._team_filter = stream.filter_of_teams(config.get("team_keys") or ())
        self._floor = scope_of(stream, config).get("start_date", "")
        self._excludes = config.get("archived_rows") == "exclude"
        self._shared = shared
        self._query = StreamQuery(stream)
        self._api = StreamApi(self._query, variables, shared)
        self._pages = Pages(self._api, self._team_filter)
        self._lists = Lists(self._api)
        self._nested = [
            nested for column, nested in stream.lists.items() if nested.first and column in stream.queried
        ]
        self._forms = Forms(stream.types)
        self._cursors_seen: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self._asks_again = True
        self._fetched: set[str] = set()
        self._length = 0

    def page(
        self, stream_slice: StreamSlice, token: str | None, declared: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Read one page of a slice.

        Args:
            stream_slice: the slice.
            token: where the page begins, as the page before said; None for the first.
            declared: the variables as the manifest declares them: `first`, `filter`.

        Returns:
            `rows`, complete and wanted; `pageInfo` with `hasNextPage` and, as `endCursor`, the next page's
            token; `again`: the ids of rows that an earlier sync could not read; `cursorField`; `begins`: the
            slice's start.

        Raises:
            LinearError: the stream cannot be read.
        """
        window, first = Window.of(stream_slice, self._stream, self._sync), int(declared.get("first", 0))
        if (changed := self._shared.news.get(self._stream.name)) is not None:
            found, named = self._changed(changed, window)
            return self._page(found, None, window, named)
        cursors = self._read_token(token)
        self._refuse_circles(window, cursors)
        fetched = self._pages.fetch(cursors, self._variables(window, declared), first)
        self._count(fetched, window, token is None)
        ends = {name for name, one in fetched.items() if not one.more or self._is_past(one.nodes, window)}
        rows: list[Record] = []
        for root in self._stream.roots:
            if root.name in fetched:
                rows += self._rows(root, fetched[root.name].nodes, window, goes_on=root.name not in ends)
        ends_here = not any(one.more for one in fetched.values())
        rows += self._also(fetched, window, ends_here)
        whole = self._reads_whole  # then what is to be asked for again has come by its end
        again = self._again(rows, window, by_id=not whole) if ends_here or not whole else []
        following = self._token({name: one for name, one in fetched.items() if name not in ends})
        return self._page(rows, following, window, again)

    @cached_property
    def _known(self) -> dict[str, None]:
        """The ids of the rows, or of parents, that are to be asked for again; they are when a sync starts."""
        return dict.fromkeys(self._shared.again[self._stream.name])

    @cached_property
    def _reads_whole(self) -> bool:
        """Whether the list is read to its end: a swept one, or a feed of fewer pages than rows to ask for."""
        pages = self._shared.lengths.get(self._stream.name, math.inf) / MAX_PAGE_SIZE
        by_row = self._stream.kind == "feed" and not self._stream.filterable
        return self._stream.kind == "swept" or (by_row and len(self._known) > pages + 1)

    def _count(self, fetched: Mapping[str, Fetched], window: Window, begins: bool) -> None:
        """Say how far a page goes; write down how long a list is that is read whole, for the next probe."""
        for one in fetched.values():
            self._shared.progress.reached(self._stream.name, window, [node for node, _ in one.nodes])
        if self._stream.kind != "swept":
            return
        length = sum(len(one.nodes) for one in fetched.values())
        self._length = length if begins else self._length + length
        if len(self._stream.roots) == 1 and not any(one.more for one in fetched.values()):
            self._shared.lengths[self._stream.name] = self._length

    def _changed(self, ids: Collection[str], window: Window) -> tuple[list[Record], list[str]]:
        """The rows that the change probe found, or the rows of the parents, and those to be asked for again.

        Without any nothing is asked. Returns them, and the ids of those that were to be asked for again.
        """
        again = list(self._known) if self._asks_again else []
        self._asks_again = False
        also, root = self._shared.also[self._stream.name], self._stream.roots[0]
        wanted = [one for one in dict.fromkeys([*ids, *also]) if one not in self._known]
        nodes = self._pages.by_ids([*wanted, *again])
        named = [one for one in nodes if one[0]["id"] in self._known]
        nodes = [one for one in nodes if one[0]["id"] not in self._known]
        if self._stream.kind == "windowed":
            nodes = self._until(nodes, window)
        return self._rows(root, nodes, window) + self._every(named, window), again

    def _every(self, nodes: Nodes, window: Window) -> list[Record]:
        """The rows of some nodes, whenever they changed."""
        if not (self._stream.roots[0].children and self._stream.has_own_dates):
            nodes = self._until(nodes, window)
        return self._rows(self._stream.roots[0], nodes, window, every=True)

    @staticmethod
    def _until(nodes: Nodes, window: Window) -> Nodes:
        """The nodes without those that were updated after the sync's start: they are the next one's."""
        return [one for one in nodes if one[0][CURSOR_FIELD] <= window.bounds.end]

    def _page(
        self, rows: list[Record], following: str | None, window: Window, again: Iterable[str]
    ) -> dict[str, Any]:
        for name in self._query.gone:
            for row in rows:
                row.setdefault(name, None)
        info = {"hasNextPage": following is not None, "endCursor": following}
        for column, (expected, seen) in self._forms.deviations(rows).items():
            _LOGGER.warning(warning(self._stream.name, column, expected, seen))
        field, begins = self._stream.cursor_field, window.slice[0]
        rows = self._kept(rows)
        self._shared.progress.came(self._stream.name, begins, len(rows), following is None)
        return {ROWS: rows, AGAIN: list(again), "pageInfo": info, CURSOR: field, BEGINS: begins}

    def _read_token(self, token: str | None) -> dict[str, str | None]:
        parts = [part.partition(">") for part in (token or "").split()]
        return {name: cursor for name, _, cursor in parts} or {root.name: None for root in self._stream.roots}

    def _token(self, fetched: Mapping[str, Fetched]) -> str | None:
        going_on = [f"{name}>{one.cursor or ''}" for name, one in fetched.items() if one.more]
        return " ".join(going_on) if going_on else None

    def _refuse_circles(self, window: Window, cursors: Mapping[str, str | None]) -> None:
        seen = self._cursors_seen[window.slice]
        for name, cursor in cursors.items():
            if cursor == "" or (cursor and f"{name}>{cursor}" in seen):
                said = f"{name} gives {'a cursor that was there before' if cursor else 'no next cursor'}"
                raise LinearError(failure(self._stream.name, "NO_CURSOR", said))
            seen.add(f"{name}>{cursor}")

    def _variables(self, window: Window, declared: Mapping[str, Any]) -> dict[str, Any]:
        """The root's filter: the declared one, as the window needs it, and that of `team_keys`."""
        of_window = window.filter(declared["filter"]) if "filter" in declared else None
        given = all_of(self._team_filter, of_window)
        return {"filter": given} if given else {}

    def _is_past(self, nodes: Nodes, window: Window) -> bool:
        """Whether a feed has come to rows older than the slice."""
        first, _ = window.rows
        if self._reads_whole or window.bounds.order_by != CURSOR_FIELD or not first or not nodes:
            return False
        return bool(nodes[-1][0][CURSOR_FIELD] < first)

    def _rows(
        self, root: Root, nodes: Nodes, window: Window, goes_on: bool = False, every: bool = False
    ) -> list[Record]:
        """The rows wanted of some nodes, and of those of earlier pages that waited for their lists.

        Args:
            root: where the nodes come from.
            nodes: the nodes.
            window: what is read.
            goes_on: whether the root has further pages in it.
            every: whether all their rows are wanted, whenever they changed; no nodes wait among these.
        """
        known = self._known
        if not self._reads_whole and not every:  # what is known comes by its id
            nodes = [one for one in nodes if one[0]["id"] not in known]
        if root.children:
            missed = [one for one in nodes if one[0]["id"] in known]
            others = [one for one in nodes if one[0]["id"] not in known]
            rows = self._children(root, missed, window, False, every=True)
            return rows + self._children(root, others, window, goes_on, every)
        if self._stream.kind != "windowed" and not every:
            last = window.rows[1] or window.end
            nodes = [
                (node, shape)
                for node, shape in nodes
                if window.holds(node) or (node["id"] in known and node[CURSOR_FIELD] <= last)
            ]
        # What is read newest first ends before its root does: nothing could wait there for the end.
        waits = goes_on and window.bounds.order_by != CURSOR_FIELD
        held_in = None if every else window.slice
        return self._lists.completed(root, self._nested, nodes, held_in, waits)

    def _children(self, root: Root, nodes: Nodes, window: Window, goes_on: bool, every: bool) -> list[Record]:
        """The rows wanted of some parents, each with the columns that it takes from its parent."""
        stream, children, known = self._stream, root.children, self._known
        assert children is not None
        if not stream.has_own_dates and not every:
            nodes = [(parent, shape) for parent, shape in nodes if window.holds(parent)]
        by_creation = window.bounds.field == CREATED_AT
        since = window.rows[0] if children.is_ordered and not by_creation and not every else None
        rows: list[Record] = []
        held_in = None if every else window.slice
        for parent in self._lists.completed(root, [children], nodes, held_in, goes_on, since):
            for row in items_of(parent, children):
                if not is_sound(row, stream.has_own_dates):
                    reason = f"Linear sent null for a row of its {children.name}."
                    self._api.leave_out(parent["id"], "", reason)
                    continue
                begin = self._floor if every or row["id"] in known else None
                if stream.has_own_dates and not window.holds(row, begin):
                    continue
                row.update(dict.fromkeys(stream.parent_columns))
                row[f"{root.parent}Id"] = parent["id"]
                if not stream.has_own_dates:
                    row[f"{root.parent}UpdatedAt"] = parent[CURSOR_FIELD]
                    row[f"{root.parent}ArchivedAt"] = parent.get("archivedAt")
                rows.append(row)
        return rows

    def _again(self, rows: list[Record], window: Window, by_id: bool) -> list[str]:
        """Add the rows that are to be asked for again, once; returns their ids.

        Args:
            rows: takes them up.
            window: what is read.
            by_id: whether they are asked for; otherwise they have come.
        """
        ids = self._known
        if not ids or not self._asks_again:
            return []
        self._asks_again = False
        if by_id:
            rows += self._every(self._pages.by_ids(list(ids)), window)
        return list(ids)

    def _also(self, fetched: Mapping[str, Fetched], window: Window, ends: bool) -> list[Record]:
        """The rows that changed though no stamp tells of it, at the end of the first window."""
        also, root = self._shared.also[self._stream.name], self._stream.roots[0]
        if not also or window.start is None or window.start != window.bounds.archived_before:
            return []
        self._fetched |= {node["id"] for one in fetched.values() for node, _ in one.nodes}
        if not ends:
            return []
        nodes = self._pages.by_ids([one for one in also if one not in self._fetched])
        nodes = [one for one in nodes if root.children or one[0][CURSOR_FIELD] < window.start]
        return self._rows(root, nodes, window, every=not root.children)

    def _kept(self, rows: list[Record]) -> list[Record]:
        if not self._excludes:
            return rows
        excluded = [row["id"] for row in rows if self._is_archived(row)]
        self._shared.excluded[self._stream.name].extend(excluded)
        return [row for row in rows if not self._is_archived(row)] if excluded else rows

    def _is_archived(self, row: Record) -> bool:
        archived_at = row.get("archivedAt") or row.get(f"{self._stream.roots[0].parent}ArchivedAt")
        return archived_at is not None or (not self._stream.parents and bool(row.get("trashed")))
