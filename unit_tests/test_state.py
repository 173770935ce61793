"""A state: its cursor first, for the CDK alone, and beside it what a later sync must know."""

import json

import pytest
from airbyte_cdk.models import (
    AirbyteLogMessage,
    AirbyteMessage,
    AirbyteMessageSerializer,
    AirbyteStateBlob,
    AirbyteStateMessage,
    AirbyteStateMessageSerializer,
    AirbyteStreamState,
    FailureType,
    Level,
    StreamDescriptor,
    Type,
)
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_linear.state import StreamStates, read_states
from tools.schemas import streams

DECLARED = {stream.name: stream for stream in streams()}
CURSOR = "2026-01-31T08:15:00.123Z"


def given(stream, **state):
    return AirbyteStateMessageSerializer.load(
        {"type": "STREAM", "stream": {"stream_descriptor": {"name": stream}, "stream_state": state}}
    )


def emitted(stream, **state):
    descriptor = StreamDescriptor(name=stream)
    of_stream = AirbyteStreamState(stream_descriptor=descriptor, stream_state=AirbyteStateBlob(state))
    return AirbyteMessage(type=Type.STATE, state=AirbyteStateMessage(stream=of_stream))


def printed(states, *messages):
    dumped = [AirbyteMessageSerializer.dump(message) for message in states.decorated(messages)]
    return [message["state"]["stream"]["stream_state"] for message in dumped]


def test_what_stands_beside_a_cursor_is_found_and_kept_from_the_cdk():
    states = StreamStates([given("users", scope={"a": 1}, updatedAt=CURSOR, more=[2])], DECLARED)
    assert states.cursors == {"users": CURSOR}
    assert (states.found("users", "scope"), states.found("users", "more")) == ({"a": 1}, [2])
    assert states.found("users", "other") is states.found("teams", "scope") is None
    (for_cdk,) = states.for_cdk
    assert vars(for_cdk.stream.stream_state) == {"updatedAt": CURSOR}


def test_what_is_kept_is_written_after_the_cursor_into_every_state_of_its_stream():
    states = StreamStates([], DECLARED)
    states.keep("users", "scope", {})
    states.keep("users", "more", [2])
    first, other, second = printed(
        states,
        emitted("users", updatedAt=CURSOR),
        emitted("teams", updatedAt=CURSOR),
        emitted("users", updatedAt="2026-02-01T00:00:00.000Z"),
    )
    assert list(first.items()) == [("updatedAt", CURSOR), ("scope", {}), ("more", [2])]
    assert other == {"updatedAt": CURSOR}
    assert second == {"updatedAt": "2026-02-01T00:00:00.000Z", "scope": {}, "more": [2]}


def test_what_is_no_longer_kept_is_no_longer_written():
    states = StreamStates([given("users", updatedAt=CURSOR, more=[2])], DECLARED)
    states.keep("users", "more", [3])
    states.keep("users", "more", None)
    assert printed(states, emitted("users", updatedAt=CURSOR)) == [{"updatedAt": CURSOR}]


def test_the_cursor_of_a_stream_without_dates_of_its_own_comes_first_too():
    states = StreamStates([given("issue_state_spans", scope={}, issueUpdatedAt=CURSOR)], DECLARED)
    states.keep("issue_state_spans", "scope", {})
    (state,) = printed(states, emitted("issue_state_spans", issueUpdatedAt=CURSOR))
    assert list(state) == ["issueUpdatedAt", "scope"]


def test_the_object_of_the_cdk_is_not_written_to():
    states = StreamStates([], DECLARED)
    states.keep("users", "scope", {})
    message = emitted("users", updatedAt=CURSOR)
    blob = message.state.stream.stream_state
    list(states.decorated([message]))
    assert vars(blob) == {"updatedAt": CURSOR}


def test_a_state_without_a_cursor_and_other_messages_pass_as_they_are():
    states = StreamStates([], DECLARED)
    states.keep("users", "scope", {})
    log = AirbyteMessage(type=Type.LOG, log=AirbyteLogMessage(level=Level.INFO, message="x"))
    assert list(states.decorated([log])) == [log]
    assert printed(states, emitted("users")) == [{}]


@pytest.mark.parametrize("state", [{}, {"__ab_no_cursor_state_message": True}])
def test_a_stream_without_a_cursor_starts_afresh(state):
    states = StreamStates([given("users", **state)], DECLARED)
    assert states.cursors == {}
    assert vars(states.for_cdk[0].stream.stream_state) == {}


def test_the_state_of_a_stream_that_there_is_no_longer_is_passed_over():
    states = StreamStates([given("epics", page=3)], DECLARED)
    assert states.cursors == {}


@pytest.mark.parametrize("state", [{"scope": {}}, {"updatedAt": None, "scope": {}}, {"updatedAt": 7}])
def test_a_state_without_a_usable_cursor_is_refused_by_stream(state):
    with pytest.raises(AirbyteTracedException, match="state: that of stream users cannot be read") as caught:
        StreamStates([given("users", **state)], DECLARED)
    assert caught.value.failure_type is FailureType.config_error


def test_the_given_states_are_not_changed():
    state = given("users", updatedAt="2026-01-31T08:15:00.123456Z", scope={})
    StreamStates([state], DECLARED)
    assert vars(state.stream.stream_state) == {"updatedAt": "2026-01-31T08:15:00.123456Z", "scope": {}}


@pytest.mark.parametrize("nothing", ["[]", "{}", "null"])
def test_a_file_without_states_is_no_state(tmp_path, nothing):
    path = tmp_path / "state.json"
    path.write_text(nothing)
    assert read_states(str(path)) == []


@pytest.mark.parametrize(
    "content", [7, "x", [7], [{}], [{"type": "STREAM"}], {"users": {"updatedAt": CURSOR}}]
)
def test_a_file_with_something_else_is_refused(tmp_path, content):
    path = tmp_path / "state.json"
    path.write_text(json.dumps(content))
    with pytest.raises(AirbyteTracedException, match=r"--state: .* is not a list of state messages"):
        read_states(str(path))


def test_a_legacy_state_that_does_not_say_its_type_is_refused_like_one_that_does():
    legacy = AirbyteStateMessageSerializer.load({"data": {"users": {"updatedAt": CURSOR}}})
    with pytest.raises(AirbyteTracedException, match="LEGACY") as refused:
        StreamStates([legacy], DECLARED)
    assert refused.value.failure_type is FailureType.config_error
