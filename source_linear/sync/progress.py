"""How far a sync is: how many rows are to come, and every half minute how each stream fares.

It is told of pages, never of rows, and speaks in a thread of its own: those that read may have to wait.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from airbyte_cdk.models import (
    AirbyteEstimateTraceMessage,
    AirbyteMessage,
    AirbyteStreamStatus,
    AirbyteTraceMessage,
    EstimateType,
    TraceType,
    Type,
)

from source_linear.config import timestamp
from source_linear.linear.budget import Budget
from source_linear.streams import Record, Stream
from source_linear.sync.windows import Window

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
        begins: the first moment that is read, in seconds since 1970; None where it is not read by time.
        ends: the last moment.
        left: what is left to be read of each window, in seconds, by the window's start.
        lengths: how long these windows are, in seconds.
    """

    started: float
    rows: int = 0
    begins: float | None = None
    ends: float = 0.0
    left: dict[str, float] = field(default_factory=dict)
    lengths: dict[str, float] = field(default_factory=dict)
    line: str = ""
    said: float = float("-inf")

    @property
    def part(self) -> float | None:
        """The part of its time that is read; None where it is not read by time."""
        if self.begins is None or self.ends <= self.begins:
            return None
        read = sum(self.lengths.values()) - sum(self.left.values())
        return min(max(read / (self.ends - self.begins), 0.0), 1.0)


class Progress:
    """Watches one sync.

    Attributes:
        cursors: each stream's cursor before the sync; None for from the beginning.
    """

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
        self.cursors: Mapping[str, str | None] = {}
        self._budget, self._now = budget, now
        self._end = threading.Event()
        self._stopped = stopped or self._end.wait
        self._lock = threading.Lock()
        self._readings: dict[str, _Reading] = {}

    def watch(self, messages: Iterable[AirbyteMessage]) -> Iterator[AirbyteMessage]:
        """Pass on messages of the CDK, and say how the streams fare until they end."""
        threading.Thread(target=self._say_often, name="progress", daemon=True).start()
        try:
            for message in messages:
                if message.trace and (status := message.trace.stream_status):
                    self._note(status.stream_descriptor.name, status.status)
                yield message
        finally:
            self._end.set()

    def reached(self, stream: str, window: Window, nodes: Sequence[Record]) -> None:
        """A page came.

        Args:
            stream: the stream.
            window: the window that it is of.
            nodes: its nodes, in Linear's order: newest first.
        """
        bounds, (begins, ends) = window.bounds, window.slice
        with self._lock:
            reading = self._readings.get(stream)
            if reading is None or not ends:
                return
            first, last = _seconds(begins), _seconds(ends)
            if reading.begins is None:
                reading.begins = _seconds(self.cursors.get(stream) or bounds.start)
                reading.ends = _seconds(bounds.end)
            reading.lengths[begins] = last - first
            oldest = nodes[-1].get(bounds.field) if nodes and bounds.order_by == bounds.field else None
            at = min(max(_seconds(oldest), first), last) if oldest else last
            reading.left[begins] = min(at - first, reading.left.get(begins, last - first))

    def came(self, stream: str, begins: str, rows: int, whole: bool) -> None:
        """Rows came.

        Args:
            stream: the stream.
            begins: where the window begins that they are of.
            rows: how many.
            whole: whether nothing more of that window comes.
        """
        with self._lock:
            if reading := self._readings.get(stream):
                reading.rows += rows
                if whole and begins in reading.left:
                    reading.left[begins] = 0.0

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

    def _note(self, stream: str, status: AirbyteStreamStatus) -> None:
        with self._lock:
            if status is AirbyteStreamStatus.STARTED:
                self._readings[stream] = _Reading(self._now())
            elif status is not AirbyteStreamStatus.RUNNING:
                self._readings.pop(stream, None)

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
        if not (waits or reading.rows or reading.lengths):
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


def estimates(
    issues: int,
    news: Mapping[str, Collection[str] | None],
    streams: Mapping[str, Stream],
    whole: Collection[str],
) -> Iterator[AirbyteMessage]:
    """How many rows a sync will bring, of the streams of which that is known.

    Args:
        issues: how many issues were ever created, by Linear's own count; 0 if it is not known.
        news: what the change probe found, see `Probe.news`.
        streams: the streams that are read.
        whole: those that are read from the beginning, with nothing that limits them.
    """
    for name, stream in streams.items():
        ids = news.get(name)
        if name == "issues" and name in whole and issues:
            yield _estimate(name, issues)
        elif ids is not None and not (ids and any(root.children for root in stream.roots)):
            yield _estimate(name, len(ids))


def _estimate(stream: str, rows: int) -> AirbyteMessage:
    estimate = AirbyteEstimateTraceMessage(name=stream, type=EstimateType.STREAM, row_estimate=rows)
    trace = AirbyteTraceMessage(type=TraceType.ESTIMATE, emitted_at=time.time() * 1000, estimate=estimate)
    return AirbyteMessage(type=Type.TRACE, trace=trace)


def _seconds(moment: str) -> float:
    return timestamp(moment).timestamp()


def _since(reading: _Reading) -> str:
    """The year where the time is long, else the day."""
    assert reading.begins is not None
    begins, ends = time.gmtime(reading.begins), time.gmtime(reading.ends)
    return time.strftime("%Y" if ends.tm_year - begins.tm_year > 1 else "%Y-%m-%d", begins)


def _duration(seconds: float) -> str:
    hours, minutes = divmod(max(round(seconds / 60), 1), 60)
    if hours >= 48:
        return f"{hours // 24} days"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
