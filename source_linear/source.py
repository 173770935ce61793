"""SourceLinear: the manifest, a sync, and its messages."""

import logging
import os
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from typing import Any

import pendulum
from airbyte_cdk.models import (
    AirbyteConnectionStatus,
    AirbyteMessage,
    AirbyteStateMessage,
    ConfiguredAirbyteCatalog,
    Status,
    SyncMode,
)
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource
from airbyte_cdk.sources.streams.concurrent.abstract_stream import AbstractStream
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_linear import cdk
from source_linear.catalog import configured_streams, narrowed
from source_linear.components.retriever import LinearRetriever
from source_linear.config import Config, normalized, validate
from source_linear.linear.errors import LinearError, subject
from source_linear.messages import message_of
from source_linear.packaged import manifest
from source_linear.shared import new_api, traced
from source_linear.state import StreamState, is_none, stream_states
from source_linear.streams import Stream
from source_linear.sync.lister import Lister
from source_linear.sync.probe import refused
from source_linear.sync.progress import Progress
from source_linear.sync.summary import Summary
from source_linear.sync.sync import Event, Sync
from source_linear.sync.workers import Threads
from source_linear.sync.workspace import questions, workspace_of
from source_linear.token_store import hand_back

_LOGGER = logging.getLogger("airbyte")
_CHECK_PATIENCE = 10.0  # seconds
_REPEATED_EVERY = 600.0  # seconds without a message after which the last state is said again
_SPARE = 30  # threads that wait for a retry or the rate limit, so that a failing stream holds up no other


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
        made = manifest()
        specification = made["spec"]["connection_specification"]
        if config is not None:
            config = normalized(config, specification)
            validate(config, specification)
        self.catalog, self._config_path = catalog, config_path
        self._configured = configured_streams(
            catalog, {one["$parameters"]["name"] for one in made["streams"]}
        )
        self._given = stream_states(state or ())
        super().__init__(
            catalog=catalog,
            config=config,
            source_config=made | {"streams": made["streams"][:1]},  # `streams` resolves all
            # The CDK fails where it cannot write the migrated form; its CONTROL message says it as well.
            config_path=config_path if config_path and os.access(config_path, os.W_OK) else None,
        )
        if config is not None:
            self._options = Config.of(self._config, specification)

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
        """Whether Linear accepts the credentials; what they cannot read is told."""
        names = manifest()["check"]["stream_names"]
        entries = [one for one in manifest()["streams"] if one["$parameters"]["name"] in names]
        missing = set(names) - {one["$parameters"]["name"] for one in entries}
        if missing or not entries:
            return AirbyteConnectionStatus(status=Status.FAILED, message=_no_stream(missing))
        asked = self._retrievers({"streams": entries})
        api, keys = self._api(asked[names[0]]), self._options.team_keys
        api.patience, api.waits = _CHECK_PATIENCE, False
        lister = Lister(api)
        try:
            workspace = workspace_of(lister.ask(questions(keys)), keys)
        except (LinearError, AirbyteTracedException) as error:
            return AirbyteConnectionStatus(
                status=Status.FAILED, message=getattr(error, "message", str(error))
            )
        viewer, organization = workspace.viewer, workspace.organization
        logger.info(
            "Connected to the workspace %s (%s) as %s, %s.",
            organization["name"],
            organization["urlKey"],
            viewer["name"],
            "an admin" if viewer["admin"] else "not an admin",
        )
        streams = [Stream.from_parameters(one["$parameters"]) for one in manifest()["streams"]]
        for name, reason in refused(lister, streams).items():
            logger.warning("Stream %s cannot be read with these credentials: %s.", name, reason)
        return AirbyteConnectionStatus(status=Status.SUCCEEDED)

    def streams(self, config: Mapping[str, Any]) -> list[AbstractStream]:
        """The streams of the manifest; in a read, those of the catalog with their columns."""
        return self._made(self._manifest_of_catalog())

    def read(
        self,
        logger: logging.Logger,
        config: Mapping[str, Any],
        catalog: ConfiguredAirbyteCatalog,
        state: list[AirbyteStateMessage] | None = None,
    ) -> Iterator[AirbyteMessage]:
        """The messages of what is read.

        The CDK's threads and states are not used: a state says before a row is sent that the destination may
        have it, which their order of messages cannot (docs/decisions.md, 1).

        Raises:
            AirbyteTracedException: at the end, if any stream failed: which, why, and what to do.
        """
        if self.catalog is None:  # made before it was known, as `configure` says
            yield from SourceLinear(catalog, config, state, self._config_path).read(
                logger, config, catalog, state
            )
            return
        for event in self.events():
            yield from message_of(event)

    def events(self) -> Iterator[Event]:
        """Read the catalog's streams; one that fails stops no other.

        Raises:
            AirbyteTracedException: at the end, if any stream failed: which, why, and what to do.
        """
        retrievers = self._retrievers(self._manifest_of_catalog())
        if not retrievers:
            return
        states = self._states(retrievers)
        api = self._api(next(iter(retrievers.values())))
        progress = Progress(api.budget)
        workers = Threads(self._options.num_workers + _SPARE, api.begin, api.leave, _REPEATED_EVERY)
        sync = Sync(retrievers, states, self._options, api, workers, lambda: pendulum.now("UTC"), progress)
        summary = Summary(sync, api.budget.usage)
        try:
            with progress:
                yield from summary.watch(sync.events())
        except LinearError as error:
            raise traced(error) from None

    def _retrievers(self, made: Mapping[str, Any]) -> dict[str, LinearRetriever]:
        """What the manifest declares of streams, as the CDK's objects say it."""
        return {stream.name: cdk.retriever_of(stream) for stream in self._made(made)}

    def _made(self, made: Mapping[str, Any]) -> list[AbstractStream]:
        cdk.use_manifest(self, {**manifest(), **made})
        return super().streams(self._config)

    def _api(self, retriever: LinearRetriever) -> Any:
        replaced = partial(hand_back, self._config, self._config_path)
        return new_api(self._options, retriever.url, retriever.method, replaced)

    def _states(self, retrievers: Mapping[str, LinearRetriever]) -> dict[str, StreamState]:
        """The states of the streams that are read; one that is none is none for its stream alone."""
        states: dict[str, StreamState] = {}
        for name, retriever in retrievers.items():
            given = self._given.get(name)
            if not given or is_none(given):
                continue
            try:
                states[name] = StreamState.decoded(given, retriever.stream.cursor_field)
            except ValueError as error:
                _LOGGER.warning(
                    "%sits state cannot be read (%s): it is read from the beginning.", subject(name), error
                )
        full = [name for name, one in self._configured.items() if one.sync_mode is SyncMode.full_refresh]
        if going_on := [name for name in full if name in states and states[name].cursor]:
            _LOGGER.warning(
                "Full refresh of %s: it continues from the state that was passed in and reads only what "
                "changed since. To read everything again, clear the state of these streams; without Airbyte, "
                "omit --state.",
                "all streams" if len(going_on) == len(retrievers) > 1 else ", ".join(going_on),
            )
        return states

    def _manifest_of_catalog(self) -> dict[str, Any]:
        """The streams of the manifest that are read, with the columns that are selected."""
        entries = manifest()["streams"]
        if self.catalog is not None:
            entries = [entry for entry in entries if entry["$parameters"]["name"] in self._configured]
        for entry in entries:
            configured = self._configured.get(entry["$parameters"]["name"])
            columns = (configured.stream.json_schema or {}).get("properties") if configured else None
            if columns:
                entry["$parameters"] = narrowed(entry["$parameters"], list(columns))
        return {"streams": entries}


def _no_stream(missing: Collection[str]) -> str:
    """What is wrong where the manifest has not the streams that its `check` names."""
    said = f"names {', '.join(sorted(missing))}, which it does not have" if missing else "names none"
    return f"stream_names of check in manifest.yaml {said}: name one of the manifest's streams there."
