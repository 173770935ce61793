"""Hard deletes: the copies of a sync are compared with what Linear shows, and what is gone is reported."""

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import partial
from hashlib import blake2b
from typing import Any

from airbyte_cdk.models import (
    AirbyteMessage,
    AirbyteRecordMessage,
    AirbyteStateBlob,
    AirbyteStateMessage,
    AirbyteStateType,
    AirbyteStreamState,
    AirbyteStreamStatus,
    StreamDescriptor,
    Type,
)
from airbyte_cdk.utils.datetime_helpers import ab_datetime_now

from source_linear.linear.errors import subject
from source_linear.query import all_of
from source_linear.scope import scope_of
from source_linear.shared import MOST_AGAIN, MOST_LEFT_OUT, Shared
from source_linear.state import BEGINNING, StreamStates
from source_linear.streams import MAX_PAGE_SIZE, Stream
from source_linear.sync.copies import Copy, unsure
from source_linear.sync.probe import Probe
from source_linear.sync.reading import AGAIN, ROWS
from source_linear.sync.roots import Question, Roots
from source_linear.sync.walks import Whole, created
from source_linear.sync.workspace import Workspace

_LOGGER = logging.getLogger("airbyte")
_COPY = "copy"  # beside a state's cursor


class Deletions:
    """The copies of the streams of one sync."""

    def __init__(
        self, streams: Mapping[str, Stream], states: StreamStates, shared: Shared, config: Mapping[str, Any]
    ) -> None:
        """Prepare to compare.

        Args:
            streams: the streams that are read.
            states: those that the sync goes on from.
            shared: what all streams share.
            config: the user's configuration.
        """
        reconciles = config.get("detect_deletions") == "each sync"
        self._streams = streams
        self._compared = {name: one for name, one in streams.items() if one.is_comparable(reconciles)}
        self._states, self._shared, self._config = states, shared, config
        self._archived_rows = config.get("archived_rows") or "flag"
        self._copies: dict[str, Copy] = {}
        self._created: dict[tuple[str, str | None], Collection[str]] = {}
        self._cursors: dict[str, str] = {}
        self._end = ""

    def wholes(self) -> dict[str, Whole]:
        """What takes up all rows of each stream whose copy is to be compared."""
        return {
            name: Whole(
                scope_of(one, self._config).get("start_date", ""),
                unsure=unsure(self._states.found(name, _COPY)),
            )
            for name, one in self._compared.items()
        }

    def compare(self, probe: Probe, roots: Roots, workspace: Workspace, end: str) -> None:
        """Compare the copies with what the change probe saw, and let what they lack be read.

        Args:
            probe: has asked.
            roots: asks.
            workspace: whose rows these are.
            end: the sync's start, by Linear's clock.
        """
        self._end = end
        self._keep_reports()
        for name, stream in self._compared.items():
            whole, found = probe.wholes[name], self._states.found(name, _COPY)
            if not whole.is_known and not found and stream.connection:  # nothing tells later what is read now
                whole = probe.walk_again(roots, stream) or whole
            if not whole.is_known:
                _LOGGER.info(
                    "%sLinear's list of rows was incomplete. Deletions are reported by the next sync whose "
                    "list is complete.",
                    subject(name),
                )
            scope = _scope(stream, self._config, workspace, whole.forbidden)
            copy = self._copies[name] = Copy(stream, found, scope)
            since = self._states.cursors.get(name) or copy.walked
            copy.compare(
                whole,
                partial(self._still_there, probe, roots, stream),
                partial(self._created_since, roots, stream, since),
                max(MOST_AGAIN - MOST_LEFT_OUT - len(self._shared.again[name]), 0),
                end,
            )
            self._states.keep(name, _COPY, copy.before)
            again = list(copy.appeared)
            if whole.is_known and stream.kind != "swept" and not stream.is_of_issues:
                again += whole.archived
            if again and name in self._states.cursors:
                self._shared.again[name] += [one for one in again if one not in self._shared.again[name]]
            if self._shared.again[name] and not (stream.filterable and len(stream.roots) == 1):
                probe.news.pop(name, None)

    def _keep_reports(self) -> None:
        """A row that comes back must win over a report of the time when its stream was compared."""
        for name in self._streams.keys() - self._compared.keys():
            if found := self._states.found(name, _COPY):
                copy = self._copies[name] = Copy(self._streams[name], found, "")
                self._states.keep(name, _COPY, copy.before)

    def _created_since(self, roots: Roots, stream: Stream, since: str | None) -> Collection[str]:
        """`walks.created`, asked once for the streams of one root."""
        key = (stream.roots[0].name, since)
        if key not in self._created:
            self._created[key] = created(roots, stream, since)
        return self._created[key]

    def watched(self, messages: Iterable[AirbyteMessage]) -> Iterator[AirbyteMessage]:
        """The messages of a sync, whose records are pages, with reports of what is gone.

        A report goes out before the state that forgets its row, a state before the rows that it knows, and
        before a report one that says that it may have been sent.
        """
        for message in messages:
            if name := _started(message):
                yield message
                yield from self._begin(name)
                continue
            page = message.record
            copy = self._copies.get(page.stream) if page else None
            if page and copy and copy.send(page.data[ROWS], self._end):
                yield self._state(page.stream)
            if message.state and message.state.stream:
                self._note(message.state.stream)
            yield message

    def _begin(self, name: str) -> Iterator[AirbyteMessage]:
        copy = self._copies.get(name)
        if copy is None or self._streams[name].goes_by_parents:
            return
        if tombstones := copy.tombstones(self._end, self._archived_rows):
            now = int(ab_datetime_now().timestamp() * 1000)
            page = {ROWS: tombstones, AGAIN: []}
            record = AirbyteRecordMessage(stream=name, data=page, emitted_at=now)
            yield self._state(name)
            yield AirbyteMessage(type=Type.RECORD, record=record)
            copy.reported()
        if copy.is_news:
            yield self._state(name)

    def _state(self, name: str) -> AirbyteMessage:
        """A state with the latest cursor, and what the copy may hold."""
        self._states.keep(name, _COPY, self._copies[name].state())
        cursor = self._cursors.get(name) or self._states.cursors.get(name) or BEGINNING
        stream = AirbyteStreamState(
            stream_descriptor=StreamDescriptor(name=name),
            stream_state=AirbyteStateBlob({self._streams[name].cursor_field: cursor}),
        )
        state = AirbyteStateMessage(type=AirbyteStateType.STREAM, stream=stream)
        return AirbyteMessage(type=Type.STATE, state=state)

    def _note(self, stream: AirbyteStreamState) -> None:
        name = stream.stream_descriptor.name
        state = vars(stream.stream_state) if stream.stream_state else {}
        excluded = list(self._shared.excluded[name])
        del self._shared.excluded[name][: len(excluded)]  # threads add more meanwhile
        if name in self._copies and not self._streams[name].goes_by_parents:
            self._copies[name].know((row_id, True, self._end) for row_id in excluded)
        if name in self._copies and (cursor := state.get(self._streams[name].cursor_field)):
            self._cursors[name] = cursor
            self._states.keep(name, _COPY, self._copies[name].state())

    def _still_there(
        self, probe: Probe, roots: Roots, stream: Stream, ids: list[str]
    ) -> Collection[str] | None:
        """Which of some ids Linear shows; None where it does not say."""
        root = stream.roots[0]
        if not stream.connection:  # a plain list comes whole
            rows = roots.ask({"there": Question(f"{root.name} {{ id }}")}).get("there")
            return [row["id"] for row in rows] if isinstance(rows, list) and all(rows) else None
        if not stream.filterable or root.children:
            whole = probe.walk_again(roots, stream)
            return None if whole is None else [row_id for row_id in ids if whole.flag(row_id) is not None]
        found: set[str] = set()
        of_teams = stream.filter_of_teams(self._config.get("team_keys") or ())
        for start in range(0, len(ids), MAX_PAGE_SIZE):
            some = ids[start : start + MAX_PAGE_SIZE]
            question = Question(
                f"{root.call(len(some), 'filter: $filter')} {{ nodes {{ id }} pageInfo {{ endCursor }} }}",
                {"filter": (f"{root.entity}Filter", all_of(of_teams, {"id": {"in": some}}))},
                ("nodes", "pageInfo"),
            )
            answer = roots.ask({"there": question}).get("there")
            if answer is None or (not answer["nodes"] and answer["pageInfo"].get("endCursor")):
                return None
            if not all(isinstance(node, dict) and node.get("id") for node in answer["nodes"]):
                return None
            found |= {node["id"] for node in answer["nodes"]}
        return found


def _scope(
    stream: Stream, config: Mapping[str, Any], workspace: Workspace, forbidden: Collection[str]
) -> str:
    """Whose rows a copy holds, and which, as a short text."""
    scope = {name: value for name, value in scope_of(stream, config).items() if name != "archived_rows"}
    who = (workspace.organization["id"], workspace.viewer["id"], sorted(scope.items()), *sorted(forbidden))
    return blake2b(repr(who).encode(), digest_size=8).hexdigest()


def _started(message: AirbyteMessage) -> str | None:
    """The stream that a message says was started."""
    status = message.trace.stream_status if message.trace else None
    started = status is not None and status.status is AirbyteStreamStatus.STARTED
    return status.stream_descriptor.name if status and started else None
