"""What the image's tests need besides the connector: packages, a Docker engine, a base image."""

from tools.engine import Engine, docker_engine
from tools.machine import Unavailable, cache_directory, install, unprivileged

__all__ = ["Engine", "Unavailable", "cache_directory", "docker_engine", "install", "unprivileged"]
