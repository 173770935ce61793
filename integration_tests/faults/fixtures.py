"""Pytest fixtures: connectors that start in no time, see forks.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from integration_tests.linear_api import LinearApi

from .forks import PAGE_SIZE, ForkedConnector, Forks


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    """The process that connectors with a moved clock are forked from."""
    with Forks(PAGE_SIZE) as started:
        yield started


@pytest.fixture(scope="session")
def patient_forks() -> Iterator[Forks]:
    """The process that connectors such as users run are forked from."""
    with Forks() as started:
        yield started


@pytest.fixture
def forked_connector(linear_api: LinearApi, tmp_path: Path, forks: Forks) -> ForkedConnector:
    """A forked connector with a moved clock, configured for the small simulator."""
    connector = ForkedConnector.of(linear_api, tmp_path)
    connector.forks = forks
    return connector
