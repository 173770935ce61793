"""Measure what builder.yaml asks for, beside source-linear, and write it into docs/builder.md.

    python -m integration_tests.builder

Both read the same simulated workspace three times: at first, without news, and after a day's changes.
"""

import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from integration_tests.connector import Connector
from integration_tests.linear_api import PURGED, LinearApi
from tools.builder import BUILDER, PAGE, columns, is_given
from tools.docs import filled
from tools.schemas import streams

ISSUES, SEED = 2_000, 1
SYNCS = ("first", "without news", "after a day's changes")


def runner(api: LinearApi, directory: Path, credentials: Any = None, **options: Any) -> Connector:
    """The CDK's own runner with builder.yaml as it stands, but for the addresses.

    Args:
        api: the simulator.
        directory: where it writes its files.
        credentials: those of the configuration; the simulator's API key, by default.
        options: further configuration.
    """
    text = BUILDER.read_text("utf-8")
    for real, simulated in (("graphql", api.url), ("oauth/token", api.token_url)):
        assert f"https://api.linear.app/{real}" in text
        text = text.replace(f"https://api.linear.app/{real}", simulated)
    config = {
        "credentials": credentials or {"auth_type": "API Key", "api_key": api.api_key},
        "__injected_declarative_manifest": yaml.safe_load(text),
        **options,
    }
    return Connector(directory, config, [str(Path(sys.executable).with_name("source-declarative-manifest"))])


def _change(api: LinearApi) -> None:
    """A day's changes: 40 issues with a comment each, and a few other rows."""
    workspace = api.workspace
    for issue in workspace.ids("Issue", archived=False)[:40]:
        workspace.update("Issue", issue, title="Changed")
        workspace.create("Comment", body="New", issueId=issue)
    for entity in ("Project", "User", "Cycle"):
        workspace.update(entity, workspace.ids(entity, archived=False)[0], name="Changed")


def _measure(is_builder: bool) -> Iterator[tuple[Counter[str], int, int]]:
    """Requests by query, points and records of each sync."""
    with (
        LinearApi(issues=ISSUES, seed=SEED, purged=PURGED) as api,
        tempfile.TemporaryDirectory() as directory,
    ):
        connector = runner(api, Path(directory)) if is_builder else Connector.of(api, Path(directory))
        catalog = connector.catalog([stream.name for stream in streams() if is_given(stream)])
        states: Any = None
        for sync in SYNCS:
            api.clock.advance(3600)
            if sync == SYNCS[2]:
                _change(api)
                api.clock.advance(3600)
            api.requests.clear()
            output = connector.read(catalog, states, timeout=1_800)
            assert output.exit_code == 0, output.errors
            states = output.last_states
            asked = Counter(_name(record.query) for record in api.requests)
            points = sum(record.complexity for record in api.requests)
            yield asked, points, sum(map(len, output.records.values()))


def _name(query: str) -> str:
    named = re.match(r"\s*query\s+(\w+)", query)
    return named[1] if named else ""


def table() -> str:
    """What was measured, as tables of the docs."""
    theirs, ours = list(_measure(True)), list(_measure(False))
    lines = ["| Sync | By | Requests | Points | Records |", "|---|---|---|---|---|"]
    for sync, *pair in zip(SYNCS, theirs, ours, strict=True):
        for name, (asked, points, rows) in zip(("`builder.yaml`", "source-linear"), pair, strict=True):
            lines.append(f"| {sync} | {name} | {asked.total():,} | {points:,} | {rows:,} |")
    lines += ["", "| Stream | Columns | Of source-linear | Requests of a first sync | Of source-linear |"]
    lines.append("|---|---|---|---|---|")
    first, own = theirs[0][0], ours[0][0]
    for stream in streams():
        there = len(columns(stream)) if is_given(stream) else "none"
        asked = f"{first[stream.name]} | {own[stream.name]}" if is_given(stream) else " | "
        lines.append(f"| `{stream.name}` | {there} | {len(stream.column_names)} | {asked} |")
    of_several = own.total() - sum(own[stream.name] for stream in streams())
    lines.append(f"| of several streams | | | 0 | {of_several} |")
    return "\n".join(lines)


if __name__ == "__main__":
    measured = table()
    PAGE.write_text(filled(PAGE.read_text("utf-8"), {"measured": measured}), "utf-8")
