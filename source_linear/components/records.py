"""From nodes to records: which of them changed, complete lists, our columns."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import InitVar, dataclass
from typing import Any, NamedTuple

from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.extractors.record_filter import RecordFilter
from airbyte_cdk.sources.declarative.requesters.http_requester import HttpRequester
from airbyte_cdk.sources.declarative.transformations import RecordTransformation
from airbyte_cdk.sources.streams.http.page_size_reduction_exception import PageSizeReductionRequiredException
from airbyte_cdk.sources.types import Config, StreamSlice, StreamState
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_linear.components.pages import ROWS, UNFINISHED, decoded, folded
from source_linear.components.windows import Window, archivings_of
from source_linear.queries import (
    ARCHIVINGS,
    CURSOR_FIELD,
    MAX_COST,
    MAX_PAGE_SIZE,
    NestedList,
    Record,
    Root,
    Stream,
    cost,
)

# API.md, Limits: 3,000,000 points an hour to 2,500 requests. What costs less is paid for with the request.
_POINTS_A_REQUEST = 1_200


class _Unfinished(NamedTuple):
    """A list that goes on: its node, which of its lists it is, how much to ask for, and after what.

    Attributes:
        most: as much of it as Linear did not find too complex.
    """

    node: Record
    nested: NestedList
    first: int
    after: str | None = None
    most: int = MAX_PAGE_SIZE

    @property
    def page(self) -> str:
        return self.nested.page(self.first, self.after)

    @property
    def points(self) -> float:
        """What a query pays for it, its node and its id included."""
        return 1.1 + cost(self.nested.page(self.first))


_Lists = list[_Unfinished]  # of one node


@dataclass
class ChangedRows(RecordFilter):
    """Turns the nodes of a page into the rows that the slice wants, with their nested lists complete.

    In Python because the CDK filters by one cursor field only, and because it would complete each
    list with a request of its own: here one request goes on with the lists of many nodes. Nodes with such
    lists are held back until there are enough of them, or their slice ends.

    Attributes:
        requester: sends the queries for the rest of nested lists.
    """

    config: Config
    parameters: InitVar[Mapping[str, Any]]
    requester: HttpRequester | None = None

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Take kind, parents and lists of the stream that `parameters` declare."""
        self._parameters = parameters
        self._stream = Stream.from_parameters(parameters)
        self._excludes = self.config.get("archived_rows") == "exclude"
        self._lists = [
            nested
            for column, nested in self._stream.lists.items()
            if nested.first and column in self._stream.selections
        ]
        self._held: dict[tuple[StreamSlice, str], list[_Lists]] = {}

    def filter_records(
        self,
        records: Iterable[Mapping[str, Any]],
        stream_state: StreamState,
        stream_slice: StreamSlice | None = None,
        next_page_token: Mapping[str, Any] | None = None,
    ) -> Iterator[Record]:
        """The rows of one page that belong to the slice, folded into records of many."""
        assert stream_slice is not None
        (page,) = records
        read = self._children if self._stream.parents else self._nodes
        yield from folded(read(page, stream_slice), self._stream.cursor_field)

    def _nodes(self, page: Mapping[str, Any], stream_slice: StreamSlice) -> list[Record]:
        """The nodes wanted of a page, and those of the pages before that waited for their lists."""
        nodes: list[Record] = page[ROWS]
        # What is read newest first ends before its root does: nothing could wait there for the end.
        goes_on = self._stream.order_by != CURSOR_FIELD and bool(page[UNFINISHED])
        if nodes and ARCHIVINGS in nodes[0]:
            nodes, goes_on = self._archived(nodes, stream_slice), False
        elif self._stream.kind != "windowed":
            # What was archived meanwhile and not updated, `reconcile_archived` finds by itself.
            since = self._parameters["sync"]["reconcile"] or ""
            window = Window.of(stream_slice, self._parameters)
            nodes = [node for node in nodes if window.holds(node) and node[CURSOR_FIELD] >= since]
        return self._completed(self._stream.roots[0], self._lists, self._kept(nodes), stream_slice, goes_on)

    def _kept(self, nodes: list[Record]) -> list[Record]:
        return [node for node in nodes if not self._is_archived(node)] if self._excludes else nodes

    def _is_archived(self, node: Record) -> bool:
        archived_at = node.get("archivedAt") or node.get(f"{self._stream.roots[0].parent}ArchivedAt")
        return archived_at is not None or (not self._stream.parents and bool(node.get("trashed")))

    def _archived(self, nodes: list[Record], stream_slice: StreamSlice) -> list[Record]:
        """The rows that were archived in this sync's time and not updated: those came by themselves."""
        first, last = archivings_of(self._parameters, stream_slice) or ("", "")
        found = [
            node
            for node in nodes
            if node["archivedAt"] and first <= node["archivedAt"] <= last and node[CURSOR_FIELD] < first
        ]
        if not self._stream.filterable:
            for node in found:
                del node[ARCHIVINGS]
            return found
        root = self._stream.roots[0]
        query = (
            f"query {self._stream.name}_archived($ids: [ID!]!, $first: Int!) {{ {root.name}(first: $first, "
            f"includeArchived: true, filter: {{ id: {{ in: $ids }} }}) {{ nodes {{ {root.selection} }} }} }}"
        )
        whole: list[Record] = []
        for start in range(0, len(found), self._stream.page_size):
            ids = [node["id"] for node in found[start : start + self._stream.page_size]]
            data = self._ask(query, {"ids": ids, "first": len(ids)})
            whole += [node for node in data[root.name]["nodes"] if node]
        # What was updated since is the next sync's.
        return [node for node in whole if node[CURSOR_FIELD] < first]

    def _ask(self, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        assert self.requester is not None
        body = {"query": query, "variables": dict(variables or {})}
        response = self.requester.send_request(request_body_json=body)
        assert response is not None
        data: dict[str, Any] = decoded(response)["data"]
        return data

    def _children(self, page: Mapping[str, Any], stream_slice: StreamSlice) -> list[Record]:
        """The rows wanted of a page of parents, each with the columns that it takes from its parent."""
        window = Window.of(stream_slice, self._parameters)
        rows = []
        for root in self._stream.roots:
            assert root.children is not None
            name = root.children.key
            own = [parent for parent in page[ROWS] if name in parent]
            if not self._stream.has_own_dates:
                own = [parent for parent in own if window.holds(parent)]
            newest_first = "orderBy: updatedAt" in root.children.arguments
            since = window.rows[0] if newest_first else None
            goes_on = root.name in page[UNFINISHED]
            for parent in self._completed(root, [root.children], own, stream_slice, goes_on, since):
                for row in _items(parent, root.children):
                    if row is None or (self._stream.has_own_dates and not window.holds(row)):
                        continue
                    row.update(dict.fromkeys(self._stream.parent_columns))
                    row[f"{root.parent}Id"] = parent["id"]
                    if not self._stream.has_own_dates:
                        row[f"{root.parent}UpdatedAt"] = parent[CURSOR_FIELD]
                        row[f"{root.parent}ArchivedAt"] = parent["archivedAt"]
                    rows.append(row)
        return self._kept(rows)

    def _completed(
        self,
        root: Root,
        lists: Sequence[NestedList],
        nodes: list[Record],
        stream_slice: StreamSlice,
        goes_on: bool,
        since: str | None = None,
    ) -> list[Record]:
        """The nodes whose lists are complete, or newest first and read until `since`.

        A list is read on that is as long as what was asked for. Its node is held back until the requests
        for such lists are full, or the root has no further page in the slice.
        """
        waiting = self._held.pop((stream_slice, root.name), [])
        complete: list[Record] = []
        for node in nodes:
            unfinished = [
                _Unfinished(node, nested, nested.after(nested.first))
                for nested in lists
                if len(items := _items(node, nested)) >= nested.first and _reaches(items, since)
            ]
            if unfinished:
                waiting.append(unfinished)
            else:
                complete.append(node)
        batches = list(_batches(waiting))
        if goes_on and batches:
            self._held[stream_slice, root.name] = batches.pop()
        for batch in batches:
            self._finish(root, [one for unfinished in batch for one in unfinished], since)
            complete += [unfinished[0].node for unfinished in batch]
        return complete

    def _finish(self, root: Root, unfinished: _Lists, since: str | None) -> None:
        """Read lists to their end or until `since`."""
        while unfinished:
            share = _POINTS_A_REQUEST / len(unfinished)
            asked = [
                one._replace(first=min(one.most, max(one.first, one.nested.items_for(share))))
                for one in unfinished
            ]
            batches = _batches([[one] for one in asked])
            rest = [one for batch in batches for one in self._follow(root, [one for (one,) in batch])]
            unfinished = [one for one in rest if _reaches(_items(one.node, one.nested), since)]

    def _follow(self, root: Root, unfinished: _Lists) -> _Lists:
        """Read one more page of each list, all in one request; returns those that still go on."""
        asked = list(_together(unfinished))
        try:
            data = self._ask(
                f"query {self._stream.name}_lists {{ "
                + " ".join(self._part(root, index, some) for index, some in enumerate(asked))
                + " }"
            )
        except PageSizeReductionRequiredException as too_complex:
            # Not to be left to the retriever: it would ask for the page again, and nodes of others wait here.
            return self._follow_less(root, unfinished, too_complex)
        rest: _Lists = []
        for index, some in enumerate(asked):
            found = {node["id"]: node for node in data[f"n{index}"]["nodes"] if node}
            for one in some:
                page = found.get(one.node["id"], {}).get(one.nested.key)
                if not page:  # purged since, or refused: what came with the node is what there is
                    continue
                items = one.node[one.nested.key]
                items["nodes"] = (items["nodes"] if one.after else []) + page["nodes"]
                if page["pageInfo"]["hasNextPage"]:
                    first, after = one.nested.after(one.first), page["pageInfo"]["endCursor"]
                    rest.append(one._replace(first=first, after=after))
        return rest

    def _part(self, root: Root, index: int, some: _Lists) -> str:
        """GraphQL text that asks for the same page of the lists of some nodes."""
        # The root with a filter, not `issue(id:)`: that fails the whole query where a row was purged.
        arguments = f", {root.arguments}" if root.arguments else ""
        ids = ", ".join(f'"{one.node["id"]}"' for one in some)
        return (
            f"n{index}: {root.name}(first: {len(some)}, includeArchived: true{arguments}, "
            f"filter: {{ id: {{ in: [{ids}] }} }}) {{ nodes {{ id {some[0].page} }} }}"
        )

    def _follow_less(self, root: Root, unfinished: _Lists, too_complex: AirbyteTracedException) -> _Lists:
        """Do the same as `_follow` in two requests, or with half as many items of a single list.

        Raises:
            AirbyteTracedException: a single item is too complex.
        """
        if len(unfinished) > 1:
            middle = len(unfinished) // 2
            return self._follow(root, unfinished[:middle]) + self._follow(root, unfinished[middle:])
        (one,) = unfinished
        if one.first == 1:
            raise AirbyteTracedException(
                message=too_complex.message,
                internal_message=too_complex.internal_message,
                failure_type=FailureType.system_error,
            )
        half = one.first // 2
        return self._follow(root, [one._replace(first=half, most=half)])


def _together(unfinished: _Lists) -> Iterator[_Lists]:
    """Lists of which the same page is asked for, with the same words; no more than a page of nodes."""
    groups: defaultdict[str, _Lists] = defaultdict(list)
    for one in unfinished:
        groups[one.page].append(one)
    for group in groups.values():
        for start in range(0, len(group), MAX_PAGE_SIZE):
            yield group[start : start + MAX_PAGE_SIZE]


def _batches(waiting: Sequence[_Lists]) -> Iterator[list[_Lists]]:
    """Lists that together stay within what one query may cost; those of one node stay together."""
    batch: list[_Lists] = []
    points = 0.0
    for unfinished in waiting:
        own = sum(one.points for one in unfinished)
        if batch and points + own > MAX_COST:
            yield batch
            batch, points = [], 0.0
        batch.append(unfinished)
        points += own
    if batch:
        yield batch


def _items(node: Record, nested: NestedList) -> list[Record]:
    """The items of a list that came with a node; none where Linear refused it."""
    connection = node[nested.key]
    return connection["nodes"] if connection else []


def _reaches(items: list[Record], since: str | None) -> bool:
    """Whether the rest of a list that is newest first may hold items since then."""
    return since is None or not items or items[-1] is None or items[-1][CURSOR_FIELD] >= since


@dataclass
class NodeTransformation(RecordTransformation):
    """Turns a page's nodes into records, in place. In Python for speed: cdk.md, Speed (18 times Jinja)."""

    config: Config
    parameters: InitVar[Mapping[str, Any]]

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Prepare the transformation of the stream that `parameters` declare."""
        archived_rows = self.config.get("archived_rows", "flag")
        self._transform = Stream.from_parameters(parameters).transformation(archived_rows)

    def transform(
        self,
        record: MutableMapping[str, Any],
        config: Config | None = None,
        stream_state: StreamState | None = None,
        stream_slice: StreamSlice | None = None,
    ) -> None:
        """Turn each node of the page `record` into a record of the stream."""
        for node in record[ROWS]:
            self._transform(node)
