"""What the simulator reads off Linear's schema: entities, connections, relations."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from pathlib import Path

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    get_named_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)

SCHEMA_FILE = Path(__file__).with_name("schema.graphql")


class Kind(Enum):
    """How a field's value is stored."""

    LEAF = auto()  # a scalar, an enum or a list of them: as it is
    VALUE = auto()  # an object without a life of its own: embedded in the row
    RELATION = auto()  # one entity: its id under `<field>Id`
    LIST = auto()  # a plain list of entities: see links.py
    CONNECTION = auto()  # a paged list of entities: see links.py


@dataclass(frozen=True)
class Field:
    """A field of an object type, as the simulator sees it.

    `target` is the entity of a relation or list; `key` the row's key for a relation's id or a
    stored list's ids.
    """

    name: str
    kind: Kind
    required: bool
    target: str = ""
    key: str = ""


def list_key(name: str) -> str:
    """The row's key for a stored list: `labels` -> `labelIds`, as Linear names its own."""
    return f"{name.removesuffix('s')}Ids"


class Schema:
    """Linear's schema with what follows from it.

    An entity is a type that implements `Node` or is the node of a connection; everything else
    is a value embedded in its row.
    """

    def __init__(self, text: str) -> None:
        self.graphql: GraphQLSchema = build_schema(text)
        types = self.graphql.type_map
        self.connections: dict[str, str] = {
            name: get_named_type(kind.fields["nodes"].type).name
            for name, kind in types.items()
            if isinstance(kind, GraphQLObjectType) and "nodes" in kind.fields and "pageInfo" in kind.fields
        }
        self.edges: frozenset[str] = frozenset(
            get_named_type(types[name].fields["edges"].type).name  # type: ignore[attr-defined]
            for name in self.connections
        )
        nodes = {
            name
            for name, kind in types.items()
            if isinstance(kind, GraphQLObjectType)
            and any(interface.name == "Node" for interface in kind.interfaces)
        }
        self.entities: frozenset[str] = frozenset(nodes | set(self.connections.values()))
        query = self.graphql.query_type
        assert query is not None
        self.roots: dict[str, str] = {}
        for name, field in query.fields.items():
            kind = get_named_type(field.type)
            if kind.name in self.connections:
                self.roots[name] = self.connections[kind.name]
            elif is_list_type(_nullable(field.type)):
                self.roots[name] = kind.name
        self._fields: dict[str, dict[str, Field]] = {}
        self._relations: dict[str, dict[str, Field]] = {}

    def type(self, name: str) -> GraphQLObjectType:
        """An object type by name.

        Raises:
            KeyError: the schema has no such type.
        """
        kind = self.graphql.type_map[name]
        assert isinstance(kind, GraphQLObjectType), name
        return kind

    def fields(self, name: str) -> dict[str, Field]:
        """The fields of an object type."""
        known = self._fields.get(name)
        if known is None:
            known = {
                field: self._field(field, definition) for field, definition in self.type(name).fields.items()
            }
            self._fields[name] = known
        return known

    def relations(self, name: str) -> dict[str, Field]:
        """The relations of an entity by the row's key."""
        known = self._relations.get(name)
        if known is None:
            fields = self.fields(name).values()
            known = {field.key: field for field in fields if field.kind is Kind.RELATION}
            self._relations[name] = known
        return known

    def possible_types(self, kind: GraphQLNamedType) -> list[GraphQLObjectType]:
        """The object types that a value of an object, interface or union type may have."""
        if isinstance(kind, GraphQLObjectType):
            return [kind]
        if isinstance(kind, GraphQLInterfaceType):
            return list(self.graphql.get_implementations(kind).objects)
        return list(kind.types)  # type: ignore[attr-defined]

    def _field(self, name: str, definition: GraphQLField) -> Field:
        required = is_non_null_type(definition.type)
        kind = get_named_type(definition.type)
        if is_leaf_type(kind):
            return Field(name, Kind.LEAF, required)
        if kind.name in self.connections:
            target = self.connections[kind.name]
            return Field(name, Kind.CONNECTION, required, target, list_key(name))
        if kind.name not in self.entities or not is_object_type(kind):
            return Field(name, Kind.VALUE, required)
        if is_list_type(_nullable(definition.type)):
            return Field(name, Kind.LIST, required, kind.name, list_key(name))
        return Field(name, Kind.RELATION, required, kind.name, f"{name}Id")


def _nullable(kind: object) -> object:
    return kind.of_type if is_non_null_type(kind) else kind


@cache
def linear_schema() -> Schema:
    """The committed part of Linear's schema, read once."""
    return Schema(SCHEMA_FILE.read_text(encoding="utf-8"))
