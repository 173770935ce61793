"""Reading one page, whatever Linear answers: a row that cannot be read costs that row, a field one column."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from source_linear.linear.answers import Answer
from source_linear.linear.errors import REFUSALS, Action, Failure, Kind, LinearError, subject
from source_linear.query import Shape, all_of
from source_linear.streams import Record, Root
from source_linear.sync.asking import TRIES, Page, StreamApi
from source_linear.sync.nodes import Fetched, fetched, is_sound, sound

_LOGGER = logging.getLogger("airbyte")
_UNWANTED = ("GRAPHQL_VALIDATION_FAILED", *REFUSALS)


class Pages:
    """Reads the pages of one stream."""

    def __init__(self, api: StreamApi, team_filter: Mapping[str, Any] | None = None) -> None:
        """Read the stream whose `api` it is; by ids only the rows that `team_filter` selects."""
        self._team_filter = team_filter
        self._api = api
        self._query = api.query
        self._stream = api.stream
        self._name = api.name
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
        shape = self._query.shape
        return self._fetch(Page(cursors, variables, shape._replace(first=min(first, shape.first)), light))

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

    def _fetch(self, page: Page) -> dict[str, Fetched]:
        omissions = self._query.omissions
        try:
            answer = self._api.page(page)
        except LinearError as error:
            if self._drop(error.failure, omissions):
                return self.fetch(page.cursors, page.variables, page.shape.first, page.light)
            return self._overcome(error, page)
        self._learn(answer, page)
        return {
            root.name: fetched(self._api, root, answer, page)
            for root in self._stream.roots
            if root.name in page.cursors
        }

    def _overcome(self, error: LinearError, page: Page) -> dict[str, Fetched]:
        """Read what can be read of a page that failed."""
        failed = error.failure
        if failed.kind is Kind.CONFIG and failed.code not in REFUSALS:
            raise error
        roots = [root for root in self._stream.roots if root.name in page.cursors]
        if len(roots) > 1:
            return {name: one for root in roots for name, one in self._fetch(page.of(root)).items()}
        (root,) = roots
        if self._refuses(root, failed):
            return {root.name: Fetched()}
        if page.light or not self._stream.connection:
            raise error
        return {root.name: self._lessened(root, page, error)}

    def _lessened(self, root: Root, page: Page, error: LinearError) -> Fetched:
        """Read a page that failed in smaller ones, or without the row that fails."""
        failed, first = error.failure, page.shape.first
        if failed.action is Action.REDUCE:
            smaller = self._query.reduce(page.shape)
            if first == 1 and smaller == page.shape:
                raise error
            return self._in_parts(root, page, smaller.first)
        if not self._is_of_the_content(failed, page):
            if failed.action is Action.RETRY:  # an outage: it may pass
                return fetched(self._api, root, self._api.page(page, None), page)
            raise error
        if first == 1:
            return self._without_its_row(root, page, error)
        at = failed.index
        return self._in_parts(root, page, first // 2 if at is None or at >= first else max(at, 1))

    def _in_parts(self, root: Root, page: Page, part: int) -> Fetched:
        """The nodes of a page, asked for in parts, of which the first has `part`."""
        nodes: list[tuple[Record, Shape]] = []
        one = Fetched(more=True, cursor=page.cursors[root.name])
        size, left = part, page.shape.first
        while left > 0 and one.more:
            before = one.cursor
            one = self.fetch({root.name: before}, page.variables, min(size, left))[root.name]
            nodes += one.nodes
            left -= min(size, left)
            if one.more and one.cursor in (None, before):
                break  # there is no way on: who reads the pages says so
            size = left if part <= left and self._query.shape.first >= left else part
        return replace(one, nodes=nodes)

    def _without_its_row(self, root: Root, page: Page, error: LinearError) -> Fetched:
        """Go on after a row that fails by itself."""
        answer = self._api.ids(page)
        connection = answer.data[root.name] if answer else {"nodes": []}
        ids = [node["id"] for node in connection["nodes"] if node]
        if answer is None or not ids:
            raise error
        self._api.leave_out(ids[0], "", error.failure.reason)
        info = connection["pageInfo"]
        return Fetched([], bool(info.get("hasNextPage")), info.get("endCursor"))

    def _is_of_the_content(self, failed: Failure, page: Page) -> bool:
        """Whether a page fails for what is in it, or for its size: then an id comes all the same."""
        if failed.action is not Action.RETRY:
            return failed.index is not None
        return self._api.ids(page.sized(1)) is not None

    def _drop(self, failed: Failure, omissions: int) -> bool:
        """Leave out of the queries what Linear no longer has, or refuses so that no row comes.

        Args:
            failed: the failure of a query.
            omissions: the query's `omissions` before it was asked: windows are read side by side, and what it
                was refused for another one may have left out since.

        Returns:
            Whether the query is another one now.
        """
        what = self._query.drop(failed)
        if what:
            _LOGGER.warning(
                "%sLinear's API no longer has %s: null is written. A newer version of source-linear is due.",
                subject(self._name),
                ", ".join(what),
            )
            return True
        first = failed.problems[0] if failed.problems else None
        refused = failed.code in REFUSALS and first is not None and first.index is not None
        if not refused or first is None or not first.field or not self._query.refuse(first.field):
            return failed.code in _UNWANTED and self._query.omissions > omissions
        self._api.shared.api.note_refused(self._name, {first.field: first.said})
        return True

    def _refuses(self, root: Root, failed: Failure) -> bool:
        """Whether one root of several may not be read: it costs that root."""
        if len(self._stream.roots) == 1 or failed.code not in REFUSALS:
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

    def _learn(self, answer: Answer, page: Page) -> None:
        names = {root.name for root in self._stream.roots}
        if page.light or names != set(page.cursors) or not self._stream.connection:
            return
        if all(len(answer.data[name]["nodes"]) == page.shape.first for name in names):
            self._query.learn(page.shape, answer.points)

    def _by_filter(self, root: Root, ids: Sequence[str]) -> list[tuple[Record, Shape]]:
        wanted = all_of(self._team_filter, {"id": {"in": list(ids)}})
        variables = {"filter": wanted, "first": len(ids)}
        omissions = self._query.omissions
        try:
            answer = self._api.send(self._query.by_ids(root), variables, {root.name: ("nodes",)}, TRIES)
        except LinearError as error:
            if self._drop(error.failure, omissions):
                return self._by_filter(root, ids)
            if len(ids) > 1:
                middle = len(ids) // 2
                return self._by_filter(root, ids[:middle]) + self._by_filter(root, ids[middle:])
            light = self._query.by_ids(root, "id")
            self._api.send(light, variables, {root.name: ("nodes",)})
            self._api.leave_out(ids[0], "", error.failure.reason)
            return []
        return sound(self._api, root, answer, answer.data[root.name]["nodes"], Shape(1))

    def _by_id(self, root: Root, row: str) -> list[tuple[Record, Shape]]:
        omissions = self._query.omissions
        query, key = self._query.by_id(root)
        try:
            answer = self._api.send(query, {"id": row}, {key: ("id",)}, TRIES)
        except LinearError as error:
            if self._drop(error.failure, omissions):
                return self._by_id(root, row)
            if "not found" not in str(error).lower():
                self._api.leave_out(row, "", error.failure.reason)
            return []
        return [(answer.data[key], Shape(1))] if is_sound(answer.data[key]) else []
