"""How long does a first sync take, by latency and number of workers?"""

import statistics
import tempfile
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.pictures import OTHERS, OURS, TARGET
from benchmarks.process import run, server
from benchmarks.sections import Section, Target, say, table
from benchmarks.sides import Sides
from benchmarks.sizes import Sizes
from benchmarks.streams import STREAMS
from source_linear.packaged import manifest

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLORS = (OTHERS, OURS, TARGET)
_SMALL_FRACTION = 0.25
_SLOWED = 1.1
_MOST_RUNS = 3

Seconds = Mapping[int, float]


def measure(sizes: Sizes) -> Section:
    """Read all rows of issues and comments, with each latency and number of workers."""
    connector: dict[int, dict[int, float]] = {}
    alone: dict[int, float] = {}
    numbers = count(1)
    names = tuple(sizes.first_sync)
    with tempfile.TemporaryDirectory() as directory, server("-m", "benchmarks.load_server") as at:
        sides = Sides(Path(directory))
        rows = "/".join(f"{name}/{size}" for name, size in sizes.first_sync.items())
        for latency in sizes.latencies:
            # Without latency the CPU decides, which others may use too; with it, the clock.
            runs = 1 if latency else min(_MOST_RUNS, sizes.runs)
            seconds: dict[int, list[float]] = {workers: [] for workers in (0, *sizes.workers)}
            for _ in range(runs):
                for workers, taken in seconds.items():
                    url = f"{at['url']}/{rows}/latency/{latency}/run/{next(numbers)}"
                    if workers:
                        done = run(sides.connector(url, names, num_workers=workers))
                    else:
                        done = run(sides.bare(url, names))
                    if done.records != sum(sizes.first_sync.values()):
                        raise RuntimeError(f"{done.records} records")
                    taken.append(done.seconds)
                    who = f"{workers} workers" if workers else "one page after another"
                    say(f"  {latency} ms, {who}: {done.seconds:.1f} s")
            median = {workers: statistics.median(taken) for workers, taken in seconds.items()}
            alone[latency] = median.pop(0)
            connector[latency] = median
    return _section(sizes, connector, alone)


def _section(sizes: Sizes, connector: Mapping[int, Seconds], alone: Seconds) -> Section:
    default = manifest()["spec"]["connection_specification"]["properties"]["num_workers"]["default"]
    total = sum(sizes.first_sync.values())
    what = " and ".join(f"{size:,} {name}" for name, size in sizes.first_sync.items())
    pages = sum(-(-size // STREAMS[name].page_size) for name, size in sizes.first_sync.items())
    usual_pages = sum(-(-size // (25 if name == "issues" else 50)) for name, size in sizes.first_sync.items())
    rows = [
        (
            f"{latency} ms",
            f"{alone[latency]:.1f} s",
            *(f"{seconds[workers]:.1f} s" for workers in sizes.workers),
            f"{100 * seconds[default] / alone[latency]:.0f} %",
        )
        for latency, seconds in connector.items()
    ]
    slowest = max(sizes.latencies)
    head = (
        "Latency of a page",
        "One page after another",
        *(f"{workers} workers" for workers in sizes.workers),
        f"{default} workers, of one after another",
    )
    text = f"""\
A first sync of {what}, process start included: medians of {min(_MOST_RUNS, sizes.runs)} runs without
latency, one run with it. The server gives each window its share of the rows and carries Linear's limits for
an API key, by which the connector paces itself; this sync does not use them up. {default} workers are the
default.

{table(head, rows)}

*One page after another* is the bare loop, {pages} pages of up to 250 rows. In pages of 25 issues and 50
comments it would be {usual_pages:,} requests: {usual_pages * slowest / 60_000:.0f} minutes of latency alone
at {slowest} ms.
"""
    ours, theirs = connector[slowest][default], alone[slowest]
    fewest = min(sizes.workers)
    slowed = connector[0][default] / connector[0][fewest]
    targets = (
        Target(
            f"{slowest} ms a page: {what} in a small fraction of the sequential time",
            f"{ours:.0f} s of {theirs:.0f} s, {100 * ours / theirs:.0f} %",
            ours / theirs <= _SMALL_FRACTION,
        ),
        Target(
            "the default number of workers does not slow a run without latency",
            f"{default} workers take {100 * slowed:.0f} % of the time of {fewest}",
            slowed <= _SLOWED,
            f"{100 * (slowed - _SLOWED):.0f} points",
        ),
    )

    def draw(figure: "Figure") -> None:
        axes = figure.subplots()
        places = range(len(sizes.workers))
        for (latency, seconds), color in zip(connector.items(), _COLORS, strict=False):
            values = [seconds[workers] for workers in sizes.workers]
            axes.plot(places, values, marker="o", color=color, linewidth=2, label=f"{latency} ms a page")
            axes.axhline(alone[latency], color=color, linestyle="--", linewidth=1)
            axes.text(
                0.995,
                alone[latency],
                f"one page after another, {latency} ms: {alone[latency]:.0f} s",
                color=color,
                ha="right",
                va="bottom",
                fontsize=8,
                transform=axes.get_yaxis_transform(),
            )
            for point in zip(places, values, strict=True):
                text = f"{point[1]:.1f} s"
                axes.annotate(text, point, (0, 7), textcoords="offset points", ha="center", color=color)
        axes.set_xticks(places, [str(workers) for workers in sizes.workers])
        axes.set_xlim(-0.4, len(sizes.workers) - 0.1)
        axes.set_yscale("log")
        everything = [
            *alone.values(),
            *(value for seconds in connector.values() for value in seconds.values()),
        ]
        ticks = [1, 2, 5, 10, 20, 50, 100, 200]
        axes.set_yticks(ticks, [f"{tick}" for tick in ticks])
        axes.set_ylim(min(everything) / 1.6, max(everything) * 1.6)
        axes.minorticks_off()
        axes.set_xlabel(f"workers (default: {default})")
        axes.set_ylabel("seconds (logarithmic)")
        axes.legend(loc="lower left", frameon=False)
        axes.set_title(f"{total:,} rows at {slowest} ms a page: {ours:.0f} s, not {theirs:.0f} s")

    facts = {f"seconds at {latency} ms": seconds[default] for latency, seconds in connector.items()}
    facts |= {f"alone at {latency} ms": seconds for latency, seconds in alone.items()}
    facts |= {"rows": total, "pages": pages}
    return Section("first-sync", "Time of a first sync", text, draw, targets, facts)
