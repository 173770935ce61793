"""A small Airbyte destination: DuckDB, one table a stream, deduplicated as Airbyte's own do it.

A state is stored in the transaction that stores the records before it, so that a sync that is cut off at any
moment goes on without a gap.
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import orjson

from tools.deduplication import EXTRACTED_AT, merge, quoted
from tools.demo.errors import DemoError

_STATES = "airbyte_internal.states"
_BATCH = 10_000  # records of one stream that are loaded at a time
_TYPES = {"string": "VARCHAR", "number": "DOUBLE", "integer": "BIGINT", "boolean": "BOOLEAN"}
_FORMATS = {"date-time": "TIMESTAMPTZ", "date": "DATE"}


@dataclass
class Table:
    """A stream's table, and what has arrived for it but is not stored yet.

    Attributes:
        name: the stream's, and the table's.
        columns: column to DuckDB type, without `_airbyte_extracted_at`.
        key: the columns of the primary key.
        cursor: the cursor's column; None where the stream has none.
        lines: records as JSON.
        state: the latest state, not stored before `lines` are.
    """

    name: str
    columns: Mapping[str, str]
    key: tuple[str, ...]
    cursor: str | None
    lines: list[bytes] = field(default_factory=list)
    state: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, stream: Mapping[str, Any]) -> "Table":
        """The table of a stream as `discover` describes it."""
        properties = stream["json_schema"]["properties"]
        return cls(
            name=stream["name"],
            columns={name: column_type(schema) for name, schema in properties.items()},
            key=tuple(path[0] for path in stream["source_defined_primary_key"]),
            cursor=next(iter(stream.get("default_cursor_field", [])), None),
        )


@dataclass(frozen=True)
class Answer:
    """What the database answers: the columns' names, and the rows."""

    columns: list[str]
    rows: list[tuple[Any, ...]]


def column_type(schema: Mapping[str, Any]) -> str:
    """The DuckDB type for values of a JSON schema; JSON for all but plain scalars."""
    types = schema.get("type", [])
    named = {types} if isinstance(types, str) else set(types)
    named.discard("null")
    if len(named) != 1:
        return "JSON"
    name = named.pop()
    if name == "string":
        return _FORMATS.get(schema.get("format", ""), "VARCHAR")
    return _TYPES.get(name, "JSON")


class DuckDBDestination:
    """Loads Airbyte's messages into a DuckDB file.

    Attributes:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, or make it.

        Raises:
            DemoError: it is open elsewhere, or not a database of this DuckDB.
        """
        self.path = path
        try:
            self._connection = duckdb.connect(path)
        except duckdb.Error as error:
            raise DemoError(f"{path} cannot be opened: is it open in another program?\n{error}") from None
        self._tables: dict[str, Table] = {}
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute("CREATE SCHEMA IF NOT EXISTS airbyte_internal")
        self._connection.execute(
            f"CREATE TABLE IF NOT EXISTS {_STATES} (stream VARCHAR PRIMARY KEY, state JSON)"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the file; what was not flushed comes again with the next sync."""
        self._connection.close()

    def prepare(self, streams: Sequence[Mapping[str, Any]]) -> None:
        """Make the tables of discovered streams, and in tables that exist the new columns."""
        for stream in streams:
            table = self._tables[stream["name"]] = Table.of(stream)
            columns = {**table.columns, EXTRACTED_AT: "TIMESTAMPTZ"}
            definitions = [f"{quoted(name)} {kind}" for name, kind in columns.items()]
            if table.key:
                definitions.append(f"PRIMARY KEY ({_listed(table.key)})")
            self._connection.execute(
                f"CREATE TABLE IF NOT EXISTS {quoted(table.name)} ({', '.join(definitions)})"
            )
            for name, kind in table.columns.items():
                self._connection.execute(
                    f"ALTER TABLE {quoted(table.name)} ADD COLUMN IF NOT EXISTS {quoted(name)} {kind}"
                )

    def query(self, sql: str, values: Sequence[Any] = ()) -> Answer:
        """Ask the database; times are UTC."""
        cursor = self._connection.execute(sql, values)
        return Answer([column[0] for column in cursor.description or ()], cursor.fetchall())

    def states(self) -> list[dict[str, Any]]:
        """The stored states, as `read --state` takes them."""
        rows = self.query(f"SELECT state FROM {_STATES} ORDER BY stream").rows
        return [orjson.loads(state) for (state,) in rows]

    def take(self, message: Mapping[str, Any]) -> None:
        """Accept a message: records and states are stored, all else is ignored."""
        if message["type"] == "RECORD":
            record = message["record"]
            table = self._tables[record["stream"]]
            table.lines.append(orjson.dumps({**record["data"], EXTRACTED_AT: record["emitted_at"]}))
            if len(table.lines) >= _BATCH:
                self._store(table)
        elif message["type"] == "STATE":
            state = message["state"]
            self._tables[state["stream"]["stream_descriptor"]["name"]].state = state

    def flush(self) -> None:
        """Store what has arrived."""
        for table in self._tables.values():
            if table.lines or table.state:
                self._store(table)

    def _store(self, table: Table) -> None:
        self._connection.begin()
        try:
            if table.lines:
                self._stage(table)
                self._connection.execute(_merge(table))
            if table.state:
                self._connection.execute(
                    f"INSERT OR REPLACE INTO {_STATES} VALUES (?, ?)",
                    [table.name, orjson.dumps(table.state).decode()],
                )
            self._connection.commit()
        except BaseException:
            self._connection.rollback()
            raise
        table.lines, table.state = [], None

    def _stage(self, table: Table) -> None:
        """Put the records that arrived into the table `staged`; what is not of its type is NULL."""
        # A file, because DuckDB parses JSON in parallel, a hundred times as fast as executemany.
        with tempfile.NamedTemporaryFile(suffix=".jsonl") as file:
            file.write(b"\n".join(table.lines))
            file.flush()
            read = {name: kind if kind == "JSON" else "VARCHAR" for name, kind in table.columns.items()}
            casts = [
                f"TRY_CAST({quoted(name)} AS {kind}) AS {quoted(name)}"
                for name, kind in table.columns.items()
            ]
            self._connection.execute(
                f"""
                CREATE OR REPLACE TEMP TABLE staged AS
                SELECT {", ".join(casts)}, to_timestamp({EXTRACTED_AT} / 1000) AS {EXTRACTED_AT}
                FROM read_json(?, columns = ?, format = 'newline_delimited')
                """,
                [file.name, {**read, EXTRACTED_AT: "BIGINT"}],
            )


def _merge(table: Table) -> str:
    """SQL that brings the winners among the staged rows into their table."""
    if not table.key:
        return f"INSERT INTO {quoted(table.name)} BY NAME SELECT * FROM staged"
    return merge(table.name, table.columns, table.key, table.cursor, place="rowid")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(quoted, names))
