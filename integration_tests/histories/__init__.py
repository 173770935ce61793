"""Histories: what may happen to a workspace while it is synced.

A history changes a small workspace, between syncs and between two pages of one read, and syncs it with
the connector; some syncs are cut off at a message. After a last quiet sync the destination must hold the
workspace, row by row.
"""

from .changes import UNSTAMPED, Changes
from .connection import Connection, Output
from .destination import Destination
from .history import BrokenRule, LostRows, Tally, play

__all__ = [
    "UNSTAMPED",
    "BrokenRule",
    "Changes",
    "Connection",
    "Destination",
    "LostRows",
    "Output",
    "Tally",
    "play",
]
