"""Asking Linear for what one stream needs: its pages, their ids, and queries of its own."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from source_linear.linear.answers import Answer
from source_linear.linear.errors import LinearError
from source_linear.query import Shape, StreamQuery
from source_linear.shared import Shared
from source_linear.streams import Root

TRIES = 4  # before what fails is looked into
_PAGE = ("nodes", "pageInfo")
_LIGHT = "id updatedAt archivedAt"


@dataclass(frozen=True)
class Page:
    """Which page is asked for.

    Attributes:
        cursors: the roots' names, each with the cursor after which it goes on.
        variables: the query's further variables: its `filter`.
        shape: how much is asked for.
        light: whether ids and dates are enough.
    """

    cursors: Mapping[str, str | None]
    variables: Mapping[str, Any]
    shape: Shape
    light: bool = False

    def of(self, root: Root, cursor: str | None = None) -> "Page":
        """The page of one of its roots, after another cursor if one is given."""
        return replace(self, cursors={root.name: cursor or self.cursors[root.name]})

    def sized(self, first: int) -> "Page":
        """The same page with so many nodes."""
        return replace(self, shape=self.shape._replace(first=first))


class StreamApi:
    """Linear's API, as one stream asks it."""

    def __init__(self, query: StreamQuery, variables: Mapping[str, Any], shared: Shared) -> None:
        """Ask with `query`, and with `variables` that are the same for all pages."""
        self.query = query
        self.stream = query.stream
        self.name = query.stream.name
        self.shared = shared
        self._variables = variables

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

        Raises:
            LinearError: it is refused, or Linear does not answer.
        """
        everything = {**self._variables, **variables}
        given = {name: value for name, value in everything.items() if f"${name}" in query}
        return self.shared.api.ask(self.name, query, given, roots, tries, keeps_slot=True)

    def page(self, page: Page, tries: int | None = TRIES) -> Answer:
        """Ask for a page; see `send`."""
        roots = [root for root in self.stream.roots if root.name in page.cursors]
        query = self.query.light(roots, _LIGHT) if page.light else self.query.rows(roots, page.shape)
        if not self.stream.connection:
            return self.send(query, {}, {roots[0].name: ("id",) if roots[0].is_object else ()}, tries)
        return self.send(query, self._given(page, roots), {root.name: _PAGE for root in roots}, tries)

    def ids(self, page: Page) -> Answer | None:
        """Ask for nothing but the ids of a page; None where they do not come either."""
        roots = [root for root in self.stream.roots if root.name in page.cursors]
        try:
            whole = {root.name: _PAGE for root in roots}
            return self.send(self.query.light(roots), self._given(page, roots), whole, TRIES)
        except LinearError:
            return None

    def leave_out(self, row: str | None, place: str, reason: str) -> None:
        """Go on without a row: see `Shared.leave_out`."""
        self.shared.leave_out(self.name, row, place, reason)

    def left_out_of(self, root: Root) -> Collection[str]:
        """The ids of this stream's nodes that were left out."""
        return self.shared.left_out[self.name] if root in self.stream.roots else ()

    @property
    def absent(self) -> Collection[str]:
        """The fields of a node that Linear refuses, or no longer has."""
        refused = self.shared.api.budget.usage[self.name].refused
        return {field.split(".")[0] for field in refused} | self.query.gone

    def _given(self, page: Page, roots: Collection[Root]) -> dict[str, Any]:
        cursors = {self.query.cursor_variable(root): page.cursors[root.name] for root in roots}
        after = {name: cursor for name, cursor in cursors.items() if cursor}
        return {**page.variables, **after, "first": page.shape.first}
