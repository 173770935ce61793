"""Compile the dbt package for a database that is not at hand, and translate what comes out for DuckDB.

    .cache/dbt-engines/bin/python -m tools.dbt_engines TARGET FOLDER

FOLDER holds `given.json`: `tables`, which has each table's columns with their types, and `variables` of the
package. There come FOLDER/models.json, a list of the models in the order in which they are built, each with
`name`, `sql` in the database's dialect, and `duckdb`, and FOLDER/dbt, what dbt writes.

dbt's own adapters compile, with their own macros. The database's part is played by the given tables: what it
is asked while dbt compiles is which tables there are and which columns they have.
"""

import argparse
import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import sqlglot
import yaml
from dbt.adapters.base.meta import available
from dbt.cli.main import dbtRunner
from sqlglot import exp

from tools.dbt import PACKAGE

# target -> its adapter, and a profile that leads nowhere.
TARGETS: dict[str, tuple[str, dict[str, Any]]] = {
    "snowflake": (
        "SnowflakeAdapter",
        {"account": "none", "user": "none", "password": "none", "database": "linear", "warehouse": "none"},
    ),
    "bigquery": ("BigQueryAdapter", {"method": "oauth-secrets", "token": "none", "database": "linear"}),
}


def play(target: str, tables: dict[str, dict[str, str]]) -> None:
    """Let the adapter of a target answer from the tables, without a connection."""

    def get_relation(self: Any, database: str, schema: str, identifier: str) -> Any:
        if identifier not in tables:
            return None
        return self.Relation.create(database=database, schema=schema, identifier=identifier, type="table")

    def get_columns_in_relation(self: Any, relation: Any) -> list[Any]:
        return [self.Column(name, kind) for name, kind in tables[relation.identifier].items()]

    adapter = getattr(import_module(f"dbt.adapters.{target}.impl"), TARGETS[target][0])
    adapter.get_relation = available(get_relation)
    adapter.get_columns_in_relation = available(get_columns_in_relation)


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tools.dbt_engines")
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    folder: Path = options.folder
    given = json.loads((folder / "given.json").read_text("utf-8"))
    play(options.target, given["tables"])
    profile = {"type": options.target, "schema": "models", "threads": 1, **TARGETS[options.target][1]}
    outputs = {"target": options.target, "outputs": {options.target: profile}}
    (folder / "profiles.yml").write_text(yaml.safe_dump({"linear": outputs}), "utf-8")
    written = folder / "dbt"
    line = ["--no-use-colors", "--no-send-anonymous-usage-stats", "compile", "--no-populate-cache"]
    line += ["--no-introspect", "--project-dir", str(PACKAGE), "--profiles-dir", str(folder)]
    line += [
        "--target-path",
        str(written),
        "--log-path",
        str(written),
        "--vars",
        json.dumps(given["variables"]),
    ]
    done = dbtRunner().invoke(line)
    if not done.success:
        return 1
    models = [result.node for result in done.result.results if result.node.resource_type == "model"]
    translated = [
        {"name": node.name, "sql": node.compiled_code, "duckdb": in_duckdb(node, options.target)}
        for node in in_order(models)
    ]
    (folder / "models.json").write_text(json.dumps(translated), "utf-8")
    return 0


def in_duckdb(node: Any, target: str) -> str:
    """A model's SQL as DuckDB has it, each column with the type that its contract says."""
    tree = sqlglot.parse_one(node.compiled_code, read=target)
    for listed in [*tree.find_all(exp.Lateral), *tree.find_all(exp.Unnest)]:
        unnest(listed)
    sql = tree.sql("duckdb", unsupported_level=sqlglot.ErrorLevel.RAISE)
    types = {
        column.name: exp.DataType.build(column.data_type, dialect=target).sql("duckdb")
        for column in node.columns.values()
        if column.data_type
    }
    if not types:
        return sql
    columns = ", ".join(f"CAST({name} AS {kind}) AS {name}" for name, kind in types.items())
    return f"SELECT {columns} FROM ({sql}) AS model"


def unnest(listed: exp.Lateral | exp.Unnest) -> None:
    """Replace what lists the elements of JSON, which sqlglot does not translate, by DuckDB's own."""
    alias = listed.args["alias"]
    if isinstance(listed, exp.Lateral):  # flatten(input => COLUMN) as ALIAS
        (column,) = listed.find_all(exp.Column)
        names = {"value": "value", "place": "index", "alias": alias.name}
    else:  # unnest(json_value_array(COLUMN)) as VALUE with offset as PLACE
        (column,) = listed.find_all(exp.Column)
        offset = listed.args.get("offset")
        names = {
            "value": alias.columns[0].name,
            "place": offset.name if isinstance(offset, exp.Identifier) else "place",
            "alias": "listed",
        }
    elements = f"from_json({column.sql('duckdb')}, '[\"varchar\"]')"
    query = (
        f"SELECT 1 FROM held CROSS JOIN LATERAL (SELECT unnest({elements}) AS {names['value']}, "
        f"unnest(range(len({elements}))) AS {names['place']}) AS {names['alias']}"
    )
    (join,) = sqlglot.parse_one(query, read="duckdb").args["joins"]
    listed.replace(join.this)


def in_order(models: list[Any]) -> list[Any]:
    """Models after those that they read."""
    left = {node.unique_id: node for node in models}
    order: list[Any] = []
    while left:
        ready = [node for node in left.values() if not set(node.depends_on.nodes) & set(left)]
        order += ready
        for node in ready:
            del left[node.unique_id]
    return order


if __name__ == "__main__":
    sys.exit(main())
