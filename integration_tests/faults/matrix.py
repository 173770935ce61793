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
        strike: puts it into the simulator: `strike(api, root=…, where=…, nth=…, count=…)`.
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
        of_rows: whether it strikes a row of each of these pages, `strike(api, root=…, row_id=[…])`, whenever
            it is asked for, and not the request for the page.
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
    of_rows: bool = False

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
_PASSING = Outcome(TRANSIENT, "Try again; if it fails again")
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


def _left_out(name: str, strike: Callable[..., Strike], says: str, **more: Any) -> Fault:
    """A fault that costs fields or rows, with a warning, wherever it strikes."""
    outcome = Outcome(None, says)
    return Fault(name, strike, once=outcome, always=outcome, check=_SURVIVED, checked=False, **more)


def _limit(name: str, status: int) -> Fault:
    return Fault(
        name,
        _kind("rate_limited", status, reset_seconds=0.05),
        once=_SURVIVED,
        always=_SURVIVED,
        check=Outcome("FAILED", "Linear's hourly rate limit is used up"),
        every=_each_page_once,
    )


_NO_DESCRIPTION = "Linear left out description (This feature is not available on your plan)"
_PARTIAL = tuple(
    _left_out(
        f"data and errors, HTTP {status}",
        _kind("partial", field="description", status=status),
        _NO_DESCRIPTION,
        target="projects",
        leaves_out=True,
    )
    for status in (400, 403, 500)
)
_TWO = [
    {"field": "description", "code": "FEATURE_NOT_ACCESSIBLE"},
    {"field": "lead", "code": "INTERNAL_SERVER_ERROR"},
]
_LEFT_OUT = "cannot be read and is left out: "
_UNREADABLE = (
    _left_out(
        "a row that cannot be read",
        _kind("row"),
        f"{_LEFT_OUT}Linear refused the request",
        comes_again=True,
        of_rows=True,
    ),
    _left_out(
        "a row that brings HTTP 502",
        _kind("row", how="5xx"),
        f"{_LEFT_OUT}Linear's API could not be reached",
        comes_again=True,
        of_rows=True,
    ),
    _left_out(
        "a row that brings a time-out",
        _kind("row", how="hang", seconds=600),
        f"{_LEFT_OUT}Linear's API could not be reached",
        comes_again=True,
        of_rows=True,
    ),
    # A field that is refused of one row, without data, is gone from the page on that has the row.
    _left_out(
        "a row of which a field is refused",
        _kind("row", field="description", code="FEATURE_NOT_ACCESSIBLE", message="Not on your plan"),
        "Linear left out description (Not on your plan)",
        target="projects",
        leaves_out=True,
        of_rows=True,
    ),
    # These are for a page's size: from a page on, as asking for the same page again does not help.
    *(
        Fault(
            f"{name} with a page of more than one row",
            _kind("larger_than", 1, how=how, seconds=600),
            once=_SURVIVED,
            always=Outcome(None, "list of its rows did not come"),
            check=_SURVIVED,
            checked=False,
        )
        for name, how in (("HTTP 502", "5xx"), ("a time-out", "hang"))
    ),
    Fault(
        "one root of several is refused",
        _error("FEATURE_NOT_ACCESSIBLE", 200, at_root=True),
        once=Outcome(None, "Linear refuses projects, whose rows are left out"),
        always=Outcome(None, "Linear refuses projects, whose rows are left out"),
        check=_SURVIVED,
        target="entity_external_links",
        checked=False,
        leaves_out=True,
    ),
)
# A removal strikes from a page on, for good: on the first page and on every page it is the same.
_REMOVED = (
    *(
        _left_out(
            f"a removed {kind}",
            _kind("removed", coordinate),
            f"Linear's API no longer has {what}: null is written",
            target=target,
            leaves_out=True,
            places=PLACES[:-1],
        )
        for kind, coordinate, what, target in (
            ("field", "Comment.quotedText", "Comment.quotedText", "comments"),
        )
    ),
    *(
        _lasting(
            f"a removed {kind} that paging needs",
            _kind("removed", coordinate),
            Outcome(SYSTEM, "This is a bug of source-linear"),
            _SURVIVED,
            checked=False,
            places=PLACES[:-1],
        )
        for kind, coordinate in (
            ("field", "Comment.updatedAt"),
            ("argument", "Query.comments(after:)"),
            ("type", "CommentFilter"),
        )
    ),
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
    _passing("time-out", _kind("slow", 600)),
    _passing("errors at HTTP 200", _error("INTERNAL_SERVER_ERROR", 200)),
    Fault(
        "data and errors",
        _kind("partial", field="description"),
        once=Outcome(None, _NO_DESCRIPTION),
        always=Outcome(None, _NO_DESCRIPTION),
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
    _left_out(
        "a null node without an error",
        _kind("null_node", errors=False),
        "Linear sent null and gave no reason",
        comes_again=True,
    ),
    _left_out(
        "a null node that is refused",
        _kind("null_node", code="FORBIDDEN"),
        "that these credentials may not see",
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
    # A first page is asked for without a cursor, the second with one: where none was there yet, none can come
    # again. Nested lists have no pages of the stream: test_answers.py has theirs.
    *(
        _lasting(
            name,
            _kind("same_cursor", back=back),
            Outcome(TRANSIENT, "a cursor that was there before"),
            _SURVIVED,
            target="projects",  # in one list: the simulator would mix up windows
            checked=False,
            places=PLACES[back:],
        )
        for name, back in (("the same cursor again", 1), ("two cursors in a circle", 2))
    ),
    *_UNREADABLE,
    *_REMOVED,
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
