"""Write `builder.yaml`: the streams with the CDK's own parts only, for Airbyte's Connector Builder.

    python -m tools.builder

tools/builder.template.yaml is filled with what follows from the streams' declarations in the manifest, the
contract and the error table. A test fails when it is out of date (unit_tests/test_builder.py).
docs/builder.md says what it cannot do.
"""

import math
import re
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

import yaml
from graphql import GraphQLSchema, get_named_type

from source_linear.graphql import MAX_COST, MAX_PAGE_SIZE, NestedList
from source_linear.linear.errors import TABLE
from source_linear.linear.selection import parse, price
from source_linear.packaged import manifest
from source_linear.streams import CURSOR_FIELD, GONE_AT, Stream
from tools.docs import filled
from tools.schemas import ROOT, contract, schema_of, streams

BUILDER = ROOT / "builder.yaml"
PAGE = ROOT / "docs" / "builder.md"
TEMPLATE = ROOT / "tools" / "builder.template.yaml"
PAGE_INFO = "pageInfo { hasNextPage endCursor }"

Part = dict[str, Any]


class _Flow(dict[str, Any]):
    """A mapping that is written on one line."""


class _Lines(str):
    """A text that is written line by line."""


class _Dumper(yaml.SafeDumper):
    pass


_Dumper.add_representer(
    _Flow, lambda dumper, data: dumper.represent_mapping("tag:yaml.org,2002:map", data, flow_style=True)
)
_Dumper.add_representer(
    _Lines, lambda dumper, data: dumper.represent_scalar("tag:yaml.org,2002:str", data, style="|")
)
_Dumper.add_representer(
    list,
    lambda dumper, data: dumper.represent_sequence(
        "tag:yaml.org,2002:seq", data, flow_style=all(isinstance(item, str | int) for item in data)
    ),
)
_Dumper.add_representer(
    str,
    lambda dumper, data: dumper.represent_scalar(
        "tag:yaml.org,2002:str", data, style=">" if len(data) > 110 else '"' if "{{" in data else None
    ),
)
_Dumper.ignore_aliases = lambda *_: True  # type: ignore[method-assign]

# --- What it is -----------------------------------------------------------------------------------

# The head of the file and docs/builder.md say the same.
CANNOT = (
    "Deletions: a row that is gone from Linear stays in the destination.",
    "Archivings without a stamp: Linear does not move updatedAt when it archives a row. For issues the next "
    "sync sees it all the same; any other row keeps its isArchived until it changes.",
    "Late rows: a row that becomes visible more than a minute after the moment that it is stamped with, for "
    "example because a private team was opened to the owner of the credentials, is missing until it changes.",
    "The change probe: a sync without news costs a request for each stream, not two or three in all.",
    "Rows that cannot be read: where Linear fails to give one row of a page, the stream fails.",
    "Lists inside a row (the subscribers of an issue, the members of a project): they could come short, and "
    "are left out. So is {missing}, whose rows are such lists of four roots.",
    "Histories by themselves: {children} are read with what they belong to. When it changes, all its rows "
    "come again, and a list that is longer than most costs a request of its own.",
    "Rate limits: the CDK counts requests, not complexity points, and waits for about an hour at most. Then "
    "the stream fails; the next sync goes on from its last state.",
    "Access tokens that Linear refuses before they end: the sync fails, and asks for no other token.",
    "Large first syncs: {by_year} are read year by year, each with a state, from 2019, Linear's first year. "
    "Any other stream has its first state when it is complete.",
    "Options other than credentials and start_date: team_keys, archived_rows, rate_limit_share and so on.",
)

START_DATE = (
    "Read issues, comments, attachments and other activity only if changed since this day (UTC). People, "
    "teams, projects, states, labels and everything else that they refer to are always read completely."
)


def cannot(known: Sequence[Stream]) -> list[str]:
    """What source-linear does and this file cannot, a sentence or two each."""
    names = {
        "missing": _and([stream.name for stream in known if not is_given(stream)]),
        "children": _and([stream.name for stream in known if stream.parents and is_given(stream)]),
        "by_year": _and(_BY_YEAR),
    }
    return [text.format(**names) for text in CANNOT]


