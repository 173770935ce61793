"""SourceLinear: the manifest, made to fit one command."""

import logging
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import Any

from airbyte_cdk.models import (
    AirbyteConnectionStatus,
    AirbyteMessage,
    AirbyteStateMessage,
    ConfiguredAirbyteCatalog,
    Status,
    SyncMode,
    Type,
)
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource
from airbyte_cdk.sources.streams.concurrent.abstract_stream import AbstractStream
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_linear import cdk
from source_linear.catalog import configured_streams, narrowed
from source_linear.config import milliseconds, normalized, validate
from source_linear.linear.errors import LinearError
from source_linear.packaged import manifest
from source_linear.scope import renew
from source_linear.shared import MOST_AGAIN, Shared, share, traced
from source_linear.state import StreamStates
from source_linear.streams import Stream
from source_linear.sync.bounds import Sync, looked_back
from source_linear.sync.deletions import Deletions
from source_linear.sync.probe import Probe
from source_linear.sync.progress import estimates
from source_linear.sync.records import unfolded
from source_linear.sync.relations import FOLLOWERS, RELATIONS, related_issues
from source_linear.sync.roots import Roots, refused_streams
from source_linear.sync.summary import Summary, is_not_told_here
from source_linear.sync.validity import validity
from source_linear.sync.windows import WindowState
from source_linear.sync.workspace import Workspace, ask_who, time_of
from source_linear.token_store import hand_back

