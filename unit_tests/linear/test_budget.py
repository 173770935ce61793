"""The budget, played on a clock of its own: bursts, pace, share, exhaustion, and what it says meanwhile."""

import logging
import threading
import time
from email.utils import formatdate

import pytest

from source_linear.linear.budget import Budget

HOUR = 3600.0


class Clock:
    """A time that passes only where somebody sleeps."""

    def __init__(self):
        self.now = 1_700_000_000.0
        self.slept = []

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


class Linear:
    """Two leaky buckets, filled to the brim at first, seen through their headers."""

    def __init__(self, clock, requests=2500, points=3_000_000, skew=0.0):
        self.clock, self.skew = clock, skew
        self.limits = {"Requests": requests, "Complexity": points}
        self.left = dict(self.limits)
        self.at = clock.now
        self.refused = 0

    def headers(self, cost):
        headers = {"X-Complexity": str(cost), "Date": formatdate(self.clock.now + self.skew, usegmt=True)}
        for kind, limit in self.limits.items():
            reset = self.clock.now + self.skew + (limit - self.left[kind]) / limit * HOUR
            headers[f"X-RateLimit-{kind}-Limit"] = str(limit)
            headers[f"X-RateLimit-{kind}-Remaining"] = str(int(self.left[kind]))
            headers[f"X-RateLimit-{kind}-Reset"] = str(int(reset * 1000))
        return headers

    def ask(self, cost):
        passed, self.at = self.clock.now - self.at, self.clock.now
        for kind, limit in self.limits.items():
            self.left[kind] = min(limit, self.left[kind] + passed * limit / HOUR)
        if self.left["Requests"] < 1 or self.left["Complexity"] < cost:
            self.refused += 1
            return None
        self.left["Requests"] -= 1
        self.left["Complexity"] -= cost
        return self.headers(cost)


@pytest.fixture
def clock():
    return Clock()


def budget_of(clock, share=1.0):
    return Budget(share, now=lambda: clock.now, sleep=clock.sleep)


def ask(budget, linear, stream="issues", cost=100):
    with budget.turn(stream, cost):
        headers = linear.ask(cost)
    assert headers is not None, "refused"
    budget.observe(stream, headers)


def read(clock, requests, share=1.0, cost=100, **limits):
    """Seconds that so many requests in a row take, at no latency; none of them is refused."""
    linear, budget, started = Linear(clock, **limits), budget_of(clock, share), clock.now
    for _ in range(requests):
        ask(budget, linear, cost=cost)
    return clock.now - started


def test_it_bursts_while_there_is_plenty(clock):
    assert read(clock, 2400) == 0


def test_it_slows_to_the_refill_so_that_the_hour_is_not_overrun(clock):
    assert HOUR <= read(clock, 5000) < 1.1 * HOUR


def test_points_bind_as_well_as_requests(clock):
    assert HOUR <= read(clock, 1200, cost=5000) < 1.1 * HOUR


def test_a_share_of_the_budget_is_left_to_others(clock):
    assert read(clock, 250, share=0.1) == 0
    assert 0.95 * HOUR <= read(clock, 500, share=0.1) < 1.1 * HOUR


def test_a_share_is_ours_even_where_others_use_the_rest(clock):
    linear, budget = Linear(clock), budget_of(clock, share=0.5)
    linear.left["Requests"] = 200
    for _ in range(100):
        ask(budget, linear)
    assert clock.slept == []


def test_it_goes_by_what_remains_to_everybody(clock):
    linear, budget = Linear(clock), budget_of(clock)
    linear.left["Requests"] = 100
    for _ in range(200):
        ask(budget, linear)
    assert linear.refused == 0
    assert sum(clock.slept) == pytest.approx(150 / 2500 * HOUR, rel=0.05)


def test_it_waits_no_longer_than_until_the_reset(clock):
    linear, budget = Linear(clock), budget_of(clock)
    headers = linear.headers(100) | {
        "X-RateLimit-Requests-Remaining": "0",
        "X-RateLimit-Requests-Reset": str(int((clock.now + 10) * 1000)),
    }
    budget.observe("issues", headers)
    assert waited(budget, clock) == 10


