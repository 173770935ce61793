"""The rate budget that all streams share: requests and complexity points an hour."""

import logging
import math
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

_LOGGER = logging.getLogger("airbyte")
_WINDOW = 3600.0  # seconds in which a bucket refills (docs/linear-api.md, LIMITS-1)
_LONGEST_BLOCK = _WINDOW + 60
UNTOLD = 60.0  # seconds that a rate limit is waited for, where Linear does not say how long it lasts
_MARGIN = 0.02  # of a bucket, never planned with: others use the same key, answers cross on their way
_LOG_EVERY = 60.0


@dataclass
class Usage:
    """What one stream met with: requests that were answered, the points that Linear billed.

    Attributes:
        refused: the fields that Linear left out, each with its reason.
    """

    requests: int = 0
    points: float = 0.0
    refused: dict[str, str] = field(default_factory=dict)


class Bucket:
    """One of Linear's two leaky buckets, as its headers describe it; refilled continuously.

    Until a response has shown the limit nothing is known, and nothing is held back. Two levels count:
    what Linear says remains to everybody who uses the key, and what remains of our own share.
    """

    def __init__(self, share: float) -> None:
        self._share = share
        self._limit = 0.0
        self._remaining = 0.0
        self._reset = 0.0
        self._spent = 0.0
        self._at = 0.0
        self._under_way = 0.0

    def observe(self, limit: float, remaining: float, reset: float, spent: float, now: float) -> None:
        """Take over what a response said, and what it cost; `reset` is on our own clock."""
        if limit > 0:
            drained = (now - self._at) * limit * self._share / _WINDOW
            self._spent = max(0.0, self._spent - drained) + spent
            self._limit, self._remaining, self._reset, self._at = limit, remaining, reset, now

    def take(self, amount: float, now: float) -> float:
        """Take `amount` out of the bucket; returns the seconds to wait for it to be there."""
        self._under_way += amount
        if not self._limit:
            return 0.0
        ours = now
        if self._share < 1:
            over = self._under_way + self._spent - self._limit * self._share
            ours = self._at + over / (self._limit * self._share / _WINDOW)
        # What is under way may or may not be counted in the level yet: assume that it is not.
        return max(0.0, self.has(self._under_way) - now, ours - now)

    def has(self, amount: float, refused: tuple[float, float, float] | None = None) -> float:
        """When so much is there for all who use the key, on our own clock; 0 where that is not known.

        Args:
            amount: how much.
            refused: what a refusal said was left, when, and its reset: others may have been answered since.
        """
        if not self._limit:
            return 0.0
        needed = amount + self._limit * _MARGIN
        left, at, reset = refused or (self._remaining, self._at, self._reset)
        there = at + (needed - left) * _WINDOW / self._limit
        # At its reset there is room, whatever the refill was.
        return min(there, reset) if reset > at else there

    def seconds_for(self, amount: float, now: float) -> float:
        """The seconds until `amount` can have been spent, if nobody else spends."""
        if not self._limit:
            return 0.0
        most = self._limit * self._share
        refill = most / _WINDOW
        left = self._remaining if self._share == 1 else min(self._remaining, most - self._spent)
        return max(0.0, (amount - min(left + (now - self._at) * refill, most)) / refill)

    @property
    def an_hour(self) -> float:
        """What our share of it gives in an hour; 0 where that is not known."""
        return self._limit * self._share

    def release(self, amount: float) -> None:
        """What was taken has been answered, or will never be."""
        self._under_way -= amount


