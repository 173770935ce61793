"""What can go wrong in an exchange with Linear, and what to do about it: one table.

HTTP status tells little by itself; `errors[].extensions` does (API.md, Errors).
"""

import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.utils.airbyte_secrets_utils import filter_secrets

from source_linear.components.pages import decoded

_DETAIL = 300  # characters of what Linear says


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
        reason: what happened, as a sentence.
        remedy: what the user can do about it, as a sentence.
        has_data: rows came all the same; asking again may bring what is missing.
    """

    action: Action
    failure_type: FailureType
    reason: str
    remedy: str
    has_data: bool = False

    @property
    def message(self) -> str:
        """Reason and remedy."""
        return f"{self.reason} {self.remedy}"


_CONFIG, _TRANSIENT, _SYSTEM = (
    FailureType.config_error,
    FailureType.transient_error,
    FailureType.system_error,
)
_Row = tuple[Action, FailureType, str, str]

_UNREACHABLE: _Row = (
    Action.RETRY,
    _TRANSIENT,
    "Linear's API could not be reached or did not answer as it should ({detail}).",
    "Run the sync again; if it stays, see https://linearstatus.com.",
)
_BUG: _Row = (
    Action.FAIL,
    _SYSTEM,
    "Linear refused the connector's query as invalid ({detail}).",
    "This is a bug of source-linear, not of your configuration: please report it with this message.",
)
_CLIENT: _Row = (
    Action.FAIL,
    _CONFIG,
    "Linear gives no access token for these credentials ({detail}).",
    "Check client_id and client_secret in credentials; for Client Credentials they must also be switched "
    "on in the OAuth application's settings.",
)

# What went wrong -> action, failure type, reason, remedy.
TABLE: Mapping[str, _Row] = {
    # errors[].extensions.code
    "RATELIMITED": (
        Action.WAIT,
        _TRANSIENT,
        "Linear's hourly rate limit is used up ({detail}).",
        "Try again within the hour.",
    ),
    "AUTHENTICATION_ERROR": (
        Action.REFRESH,
        _CONFIG,
        "Linear does not accept the credentials ({detail}).",
        "Create a new API key under Settings > Security & access in Linear, or authenticate again, and put "
        "it into credentials.",
    ),
    "FORBIDDEN": (
        Action.FAIL,
        _CONFIG,
        "These credentials may not read it ({detail}).",
        "Use those of a workspace admin (audit_entries, webhooks, integrations and organization_invites "
        "need one) or deselect the stream.",
    ),
    "FEATURE_NOT_ACCESSIBLE": (
        Action.FAIL,
        _CONFIG,
        "It belongs to a feature that the workspace's plan does not include ({detail}).",
        "Upgrade the plan in Linear or deselect the stream.",
    ),
    "GRAPHQL_VALIDATION_FAILED": _BUG,
    "GRAPHQL_PARSE_FAILED": _BUG,
    "INVALID_INPUT": _BUG,
    "INPUT_ERROR": _BUG,
    "TOO_COMPLEX": (
        Action.REDUCE,
        _SYSTEM,
        "Linear finds the query too complex ({detail}).",
        "Deselect columns of this stream, and please report it: it is a bug of source-linear.",
    ),
    "INTERNAL_SERVER_ERROR": _UNREACHABLE,
    # answers that are not Linear's API: the edge, a proxy, a wrong address
    "NOT_JSON": _UNREACHABLE,
    "NOT_FOUND": (
        Action.FAIL,
        _CONFIG,
        "There is no GraphQL API at this address ({detail}).",
        "Check api_url, or leave it out.",
    ),
    # no answer
    "NO_ANSWER": _UNREACHABLE,
    "DNS": (
        Action.RETRY,
        _TRANSIENT,
        "The name of Linear's API could not be resolved ({detail}).",
        "Check the network and the DNS of the machine that runs the connector, and api_url if it is set; "
        "then run the sync again.",
    ),
    "CERTIFICATE": (
        Action.FAIL,
        _CONFIG,
        "The TLS certificate of Linear's API is not trusted ({detail}).",
        "If a proxy inspects the traffic, name its CA bundle in the environment variable REQUESTS_CA_BUNDLE.",
    ),
    "NOT_SENT": (
        Action.FAIL,
        _CONFIG,
        "The request could not be made ({detail}).",
        "Check api_url, the proxy settings and credentials.",
    ),
    # errors of the token endpoint
    "invalid_client": _CLIENT,
    "invalid_grant": (
        Action.FAIL,
        _CONFIG,
        "Linear does not accept the refresh token ({detail}).",
        "Authenticate again: every refresh token is good for one use, and its successor may be elsewhere.",
    ),
}

# errors[].extensions.type, where the code is not one of ours
_TYPES = {
    "ratelimited": "RATELIMITED",
    "authentication error": "AUTHENTICATION_ERROR",
    "forbidden": "FORBIDDEN",
    "feature not accessible": "FEATURE_NOT_ACCESSIBLE",
    "usage limit exceeded": "FEATURE_NOT_ACCESSIBLE",
    "graphql error": "GRAPHQL_VALIDATION_FAILED",
    "invalid input": "INVALID_INPUT",
    "internal error": "INTERNAL_SERVER_ERROR",
}


def subject(stream: str) -> str:
    """What a sentence about a stream begins with; nothing where the name is empty."""
    return f"Stream {stream}: " if stream else ""


def failure_of(stream: str, response: requests.Response) -> Failure | None:
    """Judge an answer of the API. None means that it brought data, possibly with some fields refused.

    Args:
        stream: the stream that asked, "" outside of any.
        response: the answer.
    """
    status = response.status_code
    document = decoded(response)
    if not isinstance(document, dict):
        return _failure(stream, _code_of_status(status, "NOT_JSON"), f"HTTP {status}, not JSON")
    errors, data = errors_of(response), document.get("data")
    has_data = isinstance(data, dict) and bool(data) and None not in data.values()
    if not errors:
        return None if has_data else _failure(stream, _code_of_status(status), f"HTTP {status}, no data")
    code, error = next(
        ((code, error) for error in errors if (code := _code(error))), (_code_of_status(status), errors[0])
    )
    if has_data and TABLE[code][0] not in (Action.RETRY, Action.WAIT):
        return None
    return _failure(stream, code, f"HTTP {status}: {said(error)}", has_data)


def failure_of_token(stream: str, response: requests.Response) -> Failure | None:
    """Judge an answer of the token endpoint. None means that it brought an access token."""
    status = response.status_code
    document = decoded(response)
    if not isinstance(document, dict) or status >= 500 or status == 429:
        return _failure(stream, "NOT_JSON", f"token endpoint, HTTP {status}")
    if isinstance(document.get("access_token"), str):
        return None
    code = "invalid_grant" if document.get("error") == "invalid_grant" else "invalid_client"
    return _failure(stream, code, f"HTTP {status}: {_shortened(document.get('error'))}")


def failure_without_answer(stream: str, error: requests.RequestException) -> Failure:
    """The failure of an exchange that brought no response: connection, time-out, DNS or TLS."""
    # The text of a requests exception carries URL and object addresses: its kind says enough.
    causes = list(_causes(error))
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return _failure(stream, "DNS", "DNS")
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return _failure(stream, "CERTIFICATE", "TLS")
    if isinstance(error, requests.exceptions.SSLError):
        return _failure(stream, "NO_ANSWER", "TLS")
    if isinstance(error, ValueError):
        return _failure(stream, "NOT_SENT", type(error).__name__)  # InvalidURL, InvalidHeader …
    return _failure(stream, "NO_ANSWER", type(error).__name__)


def errors_of(response: requests.Response) -> list[dict[str, Any]]:
    """The `errors` of an answer."""
    document = decoded(response)
    errors = document.get("errors") if isinstance(document, dict) else None
    return [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []


def said(error: Mapping[str, Any]) -> str:
    """What Linear says in one of its `errors`, for people."""
    return _shortened(
        _extensions(error).get("userPresentableMessage") or error.get("message") or "no message"
    )


def refused_fields(response: requests.Response) -> dict[str, str]:
    """The fields that a partial success left out, without list positions, each with Linear's reason."""
    fields = {}
    for error in errors_of(response):
        path = error.get("path")
        # Where the path ends in a position, a row is missing, not a field.
        if isinstance(path, Sequence) and path and isinstance(path[-1], str):
            names = [part for part in path[1:] if isinstance(part, str) and part != "nodes"]
            fields[".".join(names) or str(path[-1])] = said(error)
    return fields


