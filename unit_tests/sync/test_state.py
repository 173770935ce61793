"""The state of a stream: its codec, both ways, and every form that was ever written."""

import base64
import json
import random
import zlib
from dataclasses import fields, replace
from datetime import timedelta
from uuid import UUID

import pytest
from airbyte_cdk.models import AirbyteStateMessageSerializer, FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException
from hypothesis import given, settings
from hypothesis import strategies as st

from source_linear.state import (
    BEGINNING,
    MOST_LATE,
    MOST_NEW,
    MOST_OTHERS,
    MOST_PENDING,
    StreamState,
    is_none,
    looked_back,
    read_states,
    stream_states,
)
from source_linear.sync.sketch import Sketch
from unit_tests.sync.parts import WORKSPACE, at, held, sketch, uuid

CURSOR = "2026-01-31T08:15:00.123Z"
FULL = StreamState(
    cursor=CURSOR,
    workspace=WORKSPACE,
    scope={"team_keys": ["ENG"], "start_date": at(1)},
    copy=sketch(1, 2, archived=[2]),
    others={"odd": True, "other": False},
    pending={uuid(3): True, uuid(4): False, "odd-3": True},
    walked=at(9),
    new={uuid(5): True, uuid(6): False, uuid(7): None},
    late={uuid(8): at(10), uuid(9): at(11), "odd-4": at(10)},
    crowded=True,
    high=at(12),
    wave=(at(8), uuid(2)),
    due=False,
    unsure=True,
    unlisted=2,
    length=1234,
    roots=("links", "things"),
)


def again(state, field="updatedAt"):
    """A state as it comes back from a file."""
    return StreamState.decoded(json.loads(json.dumps(state.encoded(field))), field)


def same(one, other):
    pairs = [(getattr(one, part.name), getattr(other, part.name)) for part in fields(StreamState)]
    sketches = [held(one), held(other)]
    return [pair for pair in pairs if not isinstance(pair[0], Sketch) and pair[0] != pair[1]] == [] and (
        sketches[0] == sketches[1]
    )


def test_a_state_comes_back_as_it_was_written():
    read = again(FULL)
    assert same(read, FULL)
    assert held(read) == {1: False, 2: True}


@pytest.mark.parametrize("part", [part.name for part in fields(StreamState) if part.name != "cursor"])
def test_each_part_comes_back_alone(part):
    state = replace(StreamState(cursor=CURSOR, scope={}), **{part: getattr(FULL, part)})
    assert same(again(state), state)


def test_an_empty_state_is_a_cursor_at_the_beginning_and_a_version():
    assert StreamState().encoded("updatedAt") == {"updatedAt": BEGINNING, "version": 3}
    assert again(StreamState()) == StreamState(scope={})


def test_the_cursor_comes_first_under_the_name_that_the_stream_has_for_it():
    assert next(iter(FULL.encoded("thingUpdatedAt").items())) == ("thingUpdatedAt", CURSOR)
    assert again(FULL, "thingUpdatedAt").cursor == CURSOR


def test_a_state_is_json():
    assert json.loads(json.dumps(FULL.encoded("updatedAt"))) == FULL.encoded("updatedAt")


IDS = st.one_of(st.uuids().map(str), st.text("abc-1", min_size=1, max_size=8))


@settings(deadline=None, max_examples=40)
@given(
    pending=st.dictionaries(IDS, st.booleans(), max_size=8),
    new=st.dictionaries(IDS, st.sampled_from([True, False, None]), max_size=8),
    late=st.dictionaries(IDS, st.sampled_from([at(1), at(2), at(3)]), max_size=8),
)
def test_rows_that_are_named_come_back(pending, new, late):
    read = again(StreamState(cursor=CURSOR, pending=pending, new=new, late=late))
    assert (read.pending, read.new, read.late) == (pending, new, late)


def test_a_state_with_every_part_at_its_bound_takes_at_most_80_kb():
    rng = random.Random(1)

    def ids(number):
        return [str(UUID(int=rng.getrandbits(128))) for _ in range(number)]

    def moment():
        return at(
            rng.randrange(10, 30),
            f"{rng.randrange(10, 24)}:{rng.randrange(10, 60)}:00.{rng.randrange(100, 999)}",
        )

    copy = Sketch()
    for _ in range(20_000):
        copy.add(rng.getrandbits(128), rng.random() < 0.5)
    state = replace(
        FULL,
        copy=copy,
        scope={"team_keys": [f"TEAM{n}" for n in range(100)], "start_date": at(1)},
        others=dict.fromkeys(ids(MOST_OTHERS), True),
        pending={one: rng.random() < 0.5 for one in ids(MOST_PENDING)},
        new={one: rng.choice([True, False, None]) for one in ids(MOST_NEW)},
        late={one: moment() for one in ids(MOST_LATE)},
    )
    assert len(json.dumps(state.encoded("updatedAt")).encode()) <= 80_000


