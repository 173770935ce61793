"""A client of a simulator of Linear's API that runs as a process of its own, through its control channel."""

from collections.abc import Mapping
from typing import Any

import requests

MODULE = "integration_tests.linear_api"  # run as a process, never imported: its tests import from here


class Refused(Exception):
    """The simulator does not do what it was told to; the text says why."""


class Simulator:
    """A running simulator.

    Attributes:
        config: the connector's configuration for it.
    """

    def __init__(self, address: Mapping[str, str]) -> None:
        """Take the addresses and the key, as it prints them when it is ready."""
        self.config = {
            "credentials": {"auth_type": "API Key", "api_key": address["api_key"]},
            "api_url": address["url"],
        }
        self._control_url = address["control_url"]
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy between two processes of one machine

    def order(self, op: str, **details: Any) -> Any:
        """Have the simulator do something; returns its answer.

        Raises:
            Refused: it does not.
        """
        answer = self._session.post(self._control_url, json={"op": op, **details}, timeout=60).json()
        if not answer["ok"]:
            raise Refused(answer["error"])
        return answer["result"]
