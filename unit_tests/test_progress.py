"""What a sync says of how far it is, by a clock that the tests move."""

import logging
import threading

import pytest
from airbyte_cdk.models import (
    AirbyteMessage,
    AirbyteStreamStatus,
    AirbyteStreamStatusTraceMessage,
    AirbyteTraceMessage,
    StreamDescriptor,
    TraceType,
    Type,
)
from airbyte_cdk.sources.types import StreamSlice
from source_linear.sync.windows import Window

from source_linear.linear.budget import Budget
from source_linear.sync.progress import EVERY, Progress, estimates
from tools.schemas import streams

STREAMS = {stream.name: stream for stream in streams()}
BEGIN, END = "2019-01-01T00:00:00.000Z", "2028-12-31T00:00:00.000Z"
HALF = "2024-01-01T00:00:00.000Z"


class Clock:
    """Seconds since the epoch, moved by hand."""

    def __init__(self):
        self.now = 1_700_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def budget(clock):
    return Budget(now=clock, sleep=lambda seconds: None)


@pytest.fixture
def progress(clock, budget):
    made = Progress(budget, clock, stopped=lambda seconds: True)
    return made


@pytest.fixture
def said(caplog):
    """The lines that were said since the last call."""
    caplog.set_level(logging.INFO, "airbyte")

    def lines():
        found = [record.getMessage() for record in caplog.records]
        caplog.clear()
        return found

    return lines


def status(stream, kind):
    descriptor = StreamDescriptor(name=stream)
    traced = AirbyteStreamStatusTraceMessage(stream_descriptor=descriptor, status=kind)
    trace = AirbyteTraceMessage(type=TraceType.STREAM_STATUS, emitted_at=0, stream_status=traced)
    return AirbyteMessage(type=Type.TRACE, trace=trace)


def begin(progress, *names):
    """Let streams be read: the messages of the CDK, which go on for as long as nobody asks for more."""
    messages = progress.watch([status(name, AirbyteStreamStatus.STARTED) for name in names] + [None] * 9)
    for _ in names:
        next(messages)
    return messages


def window(start=BEGIN, end=END, name="issues", field="createdAt", order_by="createdAt"):
    bounds = {"start": BEGIN, "end": END, "field": field, "order_by": order_by}
    cut = StreamSlice(partition={}, cursor_slice={"start_time": start, "end_time": end})
    return Window.of(cut, STREAMS[name], bounds)


def headers(remaining, limit=3_600_000, spent=1000):
    known = {"Requests-Limit": "2500", "Requests-Remaining": "2500"}
    known |= {"Complexity-Limit": str(limit), "Complexity-Remaining": str(remaining)}
    return {f"X-RateLimit-{name}": value for name, value in known.items()} | {"X-Complexity": str(spent)}


def test_a_line_says_rows_the_part_of_the_time_and_how_long_the_limits_take(progress, clock, budget, said):
    messages = begin(progress, "issue_history")
    progress.reached("issue_history", window(), [{"createdAt": END}, {"createdAt": HALF}])
    progress.came("issue_history", BEGIN, 41_000, whole=False)
    # 7.8 million points for half of it, at 1,000 a second
    budget.observe("issue_history", headers(0, spent=7_800_000))
    clock.now += EVERY
    progress.say()
    assert said() == [
        "Stream issue_history: 41,000 rows, 50 % of the time since 2019; Linear's limits allow about "
        "2 h 10 min more"
    ]
    messages.close()


def test_where_the_limits_do_not_matter_the_pace_tells_how_long_it_takes(progress, clock, budget, said):
    messages = begin(progress, "issues")
    progress.reached("issues", window(), [{"createdAt": HALF}])
    progress.came("issues", BEGIN, 250, whole=False)
    budget.observe("issues", headers(3_000_000))
    clock.now += 240
    progress.say()
    assert said() == ["Stream issues: 250 rows, 50 % of the time since 2019; about 4 min more"]
    messages.close()


def test_every_stream_waits_for_what_the_others_need_in_turn(progress, clock, budget, said):
    messages = begin(progress, "issues", "comments")
    for name, oldest in (("issues", HALF), ("comments", HALF)):
        progress.reached(name, window(name=name), [{"createdAt": oldest}])
        progress.came(name, BEGIN, 1, whole=False)
    budget.observe("comments", headers(0, spent=36_000_000))
    budget.observe("issues", headers(0, spent=3_600_000))
    clock.now += EVERY
    progress.say()
    [issues, comments] = said()
    assert issues.endswith("allow about 2 h 0 min more"), "its own hour, and as much of the other"
    assert comments.endswith("allow about 11 h 0 min more"), "all that is left of both"
    messages.close()


