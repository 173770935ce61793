"""The request log: who asked for what, and what was answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Record:
    """A line of the request log."""

    number: int
    query: str
    variables: dict[str, Any]
    operation: str | None
    roots: tuple[str, ...]
    authorization: str
    at: str
    status: int = 0
    complexity: int = 0
    code: str | None = None
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0
    response_bytes: int = 0
    user_agent: str = ""
    connection: int = 0  # which TCP connection it came by, counted from 1
    told: float | None = None  # seconds that the client was told to have waited; None: it waited itself


class RequestLog(list[Record]):
    """Every GraphQL request, oldest first."""

    @property
    def connections(self) -> int:
        """How many TCP connections these requests came by."""
        return len({record.connection for record in self})

    @property
    def user_agents(self) -> set[str]:
        """Who says to have asked."""
        return {record.user_agent for record in self}

    def to(self, root: str) -> list[Record]:
        """The requests with a root field."""
        return [record for record in self if root in record.roots]

    def summary(self) -> dict[str, Any]:
        """Requests, points and bytes, in all and by root."""
        by_root: dict[str, dict[str, int]] = {}
        for record in self:
            for root in record.roots:
                one = by_root.setdefault(root, {"requests": 0, "points": 0, "bytes": 0})
                one["requests"] += 1
                one["points"] += record.complexity
                one["bytes"] += record.response_bytes
        return {
            "requests": len(self),
            "points": sum(record.complexity for record in self),
            "bytes": sum(record.response_bytes for record in self),
            "connections": self.connections,
            "user_agents": _counted(record.user_agent for record in self),
            "statuses": _counted(record.status for record in self),
            "roots": by_root,
        }


@dataclass
class TokenRecord:
    """A request to the token endpoint."""

    grant: str
    status: int
    user_agent: str
    connection: int


def _counted(values: Any) -> dict[str, int]:
    counts: dict[str, int] = {}
    for value in values:
        counts[str(value)] = counts.get(str(value), 0) + 1
    return counts