@pytest.mark.parametrize(
    ("written", "cursor"),
    [
        ("2026-01-31T08:15:00.123456Z", CURSOR),
        ("2026-01-31T08:15:00Z", "2026-01-31T08:15:00.000Z"),
        ("2026-01-31T09:15:00.123+01:00", CURSOR),
        ("2026-01-31", "2026-01-31T00:00:00.000Z"),
        ("1970-01-01T00:00:00.000Z", None),
        ("0001-01-01T00:00:00.000Z", None),
    ],
)
def test_a_cursor_of_others_is_read_as_linear_writes_it(written, cursor):
    # Airbyte's own source-linear writes nothing but its cursor.
    assert StreamState.decoded({"updatedAt": written}, "updatedAt") == StreamState(cursor=cursor)


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"scope": {}},
        {"updatedAt": None},
        {"updatedAt": 7},
        {"updatedAt": "yesterday"},
        {"updatedAt": {}},
        {"issueUpdatedAt": CURSOR},
    ],
)
def test_a_state_without_a_usable_cursor_is_none_of_ours(state):
    with pytest.raises(ValueError, match="it has no cursor"):
        StreamState.decoded(state, "updatedAt")


def packed(content):
    return base64.b64encode(zlib.compress(content)).decode()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("copy", "nonsense"),
        ("copy", 7),
        ("pending", "nonsense"),
        ("pending", ["a"]),
        ("pending", packed(b"\0\0\0\3" + b"1\t2" + bytes(16))),
        ("pending", packed(b"\0\0\0\4" + b"1\t-1")),
        ("pending", packed(b"\0\0\0\1" + b"1")),
        ("pending", packed(b"\0\0\0\3" + b"1\tx")),
        ("new", 7),
        ("late", "AAAA"),
        ("workspace", ["a"]),
        ("scope", 7),
        ("others", ["a"]),
        ("wave", ["a"]),
        ("wave", 7),
        ("walked", "yesterday"),
        ("walked", 7),
        ("unlisted", "many"),
        ("length", [1]),
        ("roots", 7),
    ],
)
def test_a_state_of_ours_that_says_nonsense_of_the_rows_cannot_be_read(key, value):
    state = {**FULL.encoded("updatedAt"), key: value}
    with pytest.raises(ValueError, match="what it says of the rows cannot be read"):
        StreamState.decoded(state, "updatedAt")


OLDER = {
    "updatedAt": CURSOR,
    "scope": {"team_keys": ["ENG"]},
    "copy": {"rows": sketch(1, 2, archived=[2]).text(), "walked": at(9), "until": at(10)},
    "again": [uuid(3), "odd"],
}


def test_what_version_0_2_wrote_is_taken_over():
    read = StreamState.decoded(OLDER, "updatedAt")
    assert held(read) == {1: False, 2: True}
    assert replace(read, copy=None) == StreamState(
        cursor=CURSOR,
        scope={"team_keys": ["ENG"]},
        pending={uuid(3): True, "odd": True},
        walked=at(9),
        wave=(at(9), ""),
        high=at(10),
    )
    assert read.due, "its copy is what was listed: a walk tells what was not sent"


@pytest.mark.parametrize(
    ("copy", "high"),
    [
        ({}, ""),
        ({"rows": "nonsense", "walked": at(9), "until": at(10)}, at(10)),
        ({"rows": sketch(1).text(), "until": at(10)}, at(10)),
        ({"rows": sketch(1).text(), "walked": "yesterday"}, ""),
        ({"rows": 7, "walked": at(9)}, ""),
    ],
)
def test_of_version_0_2_a_copy_that_cannot_be_read_is_none_and_its_cursor_holds(copy, high):
    read = StreamState.decoded({**OLDER, "copy": copy}, "updatedAt")
    assert (read.copy, read.walked, read.high, read.cursor) == (None, None, high, CURSOR)
    assert read.pending == {uuid(3): True, "odd": True}


@pytest.mark.parametrize("part", ["scope", "copy", "again"])
@pytest.mark.parametrize("value", [None, 7, "x", ()])
def test_of_version_0_2_what_is_of_no_known_form_is_passed_over(part, value):
    read = StreamState.decoded({**OLDER, part: value}, "updatedAt")
    assert {"scope": read.scope, "copy": read.copy, "again": read.pending or None}[part] is None
    assert read.cursor == CURSOR


