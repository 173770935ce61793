"""The rate budget that all streams share: requests and complexity points an hour."""

import logging
import threading
import time
from collections.abc import Callable, Mapping

from airbyte_cdk.sources.streams.call_rate import APIBudget

_LOGGER = logging.getLogger("airbyte")
_KINDS = ("Requests", "Complexity")
_HOUR = 3600.0
_LOG_EVERY = 60.0


class Budget(APIBudget):
    """What Linear's rate limit leaves, read from the response headers; one for the whole process.

    API.md, Limits: `X-RateLimit-{Requests,Complexity}-{Limit,Remaining,Reset}`, Reset in UTC epoch
    milliseconds.
    """

    def __init__(
        self,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(policies=[])
        self._now = now
        self._sleep = sleep
        self._lock = threading.Lock()
        self._blocked_until = 0.0

    def wait(self) -> None:
        """Block while the limit is exhausted, saying every minute why and until when."""
        while (left := self._blocked_until - self._now()) > 0:
            until = time.strftime("%H:%M:%S UTC", time.gmtime(self._blocked_until))
            _LOGGER.info("Linear's rate limit is used up: waiting until %s, then going on.", until)
            self._sleep(min(left, _LOG_EVERY))

    def exhausted(self, headers: Mapping[str, str]) -> None:
        """Linear said RATELIMITED: hold all requests until the later Reset of the exhausted budgets."""
        resets = [
            _number(headers, f"X-RateLimit-{kind}-Reset") / 1000
            for kind in _KINDS
            if _number(headers, f"X-RateLimit-{kind}-Remaining") < 1
        ]
        now = self._now()
        # Without a usable Reset a minute is long enough for a leaky bucket to have some room again.
        until = min(max([*resets, now + 1]) if any(resets) else now + 60, now + _HOUR + 60)
        with self._lock:
            self._blocked_until = max(self._blocked_until, until)


def _number(headers: Mapping[str, str], name: str) -> float:
    try:
        return float(headers.get(name, 0))
    except ValueError:
        return 0.0
