"""HTTP answers before they are sent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLError

from .errors import Rejected, error_body
from .removal import worded
from .text import stringify

INVALID_QUERY = "GRAPHQL_VALIDATION_FAILED"
HTML = (
    b"<!DOCTYPE html><html><head><title>%d</title></head>"
    b"<body><h1>Error %d</h1><p>cloudflare</p></body></html>"
)


@dataclass
class Response:
    """An answer before it is sent.

    Attributes:
        status: of HTTP.
        body: what is sent.
        headers: besides `Content-Type`, `Content-Length`, `Date` and `Server`.
        content_type: None leaves the header out.
        date: `Date` in seconds off the clock; a text as it is; None leaves it out.
        missing: bytes that `Content-Length` announces and that never come.
    """

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str | None = "application/json; charset=utf-8"
    date: float | str | None = 0.0
    missing: int = 0


def html(status: int) -> Response:
    """A page from the edge."""
    return Response(status, HTML % (status, status), content_type="text/html")


def refusal(
    status: int,
    errors: list[dict[str, Any]],
    headers: dict[str, str] | None = None,
    *,
    null_data: bool = False,
) -> Response:
    """Errors instead of data; at HTTP 200, or where it is wanted, beside `data: null`."""
    body: dict[str, Any] = {"errors": errors}
    if status == 200 or null_data:
        body["data"] = None
    return Response(status, stringify(body), headers or {})


def invalid(errors: Iterable[GraphQLError]) -> Rejected:
    """The refusal of a query that the schema does not allow, one error for each mistake, as recorded."""
    rejection = Rejected(400, INVALID_QUERY)
    extensions = {"code": INVALID_QUERY, "type": "graphql error", "userError": True}
    rejection.errors = [{**worded(error), "extensions": extensions} for error in errors]
    return rejection


def wrong_variables(errors: Iterable[GraphQLError], variables: dict[str, Any]) -> Rejected:
    """The refusal of variables that do not fit the query."""
    rejection = Rejected(400, "INVALID_INPUT")
    rejection.errors = [{**error_body("INVALID_INPUT"), **worded(error, variables)} for error in errors]
    for error in rejection.errors:
        error["extensions"]["userPresentableMessage"] = error["message"]
    return rejection


def formatted(error: GraphQLError) -> dict[str, Any]:
    """An error of the execution."""
    known = error.extensions or error_body("INTERNAL_SERVER_ERROR", error.message, 500)["extensions"]
    return {"message": error.message, "path": error.path, "extensions": known}
