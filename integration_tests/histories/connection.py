"""A connection: the connector, run in this process, and the states that Airbyte keeps for it."""

import logging
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from unittest.mock import patch

from airbyte_cdk.models import (
    AirbyteMessage,
    AirbyteMessageSerializer,
    AirbyteStateMessage,
    AirbyteStateMessageSerializer,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteCatalogSerializer,
    Type,
)
from airbyte_cdk.sources.declarative import concurrent_declarative_source as cdk
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from integration_tests.linear_api import LinearApi
from source_linear import graphql, source
from source_linear.source import SourceLinear
from unit_tests.world.connector import Turns

_LOGGER = logging.getLogger("airbyte")

Record = dict[str, Any]


@dataclass
class Output:
    """What one read printed, in its order, and the sentence that it ended with if it failed."""

    messages: list[AirbyteMessage] = field(default_factory=list)
    error: str | None = None

    def records(self) -> Iterator[tuple[str, Record]]:
        """Each record with its stream, without the nulls at its top: the CDK does not print those."""
        for message in self.messages:
            if message.type is Type.RECORD:
                yield message.record.stream, _without_nulls(message)

    def covered_records(self) -> Iterator[tuple[str, Record]]:
        """The records that a later state of their stream covers: Airbyte promises to keep no others."""
        last = {
            message.state.stream.stream_descriptor.name: number
            for number, message in enumerate(self.messages)
            if message.type is Type.STATE
        }
        for number, message in enumerate(self.messages):
            if message.type is Type.RECORD and number < last.get(message.record.stream, 0):
                yield message.record.stream, _without_nulls(message)

    def states(self) -> dict[str, dict[str, Any]]:
        """The last state of each stream, as it is printed."""
        last = {}
        for message in self.messages:
            if message.type is Type.STATE:
                printed = AirbyteMessageSerializer.dump(message)["state"]
                last[printed["stream"]["stream_descriptor"]["name"]] = printed
        return last

    def cut(self, length: int) -> "Output":
        """The output of the same read, killed after so many messages."""
        return Output(self.messages[:length], f"killed after {length} of {len(self.messages)} messages")


@dataclass
class Connection:
    """Runs syncs.

    A sync is always played to its end; `Output.cut` models its death. What changed in the workspace after
    the cut is then what changed after the death: to the next sync it is the same.

    Attributes:
        config: the connector's configuration.
        streams: the streams' names.
        rng: decides in which order the workers work.
        page_size: Linear's largest page, made smaller so that few rows make many pages.
        states: the last state of each stream that Airbyte has received.
    """

    config: Mapping[str, Any]
    streams: Sequence[str]
    rng: random.Random
    page_size: int = graphql.MAX_PAGE_SIZE
    states: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        api: LinearApi,
        streams: Sequence[str],
        rng: random.Random | None = None,
        page_size: int = graphql.MAX_PAGE_SIZE,
        **config: Any,
    ) -> "Connection":
        """A connection to the simulator."""
        credentials = {"auth_type": "API Key", "api_key": api.api_key}
        config = {"credentials": credentials, "api_url": api.url, **config}
        return cls(config, streams, rng or random.Random(1), page_size)

    def sync(self) -> Output:
        """Read on from the states; they are the caller's to take over, with `receive`."""
        return self._read("incremental", list(self.states.values()))

    def full_refresh(self) -> Output:
        """Read everything, or the rest of it: the states are those of an earlier attempt."""
        return self._read("full_refresh", list(self.states.values()))

    def receive(self, output: Output) -> None:
        """Keep the states that a sync printed."""
        self.states |= output.states()

    def cursor(self, stream: str) -> str | None:
        """The cursor in a stream's state."""
        state = self.states.get(stream)
        return next(iter(state["stream"]["stream_state"].values()), None) if state else None

    def _read(self, sync_mode: str, states: list[dict[str, Any]]) -> Output:
        catalog = _catalog(tuple(self.streams), sync_mode)
        given = [_state(state) for state in states]
        output = Output()
        turns = Turns(self.rng.randrange(2**32))
        with _quickly(self.page_size), patch.object(source, "Threads", lambda *_: turns):
            connector = SourceLinear(catalog, self.config, given)
            try:
                for message in connector.read(_LOGGER, self.config, catalog, given):
                    output.messages.append(message)
            except AirbyteTracedException as error:
                output.error = error.message
        return output


def _without_nulls(message: AirbyteMessage) -> Record:
    return {name: value for name, value in message.record.data.items() if value is not None}


@contextmanager
def _quickly(page_size: int) -> Iterator[None]:
    """Small pages, no log, and nothing checked again that is the same in every sync."""
    level = _LOGGER.level
    _LOGGER.setLevel(logging.CRITICAL)
    try:
        with (
            patch.object(graphql, "MAX_PAGE_SIZE", page_size),
            patch.object(cdk, "get_declarative_component_schema", _component_schema),
            patch.object(cdk, "validate_manifest"),
        ):
            yield
    finally:
        _LOGGER.setLevel(level)


_component_schema = cache(cdk.get_declarative_component_schema)


@cache
def _catalog(names: Sequence[str], sync_mode: str) -> ConfiguredAirbyteCatalog:
    return ConfiguredAirbyteCatalogSerializer.load(
        {
            "streams": [
                {
                    "stream": {
                        "name": name,
                        "json_schema": {},
                        "supported_sync_modes": ["full_refresh", "incremental"],
                    },
                    "sync_mode": sync_mode,
                    "destination_sync_mode": "append_dedup",
                }
                for name in names
            ]
        }
    )


def _state(printed: Mapping[str, Any]) -> AirbyteStateMessage:
    return AirbyteStateMessageSerializer.load({"type": printed["type"], "stream": dict(printed["stream"])})
