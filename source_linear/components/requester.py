"""How one GraphQL request is sent to Linear: its body, its retries, its errors."""

import logging
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import InitVar, dataclass
from typing import Any

import orjson
import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.requesters.http_requester import HttpRequester
from airbyte_cdk.sources.streams.http.page_size_reduction_exception import (
    PageSizeReductionRequiredException,
)
from airbyte_cdk.sources.types import StreamSlice, StreamState
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_linear.components.budget import Budget
from source_linear.components.errors import Action, Failure, failure_of, refused_fields, unreachable
from source_linear.components.windows import Window
from source_linear.queries import ARCHIVINGS, Stream

_LOGGER = logging.getLogger("airbyte")
_TIMEOUT = (10, 120)  # seconds to connect, and between two bytes of an answer
_LONGEST_PAUSE = 60.0


@dataclass
class LinearRequester(HttpRequester):
    """Sends one request and returns a response that brought data, or raises a sentence for the user.

    In Python because the CDK's client cannot wait out a rate limit of an hour, and writes request
    and response bodies into its logs and errors.

    Attributes:
        patience: seconds after which a failure that may pass is given up.
    """

    parameters: InitVar[Mapping[str, Any]] = None
    patience: float = 300.0

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Prepare the query, if the requester belongs to a stream."""
        parameters = parameters or {}
        super().__post_init__(parameters)
        self._session = requests.Session()
        self._warned = False
        self._stream = Stream.from_parameters(parameters) if "fields" in parameters else None
        self._query = self._stream.query if self._stream else ""
        self._budget = self.api_budget if isinstance(self.api_budget, Budget) else Budget()

    def get_request_body_json(
        self,
        *,
        stream_state: StreamState | None = None,
        stream_slice: StreamSlice | None = None,
        next_page_token: Mapping[str, Any] | None = None,
    ) -> Mapping[str, Any]:
        """The stream's query with the variables of slice and page; empty where there is no slice.

        In Python because a window's filter depends on kind and sync: open at the first window's
        start, with an `or` for archivings (API.md, Archiving and deletion).
        """
        stream = self._stream
        if stream is None or stream_slice is None:
            return {}
        variables: dict[str, Any] = dict((next_page_token or {}).get("next_page_token") or {})
        walks_archivings = variables.pop(ARCHIVINGS, False)
        filters = [stream.filter_of_teams(self.config.get("team_keys") or ())]
        if stream.kind in ("windowed", "child") and not walks_archivings:
            filters.append(Window.of(stream_slice, self._parameters).filter())
        if given := [one for one in filters if one]:
            variables["filter"] = given[0] if len(given) == 1 else {"and": given}
        query = stream.archivings_query if walks_archivings else self._query
        return {"query": query, "operationName": stream.name, "variables": variables}

    def send_request(
        self,
        stream_state: StreamState | None = None,
        stream_slice: StreamSlice | None = None,
        next_page_token: Mapping[str, Any] | None = None,
        path: str | None = None,
        request_headers: Mapping[str, Any] | None = None,
        request_params: Mapping[str, Any] | None = None,
        request_body_data: Mapping[str, Any] | str | None = None,
        request_body_json: Mapping[str, Any] | None = None,
        log_formatter: Callable[[requests.Response], Any] | None = None,
    ) -> requests.Response:
        """Send a GraphQL request until it brings data.

        Raises:
            AirbyteTracedException: it failed for good, or went on failing for `patience` seconds.
            PageSizeReductionRequiredException: Linear finds the page too complex.
        """
        body = orjson.dumps(
            self._request_body_json(stream_state, stream_slice, next_page_token, request_body_json)
        )
        deadline = time.monotonic() + self.patience
        attempt = 0
        refreshed = False
        while True:
            response, failure = self.exchange(body)
            if failure is None:
                assert response is not None
                self._warn_of_refused_fields(response)
                return response
            if failure.action is Action.WAIT:
                self._budget.exhausted(response.headers if response is not None else {})
                continue
            if failure.action is Action.REFRESH and not refreshed and self._refresh_token():
                refreshed = True
                continue
            if failure.action is Action.REDUCE and self._stream is not None:
                raise PageSizeReductionRequiredException(stream_name=self.name, error_message=failure.message)
            pause = random.uniform(0.5, 1) * min(2**attempt, _LONGEST_PAUSE)
            if failure.action is not Action.RETRY or time.monotonic() + pause > deadline:
                raise AirbyteTracedException(
                    message=failure.message,
                    internal_message=failure.message,
                    failure_type=failure.failure_type,
                )
            attempt += 1
            _LOGGER.info("%s Trying again in %.1f s.", failure.message, pause)
            time.sleep(pause)

    def exchange(self, body: bytes) -> tuple[requests.Response | None, Failure | None]:
        """Send one request, once. Returns what came back, and what is wrong with it, if anything."""
        headers = {"Content-Type": "application/json", **self._auth_header()}
        points = self._budget.acquire(self.name)
        started = time.monotonic()
        try:
            response = self._session.post(
                self.get_url(), data=body, headers=headers, timeout=_TIMEOUT, allow_redirects=False
            )
        except requests.RequestException as error:
            return None, unreachable(self.name, error)
        finally:
            self._budget.release(points)
        self._budget.observe(self.name, response.headers)
        _LOGGER.debug(
            "Stream %s: HTTP %s after %.0f ms, %s points.",
            self.name,
            response.status_code,
            (time.monotonic() - started) * 1000,
            response.headers.get("X-Complexity", "no"),
        )
        return response, failure_of(self.name, response)

    def _auth_header(self) -> Mapping[str, Any]:
        try:
            return self.get_authenticator().get_auth_header()
        except AirbyteTracedException:
            raise
        except Exception as error:
            raise AirbyteTracedException(
                message=(
                    "No access token could be obtained from Linear: check `client_id`, "
                    "`client_secret` and `refresh_token` in `credentials`, or authenticate again."
                ),
                internal_message=f"Token refresh failed: {type(error).__name__}",
                failure_type=FailureType.config_error,
            ) from None

    def _refresh_token(self) -> bool:
        refresh = getattr(self.get_authenticator(), "refresh_and_set_access_token", None)
        if refresh is None:
            return False
        refresh()
        return True

    def _warn_of_refused_fields(self, response: requests.Response) -> None:
        if not self._warned and (names := refused_fields(response)):
            self._warned = True
            _LOGGER.warning(
                "Stream %s: Linear refused the fields %s to this key or plan; they are null, the rows "
                "are kept.",
                self.name,
                ", ".join(names),
            )
