"""What the image's tests need besides the connector: packages, a Docker engine, a base image."""

from .engine import Engine, docker_engine
from .system import Unavailable, as_unprivileged, cache_directory, install

__all__ = ["Engine", "Unavailable", "as_unprivileged", "cache_directory", "docker_engine", "install"]
