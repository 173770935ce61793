"""The faults, where they strike, and what must become of a sync and of a check that meet them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from integration_tests.linear_api import LinearApi
from integration_tests.linear_api.faults import Fault as Strike
from integration_tests.linear_api.faults import Request

PLACES = ("first page", "middle page", "last page", "every page")
CHECK = "check"

TRANSIENT, CONFIG, SYSTEM = "transient_error", "config_error", "system_error"
Where = Callable[[Request], bool]


@dataclass(frozen=True)
class Outcome:
    """What must become of a stream or a check.

    Attributes:
        failure_type: of the stream that fails; None where it must survive.
        says: what its error, its warning, or the check's answer contains.
    """

    failure_type: str | None = None
    says: str = ""


@dataclass(frozen=True)
class Fault:
    """One fault of the matrix.

    Attributes:
        name: how the table calls it.
        strike: puts it into the stand-in: `strike(api, root=…, where=…, nth=…, count=…)`.
        target: the stream that it strikes.
        once: what becomes of the stream where it strikes one page, once.
        always: what becomes of it where it strikes every page.
        check: what becomes of a check; None as failure type where it succeeds.
        check_on: which requests of a check it strikes; all by default.
        every: which requests "every page" means, where it is not all of them for ever.
        leaves_out: whether it survives by leaving out rows or fields, with a warning.
    """

    name: str
    strike: Callable[..., Strike]
    once: Outcome
    always: Outcome
    check: Outcome
    target: str = "comments"
    check_on: Mapping[str, Any] = field(default_factory=dict)
    every: Callable[[], Where] | None = None
    leaves_out: bool = False

    def __str__(self) -> str:
        return self.name


def _error(code: str, status: int = 400, **options: Any) -> Callable[..., Strike]:
    def strike(api: LinearApi, **where: Any) -> Strike:
        return api.faults.error(code, status, **options, **where)

    return strike


def _kind(name: str, *arguments: Any, **options: Any) -> Callable[..., Strike]:
    def strike(api: LinearApi, **where: Any) -> Strike:
        made: Strike = getattr(api.faults, name)(*arguments, **options, **where)
        return made

    return strike


def _each_page_once() -> Where:
    """A rate limit that never ends would never let a sync end: it waits."""
    seen: set[bytes] = set()

    def is_new(request: Request) -> bool:
        page = orjson.dumps([request.query, request.variables])
        new = page not in seen
        seen.add(page)
        return new

    return is_new


def _larger_than_one() -> Where:
    return lambda request: request.variables.get("first", 0) > 1


_SURVIVED = Outcome()
_PASSING = Outcome(TRANSIENT, "could not be reached or did not answer as it should")
_PASSING_CHECK = Outcome("FAILED", "Linear's API could not be reached or did not answer as it should")
_BUG = Outcome(SYSTEM, "This is a bug of source-linear")


def _passing(name: str, strike: Callable[..., Strike]) -> Fault:
    """A fault that is over when it is asked again, or soon after."""
    return Fault(name, strike, once=_SURVIVED, always=_PASSING, check=_PASSING_CHECK)


def _lasting(
    name: str, strike: Callable[..., Strike], outcome: Outcome, check: Outcome, **more: Any
) -> Fault:
    """A fault that asking again does not mend."""
    return Fault(name, strike, once=outcome, always=outcome, check=check, **more)


def _limit(name: str, status: int) -> Fault:
    return Fault(
        name,
        _kind("rate_limited", status, reset_seconds=0.05),
        once=_SURVIVED,
        always=_SURVIVED,
        check=Outcome("FAILED", "Linear's hourly rate limit is used up"),
        every=_each_page_once,
    )


FAULTS = (
    _lasting(
        "wrong or expired key",
        _kind("token_expired"),
        Outcome(CONFIG, "Linear does not accept the credentials (HTTP 401"),
        Outcome("FAILED", "Linear does not accept the credentials (HTTP 401"),
    ),
    _lasting(
        "forbidden",
        _error("FORBIDDEN", 403),
        Outcome(CONFIG, "These credentials may not read it"),
        Outcome(
            None, "Stream audit_entries cannot be read with these credentials: You don't have permission"
        ),
        target="audit_entries",
        check_on={"root": "auditEntries"},
    ),
    _lasting(
        "feature not in the plan",
        _error("FEATURE_NOT_ACCESSIBLE", 200),
        Outcome(CONFIG, "Upgrade the plan in Linear or deselect the stream"),
        Outcome(
            None, "Stream customers cannot be read with these credentials: This feature is not available"
        ),
        target="customers",
        check_on={"root": "customers"},
    ),
    _lasting(
        "invalid query",
        _error("GRAPHQL_VALIDATION_FAILED", 400, message='Cannot query field "x" on type "Comment".'),
        Outcome(SYSTEM, 'Cannot query field "x" on type "Comment"). This is a bug of source-linear'),
        Outcome("FAILED", "This is a bug of source-linear"),
    ),
    _limit("rate limit, HTTP 400", 400),
    _limit("rate limit, HTTP 429", 429),
    Fault(
        "too complex",
        _kind("too_complex"),
        once=_SURVIVED,
        always=_SURVIVED,
        check=_SURVIVED,
        check_on={"where": lambda request: len(request.roots) > 10},
        every=_larger_than_one,
    ),
    _passing("HTTP 500, JSON", _error("INTERNAL_SERVER_ERROR", 500)),
    _passing("HTML from the edge, 502", _kind("html", 502)),
    _passing("HTML from the edge, 403", _kind("html", 403)),
    _passing("truncated JSON", _kind("truncated")),
    _passing("garbage JSON", _kind("garbage")),
    _passing("connection reset", _kind("reset")),
    _passing("time-out", _kind("slow", 1.0)),
    _passing("errors at HTTP 200", _error("INTERNAL_SERVER_ERROR", 200)),
    Fault(
        "data and errors",
        _kind("partial", field="description"),
        once=Outcome(None, "Linear left out description (This feature is not available on your plan)"),
        always=Outcome(None, "Linear left out description (This feature is not available on your plan)"),
        check=Outcome(None, "Linear left out urlKey (This feature is not available on your plan)"),
        target="projects",
        check_on={"root": "viewer", "path": ["organization", "urlKey"]},
        leaves_out=True,
    ),
    Fault(
        "a null node",
        _kind("null_node"),
        once=_SURVIVED,
        always=Outcome(None, "Linear sent null for 1 of"),
        check=_SURVIVED,
        check_on={"root": "comments"},
        leaves_out=True,
    ),
)
