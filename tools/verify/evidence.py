"""What several claims look at: each is asked for once."""

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from source_linear.config import milliseconds
from source_linear.graphql import MAX_PAGE_SIZE, Root, document
from source_linear.linear.errors import REFUSALS
from source_linear.packaged import packaged
from source_linear.streams import CREATED_AT, CURSOR_FIELD, Record, Stream
from source_linear.sync.lister import items_of
from source_linear.sync.reader import changed_since
from source_linear.sync.records import transformation
from tools.verify.asking import Linear, NotSeen, Reply

BEGINNING = "2000-01-01T00:00:00.000Z"
DATES = "id createdAt updatedAt archivedAt"


def small_pages(linear: Linear, stream: Stream) -> list[Reply]:
    """The replies to a stream's query, one a root, as a later sync sends it: one row, newest change first."""
    changed = changed_since(stream, BEGINNING) if stream.kind in ("windowed", "child") else None
    return [_page(linear, stream, root, 1, CURSOR_FIELD, changed) for root in stream.roots]


def full_pages(linear: Linear, stream: Stream) -> list[Reply]:
    """The same as a first sync sends it, with as many rows as the formula allows."""
    created = (
        {CREATED_AT: {"gte": BEGINNING, "lte": now(linear)}} if stream.kind in ("windowed", "child") else None
    )
    return [_page(linear, stream, root, stream.page_size, CREATED_AT, created) for root in stream.roots]


def _page(
    linear: Linear, stream: Stream, root: Root, first: int, order: str, where: Mapping[str, Any] | None
) -> Reply:
    def make() -> Reply:
        given = {"first": first, "orderBy": order, "order": order, "filter": where}
        query, variables = document(stream.name, {root.name: stream.operation.page(root, root.fields, given)})
        return linear.ask(query, variables, int(variables.get("first", 0)))

    reply: Reply = linear.once(f"page {stream.name} {root.name} {first} {order}", make)
    return reply


def now(linear: Linear) -> str:
    """Linear's clock, by its last answer."""
    if not linear.meter.exchanges:
        linear.ask("query now { viewer { id } }")
    date = linear.meter.exchanges[-1].date
    if date is None:
        raise NotSeen("Linear's answers have no Date header")
    return milliseconds(date)


def is_refusal(reply: Reply) -> bool:
    """Whether these credentials, or this plan, may not see what was asked for: all else is asked wrongly."""
    failure = reply.failure
    return failure is not None and (failure.code in REFUSALS or failure.code == "INPUT_ERROR")


def is_refused(linear: Linear, stream: Stream) -> bool:
    """Whether a stream, or the rows of one of its roots, may not be read with these credentials.

    Raises:
        NotSeen: Linear does not say.
    """
    return any(is_refusal(reply) for reply in small_pages(linear, stream))


def nodes_of(linear: Linear, stream: Stream) -> Iterator[tuple[Root, Reply, list[Record]]]:
    """The nodes of a stream's page, by root, with the reply; nothing where it is refused."""
    try:
        replies = full_pages(linear, stream)
    except NotSeen:
        return
    for root, reply in zip(stream.roots, replies, strict=True):
        if reply.failure:
            continue
        given = reply.data.get(root.name)
        if stream.connection:
            yield root, reply, reply.nodes(root.name)
        elif isinstance(given, list | dict):
            some = given if isinstance(given, list) else [given]
            yield root, reply, [one for one in some if isinstance(one, dict)]


def nodes(linear: Linear, name: str) -> list[Record]:
    """The nodes of the page of a stream with one root."""
    return [node for _, _, some in nodes_of(linear, linear.streams[name]) for node in some]


def records(linear: Linear, stream: Stream) -> list[Record]:
    """Up to 250 rows of a stream as the connector would emit them.

    Raises:
        KeyError, TypeError, AttributeError: Linear's answer is not of the form that its schema says.
    """
    transform, rows = transformation(stream), []
    for root, _, some in nodes_of(linear, stream):
        for node in some:
            rows += _rows_of(stream, root, copy.deepcopy(node)) if root.children else [copy.deepcopy(node)]
    rows = rows[:MAX_PAGE_SIZE]
    for row in rows:
        transform(row)
    return rows


def _rows_of(stream: Stream, root: Any, parent: Record) -> list[Record]:
    rows = []
    for row in items_of(parent, root.children):
        row.update(dict.fromkeys(stream.parent_columns))
        row[f"{root.parent}Id"] = parent["id"]
        if not stream.has_own_dates:
            row[f"{root.parent}UpdatedAt"] = parent[CURSOR_FIELD]
            row[f"{root.parent}ArchivedAt"] = parent.get("archivedAt")
        rows.append(row)
    return rows


def json_schema(stream: Stream) -> Mapping[str, Any]:
    """The JSON schema of a stream's records."""
    schema: Mapping[str, Any] = json.loads((packaged("schemas") / f"{stream.name}.json").read_text("utf-8"))
    return schema


def listed(
    linear: Linear, root: str, order: str = "createdAt", further: str = "includeArchived: true"
) -> list[Record]:
    """The newest 250 rows of a root, ids and dates only.

    Raises:
        NotSeen: it is refused.
    """

    def make() -> list[Record]:
        return fresh(linear, root, order, further)

    rows: list[Record] = linear.once(f"list {root} {order} {further}", make)
    return rows


def fresh(
    linear: Linear, root: str, order: str = "createdAt", further: str = "includeArchived: true"
) -> list[Record]:
    """The same, asked for again."""
    arguments = ", ".join(one for one in ("first: 250", order and f"orderBy: {order}", further) if one)
    return linear.ask(f"query list {{ {root}({arguments}) {{ nodes {{ {DATES} }} }} }}").nodes(root)


def longest(linear: Linear) -> tuple[str, str]:
    """A root with as many rows as may be had, and its entity: issues, unless there are hardly any.

    Raises:
        NotSeen: no list has two rows.
    """

    def make() -> tuple[str, str]:
        sizes = {}
        for name in ("issues", "comments", "issue_labels", "workflow_states", "users"):
            stream = linear.streams[name]
            sizes[stream.roots[0].name, stream.entity] = len(nodes(linear, name))
            if sizes[stream.roots[0].name, stream.entity] >= 20:
                break
        best = max(sizes, key=lambda one: sizes[one])
        if sizes[best] < 2:
            raise NotSeen("no list of the workspace has two rows")
        return best

    best: tuple[str, str] = linear.once("longest", make)
    return best


def unless_changed(linear: Linear, before: Sequence[Record], root: str, order: str) -> None:
    """Do not take for a difference what somebody has changed meanwhile.

    Raises:
        NotSeen: the list is not what it was.
    """
    if fresh(linear, root, order) != list(before):
        raise NotSeen("the list changed while it was looked at; run it again")
