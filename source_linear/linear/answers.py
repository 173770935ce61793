"""Judging what came back: an answer is a value, and judging it a pure function."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from source_linear.linear.budget import number
from source_linear.linear.connection import cause_of
from source_linear.linear.errors import TABLE, Action, Failure, Problem, failure

_DETAIL = 300  # characters of what Linear says
_REFUSED = (Action.WAIT, Action.REFRESH, Action.REDUCE, Action.RETRY)  # of several errors, the first decides
# docs/linear-api.md, Errors: the reason of a refusal may be in its text only.
_BY_TEXT = (
    (re.compile(r"\bcomplex"), "TOO_COMPLEX"),
    (re.compile(r"feature '.*' is not (enabled|available)"), "FEATURE_NOT_ACCESSIBLE"),
    (re.compile(r"must be an? (workspace )?(admin|owner)"), "FORBIDDEN"),
)
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


@dataclass(frozen=True)
class Answer:
    """What an exchange brought.

    Attributes:
        data: the answer's `data`, {} where none came.
        problems: its `errors`.
        failure: what is wrong with it as a whole, if anything.
        headers: those of the response.
        seconds: how long the exchange took.
    """

    data: dict[str, Any]
    problems: tuple[Problem, ...] = ()
    failure: Failure | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def points(self) -> float:
        """What Linear billed for it; 0 where it does not say."""
        return number(self.headers, "X-Complexity")

    @property
    def refused(self) -> dict[str, str]:
        """The fields that Linear left out, each with its reason."""
        return {problem.field: problem.said for problem in self.problems if problem.field}


def decoded(body: bytes) -> Any:
    """The JSON document of a body. Text that is not valid Unicode is repaired: U+FFFD replaces what is not.

    Raises:
        json.JSONDecodeError: it is not JSON; `pos` says where.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        # JSON.stringify writes a text that was cut inside of an emoji as half a surrogate pair.
        try:
            return _repaired(json.loads(body.decode("utf-8", "replace"), parse_constant=lambda _: None))
        except (RecursionError, OverflowError):
            raise json.JSONDecodeError("nested too deep, or with a number that is too large", "", 0) from None


def _repaired(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_repaired(item) for item in value]
    if isinstance(value, dict):
        return {_repaired(name): _repaired(item) for name, item in value.items()}
    return float(value) if isinstance(value, int) and value.bit_length() > 63 else value


def judge(stream: str, status: int, body: bytes, roots: Mapping[str, Collection[str]]) -> Answer:
    """Judge an answer of the GraphQL API.

    Without a failure all roots came, possibly with fields or rows missing that `problems` name.

    Args:
        stream: the stream that asked, "" outside of any.
        status: the HTTP status, which decides nothing where the body says more.
        body: the body.
        roots: what was asked for: the keys of `data`, each with the keys that must not be null in it.
    """
    try:
        document = decoded(body)
    except (ValueError, RecursionError) as error:
        where = f" from character {error.pos:,}" if isinstance(error, json.JSONDecodeError) else ""
        detail = f"HTTP {status}, not JSON: {len(body):,} bytes that cannot be read{where}"
        return Answer({}, failure=failure(stream, _code_of_status(status, "NOT_JSON"), detail))
    if not isinstance(document, dict):
        detail = f"HTTP {status}, not a JSON object"
        return Answer({}, failure=failure(stream, _code_of_status(status, "NOT_JSON"), detail))
    given = document.get("data")
    data: dict[str, Any] = given if isinstance(given, dict) else {}
    problems = tuple(_problems(document, status))
    missing = [root for root, keys in roots.items() if not _is_whole(data.get(root), keys)]
    if not problems:
        if not missing and isinstance(given, dict):
            return Answer(data)
        detail = f"HTTP {status}, without {', '.join(missing) or 'data'}"
        return Answer(data, failure=failure(stream, _code_of_status(status, "INCOMPLETE"), detail))
    deciding = next((one for action in _REFUSED for one in problems if one.action is action), problems[0])
    has_data = bool(data) and not missing
    if has_data and deciding.action not in (Action.RETRY, Action.WAIT, Action.REDUCE):
        return Answer(data, problems)
    ordered = (deciding, *(one for one in problems if one is not deciding))
    path = ".".join(map(str, deciding.path))
    detail = f"HTTP {status}: {deciding.said}{f', at {path}' if path else ''}"
    return Answer(data, problems, failure(stream, deciding.code, detail, has_data, ordered))


