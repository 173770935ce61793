"""The report: Markdown, and a PNG for each question."""

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.pictures import draw
from benchmarks.sections import Section, Target, table
from benchmarks.sizes import FULL, Sizes


def write(directory: Path, sections: Sequence[Section], sizes: Sizes, machine: str, minutes: float) -> None:
    """Write README.md and the pictures."""
    directory.mkdir(parents=True, exist_ok=True)
    for section in sections:
        draw(section, directory / f"{section.name}.png")
    when = f"{datetime.now(UTC):%Y-%m-%d}"
    (directory / "README.md").write_text(markdown(sections, sizes, minutes, when, machine), "utf-8")


def machine() -> str:
    """What the figures are measured on, and how busy it is when this is asked."""
    load = f"; load average {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    return (
        f"{os.cpu_count()} cores ({platform.machine()}, {platform.system()}), Python "
        f"{platform.python_version()}, airbyte-cdk {version('airbyte-cdk')}, orjson {version('orjson')}{load}"
    )


def markdown(sections: Sequence[Section], sizes: Sizes, minutes: float, when: str, machine: str) -> str:
    """The text of the report."""
    targets = [target for section in sections for target in section.targets]
    small = "" if sizes == FULL else " with `--quick`, in sizes that are for trying out only"
    parts = [
        "# Benchmarks",
        f"Written by `make bench`{small}, in one run of {minutes:.0f} minutes on {when}: {machine}.\n"
        "On a shared machine such figures vary by a quarter and more from run to run. Ratios vary less:\n"
        "what is compared was measured side by side. On another machine, compare the bare loop first.\n"
        "Nothing here was measured against Linear itself.",
        "## Targets\n\n" + table(("Target", "Measured", "Met"), map(_row, targets)),
    ]
    for number, section in enumerate(sections, 1):
        picture = f"![{section.title}]({section.name}.png)"
        parts.append(f"## {number}. {section.title}\n\n{picture}\n\n{section.text.strip()}")
    return "\n\n".join(parts) + "\n"


def _row(target: Target) -> tuple[str, str, str]:
    missed = f"no, missed by {target.missed}" if target.missed else "no"
    return target.text, target.measured, "yes" if target.met else missed
