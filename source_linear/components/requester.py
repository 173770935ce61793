"""How one GraphQL request is sent to Linear: its body, its retries, its errors."""

import logging
import random
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import InitVar, dataclass
from typing import Any, NamedTuple

import orjson
import requests
from airbyte_cdk.sources.declarative.requesters.http_requester import HttpRequester
from airbyte_cdk.sources.streams.http.page_size_reduction_exception import (
    PageSizeReductionRequiredException,
)
from airbyte_cdk.sources.types import StreamSlice, StreamState
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_linear.components.budget import Budget
from source_linear.components.credentials import Credentials
from source_linear.components.errors import (
    Action,
    Failure,
    failure_of,
    failure_without_answer,
    refused_fields,
    subject,
)
from source_linear.components.windows import Window
from source_linear.queries import ARCHIVINGS, Stream

_LOGGER = logging.getLogger("airbyte")
_CONNECT, _READ = 10.0, 120.0  # seconds to connect, and between two bytes of an answer
_LONGEST_PAUSE = 60.0
_TRIES_FOR_THE_REST = 3  # where rows came, but Linear failed on some of their fields


class Exchange(NamedTuple):
    """One request and what became of it.

    Attributes:
        response: what came back.
        failure: what is wrong with it, if anything.
        seconds: how long it took, without the waiting for its turn.
    """

    response: requests.Response | None
    failure: Failure | None
    seconds: float


@dataclass
class LinearRequester(HttpRequester):
    """Sends one request and returns a response that brought data, or raises a sentence for the user.

    In Python because the CDK's client cannot wait out a rate limit of an hour, and writes request
    and response bodies into its logs and errors.

    Attributes:
        patience: seconds after which a failure that may pass is given up.
        waits: whether it waits for the rate budget; a check does not.
    """

    parameters: InitVar[Mapping[str, Any]] = None
    patience: float = 300.0
    waits: bool = True

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Prepare the query, if the requester belongs to a stream."""
        parameters = parameters or {}
        super().__post_init__(parameters)
        self._session = requests.Session()
        self._gave_up = False
        self._stream = Stream.from_parameters(parameters) if "fields" in parameters else None
        self._query = self._stream.query if self._stream else ""
        self._budget = self.api_budget if isinstance(self.api_budget, Budget) else Budget()
        self._credentials: Credentials = self.config["credentials"]

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
        exchange = self.exchange(body)
        failure = exchange.failure
        if failure is None or failure.action not in (Action.RETRY, Action.WAIT):
            return self._overcome(body, exchange)
        with self._budget.workers.replaced():
            return self._overcome(body, exchange)

    def _overcome(self, body: bytes, exchange: Exchange) -> requests.Response:
        """Do what the failure of an exchange demands, until it is none."""
        # What failed for all that time in one window need not be tried as long in the next.
        left = 0.0 if self._gave_up else self.patience
        attempt = 0
        renewed = False
        while True:
            response, failure, seconds = exchange
            if response is not None and (failure is None or self._suffices(response, failure, attempt)):
                self._gave_up = False
                self._warn_of_refused_fields(response)
                return response
            assert failure is not None
            if failure.action is Action.WAIT and self.waits:
                self._budget.exhausted(self.name, response.headers if response is not None else {})
            elif failure.action is Action.REFRESH and not renewed and self._refuse_token(response):
                renewed = True
            elif failure.action is Action.REDUCE and self._stream is not None:
                raise PageSizeReductionRequiredException(stream_name=self.name, error_message=failure.message)
            else:
                pause = random.uniform(0.5, 1) * min(2**attempt, _LONGEST_PAUSE)
                left -= seconds + pause
                if failure.action is not Action.RETRY or left < 0:
                    self._gave_up = True
                    raise AirbyteTracedException(
                        message=failure.message,
                        internal_message=failure.message,
                        failure_type=failure.failure_type,
                    )
                attempt += 1
                _LOGGER.info("%s Trying again in %.1f s.", failure.reason, pause)
                time.sleep(pause)
            exchange = self.exchange(body)

    def _refuse_token(self, response: requests.Response | None) -> bool:
        """Whether there may be another access token than the one that Linear refused."""
        return response is not None and self._credentials.refuse(response.request.headers["Authorization"])

    def exchange(self, body: bytes) -> Exchange:
        """Send one request, once."""
        with self._budget.turn(self.name) if self.waits else nullcontext():
            started = time.monotonic()
            response, failure = self._post(body)
            seconds = time.monotonic() - started
        if response is not None:
            self._budget.observe(self.name, response.headers)
            _LOGGER.debug(
                "%sHTTP %s after %.0f ms, %s points.",
                subject(self.name),
                response.status_code,
                seconds * 1000,
                response.headers.get("X-Complexity", "no"),
            )
        return Exchange(response, failure, seconds)

    def _post(self, body: bytes) -> tuple[requests.Response | None, Failure | None]:
        if failure := self._credentials.renew_if_due(self.name):
            return None, failure
        headers = {"Content-Type": "application/json", "Authorization": self._credentials.header}
        try:
            response = self._session.post(
                self.get_url(),
                data=body,
                headers=headers,
                timeout=(min(_CONNECT, self.patience), min(_READ, self.patience)),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            return None, failure_without_answer(self.name, error)
        return response, failure_of(self.name, response)

    def _suffices(self, response: requests.Response, failure: Failure, attempt: int) -> bool:
        """Whether rows are kept though Linear failed on some of their fields: asking again is no use."""
        if not failure.has_data:
            return False
        fields = refused_fields(response).keys()
        known = self._budget.usage[self.name].refused.keys()
        return attempt >= _TRIES_FOR_THE_REST or (bool(fields) and fields <= known)

    def _warn_of_refused_fields(self, response: requests.Response) -> None:
        if fields := self._budget.refused(self.name, refused_fields(response)):
            _LOGGER.warning(
                "%sLinear left out %s (%s); null is written, the rows are kept.",
                subject(self.name),
                ", ".join(fields),
                "; ".join(sorted(set(fields.values()))),
            )
