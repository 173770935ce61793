"""Which API is asked, and with whose credentials: from the environment or the connector's configuration."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from source_linear.config import DEFAULT_API_URL, config_error, normalized, read_config, validate
from source_linear.packaged import manifest
from source_linear.shared import Shared
from tools.connector import write

KEY_VARIABLE, URL_VARIABLE = "LINEAR_API_KEY", "LINEAR_API_URL"
_FLAT = ("api_key", "linear_api_key")


def configuration(path: str | None, environment: Mapping[str, str]) -> Mapping[str, Any]:
    """The connector's configuration.

    Args:
        path: a configuration file; its credentials are taken before those of the environment.
        environment: the environment variables.

    Raises:
        AirbyteTracedException: there are no credentials, or something in them cannot be right.
    """
    specification = manifest()["spec"]["connection_specification"]
    if path:
        config = normalized(read_config(path), specification)
        validate(config, specification)
        if flat := [config[name] for name in _FLAT if name in config]:
            credentials = config.get("credentials") or {"auth_type": "API Key", "api_key": flat[0]}
            config = {"credentials": credentials, **{k: v for k, v in config.items() if k not in _FLAT}}
    elif key := environment.get(KEY_VARIABLE, "").strip():
        config = {"credentials": {"auth_type": "API Key", "api_key": key}}
    else:
        raise config_error(
            f"There are no credentials. Set the environment variable {KEY_VARIABLE} to an API key with read "
            "access, or name the connector's configuration: make verify CONFIG=config.json"
        )
    if url := environment.get(URL_VARIABLE, "").strip():
        config = {**config, "api_url": url}
    validate(config, specification)
    return config


def shared(config: Mapping[str, Any], path: str | None) -> Shared:
    """What the connector makes of a configuration; a replaced refresh token goes into the file.

    Raises:
        AirbyteTracedException: a key or token cannot be one, or a replaced token could not be kept.
    """
    if config["credentials"]["auth_type"] == "OAuth2.0" and not _is_writable(path):
        raise config_error(
            "Each use of a refresh token replaces it, and the new one could not be written: make the "
            "configuration file writable."
        )

    def keep(credentials: dict[str, Any]) -> None:
        assert path is not None
        write(Path(path), json.dumps({**read_config(path), "credentials": credentials}, indent=2))

    return Shared(config, keep)


def stranger(config: Mapping[str, Any]) -> Shared:
    """The same, with a key that nobody has."""
    nobody = {"auth_type": "API Key", "api_key": f"lin_api_{'0' * 40}"}
    return Shared({**config, "credentials": nobody}, lambda credentials: None)


def address(config: Mapping[str, Any]) -> str:
    """Who is asked, as a report may say it: Linear itself, or another address, which is not named."""
    return (
        "api.linear.app" if config.get("api_url", DEFAULT_API_URL) == DEFAULT_API_URL else "another address"
    )


def _is_writable(path: str | None) -> bool:
    try:
        with open(path or "", "r+b"):
            return True
    except OSError:
        return False
