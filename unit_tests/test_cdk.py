"""What the connector changes in airbyte-cdk: it has its effect, and is loud where it cannot have it."""

import logging
import sys
import threading
from concurrent.futures import Future
from operator import attrgetter

import pytest
from airbyte_cdk.models import (
    AirbyteLogMessage,
    AirbyteMessage,
    AirbyteStateMessageSerializer,
    AirbyteStreamStatus,
    ConfiguredAirbyteCatalogSerializer,
    Level,
    Type,
)
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource
from airbyte_cdk.sources.streams.concurrent.cursor import FinalStateCursor
from airbyte_cdk.sources.streams.concurrent.default_stream import DefaultStream
from airbyte_cdk.sources.streams.concurrent.partitions.partition import Partition
from airbyte_cdk.sources.streams.concurrent.partitions.partition_generator import PartitionGenerator
from airbyte_cdk.sources.types import Record
from source_linear.sync.bounds import looked_back
from source_linear.sync.windows import WindowState

from integration_tests.linear_api import LinearApi
from integration_tests.linear_api.generator import PURGED
from integration_tests.processes import HANG
from source_linear import cdk
from source_linear.linear.api import Api
from source_linear.packaged import manifest
from source_linear.source import _PAGES_AHEAD, SourceLinear
from tools.connector import configured

LOGGER = logging.getLogger("airbyte")
CONFIG = {"credentials": {"auth_type": "API Key", "api_key": "lin_api_key"}}
FIRST, OTHER = "2025-01-01T00:00:00.000Z", "2025-06-01T00:00:00.000Z"


@pytest.fixture(autouse=True)
def the_hook_of_pytest(monkeypatch):
    """An entrypoint sets its own, for the whole process."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)


def catalog_of(name):
    stream = {"name": name, "json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"]}
    return ConfiguredAirbyteCatalogSerializer.load({"streams": [configured(stream)]})


def state_of(name, cursor):
    stream = {"stream_descriptor": {"name": name}, "stream_state": {"updatedAt": cursor}}
    return AirbyteStateMessageSerializer.load({"type": "STREAM", "stream": stream})


def slices(source):
    """The slices of the only stream."""
    (stream,) = source.streams(CONFIG)
    return [partition.to_slice() for partition in stream.generate_partitions()]


def log(number):
    return AirbyteMessage(type=Type.LOG, log=AirbyteLogMessage(level=Level.INFO, message=f"log {number}"))


def in_another_thread(function):
    """What a function returns in another thread; fails where it hangs."""
    returned = Future()

    def run():
        try:
            returned.set_result(function())
        except BaseException as error:
            returned.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return returned.result(HANG)


def test_the_streams_are_those_of_the_manifest_in_use():
    source = SourceLinear(config=CONFIG)
    other = manifest()
    other["streams"] = [entry for entry in other["streams"] if entry["$parameters"]["name"] == "users"]
    cdk.use_manifest(source, other)
    assert [stream.name for stream in ConcurrentDeclarativeSource.streams(source, CONFIG)] == ["users"]


def test_a_stream_is_bounded_by_what_is_known_only_after_the_source_was_made():
    # Its first manifest is made before the CDK has migrated the configuration.
    source = SourceLinear(catalog_of("issues"), {**CONFIG, "start_date": FIRST})
    assert slices(source)[0]["start_time"] == FIRST


class Rows(Partition):
    """So many rows of a stream, as fast as they are taken."""

    def __init__(self, number):
        self._number = number
        self._changed = threading.Condition()
        self.made = 0

    def read(self):
        for number in range(self._number):
            with self._changed:
                self.made += 1
                self._changed.notify()
            yield Record(data={"id": number}, stream_name=self.stream_name())

    def wait_for(self, made):
        """Wait until the reading thread has made so many rows."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.made >= made, HANG)

    def to_slice(self):
        return None

    def stream_name(self):
        return "users"

    def __hash__(self):
        return id(self)


class Once(PartitionGenerator):
    def __init__(self, partition):
        self._partition = partition

    def generate(self):
        yield self._partition


class SourceOfRows(SourceLinear):
    """A source with rows that nobody has to ask Linear for."""

    def __init__(self, rows):
        super().__init__(config=CONFIG)
        self._rows = rows

    def streams(self, config):
        cursor = FinalStateCursor("users", None, self._message_repository)
        return [DefaultStream(Once(self._rows), "users", {}, [], None, LOGGER, cursor)]


@pytest.mark.parametrize("bound", [None, 1, 3])
def test_reading_threads_wait_rather_than_run_further_ahead_than_the_bound(bound):
    rows = Rows(1000)
    source = SourceOfRows(rows)
    if bound is not None:
        cdk.bound_queue(source, bound)
    ahead = bound or _PAGES_AHEAD
    # The CDK's own: what surrounds it would ask Linear.
    messages = ConcurrentDeclarativeSource.read(source, LOGGER, CONFIG, catalog_of("users"))
    taken, most = 0, 0
    for message in messages:
        if message.type is Type.RECORD:
            taken += 1
            rows.wait_for(min(taken + ahead, 1000))
            most = max(most, rows.made - taken)
    assert taken == 1000
    assert most <= ahead + 1  # one more is in the hand of the thread that waits


