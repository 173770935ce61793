"""Pytest fixtures: `from integration_tests.linear_api.fixtures import *` in a conftest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from .generator import PURGED
from .server import LinearApi

__all__ = ["linear_api", "make_linear_api"]


@pytest.fixture
def make_linear_api() -> Iterator[Callable[..., LinearApi]]:
    """A factory of started simulators: takes what `LinearApi` takes, stops them after the test.

    Many issues are purged, so that a connector that minds the size of a workspace reads it in windows.
    """
    with ExitStack() as stack:

        def make(*args: Any, **options: Any) -> LinearApi:
            return stack.enter_context(LinearApi(*args, **{"purged": PURGED, **options}))

        yield make


@pytest.fixture
def linear_api(make_linear_api: Callable[..., LinearApi]) -> LinearApi:
    """A started simulator with a small workspace."""
    return make_linear_api(issues=50, seed=1)
