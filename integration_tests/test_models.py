"""The models of the dbt package hold what is counted over the simulator's rows, on PostgreSQL."""

import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from integration_tests.connector import Connector
from integration_tests.destination import PostgresDestination
from integration_tests.expected_models import ExpectedModels, Row, Rows, moment
from integration_tests.figures import note
from integration_tests.linear_api import Clock, LinearApi
from integration_tests.postgres import Postgres
from tools.dbt import MODELS, PACKAGE, PROGRAM, Dbt, DbtFailed
from tools.docs import MODELS as DESCRIPTIONS
from tools.schemas import ROOT, streams

pytestmark = [
    pytest.mark.models,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not PROGRAM.exists(), reason="dbt is not installed: make models"),
]

KEYS = {
    "linear_issues": ("issue_id",),
    "linear_issue_time_in_state": ("issue_id", "state_id"),
    "linear_team_flow": ("team_id", "week_start"),
    "linear_cycle_outcomes": ("cycle_id",),
    "linear_cycle_daily": ("cycle_id", "day"),
    "linear_project_progress": ("project_id",),
    "linear_team_daily": ("team_id", "day", "state_type"),
    "linear_daily_open_issues": ("team_id", "day"),
    "linear_user_activity": ("user_id", "week_start"),
    "linear_team_triage": ("team_id", "week_start"),
    "linear_project_weekly": ("project_id", "week_start"),
}
TOMBSTONES = {"issues": 5, "cycles": 1, "issue_labels": 1, "users": 1}
PAGE = ROOT / "docs" / "dbt.md"
ENTITIES = {stream.name: stream.entity for stream in streams()}


@dataclass(frozen=True)
class Warehouse:
    """A database with the tables of a workspace and the models built on them."""

    postgres: Postgres
    database: str
    dbt: Dbt
    expected: ExpectedModels
    gone: Mapping[str, list[str]]

    def connect(self) -> psycopg.Connection:
        return self.postgres.connect(self.database)

    def model(self, name: str, schema: str = "models") -> Rows:
        with self.connect() as connection:
            cursor = connection.execute(f"SELECT * FROM {schema}.{name}")
            columns = [column.name for column in cursor.description or ()]
            return by_key(name, (dict(zip(columns, row, strict=True)) for row in cursor))

    def other_dbt(self, schema: str, **variables: Any) -> Dbt:
        """dbt with other variables; the models go to schemas of other names."""
        settings = {**self.dbt.settings, "LINEAR_POSTGRES_SCHEMA": schema}
        return Dbt(self.dbt.output / schema, "postgres", settings, {**self.dbt.variables, **variables})


def by_key(name: str, rows: Iterable[Row]) -> Rows:
    """Rows of a model by their key, each number a float or int; of a cumulative flow those that are not 0."""
    plain = ({column: _plain(value) for column, value in row.items()} for row in rows)
    if name == "linear_team_daily":
        plain = (row for row in plain if row["issues"])
    return {tuple(row[column] for column in KEYS[name]): row for row in plain}


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value


def assert_equal(found: Rows, expected: Rows) -> int:
    """Each row is there with each expected figure, and no other row; returns how many figures there are."""
    assert found.keys() == expected.keys()
    assert expected
    for key, row in expected.items():
        held = {column: found[key][column] for column in row}
        assert held == {
            column: pytest.approx(value, rel=1e-9) if isinstance(value, float) else value
            for column, value in row.items()
        }, key
    return sum(map(len, expected.values()))


def with_tombstones(catalog: dict[str, Any]) -> dict[str, Any]:
    """The catalog, where the streams that have tombstones have their column, and no others."""
    for configured in catalog["streams"]:
        properties = configured["stream"]["json_schema"]["properties"]
        if configured["stream"]["name"] in TOMBSTONES:
            properties["deletedAt"] = {"type": ["null", "string"], "format": "date-time"}
        else:
            properties.pop("deletedAt", None)
    return catalog


