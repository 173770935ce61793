"""Pytest fixtures: connectors that start in no time, see forks.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from integration_tests.linear_api import LinearApi

from .forks import ForkedConnector, Forks


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    """The process that connectors are forked from."""
    with Forks() as started:
        yield started


@pytest.fixture
def forked_connector(linear_api: LinearApi, tmp_path: Path, forks: Forks) -> ForkedConnector:
    """A forked connector, configured for the small stand-in."""
    connector = ForkedConnector.of(linear_api, tmp_path)
    connector.forks = forks
    return connector
