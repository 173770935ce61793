"""Manifest, schemas and Linear's schema say the same."""

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from graphql import InlineFragmentNode, Visitor, build_schema, parse, validate, visit
from graphql.execution.values import get_variable_values

from integration_tests.linear_api.cost import cost
from integration_tests.linear_api.schema import Schema
from source_linear.graphql import MAX_COST, MAX_PAGE_SIZE, document
from source_linear.sync.forms import Forms
from tools.evidence import EVIDENCE, OTHER_TYPES, columns_of_any_json
from tools.schemas import CONTRACT, ROOT, contract, json_columns, render, schema_of, streams

LINEAR = contract()
SIMULATOR = Schema(CONTRACT.read_text("utf-8"))
WHOLE = ROOT.parent / "shared" / "linear" / "schema.graphql"
AIRBYTE = ROOT.parent / "shared" / "linear" / "airbyte-columns.json"
STREAMS = streams()
# Of Linear's answers, with other ids.
_REACTIONS = [
    {
        "emoji": "eyes",
        "reactions": [
            {
                "id": "0b0e7c1a-5a70-4a53-9a2e-2d4c1f6f0005",
                "userId": "0b0e7c1a-5a70-4a53-9a2e-2d4c1f6f0006",
                "reactedAt": "2026-01-01T00:00:00.000Z",
            }
        ],
    }
]
RECORDED = [
    ("agent_sessions", {"plan": [{"content": "Read the issue", "status": "completed"}]}),
    ("comments", {"reactionData": []}),
    ("comments", {"reactionData": _REACTIONS}),
    ("issues", {"reactionData": _REACTIONS, "trashed": True, "sortOrder": -3012.55}),
    ("issues", {"reactionData": [], "trashed": None, "sortOrder": -31}),
    ("project_updates", {"reactionData": _REACTIONS}),
    ("templates", {"templateData": '{"title":"A bug","priority":2}'}),
]


def points(stream, root, first):
    """What the simulator bills for a page of a stream's root: an implementation of the formula of its own."""
    asked = stream.operation.page(root, root.fields, {"first": first})
    page = parse(document(stream.name, {root.name: asked})[0])
    operation = page.definitions[0]
    variables = get_variable_values(LINEAR, operation.variable_definitions or (), {"first": first})
    return cost(SIMULATOR, page, operation, variables)


def test_the_schema_files_are_what_manifest_and_contract_make_of_them():
    files = {path.stem: path.read_text("utf-8") for path in Path(ROOT / "schemas").glob("*.json")}
    made = {stream.name: render(schema_of(stream, LINEAR)) for stream in STREAMS}
    assert files == made, "run: make docs"


def selected(node):
    """What a query selects of a field, by name, through fragments."""
    found = {}
    for one in node.selection_set.selections if node.selection_set else ():
        if isinstance(one, InlineFragmentNode):
            found |= selected(one)
        else:
            found[(one.alias or one.name).value] = selected(one)
    return found


def declared(schema):
    """The properties of a schema, by name."""
    return {name: declared(inner) for name, inner in schema.get("properties", {}).items()}


def test_the_objects_of_a_list_are_declared_as_they_are_selected():
    for stream in STREAMS:
        schema, fields = schema_of(stream, LINEAR)["properties"], {}
        lists = {name: column["items"] for name, column in schema.items() if "object" in types_inside(column)}
        visit(parse(stream.query), Collector(fields))
        made = {name: declared(items) for name, items in lists.items()}
        assert made == {name: fields[name] for name in lists}, stream.name
        assert lists.keys() == {name for name in stream.objects if "array" in schema[name]["type"]}


def types_inside(column):
    """The types of the items of a list."""
    return column.get("items", {}).get("type", ())


class Collector(Visitor):
    """Keeps of each field of a query what is selected of it."""

    def __init__(self, fields):
        super().__init__()
        self.fields = fields

    def enter_field(self, node, *_):
        self.fields.setdefault(node.name.value, selected(node))


def test_every_query_is_valid_in_the_contract():
    wrong = {stream.name: validate(LINEAR, parse(stream.query)) for stream in STREAMS}
    assert {name: errors for name, errors in wrong.items() if errors} == {}


