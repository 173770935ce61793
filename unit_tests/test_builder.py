"""builder.yaml: what it says, by itself and beside the manifest."""

import json
import logging
import re
import subprocess
import sys
import time
from pathlib import Path

import airbyte_cdk.sources.declarative as declarative
import jsonschema
import pytest
import requests
import yaml
from airbyte_cdk.sources.declarative.parsers.manifest_component_transformer import (
    ManifestComponentTransformer,
)
from airbyte_cdk.sources.declarative.parsers.manifest_reference_resolver import ManifestReferenceResolver
from airbyte_cdk.sources.declarative.requesters.error_handlers import DefaultErrorHandler, HttpResponseFilter
from airbyte_cdk.sources.streams.http import HttpClient
from airbyte_cdk.utils import AirbyteTracedException
from graphql import parse, validate

from integration_tests.linear_api.answers import answers
from source_linear.linear.errors import TABLE
from source_linear.linear.selection import parse as selection_of
from source_linear.linear.selection import price
from tools.builder import BUILDER, PAGE, cannot, columns, cursor_field, is_given, page, text
from tools.docs import SECRETS
from tools.schemas import contract, schema_of, streams

TEXT = BUILDER.read_text("utf-8")
MANIFEST = yaml.safe_load(TEXT)
RESOLVED = ManifestReferenceResolver().preprocess_manifest(MANIFEST)
BY_NAME = {stream["name"]: stream for stream in RESOLVED["streams"]}
STREAMS = {stream.name: stream for stream in streams()}
LINEAR = contract()
MEASURE = "run: python -m integration_tests.builder"


