"""The scope of a copy: the options that decide which rows it holds.

A state remembers the scope that it was written with, for each stream the options that matter to it and
are not at their defaults. A sync that goes on from it with another scope cannot make up for the past.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from airbyte_cdk.models import ConfiguredAirbyteStream, SyncMode

from source_linear.config import milliseconds, timestamp
from source_linear.state import StreamStates
from source_linear.streams import Stream

SCOPE = "scope"
Scope = Mapping[str, Any]

# archived_rows before and now -> what the copy will not get.
_LEFT_OUT = "rows archived before are not sent, and copies of them still look active"
_UNSEEN = "copied rows that are archived from now on are not updated, and still look active"
_ARCHIVED_ROWS = {
    ("flag", "delete"): "rows archived before are not marked as deleted, and stay in the copy",
    ("delete", "flag"): "rows archived before that the destination removed are not restored",
    ("exclude", "flag"): _LEFT_OUT,
    ("exclude", "delete"): _LEFT_OUT,
    ("flag", "exclude"): _UNSEEN,
    ("delete", "exclude"): _UNSEEN,
}


def scope_of(stream: Stream, config: Mapping[str, Any]) -> dict[str, Any]:
    """The options that decide which rows a stream brings, where they are not at their defaults."""
    scope: dict[str, Any] = {}
    if config.get("archived_rows", "flag") != "flag":
        scope["archived_rows"] = config["archived_rows"]
    if stream.team_filter and config.get("team_keys"):
        scope["team_keys"] = sorted(set(config["team_keys"]))
    if stream.kind in ("windowed", "child") and config.get("start_date"):
        scope["start_date"] = milliseconds(timestamp(config["start_date"]))
    return scope


def missed(before: Scope, now: Scope, cursor: str) -> Iterator[tuple[str, str]]:
    """What a copy of one scope will not get when it is kept up with another, each with its option.

    Args:
        before: the scope that the state was written with.
        now: that of this sync.
        cursor: the cursor in the state.
    """
    archived_rows = (before.get("archived_rows", "flag"), now.get("archived_rows", "flag"))
    if archived_rows in _ARCHIVED_ROWS:
        former, current = archived_rows
        yield "archived_rows", f"it was {former} and is {current}; {_ARCHIVED_ROWS[archived_rows]}"
    known, teams = before.get("team_keys", []), now.get("team_keys", [])
    if known and (not teams or set(teams) - set(known)):
        yield (
            "team_keys",
            f"{_change(known, teams)}; existing rows of the added teams are sent only when they change",
        )
    if teams and (not known or set(known) - set(teams)):
        yield "team_keys", f"{_change(known, teams)}; copied rows of the removed teams are no longer updated"
    earlier, start = before.get("start_date", ""), now.get("start_date", "")
    if start < earlier:
        yield "start_date", f"rows last changed before {earlier}, the previous start date, are not sent"
    if start > max(earlier, cursor):
        yield (
            "start_date",
            f"it is later than the state; changes in between, until {start}, are not sent",
        )


def renew(
    states: StreamStates,
    configured: Mapping[str, ConfiguredAirbyteStream],
    declared: Mapping[str, Stream],
    config: Mapping[str, Any],
) -> list[str]:
    """Let the states of a sync remember its scope.

    Args:
        states: the states that the sync goes on from.
        configured: the streams that it reads.
        declared: the streams of this connector.
        config: the user's configuration.

    Returns:
        Warnings for the user: what the copy will not get because it goes on from these states. States
        that remember no scope, as Airbyte's own source-linear writes them, give no such warning.
    """
    changed: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for name in configured:
        now, before = scope_of(declared[name], config), _readable(states.found(name, SCOPE))
        states.keep(name, SCOPE, now)
        if name in states.cursors and before is not None:
            for change in missed(before, now, states.cursors[name]):
                changed[change].append(name)
    warnings = [
        f"{option} was changed since the state of {_named(names, configured)} was written: {what}. Refresh "
        "these streams (clear their state) to correct the copy."
        for (option, what), names in changed.items()
    ]
    return warnings + _continued(states, configured)


def _continued(states: StreamStates, configured: Mapping[str, ConfiguredAirbyteStream]) -> list[str]:
    """A warning where a full refresh was handed a state: it does not begin anew."""
    full = [
        name
        for name, item in configured.items()
        if item.sync_mode is SyncMode.full_refresh and name in states.cursors
    ]
    if not full:
        return []
    return [
        f"Full refresh of {_named(full, configured)}: it continues from the state that was passed in "
        "and reads only what changed since. To read everything again, clear the state of these "
        "streams; without Airbyte, omit --state."
    ]


def _readable(scope: Any) -> Scope | None:
    """A scope that stood in a state; None where it is not one that this connector wrote."""
    if not isinstance(scope, Mapping):
        return None
    keys = scope.get("team_keys", [])
    if not isinstance(keys, list):
        return None
    texts = [scope.get("archived_rows", ""), scope.get("start_date", ""), *keys]
    return scope if all(isinstance(text, str) for text in texts) else None


def _change(known: list[str], teams: list[str]) -> str:
    return f"it was {', '.join(known) or 'not set'} and is {', '.join(teams) or 'not set'}"


def _named(names: list[str], configured: Mapping[str, Any]) -> str:
    return "all streams" if len(names) == len(configured) > 1 else ", ".join(names)
