"""From nodes to records: what Linear sends becomes the columns of a stream, in place."""

from collections.abc import Callable, Mapping
from typing import Any

from source_linear.streams import ARCHIVED_FLAG, CREATED_AT, CURSOR_FIELD, DELETED_AT, GONE_AT, Record, Stream
from source_linear.sync.listed import Seen


def is_archived(node: Mapping[str, Any], in_trash: bool = True) -> bool:
    """Whether a node is archived: the only place that says what that means.

    Args:
        node: the node.
        in_trash: whether `trashed` is about the node itself; in a history it is what happened to its parent.
    """
    return node.get("archivedAt") is not None or (in_trash and bool(node.get("trashed")))


def seen(node: Mapping[str, Any], comes: bool = False) -> Seen:
    """What is known of a node that came."""
    updated = node[CURSOR_FIELD]
    created = node.get(CREATED_AT) or updated
    return Seen(node["id"], is_archived(node), updated, created, node.get("archivedAt"), comes)


def is_since(node: Mapping[str, Any], begin: str | None) -> bool:
    """Whether a row was changed, or archived, at a moment or after it."""
    if begin is None or node[CURSOR_FIELD] >= begin:
        return True
    archived = node.get("archivedAt")
    return archived is not None and archived >= begin


def transformation(stream: Stream, archived_rows: str = "flag") -> Callable[[Record], None]:
    """How a node becomes a record, in place: a node is decoded once and touched once.

    Args:
        stream: the stream.
        archived_rows: the configuration's `archived_rows`; `delete` adds `_ab_cdc_deleted_at`.

    Returns:
        A function that turns a node as Linear sends it, with its lists complete and its parent's
        columns filled in, into a record with the stream's columns. A missing relation becomes None.
    """
    queried = stream.queried
    relations = [(f"{name}Id", name) for name in stream.relations if f"{name}Id" in queried]
    lists = [(column, stream.lists[column]) for column in stream.lists if column in queried]
    copies = [(name, of) for name, of in stream.copies.items() if stream.is_selected(name)]
    hidden = [name for name in (*queried, *stream.parent_columns) if not stream.is_selected(name)]
    parent = "" if stream.has_own_dates else stream.roots[0].parent
    archived_at, changed_at = (
        (f"{parent}ArchivedAt", f"{parent}UpdatedAt") if parent else ("archivedAt", CURSOR_FIELD)
    )
    in_trash, deletes = not stream.parents, archived_rows == "delete"

    def transform(node: Record) -> None:
        for column, name in relations:
            target = node.pop(name)
            node[column] = target["id"] if target else None
        for column, nested in lists:
            items = node.pop(nested.name)
            items = items["nodes"] if nested.first and items else items
            node[column] = None if items is None else [item["id"] for item in items if item]
        for name, of in copies:
            node[name] = node[of]
        node[ARCHIVED_FLAG] = node[archived_at] is not None if parent else is_archived(node, in_trash)
        if deletes:
            node[DELETED_AT] = (node[archived_at] or node[changed_at]) if node[ARCHIVED_FLAG] else None
        for column in hidden:
            del node[column]

    return transform


def tombstone(stream: Stream, row_id: str, at: str, archived_rows: str) -> Record:
    """The record that reports a row that is gone.

    Args:
        stream: the stream.
        row_id: the row.
        at: its cursor.
        archived_rows: the configuration's `archived_rows`.
    """
    made: Record = {"id": row_id, stream.cursor_field: at, ARCHIVED_FLAG: True}
    if stream.is_selected(GONE_AT):
        made[GONE_AT] = at
    if archived_rows == "delete":
        made[DELETED_AT] = at
    return made
