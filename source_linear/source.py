"""SourceLinear: the manifest, made to fit one command."""

import logging
import os
import threading
from collections.abc import Iterator, Mapping
from copy import deepcopy
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from airbyte_cdk.models import (
    AirbyteConnectionStatus,
    AirbyteMessage,
    AirbyteStateMessage,
    AirbyteStateType,
    ConfiguredAirbyteCatalog,
    Status,
    SyncMode,
)
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource
from airbyte_cdk.sources.declarative.models.declarative_component_schema import CustomRequester
from airbyte_cdk.sources.message.concurrent_repository import ConcurrentMessageRepository
from airbyte_cdk.sources.streams.concurrent.abstract_stream import AbstractStream
from airbyte_cdk.sources.streams.concurrent.cursor import ConcurrentCursor
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_linear.components.budget import Budget
from source_linear.components.credentials import Credentials
from source_linear.components.pages import decoded, unfolded
from source_linear.components.permissions import refused_streams
from source_linear.components.requester import LinearRequester
from source_linear.components.summary import Summary, is_not_told_here
from source_linear.components.syncs import Sync, cursor_of
from source_linear.components.windows import WindowState
from source_linear.components.workers import Workers
from source_linear.config import config_error, timestamp, validate
from source_linear.packaged import manifest
from source_linear.queries import Stream

_LOGGER = logging.getLogger("airbyte")
# It cannot see that our requester asks for smaller pages, and would warn of it once for every stream.
logging.getLogger("airbyte.model_to_component_factory").setLevel(logging.ERROR)
_CHECK_PATIENCE = 10.0  # seconds
_PAGES_AHEAD = 16  # of what is printed: enough that nobody waits, and some 4,000 rows
# API.md, Cheap truths: it needs no permission beyond a valid key.
_WHO = "viewer { id name email admin } organization { id name urlKey createdAt createdIssueCount }"
_TEAMS = "teams(first: 250, includeArchived: true) { nodes { key } }"
_TEAMS_ASKED_FOR = (
    "asked: teams(first: 250, includeArchived: true, filter: {key: {in: $keys}}) { nodes { key } }"
)


