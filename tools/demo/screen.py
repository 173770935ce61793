"""What the person at the terminal sees: a moving display on a terminal, plain lines elsewhere."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

_PLAIN_EVERY = 5.0  # seconds between two lines of a long step where nothing can move
_PLAIN_WIDTH = 1000  # a log's lines are not wrapped
_BAR = 24  # columns of the longest bar
_COLOURS = ("blue", "green")


class Step:
    """A step of the demo while it runs.

    Attributes:
        result: what it came to (so far), for the line that stays.
        failed: whether something is missing from it.
    """

    def __init__(self, name: str, console: Console, progress: Progress) -> None:
        self._name = name
        self._console = console
        self._progress = progress
        self._task = progress.add_task(name, total=None, note="")
        self._said = time.monotonic()
        self.result = ""
        self.failed = False

    def update(self, done: int, total: int) -> None:
        """Show how far it is, and `result` as it stands."""
        self._progress.update(self._task, completed=done, total=total, note=self.result)
        if not self._console.is_terminal and time.monotonic() - self._said > _PLAIN_EVERY:
            self._said = time.monotonic()
            self._console.print(Text(f"  … {self._name:<10} {self.result}"))


class Screen:
    """Standard output."""

    def __init__(self) -> None:
        self._console = Console(highlight=False)
        if not self._console.is_terminal:
            self._console = Console(highlight=False, width=_PLAIN_WIDTH)

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Show a step while it runs and one line when it is over; `result` goes into that line."""
        started = time.monotonic()
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description:<10}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
        )
        with Progress(
            *columns,
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        ) as progress:
            step = Step(name, self._console, progress)
            try:
                yield step
            except BaseException:
                step.failed = True
                raise
            finally:
                line = Text("  ✗", "bold red") if step.failed else Text("  ✓", "green")
                line.append(f" {name:<10} {step.result} ", "default")
                line.append(f"({time.monotonic() - started:.1f} s)", "dim")
                self._console.print(line)

    def title(self, text: str) -> None:
        """A headline."""
        self.gap()
        self._console.print(Text(text, style="bold"))

    def gap(self) -> None:
        """An empty line."""
        self._console.print()

    def text(self, text: str, style: str = "") -> None:
        """A paragraph."""
        self._indented(Text(text, style=style))

    def command(self, text: str) -> None:
        """A command to be copied: never wrapped."""
        self._console.print(Text(f"    {text}"), soft_wrap=True)

    def error(self, text: str) -> None:
        """Why it ends early."""
        self.gap()
        self.text(text, "bold red")

    def sql(self, sql: str) -> None:
        """SQL, as it can be pasted."""
        if self._console.is_terminal:
            code = Syntax(sql, "sql", theme="ansi_dark", background_color="default", word_wrap=True)
            self._indented(code)
        else:
            self.text(sql)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """A table; numbers stand on the right."""
        table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
        for position, name in enumerate(columns):
            numeric = all(isinstance(row[position], int | float | None) for row in rows)
            table.add_column(name, justify="right" if numeric else "left", no_wrap=True)
        for row in rows:
            table.add_row(*(Text(_shown(value)) for value in row))
        self._indented(table)

    def bars(self, rows: Sequence[tuple[str, Mapping[str, int]]]) -> None:
        """A picture: at each place a bar for each value, all on one scale."""
        most = max((value for _, values in rows for value in values.values()), default=0) or 1
        table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
        table.add_column("", no_wrap=True)
        for name in rows[0][1] if rows else ():
            table.add_column(name, no_wrap=True, min_width=_BAR + 5)
        for place, values in rows:
            table.add_row(
                Text(place),
                *(
                    Text(_bar(value / most), colour) + Text(f" {value:,}", "default")
                    for value, colour in zip(values.values(), _COLOURS, strict=False)
                ),
            )
        self._indented(table)

    def _indented(self, renderable: RenderableType) -> None:
        """Print it, without blanks at the ends of lines where nothing is coloured."""
        padded = Padding(renderable, (0, 2), expand=False)
        if self._console.is_terminal:
            self._console.print(padded)
            return
        with self._console.capture() as capture:
            self._console.print(padded)
        for line in capture.get().splitlines():
            self._console.out(line.rstrip(), highlight=False)


def _bar(share: float) -> str:
    whole, rest = divmod(round(share * _BAR * 8), 8)
    return "█" * whole + ("", *"▏▎▍▌▋▊▉")[rest]


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    # Titles may hold tabs and line breaks.
    return f"{value:,}" if isinstance(value, int | float) else " ".join(str(value).split())