class FastClock:
    """Real time, but a thousand times as fast: threads sleep through it together."""

    def __init__(self):
        self._started = time.monotonic()

    @property
    def now(self):
        return 1_700_000_000.0 + (time.monotonic() - self._started) * 1000

    def sleep(self, seconds):
        time.sleep(seconds / 1000)


def test_ten_threads_together_overrun_nothing():
    clock = FastClock()
    linear, budget = Linear(clock, requests=200), budget_of(clock)
    linear.left["Requests"] = 100  # others have used the rest
    lock = threading.Lock()
    started = clock.now

    def sync():
        for _ in range(20):
            with budget.turn("issues"):
                clock.sleep(5)
                with lock:
                    headers = linear.ask(10)
                clock.sleep(5)
            if headers:
                budget.observe("issues", headers)

    threads = [threading.Thread(target=sync) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert linear.refused == 0
    assert budget.usage["issues"].requests == 200
    assert clock.now - started >= 0.5 * HOUR


def exhausted(clock, reset=600.0, kind="Requests", **more):
    left = {"Requests": "7", "Complexity": "9000", kind: "0"}
    headers = {"Date": formatdate(clock.now, usegmt=True)}
    for name, remaining in left.items():
        headers[f"X-RateLimit-{name}-Remaining"] = remaining
        headers[f"X-RateLimit-{name}-Reset"] = str(int((clock.now + reset) * 1000))
    return headers | more


def waited(budget, clock, stream="issues", points=0):
    started = clock.now
    with budget.turn(stream, points):
        return clock.now - started


def test_a_rate_limit_holds_every_stream_until_its_reset(clock):
    budget = budget_of(clock)
    budget.exhausted("issues", exhausted(clock, reset=600))
    assert waited(budget, clock, "users") == 600
    assert waited(budget, clock, "issues") == 0


def test_the_later_reset_of_the_exhausted_buckets_counts(clock):
    headers = exhausted(clock, reset=600, kind="Complexity")
    headers["X-RateLimit-Requests-Remaining"] = "0"
    headers["X-RateLimit-Requests-Reset"] = str(int((clock.now + 900) * 1000))
    budget = budget_of(clock)
    budget.exhausted("issues", headers)
    assert waited(budget, clock) == 900


def test_a_reset_of_a_bucket_that_is_not_exhausted_does_not_count(clock):
    headers = exhausted(clock, reset=600)
    headers["X-RateLimit-Complexity-Reset"] = str(int((clock.now + 3000) * 1000))
    budget = budget_of(clock)
    budget.exhausted("issues", headers)
    assert waited(budget, clock) == 600


def test_points_too_few_for_the_query_are_exhausted(clock):
    headers = exhausted(clock, reset=600, kind="Endpoint-Name") | {"X-Complexity": "9500"}
    budget = budget_of(clock)
    budget.exhausted("issues", headers)
    assert waited(budget, clock) == 600


def test_a_query_that_was_never_answered_is_waited_for_by_its_price(clock):
    linear, budget = Linear(clock), budget_of(clock)
    linear.left["Complexity"] = 65_000
    ask(budget, linear, "users", cost=1)
    # 2 % of 3,000,000 are left alone: of 10,000 points 5,001 are missing, at 833 a second.
    assert waited(budget, clock, "issues", points=10_000) == pytest.approx(5_001 / 3_000_000 * HOUR, abs=0.01)


@pytest.mark.parametrize(
    ("kind", "seconds"),
    # one request and 2 % of 2,500; 9,500 points, what remains of them, and 2 % of 3,000,000
    [("Requests", 51 / 2500 * HOUR), ("Complexity", 69_500 / 3_000_000 * HOUR)],
)
def test_an_exhausted_bucket_is_waited_for_until_it_has_enough_for_the_query(clock, kind, seconds):
    limits = {"X-RateLimit-Requests-Limit": "2500", "X-RateLimit-Complexity-Limit": "3000000"}
    headers = exhausted(clock, reset=HOUR, kind=kind) | limits
    if kind == "Requests":
        headers["X-RateLimit-Complexity-Remaining"] = "3000000"
    budget = budget_of(clock)
    budget.observe("issues", headers)
    budget.exhausted("issues", headers, 9_500)
    assert waited(budget, clock, points=9_500) == pytest.approx(seconds, abs=0.01)


def test_the_limit_of_an_endpoint_holds_only_the_stream_that_met_it(clock):
    budget = budget_of(clock)
    budget.exhausted("issues", exhausted(clock, reset=600, kind="Endpoint-Requests"))
    assert waited(budget, clock, "users") == 0
    assert waited(budget, clock, "issues") == 600


def test_a_clock_that_is_wrong_waits_no_longer(clock):
    headers = exhausted(clock, reset=600)
    clock.now -= 86_400  # this machine's clock is a day behind
    budget = budget_of(clock)
    budget.exhausted("issues", headers)
    assert waited(budget, clock) == 600


@pytest.mark.parametrize("reset", ["", "soon", "0", "1e300", "nan"])
def test_a_reset_of_no_use_means_a_minute_or_an_hour_and_a_bit_at_most(clock, reset):
    headers = exhausted(clock) | {"X-RateLimit-Requests-Reset": reset}
    budget = budget_of(clock)
    budget.exhausted("issues", headers)
    assert 60 <= waited(budget, clock) <= HOUR + 60


def test_no_headers_at_all_mean_a_minute_or_what_the_edge_says(clock):
    budget = budget_of(clock)
    budget.exhausted("issues", {})
    assert waited(budget, clock) == 60
    budget.exhausted("issues", {"Retry-After": "7"})
    assert waited(budget, clock) == 7


def test_every_minute_it_says_why_and_until_when(clock, caplog):
    budget = budget_of(clock)
    budget.exhausted("issues", exhausted(clock, reset=600))
    with caplog.at_level(logging.INFO, "airbyte"):
        waited(budget, clock)
    assert len(caplog.messages) == 10
    assert set(caplog.messages) == {
        "Linear's rate limit is used up: waiting until 22:23:20 UTC, then continuing."
    }


def test_it_says_so_once_for_all_threads(clock, caplog):
    budget = budget_of(clock)
    started = threading.Barrier(5)
    lock = threading.Lock()
    end = clock.now + 30

    def sleep(seconds):  # all threads sleep through the same seconds
        started.wait(timeout=10)
        with lock:
            clock.now = max(clock.now, end)

    budget._sleep = sleep
    budget.exhausted("issues", exhausted(clock, reset=30))
    threads = [threading.Thread(target=waited, args=(budget, clock)) for _ in range(5)]
    with caplog.at_level(logging.INFO, "airbyte"):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=10)
    assert clock.now == end
    assert len(caplog.messages) == 1


