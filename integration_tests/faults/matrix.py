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
        leaves_out: whether it survives by leaving out fields, with a warning.
        comes_again: whether it survives by leaving out rows, which the next sync brings.
        checked: whether a check meets it, too.
        places: where it is tried.
        only: which requests it may strike; all by default.
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
    comes_again: bool = False
    checked: bool = True
    places: tuple[str, ...] = PLACES
    only: Where | None = None

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


def _is_of_the_first_window(request: Request) -> bool:
    """The simulator's fault knows one list by its path: not the same list in another window."""
    return "gte" not in request.variables.get("filter", {}).get("createdAt", {"gte": ""})


_SURVIVED = Outcome()
_PASSING = Outcome(TRANSIENT, "Run the sync again; if it fails again")
_PASSING_CHECK = Outcome("FAILED", "Linear's API could not be reached or did not answer as it should")
_BUG = Outcome(SYSTEM, "This is a bug of source-linear")


def _passing(name: str, strike: Callable[..., Strike], **more: Any) -> Fault:
    """A fault that is over when it is asked again, or soon after."""
    return Fault(name, strike, once=_SURVIVED, always=_PASSING, check=_PASSING_CHECK, **more)


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


_PARTIAL = tuple(
    Fault(
        f"data and errors, HTTP {status}",
        _kind("partial", field="description", status=status),
        once=Outcome(None, "Linear left out description (This feature is not available on your plan)"),
        always=Outcome(None, "Linear left out description (This feature is not available on your plan)"),
        check=_SURVIVED,
        target="projects",
        checked=False,
        leaves_out=True,
    )
    for status in (400, 403, 500)
)
_TWO = [
    {"field": "description", "code": "FEATURE_NOT_ACCESSIBLE"},
    {"field": "lead", "code": "INTERNAL_SERVER_ERROR"},
]

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
    *_PARTIAL,
    Fault(
        "one lasting and one passing error",
        _kind("partial", errors=_TWO),
        once=_SURVIVED,
        always=Outcome(None, "Linear left out description, lead"),
        check=_SURVIVED,
        target="projects",
        checked=False,
        leaves_out=True,
    ),
    Fault(
        "a null node that may pass",
        _kind("null_node"),
        once=_SURVIVED,
        always=Outcome(None, "cannot be read and is left out"),
        check=_SURVIVED,
        check_on={"root": "comments"},
        comes_again=True,
    ),
    Fault(
        "a null node without an error",
        _kind("null_node", errors=False),
        once=Outcome(None, "Linear sent null and gave no reason"),
        always=Outcome(None, "Linear sent null and gave no reason"),
        check=_SURVIVED,
        checked=False,
        comes_again=True,
    ),
    Fault(
        "a null node that is refused",
        _kind("null_node", code="FORBIDDEN"),
        once=Outcome(None, "which these credentials may not see"),
        always=Outcome(None, "which these credentials may not see"),
        check=_SURVIVED,
        checked=False,
        leaves_out=True,
    ),
    *(
        _passing(name, _kind(kind, **options), checked=False)
        for name, kind, options in (
            ("data without the root", "missing_root", {}),
            ("a root that is null", "null_root", {}),
            ("nodes that are null", "null_nodes", {}),
            ("no nodes", "null_nodes", {"missing": True}),
            ("no pageInfo", "no_page_info", {}),
            ("a complete body that is not JSON", "cut", {"at": 0.5}),
        )
    ),
    _lasting(
        "no next cursor",
        _kind("no_cursor"),
        Outcome(TRANSIENT, "gives no next cursor"),
        _SURVIVED,
        checked=False,
    ),
    _lasting(
        "the same cursor again",
        _kind("same_cursor"),
        Outcome(TRANSIENT, "a cursor that was there before"),
        _SURVIVED,
        checked=False,
        places=PLACES[-1:],
        only=_is_of_the_first_window,
    ),
    _lasting(
        "a refusal by its text",
        _kind("not_enabled", "Customers", at_root=True),
        Outcome(CONFIG, "Upgrade the plan in Linear or deselect the stream"),
        Outcome(
            None, "Stream customers cannot be read with these credentials: Feature 'Customers' is not enabled"
        ),
        target="customers",
        check_on={"root": "customers"},
    ),
    _lasting(
        "admins only",
        _kind("admins_only", "audit entries", at_root=True),
        Outcome(CONFIG, "Use those of a workspace admin"),
        Outcome(
            None, "Stream audit_entries cannot be read with these credentials: You must be a workspace admin"
        ),
        target="audit_entries",
        check_on={"root": "auditEntries"},
    ),
    _lasting(
        "an unknown input error",
        _error("INPUT_ERROR", 400, message="The moon is not right", at_root=True),
        Outcome(SYSTEM, "The moon is not right, at comments"),
        _SURVIVED,
        checked=False,
    ),
    _lasting(
        "a request that is too large",
        _kind("html", 413),
        Outcome(SYSTEM, "The request is larger than Linear takes (HTTP 413"),
        _SURVIVED,
        checked=False,
    ),
)
