"""Reading one page, whatever Linear answers: a row that cannot be read costs that row, a field one column."""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeGuard

from source_linear.linear.answers import Answer
from source_linear.linear.errors import Action, Failure, Kind, LinearError, failure, subject
from source_linear.query import Shape, StreamQuery
from source_linear.shared import MOST_LEFT_OUT, Shared
from source_linear.streams import CURSOR_FIELD, Record, Root

_LOGGER = logging.getLogger("airbyte")
_TRIES = 4  # before a page that fails is looked into
_REFUSALS = ("FORBIDDEN", "FEATURE_NOT_ACCESSIBLE")
_PAGE = ("nodes", "pageInfo")
_NULLS_LOOKED_UP = 10  # of a page: a request each
_LIGHT = "id updatedAt archivedAt"


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


class Pages:
    """Reads the pages of one stream."""

    def __init__(self, query: StreamQuery, variables: Mapping[str, Any], shared: Shared) -> None:
        """Read with `query`, and with `variables` that are the same for all pages."""
        self._variables = variables
        self.query = query
        self._stream = query.stream
        self._name = query.stream.name
        self._api, self._shared = shared.api, shared
        self._refused_roots: set[str] = set()

    def fetch(
        self, cursors: Mapping[str, str | None], variables: Mapping[str, Any], first: int, light: bool = False
    ) -> dict[str, Fetched]:
        """The next nodes of some roots.

        Args:
            cursors: the roots' names, each with the cursor after which it goes on.
            variables: the query's further variables: its `filter`.
            first: how many nodes to ask for at the most.
            light: whether ids and dates are enough.

        Raises:
            LinearError: the stream cannot be read.
        """
        roots = [root for root in self._stream.roots if root.name in cursors]
        shape = self.query.shape._replace(first=min(first, self.query.shape.first))
        try:
            answer = self._ask(roots, cursors, variables, shape, _TRIES, light)
        except LinearError as error:
            return self._overcome(error, cursors, variables, shape, light)
        self._learn(answer, shape, roots, light)
        return {root.name: self._fetched(root, answer, cursors, variables, shape) for root in roots}

    def by_ids(self, ids: Sequence[str]) -> list[tuple[Record, Shape]]:
        """The nodes of the stream's first root with these ids, as far as they are still there."""
        root, found = self._stream.roots[0], []
        if not self._stream.filterable:
            for one in ids:
                found += self._by_id(root, one)
            return found
        size = self._stream.page_size
        for start in range(0, len(ids), size):
            found += self._by_filter(root, ids[start : start + size])
        return found

    def leave_out(self, row: str | None, place: str, reason: str) -> None:
        """Go on without a row: see `Shared.leave_out`."""
        self._shared.leave_out(self._name, row, place, reason)

    @property
    def absent(self) -> Collection[str]:
        """The fields of a node that Linear refuses, or no longer has."""
        refused = self._api.budget.usage[self._name].refused
        return {field.split(".")[0] for field in refused} | self.query.gone

    def left_out_of(self, root: Root) -> Collection[str]:
        """The ids of this stream's nodes that were left out."""
        return self._shared.left_out[self._name] if root in self._stream.roots else ()

    def send(
        self,
        query: str,
        variables: Mapping[str, Any],
        roots: Mapping[str, Collection[str]],
        tries: int | None = None,
    ) -> Answer:
        """Ask with a query of this stream; the thread keeps its slot for what it does with the answer.

        Args:
            query: the GraphQL document.
            variables: its variables, besides those that are the same for all pages.
            roots: the keys of `data`, each with the keys that must not be null in it.
            tries: after how many tries a failure that may pass is given up; None: after the API's patience.
        """
        everything = {**self._variables, **variables}
        given = {name: value for name, value in everything.items() if f"${name}" in query}
        return self._api.ask(self._name, query, given, roots, tries, keeps_slot=True)

    def _ask(
        self,
        roots: Sequence[Root],
        cursors: Mapping[str, str | None],
        variables: Mapping[str, Any],
        shape: Shape,
        tries: int | None,
        light: bool,
    ) -> Answer:
        query = self.query.rows(roots, shape) if not light else self.query.light(roots, _LIGHT)
        if not self._stream.connection:
            return self.send(query, {}, {roots[0].name: ("id",) if roots[0].is_object else ()}, tries)
        given = {self.query.cursor_variable(root): cursors[root.name] for root in roots}
        given = {name: value for name, value in given.items() if value}
        whole = {root.name: _PAGE for root in roots}
        asked = {**variables, **given, "first": shape.first}
        return self.send(query, asked, whole, tries)

    def _overcome(
        self,
        error: LinearError,
        cursors: Mapping[str, str | None],
        variables: Mapping[str, Any],
        shape: Shape,
        light: bool,
    ) -> dict[str, Fetched]:
        """Read what can be read of a page that failed."""
        failed = error.failure
        if failed.kind is Kind.CONFIG and failed.code not in _REFUSALS:
            raise error
        if self._drop(failed):
            return self.fetch(cursors, variables, shape.first, light)
        if len(cursors) > 1:
            parts = [
                self.fetch({name: cursor}, variables, shape.first, light) for name, cursor in cursors.items()
            ]
            return {name: fetched for part in parts for name, fetched in part.items()}
        ((name, cursor),) = cursors.items()
        (root,) = (root for root in self._stream.roots if root.name == name)
        if self._refuses(root, failed):
            return {name: Fetched()}
        if light or not self._stream.connection:
            raise error
        if failed.action is Action.REDUCE:
            smaller = self.query.reduce(shape)
            if shape.first == 1 and smaller == shape:
                raise error
            return {name: self._in_parts(root, cursor, variables, shape.first, smaller.first)}
        if not self._is_of_the_content(failed, root, cursor, variables, shape):
            if failed.action is Action.RETRY:  # an outage: it may pass
                answer = self._ask([root], cursors, variables, shape, None, light)
                return {name: self._fetched(root, answer, cursors, variables, shape)}
            raise error
        if shape.first == 1:
            return {name: self._without_its_row(root, cursor, variables, error)}
        at = failed.index
        part = shape.first // 2 if at is None or at >= shape.first else max(at, 1)
        return {name: self._in_parts(root, cursor, variables, shape.first, part)}

    def _in_parts(
        self, root: Root, cursor: str | None, variables: Mapping[str, Any], first: int, part: int
    ) -> Fetched:
        """`first` nodes of a root, asked for in parts, of which the first has `part`."""
        nodes: list[tuple[Record, Shape]] = []
        fetched = Fetched(more=True, cursor=cursor)
        size = part
        left = first
        while left > 0 and fetched.more:
            before = fetched.cursor
            fetched = self.fetch({root.name: before}, variables, min(size, left))[root.name]
            nodes += fetched.nodes
            left -= min(size, left)
            if fetched.more and fetched.cursor in (None, before):
                break  # there is no way on: who reads the pages says so
            size = left if part <= left and self.query.shape.first >= left else part
        return replace(fetched, nodes=nodes)

    def _without_its_row(
        self, root: Root, cursor: str | None, variables: Mapping[str, Any], error: LinearError
    ) -> Fetched:
        """Go on after a row that fails by itself."""
        answer = self._light(root, cursor, variables, 1)
        connection = answer.data[root.name] if answer else {"nodes": []}
        ids = [node["id"] for node in connection["nodes"] if node]
        if answer is None or not ids:
            raise error
        self.leave_out(ids[0], "", error.failure.reason)
        page = connection["pageInfo"]
        return Fetched([], bool(page.get("hasNextPage")), page.get("endCursor"))

    def _light(
        self, root: Root, cursor: str | None, variables: Mapping[str, Any], first: int
    ) -> Answer | None:
        """The ids of the same page; None where they do not come either."""
        given = {self.query.cursor_variable(root): cursor} if cursor else {}
        asked = {**variables, **given, "first": first}
        try:
            query = self.query.light([root])
            return self.send(query, asked, {root.name: _PAGE}, _TRIES)
        except LinearError:
            return None

    def _is_of_the_content(
        self, failed: Failure, root: Root, cursor: str | None, variables: Mapping[str, Any], shape: Shape
    ) -> bool:
        """Whether a page fails for what is in it, or for its size: then an id comes all the same."""
        if failed.action is not Action.RETRY:
            return failed.index is not None
        return self._light(root, cursor, variables, 1) is not None

    def _drop(self, failed: Failure) -> bool:
        """Leave out of the queries what Linear no longer has, or refuses so that no row comes."""
        what = self.query.drop(failed)
        if what:
            _LOGGER.warning(
                "%sLinear's API no longer has %s: null is written. A newer version of source-linear is due.",
                subject(self._name),
                ", ".join(what),
            )
            return True
        first = failed.problems[0] if failed.problems else None
        if failed.code not in _REFUSALS or first is None or first.index is None or not first.field:
            return False
        if not (what := self.query.refuse(first.field)):
            return False
        self._api.budget.refused(self._name, {first.field: first.said})
        _LOGGER.warning(
            "%sLinear left out %s (%s); null is written, the rows are kept.",
            subject(self._name),
            first.field,
            first.said,
        )
        return True

    def _refuses(self, root: Root, failed: Failure) -> bool:
        """Whether one root of several may not be read: it costs that root."""
        if len(self._stream.roots) == 1 or failed.code not in _REFUSALS:
            return False
        if root.name not in self._refused_roots:
            self._refused_roots.add(root.name)
            if len(self._refused_roots) == len(self._stream.roots):
                return False
            _LOGGER.warning(
                "%sLinear refuses %s, whose rows are left out: %s",
                subject(self._name),
                root.name,
                failed.message.removeprefix(subject(self._name)),
            )
        return len(self._refused_roots) < len(self._stream.roots)

    def _fetched(
        self,
        root: Root,
        answer: Answer,
        cursors: Mapping[str, str | None],
        variables: Mapping[str, Any],
        shape: Shape,
    ) -> Fetched:
        found = answer.data[root.name]
        if not self._stream.connection:
            nodes = [found] if root.is_object else found
            if not isinstance(nodes, list):
                raise LinearError(failure(self._name, "INCOMPLETE", f"{root.name} is not a list"))
            self._note_nulls(root, answer, nodes, None)
            return Fetched([(node, shape) for node in nodes if is_sound(node)])
        nodes, page = found["nodes"], found["pageInfo"]
        self._refuse_contradictions(root, nodes, page)
        ids = None
        if not all(is_sound(node) for node in nodes):
            light = self._light(root, cursors[root.name], variables, shape.first)
            found_ids = (
                [
                    node.get("id") if isinstance(node, dict) else None
                    for node in light.data[root.name]["nodes"]
                ]
                if light
                else []
            )
            ids = self._ids_of_nulls(root, nodes, found_ids, cursors[root.name], variables)
        self._note_nulls(root, answer, nodes, ids)
        kept = [(node, shape) for node in nodes if is_sound(node)]
        return Fetched(kept, page["hasNextPage"], page.get("endCursor"))

    def _refuse_contradictions(
        self, root: Root, nodes: Sequence[Record | None], page: Mapping[str, Any]
    ) -> None:
        """Take no page for the end of a list that may not be: what is missing would go unsaid."""
        cursor = page.get("endCursor")
        said = ""
        if not isinstance(page.get("hasNextPage"), bool) or not isinstance(cursor, str | None):
            said = f"the pageInfo of {root.name} is none"
        elif not nodes and (page["hasNextPage"] or cursor):
            said = f"{root.name} has no nodes, but a cursor or a next page"
        if said:
            raise LinearError(failure(self._name, "INCOMPLETE", said))

    def _ids_of_nulls(
        self,
        root: Root,
        nodes: Sequence[Record | None],
        ids: list[str | None],
        cursor: str | None,
        variables: Mapping[str, Any],
    ) -> list[str | None]:
        """The ids of the nodes of a page; of one that stays null, from the cursor behind it."""
        before = cursor
        asked = 0
        found: list[str | None] = []
        for index, node in enumerate(nodes):
            known = node.get("id") if isinstance(node, dict) else ids[index] if index < len(ids) else None
            if not known and asked < _NULLS_LOOKED_UP:
                asked += 1
                alone = self._light(root, before, variables, 1)
                page = alone.data[root.name]["pageInfo"] if alone else {}
                known = page.get("endCursor")  # docs/linear-api.md, PAGING-4: the last node's id
            found.append(known)
            before = known or before
        return found

    def _note_nulls(
        self, root: Root, answer: Answer, nodes: Sequence[Record | None], ids: Sequence[str | None] | None
    ) -> None:
        """Say of each null among the nodes what it is, and remember rows of which a part did not come."""
        of = {problem.index: problem for problem in answer.problems if problem.index is not None}
        refused = 0
        for index, node in enumerate(nodes):
            if is_sound(node):
                if (
                    index in of
                    and of[index].may_pass
                    and len(self._shared.left_out[self._name]) < MOST_LEFT_OUT
                ):
                    self._shared.left_out[self._name][node["id"]] = True
            elif node is None and index in of and of[index].code in _REFUSALS:
                refused += 1
            else:
                known = ids[index] if ids and index < len(ids) else None
                known = known or (node.get("id") if isinstance(node, dict) else None)
                said = of[index].said if index in of else "Linear sent null and gave no reason"
                self.leave_out(known, f"{index + 1} of a page of {root.name}", f"{said}.")
        if refused:
            _LOGGER.warning(
                "%sLinear sent null for %d of %d rows, which these credentials may not see.",
                subject(self._name),
                refused,
                len(nodes),
            )

    def _learn(self, answer: Answer, shape: Shape, roots: Sequence[Root], light: bool) -> None:
        if light or len(roots) < len(self._stream.roots) or not self._stream.connection:
            return
        if all(len(answer.data[root.name]["nodes"]) == shape.first for root in roots):
            self.query.learn(shape, points_of(answer))

    def _by_filter(self, root: Root, ids: Sequence[str]) -> list[tuple[Record, Shape]]:
        variables = {"ids": list(ids), "first": len(ids)}
        try:
            answer = self.send(self.query.by_ids(root), variables, {root.name: ("nodes",)}, _TRIES)
        except LinearError as error:
            if self._drop(error.failure):
                return self._by_filter(root, ids)
            if len(ids) > 1:
                middle = len(ids) // 2
                return self._by_filter(root, ids[:middle]) + self._by_filter(root, ids[middle:])
            light = self.query.by_ids(root, "id")
            self.send(light, variables, {root.name: ("nodes",)})
            self.leave_out(ids[0], "", error.failure.reason)
            return []
        nodes = answer.data[root.name]["nodes"]
        self._note_nulls(root, answer, nodes, None)
        return [(node, Shape(1)) for node in nodes if is_sound(node)]

    def _by_id(self, root: Root, row: str) -> list[tuple[Record, Shape]]:
        query, key = self.query.by_id(root)
        try:
            answer = self.send(query, {"id": row}, {key: ("id",)}, _TRIES)
        except LinearError as error:
            if self._drop(error.failure):
                return self._by_id(root, row)
            if "not found" not in str(error).lower():
                self.leave_out(row, "", error.failure.reason)
            return []
        return [(answer.data[key], Shape(1))] if is_sound(answer.data[key]) else []


def is_sound(node: Any, dated: bool = True) -> TypeGuard[Record]:
    """Whether a node has what every row must have: an id and, if it is `dated`, its dates."""
    if not isinstance(node, dict) or not isinstance(node.get("id"), str) or not node["id"]:
        return False
    return not dated or (
        isinstance(node.get(CURSOR_FIELD), str) and isinstance(node.get("archivedAt"), str | None)
    )


def points_of(answer: Answer) -> float:
    """What Linear billed for an answer."""
    try:
        return float((answer.headers or {}).get("X-Complexity", 0))
    except ValueError:
        return 0.0
