"""Fixtures of all integration tests."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from integration_tests.connector import Connector
from integration_tests.faults.fixtures import forked_connector, forks, patient_forks
from integration_tests.faults.forks import ForkedConnector, Forks
from integration_tests.image.fixtures import engine, image
from integration_tests.linear_api import LinearApi
from integration_tests.linear_api.fixtures import linear_api, make_linear_api
from integration_tests.postgres import postgres

__all__ = [
    "connector",
    "engine",
    "forked_connector",
    "forks",
    "image",
    "linear_api",
    "make_linear_api",
    "patient_forks",
    "postgres",
]


@pytest.fixture
def make_connector(
    tmp_path: Path, patient_forks: Forks, request: pytest.FixtureRequest
) -> Callable[..., Connector]:
    """A factory of connectors: a simulator and further configuration.

    They are forked, which spares each its start. In a module marked as `processes` they are started.
    """

    def make(api: LinearApi, **config: Any) -> Connector:
        if request.node.get_closest_marker("processes"):
            return Connector.of(api, tmp_path, **config)
        connector = ForkedConnector.of(api, tmp_path, **config)
        connector.forks, connector.options = patient_forks, ()
        return connector

    return make


@pytest.fixture
def connector(linear_api: LinearApi, make_connector: Callable[..., Connector]) -> Connector:
    """A connector, configured for the small simulator."""
    return make_connector(linear_api)
