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
from source_linear.components.windows import Window
from source_linear.queries import CURSOR_FIELD, Stream


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
        variables: dict[str, Any] = {}
        goes_on = False
        for root in self._stream.roots:
            after, further = self._stream.variables_of(root)
            connection = decoded(response)["data"].get(root.name)
            more = connection is not None and self._goes_on(connection, stream_slice)
            if more:
                variables[after] = connection["pageInfo"]["endCursor"]
            if further:
                variables[further] = more
            goes_on = goes_on or more
        return variables if goes_on else None

    def get_page_size(self) -> int:
        """The largest page that Linear's cost limit allows for the stream's query."""
        return self._page_size

    def _goes_on(self, connection: Mapping[str, Any], stream_slice: StreamSlice | None) -> bool:
        if not connection["pageInfo"]["hasNextPage"]:
            return False
        if self._stream.order_by == CURSOR_FIELD and stream_slice:
            first, _ = Window.of(stream_slice, self._parameters).rows
            oldest = next((node for node in reversed(connection["nodes"]) if node), None)
            if first and oldest and oldest[CURSOR_FIELD] < first:
                return False
        return True
