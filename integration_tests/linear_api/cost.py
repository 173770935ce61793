"""What a query costs, by Linear's published formula or by what was executed (docs/linear-api.md).

A property is 0.1 point, an object 1 point, a connection multiplies its children (`nodes`, `edges` and
`pageInfo` alike) by its `first` or `last`, 50 when absent; the sum is rounded to the nearest whole, as
recorded bills are. The connection itself is free, a list of objects is counted once, the parts of a
union are summed.

The formula is the upper bound. Bills below it were recorded, in two ways: of `issues` the nodes that
came and `pageInfo` once; of `issueLabels` the whole page size, but 0.2 for each relation that is null.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLIncludeDirective,
    GraphQLSkipDirective,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    get_directive_values,
    get_named_type,
    is_leaf_type,
)
from graphql.execution.values import VariableValues

from .schema import Schema

DEFAULT_SIZE = 50

# in tenths of a point, so that sums are exact
PROPERTY = 1
OBJECT = 10
NULL_OBJECT = 2

FORMULA = "formula"  # whatever comes
NULLS = "nulls"  # by the formula, but a relation that is null, or whose node did not come, is 0.2
EXECUTED = "executed"  # the nodes that came, `pageInfo` once, a relation that is null 0.2
BILLINGS = (FORMULA, NULLS, EXECUTED)


def cost(
    schema: Schema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: VariableValues,
) -> int:
    """The points of one operation of a valid document, by the formula, rounded.

    Args:
        schema: Linear's schema.
        document: the document, for its fragments.
        operation: the operation to be executed.
        variables: the coerced variables.
    """
    return rounded(Price(schema, document, operation, variables).formula())


def rounded(tenths: int) -> int:
    """Whole points of tenths, to the nearest, a half upwards as JavaScript's `Math.round`."""
    return (tenths + 5) // 10


class Price:
    """What one operation of a valid document costs, in tenths of a point; arguments as for `cost`."""

    def __init__(
        self,
        schema: Schema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: VariableValues,
    ) -> None:
        self._schema = schema
        self._operation = operation
        self._variables = variables
        self._fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }

    def formula(self) -> int:
        """By the formula, before anything is executed."""
        return self._selections("Query", self._operation.selection_set)

    def executed(self, data: Mapping[str, Any] | None, *, billing: str = EXECUTED) -> int:
        """By the data that came: `EXECUTED`, or with the empty places of each page `NULLS`."""
        padded = billing == NULLS
        return self._billed("Query", self._operation.selection_set, data or {}, padded=padded)

    # --- by the formula ----------------------------------------------------------------------

    def _selections(self, type_name: str, selections: SelectionSetNode) -> int:
        total = 0
        for inner, node in self._fields(type_name, selections):
            total += self._field(inner, node)
        return total

    def _field(self, type_name: str, node: FieldNode) -> int:
        field = self._definition(type_name, node)
        kind = get_named_type(field.type)
        if is_leaf_type(kind) or node.selection_set is None:
            return PROPERTY
        if kind.name in self._schema.connections:
            return self._size(node) * self._selections(kind.name, node.selection_set)
        return OBJECT + self._selections(kind.name, node.selection_set)

    # --- by the data -------------------------------------------------------------------------

    def _billed(self, type_name: str, selections: SelectionSetNode, data: Any, *, padded: bool) -> int:
        """An object that came; an empty mapping stands for a node that did not come."""
        total, properties = 0, set()
        for inner, node in self._fields(type_name, selections):
            kind = get_named_type(self._definition(inner, node).type)
            name = (node.alias or node.name).value
            if is_leaf_type(kind) or node.selection_set is None:
                properties.add(name)  # each part of a union may ask for it
            elif data and name not in data:
                continue
            elif kind.name in self._schema.connections:
                total += self._connection(kind.name, node, data.get(name) or {}, padded)
            else:
                total += self._object(kind.name, node.selection_set, data.get(name), padded)
        return total + PROPERTY * len(properties & data.keys() if data else properties)

    def _object(self, type_name: str, selections: SelectionSetNode, value: Any, padded: bool) -> int:
        if isinstance(value, list):  # a plain list is an object, as in the formula
            value = value[0] if value else None
        if value is None:
            return NULL_OBJECT
        return OBJECT + self._billed(type_name, selections, value, padded=padded)

    def _connection(self, type_name: str, node: FieldNode, data: Mapping[str, Any], padded: bool) -> int:
        assert node.selection_set is not None
        total, size = 0, self._size(node)
        for inner, child in self._fields(type_name, node.selection_set):
            kind = get_named_type(self._definition(inner, child).type)
            value = data.get((child.alias or child.name).value)
            if child.selection_set is None:
                total += PROPERTY
            elif child.name.value in ("nodes", "edges"):
                came = [item for item in value or () if item is not None]
                places = came + [{}] * (size - len(came) if padded else 0)
                total += sum(
                    OBJECT + self._billed(kind.name, child.selection_set, item, padded=padded)
                    for item in places
                )
            else:
                once = OBJECT + self._billed(kind.name, child.selection_set, value or {}, padded=padded)
                total += once * (size if padded else 1)
        return total

    # --- both --------------------------------------------------------------------------------

    def _fields(self, type_name: str, selections: SelectionSetNode) -> list[tuple[str, FieldNode]]:
        """The fields of a selection set with the type that each is of, fragments spread."""
        found: list[tuple[str, FieldNode]] = []
        for selection in selections.selections:
            if not self._included(selection):
                continue
            if isinstance(selection, FieldNode):
                found.append((type_name, selection))
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                inner = condition.name.value if condition else type_name
                found += self._fields(inner, selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode):
                fragment = self._fragments[selection.name.value]
                found += self._fields(fragment.type_condition.name.value, fragment.selection_set)
        return found

    def _definition(self, type_name: str, node: FieldNode) -> GraphQLField:
        parent = self._schema.graphql.type_map[type_name]
        field = self._schema.graphql.get_field(parent, node.name.value)  # type: ignore[arg-type]
        if field is None:
            raise KeyError(f"{type_name}.{node.name.value}")
        return field

    def _size(self, node: FieldNode) -> int:
        given: dict[str, Any] = {}
        for argument in node.arguments or ():
            value = argument.value
            if isinstance(value, IntValueNode):
                given[argument.name.value] = int(value.value)
            elif isinstance(value, VariableNode):
                given[argument.name.value] = self._variables.coerced.get(value.name.value)
        return given.get("first") or given.get("last") or DEFAULT_SIZE

    def _included(self, node: SelectionNode) -> bool:
        skip = get_directive_values(GraphQLSkipDirective, node, self._variables)
        if skip and skip["if"]:
            return False
        include = get_directive_values(GraphQLIncludeDirective, node, self._variables)
        return not include or bool(include["if"])
