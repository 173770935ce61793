"""A stream's declaration in the manifest: its entity, its kind, its fields, and the columns that follow.

A column that is not selected is neither queried nor paid for.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from source_linear.declared import query_of
from source_linear.linear.selection import Field, Selection, parse, price, text

MAX_PAGE_SIZE = 250  # docs/linear-api.md, PAGING-2: `first` is 1 to 250, more is refused
MAX_COST = 10_000  # docs/linear-api.md, LIMITS-3: points that one query may cost
PAGE_INFO = "pageInfo { hasNextPage endCursor }"
PAGE_INFO_POINTS = price(parse(PAGE_INFO))
CURSOR_FIELD = "updatedAt"
ARCHIVED_FLAG = "isArchived"
# A list that goes on is short most of the time, and points are paid for what is asked for: so many times
# as much is asked for next, and at least 10.
_MORE, _AT_LEAST = 2, 10
_PAGES_A_WINDOW, _PAGE = 8, MAX_PAGE_SIZE // 2  # rows: smaller pages grow where Linear bills less
_DATES = ("createdAt", CURSOR_FIELD, "archivedAt")  # of every entity but issue state spans
DELETED_AT = "_ab_cdc_deleted_at"
GONE_AT = "deletedAt"  # when a sync found that a row is gone from Linear

Record = dict[str, Any]


@dataclass(frozen=True)
class NestedList:
    """A list inside a node: `members(first: 5)`.

    Attributes:
        name: name of the list in Linear's schema.
        first: how many items of a connection come with the node itself; a connection of that length
            is read on to its end. 0 for a plain list, which comes whole.
        arguments: the connection's other arguments, as GraphQL text.
        items: what is queried of an item, as GraphQL text.
    """

    name: str
    first: int = 0
    arguments: str = ""
    items: str = "id"

    @classmethod
    def parse(cls, text: str) -> "NestedList":
        """Read the manifest's form: `members(first: 5, includeDisabled: true)`, or `ancestors`.

        Raises:
            ValueError: it is of another form.
        """
        match = re.fullmatch(r"(\w+)(?:\(first: (\d+)(?:, (.+))?\))?", text)
        if not match:
            raise ValueError(f"{text!r} is not of the form connection(first: N, …)")
        return cls(match.group(1), int(match.group(2) or 0), match.group(3) or "")

    def items_for(self, points: float) -> int:
        """How many of its items a query may ask for that may cost so many points."""
        return min(MAX_PAGE_SIZE, int((points - 3) / price(parse(self.page(1)))))

    def after(self, items: int) -> int:
        """How many items to ask for next where so many were not all."""
        return min(max(items * _MORE, _AT_LEAST), self.items_for(MAX_COST))

    @property
    def is_ordered(self) -> bool:
        """Whether it is newest first by the date that the sync goes by: `orderBy: $order`."""
        return "$order" in self.arguments

    def page(self, first: int, after: str | None = None, whole: bool = True) -> str:
        """GraphQL text of one page of the connection, with its `pageInfo` where it is to be `whole`."""
        given = [f"first: {first}", f'after: "{after}"' if after else "", self.arguments]
        arguments = ", ".join(one for one in given if one)
        return f"{self.name}({arguments}) {{ nodes {{ {self.items} }} {PAGE_INFO if whole else ''} }}"


@dataclass(frozen=True)
class Root:
    """A field of `Query` that a stream reads, and what it reads of each node.

    Attributes:
        name: the field's name, for example `issueLabels`.
        entity: the GraphQL type of its nodes.
        fields: what is queried of a node.
        arguments: further arguments of the root, as GraphQL text.
        children: the connection whose items are the stream's rows, where the nodes themselves are not.
    """

    name: str
    entity: str
    fields: Selection
    arguments: str = ""
    children: NestedList | None = None

    @property
    def parent(self) -> str:
        """What the columns that a row takes from its parent begin with, for example `issue`."""
        return self.entity[0].lower() + self.entity[1:]

    def call(self, first: int | str, *further: str) -> str:
        """GraphQL text that asks for so many of its nodes, archived ones too; `further` are arguments."""
        given = [f"first: {first}", "includeArchived: true", self.arguments, *further]
        return f"{self.name}({', '.join(one for one in given if one)})"

    @property
    def is_object(self) -> bool:
        """Whether it gives one node, not a list: then it is named after its entity, as `organization` is."""
        return self.name == self.parent


@dataclass(frozen=True)
class Stream:
    """What the manifest says of a stream, and what follows from it.

    Attributes:
        name: the stream's name, for example `issue_labels`.
        entity: the GraphQL type of its rows, for example `IssueLabel`.
        kind: windowed, swept, feed or child; the manifest's head says which is which.
        connection: whether the root is a connection (and takes `first`, `after`, `includeArchived`).
        filterable: whether it takes `filter`: no plain list does.
        append_only: whether its rows are never reported as deleted: a log.
        windows: into how many windows a first read of a large workspace is cut.
        arguments: further arguments of the root, as GraphQL text.
        team_filter: the root's filter that selects the rows of the teams whose keys are `TEAM_KEYS`.
        parents: for rows that have no root of their own: parents' lists, `Issue.history(first: 5)`.
        cursor_field: the column that a stream's state is about.
        fields: scalar fields, emitted under their own names; those of `Node` come first.
        relations: to-one relations, emitted as `<name>Id`.
        lists: columns of ids, each with the list that they come from.
        objects: embedded objects, emitted as they come: name to GraphQL selection.
        copies: further names of a column, kept for those who come from Airbyte's own source-linear.
        types: JSON types of columns where Linear's schema says less than Linear sends.
        columns: the columns to emit; None means all.
        query: the query that the manifest declares for it.
    """

    name: str
    entity: str
    kind: str
    connection: bool = True
    filterable: bool = True
    append_only: bool = False
    windows: int = 3
    team_filter: Mapping[str, Any] | None = None
    arguments: str = ""
    parents: tuple[str, ...] = ()
    cursor_field: str = CURSOR_FIELD
    fields: tuple[str, ...] = ()
    relations: tuple[str, ...] = ()
    lists: Mapping[str, NestedList] = field(default_factory=dict)
    objects: Mapping[str, str] = field(default_factory=dict)
    copies: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    columns: frozenset[str] | None = None
    query: str = ""

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, Any]) -> "Stream":
        """Build a stream from the `$parameters` of its entry in the manifest."""
        declared = {key: value for key, value in parameters.items() if key in cls.__dataclass_fields__}
        lists = parameters.get("lists", {})
        own_dates = () if "cursor_field" in parameters else _DATES
        parsed = {
            "filterable": parameters.get("connection", True) and parameters.get("filterable", True),
            "parents": tuple(parameters.get("parents", ())),
            "fields": ("id", *own_dates, *parameters["fields"].split()),
            "relations": tuple(parameters.get("relations", "").split()),
            "lists": {column: NestedList.parse(text) for column, text in lists.items()},
            "columns": frozenset(parameters["columns"]) if "columns" in parameters else None,
            "query": query_of(parameters),
        }
        return cls(**declared | parsed)

    @cached_property
    def queried(self) -> Sequence[str]:
        """The columns that the query brings, in the manifest's order."""
        relations = (f"{name}Id" for name in self.relations)
        everything = (*self.fields, *relations, *self.lists, *self.objects)
        return [column for column in everything if self.is_queried(column)]

    @cached_property
    def roots(self) -> tuple[Root, ...]:
        """The fields of `Query` that are read: the stream's own, or its parents'."""
        roots = []
        for root in parse(self.query)[-1].selection:
            nodes = next(
                (child.selection for child in root.selection if child.name == "nodes"), root.selection
            )
            if not self.parents:
                return (Root(root.name, self.entity, nodes, self.arguments),)
            entity = root.name[0].upper() + root.name[1:-1]
            roots.append(Root(root.name, entity, nodes, children=_list_of(nodes[-1])))
        return tuple(roots)

    @cached_property
    def parent_columns(self) -> Mapping[str, str]:
        """Columns that a row takes from its parent: column to the parent's field."""
        columns = {f"{root.parent}Id": "id" for root in self.roots if root.children}
        if self.cursor_field not in (*columns, CURSOR_FIELD):  # rows without dates of their own
            parent = self.roots[0].parent
            columns |= {f"{parent}UpdatedAt": CURSOR_FIELD, f"{parent}ArchivedAt": "archivedAt"}
        return columns

    @property
    def has_own_dates(self) -> bool:
        """Whether the rows themselves say when they changed; otherwise their parents do."""
        return self.cursor_field == CURSOR_FIELD

    @property
    def is_of_issues(self) -> bool:
        """Whether its root is `issues`: no other filter knows `archivedAt` (docs/linear-api.md, FILTER-4)."""
        return self.roots[0].entity == "Issue"

    @property
    def reports_deleted(self) -> bool:
        """Whether it can report rows that are gone: where its list can be known whole, and is no log."""
        return self.is_comparable(True) and not self.append_only and not self.goes_by_parents

    @property
    def goes_by_parents(self) -> bool:
        """Whether a sync knows all parents, not all rows: of a history it asks for the newest."""
        children = self.roots[0].children
        return children is not None and (self.kind == "child" or children.is_ordered)

    def is_comparable(self, reconciles: bool) -> bool:
        """Whether a sync knows all its rows, or all parents; `reconciles` is `reconcile_archived`."""
        return (reconciles or self.kind == "swept") and not self.roots[0].is_object

    @property
    def column_names(self) -> list[str]:
        """Every column that a record of this stream has, but that of `archived_rows: delete`."""
        gone = [GONE_AT] if self.reports_deleted else []
        names = [*self.queried, *self.parent_columns, *self.copies, ARCHIVED_FLAG, *gone]
        return [name for name in names if self.is_selected(name)]

    @property
    def points_a_row(self) -> float:
        """What a row of a page costs at the most, with its share of the `pageInfo`."""
        return sum(1 + price(root.fields) + PAGE_INFO_POINTS for root in self.roots)

    @property
    def page_size(self) -> int:
        """The largest `first` with which the query stays within Linear's cost limit, by the formula."""
        return min(MAX_PAGE_SIZE, math.floor(MAX_COST / self.points_a_row))

    def windows_of(self, issues: int) -> int:
        """Into how many windows a first read is cut: each costs a page that is not full, or even empty.

        Of how many rows a stream has nothing is known before but the number of issues: most grow as it does.
        """
        return max(1, min(self.windows, math.ceil(issues / (_PAGES_A_WINDOW * max(self.page_size, _PAGE)))))

    def filter_of_teams(self, team_keys: Sequence[str]) -> dict[str, Any] | None:
        """The root's `filter` that selects the rows of these teams; None where there is none."""
        if not self.team_filter or not team_keys:
            return None

        def filled(value: Any) -> Any:
            if isinstance(value, Mapping):
                return {name: filled(item) for name, item in value.items()}
            if isinstance(value, list):
                return [filled(item) for item in value]
            return list(team_keys) if value == "TEAM_KEYS" else value

        selected: dict[str, Any] = filled(self.team_filter)
        return selected

    def is_selected(self, column: str) -> bool:
        """Whether a column is emitted."""
        required = ("id", self.cursor_field, ARCHIVED_FLAG)
        return self.columns is None or column in self.columns or column in required

    def is_queried(self, column: str) -> bool:
        """Whether a column is selected, or needed: for what changed, for the archived flag, for a copy."""
        return (
            self.is_selected(column)
            or column in (CURSOR_FIELD, "archivedAt", "trashed")
            or any(of == column and self.is_selected(name) for name, of in self.copies.items())
        )


def _list_of(field: Field) -> NestedList:
    """The list that a field of a parent is."""
    (nodes,) = field.selection
    return NestedList(field.name, int(field.first), field.arguments, text(nodes.selection))
