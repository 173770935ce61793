"""Faults on demand: what Linear, its edge or the network may answer instead of the data.

A fault watches the requests that match `root`, `operation` and `where`; it fires from the
`nth` of them on (1 is the next one), `count` times (None: always).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson

from .errors import error_body

Path = list[str | int]


@dataclass(frozen=True)
class Request:
    """A GraphQL request as the stand-in sees it, before it is answered."""

    number: int
    query: str
    variables: dict[str, Any]
    operation: str | None
    roots: tuple[str, ...]
    authorization: str  # redacted: `key`, `bearer`, `none`


@dataclass
class Fault:
    """One fault; `fired` counts how often it struck."""

    kind: str
    root: str | None = None
    operation: str | None = None
    where: Callable[[Request], bool] | None = None
    nth: int = 1
    count: int | None = 1
    options: dict[str, Any] = field(default_factory=dict)
    seen: int = 0
    fired: int = 0

    def matches(self, request: Request) -> bool:
        """Whether it strikes this request; counts it."""
        if self.root is not None and self.root not in request.roots:
            return False
        if self.operation is not None and self.operation != request.operation:
            return False
        if self.where is not None and not self.where(request):
            return False
        self.seen += 1
        if self.seen < self.nth or (self.count is not None and self.fired >= self.count):
            return False
        self.fired += 1
        return True


# kind -> its options with their defaults
KINDS: dict[str, dict[str, Any]] = {
    "error": {
        "code": "INTERNAL_SERVER_ERROR",
        "status": 500,
        "message": None,
        "type": None,
        "reset_seconds": None,
    },
    "html": {"status": 502},
    "truncated": {},
    "garbage": {},
    "reset": {},
    "slow": {"seconds": 1.0},
    "partial": {
        "field": None,
        "path": None,
        "code": "FEATURE_NOT_ACCESSIBLE",
        "message": None,
        "type": None,
    },
    "null_node": {"index": 0},
}


class Faults:
    """The faults in force."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(
        self,
        kind: str,
        *,
        root: str | None = None,
        operation: str | None = None,
        where: Callable[[Request], bool] | None = None,
        nth: int = 1,
        count: int | None = 1,
        **options: Any,
    ) -> Fault:
        """Add a fault of one of `KINDS`.

        Raises:
            ValueError: unknown kind or option.
        """
        if kind not in KINDS:
            raise ValueError(f"unknown fault {kind}: one of {', '.join(KINDS)}")
        unknown = options.keys() - KINDS[kind].keys()
        if unknown:
            raise ValueError(f"unknown options of {kind}: {', '.join(sorted(unknown))}")
        fault = Fault(kind, root, operation, where, nth, count, {**KINDS[kind], **options})
        with self._lock:
            self._faults.append(fault)
        return fault

    def error(self, code: str, status: int = 400, **options: Any) -> Fault:
        """A JSON error instead of the data; at HTTP 200 with `data: null`."""
        return self.add("error", code=code, status=status, **options)

    def rate_limited(self, status: int = 400, reset_seconds: float = 60.0, **options: Any) -> Fault:
        """RATELIMITED with an exhausted request budget that resets after some seconds."""
        return self.error("RATELIMITED", status, reset_seconds=reset_seconds, **options)

    def too_complex(self, **options: Any) -> Fault:
        """The query costs over 10,000 points; see also `Limits.largest`."""
        message = "Query too complex. Maximum allowed complexity: 10000."
        return self.error("INPUT_ERROR", 400, message=message, **options)

    def token_expired(self, **options: Any) -> Fault:
        """HTTP 401 AUTHENTICATION_ERROR."""
        return self.error("AUTHENTICATION_ERROR", 401, **options)

    def html(self, status: int = 502, **options: Any) -> Fault:
        """An HTML page from the edge."""
        return self.add("html", status=status, **options)

    def truncated(self, **options: Any) -> Fault:
        """The body stops in the middle of the JSON."""
        return self.add("truncated", **options)

    def garbage(self, **options: Any) -> Fault:
        """HTTP 200 with something that isn't JSON."""
        return self.add("garbage", **options)

    def reset(self, **options: Any) -> Fault:
        """The connection is reset without an answer."""
        return self.add("reset", **options)

    def slow(self, seconds: float, **options: Any) -> Fault:
        """The answer comes, but only after some seconds (longer than a timeout: a hang)."""
        return self.add("slow", seconds=seconds, **options)

    def partial(self, **options: Any) -> Fault:
        """`data` with `errors`: a field is null, in every node.

        Options:
            root: the connection; with `field`, the field of its nodes.
            path: instead of `field`: the response path, `*` for every item of a list.
            code, message, type: of the errors.
        """
        return self.add("partial", **options)

    def null_node(self, index: int = 0, **options: Any) -> Fault:
        """One of the `nodes` is null, with an error."""
        return self.add("null_node", index=index, **options)

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._faults.clear()

    def strike(self, request: Request) -> list[Fault]:
        """The faults that this request meets, counted as fired."""
        with self._lock:
            return [fault for fault in self._faults if fault.matches(request)]


def spoil(body: dict[str, Any], faults: Iterable[Fault]) -> dict[str, Any]:
    """Apply faults of kind `partial` and `null_node` to an executed response."""
    spoiling = [fault for fault in faults if fault.kind in ("partial", "null_node")]
    if not spoiling or not body.get("data"):
        return body
    body = orjson.loads(orjson.dumps(body))  # rows must not be spoilt with it
    errors = body.setdefault("errors", [])
    for fault in spoiling:
        options = fault.options
        if fault.kind == "null_node":
            path: Path = [fault.root or next(iter(body["data"])), "nodes", options["index"]]
            code, message, kind = "INTERNAL_SERVER_ERROR", None, None
        else:
            root = fault.root or next(iter(body["data"]))
            path = options["path"] or [root, "nodes", "*", options["field"]]
            code, message, kind = options["code"], options["message"], options["type"]
        for place in _nulled(body["data"], path):
            errors.append(error_body(code, message, 200, kind=kind, path=place))
    return body


def _nulled(value: Any, path: Path) -> list[Path]:
    """Set a path to null; returns the paths that were there."""
    step, rest = path[0], path[1:]
    if step == "*":
        keys: list[Any] = list(range(len(value))) if isinstance(value, list) else []
    elif isinstance(value, list):
        keys = [step] if isinstance(step, int) and step < len(value) else []
    else:
        keys = [step] if isinstance(value, dict) and step in value else []
    found: list[Path] = []
    for key in keys:
        if rest:
            found += [[key, *inner] for inner in _nulled(value[key], rest)]
        else:
            value[key] = None
            found.append([key])
    return found
