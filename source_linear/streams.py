"""A stream's declaration in the manifest: its entity, its kind, its fields, and the columns that follow.

A column that is not selected is neither queried nor paid for.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

from source_linear.declared import lookback_of, query_of
from source_linear.graphql import MAX_PAGE_SIZE, NestedList, Operation, Root, page_size
from source_linear.linear.selection import Field

CREATED_AT, CURSOR_FIELD = "createdAt", "updatedAt"
ARCHIVED_FLAG = "isArchived"
_PAGES_A_WINDOW, _PAGE = 8, MAX_PAGE_SIZE // 2  # rows
_DATES = ("createdAt", CURSOR_FIELD, "archivedAt")  # of every entity but issue state spans
DELETED_AT = "_ab_cdc_deleted_at"
GONE_AT = "deletedAt"  # when a sync found that a row is gone from Linear

Record = dict[str, Any]


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
        dated_by: a list inside each row that can be newer than its row: it is asked for by its dates, too.
        follows: a root whose rows name rows of this stream, or parents, that change with them unstamped.
        cursor_field: the column that a stream's state is about.
        fields: scalar fields, emitted under their own names; those of `Node` come first.
        relations: to-one relations, emitted as `<name>Id`.
        lists: columns of ids, each with the list that they come from.
        objects: embedded objects, emitted as they come: name to GraphQL selection.
        copies: further names of a column, kept for those who come from Airbyte's own source-linear.
        types: JSON types of columns where Linear's schema says less than Linear sends.
        columns: the columns to emit; None means all.
        query: the query that the manifest declares for it.
        lookback: how long before its cursor a sync begins to read.
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
    dated_by: str = ""
    follows: str = ""
    cursor_field: str = CURSOR_FIELD
    fields: tuple[str, ...] = ()
    relations: tuple[str, ...] = ()
    lists: Mapping[str, NestedList] = field(default_factory=dict)
    objects: Mapping[str, str] = field(default_factory=dict)
    copies: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    columns: frozenset[str] | None = None
    query: str = ""
    lookback: timedelta = timedelta()

    @classmethod
    def from_parameters(
        cls, parameters: Mapping[str, Any], query: str = "", lookback: timedelta | None = None
    ) -> "Stream":
        """Build a stream from the `$parameters` of its entry in the manifest.

        Args:
            parameters: these.
            query: the query as the CDK has filled it in; else it is filled in here.
            lookback: the cursor's `lookback_window`; else it is looked up here.
        """
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
            "query": query or query_of(parameters),
            "lookback": lookback_of() if lookback is None else lookback,
        }
        return cls(**declared | parsed)

    @cached_property
    def queried(self) -> Sequence[str]:
        """The columns that the query brings, in the manifest's order."""
        relations = (f"{name}Id" for name in self.relations)
        everything = (*self.fields, *relations, *self.lists, *self.objects)
        return [column for column in everything if self.is_queried(column)]

    @cached_property
    def operation(self) -> Operation:
        """The query that the manifest declares."""
        return Operation.parse(self.query)

    @cached_property
    def roots(self) -> tuple[Root, ...]:
        """The fields of `Query` that are read: the stream's own, or its parents'."""
        return tuple(self._root(one) for one in self.operation.fields)

    def _root(self, asked: Field) -> Root:
        nodes = next((one.selection for one in asked.selection if one.name == "nodes"), asked.selection)
        if not self.parents:
            return Root(
                asked.name,
                self.entity,
                nodes,
                self.arguments,
                filterable=self.filterable,
                connection=self.connection,
            )
        entity = asked.name[0].upper() + asked.name[1:-1]
        children = nodes[-1]
        (items,) = (one.selection for one in children.selection if one.name == "nodes")
        return Root(
            asked.name,
            entity,
            nodes,
            children=NestedList(children.name, int(children.first), children.arguments, items),
            filterable=True,
        )

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
    def is_long(self) -> bool:
        """Whether its list is too long to be walked in each sync."""
        return self.kind != "swept"

    @property
    def is_comparable(self) -> bool:
        """Whether its rows, or all parents of its rows, make a list that can be walked."""
        return not self.roots[0].is_object

    @property
    def reports_deleted(self) -> bool:
        """Whether it can report rows that are gone: where its list can be known whole, and is no log."""
        return self.is_comparable and not self.append_only and not self.goes_by_parents

    @property
    def goes_by_parents(self) -> bool:
        """Whether a sync knows all parents, not all rows: of a history it asks for the newest."""
        children = self.roots[0].children
        return children is not None and (self.kind == "child" or children.is_ordered)

    @property
    def lists_inside(self) -> list[NestedList]:
        """The lists inside its rows that are read to their end."""
        return [one for column, one in self.lists.items() if one.first and column in self.queried]

    @property
    def column_names(self) -> list[str]:
        """Every column that a record of this stream has, but that of `archived_rows: delete`."""
        gone = [GONE_AT] if self.reports_deleted else []
        names = [*self.queried, *self.parent_columns, *self.copies, ARCHIVED_FLAG, *gone]
        return [name for name in names if self.is_selected(name)]

    @cached_property
    def page_size(self) -> int:
        """The largest `first` with which the query stays within Linear's cost limit, by the formula."""
        return page_size(self.roots)

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
        """Whether a column is selected, or needed to know what changed and what the destination has."""
        return (
            self.is_selected(column)
            or column in (*_DATES, "trashed")
            or any(of == column and self.is_selected(name) for name, of in self.copies.items())
        )
