"""A page: one response of Linear's API, decoded once for all that look at it."""

from typing import Any

import orjson
import requests

_ATTRIBUTE = "linear_page"


def decoded(response: requests.Response) -> Any:
    """The response's JSON document, or None if the body is not JSON.

    Decoding is the most expensive step of a page; error handling, extraction and pagination share it.
    """
    if not hasattr(response, _ATTRIBUTE):
        try:
            document = orjson.loads(response.content)
        except orjson.JSONDecodeError:
            document = None
        setattr(response, _ATTRIBUTE, document)
    return getattr(response, _ATTRIBUTE)
