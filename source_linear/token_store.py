"""Where a replaced refresh token goes: to Airbyte as a CONTROL message, else into the configuration file."""

import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airbyte_cdk.config_observation import emit_configuration_as_airbyte_control_message
from airbyte_cdk.logger import PRINT_BUFFER
from airbyte_cdk.utils.airbyte_secrets_utils import add_to_secrets

_LOGGER = logging.getLogger("airbyte")
_IN_AIRBYTE = ("WORKER_JOB_ID", "WORKER_CONNECTOR_IMAGE", "DEPLOYMENT_MODE")  # it sets these variables


def hand_back(config: Mapping[str, Any], config_path: str | None, credentials: Mapping[str, Any]) -> None:
    """Give the configuration with new credentials to who started us: the former refresh token is void.

    Args:
        config: the user's configuration.
        config_path: the file that it was read from, if any.
        credentials: what takes the place of its `credentials`.
    """
    for name in ("access_token", "refresh_token"):
        if credentials.get(name):
            add_to_secrets(credentials[name])
    replaced = {**config, "credentials": dict(credentials)}
    with PRINT_BUFFER.lock:  # what else is printed meanwhile waits, and so does the end by a signal
        emit_configuration_as_airbyte_control_message(replaced)
        if config_path is not None and not any(name in os.environ for name in _IN_AIRBYTE):
            _write(Path(config_path), json.dumps(replaced, indent=2))


def _write(path: Path, config: str) -> None:
    try:
        # In place: so the file keeps its owner and rights, and may be mounted by itself.
        path.write_text(config, "utf-8")
    except OSError as error:
        _LOGGER.warning(
            "The new refresh token could not be written into the configuration file (%s): use the "
            "one in the CONTROL message; the one in the file is no longer valid.",
            error.strerror,
        )
