"""The models' rules, each with an issue that is there for it, in every form in which tables are written."""

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest
import yaml

from integration_tests.crafted import (
    AS_OF,
    C4,
    FIRST_CYCLE,
    ISSUES,
    OPEN,
    OUTCOMES,
    STATES,
    Issue,
    Row,
    moment,
    tables,
)
from integration_tests.expected_models import monday
from integration_tests.postgres import Postgres
from tools.dbt import MODELS, PROGRAM, Dbt, DbtFailed
from tools.dbt_package import PACKAGE, snake_case
from tools.demo.__main__ import main as demo
from tools.schemas import ROOT

pytestmark = [
    pytest.mark.models,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not PROGRAM.exists(), reason="dbt is not installed: make models"),
]

ENGINES_PYTHON = PROGRAM.parents[2] / "dbt-engines" / "bin" / "python"
LOS_ANGELES = "America/Los_Angeles"


@dataclass(frozen=True)
class Form:
    """How a destination writes tables.

    Attributes:
        name: of the columns, from Linear's.
        case: what the package calls that.
        times: the types of columns with moments, used by turns; a type without zone holds UTC.
    """

    name: Callable[[str], str]
    case: str
    times: tuple[str, ...]


AIRBYTE = Form(str, "as_is", ("TIMESTAMP WITH TIME ZONE",))
# What is written for databases that are not at hand: how Airbyte fills them, and their names of types.
ENGINES = {
    "snowflake": Form(str.upper, "upper", ("TIMESTAMP WITH TIME ZONE", "TIMESTAMP", "VARCHAR")),
    "bigquery": Form(str, "as_is", ("TIMESTAMP WITH TIME ZONE", "TIMESTAMP", "VARCHAR")),
}
TYPES = {
    "snowflake": {
        "TIMESTAMP WITH TIME ZONE": "TIMESTAMP_TZ",
        "TIMESTAMP": "TIMESTAMP_NTZ",
        "VARCHAR": "TEXT",
        "JSON": "VARIANT",
    },
    "bigquery": {
        "TIMESTAMP WITH TIME ZONE": "TIMESTAMP",
        "TIMESTAMP": "DATETIME",
        "VARCHAR": "STRING",
        "DOUBLE PRECISION": "FLOAT64",
    },
}
FORMS = {
    "airbyte": AIRBYTE,
    "dlt": Form(snake_case, "snake", ("TIMESTAMP WITH TIME ZONE",)),
    "without zone": Form(str.lower, "lower", ("TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMP_MS", "VARCHAR")),
}


def types() -> dict[str, dict[str, str]]:
    """The type of each column of each table, as the package's sources say it."""
    (source,) = yaml.safe_load((PACKAGE / "models" / "linear_sources.yml").read_text("utf-8"))["sources"]
    return {
        table["name"]: {column["name"]: column["data_type"] for column in table["columns"]}
        for table in source["tables"]
    }


def written(value: Any, kind: str, column: str) -> Any:
    """A value of a kind as a column of a type takes it."""
    if value is None:
        return None
    if kind == "json":
        return json.dumps(value)
    if kind == "timestamp" and "zone" not in column.lower():
        return value.removesuffix("Z").replace("T", " ")
    return value


def stored(form: Form, columns: Mapping[str, str], json_type: str) -> dict[str, str]:
    """The type with which each column is stored, from what the package's sources call it."""
    plain = {
        "text": "VARCHAR",
        "number": "DOUBLE PRECISION",
        "boolean": "BOOLEAN",
        "date": "DATE",
        "json": json_type,
    }
    times = cycle(form.times)
    return {name: next(times) if kind == "timestamp" else plain[kind] for name, kind in columns.items()}


def statements(
    form: Form, held: Mapping[str, list[Row]], json_type: str
) -> Iterator[tuple[str, list[list[Any]]]]:
    """SQL that makes each table, and SQL that fills it with its rows' values."""
    for table, rows in held.items():
        columns = types()[table]
        kinds = stored(form, columns, json_type)
        listed = ", ".join(f'"{form.name(name)}" {kind}' for name, kind in kinds.items())
        yield f"CREATE TABLE {table} ({listed})", []
        values = [[written(row.get(name), columns[name], kinds[name]) for name in columns] for row in rows]
        assert not [name for row in rows for name in row if name not in columns]
        yield f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})", values


