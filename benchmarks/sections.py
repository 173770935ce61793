"""What one part of the benchmark hands to the report."""

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Target:
    """One target of the project, and what was measured.

    Attributes:
        text: the target.
        measured: the figure, for people.
        met: whether it is met.
        missed: by how much it is not, for people.
    """

    text: str
    measured: str
    met: bool
    missed: str = ""


@dataclass(frozen=True)
class Section:
    """A question, its answer as Markdown, and its picture.

    Attributes:
        name: name of the part, and of its PNG.
        title: the question.
        text: Markdown.
        draw: draws the answer.
        targets: what of the project's targets it answers.
        facts: figures that docs/performance.md needs.
    """

    name: str
    title: str
    text: str
    draw: Callable[["Figure"], None]
    targets: Sequence[Target] = ()
    facts: Mapping[str, float] = field(default_factory=dict)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first are figures."""
    lines = [f"| {' | '.join(head)} |", f"|---|{'---:|' * (len(head) - 1)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines)


def median_and_range(values: Sequence[float], digits: int = 0) -> str:
    """For example `1,234 (1,200 to 1,300)`."""
    shown = f"{statistics.median(values):,.{digits}f}"
    if len(values) == 1:
        return shown
    return f"{shown} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


def say(text: str) -> None:
    """Tell whoever waits."""
    print(text, flush=True)
