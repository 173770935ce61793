"""What airbyte-cdk keeps private and this connector touches: one function each, loud where it is gone."""

from collections.abc import Mapping
from typing import Any

from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource
from airbyte_cdk.sources.streams.concurrent.abstract_stream import AbstractStream


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


def retriever_of(stream: AbstractStream) -> Any:
    """The retriever that the CDK has made for a stream, with what the manifest declares."""
    partitions = _of(stream, "_stream_partition_generator")
    return _of(_of(partitions, "_partition_factory"), "_retriever")
