"""What others keep private and this connector touches, one function each.

What it needs of airbyte-cdk is loud where it is gone. What only makes it faster changes nothing there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # `without_docs` is called before the CDK is imported
    from airbyte_cdk.entrypoint import AirbyteEntrypoint
    from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource
    from airbyte_cdk.sources.streams.concurrent.abstract_stream import AbstractStream
    from airbyte_cdk.utils.memory_monitor import MemoryMonitor

_DOCS = "get_attributes_doc"


@contextmanager
def without_docs() -> Iterator[None]:
    """Let the CDK be imported without reading doc strings: a third of the time goes into parsing them.

    serpyco-rs has attributes-doc read the source of each class and enumeration for what it says of their
    attributes, and takes that function once, when it is first imported; nobody here asks for the result.
    """
    try:
        module = import_module("attributes_doc")
        read = getattr(module, _DOCS)
    except (ImportError, AttributeError):  # another version: it takes its time
        yield
        return
    setattr(module, _DOCS, lambda of: {})
    try:
        yield
    finally:
        setattr(module, _DOCS, read)


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


def memory_monitor_of(entrypoint: AirbyteEntrypoint) -> MemoryMonitor:
    """What ends a read before its container runs out of memory; it wants to be called for each message."""
    monitor: MemoryMonitor = _of(entrypoint, "_memory_monitor")
    return monitor
