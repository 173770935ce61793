"""Linear's schema without what Linear removed from it, and graphql-js' words for a query that still asks.

What is removed is named by a schema coordinate: `Comment.quotedText` (a field, of an input too),
`PaginationOrderBy.updatedAt` (a value of an enum), `Query.issues(sort:)` (an argument), `IssueFilter`
(a type, with every field and argument that is of it).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    NamedTypeNode,
    Node,
    ObjectValueNode,
    TypeNode,
    build_ast_schema,
    get_location,
    parse,
)

from .schema import SCHEMA_FILE

_COORDINATE = re.compile(r"(?P<type>\w+)(\.(?P<member>\w+)(\((?P<argument>\w+):\))?)?")
_UNKNOWN_FIELD = re.compile(
    r"Expected value of type '(?P<type>\w+)!?' not to include unknown field '(?P<field>\w+)'"
)
_VARIABLE = re.compile(
    r"Variable '\$(?P<name>\w+)' has invalid value(?: at (?P<path>\S+?))?: (?P<why>.*)", re.S
)


@lru_cache(maxsize=64)
def schema_without(coordinates: frozenset[str]) -> GraphQLSchema:
    """Linear's schema without what the coordinates name.

    Raises:
        ValueError: the schema has no such thing.
    """
    document = _document()
    types = {name for name in coordinates if "." not in name}
    unused = set(coordinates)
    definitions = []
    for definition in document.definitions:
        name = definition.name.value  # type: ignore[attr-defined]
        if name in types:
            unused.discard(name)
        else:
            definitions.append(_Pruned(coordinates, types, unused).definition(definition))
    if unused:
        raise ValueError(f"the schema has no {', '.join(sorted(unused))}")
    reduced = DocumentNode(definitions=tuple(definitions))
    return build_ast_schema(reduced, assume_valid=True, assume_valid_sdl=True)


@cache
def _document() -> DocumentNode:
    return parse(SCHEMA_FILE.read_text(encoding="utf-8"), no_location=True)


class _Pruned:
    """Copies definitions without what is removed, and notes in `unused` what was there."""

    def __init__(self, coordinates: frozenset[str], types: set[str], unused: set[str]) -> None:
        self._coordinates = coordinates
        self._types = types
        self._unused = unused

    def definition(self, node: Any) -> Any:
        """A type without its removed members."""
        changes: dict[str, Any] = {}
        owner = node.name.value
        for attribute in ("fields", "values"):
            members = getattr(node, attribute, None)
            if members:
                kept = [self._member(owner, member) for member in members if self._stays(owner, member)]
                changes[attribute] = tuple(kept)
        for attribute in ("types", "interfaces"):
            named = getattr(node, attribute, None)
            if named:
                changes[attribute] = tuple(one for one in named if one.name.value not in self._types)
        return _copied(node, changes)

    def _stays(self, owner: str, member: Any) -> bool:
        coordinate = f"{owner}.{member.name.value}"
        if coordinate in self._coordinates:
            self._unused.discard(coordinate)
            return False
        kind = getattr(member, "type", None)
        return kind is None or _named(kind) not in self._types

    def _member(self, owner: str, member: Any) -> Any:
        arguments = getattr(member, "arguments", None)
        if not arguments:
            return member
        kept = []
        for argument in arguments:
            coordinate = f"{owner}.{member.name.value}({argument.name.value}:)"
            if coordinate in self._coordinates:
                self._unused.discard(coordinate)
            elif _named(argument.type) not in self._types:
                kept.append(argument)
        return _copied(member, {"arguments": tuple(kept)})


def _copied(node: Node, changes: Mapping[str, Any]) -> Node:
    return type(node)(**{key: getattr(node, key) for key in node.keys} | dict(changes))


def _named(kind: TypeNode) -> str:
    while not isinstance(kind, NamedTypeNode):
        kind = kind.type  # type: ignore[attr-defined]
    return kind.name.value


def coordinates(names: Iterable[str]) -> frozenset[str]:
    """The names, each checked to be a coordinate of something that Linear's schema has.

    Raises:
        ValueError: one is not.
    """
    given = frozenset(names)
    wrong = sorted(name for name in given if not _COORDINATE.fullmatch(name))
    if wrong:
        raise ValueError(f"no schema coordinate: {', '.join(wrong)}")
    schema_without(given)
    return given


# --- graphql-js' words -----------------------------------------------------------------------


def worded(error: GraphQLError, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """An error's message and locations as graphql-js 16 has them, where graphql-core differs.

    Args:
        error: of graphql-core's parser, validation or coercion.
        variables: what was sent, for an error in them.
    """
    message, nodes = error.message, error.nodes
    unknown = _UNKNOWN_FIELD.search(message)
    if unknown:
        said = f"Field '{unknown['field']}' is not defined by type '{unknown['type']}'."
        message = message[: unknown.start()] + said
        nodes = [_object_field(node, unknown["field"]) for node in nodes or ()]
    variable = _VARIABLE.fullmatch(message)
    if variable:
        message = _of_variable(variable, variables or {})
    told: dict[str, Any] = {"message": re.sub(r"'([^']*)'", r'"\1"', message)}
    places = error.locations
    if nodes is not None and unknown:
        places = [get_location(node.loc.source, node.loc.start) for node in nodes if node.loc]
    if places:
        told["locations"] = [{"line": place.line, "column": place.column} for place in places]
    return told


def _object_field(node: Node, name: str) -> Node:
    """The field of an input object that an error about the object means."""
    fields = node.fields if isinstance(node, ObjectValueNode) else ()
    return next((one for one in fields if one.name.value == name), node)


def _of_variable(error: re.Match[str], variables: Mapping[str, Any]) -> str:
    value: Any = variables.get(error["name"])
    path = [step for step in re.split(r"[.\[\]]+", error["path"] or "") if step]
    for step in path:
        value = value[int(step)] if isinstance(value, list) else value[step]
    steps = "".join(f"[{step}]" if step.isdigit() else f".{step}" for step in path)
    at = f" at '{error['name']}{steps}'" if path else ""
    return f"Variable '${error['name']}' got invalid value {_inspected(value)}{at}; {error['why']}"


def _inspected(value: Any) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{key}: {_inspected(one)}" for key, one in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(_inspected, value))}]"
    if isinstance(value, str):
        return f"'{value}'"
    return {None: "null", True: "true", False: "false"}.get(value, str(value))
