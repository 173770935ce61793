"""Faults on demand: what Linear, its edge or the network may answer instead of the data.

A fault watches the requests that match `root`, `operation` and `where`; it fires from the `nth` of them on
(1 is the next one), `count` times (None: always). What each kind does is in `failures.py` (instead of the
data), `spoiling.py` (to the data), `damage.py` (to the data, at random) and `watching.py` (while the query
is executed).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from .answers import answer
from .kinds import KINDS, LASTING, LATER, WAYS, Fault, Request
from .removal import coordinates

__all__ = ["Fault", "Faults", "Request"]


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
        count: int | str | None = "",
        **options: Any,
    ) -> Fault:
        """Add a fault of one of `KINDS`; without a `count` once, one of `LASTING` always.

        Raises:
            ValueError: unknown kind or option.
        """
        if kind not in KINDS:
            raise ValueError(f"unknown fault {kind}: one of {', '.join(KINDS)}")
        unknown = options.keys() - KINDS[kind].keys()
        if unknown:
            raise ValueError(f"unknown options of {kind}: {', '.join(sorted(unknown))}")
        if kind == "removed":
            options["what"] = coordinates(options.get("what", ()))
        if isinstance(count, str):
            count = None if kind in LASTING else 1
        fault = Fault(kind, root, operation, where, nth, count, {**KINDS[kind], **options})
        with self._lock:
            self._faults.append(fault)
        return fault

    def remove(self, fault: Fault) -> None:
        """Remove one fault."""
        with self._lock:
            self._faults.remove(fault)

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._faults.clear()

    @property
    def all(self) -> list[Fault]:
        """The faults in force, oldest first."""
        with self._lock:
            return list(self._faults)

    def strike(self, request: Request) -> list[Fault]:
        """The faults that this request meets, counted as fired unless they see that `LATER`."""
        met = []
        for fault in self.all:
            if fault.watches(request):
                _note_cursors(fault, request)
                if fault.kind in LATER or fault.fires():
                    met.append(fault)
        return met

    # --- instead of the data -----------------------------------------------------------------

    def error(self, code: str, status: int = 400, **options: Any) -> Fault:
        """A JSON error instead of the data; at HTTP 200, or `at_root` with its path, `data: null`.

        Options: message, presentable (the text for people, else the message), type, reset_seconds.
        """
        return self.add("error", code=code, status=status, **options)

    def rate_limited(self, status: int = 400, reset_seconds: float | None = 60.0, **options: Any) -> Fault:
        """RATELIMITED with an exhausted request budget that resets after some seconds; None tells nothing."""
        return self.error("RATELIMITED", status, reset_seconds=reset_seconds, **options)

    def too_complex(self, **options: Any) -> Fault:
        """The query costs over 10,000 points; see also `Limits.largest`."""
        text = "The query is too complex. Complexity: 12304.999999999998. Maximum allowed complexity: 10000."
        return self.error("INPUT_ERROR", 400, message="Query too complex", presentable=text, **options)

    def not_enabled(self, feature: str = "Customers", **options: Any) -> Fault:
        """A root is refused because the plan lacks it, which only the text says."""
        return self.refused(f"Feature '{feature}' is not enabled", **options)

    def admins_only(self, what: str = "webhooks", **options: Any) -> Fault:
        """A root is refused to who is no admin, which only the text says."""
        text = f"You must be a workspace admin to interact with {what}."
        return self.refused(text, message="Authorization error", **options)

    def refused(self, text: str, status: int = 400, **options: Any) -> Fault:
        """A root is refused as INPUT_ERROR with a reason that only the text tells."""
        options = {"message": text, "at_root": True, "count": None, **options}
        return self.error("INPUT_ERROR", status, presentable=text, **options)

    def token_expired(self, **options: Any) -> Fault:
        """HTTP 401 AUTHENTICATION_ERROR."""
        return self.error("AUTHENTICATION_ERROR", 401, **options)

    def html(self, status: int = 502, **options: Any) -> Fault:
        """An HTML page from the edge."""
        return self.add("html", status=status, **options)

    def proxy_refuses(self, **options: Any) -> Fault:
        """HTTP 407: a proxy wants credentials."""
        headers = {"Proxy-Authenticate": 'Basic realm="proxy"'}
        return self.raw("<html>Proxy", 407, headers=headers, content_type="text/html", **options)

    def garbage(self, **options: Any) -> Fault:
        """HTTP 200 with something that isn't JSON."""
        return self.add("garbage", **options)

    def raw(self, body: bytes | str, status: int = 200, **options: Any) -> Fault:
        """Any body at any status; options headers, content_type (None: without)."""
        return self.add("raw", body=body, status=status, **options)

    def answered(self, name: str, **options: Any) -> Fault:
        """The answer of `unit_tests/answers/<name>.json`, byte by byte."""
        given = answer(name)
        headers = {key: value for key, value in given.headers.items() if key != "Content-Type"}
        kind = given.headers.get("Content-Type")
        return self.raw(given.body, given.status, headers=headers, content_type=kind, **options)

    def reset(self, **options: Any) -> Fault:
        """The connection is reset without an answer."""
        return self.add("reset", **options)

    def slow(self, seconds: float, **options: Any) -> Fault:
        """The answer comes, but only after some seconds (longer than a timeout: a hang)."""
        return self.add("slow", seconds=seconds, **options)

    def larger_than(self, size: int, **options: Any) -> Fault:
        """A lasting HTTP 5xx, or a hang, with each page whose `first` is larger.

        Options:
            field: of this nested list instead of the root.
            how: "5xx" (with `status`) or "hang" (for `seconds`).
        """
        return self.add("larger_than", size=size, **options)

    # --- while it is executed ----------------------------------------------------------------

    def row(self, row_id: str | list[str], **options: Any) -> Fault:
        """A row that cannot be read: every page that holds it fails, for as long as the fault is there.

        A query that asks for nothing of the row but `id` and its dates (`watching.PLAIN`) succeeds.

        Options:
            field: only a query that asks for this field fails.
            nested: also where the row comes in a nested list or as a relation, not only in a root.
            how: "error" (INPUT_ERROR with the row's path, `data: null`), "5xx" or "hang" (for `seconds`).
            status: of HTTP, by default 200 for an error, else 502.
            code, message, presentable, type: of the error.
        """
        return self.add("row", id=row_id, **options)

    def removed(self, *what: str, **options: Any) -> Fault:
        """Linear removed a field, argument, value or type: see `removal.py`, and `LinearApi.remove`."""
        return self.add("removed", what=what, **options)

    # --- to the data -------------------------------------------------------------------------

    def partial(self, **options: Any) -> Fault:
        """`data` with `errors`: a field is null, in every node.

        Options:
            field: of the root's nodes (of a single object, where the root is one).
            path: instead of `field`: the response path, `*` for every item of a list.
            code, message, presentable, type: of the errors.
            errors: several in one answer: a list of objects of these options.
            status: of HTTP.
        """
        return self.add("partial", **options)

    def null_node(self, index: int | list[int] = 0, **options: Any) -> Fault:
        """Some of the `nodes` are null, with an error each.

        Options:
            field: of this nested list, in every node of the root.
            errors: False for no error at all.
            code, message, presentable, type, status: as for `partial`.
        """
        return self.add("null_node", index=index, **options)

    def missing_root(self, **options: Any) -> Fault:
        """The root is not in `data`, without an error; without a root `{"data": {}}`."""
        return self.add("missing_root", **options)

    def null_root(self, **options: Any) -> Fault:
        """The root is null, without an error."""
        return self.add("null_root", **options)

    def null_nodes(self, **options: Any) -> Fault:
        """`nodes: null` without an error; `missing=True`: no `nodes` at all; `field`: of a nested list."""
        return self.add("null_nodes", **options)

    def no_page_info(self, **options: Any) -> Fault:
        """No `pageInfo`; `missing=False`: it is null; `field`: of a nested list."""
        return self.add("no_page_info", **options)

    def no_cursor(self, **options: Any) -> Fault:
        """`hasNextPage: true` with `endCursor: null`; `field`: of a nested list."""
        return self.add("no_cursor", **options)

    def same_cursor(self, **options: Any) -> Fault:
        """`hasNextPage: true` with the cursor that was asked with, which brings the same page for ever.

        Options:
            back: 2 for the cursor that was asked with a page before, which makes a circle of two pages.
            field: of a nested list.
        """
        return self.add("same_cursor", **options)

    def damage(self, seed: int | str = 0, **options: Any) -> Fault:
        """An executed answer is damaged at random, the same for the same seed; `did` tells how.

        Options:
            times: how many damages one answer takes.
            ways: some of `WAYS`.
            change: instead of these a function of the body and a `random.Random`, which returns the new
                body (or bytes, or the status and either of them).
        """
        unknown = set(options.get("ways") or ()) - set(WAYS)
        if unknown:
            raise ValueError(f"unknown way of damage {', '.join(unknown)}: some of {', '.join(WAYS)}")
        return self.add("damage", seed=seed, **options)

    # --- to what is sent ---------------------------------------------------------------------

    def truncated(self, **options: Any) -> Fault:
        """The body stops in the middle of the JSON."""
        return self.add("truncated", **options)

    def cut(self, at: float = 0.5, **options: Any) -> Fault:
        """The body stops at a share of its length, or so many bytes before its end; the headers agree."""
        return self.add("cut", at=at, **options)

    def incomplete(self, at: float = 0.5, **options: Any) -> Fault:
        """As `cut`, but `Content-Length` announces the whole: the connection ends too early."""
        return self.add("incomplete", at=at, **options)

    def date(self, date: float | str | None, **options: Any) -> Fault:
        """`Date` is off the clock by some seconds, any text, or missing (None)."""
        return self.add("headers", date=date, **options)

    def no_limits(self, **options: Any) -> Fault:
        """The headers of the limits and of the price are missing."""
        return self.add("headers", without=("X-RateLimit", "X-Complexity"), **options)


def _note_cursors(fault: Fault, request: Request) -> None:
    """Remember with which cursor each list was asked for, so that it can come again."""
    if fault.kind != "same_cursor":
        return
    for each in request.selected:
        after = each.arguments.get("after")
        if isinstance(after, str):
            fault.afters.setdefault(each.path, []).append(after)