def judge_token(stream: str, status: int, body: bytes) -> tuple[dict[str, Any], Failure | None]:
    """Judge an answer of the token endpoint: the tokens, or what is wrong with it."""
    try:
        document = decoded(body)
    except ValueError:
        document = None
    if not isinstance(document, dict) or status >= 500 or status == 429:
        return {}, failure(stream, "NOT_JSON", f"token endpoint, HTTP {status}")
    if isinstance(document.get("access_token"), str):
        return document, None
    code = "invalid_grant" if document.get("error") == "invalid_grant" else "invalid_client"
    return {}, failure(stream, code, f"HTTP {status}: {_shortened(document.get('error'))}")


def judge_silence(stream: str, error: OSError) -> Failure:
    """The failure of an exchange that brought no response: connection, time-out, DNS, TLS or a proxy.

    Args:
        stream: the stream that asked, "" outside of any.
        error: what requests raised; where a CA bundle is missing it is a plain OSError.
    """
    # The text of a requests exception carries URL, proxy and object addresses: its kind says enough.
    return failure(stream, *cause_of(error))


def _is_whole(value: Any, keys: Collection[str]) -> bool:
    if not keys:
        return value is not None
    if not isinstance(value, dict):
        return False
    return all(isinstance(value.get(key), list if key == "nodes" else dict | str) for key in keys)


def _problems(document: Mapping[str, Any], status: int) -> Iterator[Problem]:
    errors = document.get("errors")
    for error in errors if isinstance(errors, list) else []:
        if isinstance(error, dict):
            path = error.get("path")
            places = path if isinstance(path, list) else []
            yield Problem(
                _code(error) or _code_of_status(status, "INTERNAL_SERVER_ERROR"),
                tuple(part for part in places if isinstance(part, str | int)),
                _said(error),
            )


def _code(error: Mapping[str, Any]) -> str | None:
    extensions = _extensions(error)
    code = extensions.get("code")
    if not isinstance(code, str) or code not in TABLE:
        code = _TYPES.get(str(extensions.get("type")).lower())
    if code in ("INPUT_ERROR", "INVALID_INPUT"):
        said = f"{error.get('message')} {extensions.get('userPresentableMessage')}".lower()
        return next((better for words, better in _BY_TEXT if words.search(said)), code)
    return code


def _said(error: Mapping[str, Any]) -> str:
    return _shortened(
        _extensions(error).get("userPresentableMessage") or error.get("message") or "no message"
    )


def _extensions(error: Mapping[str, Any]) -> Mapping[str, Any]:
    extensions = error.get("extensions")
    return extensions if isinstance(extensions, dict) else {}


def _code_of_status(status: int, otherwise: str) -> str:
    """The code of an answer that names none."""
    if status == 429:
        return "RATELIMITED"
    if status == 401:
        return "AUTHENTICATION_ERROR"
    if status == 407:
        return "PROXY_REFUSES"
    if status == 413:
        return "TOO_LARGE"
    if status in (404, 405) or 300 <= status < 400:
        return "NOT_FOUND"
    if status == 403 and otherwise != "NOT_JSON":  # HTML with 403 is the edge's, not Linear's
        return "FORBIDDEN"
    return otherwise


def _shortened(text: Any) -> str:
    return str(text).strip().rstrip(".")[:_DETAIL]
