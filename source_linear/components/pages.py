"""A page: one response of Linear's API, decoded once, and one item on its way through the CDK."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson
import requests
from airbyte_cdk.models import AirbyteMessage, AirbyteRecordMessage, Type

from source_linear.queries import MAX_PAGE_SIZE, Record

ROWS = "rows"
UNFINISHED = "unfinished"  # names of the roots that have further pages
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


def folded(rows: Sequence[Record], cursor_field: str) -> Iterator[Record]:
    """Rows as few records of the CDK, each with the newest of its rows' cursor values.

    Selecting, queueing and observing cost the CDK more for each record than all that is done with a row
    here (docs/performance.md): so it is handed pages. `unfolded` takes them apart again. A page of parents
    may have thousands of rows: they become several records, since the queue counts records.
    """
    for start in range(0, len(rows), MAX_PAGE_SIZE):
        some = rows[start : start + MAX_PAGE_SIZE]
        yield {cursor_field: max(row[cursor_field] for row in some), ROWS: some}


def unfolded(messages: Iterable[AirbyteMessage]) -> Iterator[AirbyteMessage]:
    """The messages of a read, with a RECORD for each row of a page."""
    for message in messages:
        page = message.record
        if page is None:
            yield message
            continue
        for row in page.data[ROWS]:
            record = AirbyteRecordMessage(stream=page.stream, data=row, emitted_at=page.emitted_at)
            yield AirbyteMessage(type=Type.RECORD, record=record)
