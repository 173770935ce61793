"""What a sync says of how far it is, by a clock that the tests move."""

import logging
import threading

import pytest

from source_linear.linear.budget import Budget
from source_linear.sync.progress import EVERY, Progress
from source_linear.sync.reader import Slice

BEGIN, END = "2019-01-01T00:00:00.000Z", "2028-12-31T00:00:00.000Z"
HALF = "2024-01-01T00:00:00.000Z"
ALL = Slice(None, None)


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
    return Progress(budget, clock, stopped=lambda seconds: True)


@pytest.fixture
def said(caplog):
    """The lines that were said since the last call."""
    caplog.set_level(logging.INFO, "airbyte")

    def lines():
        found = [record.getMessage() for record in caplog.records]
        caplog.clear()
        return found

    return lines


def begin(progress, *names, slices=(ALL,)):
    for name in names:
        progress.starts(name, slices, END, BEGIN)


def headers(remaining, limit=3_600_000, spent=1000):
    known = {"Requests-Limit": "2500", "Requests-Remaining": "2500"}
    known |= {"Complexity-Limit": str(limit), "Complexity-Remaining": str(remaining)}
    return {f"X-RateLimit-{name}": value for name, value in known.items()} | {"X-Complexity": str(spent)}


def test_a_line_says_rows_the_part_of_the_time_and_how_long_the_limits_take(progress, clock, budget, said):
    begin(progress, "issue_history")
    progress.came("issue_history", 0, HALF, 41_000)
    # 7.8 million points for half of it, at 1,000 a second
    budget.observe("issue_history", headers(0, spent=7_800_000))
    clock.now += EVERY
    progress.say()
    assert said() == [
        "Stream issue_history: 41,000 rows, 50 % of the time since 2019; Linear's limits allow about "
        "2 h 10 min more"
    ]


def test_where_the_limits_do_not_matter_the_pace_tells_how_long_it_takes(progress, clock, budget, said):
    begin(progress, "issues")
    progress.came("issues", 0, HALF, 250)
    budget.observe("issues", headers(3_000_000))
    clock.now += 240
    progress.say()
    assert said() == ["Stream issues: 250 rows, 50 % of the time since 2019; about 4 min more"]


@pytest.mark.parametrize(("seconds", "text"), [(10, "1 min"), (5 * 3600, "5 h 0 min"), (50 * 3600, "2 days")])
def test_a_time_is_told_as_people_do(progress, clock, budget, said, seconds, text):
    begin(progress, "issues")
    progress.came("issues", 0, HALF, 1)
    budget.observe("issues", headers(3_000_000))
    clock.now += max(seconds, EVERY)
    progress.say()
    assert said()[0].endswith(f"about {text} more")


def test_every_stream_waits_for_what_the_others_need_in_turn(progress, clock, budget, said):
    begin(progress, "issues", "comments")
    for name in ("issues", "comments"):
        progress.came(name, 0, HALF, 1)
    budget.observe("comments", headers(0, spent=36_000_000))
    budget.observe("issues", headers(0, spent=3_600_000))
    clock.now += EVERY
    progress.say()
    issues, comments = said()
    assert issues.endswith("allow about 2 h 0 min more"), "its own hour, and as much of the other"
    assert comments.endswith("allow about 11 h 0 min more"), "all that is left of both"


def test_slices_are_parts_of_the_time_and_one_that_is_read_counts_to_its_end(progress, clock, said):
    begin(progress, "issues", slices=[Slice(None, HALF), Slice(HALF, None)])
    progress.came("issues", 0, "2023-06-01T00:00:00.000Z", 250)
    progress.read("issues", 0)
    clock.now += EVERY
    progress.say()
    assert ", 50 % of the time since 2019" in said()[0]
    progress.read("issues", 1)
    progress.say()
    assert ", 99 % of the time since 2019" in said()[0], "it is not complete before it is said to be"


def test_a_page_that_goes_back_in_time_leaves_no_more_to_read(progress, clock, said):
    begin(progress, "issues")
    progress.came("issues", 0, HALF, 1)
    progress.came("issues", 0, "2027-01-01T00:00:00.000Z", 1)
    clock.now += EVERY
    progress.say()
    assert said() == ["Stream issues: 2 rows, 50 % of the time since 2019"]


def test_rows_by_id_and_rows_without_a_date_count_as_rows_alone(progress, clock, said):
    begin(progress, "issues", "users", slices=[Slice(BEGIN, ids=("a",))])
    begin(progress, "users")
    progress.came("issues", -1, HALF, 3)
    progress.came("users", 0, "", 4)
    clock.now += EVERY
    progress.say()
    assert said() == ["Stream issues: 3 rows", "Stream users: 4 rows, 0 % of the time since 2019"]


def test_a_slice_of_no_time_is_none(progress, clock, said):
    begin(progress, "users", slices=[Slice(END, None)])
    progress.came("users", 0, END, 4)
    clock.now += EVERY
    progress.say()
    assert said() == ["Stream users: 4 rows"]


def test_a_short_time_is_told_by_the_day_that_it_begins(progress, clock, said):
    begin(progress, "issues", slices=[Slice("2028-12-21T00:00:00.000Z", None)])
    progress.came("issues", 0, "2028-12-26T00:00:00.000Z", 3)
    clock.now += EVERY
    progress.say()
    assert ", 50 % of the time since 2028-12-21" in said()[0]


def test_a_stream_that_waits_says_until_when_though_it_has_no_rows(progress, clock, budget, said):
    begin(progress, "users", "teams")
    clock.now += EVERY
    with budget.waiting("users", clock.now + 600):
        progress.say()
    assert said() == [
        "Stream users: 0 rows, 0 % of the time since 2019; waiting for Linear until 22:23:50 UTC"
    ]


def test_a_wait_of_a_moment_is_not_worth_a_word(progress, clock, budget, said):
    begin(progress, "users")
    clock.now += EVERY
    with budget.waiting("users", clock.now + 9):
        progress.say()
    assert said() == []


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
    begin(progress, "users")
    clock.now += EVERY
    with budget.waiting("users", clock.now + 3600):
        for _ in range(11):
            progress.say()
            clock.now += EVERY
    assert len(said()) == 2


def test_a_stream_that_has_ended_or_has_just_begun_says_nothing(progress, clock, said):
    begin(progress, "users")
    progress.came("users", 0, "", 7)
    progress.ends("users")
    clock.now += EVERY
    begin(progress, "teams")
    progress.came("teams", 0, "", 7)
    progress.say()
    assert said() == []
    clock.now += EVERY
    progress.say()
    assert [line.partition(",")[0] for line in said()] == ["Stream teams: 7 rows"]


def test_it_speaks_by_itself_until_the_sync_ends(clock, budget):
    spoken, ended = [], threading.Event()

    def stopped(seconds):
        spoken.append(seconds)
        if len(spoken) == 5:
            ended.set()
        return ended.is_set()

    progress = Progress(budget, clock, stopped)
    progress.say = lambda: spoken.append("line")
    with progress:
        assert ended.wait(60)
    assert spoken == [EVERY, "line", EVERY, "line", EVERY]


def test_it_ends_with_the_sync(clock, budget):
    progress = Progress(budget, clock)
    with progress:
        assert not progress._end.is_set()
    assert progress._end.is_set()
