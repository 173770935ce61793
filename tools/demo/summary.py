"""What the tables hold now: their sizes, answers in SQL, and what it took."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.demo.destination import DuckDBDestination
from tools.demo.questions import QUESTIONS
from tools.demo.screen import Screen
from tools.demo.sync import Sync

_LARGEST = 8  # tables that are shown


def show_tables(
    screen: Screen,
    destination: DuckDBDestination,
    streams: Sequence[Mapping[str, Any]],
    done: Sync,
) -> None:
    """The largest tables: their rows, how many are archived, and how many versions this run read."""
    sizes = []
    for name in (stream["name"] for stream in streams):
        counted = f'SELECT count(*), count(*) FILTER (isArchived) FROM "{name}"'
        rows, archived = destination.query(counted).rows[0]
        sizes.append((name, rows, archived or None, done.records[name] or None))
    sizes.sort(key=lambda size: (-size[1], size[0]))
    filled = [size for size in sizes if size[1]]
    empty = [size[0] for size in sizes if not size[1]]
    screen.title("Tables")
    screen.table(("table", "rows", "archived", "read now"), filled[:_LARGEST])
    if rest := filled[_LARGEST:]:
        screen.text(f"and {len(rest)} more with {sum(size[1] for size in rest):,} rows", "dim")
    if empty:
        screen.text(f"empty: {', '.join(empty)}", "dim")


def answer_questions(screen: Screen, destination: DuckDBDestination) -> None:
    """Each question, the SQL for it and the answer."""
    for question in QUESTIONS:
        screen.title(question.title)
        screen.sql(question.sql)
        screen.gap()
        answer = destination.query(question.sql)
        if answer.rows:
            screen.table(answer.columns, answer.rows)
        else:
            screen.text("Nothing.")


def conclude(
    screen: Screen,
    database: Path,
    syncs: Sequence[tuple[Any, ...]],
    warnings: Sequence[str],
) -> None:
    """What this run took, what the first one took, and where to look next."""
    if warnings:
        screen.title("Warnings of the connector")
        for warning in warnings:
            screen.text(warning, "yellow")
    screen.title("Done")
    screen.text(f"This run read {_effort(syncs[-1])}.")
    if len(syncs) > 1:
        screen.text(f"The first run read {_effort(syncs[0])}.")
    screen.gap()
    screen.text(f"The tables are in {database}. Open them with DuckDB's own program:")
    screen.command(f"duckdb -ui {database}")
    screen.text("or with this project's Python:")
    asked = f"print(duckdb.connect('{database}').sql('FROM issues'))"
    screen.command(f'{_python()} -c "import duckdb; {asked}"')
    screen.text("Run `make demo` again: it reads what has changed since.")


def _python() -> Path:
    """This Python, as a person here would call it."""
    python = Path(sys.executable)
    return python.relative_to(Path.cwd()) if python.is_relative_to(Path.cwd()) else python


def _effort(sync: tuple[Any, ...]) -> str:
    records, requests, seconds = sync
    asked = f" with {requests:,} requests" if requests is not None else ""
    return f"{records:,} rows{asked} in {seconds:.1f} s"
