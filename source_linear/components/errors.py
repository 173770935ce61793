"""What can go wrong in an exchange with Linear, and what to do about it: one table.

HTTP status tells little by itself; `errors[].extensions` does (API.md, Errors).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import requests
from airbyte_cdk.models import FailureType

from source_linear.components.pages import decoded


class Action(Enum):
    """What the requester does with a failure."""

    RETRY = "retry"
    WAIT = "wait for the rate limit"
    REFRESH = "refresh the access token"
    REDUCE = "ask for a smaller page"
    FAIL = "fail"


@dataclass(frozen=True)
class Failure:
    """A failed exchange.

    Attributes:
        action: what to do.
        failure_type: whose it is to mend, if it cannot be overcome.
        message: a sentence for the user, with a remedy.
    """

    action: Action
    failure_type: FailureType
    message: str


_CONFIG, _TRANSIENT, _SYSTEM = (
    FailureType.config_error,
    FailureType.transient_error,
    FailureType.system_error,
)

_UNREACHABLE = (
    "Stream {stream}: Linear's API could not be reached or did not answer as it should ({detail}). "
    "This is usually over within minutes: run the sync again; if it stays, see https://linearstatus.com."
)
_BUG = (
    "Stream {stream}: Linear refused the connector's query as invalid ({detail}). This is a bug of "
    "source-linear, not of your configuration: please report it with this message."
)
_FORBIDDEN = (
    "Stream {stream}: this key may not read it ({detail}). Use a key of a workspace admin, upgrade the "
    "plan that the feature belongs to, or deselect the stream."
)

# errors[].extensions.code, or .type where no code is known -> action, failure type, message.
_TABLE: Mapping[str, tuple[Action, FailureType, str]] = {
    "RATELIMITED": (
        Action.WAIT,
        _TRANSIENT,
        "Stream {stream}: Linear's hourly rate limit is used up ({detail}).",
    ),
    "AUTHENTICATION_ERROR": (
        Action.REFRESH,
        _CONFIG,
        "Linear does not accept the credentials ({detail}). Create a new API key under Settings > "
        "Security & access, or authenticate again, and put it into the configuration's `credentials`.",
    ),
    "FORBIDDEN": (Action.FAIL, _CONFIG, _FORBIDDEN),
    "FEATURE_NOT_ACCESSIBLE": (Action.FAIL, _CONFIG, _FORBIDDEN),
    "GRAPHQL_VALIDATION_FAILED": (Action.FAIL, _SYSTEM, _BUG),
    "GRAPHQL_PARSE_FAILED": (Action.FAIL, _SYSTEM, _BUG),
    "INVALID_INPUT": (Action.FAIL, _SYSTEM, _BUG),
    "INPUT_ERROR": (Action.FAIL, _SYSTEM, _BUG),
    "TOO_COMPLEX": (
        Action.REDUCE,
        _SYSTEM,
        "Stream {stream}: Linear finds the query too complex even for the smallest page ({detail}). "
        "Deselect columns of this stream.",
    ),
    "INTERNAL_SERVER_ERROR": (Action.RETRY, _TRANSIENT, _UNREACHABLE),
}

_TYPES = {
    "ratelimited": "RATELIMITED",
    "authentication error": "AUTHENTICATION_ERROR",
    "forbidden": "FORBIDDEN",
    "feature not accessible": "FEATURE_NOT_ACCESSIBLE",
    "invalid input": "INVALID_INPUT",
    "internal error": "INTERNAL_SERVER_ERROR",
}


def unreachable(stream: str, error: Exception) -> Failure:
    """The failure of an exchange that brought no response: connection, DNS, TLS or time-out."""
    # The text of a requests exception carries the URL and object addresses: its kind says enough.
    return Failure(Action.RETRY, _TRANSIENT, _UNREACHABLE.format(stream=stream, detail=type(error).__name__))


def failure_of(stream: str, response: requests.Response) -> Failure | None:
    """Judge a response. None means that it brought data, possibly with some fields refused."""
    document = decoded(response)
    if not isinstance(document, dict):
        detail = f"HTTP {response.status_code}, not JSON"
        return _failure(stream, _code_of_status(response.status_code), detail)
    errors = document.get("errors") or []
    data = document.get("data")
    if data and all(value is not None for value in data.values()):
        return None
    if errors:
        return _failure(stream, _code(errors, response.status_code), _detail(errors, response))
    detail = f"HTTP {response.status_code}, no data"
    return _failure(stream, _code_of_status(response.status_code), detail)


def refused_fields(response: requests.Response) -> list[str]:
    """Names of the fields that a partial success left out, without list positions, sorted."""
    errors = (decoded(response) or {}).get("errors") or []
    names = set()
    for error in errors:
        names |= {part for part in (error.get("path") or [])[-1:] if isinstance(part, str)}
    return sorted(names)


def _failure(stream: str, code: str, detail: str) -> Failure:
    action, failure_type, message = _TABLE[code]
    return Failure(action, failure_type, message.format(stream=stream, detail=detail))


def _code(errors: Iterable[Mapping[str, Any]], status: int) -> str:
    for error in errors:
        extensions = error.get("extensions") or {}
        code = extensions.get("code")
        if code == "INPUT_ERROR" and "complex" in str(error.get("message")).lower():
            return "TOO_COMPLEX"
        if code not in _TABLE:
            code = _TYPES.get(str(extensions.get("type")).lower())
        if code in _TABLE:
            return str(code)
    return _code_of_status(status)


def _code_of_status(status: int) -> str:
    if status == 429:
        return "RATELIMITED"
    if status == 401:
        return "AUTHENTICATION_ERROR"
    if status == 403:
        return "FORBIDDEN"
    # A 200 or 400 that says nothing is a body cut or garbled on its way: asking again helps.
    return "INTERNAL_SERVER_ERROR"


def _detail(errors: list[Mapping[str, Any]], response: requests.Response) -> str:
    extensions = errors[0].get("extensions") or {}
    text = extensions.get("userPresentableMessage") or errors[0].get("message") or "no message"
    return f"HTTP {response.status_code}: {str(text).rstrip('.')[:300]}"