class Budget:
    """Paces the requests of the whole process, and knows what each stream met with.

    docs/linear-api.md, Limits: `X-RateLimit-{Requests,Complexity}-{Limit,Remaining,Reset}`, Reset in UTC
    epoch milliseconds. Bursts while the buckets are full, goes at the rate of their refill once they are
    empty, waits where Linear says that they are exhausted. What a query costs is known before it is asked.
    """

    def __init__(
        self,
        share: float = 1.0,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Make a budget.

        Args:
            share: the part of the hourly budget that may be used, 0 to 1; the rest is left to others.
            now: the clock, in seconds since the epoch.
            sleep: what waits.
        """
        self._now = now
        self._sleep = sleep
        self._lock = threading.Lock()
        self._requests = Bucket(share)
        self._points = Bucket(share)
        self._blocked_until: defaultdict[str, float] = defaultdict(float)  # "" blocks all streams
        self._announced: dict[str, float] = {}
        self._waiting: dict[int, tuple[str, float]] = {}  # by thread; "" for what holds all streams
        self._held = self._held_since = 0.0
        self.usage: defaultdict[str, Usage] = defaultdict(Usage)

    @contextmanager
    def turn(
        self, stream: str, points: float = 0.0, before_waiting: Callable[[], None] = lambda: None
    ) -> Iterator[None]:
        """Wait until one more request of this stream fits into the budget; it is made inside.

        Args:
            stream: the stream that asks, "" outside of any.
            points: what it costs at the most, by Linear's formula.
            before_waiting: is called where there is something to wait for.
        """
        self._wait_while_blocked(stream, before_waiting)
        with self._lock:
            now = self._now()
            until = now + max(self._requests.take(1, now), self._points.take(points, now))
        try:
            why = "Keeping within the budget of Linear's rate limit"
            self._wait(stream, lambda: until, why, before_waiting)
            self._wait_while_blocked(stream, before_waiting)
            yield
        finally:
            with self._lock:
                self._requests.release(1)
                self._points.release(points)

    def observe(self, stream: str, headers: Mapping[str, str]) -> None:
        """Take over what a response says of the budget and of its own cost."""
        points = number(headers, "X-Complexity")
        now = self._now()
        with self._lock:
            for bucket, kind, spent in (
                (self._requests, "Requests", 1),
                (self._points, "Complexity", points),
            ):
                limit = number(headers, f"X-RateLimit-{kind}-Limit")
                remaining = number(headers, f"X-RateLimit-{kind}-Remaining")
                bucket.observe(limit, remaining, self._reset(headers, kind), spent, now)
            usage = self.usage[stream]
            usage.requests += 1
            usage.points += points

    def refused(self, stream: str, fields: Mapping[str, str]) -> dict[str, str]:
        """Note the fields that Linear left out of a stream, with its reasons; returns those that are news."""
        with self._lock:
            known = self.usage[stream].refused
            news = {name: reason for name, reason in fields.items() if name not in known}
            known.update(news)
        return news

    def exhausted(self, stream: str, headers: Mapping[str, str], points: float = 0.0) -> None:
        """Linear said RATELIMITED: hold all requests until the exhausted buckets have enough for this one.

        Where Linear does not say how large a bucket is, until its Reset. Where only the bucket of an endpoint
        is exhausted, this stream's requests are held.

        Args:
            stream: the stream that asked.
            headers: those of the refusal.
            points: what the query costs at the most, by Linear's formula.
        """
        now = self._now()
        needs = (
            ("Requests", self._requests, 1.0),
            ("Complexity", self._points, max(1.0, number(headers, "X-Complexity"), points)),
        )
        with self._lock:
            shared = [
                self._has_again(headers, kind, bucket, needed)
                for kind, bucket, needed in needs
                if _is_empty(headers, kind, needed)
            ]
        endpoint = _is_empty(headers, "Endpoint-Requests") and not shared
        resets = [self._reset(headers, "Endpoint-Requests")] if endpoint else shared
        until = max(resets, default=0.0)
        if until <= now:
            # Without a usable Reset a minute is long enough for a leaky bucket to have some room again.
            until = now + (number(headers, "Retry-After") or UNTOLD)
        who = stream if endpoint else ""
        with self._lock:
            self._blocked_until[who] = max(self._blocked_until[who], min(until, now + _LONGEST_BLOCK))

    def _has_again(self, headers: Mapping[str, str], kind: str, bucket: Bucket, needed: float) -> float:
        """When a bucket has so much again, by what a refusal says of it."""
        left, reset = number(headers, f"X-RateLimit-{kind}-Remaining"), self._reset(headers, kind)
        return bucket.has(needed, (left, self._now(), reset)) or reset

    def _wait_while_blocked(self, stream: str, before_waiting: Callable[[], None]) -> None:
        self._wait(
            stream,
            lambda: max(self._blocked_until[""], self._blocked_until[stream]),
            "Linear's rate limit is used up",
            before_waiting,
        )

    @contextmanager
    def waiting(self, stream: str, until: float) -> Iterator[None]:
        """Let it be known that this thread waits for a stream, until a moment."""
        thread = threading.get_ident()
        with self._lock:
            if not self._holds_all():
                self._held_since = self._now()
            self._waiting[thread] = stream, until
        try:
            yield
        finally:
            with self._lock:
                held = self._holds_all()
                self._waiting.pop(thread, None)
                if held and not self._holds_all():
                    self._held += self._now() - self._held_since

    def waits_until(self, stream: str) -> float | None:
        """Until when a stream waits, by the clock; None where it does not."""
        return min((until for name, until in list(self._waiting.values()) if name == stream), default=None)

    def held(self) -> float:
        """The seconds in which somebody waited for the limits that all streams share."""
        with self._lock:
            return self._held + (self._now() - self._held_since if self._holds_all() else 0.0)

    def _holds_all(self) -> bool:
        return any(not stream for stream, _ in self._waiting.values())

    def seconds_for(self, requests: float, points: float) -> tuple[float, str, float]:
        """When Linear's limits will have allowed so many requests and points more.

        Returns:
            In how many seconds, which of them takes that long, and how many an hour gives of it.
        """
        now = self._now()
        with self._lock:
            return max(
                (bucket.seconds_for(amount, now), kind, bucket.an_hour)
                for bucket, kind, amount in (
                    (self._requests, "requests", requests),
                    (self._points, "points", points),
                )
            )

    def _wait(
        self, stream: str, until: Callable[[], float], why: str, before_waiting: Callable[[], None]
    ) -> None:
        while (left := until() - self._now()) > 0:
            before_waiting()
            with self._lock:
                due = self._now() - self._announced.get(why, float("-inf")) >= _LOG_EVERY
                if due:
                    self._announced[why] = self._now()
            if due:
                clock = time.strftime("%H:%M:%S UTC", time.gmtime(until()))
                _LOGGER.info("%s: waiting until %s, then continuing.", why, clock)
            own = self._blocked_until[stream] > self._now()
            with self.waiting(stream if own else "", until()):
                self._sleep(min(left, _LOG_EVERY))

    def _reset(self, headers: Mapping[str, str], kind: str) -> float:
        """When a bucket is full again, on our own clock, which may be wrong: the answer is dated."""
        now = self._now()
        try:
            theirs = parsedate_to_datetime(headers["Date"]).timestamp()
        except (KeyError, ValueError):
            theirs = now
        return now + number(headers, f"X-RateLimit-{kind}-Reset") / 1000 - theirs


def _is_empty(headers: Mapping[str, str], kind: str, needed: float = 1) -> bool:
    name = f"X-RateLimit-{kind}-Remaining"
    return name in headers and number(headers, name) < needed


def number(headers: Mapping[str, str], name: str) -> float:
    """The number in a header; 0 where it is missing, or holds none."""
    try:
        found = float(headers.get(name, 0))
    except ValueError:
        return 0.0
    return found if math.isfinite(found) else 0.0
