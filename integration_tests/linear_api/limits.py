"""Linear's rate limits: leaky buckets that drain continuously (docs/linear-api.md)."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Any

from .auth import Identity
from .clock import Clock
from .cost import BILLINGS, FORMULA, Price, rounded
from .errors import Rejected

HOUR = 3600.0
LARGEST = 10_000
REQUESTS = "Requests"
POINTS = "Complexity"


def too_complex(complexity: float, largest: int) -> Rejected:
    """The refusal of a query that costs too much on its own, as recorded."""
    return Rejected(
        400,
        "INPUT_ERROR",
        "Query too complex",
        presentable=f"The query is too complex. Complexity: {str(complexity).removesuffix('.0')}."
        f" Maximum allowed complexity: {largest}.",
        http={"status": 400},
    )


class Limits:
    """The budgets, by whoever asks.

    `requests` and `points` are allowed per `window` seconds, by kind of authentication; change
    them at any time. `endpoints` limits single roots by requests. `largest` is what one query
    may cost, `billing` how it is billed: one of `cost.BILLINGS`. `rejection_status` is 400 as Linear
    answers, or 429 as its edge does. Without `refills` nothing comes back, with `bills_refusals` a query
    that is too complex is billed all the same: Linear is not known to do either.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self.requests = {"api_key": 2_500, "oauth": 5_000}
        self.points = {"api_key": 3_000_000, "oauth": 2_000_000}
        self.endpoints: dict[str, int] = {}
        self.window = HOUR
        self.largest = LARGEST
        self._billing = FORMULA
        self.rejection_status = 400
        self.refills = True
        self.bills_refusals = False
        self._used: dict[tuple[str, str], tuple[float, int]] = {}  # amount, at

    @property
    def billing(self) -> str:
        """How a query is billed: "formula", or what was recorded below it, "nulls" and "executed"."""
        return self._billing

    @billing.setter
    def billing(self, billing: str) -> None:
        if billing not in BILLINGS:
            raise ValueError(f"unknown billing {billing}: one of {', '.join(BILLINGS)}")
        self._billing = billing

    def set(
        self,
        *,
        requests: int | None = None,
        points: int | None = None,
        window: float | None = None,
    ) -> None:
        """Change the limits of every kind of authentication, the window for all of them."""
        if requests is not None:
            self.requests = dict.fromkeys(self.requests, requests)
        if points is not None:
            self.points = dict.fromkeys(self.points, points)
        if window is not None:
            self.window = window

    def reset(self) -> None:
        """Forget what was used."""
        with self._lock:
            self._used.clear()

    def exhaust(self, *, requests: bool = True, points: bool = False) -> None:
        """Let nothing be left right now, for everybody who asks."""
        with self._lock:
            now = self._clock.milliseconds
            for identity in ("api_key", "oauth"):
                for wanted, bucket in ((requests, REQUESTS), (points, POINTS)):
                    if wanted:
                        limit = self._limit(identity, bucket)
                        self._used[identity, bucket] = (float(limit), now)

    def check_size(self, price: Price) -> None:
        """Refuse a query that is too large by the formula, before it is executed.

        Raises:
            Rejected: INPUT_ERROR, without headers.
        """
        if self.billing == FORMULA:
            self._check(price.formula())

    def bill(self, price: Price, data: Mapping[str, Any] | None) -> int:
        """The points that an executed query is billed.

        Raises:
            Rejected: INPUT_ERROR, without headers: by what was executed it is too large.
        """
        if self.billing == FORMULA:
            return rounded(price.formula())
        tenths = price.executed(data, billing=self.billing)
        self._check(tenths)
        return rounded(tenths)

    def _check(self, tenths: int) -> None:
        if tenths > self.largest * 10:
            raise too_complex(tenths / 10, self.largest)

    def spend(self, identity: Identity, cost: int, roots: Iterable[str] = ()) -> dict[str, str]:
        """Take one request and its points.

        Returns:
            The response's headers.

        Raises:
            Rejected: RATELIMITED, with the headers; nothing was taken.
        """
        with self._lock:
            amounts = {REQUESTS: 1, POINTS: cost}
            amounts |= {f"Endpoint {root}": 1 for root in roots if root in self.endpoints}
            exceeded = [
                bucket for bucket, amount in amounts.items() if self._left(identity.kind, bucket) < amount
            ]
            if not exceeded:
                now = self._clock.milliseconds
                for bucket, amount in amounts.items():
                    used = self._amount(identity.kind, bucket)
                    self._used[identity.kind, bucket] = (used + amount, now)
            headers = self._headers(identity.kind, cost, amounts)
            if exceeded:
                bucket = exceeded[0]
                limit = self._limit(identity.kind, bucket)
                raise Rejected(
                    self.rejection_status,
                    "RATELIMITED",
                    f"Rate limit exceeded. Only {limit} {bucket.lower()} are allowed per"
                    f" {self.window:g} seconds.",
                    headers=headers,
                    meta={"rateLimitResult": self._state(identity.kind, bucket, amounts[bucket])},
                )
            return headers

    def status(self, identity: Identity, cost: int) -> dict[str, Any]:
        """The answer to `rateLimitStatus`."""
        with self._lock:
            return {
                "identifier": identity.name,
                "kind": identity.kind,
                "limits": [
                    self._state(identity.kind, REQUESTS, 1),
                    self._state(identity.kind, POINTS, cost),
                ],
            }

    def _state(self, kind: str, bucket: str, requested: int) -> dict[str, Any]:
        return {
            "type": bucket.lower(),
            "requestedAmount": float(requested),
            "allowedAmount": float(self._limit(kind, bucket)),
            "period": self.window * 1000,
            "remainingAmount": float(self._left(kind, bucket)),
            "reset": float(self._reset(kind, bucket)),
        }

    def _limit(self, kind: str, bucket: str) -> int:
        if bucket == REQUESTS:
            return self.requests[kind]
        if bucket == POINTS:
            return self.points[kind]
        return self.endpoints[bucket.removeprefix("Endpoint ")]

    def _amount(self, kind: str, bucket: str) -> float:
        used, at = self._used.get((kind, bucket), (0.0, 0))
        if not self.refills:
            return used
        drained = (self._clock.milliseconds - at) / 1000 * self._limit(kind, bucket) / self.window
        return max(0.0, used - drained)

    def _left(self, kind: str, bucket: str) -> int:
        return max(0, int(self._limit(kind, bucket) - self._amount(kind, bucket) + 1e-6))

    def _reset(self, kind: str, bucket: str) -> int:
        """When the bucket is empty again, as UTC epoch milliseconds."""
        share = self._amount(kind, bucket) / max(self._limit(kind, bucket), 1)
        return self._clock.milliseconds + round(share * self.window * 1000)

    def _headers(self, kind: str, cost: int, buckets: Iterable[str]) -> dict[str, str]:
        headers = {"X-Complexity": str(cost)}
        for bucket in buckets:
            name = f"X-RateLimit-{bucket}"
            if bucket.startswith("Endpoint "):
                name = "X-RateLimit-Endpoint-Requests"
                headers["X-RateLimit-Endpoint-Name"] = bucket.removeprefix("Endpoint ")
            headers[f"{name}-Limit"] = str(self._limit(kind, bucket))
            headers[f"{name}-Remaining"] = str(self._left(kind, bucket))
            headers[f"{name}-Reset"] = str(self._reset(kind, bucket))
        return headers
