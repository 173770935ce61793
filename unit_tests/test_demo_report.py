"""The report's charts and page, for workspaces that are large, small, empty or oddly named."""

import re
import xml.etree.ElementTree as ET
from datetime import UTC, date, datetime

import pytest

from tools.demo import report
from tools.demo.charts import Series, bars, lines, number_text, rows
from tools.demo.destination import Answer

SVG = "{http://www.w3.org/2000/svg}"
MONDAY = date(2026, 3, 2)


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def marks(svg: str, tag: str) -> list[ET.Element]:
    return list(parsed(svg).iter(f"{SVG}{tag}"))


def test_a_bar_is_as_high_as_its_value() -> None:
    svg = bars("Title", ["a", "b", "c"], [Series("one", "#111111", [4, 2, 0])], "issues")

    heights = [float(mark.attrib["height"]) for mark in marks(svg, "rect")]
    assert heights[0] == pytest.approx(2 * heights[1], abs=0.2)
    assert heights[2] == 0
    assert [mark[0].text for mark in marks(svg, "rect")] == [
        "a: one 4 issues",
        "b: one 2 issues",
        "c: one 0 issues",
    ]


def test_the_last_bar_is_paler() -> None:
    svg = bars("Title", ["a", "b"], [Series("one", "#111111", [4, 2])], "issues")

    assert ["opacity" in mark.attrib for mark in marks(svg, "rect")] == [False, True]


def test_a_line_is_interrupted_where_there_is_no_value() -> None:
    values = [1.0, 2.0, None, 4.0, None, 5.0]
    svg = lines(
        "Title", list("abcdef"), [Series("x", "#111111", values), Series("y", "#222222", [0] * 6)], "days"
    )

    points = [len(mark.attrib["points"].split()) for mark in marks(svg, "polyline")]
    assert points == [2, 1, 1, 6]
    assert len(marks(svg, "circle")) == 4 + 6


@pytest.mark.parametrize(
    ("most", "ticks"),
    [
        (0, ["0", "0.5", "1"]),
        (1, ["0", "0.5", "1"]),
        (29, ["0", "10", "20", "30"]),
        (100, ["0", "50", "100"]),
        (86_000, ["0", "50,000", "100,000"]),
    ],
)
def test_an_axis_has_a_few_round_numbers(most: float, ticks: list[str]) -> None:
    svg = bars("Title", ["here"], [Series("one", "#111111", [most])], "issues")

    assert [text.text for text in marks(svg, "text")][:-1] == ticks


def test_names_are_text_and_never_markup() -> None:
    svg = rows("<b>", ["<script>&"], [Series('"one"', "#111111", [1.0])], "days")

    assert parsed(svg).attrib["aria-label"] == "<b>"
    assert "<script>" not in svg


def test_charts_of_nothing_are_empty_and_whole() -> None:
    for draw in (bars, lines, rows):
        assert marks(draw("Title", [], [Series("one", "#111111", [])], "days"), "rect") == []


def test_numbers_are_short() -> None:
    assert [number_text(value) for value in (None, 3, 3.0, 1234.56)] == ["–", "3", "3", "1,234.6"]


def answer(sql: str) -> Answer:
    if sql == report.TEAM:
        return Answer(["team_key", "team_name"], [("ENG", "Engineering"), ("O'N", "O'Neill <b>")])
    if "linear_cycle_daily" in sql:
        return Answer(["day", "scope", "started", "completed"], [(MONDAY, 8.0, 2.0, 3.0)])
    if "ends_at" in sql:
        names = ["ended", "committed", "added", "completed", "carried_over"]
        return Answer(names, [(MONDAY, 5, 2, 4, 3)])
    if "in_progress" in sql:
        return Answer(["week_start", "created", "completed", "in_progress"], [(MONDAY, 3, 2, 1)])
    if "p85_days" in sql:
        return Answer(["week_start", "issues", "median_days", "p85_days"], [(MONDAY, 2, 1.25, 3.5)])
    if "state_name" in sql:
        names = ["state_name", "state_type", "left", "median_days", "still_there", "median_days_so_far"]
        return Answer(names, [("In <b>", "started", 2, 1.0, 0, None), ("Triage", "triage", 0, None, 1, 9.0)])
    return Answer(["day", "open_issues"], [(MONDAY, 1)])


def nothing(sql: str) -> Answer:
    return Answer(answer(sql).columns, [])


def test_a_page_holds_six_figures_of_each_team_with_numbers_and_sql() -> None:
    found = report.scopes(answer)

    text = report.page(found, "A & B", datetime(2026, 3, 4, 5, 6, tzinfo=UTC), "From here.")

    assert text.count("<figure ") == text.count("<svg ") == text.count("<pre>") == 3 * 6
    assert "<h1>A &amp; B</h1>" in text and "In &lt;b&gt;" in text and "<td>In <b>" not in text
    assert '<time datetime="2026-03-04T05:06:00Z">4 March 2026, 05:06 UTC</time>' in text
    assert [row[0] for row in found[0].figures[4].answer.rows] == ["Triage", "In <b>"], (
        "in the order of the workflow"
    )
    assert not re.search(r"[{}]{2}", text)


def test_a_teams_figures_are_asked_for_by_its_key() -> None:
    everyone, engineering, other = report.scopes(answer)
    assert not any("team_key" in figure.sql or "{" in figure.sql for figure in everyone.figures)
    assert all("team_key = 'ENG'" in figure.sql for figure in engineering.figures)
    assert all("team_key = 'O''N'" in figure.sql for figure in other.figures)
    text = report.page([everyone, engineering, other], "A", datetime(2026, 3, 4, tzinfo=UTC), "")
    assert 'id="flow"' in text and 'id="flow-ENG"' in text and 'id="flow-ON"' in text
    assert "#show-ENG:checked ~ main.of-ENG { display: grid; }" in text
    assert "O&#x27;Neill &lt;b&gt;" in text


def test_the_dot_of_a_week_that_is_not_over_is_hollow() -> None:
    svg = lines("Title", ["a", "b"], [Series("one", "#111111", [4, 2])], "days", unfinished=True)

    assert [mark.attrib["fill"] for mark in marks(svg, "circle")] == ["#111111", "#fff"]


def test_the_page_of_an_empty_workspace_says_so() -> None:
    (found,) = report.scopes(nothing)

    assert [figure.text for figure in found.figures] == [
        "No cycle is running.",
        "No cycle has ended yet.",
        "There are no issues yet.",
        "No issue was completed in these weeks.",
        "No issue is in any of these states.",
        "There are no issues yet.",
    ]
    assert report.flow_of_weeks([found], 12) == []


def test_the_picture_has_the_last_weeks_of_the_flow() -> None:
    assert report.flow_of_weeks(report.scopes(answer), 12) == [("2 Mar", {"created": 3, "completed": 2})]
