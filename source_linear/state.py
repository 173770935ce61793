"""The state of each stream: taken over from an earlier sync, and written for a later one.

The cursor comes first, and beside it what a later sync must know:

    {"updatedAt": "2026-01-31T08:15:00.123Z", "version": 3, "workspace": {…}, "copy": {…}}

This is the only place that knows the keys of a state. What each part is for: docs/architecture.md, The state.
"""

import base64
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from airbyte_cdk.models import AirbyteStateMessage, AirbyteStateMessageSerializer, AirbyteStateType

from source_linear.config import config_error, milliseconds, read_json, timestamp
from source_linear.sync.sketch import Sketch, id_of, number_of

VERSION = 3
BEGINNING = "1970-01-01T00:00:00.000Z"  # the cursor of a state that was written before any row was read
# Rows that a state may name, each about 23 bytes of it. More are told apart by later syncs.
MOST_PENDING, MOST_NEW, MOST_LATE, MOST_OTHERS = 700, 512, 400, 64
_TRUE, _FALSE, _NONE = "1", "0", "-"


def looked_back(cursor: str, lookback: timedelta) -> str:
    """Where a sync that goes on from a cursor begins to read: rows become visible after their stamp.

    Args:
        cursor: the cursor.
        lookback: the manifest's `lookback_window` (docs/linear-api.md, UPDATED-9).
    """
    return max(milliseconds(timestamp(cursor) - lookback), BEGINNING)


@dataclass(frozen=True)
class StreamState:
    """What a sync of a stream leaves to the next one. Dates are as Linear writes them: they sort as text.

    Attributes:
        cursor: what was stamped up to it was sent; None for from the beginning.
        workspace: whose rows these are: `id`, `name` and `viewer`; empty where that is not known.
        scope: the options that decided which: `team_keys`, `start_date`; None where they are not known.
        copy: the rows that the destination has, or will have by going on from the cursor; None where that
            is not known.
        others: those of them whose ids are no UUIDs, each with whether it is archived.
        pending: rows still to be sent or reported, each with whether a tombstone may stand against it. They
            are never in `copy`.
        walked: when the copy was last compared with Linear's list; None for never.
        new: rows sent since, each with whether it is archived; None for those reported as gone.
        late: rows that were sent with a cursor ahead of their stamp, and with which.
        crowded: whether `late` was not enough: then what is sent by its id takes `high`.
        high: no cursor above it was sent for any row.
        wave: the last archiving, by its time and id, that the destination is known to have.
        due: whether the next sync must walk: something was promised and not yet seen to come.
        unsure: whether more differed than a sketch can tell.
        unlisted: how many syncs in a row the list did not come.
        length: how long the list was when it was last walked.
        roots: of a stream with several roots, those whose rows the copy may hold.
    """

    cursor: str | None = None
    workspace: Mapping[str, str] = field(default_factory=dict)
    scope: Mapping[str, Any] | None = None
    copy: Sketch | None = None
    others: Mapping[str, bool] = field(default_factory=dict)
    pending: Mapping[str, bool] = field(default_factory=dict)
    walked: str | None = None
    new: Mapping[str, bool | None] = field(default_factory=dict)
    late: Mapping[str, str] = field(default_factory=dict)
    crowded: bool = False
    high: str = ""
    wave: tuple[str, str] = ("", "")
    due: bool = True
    unsure: bool = False
    unlisted: int = 0
    length: int = 0
    roots: tuple[str, ...] = ()

    def encoded(self, cursor_field: str) -> dict[str, Any]:
        """The state as it is written, at most 80 kB."""
        written: dict[str, Any] = {cursor_field: self.cursor or BEGINNING, "version": VERSION}
        named = {
            "workspace": dict(self.workspace),
            "scope": dict(self.scope or {}),
            "others": dict(self.others),
            "pending": _written(self.pending),
            "new": _written(self.new),
            "late": _written(self.late),
            "high": self.high,
            "wave": list(self.wave) if self.wave[0] else None,
            "walked": self.walked,
            "copy": self.copy.text() if self.copy is not None else None,
            "crowded": self.crowded,
            "unsure": self.unsure,
            "unlisted": self.unlisted,
            "length": self.length,
            "roots": list(self.roots),
        }
        written |= {key: value for key, value in named.items() if value}
        return written | ({} if self.due else {"due": False})

    @classmethod
    def decoded(cls, state: Mapping[str, Any], cursor_field: str) -> "StreamState":
        """Read a state: one of this connector, of whatever version, or of Airbyte's own source-linear.

        Raises:
            ValueError: it is of another form.
        """
        try:
            cursor = milliseconds(timestamp(state[cursor_field]))
        except (KeyError, TypeError, ValueError):
            raise ValueError("it has no cursor") from None
        read = cls(cursor=None if cursor <= BEGINNING else cursor)
        if state.get("version") == VERSION:
            return read._read(state)
        return read._read_older(state)

    def _read(self, state: Mapping[str, Any]) -> "StreamState":
        try:
            wave = state.get("wave") or ("", "")
            return replace(
                self,
                workspace={str(key): str(value) for key, value in (state.get("workspace") or {}).items()},
                scope=dict(state.get("scope") or {}),
                copy=Sketch.parse(state["copy"]) if state.get("copy") else None,
                others={str(key): bool(value) for key, value in (state.get("others") or {}).items()},
                pending={key: value == _TRUE for key, value in _read(state.get("pending")).items()},
                new={key: _FLAGS.get(value) for key, value in _read(state.get("new")).items()},
                late=_read(state.get("late")),
                high=str(state.get("high") or ""),
                wave=(str(wave[0]), str(wave[1])),
                walked=_moment(state.get("walked")),
                crowded=bool(state.get("crowded")),
                unsure=bool(state.get("unsure")),
                unlisted=int(state.get("unlisted") or 0),
                length=int(state.get("length") or 0),
                roots=tuple(str(one) for one in state.get("roots") or ()),
                due=bool(state.get("due", True)),
            )
        except (AttributeError, IndexError, TypeError, ValueError) as error:
            raise ValueError("what it says of the rows cannot be read") from error

    def _read_older(self, state: Mapping[str, Any]) -> "StreamState":
        """What version 0.2 wrote: its copy is what was listed, and `again` what was to be asked for again."""
        scope, copy, again = state.get("scope"), state.get("copy"), state.get("again")
        read = replace(self, scope=dict(scope) if isinstance(scope, Mapping) else None)
        if isinstance(again, list):
            ids = [one for one in again if isinstance(one, str)][:MOST_PENDING]
            read = replace(read, pending=dict.fromkeys(ids, True))
        if isinstance(copy, Mapping):
            high, walked = str(copy.get("until") or ""), str(copy.get("walked") or "")
            try:
                sketch = Sketch.parse(copy["rows"])
                walked = milliseconds(timestamp(walked))
            except (AttributeError, KeyError, TypeError, ValueError):
                return replace(read, high=high)
            return replace(read, copy=sketch, walked=walked, wave=(walked, ""), high=high)
        return read