def is_given(stream: Stream) -> bool:
    """Whether the file has the stream: the rows of a list have to be in rows of one root."""
    return len(stream.parents) < 2


def columns(stream: Stream) -> list[str]:
    """The columns of a stream that the file has, too."""
    missing = {GONE_AT, *(column for column, nested in stream.lists.items() if nested.first)}
    return [column for column in stream.column_names if column not in missing]


def cursor_field(stream: Stream) -> str:
    """The column of the cursor: rows of a list are found by their parent's stamp."""
    return f"{_parent(stream)}UpdatedAt" if stream.parents else CURSOR_FIELD


# --- Queries --------------------------------------------------------------------------------------

_DATES = "{gte: $since, lte: $until}"


def _parent(stream: Stream) -> str:
    """The name of what has a stream's rows as a list: `issue`."""
    return stream.parents[0].partition(".")[0].lower()


def _list(stream: Stream) -> NestedList:
    """The list of its parent that a stream's rows are in."""
    return NestedList.parse(stream.parents[0].partition(".")[2].replace(", orderBy: $order", ""))


def _root(stream: Stream) -> str:
    if stream.parents:
        return f"{_parent(stream)}s"
    title = stream.name.title().replace("_", "")
    return title[0].lower() + title[1:]


def _filtered_by(stream: Stream, linear: GraphQLSchema) -> set[str]:
    """The dates that the root can be filtered by on the server."""
    assert linear.query_type
    taken = linear.query_type.fields[_root(stream)].args.get("filter")
    return {"updatedAt", "archivedAt"} & set(get_named_type(taken.type).fields) if taken else set()


def _of_row(stream: Stream) -> list[str]:
    """The lines of what is queried of a row."""
    copies: dict[str, list[str]] = {}
    for name, of in stream.copies.items():
        copies.setdefault(of, []).append(name)
    plain = [f"{name}: {of}" for of in stream.fields for name in copies.get(of, ())]
    lines = textwrap.wrap(" ".join([*stream.fields, *plain]), 92, break_on_hyphens=False)
    for name in stream.relations:
        ids = [f"{name}Id", *copies.get(f"{name}Id", ())]
        lines.append(f"{name} {{ {' '.join(f'{column}: id' for column in ids)} }}")
    lines += [f"{nested.name} {{ id }}" for nested in stream.lists.values() if not nested.first]
    for name, inner in stream.objects.items():
        first, *rest = textwrap.wrap(f"{name} {{ {inner} }}", 88, break_on_hyphens=False)
        lines += [first, *(f"  {line}" for line in rest)]
    return lines


def _of_list(
    stream: Stream, first: int, arguments: str = "", page_info: str = "pageInfo { hasNextPage }"
) -> list[str]:
    """The lines of the list of a parent that a stream's rows are in."""
    nested = _list(stream)
    given = ", ".join(part for part in (f"first: {first}", arguments, nested.arguments) if part)
    rows = [f"    {line}" for line in _of_row(stream)]
    return [f"{nested.name}({given}) {{", "  nodes {", *rows, "  }", f"  {page_info}", "}"]


def _of_node(stream: Stream) -> list[str]:
    """The lines of what is queried of each node of the root."""
    if not stream.parents:
        return _of_row(stream)
    return ["id updatedAt archivedAt", *_of_list(stream, _list(stream).first)]


def _fitting(lines: Sequence[str]) -> int:
    """How many such nodes a query may ask for, by Linear's published formula."""
    one = price(parse(f"page(first: 1) {{ nodes {{ {' '.join(lines)} }} {PAGE_INFO} }}"))
    return min(MAX_PAGE_SIZE, math.floor(MAX_COST / one))


def page_size(stream: Stream) -> int:
    """How many nodes of its root a page of a stream has."""
    return _fitting(_of_node(stream))


