"""What was found, for people and for programs: figures and forms, nothing of the workspace's content."""

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from tools.verify.asking import MOST_POINTS, MOST_REQUESTS, Meter
from tools.verify.claim import Outcome, Verdict

_WIDTH = 110
_LONGEST = 350  # characters of what was seen
_MARKS = {Verdict.HOLDS: "holds  ", Verdict.DIFFERS: "DIFFERS", Verdict.UNSEEN: "unseen "}


def beforehand(address: str, watch: bool = False) -> str:
    """What is said before anything is sent."""
    purpose = (
        "follows one issue that you change by hand" if watch else "compares answers with docs/linear-api.md"
    )
    return _wrapped(
        f"This asks {address}, {purpose}, and changes nothing: it sends queries only, at most "
        f"{MOST_REQUESTS} requests and {MOST_POINTS:,} points, a tenth of what an API key may use in an "
        "hour. The report holds figures and forms, and no content of the workspace."
    )


def line(outcome: Outcome) -> str:
    """A claim in three lines: verdict, id and what was expected; what was seen, or why nothing was."""
    claim, findings = outcome.claim, outcome.findings
    second = f"why: {findings.why}" if findings.verdict is Verdict.UNSEEN else f"seen: {findings.seen}"
    second = textwrap.shorten(second, _LONGEST, placeholder=" … (all in the JSON report)")
    return "\n".join(
        [
            _wrapped(f"{_MARKS[findings.verdict]}  {claim.fact:<12} {claim.expected}", " " * 22),
            _wrapped(second, " " * 22, " " * 22),
        ]
    )


def conclusion(outcomes: Sequence[Outcome], meter: Meter, seconds: float) -> str:
    """The end of the report: what each difference means for the connector, and what it cost."""
    count = Counter(one.findings.verdict for one in outcomes)
    parts = [""]
    differing = [one for one in outcomes if one.findings.verdict is Verdict.DIFFERS]
    if differing:
        parts.append("What the differences mean for the connector:")
        parts += [_wrapped(f"  {one.claim.fact}: {one.claim.means}", " " * 4) for one in differing]
        parts.append("Please report them, with the JSON report: see docs/verify.md.")
    elif count[Verdict.HOLDS]:
        parts.append("All that could be seen holds.")
    parts.append(
        f"{len(outcomes)} claims: {count[Verdict.HOLDS]} hold, {count[Verdict.DIFFERS]} differ, "
        f"{count[Verdict.UNSEEN]} could not be seen here. "
        f"{meter.requests} requests, {meter.points:,.0f} points, {seconds:.0f} s."
    )
    return "\n".join(parts)


def document(
    outcomes: Iterable[Outcome], meter: Meter, seconds: float, address: str, auth_type: str
) -> Mapping[str, Any]:
    """The report for programs."""
    return {
        "source_linear": version("source-linear"),
        "date": datetime.now(UTC).date().isoformat(),
        "asked": address,
        "auth_type": auth_type,
        "requests": meter.requests,
        "points": round(meter.points),
        "seconds": round(seconds),
        "claims": [
            {
                "fact": one.claim.fact,
                "expected": one.claim.expected,
                "verdict": one.findings.verdict.value,
                "seen": one.findings.seen,
                "why": one.findings.why,
                "compared": one.findings.compared,
                "differing": one.findings.differing,
                "figures": one.findings.figures,
                "means": one.claim.means,
            }
            for one in outcomes
        ],
    }


def _wrapped(text: str, further: str = "", first: str = "") -> str:
    return "\n".join(_lines(text, further, first))


def _lines(text: str, further: str, first: str) -> Iterator[str]:
    yield from textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=further,
        break_long_words=False,
        break_on_hyphens=False,
    )
