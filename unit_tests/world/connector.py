"""The connector's own sync as a source for histories: its workers take turns, as a seed decides."""

import random
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from typing import Any
from unittest.mock import patch

import pendulum
from airbyte_cdk.models import ConfiguredAirbyteCatalogSerializer
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_linear.config import Config
from source_linear.linear.errors import LinearError
from source_linear.packaged import manifest
from source_linear.source import SourceLinear
from source_linear.state import StreamState
from source_linear.streams import Stream
from source_linear.sync import probe
from source_linear.sync.reader import Declared
from source_linear.sync.sync import Rows, State, Sync
from source_linear.sync.workers import Done, Key
from unit_tests.world.histories import LISTS, Read
from unit_tests.world.plans import STREAMS
from unit_tests.world.schema import schema

PAGE_SIZES = (2, 7, 250)
_AHEAD = 4  # pages that may have been read when the first of them is taken
_SLICED = 0.2  # of all syncs walk long lists in slices, though they are short
_SMALL = {"MAX_PAGE_SIZE": 5, "_SHORT": 5, "_ROWS_A_SLICE": 4}
_RARELY = 1e6  # hours between two walks: none is due but those that the state says are
_CONFIG = {"credentials": {"auth_type": "API Key", "api_key": "lin_api_histories"}}


class Turns:
    """Workers that take turns."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._readers: list[tuple[Key, Iterator[Any]]] = []
        self._read: list[tuple[Key, Any]] = []

    def start(self, key: Key, pages: Iterator[Any]) -> None:
        """Let pages be read."""
        self._readers.append((key, pages))

    def results(self) -> Iterator[tuple[Key, Any]]:
        """What is read, in the order in which it was read; some of it is read before it is taken."""
        while self._readers or self._read:
            if self._readers and (not self._read or (len(self._read) < _AHEAD and self._rng.random() < 0.5)):
                self._let_read()
            else:
                yield self._read.pop(0)

    def _let_read(self) -> None:
        at = self._rng.randrange(len(self._readers))
        key, pages = self._readers[at]
        try:
            item = next(pages, None) or Done()
        except Exception as error:
            item = Done(error)
        if isinstance(item, Done):
            del self._readers[at]
        self._read.append((key, item))


class _Paged:
    """A declaration with pages of another size."""

    def __init__(self, declared: Declared, size: int) -> None:
        self.stream, self.page_size = declared.stream, size
        self.variables, self.ends, self.transform = declared.variables, declared.ends, declared.transform


def catalog_of(names: Iterable[str]) -> dict[str, Any]:
    """A configured catalog of streams of histories, with few columns of each."""
    known = schema()
    entries = {one["$parameters"]["name"]: one["$parameters"] for one in manifest()["streams"]}
    streams = []
    for name in names:
        cursor = entries[name].get("cursor_field", "updatedAt")
        columns = ["id", cursor, "isArchived", "deletedAt", known.marks[known.entities[name]]]
        columns += LISTS if name == "issues" else ()
        described = {"name": name, "json_schema": {"properties": {one: {} for one in columns}}}
        described |= {"supported_sync_modes": ["full_refresh", "incremental"]}
        streams.append(
            {"stream": described, "sync_mode": "incremental", "destination_sync_mode": "append_dedup"}
        )
    return {"streams": streams}


@cache
def declared(archived_rows: str) -> Mapping[str, Declared]:
    """What the manifest declares of the streams of histories, of which few columns are read."""
    names = [one for some in STREAMS.values() for one in some]
    catalog = ConfiguredAirbyteCatalogSerializer.load(catalog_of(names))
    source = SourceLinear(catalog, {**_CONFIG, "archived_rows": archived_rows})
    found: Mapping[str, Declared] = source._retrievers(source._manifest_of_catalog())
    return found


@cache
def _specification() -> Mapping[str, Any]:
    found: Mapping[str, Any] = manifest()["spec"]["connection_specification"]
    return found


def source(given: Read) -> Iterator[tuple[str, str, Any]]:
    """A sync: its rows and states, one by one. One that fails as a whole ends there."""
    rng = random.Random(given.seed)
    config = Config.of({**_CONFIG, **given.config}, _specification())
    if given.walks is not None:
        config = replace(config, detect_deletions=0.0 if given.walks else _RARELY)
    size, known = rng.choice(PAGE_SIZES), declared(config.archived_rows)
    streams = {name: _Paged(known[name], size) for name in given.streams}
    with ExitStack() as stack:
        if rng.random() < _SLICED:
            for name, value in _SMALL.items():
                stack.enter_context(patch.object(probe, name, value))
        yield from _synced(given, config, streams)


def _synced(given: Read, config: Config, streams: Mapping[str, Declared]) -> Iterator[tuple[str, str, Any]]:
    known = declared(config.archived_rows)
    states = {name: _decoded(known[name].stream, state) for name, state in given.states.items()}
    world = given.linear.world
    sync = Sync(
        streams,
        states,
        config,
        given.linear,
        Turns(given.seed),
        lambda: pendulum.from_timestamp(world.now / 1000),
    )
    try:
        for event in sync.events():
            if isinstance(event, Rows):
                yield from (("row", event.stream, record) for record in event.records)
            elif isinstance(event, State):
                yield "state", event.stream, event.state
    except (LinearError, AirbyteTracedException):
        return


def _decoded(stream: Stream, state: Mapping[str, Any]) -> StreamState:
    return StreamState.decoded(state, stream.cursor_field)


def is_walked(state: Mapping[str, Any]) -> bool:
    """Whether a state knows a list."""
    return "walked" in state


def doubtful(stream: str, state: Mapping[str, Any]) -> list[str]:
    """The ids that a state names against which a tombstone may stand."""
    pending = _decoded(declared("flag")[stream].stream, state).pending
    return [one for one, may_be_deleted in pending.items() if may_be_deleted]
