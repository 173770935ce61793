"""Write `schemas/*.json`: derived from the manifest's fields and the types in the contract.

    python -m tools.schemas

A test fails when they drift (unit_tests/test_schemas.py).
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from graphql import (
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    get_named_type,
    get_nullable_type,
    is_enum_type,
)

from source_linear.linear.selection import Selection, parse
from source_linear.packaged import manifest
from source_linear.streams import ARCHIVED_FLAG, GONE_AT, Stream

ROOT = Path(__file__).resolve().parent.parent
CONTRACT = ROOT / "integration_tests" / "linear_api" / "schema.graphql"

# Int is a number too, as in Airbyte's own source-linear: who switches keeps the column's type.
_SCALARS: Mapping[str, Mapping[str, Any]] = {
    "ID": {"type": "string"},
    "String": {"type": "string"},
    "UUID": {"type": "string"},
    "Boolean": {"type": "boolean"},
    "Float": {"type": "number"},
    "Int": {"type": "number"},
    "DateTime": {
        "type": "string",
        "format": "date-time",
        "airbyte_type": "timestamp_with_timezone",
    },
    "TimelessDate": {"type": "string", "format": "date"},
    "Duration": {"type": "string"},
}
_OBJECT: Mapping[str, Any] = {"type": "object", "additionalProperties": True}
# Scalars that hold any JSON: the manifest's `types` say which. One type a column: where there are several,
# PyAirbyte cannot write the table.
_JSON_SCALARS = ("JSON", "JSONObject")
_JSON_TYPES: Mapping[str, Mapping[str, Any]] = {
    "array": {"type": "array"},
    "object": _OBJECT,
    "string": {"type": "string"},
}


@cache
def contract() -> GraphQLSchema:
    """The committed part of Linear's schema, read once."""
    return build_schema(CONTRACT.read_text("utf-8"))


def streams() -> list[Stream]:
    """The streams that the manifest declares, in its order."""
    return [Stream.from_parameters(entry["$parameters"]) for entry in manifest()["streams"]]


def json_columns(stream: Stream, linear: GraphQLSchema) -> list[str]:
    """The columns of a stream whose form Linear's schema leaves open, in the stream's order.

    Raises:
        KeyError: Linear has no such entity or field.
    """
    entity = linear.type_map[stream.entity]
    assert isinstance(entity, GraphQLObjectType)
    return [name for name in stream.fields if get_named_type(entity.fields[name].type).name in _JSON_SCALARS]


def schema_of(stream: Stream, linear: GraphQLSchema) -> dict[str, Any]:
    """The JSON schema of a stream's records: exactly its columns, each with the type Linear gives it.

    Raises:
        KeyError: Linear has no such entity or field, or the manifest's `types` lack a column of any JSON.
    """
    entity = linear.type_map[stream.entity]
    assert isinstance(entity, GraphQLObjectType)
    any_json = json_columns(stream, linear)
    columns: dict[str, Mapping[str, Any]] = {}
    for name in stream.fields:
        declared = _JSON_TYPES[stream.types[name]] if name in any_json else None
        columns[name] = declared or _json_type(entity.fields[name].type)
    for name, selection in stream.objects.items():
        columns[name] = _object_type(entity.fields[name].type, parse(selection), linear)
    for name in stream.relations:
        _ = entity.fields[name]
        columns[f"{name}Id"] = {"type": "string"}
    for column, nested in stream.lists.items():
        _ = entity.fields[nested.name]
        columns[column] = {"type": "array", "items": {"type": "string"}}
    for column in stream.parent_columns:
        columns[column] = _SCALARS["DateTime" if column.endswith("At") else "ID"]
    for name, of in stream.copies.items():
        columns[name] = columns[of]
    columns[ARCHIVED_FLAG] = {"type": "boolean"}
    columns[GONE_AT] = _SCALARS["DateTime"]
    never_null = ("id", stream.cursor_field, ARCHIVED_FLAG)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "additionalProperties": True,
        "properties": {
            name: columns[name] if name in never_null else _nullable(columns[name])
            for name in stream.column_names
        },
    }


def render(schema: Mapping[str, Any]) -> str:
    """The text of a schema file."""
    return json.dumps(schema, indent=2) + "\n"


def _json_type(linear_type: Any) -> Mapping[str, Any]:
    nullable = get_nullable_type(linear_type)
    if isinstance(nullable, GraphQLList):
        items = _json_type(nullable.of_type)
        if not isinstance(nullable.of_type, GraphQLNonNull):
            items = _nullable(items)
        return {"type": "array", "items": items}
    named = get_named_type(nullable)
    if named.name in _SCALARS:
        return _SCALARS[named.name]
    if is_enum_type(named):
        return {"type": "string"}  # without its values: Linear adds some at any time
    return _OBJECT


def _object_type(linear_type: Any, selection: Selection, linear: GraphQLSchema) -> Mapping[str, Any]:
    """An embedded object as it comes; the objects of a list with what is selected of them.

    Singer's SDK looks every property of an object in a list up, and fails where none are declared.
    """
    nullable = get_nullable_type(linear_type)
    if not isinstance(nullable, GraphQLList):
        return _OBJECT
    items = {**_OBJECT, "properties": _properties(get_named_type(nullable), selection, linear)}
    return {"type": "array", "items": items}


def _properties(of: Any, selection: Selection, linear: GraphQLSchema) -> dict[str, Any]:
    """The properties of an object of which something is selected; each may be null, or be missing."""
    properties: dict[str, Any] = {}
    for field in selection:
        if field.on:
            properties |= _properties(linear.type_map[field.on], field.selection, linear)
            continue
        linear_type = of.fields[field.name].type
        assert get_named_type(linear_type).name not in _JSON_SCALARS, f"{of.name}.{field.name}: any JSON"
        declared = _json_type(linear_type)
        if field.selection:
            assert declared == _OBJECT, f"{of.name}.{field.name}: a list in a list"
            declared = {
                **_OBJECT,
                "properties": _properties(get_named_type(linear_type), field.selection, linear),
            }
        properties[field.key] = _nullable(declared)
    return properties


def _nullable(schema: Mapping[str, Any]) -> dict[str, Any]:
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return {**schema, "type": ["null", *types]}


def main() -> None:
    """Write all schemas and delete those of streams that are gone."""
    directory = ROOT / "schemas"
    directory.mkdir(exist_ok=True)
    linear = contract()
    written = set()
    for stream in streams():
        path = directory / f"{stream.name}.json"
        path.write_text(render(schema_of(stream, linear)), "utf-8")
        written.add(path)
    for path in set(directory.glob("*.json")) - written:
        path.unlink()
    print(f"{len(written)} schemas written")


if __name__ == "__main__":
    main()
