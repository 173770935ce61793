"""The query that the manifest declares for a stream."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from airbyte_cdk.sources.declarative.interpolation.jinja import JinjaInterpolation

from source_linear.packaged import manifest


@cache
def _declared_query() -> str:
    retriever = manifest()["definitions"]["stream"]["retriever"]
    query: str = retriever["requester"]["request"]["request_body"]["value"]["query"]
    return query


def query_of(parameters: Mapping[str, Any]) -> str:
    """The query that the manifest declares for a stream, as the CDK fills it in.

    Args:
        parameters: the `$parameters` of the stream's entry.
    """
    return " ".join(str(JinjaInterpolation().eval(_declared_query(), {}, parameters=parameters)).split())
