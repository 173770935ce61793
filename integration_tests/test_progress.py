"""A sync says how many rows are to come, and how far it is while it goes on."""

import re
import sys
from collections.abc import Callable
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
        form = rf"INFO Stream {stream}: ([\d,]+) rows, (\d+) % of the time since (\d+)(; .*about .* more)?"
        told = [re.fullmatch(form, line) for line in lines(output, stream)]
        assert len(told) >= 3 and all(told), lines(output, stream)
        rows = [int(one[1].replace(",", "")) for one in told if one]
        parts = [int(one[2]) for one in told if one]
        assert rows == sorted(rows) and parts == sorted(parts)
        assert rows[-1] <= len(output.records[stream])
        assert parts[0] < parts[-1] <= 99
        assert any(one and one[4] for one in told), "it says how long it will take"
    assert {one[3] for one in told if one} == {
        api.workspace.expected("Organization", organization(api))["createdAt"][:4]
    }


def organization(api: LinearApi) -> str:
    [one] = api.workspace.ids("Organization")
    return one


@pytest.mark.slow
def test_a_sync_that_waits_says_until_when(api: LinearApi, often: Connector) -> None:
    catalog = often.catalog(["users", "comments"])
    api.limits.set(window=3.0)
    api.faults.rate_limited(
        400, reset_seconds=3, nth=2, where=lambda request: request.query.startswith("query comments")
    )
    output = often.read(catalog)
    assert output.exit_code == 0
    said = [line for stream in ("users", "comments") for line in lines(output, stream)]
    assert [line for line in said if re.search(r"; waiting for Linear until \d\d:\d\d:\d\d UTC", line)], said


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
