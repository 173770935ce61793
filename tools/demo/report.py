"""The report: one page with six charts from the models of the dbt package, no network needed.

They are there for all teams and for each of the busiest: the page shows those of one at a time. Each chart
has its numbers in a table and the SQL that asks for them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from html import escape
from typing import Any

from tools.demo.charts import Series, bars, lines, number_text, rows
from tools.demo.destination import Answer

WEEKS, DAYS, CYCLES, TEAMS = 26, 365, 10, 7
_BLUE, _GREEN, _ORANGE, _GREY = "#5e6ad2", "#2f9e77", "#d9822b", "#9aa1ab"
_STATES = {"triage": 0, "backlog": 1, "unstarted": 2, "started": 3}

# Questions of the models. Each answer is in the order in which it is drawn, or the reverse.
TEAM = f"""\
SELECT team_key, max(team_name) AS team_name
FROM models.linear_team_flow
WHERE team_key IS NOT NULL
GROUP BY team_key ORDER BY sum(completed) DESC, team_key LIMIT {TEAMS}"""
CYCLE = """\
SELECT day, sum(scope_points) AS scope, sum(started_points) AS started,
       sum(completed_points) AS completed
FROM models.linear_cycle_daily
WHERE cycle_id IN (SELECT cycle_id FROM models.linear_cycle_outcomes
                   WHERE state = 'active'{team})
GROUP BY day ORDER BY day"""
PAST_CYCLES = f"""\
SELECT ends_at::DATE AS ended, sum(committed)::INT AS committed, sum(added)::INT AS added,
       sum(completed)::INT AS completed, sum(carried_over)::INT AS carried_over
FROM models.linear_cycle_outcomes
WHERE state IN ('completed', 'closed'){{team}}
GROUP BY ended ORDER BY ended DESC LIMIT {CYCLES}"""
FLOW = f"""\
SELECT week_start,
       sum(created)::INT AS created,
       sum(completed)::INT AS completed,
       sum(in_progress)::INT AS in_progress
FROM models.linear_team_flow
WHERE true{{team}}
GROUP BY week_start ORDER BY week_start DESC LIMIT {WEEKS}"""
CYCLE_TIME = f"""\
SELECT date_trunc('week', completed_at)::DATE AS week_start,
       count(*) AS issues,
       median(cycle_time_days) AS median_days,
       quantile_cont(cycle_time_days, 0.85) AS p85_days
FROM models.linear_issues
WHERE state_type = 'completed' AND NOT is_deleted{{team}}
  AND cycle_time_days IS NOT NULL
  AND completed_at >= (SELECT max(week_start) - {7 * (WEEKS - 1)}
                       FROM models.linear_team_flow)
GROUP BY ALL ORDER BY week_start"""
TIME_IN_STATE = """\
SELECT spent.state_name, spent.state_type,
       count(*) FILTER (NOT is_current) AS left,
       median(days) FILTER (NOT is_current) AS median_days,
       count(*) FILTER (is_current AND is_open) AS still_there,
       median(days) FILTER (is_current AND is_open) AS median_days_so_far
FROM models.linear_issue_time_in_state AS spent
JOIN models.linear_issues USING (issue_id)
WHERE true{team}
  AND spent.state_type IN ('triage', 'backlog', 'unstarted', 'started')