def parts(value):
    """Every mapping in a manifest."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from parts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from parts(inner)


def queries_of(name):
    """The query of a stream, and that of its lists that are longer than what came."""
    return [part["query"] for part in parts(BY_NAME[name]["retriever"]) if "query" in part]


def query_of(name):
    return queries_of(name)[0]


def root_of(query):
    (root,) = selection_of(query.partition("{\n")[2].rpartition("}")[0])
    return root


def lists_in(selection):
    """The connections of a selection, at any depth."""
    for field in selection:
        if any(inner.name in ("nodes", "edges") for inner in field.selection):
            yield field
        yield from lists_in(field.selection)


def error_handler():
    declared = RESOLVED["definitions"]["requester"]["error_handler"]
    filters = [
        HttpResponseFilter(
            config={},
            parameters={},
            action=one["action"],
            failure_type=one.get("failure_type"),
            http_codes=set(one.get("http_codes", ())),
            predicate=one.get("predicate", ""),
            error_message=one["error_message"],
        )
        for one in declared["response_filters"]
    ]
    return DefaultErrorHandler(
        parameters={}, config={}, response_filters=filters, max_retries=declared["max_retries"]
    )


def response_of(answer):
    """An answer as it comes to a query of builder.yaml, in which the root is called `page`."""
    response = requests.Response()
    response.status_code = answer.status
    response.headers.update(answer.headers)
    response._content = answer.body.replace(f'"{answer.asked_for[0]}"'.encode(), b'"page"')
    return response


# --- The file -------------------------------------------------------------------------------------


def test_it_is_what_the_generator_makes_of_the_manifest():
    assert text() == TEXT, "run: make docs"


def test_it_is_valid_by_the_cdks_own_schema_of_manifests():
    schema = Path(declarative.__file__).with_name("declarative_component_schema.yaml")
    complete = ManifestComponentTransformer().propagate_types_and_parameters("", RESOLVED, {})
    jsonschema.validate(complete, yaml.safe_load(schema.read_text("utf-8")))


def test_it_needs_no_code_and_no_parameters():
    for part in parts(MANIFEST):
        assert "class_name" not in part
        assert "$parameters" not in part
        assert not str(part.get("type", "")).startswith("Custom")
    assert "parameters[" not in TEXT


def test_its_head_and_the_page_say_what_it_cannot_do():
    assert PAGE.read_text("utf-8") == page(), "run: make docs"
    head = " ".join(" ".join(line.strip("#- ") for line in TEXT.splitlines() if line[:1] == "#").split())
    for sentence in cannot(list(STREAMS.values())):
        assert sentence in head


def test_the_measured_table_is_of_the_columns_that_there_are():
    table = PAGE.read_text("utf-8").partition("<!-- generated: measured -->")[2]
    for stream in STREAMS.values():
        there = len(columns(stream)) if is_given(stream) else "none"
        assert f"\n| `{stream.name}` | {there} | {len(stream.column_names)} |" in table, MEASURE


def test_it_has_most_streams_and_columns_of_the_connector():
    given = [stream for stream in STREAMS.values() if is_given(stream)]
    assert [stream["name"] for stream in MANIFEST["streams"]] == [stream.name for stream in given]
    assert len(given) >= 40
    there = sum(len(columns(stream)) for stream in given)
    assert there >= 0.8 * sum(len(stream.column_names) for stream in STREAMS.values())


def test_the_configuration_for_the_command_line_is_made_as_the_page_prints_it(tmp_path):
    (script,) = re.findall(r"<<'PYTHON'\n(.+?)^PYTHON$", PAGE.read_text("utf-8"), re.M | re.S)
    (tmp_path / "config.json").write_text('{"credentials": {}}')
    (tmp_path / "builder.yaml").write_text(TEXT, "utf-8")
    command = [sys.executable, "-"]
    done = subprocess.run(
        command, input=script, capture_output=True, text=True, cwd=tmp_path, timeout=120, check=True
    )
    assert json.loads(done.stdout) == {"credentials": {}, "__injected_declarative_manifest": MANIFEST}


# --- Streams --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BY_NAME)
def test_a_query_is_valid_by_linears_schema_and_has_no_template(name):
    for query in queries_of(name):
        assert validate(LINEAR, parse(query)) == []
        assert "{{" not in query
        assert "{%" not in query


@pytest.mark.parametrize("name", [name for name in BY_NAME if STREAMS[name].connection])
def test_a_query_costs_what_linear_takes_and_is_as_large_as_that_allows(name):
    root = root_of(query_of(name))
    first, points = int(root.first), price([root])
    assert points <= 10_000
    assert first == 250 or points / first * (first + 1) > 10_000
    for query in queries_of(name)[1:]:
        assert price([root_of(query)]) <= 10_000


@pytest.mark.parametrize("name", BY_NAME)
def test_a_schema_has_the_columns_of_the_connector_with_their_types_and_the_cursor(name):
    stream = STREAMS[name]
    own = schema_of(stream, LINEAR)["properties"]
    properties = BY_NAME[name]["schema_loader"]["schema"]["properties"]
    assert {column: own[column] for column in columns(stream)}.items() <= properties.items()
    assert properties.keys() == {*columns(stream), cursor_field(stream)}
    assert BY_NAME[name]["incremental_sync"]["cursor_field"] == cursor_field(stream)
    assert properties[cursor_field(stream)] == properties.get("updatedAt", properties[cursor_field(stream)])


@pytest.mark.parametrize("name", BY_NAME)
def test_no_list_of_a_row_could_come_short(name):
    inner = list(lists_in(root_of(query_of(name)).selection))
    if not STREAMS[name].parents:
        assert inner == []
        return
    # The rows are such a list: whether it goes on is asked for, and then it is read to its end.
    (rows,) = inner
    expander = BY_NAME[name]["retriever"]["record_selector"]["extractor"]["record_expander"]
    assert expander["expand_records_from_field"] == [rows.name, "nodes"]
    assert expander["truncation_indicator_path"] == [rows.name, "pageInfo", "hasNextPage"]
    assert "pageInfo" in [field.name for field in rows.selection]
    (rest,) = lists_in(root_of(queries_of(name)[1]).selection)
    assert rest.selection[0] == rows.selection[0]
    assert "after: $after" in rest.arguments


def test_no_secret_is_queried():
    for where in SECRETS:
        entity, name = where.split(".")
        for stream in STREAMS.values():
            if stream.entity == entity and stream.name in BY_NAME:
                for query in queries_of(stream.name):
                    assert not re.search(rf"\b{name}\b", query), where


@pytest.mark.parametrize("name", BY_NAME)
def test_changes_are_found_on_the_server_wherever_the_root_takes_a_filter(name):
    cursor = BY_NAME[name]["incremental_sync"]
    filtered = "updatedAt: {gte: $since, lte: $until}" in query_of(name)
    assert filtered == ("start_time_option" in cursor) == ("end_time_option" in cursor)
    if filtered:
        return
    # A feed ends at the first row that is older than the state: it has to be in that order.
    assert cursor.get("is_data_feed", False) == ("orderBy: updatedAt" in query_of(name))
    assert cursor.get("is_data_feed") or cursor.get("is_client_side_incremental")


@pytest.mark.parametrize("name", BY_NAME)
def test_every_stream_looks_back(name):
    assert BY_NAME[name]["incremental_sync"]["lookback_window"] == "PT1M"


# --- Errors ---------------------------------------------------------------------------------------

RETRIED, WAITED, CONFIG, SYSTEM = (
    ("RETRY",),
    ("RATE_LIMITED",),
    ("FAIL", "config_error"),
    ("FAIL", "system_error"),
)
# What is done about an answer, and the row of the error table whose sentences are said.
JUDGED = {
    "admins-only": (CONFIG, "FORBIDDEN"),
    "bearer-before-a-key": (CONFIG, "AUTHENTICATION_ERROR"),
    "body-is-a-list": (RETRIED, "INCOMPLETE"),
    "body-is-null": (RETRIED, "INCOMPLETE"),
    "cut-body": (RETRIED, "INCOMPLETE"),
    "data-null": (RETRIED, "INCOMPLETE"),
    "field-of-an-add-on": (("SUCCESS",), None),
    "field-removed": (SYSTEM, "GRAPHQL_VALIDATION_FAILED"),
    "forbidden-at-200": (CONFIG, "FORBIDDEN"),
    "forbidden-at-400": (CONFIG, "FORBIDDEN"),
    "forbidden-at-403": (CONFIG, "FORBIDDEN"),
    "forbidden-by-type-alone": (CONFIG, "FEATURE_NOT_ACCESSIBLE"),
    "half-an-emoji": (("SUCCESS",), None),
    "html-429": (WAITED, "RATELIMITED"),
    "html-502": (RETRIED, "INTERNAL_SERVER_ERROR"),
    "html-at-200": (RETRIED, "INCOMPLETE"),
    "internal-error-at-200": (RETRIED, "INTERNAL_SERVER_ERROR"),
    "internal-error-at-500": (RETRIED, "INTERNAL_SERVER_ERROR"),
    "key-not-valid-at-400": (CONFIG, "AUTHENTICATION_ERROR"),
    "key-not-valid-at-401": (CONFIG, "AUTHENTICATION_ERROR"),
    "no-next-cursor": (RETRIED, "INCOMPLETE"),
    "no-page-info": (RETRIED, "INCOMPLETE"),
    "nodes-missing": (RETRIED, "INCOMPLETE"),
    "not-enabled": (CONFIG, "FEATURE_NOT_ACCESSIBLE"),
    "null-node-forbidden": (SYSTEM, "INPUT_ERROR"),
    "null-node-without-an-error": (RETRIED, "INCOMPLETE"),
    "one-row-cannot-be-read": (SYSTEM, "INPUT_ERROR"),
    "page-size-over-250": (SYSTEM, "GRAPHQL_VALIDATION_FAILED"),
    "partial-at-200": (("SUCCESS",), None),
    "partial-at-400": (SYSTEM, "INPUT_ERROR"),
    "partial-at-403": (SYSTEM, "INPUT_ERROR"),
    "partial-passing": (RETRIED, "INTERNAL_SERVER_ERROR"),
    "partial-rate-limited": (WAITED, "RATELIMITED"),
    "rate-limited": (WAITED, "RATELIMITED"),
    "rate-limited-429": (WAITED, "RATELIMITED"),
    "too-complex": (SYSTEM, "TOO_COMPLEX"),
    "unknown-input-error": (SYSTEM, "INPUT_ERROR"),
}
ANSWERS = {answer.name: answer for answer in answers()}


@pytest.mark.parametrize("name", JUDGED)
def test_an_answer_is_dealt_with_as_the_error_table_says_and_in_its_words(name):
    (action, *kind), code = JUDGED[name]
    judged = error_handler().interpret_response(response_of(ANSWERS[name]))
    assert judged.response_action.name == action
    if kind:
        assert [judged.failure_type.name] == kind
    if code is None:
        return
    reason, _, rest = TABLE[code][2].partition("{detail}")
    assert judged.error_message.startswith(reason)
    assert judged.error_message.endswith(f"{rest} {TABLE[code][3]}")


def test_what_linear_says_to_people_is_in_the_message():
    judged = error_handler().interpret_response(response_of(ANSWERS["admins-only"]))
    assert "(You must be a workspace admin to interact with webhooks.)" in judged.error_message


@pytest.mark.parametrize("name", [name for name, answer in ANSWERS.items() if answer.status >= 400])
def test_no_answer_of_status_400_or_more_passes_as_one_without_rows(name):
    judged = error_handler().interpret_response(response_of(ANSWERS[name]))
    assert judged.response_action.name in ("FAIL", "RETRY", "RATE_LIMITED")


@pytest.mark.parametrize("first", [True, False])
def test_a_page_with_rows_and_one_without_pass(first):
    rows = [{"id": "1"}] if first else []
    page = {"nodes": rows, "pageInfo": {"hasNextPage": first, "endCursor": "1" if first else None}}
    for content in (page, rows, {"id": "1"}):
        response = requests.Response()
        response.status_code = 200
        response._content = json.dumps({"data": {"page": content}}).encode()
        assert error_handler().interpret_response(response).response_action.name == "SUCCESS"


@pytest.mark.parametrize(("refused", "attempts"), [(10, 11), (None, 13)])
def test_a_rate_limit_is_waited_out_for_more_than_an_hour(monkeypatch, refused, attempts):
    """A full bucket takes an hour to refill; what still refuses then fails the stream."""
    asked, slept = [], []
    page = {"nodes": [], "pageInfo": {"hasNextPage": False, "endCursor": None}}

    class Linear(requests.adapters.BaseAdapter):
        def send(self, request, **_):
            asked.append(request)
            limited = refused is None or len(asked) <= refused
            response = response_of(ANSWERS["rate-limited"])
            if not limited:
                response.status_code, response._content = 200, json.dumps({"data": {"page": page}}).encode()
            response.request = request
            return response

        def close(self):
            pass

    session = requests.Session()
    session.mount("https://", Linear())
    monkeypatch.setattr(time, "sleep", slept.append)
    client = HttpClient("issues", logging.getLogger("airbyte"), error_handler(), session=session)

    def ask():
        return client.send_request("POST", "https://api.linear.app/graphql", request_kwargs={})

    if refused is None:
        with pytest.raises(AirbyteTracedException):
            ask()
        assert sum(slept) > 3600
    else:
        assert ask()[1].status_code == 200
    assert len(asked) == attempts
