"""`make demo` to its end: the models in DuckDB, the picture, and a report with the independent figures."""

import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import duckdb
import pytest

from integration_tests.browser import chromium, look
from integration_tests.expected_models import ExpectedModels, Rows, moment, monday, percentile
from integration_tests.figures import note
from integration_tests.linear_api import LinearApi
from integration_tests.test_demo import workspace_after
from integration_tests.test_models import KEYS, assert_equal, by_key
from tools.dbt import PROGRAM
from tools.demo.report import CYCLES, DAYS, WEEKS
from tools.schemas import ROOT

__all__ = ["chromium"]

ISSUES = 300

# What is over: a day, a week, a cycle.
PAST = {
    "linear_daily_open_issues": ("team_id, day, opened, ended, open_issues", "day < ?"),
    "linear_team_daily": ("team_id, day, state_type, issues, points", "day < ? AND issues > 0"),
    "linear_team_flow": (
        "team_id, week_start, created, completed, completed_points, canceled, reopened, in_progress, "
        "median_cycle_time_days, p85_cycle_time_days",
        "week_start + 7 <= ?",
    ),
    "linear_cycle_daily": ("cycle_id, day, scope, started, completed, scope_points", "day < ?"),
    "linear_cycle_outcomes": (
        "cycle_id, committed, added, removed, completed, canceled, carried_over, completed_points",
        "ends_at < ?",
    ),
    "linear_user_activity": ("user_id, week_start, completed, completed_points", "week_start + 7 <= ?"),
    "linear_project_weekly": ("project_id, week_start, scope, completed", "week_start + 7 <= ?"),
}

pytestmark = [
    pytest.mark.models,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not PROGRAM.exists(), reason="dbt is not installed: make models"),
]


class Report(HTMLParser):
    """The page, as a program reads it: the rows of each figure's table, and the moment of the figures."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.tables: dict[str, list[list[Any]]] = {}
        self.as_of = ""
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._cell: Any = None
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append((tag, given))
        if tag == "figure":
            self._rows = self.tables.setdefault(str(given["id"]), [])
        elif tag == "tr":
            self._rows.append([])
        elif tag == "td":
            value = given.get("data-value")
            self._cell = None if value is None else float(value)
            self._rows[-1].append(self._cell)
        elif tag == "time":
            self.as_of = str(given["datetime"])

    def handle_data(self, data: str) -> None:
        if self.lasttag == "td" and self._rows[-1] and self._rows[-1][-1] is None:
            self._rows[-1][-1] = "" if data == "–" else data

    def rows(self, figure: str) -> list[list[Any]]:
        return [row for row in self.tables[figure] if row]


@dataclass(frozen=True)
class Demo:
    """A run of the demo.

    Attributes:
        output: what it printed.
        database: what it filled.
        report: what it drew.
        expected: what the models must hold.
        asked_others: whether any part of it, dbt too, wanted to leave this machine.
    """

    output: str
    database: Path
    report: Report
    expected: ExpectedModels
    asked_others: bool

    def model(self, name: str) -> Rows:
        with duckdb.connect(self.database, read_only=True) as connection:
            cursor = connection.execute(f"SELECT * FROM models.{name}")
            columns = [column[0] for column in cursor.description or ()]
            return by_key(name, (dict(zip(columns, row, strict=True)) for row in cursor.fetchall()))


def run(directory: Path, *options: str, **variables: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "LINEAR_API_KEY"}
    done = subprocess.run(
        [sys.executable, "-m", "tools.demo", "--directory", str(directory), *options],
        cwd=ROOT,
        env=environment | variables,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demo after a run, in a time zone of its own. What would leave the machine goes to a proxy."""
    directory = tmp_path_factory.mktemp("report")
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        proxy.settimeout(0)
        address = f"http://127.0.0.1:{proxy.getsockname()[1]}"
        proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), address)
        variables = {**proxies, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "TZ": "America/New_York"}
        output = run(directory, "--issues", str(ISSUES), **variables)
        try:
            proxy.accept()
            asked = True
        except BlockingIOError:
            asked = False
    report = Report(directory / "report.html")
    workspace = workspace_after(json.loads((directory / "workspace.json").read_text()))
    with duckdb.connect(directory / "linear.duckdb", read_only=True) as connection:
        # The page shows seconds; the models count to the millisecond.
        (as_of,) = connection.execute("SELECT as_of FROM airbyte_internal.models").fetchone() or ("",)
    return Demo(output, directory / "linear.duckdb", report, ExpectedModels(workspace, as_of), asked)


@pytest.fixture(scope="module")
def counted() -> Iterator[list[int]]:
    """How many figures of each model were compared."""
    figures: list[int] = []
    yield figures
    note(f"DuckDB: {sum(figures):,} figures of {len(figures)} models equal")


@pytest.mark.parametrize("name", KEYS)
def test_a_model_in_duckdb_holds_what_is_counted_over_the_rows(
    demo: Demo, name: str, counted: list[int]
) -> None:
    counted.append(assert_equal(demo.model(name), getattr(demo.expected, name)()))


