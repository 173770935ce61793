"""What of Linear's limits do syncs use, by size of the workspace?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.generated import POINTS, REQUESTS, SHAPES, Generated, Shape, Synced, declared, sync
from benchmarks.pictures import OURS, TARGET
from benchmarks.sections import Section, Target, say, table
from benchmarks.sizes import Sizes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Rows of the long lists: requests and points that a sync without news may take.
_MOST_QUIET = {20: (4, 6_000), 500: (6, 12_000), 2_000: (12, 34_000), 10_000: (50, 180_000)}
_MOST_WALKING = 40  # requests
_FIRST = {"issues": 2_000, "comments": 6_000}
_MOST_FIRST = 730_000  # points
_PAUSE, _DAY = 900.0, 90_000.0  # seconds
_PACES = (1, 5, 15, 60)  # minutes
_ALIKE = {kind: shape for kind, shape in SHAPES.items() if not kind.endswith(".links")}


@dataclass(frozen=True)
class Size:
    """Three syncs of a workspace: the first, one without news, and one without news that walks all lists."""

    rows: int
    first: Synced
    quiet: Synced
    daily: Synced


def measure(sizes: Sizes) -> Section:
    """Sync workspaces of several sizes, each again and again."""
    known = [_syncs(rows) for rows in sizes.lists]
    alike = _syncs(min(sizes.lists[-1], 2_000), _ALIKE)
    walked = Generated({"issues": sizes.walked // 5, "comments": sizes.walked})
    begun = sync(walked, declared(("issues", "comments")), until=1)
    walks = [points for name, points in walked.requests if not name]
    say(f"  walk of {sizes.walked:,} comments and {sizes.walked // 5:,} issues: {len(walks)} requests")
    assert begun.rows.total()
    first = sync(linear := Generated(_FIRST), declared())
    say(f"  first sync: {first.requests} requests, {first.points:,} points")
    return _section(sizes, known, alike, walks, first, linear.items("Issue.history"))


def _syncs(rows: int, shapes: Mapping[str, Shape] = SHAPES) -> Size:
    """A first sync of a workspace whose long lists have so many rows, and two without news."""
    long = dict.fromkeys(("users", "issueLabels", "teamMemberships", "issues"), rows)
    half = dict.fromkeys(("projects", "cycles"), max(20, rows // 2))
    linear, streams = Generated({**long, **half, "comments": 3 * rows}, shapes=shapes), declared()
    first = sync(linear, streams)
    linear.wait(_PAUSE)
    before = sync(linear, streams, first.states)
    linear.wait(_PAUSE)
    quiet = sync(linear, streams, before.states)
    linear.wait(_DAY)
    daily = sync(linear, streams, quiet.states)
    if again := quiet.rows + daily.rows:
        raise RuntimeError(f"rows of {', '.join(again)} came again")
    say(f"  {rows:,} rows a list: {quiet.requests} requests, {quiet.points:,} points")
    return Size(rows, first, quiet, daily)


def share(requests: float, points: float, minutes: float) -> float:
    """The part of an hour's limits that such syncs use, of requests and points the larger one."""
    return 60 / minutes * max(requests / REQUESTS, points / POINTS)


def fits_up_to(costs: Sequence[tuple[float, float, float]], minutes: float) -> float:
    """The size up to which syncs at this pace stay within the limits, between and beyond what was measured.

    Args:
        costs: sizes that rise, each with the requests and the points of a sync.
        minutes: between two syncs.
    """
    known = [(rows, share(requests, points, minutes)) for rows, requests, points in costs]
    (last, before), (rows, part) = known[0], known[-1]
    for at, (one, used) in enumerate(known[1:], 1):
        if used > 1 or at == len(known) - 1:
            (last, before), (rows, part) = known[at - 1], (one, used)
            break
    return last + (1 - before) * (rows - last) / (part - before)


def by_pace(facts: Mapping[str, float]) -> str:
    """What syncs without news use of the limits, by size and pace, as Markdown."""
    sizes = sorted(int(name.split()[1]) for name in facts if name.startswith("requests "))
    costs = [(rows, facts[f"requests {rows}"], facts[f"points {rows}"]) for rows in sizes]
    head = (
        "Rows a list",
        "Requests",
        "Points",
        *(f"Each {_minutes(pace)}" for pace in _PACES),
        "Requests of the daily walk",
    )
    rows = [
        (
            f"{size:,}",
            f"{requests:,.0f}",
            f"{points:,.0f}",
            *(_percent(share(requests, points, pace)) for pace in _PACES),
            f"{facts[f'daily {size}']:,.0f}",
        )
        for size, requests, points in costs
    ]
    most = [_about(fits_up_to(costs, pace)) for pace in _PACES]
    rows.append(("fits up to about", "", "", *most, ""))
    return table(head, rows)


