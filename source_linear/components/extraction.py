"""From a response to nodes."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import InitVar, dataclass
from typing import Any

import requests
from airbyte_cdk.sources.declarative.extractors.record_extractor import RecordExtractor

from source_linear.components.pages import ROWS, UNFINISHED, decoded
from source_linear.queries import Record, Stream

_LOGGER = logging.getLogger("airbyte")


@dataclass
class NodeExtractor(RecordExtractor):
    """Takes the nodes out of a page. In Python to share its one decoding (cdk.md, Speed)."""

    parameters: InitVar[Mapping[str, Any]]

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Take the roots of the stream that `parameters` declare."""
        self._stream = Stream.from_parameters(parameters)

    def extract_records(self, response: requests.Response) -> Iterable[Record]:
        """The page: its nodes as Linear sent them, and which roots go on.

        A null among the nodes is dropped with a warning.
        """
        nodes: list[Record | None] = []
        unfinished: set[str] = set()
        for root in self._stream.roots:
            found = decoded(response)["data"].get(root.name)
            if isinstance(found, Mapping):
                if self._stream.connection and found["pageInfo"]["hasNextPage"]:
                    unfinished.add(root.name)
                found = found["nodes"] if self._stream.connection else [found]
            nodes += found or []
        kept = [node for node in nodes if node is not None]
        if len(kept) < len(nodes):
            _LOGGER.warning(
                "Stream %s: Linear sent null for %d of %d rows, which this key may not see.",
                self._stream.name,
                len(nodes) - len(kept),
                len(nodes),
            )
        return [{ROWS: kept, UNFINISHED: unfinished}]