@pytest.mark.skipif(not WHOLE.exists(), reason="Linear's whole schema is not part of the repository")
def test_every_query_is_valid_in_linears_whole_schema():
    whole = build_schema(WHOLE.read_text("utf-8"))
    assert {stream.name: validate(whole, parse(stream.query)) for stream in STREAMS} == {
        stream.name: [] for stream in STREAMS
    }


def test_no_query_asks_for_a_deprecated_field():
    for stream in STREAMS:
        entity = LINEAR.type_map[stream.entity]
        lists = {nested.name for nested in stream.lists.values()}
        queried = {*stream.fields, *stream.relations, *stream.objects, *lists}
        assert not {name for name in queried if entity.fields[name].deprecation_reason}, stream.name


def test_every_page_stays_within_linears_cost_limit_and_asks_for_all_it_may():
    for stream in STREAMS:
        billed = [points(stream, root, stream.page_size) for root in stream.roots]
        assert max(billed) <= MAX_COST, stream.name
        if stream.connection and stream.page_size < MAX_PAGE_SIZE:
            more = [points(stream, root, stream.page_size + 1) for root in stream.roots]
            assert max(more) > MAX_COST, stream.name


def test_an_issue_costs_at_most_41_points():
    issues = next(stream for stream in STREAMS if stream.name == "issues")
    (root,) = issues.roots
    assert (points(issues, root, 200) - points(issues, root, 100)) / 100 <= 41


def test_the_manifest_says_of_every_json_column_and_of_no_other_what_it_holds():
    for stream in STREAMS:
        assert list(stream.types) == json_columns(stream, LINEAR), stream.name


def test_of_every_json_column_and_of_no_other_it_is_said_how_its_type_is_known():
    assert list(EVIDENCE) == list(columns_of_any_json(STREAMS, LINEAR)), "see tools/evidence.py"


def test_a_column_that_is_an_array_in_one_stream_and_an_object_in_another_is_an_error():
    cycles, teams = (stream for stream in STREAMS if stream.name in ("cycles", "teams"))
    other = replace(teams, types={**teams.types, "currentProgress": "array"})
    with pytest.raises(ValueError, match="currentProgress is of the type object in cycles, but not in teams"):
        columns_of_any_json([cycles, other], LINEAR)


def test_a_json_column_whose_type_nobody_declared_is_an_error():
    templates = next(stream for stream in STREAMS if stream.name == "templates")
    with pytest.raises(KeyError, match="templateData"):
        schema_of(replace(templates, types={}), LINEAR)


def test_what_was_recorded_of_linear_fits_its_column():
    for name, values in RECORDED:
        stream = next(stream for stream in STREAMS if stream.name == name)
        schema = schema_of(stream, LINEAR)
        assert values.keys() <= schema["properties"].keys()
        jsonschema.validate(values, schema)
        assert Forms(stream.types).deviations([values]) == {}


def test_a_column_with_another_type_than_airbytes_has_the_one_that_the_docs_name():
    for where, (theirs, ours) in OTHER_TYPES.items():
        name, _, column = where.partition(".")
        stream = next(stream for stream in STREAMS if stream.name == name)
        assert schema_of(stream, LINEAR)["properties"][column]["type"] == ["null", ours] != ["null", theirs]


@pytest.mark.skipif(not AIRBYTE.exists(), reason="the list of Airbyte's columns is not in the repository")
def test_every_column_of_airbytes_own_connector_is_here_with_its_type_or_named_in_the_docs():
    airbyte = json.loads(AIRBYTE.read_text("utf-8"))
    ours = {stream.name: schema_of(stream, LINEAR)["properties"] for stream in STREAMS}
    others = {}
    for name, columns in airbyte.items():
        for column, said in columns.items():
            kind, _, form = said.partition(":")
            have = ours.get(name, {}).get(column)
            if have is None and kind == "object":
                continue  # what Airbyte leaves over of a relation: `assignee: {}`
            if have is None or kind not in have["type"] or have.get("format", "") != form:
                others[f"{name}.{column}"] = (said, have and have["type"][-1])
    assert others == OTHER_TYPES
    assert len(airbyte) == 20
