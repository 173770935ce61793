"""Which version of a row wins: the rule of Airbyte's deduplicating destinations.

Of a row's versions the one with the latest cursor, and of those the one that was extracted last. A version
with `_ab_cdc_deleted_at` removes its row.
"""

from collections.abc import Collection, Sequence
from typing import Any

from source_linear.streams import DELETED_AT

EXTRACTED_AT = "_airbyte_extracted_at"


def apply(rows: dict[str, dict[str, Any]], record: dict[str, Any], cursor: str) -> None:
    """Take a record that was extracted after all others, as a load of its own, into the rows by their `id`.

    In one load with others an older version that comes after a deletion would not bring its row back.
    """
    stored = rows.get(record["id"])
    if stored is not None and stored[cursor] > record[cursor]:
        return
    if record.get(DELETED_AT):
        rows.pop(record["id"], None)
    else:
        rows[record["id"]] = record


def merge(table: str, columns: Collection[str], key: Sequence[str], cursor: str | None, place: str) -> str:
    """SQL, for DuckDB and PostgreSQL, that brings the winners among the rows of `staged` into a table.

    Args:
        table: has the columns and EXTRACTED_AT; so has `staged`.
        columns: of the stream.
        key: the columns of the primary key.
        cursor: the cursor's column; None where the stream has none.
        place: the column of `staged` that keeps the order of arrival: it decides within one millisecond.
    """
    keys = ", ".join(map(quoted, key))
    newer = f"arrived.{EXTRACTED_AT} >= stored.{EXTRACTED_AT}"
    order = f"{EXTRACTED_AT} DESC, {place} DESC"
    if cursor:
        at = quoted(cursor)
        order = f"{at} DESC NULLS LAST, {order}"
        newer = (
            f"(stored.{at} IS NULL OR arrived.{at} > stored.{at} OR arrived.{at} = stored.{at} AND {newer})"
        )
    deleted = f"arrived.{quoted(DELETED_AT)} IS NOT NULL" if DELETED_AT in columns else "false"
    names = [quoted(name) for name in (*columns, EXTRACTED_AT)]
    changed = [name for name in names if name not in map(quoted, key)]
    return f"""
        MERGE INTO {quoted(table)} AS stored
        USING (SELECT DISTINCT ON ({keys}) * FROM staged ORDER BY {keys}, {order}) AS arrived
        ON {" AND ".join(f"stored.{quoted(name)} = arrived.{quoted(name)}" for name in key)}
        WHEN MATCHED AND {newer} AND {deleted} THEN DELETE
        WHEN MATCHED AND {newer} THEN UPDATE SET {", ".join(f"{name} = arrived.{name}" for name in changed)}
        WHEN NOT MATCHED AND NOT ({deleted})
            THEN INSERT ({", ".join(names)}) VALUES ({", ".join(f"arrived.{name}" for name in names)})
    """


def quoted(name: str) -> str:
    """A name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'
