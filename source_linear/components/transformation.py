"""From nodes to records."""

from collections.abc import Mapping, MutableMapping
from dataclasses import InitVar, dataclass
from typing import Any

from airbyte_cdk.sources.declarative.transformations import RecordTransformation
from airbyte_cdk.sources.types import Config, StreamSlice, StreamState

from source_linear.streams import Stream
from source_linear.sync.records import transformation


@dataclass
class NodeTransformation(RecordTransformation):
    """Turns a node into a record, in place: flags archived rows, names relations by their ids.

    In Python for speed: declared transformations take 18 times as long (docs/decisions.md).
    """

    config: Config
    parameters: InitVar[Mapping[str, Any]]

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Prepare the transformation of the stream that `parameters` declare."""
        self._transform = transformation(
            Stream.from_parameters(parameters), self.config.get("archived_rows") or "flag"
        )

    def transform(
        self,
        record: MutableMapping[str, Any],
        config: Config | None = None,
        stream_state: StreamState | None = None,
        stream_slice: StreamSlice | None = None,
    ) -> None:
        """Turn a node into a record of the stream.

        Raises:
            KeyError, TypeError, AttributeError: it is not as Linear's schema says.
        """
        self._transform(dict(record) if not isinstance(record, dict) else record)