def issues(demo: Demo) -> Iterable[dict[str, Any]]:
    return [row for row in demo.expected.linear_issues().values() if not row["is_deleted"]]


def weeks(demo: Demo) -> list[date]:
    this = monday(moment(demo.report.as_of))
    return [this - timedelta(days=7 * back) for back in range(WEEKS - 1, -1, -1)]


def assert_rows(found: list[list[Any]], expected: list[list[Any]]) -> None:
    assert found == [
        [pytest.approx(cell) if isinstance(cell, float) else cell for cell in row] for row in expected
    ]


def test_the_report_shows_the_days_of_the_cycles_that_run(demo: Demo) -> None:
    states = {key[0]: row["state"] for key, row in demo.expected.linear_cycle_outcomes().items()}
    days: dict[date, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for (cycle, day), row in demo.expected.linear_cycle_daily().items():
        if states[cycle] == "active":
            for place, name in enumerate(("scope_points", "started_points", "completed_points")):
                days[day][place] += row[name]
    assert_rows(demo.report.rows("cycle"), [[str(day), *counts] for day, counts in sorted(days.items())])
    assert len(days) >= 7 and all(counts[0] for counts in days.values())


def test_the_report_shows_what_became_of_the_last_cycles(demo: Demo) -> None:
    ends = {key[0]: str(row["ends_at"])[:10] for key, row in demo.model("linear_cycle_outcomes").items()}
    cycles: dict[str, list[float]] = defaultdict(lambda: [0, 0, 0, 0])
    for (cycle,), row in demo.expected.linear_cycle_outcomes().items():
        if row["state"] == "completed":
            for place, name in enumerate(("committed", "added", "completed", "carried_over")):
                cycles[ends[cycle]][place] += row[name]
    last = sorted(cycles.items())[-CYCLES:]
    assert_rows(demo.report.rows("cycles"), [[day, *counts] for day, counts in last])
    assert len(last) == CYCLES and all(sum(counts[place] for _, counts in last) for place in range(4))


def test_the_report_can_be_narrowed_to_a_team(demo: Demo) -> None:
    flow: dict[date, list[int]] = {week: [0, 0, 0] for week in weeks(demo)}
    for (_, week), row in demo.expected.linear_team_flow().items():
        if week in flow and row["team_key"] == "ENG":
            for place, name in enumerate(("created", "completed", "in_progress")):
                flow[week][place] += row[name]
    assert_rows(demo.report.rows("flow-ENG"), [[str(week), *counts] for week, counts in flow.items()])
    choices = [attributes for tag, attributes in demo.report.tags if tag == "input"]
    assert len(choices) > 3 and ["checked" in one for one in choices] == [True] + [False] * (len(choices) - 1)


def test_the_report_shows_the_flow_of_the_last_weeks(demo: Demo) -> None:
    flow: dict[date, list[int]] = {week: [0, 0, 0] for week in weeks(demo)}
    for (_, week), row in demo.expected.linear_team_flow().items():
        if week in flow:
            for place, name in enumerate(("created", "completed", "in_progress")):
                flow[week][place] += row[name]
    assert_rows(demo.report.rows("flow"), [[str(week), *counts] for week, counts in flow.items()])
    assert sum(map(sum, flow.values())) > WEEKS


def test_the_report_shows_the_cycle_times_of_the_last_weeks(demo: Demo) -> None:
    times: dict[date, list[float]] = defaultdict(list)
    for issue in issues(demo):
        if issue["state_type"] == "completed" and issue["cycle_time_days"] is not None:
            times[monday(issue["completed_at"])].append(issue["cycle_time_days"])
    expected = [
        [str(week), len(times[week]), float(statistics.median(times[week])), percentile(times[week], 85)]
        for week in weeks(demo)
        if times[week]
    ]
    assert len(expected) > 5
    assert_rows(demo.report.rows("cycle-time"), expected)


def test_the_report_shows_the_time_in_each_state(demo: Demo) -> None:
    left: dict[tuple[str, str], list[float]] = defaultdict(list)
    there: dict[tuple[str, str], list[float]] = defaultdict(list)
    open_issues = {key[0] for key, row in demo.expected.linear_issues().items() if row["is_open"]}
    for (issue, _), row in demo.expected.linear_issue_time_in_state().items():
        state = row["state_name"], row["state_type"]
        if not row["is_current"]:
            left[state].append(row["days"])
        elif issue in open_issues:
            there[state].append(row["days"])
    kinds = ("triage", "backlog", "unstarted", "started")
    expected = [
        [
            name,
            kind,
            *(
                part
                for days in (left[name, kind], there[name, kind])
                for part in (len(days), statistics.median(days) if days else "")
            ),
        ]
        for name, kind in {*left, *there}
        if kind in kinds
    ]
    expected.sort(key=lambda row: (kinds.index(row[1]), row[0]))
    assert len(expected) >= 5
    assert_rows(demo.report.rows("time-in-state"), expected)


def test_the_report_shows_the_open_issues_of_each_day_of_a_year(demo: Demo) -> None:
    today = moment(demo.report.as_of).date()
    days: dict[date, int] = {today - timedelta(days=back): 0 for back in range(DAYS - 1, -1, -1)}
    for (_, day), row in demo.expected.linear_daily_open_issues().items():
        if day in days:
            days[day] += row["open_issues"]
    assert_rows(demo.report.rows("open-issues"), [[str(day), count] for day, count in days.items()])
    assert days[today] == sum(issue["is_open"] for issue in issues(demo))


def test_the_demo_ends_with_the_picture_and_the_file(demo: Demo) -> None:
    last = demo.report.rows("flow")[-1]
    picture = demo.output[demo.output.index("\nIssues by week\n") :].splitlines()
    bars = [line for line in picture if re.search(r"█|▏|▎|▍|▌|▋|▊|▉", line)]
    assert len(bars) == 12
    assert [int(number) for number in re.findall(r" (\d+)(?= |$)", bars[-1])[-2:]] == last[1:3]
    assert all(len(line) <= 80 for line in picture[:-1])
    assert picture[-1].strip() == str(demo.report.path)


def test_the_report_needs_nothing_but_itself(demo: Demo) -> None:
    given = [value for _, attributes in demo.report.tags for value in attributes.values() if value]
    assert not [value for value in given if re.search(r"(https?:)?//", value)]
    assert not {tag for tag, _ in demo.report.tags} & {"script", "link", "img", "iframe", "object"}
    policy = [
        attributes for tag, attributes in demo.report.tags if tag == "meta" and "http-equiv" in attributes
    ]
    assert policy[0]["content"] == "default-src 'none'; style-src 'unsafe-inline'"


@pytest.mark.parametrize("width", [1280, 500])
def test_a_browser_draws_six_charts_that_can_be_read(demo: Demo, chromium: str, width: int) -> None:
    seen = look(chromium, demo.report.path, width)

    assert seen.complaints == []
    assert seen.measured["fetched"] == 0
    assert seen.measured["width"] <= seen.measured["inside"] == width
    assert len(seen.measured["drawn"]) == 6
    for chart in seen.measured["drawn"]:
        left, top, right, bottom = chart["box"]
        assert right - left > 300 and bottom - top > 80
        assert chart["marks"] > 0
        boxes = [box for _, *box in chart["texts"]]
        for box in boxes:
            # Letters do not fill the height of their box.
            assert left <= box[0] and box[2] <= right and top - 2 <= box[1] and box[3] <= bottom + 2, chart
        apart = [(one, other) for one in boxes for other in boxes if one is not other and overlap(one, other)]
        assert not apart, chart["texts"]


def overlap(one: list[float], other: list[float]) -> bool:
    """Whether two texts cover each other by more than the room above and below their letters."""
    room = 0.25 * (one[3] - one[1])
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] - room and other[1] < one[3] - room


