"""How long does a first sync of very many rows take by Linear's limits, and of one that is killed?

python -m benchmarks.million COMMENTS [UNTIL]   syncs in this process, and prints what it took as JSON
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from benchmarks.generated import HOUR, POINTS, REQUESTS, Generated, declared, sync
from benchmarks.pictures import OURS, OURS_TOO, TARGET
from benchmarks.process import ROOT, peak_of, python
from benchmarks.sections import Section, Target, say, table
from benchmarks.sizes import Sizes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SECONDS = 0.03  # of an answer: 300 ms, shared by ten workers
_STREAM = "comments"


def main() -> None:
    """Run the command."""
    comments, until = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else None
    linear = Generated({_STREAM: comments, "issues": comments // 3}, seconds=_SECONDS)
    streams, came = declared((_STREAM,)), bytearray(comments)

    def note(records: list[dict[str, Any]]) -> None:
        for one in records:
            came[linear.place(one["id"])] = 1

    runs, states = [], None
    for stop in (until, None) if until else (None,):
        done = sync(linear, streams, states, until=stop, each=note)
        states = done.states
        runs.append(
            {
                "rows": done.rows.total(),
                "requests": done.requests,
                "points": done.points,
                "hours": done.seconds / HOUR,
                "checkpoints": done.checkpoints[_STREAM],
                "course": done.course[:: max(1, len(done.course) // 200)],
                "came": sum(came),
            }
        )
    print(json.dumps({"runs": runs, "limited": linear.limited, "memory": peak_of(os.getpid()) or 0}))


def measure(sizes: Sizes) -> Section:
    """Read all comments, and again with a sync that is killed in its middle."""
    whole, killed = _run(sizes.comments), _run(sizes.comments, sizes.comments // 2)
    return _section(sizes, whole, killed)


def _run(*arguments: int) -> dict[str, Any]:
    command = python("-m", "benchmarks.million", *map(str, arguments))
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    hours = " and ".join(f"{one['hours']:.1f}" for one in found["runs"])
    say(f"  {arguments[0]:,} comments: {hours} hours, {found['memory'] / 1e6:.0f} MB")
    return found


def _section(sizes: Sizes, whole: Mapping[str, Any], killed: Mapping[str, Any]) -> Section:
    (one,), (first, second) = whole["runs"], killed["runs"]
    rows = [
        (
            name,
            f"{run['rows']:,}",
            f"{run['requests']:,}",
            f"{run['points']:,}",
            f"{run['hours']:.1f}",
            f"{run['checkpoints']}",
        )
        for name, run in (
            ("in one run", one),
            ("killed in its middle", first),
            ("and what went on from its state", second),
        )
    ]
    again = first["rows"] + second["rows"] - sizes.comments
    least = max(one["points"] / POINTS, one["requests"] / REQUESTS) - 1
    text = f"""\
A first sync of {sizes.comments:,} comments of computed rows against the limits of an API key
({REQUESTS:,} requests and {POINTS:,} points an hour, refilled continuously), by a clock that is moved: an
answer takes 300 ms, ten workers ask. *Checkpoints* are states with a new cursor.

{table(("", "Rows", "Requests", "Points", "Hours", "Checkpoints"), rows)}

With a full budget at the start the limits alone take {max(0.0, least):.1f} hours; for its pace the sync was
refused {whole["limited"]} times. After the kill {again:,} rows ({100 * again / sizes.comments:.1f} %) came
once more: what was sent since the last checkpoint. Memory at the peak: {whole["memory"] / 1e6:.0f} MB, the
walked list of {sizes.comments:,} rows included.
"""
    between = 1.02 * sizes.comments / one["checkpoints"] + 100  # windows are alike in time, and look back
    complete = one["came"] == second["came"] == sizes.comments
    targets = (
        Target(
            f"a first sync of {sizes.comments:,} comments: all come, and none twice",
            f"{one['came']:,}, {one['rows'] - one['came']:,} twice",
            complete and one["rows"] == sizes.comments,
            f"{sizes.comments - one['came']:,}",
        ),
        Target(
            "killed in its middle it goes on: all come, twice at most what is between two checkpoints",
            f"{second['came']:,}, {again:,} twice",
            complete and again <= between,
            f"{again - between:,.0f}",
        ),
    )

    def draw(figure: "Figure") -> None:
        axes = figure.subplots()
        for run, begin, color, label in (
            (one, 0.0, OURS, "in one run"),
            (first, 0.0, OURS_TOO, "killed"),
            (second, first["hours"], TARGET, "gone on with"),
        ):
            times = [begin + seconds / HOUR for seconds, _ in run["course"]]
            axes.plot(times, [rows for _, rows in run["course"]], color=color, linewidth=2, label=label)
        axes.set_xlabel("hours")
        axes.set_ylabel("rows that came")
        axes.legend(frameon=False)
        axes.set_title(f"{sizes.comments:,} comments by Linear's limits: {one['hours']:.1f} hours")

    facts = {"hours": one["hours"], "requests": one["requests"], "points": one["points"]}
    return Section("million", "A first sync of very many rows by Linear's limits", text, draw, targets, facts)


if __name__ == "__main__":
    main()
