"""Who asks: personal API keys, OAuth access tokens, and the endpoint that makes those.

A key goes raw into `Authorization`, an access token behind `Bearer `; access tokens
live 24 hours, every refresh returns a new refresh token and retires the old one, whose replay
is tolerated for about 30 minutes; client credentials give a token for 30 days without a
refresh token.
"""

from __future__ import annotations

import base64
import binascii
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .clock import Clock
from .errors import Rejected

ACCESS_SECONDS = 86_399
CLIENT_SECONDS = 30 * 86_400 - 1
REPLAY_SECONDS = 30 * 60


@dataclass(frozen=True)
class Identity:
    """Who asks: `kind` is `api_key` or `oauth`, `name` whose budget is used."""

    kind: str
    name: str
    user_id: str | None


class OAuthError(Exception):
    """A refusal of the token endpoint: HTTP 400 with `error` and `error_description`."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.body = {"error": error, "error_description": description}


class Auth:
    """The keys and tokens that are accepted.

    Args:
        clock: for expiry.
        api_key: the personal key that is accepted; more go into `api_keys`.
        user_id: the user behind the key.
        app_user_id: the user behind OAuth tokens.
    """

    def __init__(self, clock: Clock, api_key: str, user_id: str | None, app_user_id: str | None) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._user_id = user_id
        self._app_user_id = app_user_id
        self.api_keys: set[str] = {api_key}
        self.client_id = "standin-client"
        self.client_secret = "standin-secret"
        self.replay_seconds: float = REPLAY_SECONDS
        self.access_seconds = ACCESS_SECONDS
        self._number = 0
        self._access: dict[str, int] = {}  # token -> milliseconds of its end
        self._refresh: set[str] = set()
        self._retired: dict[str, tuple[int, dict[str, Any]]] = {}  # token -> when, answer
        self.refresh_token = "standin-refresh-0"
        self.access_token = "standin-access-0"
        self._refresh.add(self.refresh_token)
        self._access[self.access_token] = self._ends(self.access_seconds)

    def authenticate(self, header: str | None) -> Identity:
        """Who an `Authorization` header names.

        Raises:
            Rejected: nobody, AUTHENTICATION_ERROR.
        """
        if not header:
            raise Rejected(401, "AUTHENTICATION_ERROR")
        scheme, _, token = header.partition(" ")
        with self._lock:
            if scheme.lower() != "bearer":
                if header in self.api_keys:
                    return Identity("api_key", "user", self._user_id)
                raise Rejected(401, "AUTHENTICATION_ERROR")
            if token in self.api_keys:
                raise Rejected(
                    400,
                    "AUTHENTICATION_ERROR",
                    "It looks like you're trying to use an API key as a Bearer token."
                    " Remove the Bearer prefix from the Authorization header.",
                )
            if self._access.get(token, 0) <= self._clock.milliseconds:
                raise Rejected(401, "AUTHENTICATION_ERROR")
            return Identity("oauth", "app", self._app_user_id)

    def expire_access_tokens(self) -> None:
        """Let every access token given out so far end now."""
        with self._lock:
            self._access.clear()

    def revoke_refresh_tokens(self) -> None:
        """Let every refresh token given out so far be unknown."""
        with self._lock:
            self._refresh.clear()
            self._retired.clear()

    def token(self, form: Mapping[str, str], authorization: str | None = None) -> dict[str, Any]:
        """Answer `POST /oauth/token`.

        Args:
            form: the decoded form.
            authorization: the client's credentials as HTTP Basic, else they are in the form.

        Raises:
            OAuthError: wrong client, wrong grant.
        """
        client, secret = form.get("client_id"), form.get("client_secret")
        if authorization and authorization.lower().startswith("basic "):
            client, secret = _basic(authorization[6:])
        if (client, secret) != (self.client_id, self.client_secret):
            raise OAuthError("invalid_client", "Client authentication failed")
        grant = form.get("grant_type")
        with self._lock:
            if grant == "client_credentials":
                return {
                    "access_token": self._new_access(CLIENT_SECONDS),
                    "token_type": "Bearer",
                    "expires_in": CLIENT_SECONDS,
                    "scope": "read",
                }
            if grant == "refresh_token":
                return self._refreshed(form.get("refresh_token") or "")
        raise OAuthError("unsupported_grant_type", f"Unsupported grant type: {grant}")

    def _refreshed(self, token: str) -> dict[str, Any]:
        now = self._clock.milliseconds
        if token in self._retired:
            retired_at, answer = self._retired[token]
            if now - retired_at <= self.replay_seconds * 1000:
                return answer
        if token not in self._refresh:
            raise OAuthError("invalid_grant", "Refresh token is invalid or was retired")
        self._refresh.remove(token)
        access = self._new_access(self.access_seconds)
        self._number += 1
        self.refresh_token = f"standin-refresh-{self._number}"
        self._refresh.add(self.refresh_token)
        answer = {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": self.access_seconds,
            "refresh_token": self.refresh_token,
            "scope": "read",
        }
        self._retired[token] = (now, answer)
        return answer

    def _new_access(self, seconds: int) -> str:
        self._number += 1
        self.access_token = f"standin-access-{self._number}"
        self._access[self.access_token] = self._ends(seconds)
        return self.access_token

    def _ends(self, seconds: float) -> int:
        return self._clock.milliseconds + round(seconds * 1000)


def _basic(credentials: str) -> tuple[str, str]:
    try:
        client, _, secret = base64.b64decode(credentials).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return client, secret
