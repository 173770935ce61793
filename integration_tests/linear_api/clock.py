"""The simulator's time: that of the day before by default, settable so that hours pass in no time."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_milliseconds(moment: str | datetime) -> int:
    """Turn an ISO 8601 text (or a datetime) into UTC epoch milliseconds.

    A text without an offset is UTC; digits beyond the millisecond are cut off.

    Raises:
        ValueError: the text is no ISO 8601 date or date-time.
    """
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - EPOCH
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


def to_text(milliseconds: int) -> str:
    """Turn UTC epoch milliseconds into Linear's `YYYY-MM-DDTHH:MM:SS.mmmZ`."""
    seconds, rest = divmod(milliseconds, 1000)
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"


class Clock:
    """Now, for the `Date` header, the mutations, the tokens and the limits.

    Without an argument it runs a day behind the machine: so there is room to advance it. `set` stops it at a
    moment, `advance` moves it (stopped or running), `run` lets it run on from where it stands.
    """

    def __init__(self, now: str | datetime | None = None) -> None:
        self._lock = threading.Lock()
        self._offset = -86_400_000
        self._stopped_at: int | None = None
        if now is not None:
            self.set(now)

    @property
    def milliseconds(self) -> int:
        """Now as UTC epoch milliseconds."""
        with self._lock:
            return self._now()

    @property
    def text(self) -> str:
        """Now as Linear writes it."""
        return to_text(self.milliseconds)

    def now(self) -> datetime:
        """Now as an aware datetime."""
        return datetime.fromtimestamp(self.milliseconds / 1000, UTC)

    def set(self, now: str | datetime) -> None:
        """Stop the clock at a moment."""
        with self._lock:
            self._stopped_at = to_milliseconds(now)

    def advance(self, seconds: float) -> None:
        """Move the clock by some seconds, backwards when negative."""
        step = round(seconds * 1000)
        with self._lock:
            if self._stopped_at is None:
                self._offset += step
            else:
                self._stopped_at += step

    def run(self) -> None:
        """Let a stopped clock run on from where it stands."""
        with self._lock:
            if self._stopped_at is not None:
                self._offset = self._stopped_at - _machine_milliseconds()
                self._stopped_at = None

    def _now(self) -> int:
        if self._stopped_at is not None:
            return self._stopped_at
        return _machine_milliseconds() + self._offset


def _machine_milliseconds() -> int:
    return to_milliseconds(datetime.now(UTC))
