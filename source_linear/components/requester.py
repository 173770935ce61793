"""How a page is asked for."""

from collections.abc import Callable, Mapping
from dataclasses import InitVar, dataclass, replace
from typing import Any

from airbyte_cdk.sources.declarative.requesters.http_requester import HttpRequester
from airbyte_cdk.sources.types import StreamSlice, StreamState

from source_linear.components.decoder import page_response
from source_linear.linear.connection import Response
from source_linear.linear.errors import LinearError
from source_linear.shared import shared_by, traced
from source_linear.streams import Stream
from source_linear.sync.reading import Reader


@dataclass
class LinearRequester(HttpRequester):
    """Brings one page, complete and judged, or raises a sentence for the user.

    In Python because the CDK's client takes a partial success of status 400 for nothing, cannot wait out a
    rate limit of an hour, and writes request and response bodies into its logs and errors.

    Attributes:
        request: the request that the manifest declares.
    """

    parameters: InitVar[Mapping[str, Any]] = None
    request: HttpRequester | None = None

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Take the stream that `parameters` declare."""
        super().__post_init__(parameters)
        assert self.request is not None
        body = self.request.get_request_body_json() or {}
        stream = replace(Stream.from_parameters(parameters), query=" ".join(body["query"].split()))
        self._shared = shared_by(self.config)
        self._reader = Reader(stream, body["variables"], parameters.get("sync"), self.config, self._shared)

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
        log_formatter: Callable[[Response], Any] | None = None,
    ) -> Response:
        """Read a page of a slice.

        Raises:
            AirbyteTracedException: it cannot be read.
        """
        assert stream_slice is not None
        token = (next_page_token or {}).get("next_page_token")
        declared = (request_body_json or {}).get("variables", {})
        if token is None:
            self._shared.api.begin()
        try:
            page = self._reader.page(stream_slice, token and str(token), declared)
        except BaseException as error:
            self._shared.api.leave()
            raise traced(error) if isinstance(error, LinearError) else error from None
        return page_response(page, self._shared.api.leave)
