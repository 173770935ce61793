"""A sync says how many rows are to come, and how far it is while it goes on."""

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from integration_tests.connector import Connector, Output
from integration_tests.linear_api import LinearApi

# The command as it is, but for how often it says how far it is, and that a short wait is worth a word.
OFTEN = """
from source_linear.sync import progress
progress.EVERY, progress._SHORT_WAIT = 0.2, 0.0
from source_linear.run import main
main()
"""


def lines(output: Output, stream: str) -> list[str]:
    return [line for line in output.logs if re.match(rf"INFO Stream {stream}: [\d,]+ rows", line)]


def estimates(output: Output) -> dict[str, int]:
    traces = [message["trace"] for message in output.messages if message["type"] == "TRACE"]
    found = [trace["estimate"] for trace in traces if trace["type"] == "ESTIMATE"]
    assert {one["type"] for one in found} <= {"STREAM"}
    return {one["name"]: one["row_estimate"] for one in found}


@pytest.fixture
def api(make_linear_api: Callable[..., LinearApi]) -> LinearApi:
    api = make_linear_api(issues=1500, seed=4)
    api.clock.advance(2)
    return api


@pytest.fixture
def often(api: LinearApi, tmp_path: Path) -> Connector:
    connector = Connector.of(api, tmp_path, num_workers=2)
    connector.command = [sys.executable, "-c", OFTEN]
    return connector


@pytest.mark.slow
def test_a_long_sync_says_how_far_it_is(api: LinearApi, often: Connector) -> None:
    catalog = often.catalog(["issues", "issue_history"])
    api.latency = 0.4
    output = often.read(catalog)
    assert output.exit_code == 0
    for stream in ("issues", "issue_history"):
        form = rf"INFO Stream {stream}: ([\d,]+) rows, (\d+) %"
        told = [re.fullmatch(form, line) for line in lines(output, stream)]
        assert len(told) >= 3 and all(told), lines(output, stream)
        rows = [int(one[1].replace(",", "")) for one in told if one]
        parts = [int(one[2]) for one in told if one]
        assert rows == sorted(rows) and parts == sorted(parts)
        assert rows[-1] <= len(output.records[stream])
        assert parts[0] < parts[-1] <= 99
    whole = [line for line in output.logs if line.startswith("INFO All streams: ")]
    assert len(whole) >= 3
    assert all(re.match(r"INFO All streams: about \d+ min more, until \d\d:\d\d UTC", one) for one in whole)


@pytest.mark.slow
def test_a_sync_that_waits_says_once_until_when(api: LinearApi, often: Connector) -> None:
    catalog = often.catalog(["users", "comments"])
    api.limits.set(window=3.0)
    api.faults.rate_limited(
        400, reset_seconds=3, nth=2, where=lambda request: request.query.startswith("query comments")
    )
    output = often.read(catalog)
    assert output.exit_code == 0
    said = [line for line in output.logs if "waiting" in line]
    assert len(said) == 1, said
    assert re.search(r"rate limit is used up: waiting until \d\d:\d\d:\d\d UTC, then continuing", said[0])


def test_the_number_of_rows_is_estimated_where_it_is_known(
    api: LinearApi, make_connector: Callable[..., Connector]
) -> None:
    api.clock.advance(120)  # past the lookback window of what is there
    connector = make_connector(api)
    catalog = connector.catalog(["issues", "users", "teams", "issue_history"])
    first = connector.read(catalog)
    assert estimates(first) == {
        name: len(first.records[name]) for name in ("issues", "users", "teams")
    }  # of a history nobody knows how many rows its parents have
    assert first.messages.index(
        next(one for one in first.messages if "trace" in one and one["trace"]["type"] == "ESTIMATE")
    ) < (first.messages.index(next(one for one in first.messages if one["type"] == "RECORD")))

    api.clock.advance(60)
    for user in api.workspace.ids("User")[:3]:
        api.workspace.update("User", user, name="Changed")
    api.clock.advance(60)
    second = connector.read(catalog, first.last_states)
    assert estimates(second) == {name: len(second.records[name]) for name in catalog_names(catalog)}
    assert estimates(second)["users"] == 3


def catalog_names(catalog: dict[str, Any]) -> list[str]:
    return [one["stream"]["name"] for one in catalog["streams"]]


def on_a_terminal(connector: Connector, *arguments: str, elsewhere: bool) -> tuple[str, str]:
    """What a command prints: into a file, where its stdout is `elsewhere`, and on a terminal."""
    ours, theirs = pty.openpty()
    printed, shown = connector.directory / "printed", b""
    with printed.open("wb") as file:
        stdout = file if elsewhere else theirs
        process = subprocess.Popen(
            [*connector.command, *arguments], stdout=stdout, stderr=theirs, cwd=connector.directory
        )
    os.close(theirs)
    with suppress(OSError):  # nobody writes any more
        while part := os.read(ours, 65_536):
            shown += part
    os.close(ours)
    process.wait()
    return printed.read_text("utf-8"), shown.decode().replace("\r\n", "\n")


def test_on_a_terminal_whose_output_goes_elsewhere_the_log_is_told_in_sentences(
    api: LinearApi, tmp_path: Path
) -> None:
    connector = Connector.of(api, tmp_path)
    api.faults.error("FORBIDDEN", root="webhooks", count=None)
    arguments = connector.arguments("read", catalog=connector.catalog(["users", "webhooks"]))
    printed, shown = on_a_terminal(connector, *arguments, elsewhere=True)
    assert {json.loads(line)["type"] for line in printed.splitlines()} >= {"RECORD", "STATE", "LOG"}
    told = shown.splitlines()
    assert any(re.match(r"Stream users: \d+ records, \d+ requests?, ", line) for line in told)
    assert any(line.startswith("WARNING: ") or line.startswith("ERROR: ") for line in told)
    assert not any(line.startswith("{") for line in told)
    assert api.api_key not in shown


def test_where_all_output_is_on_the_terminal_or_none_nothing_is_said_twice(
    api: LinearApi, tmp_path: Path
) -> None:
    connector = Connector.of(api, tmp_path)
    arguments = connector.arguments("read", catalog=connector.catalog(["users"]))
    assert connector.run(*arguments).stderr == ""
    _, shown = on_a_terminal(connector, *arguments, elsewhere=False)
    assert shown and all(line.startswith("{") for line in shown.splitlines())


def test_a_read_of_all_streams_says_no_more_than_a_person_reads(
    make_linear_api: Callable[..., LinearApi], tmp_path: Path
) -> None:
    api = make_linear_api(issues=20, seed=1)
    connector = Connector.of(api, tmp_path)
    output = connector.read(connector.catalog())
    assert len(output.statuses) == 50
    assert len(output.logs) <= 150
    api.clock.advance(7200)
    later = connector.read(connector.catalog(), output.last_states)
    assert len(later.logs) <= 10
    assert not re.search(r"\b1 (records|requests|points|rows|streams)\b", "\n".join(output.logs + later.logs))
