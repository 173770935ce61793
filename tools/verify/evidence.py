"""What several claims look at: each is asked for once."""

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from source_linear.query import Shape, StreamQuery
from source_linear.sync.lists import items_of
from source_linear.sync.windows import Window

from source_linear.config import milliseconds
from source_linear.linear.errors import REFUSALS
from source_linear.packaged import packaged
from source_linear.streams import CURSOR_FIELD, MAX_PAGE_SIZE, Record, Stream
from source_linear.sync.records import transformation
from tools.verify.asking import Linear, NotSeen, Reply

BEGINNING = "2000-01-01T00:00:00.000Z"
DATES = "id createdAt updatedAt archivedAt"


def small_page(linear: Linear, stream: Stream) -> Reply:
    """The reply to a stream's query as a later sync sends it: one row, newest change first."""

    def make() -> Reply:
        variables: dict[str, Any] = {"orderBy": CURSOR_FIELD, "order": CURSOR_FIELD}
        if stream.kind in ("windowed", "child"):
            window = Window.since(stream, BEGINNING)
            variables["filter"] = window.filter({CURSOR_FIELD: {"gte": BEGINNING, "lte": now(linear)}})
        return _ask(linear, stream, variables, 1)

    reply: Reply = linear.once(f"small {stream.name}", make)
    return reply


def page(linear: Linear, stream: Stream) -> Reply:
    """The reply to a stream's query as a first sync sends it, with as many rows as the formula allows."""

    def make() -> Reply:
        variables: dict[str, Any] = {"orderBy": "createdAt", "order": "createdAt"}
        if stream.kind in ("windowed", "child"):
            variables["filter"] = {"createdAt": {"gte": BEGINNING, "lte": now(linear)}}
        return _ask(linear, stream, variables, stream.page_size)

    reply: Reply = linear.once(f"page {stream.name}", make)
    return reply


def _ask(linear: Linear, stream: Stream, variables: Mapping[str, Any], first: int) -> Reply:
    document = StreamQuery(stream).rows(stream.roots, Shape(first))
    given = {name: value for name, value in variables.items() if f"${name}" in document}
    return linear.ask(document, given, first if stream.connection else 0)


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


def nodes_of(linear: Linear, stream: Stream) -> Iterator[tuple[Any, list[Record]]]:
    """The nodes of a stream's page, by root; nothing where it is refused."""
    try:
        reply = page(linear, stream)
    except NotSeen:
        return
    if reply.failure:
        return
    for root in stream.roots:
        given = reply.data.get(root.name)
        if stream.connection:
            yield root, reply.nodes(root.name)
        elif isinstance(given, list | dict):
            yield (
                root,
                [one for one in (given if isinstance(given, list) else [given]) if isinstance(one, dict)],
            )


def nodes(linear: Linear, name: str) -> list[Record]:
    """The nodes of the page of a stream with one root."""
    return [node for _, some in nodes_of(linear, linear.streams[name]) for node in some]


def records(linear: Linear, stream: Stream) -> list[Record]:
    """Up to 250 rows of a stream as the connector would emit them.

    Raises:
        KeyError, TypeError, AttributeError: Linear's answer is not of the form that its schema says.
    """
    transform, rows = transformation(stream), []
    for root, some in nodes_of(linear, stream):
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
