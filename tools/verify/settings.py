"""Which API is asked, and with whose credentials: from the environment or the connector's configuration."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from source_linear.config import Config, config_error, read_config
from source_linear.linear.api import Api
from source_linear.packaged import manifest
from source_linear.shared import new_api
from tools.connector import write

KEY_VARIABLE, URL_VARIABLE = "LINEAR_API_KEY", "LINEAR_API_URL"
LINEAR = "api.linear.app"


def configuration(path: str | None, environment: Mapping[str, str]) -> Config:
    """The connector's configuration.

    Args:
        path: a configuration file; its credentials are taken before those of the environment.
        environment: the environment variables.

    Raises:
        AirbyteTracedException: there are no credentials, or something in them cannot be right.
    """
    if path:
        given = read_config(path)
    elif key := environment.get(KEY_VARIABLE, "").strip():
        given = {"credentials": {"auth_type": "API Key", "api_key": key}}
    else:
        raise config_error(
            f"There are no credentials. Set the environment variable {KEY_VARIABLE} to an API key with read "
            "access, or name the connector's configuration: make verify CONFIG=config.json"
        )
    if url := environment.get(URL_VARIABLE, "").strip():
        given = {**given, "api_url": url}
    return Config.of(given, manifest()["spec"]["connection_specification"])


def api_of(config: Config, path: str | None = None) -> Api:
    """Linear's API, as the connector asks it; a replaced refresh token goes into the file.

    Raises:
        AirbyteTracedException: a key or token cannot be one, or a replaced token could not be kept.
    """
    if config.credentials["auth_type"] == "OAuth2.0" and not _is_writable(path):
        raise config_error(
            "Each use of a refresh token replaces it, and the new one could not be written: make the "
            "configuration file writable."
        )

    def keep(credentials: dict[str, Any]) -> None:
        assert path is not None
        write(Path(path), json.dumps({**read_config(path), "credentials": credentials}, indent=2))

    return new_api(config, config.api_url, "POST", keep)


def stranger(config: Config) -> Api:
    """The same, with a key that nobody has."""
    return api_of(replace(config, credentials={"auth_type": "API Key", "api_key": f"lin_api_{'0' * 40}"}))


def address(config: Config) -> str:
    """Who is asked, as a report may say it: Linear itself, or another address, which is not named."""
    return LINEAR if urlsplit(config.api_url).hostname == LINEAR else "another address"


def _is_writable(path: str | None) -> bool:
    try:
        with open(path or "", "r+b"):
            return True
    except OSError:
        return False
