"""SourceLinear: the manifest, made to fit one command, and a summary of what came of it."""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import yaml
from airbyte_cdk.models import (
    AirbyteConnectionStatus,
    AirbyteMessage,
    AirbyteStateMessage,
    AirbyteStreamStatus,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteStream,
    FailureType,
    Status,
    SyncMode,
    Type,
)
from airbyte_cdk.sources.declarative.concurrent_declarative_source import (
    ConcurrentDeclarativeSource,
)
from airbyte_cdk.sources.declarative.models.declarative_component_schema import CustomRequester
from airbyte_cdk.sources.streams.concurrent.abstract_stream import AbstractStream
from airbyte_cdk.sources.streams.concurrent.cursor import ConcurrentCursor
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_linear.components.budget import Budget
from source_linear.components.pages import decoded
from source_linear.components.schemas import packaged
from source_linear.components.windows import CREATED_AT, WindowState
from source_linear.config import config_error, milliseconds, timestamp, validate
from source_linear.queries import CURSOR_FIELD, Stream

_LOGGER = logging.getLogger("airbyte")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SHORTEST_WINDOW = timedelta(days=1)
_CHECK_PATIENCE = 10.0  # seconds
# API.md, Cheap truths: 3 points, and it needs no permission beyond a valid key.
_WHO = "query who { viewer { id name email admin } organization { id name urlKey createdAt } }"


@dataclass(frozen=True)
class Sync:
    """The two moments that bound a sync.

    Attributes:
        origin: when the workspace was created: nothing but imported rows is older.
        start: when the sync started, by Linear's own clock: nothing later is read.
    """

    origin: datetime
    start: datetime


@dataclass
class Outcome:
    """What became of one stream in one sync."""

    records: int = 0
    status: AirbyteStreamStatus | None = None
    error: str | None = None
    failure_type: FailureType | None = None
    cursor: str | None = None


def manifest() -> dict[str, Any]:
    """The connector's manifest, as it stands in the repository or the wheel."""
    loaded: dict[str, Any] = yaml.safe_load(packaged("manifest.yaml").read_text("utf-8"))
    return loaded


