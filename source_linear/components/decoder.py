"""A page on its way through the CDK: decoded once, shared by extractor and paginator."""

from collections.abc import Callable, Generator, Mapping, MutableMapping
from dataclasses import InitVar, dataclass
from typing import Any

from airbyte_cdk.sources.declarative.decoders.json_decoder import JsonDecoder

from source_linear.linear.connection import Response
from source_linear.sync.records import parts

_PAGE, _DONE = "linear_page", "linear_done"


def page_response(page: dict[str, Any], done: Callable[[], None]) -> Response:
    """A page in the form in which the CDK hands it from the requester to extractor and paginator.

    Args:
        page: the page.
        done: is called when its rows are handed over.
    """
    response = Response()
    response.status_code = 200
    setattr(response, _PAGE, page)
    setattr(response, _DONE, done)
    return response


@dataclass
class PageDecoder(JsonDecoder):
    """Yields the page that the requester read.

    In Python because the page is decoded once, where the answer is judged: decoding is its dearest step.
    """

    parameters: InitVar[Mapping[str, Any]]

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Nothing of the parameters matters."""
        super().__init__(parameters)

    def decode(self, response: Response) -> Generator[MutableMapping[str, Any], None, None]:
        """Yield the page in parts; a thread that has handed its rows over lets others ask."""
        try:
            yield from parts(getattr(response, _PAGE))
        finally:
            getattr(response, _DONE)()
