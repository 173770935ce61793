"""What can go wrong in an exchange with Linear, and what to do about it: one table.

HTTP status tells little by itself; `errors[].extensions` does (docs/linear-api.md, Errors).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Action(Enum):
    """What is to be done about a failure."""

    RETRY = "ask again"
    WAIT = "wait for the rate limit"
    REFRESH = "refresh the access token"
    REDUCE = "ask for a smaller page"
    FAIL = "fail"


class Kind(Enum):
    """Who can put it right: the user, time, or the developers of this program."""

    CONFIG = "config_error"
    TRANSIENT = "transient_error"
    SYSTEM = "system_error"


REFUSALS = ("FORBIDDEN", "FEATURE_NOT_ACCESSIBLE")  # codes: these credentials may not see it


@dataclass(frozen=True)
class Problem:
    """One of the `errors` of an answer.

    Attributes:
        code: its row in `TABLE`.
        path: where in `data` it is, as Linear gives it: names and positions.
        said: what Linear says, for people.
    """

    code: str
    path: tuple[str | int, ...]
    said: str

    @property
    def action(self) -> Action:
        """What is to be done about it."""
        return TABLE[self.code][0]

    @property
    def may_pass(self) -> bool:
        """Whether asking again may bring what is missing."""
        return self.action in (Action.RETRY, Action.WAIT)

    @property
    def field(self) -> str:
        """The field it is about, without positions: `projects.lead`; "" where it is about a row."""
        if not self.path or not isinstance(self.path[-1], str):
            return ""
        names = [
            str(part) for part in self.path[1:] if isinstance(part, str) and part not in ("nodes", "edges")
        ]
        return ".".join(names) or str(self.path[0])

    @property
    def index(self) -> int | None:
        """The position in a root's `nodes` that it is about."""
        if len(self.path) > 2 and self.path[1] == "nodes" and isinstance(self.path[2], int):
            return self.path[2]
        return None


@dataclass(frozen=True)
class Failure:
    """A failed exchange.

    Attributes:
        code: its row in `TABLE`.
        action: what to do.
        kind: whose it is to put right, if it cannot be overcome.
        reason: what happened, as a sentence.
        remedy: what the user can do about it, as a sentence.
        has_data: rows came all the same; asking again may bring what is missing.
        problems: the `errors` of the answer; the one that decides is the first.
    """

    code: str
    action: Action
    kind: Kind
    reason: str
    remedy: str
    has_data: bool = False
    problems: tuple[Problem, ...] = ()

    @property
    def message(self) -> str:
        """Reason and remedy."""
        return f"{self.reason} {self.remedy}"

    @property
    def index(self) -> int | None:
        """The position of the row that cannot be read, where Linear names one."""
        return self.problems[0].index if self.problems else None


class LinearError(Exception):
    """Linear's API did not give what it was asked for, and asking again is no use now."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


_CONFIG, _TRANSIENT, _SYSTEM = Kind.CONFIG, Kind.TRANSIENT, Kind.SYSTEM
_Row = tuple[Action, Kind, str, str]

_UNREACHABLE: _Row = (
    Action.RETRY,
    _TRANSIENT,
    "Linear's API could not be reached or did not answer as it should ({detail}).",
    "Try again; if it fails again, see https://linearstatus.com.",
)
_REPORT_IT = "This is a bug of source-linear, not of your configuration: please report it with this message."
_BUG: _Row = (
    Action.FAIL,
    _SYSTEM,
    "Linear refused the connector's query as invalid ({detail}).",
    _REPORT_IT,
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
        "Use those of a workspace admin, which some streams need, or deselect the stream.",
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
    # Linear's code for refusals of many kinds: answers.py tells those apart that it knows by their text.
    "INPUT_ERROR": (
        Action.FAIL,
        _SYSTEM,
        "Linear refused the request ({detail}).",
        "Read what Linear says; if nothing in the workspace explains it, please report it with this message.",
    ),
    "TOO_COMPLEX": (
        Action.REDUCE,
        _SYSTEM,
        "Linear finds the query too complex ({detail}).",
        "Deselect columns of this stream, and please report it: it is a bug of source-linear.",
    ),
    "INTERNAL_SERVER_ERROR": _UNREACHABLE,
    "INCOMPLETE": (
        Action.RETRY,
        _TRANSIENT,
        "Linear's answer lacks what was asked for ({detail}).",
        "Try again; if it fails again, report it with this message.",
    ),
    "UNREADABLE": (
        Action.FAIL,
        _TRANSIENT,
        "Too many rows of one stream cannot be read ({detail}).",
        "What was read so far is kept. Try again; if it fails again, report it with this message.",
    ),
    "NO_CURSOR": (
        Action.FAIL,
        _TRANSIENT,
        "Linear announces a next page, but gives no usable cursor: {detail}.",
        "What was read so far is kept. Try again; if it fails again, report it with this message.",
    ),
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
        "then try again.",
    ),
    "CERTIFICATE": (
        Action.FAIL,
        _CONFIG,
        "The TLS certificate of Linear's API is not trusted ({detail}).",
        "If a proxy inspects the traffic, name its CA bundle in the environment variable REQUESTS_CA_BUNDLE.",
    ),
    "CA_BUNDLE": (
        Action.FAIL,
        _CONFIG,
        "The CA bundle cannot be read ({detail}).",
        "Let the environment variables REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE name a PEM file where the "
        "connector runs, or unset them.",
    ),
    "PROXY": (
        Action.RETRY,
        _TRANSIENT,
        "Linear's API could not be reached through the proxy ({detail}).",
        "Check that the proxy in the environment variable HTTPS_PROXY runs and reaches api.linear.app, or "
        "unset the variable; then try again.",
    ),
    "PROXY_REFUSES": (
        Action.FAIL,
        _CONFIG,
        "The proxy refuses to pass the request on ({detail}).",
        "Let the proxy allow api.linear.app. If it asks for a user (HTTP 407), set the environment variable "
        "HTTPS_PROXY to http://USER:PASSWORD@HOST:PORT (special characters as %XX).",
    ),
    "PROXY_SETTING": (
        Action.FAIL,
        _CONFIG,
        "The environment variable HTTPS_PROXY, or ALL_PROXY, does not name an HTTP proxy ({detail}).",
        "Set it to http://HOST:PORT or http://USER:PASSWORD@HOST:PORT (special characters as %XX). SOCKS is "
        "not supported.",
    ),
    "TOO_LARGE": (
        Action.FAIL,
        _SYSTEM,
        "The request is larger than Linear takes ({detail}).",
        _REPORT_IT,
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
        "Authenticate again: a refresh token can be used once, and another program may hold the new one.",
    ),
}


def many(number: int, noun: str) -> str:
    """A number of things: `1 row`, `2,000 rows`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def subject(stream: str) -> str:
    """What a sentence about a stream begins with; nothing where the name is empty."""
    return f"Stream {stream}: " if stream else ""


def failure(
    stream: str, code: str, detail: str, has_data: bool = False, problems: tuple[Problem, ...] = ()
) -> Failure:
    """A failure of a kind that `TABLE` knows.

    Args:
        stream: the stream that asked, "" outside of any.
        code: the row of `TABLE`.
        detail: what stands in parentheses behind the reason.
        has_data: whether rows came all the same.
        problems: the answer's `errors`, the one that decides first.
    """
    action, kind, reason, remedy = TABLE[code]
    return Failure(
        code, action, kind, subject(stream) + reason.format(detail=detail), remedy, has_data, problems
    )