def _minutes(pace: int) -> str:
    return f"{pace} minutes" if pace > 1 else "minute"


def _percent(part: float) -> str:
    return f"{100 * part:.1f} %" if part < 0.1 else f"{100 * part:.0f} %"


def _about(rows: float) -> str:
    digits = len(str(int(rows))) - 2
    return f"{round(rows, -digits):,.0f} rows"


def _section(
    sizes: Sizes,
    known: Sequence[Size],
    alike: Size,
    walks: Sequence[int],
    first: Synced,
    history: int,
) -> Section:
    facts: dict[str, float] = {}
    for one in known:
        facts |= {f"requests {one.rows}": one.quiet.requests, f"points {one.rows}": one.quiet.points}
        facts[f"daily {one.rows}"] = one.daily.requests - one.quiet.requests
    rows = [
        (
            f"{one.rows:,}",
            f"{one.quiet.requests:,}",
            f"{one.quiet.points:,}",
            f"{one.daily.requests:,}",
            f"{one.daily.points:,}",
            f"{one.first.rows.total():,}",
            f"{one.first.requests:,}",
            f"{one.first.points:,}",
        )
        for one in known
    ]
    head = (
        "Rows a list",
        "Requests, no news",
        "Points",
        "Requests, no news, all lists walked",
        "Points",
        "Rows of a first sync",
        "Requests",
        "Points",
    )
    walked = f"{sizes.walked:,} comments and {sizes.walked // 5:,} issues"
    text = f"""\
Syncs of all 50 streams of workspaces that are computed, not kept (`benchmarks/generated.py`), in the sync's
own process, billed by the formula. Users, labels, team memberships and issues have so many rows, projects
and cycles half as many (20 at least), comments three times as many, other lists 20. Lists inside rows are of
mixed length: a quarter of the projects has no links, a third up to 3, a quarter 4 to 7, the rest up to 30;
cycles and releases have fewer links: 60 % none, 15 % 2 to 30. *All lists walked*: after a day.

{table(head, rows)}

Where cycles have as many links as projects, a sync without news of {alike.rows:,} rows a list takes
{alike.quiet.requests} requests and {alike.quiet.points:,} points.

A walk of {walked}, before they are read: {len(walks)} requests, {sum(walks):,} points. A first sync of
{_FIRST["issues"]:,} issues, {_FIRST["comments"]:,} comments and {history:,} rows of history, all 50 streams:
{first.requests} requests, {first.points:,} points.

What syncs without news use of an API key's hourly limits, of requests and points the larger share:

{by_pace(facts)}
"""
    targets = [
        Target(
            f"no news, {one.rows:,} rows a list: at most {_MOST_QUIET[one.rows][0]} requests and "
            f"{_MOST_QUIET[one.rows][1]:,} points",
            f"{one.quiet.requests} requests, {one.quiet.points:,} points",
            one.quiet.requests <= _MOST_QUIET[one.rows][0] and one.quiet.points <= _MOST_QUIET[one.rows][1],
            f"{max(0, one.quiet.requests - _MOST_QUIET[one.rows][0])} requests, "
            f"{max(0, one.quiet.points - _MOST_QUIET[one.rows][1]):,} points",
        )
        for one in known
    ]
    targets += [
        Target(
            f"a walk of {walked}: at most {_MOST_WALKING} requests",
            f"{len(walks)} requests",
            len(walks) <= _MOST_WALKING,
            f"{len(walks) - _MOST_WALKING}",
        ),
        Target(
            f"a first sync of 2,000 issues, 6,000 comments and {history:,} rows of history: at most "
            f"{_MOST_FIRST:,} points",
            f"{first.points:,} points",
            first.points <= _MOST_FIRST,
            f"{first.points - _MOST_FIRST:,}",
        ),
    ]

    def draw(figure: "Figure") -> None:
        axes = figure.subplots()
        places = [one.rows for one in known]
        for pace in _PACES:
            used = [100 * share(one.quiet.requests, one.quiet.points, pace) for one in known]
            axes.plot(places, used, marker="o", color=OURS, linewidth=2, alpha=0.4 + 0.6 / pace**0.5)
            axes.annotate(
                f"each {_minutes(pace)}",
                (places[-1], used[-1]),
                (6, 0),
                textcoords="offset points",
                va="center",
            )
        axes.axhline(100, color=TARGET, linestyle="--", linewidth=1)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xticks(places, [f"{place:,}" for place in places])
        axes.minorticks_off()
        axes.set_xlim(places[0] / 1.3, places[-1] * 2.5)
        axes.set_xlabel("rows a list")
        axes.set_ylabel("% of an hour's limits (logarithmic)")
        axes.set_title("What syncs without news use of Linear's limits")

    return Section("by-size", "Cost of syncs by size of the workspace", text, draw, targets, facts)
