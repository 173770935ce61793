"""The credentials: an API key, or an OAuth access token that is renewed once for all who ask."""

import re
import threading
from collections.abc import Callable, Mapping
from typing import Any

import pendulum

from source_linear.linear.answers import judge_token
from source_linear.linear.errors import Failure

_WRAPPING = " \t\r\n\"'`“”‘’"  # what comes along when a key is copied
_EARLY = pendulum.duration(minutes=5)  # before an access token ends
# Seconds that an access token is taken to last: one of less than `_EARLY` would be renewed for each request,
# and a date has an end. Linear refuses one that ends sooner, which renews it as well.
_SHORTEST, _LONGEST = 2 * _EARLY.total_seconds(), 365 * 86_400
_SECRETS = ("api_key", "access_token", "refresh_token", "client_secret")
# Posts a form to a URL: the HTTP status and the body, or why there is none.
Post = Callable[[str, Mapping[str, str]], tuple[int, bytes] | Failure]


class Credentials:
    """The credentials of one process, and the header made from them.

    In Python because the CDK's OAuthAuthenticator gets a token for each stream, asks for `scopes` where
    Linear reads `scope`, has no time-out, and writes the answers with the tokens into the debug log.
    """

    def __init__(
        self,
        given: Mapping[str, Any],
        token_url: str = "",
        replaced: Callable[[dict[str, Any]], None] = lambda values: None,
    ) -> None:
        """Take the credentials of a configuration.

        Args:
            given: `auth_type` (API Key, OAuth2.0 or Client Credentials) and the fields that it needs.
            token_url: where access tokens are asked for.
            replaced: is told all values when there is a new refresh token: the former one is void.

        Raises:
            ValueError: a key or a token cannot be one; its text names the field and never the value.
        """
        self._values: dict[str, Any] = {name: _cleaned(name, value) for name, value in given.items()}
        self._secrets = {str(self._values[name]) for name in _SECRETS if self._values.get(name)}
        self._token_url = token_url
        self._replaced = replaced
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Credentials({self._values.get('auth_type')})"

    @property
    def header(self) -> str:
        """The value of the `Authorization` header. Linear takes `Bearer` for access tokens only."""
        if self._values["auth_type"] == "API Key":
            return str(self._values["api_key"])
        return f"Bearer {self._values.get('access_token', '')}"

    def redacted(self, body: bytes) -> bytes:
        """A body without the credentials that there are or were, where it holds them."""
        for secret in tuple(self._secrets):
            body = body.replace(secret.encode(), b"****")
        return body

    def renew_if_due(self, stream: str, post: Post) -> Failure | None:
        """Get an access token, if there is none or it is about to end; returns what went wrong."""
        if self._values["auth_type"] == "API Key" or self._lasts():
            return None
        with self._lock:
            return None if self._lasts() else self._renew(stream, post)

    def refuse(self, header: str) -> bool:
        """Linear refused this header; returns whether another one can be had instead."""
        if self._values["auth_type"] == "API Key":
            return False
        with self._lock:
            if header == self.header:  # else it was renewed in the meantime
                self._values.pop("access_token", None)
        return True

    def _lasts(self) -> bool:
        if not self._values.get("access_token"):
            return False
        try:
            end = pendulum.parse(self._values["token_expiry_date"])
        except (KeyError, TypeError, ValueError):
            return True  # until Linear refuses it
        return not isinstance(end, pendulum.DateTime) or end - _EARLY > pendulum.now("UTC")

    def _renew(self, stream: str, post: Post) -> Failure | None:
        names = ["client_id", "client_secret"]
        if self._values["auth_type"] == "Client Credentials":
            form = {"grant_type": "client_credentials", "scope": "read"}
        else:
            form = {"grant_type": "refresh_token"}
            names.append("refresh_token")
        answered = post(self._token_url, form | {name: self._values[name] for name in names})
        if isinstance(answered, Failure):
            return answered
        status, body = answered
        tokens, failed = judge_token(stream, status, body)
        if failed:  # what it says may repeat a secret
            return judge_token(stream, status, self.redacted(body))[1]
        before = self._values.get("refresh_token")
        self._values |= {name: tokens[name] for name in ("access_token", "refresh_token") if tokens.get(name)}
        self._secrets |= {str(self._values[name]) for name in _SECRETS if self._values.get(name)}
        seconds = tokens.get("expires_in")
        told = seconds if isinstance(seconds, int | float) else 3600
        lifetime = pendulum.duration(seconds=min(max(_SHORTEST, told), _LONGEST))
        end = (pendulum.now("UTC") + lifetime).isoformat(timespec="milliseconds")
        self._values["token_expiry_date"] = end.replace("+00:00", "Z")
        if self._values.get("refresh_token") != before:
            self._replaced(dict(self._values))
        return None


def _cleaned(name: str, value: Any) -> Any:
    """A value as it was meant: without what came along when it was copied."""
    if not isinstance(value, str) or name in ("auth_type", "token_expiry_date"):
        return value
    meant = re.sub(r"^(authorization:\s*)?(bearer(\s+|$))?", "", value.strip(_WRAPPING), flags=re.IGNORECASE)
    meant = meant.strip(_WRAPPING)
    if value and not re.fullmatch(r"[!-~]+", meant):
        raise ValueError(
            f"credentials.{name}: contains white space or invalid characters; copy it again, without "
            "quotes and without Bearer."
        )
    return meant
