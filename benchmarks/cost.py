"""What do 1,000 records cost in requests and points, stream by stream?"""

import re
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.pictures import OURS, OURS_TOO, QUIET, TARGET
from benchmarks.sections import Section, Target, say, table
from benchmarks.simulator import SimulatedWorkspace
from benchmarks.sizes import Sizes
from tools.schemas import streams

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Airbyte's own source-linear, as published: rows a page by stream (50, Linear's default, where its manifest
# says nothing else), and the points of an issue, with four nested lists without `first`: 50 items each.
AIRBYTE_PAGES = {"issues": 25, "comments": 50, "attachments": 50, "cycles": 50, "issue_labels": 50}
AIRBYTE_POINTS_AN_ISSUE = 236
_FLOOR = 4  # requests for 1,000 rows
_SHOWN_FROM = 500  # rows; below, a page that is not full says nothing of the cost of 1,000


@dataclass
class Spent:
    """What a stream asked for.

    Attributes:
        pages: requests for its rows.
        lists: requests that read on nested lists.
        points: what Linear bills for both.
    """

    pages: int = 0
    lists: int = 0
    points: int = 0

    @property
    def requests(self) -> int:
        """All of them."""
        return self.pages + self.lists


def measure(sizes: Sizes) -> Section:
    """Count what a first sync of all streams asks for."""
    rows, spent = _first_sync(sizes.cost_issues)
    _, small = _first_sync(1000)
    return _section(sizes, rows, spent, small["issues"])


def _first_sync(issues: int) -> tuple[dict[str, int], dict[str, Spent]]:
    """Rows by stream, and what each stream asked for."""
    with tempfile.TemporaryDirectory() as directory, SimulatedWorkspace(issues, Path(directory)) as linear:
        output = linear.sync()
        spent = by_stream(linear.requests())
    rows = {name: len(records) for name, records in output.records.items()}
    say(f"  {sum(rows.values()):,} records by {sum(one.requests for one in spent.values())} requests")
    return rows, spent


def by_stream(log: Iterable[Mapping[str, Any]]) -> dict[str, Spent]:
    """What each stream asked for; '' is what no stream did. A query has its stream's name."""
    names = {stream.name for stream in streams()}
    spent: defaultdict[str, Spent] = defaultdict(Spent)
    for request in log:
        match = re.match(r"query (\w+)", request["query"])
        name = match.group(1) if match and match.group(1) in names else ""
        if "{ n0: " in request["query"]:
            spent[name].lists += 1
        else:
            spent[name].pages += 1
        spent[name].points += request["complexity"]
    return dict(spent)


def _section(sizes: Sizes, rows: Mapping[str, int], spent: Mapping[str, Spent], small: Spent) -> Section:
    from_rows = min(_SHOWN_FROM, sizes.cost_issues)
    large = sorted((name for name in rows if rows[name] >= from_rows), key=lambda name: -rows[name])
    theirs = {name: 1000 / AIRBYTE_PAGES[name] for name in large if name in AIRBYTE_PAGES}
    shown = [
        (
            f"`{name}`",
            f"{rows[name]:,}",
            str(spent[name].pages),
            str(spent[name].lists or ""),
            f"{1000 * spent[name].requests / rows[name]:.1f}",
            f"{theirs[name]:.0f}" if name in theirs else "",
            f"{spent[name].points / rows[name]:.0f}",
            str(AIRBYTE_POINTS_AN_ISSUE) if name == "issues" else "",
        )
        for name in large
    ]
    head = (
        "Stream",
        "Rows",
        "Pages",
        "Requests for lists",
        "Requests for 1,000 rows",
        "Airbyte's own",
        "Points a row",
        "Airbyte's own",
    )
    rest = [spent[name].requests for name in spent if name and name not in large]
    requests, points = sum(one.requests for one in spent.values()), sum(one.points for one in spent.values())
    text = f"""\
A first sync of all {len(rows)} streams of a workspace with {sizes.cost_issues:,} issues, against the
simulator of Linear's API, which counts requests and bills points by Linear's formula:
{sum(rows.values()):,} records by {requests:,} requests and {points:,} points. Shown are the streams with at
least {from_rows} rows; the other {len(rest)} made {sum(rest)} requests together. The last page of a window is
not full, so a larger workspace comes nearer to the floor of {_FLOOR} requests for 1,000 rows; how often lists
must be read on depends on the workspace.

{table(head, shown)}

In a workspace of 1,000 issues they take {small.pages} pages, and {small.lists} requests for lists.

*Airbyte's own* is computed from its published manifest: pages of 25 issues and of 50 other rows, no windows.
An issue costs {AIRBYTE_POINTS_AN_ISSUE} points there, because its four nested lists are asked for without a
length, which Linear counts as 50. Here lists are asked for as long as they usually are, and read on where
they are longer.
"""
    issues = spent["issues"]
    each = 1000 * issues.requests / rows["issues"]

    def draw(figure: "Figure") -> None:
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=[3, 2])
        for axes, unit in ((left, 1000.0), (right, 1.0)):
            for place, name in enumerate(large):
                one = spent[name]
                if axes is left:
                    own, value = unit * one.pages / rows[name], unit * one.requests / rows[name]
                    mark = theirs.get(name)
                    axes.barh(place, value, 0.6, color=OURS_TOO)
                    axes.barh(place, own, 0.6, color=OURS)
                    text = f"{value:.1f}"
                else:
                    value = one.points / rows[name]
                    mark = AIRBYTE_POINTS_AN_ISSUE if name == "issues" else None
                    axes.barh(place, value, 0.6, color=OURS)
                    text = f"{value:.0f}"
                axes.annotate(text, (value, place), (5, 0), textcoords="offset points", va="center")
                if mark:
                    axes.plot([mark, mark], [place - 0.36, place + 0.36], color=TARGET, linewidth=3)
        left.set_yticks(range(len(large)), large)
        left.invert_yaxis()
        left.axvline(_FLOOR, color=QUIET, linestyle=":", linewidth=1)
        left.text(_FLOOR, -0.55, f" floor: {_FLOOR}", color=QUIET, fontsize=8)
        left.set_ylim(len(large) - 0.4, -0.9)
        left.set_xlim(0, max(44.0, *(1100 * spent[name].requests / rows[name] for name in large)))
        left.set_xlabel("requests for 1,000 rows: pages (dark), nested lists (light); red: Airbyte's own")
        right.set_xlim(
            0, 1.2 * max(AIRBYTE_POINTS_AN_ISSUE, *(spent[name].points / rows[name] for name in large))
        )
        right.set_xlabel("points a row")
        figure.suptitle(
            f"1,000 issues: {each:.1f} requests, not {theirs['issues']:.0f}; "
            f"{issues.points / rows['issues']:.0f} points an issue, not {AIRBYTE_POINTS_AN_ISSUE}"
        )

    target = Target(
        f"1,000 issues by {_FLOOR} requests (Airbyte's own: {theirs['issues']:.0f})",
        f"{small.pages}, and {small.lists} for nested lists that are longer than what came with them",
        small.pages <= _FLOOR,
        f"{small.pages - _FLOOR}",
    )
    facts = {
        "requests": each,
        "points an issue": issues.points / rows["issues"],
        "rows": sum(rows.values()),
        "issues": rows["issues"],
    }
    return Section("cost", "Requests and points for 1,000 records", text, draw, (target,), facts)