@dataclass(frozen=True)
class Built:
    """A database with the models of a crafted workspace.

    Attributes:
        ask: SQL -> rows.
        build: builds the models that dbt's arguments select.
    """

    ask: Callable[[str], list[Row]]
    build: Callable[..., object]

    def model(self, name: str, where: str = "true") -> list[Row]:
        return self.ask(f"SELECT * FROM models.{name} WHERE {where}")


def in_duckdb(
    folder: Path, form: Form, held: Mapping[str, list[Row]], zone: str = "UTC", **variables: Any
) -> Built:
    """Write the tables into DuckDB and build the models in a session of a zone."""
    folder.mkdir(exist_ok=True)
    database = folder / "linear.duckdb"
    write(database, form, held)
    given = {"linear_column_case": form.case, "linear_as_of": AS_OF, **variables}
    dbt = Dbt.duckdb(database, folder / "dbt", **given)
    dbt = Dbt(dbt.output, dbt.target, {**dbt.settings, "TZ": zone}, dbt.variables)
    return Built(partial(asked, database), partial(dbt.run, "run", "--select"))


def write(database: Path, form: Form, held: Mapping[str, list[Row]]) -> None:
    """Write the tables into a new DuckDB database."""
    database.unlink(missing_ok=True)
    with duckdb.connect(database) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for statement, rows in statements(form, held, "JSON"):
            if rows:
                connection.executemany(statement, rows)
            elif "INSERT" not in statement:
                connection.execute(statement)


def asked(database: Path, sql: str) -> list[Row]:
    """The rows of a query to a DuckDB database."""
    with duckdb.connect(database, read_only=True) as connection:
        cursor = connection.execute(sql)
        columns = [column[0] for column in cursor.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def translated(folder: Path, engine: str, held: Mapping[str, list[Row]]) -> Built:
    """What is written for a database that is not at hand: compiled for it, translated, and run in DuckDB."""
    if not ENGINES_PYTHON.exists():
        pytest.skip("dbt's adapters for it are not installed: make models")
    form = ENGINES[engine]
    database = folder / "linear.duckdb"
    write(database, form, held)
    tables = {
        table.upper() if form.case == "upper" else table: {
            form.name(name): TYPES[engine].get(kind, kind)
            for name, kind in stored(form, types()[table], "JSON").items()
        }
        for table in held
    }
    variables = {"linear_schema": "main", "linear_column_case": form.case, "linear_as_of": AS_OF}
    (folder / "given.json").write_text(json.dumps({"tables": tables, "variables": variables}))
    subprocess.run([ENGINES_PYTHON, "-m", "tools.dbt_engines", engine, folder], check=True, cwd=ROOT)
    with duckdb.connect(database) as connection:
        connection.execute(f"SET TimeZone = '{LOS_ANGELES}'")
        connection.execute("CREATE SCHEMA models")
        for model in json.loads((folder / "models.json").read_text("utf-8")):
            connection.execute(f"CREATE TABLE models.{model['name']} AS {model['duckdb']}")
    return Built(partial(asked, database), lambda *_: None)


def in_postgres(postgres: Postgres, folder: Path, form: Form, held: Mapping[str, list[Row]]) -> Built:
    """The same in PostgreSQL, in the same session's zone."""
    database = postgres.create("crafted")

    def connect() -> psycopg.Connection[Any]:
        return postgres.connect(database)

    with connect() as connection:
        connection.execute(f"ALTER DATABASE crafted SET timezone = '{LOS_ANGELES}'")
        for statement, rows in statements(form, held, "jsonb"):
            if rows:
                with connection.cursor() as cursor:
                    cursor.executemany(statement.replace("?", "%s").encode(), rows)
            elif "INSERT" not in statement:
                connection.execute(statement.encode())
    settings = {"LINEAR_POSTGRES_PORT": str(postgres.port), "LINEAR_POSTGRES_DATABASE": database}
    given = {"linear_schema": "public", "linear_column_case": form.case, "linear_as_of": AS_OF}

    def ask(sql: str) -> list[Row]:
        with connect() as connection:
            cursor = connection.execute(sql.encode())
            columns = [column.name for column in cursor.description or ()]
            return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]

    dbt = Dbt(folder / "dbt", "postgres", settings, given)
    return Built(ask, partial(dbt.run, "run", "--select"))