def query(stream: Stream, linear: GraphQLSchema) -> str:
    """The query of a stream, as GraphQL that a person reads and edits."""
    if not stream.connection:
        inner = textwrap.indent("\n".join(_of_node(stream)), " " * 4)
        return f"query {stream.name} {{\n  page: {_root(stream)} {{\n{inner}\n  }}\n}}\n"
    dates = _filtered_by(stream, linear)
    arguments = [f"first: {page_size(stream)}, after: $after, includeArchived: true", stream.arguments]
    if not dates:
        arguments.append("orderBy: updatedAt")
    elif "archivedAt" in dates:
        arguments.append(f"filter: {{or: [{{updatedAt: {_DATES}}}, {{archivedAt: {_DATES}}}]}}")
    else:
        arguments.append(f"filter: {{updatedAt: {_DATES}}}")
    variables = "$after: String"
    if dates:
        variables += ", $since: DateTimeOrDuration!, $until: DateTimeOrDuration!"
    return _connection(stream, variables, arguments, _of_node(stream))


def rest_query(stream: Stream) -> str:
    """The query of a list that is longer than what came with its parent."""
    first = _fitting(_of_row(stream))
    inner = ["id", *_of_list(stream, first, "after: $after", PAGE_INFO)]
    arguments = ["first: 1, includeArchived: true", "filter: {id: {eq: $id}}"]
    return _connection(stream, "$id: ID!, $after: String", arguments, inner)


def _connection(stream: Stream, variables: str, arguments: Sequence[str], lines: Sequence[str]) -> str:
    given = textwrap.indent("\n".join(filter(None, arguments)), " " * 4)
    inner = textwrap.indent("\n".join(lines), " " * 6)
    return (
        f"query {stream.name}({variables}) {{\n  page: {_root(stream)}(\n{given}\n  ) {{\n"
        f"    nodes {{\n{inner}\n    }}\n    {PAGE_INFO}\n  }}\n}}\n"
    )


# --- Errors -----------------------------------------------------------------------------------------

_ERRORS = "{% set errors = response.errors | default('', true) | string | lower %}"
_PAGE = "{% set page = response.data.page if response.data is mapping %}"
_SAID = (
    "{% set error = response.errors | default([{}], true) | first %}"
    "{{ (error.extensions or {}).userPresentableMessage or error.message or 'no message' }}"
)
# All rows of a page came, and the next page can be asked for. The roots without pages have no `nodes`.
_IS_WHOLE = (
    "page is defined and page is not none and (page is not mapping or 'id' in page or ("
    "page.get('nodes') is sequence and none not in page['nodes'] and page.get('pageInfo') is mapping and "
    "(not page['pageInfo'].get('hasNextPage') or page['pageInfo'].get('endCursor'))))"
)
# Row of the error table -> what is done, the words in an answer's errors that tell, the HTTP statuses that
# do, and whether rows that came all the same are taken: fields of an add-on are refused on every page.
_FILTERS = (
    ("RATELIMITED", "RATE_LIMITED", ("ratelimited",), (429,), False),
    ("AUTHENTICATION_ERROR", "FAIL", ("authentication_error", "authentication error"), (401,), False),
    (
        "INTERNAL_SERVER_ERROR",
        "RETRY",
        ("internal_server_error", "internal error"),
        (500, 502, 503, 504),
        False,
    ),
    (
        "FEATURE_NOT_ACCESSIBLE",
        "FAIL",
        ("feature_not_accessible", "feature not accessible", "usage limit exceeded", "is not enabled"),
        (),
        True,
    ),
    (
        "FORBIDDEN",
        "FAIL",
        ("forbidden", "must be a workspace", "must be an admin", "must be an owner"),
        (),
        True,
    ),
    ("TOO_COMPLEX", "FAIL", ("too complex",), (), False),
    (
        "GRAPHQL_VALIDATION_FAILED",
        "FAIL",
        ("graphql_validation_failed", "graphql_parse_failed", "graphql error", "invalid_input"),
        (),
        True,
    ),
)


def _filter(code: str, action: str, detail: str = _SAID, **condition: Any) -> Part:
    """A response filter with the sentences of the error table."""
    _, kind, reason, remedy = TABLE[code]
    return {
        "type": "HttpResponseFilter",
        "action": action,
        **({"failure_type": kind.value} if action == "FAIL" else {}),
        **condition,
        "error_message": f"{reason.format(detail=detail)} {remedy}",
    }


