"""What does a sync cost that finds nothing new?"""

import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.cost import by_stream
from benchmarks.pictures import OTHERS_TOO, OURS, OURS_TOO
from benchmarks.process import ROOT
from benchmarks.sections import Section, Target, median_and_range, say, table
from benchmarks.simulator import SimulatedWorkspace
from benchmarks.sizes import Sizes
from integration_tests.connector import COMMAND
from source_linear.declared import lookback_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_RUNS = 3
_REQUESTS_AN_HOUR, _POINTS_AN_HOUR = 2_500, 3_000_000  # of an API key
_BEYOND = lookback_of().total_seconds() + 1  # what is newer is read again
_UNPROBED = [sys.executable, str(ROOT / "benchmarks" / "unprobed.py")]
_FEW = 20  # streams
_MOST_REQUESTS, _MOST_POINTS, _MOST_SECONDS = 3, 5_000, 2.5
_OURS, _BEFORE, _OTHERS = "source-linear", "without the change probe", f"{_FEW} streams, one request each"
_COLOURS = {_OURS: OURS, _BEFORE: OURS_TOO, _OTHERS: OTHERS_TOO}


@dataclass
class Side:
    """One way to find out that nothing changed.

    Attributes:
        command: the connector's command.
        streams: the configured streams that are read.
        requests: requests of one sync.
        points: what Linear bills for them.
        seconds: the durations of each run, by milliseconds an answer.
    """

    command: list[str]
    streams: list[Any]
    requests: int = 0
    points: int = 0
    seconds: defaultdict[int, list[float]] = field(default_factory=lambda: defaultdict(list))


def measure(sizes: Sizes) -> Section:
    """Sync again and again after a first sync, with the change probe and without, in turns."""
    with (
        tempfile.TemporaryDirectory() as directory,
        SimulatedWorkspace(sizes.quiet_issues, Path(directory)) as linear,
    ):
        linear.control("clock", advance=_BEYOND)
        first = linear.sync()
        linear.control("clock", advance=_BEYOND)
        first_requests = len(linear.requests())
        everything = linear.catalog["streams"]
        sides = {_OURS: Side(list(COMMAND), everything), _BEFORE: Side(_UNPROBED, everything)}
        _sync(linear, sides[_BEFORE], first.last_states)
        alone = [name for name, one in by_stream(linear.requests()).items() if name and one.requests == 1]
        few = [one for one in everything if one["stream"]["name"] in alone[:_FEW]]
        sides[_OTHERS] = Side(_UNPROBED, few)
        for _ in range(min(_MOST_RUNS, sizes.runs)):
            for latency in sizes.latencies:
                linear.control("latency", seconds=latency / 1000)
                for side in sides.values():
                    side.seconds[latency].append(_sync(linear, side, first.last_states))
                    log = linear.requests()
                    side.requests, side.points = len(log), sum(request["complexity"] for request in log)
    for name, side in sides.items():
        taken = ", ".join(f"{ms} ms: {statistics.median(of):.1f} s" for ms, of in side.seconds.items())
        say(f"  {name}: {side.requests} requests, {side.points:,} points; {taken}")
    return _section(sizes, first_requests, sides)


def _sync(linear: SimulatedWorkspace, side: Side, states: Sequence[Any]) -> float:
    """Sync once; returns its seconds, the start of the process included."""
    linear.connector.command = side.command
    started = time.monotonic()
    output = linear.sync(states, {"streams": side.streams})
    seconds = time.monotonic() - started
    if output.records:
        raise RuntimeError(f"rows of {', '.join(output.records)} came again")
    return seconds


def _section(sizes: Sizes, first_requests: int, sides: Mapping[str, Side]) -> Section:
    ours, before = sides[_OURS], sides[_BEFORE]
    rows = [
        (
            name,
            str(len(side.streams)),
            str(side.requests),
            f"{side.points:,}",
            *(median_and_range(taken, 1) for taken in side.seconds.values()),
            f"{_syncs_an_hour(side):,}",
        )
        for name, side in sides.items()
    ]
    latencies = [f"s at {latency} ms" for latency in ours.seconds]
    head = ("", "Streams", "Requests", "Points", *latencies, "Syncs an hour's budget is good for")
    text = f"""\
A workspace of {sizes.quiet_issues:,} issues on the simulator of Linear's API, after a first sync of
{first_requests} requests, with nothing changed: no side brings a record. The second row is the same
connector with its change probe taken out, as every stream asked for itself before; the third reads the
first {_FEW} streams that need one request in that way. The budget is that of an API key.

{table(head, rows)}

Medians of {len(ours.seconds[0])} runs in turns, process start included. The simulator executes real GraphQL
in Python, so a part of the seconds at 0 ms is its own.
"""
    targets = [
        Target(
            f"a no-change sync of all {len(ours.streams)} streams: at most {_MOST_REQUESTS} requests and "
            f"{_MOST_POINTS:,} points",
            f"{ours.requests} requests, {ours.points:,} points",
            ours.requests <= _MOST_REQUESTS and ours.points <= _MOST_POINTS,
        )
    ]
    slowest = max(ours.seconds)
    seconds = statistics.median(ours.seconds[slowest])
    targets.append(
        Target(
            f"at {slowest} ms an answer under {_MOST_SECONDS} s, process start included",
            f"{seconds:.1f} s",
            seconds < _MOST_SECONDS,
        )
    )

    def draw(figure: "Figure") -> None:
        axes = figure.subplots()
        width = 0.8 / len(sides)
        for number, (name, side) in enumerate(sides.items()):
            places = [place + (number - 1) * width for place in range(len(side.seconds))]
            taken = [statistics.median(of) for of in side.seconds.values()]
            axes.bar(places, taken, width * 0.95, color=_COLOURS[name], label=name)
            for place, value in zip(places, taken, strict=True):
                axes.text(place, value, f"{value:.1f} s", ha="center", va="bottom")
        axes.set_xticks(range(len(ours.seconds)), [f"{latency} ms an answer" for latency in ours.seconds])
        axes.set_ylabel("seconds")
        axes.legend(loc="upper left", frameon=False)
        axes.set_ylim(0, axes.get_ylim()[1] * 1.25)
        axes.set_title(
            f"Nothing new: {ours.requests} requests, {ours.points:,} points; "
            f"before {before.requests} and {before.points:,}"
        )

    facts: dict[str, float] = {
        "requests": ours.requests,
        "points": ours.points,
        "syncs": _syncs_an_hour(ours),
    }
    facts |= {"requests before": before.requests, "points before": before.points}
    facts |= {f"seconds at {latency} ms": statistics.median(taken) for latency, taken in ours.seconds.items()}
    return Section("quiet", "Cost of a sync that finds nothing new", text, draw, tuple(targets), facts)


def _syncs_an_hour(side: Side) -> int:
    return min(_REQUESTS_AN_HOUR // side.requests, _POINTS_AN_HOUR // side.points)
