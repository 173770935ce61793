"""What is told of each stream: while it is read, in the log at the end, and in the final error."""

import logging
from types import SimpleNamespace

import pytest
from airbyte_cdk.models import FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_linear.linear.budget import Usage
from source_linear.linear.errors import LinearError, failure
from source_linear.sync.summary import Summary, told
from source_linear.sync.sync import Ended, Estimate, Rows, Started, State

CONFIG, TRANSIENT, SYSTEM = (
    FailureType.config_error,
    FailureType.transient_error,
    FailureType.system_error,
)
CURSOR = "2026-01-31T08:15:00.000Z"
FORBIDDEN = "These credentials may not read it. Deselect the stream."
AWAY = "Linear's API could not be reached. Try again."


def raised(message=AWAY, kind=TRANSIENT):
    return AirbyteTracedException(message=message, failure_type=kind)


def complete(name, *middle):
    return [Started(name), *middle, Ended(name)]


def failing(name, *middle, error=None):
    return [Started(name), *middle, Ended(name, error or raised())]


def watch(*streams, usage=None, cursors=None, quiet=()):
    """Passes the events through; returns what came out."""
    events = [event for stream in streams for event in stream]
    sync = SimpleNamespace(cursors=cursors or {}, quiet=set(quiet))
    return list(Summary(sync, usage or {}).watch(events))


def final(*streams, **more):
    with pytest.raises(AirbyteTracedException) as caught:
        watch(*streams, **more)
    return caught.value


@pytest.fixture(autouse=True)
def log(caplog):
    caplog.set_level(logging.INFO, "airbyte")
    return caplog


def test_a_good_sync_passes_everything_on_and_sums_up(log):
    events = complete("users", Estimate("users", 2), Rows("users", [{}, {}]), State("users", {}, CURSOR))
    assert watch(events, usage={"users": Usage(3, 4352.4)}) == events
    assert log.messages[0] == "Stream users: reading from the beginning."
    assert log.messages[1].startswith("Stream users: 2 records, 3 requests, 4,352 points, ")
    assert log.messages[2].startswith(
        "Summary: 1 of 1 stream complete, 2 records, 3 requests, 4,352 points, "
    )
    assert {one.levelname for one in log.records} == {"INFO"}
    assert len(log.messages) == 3


def test_one_of_something_is_not_many(log):
    watch(complete("users", Rows("users", [{}])), usage={"users": Usage(1, 1)})
    assert log.messages[1].startswith("Stream users: 1 record, 1 request, 1 point, ")


def test_a_stream_says_from_where_it_starts(log):
    watch(complete("users"), cursors={"users": CURSOR})
    assert log.messages[0] == f"Stream users: reading from {CURSOR}."


def test_a_stream_without_news_says_nothing_but_counts(log):
    watch(complete("users"), complete("teams"), quiet=["users", "teams"])
    assert len(log.messages) == 1
    assert log.messages[0].startswith("Summary: 2 of 2 streams complete, 2 without changes, 0 records, ")


def test_a_quiet_stream_that_brings_rows_or_fails_is_told_of(log):
    watch(complete("users", Rows("users", [{}])), quiet=["users"])
    assert log.messages[0].startswith("Stream users: 1 record, ")
    log.clear()
    final(failing("users"), quiet=["users"])
    assert log.messages[0].startswith("Stream users: FAILED")


def test_a_stream_says_what_linear_left_out(log):
    usage = Usage(1, 1, {"identifier": "plan", "labels": "plan"})
    watch(complete("projects"), usage={"projects": usage})
    assert log.messages[1].endswith("Linear left out identifier, labels.")


def test_requests_outside_of_streams_are_in_the_sum(log):
    watch(complete("users"), usage={"users": Usage(1, 10), "": Usage(1, 3)})
    assert "2 requests, 13 points" in log.messages[2]


def test_a_failed_stream_is_named_with_its_reason_and_where_it_resumes(log):
    error = failing("issues", Rows("issues", [{}]), State("issues", {}, CURSOR))
    caught = final(complete("users"), error)
    assert caught.message == (
        f"1 of 2 streams failed, the others are complete. issues (resumes from {CURSOR}): {AWAY} "
        "Trying again helps."
    )
    assert caught.internal_message == caught.message
    line = next(one for one in log.records if "FAILED" in one.message)
    assert line.levelname == "WARNING"
    assert line.message.startswith("Stream issues: FAILED after 1 record, ")
    assert line.message.endswith(f"{AWAY} Trying again helps. The next sync resumes from {CURSOR}.")
    assert log.records[-1].levelname == "WARNING"


def test_where_all_streams_failed_no_others_are_called_complete():
    assert final(failing("issues")).message.startswith("1 of 1 stream failed. issues (resumes")


def test_a_stream_without_state_resumes_from_where_it_started():
    assert "issues (resumes from the beginning)" in final(failing("issues")).message
    assert f"issues (resumes from {CURSOR})" in final(failing("issues"), cursors={"issues": CURSOR}).message


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
    streams = [failing(f"stream_{index}", error=raised(AWAY, kind)) for index, kind in enumerate(kinds)]
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
    assert final(failing("issues", error=raised(FORBIDDEN, kind))).message.endswith(f"{FORBIDDEN} {says}")


def test_what_fails_for_one_reason_is_told_once_and_stays_short():
    names = [f"stream_{index:02}" for index in range(50)]
    refused = failing("webhooks", error=raised(FORBIDDEN, CONFIG))
    message = final(*(failing(name) for name in names), refused).message
    assert message.startswith("51 of 51 streams failed")
    assert message.count(AWAY) == message.count(FORBIDDEN) == 1
    assert all(f"{name} (resumes from" in message for name in names)
    assert len(message) < 2500


def test_an_endless_reason_is_cut():
    assert 500 < len(final(failing("issues", error=raised("x" * 10_000))).message) < 700


def test_a_stream_that_never_ended_has_failed():
    caught = final(complete("users"), [Started("issues")])
    assert (
        "issues (resumes from the beginning): It was not finished. Trying again may help." in caught.message
    )
    assert caught.failure_type is SYSTEM


def test_a_failure_before_any_stream_is_passed_on():
    def events():
        raise AirbyteTracedException(message="No such catalog.", failure_type=CONFIG)
        yield

    sync = SimpleNamespace(cursors={}, quiet=set())
    with pytest.raises(AirbyteTracedException, match=r"No such catalog\."):
        list(Summary(sync, {}).watch(events()))


def test_an_error_of_linear_is_told_without_the_name_of_its_stream():
    error = LinearError(failure("issues", "FORBIDDEN", "HTTP 400"))
    said, kind = told("issues", error)
    assert said.startswith("These credentials may not read it (HTTP 400).") and kind is CONFIG
    assert told("issues", raised()) == (AWAY, TRANSIENT)


def test_an_error_of_no_kind_that_is_known_is_said_to_be_a_bug():
    assert told("issues", KeyError("secret")) == (
        "An unexpected error (KeyError). This is a bug of source-linear: please report it with the log.",
        SYSTEM,
    )
