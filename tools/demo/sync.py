"""One sync: the connector reads, the destination stores, and it is written down how it went."""

import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tools.demo.connector import Connector
from tools.demo.destination import DuckDBDestination
from tools.demo.errors import DemoError

_SYNCS = "airbyte_internal.syncs"
_REPORT_EVERY = 100  # records
_SUMMARY = re.compile(r"Summary: .* ([\d,]+) requests")


@dataclass
class Sync:
    """What a sync brought.

    Attributes:
        records: how many, by stream.
        complete: the streams that were read to their end.
        failed: the streams that were not.
        warnings: what the connector warned of, each sentence once, but for what `failure` says.
        requests: how many Linear answered, as the connector counts them; None if it did not say.
        seconds: how long it took.
        failure: what the connector says of the failed streams; None if there are none.
    """

    records: Counter[str] = field(default_factory=Counter)
    complete: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    warnings: list[str] = field(default_factory=list)
    requests: int | None = None
    seconds: float = 0.0
    failure: DemoError | None = None


def sync(
    connector: Connector,
    destination: DuckDBDestination,
    streams: Sequence[Mapping[str, Any]],
    report: Callable[[Sync], None],
) -> Sync:
    """Read what is new in the streams into the destination.

    Args:
        connector: what reads.
        destination: what stores, prepared for the streams; its states say where to go on.
        streams: as discovered.
        report: called as the sync goes on.

    Raises:
        DemoError: no stream could be read.
    """
    started = time.monotonic()
    done = Sync()
    try:
        for message in connector.read(streams, destination.states()):
            destination.take(message)
            _note(done, message, len(streams))
            if message["type"] == "TRACE" or done.records.total() % _REPORT_EVERY == 0:
                report(done)
    except DemoError as error:
        if not done.complete:
            raise
        done.failure = error
    finally:
        destination.flush()
    about_failed = tuple(f"Stream {name}:" for name in done.failed)
    done.warnings = [text for text in done.warnings if not text.startswith(about_failed)]
    done.seconds = time.monotonic() - started
    return done


def refuse_another_workspace(
    connector: Connector, destination: DuckDBDestination, streams: Sequence[Mapping[str, Any]]
) -> None:
    """Make sure that rows of two workspaces never meet.

    Raises:
        DemoError: the stored rows are of a workspace that the connector does not read.
    """
    stored = destination.query("SELECT id, name FROM organization").rows
    if not stored:
        return
    for message in connector.read([item for item in streams if item["name"] == "organization"]):
        if message["type"] == "RECORD" and message["record"]["data"]["id"] != stored[0][0]:
            raise DemoError(
                f"{destination.path} holds the workspace {stored[0][1]}; this key opens "
                f"{message['record']['data']['name']}. Start over with it: make demo FRESH=1"
            )


def write_down(destination: DuckDBDestination, done: Sync) -> list[tuple[Any, ...]]:
    """Add a sync to the list of syncs; returns the list: records, requests, seconds of each."""
    destination.query(
        f"""
        CREATE TABLE IF NOT EXISTS {_SYNCS}
        (ended TIMESTAMPTZ, records BIGINT, requests BIGINT, seconds DOUBLE)
        """
    )
    row = [done.records.total(), done.requests, done.seconds]
    destination.query(f"INSERT INTO {_SYNCS} VALUES (now(), ?, ?, ?)", row)
    return destination.query(f"SELECT records, requests, seconds FROM {_SYNCS} ORDER BY ended").rows


def _note(done: Sync, message: Mapping[str, Any], streams: int) -> None:
    if message["type"] == "RECORD":
        done.records[message["record"]["stream"]] += 1
    elif message["type"] == "TRACE" and message["trace"]["type"] == "STREAM_STATUS":
        status = message["trace"]["stream_status"]
        ended = {"COMPLETE": done.complete, "INCOMPLETE": done.failed}.get(status["status"], set())
        ended.add(status["stream_descriptor"]["name"])
    elif message["type"] == "LOG":
        text = message["log"]["message"]
        if summed_up := _SUMMARY.match(text):
            done.requests = int(summed_up[1].replace(",", ""))
        # What follows the last stream's end is the summary of what was said before.
        going_on = len(done.complete) + len(done.failed) < streams
        if message["log"]["level"] == "WARN" and going_on and text not in done.warnings:
            done.warnings.append(text)
