"""What airbyte-cdk keeps private and this connector touches: one function each, loud where it is gone."""

import threading
from collections.abc import Iterable, Mapping
from typing import Any

from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource
from airbyte_cdk.sources.streams.concurrent.abstract_stream import AbstractStream
from airbyte_cdk.sources.streams.concurrent.cursor import ConcurrentCursor
from airbyte_cdk.sources.streams.concurrent.state_converters.abstract_stream_state_converter import (
    AbstractStreamStateConverter,
)


def _of(owner: Any, name: str) -> Any:
    """A private attribute.

    Raises:
        AttributeError: this version of the CDK does not have it.
    """
    if not hasattr(owner, name):
        raise AttributeError(
            f"airbyte-cdk has no {type(owner).__name__}.{name} any more: this connector needs version 7.39. "
            "Install the locked requirements, or adapt source_linear/cdk.py."
        )
    return getattr(owner, name)


def use_manifest(source: ConcurrentDeclarativeSource, manifest: Mapping[str, Any]) -> None:
    """Let a source make its streams from another manifest: what a sync needs is known only when it starts."""
    resolved = _of(source, "_pre_process_manifest")(dict(manifest))
    _of(source, "_source_config")
    source._source_config = resolved


def bound_queue(source: ConcurrentDeclarativeSource, items: int) -> None:
    """Let so many items wait to be printed at the most: the CDK's 10,000 would be pages of rows here."""
    queue = _of(_of(source, "_concurrent_source"), "_queue")
    _of(queue, "maxsize")
    queue.maxsize = items


def read_in_this_thread(source: ConcurrentDeclarativeSource) -> None:
    """Say that this thread takes the items from the queue: what it says itself must not wait for it.

    The CDK takes the thread that constructed the source for it.
    """
    repository = _of(source, "_message_repository")
    _of(repository, "_consumer_thread_id")
    repository._consumer_thread_id = threading.get_ident()


def set_state(source: ConcurrentDeclarativeSource, stream: str, state: Mapping[str, Any]) -> None:
    """Give a stream another state than the one that the source was constructed with."""
    _of(source, "_connector_state_manager").update_state_for_stream(stream, None, dict(state))


def keep_state_as(streams: Iterable[AbstractStream], converter: type[AbstractStreamStateConverter]) -> None:
    """Let the cursors of streams write their states with another converter: the CDK's is not declarable."""
    for stream in streams:
        cursor = stream.cursor
        if isinstance(cursor, ConcurrentCursor):
            _of(cursor, "_connector_state_converter")
            cursor._connector_state_converter = converter()
