"""Pytest fixtures of the image's tests: one engine and one build for all of them."""

import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from integration_tests.figures import note
from tools.engine import Engine, docker_engine
from tools.machine import Unavailable

__all__ = ["engine", "image"]

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """A Docker engine, which `docker` finds in the environment; without one its tests are skipped."""
    with ExitStack() as stack:
        try:
            running = stack.enter_context(docker_engine())
        except Unavailable as reason:
            note(f"SKIPPED: no Docker engine here, the image is NOT tested: {reason}")
            warnings.warn(f"The image is not tested: {reason}", stacklevel=1)
            pytest.skip(f"no Docker engine: {reason}")
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for name, value in running.environment.items():
            patch.setenv(name, value)
        yield running


@pytest.fixture(scope="session")
def image(engine: Engine) -> str:
    """The image that the Dockerfile makes of what is in the repository now."""
    begun = time.monotonic()
    engine.build(ROOT, "source-linear")
    base = "a stand-in for its base" if engine.base_image else "its own base"
    note(f"built in {time.monotonic() - begun:.0f} s on {base}")
    return "source-linear"
