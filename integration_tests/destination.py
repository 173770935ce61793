"""A destination for PostgreSQL that loads a connector's output as Airbyte's own destinations do.

One table a stream, one row a primary key.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import sql

from tools.deduplication import EXTRACTED_AT, merge

Record = dict[str, Any]

_TYPES = {"string": "text", "boolean": "boolean", "integer": "bigint", "number": "double precision"}
_FORMATS = {"date-time": "timestamptz", "date": "date"}


@dataclass(frozen=True)
class Table:
    """A stream's table: its columns with their types, its key, its cursor."""

    name: str
    columns: Mapping[str, str]
    key: str
    cursor: str

    @classmethod
    def of(cls, configured: Mapping[str, Any]) -> "Table":
        """The table of a stream of a configured catalog."""
        stream = configured["stream"]
        columns = {name: _type(schema) for name, schema in stream["json_schema"]["properties"].items()}
        [[key]], [cursor] = configured["primary_key"], configured["cursor_field"]
        return cls(stream["name"], columns, key, cursor)

    def row(self, record: Mapping[str, Any], extracted_at: int) -> list[Any]:
        """A record's values, as COPY takes them, the moment of its extraction last."""
        values = [
            json.dumps(record[name]) if kind == "jsonb" and record.get(name) is not None else record.get(name)
            for name, kind in self.columns.items()
        ]
        return [*values, datetime.fromtimestamp(extracted_at / 1000, UTC)]


class PostgresDestination:
    """Loads the messages of syncs into a database."""

    def __init__(self, connection: psycopg.Connection, catalog: Mapping[str, Any]) -> None:
        """Make the tables of a configured catalog, where they are not there."""
        self._connection = connection
        self._tables = {table.name: table for table in map(Table.of, catalog["streams"])}
        for table in self._tables.values():
            columns = [
                sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind))
                for name, kind in {**table.columns, EXTRACTED_AT: "timestamptz"}.items()
            ]
            connection.execute(
                sql.SQL("CREATE TABLE IF NOT EXISTS {} ({}, PRIMARY KEY ({}))").format(
                    sql.Identifier(table.name), sql.SQL(", ").join(columns), sql.Identifier(table.key)
                )
            )

    def load(self, messages: Iterable[Mapping[str, Any]]) -> None:
        """Take the output of one sync over, whole or cut off anywhere."""
        rows = defaultdict(list)
        for message in messages:
            if message["type"] == "RECORD":
                record = message["record"]
                table = self._tables[record["stream"]]
                rows[table.name].append(table.row(record["data"], record["emitted_at"]))
        for name, arrived in rows.items():
            with self._connection.transaction():
                self._merge(self._tables[name], arrived)

    def rows(self, name: str) -> dict[str, Record]:
        """A table's rows by key, as records: without nulls, times as Linear writes them."""
        table = self._tables[name]
        columns = [sql.Identifier(column) for column in table.columns]
        found = self._connection.execute(
            sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(columns), sql.Identifier(name))
        )
        records = (dict(zip(table.columns, map(_plain, row), strict=True)) for row in found)
        return {
            record[table.key]: {column: value for column, value in record.items() if value is not None}
            for record in records
        }

    def _merge(self, table: Table, rows: Iterable[list[Any]]) -> None:
        name = sql.Identifier(table.name)
        # `place` keeps the order of arrival, which decides between versions of one millisecond.
        self._connection.execute(
            sql.SQL(
                "CREATE TEMP TABLE staged (LIKE {table}, place bigint GENERATED ALWAYS AS IDENTITY) "
                "ON COMMIT DROP"
            ).format(table=name)
        )
        listed = sql.SQL(", ").join(map(sql.Identifier, [*table.columns, EXTRACTED_AT]))
        statement = sql.SQL("COPY staged ({}) FROM STDIN").format(listed)
        with self._connection.cursor().copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
        statement = merge(table.name, table.columns, [table.key], table.cursor, place="place")
        self._connection.execute(statement.encode())


def _type(schema: Mapping[str, Any]) -> str:
    """The column's type for values of a JSON schema; jsonb for all but plain scalars."""
    types = schema.get("type", [])
    (name, *others) = {types} if isinstance(types, str) else set(types) - {"null"} or {"object"}
    if others:
        return "jsonb"
    if name == "string":
        return _FORMATS.get(schema.get("format", ""), "text")
    return _TYPES.get(name, "jsonb")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value.isoformat() if hasattr(value, "isoformat") else value
