"""Does memory grow with the number of rows?"""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.pictures import OURS, target_line
from benchmarks.process import Run, run, server
from benchmarks.sections import Section, Target, say, table
from benchmarks.sides import Sides
from benchmarks.sizes import Sizes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST = 200.0  # megabytes
_GROWTH = 1.3


def measure(sizes: Sizes) -> Section:
    """Read more and more rows."""
    runs = []
    with tempfile.TemporaryDirectory() as directory, server("-m", "benchmarks.load_server") as at:
        sides = Sides(Path(directory))
        for rows in sizes.memory_rows:
            runs.append(run(sides.connector(f"{at['url']}/issues/{rows}")))
            say(f"  {rows:,} rows: {_megabytes(runs[-1]):.0f} MB")
    return _section(runs)


def _megabytes(done: Run) -> float:
    return done.peak / 1e6


def _section(runs: list[Run]) -> Section:
    first, last = runs[0], runs[-1]
    growth = last.peak / first.peak
    rows = [
        (f"{one.records:,}", f"{_megabytes(one):.0f} MB", f"{one.peak / first.peak:.2f}", f"{one.rate:,.0f}")
        for one in runs
    ]
    text = f"""\
The connector's process at its peak (resident set), reading `issues` from the load server, one run each. It
holds what is in the CDK's queue, and the pages that its workers are reading: no more for more rows.

{table(("Rows", "Peak", f"× {first.records:,} rows", "Records/s"), rows)}
"""
    targets = (
        Target(
            f"memory of {last.records:,} rows within {_GROWTH} times that of {first.records:,}",
            f"{growth:.2f} times",
            growth <= _GROWTH,
            f"{growth - _GROWTH:.2f}",
        ),
        Target(
            f"memory under {_MOST:.0f} MB",
            f"{_megabytes(last):.0f} MB",
            _megabytes(last) < _MOST,
            f"{_megabytes(last) - _MOST:.0f} MB",
        ),
    )

    def draw(figure: "Figure") -> None:
        axes = figure.subplots()
        places, values = range(len(runs)), [_megabytes(one) for one in runs]
        axes.bar(places, values, 0.5, color=OURS)
        for place, value in zip(places, values, strict=True):
            axes.text(place, value / 2, f"{value:.0f} MB", ha="center", fontweight="bold", color="white")
        target_line(axes, _MOST, f"target: under {_MOST:.0f} MB")
        axes.set_xticks(places, [f"{one.records:,} rows" for one in runs])
        axes.set_xlim(-0.6, len(runs) - 0.4)
        axes.set_ylim(0, max(_MOST, *values) * 1.15)
        axes.set_ylabel("megabytes at the peak")
        axes.set_title(f"{last.records // first.records} times the rows, {growth:.2f} times the memory")

    return Section("memory", "Memory against rows", text, draw, targets, {"megabytes": _megabytes(last)})
