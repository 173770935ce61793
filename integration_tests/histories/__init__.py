"""Connections to the simulator, run in this process, with a destination that applies Airbyte's rule."""

from .connection import Connection, Output
from .destination import Destination

__all__ = ["Connection", "Destination", "Output"]
