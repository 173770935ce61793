"""Linear's API as one configuration asks it: all that threads share, locked inside."""

import json
import threading
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any

from airbyte_cdk.models import FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_linear.config import Config, config_error
from source_linear.linear.api import Api
from source_linear.linear.credentials import Credentials
from source_linear.linear.errors import LinearError
from source_linear.packaged import manifest

_apis: dict[str, Api] = {}  # only `api_of` writes it, under the lock
_lock = threading.Lock()


def new_api(
    config: Config, url: str, method: str, replaced: Callable[[dict[str, Any]], None] = lambda values: None
) -> Api:
    """Linear's API, as a configuration asks it.

    Args:
        config: the configuration.
        url: where the manifest says that pages are asked for.
        method: the HTTP method that it says.
        replaced: is told the credentials when there is a new refresh token.

    Raises:
        AirbyteTracedException: a key or token cannot be one (config_error).
    """
    token_url = f"{url.rstrip('/').removesuffix('/graphql')}/oauth/token"
    try:
        credentials = Credentials(config.credentials, token_url, replaced)
    except ValueError as error:
        raise config_error(str(error)) from None
    agent = f"source-linear/{version('source-linear')}"
    return Api(url, credentials, config.rate_limit_share / 100, config.num_workers, agent, method)


def api_of(given: Mapping[str, Any], url: str, method: str) -> Api:
    """The API that all share who are made for this configuration in the CDK's own runner."""
    key = json.dumps([given, url, method], sort_keys=True, default=str)
    with _lock:
        if key not in _apis:
            _apis[key] = new_api(
                Config.of(given, manifest()["spec"]["connection_specification"]), url, method
            )
        return _apis[key]


def traced(error: LinearError) -> AirbyteTracedException:
    """The same error, as Airbyte knows it."""
    return AirbyteTracedException(
        message=str(error), internal_message=str(error), failure_type=FailureType(error.failure.kind.value)
    )
