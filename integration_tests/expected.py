"""The records that a complete sync must bring, made from the simulator's rows without any GraphQL."""

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import FieldNode, InlineFragmentNode, SelectionSetNode, parse

from integration_tests.linear_api import Workspace
from integration_tests.linear_api.schema import list_key
from source_linear.streams import Stream

Record = dict[str, Any]


def records(workspace: Workspace, stream: Stream) -> dict[str, Record]:
    """All of a stream's records by id, without the nulls at their top: the CDK leaves those out."""
    found = {}
    for row, parent_columns in _rows(workspace, stream):
        record = _record(workspace, stream, row) | parent_columns
        record["isArchived"] = (record.get("archivedAt") or record.get("issueArchivedAt")) is not None or (
            not stream.parents and bool(record.get("trashed"))
        )
        found[record["id"]] = {name: value for name, value in record.items() if value is not None}
    return found


def _rows(workspace: Workspace, stream: Stream) -> Iterator[tuple[Mapping[str, Any], Record]]:
    if not stream.parents:
        archived = stream.name != "templates"  # its root has no `includeArchived`
        for row_id in workspace.ids(stream.entity, archived=archived):
            yield workspace.expected(stream.entity, row_id), {}
        return
    for text in stream.parents:
        parent_type, _, connection = text.partition(".")
        name = connection.partition("(")[0]
        column = f"{parent_type[0].lower()}{parent_type[1:]}"
        for parent_id in workspace.ids(parent_type):
            parent = workspace.expected(parent_type, parent_id)
            for row_id in parent[list_key(name)]:
                columns = {f"{column}Id": parent_id}
                if stream.name == "issue_state_spans":
                    columns["issueUpdatedAt"] = parent["updatedAt"]
                    columns["issueArchivedAt"] = parent["archivedAt"]
                yield workspace.expected(stream.entity, row_id), columns


def _record(workspace: Workspace, stream: Stream, row: Mapping[str, Any]) -> Record:
    record = {name: row[name] for name in stream.fields}
    record |= {f"{name}Id": row[f"{name}Id"] for name in stream.relations}
    fields = workspace.schema.fields(stream.entity)
    for column, nested in stream.lists.items():
        record[column] = row[list_key(nested.name)]
        if not nested.first:  # a plain list takes no `includeArchived`, and may be null
            target = fields[nested.name].target
            live = [one for one in record[column] if workspace.expected(target, one)["archivedAt"] is None]
            record[column] = live if live or fields[nested.name].required else None
    for name, selection in stream.objects.items():
        (query,) = parse(f"{{ {name} {{ {selection} }} }}").definitions
        record |= _shaped(workspace, stream.entity, row, query.selection_set)
    record |= {name: record[of] for name, of in stream.copies.items()}
    return record


def _shaped(workspace: Workspace, type_name: str, row: Mapping[str, Any], wanted: SelectionSetNode) -> Record:
    """A row cut to what is selected of it, its entities looked up."""
    fields = workspace.schema.fields(type_name)
    shaped: Record = {}
    for node in wanted.selections:
        assert isinstance(node, FieldNode)
        name = node.name.value
        below = node.selection_set
        if below is None:
            shaped[name] = row[name]
        elif name in row:
            target = workspace.schema.graphql.type_map[type_name].fields[name].type
            shaped[name] = _embedded(workspace, _named(target), row[name], below)
        elif name in fields and fields[name].key in row:
            shaped[name] = _entities(workspace, fields[name].target, row[fields[name].key], below)
        else:
            shaped[name] = None
    return shaped


def _embedded(workspace: Workspace, type_name: str, value: Any, wanted: SelectionSetNode) -> Any:
    if value is None:
        return None
    if isinstance(value, list):
        return [_embedded(workspace, type_name, item, wanted) for item in value]
    if any(isinstance(node, InlineFragmentNode) for node in wanted.selections):
        return value  # of each member of a union we query every field
    return _shaped(workspace, type_name, value, wanted)


def _entities(workspace: Workspace, type_name: str, ids: Any, wanted: SelectionSetNode) -> Any:
    if isinstance(ids, list):  # a plain list takes no `includeArchived`
        live = [one for one in ids if workspace.expected(type_name, one)["archivedAt"] is None]
        return [_entities(workspace, type_name, one, wanted) for one in live]
    return None if ids is None else _shaped(workspace, type_name, workspace.expected(type_name, ids), wanted)


def _named(kind: Any) -> str:
    while hasattr(kind, "of_type"):
        kind = kind.of_type
    return str(kind.name)
