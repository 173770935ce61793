"""What the streams of one process share: the API, and which rows could not be read."""

import json
import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from importlib.metadata import version
from typing import Any

from airbyte_cdk.models import FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_linear.config import DEFAULT_API_URL, config_error
from source_linear.linear.api import Api
from source_linear.linear.credentials import Credentials
from source_linear.linear.errors import LinearError, failure, subject
from source_linear.sync.progress import Progress
from source_linear.sync.sketch import CAPACITY

_LOGGER = logging.getLogger("airbyte")
MOST_LEFT_OUT = 100  # rows of a stream that a sync leaves out
MOST_AGAIN = MOST_LEFT_OUT + CAPACITY  # rows of a stream that a state names, to be read again


class Shared:
    """What the streams of one process share.

    Attributes:
        api: Linear's API.
        again: rows to ask for whenever they changed, by stream: those that the last sync could not read, and
            those that the copy does not have.
        excluded: the ids of rows that were archived when they came, and are not sent, by stream.
        also: rows, or parents of rows, that changed though no stamp tells of it, by stream.
        news: what the change probe found, by stream: see `Probe.news`; a stream that is not there is read.
        lengths: how long the lists of streams are that were read whole.
        progress: is told of each page.
        left_out: the rows that this sync could not read, by stream: their ids, or their places (False) where
            the ids did not come either.
    """

    def __init__(self, config: Mapping[str, Any], replaced: Callable[[dict[str, Any]], None]) -> None:
        url = str(config.get("api_url") or DEFAULT_API_URL)
        token_url = f"{url.rstrip('/').removesuffix('/graphql')}/oauth/token"
        try:
            credentials = Credentials(config["credentials"], token_url, replaced)
        except ValueError as error:
            raise config_error(str(error)) from None
        share, slots = config.get("rate_limit_share") or 100, int(config.get("num_workers") or 10)
        self.api = Api(url, credentials, share / 100, slots, f"source-linear/{version('source-linear')}")
        self.progress = Progress(self.api.budget)
        self.again: defaultdict[str, list[str]] = defaultdict(list)
        self.excluded: defaultdict[str, list[str]] = defaultdict(list)
        self.also: defaultdict[str, list[str]] = defaultdict(list)
        self.news: dict[str, Collection[str] | None] = {}
        self.lengths: dict[str, int] = {}
        self.left_out: defaultdict[str, dict[str, bool]] = defaultdict(dict)

    def leave_out(self, stream: str, row: str | None, place: str, reason: str) -> None:
        """Go on without a row, with a warning; the next sync asks for it again where its id is known.

        Args:
            stream: the stream.
            row: the row's id, if it is known.
            place: where the row is, if its id is not known.
            reason: why it cannot be read, as a sentence.

        Raises:
            LinearError: there are too many of them.
        """
        left_out, reason = self.left_out[stream], reason.removeprefix(subject(stream))
        if row in left_out:
            return
        if len(left_out) >= MOST_LEFT_OUT:
            said = f"more than {MOST_LEFT_OUT}; the last one: {reason.rstrip('.')}"
            raise LinearError(failure(stream, "UNREADABLE", said))
        left_out[row or place] = bool(row)
        _LOGGER.warning(
            "%sThe row %s cannot be read and is left out: %s %s",
            subject(stream),
            row or place,
            reason,
            "The next sync asks for it again." if row else "A refresh asks for it again.",
        )


_all: dict[str, Shared] = {}
_lock = threading.Lock()


def share(
    config: Mapping[str, Any], replaced: Callable[[dict[str, Any]], None] = lambda values: None
) -> Shared:
    """Begin anew with a configuration.

    Args:
        config: the user's configuration.
        replaced: is told the credentials when there is a new refresh token.

    Raises:
        AirbyteTracedException: a key or token cannot be one (config_error).
    """
    with _lock:
        _all.clear()
        shared = _all[_key(config)] = Shared(config, replaced)
        return shared


def shared_by(config: Mapping[str, Any]) -> Shared:
    """What those share that are made for this configuration, however many there are."""
    with _lock:
        key = _key(config)
        if key not in _all:
            _all[key] = Shared(config, lambda values: None)
        return _all[key]


def traced(error: LinearError) -> AirbyteTracedException:
    """The same error, as Airbyte knows it."""
    return AirbyteTracedException(
        message=str(error), internal_message=str(error), failure_type=FailureType(error.failure.kind.value)
    )


def _key(config: Mapping[str, Any]) -> str:
    return json.dumps(config, sort_keys=True, default=str)
