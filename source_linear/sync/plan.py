"""The plan of a sync: from states and what the probe found to what each stream reads. Pure functions."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zlib import crc32

import pendulum

from source_linear.config import Config, config_error, milliseconds, timestamp
from source_linear.linear.errors import many, subject
from source_linear.state import StreamState, looked_back
from source_linear.streams import CREATED_AT, Stream
from source_linear.sync.probe import Finding, cut
from source_linear.sync.reader import Slice
from source_linear.sync.sketch import CAPACITY
from source_linear.sync.workspace import Workspace

_LOGGER = logging.getLogger("airbyte")
_SHORTEST = pendulum.duration(days=1)
_WRONG_CLOCK = pendulum.duration(days=1)
_SPREAD = 0.25  # of the time between two walks: not all lists come due in one sync
_MILLISECOND = pendulum.duration(milliseconds=1)


@dataclass(frozen=True)
class Start:
    """Where a stream goes on in this sync.

    Attributes:
        state: its state.
        end: the sync's start, not before the state's cursor.
        begin: since when its rows are read; None for from the beginning.
    """

    state: StreamState
    end: str
    begin: str | None


def begin_of(stream: Stream, state: StreamState) -> str | None:
    """Since when a stream is read that goes on from a state; None for from the beginning."""
    return looked_back(state.cursor, stream.lookback) if state.cursor else None


def start_of(
    stream: Stream, state: StreamState, workspace: Workspace, end: datetime, config: Config
) -> Start:
    """Where a stream goes on.

    With another owner, other teams or an earlier start date it is read from the beginning, over its copy.

    Args:
        stream: the stream.
        state: its state.
        workspace: whose rows these are.
        end: the sync's start, by Linear's clock.
        config: the user's configuration.

    Raises:
        AirbyteTracedException: the state is of another workspace (config_error).
    """
    owner, scope = workspace.owner, scope_of(stream, config)
    before = state.workspace.get("id")
    if before and before != owner["id"]:
        raise config_error(
            f"state: stream {stream.name} was copied from the workspace "
            f"{state.workspace.get('name') or before}, and these credentials are of the workspace "
            f"{owner['name']}. Use credentials of the first one, or clear the state and the destination to "
            "copy the second one."
        )
    change = _change(state, owner, scope)
    if change and state.cursor:
        _LOGGER.warning(
            "%s%s. It is read from the beginning, over the copy that is there: about %s. Rows that are "
            "no longer seen are reported as deleted, up to %d of them. A refresh of the stream, destination "
            "included, removes all.",
            subject(stream.name),
            change,
            many(state.length, "row") if state.length else "all rows",
            CAPACITY,
        )
        state = replace(state, cursor=None, due=True)
    state = replace(state, workspace=owner, scope=_kept(state, scope))
    cursor = _resumed(stream, state.cursor, end)
    state = replace(state, cursor=cursor)
    return Start(state, max(milliseconds(end), cursor or ""), begin_of(stream, state))


def scope_of(stream: Stream, config: Config) -> dict[str, Any]:
    """The options that decide which rows a stream brings, where they are not at their defaults."""
    scope: dict[str, Any] = {} if config.archived_rows == "flag" else {"archived_rows": config.archived_rows}
    if stream.team_filter and config.team_keys:
        scope["team_keys"] = sorted(set(config.team_keys))
    if stream.kind in ("windowed", "child") and config.start_date:
        scope["start_date"] = config.start_date
    return scope


def _change(state: StreamState, owner: Mapping[str, str], scope: Mapping[str, Any]) -> str:
    """What is another than when a state was written, as the beginning of a sentence; "" for nothing."""
    viewer = state.workspace.get("viewer")
    if viewer and viewer != owner["viewer"]:
        return "The credentials are another user's than those of its state, and may see other rows"
    if state.scope is None:
        return ""
    teams, now = state.scope.get("team_keys") or [], scope.get("team_keys") or []
    if teams != now:
        return f"team_keys was {_named(teams)} and is {_named(now)}"
    former, current = (one.get("archived_rows") or "flag" for one in (state.scope, scope))
    if former != current:
        return f"archived_rows was {former} and is {current}"
    if (scope.get("start_date") or "") < (state.scope.get("start_date") or ""):
        return f"start_date was {state.scope['start_date']} and is {scope.get('start_date') or 'not set'}"
    return ""


def _kept(state: StreamState, scope: Mapping[str, Any]) -> dict[str, Any]:
    """The scope that a state is written with: a copy holds rows since the earliest start date that it had."""
    if "start_date" not in scope or not state.walked or state.scope is None:
        return dict(scope)
    before = state.scope.get("start_date")  # None: it holds all
    dates = {} if before is None else {"start_date": min(before, scope["start_date"])}
    return {key: value for key, value in scope.items() if key != "start_date"} | dates


def _named(teams: Sequence[str]) -> str:
    return ", ".join(teams) or "not set"


def _resumed(stream: Stream, cursor: str | None, end: datetime) -> str | None:
    """From where to go on after a cursor; None for from the beginning.

    A cursor that lies ahead was written by a clock that was wrong. How wrong is not known: a little ahead,
    the day before is read again, far ahead, everything. By less than the lookback it does no harm.
    """
    if cursor is None:
        return None
    lead = timestamp(cursor) - pendulum.instance(end)
    if lead <= stream.lookback:
        return cursor
    again = milliseconds(end - _WRONG_CLOCK) if lead <= _WRONG_CLOCK else None
    _LOGGER.warning(
        "%sits state, %s, is in the future; reading from %s.",
        subject(stream.name),
        cursor,
        again or "the beginning",
    )
    return again


def due(
    streams: Mapping[str, Stream], states: Mapping[str, StreamState], config: Config, now: datetime
) -> set[str]:
    """The streams whose long lists are walked in this sync.

    Args:
        streams: the streams that are read.
        states: their states.
        config: the user's configuration: `detect_deletions`.
        now: the time, by Linear's clock.
    """
    if config.detect_deletions is None:
        return set()
    long = {name: one for name, one in streams.items() if one.is_comparable and one.is_long}
    roots = set()
    for name, stream in long.items():
        hours = config.detect_deletions * (1 - _SPREAD * crc32(stream.roots[0].name.encode()) / 2**32)
        walked = states[name].walked
        if walked is None or states[name].due or now - timestamp(walked) >= timedelta(hours=hours):
            roots.add(stream.roots[0].name)
    # Streams of one parent together: one walk serves them.
    return {name for name, stream in long.items() if stream.roots[0].name in roots}


def slices(stream: Stream, start: Start, finding: Finding, workspace: Workspace) -> list[Slice]:
    """What is read of a stream, besides what is pending.

    Args:
        stream: the stream.
        start: where it goes on.
        finding: what the probe found.
        workspace: when it was created, and how large it is.
    """
    begin, moved = start.begin, finding.moved
    if begin is None:
        parts = _first_slices(stream, start, workspace)
        nodes = finding.listed.nodes if finding.listed else {}
        shares = {root: -(-many // len(parts)) for root, many in nodes.items()}
        return [replace(one, nodes=shares or None) for one in parts]
    if finding.changed is not None:
        ids = tuple(dict.fromkeys([*finding.changed, *moved]))
        return [Slice(start=begin, ids=ids)] if ids else []
    extra = [Slice(start=begin, ids=moved)] if moved else []
    if stream.kind != "windowed":
        return [*extra, Slice(start=begin, first=True)]
    bounds = _cut(max(begin, workspace.created), start.end, stream.windows_of(workspace.issues))
    starts = [begin, *(milliseconds(timestamp(end) + _MILLISECOND) for end in bounds)]
    ends: list[str | None] = [*bounds, None]
    return extra + [
        Slice(start=one, end=end, first=place == 0, until=end)
        for place, (one, end) in enumerate(zip(starts, ends, strict=True))
    ]


def _first_slices(stream: Stream, start: Start, workspace: Workspace) -> list[Slice]:
    """A first read goes by `createdAt`, which never changes; its first slice is open to the past."""
    scope = start.state.scope or {}
    if not stream.is_long or stream.kind == "feed":
        return [Slice(field=CREATED_AT)]
    bounds = _cut(workspace.created, start.end, stream.windows_of(workspace.issues))
    starts = [None, *(milliseconds(timestamp(end) + _MILLISECOND) for end in bounds)]
    ends: list[str | None] = [*bounds, None]
    return [
        Slice(start=one, end=end, field=CREATED_AT, since=scope.get("start_date"), until=end)
        for one, end in zip(starts, ends, strict=True)
    ]


def _cut(begin: str, end: str, pieces: int) -> list[str]:
    """The moments that cut a time into so many pieces, none shorter than a day."""
    first, last = timestamp(begin), timestamp(end)
    return cut(begin, end, max(1, min(pieces, int((last - first) / _SHORTEST) if last > first else 1)))
