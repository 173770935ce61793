"""The state of each stream: taken over from an earlier sync, and written for a later one.

The cursor comes first, and beside it what a later sync must know:

    {"updatedAt": "2026-01-31T08:15:00.123Z", "scope": {"team_keys": ["ENG"]}}

The CDK parses states: it is handed the cursors only, and what stands beside them is added on the way out.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from typing import Any

from airbyte_cdk.models import (
    AirbyteMessage,
    AirbyteStateBlob,
    AirbyteStateMessage,
    AirbyteStateMessageSerializer,
    AirbyteStateType,
)

from source_linear.config import config_error, milliseconds, read_json, timestamp
from source_linear.streams import Stream

BEGINNING = "1970-01-01T00:00:00.000Z"  # the cursor of a state that was written before any row was read


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


class StreamStates:
    """The states of the streams in one sync.

    Attributes:
        cursors: the cursor in each stream's state, to the millisecond; a stream without starts afresh.
        for_cdk: the states that were handed over, with nothing but the cursor.
    """

    def __init__(self, given: Iterable[AirbyteStateMessage], declared: Mapping[str, Stream]) -> None:
        """Take over states.

        Args:
            given: what an earlier sync wrote: this connector, or Airbyte's own source-linear.
            declared: the streams of this connector by name.

        Raises:
            AirbyteTracedException: one is not a state that this connector can go on from (config_error).
        """
        self.cursors: dict[str, str] = {}
        self._declared = declared
        self._found: dict[str, dict[str, Any]] = {}
        self._kept: defaultdict[str, dict[str, Any]] = defaultdict(dict)
        self.for_cdk = [self._taken_over(message) for message in given]

    def found(self, stream: str, key: str) -> Any:
        """What the state that was handed over says beside its cursor; None where it says nothing."""
        return self._found.get(stream, {}).get(key)

    def keep(self, stream: str, key: str, value: Any) -> None:
        """Write a value beside the cursor into each later state of a stream; None for no longer."""
        self._kept[stream][key] = value

    def decorated(self, messages: Iterable[AirbyteMessage]) -> Iterator[AirbyteMessage]:
        """The messages of a sync, the states among them with what was kept beside their cursors."""
        for message in messages:
            if message.state:
                self._decorate(message.state)
            yield message

    def _decorate(self, state: AirbyteStateMessage) -> None:
        if not state.stream or not state.stream.stream_state:
            return
        name = state.stream.stream_descriptor.name
        cursor = vars(state.stream.stream_state)
        if self._declared[name].cursor_field in cursor:
            kept = {key: value for key, value in self._kept[name].items() if value is not None}
            # Another object: the CDK goes on with its own.
            state.stream.stream_state = AirbyteStateBlob(cursor | kept)

    def _taken_over(self, given: AirbyteStateMessage) -> AirbyteStateMessage:
        """A stream's state as the CDK takes it, what it says written down."""
        message = deepcopy(given)
        kind = message.type or (AirbyteStateType.LEGACY if message.data else AirbyteStateType.STREAM)
        if kind is not AirbyteStateType.STREAM:
            raise config_error(
                f"state: it is of type {kind.value}; this connector writes one of type STREAM for "
                "each stream. Reset the connection to read everything from the beginning."
            )
        if not message.stream or not message.stream.stream_state:
            return message
        name = message.stream.stream_descriptor.name
        state = vars(message.stream.stream_state)
        stream = self._declared.get(name)
        cursor = cursor_of(stream, state) if stream else None
        message.stream.stream_state = AirbyteStateBlob()
        if stream and cursor:
            self._found[name] = {key: value for key, value in state.items() if key != stream.cursor_field}
        if stream and cursor and cursor > BEGINNING:
            self.cursors[name] = cursor
            message.stream.stream_state = AirbyteStateBlob({stream.cursor_field: cursor})
        return message


def cursor_of(stream: Stream, state: Mapping[str, Any]) -> str | None:
    """The cursor in a stream's state, cut to the millisecond; None where the stream starts afresh.

    Airbyte's own source-linear wrote the same form, in milli- or microseconds.

    Raises:
        AirbyteTracedException: the state is not one that this connector can go on from.
    """
    if not state or "__ab_no_cursor_state_message" in state:
        return None
    try:
        return milliseconds(timestamp(state[stream.cursor_field]))
    except (KeyError, TypeError, ValueError):
        raise config_error(
            f"state: that of stream {stream.name} cannot be read; expected a form like "
            f'{{"{stream.cursor_field}": "2026-01-31T08:15:00.000Z"}}. Reset the stream to read it from '
            "the beginning."
        ) from None