GROUP BY ALL ORDER BY count(*) DESC LIMIT 10"""
OPEN_ISSUES = f"""\
SELECT day, sum(open_issues)::INT AS open_issues
FROM models.linear_daily_open_issues
WHERE true{{team}}
GROUP BY day ORDER BY day DESC LIMIT {DAYS}"""

Ask = Callable[[str], Answer]


@dataclass(frozen=True)
class Figure:
    """A chart with all that belongs to it.

    Attributes:
        name: of the element in the page.
        title: what it shows.
        text: what can be seen, in a sentence.
        legend: name and colour of each series.
        svg: the chart.
        answer: the numbers.
        sql: what asks for them.
    """

    name: str
    title: str
    text: str
    legend: Sequence[Series]
    svg: str
    answer: Answer
    sql: str


@dataclass(frozen=True)
class Scope:
    """What a set of figures is of.

    Attributes:
        key: the team's; empty for all teams.
        name: for people.
        figures: of it.
    """

    key: str
    name: str
    figures: Sequence[Figure]


def scopes(ask: Ask) -> list[Scope]:
    """The figures of all teams, and those of the busiest.

    Args:
        ask: answers SQL from the database that holds the models.
    """
    teams = ask(TEAM).rows
    return [
        Scope("", "All teams", figures(ask)),
        *(Scope(key, name, figures(ask, key)) for key, name in teams),
    ]


def figures(ask: Ask, team: str = "") -> list[Figure]:
    """The six figures.

    Args:
        ask: answers SQL from the database that holds the models.
        team: the key of a team; all teams by default.
    """
    narrowed = " AND team_key = '{}'".format(team.replace("'", "''")) if team else ""

    def asked(sql: str) -> tuple[Answer, str]:
        sql = sql.replace("{team}", narrowed).replace("WHERE true AND", "WHERE")
        sql = sql.replace("WHERE true\n  AND", "WHERE").replace("WHERE true\n", "")
        return ask(sql), sql

    flow = asked(FLOW)
    return [
        _cycle(*asked(CYCLE)),
        _past_cycles(*asked(PAST_CYCLES)),
        _flow(*flow),
        _cycle_time(*asked(CYCLE_TIME), [row[0] for row in flow[0].rows[::-1]]),
        _time_in_state(*asked(TIME_IN_STATE)),
        _open_issues(*asked(OPEN_ISSUES)),
    ]


def page(found: Sequence[Scope], workspace: str, as_of: datetime, note: str) -> str:
    """The page as HTML.

    Args:
        found: its figures, of all teams first.
        workspace: the name of it.
        as_of: the moment up to which the models count.
        note: where the rows are from.
    """
    return _PAGE.format(
        workspace=escape(workspace),
        moment=as_of.strftime("%Y-%m-%dT%H:%M:%SZ"),
        shown=as_of.strftime("%-d %B %Y, %H:%M UTC"),
        note=escape(note),
        choices="\n".join(map(_choice, found)),
        rules="\n".join(_RULE.format(scope=_id(scope)) for scope in found),
        figures="\n".join(map(_section, found)),
    )


def _cycle(answer: Answer, sql: str) -> Figure:
    scope, started, completed = (_column(answer, name) for name in answer.columns[1:])
    series = [
        Series("scope", _GREY, scope),
        Series("completed", _GREEN, completed),
        Series("started", _ORANGE, started),
    ]
    text = (
        f"Points at the end of each day of the cycle that runs. Of {number_text(scope[-1])} points "
        f"{number_text(completed[-1])} are completed and {number_text(started[-1])} started; "
        f"it began with {number_text(scope[0])}."
        if answer.rows
        else "No cycle is running."
    )
    svg = lines("Burn-up of the current cycle", [_day(row[0]) for row in answer.rows], series, "points")
    return Figure("cycle", "Current cycle", text, series, svg, answer, sql)


def _past_cycles(answer: Answer, sql: str) -> Figure:
    answer = Answer(answer.columns, answer.rows[::-1])
    committed, added, completed, left = (_column(answer, name) for name in answer.columns[1:])
    series = [
        Series("committed", _BLUE, committed),
        Series("completed", _GREEN, completed),
        Series("carried over", _ORANGE, left),
    ]
    text = (
        f"Issues of the last {len(committed)} cycles: {sum(committed):,} were in them when they began, "
        f"{sum(added):,} came in later; {sum(completed):,} were completed and {sum(left):,} carried over."
        if answer.rows
        else "No cycle has ended yet."
    )
    places = [_day(row[0]) for row in answer.rows]
    svg = bars("Issues committed, completed and carried over", places, series, "issues", unfinished=False)
    return Figure("cycles", "Last cycles, by their end", text, series, svg, answer, sql)


def _flow(answer: Answer, sql: str) -> Figure:
    answer = Answer(answer.columns, answer.rows[::-1])
    weeks = [_day(row[0]) for row in answer.rows]
    created, completed, _ = (_column(answer, name) for name in answer.columns[1:])
    series = [Series("created", _BLUE, created), Series("completed", _GREEN, completed)]
    text = (
        f"In {len(weeks)} weeks {sum(created):,} issues were created and {sum(completed):,} completed; "
        f"{answer.rows[-1][3]:,} are in progress. The last week, paler, is not over."
        if answer.rows
        else "There are no issues yet."
    )
    svg = bars("Issues created and completed by week", weeks, series, "issues")
    return Figure("flow", "Flow by week", text, series, svg, answer, sql)


def _cycle_time(answer: Answer, sql: str, weeks: Sequence[date]) -> Figure:
    by_week = {row[0]: row for row in answer.rows}
    series = [
        Series("median", _BLUE, [by_week[week][2] if week in by_week else None for week in weeks]),
        Series("85th percentile", _ORANGE, [by_week[week][3] if week in by_week else None for week in weeks]),
    ]
    medians = [row[2] for row in answer.rows]
    text = (
        "Days from started to completed, of the issues completed in a week. Half of them took less than "
        f"{number_text(round(min(medians), 1))} days in the best week, {number_text(round(max(medians), 1))} "
        "in the worst. A hollow dot is of the week that is not over."
        if medians
        else "No issue was completed in these weeks."
    )
    places = [_day(week) for week in weeks]
    svg = lines("Cycle time of the issues completed in a week", places, series, "days", unfinished=True)
    return Figure("cycle-time", "Cycle time", text, series, svg, answer, sql)


def _time_in_state(answer: Answer, sql: str) -> Figure:
    answer = Answer(answer.columns, sorted(answer.rows, key=lambda row: (_STATES[row[1]], row[0])))
    series = [
        Series("median of those that left", _GREEN, _rounded(_column(answer, "median_days"))),
        Series(
            "median so far of those still there", _ORANGE, _rounded(_column(answer, "median_days_so_far"))
        ),
    ]
    stuck = max((row for row in answer.rows if row[5] is not None), key=lambda row: row[5], default=None)
    text = (
        f"Days that an issue was in a state. Where issues wait longest is {stuck[0]}: half of its "
        f"{stuck[4]:,} have been there for more than {number_text(round(stuck[5], 1))} days."
        if stuck
        else "No issue is in any of these states."
    )
    names = [row[0] for row in answer.rows]
    svg = rows("Days in a state", names, series, "days")
    return Figure("time-in-state", "Time in state", text, series, svg, answer, sql)


def _open_issues(answer: Answer, sql: str) -> Figure:
    answer = Answer(answer.columns, answer.rows[::-1])
    series = [Series("open at the end of the day", _BLUE, _column(answer, "open_issues"))]
    text = (
        f"Issues that were open when a day ended. Now it is {answer.rows[-1][1]:,}; "
        f"on {_day(answer.rows[0][0])} {answer.rows[0][0].year} it was {answer.rows[0][1]:,}."
        if answer.rows
        else "There are no issues yet."
    )
    days = [_day(row[0]) for row in answer.rows]
    svg = lines("Open issues by day", days, series, "issues", dots=False)
    return Figure("open-issues", "Open issues a day", text, series, svg, answer, sql)


def _column(answer: Answer, name: str) -> list[Any]:
    place = answer.columns.index(name)
    return [row[place] for row in answer.rows]


def _rounded(values: Sequence[float | None]) -> list[float | None]:
    return [None if value is None else round(value, 1) for value in values]


def _day(day: date) -> str:
    return day.strftime("%-d %b")


def _id(scope: Scope) -> str:
    """Of its elements in the page; keys of teams are letters and digits."""
    return "".join(letter for letter in scope.key if letter.isalnum()) or "all"


def _choice(scope: Scope) -> str:
    checked = "" if scope.key else " checked"
    return (
        f'<input type="radio" name="team" id="show-{_id(scope)}"{checked}>'
        f'<label for="show-{_id(scope)}">{escape(scope.name)}</label>'
    )


def _section(scope: Scope) -> str:
    drawn = "\n".join(_element(figure, f"-{_id(scope)}" if scope.key else "") for figure in scope.figures)
    return f'<main class="of-{_id(scope)}">\n{drawn}\n</main>'


def _element(figure: Figure, suffix: str) -> str:
    legend = "".join(
        f'<li><span style="background:{one.colour}"></span>{escape(one.name)}</li>' for one in figure.legend
    )
    return (
        f'<figure id="{figure.name}{suffix}">'
        f"<figcaption><h2>{escape(figure.title)}</h2><p>{escape(figure.text)}</p>"
        f"</figcaption><ul>{legend}</ul>{figure.svg}"
        f'<div class="more"><details><summary>Numbers</summary>{_table(figure.answer)}</details>'
        f"<details><summary>SQL</summary><pre>{escape(figure.sql)}</pre></details></div></figure>"
    )


def _table(answer: Answer) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in answer.columns)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in answer.rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f'<td class="number" data-value="{value!r}">{value:,.1f}</td>'
    if isinstance(value, int):
        return f'<td class="number" data-value="{value}">{value:,}</td>'
    return f"<td>{escape('–' if value is None else str(value))}</td>"


_RULE = "#show-{scope}:checked ~ main.of-{scope} {{ display: grid; }}"
_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{workspace} – Linear report</title>
<style>
body {{ margin: 0 auto; max-width: 1360px; padding: 28px 24px; background: #f6f7f9; color: #1f2329;
  font: 15px/1.45 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }}
h1 {{ font-size: 25px; margin: 0; }}
h2 {{ font-size: 17px; margin: 0; }}
header p, figcaption p, footer {{ color: #565c66; margin: 3px 0 0; }}
main {{ display: none; grid-template-columns: repeat(auto-fit, minmax(min(100%, 480px), 1fr)); gap: 18px;
  margin: 20px 0; align-items: start; }}
input[name=team] {{ position: absolute; opacity: 0; }}
label {{ display: inline-block; margin: 16px 4px 0 0; padding: 4px 12px; border: 1px solid #d3d7dd;
  border-radius: 14px; background: #fff; cursor: pointer; font-size: 13px; }}
input:checked + label {{ background: #4450b0; border-color: #4450b0; color: #fff; }}
input:focus-visible + label {{ outline: 2px solid #1f2329; }}
{rules}
figure {{ margin: 0; padding: 18px 20px 14px; background: #fff; border: 1px solid #e1e4e8;
  border-radius: 10px; }}
figcaption p {{ min-height: 2.9em; }}
figure ul {{ list-style: none; display: flex; flex-wrap: wrap; gap: 2px 18px; margin: 8px 0; padding: 0;
  font-size: 13px; }}
figure li span {{ display: inline-block; width: 11px; height: 11px; border-radius: 2px; margin-right: 6px; }}
svg {{ display: block; width: 100%; height: auto; }}
svg text {{ font: 12px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #565c66; }}
svg text.name {{ font-size: 13px; fill: #1f2329; }}
.more {{ display: flex; flex-wrap: wrap; gap: 0 18px; margin-top: 8px; font-size: 13px; }}
details[open] {{ flex-basis: 100%; min-width: 0; }}
summary {{ cursor: pointer; color: #4450b0; }}
details table, pre {{ display: block; max-height: 320px; overflow: auto; margin: 8px 0 0; }}
table {{ border-collapse: collapse; }}
th, td {{ padding: 2px 14px 2px 0; text-align: left; white-space: nowrap; }}
th {{ font-weight: 600; }}
td.number {{ text-align: right; font-variant-numeric: tabular-nums; }}
pre {{ background: #f6f7f9; padding: 10px; border-radius: 6px; }}
@media (max-width: 560px) {{ body {{ padding: 18px 12px; }} figure {{ padding: 14px; }}
  svg text, svg text.name {{ font-size: 17px; }} }}
</style>
</head>
<body>
<header>
<h1>{workspace}</h1>
<p>As of <time datetime="{moment}">{shown}</time>. {note}</p>
</header>
{choices}
{figures}
<footer>Drawn from the models of the dbt package of source-linear. Archived issues count, those in the trash
do not; weeks begin on Monday, UTC.</footer>
</body>
</html>
"""


def flow_of_weeks(found: Sequence[Scope], weeks: int) -> list[tuple[str, Mapping[str, int]]]:
    """The last weeks of the flow: the week, and how many issues were created and completed in it."""
    answer = next(figure.answer for figure in found[0].figures if figure.name == "flow")
    return [(_day(row[0]), {"created": row[1], "completed": row[2]}) for row in answer.rows[-weeks:]]