class SourceLinear(ConcurrentDeclarativeSource):
    """The connector: an Airbyte source that reads a Linear workspace."""

    check_config_against_spec = False  # config.validate has said it better by then

    def __init__(
        self,
        catalog: ConfiguredAirbyteCatalog | None = None,
        config: Mapping[str, Any] | None = None,
        state: list[AirbyteStateMessage] | None = None,
        config_path: str | None = None,
    ) -> None:
        """Prepare one command.

        Args:
            catalog: the streams to read, for `read`.
            config: the user's configuration; None for `spec`.
            state: the state that an earlier sync wrote.
            config_path: the file that `config` was read from, rewritten when its form is migrated.

        Raises:
            AirbyteTracedException: configuration, catalog or state are not usable (config_error).
        """
        self._manifest = manifest()
        if config is not None:
            validate(config, self._manifest["spec"]["connection_specification"])
        self._configured = {item.stream.name: item for item in catalog.streams} if catalog else {}
        self._refuse_unknown_streams()
        self._now = datetime.now(UTC)
        self._sync = Sync(origin=_EPOCH, start=self._now)
        self._states: dict[str, str | None] = {}
        for message in state or []:
            if message.stream and message.stream.stream_state:
                name = message.stream.stream_descriptor.name
                self._states[name] = cursor_of(name, vars(message.stream.stream_state))
        super().__init__(
            catalog=catalog,
            config=config,
            state=self._usable_states(state),
            source_config=self._manifest_of_this_sync(),
            config_path=config_path,
        )
        self._constructor._api_budget = Budget()  # the CDK's own cannot read milliseconds (cdk.md, 5)

    def check(self, logger: logging.Logger, config: Mapping[str, Any]) -> AirbyteConnectionStatus:
        """Whether Linear accepts the credentials: one request of 3 points, given up after seconds."""
        try:
            who = self._ask_who(patience=_CHECK_PATIENCE)
        except AirbyteTracedException as error:
            return AirbyteConnectionStatus(status=Status.FAILED, message=error.message)
        viewer, organization = who["viewer"], who["organization"]
        logger.info(
            "Connected to the workspace %s (%s) as %s, %s.",
            organization["name"],
            organization["urlKey"],
            viewer["name"],
            "an admin" if viewer["admin"] else "not an admin: some streams may be refused",
        )
        return AirbyteConnectionStatus(status=Status.SUCCEEDED)

    def streams(self, config: Mapping[str, Any]) -> list[AbstractStream]:
        """The streams of the manifest; in a read, those of the catalog, bounded by this sync."""
        self._source_config = self._pre_process_manifest(self._manifest_of_this_sync())
        streams = super().streams(config)
        for stream in streams:
            if isinstance(stream.cursor, ConcurrentCursor):
                stream.cursor._connector_state_converter = WindowState()
        return streams

    def read(
        self,
        logger: logging.Logger,
        config: Mapping[str, Any],
        catalog: ConfiguredAirbyteCatalog,
        state: list[AirbyteStateMessage] | None = None,
    ) -> Iterator[AirbyteMessage]:
        """Read the catalog's streams; one that fails stops no other.

        Raises:
            AirbyteTracedException: at the end, if any stream failed: which, why, and what to do.
        """
        started = time.monotonic()
        who = self._ask_who()
        self._sync = Sync(origin=timestamp(who["organization"]["createdAt"]), start=who["server_time"])
        outcomes = {name: Outcome() for name in self._configured}
        try:
            for message in super().read(logger, config, catalog, state):
                _note(outcomes, message)
                yield message
        except AirbyteTracedException as error:
            if not any(outcome.status is AirbyteStreamStatus.INCOMPLETE for outcome in outcomes.values()):
                raise error
        failed = {
            name: outcome
            for name, outcome in outcomes.items()
            if outcome.status is not AirbyteStreamStatus.COMPLETE
        }
        for line in _summary(outcomes, time.monotonic() - started):
            logger.log(logging.WARNING if failed else logging.INFO, line)
        if failed:
            raise _failure(failed, len(outcomes))

    def _ask_who(self, patience: float | None = None) -> dict[str, Any]:
        """Whose key it is, which workspace, and what time it is there (`server_time`)."""
        definition = deepcopy(self._source_config["definitions"]["http"])
        requester = self._constructor.create_component(
            CustomRequester, definition, self._config, name="check"
        )
        if patience is not None:
            requester.patience = patience
        response = requester.send_request(request_body_json={"query": _WHO})
        who: dict[str, Any] = dict(decoded(response)["data"])
        try:
            who["server_time"] = parsedate_to_datetime(response.headers["Date"]).astimezone(UTC)
        except (KeyError, ValueError):
            who["server_time"] = datetime.now(UTC)
        return who

    def _refuse_unknown_streams(self) -> None:
        known = [entry["$parameters"]["name"] for entry in self._manifest["streams"]]
        unknown = sorted(set(self._configured) - set(known))
        if unknown:
            raise config_error(
                f"catalog: this connector has no stream {', '.join(unknown)}. Run discover (refresh "
                f"the source schema) and select from its streams: {', '.join(sorted(known))}."
            )

    def _usable_states(self, states: list[AirbyteStateMessage] | None) -> list[AirbyteStateMessage] | None:
        """The given states in our one form; a state from the future starts its stream afresh."""
        usable = []
        for message in deepcopy(states or []):
            if message.stream and message.stream.stream_state:
                cursor = self._states.get(message.stream.stream_descriptor.name)
                if cursor and cursor > milliseconds(self._now + timedelta(days=1)):
                    _LOGGER.warning(
                        "Stream %s: its state says %s, which has not come yet; it is read from the "
                        "beginning.",
                        message.stream.stream_descriptor.name,
                        cursor,
                    )
                    cursor = None
                    self._states.pop(message.stream.stream_descriptor.name)
                vars(message.stream.stream_state).clear()
                if cursor:
                    vars(message.stream.stream_state)[CURSOR_FIELD] = cursor
            usable.append(message)
        return usable or None

    def _manifest_of_this_sync(self) -> dict[str, Any]:
        """The manifest with what it cannot know: the selected columns and this sync's bounds."""
        made = deepcopy(self._manifest)
        if self._configured:
            made["streams"] = [
                entry for entry in made["streams"] if entry["$parameters"]["name"] in self._configured
            ]
        for entry in made["streams"]:
            parameters = entry["$parameters"]
            configured = self._configured.get(parameters["name"])
            columns = (configured.stream.json_schema or {}).get("properties") if configured else None
            if columns:
                parameters["columns"] = list(columns)
            parameters["sync"] = self._bounds(Stream.from_parameters(parameters), configured)
        return made

    def _bounds(self, stream: Stream, configured: ConfiguredAirbyteStream | None) -> dict[str, Any]:
        """What `Window.of` and the cursor must know of this sync of this stream."""
        in_windows = stream.kind in ("windowed", "child")
        full = configured is not None and configured.sync_mode is SyncMode.full_refresh
        given = (getattr(self, "_config", None) or {}).get("start_date") if in_windows else None
        start_date = timestamp(given) if given else None
        state = self._states.get(stream.name)
        cursor = timestamp(state) if state else None
        if full or (cursor and cursor <= self._sync.origin):
            cursor = None
        # A first or full read goes by createdAt, which never changes: nothing slips from it meanwhile.
        first_read = cursor is None and (full or not start_date)
        first = max(cursor or self._sync.origin, start_date or self._sync.origin)
        span = max(self._sync.start - (self._sync.origin if first_read else first), _SHORTEST_WINDOW)
        # Changed parents are asked for once, up to now (Window.filter); lists are read whole.
        several = in_windows and (stream.kind == "windowed" or first_read)
        step = max(span / stream.windows, _SHORTEST_WINDOW) if several else span + _SHORTEST_WINDOW
        return {
            "start": milliseconds(self._sync.origin if first_read else start_date or self._sync.origin),
            "end": milliseconds(self._sync.start),
            "step": f"PT{int(step.total_seconds()) + 1}S",
            "open": first_read,
            "full": full,
            "field": CREATED_AT if first_read else CURSOR_FIELD,
            "order_by": CURSOR_FIELD if stream.kind == "feed" and not first_read else CREATED_AT,
            "since": milliseconds(start_date) if first_read and start_date else None,
            # API.md: of our roots only issues can filter on archivedAt.
            "archived_before": None
            if first_read or stream.roots[0].entity != "Issue"
            else milliseconds(first),
        }


