"""What a query costs, by Linear's published formula (API.md: "Limits").

A property is 0.1 point, an object 1 point, a connection multiplies what is inside its `nodes`
and `edges` by its `first` or `last`, 50 when absent; the sum is rounded up. The connection
itself is free, its `pageInfo` an object that isn't multiplied, a list of objects is counted
once, the parts of a union are summed. Linear bills some roots by what was executed instead:
the formula is the upper bound, and the stand-in always bills it.
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


def cost(
    schema: Schema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: VariableValues,
) -> int:
    """The points of one operation of a valid document.

    Args:
        schema: Linear's schema.
        document: the document, for its fragments.
        operation: the operation to be executed.
        variables: the coerced variables.
    """
    tenths = _Cost(schema, document, variables).selections("Query", operation.selection_set)
    return -(-tenths // 10)


class _Cost:
    def __init__(self, schema: Schema, document: DocumentNode, variables: VariableValues) -> None:
        self._schema = schema
        self._variables = variables
        self._fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }

    def selections(self, type_name: str, selections: SelectionSetNode, size: int = 1) -> int:
        total = 0
        for selection in selections.selections:
            if not self._included(selection):
                continue
            if isinstance(selection, FieldNode):
                total += self._field(type_name, selection, size)
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                inner = condition.name.value if condition else type_name
                total += self.selections(inner, selection.selection_set, size)
            elif isinstance(selection, FragmentSpreadNode):
                fragment = self._fragments[selection.name.value]
                inner = fragment.type_condition.name.value
                total += self.selections(inner, fragment.selection_set, size)
        return total

    def _field(self, type_name: str, node: FieldNode, size: int) -> int:
        name = node.name.value
        parent = self._schema.graphql.type_map[type_name]
        field = self._schema.graphql.get_field(parent, name)  # type: ignore[arg-type]
        if field is None:
            raise KeyError(f"{type_name}.{name}")
        kind = get_named_type(field.type)
        if is_leaf_type(kind) or node.selection_set is None:
            return PROPERTY
        if kind.name in self._schema.connections:
            return self.selections(kind.name, node.selection_set, self._size(field, node))
        inner = OBJECT + self.selections(kind.name, node.selection_set)
        if type_name in self._schema.connections and name in ("nodes", "edges"):
            return inner * size
        return inner

    def _size(self, field: GraphQLField, node: FieldNode) -> int:
        given: dict[str, Any] = {}
        for argument in node.arguments or ():
            value = argument.value
            if isinstance(value, IntValueNode):
                given[argument.name.value] = int(value.value)
            elif isinstance(value, VariableNode):
                given[argument.name.value] = self._coerced.get(value.name.value)
        return given.get("first") or given.get("last") or DEFAULT_SIZE

    @property
    def _coerced(self) -> Mapping[str, Any]:
        return self._variables.coerced

    def _included(self, node: SelectionNode) -> bool:
        skip = get_directive_values(GraphQLSkipDirective, node, self._variables)
        if skip and skip["if"]:
            return False
        include = get_directive_values(GraphQLIncludeDirective, node, self._variables)
        return not include or bool(include["if"])
