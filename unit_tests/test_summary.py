"""What is told of each stream: while it is read, in the log at the end, and in the final error."""

import logging

import pytest
from airbyte_cdk.models import (
    AirbyteErrorTraceMessage,
    AirbyteMessage,
    AirbyteRecordMessage,
    AirbyteStateBlob,
    AirbyteStateMessage,
    AirbyteStreamState,
    AirbyteStreamStatus,
    AirbyteStreamStatusTraceMessage,
    AirbyteTraceMessage,
    FailureType,
    StreamDescriptor,
    TraceType,
    Type,
)
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_linear.linear.budget import Usage
from source_linear.sync.summary import Summary, is_not_told_here

CONFIG, TRANSIENT, SYSTEM = (
    FailureType.config_error,
    FailureType.transient_error,
    FailureType.system_error,
)
STARTED, RUNNING, COMPLETE, INCOMPLETE = (
    AirbyteStreamStatus.STARTED,
    AirbyteStreamStatus.RUNNING,
    AirbyteStreamStatus.COMPLETE,
    AirbyteStreamStatus.INCOMPLETE,
)
FORBIDDEN = "These credentials may not read it. Deselect the stream."
AWAY = "Linear's API could not be reached. Try again."


def status(name, value):
    trace = AirbyteStreamStatusTraceMessage(stream_descriptor=StreamDescriptor(name=name), status=value)
    return AirbyteMessage(
        type=Type.TRACE,
        trace=AirbyteTraceMessage(type=TraceType.STREAM_STATUS, emitted_at=0, stream_status=trace),
    )


def record(name):
    return AirbyteMessage(type=Type.RECORD, record=AirbyteRecordMessage(stream=name, data={}, emitted_at=0))


def state(name, cursor):
    stream = AirbyteStreamState(
        stream_descriptor=StreamDescriptor(name=name), stream_state=AirbyteStateBlob(updatedAt=cursor)
    )
    return AirbyteMessage(type=Type.STATE, state=AirbyteStateMessage(stream=stream))


def error(name, message, failure_type):
    trace = AirbyteErrorTraceMessage(
        message=f"Stream {name}: {message}",
        failure_type=failure_type,
        stream_descriptor=StreamDescriptor(name=name),
    )
    return AirbyteMessage(
        type=Type.TRACE, trace=AirbyteTraceMessage(type=TraceType.ERROR, emitted_at=0, error=trace)
    )


def complete(name, *middle):
    return [status(name, STARTED), *middle, status(name, COMPLETE)]


def failing(name, message=AWAY, failure_type=TRANSIENT, *middle):
    return [status(name, STARTED), *middle, error(name, message, failure_type), status(name, INCOMPLETE)]


def watch(*streams, usage=None, cursors=None):
    """Passes the messages through; returns what came out."""
    messages = [message for stream in streams for message in stream]
    names = {message.trace.stream_status.stream_descriptor.name for message in messages if is_status(message)}
    summary = Summary({name: (cursors or {}).get(name) for name in sorted(names)}, usage or {})
    return list(summary.watch(messages))


def is_status(message):
    return message.trace is not None and message.trace.stream_status is not None


def final(*streams, **more):
    with pytest.raises(AirbyteTracedException) as caught:
        watch(*streams, **more)
    return caught.value


@pytest.fixture(autouse=True)
def log(caplog):
    caplog.set_level(logging.INFO, "airbyte")
    return caplog


def test_a_good_sync_passes_everything_on_and_sums_up(log):
    messages = complete("users", record("users"), record("users"), state("users", "2026-01-31T08:15:00.000Z"))
    assert watch(messages, usage={"users": Usage(3, 4352.4)}) == messages
    assert log.messages[0] == "Stream users: reading from the beginning."
    assert log.messages[1].startswith("Stream users: 2 records, 3 requests, 4,352 points, ")
    assert log.messages[2].startswith(
        "Summary: 1 of 1 streams complete, 2 records, 3 requests, 4,352 points, "
    )
    assert log.messages[3].startswith("  Stream users: 2 records, ")
    assert {one.levelname for one in log.records} == {"INFO"}


def test_a_stream_says_from_where_it_starts(log):
    watch(complete("users"), cursors={"users": "2026-01-31T08:15:00.000Z"})
    assert log.messages[0] == "Stream users: reading from 2026-01-31T08:15:00.000Z."


def test_a_stream_says_what_linear_left_out(log):
    usage = Usage(1, 1, {"identifier": "plan", "labels": "plan"})
    watch(complete("projects"), usage={"projects": usage})
    assert log.messages[-1].endswith("Linear left out identifier, labels.")


def test_requests_outside_of_streams_are_in_the_sum(log):
    watch(complete("users"), usage={"users": Usage(1, 10), "": Usage(1, 3)})
    assert "2 requests, 13 points" in log.messages[2]


