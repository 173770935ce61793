"""A sync of the demo: counted, stored and reported as far as it came."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tools.demo.destination import DuckDBDestination
from tools.demo.errors import DemoError
from tools.demo.sync import Sync, refuse_another_workspace, sync, write_down


def stream(name: str) -> dict[str, Any]:
    columns = {name: {"type": "string"} for name in ("id", "name", "updatedAt")}
    return {
        "name": name,
        "json_schema": {"properties": columns},
        "source_defined_primary_key": [["id"]],
        "default_cursor_field": ["updatedAt"],
    }


STREAMS = [stream("organization"), stream("issues")]


def record(name: str, row_id: str) -> dict[str, Any]:
    data = {"id": row_id, "name": f"the {row_id}", "updatedAt": "2026-01-01"}
    return {"type": "RECORD", "record": {"stream": name, "data": data, "emitted_at": 1}}


def status(name: str, status: str) -> dict[str, Any]:
    ended = {"stream_descriptor": {"name": name}, "status": status}
    return {"type": "TRACE", "trace": {"type": "STREAM_STATUS", "stream_status": ended}}


def state(name: str) -> dict[str, Any]:
    return {"type": "STATE", "state": {"stream": {"stream_descriptor": {"name": name}}}}


def warning(text: str) -> dict[str, Any]:
    return {"type": "LOG", "log": {"level": "WARN", "message": text}}


class Connector:
    """A connector that emits what it was given and then fails, if it was told why."""

    def __init__(self, messages: Sequence[Mapping[str, Any]], failure: str = "") -> None:
        self._messages = messages
        self._failure = failure
        self.states: Sequence[Mapping[str, Any]] = ()

    def read(
        self, streams: Sequence[Mapping[str, Any]], states: Sequence[Mapping[str, Any]] = ()
    ) -> Iterator[Mapping[str, Any]]:
        self.states = states
        yield from self._messages
        if self._failure:
            raise DemoError(self._failure)


@pytest.fixture
def destination(tmp_path: Path) -> Iterator[DuckDBDestination]:
    with DuckDBDestination(tmp_path / "linear.duckdb") as opened:
        opened.prepare(STREAMS)
        yield opened


def run(destination: DuckDBDestination, connector: Any) -> Sync:
    return sync(connector, destination, STREAMS, lambda _: None)


def test_a_sync_counts_what_it_stores(destination: DuckDBDestination) -> None:
    done = run(
        destination,
        Connector(
            [
                status("issues", "STARTED"),
                record("issues", "a"),
                record("issues", "b"),
                status("issues", "COMPLETE"),
                state("issues"),
            ]
        ),
    )

    assert done.records == {"issues": 2}
    assert done.complete == {"issues"} and not done.failed and done.failure is None
    assert destination.query("SELECT count(*) FROM issues").rows == [(2,)]


def test_the_next_sync_goes_on_from_the_stored_states(destination: DuckDBDestination) -> None:
    run(destination, Connector([state("issues")]))
    connector = Connector([])

    run(destination, connector)

    assert connector.states == [state("issues")["state"]]


def test_what_could_be_read_is_kept_where_a_stream_failed(destination: DuckDBDestination) -> None:
    messages = [
        record("issues", "a"),
        status("issues", "COMPLETE"),
        status("organization", "INCOMPLETE"),
    ]

    done = run(destination, Connector(messages, "1 of 2 streams failed."))

    assert str(done.failure) == "1 of 2 streams failed."
    assert done.failed == {"organization"}
    assert destination.query("SELECT count(*) FROM issues").rows == [(1,)]


def test_a_sync_that_reads_no_stream_at_all_is_an_error(destination: DuckDBDestination) -> None:
    with pytest.raises(DemoError, match="unusable state"):
        run(destination, Connector([], "unusable state"))


def test_what_arrived_before_an_interruption_is_kept(destination: DuckDBDestination) -> None:
    def interrupted() -> Iterator[Mapping[str, Any]]:
        yield record("issues", "a")
        yield state("issues")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(destination, Connector(interrupted()))  # type: ignore[arg-type]

    assert destination.query("SELECT id FROM issues").rows == [("a",)]
    assert len(destination.states()) == 1


def test_warnings_are_kept_once_without_what_the_failure_says(
    destination: DuckDBDestination,
) -> None:
    messages = [
        warning("Stream issues: a field is refused."),
        warning("Stream issues: a field is refused."),
        warning("Stream organization: FAILED"),
        status("issues", "COMPLETE"),
        status("organization", "INCOMPLETE"),
        warning("Summary: 1 of 2 streams complete"),
    ]

    assert run(destination, Connector(messages)).warnings == ["Stream issues: a field is refused."]


def test_the_requests_are_those_that_the_connector_sums_up(destination: DuckDBDestination) -> None:
    summary = "Summary: 50 of 50 streams complete, 5 records, 1,234 requests, 9 points, 1.0 s."

    assert run(destination, Connector([warning(summary)])).requests == 1234
    assert run(destination, Connector([])).requests is None


def test_syncs_are_listed_from_the_first_to_this_one(destination: DuckDBDestination) -> None:
    first, second = Sync(seconds=9.5, requests=150), Sync(seconds=2.0)
    first.records["issues"] = 2000

    write_down(destination, first)

    assert write_down(destination, second) == [(2000, 150, 9.5), (0, None, 2.0)]


def test_a_file_is_never_filled_from_another_workspace(destination: DuckDBDestination) -> None:
    ours: Any = Connector([record("organization", "ours")])
    theirs: Any = Connector([record("organization", "theirs")])
    refuse_another_workspace(ours, destination, STREAMS)  # nothing is stored yet
    run(destination, ours)

    refuse_another_workspace(ours, destination, STREAMS)
    with pytest.raises(DemoError, match=r"holds the workspace the ours; this key opens the theirs"):
        refuse_another_workspace(theirs, destination, STREAMS)
