"""How far a sync is: every half minute how each stream fares, and when all of them will be done.

It is told of pages, never of rows, and speaks in a thread of its own: those that read may have to wait.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType

from source_linear.config import timestamp
from source_linear.graphql import points_a_row
from source_linear.linear.budget import Budget, Usage
from source_linear.linear.errors import many
from source_linear.streams import Stream
from source_linear.sync.reader import Slice

_LOGGER = logging.getLogger("airbyte")
EVERY = 30.0  # seconds between two lines of a stream
_REPEATED_EVERY = 300.0  # seconds until a line is said again that has not changed: a wait may take hours
_SHORT_WAIT = 10.0  # seconds; shorter ones are the pace of the budget, not worth a word
_LEAST = 0.01  # of a stream that is done before what is left can be told from it
_DAY = 86_400.0


@dataclass(frozen=True)
class Size:
    """What is known of a first read before it begins.

    Attributes:
        nodes: how many rows, or parents of rows, Linear lists; 0 where that is not known.
        requests: how many requests they take.
        points: what they cost, by Linear's formula, but for lists that are read on.
    """

    nodes: int = 0
    requests: float = 0.0
    points: float = 0.0

    @classmethod
    def of(cls, stream: Stream, nodes: int, slices: int) -> "Size":
        """The size of so many nodes, which are read in so many slices."""
        points = max(points_a_row(root) for root in stream.roots)
        return cls(nodes, max(slices, nodes / stream.page_size), nodes * points)


@dataclass
class _Reading:
    """What is known of a stream that is being read.

    Attributes:
        started: when, by the clock.
        size: what there is to read.
        rows: that came so far.
        nodes: rows, or parents of rows, that came of its slices.
        slices: the first and the last moment of each slice, in seconds since 1970, by its place.
        left: what is left to be read of each, in seconds.
    """

    started: float
    size: Size
    rows: int = 0
    nodes: int = 0
    slices: dict[int, tuple[float, float]] = field(default_factory=dict)
    left: dict[int, float] = field(default_factory=dict)
    line: str = ""
    said: float = float("-inf")

    @property
    def part(self) -> float | None:
        """The part of it that is read: of its nodes, else of its time; None where neither is known."""
        if self.size.nodes:
            return min(self.nodes / self.size.nodes, 1.0)
        whole = sum(last - first for first, last in self.slices.values())
        return min(max(1 - sum(self.left.values()) / whole, 0.0), 1.0) if whole > 0 else None

    @property
    def since(self) -> str:
        """What its part is a part of, where that is a time: the year where it is long, else the day."""
        if self.size.nodes:
            return ""
        begins = time.gmtime(min(first for first, _ in self.slices.values()))
        ends = time.gmtime(max(last for _, last in self.slices.values()))
        form = "%Y" if ends.tm_year - begins.tm_year > 1 else "%Y-%m-%d"
        return time.strftime(f" of the time since {form}", begins)

    def needs(self, usage: Usage) -> tuple[float, float] | None:
        """The requests and points that it will still need; None where that cannot be told."""
        part = self.part
        if part is None:  # nothing but rows by their ids
            return 0.0, 0.0
        if part >= _LEAST and usage.requests:
            more = (1 - part) / part
            return usage.requests * more, usage.points * more
        return (self.size.requests, self.size.points) if self.size.nodes else None


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
        self._names: set[str] = set()
        self._started: float | None = None
        self._held = 0.0
        self._said = float("-inf")

    def __enter__(self) -> None:
        threading.Thread(target=self._say_often, name="progress", daemon=True).start()

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._end.set()

    def starts(
        self, stream: str, slices: Sequence[Slice], end: str, created: str, size: Size | None = None
    ) -> None:
        """A stream begins to be read.

        Args:
            stream: the stream.
            slices: what is read of it.
            end: the sync's start.
            created: when the workspace was created: where a slice begins that is open to the past.
            size: how much there is to read, where that is known.
        """
        reading = _Reading(self._now(), size or Size())
        for place, one in enumerate(slices):
            if one.ids is None:
                first, last = _seconds(one.start or created), _seconds(one.end or end)
                if last > first:
                    reading.slices[place] = first, last
                    reading.left[place] = last - first
        with self._lock:
            if self._started is None:
                self._started, self._held = reading.started, self._budget.held()
            self._readings[stream] = reading
            self._names.add(stream)

    def came(self, stream: str, place: int, oldest: str, rows: int, nodes: int = 0) -> None:
        """A page came.

        Args:
            stream: the stream.
            place: the place of the slice that it is of.
            oldest: the date of the last of its nodes, newest first; "" where that tells nothing.
            rows: how many rows it has.
            nodes: how many nodes, which are its rows or the parents of them.
        """
        with self._lock:
            reading = self._readings[stream]
            reading.rows += rows
            if place >= 0:
                reading.nodes += nodes
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
        """Say how the streams fare that are being read, and when all will be done."""
        now, lines = self._now(), []
        with self._lock:
            for name, one in self._readings.items():
                line = self._line(name, one, now) if now - one.started >= EVERY else ""
                if line and (line != one.line or now - one.said >= _REPEATED_EVERY):
                    one.line, one.said = line, now
                    lines.append(line)
            if self._started is not None and now - self._started >= EVERY:
                line = self._line_of_all(now - self._started, now)
                if line and (lines or now - self._said >= _REPEATED_EVERY):
                    self._said = now
                    lines.append(line)
        for line in lines:  # whoever reads them may take his time
            _LOGGER.info(line)

    def _say_often(self) -> None:
        while not self._stopped(EVERY):
            self.say()

    def _line(self, stream: str, reading: _Reading, now: float) -> str:
        """What there is to say of a stream; "" for nothing."""
        until = self._budget.waits_until(stream)
        waits = until is not None and until - now >= _SHORT_WAIT
        if not (waits or reading.rows):
            return ""
        line = f"Stream {stream}: {many(reading.rows, 'row')}"
        if (part := reading.part) is not None:
            line += f", {min(int(part * 100), 99)} %{reading.since}"
        if until is not None and waits:
            clock = time.strftime("%H:%M:%S UTC", time.gmtime(until))
            line += f"; waiting for Linear until {clock}"
        return line

    def _line_of_all(self, passed: float, now: float) -> str:
        """When all streams will be read; "" where that cannot be told."""
        usage = self._budget.usage
        needs = [one.needs(usage.get(name) or Usage()) for name, one in self._readings.items()]
        requests, points = (sum(one[i] for one in needs if one) for i in (0, 1))
        done = sum(one.requests for name, one in list(usage.items()) if name in self._names)
        if not requests or not done:
            return ""
        limits, kind, an_hour = self._budget.seconds_for(requests, points)
        # Waiting is no pace: how long that takes, the limits tell.
        pace = max(0.0, passed - self._budget.held() + self._held) * requests / done
        seconds = max(limits, pace)
        form = "%H:%M UTC" if seconds < _DAY else "%Y-%m-%d %H:%M UTC"
        clock = time.strftime(form, time.gmtime(now + seconds))
        about = "at least" if None in needs else "about"
        line = f"All streams: {about} {_duration(seconds)} more, until {clock}"
        if limits > pace:
            left = requests if kind == "requests" else points
            line += f"; {left:,.0f} {kind} are left, and Linear's limits allow {an_hour:,.0f} an hour"
        return line


def _seconds(moment: str) -> float:
    return timestamp(moment).timestamp()


def _duration(seconds: float) -> str:
    hours, minutes = divmod(max(round(seconds / 60), 1), 60)
    if hours >= 48:
        return f"{hours // 24} days"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
