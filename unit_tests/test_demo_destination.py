"""The demo's destination: what Airbyte's deduplicating destinations do, in DuckDB."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tools.demo import destination as module
from tools.demo.destination import DuckDBDestination, column_type

MOMENT = {"type": "string", "format": "date-time"}
MONDAY, TUESDAY = "2026-01-05T08:00:00.000Z", "2026-01-06T08:00:00.000Z"
COLUMNS = {
    "id": {"type": "string"},
    "title": {"type": ["null", "string"]},
    "estimate": {"type": ["null", "number"]},
    "updatedAt": MOMENT,
    "_ab_cdc_deleted_at": {**MOMENT, "type": ["null", "string"]},
}


def stream(**properties: Any) -> dict[str, Any]:
    return {
        "name": "issues",
        "json_schema": {"properties": {**COLUMNS, **properties}},
        "source_defined_primary_key": [["id"]],
        "default_cursor_field": ["updatedAt"],
    }


def record(row_id: str = "a", updated: str | None = MONDAY, at: int = 1, **data: Any) -> Any:
    data = {"id": row_id, "updatedAt": updated, **data}
    return {"type": "RECORD", "record": {"stream": "issues", "data": data, "emitted_at": at}}


def state(cursor: str) -> dict[str, Any]:
    descriptor = {"name": "issues"}
    of_stream = {"stream_descriptor": descriptor, "stream_state": {"updatedAt": cursor}}
    return {"type": "STATE", "state": {"type": "STREAM", "stream": of_stream}}


@pytest.fixture
def destination(tmp_path: Path) -> Iterator[DuckDBDestination]:
    with DuckDBDestination(tmp_path / "linear.duckdb") as opened:
        opened.prepare([stream()])
        yield opened


def load(destination: DuckDBDestination, *messages: dict[str, Any]) -> None:
    for message in messages:
        destination.take(message)
    destination.flush()


def titles(destination: DuckDBDestination) -> dict[str, str]:
    return dict(destination.query("SELECT id, title FROM issues ORDER BY id").rows)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string"}, "VARCHAR"),
        ({"type": ["null", "string"]}, "VARCHAR"),
        ({"type": ["null", "number"]}, "DOUBLE"),
        ({"type": ["null", "integer"]}, "BIGINT"),
        ({"type": ["boolean", "null"]}, "BOOLEAN"),
        ({"type": ["null", "string"], "format": "date-time"}, "TIMESTAMPTZ"),
        ({"type": ["null", "string"], "format": "date"}, "DATE"),
        ({"type": ["null", "object"]}, "JSON"),
        ({"type": ["null", "array"], "items": {"type": "string"}}, "JSON"),
        ({"type": ["null", "object", "array", "string"]}, "JSON"),
        ({}, "JSON"),
    ],
)
def test_a_column_has_the_type_that_its_json_schema_says(schema: dict[str, Any], expected: str) -> None:
    assert column_type(schema) == expected


def test_values_arrive_as_their_types(destination: DuckDBDestination) -> None:
    destination.prepare(
        [stream(done={"type": "boolean"}, due={"type": "string", "format": "date"}, extra={})]
    )

    load(
        destination,
        record(title="“Ü”\n🚀", estimate=0.5, done=True, due="2026-02-28", extra={"a": [1, "é"]}),
    )

    row = destination.query("SELECT title, estimate, done, due, updatedAt, extra FROM issues").rows[0]
    assert row[:5] == ("“Ü”\n🚀", 0.5, True, date(2026, 2, 28), datetime(2026, 1, 5, 8, tzinfo=UTC))
    assert json.loads(row[5]) == {"a": [1, "é"]}


def test_a_value_that_is_not_of_its_type_is_null(destination: DuckDBDestination) -> None:
    load(destination, record(title="kept", estimate="much"))

    assert destination.query("SELECT title, estimate FROM issues").rows == [("kept", None)]


def test_a_value_outside_the_schema_is_left_out(destination: DuckDBDestination) -> None:
    load(destination, record(title="kept", unknown=1))

    assert titles(destination) == {"a": "kept"}


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize(
    ("first", "second", "winner"),
    [
        (record(title="old"), record(updated=TUESDAY, title="new"), "new"),
        (record(updated=TUESDAY, title="new"), record(title="old", at=2), "new"),
        (record(title="read first"), record(title="read last", at=2), "read last"),
        (record(title="read last", at=2), record(title="read first"), "read last"),
        (record(title="sent first"), record(title="sent last"), "sent last"),
        (record(updated=None, title="undated"), record(title="dated"), "dated"),
    ],
)
def test_the_latest_cursor_wins_then_the_latest_extraction(
    destination: DuckDBDestination,
    first: dict[str, Any],
    second: dict[str, Any],
    winner: str,
    together: bool,
) -> None:
    if together:
        load(destination, first, second)
    else:
        load(destination, first)
        load(destination, second)

    assert titles(destination) == {"a": winner}


@pytest.mark.parametrize("together", [True, False])
def test_a_deleted_version_removes_its_row(destination: DuckDBDestination, together: bool) -> None:
    kept, gone = record("a", title="kept"), record("b", title="gone")
    deleted = record("b", at=2, _ab_cdc_deleted_at=TUESDAY)
    for messages in [[kept, gone, deleted]] if together else [[kept, gone], [deleted]]:
        load(destination, *messages)

    assert titles(destination) == {"a": "kept"}


def test_a_deleted_version_that_is_older_removes_nothing(destination: DuckDBDestination) -> None:
    load(destination, record(updated=TUESDAY, title="restored"))
    load(destination, record(at=2, _ab_cdc_deleted_at=MONDAY))

    assert titles(destination) == {"a": "restored"}


def test_a_row_that_comes_back_after_its_deletion_is_there(destination: DuckDBDestination) -> None:
    load(destination, record(_ab_cdc_deleted_at=MONDAY))
    load(destination, record(at=2, title="restored"))

    assert titles(destination) == {"a": "restored"}


def test_a_stream_without_a_cursor_keeps_what_was_extracted_last(tmp_path: Path) -> None:
    with DuckDBDestination(tmp_path / "other.duckdb") as destination:
        destination.prepare([{**stream(), "default_cursor_field": []}])
        load(destination, record(updated=TUESDAY, title="first"))
        load(destination, record(title="last", at=2))

        assert titles(destination) == {"a": "last"}


def test_a_column_that_the_connector_learned_is_added(destination: DuckDBDestination) -> None:
    load(destination, record("a"))
    destination.prepare([stream(priority={"type": ["null", "number"]})])
    load(destination, record("b", priority=2))

    rows = destination.query("SELECT id, priority FROM issues ORDER BY id").rows
    assert rows == [("a", None), ("b", 2.0)]


def test_a_state_is_stored_only_with_the_records_before_it(destination: DuckDBDestination) -> None:
    destination.take(record())
    destination.take(state(MONDAY))
    assert destination.states() == [] and titles(destination) == {}

    destination.flush()

    assert destination.states() == [state(MONDAY)["state"]]
    assert titles(destination) == {"a": None}


def test_the_latest_state_of_a_stream_is_the_one_that_counts(
    destination: DuckDBDestination,
) -> None:
    load(destination, state(MONDAY), state(TUESDAY))

    assert destination.states() == [state(TUESDAY)["state"]]


def test_records_that_cannot_be_stored_leave_the_state_as_it_was(
    destination: DuckDBDestination, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(destination, record("a"), state(MONDAY))
    with monkeypatch.context() as broken:
        broken.setattr(module, "_merge", lambda _: "INSERT INTO nowhere VALUES (1)")
        with pytest.raises(duckdb.Error):
            load(destination, record("b"), state(TUESDAY))
    assert destination.states() == [state(MONDAY)["state"]]

    destination.flush()  # nothing was lost: it is stored as soon as it can be

    assert set(titles(destination)) == {"a", "b"}
    assert destination.states() == [state(TUESDAY)["state"]]


def test_many_records_are_stored_as_they_come_with_the_state_before_them(
    destination: DuckDBDestination, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BATCH", 3)
    destination.take(record("a"))
    destination.take(state(MONDAY))
    destination.take(record("b", TUESDAY))
    assert titles(destination) == {}

    destination.take(record("c", TUESDAY))

    assert set(titles(destination)) == {"a", "b", "c"}
    assert destination.states() == [state(MONDAY)["state"]]


def test_rows_and_states_are_there_when_the_file_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "again.duckdb"
    for row_id in ("a", "b"):
        with DuckDBDestination(path) as destination:
            destination.prepare([stream()])
            load(destination, record(row_id), state(MONDAY))

    with DuckDBDestination(path) as destination:
        assert set(titles(destination)) == {"a", "b"}
        assert destination.states() == [state(MONDAY)["state"]]


def test_a_file_that_is_no_database_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "linear.duckdb"
    path.write_text("not a database, but long enough to be taken for the header of one" * 100)

    with pytest.raises(module.DemoError, match="cannot be opened"):
        DuckDBDestination(path)
