"""From nodes to records: what Linear sends becomes the columns of a stream, in place."""

from collections.abc import Callable, Iterable, Iterator

from airbyte_cdk.models import AirbyteMessage, AirbyteRecordMessage, Type

from source_linear.streams import ARCHIVED_FLAG, DELETED_AT, MAX_PAGE_SIZE, Record, Stream
from source_linear.sync.reading import AGAIN, BEGINS, CURSOR, ROWS


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
    archived_at = "archivedAt" if stream.has_own_dates else f"{stream.roots[0].parent}ArchivedAt"
    in_trash = not stream.parents  # in a history `trashed` is what happened to the parent
    deletes = archived_rows == "delete"

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
        node[ARCHIVED_FLAG] = node[archived_at] is not None or (in_trash and bool(node.get("trashed")))
        if deletes:
            node[DELETED_AT] = node[archived_at]
        for column in hidden:
            del node[column]

    return transform


def parts(page: Record) -> Iterator[Record]:
    """A page as few records of the CDK, each with the newest of its rows' cursor values and the `pageInfo`.

    Queueing and observing cost the CDK more for each record than all that is done with a row here
    (docs/decisions.md, 1): so it is handed pages. `unfolded` takes them apart again. A page of parents may
    have thousands of rows: they become several records, since the queue counts records.

    Args:
        page: what `Reader.page` returns.
    """
    rows, cursor_field = page[ROWS], page[CURSOR]
    for start in range(0, max(len(rows), 1), MAX_PAGE_SIZE):
        some = rows[start : start + MAX_PAGE_SIZE]
        newest = {cursor_field: max((row[cursor_field] for row in some), default=page[BEGINS])}
        again = page[AGAIN] if start + MAX_PAGE_SIZE >= len(rows) else []
        yield {**newest, ROWS: some, AGAIN: again, "pageInfo": page["pageInfo"]}


def unfolded(
    messages: Iterable[AirbyteMessage],
    read_again: Callable[[str, list[str]], None] = lambda stream, ids: None,
) -> Iterator[AirbyteMessage]:
    """The messages of a read, with a RECORD for each row of a page.

    Args:
        messages: what the CDK makes of pages.
        read_again: is told, behind the rows, which rows of a stream need not be asked for again.
    """
    for message in messages:
        page = message.record
        if page is None:
            yield message
            continue
        for row in page.data[ROWS]:
            record = AirbyteRecordMessage(stream=page.stream, data=row, emitted_at=page.emitted_at)
            yield AirbyteMessage(type=Type.RECORD, record=record)
        if page.data[AGAIN]:
            read_again(page.stream, page.data[AGAIN])
