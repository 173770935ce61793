"""What the manifest declares for all streams, for those who do not have the CDK's objects at hand."""

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any

import pendulum
from airbyte_cdk.sources.declarative.interpolation.jinja import JinjaInterpolation

from source_linear.packaged import manifest


@cache
def _declared() -> Mapping[str, Any]:
    definitions: Mapping[str, Any] = manifest()["definitions"]
    return definitions


def query_of(parameters: Mapping[str, Any]) -> str:
    """The query that the manifest declares for a stream, as the CDK fills it in.

    Args:
        parameters: the `$parameters` of the stream's entry.
    """
    query = _declared()["retriever"]["requester"]["request_body"]["value"]["query"]
    return " ".join(str(JinjaInterpolation().eval(query, {}, parameters=parameters)).split())


def lookback_of() -> timedelta:
    """The manifest's `lookback_window`."""
    return duration(_declared()["cursor"]["lookback_window"])


def duration(text: str) -> timedelta:
    """Read an ISO 8601 duration.

    Raises:
        ValueError: it is none.
    """
    parsed = pendulum.parse(text)
    if not isinstance(parsed, pendulum.Duration):
        raise ValueError(f"{text} is not a duration")
    return timedelta(seconds=parsed.total_seconds())