def test_with_a_key_the_report_is_of_the_workspace_of_that_key(tmp_path: Path) -> None:
    with LinearApi(issues=60, seed=5) as api:
        output = run(tmp_path, "--api-url", api.url, LINEAR_API_KEY=api.api_key)
    text = (tmp_path / "report.html").read_text("utf-8")
    assert "From your workspace." in text and "simulated" not in text
    assert "Issues by week" in output
    assert not [
        file for file in tmp_path.rglob("*") if file.is_file() and api.api_key.encode() in file.read_bytes()
    ]


def test_the_examples_of_the_docs_have_answers(demo: Demo) -> None:
    examples = re.findall(r"```sql\n(.*?)```", (ROOT / "docs" / "dbt.md").read_text("utf-8"), re.S)
    queries = [query for example in examples for query in example.split(";") if query.strip()]
    assert len(queries) >= 2
    with duckdb.connect(demo.database, read_only=True) as connection:
        assert all(connection.execute(query).fetchall() for query in queries)


def test_two_more_runs_change_no_figure_of_a_past_day(demo: Demo, tmp_path: Path) -> None:
    """What people do between the runs is of today."""
    shutil.copytree(demo.database.parent, tmp_path / "again")
    day = moment(demo.report.as_of).date()
    past = {}
    for runs in range(3):
        if runs:
            run(tmp_path / "again", "--issues", str(ISSUES))
        with duckdb.connect(tmp_path / "again" / "linear.duckdb", read_only=True) as connection:
            past[runs] = {
                name: connection.execute(
                    f"SELECT {columns} FROM models.{name} WHERE {when} ORDER BY ALL", [day]
                ).fetchall()
                for name, (columns, when) in PAST.items()
            }
            moves = connection.execute(
                "SELECT count(*) FROM models.linear_issue_transitions WHERE moved_at >= ?", [day]
            ).fetchone()
    assert past[1] == past[0] and past[2] == past[0]
    assert all(past[0].values())
    assert moves and moves[0] >= 20


def test_nothing_of_the_demo_leaves_the_machine(demo: Demo) -> None:
    assert not demo.asked_others