def _failure(stream: str, code: str, detail: str, has_data: bool = False) -> Failure:
    action, failure_type, reason, remedy = TABLE[code]
    return Failure(action, failure_type, subject(stream) + reason.format(detail=detail), remedy, has_data)


def _code(error: Mapping[str, Any]) -> str | None:
    extensions = _extensions(error)
    code = extensions.get("code")
    if code not in TABLE:
        code = _TYPES.get(str(extensions.get("type")).lower())
    # Linear has no code of its own for it (API.md, Errors).
    if code in ("INPUT_ERROR", "INVALID_INPUT") and "complex" in str(error.get("message")).lower():
        return "TOO_COMPLEX"
    return code


def _extensions(error: Mapping[str, Any]) -> Mapping[str, Any]:
    extensions = error.get("extensions")
    return extensions if isinstance(extensions, Mapping) else {}


def _code_of_status(status: int, otherwise: str = "INTERNAL_SERVER_ERROR") -> str:
    """The code of an answer that names none. A 200 or 400 of this kind is a body cut or garbled."""
    if status == 429:
        return "RATELIMITED"
    if status == 401:
        return "AUTHENTICATION_ERROR"
    if status in (404, 405) or 300 <= status < 400:
        return "NOT_FOUND"
    if status == 403 and otherwise != "NOT_JSON":  # HTML with 403 is the edge's, not Linear's
        return "FORBIDDEN"
    return otherwise


def _shortened(text: Any) -> str:
    return filter_secrets(str(text).strip().rstrip(".")[:_DETAIL])


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and those that it wraps, as requests and urllib3 wrap them."""
    while isinstance(error, BaseException):
        yield error
        inner = (getattr(error, "reason", None), *error.args, error.__cause__, error.__context__)
        error = next((one for one in inner if isinstance(one, BaseException) and one is not error), None)
