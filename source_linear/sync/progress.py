"""How far a sync is: every half minute how each stream fares.

It is told of pages, never of rows, and speaks in a thread of its own: those that read may have to wait.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType

from source_linear.config import timestamp
from source_linear.linear.budget import Budget
from source_linear.sync.reader import Slice

_LOGGER = logging.getLogger("airbyte")
EVERY = 30.0  # seconds between two lines of a stream
_REPEATED_EVERY = 300.0  # seconds until a line is said again that has not changed: a wait may take hours
_SHORT_WAIT = 10.0  # seconds; shorter ones are the pace of the budget, not worth a word
_LEAST = 0.01  # of its time that is done before what is left can be told from it


@dataclass
class _Reading:
    """What is known of a stream that is being read.

    Attributes:
        started: when, by the clock.
        rows: that came so far.
        slices: the first and the last moment of each slice, in seconds since 1970, by its place.
        left: what is left to be read of each, in seconds.
    """

    started: float
    rows: int = 0
    slices: dict[int, tuple[float, float]] = field(default_factory=dict)
    left: dict[int, float] = field(default_factory=dict)
    line: str = ""
    said: float = float("-inf")

    @property
    def part(self) -> float | None:
        """The part of its time that is read; None where it is not read by time."""
        whole = sum(last - first for first, last in self.slices.values())
        return min(max(1 - sum(self.left.values()) / whole, 0.0), 1.0) if whole > 0 else None

    @property
    def begins(self) -> float:
        """The first moment that is read."""
        return min(first for first, _ in self.slices.values())

    @property
    def ends(self) -> float:
        """The last one."""
        return max(last for _, last in self.slices.values())


class Progress:
    """Watches one sync, while it is entered as a context."""

    def __init__(
        self,
        budget: Budget,
        now: Callable[[], float] = time.time,
        stopped: Callable[[float], bool] | None = None,
    ) -> None:
        """Watch a sync.

        Args:
            budget: what its streams share.
            now: the clock, in seconds since the epoch.
            stopped: waits so many seconds; returns whether it is to end.
        """
        self._budget, self._now = budget, now
        self._end = threading.Event()
        self._stopped = stopped or self._end.wait
        self._lock = threading.Lock()
        self._readings: dict[str, _Reading] = {}

    def __enter__(self) -> None:
        threading.Thread(target=self._say_often, name="progress", daemon=True).start()

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._end.set()

    def starts(self, stream: str, slices: Sequence[Slice], end: str, created: str) -> None:
        """A stream begins to be read.

        Args:
            stream: the stream.
            slices: what is read of it.
            end: the sync's start.
            created: when the workspace was created: where a slice begins that is open to the past.
        """
        reading = _Reading(self._now())
        for place, one in enumerate(slices):
            if one.ids is None:
                first, last = _seconds(one.start or created), _seconds(one.end or end)
                if last > first:
                    reading.slices[place] = first, last
                    reading.left[place] = last - first
        with self._lock:
            self._readings[stream] = reading

    def came(self, stream: str, place: int, oldest: str, rows: int) -> None:
        """A page came.

        Args:
            stream: the stream.
            place: the place of the slice that it is of.
            oldest: the date of the last of its nodes, newest first; "" where that tells nothing.
            rows: how many rows it has.
        """
        with self._lock:
            reading = self._readings[stream]
            reading.rows += rows
            if place in reading.left and oldest:
                first, _ = reading.slices[place]
                reading.left[place] = min(reading.left[place], max(0.0, _seconds(oldest) - first))

    def read(self, stream: str, place: int) -> None:
        """A slice is read."""
        with self._lock:
            self._readings[stream].left[place] = 0.0

    def ends(self, stream: str) -> None:
        """A stream was read."""
        with self._lock:
            self._readings.pop(stream, None)

    def say(self) -> None:
        """Say how the streams fare that are being read."""
        now, lines = self._now(), []
        with self._lock:
            readings = {name: one for name, one in self._readings.items() if now - one.started >= EVERY}
            needs = {name: self._needs(name, one.part) for name, one in readings.items()}
            for name, one in readings.items():
                line = self._line(name, one, needs, now)
                if line and (line != one.line or now - one.said >= _REPEATED_EVERY):
                    one.line, one.said = line, now
                    lines.append(line)
        for line in lines:  # whoever reads them may take his time
            _LOGGER.info(line)

    def _say_often(self) -> None:
        while not self._stopped(EVERY):
            self.say()

    def _needs(self, stream: str, part: float | None) -> tuple[float, float] | None:
        """The requests and points that a stream will still need; None where that cannot be told."""
        usage = self._budget.usage.get(stream)
        if usage is None or part is None or part < _LEAST:
            return None
        more = (1 - part) / part
        return usage.requests * more, usage.points * more

    def _line(
        self, stream: str, reading: _Reading, needs: Mapping[str, tuple[float, float] | None], now: float
    ) -> str:
        """What there is to say of a stream; "" for nothing."""
        until = self._budget.waits_until(stream)
        waits = until is not None and until - now >= _SHORT_WAIT
        if not (waits or reading.rows):
            return ""
        line = f"Stream {stream}: {reading.rows:,} rows"
        if reading.part is not None:
            line += f", {min(int(reading.part * 100), 99)} % of the time since {_since(reading)}"
        if until is not None and waits:
            clock = time.strftime("%H:%M:%S UTC", time.gmtime(until))
            line += f"; waiting for Linear until {clock}"
        if (need := needs[stream]) and reading.part:
            # All streams take turns: before this one is through, each other gets as much, if it needs that.
            others = [one for one in needs.values() if one]
            limits = self._budget.seconds_for(*(sum(min(one[i], need[i]) for one in others) for i in (0, 1)))
            pace = (now - reading.started) * (1 - reading.part) / reading.part
            by = "Linear's limits allow about" if limits > pace else "about"
            line += f"; {by} {_duration(max(limits, pace))} more"
        return line


def _seconds(moment: str) -> float:
    return timestamp(moment).timestamp()


def _since(reading: _Reading) -> str:
    """The year where the time is long, else the day."""
    begins, ends = time.gmtime(reading.begins), time.gmtime(reading.ends)
    return time.strftime("%Y" if ends.tm_year - begins.tm_year > 1 else "%Y-%m-%d", begins)


def _duration(seconds: float) -> str:
    hours, minutes = divmod(max(round(seconds / 60), 1), 60)
    if hours >= 48:
        return f"{hours // 24} days"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
