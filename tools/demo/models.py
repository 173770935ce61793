"""The dbt package's models in the demo's database, and the report drawn from them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tools.dbt import MODELS, PROGRAM, Dbt, DbtFailed
from tools.demo.destination import DuckDBDestination
from tools.demo.errors import DemoError
from tools.demo.report import Scope, flow_of_weeks, page, scopes
from tools.demo.screen import Screen

_MODELS = "airbyte_internal.models"  # up to which moment they count
_WEEKS = 12  # of the picture in the terminal


@dataclass(frozen=True)
class Report:
    """A report that was written: where, and what is in it."""

    path: Path
    scopes: list[Scope]


def make_report(screen: Screen, database: Path, note: str) -> Report | None:
    """Build the models and draw the report beside the database; None where dbt is not installed.

    Args:
        screen: what shows how far it is.
        database: the DuckDB file, which nobody has open.
        note: where its rows are from, in a sentence.

    Raises:
        DemoError: dbt failed.
    """
    if not PROGRAM.exists():
        screen.text("The models and the report need dbt, which `make demo` installs.", "dim")
        return None
    output = database.parent / "dbt"
    as_of = datetime.now(UTC)
    moment = as_of.isoformat(" ", "milliseconds")[:-6]  # without its zone
    with screen.step("models") as step:
        dbt = Dbt.duckdb(database, output, linear_as_of=moment)
        try:
            dbt.run("run", "--select", MODELS)
        except DbtFailed as failed:
            raise DemoError(f"dbt could not build the models: see {output}/dbt.log\n{failed}") from None
        built = [name for name in dbt.results() if not name.startswith("stg_")]
        step.result = f"{len(built)} models, built by dbt"
    path = database.with_name("report.html")
    with screen.step("report") as step, DuckDBDestination(database) as opened:
        opened.query(f"CREATE OR REPLACE TABLE {_MODELS} AS SELECT CAST(? AS TIMESTAMP) AS as_of", [moment])
        found = scopes(opened.query)
        (name,) = opened.query("SELECT name FROM organization").rows[0]
        path.write_text(page(found, name, as_of, note), "utf-8")
        step.result = f"{len(found[0].figures)} charts in {path}, of all teams and of {len(found) - 1}"
    return Report(path, found)


def show_picture(screen: Screen, report: Report) -> None:
    """The flow of the last weeks, and where the report is."""
    screen.title("Issues by week")
    screen.bars(flow_of_weeks(report.scopes, _WEEKS))
    screen.gap()
    screen.text("More in the report; open it in a browser:")
    screen.command(str(report.path))
