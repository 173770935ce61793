"""From one page of a connection to the next."""

from collections.abc import Mapping
from dataclasses import InitVar, dataclass
from typing import Any

import requests
from airbyte_cdk.sources.declarative.requesters.paginators.strategies.pagination_strategy import (
    PaginationStrategy,
)
from airbyte_cdk.sources.types import Record, StreamSlice

from source_linear.components.pages import decoded
from source_linear.components.windows import Window, archivings_of
from source_linear.queries import ARCHIVINGS, CURSOR_FIELD, Stream


@dataclass
class ConnectionPagination(PaginationStrategy):
    """Follows `pageInfo.endCursor`; a feed, which is newest first, ends where its window starts.

    The page token is the query's paging variables. In Python to share the page's one decoding
    (cdk.md, Speed), to stop a feed, and to page two parents' connections in one query.
    """

    parameters: InitVar[Mapping[str, Any]]

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Take the page size and kind of the stream that `parameters` declare."""
        self._parameters = parameters
        self._stream = Stream.from_parameters(parameters)
        self._page_size = self._stream.page_size

    @property
    def initial_token(self) -> Any:
        """A connection's first page has no cursor."""
        return None

    def next_page_token(
        self,
        response: requests.Response,
        last_page_size: int,
        last_record: Record | None,
        last_page_token_value: Any,
        page_size_override: int | None = None,
        stream_slice: StreamSlice | None = None,
    ) -> Any:
        """The paging variables of the next request, or None at the end."""
        if not self._stream.connection:
            return None
        walks_archivings = bool((last_page_token_value or {}).get(ARCHIVINGS))
        variables: dict[str, Any] = {}
        goes_on = False
        for root in self._stream.roots:
            after, further = self._stream.variables_of(root)
            connection = decoded(response)["data"].get(root.name)
            more = connection is not None and (
                connection["pageInfo"]["hasNextPage"]
                and (walks_archivings or not self._is_past(connection["nodes"], stream_slice))
            )
            if more:
                variables[after] = connection["pageInfo"]["endCursor"]
            if further:
                variables[further] = more
            goes_on = goes_on or more
        if goes_on:
            return {**variables, ARCHIVINGS: True} if walks_archivings else variables
        if not walks_archivings and stream_slice and archivings_of(self._parameters, stream_slice):
            return {ARCHIVINGS: True}
        return None

    def get_page_size(self) -> int:
        """The largest page that Linear's cost limit allows for the stream's query."""
        return self._page_size

    def _is_past(self, nodes: list[Any], stream_slice: StreamSlice | None) -> bool:
        """Whether a feed has come to rows older than the slice."""
        if self._stream.order_by != CURSOR_FIELD or stream_slice is None:
            return False
        first, _ = Window.of(stream_slice, self._parameters).rows
        oldest = next((node for node in reversed(nodes) if node), None)
        return bool(first and oldest and oldest[CURSOR_FIELD] < first)
