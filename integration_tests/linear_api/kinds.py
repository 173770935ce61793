"""What a fault is: which requests it watches, how often it strikes, and the kinds with their options."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from graphql import DocumentNode

from .selection import Selected, selected


@dataclass(frozen=True)
class Request:
    """A GraphQL request as the simulator sees it, before it is answered."""

    number: int
    query: str
    variables: dict[str, Any]
    operation: str | None
    roots: tuple[str, ...]
    authorization: str  # redacted: `key`, `bearer`, `none`
    document: DocumentNode | None = field(default=None, repr=False)

    @cached_property
    def selected(self) -> list[Selected]:
        """Every field that is asked for."""
        return selected(self.document, self.operation, self.variables)

    def keys(self, root: str | None) -> list[str]:
        """The keys under which a root is answered, aliases included; without a root all keys."""
        return [each.path[0] for each in self.selected if len(each.path) == 1 and root in (None, each.name)]


@dataclass
class Fault:
    """One fault.

    Attributes:
        seen: how many requests matched.
        fired: how often it struck.
        did: what it did, each time it struck, where that is not plain from its options.
    """

    kind: str
    root: str | None = None
    operation: str | None = None
    where: Callable[[Request], bool] | None = None
    nth: int = 1
    count: int | None = 1
    options: dict[str, Any] = field(default_factory=dict)
    seen: int = 0
    fired: int = 0
    did: list[dict[str, Any]] = field(default_factory=list)
    afters: dict[tuple[str, ...], list[str]] = field(default_factory=dict)  # cursors asked with, by list
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def watches(self, request: Request) -> bool:
        """Whether the request is one that it looks at."""
        if self.root is not None and self.root not in request.roots:
            return False
        if self.operation is not None and self.operation != request.operation:
            return False
        return self.where is None or self.where(request)

    def fires(self) -> bool:
        """Whether it strikes this time; counts it."""
        with self._lock:
            self.seen += 1
            if self.seen < self.nth or (self.count is not None and self.fired >= self.count):
                return False
            self.fired += 1
            return True


# kind -> its options with their defaults
_REASON: dict[str, Any] = {"code": None, "message": None, "presentable": None, "type": None}
KINDS: dict[str, dict[str, Any]] = {
    # instead of the data
    "error": {
        **_REASON,
        "code": "INTERNAL_SERVER_ERROR",
        "status": 500,
        "reset_seconds": None,
        "at_root": False,
    },
    "html": {"status": 502},
    "garbage": {},
    "raw": {"body": "", "status": 200, "headers": {}, "content_type": "application/json; charset=utf-8"},
    "reset": {},
    "slow": {"seconds": 1.0},
    "larger_than": {"size": 1, "field": None, "how": "5xx", "status": 502, "seconds": 60.0},
    # while it is executed
    "row": {
        **_REASON,
        "id": None,
        "field": None,
        "nested": False,
        "how": "error",
        "status": None,
        "seconds": 60.0,
    },
    "removed": {"what": ()},
    # to the data
    "partial": {
        **_REASON,
        "code": "FEATURE_NOT_ACCESSIBLE",
        "field": None,
        "path": None,
        "errors": None,
        "status": 200,
    },
    "null_node": {
        **_REASON,
        "code": "INTERNAL_SERVER_ERROR",
        "index": 0,
        "field": None,
        "errors": True,
        "status": 200,
    },
    "missing_root": {},
    "null_root": {},
    "null_nodes": {"field": None, "missing": False},
    "no_page_info": {"field": None, "missing": True},
    "no_cursor": {"field": None},
    "same_cursor": {"field": None, "back": 1},
    "damage": {"seed": 0, "times": 1, "ways": None, "change": None},
    # to what is sent
    "truncated": {"at": 0.5},
    "cut": {"at": 0.5},
    "incomplete": {"at": 0.5},
    "headers": {"date": 0.0, "without": (), "set": {}},
}
# methods of `Faults` that are kinds with other options
SHORT = (
    "rate_limited",
    "too_complex",
    "not_enabled",
    "admins_only",
    "refused",
    "token_expired",
    "proxy_refuses",
    "answered",
    "date",
    "no_limits",
)
WAYS = ("replace", "drop", "error", "cut")  # of damage
LASTING = frozenset({"larger_than", "row", "removed"})  # they strike always, unless told how often
# they see only while the request is answered whether it concerns them
LATER = frozenset({"larger_than", "row"})