def _filters() -> list[Part]:
    """What is done about an answer that is not a page: the first that fits decides."""
    filters = []
    for code, action, words, statuses, takes_rows in _FILTERS:
        found = " or ".join(f"'{word}' in errors" for word in words)
        predicate = f"{_ERRORS}{{{{ {found} }}}}"
        if takes_rows:
            predicate = f"{_ERRORS}{_PAGE}{{{{ ({found}) and not page }}}}"
        by_status = {"http_codes": list(statuses)} if statuses else {}
        filters.append(_filter(code, action, predicate=predicate, **by_status))
    lacking = f"not ({_IS_WHOLE})"
    return [
        *filters,
        _filter("INPUT_ERROR", "FAIL", predicate=f"{_PAGE}{{{{ response.errors and {lacking} }}}}"),
        _filter("INCOMPLETE", "RETRY", "no rows, or no pageInfo", predicate=f"{_PAGE}{{{{ {lacking} }}}}"),
        # The CDK takes no rows from such an answer, and would go on as if there were none.
        _filter("INPUT_ERROR", "FAIL", http_codes=[400, 403]),
    ]


# --- Streams --------------------------------------------------------------------------------------


def _ref(name: str) -> Part:
    return _Flow({"$ref": f"#/definitions/{name}"})


# Streams with many rows, read year by year. Not issues: one that was archived later would be in two years.
_BY_YEAR = ("attachments", "audit_entries", "comments")


def cursor_of(stream: Stream, linear: GraphQLSchema) -> str:
    """The definition of a stream's cursor."""
    if not stream.connection:
        return "left_out_if_old"
    if not _filtered_by(stream, linear):
        return "newest_first"
    if stream.kind not in ("windowed", "child"):
        return "changed"
    return "changed_since_start_date_by_year" if stream.name in _BY_YEAR else "changed_since_start_date"


def _transformations(stream: Stream) -> Iterator[Part]:
    for name in stream.relations:
        yield _Flow(type="DpathFlattenFields", field_path=[name], delete_origin_value=True)
    for column, nested in stream.lists.items():
        if nested.first:
            continue
        value = f"{{{{ (record['{nested.name}'] or []) | map(attribute='id') | list }}}}"
        yield {
            "type": "AddFields",
            "condition": f"{{{{ record['{nested.name}'] is not none }}}}",
            "fields": [{"type": "AddedFieldDefinition", "path": [column], "value": value}],
        }
        yield _Flow(type="RemoveFields", field_pointers=[[nested.name]])
    if "archivedAt" not in stream.fields:
        yield _ref("archived_with_its_issue")
    else:
        is_trashed = "trashed" in stream.fields and not stream.parents
        yield _ref("archived_or_trashed" if is_trashed else "archived")


def _requester(text: str, **variables: str) -> Part:
    value: Part = {"query": _Lines(text)}
    if variables:
        value["variables"] = variables
    return {"$ref": "#/definitions/requester", "request_body": {"type": "RequestBodyGraphQL", "value": value}}


def _rows_of_list(stream: Stream) -> Part:
    """The selector of the rows that are a list of the root's nodes: a long list is asked for by itself."""
    name = _list(stream).name
    parent = {f"{_parent(stream)}Id": "id", cursor_field(stream): CURSOR_FIELD}
    if "archivedAt" not in stream.fields:
        parent[f"{_parent(stream)}ArchivedAt"] = "archivedAt"
    page_info = f"response['data']['page']['nodes'][0]['{name}']['pageInfo']"
    pages = {
        "$ref": "#/definitions/pages",
        "pagination_strategy": {
            "type": "CursorPagination",
            "cursor_value": f"{{{{ {page_info}['endCursor'] }}}}",
            "stop_condition": f"{{{{ not {page_info}['hasNextPage'] }}}}",
        },
    }
    all_rows = {"type": "DpathExtractor", "field_path": ["data", "page", "nodes", "*", name, "nodes", "*"]}
    expander = {
        "type": "RecordExpander",
        "expand_records_from_field": [name, "nodes"],
        "parent_fields": [
            _Flow(type="ParentFieldPath", parent_path=[of], record_path=[column])
            for column, of in parent.items()
        ],
        "truncation_indicator_path": [name, "pageInfo", "hasNextPage"],
        "truncated_list_retriever": {
            "type": "SimpleRetriever",
            "requester": _requester(rest_query(stream), id="{{ stream_slice['parent_record']['id'] }}"),
            "record_selector": {"type": "RecordSelector", "extractor": all_rows},
            "paginator": pages,
        },
    }
    extractor = {
        "type": "DpathExtractor",
        "field_path": ["data", "page", "nodes"],
        "record_expander": expander,
    }
    return {"type": "RecordSelector", "extractor": extractor}


