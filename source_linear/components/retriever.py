"""The one seam with the CDK: what the manifest declares of a stream, and how its slices are read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from typing import Any

from airbyte_cdk.sources.declarative.extractors.record_selector import RecordSelector
from airbyte_cdk.sources.declarative.interpolation import InterpolatedBoolean, InterpolatedString
from airbyte_cdk.sources.declarative.requesters.http_requester import HttpRequester
from airbyte_cdk.sources.declarative.requesters.paginators.default_paginator import DefaultPaginator
from airbyte_cdk.sources.declarative.retrievers.retriever import Retriever
from airbyte_cdk.sources.types import Config as Given
from airbyte_cdk.sources.types import Record, StreamSlice

from source_linear.config import Config
from source_linear.declared import duration
from source_linear.linear.errors import LinearError, failure
from source_linear.packaged import manifest
from source_linear.shared import api_of, traced
from source_linear.state import BEGINNING
from source_linear.streams import CREATED_AT, Stream
from source_linear.sync.lister import Lister
from source_linear.sync.reader import Reader, Slice

_OPEN = "-"  # stands for an end of an interval that is open


@dataclass
class LinearRetriever(Retriever):
    """Reads a slice in one loop, by what the manifest declares.

    In Python because the CDK's client takes a partial success of status 400 for nothing, cannot wait out a
    rate limit of an hour, and writes request and response bodies into its logs and errors.

    Attributes:
        requester: where and how a page is asked for, and its query.
        record_selector: where the nodes are in an answer, and how they become records.
        paginator: how many nodes a page has, where the next one begins, and where to say both.
        request_options_provider: where to say which time is asked for.
        incremental_sync: how far a sync looks back.
    """

    config: Given
    parameters: InitVar[Mapping[str, Any]]
    requester: HttpRequester
    record_selector: RecordSelector
    paginator: DefaultPaginator
    request_options_provider: Any = None
    transformations: list[Any] = field(default_factory=list)
    incremental_sync: Any = None
    name: str = ""
    primary_key: Any = None

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Take what is declared for the stream that `parameters` declare."""
        body = self.requester.get_request_body_json() or {}
        query, lookback = str(body.get("query")), self.incremental_sync.lookback_window
        self.stream = Stream.from_parameters(parameters, query, duration(lookback or "PT0S"))
        self._body = body
        strategy: Any = self.paginator.pagination_strategy
        self.page_size = int(strategy.get_page_size() or 0)
        self._cursor = InterpolatedString.create(strategy.cursor_value, parameters=parameters)
        self._stops = InterpolatedBoolean(condition=strategy.stop_condition, parameters=parameters)
        extractor: Any = self.record_selector.extractor
        path = [InterpolatedString.create(one, parameters=parameters) for one in extractor.field_path]
        self._path = [str(one.eval(self.config)) for one in path]
        self._transforms = [
            one.transform for one in self.record_selector.transformations or self.transformations
        ]

    @property
    def url(self) -> str:
        """Where a page is asked for."""
        return str(self.requester.get_url())

    @property
    def method(self) -> str:
        """The HTTP method that asks for it."""
        return str(self.requester.get_method().value)

    def variables(self, first: int, after: str, interval: Mapping[str, str] | None) -> dict[str, Any]:
        """The variables of a page's query.

        Args:
            first: how many nodes.
            after: the cursor that they are behind, "" for the first page.
            interval: its `start` and `end`, where it has them; None or empty for no time.
        """
        token = {"next_page_token": after} if after else None
        given = _merged(
            self._body, self.paginator.get_request_body_json(next_page_token=token, page_size_override=first)
        )
        if interval:
            times = {"start_time": interval.get("start", _OPEN), "end_time": interval.get("end", _OPEN)}
            window = StreamSlice(partition={}, cursor_slice=times)
            given = _merged(
                given, _closed(self.request_options_provider.get_request_body_json(stream_slice=window))
            )
        return dict(given.get("variables") or {})

    def ends(self, value: Any) -> tuple[Sequence[Any], bool, str | None]:
        """What a root answered, taken apart.

        Returns:
            Its nodes, whether there are more, and the cursor that they are behind.

        Raises:
            LinearError: it has no nodes, or does not say where it ends.
        """
        nodes, response = value, {"data": {"root": value}}
        for name in self._path[2:]:
            nodes = nodes.get(name) if isinstance(nodes, dict) else None
        info = value.get("pageInfo") if isinstance(value, dict) else None
        if self._path[:1] != ["data"] or not isinstance(nodes, list) or not isinstance(info, dict):
            raise LinearError(failure(self.stream.name, "INCOMPLETE", "it has no nodes, or no pageInfo"))
        after = info.get("endCursor")
        if not isinstance(info.get("hasNextPage"), bool) or not isinstance(after, str | None):
            raise LinearError(failure(self.stream.name, "INCOMPLETE", "its pageInfo is none"))
        stops = self._stops.eval(self.config, response=response)
        cursor = self._cursor.eval(self.config, response=response, valid_types=(str,))
        return nodes, not stops, str(cursor) if after else None

    def transform(self, node: dict[str, Any]) -> None:
        """Turn a node into a record, in place."""
        for transform in self._transforms:
            transform(node)

    def read_records(
        self, records_schema: Mapping[str, Any], stream_slice: StreamSlice | None = None
    ) -> Iterable[Record]:
        """Read a slice in the CDK's own runner: row by row, without a copy.

        Raises:
            AirbyteTracedException: it cannot be read.
        """
        window = stream_slice or StreamSlice(partition={}, cursor_slice={})
        start, end = window.get("start_time"), window.get("end_time")
        first = start is None or start <= BEGINNING
        config = Config.of(self.config, manifest()["spec"]["connection_specification"])
        api = api_of(self.config, self.url, self.method)
        part = Slice(end=end, field=CREATED_AT) if first else Slice(start, end, first=True)
        if self.stream.kind in ("swept", "feed"):
            part = Slice(None if first else start, field=CREATED_AT if first else part.field)
        try:
            for page in Reader(self, config, Lister(api, self.stream)).pages(part):
                for row in page.rows:
                    yield Record(data=row, stream_name=self.stream.name, associated_slice=window)
        except LinearError as error:
            raise traced(error) from None
        finally:
            api.leave()


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Two bodies in one."""
    made = dict(one)
    for key, value in other.items():
        inner = made.get(key)
        made[key] = (
            _merged(inner, value) if isinstance(inner, Mapping) and isinstance(value, Mapping) else value
        )
    return made


def _closed(body: Mapping[str, Any]) -> dict[str, Any]:
    """A body without the ends of an interval that are open."""
    made: dict[str, Any] = {}
    for key, value in body.items():
        kept = _closed(value) if isinstance(value, Mapping) else value
        if kept not in (_OPEN, {}):
            made[key] = kept
    return made
