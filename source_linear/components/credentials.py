"""The credentials: an API key, or an OAuth access token that is renewed once for all streams."""

import json
import logging
import os
import re
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from airbyte_cdk.config_observation import emit_configuration_as_airbyte_control_message
from airbyte_cdk.logger import PRINT_BUFFER
from airbyte_cdk.utils.airbyte_secrets_utils import add_to_secrets

from source_linear.components.errors import Failure, failure_of_token, failure_without_answer
from source_linear.components.pages import decoded
from source_linear.config import DEFAULT_API_URL, config_error, milliseconds, timestamp

_LOGGER = logging.getLogger("airbyte")
_WRAPPING = " \t\r\n\"'`“”‘’"  # what comes along when a key is copied
_EARLY = timedelta(minutes=5)  # before an access token ends
_TIMEOUT = (10, 30)  # seconds to connect, and between two bytes of an answer
_IN_AIRBYTE = ("WORKER_JOB_ID", "WORKER_CONNECTOR_IMAGE", "DEPLOYMENT_MODE")  # it sets these variables


class Credentials(dict[str, Any]):
    """The configuration's `credentials`, one for the whole process, and the header made from them.

    In Python because the CDK's OAuthAuthenticator gets a token for each stream, asks for `scopes` where
    Linear reads `scope`, has no time-out, and writes the answers with the tokens into the debug log.
    """

    def __init__(self, config: Mapping[str, Any], config_path: str | None = None) -> None:
        """Take the credentials of a configuration.

        Args:
            config: the user's configuration.
            config_path: the file that it was read from, rewritten when a refresh token is replaced.

        Raises:
            AirbyteTracedException: a key or a token cannot be one (config_error).
        """
        given: dict[str, Any] = config["credentials"]
        super().__init__({name: _cleaned(name, value) for name, value in given.items()})
        self._config = config
        self._config_path = config_path
        self._lock = threading.Lock()

    @property
    def header(self) -> str:
        """The value of the `Authorization` header. Linear takes `Bearer` for access tokens only."""
        if self["auth_type"] == "API Key":
            return str(self["api_key"])
        return f"Bearer {self.get('access_token', '')}"

    def renew_if_due(self, stream: str) -> Failure | None:
        """Get an access token, if there is none or it is about to end; returns what went wrong."""
        if self["auth_type"] == "API Key" or self._lasts():
            return None
        with self._lock:
            return None if self._lasts() else self._renew(stream)

    def refuse(self, header: str) -> bool:
        """Linear refused this header; returns whether another one can be had instead."""
        if self["auth_type"] == "API Key":
            return False
        with self._lock:
            if header == self.header:  # else it was renewed in the meantime
                self.pop("access_token", None)
        return True

    def _lasts(self) -> bool:
        if not self.get("access_token"):
            return False
        try:
            return timestamp(self["token_expiry_date"]) - _EARLY > datetime.now(UTC)
        except (KeyError, TypeError, ValueError):
            return True  # until Linear refuses it

    def _renew(self, stream: str) -> Failure | None:
        url = str(self._config.get("api_url", DEFAULT_API_URL)).rstrip("/").removesuffix("/graphql")
        names = ["client_id", "client_secret"]
        if self["auth_type"] == "Client Credentials":
            form = {"grant_type": "client_credentials", "scope": "read"}
        else:
            form = {"grant_type": "refresh_token"}
            names.append("refresh_token")
        form |= {name: self[name] for name in names}
        try:
            response = requests.post(f"{url}/oauth/token", form, timeout=_TIMEOUT, allow_redirects=False)
        except requests.RequestException as error:
            return failure_without_answer(stream, error)
        if failure := failure_of_token(stream, response):
            return failure
        tokens = decoded(response)
        replaced = tokens.get("refresh_token", self.get("refresh_token")) != self.get("refresh_token")
        for name in ("access_token", "refresh_token"):
            if tokens.get(name):
                add_to_secrets(tokens[name])
                self[name] = tokens[name]
        seconds = tokens.get("expires_in")
        lifetime = timedelta(seconds=seconds if isinstance(seconds, int | float) else 3600)
        self["token_expiry_date"] = milliseconds(datetime.now(UTC) + lifetime)
        if replaced:
            self._hand_back()
        return None

    def _hand_back(self) -> None:
        """Give the configuration with the new refresh token to who started us: the old one is void."""
        config = {**self._config, "credentials": dict(self)}
        with PRINT_BUFFER.lock:  # what else is printed meanwhile waits
            emit_configuration_as_airbyte_control_message(config)
        if self._config_path is None or any(name in os.environ for name in _IN_AIRBYTE):
            return
        try:
            # In place: so the file keeps its owner and rights, and may be mounted by itself.
            Path(self._config_path).write_text(json.dumps(config, indent=2), "utf-8")
        except OSError as error:
            _LOGGER.warning(
                "The new refresh token could not be written into the configuration file (%s): take it from "
                "the CONTROL message, the one in the file is void.",
                error.strerror,
            )


def _cleaned(name: str, value: Any) -> Any:
    """A value as it was meant: without what came along when it was copied."""
    if not isinstance(value, str) or name in ("auth_type", "token_expiry_date"):
        return value
    meant = re.sub(r"^(authorization:\s*)?(bearer(\s+|$))?", "", value.strip(_WRAPPING), flags=re.IGNORECASE)
    meant = meant.strip(_WRAPPING)
    if value and not re.fullmatch(r"[!-~]+", meant):
        raise config_error(
            f"credentials.{name}: holds white space or characters that it cannot have; copy it again, "
            "without quotes and without Bearer."
        )
    return meant
