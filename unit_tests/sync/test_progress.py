"""What a sync says of how far it is, by a clock that the tests move."""

import logging
import threading

import pytest

from source_linear.linear.budget import Budget
from source_linear.sync.progress import EVERY, Progress, Size
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


def whole(lines):
    """The line about all streams; there is no more than one."""
    found = [line for line in lines if line.startswith("All streams: ")]
    assert len(found) <= 1 and found == lines[len(lines) - len(found) :], "it is the last"
    return found[0] if found else ""


def test_a_line_says_rows_and_the_part_of_the_time_and_one_when_all_is_done(progress, clock, budget, said):
    begin(progress, "issue_history")
    progress.came("issue_history", 0, HALF, 41_000)
    # 7.8 million points for half of it, at 1,000 a second
    budget.observe("issue_history", headers(0, spent=7_800_000))
    clock.now += EVERY
    progress.say()
    assert said() == [
        "Stream issue_history: 41,000 rows, 50 % of the time since 2019",
        "All streams: about 2 h 10 min more, until 00:23 UTC; 7,800,000 points are left, and Linear's limits "
        "allow 3,600,000 an hour",
    ]


def test_of_what_is_listed_a_line_says_the_part_of_the_nodes(progress, clock, budget, said):
    progress.starts("issue_history", [ALL], END, BEGIN, Size(200, 10, 40_000))
    progress.came("issue_history", 0, HALF, 1, 50)
    progress.came("issue_history", -1, "", 1, 50)  # what was owed is none of them
    clock.now += EVERY
    progress.say()
    assert said() == ["Stream issue_history: 2 rows, 25 %"]


def test_what_has_not_begun_is_reckoned_by_its_price(progress, clock, budget, said):
    progress.starts("issues", [ALL], END, BEGIN, Size(200, 10, 10_000))
    progress.starts("comments", [ALL], END, BEGIN, Size(9_000, 300, 3_600_000))
    progress.came("issues", 0, "", 100, 100)
    budget.observe("issues", headers(0, spent=5_000))
    with budget.waiting("", 0):
        clock.now += EVERY
        progress.say()
    # 5,000 points as half of the issues have cost, and all comments
    assert "about 1 h 0 min more, until 23:13 UTC; 3,605,000 points are left" in whole(said())


def test_a_stream_of_unknown_size_makes_it_the_least(progress, clock, budget, said):
    progress.starts("issues", [ALL], END, BEGIN, Size(200, 10, 10_000))
    begin(progress, "comments")
    progress.came("issues", 0, "", 100, 100)
    budget.observe("issues", headers(3_000_000))
    clock.now += 60
    progress.say()
    assert whole(said()) == "All streams: at least 1 min more, until 22:15 UTC"


def test_requests_bind_as_well_as_points(progress, clock, budget, said):
    progress.starts("issues", [ALL], END, BEGIN, Size(200, 10, 10_000))
    progress.starts("users", [ALL], END, BEGIN, Size(1_250_000, 5_000, 10))
    progress.came("issues", 0, "", 100, 100)
    budget.observe("issues", headers(3_600_000) | {"X-RateLimit-Requests-Remaining": "0"})
    with budget.waiting("", 0):
        clock.now += EVERY
        progress.say()
    assert whole(said()).endswith("; 5,001 requests are left, and Linear's limits allow 2,500 an hour")


def test_of_a_share_of_the_limits_no_more_than_it_is_promised(clock, said):
    budget = Budget(0.5, now=clock, sleep=lambda seconds: None)
    progress = Progress(budget, clock, stopped=lambda seconds: True)
    begin(progress, "issues")
    progress.came("issues", 0, HALF, 1)
    budget.observe("issues", headers(0, spent=7_800_000))
    clock.now += EVERY
    progress.say()
    assert whole(said()).endswith("and Linear's limits allow 1,800,000 an hour")


def test_where_the_limits_do_not_matter_the_pace_tells_how_long_it_takes(progress, clock, budget, said):
    begin(progress, "issues")
    progress.came("issues", 0, HALF, 250)
    budget.observe("issues", headers(3_000_000))
    clock.now += 240
    progress.say()
    assert said() == [
        "Stream issues: 250 rows, 50 % of the time since 2019",
        "All streams: about 4 min more, until 22:21 UTC",
    ]


