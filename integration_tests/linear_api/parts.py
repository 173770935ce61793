"""What a simulator consists of, for those that work on its parts: the server holds them all."""

from __future__ import annotations

import threading
from typing import Protocol

from .auth import Auth
from .clock import Clock
from .faults import Faults
from .limits import Limits
from .log import RequestLog
from .workspace import Workspace


class Parts(Protocol):
    """The parts of a simulator, see `LinearApi`."""

    workspace: Workspace
    clock: Clock
    auth: Auth
    limits: Limits
    faults: Faults
    requests: RequestLog
    latency: float
    removed: frozenset[str]
    stopped: threading.Event

    def remove(self, *what: str) -> None:
        """Remove something from Linear's schema."""

    def restore(self, *what: str) -> None:
        """Put back what was removed."""