def test_windows_are_parts_of_the_time_and_one_that_is_whole_counts_to_its_end(progress, clock, said):
    messages = begin(progress, "issues")
    middle = "2023-12-31T23:59:59.999Z"
    progress.reached("issues", window(BEGIN, middle), [{"createdAt": "2023-06-01T00:00:00.000Z"}])
    progress.came("issues", BEGIN, 250, whole=True)
    clock.now += EVERY
    progress.say()
    assert ", 49 % of the time since 2019" in said()[0]
    progress.reached("issues", window(HALF, END), [])
    progress.came("issues", HALF, 0, whole=True)
    progress.say()
    assert ", 99 % of the time since 2019" in said()[0], "it is not complete before it is said to be"
    messages.close()


def test_rows_that_are_not_ordered_by_time_count_with_the_end_of_their_window(progress, clock, said):
    messages = begin(progress, "issues")
    progress.reached("issues", window(field="updatedAt"), [{"updatedAt": BEGIN}])
    progress.came("issues", BEGIN, 250, whole=False)
    clock.now += EVERY
    progress.say()
    assert said() == ["Stream issues: 250 rows, 0 % of the time since 2019"]
    messages.close()


def test_the_time_begins_with_the_state(progress, clock, said):
    progress.cursors = {"issues": "2028-12-21T00:00:00.000Z"}
    messages = begin(progress, "issues")
    last = window("2028-12-26T00:00:00.000Z", END)
    progress.reached("issues", last, [])
    progress.came("issues", "2028-12-26T00:00:00.000Z", 3, whole=True)
    clock.now += EVERY
    progress.say()
    assert ", 50 % of the time since 2028-12-21" in said()[0]
    messages.close()


def test_a_stream_that_waits_says_until_when_though_it_has_no_rows(progress, clock, budget, said):
    messages = begin(progress, "users", "teams")
    clock.now += EVERY
    with budget.waiting("users", clock.now + 600):
        progress.say()
    assert said() == ["Stream users: 0 rows; waiting for Linear until 22:23:50 UTC"]
    messages.close()


def test_a_budget_lets_its_waits_be_known(clock):
    seen = []

    def sleep(seconds):
        seen.append(made.waits_until("users"))
        clock.now += seconds

    made = Budget(now=clock, sleep=sleep)
    made.exhausted("users", {"Retry-After": "90"})
    until = clock.now + 90
    with made.turn("users"):
        assert made.waits_until("users") is None
    assert seen == [until, until]


def test_a_line_that_has_not_changed_is_said_every_five_minutes(progress, clock, budget, said):
    messages = begin(progress, "users")
    clock.now += EVERY
    with budget.waiting("users", clock.now + 3600):
        for _ in range(11):
            progress.say()
            clock.now += EVERY
    assert len(said()) == 2
    messages.close()


def test_a_stream_that_has_ended_or_has_just_begun_says_nothing(progress, clock, said):
    began = [status("users", AirbyteStreamStatus.STARTED), status("users", AirbyteStreamStatus.COMPLETE)]
    messages = progress.watch([*began, status("teams", AirbyteStreamStatus.STARTED), None])
    for kind in range(3):
        next(messages)
        progress.came("users", BEGIN, 7, whole=False)
        if kind == 1:
            clock.now += EVERY
    progress.came("teams", BEGIN, 7, whole=False)
    progress.say()
    assert said() == []
    clock.now += EVERY
    progress.say()
    assert said() == ["Stream teams: 7 rows"]
    messages.close()


def test_it_speaks_by_itself_until_the_sync_ends(clock, budget, said):
    spoken, ended = [], threading.Event()

    def stopped(seconds):
        spoken.append(seconds)
        if len(spoken) == 5:
            ended.set()
        return ended.is_set()

    progress = Progress(budget, clock, stopped)
    progress.say = lambda: spoken.append("line")
    list(progress.watch([]))
    assert ended.wait(60)
    assert spoken == [EVERY, "line", EVERY, "line", EVERY]


def found(messages):
    traced = [message.trace for message in messages]
    assert {trace.type for trace in traced} <= {TraceType.ESTIMATE}
    return {trace.estimate.name: trace.estimate.row_estimate for trace in traced}


def test_the_issues_of_a_first_read_are_as_many_as_linear_has_counted():
    chosen = {name: STREAMS[name] for name in ("issues", "users")}
    assert found(estimates(1234, {}, chosen, {"issues", "users"})) == {"issues": 1234}
    assert found(estimates(1234, {}, chosen, ())) == {}, "a sync that goes on brings some of them"
    assert found(estimates(0, {}, chosen, {"issues"})) == {}, "it was not counted"


def test_the_probe_knows_the_rows_of_a_stream_but_not_those_of_changed_parents():
    chosen = {
        name: STREAMS[name] for name in ("users", "teams", "issue_history", "issue_state_spans", "cycles")
    }
    news = {
        "users": ["a", "b"],
        "teams": (),
        "issue_history": ["an issue"],
        "issue_state_spans": (),
        "cycles": None,
    }
    assert found(estimates(9, news, chosen, ())) == {"users": 2, "teams": 0, "issue_state_spans": 0}