def test_waiting_is_no_pace(progress, clock, budget, said):
    begin(progress, "issues")
    progress.came("issues", 0, HALF, 250)
    budget.observe("issues", headers(3_000_000))
    with budget.waiting("", clock.now + 3600):
        clock.now += 1800
        progress.say()
        assert whole(said()).startswith("All streams: about 1 min more")
        clock.now += 1800
    clock.now += 240
    progress.came("issues", 0, HALF, 1)
    progress.say()
    assert whole(said()).startswith("All streams: about 4 min more")


def test_two_who_wait_at_a_time_wait_once(clock, budget):
    waiting, go_on = threading.Event(), threading.Event()

    def other():
        with budget.waiting("", 0):
            waiting.set()
            assert go_on.wait(60)

    thread = threading.Thread(target=other)
    with budget.waiting("", 0):
        thread.start()
        assert waiting.wait(60)
        clock.now += 10
    clock.now += 5
    with budget.waiting("users", 0):
        assert budget.held() == 15
    go_on.set()
    thread.join(60)
    clock.now += 100
    assert budget.held() == 15


def test_what_was_waited_for_before_the_first_stream_is_not_of_its_time(progress, clock, budget, said):
    with budget.waiting("", clock.now + 600):
        clock.now += 600
    begin(progress, "issues")
    progress.came("issues", 0, HALF, 250)
    budget.observe("issues", headers(3_000_000))
    clock.now += 240
    progress.say()
    assert whole(said()).startswith("All streams: about 4 min more")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (10, "about 1 min more, until 22:14 UTC"),
        (5 * 3600, "about 5 h 0 min more, until 08:13 UTC"),
        (50 * 3600, "about 2 days more, until 2023-11-19 02:13 UTC"),
    ],
)
def test_a_time_is_told_as_people_do(progress, clock, budget, said, seconds, text):
    begin(progress, "issues")
    progress.came("issues", 0, HALF, 1)
    budget.observe("issues", headers(3_000_000))
    clock.now += max(seconds, EVERY)
    progress.say()
    assert whole(said()) == f"All streams: {text}"


def test_all_streams_together_take_what_each_of_them_takes(progress, clock, budget, said):
    begin(progress, "issues", "comments", "users")
    for name in ("issues", "comments", "users"):
        progress.came(name, 0, HALF, 1)
    budget.observe("comments", headers(0, spent=36_000_000))
    budget.observe("issues", headers(0, spent=3_600_000))
    budget.observe("users", headers(0, spent=100))
    progress.ends("users")
    clock.now += EVERY
    progress.say()
    lines = said()
    assert len(lines) == 3 and whole(lines).startswith("All streams: about 11 h 0 min more")


def test_all_streams_are_said_with_one_of_them_or_every_five_minutes(progress, clock, budget, said):
    begin(progress, "issues")
    progress.came("issues", 0, HALF, 1)
    budget.observe("issues", headers(3_000_000))
    found = []
    for _ in range(12):
        clock.now += EVERY
        progress.say()
        found.append(len(said()))
    assert found == [2, *[0] * 9, 2, 0]


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
        seen.append((made.waits_until("users"), made.waits_until("")))
        clock.now += seconds

    made = Budget(now=clock, sleep=sleep)
    made.exhausted("users", {"Retry-After": "90"})
    until = clock.now + 90
    with made.turn("users"):
        assert made.waits_until("users") is None
    assert seen == [(None, until)] * 2, "it holds all streams"


def test_a_budget_lets_it_be_known_which_stream_waits_for_its_own_limit(clock):
    seen = []

    def sleep(seconds):
        seen.append((made.waits_until("users"), made.waits_until("")))
        clock.now += seconds

    made = Budget(now=clock, sleep=sleep)
    made.exhausted("users", {"X-RateLimit-Endpoint-Requests-Remaining": "0", "Retry-After": "60"})
    until = clock.now + 60
    with made.turn("users"):
        pass
    assert seen == [(until, None)] and made.held() == 0


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
