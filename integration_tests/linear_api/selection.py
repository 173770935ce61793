"""What a query asks for: every field with its place in the answer and its arguments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionSetNode,
    get_operation_ast,
    value_from_ast_untyped,
)

Place = list[str | int]


@dataclass(frozen=True)
class Selected:
    """A field that is asked for: `path` are the response keys that lead to it, its own the last."""

    path: tuple[str, ...]
    name: str
    arguments: Mapping[str, Any]


def selected(
    document: DocumentNode | None, operation_name: str | None, variables: Mapping[str, Any]
) -> list[Selected]:
    """Every field of an operation, fragments spread; none where the document cannot be read."""
    operation = document and get_operation_ast(document, operation_name)
    if not document or not operation:
        return []
    fragments = {
        definition.name.value: definition.selection_set
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    given = {
        definition.variable.name.value: value_from_ast_untyped(definition.default_value)
        for definition in operation.variable_definitions or ()
        if definition.default_value is not None
    }
    return list(_walk(operation.selection_set, (), fragments, {**given, **variables}))


def _walk(
    selections: SelectionSetNode,
    path: tuple[str, ...],
    fragments: Mapping[str, SelectionSetNode],
    variables: dict[str, Any],
) -> Iterator[Selected]:
    for node in selections.selections:
        if isinstance(node, FieldNode):
            inner = (*path, (node.alias or node.name).value)
            arguments = {
                argument.name.value: value_from_ast_untyped(argument.value, variables)
                for argument in node.arguments or ()
            }
            yield Selected(inner, node.name.value, arguments)
            if node.selection_set:
                yield from _walk(node.selection_set, inner, fragments, variables)
        elif isinstance(node, InlineFragmentNode):
            yield from _walk(node.selection_set, path, fragments, variables)
        elif isinstance(node, FragmentSpreadNode) and node.name.value in fragments:
            yield from _walk(fragments[node.name.value], path, fragments, variables)


def places(value: Any, path: tuple[str | int, ...]) -> list[tuple[Place, Any]]:
    """The values that a path leads to, each with its place; `*` or a list on the way means every item."""
    if not path:
        return [([], value)]
    step, rest = path[0], path[1:]
    if isinstance(value, list) and not isinstance(step, int):
        rest = rest if step == "*" else path
        steps: list[Any] = list(range(len(value)))
    elif isinstance(value, list):
        steps = [step] if step < len(value) else []
    else:
        steps = [step] if isinstance(value, dict) and step in value else []
    return [([one, *inner], found) for one in steps for inner, found in places(value[one], rest)]