def _stream(stream: Stream, linear: GraphQLSchema) -> Part:
    own = schema_of(stream, linear)
    properties = {name: _flow(own["properties"][name]) for name in columns(stream)}
    cursor = _ref(cursor_of(stream, linear))
    if stream.parents:
        cursor["cursor_field"] = cursor_field(stream)
        properties.setdefault(cursor_field(stream), properties.get(CURSOR_FIELD))
    selector = _ref("rows" if stream.connection else "row")
    retriever: Part = {
        "type": "SimpleRetriever",
        "requester": _requester(query(stream, linear)),
        "record_selector": _rows_of_list(stream) if stream.parents else selector,
    }
    if stream.connection:
        retriever["paginator"] = _ref("pages")
    return {
        "type": "DeclarativeStream",
        "name": stream.name,
        "primary_key": ["id"],
        "retriever": retriever,
        "incremental_sync": cursor,
        "transformations": list(_transformations(stream)),
        "schema_loader": {"type": "InlineSchemaLoader", "schema": own | {"properties": properties}},
    }


def _flow(value: Any) -> Any:
    return _Flow({name: _flow(inner) for name, inner in value.items()}) if isinstance(value, dict) else value


def _spec() -> Part:
    own = manifest()["spec"]
    connection = own["connection_specification"]
    options = {name: connection["properties"][name] for name in ("credentials", "start_date")}
    options["start_date"]["description"] = START_DATE
    return {
        "type": "Spec",
        "documentation_url": own["documentation_url"].replace("linear.md", "builder.md"),
        "connection_specification": {**connection, "properties": options},
        "advanced_auth": own["advanced_auth"],
    }


# --- Text -----------------------------------------------------------------------------------------


def text() -> str:
    """The text of builder.yaml: the template, its placeholders filled."""
    known, linear = streams(), contract()
    parts = {
        "cannot": "\n".join(_bullet(sentence, "# ") for sentence in cannot(known)),
        "spec": _dumped(_spec()),
        "filters": _dumped(_filters()),
        "streams": "\n\n".join(_dumped([_stream(stream, linear)]) for stream in known if is_given(stream)),
    }

    def filled_in(placeholder: re.Match[str]) -> str:
        return textwrap.indent(parts[placeholder[2]], placeholder[1])

    template = TEMPLATE.read_text("utf-8").replace("<version>", manifest()["version"])
    return re.sub(r"^( *)<(\w+)>$", filled_in, template, flags=re.MULTILINE)


def page() -> str:
    """The text of docs/builder.md."""
    known = streams()
    given = [stream for stream in known if is_given(stream)]
    there = sum(len(columns(stream)) for stream in given)
    of = sum(len(stream.column_names) for stream in known)
    size = f"It has {len(given)} of the {len(known)} streams, and {there:,} of the {of:,} columns."
    listed = "\n".join(_bullet(sentence) for sentence in cannot(known))
    return filled(PAGE.read_text("utf-8"), {"size": size, "cannot": listed})


def _dumped(part: Any) -> str:
    return yaml.dump(part, Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True).rstrip()


def _bullet(sentence: str, before: str = "") -> str:
    return textwrap.fill(sentence, 118, initial_indent=f"{before}- ", subsequent_indent=f"{before}  ")


def _and(names: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def main() -> None:
    """Write builder.yaml, and what docs/builder.md says of it."""
    BUILDER.write_text(text(), "utf-8")
    PAGE.write_text(page(), "utf-8")
    print(f"builder.yaml has {sum(map(is_given, streams()))} streams")


if __name__ == "__main__":
    main()