class SourceLinear(ConcurrentDeclarativeSource):
    """The connector: an Airbyte source that reads a Linear workspace."""

    check_config_against_spec = False  # `validate` has said it better by then

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
            config_path: the file that `config` was read from, rewritten when its form is migrated or a
                refresh token is replaced.

        Raises:
            AirbyteTracedException: configuration, catalog or state are not usable (config_error).
        """
        declared = manifest()
        if config is not None:
            validate(config, declared["spec"]["connection_specification"])
        self._configured = {item.stream.name: item for item in catalog.streams} if catalog else {}
        self._declared = {
            entry["$parameters"]["name"]: Stream.from_parameters(entry["$parameters"])
            for entry in declared["streams"]
        }
        _refuse_unknown(self._configured, self._declared)
        self._cursors: dict[str, str] = {}
        usable = [self._usable(message) for message in state or []]
        self._sync = Sync(start=datetime.now(UTC))
        super().__init__(
            catalog=catalog,
            config=config,
            state=usable or None,
            source_config=self._manifest_of_this_sync({}),
            # The CDK fails where it cannot write the migrated form; its CONTROL message says it as well.
            config_path=config_path if config_path and os.access(config_path, os.W_OK) else None,
        )
        if config is not None:
            self._config = {**self._config, "credentials": Credentials(self._config, config_path)}
        self._concurrent_source._queue.maxsize = _PAGES_AHEAD
        self.logger.addFilter(is_not_told_here)
        workers = Workers(self._concurrent_source._threadpool._threadpool)
        self._budget = Budget(self._config.get("rate_limit_share", 100) / 100, workers)
        self._constructor._api_budget = self._budget  # the CDK's own cannot read it (cdk.md, 5)

    def configure(self, config: Mapping[str, Any], temp_dir: str) -> Mapping[str, Any]:
        """The configuration in use. The CDK would write a copy, with the secrets, into a temporary file."""
        return self._config

    def check(self, logger: logging.Logger, config: Mapping[str, Any]) -> AirbyteConnectionStatus:
        """Whether Linear accepts the credentials; what of the streams they may not read is logged."""
        try:
            requester = self._requester()
            requester.patience, requester.waits = _CHECK_PATIENCE, False
            who, _ = self._ask_who(requester)
        except AirbyteTracedException as error:
            return AirbyteConnectionStatus(status=Status.FAILED, message=error.message)
        viewer, organization = who["viewer"], who["organization"]
        logger.info(
            "Connected to the workspace %s (%s) as %s, %s.",
            organization["name"],
            organization["urlKey"],
            viewer["name"],
            "an admin" if viewer["admin"] else "not an admin",
        )
        for name, reason in refused_streams(requester, self._declared.values()).items():
            logger.warning("Stream %s cannot be read with these credentials: %s.", name, reason)
        return AirbyteConnectionStatus(status=Status.SUCCEEDED)

    def streams(self, config: Mapping[str, Any]) -> list[AbstractStream]:
        """The streams of the manifest; in a read, those of the catalog, bounded by this sync."""
        self._source_config = self._pre_process_manifest(self._manifest_of_this_sync(self._config))
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
        # What this thread says of the streams must not wait for this thread.
        assert isinstance(self._message_repository, ConcurrentMessageRepository)
        self._message_repository._consumer_thread_id = threading.get_ident()
        who, now = self._ask_who(self._requester())
        organization = who["organization"]
        self._sync = Sync(now, timestamp(organization["createdAt"]), organization["createdIssueCount"])
        for name, cursor in list(self._cursors.items()):
            resumed = self._sync.resumed(name, cursor)
            if resumed != cursor:
                self._cursors.pop(name)
                field = self._declared[name].cursor_field
                self._connector_state_manager.update_state_for_stream(
                    name, None, {field: resumed} if resumed else {}
                )
                self._cursors |= {name: resumed} if resumed else {}
        cursors = {name: self._cursors.get(name) for name in self._configured}
        messages = unfolded(super().read(logger, config, catalog, state))
        yield from Summary(cursors, self._budget.usage).watch(messages)

    def _requester(self) -> LinearRequester:
        """A requester outside of any stream."""
        definition = deepcopy(self._source_config["definitions"]["http"])
        requester: LinearRequester = self._constructor.create_component(
            CustomRequester, definition, self._config, name=""
        )
        return requester

    def _ask_who(self, requester: LinearRequester) -> tuple[dict[str, Any], datetime]:
        """Whose key it is and which workspace (`viewer`, `organization`), and the time at Linear's.

        Raises:
            AirbyteTracedException: Linear refuses, cannot be reached, or has no team of a given key.
        """
        keys = self._config.get("team_keys") or []
        teams = f"{_TEAMS} {_TEAMS_ASKED_FOR}" if keys else ""
        variables = "($keys: [String!])" if keys else ""
        body = {
            "query": f"query who{variables} {{ {_WHO} {teams} }}",
            "variables": {"keys": keys} if keys else {},
        }
        response = requester.send_request(request_body_json=body)
        who: dict[str, Any] = decoded(response)["data"]
        if keys:
            known = {team["key"] for team in who["teams"]["nodes"]}
            unknown = sorted(set(keys) - known - {team["key"] for team in who["asked"]["nodes"]})
            if unknown:
                raise config_error(
                    f"team_keys: the workspace has no team {', '.join(unknown)}; "
                    f"its teams are {', '.join(sorted(known))}."
                )
        try:
            return who, parsedate_to_datetime(response.headers["Date"]).astimezone(UTC)
        except (KeyError, ValueError):
            return who, datetime.now(UTC)

    def _usable(self, given: AirbyteStateMessage) -> AirbyteStateMessage:
        """A stream's state in our own form."""
        message = deepcopy(given)
        if message.type not in (None, AirbyteStateType.STREAM):
            raise config_error(
                f"state: it is of type {message.type.value}; this connector writes one of type STREAM for "
                "each stream. Reset the connection to read everything from the beginning."
            )
        if not message.stream or not message.stream.stream_state:
            return message
        name = message.stream.stream_descriptor.name
        state = vars(message.stream.stream_state)
        cursor = cursor_of(self._declared[name], state) if name in self._declared else None
        state.clear()
        if cursor:
            self._cursors[name] = cursor
            state[self._declared[name].cursor_field] = cursor
        return message

    def _manifest_of_this_sync(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """The manifest with what it cannot know: the selected columns and this sync's bounds."""
        made = manifest()
        if self._configured:
            made["streams"] = [
                entry for entry in made["streams"] if entry["$parameters"]["name"] in self._configured
            ]
        for entry in made["streams"]:
            parameters = entry["$parameters"]
            name = parameters["name"]
            configured = self._configured.get(name)
            columns = (configured.stream.json_schema or {}).get("properties") if configured else None
            if columns:
                parameters["columns"] = list(columns)
            full = configured is not None and configured.sync_mode is SyncMode.full_refresh
            parameters["sync"] = self._sync.bounds(
                self._declared[name], self._cursors.get(name), full, config
            )
        return made


def _refuse_unknown(configured: Mapping[str, Any], declared: Mapping[str, Stream]) -> None:
    unknown = sorted(set(configured) - set(declared))
    if unknown:
        raise config_error(
            f"catalog: this connector has no stream {', '.join(unknown)}. Run discover (refresh the "
            f"source schema) and select from its streams: {', '.join(sorted(declared))}."
        )