_LOGGER = logging.getLogger("airbyte")
_CHECK_PATIENCE = 10.0  # seconds
_PAGES_AHEAD = 8  # of what is printed: with 16, nothing was faster; with 4, workers waited
# Beside a state's cursor: the ids of rows to read whenever they changed, and how long the stream's list is.
_AGAIN, _LENGTH = "again", "length"
# A page of rows is one record of the CDK (docs/decisions.md, 1).
_FOLDED = {
    "extractor": {"type": "DpathExtractor", "field_path": []},
    "record_filter": {
        "type": "RecordFilter",
        "condition": "{{ record['rows'] | length + record['again'] | length > 0 }}",
    },
}


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
        if config is not None:
            config = _validated(config)
        parameters = [entry["$parameters"] for entry in manifest()["streams"]]
        self._declared = {one["name"]: Stream.from_parameters(one) for one in parameters}
        self.catalog = catalog
        self._configured = configured_streams(catalog, self._declared)
        self._states = StreamStates(state or (), self._declared)
        self._sync = Sync(start=datetime.now(UTC))
        super().__init__(
            catalog=catalog,
            config=config,
            state=self._states.for_cdk or None,
            source_config=manifest() | {"streams": manifest()["streams"][:1]},  # `streams` resolves all
            # The CDK fails where it cannot write the migrated form; its CONTROL message says it as well.
            config_path=config_path if config_path and os.access(config_path, os.W_OK) else None,
        )
        cdk.bound_queue(self, _PAGES_AHEAD)
        self.logger.addFilter(is_not_told_here)
        if config is not None:
            self._shared: Shared = share(self._config, partial(hand_back, self._config, config_path))

    def configure(self, config: Mapping[str, Any], temp_dir: str) -> Mapping[str, Any]:
        """The configuration in use; the given one, where the source was made without any.

        The CDK would write a copy, with the secrets, into a temporary file.

        Raises:
            AirbyteTracedException: the configuration is not usable (config_error).
        """
        if not self._config:  # as `airbyte-cdk connector test` and the CDK's `launch` make a source
            SourceLinear.__init__(self, self.catalog, config)
        return self._config

    def check(self, logger: logging.Logger, config: Mapping[str, Any]) -> AirbyteConnectionStatus:
        """Whether Linear accepts the credentials; what they, or this version, cannot read is told."""
        api = self._shared.api
        api.patience, api.waits = _CHECK_PATIENCE, False
        try:
            viewer, organization, *_ = ask_who(api, self._config.get("team_keys") or ())
        except (LinearError, AirbyteTracedException) as error:
            return AirbyteConnectionStatus(
                status=Status.FAILED, message=getattr(error, "message", str(error))
            )
        logger.info(
            "Connected to the workspace %s (%s) as %s, %s.",
            organization["name"],
            organization["urlKey"],
            viewer["name"],
            "an admin" if viewer["admin"] else "not an admin",
        )
        refused = refused_streams(api, self._declared.values())
        for name, reason in refused.items():
            logger.warning("Stream %s cannot be read with these credentials: %s.", name, reason)
        found = validity(api, [one for name, one in self._declared.items() if name not in refused])
        for sentence in found.sentences:
            logger.warning(sentence)
        return AirbyteConnectionStatus(
            status=Status.FAILED if found.page else Status.SUCCEEDED,
            message=" ".join(found.sentences) or None,
        )

    def streams(self, config: Mapping[str, Any]) -> list[AbstractStream]:
        """The streams of the manifest; in a read, those of the catalog, bounded by this sync."""
        cdk.use_manifest(self, self._manifest_of_this_sync())
        streams = super().streams(config)
        cdk.keep_state_as(streams, WindowState)
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
        if self.catalog is None:  # made before it was known, as `configure` says
            yield from SourceLinear(catalog, config, state).read(logger, config, catalog, state)
            return
        cdk.read_in_this_thread(self)
        for name in self._configured:
            again = self._states.found(name, _AGAIN)
            known = again if isinstance(again, list) else []
            self._shared.again[name] += [one for one in known if isinstance(one, str)][:MOST_AGAIN]
        deletions = Deletions(self._read_streams(), self._states, self._shared, self._config)
        probe = self._probe(deletions)
        workspace = self._ask(probe, deletions)
        for warning in renew(self._states, self._configured, self._declared, self._config):
            _LOGGER.warning(warning)
        cursors = {name: self._states.cursors.get(name) for name in self._configured}
        quiet = {name for name in self._configured if probe.news.get(name) == ()}
        self._shared.progress.cursors = cursors
        yield from self._estimates(workspace.issues, probe.news)
        pages = self._shared.progress.watch(super().read(logger, config, catalog, state))
        messages = unfolded(deletions.watched(pages), self._read_again)
        messages = self._states.decorated(self._remembering(messages))
        yield from Summary(cursors, self._shared.api.budget.usage, quiet).watch(messages)

    def _ask(self, probe: Probe, deletions: Deletions) -> Workspace:
        """Ask what time it is at Linear's, what changed, and what is gone.

        Raises:
            AirbyteTracedException: Linear refuses or cannot be reached.
        """
        api = self._shared.api
        try:
            workspace = ask_who(api, self._config.get("team_keys") or (), probe)
            now = time_of(workspace, api, [self._declared[name] for name in self._configured])
        except LinearError as error:
            raise traced(error) from None
        self._sync = Sync(now, workspace.created, workspace.issues)
        self._resume(probe)
        deletions.compare(probe, Roots(api), workspace, milliseconds(now))
        self._follow_relations(probe)
        self._shared.news = probe.news
        self._shared.lengths |= probe.lengths
        return workspace

    def _estimates(self, issues: int, news: Mapping[str, Collection[str] | None]) -> Iterator[AirbyteMessage]:
        limited = self._config.get("start_date") or self._config.get("team_keys")
        whole = () if limited else self._configured.keys() - self._states.cursors.keys()
        return estimates(issues, news, {name: self._declared[name] for name in self._configured}, whole)

    def _resume(self, probe: Probe) -> None:
        """Go on from an earlier moment where a state's cursor is in the future."""
        for name, cursor in list(self._states.cursors.items()):
            resumed = self._sync.resumed(name, cursor)
            if resumed != cursor or not self._sync.is_reached(cursor):
                probe.news.pop(name, None)  # it asked from there, and rows may be older
            if resumed != cursor:
                self._states.cursors.pop(name)
                cdk.set_state(self, name, {self._declared[name].cursor_field: resumed} if resumed else {})
                self._states.cursors |= {name: resumed} if resumed else {}

    def _read_streams(self) -> dict[str, Stream]:
        """The streams that are read, with the columns that are selected."""
        made = self._manifest_of_this_sync()["streams"]
        return {one["$parameters"]["name"]: Stream.from_parameters(one["$parameters"]) for one in made}

    def _probe(self, deletions: Deletions) -> Probe:
        """What asks for news of the streams that go on from a state, and for lists that are compared."""
        streams = {RELATIONS: (self._declared[RELATIONS], self._since_of_issues())}
        for name in self._configured:
            cursor = self._states.cursors.get(name)
            since = looked_back(cursor) if cursor else None
            streams[name] = (self._declared[name], since)
        lengths = {name: self._states.found(name, _LENGTH) for name in streams}
        known = {name: length for name, length in lengths.items() if isinstance(length, int)}
        return Probe(streams, self._config.get("team_keys") or (), known, deletions.wholes())

    def _since_of_issues(self) -> str | None:
        """Since when relations matter to issues and their histories; None where those go on from no state."""
        known = self._states.cursors
        cursors = [known[name] for name in FOLLOWERS if name in self._configured and name in known]
        return looked_back(min(cursors)) if cursors else None

    def _follow_relations(self, probe: Probe) -> None:
        """Let issues be read whose relations changed."""
        since = self._since_of_issues()
        asked_since = self._states.cursors.get(RELATIONS) if RELATIONS in self._configured else since
        quiet = probe.news.get(RELATIONS) == () and asked_since and looked_back(asked_since) <= (since or "")
        if since is None or quiet:
            return
        ids = related_issues(Roots(self._shared.api), since)
        for name in FOLLOWERS:
            if ids and name in self._states.cursors and name in self._configured:
                self._shared.also[name] = ids

    def _read_again(self, stream: str, ids: list[str]) -> None:
        self._shared.again[stream] = [one for one in self._shared.again[stream] if one not in ids]

    def _remembering(self, messages: Iterator[AirbyteMessage]) -> Iterator[AirbyteMessage]:
        """The messages of a sync; each state remembers the rows that could not be read so far."""
        for message in messages:
            if message.type is Type.STATE and message.state and message.state.stream:
                name = message.state.stream.stream_descriptor.name
                left_out = [one for one, is_id in list(self._shared.left_out[name].items()) if is_id]
                ids = list(dict.fromkeys([*self._shared.again[name], *left_out]))
                self._states.keep(name, _AGAIN, ids[:MOST_AGAIN] or None)
                self._states.keep(name, _LENGTH, self._shared.lengths.get(name))
            yield message

    def _manifest_of_this_sync(self) -> dict[str, Any]:
        """The manifest with what it cannot know: the selected columns and this sync's bounds."""
        made = manifest()
        if self._configured:
            made["streams"] = [
                entry for entry in made["streams"] if entry["$parameters"]["name"] in self._configured
            ]
        for definition in ("stream", "windowed_stream"):
            made["definitions"][definition]["retriever"]["record_selector"] |= _FOLDED
        for entry in made["streams"]:
            parameters = entry["$parameters"]
            name = parameters["name"]
            configured = self._configured.get(name)
            columns = (configured.stream.json_schema or {}).get("properties") if configured else None
            if columns:
                entry["$parameters"] = parameters = narrowed(parameters, list(columns))
            full = configured is not None and configured.sync_mode is SyncMode.full_refresh
            cursor, known = self._states.cursors.get(name), self._shared.news.get(name)
            parameters["sync"] = asdict(
                self._sync.bounds(self._declared[name], cursor, full, self._config, whole=known is not None)
            )
        return made


def _validated(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """A configuration in the form of the specification; raises a config_error where it has another."""
    specification = manifest()["spec"]["connection_specification"]
    config = normalized(config, specification)
    validate(config, specification)
    return config