def cursor_of(stream: str, state: Mapping[str, Any]) -> str | None:
    """The cursor in a stream's state, cut to the millisecond; None where the stream starts afresh.

    Airbyte's own source-linear wrote the same form, in milli- or microseconds.

    Raises:
        AirbyteTracedException: the state is not one that this connector can go on from.
    """
    if not state or "__ab_no_cursor_state_message" in state:
        return None
    try:
        return milliseconds(timestamp(state[CURSOR_FIELD]))
    except (KeyError, TypeError, ValueError):
        raise config_error(
            f"state: that of stream {stream} is not one of this connector: it should be like "
            f'{{"{CURSOR_FIELD}": "2026-01-31T08:15:00.000Z"}}. Reset the stream to read it from the '
            "beginning; nothing was read or changed."
        ) from None


def _note(outcomes: Mapping[str, Outcome], message: AirbyteMessage) -> None:
    """Write down what a message says of its stream."""
    if message.type is Type.RECORD and message.record:
        outcomes[message.record.stream].records += 1
    elif message.type is Type.STATE and message.state and message.state.stream:
        stream = message.state.stream
        if stream.stream_state:
            cursor = vars(stream.stream_state).get(CURSOR_FIELD)
            outcomes[stream.stream_descriptor.name].cursor = cursor
    elif message.type is Type.TRACE and message.trace:
        if message.trace.stream_status:
            status = message.trace.stream_status
            outcomes[status.stream_descriptor.name].status = status.status
        elif message.trace.error and message.trace.error.stream_descriptor:
            outcome = outcomes[message.trace.error.stream_descriptor.name]
            outcome.error = message.trace.error.message
            outcome.failure_type = message.trace.error.failure_type


def _summary(outcomes: Mapping[str, Outcome], seconds: float) -> Sequence[str]:
    records = sum(outcome.records for outcome in outcomes.values())
    lines = [f"Read {records:,} records of {len(outcomes)} streams in {seconds:.1f} s:"]
    for name, outcome in outcomes.items():
        if outcome.status is AirbyteStreamStatus.COMPLETE:
            lines.append(f"  {name}: {outcome.records:,} records")
        else:
            lines.append(f"  {name}: FAILED after {outcome.records:,} records. {_reason(outcome)}")
    return lines


def _reason(outcome: Outcome) -> str:
    reason = outcome.error or "It was not finished."
    resumes = f"from {outcome.cursor}" if outcome.cursor else "from the beginning"
    helps = (
        "Trying again helps once this is mended"
        if outcome.failure_type is FailureType.config_error
        else "Trying again may help"
    )
    return f"{reason} {helps}; the next sync resumes it {resumes}."


def _failure(failed: Mapping[str, Outcome], streams: int) -> AirbyteTracedException:
    kinds = {outcome.failure_type for outcome in failed.values()}
    # An outage passes by itself: only when nothing else failed is it for the user to act.
    for kind in (FailureType.system_error, FailureType.transient_error, FailureType.config_error):
        if kind in kinds or None in kinds:
            break
    reasons = " ".join(f"{name}: {_reason(outcome)}" for name, outcome in failed.items())
    message = f"{len(failed)} of {streams} streams failed; the others are complete. {reasons}"
    return AirbyteTracedException(message=message, internal_message=message, failure_type=kind)