@pytest.fixture(scope="module", params=[*FORMS, "postgres", *ENGINES])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The models in DuckDB in each form, in PostgreSQL, and translated; most in a session of Los Angeles."""
    folder = tmp_path_factory.mktemp("crafted")
    if request.param in ENGINES:
        return translated(folder, request.param, tables())
    if request.param == "postgres":
        form = Form(str, "as_is", ("timestamp", "timestamp with time zone", "VARCHAR"))
        made = in_postgres(request.getfixturevalue("postgres"), folder, form, tables())
    else:
        zone = "UTC" if request.param == "airbyte" else LOS_ANGELES
        made = in_duckdb(folder, FORMS[request.param], tables(), zone)
    made.build(MODELS)
    return made


def day(text: str) -> date:
    return date.fromisoformat(f"{'2025' if text.startswith('12') else '2026'}-{text}")


def at(text: str) -> datetime:
    return datetime.fromisoformat(moment(text)).astimezone(UTC).replace(tzinfo=None)


def test_a_cycle_has_what_it_began_with_what_came_and_went_and_what_became_of_it(built: Built) -> None:
    found = {row["cycle_id"]: row for row in built.model("linear_cycle_outcomes")}
    assert {
        cycle: {name: found[cycle][name] for name in wanted} for cycle, wanted in OUTCOMES.items()
    } == OUTCOMES
    assert {row["history"] for row in found.values()} == {"complete"}
    assert {cycle: row["state"] for cycle, row in found.items()} == {
        "C1": "completed", "C2": "completed", "C3": "active", "C4": "open",
    }  # fmt: skip


def test_a_cycle_has_its_scope_of_each_day(built: Built) -> None:
    found = {row["day"]: row for row in built.model("linear_cycle_daily", "cycle_id = 'C1'")}
    names = ("scope", "completed", "started", "scope_points", "completed_points")
    assert {key: tuple(row[name] for name in names) for key, row in found.items()} == {
        day(key): wanted for key, wanted in FIRST_CYCLE.items()
    }
    linear = ("linear_scope", "linear_scope_points", "linear_started_points", "linear_completed")
    assert tuple(found[day("01-05")][name] for name in linear) == (100.5, 200.5, 300.5, 400.5)
    assert [found[day("01-18")][name] for name in (*linear, "linear_completed_points")] == [
        hundred + 7 for hundred in (100, 200, 300, 400, 500)
    ]
    (last,) = built.model("linear_cycle_daily", "cycle_id = 'C3' AND day = '2026-02-10'")
    assert (last["day_number"], last["scope"], last["scope_points"]) == (9, 2, 13)
    assert not built.model("linear_cycle_daily", "cycle_id = 'C4' OR day > '2026-02-10'")


def test_what_happens_later_takes_no_open_issue_from_a_past_day(built: Built) -> None:
    found = {
        (row["team_id"], row["day"]): row["open_issues"] for row in built.model("linear_daily_open_issues")
    }
    assert {(team, key): found[team, day(key)] for team, key in OPEN} == OPEN


def test_the_open_issues_of_a_day_are_those_of_the_open_states(built: Built) -> None:
    states: dict[tuple[str, date], int] = {}
    for row in built.model(
        "linear_team_daily", "state_type IN ('triage', 'backlog', 'unstarted', 'started')"
    ):
        key = row["team_id"], row["day"]
        states[key] = states.get(key, 0) + row["issues"]
    found = {
        (row["team_id"], row["day"]): row["open_issues"] for row in built.model("linear_daily_open_issues")
    }
    assert {key: states.get(key, 0) for key in found} == found


def test_a_week_keeps_what_was_done_in_it(built: Built) -> None:
    flow = {(row["team_id"], row["week_start"]): row for row in built.model("linear_team_flow")}
    names = ("created", "completed", "completed_points", "canceled", "reopened", "in_progress", "is_complete")
    assert {
        week: tuple(flow["ENG", day(week)][name] for name in names)
        for week in ("01-05", "01-12", "01-19", "01-26", "02-02", "02-09")
    } == {
        "01-05": (
            2,
            2,
            6,
            0,
            0,
            1,
            True,
        ),  # restored, late; estimated anew, committed; reopened is being done
        "01-12": (0, 2, 3, 0, 0, 2, True),  # reopened, out and in; late, in the last minute
        "01-19": (2, 2, 3, 1, 1, 2, True),  # in the last minute, carried; late, reopened
        "01-26": (2, 1, 2, 0, 0, 1, True),  # reopened again
        # kept, breached; late, taken back, back and forth
        "02-02": (7, 2, 4, 0, 0, 3, True),
        "02-09": (0, 1, 3, 0, 0, 2, False),  # back and forth
    }
    assert flow["ENG", day("01-05")]["median_cycle_time_days"] == pytest.approx((4 + 1) / 2)


def test_an_issue_of_another_team_counts_for_the_one_that_it_was_in(built: Built) -> None:
    (created,) = built.model("linear_issue_versions", "issue_id = 'other team' AND is_first")
    assert (created["team_id"], created["points"]) == ("ENG", 2)
    (now,) = built.model("linear_issue_versions", "issue_id = 'other team' AND is_current")
    assert (now["team_id"], now["points"]) == ("OPS", 2), "Operations inherits Engineering's estimation"


def test_spans_that_linear_took_back_do_not_count(built: Built) -> None:
    spent = built.model("linear_issue_time_in_state", "issue_id = 'taken back'")
    assert {(row["state_id"], row["is_current"], row["days"]) for row in spent} == {
        ("backlog", False, 11.0),
        ("doing", True, 4.5),
    }


def test_an_issue_tells_how_often_it_was_reopened_and_how_long_it_was_worked_on(built: Built) -> None:
    issues = {row["issue_id"]: row for row in built.model("linear_issues")}
    reopened = issues["reopened"]
    assert (reopened["times_reopened"], reopened["first_completed_at"], reopened["active_days"]) == (
        1,
        at("01-15"),
        14.0,
    )
    paused = issues["back and forth"]
    assert (paused["active_days"], paused["cycle_time_days"], paused["triage_time_days"]) == (4.0, 5.0, 1.0)
    assert {name: issues[name]["sla_status"] for name in ("kept", "breached", "told", "running", "late")} == {
        "kept": "kept", "breached": "breached", "told": "breached", "running": "running", "late": None,
    }  # fmt: skip
    assert (issues["carried"]["estimate"], issues["carried"]["points"]) == (None, 2)


def test_transitions_tell_which_went_back_and_which_reopened(built: Built) -> None:
    moves = built.model("linear_issue_transitions", "issue_id IN ('back and forth', 'reopened')")
    told = {
        (row["identifier"], row["moved_at"]): (row["to_state_name"], row["is_backward"], row["is_reopening"])
        for row in moves
    }
    assert told == {
        ("back and forth", at("02-03")): ("Todo", False, False),
        ("back and forth", at("02-04")): ("In Progress", False, False),
        ("back and forth", at("02-05")): ("In Review", False, False),
        ("back and forth", at("02-06")): ("In Progress", True, False),
        ("back and forth", at("02-07")): ("Todo", True, False),
        ("back and forth", at("02-08")): ("In Review", False, False),
        ("back and forth", at("02-09")): ("Done", False, False),
        ("reopened", at("01-08")): ("In Progress", False, False),
        ("reopened", at("01-15")): ("Done", False, False),
        ("reopened", at("01-21")): ("In Progress", True, True),
        ("reopened", at("01-28")): ("Done", False, False),
    }


def test_what_was_completed_counts_for_who_worked_on_it_then(built: Built) -> None:
    found = {
        (row["user_id"], row["week_start"]): (row["completed"], row["completed_points"])
        for row in built.model("linear_user_activity")
    }
    assert found == {
        ("ada", day("01-05")): (1, 3),  # committed
        ("bob", day("01-05")): (1, 3),  # estimated anew, at 3 then
        ("ada", day("01-12")): (1, 2),  # reopened, before it was assigned to bob
        ("ada", day("01-19")): (1, 2),  # carried
        ("bob", day("01-26")): (1, 2),  # reopened, completed again
    }


def test_a_teams_triage_and_an_issues_labels_are_told(built: Built) -> None:
    (triage,) = built.model("linear_team_triage")
    assert (triage["team_id"], triage["week_start"]) == ("ENG", day("02-02"))
    assert (triage["entered"], triage["accepted"], triage["declined"]) == (1, 1, 0)
    labels = built.model("linear_issue_labels")
    assert {(row["issue_id"], row["label_name"], row["group_name"]) for row in labels} == {
        ("committed", "Bug", "Area"),
        ("committed", "Area", None),
    }


def test_projects_and_initiatives_add_up_what_is_below_them(built: Built) -> None:
    weekly = {
        (row["project_id"], row["week_start"]): (row["scope"], row["completed"], row["scope_points"])
        for row in built.model("linear_project_weekly")
    }
    # estimated anew is in it from the beginning; committed came on 7 January, and went on 20 January.
    assert [weekly["app", day(week)] for week in ("12-29", "01-05", "01-12", "01-19", "02-09")] == [
        (1, 0, 3), (2, 2, 6), (2, 2, 6), (1, 1, 3), (1, 1, 13),
    ]  # fmt: skip
    found = {row["initiative_id"]: row for row in built.model("linear_initiative_progress")}
    names = ("projects", "issues", "completed", "points", "share_completed")
    assert {name: tuple(row[key] for key in names) for name, row in found.items()} == {
        "growth": (2, 2, 2, 13 + 2, 1.0),
        "mobile": (1, 1, 1, 13, 1.0),
    }


def test_a_customers_request_is_told_with_its_issue_and_its_project(built: Built) -> None:
    found = {row["request_id"]: row for row in built.model("linear_customer_requests")}
    names = ("customer_name", "identifier", "is_issue_open", "project_id", "is_important")
    assert {name: tuple(row[key] for key in names) for name, row in found.items()} == {
        "by issue": ("Acme", "estimated anew", False, "app", True),
        "by project": ("Acme", None, None, "web", False),
    }


def refused(folder: Path, form: Form, held: Mapping[str, list[Row]], **variables: Any) -> str:
    """What dbt says where it does not build the issues."""
    built = in_duckdb(folder, form, held, **variables)
    with pytest.raises(DbtFailed) as caught:
        built.build("stg_linear__issues", "stg_linear__teams")
    return " ".join(str(caught.value).split())


def test_a_schema_without_the_tables_is_refused(tmp_path: Path) -> None:
    said = refused(tmp_path, AIRBYTE, tables(), linear_schema="nowhere")
    assert "There is no table issues in the schema nowhere" in said
    assert "Set the variable linear_schema to the schema that holds the tables of source-linear" in said


def test_without_the_table_of_issues_nothing_is_built(tmp_path: Path) -> None:
    held = {name: rows for name, rows in tables().items() if name != "issues"}
    assert "There is no table issues in the schema main" in refused(tmp_path, AIRBYTE, held)


@pytest.mark.parametrize("form", FORMS)
def test_another_form_of_names_is_refused_with_the_right_one(tmp_path: Path, form: str) -> None:
    for case in ("as_is", "lower", "snake"):
        if case != FORMS[form].case:
            said = refused(tmp_path, FORMS[form], tables(), linear_column_case=case)
            assert f"are not written as linear_column_case: {case} says" in said
            assert f"Set the variable linear_column_case: {FORMS[form].case}" in said


def test_a_table_without_its_key_is_refused(tmp_path: Path) -> None:
    form = Form(lambda name: "number_one" if name == "id" else name, "as_is", AIRBYTE.times)
    assert "has no column id, the key. Is it a table of source-linear?" in refused(tmp_path, form, tables())


def test_an_unknown_form_is_refused(tmp_path: Path) -> None:
    said = refused(tmp_path, AIRBYTE, tables(), linear_column_case="camel")
    assert "The variable linear_column_case is 'camel'. Set it to as_is, lower, upper or snake." in said


def test_a_database_for_which_nothing_is_written_is_refused(tmp_path: Path) -> None:
    dbt = Dbt.duckdb(tmp_path / "linear.duckdb", tmp_path / "dbt")
    for engine in ("redshift", "databricks"):
        with pytest.raises(DbtFailed, match=f"The package linear is not written for {engine}"):
            dbt.run("run-operation", "linear_check_engine", "--args", f"{{type: {engine}}}")
    dbt.run("run-operation", "linear_check_engine", "--args", "{type: snowflake}")


def test_without_history_a_cycle_says_so_and_tells_no_figure_of_it(tmp_path: Path) -> None:
    held = {name: rows for name, rows in tables().items() if name != "issue_history"}
    built = in_duckdb(tmp_path, AIRBYTE, held)
    built.build("+linear_cycle_outcomes")
    for row in built.model("linear_cycle_outcomes"):
        assert row["history"] == "not synced"
        for name in ("committed", "added", "removed", "issues"):
            assert row[name] is row[f"{name}_points" if name != "issues" else "points"] is None
        assert (
            row["carried_over"] is (0 if row["state"] in ("open", "active") else None)
            or row["carried_over"] == 0
        )


def test_an_entry_that_is_missing_is_told(tmp_path: Path) -> None:
    held = tables()
    held["issue_history"] = [row for row in held["issue_history"] if row["id"] != "late:1"]
    built = in_duckdb(tmp_path, AIRBYTE, held)
    built.build("+linear_cycle_outcomes")
    told = {row["cycle_id"]: row["history"] for row in built.model("linear_cycle_outcomes")}
    assert (told["C3"], told["C4"]) == ("with gaps", "complete")


# Figures of what is over when {today} begins: columns, of which the first is whose they are, and which rows.
PAST = {
    "linear_daily_open_issues": ("team_id, day, opened, ended, open_issues", "day < '{today}'"),
    "linear_team_daily": (
        "team_id, day || ' ' || state_type AS day, issues, points",
        "issues > 0 AND day < '{today}'",
    ),
    "linear_team_flow": (
        "team_id, week_start AS day, created, completed, completed_points, canceled, reopened, in_progress, "
        "median_cycle_time_days, p85_cycle_time_days",
        "week_start + 6 < '{today}'",
    ),
    "linear_team_triage": (
        "team_id, week_start AS day, entered, accepted, declined",
        "week_start + 6 < '{today}'",
    ),
    "linear_user_activity": (
        "user_id, week_start AS day, completed, completed_points",
        "week_start + 6 < '{today}'",
    ),
    "linear_project_weekly": (
        "project_id, week_start AS day, scope, started, completed, canceled, scope_points",
        "week_start + 6 < '{today}'",
    ),
    "linear_cycle_daily": ("cycle_id, day, scope, started, completed, scope_points", "day < '{today}'"),
    "linear_cycle_outcomes": (", ".join(["cycle_id", *OUTCOMES["C1"]]), "completed_at < '{today}'"),
}


def past(built: Built, today: str) -> dict[str, list[Row]]:
    """Those figures."""
    return {
        name: built.ask(f"SELECT {columns} FROM models.{name} WHERE {where.format(today=today)} ORDER BY ALL")
        for name, (columns, where) in PAST.items()
    }


def test_what_an_issue_does_today_changes_no_figure_of_yesterday(tmp_path: Path) -> None:
    """Every issue is moved to another state, cycle, team, assignee and estimate, or to the trash."""
    earlier = in_duckdb(tmp_path / "before", AIRBYTE, tables())
    earlier.build(MODELS)
    before = past(earlier, "2026-02-10")
    moved = []
    for number, issue in enumerate(ISSUES):
        row = issue.row()
        changes = list(issue.changes)
        if not row.get("trashed"):
            changes.append(("02-10 13:00", "estimate", row.get("estimate"), 21, "bob"))
            changes.append(("02-10 14:00", "cycle", row.get("cycleId"), C4 if number % 2 else None, "bob"))
            changes.append(
                ("02-10 15:00", "assignee", row.get("assigneeId"), None if number % 3 else "ada", "bob")
            )
        states = list(issue.states)
        if issue.team == "ENG" and not row.get("trashed"):
            now = STATES[states[-1][1]][1]
            states.append(("02-10 16:00", "doing" if now in ("completed", "canceled") else "done"))
            changes.append(("02-10 17:00", "team", "ENG", "OPS", "bob"))
        gone = (
            {"trashed": True, "isArchived": True, "archivedAt": moment("02-10 18:00")}
            if number % 5 == 4
            else {}
        )
        values = {**issue.values, **(gone if not row.get("trashed") else {})}
        values = {
            name: value for name, value in values.items() if name not in ("cycleId", "estimate", "assigneeId")
        }
        if row.get("trashed"):
            values = issue.values
        moved.append(Issue(issue.name, issue.created, states, changes, values, issue.stale, issue.team))
    later = in_duckdb(tmp_path / "after", AIRBYTE, tables(moved), linear_as_of="2026-02-11T12:00:00Z")
    later.build(MODELS)
    assert past(later, "2026-02-10") == before
    assert all(before.values())
    assert len(later.model("linear_issue_versions", "valid_from > '2026-02-10'")) > 50


def test_days_begin_where_they_are_said_to(tmp_path: Path) -> None:
    zones = {LOS_ANGELES: {"ENG": "02-08", "OPS": "02-08"}, "team": {"ENG": "02-08", "OPS": "02-09"}}
    for zone, moved_on in zones.items():
        built = in_duckdb(tmp_path, AIRBYTE, tables(), linear_timezone=zone)
        built.build(MODELS)
        found = {(row["team_id"], row["day"]): row for row in built.model("linear_daily_open_issues")}
        assert found["ENG", day("01-01")]["opened"] == found["ENG", day("01-01")]["open_issues"] == 7
        # Midnight of the 9th in UTC is the 8th in Los Angeles, and the 9th in Berlin.
        assert found["OPS", day(moved_on["OPS"])]["opened"] == 1
        assert min(key[1] for key in found if key[0] == "OPS") == day(moved_on["OPS"])
        flow = {(row["team_id"], row["week_start"]): row for row in built.model("linear_team_flow")}
        assert flow["ENG", day("01-12")]["completed"] == 3, "in the last minute: still Sunday in Los Angeles"


def test_only_working_days_count_where_they_are_given(tmp_path: Path) -> None:
    built = in_duckdb(tmp_path, AIRBYTE, tables(), linear_working_days=[1, 2, 3, 4, 5])
    built.build(MODELS)
    issues = {row["issue_id"]: row for row in built.model("linear_issues")}
    # From Wednesday to Monday; from Tuesday to Saturday; worked on from Wednesday to Friday, and on a Sunday.
    assert issues["back and forth"]["cycle_time_days"] == pytest.approx(3)
    assert issues["back and forth"]["active_days"] == pytest.approx(3)
    assert issues["committed"]["cycle_time_days"] == pytest.approx(4)
    assert issues["committed"]["lead_time_days"] == pytest.approx(6)  # from Friday to the next Saturday
    spent = built.model("linear_issue_time_in_state", "issue_id = 'taken back' AND state_id = 'doing'")
    assert [row["days"] for row in spent] == [pytest.approx(1 + 1 + 0.5)]  # from Friday to Tuesday noon


def test_two_more_runs_of_the_demo_change_no_past_figure_but_those_of_an_issue_that_was_late(
    tmp_path: Path,
) -> None:
    """An issue and its past are held back, and come with the second run; then there is no warning."""
    database = tmp_path / "linear.duckdb"
    arguments = ["--directory", str(tmp_path), "--issues", "300", "--no-report"]
    today = datetime.now(UTC).date()
    assert demo(arguments) == 0
    dbt = Dbt.duckdb(database, tmp_path / "dbt", linear_relation_severity="warn")
    built = Built(partial(asked, database), partial(dbt.run, "run", "--select"))
    ids = {"issues": "id", "issue_history": "issueId", "issue_state_spans": "issueId"}
    (late,) = built.ask(
        """SELECT issues.id, date_trunc('day', issues."createdAt" AT TIME ZONE 'UTC') AS day
        FROM issues JOIN cycles ON issues."cycleId" = cycles.id AND cycles."completedAt" IS NOT NULL
        WHERE issues."completedAt" IS NOT NULL AND issues."assigneeId" IS NOT NULL
        ORDER BY issues.id LIMIT 1"""
    )
    with duckdb.connect(database) as connection:
        for table, column in ids.items():
            connection.execute(
                f'CREATE TABLE late_{table} AS SELECT * FROM {table} WHERE "{column}" = ?', [late["id"]]
            )
            connection.execute(f'DELETE FROM {table} WHERE "{column}" = ?', [late["id"]])
    built.build(MODELS)
    before = past(built, today.isoformat())
    assert all(before.values())

    for run in range(2):
        if run:
            with duckdb.connect(database) as connection:
                for table in ids:
                    connection.execute(f"INSERT INTO {table} SELECT * FROM late_{table}")
        assert demo(arguments) == 0
        dbt.run("build") if run else built.build(MODELS)
        after = past(built, today.isoformat())
        if not run:
            assert after == before
    assert set(dbt.results().values()) <= {"success", "pass", "no-op"}
    of_it = {
        row[name]
        for row in built.model("linear_issue_versions", f"issue_id = '{late['id']}'")
        for name in ("team_id", "cycle_id", "project_id", "assignee_id")
    }
    changed = {name: different(before[name], after[name]) for name in PAST}
    for rows in changed.values():
        for row in rows:
            assert next(iter(row.values())) in of_it
            assert str(row.get("day", late["day"]))[:10] >= str(monday(late["day"]))
    assert changed["linear_daily_open_issues"] and changed["linear_cycle_outcomes"]


def different(before: list[Row], after: list[Row]) -> list[Row]:
    """Rows that are not in both."""
    return [row for row in before if row not in after] + [row for row in after if row not in before]
