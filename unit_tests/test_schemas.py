"""Manifest, schemas and Linear's schema say the same."""

import json
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate
from graphql.execution.values import get_variable_values

from integration_tests.linear_api.cost import cost
from integration_tests.linear_api.schema import Schema
from source_linear.queries import MAX_COST, MAX_PAGE_SIZE
from tools.schemas import CONTRACT, ROOT, contract, render, schema_of, streams

LINEAR = contract()
STAND_IN = Schema(CONTRACT.read_text("utf-8"))
WHOLE = ROOT.parent / "shared" / "linear" / "schema.graphql"
AIRBYTE = ROOT.parent / "shared" / "linear" / "airbyte-columns.json"
STREAMS = streams()


def points(stream, first):
    """What the stand-in bills for the stream's query: an implementation of the formula of its own."""
    document = parse(stream.query)
    operation = document.definitions[0]
    variables = get_variable_values(LINEAR, operation.variable_definitions or (), {"first": first})
    return cost(STAND_IN, document, operation, variables)


by_stream = pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.name)


@by_stream
def test_a_schema_file_is_what_manifest_and_contract_make_of_it(stream):
    path = ROOT / "schemas" / f"{stream.name}.json"
    assert path.read_text("utf-8") == render(schema_of(stream, LINEAR)), "run: python -m tools.schemas"


def test_there_is_a_schema_for_each_stream_and_no_other():
    files = {path.stem for path in Path(ROOT / "schemas").glob("*.json")}
    assert files == {stream.name for stream in STREAMS}


@by_stream
def test_a_query_is_valid_in_the_contract(stream):
    assert validate(LINEAR, parse(stream.query)) == []


@pytest.mark.skipif(not WHOLE.exists(), reason="Linear's whole schema is not part of the repository")
def test_every_query_is_valid_in_linears_whole_schema():
    whole = build_schema(WHOLE.read_text("utf-8"))
    assert {stream.name: validate(whole, parse(stream.query)) for stream in STREAMS} == {
        stream.name: [] for stream in STREAMS
    }


@by_stream
def test_no_query_asks_for_a_deprecated_field_or_for_a_secret(stream):
    entity = LINEAR.type_map[stream.entity]
    queried = {*stream.fields, *stream.relations, *stream.objects} | {
        nested.name for nested in stream.lists.values()
    }
    assert not {name for name in queried if entity.fields[name].deprecation_reason}
    assert not queried & {"secret", "inviteHash", "calendarHash", "scimSettings", "samlSettings"}


@by_stream
def test_every_query_stays_within_linears_cost_limit_and_asks_for_all_it_may(stream):
    assert points(stream, stream.page_size) <= MAX_COST
    if stream.connection and stream.page_size < MAX_PAGE_SIZE:
        assert points(stream, stream.page_size + 1) > MAX_COST


def test_an_issue_costs_at_most_40_points():
    issues = next(stream for stream in STREAMS if stream.name == "issues")
    assert (points(issues, 200) - points(issues, 100)) / 100 <= 40


def test_the_manifest_can_be_read_in_one_sitting():
    lines = (ROOT / "manifest.yaml").read_text("utf-8").splitlines()
    assert len(STREAMS) == 50
    assert len(lines) < 1200


@pytest.mark.skipif(not AIRBYTE.exists(), reason="the list of Airbyte's columns is not in the repository")
def test_every_column_of_airbytes_own_connector_is_here_with_its_type():
    airbyte = json.loads(AIRBYTE.read_text("utf-8"))
    ours = {stream.name: schema_of(stream, LINEAR)["properties"] for stream in STREAMS}
    wrong = []
    for name, columns in airbyte.items():
        for column, said in columns.items():
            kind, _, form = said.partition(":")
            have = ours.get(name, {}).get(column)
            if have is None and kind == "object":
                continue  # what Airbyte leaves over of a relation: `assignee: {}`
            if have is None or kind not in have["type"] or have.get("format", "") != form:
                wrong.append(f"{name}.{column}: {said} there, {have} here")
    assert wrong == []
    assert len(airbyte) == 20
