"""What does a sync cost that finds nothing new?"""

import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.cost import Spent, by_stream
from benchmarks.pictures import OTHERS_TOO, OURS, QUIET
from benchmarks.sections import Section, Target, median_and_range, say, table
from benchmarks.sizes import Sizes
from benchmarks.stand_in import StandIn

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_RUNS = 3
_REQUESTS_AN_HOUR, _POINTS_AN_HOUR = 2_500, 3_000_000  # of an API key


def measure(sizes: Sizes) -> Section:
    """Sync all streams again and again after a first sync."""
    seconds: defaultdict[int, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as directory, StandIn(sizes.quiet_issues, Path(directory)) as linear:
        first = linear.sync()
        first_requests = len(linear.requests())
        for _ in range(min(_MOST_RUNS, sizes.runs)):
            for latency in sizes.latencies:
                linear.control("latency", seconds=latency / 1000)
                started = time.monotonic()
                output = linear.sync(first.last_states)
                seconds[latency].append(time.monotonic() - started)
                if output.records:
                    raise RuntimeError(f"rows of {', '.join(output.records)} came again")
        spent = by_stream(linear.requests())
    for latency, taken in seconds.items():
        say(f"  {latency} ms: {statistics.median(taken):.1f} s")
    return _section(first_requests, spent, seconds)


def _section(first_requests: int, spent: Mapping[str, Spent], seconds: Mapping[int, list[float]]) -> Section:
    requests, points = sum(one.requests for one in spent.values()), sum(one.points for one in spent.values())
    streams = sum(1 for name in spent if name)
    others = spent[""].requests if "" in spent else 0
    several = {name: one.requests for name, one in spent.items() if name and one.requests > 1}
    base = statistics.median(seconds[0])
    rows = [
        (
            f"{latency} ms",
            median_and_range(taken, 1),
            f"{statistics.median(taken) - base:.1f}",
            f"{requests * latency / 1000:.1f}",
        )
        for latency, taken in seconds.items()
    ]
    head = ("Latency of an answer", "Seconds", "of them for latency", "one request after another")
    more = ", ".join(f"`{name}` ({number})" for name, number in several.items())
    note = (
        f"More than one, for further pages or lists: {more}." if several else "No stream makes more than one."
    )
    syncs = min(_REQUESTS_AN_HOUR // requests, _POINTS_AN_HOUR // points)
    text = f"""\
All {streams} streams against the simulator of Linear's API, after a first sync of {first_requests} requests,
with nothing changed: **{requests} requests, {points:,} points**, no records. {others} names the workspace.
{note}

{table(head, rows)}

Medians of {len(seconds[0])} runs, process start included. The simulator executes real GraphQL in Python, so a
part of the seconds at 0 ms is its own. The hourly budget of an API key is good for {syncs} such syncs.
"""
    target = Target(
        f"a no-change sync of all {streams} streams costs at most one request a stream",
        f"{requests - others} for {streams} streams, and {others} to name the workspace",
        not several,
        more,
    )

    def draw(figure: "Figure") -> None:
        axes = figure.subplots()
        taken = [statistics.median(seconds[latency]) for latency in seconds]
        alone = [base + requests * latency / 1000 for latency in seconds]
        places = range(len(taken))
        left, right = [place - 0.19 for place in places], [place + 0.19 for place in places]
        axes.bar(left, taken, 0.36, color=OURS, label="source-linear, 10 workers")
        axes.bar(right, alone, 0.36, color=OTHERS_TOO, label="one request after another (computed)")
        for place, value in zip(left, taken, strict=True):
            axes.text(place, value, f"{value:.1f} s", ha="center", va="bottom", fontweight="bold")
        for place, value in zip(right, alone, strict=True):
            axes.text(place, value, f"{value:.1f} s", ha="center", va="bottom", color=QUIET)
        axes.set_xticks(places, [f"{latency} ms an answer" for latency in seconds])
        axes.set_ylabel("seconds")
        axes.set_ylim(0, max(alone) * 1.15)
        axes.legend(loc="upper left", frameon=False)
        axes.set_title(f"Nothing new in {streams} streams: {requests} requests, {points:,} points")

    facts: dict[str, float] = {"requests": requests, "points": points, "syncs": syncs}
    facts |= {f"seconds at {latency} ms": statistics.median(taken) for latency, taken in seconds.items()}
    return Section("quiet", "Cost of a sync that finds nothing new", text, draw, (target,), facts)
