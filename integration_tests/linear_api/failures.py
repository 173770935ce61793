"""Faults that come instead of the data, or that change what is sent."""

from __future__ import annotations

from typing import Any

from .clock import Clock
from .errors import error_body
from .kinds import Fault, Request
from .limits import Limits
from .responses import Response, html, refusal

INSTEAD = frozenset({"error", "html", "garbage", "raw"})


def failure(fault: Fault, request: Request, clock: Clock, limits: Limits) -> Response:
    """The answer of a fault that is one of `INSTEAD`."""
    options = fault.options
    if fault.kind == "html":
        return html(options["status"])
    if fault.kind == "garbage":
        return Response(200, b"\x00\x9f\x92 no JSON at all")
    if fault.kind == "raw":
        body = options["body"]
        sent = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
        return Response(options["status"], sent, dict(options["headers"]), options["content_type"])
    headers: dict[str, str] = {}
    if options["reset_seconds"] is not None:
        reset = clock.milliseconds + round(options["reset_seconds"] * 1000)
        headers = {
            "X-RateLimit-Requests-Limit": str(limits.requests["api_key"]),
            "X-RateLimit-Requests-Remaining": "0",
            "X-RateLimit-Requests-Reset": str(reset),
        }
    path: list[Any] = list(request.keys(fault.root)[:1])
    error = reason(options, options["status"], path if options["at_root"] else None)
    return refusal(options["status"], [error], headers, null_data=options["at_root"])


def reason(options: dict[str, Any], status: int, path: list[str | int] | None) -> dict[str, Any]:
    """The entry of `errors` that a fault's options describe."""
    return error_body(
        options["code"],
        options["message"],
        status,
        kind=options["type"],
        path=path,
        presentable=options["presentable"],
    )


def is_larger(fault: Fault, request: Request) -> bool:
    """Whether a request asks for more rows than a fault of kind `larger_than` lets pass."""
    options, keys = fault.options, request.keys(fault.root)
    connections = {each.path[:-1] for each in request.selected if each.name in ("nodes", "edges")}
    for each in request.selected:
        wanted = len(each.path) == 1 if options["field"] is None else each.name == options["field"]
        if wanted and each.path[0] in keys and each.path in connections:
            size = each.arguments.get("first") or each.arguments.get("last") or 50
            if size > options["size"]:
                return fault.fires()
    return False


def altered(response: Response, fault: Fault) -> Response:
    """Change what is sent, by a fault of a kind that does."""
    options = fault.options
    if fault.kind == "headers":
        response.date = options["date"]
        response.headers = {
            name: value
            for name, value in response.headers.items()
            if not name.lower().startswith(tuple(prefix.lower() for prefix in options["without"]))
        } | options["set"]
    elif fault.kind in ("truncated", "cut", "incomplete"):
        at, whole = options["at"], response.body
        response.body = whole[: int(len(whole) * at) if 0 <= at < 1 else int(at)]
        if fault.kind == "incomplete":
            response.missing = len(whole) - len(response.body)
    return response