def test_a_failed_stream_is_named_with_its_reason_and_where_it_resumes(log):
    failed = failing("issues", AWAY, TRANSIENT, record("issues"), state("issues", "2026-01-31T08:15:00.000Z"))
    raised = final(complete("users"), failed)
    assert raised.message == (
        "1 of 2 streams failed, the others are complete. "
        "issues (resumes from 2026-01-31T08:15:00.000Z): Linear's API could not be reached. "
        "Try again. Trying again helps."
    )
    assert raised.internal_message == raised.message
    line = next(one for one in log.records if "FAILED" in one.message)
    assert line.levelname == "WARNING"
    assert line.message.startswith("Stream issues: FAILED after 1 records, ")
    assert AWAY in line.message
    assert line.message.endswith("The next sync resumes from 2026-01-31T08:15:00.000Z.")


def test_where_all_streams_failed_no_others_are_called_complete():
    assert final(failing("issues")).message.startswith("1 of 1 streams failed. issues (resumes")


def test_a_stream_without_state_resumes_from_where_it_started():
    assert "issues (resumes from the beginning)" in final(failing("issues")).message
    cursor = "2026-01-31T08:15:00.000Z"
    assert f"issues (resumes from {cursor})" in final(failing("issues"), cursors={"issues": cursor}).message


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ([CONFIG], CONFIG),
        ([CONFIG, CONFIG], CONFIG),
        ([TRANSIENT], TRANSIENT),
        ([CONFIG, TRANSIENT], TRANSIENT),
        ([SYSTEM], SYSTEM),
        ([CONFIG, SYSTEM], SYSTEM),
        ([TRANSIENT, SYSTEM], SYSTEM),
    ],
)
def test_it_is_for_the_user_only_where_the_user_can_mend_all(kinds, expected):
    streams = [failing(f"stream_{index}", AWAY, kind) for index, kind in enumerate(kinds)]
    assert final(*streams, complete("users")).failure_type is expected


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (CONFIG, "Trying again helps once this is fixed."),
        (TRANSIENT, "Trying again helps."),
        (SYSTEM, "Trying again may help."),
    ],
)
def test_it_says_whether_trying_again_helps(kind, says):
    assert final(failing("issues", FORBIDDEN, kind)).message.endswith(f"{FORBIDDEN} {says}")


def test_what_fails_for_one_reason_is_told_once_and_stays_short():
    names = [f"stream_{index:02}" for index in range(50)]
    message = final(*(failing(name) for name in names), failing("webhooks", FORBIDDEN, CONFIG)).message
    assert message.startswith("51 of 51 streams failed")
    assert message.count(AWAY) == message.count(FORBIDDEN) == 1
    assert all(f"{name} (resumes from" in message for name in names)
    assert len(message) < 2500


def test_an_endless_reason_is_cut():
    assert len(final(failing("issues", "x" * 10_000)).message) < 700


def test_every_window_may_fail_but_the_error_is_told_once():
    errors = [error("issues", AWAY, TRANSIENT) for _ in range(10)]
    messages = [status("issues", STARTED), *errors, status("issues", INCOMPLETE)]
    told = []
    with pytest.raises(AirbyteTracedException):
        for message in Summary({"issues": None}, {}).watch(messages):
            told.append(message)
    assert len([message for message in told if message.trace.error]) == 1


def test_an_error_of_no_kind_that_is_known_is_said_to_be_a_bug():
    unexpected = error("issues", "", SYSTEM)
    unexpected.trace.error.message = "An unexpected error occurred in stream issues: KeyError"
    raised = final([status("issues", STARTED), unexpected, status("issues", INCOMPLETE)])
    told = "An unexpected error (KeyError). This is a bug of source-linear: please report it with the log."
    assert unexpected.trace.error.message == f"Stream issues: {told}"
    assert raised.message.endswith(f"{told} Trying again may help.")


def test_a_stream_that_never_ended_has_failed():
    raised = final(complete("users"), [status("issues", STARTED), status("issues", RUNNING)])
    assert (
        "issues (resumes from the beginning): It was not finished. Trying again may help." in raised.message
    )
    assert raised.failure_type is SYSTEM


def test_the_cdk_s_own_summary_with_bodies_and_headers_is_replaced():
    def messages():
        yield from failing("issues")
        raise AirbyteTracedException(message="body: {...} headers: {...}", failure_type=CONFIG)

    with pytest.raises(AirbyteTracedException) as caught:
        list(Summary({"issues": None}, {}).watch(messages()))
    assert caught.value.failure_type is TRANSIENT
    assert "body" not in caught.value.message


def test_a_failure_before_any_stream_is_passed_on():
    def messages():
        raise AirbyteTracedException(message="No such catalog.", failure_type=CONFIG)
        yield

    with pytest.raises(AirbyteTracedException, match=r"No such catalog\."):
        list(Summary({"issues": None}, {}).watch(messages()))


def log_record(message, exception=None):
    info = (type(exception), exception, None) if exception else None
    return logging.LogRecord("airbyte", logging.ERROR, "", 0, message, None, info)


def test_tracebacks_and_reprs_of_what_is_told_in_sentences_are_left_out_of_the_log():
    assert not is_not_told_here(
        log_record("Exception while syncing", AirbyteTracedException(message="Told."))
    )
    assert not is_not_told_here(
        log_record("During the sync, the following streams did not sync successfully: …")
    )
    assert is_not_told_here(log_record("Exception while syncing", KeyError("a bug of ours")))
    assert is_not_told_here(log_record("Anything else"))
