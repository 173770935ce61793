"""From nodes to records: which of them changed, complete lists, our columns."""

from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import InitVar, dataclass
from typing import Any, NamedTuple

from airbyte_cdk.sources.declarative.extractors.record_filter import RecordFilter
from airbyte_cdk.sources.declarative.requesters.http_requester import HttpRequester
from airbyte_cdk.sources.declarative.transformations import RecordTransformation
from airbyte_cdk.sources.types import Config, StreamSlice, StreamState

from source_linear.components.pages import decoded
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

# Most lists that are longer than what came with their node are short all the same: so many times
# as much is asked for next, and at least 10.
_MORE, _AT_LEAST = 5, 10


class _Unfinished(NamedTuple):
    """A list that goes on: its node, which of its lists it is, how much to ask for, and after what."""

    node: Record
    nested: NestedList
    first: int
    after: str | None = None

    @property
    def page(self) -> str:
        return self.nested.page(self.first, self.after)


@dataclass
class ChangedRows(RecordFilter):
    """Turns the nodes of a page into the rows that the slice wants, with their nested lists complete.

    In Python because the CDK filters by one cursor field only, and because it would complete each
    list with a request of its own: here one request goes on with the lists of many nodes.

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

    def filter_records(
        self,
        records: Iterable[Mapping[str, Any]],
        stream_state: StreamState,
        stream_slice: StreamSlice | None = None,
        next_page_token: Mapping[str, Any] | None = None,
    ) -> Iterator[Record]:
        """The rows of one page that belong to the slice."""
        assert stream_slice is not None
        nodes: list[Record] = list(records)  # type: ignore[arg-type]  # the extractor's own dicts
        window = Window.of(stream_slice, self._parameters)
        if nodes and ARCHIVINGS in nodes[0]:
            nodes = self._archived(nodes, stream_slice)
        elif self._stream.parents:
            nodes = self._children(nodes, window)
        elif self._stream.kind != "windowed":
            # What was archived meanwhile and not updated, `reconcile_archived` finds by itself.
            since = self._parameters["sync"]["reconcile"] or ""
            nodes = [node for node in nodes if window.holds(node) and node[CURSOR_FIELD] >= since]
        if self._excludes:
            nodes = [node for node in nodes if not self._is_archived(node)]
        if self._lists:
            self._complete(self._stream.roots[0], self._lists, nodes)
        yield from nodes

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

    def _children(self, parents: list[Record], window: Window) -> list[Record]:
        """The rows wanted of these parents, each with the columns that it takes from its parent."""
        rows = []
        for root in self._stream.roots:
            assert root.children is not None
            name = root.children.key
            own = [parent for parent in parents if name in parent]
            if not self._stream.has_own_dates:
                own = [parent for parent in own if window.holds(parent)]
            newest_first = "orderBy: updatedAt" in root.children.arguments
            self._complete(root, [root.children], own, window.rows[0] if newest_first else None)
            for parent in own:
                for row in _items(parent, root.children):
                    if row is None or (self._stream.has_own_dates and not window.holds(row)):
                        continue
                    row.update(dict.fromkeys(self._stream.parent_columns))
                    row[f"{root.parent}Id"] = parent["id"]
                    if not self._stream.has_own_dates:
                        row[f"{root.parent}UpdatedAt"] = parent[CURSOR_FIELD]
                        row[f"{root.parent}ArchivedAt"] = parent["archivedAt"]
                    rows.append(row)
        return rows

    def _complete(
        self, root: Root, lists: Sequence[NestedList], nodes: Sequence[Record], since: str | None = None
    ) -> None:
        """Read on, to their end or to `since`, the lists that are as long as what was asked for."""
        unfinished = [
            _Unfinished(node, nested, min(max(nested.first * _MORE, _AT_LEAST), _largest(nested)))
            for node in nodes
            for nested in lists
            if len(items := _items(node, nested)) >= nested.first and _reaches(items, since)
        ]
        while unfinished:
            rest = [one for batch in _batches(unfinished) for one in self._follow(root, batch)]
            unfinished = [one for one in rest if _reaches(_items(one.node, one.nested), since)]

    def _follow(self, root: Root, unfinished: Sequence[_Unfinished]) -> list[_Unfinished]:
        """Read one more page of each list, all in one request; returns those that still go on."""
        # The root with a filter, not `issue(id:)`: that fails the whole query where a row was purged.
        arguments = f", {root.arguments}" if root.arguments else ""
        parts = [
            f"n{index}: {root.name}(first: 1, includeArchived: true{arguments}, "
            f'filter: {{ id: {{ eq: "{one.node["id"]}" }} }}) {{ nodes {{ {one.page} }} }}'
            for index, one in enumerate(unfinished)
        ]
        data = self._ask(f"query {self._stream.name}_lists {{ {' '.join(parts)} }}")
        rest: list[_Unfinished] = []
        for index, one in enumerate(unfinished):
            found = data[f"n{index}"]["nodes"]
            # Purged since its page was read, or refused: what came with it is what there is.
            if not found or not found[0] or not found[0][one.nested.key]:
                continue
            page, items = found[0][one.nested.key], one.node[one.nested.key]
            items["nodes"] = (items["nodes"] if one.after else []) + page["nodes"]
            if page["pageInfo"]["hasNextPage"]:
                rest.append(one._replace(first=_largest(one.nested), after=page["pageInfo"]["endCursor"]))
        return rest


def _largest(nested: NestedList) -> int:
    """The largest page of a list that one query may ask for."""
    return min(MAX_PAGE_SIZE, int((MAX_COST - 3) / cost(nested.page(1))))


def _batches(unfinished: Sequence[_Unfinished]) -> Iterator[list[_Unfinished]]:
    """Lists that together stay within what one query may cost."""
    batch: list[_Unfinished] = []
    points = 0.0
    for one in unfinished:
        own = 1 + cost(one.page)
        if batch and points + own > MAX_COST:
            yield batch
            batch, points = [], 0.0
        batch.append(one)
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
    """Turns a node into a record, in place. In Python for speed: cdk.md, Speed (18 times Jinja)."""

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
        """Turn the node `record` into a record of the stream."""
        self._transform(record)  # type: ignore[arg-type]  # the extractor's own dict
