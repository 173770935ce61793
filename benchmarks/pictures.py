"""How the pictures look."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.sections import Section

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OURS, OURS_TOO = "#5e6ad2", "#bfc4ee"
OTHERS, OTHERS_TOO = "#9aa0ab", "#d5d8de"
TARGET = "#d9480f"
QUIET = "#6b7280"  # of text that is not the point
_INCHES = (9, 4.2)
_STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "figure.titlesize": 11,
    "figure.titleweight": "bold",
}


def draw(section: Section, path: Path) -> None:
    """Write a section's picture."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=_INCHES, dpi=130, layout="constrained")
        section.draw(figure)
        figure.savefig(path, metadata={"Software": None})


def bars(
    axes: "Axes", values: list[float], colors: list[str] | str, texts: list[str], pad: float = 0.01
) -> None:
    """Horizontal bars, the first on top, each with its figure."""
    axes.barh(range(len(values)), values, 0.6, color=colors)
    room = max(values) * pad
    for place, (value, text) in enumerate(zip(values, texts, strict=True)):
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1}
        axes.text(value + room, place, text, va="center", fontweight="bold", bbox=box, zorder=5)
    axes.invert_yaxis()


def target_line(axes: "Axes", value: float, text: str, vertical: bool = False) -> None:
    """A dashed line where a target is."""
    if vertical:
        axes.axvline(value, color=TARGET, linestyle="--", linewidth=1)
        axes.text(value, 1.01, text, color=TARGET, ha="center", transform=axes.get_xaxis_transform())
    else:
        axes.axhline(value, color=TARGET, linestyle="--", linewidth=1)
        axes.text(0.01, value, text, color=TARGET, va="bottom", transform=axes.get_yaxis_transform())