def read_states(path: str) -> list[AirbyteStateMessage]:
    """Read the file that the user named as `--state`.

    Raises:
        AirbyteTracedException: it is not a list of state messages (config_error).
    """
    document = read_json(path, "--state")
    try:
        states = [AirbyteStateMessageSerializer.load(one) for one in document or ()]
        if all(state.stream or state.data or state.global_ for state in states):
            return states
    except Exception:
        pass
    raise config_error(f"--state: {path} is not a list of state messages as read prints them.") from None


def stream_states(given: Iterable[AirbyteStateMessage]) -> dict[str, dict[str, Any]]:
    """What state messages say, by stream.

    Raises:
        AirbyteTracedException: one is of another type than STREAM (config_error).
    """
    found: dict[str, dict[str, Any]] = {}
    for message in given:
        kind = message.type or (AirbyteStateType.LEGACY if message.data else AirbyteStateType.STREAM)
        if kind is not AirbyteStateType.STREAM:
            raise config_error(
                f"state: it is of type {kind.value}; this connector writes one of type STREAM for "
                "each stream. Reset the connection to read everything from the beginning."
            )
        if message.stream and message.stream.stream_state:
            found[message.stream.stream_descriptor.name] = vars(message.stream.stream_state)
    return found


def is_none(state: Mapping[str, Any]) -> bool:
    """Whether a state says nothing, in the words of the CDK: a sentinel of a stream without a cursor."""
    return all(str(key).startswith("__ab_") for key in state)


_FLAGS: Mapping[str, bool | None] = {_TRUE: True, _FALSE: False, _NONE: None}
_Named = Mapping[str, bool | None] | Mapping[str, str]


def _written(rows: _Named) -> str | None:
    """Rows and what is said of each, in few bytes: ids are numbers of 16, and equal things are said once."""
    if not rows:
        return None
    groups: dict[str, list[str]] = {}
    for row_id, value in rows.items():
        said = (
            {True: _TRUE, False: _FALSE, None: _NONE}.get(value, value)
            if not isinstance(value, str)
            else value
        )
        groups.setdefault(str(said), []).append(row_id)
    parts = []
    for said, ids in groups.items():
        numbers = [number for row_id in ids if (number := number_of(row_id)) is not None]
        texts = [row_id for row_id in ids if number_of(row_id) is None]
        head = "\t".join([said, str(len(numbers)), *texts]).encode()
        parts.append(len(head).to_bytes(4) + head + b"".join(one.to_bytes(16) for one in numbers))
    return base64.b64encode(zlib.compress(b"".join(parts), 1)).decode("ascii")


def _read(written: Any) -> dict[str, str]:
    """What `_written` wrote: each row with what was said of it."""
    if not written:
        return {}
    rows: dict[str, str] = {}
    try:
        rest = zlib.decompress(base64.b64decode(written, validate=True))
        while rest:
            size = int.from_bytes(rest[:4])
            said, many, *texts = rest[4 : 4 + size].decode().split("\t")
            end = 4 + size + 16 * int(many)
            if not 4 + size <= end <= len(rest):
                raise ValueError("not as many ids as it says")
            ids = [id_of(int.from_bytes(rest[at : at + 16])) for at in range(4 + size, end, 16)]
            rows |= dict.fromkeys([*texts, *ids], said)
            rest = rest[end:]
    except (ValueError, TypeError, zlib.error) as error:
        raise ValueError("not what names rows") from error
    return rows


def _moment(value: Any) -> str | None:
    return milliseconds(timestamp(value)) if value else None
