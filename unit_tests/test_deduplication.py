"""Which version of a row wins: the SQL and the Python of the rule say the same of any arrivals."""

import random
from typing import Any

import duckdb
import pytest

from source_linear.streams import DELETED_AT
from tools.deduplication import EXTRACTED_AT, apply, merge

COLUMNS = ("id", "updatedAt", "title", DELETED_AT)


def arrivals(seed: int) -> list[dict[str, Any]]:
    """Records of few rows with few moments, so that many are alike."""
    rng = random.Random(seed)
    return [
        {
            "id": rng.choice("abc"),
            "updatedAt": rng.randrange(4),
            "title": rng.randrange(10**6),
            DELETED_AT: rng.choice([None, None, 1]),
        }
        for _ in range(12)
    ]


@pytest.mark.parametrize("seed", range(20))
def test_sql_and_python_keep_the_same_rows(seed: int) -> None:
    rows: dict[str, dict[str, Any]] = {}
    with duckdb.connect() as database:
        names = ", ".join(f'"{name}" {"VARCHAR" if name == "id" else "BIGINT"}' for name in COLUMNS)
        database.execute(f'CREATE TABLE "a ""table""" ({names}, {EXTRACTED_AT} BIGINT, PRIMARY KEY (id))')
        for number, record in enumerate(arrivals(seed)):
            database.execute(f"CREATE OR REPLACE TEMP TABLE staged ({names}, {EXTRACTED_AT} BIGINT)")
            database.execute("INSERT INTO staged VALUES (?, ?, ?, ?, ?)", [*record.values(), number])
            database.execute(merge('a "table"', COLUMNS, ["id"], "updatedAt", "rowid"))
            apply(rows, record, "updatedAt")
        stored = database.execute('SELECT * EXCLUDE (_airbyte_extracted_at) FROM "a ""table"""').fetchall()
    assert {row[0]: dict(zip(COLUMNS, row, strict=True)) for row in stored} == rows
