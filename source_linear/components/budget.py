"""The rate budget that all streams share: requests and complexity points an hour."""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from airbyte_cdk.sources.streams.call_rate import APIBudget

_LOGGER = logging.getLogger("airbyte")
_WINDOW = 3600.0  # seconds in which a bucket refills (API.md, Limits)
_LONGEST_BLOCK = _WINDOW + 60
_LOG_EVERY = 60.0


@dataclass
class Usage:
    """What one stream cost: requests that were answered, and the points that Linear billed."""

    requests: int = 0
    points: float = 0.0


class Bucket:
    """One of Linear's two leaky buckets, as its headers describe it; refilled continuously.

    Until a response has shown the limit nothing is known, and nothing is held back.
    """

    def __init__(self, share: float) -> None:
        self._share = share
        self._limit = 0.0
        self._level = 0.0
        self._at = 0.0
        self._under_way = 0.0

    def observe(self, limit: float, remaining: float, now: float) -> None:
        """Take over what a response said."""
        if limit > 0:
            self._limit, self._level, self._at = limit, remaining, now

    def take(self, amount: float, now: float) -> float:
        """Take `amount` out of the bucket; returns the seconds to wait for it to be there."""
        self._under_way += amount
        if not self._limit:
            return 0.0
        refill = self._limit / _WINDOW
        level = min(self._limit, self._level + (now - self._at) * refill)
        # What is under way may or may not be counted in the level yet: assume that it is not.
        free = level - self._under_way - self._limit * (1 - self._share)
        return max(0.0, -free / refill)

    def release(self, amount: float) -> None:
        """What was taken has been answered, or will never be."""
        self._under_way -= amount


class Budget(APIBudget):
    """Paces the requests of the whole process, and knows what each stream spent.

    API.md, Limits: `X-RateLimit-{Requests,Complexity}-{Limit,Remaining,Reset}`, Reset in UTC epoch
    milliseconds. Bursts while the buckets are full, goes at the rate of their refill once they are
    empty, waits where Linear says that they are exhausted.
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
        super().__init__(policies=[])
        self._now = now
        self._sleep = sleep
        self._lock = threading.Lock()
        self._requests = Bucket(share)
        self._points = Bucket(share)
        self._typical: dict[str, float] = {}
        self._blocked_until = 0.0
        self.usage: defaultdict[str, Usage] = defaultdict(Usage)

    def acquire(self, stream: str) -> float:
        """Wait until one more request of this stream fits into the budget.

        Returns:
            The points that it is expected to cost, for `release`.
        """
        self._wait_while_blocked()
        with self._lock:
            now = self._now()
            points = self._typical.get(stream, 0.0)
            pause = max(self._requests.take(1, now), self._points.take(points, now))
        if pause > 0:
            _LOGGER.debug("Stream %s: waiting %.1f s for the rate budget.", stream, pause)
            self._sleep(pause)
            self._wait_while_blocked()
        return points

    def release(self, points: float) -> None:
        """The request that `acquire` let through is over, answered or not."""
        with self._lock:
            self._requests.release(1)
            self._points.release(points)

    def observe(self, stream: str, headers: Mapping[str, str]) -> None:
        """Take over what a response says of the budget and of its own cost."""
        points = _number(headers, "X-Complexity")
        now = self._now()
        with self._lock:
            self._requests.observe(*_level(headers, "Requests"), now)
            self._points.observe(*_level(headers, "Complexity"), now)
            if points:
                self._typical[stream] = points
            usage = self.usage[stream]
            usage.requests += 1
            usage.points += points

    def exhausted(self, headers: Mapping[str, str]) -> None:
        """Linear said RATELIMITED: hold all requests until the later Reset of the exhausted buckets."""
        now = self._now()
        resets = [
            _number(headers, f"X-RateLimit-{kind}-Reset") / 1000
            for kind in ("Requests", "Complexity")
            if f"X-RateLimit-{kind}-Remaining" in headers
            and _number(headers, f"X-RateLimit-{kind}-Remaining") < 1
        ]
        # Without a usable Reset a minute is long enough for a leaky bucket to have some room again.
        until = max(resets) if resets and max(resets) > now else now + 60
        with self._lock:
            self._blocked_until = max(self._blocked_until, min(until, now + _LONGEST_BLOCK))

    def _wait_while_blocked(self) -> None:
        while (left := self._blocked_until - self._now()) > 0:
            until = time.strftime("%H:%M:%S UTC", time.gmtime(self._blocked_until))
            _LOGGER.info("Linear's rate limit is used up: waiting until %s, then going on.", until)
            self._sleep(min(left, _LOG_EVERY))


def _level(headers: Mapping[str, str], kind: str) -> tuple[float, float]:
    return (
        _number(headers, f"X-RateLimit-{kind}-Limit"),
        _number(headers, f"X-RateLimit-{kind}-Remaining"),
    )


def _number(headers: Mapping[str, str], name: str) -> float:
    try:
        return float(headers.get(name, 0))
    except ValueError:
        return 0.0
