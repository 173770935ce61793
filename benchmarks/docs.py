"""The figures in docs/performance.md: those of the last full run, and what follows from them."""

from collections.abc import Iterator, Mapping, Sequence

from benchmarks.by_size import by_pace
from benchmarks.process import ROOT
from benchmarks.sections import Section, table
from source_linear.packaged import manifest
from source_linear.streams import Stream
from tools.docs import LIMITS, ROWS_AN_ISSUE, SIZES, filled, first_sync, hours_of_waiting, points_a_row, walk
from tools.schemas import streams

PAGE = ROOT / "docs" / "performance.md"
_LATENCIES = (100, 300)
_KEY = LIMITS["an API key"]

Facts = Mapping[str, Mapping[str, float]]


def update(sections: Sequence[Section]) -> None:
    """Write the figures of a full run into the page."""
    facts = {section.name: section.facts for section in sections}
    blocks = {
        "measured": "\n".join(measured(facts)),
        "by size": "\n".join(by_size(facts, streams())),
        "by pace": by_pace(facts["by-size"]),
    }
    PAGE.write_text(filled(PAGE.read_text("utf-8"), blocks), "utf-8")


def measured(facts: Facts) -> Iterator[str]:
    """What a reader wants to know first."""
    speed, sync, quiet = facts["speed"], facts["first-sync"], facts["quiet"]
    rows = [
        (
            f"Records a second of {speed['columns']:.0f} columns through the whole process",
            f"{speed['rate']:,.0f}",
            f"{speed['times']:.0f} times a manifest of the usual kind, "
            f"{100 * speed['share']:.0f} % of a bare loop of requests and orjson; "
            f"{100 * speed['unlisted share']:.0f} % with `detect_deletions: never`, which walks no list",
        ),
        (
            f"First sync of {sync['rows']:,.0f} rows at 300 ms an answer",
            f"{sync['seconds at 300 ms']:.0f} s",
            f"one page after another: {sync['alone at 300 ms']:.0f} s",
        ),
        (
            "The same at 100 ms an answer",
            f"{sync['seconds at 100 ms']:.0f} s",
            f"one page after another: {sync['alone at 100 ms']:.0f} s",
        ),
        (
            "Sync of all streams that finds nothing new",
            f"{quiet['requests']:.0f} requests",
            f"{quiet['points']:,.0f} points, {quiet['seconds at 100 ms']:.1f} s at 100 ms an answer; without "
            f"the change probe {quiet['requests before']:.0f} and {quiet['points before']:,.0f}",
        ),
        ("Memory at the peak", f"{facts['memory']['megabytes']:.0f} MB", "while reading 1,000,000 rows"),
        (
            "`spec`: CPU until it is there",
            f"{facts['startup']['spec']:.1f} s",
            f"`discover`: {facts['startup']['discover']:.1f} s, most of it to import Airbyte's CDK",
        ),
    ]
    yield table(("Measured", "", ""), rows).replace("---:", "---")


def by_size(facts: Facts, known: Sequence[Stream]) -> Iterator[str]:
    """How long a first sync takes, by size of the workspace."""
    widest = max(known, key=lambda stream: points_a_row(stream)[0])
    rows = []
    for chosen, name in ((known, "all"), ([one for one in known if one is not widest], "without")):
        for issues in SIZES:
            counted = sum(ROWS_AN_ISSUE.get(stream.name, 0) for stream in chosen) * issues
            bounds, walked = first_sync(chosen, issues), walk(chosen, issues)[0]
            reading = [
                _span([seconds_of_reading(facts, counted, bound[0], walked, latency) for bound in bounds])
                for latency in _LATENCIES
            ]
            waits = [3600 * hours_of_waiting(*bound, _KEY) for bound in bounds]
            rows.append(
                (
                    f"{issues:,}",
                    name if chosen is known else f"all but `{widest.name}`",
                    f"{counted:,}",
                    _range([f"{bound[0]:,}" for bound in bounds]),
                    *reading,
                    _span(waits),
                )
            )
    yield table(
        (
            "Issues",
            "Streams",
            "Rows",
            "Requests",
            *(f"Reading, {latency} ms an answer" for latency in _LATENCIES),
            "The limits hold it up by",
        ),
        rows,
    )


def seconds_of_reading(facts: Facts, rows: float, requests: float, walked: int, latency: int) -> float:
    """What is longer, the answers or the process, after the start and the requests that walk the lists."""
    workers = manifest()["spec"]["connection_specification"]["properties"]["num_workers"]["default"]
    answers = (requests - walked) * latency / 1000 / float(workers)
    return (
        facts["startup"]["discover"]
        + walked * latency / 1000
        + max(answers, rows / facts["speed"]["reading rate"])
    )


def _span(seconds: Sequence[float]) -> str:
    return _range([_duration(one) for one in seconds])


def _duration(seconds: float) -> str:
    if seconds < 1:
        return "nothing"
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.0f} h"


def _range(shown: Sequence[str]) -> str:
    return " to ".join(dict.fromkeys(shown))
