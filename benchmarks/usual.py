"""The usual manifest: the same columns, extracted and transformed the way connectors usually do.

    python -m benchmarks.usual read --config FILE --catalog FILE

DpathExtractor, an AddFields and a RemoveFields for every relation, Jinja for pages and errors, 25 rows
a page, the CDK's own requester and entrypoint.
"""

import sys
from typing import Any

from airbyte_cdk.entrypoint import AirbyteEntrypoint, launch
from airbyte_cdk.models import ConfiguredAirbyteCatalogSerializer
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource

from benchmarks.streams import STREAMS
from source_linear.config import read_json
from source_linear.graphql import PAGE_INFO
from source_linear.linear.selection import text
from source_linear.streams import Stream
from tools.schemas import contract, schema_of

PAGE_SIZE = 25


def manifest(stream: Stream) -> dict[str, Any]:
    """A manifest with one stream."""
    root = stream.roots[0]
    page = f"response.data.{root.name}.pageInfo"
    info = " ".join(PAGE_INFO)
    query = (
        f"query {stream.name}($first: Int!, $after: String) {{ {root.name}(first: $first, after: $after, "
        f"includeArchived: true) {{ nodes {{ {text(root.fields)} }} pageInfo {{ {info} }} }} }}"
    )
    return {
        "version": "7.39.1",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": [stream.name]},
        "spec": {"type": "Spec", "connection_specification": {"type": "object", "properties": {}}},
        "streams": [
            {
                "type": "DeclarativeStream",
                "name": stream.name,
                "primary_key": ["id"],
                "retriever": {
                    "type": "SimpleRetriever",
                    "requester": {
                        "type": "HttpRequester",
                        "url": "{{ config['api_url'] }}",
                        "http_method": "POST",
                        "authenticator": {
                            "type": "ApiKeyAuthenticator",
                            "api_token": "{{ config['credentials']['api_key'] }}",
                            "inject_into": {
                                "type": "RequestOption",
                                "inject_into": "header",
                                "field_name": "Authorization",
                            },
                        },
                        "request_body": {
                            "type": "RequestBodyGraphQL",
                            "value": {"query": query, "operationName": stream.name},
                        },
                        "error_handler": {"type": "DefaultErrorHandler", "response_filters": _FILTERS},
                    },
                    "record_selector": {
                        "type": "RecordSelector",
                        "extractor": {"type": "DpathExtractor", "field_path": ["data", root.name, "nodes"]},
                    },
                    "paginator": {
                        "type": "DefaultPaginator",
                        "pagination_strategy": {
                            "type": "CursorPagination",
                            "page_size": PAGE_SIZE,
                            "cursor_value": f"{{{{ {page}.endCursor }}}}",
                            "stop_condition": f"{{{{ {page}.hasNextPage is false }}}}",
                        },
                        "page_size_option": _into("variables", "first"),
                        "page_token_option": _into("variables", "after"),
                    },
                },
                "incremental_sync": {
                    "type": "DatetimeBasedCursor",
                    "cursor_field": "updatedAt",
                    "datetime_format": "%Y-%m-%dT%H:%M:%S.%_msZ",
                    "start_datetime": "2000-01-01T00:00:00.000Z",
                },
                "transformations": transformations(stream),
                "schema_loader": {"type": "InlineSchemaLoader", "schema": schema_of(stream, contract())},
            }
        ],
    }


def transformations(stream: Stream) -> list[dict[str, Any]]:
    """A pair for each relation and each list, and what else makes the stream's columns."""
    made: list[dict[str, Any]] = []
    for name in stream.relations:
        if f"{name}Id" in stream.queried:
            made += _pair(f"{name}Id", f"{{{{ record.{name}.id }}}}", name)
    for column, nested in stream.lists.items():
        if column in stream.queried:
            ids = f"{{{{ record.{nested.name}.nodes | map(attribute='id') | list }}}}"
            made += _pair(column, ids, nested.name)
    for column, of in stream.copies.items():
        if column in stream.column_names:
            made.append(_added(column, f"{{{{ record.{of} }}}}"))
    made.append(_added("isArchived", "{{ record.archivedAt is not none or record.trashed is true }}"))
    return made


_FILTERS = [
    {
        "type": "HttpResponseFilter",
        "action": action,
        "predicate": f"{{{{ (response.get('errors') or [{{}}])[0].get('extensions', {{}})"
        f".get('code') == '{code}' }}}}",
        "error_message": "{{ response['errors'][0]['message'] }}",
    }
    for code, action in (("RATELIMITED", "RATE_LIMITED"), ("AUTHENTICATION_ERROR", "FAIL"))
]


def _pair(column: str, value: str, removed: str) -> list[dict[str, Any]]:
    return [_added(column, value), {"type": "RemoveFields", "field_pointers": [[removed]]}]


def _added(column: str, value: str) -> dict[str, Any]:
    field = {"type": "AddedFieldDefinition", "path": [column], "value": value}
    return {"type": "AddFields", "fields": [field]}


def _into(*path: str) -> dict[str, Any]:
    return {"type": "RequestOption", "inject_into": "body_json", "field_path": list(path)}


def main() -> None:
    """Run the command."""
    arguments = sys.argv[1:]
    catalog = ConfiguredAirbyteCatalogSerializer.load(
        read_json(AirbyteEntrypoint.extract_catalog(arguments) or "", "--catalog")
    )
    source = ConcurrentDeclarativeSource(
        catalog=catalog,
        config=read_json(AirbyteEntrypoint.extract_config(arguments) or "", "--config"),
        state=None,
        source_config=manifest(STREAMS[catalog.streams[0].stream.name]),
    )
    launch(source, arguments)


if __name__ == "__main__":
    main()
