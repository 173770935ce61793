"""From nodes to records."""

from collections.abc import Mapping, MutableMapping
from dataclasses import InitVar, dataclass
from typing import Any

from airbyte_cdk.sources.declarative.transformations import RecordTransformation
from airbyte_cdk.sources.types import Config, StreamSlice, StreamState

from source_linear.linear.errors import LinearError
from source_linear.shared import shared_by, traced
from source_linear.streams import Record, Stream
from source_linear.sync.reading import ROWS
from source_linear.sync.records import transformation


@dataclass
class NodeTransformation(RecordTransformation):
    """Turns nodes into records, in place: flags archived rows, names relations by their ids.

    In Python for speed: declared transformations take 18 times as long (docs/decisions.md).
    """

    config: Config
    parameters: InitVar[Mapping[str, Any]]

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Prepare the transformation of the stream that `parameters` declare."""
        self._name, self._shared = parameters["name"], shared_by(self.config)
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
        """Turn a node, or each node of a page, into a record of the stream."""
        try:
            kept = [node for node in record.get(ROWS, (record,)) if self._is_transformed(node)]
        except BaseException:
            self._shared.api.leave()  # the decoder would do so in another thread, when the error is forgotten
            raise
        if ROWS in record:
            record[ROWS] = kept

    def _is_transformed(self, node: Record) -> bool:
        """Transform a node; where that cannot be done, it is left out."""
        try:
            self._transform(node)
        except (AttributeError, KeyError, TypeError):
            self._leave_out(node["id"])
            return False
        return True

    def _leave_out(self, row_id: str) -> None:
        try:
            self._shared.leave_out(self._name, row_id, "", "It does not match Linear's schema.")
        except LinearError as error:
            raise traced(error) from None
