"""Figures that a gate measured, for the one line that `.ci/run` prints of it."""

import os
from pathlib import Path


def note(figure: str) -> None:
    """Add a figure, for example `image 242 MB`, to the file that FIGURES names, if it names one."""
    if path := os.environ.get("FIGURES"):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(f"{figure}\n")
