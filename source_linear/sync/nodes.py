"""Judging the nodes that came: which of them are rows, and what becomes of those that are not."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from source_linear.linear.answers import Answer
from source_linear.linear.errors import REFUSALS, LinearError, failure, subject
from source_linear.query import Shape
from source_linear.shared import MOST_LEFT_OUT
from source_linear.streams import CURSOR_FIELD, Record, Root
from source_linear.sync.asking import Page, StreamApi

_LOGGER = logging.getLogger("airbyte")
_NULLS_LOOKED_UP = 10  # of a page: a request each

Ids = list[str | None]


@dataclass(frozen=True)
class Fetched:
    """Some nodes of a root, in order.

    Attributes:
        nodes: the nodes, none of them null, each with the shape in which its page was asked for.
        more: whether the root goes on.
        cursor: where it goes on.
    """

    nodes: list[tuple[Record, Shape]] = field(default_factory=list)
    more: bool = False
    cursor: str | None = None


def fetched(api: StreamApi, root: Root, answer: Answer, page: Page) -> Fetched:
    """The nodes of a root that an answer brought; those that are no rows are left out with a word.

    Args:
        api: asks for the ids of those.
        root: the root.
        answer: what came.
        page: what was asked for.

    Raises:
        LinearError: the answer contradicts itself, or too many rows must be left out.
    """
    found = answer.data[root.name]
    if not api.stream.connection:
        nodes = [found] if root.is_object else found
        if not isinstance(nodes, list):
            raise LinearError(failure(api.name, "INCOMPLETE", f"{root.name} is not a list"))
        return Fetched(sound(api, root, answer, nodes, page.shape))
    nodes, info = found["nodes"], found["pageInfo"]
    _refuse_contradictions(api, root, nodes, info)
    ids = [] if all(is_sound(node) for node in nodes) else _ids_of(api, root, nodes, page)
    rows = sound(api, root, answer, nodes, page.shape, ids)
    return Fetched(rows, info["hasNextPage"], info.get("endCursor"))


def sound(
    api: StreamApi,
    root: Root,
    answer: Answer,
    nodes: Sequence[Record | None],
    shape: Shape,
    ids: Sequence[str | None] = (),
) -> list[tuple[Record, Shape]]:
    """The nodes that are rows, each with its shape. Says of each other one what it is.

    Remembers the rows of which a part did not come, too.

    Args:
        api: whose stream it is.
        root: where the nodes come from.
        answer: what came.
        nodes: its nodes.
        shape: how much was asked for.
        ids: the nodes' ids, where they were asked for.
    """
    problems = {problem.index: problem for problem in answer.problems if problem.index is not None}
    left_out = api.shared.left_out[api.name]
    rows: list[tuple[Record, Shape]] = []
    refused = 0
    for index, node in enumerate(nodes):
        problem = problems.get(index)
        if is_sound(node):
            rows.append((node, shape))
            if problem and problem.may_pass and len(left_out) < MOST_LEFT_OUT:
                left_out[node["id"]] = True
        elif node is None and problem and problem.code in REFUSALS:
            refused += 1
        else:
            known = (ids[index] if index < len(ids) else None) or _id_of(node)
            said = problem.said if problem else "Linear sent null and gave no reason"
            api.leave_out(known, f"{index + 1} of a page of {root.name}", f"{said}.")
    if refused:
        said = "%sLinear sent null for %d of %d rows, which these credentials may not see."
        _LOGGER.warning(said, subject(api.name), refused, len(nodes))
    return rows


def is_sound(node: Any, dated: bool = True) -> TypeGuard[Record]:
    """Whether a node has what every row must have: an id and, if it is `dated`, its dates."""
    if not isinstance(node, dict) or not isinstance(node.get("id"), str) or not node["id"]:
        return False
    return not dated or (
        isinstance(node.get(CURSOR_FIELD), str) and isinstance(node.get("archivedAt"), str | None)
    )


def _id_of(node: Any) -> str | None:
    row = node.get("id") if isinstance(node, dict) else None
    return row if isinstance(row, str) and row else None


def _refuse_contradictions(
    api: StreamApi, root: Root, nodes: Sequence[Record | None], info: Mapping[str, Any]
) -> None:
    """Take no page for the end of a list that may not be: what is missing would go unsaid."""
    cursor = info.get("endCursor")
    said = ""
    if not isinstance(info.get("hasNextPage"), bool) or not isinstance(cursor, str | None):
        said = f"the pageInfo of {root.name} is none"
    elif not nodes and (info["hasNextPage"] or cursor):
        said = f"{root.name} has no nodes, but a cursor or a next page"
    if said:
        raise LinearError(failure(api.name, "INCOMPLETE", said))


def _ids_of(api: StreamApi, root: Root, nodes: Sequence[Record | None], page: Page) -> Ids:
    """The ids of the nodes of a page; of one that stays null, from the cursor behind it."""
    answer = api.ids(page.of(root))
    light = answer.data[root.name]["nodes"] if answer else []
    before = page.cursors[root.name]
    asked = 0
    ids: Ids = []
    for index, node in enumerate(nodes):
        known = _id_of(node) or (_id_of(light[index]) if index < len(light) else None)
        if not known and asked < _NULLS_LOOKED_UP:
            asked += 1
            alone = api.ids(page.of(root, before).sized(1))
            info = alone.data[root.name]["pageInfo"] if alone else {}
            known = info.get("endCursor")  # docs/linear-api.md, PAGING-4: the last node's id
        ids.append(known)
        before = known or before
    return ids