def test_a_request_that_fails_gives_its_place_back(clock):
    linear, budget = Linear(clock), budget_of(clock)
    linear.left["Requests"] = 300
    ask(budget, linear)
    for _ in range(1000):
        with pytest.raises(ConnectionError), budget.turn("issues"):
            raise ConnectionError
    ask(budget, linear)
    assert clock.slept == []


def test_answers_without_headers_hold_nothing_back(clock):
    budget = budget_of(clock)
    for _ in range(10_000):
        with budget.turn("issues"):
            pass
        budget.observe("issues", {})
    assert clock.slept == []
    assert budget.usage["issues"].requests == 10_000


def test_refused_fields_are_news_once(clock):
    budget = budget_of(clock)
    assert budget.refused("projects", {"identifier": "plan"}) == {"identifier": "plan"}
    assert budget.refused("projects", {"identifier": "plan", "labels": "plan"}) == {"labels": "plan"}
    assert budget.refused("initiatives", {"identifier": "plan"}) == {"identifier": "plan"}
    assert list(budget.usage["projects"].refused) == ["identifier", "labels"]


def test_what_a_refusal_says_counts_though_others_have_been_answered_since(clock):
    linear, budget = Linear(clock), budget_of(clock)
    refusal = linear.headers(1) | {"X-RateLimit-Requests-Remaining": "0"}
    refusal["X-RateLimit-Requests-Reset"] = str(int((clock.now + HOUR) * 1000))
    budget.observe("issues", refusal)
    ask(budget, linear, "users", cost=1)
    budget.exhausted("issues", refusal)
    assert waited(budget, clock) == pytest.approx(51 / 2500 * HOUR, abs=0.01)
