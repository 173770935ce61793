"""Errors as Linear words them (docs/linear-api.md)."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLError

# code -> `extensions.type`, as @linear/sdk knows them
TYPES = {
    "RATELIMITED": "ratelimited",
    "AUTHENTICATION_ERROR": "authentication error",
    "FORBIDDEN": "forbidden",
    "FEATURE_NOT_ACCESSIBLE": "feature not accessible",
    "GRAPHQL_VALIDATION_FAILED": "graphql error",
    "INVALID_INPUT": "invalid input",
    "INPUT_ERROR": "invalid input",
    "INTERNAL_SERVER_ERROR": "internal error",
}

MESSAGES = {
    "RATELIMITED": "Rate limit exceeded.",
    "AUTHENTICATION_ERROR": "Authentication required, not authenticated.",
    "FORBIDDEN": "You don't have permission to access this resource.",
    "FEATURE_NOT_ACCESSIBLE": "This feature is not available on your plan.",
    "GRAPHQL_VALIDATION_FAILED": "The query is not valid.",
    "INVALID_INPUT": "Argument Validation Error",
    "INPUT_ERROR": "Query too complex.",
    "INTERNAL_SERVER_ERROR": "Internal server error",
}


class NotInSimulator(Exception):
    """The query uses a feature of Linear's that the simulator doesn't have: HTTP 500, loudly."""


def extensions(code: str, message: str, status: int, kind: str | None = None) -> dict[str, Any]:
    """The `extensions` of one error; `kind` overrides the code's usual `type`."""
    return {
        "type": kind or TYPES.get(code, "other"),
        "code": code,
        "statusCode": 429 if code == "RATELIMITED" else status,  # recorded so at HTTP 400
        "userError": status < 500,
        "userPresentableMessage": message,
    }


def error_body(
    code: str,
    message: str | None = None,
    status: int = 400,
    *,
    kind: str | None = None,
    path: list[str | int] | None = None,
    presentable: str | None = None,
    **more: Any,
) -> dict[str, Any]:
    """One entry of `errors`; `more` goes into its `extensions`."""
    message = message or MESSAGES.get(code, code)
    entry: dict[str, Any] = {"message": message}
    if path is not None:
        entry["path"] = path
    entry["extensions"] = {**extensions(code, presentable or message, status, kind), **more}
    return entry


class InvalidInput(GraphQLError):
    """An argument's value is wrong: HTTP 200, `data: null`, code INVALID_INPUT."""

    def __init__(self, message: str, code: str = "INVALID_INPUT") -> None:
        super().__init__(message, extensions=extensions(code, message, 400))


class Rejected(Exception):
    """A request that is answered without being executed.

    Args:
        status: the HTTP status.
        code: `extensions.code`.
        message: the text, else the code's usual one.
        headers: of the answer.
        more: for the error, see `error_body`.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str | None = None,
        *,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(message or code)
        self.status = status
        self.headers = headers or {}
        self.errors = [error_body(code, message, status, **more)]