def test_of_version_0_2_no_more_rows_are_asked_for_again_than_a_state_may_name():
    read = StreamState.decoded({**OLDER, "again": [7, *(str(n) for n in range(1000))]}, "updatedAt")
    assert list(read.pending) == [str(n) for n in range(MOST_PENDING)]


def test_another_version_is_read_as_an_older_one():
    # A version to come: its cursor holds, what it says of rows is none of ours.
    read = StreamState.decoded({**FULL.encoded("updatedAt"), "version": 4}, "updatedAt")
    assert (read.cursor, read.copy, read.new) == (CURSOR, None, {})


@pytest.mark.parametrize(
    ("cursor", "begin"),
    [
        (CURSOR, "2026-01-31T08:14:00.123Z"),
        ("1970-01-01T00:00:30.000Z", BEGINNING),
        (BEGINNING, BEGINNING),
    ],
)
def test_a_sync_begins_to_read_before_its_cursor_but_not_before_time_began(cursor, begin):
    assert looked_back(cursor, timedelta(minutes=1)) == begin


# Messages


def message(stream, **state):
    given = {"stream_descriptor": {"name": stream}, "stream_state": state}
    return AirbyteStateMessageSerializer.load({"type": "STREAM", "stream": given})


def test_the_states_of_streams_are_found_by_their_names():
    states = stream_states([message("users", updatedAt=CURSOR), message("teams", updatedAt=CURSOR, more=[1])])
    assert states == {"users": {"updatedAt": CURSOR}, "teams": {"updatedAt": CURSOR, "more": [1]}}


def test_a_stream_without_a_state_has_none():
    assert not stream_states([message("users")]).get("users")
    bare = AirbyteStateMessageSerializer.load(
        {"type": "STREAM", "stream": {"stream_descriptor": {"name": "users"}}}
    )
    assert stream_states([bare]) == {}


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"type": "LEGACY", "data": {"users": {"updatedAt": CURSOR}}}, "LEGACY"),
        ({"data": {"users": {"updatedAt": CURSOR}}}, "LEGACY"),
        ({"type": "GLOBAL", "global": {"stream_states": []}}, "GLOBAL"),
    ],
)
def test_a_state_of_another_type_is_refused_with_the_remedy(given, kind):
    with pytest.raises(AirbyteTracedException, match=rf"state: it is of type {kind}.* Reset the connection"):
        stream_states([AirbyteStateMessageSerializer.load(given)])


def test_a_state_that_does_not_say_its_type_is_of_a_stream():
    given = {"stream": {"stream_descriptor": {"name": "users"}, "stream_state": {"updatedAt": CURSOR}}}
    assert stream_states([AirbyteStateMessageSerializer.load(given)]) == {"users": {"updatedAt": CURSOR}}


@pytest.mark.parametrize(
    ("state", "says_nothing"),
    [
        ({}, True),
        ({"__ab_no_cursor_state_message": True}, True),
        ({"__ab_full_refresh_sync_complete": True}, True),
        ({"__ab_full_refresh_sync_complete": True, "updatedAt": CURSOR}, False),
        ({"updatedAt": CURSOR}, False),
    ],
)
def test_a_sentinel_of_the_cdk_is_no_state(state, says_nothing):
    assert is_none(state) is says_nothing


@pytest.mark.parametrize("nothing", ["[]", "{}", "null"])
def test_a_file_without_states_is_no_state(tmp_path, nothing):
    path = tmp_path / "state.json"
    path.write_text(nothing)
    assert read_states(str(path)) == []


def test_a_file_holds_the_messages_that_a_read_prints(tmp_path):
    path = tmp_path / "state.json"
    given = {"stream_descriptor": {"name": "users"}, "stream_state": {"updatedAt": CURSOR}}
    path.write_text(json.dumps([{"type": "STREAM", "stream": given}]))
    assert stream_states(read_states(str(path))) == {"users": {"updatedAt": CURSOR}}


@pytest.mark.parametrize(
    "content", [7, "x", [7], [{}], [{"type": "STREAM"}], {"users": {"updatedAt": CURSOR}}]
)
def test_a_file_with_something_else_is_refused(tmp_path, content):
    path = tmp_path / "state.json"
    path.write_text(json.dumps(content))
    with pytest.raises(
        AirbyteTracedException, match=r"--state: .* is not a list of state messages"
    ) as caught:
        read_states(str(path))
    assert caught.value.failure_type is FailureType.config_error