def tombstone(stream: str, row_id: str, at: str) -> dict[str, Any]:
    data = {"id": row_id, "updatedAt": at, "isArchived": True, "deletedAt": at}
    emitted = int(datetime.fromisoformat(at).timestamp() * 1000)
    return {"type": "RECORD", "record": {"stream": stream, "data": data, "emitted_at": emitted}}


@pytest.fixture(scope="module")
def warehouse(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """A synced workspace of which some rows were deleted since, on PostgreSQL, and the models."""
    folder = tmp_path_factory.mktemp("models")
    with LinearApi(issues=300, seed=4, clock=Clock("2026-03-04T05:06:07.890Z")) as api:
        for issue in api.workspace.ids("Issue")[20:60]:  # triage that is over
            row = api.workspace.rows["Issue"][issue]
            row["startedTriageAt"], row["triagedAt"] = row["createdAt"], row["updatedAt"]
        connector = Connector.of(api, folder)
        catalog = connector.catalog()
        api.clock.advance(60)
        output = connector.read(catalog)
        assert output.exit_code == 0, output.errors
        gone = {
            stream: api.workspace.ids(ENTITIES[stream], archived=False)[:count]
            for stream, count in TOMBSTONES.items()
        }
        # The last cycle, which has not begun: what was carried over from one that is gone cannot be told.
        gone["cycles"] = api.workspace.ids("Cycle")[-1:]
        api.clock.advance(60)
        at = api.clock.text
        removed = {row_id for ids in gone.values() for row_id in ids}
        expected = ExpectedModels(api.workspace, moment(at), removed)
    database = postgres.create("models")
    with postgres.connect(database) as connection:
        connection.execute("ALTER DATABASE models SET timezone = 'America/New_York'")  # no figure may follow
        destination = PostgresDestination(connection, with_tombstones(catalog))
        destination.load(output.messages)
        destination.load(
            tombstone(stream, row_id, at) for stream, row_ids in gone.items() for row_id in row_ids
        )
    settings = {"LINEAR_POSTGRES_PORT": str(postgres.port), "LINEAR_POSTGRES_DATABASE": database}
    dbt = Dbt(
        folder / "dbt",
        "postgres",
        settings,
        {"linear_schema": "public", "linear_as_of": at, "linear_relation_severity": "warn"},
    )
    dbt.run("build")
    yield Warehouse(postgres, database, dbt, expected, gone)


@pytest.fixture(scope="module")
def counted() -> Iterator[list[int]]:
    """How many figures of each model were compared."""
    figures: list[int] = []
    yield figures
    note(f"PostgreSQL: {sum(figures):,} figures of {len(figures)} models equal")


@pytest.mark.parametrize("name", KEYS)
def test_a_model_holds_what_is_counted_over_the_rows(
    warehouse: Warehouse, name: str, counted: list[int]
) -> None:
    counted.append(assert_equal(warehouse.model(name), getattr(warehouse.expected, name)()))


def test_every_model_and_every_test_of_the_package_succeeds(warehouse: Warehouse) -> None:
    results = warehouse.dbt.results()
    # What refers to a row that was deleted is warned of, and no more than that.
    others = {name for name, status in results.items() if status not in ("pass", "success", "no-op")}
    assert {results[name] for name in others} == {"warn"}
    assert all(name.startswith("linear_relations_of_") for name in others)
    assert len([name for name in results if name.startswith("stg_linear__")]) == len(ENTITIES)


def test_every_column_of_a_model_is_described(warehouse: Warehouse) -> None:
    for model in yaml.safe_load(DESCRIPTIONS.read_text("utf-8"))["models"]:
        with warehouse.connect() as connection:
            cursor = connection.execute(f"SELECT * FROM models.{model['name']} LIMIT 0".encode())
            held = [column.name for column in cursor.description or ()]
        assert [column["name"] for column in model["columns"]] == held, model["name"]


def test_a_tombstone_is_in_no_model(warehouse: Warehouse) -> None:
    gone = set(warehouse.gone["issues"])
    with warehouse.connect() as connection:
        held = {row_id for (row_id,) in connection.execute("SELECT id FROM public.issues")}
    assert gone <= held
    for name in ("linear_issues", "linear_issue_time_in_state"):
        assert not {row["issue_id"] for row in warehouse.model(name).values()} & gone
    assert not {row["cycle_id"] for row in warehouse.model("linear_cycle_outcomes").values()} & set(
        warehouse.gone["cycles"]
    )


def copy(
    warehouse: Warehouse,
    schema: str,
    tables: Iterable[str],
    change: Callable[[str], str],
    types: Mapping[str, str],
) -> None:
    """Copy tables into another schema: the names of columns changed, and some types by an expression."""
    with warehouse.connect() as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
        for table in tables:
            columns = connection.execute(
                "SELECT column_name, data_type FROM information_schema.columns "
                "WHERE table_schema = 'public' AND table_name = %s",
                [table],
            ).fetchall()
            values = [(types.get(kind, "{}").format(f'"{name}"'), name) for name, kind in columns]
            listed = ", ".join(f'{value} AS "{change(name)}"' for value, name in values)
            named = table.upper() if change is str.upper else table
            connection.execute(f'CREATE TABLE {schema}."{named}" AS SELECT {listed} FROM public.{table}')


def test_a_project_that_adds_the_package_as_the_docs_say_has_the_models(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    """With the names of columns and tables in upper case."""
    copy(warehouse, "raw_upper", ENTITIES, str.upper, {})
    packages, _, project = re.findall(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    packages = textwrap.dedent(packages).replace("../source-linear/dbt", str(PACKAGE))
    project = textwrap.dedent(project).replace("airbyte_linear", "raw_upper").replace("as_is", "upper")
    (tmp_path / "packages.yml").write_text(packages)
    head = "name: mine\nprofile: linear\nflags: {send_anonymous_usage_stats: false}\n"
    (tmp_path / "dbt_project.yml").write_text(head + project)
    settings = {**warehouse.dbt.settings, "LINEAR_POSTGRES_SCHEMA": "mine"}
    given = {"linear_as_of": warehouse.dbt.variables["linear_as_of"]}
    dbt = Dbt(tmp_path / "target", "postgres", settings, given, tmp_path)
    dbt.run("deps")
    dbt.run("run", "--select", "package:linear")
    for name in KEYS:
        assert_equal(warehouse.model(name, "mine_linear"), warehouse.model(name))


def test_without_most_tables_and_some_columns_there_are_nulls(warehouse: Warehouse) -> None:
    """With names in lower case and types as PyAirbyte writes them: times without zone, JSON as text."""
    types = {"timestamp with time zone": "{} AT TIME ZONE 'UTC'", "jsonb": "CAST({} AS text)"}
    copy(warehouse, "raw_few", ("issues", "workflow_states"), str.lower, types)
    with warehouse.connect() as connection:
        connection.execute("ALTER TABLE raw_few.issues DROP COLUMN labelids, DROP COLUMN estimate")
    dbt = warehouse.other_dbt("models_few", linear_schema="raw_few", linear_column_case="lower")
    dbt.run("run", "--select", MODELS)
    found, whole = warehouse.model("linear_issues", "models_few"), warehouse.model("linear_issues")
    assert found.keys() == whole.keys()
    kept = ("state_name", "is_open", "parent_identifier", "cycle_time_days", "ended_at", "depth")
    for key, row in found.items():
        assert row["label_names"] is row["comments"] is row["estimate"] is row["team_name"] is None
        assert [row[name] for name in kept] == [whole[key][name] for name in kept]
    assert warehouse.model("linear_project_progress", "models_few") == {}


def test_the_wrong_case_is_refused_with_the_right_one(warehouse: Warehouse) -> None:
    dbt = warehouse.other_dbt("models_wrong", linear_column_case="lower")
    with pytest.raises(DbtFailed, match="Set the variable linear_column_case: as_is"):
        dbt.run("run", "--select", "stg_linear__issues")
