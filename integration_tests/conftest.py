"""Fixtures of all integration tests."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from integration_tests.connector import Connector
from integration_tests.faults.fixtures import forked_connector, forks
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
    "postgres",
]


@pytest.fixture
def connector(linear_api: LinearApi, tmp_path: Path) -> Connector:
    """The connector's process, configured for the small stand-in."""
    return Connector.of(linear_api, tmp_path)


@pytest.fixture
def make_connector(tmp_path: Path) -> Callable[..., Connector]:
    """A factory of connectors: a stand-in and further configuration."""

    def make(api: LinearApi, **config: Any) -> Connector:
        return Connector.of(api, tmp_path, **config)

    return make