def test_the_thread_that_takes_from_the_queue_does_not_wait_for_room_in_it():
    source = SourceLinear(config=CONFIG)
    cdk.bound_queue(source, 1)

    def say():
        cdk.read_in_this_thread(source)
        for number in range(3):
            source._message_repository.emit_message(log(number))
        return list(source._message_repository.consume_queue())

    assert in_another_thread(say) == [log(1), log(2)]


def test_a_source_is_read_in_another_thread_than_it_was_made_in():
    said = [log(number) for number in range(_PAGES_AHEAD + 1)]

    def read(source):
        for message in source.read(LOGGER, CONFIG, source.catalog):
            yield message
            status = message.trace and message.trace.stream_status
            if status and status.status is AirbyteStreamStatus.COMPLETE:
                # The reading threads have put all that they had: nothing but this is in the queue.
                for one in said:
                    source._message_repository.emit_message(one)

    with LinearApi(issues=5, seed=1) as api:
        credentials = {"auth_type": "API Key", "api_key": api.api_key}
        source = SourceLinear(catalog_of("users"), {"credentials": credentials, "api_url": api.url})
        messages = in_another_thread(lambda: list(read(source)))
    assert all(one in messages for one in said[:-1])


def test_each_window_asks_behind_those_that_began_before(monkeypatch):
    begun = []
    monkeypatch.setattr(Api, "begin", lambda api: begun.append(api))
    with LinearApi(issues=20, seed=1, purged=PURGED) as api:
        credentials = {"auth_type": "API Key", "api_key": api.api_key}
        source = SourceLinear(catalog_of("issues"), {"credentials": credentials, "api_url": api.url})
        list(source.read(LOGGER, CONFIG, source.catalog))
        windows = {str(one.variables["filter"]) for one in api.requests if "filter" in one.variables}
    assert len(begun) == len(windows) > 1


def test_a_stream_goes_on_from_a_minute_before_the_state_that_it_was_given_last():
    source = SourceLinear(catalog_of("issues"), CONFIG, [state_of("issues", FIRST)])
    assert slices(source)[0]["start_time"] == "2024-12-31T23:59:00.000Z" == looked_back(FIRST)
    cdk.set_state(source, "issues", {"updatedAt": OTHER})
    assert slices(source)[0]["start_time"] == "2025-05-31T23:59:00.000Z" == looked_back(OTHER)


def test_a_stream_whose_state_is_taken_away_begins_anew():
    source = SourceLinear(catalog_of("users"), CONFIG, [state_of("users", FIRST)])
    cdk.set_state(source, "users", {})
    assert slices(source)[0]["start_time"] < FIRST


def test_the_state_of_every_stream_is_the_end_of_what_was_read_and_not_its_newest_row():
    ends, states = {}, {}
    source = SourceLinear(config=CONFIG)
    for stream in source.streams(CONFIG):
        partition = next(iter(stream.generate_partitions()))
        field, read = stream.cursor_field, partition.to_slice()
        row = Record(data={field: FIRST}, stream_name=stream.name, associated_slice=read)
        stream.cursor.observe(row)
        stream.cursor.close_partition(partition)
        ends[stream.name] = {field: read["end_time"]}
        states[stream.name] = dict(stream.cursor.state)
    assert len(ends) == 50
    assert states == ends


class Touched:
    """A source and a cursor of it, and each function of cdk.py applied to them."""

    def __init__(self):
        self.source = SourceLinear(catalog_of("users"), CONFIG)
        self.streams = self.source.streams(CONFIG)
        self.cursor = self.streams[0].cursor

    def apply(self, function):
        arguments = {
            cdk.use_manifest: (self.source, manifest()),
            cdk.bound_queue: (self.source, 1),
            cdk.read_in_this_thread: (self.source,),
            cdk.set_state: (self.source, "users", {}),
            cdk.keep_state_as: (self.streams, WindowState),
        }
        function(*arguments[function])


@pytest.mark.parametrize(
    ("function", "owner", "name"),
    [
        (cdk.use_manifest, "source", "_pre_process_manifest"),
        (cdk.use_manifest, "source", "_source_config"),
        (cdk.bound_queue, "source", "_concurrent_source"),
        (cdk.bound_queue, "source._concurrent_source", "_queue"),
        (cdk.bound_queue, "source._concurrent_source._queue", "maxsize"),
        (cdk.read_in_this_thread, "source", "_message_repository"),
        (cdk.read_in_this_thread, "source._message_repository", "_consumer_thread_id"),
        (cdk.set_state, "source", "_connector_state_manager"),
        (cdk.keep_state_as, "cursor", "_connector_state_converter"),
    ],
)
def test_what_the_cdk_no_longer_has_is_named(monkeypatch, function, owner, name):
    touched = Touched()
    touched.apply(function)
    without = attrgetter(owner)(touched)
    kind = type(without)
    holder = without if name in vars(without) else next(one for one in kind.__mro__ if name in vars(one))
    monkeypatch.delattr(holder, name)
    with pytest.raises(AttributeError) as caught:
        touched.apply(function)
    assert str(caught.value) == (
        f"airbyte-cdk has no {kind.__name__}.{name} any more: this connector needs version 7.39. "
        "Install the locked requirements, or adapt source_linear/cdk.py."
    )
