"""A stream's declaration in the manifest, and the GraphQL query that it makes.

A stream is declared by `$parameters`: its entity, its kind and its fields. Everything that depends on
the fields (the query text, its cost, the page size, how a node becomes a record) is derived here, so
that a column that is not selected is neither queried nor paid for.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any

MAX_PAGE_SIZE = 250  # API.md, One endpoint: `first` is 1 to 250, more is refused
MAX_COST = 10_000  # API.md, Limits: points that one query may cost
PAGE_INFO = "pageInfo { hasNextPage endCursor }"
CURSOR_FIELD = "updatedAt"
ARCHIVED_FLAG = "isArchived"
ARCHIVINGS = "archivings"  # marks what walks all rows for their `archivedAt`: page tokens and nodes
# A list that goes on is short most of the time, and points are paid for what is asked for: so many times
# as much is asked for next, and at least 10.
_MORE, _AT_LEAST = 2, 10
_PAGES_A_WINDOW = 8
_DATES = ("createdAt", CURSOR_FIELD, "archivedAt")  # of every entity but issue state spans
DELETED_AT = "_ab_cdc_deleted_at"

Record = dict[str, Any]


@cache
def cost(selection: str) -> float:
    """Points that `selection` costs in one node, by Linear's published formula (API.md, Limits).

    A property is 0.1 point, an object 1 point, and a connection multiplies its nodes by its `first`
    and costs nothing itself; it has one `pageInfo`. The members of a union are summed: an upper bound.
    """
    tokens = re.findall(r"\.\.\.\s*on\s+\w+|\([^)]*\)|\w+(?!:)\b|[{}]", selection)
    points = 0.0
    factors = [1.0]
    for index, token in enumerate(tokens):
        if token == "}":
            factors.pop()
        elif token.startswith("..."):
            factors.append(factors[-1])
        elif token[0] not in "{(":
            after = [*tokens[index + 1 : index + 3], "", ""]
            arguments, opening = after[:2] if after[0].startswith("(") else ("", after[0])
            first = re.search(r"first: (\d+)", arguments)
            if opening != "{":
                points += 0.1 * factors[-1]
            elif first:
                factors.append(factors[-1] * int(first.group(1)))
            else:
                factors.append(factors[-2] if token == "pageInfo" and len(factors) > 1 else factors[-1])
                points += factors[-1]
    return points


@dataclass(frozen=True)
class NestedList:
    """A list inside a node: `members(first: 5)`.

    Attributes:
        name: name of the list in Linear's schema.
        first: how many items of a connection come with the node itself; a connection of that length
            is read on to its end. 0 for a plain list, which always comes whole.
        arguments: the connection's other arguments, as GraphQL text.
        items: what is queried of an item, as GraphQL text.
        alias: the name under which it is queried, where nodes of several roots must be told apart.
    """

    name: str
    first: int = 0
    arguments: str = ""
    items: str = "id"
    alias: str = ""

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
        return min(MAX_PAGE_SIZE, int((points - 3) / cost(self.page(1))))

    def after(self, items: int) -> int:
        """How many items to ask for next where so many were not all."""
        return min(max(items * _MORE, _AT_LEAST), self.items_for(MAX_COST))

    @property
    def key(self) -> str:
        """The name under which the list stands in a node."""
        return self.alias or self.name

    @property
    def selection(self) -> str:
        """GraphQL text that brings the list with its node. A full page means: there may be more."""
        if not self.first:
            return f"{self.name} {{ {self.items} }}"
        return f"{self._call(self.first)} {{ nodes {{ {self.items} }} }}"

    def page(self, first: int, after: str | None = None) -> str:
        """GraphQL text of one page of the connection, with its `pageInfo`."""
        return f"{self._call(first, after)} {{ nodes {{ {self.items} }} {PAGE_INFO} }}"

    def _call(self, first: int, after: str | None = None) -> str:
        arguments = [f"first: {first}", f'after: "{after}"' if after else "", self.arguments]
        alias = f"{self.alias}: " if self.alias else ""
        return f"{alias}{self.name}({', '.join(part for part in arguments if part)})"


@dataclass(frozen=True)
class Root:
    """A field of `Query` that a stream reads, and what it reads of each node.

    Attributes:
        name: the field's name, for example `issueLabels`.
        entity: the GraphQL type of its nodes.
        selection: GraphQL text of what is queried of a node.
        arguments: further arguments of the root, as GraphQL text.
        children: the connection whose items are the stream's rows, where the nodes themselves are not.
    """

    name: str
    entity: str
    selection: str
    arguments: str = ""
    children: NestedList | None = None

    @property
    def parent(self) -> str:
        """What the columns that a row takes from its parent begin with, for example `issue`."""
        return self.entity[0].lower() + self.entity[1:]


@dataclass(frozen=True)
class Stream:
    """What the manifest says of a stream, and what follows from it.

    Attributes:
        name: the stream's name, for example `issue_labels`.
        entity: the GraphQL type of its rows, for example `IssueLabel`.
        kind: windowed, swept, feed or child; the manifest's head says which is which.
        connection: whether the root is a connection (and takes `first`, `after`, `includeArchived`).
        filterable: whether it takes `filter`.
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
        order_by: what the root is ordered by, newest first. `createdAt` never changes, so a row that
            is edited between two pages keeps its place; a feed that stops early needs `updatedAt`.
        columns: the columns to emit; None means all.
    """

    name: str
    entity: str
    kind: str
    connection: bool = True
    filterable: bool = True
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
    order_by: str = "createdAt"
    columns: frozenset[str] | None = None

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, Any]) -> "Stream":
        """Build a stream from the `$parameters` of its entry in the manifest."""
        lists = parameters.get("lists", {})
        cursor_field = parameters.get("cursor_field", CURSOR_FIELD)
        own_dates = _DATES if cursor_field == CURSOR_FIELD else ()
        parents = tuple(parameters.get("parents", ()))
        if parameters.get("sync", {}).get("field") == "createdAt":  # nothing slips from a first or full read
            parents = tuple(text.replace("orderBy: updatedAt", "orderBy: createdAt") for text in parents)
        return cls(
            name=parameters["name"],
            entity=parameters["entity"],
            kind=parameters["kind"],
            connection=parameters.get("connection", True),
            filterable=parameters.get("filterable", True),
            windows=parameters.get("windows", 3),
            team_filter=parameters.get("team_filter"),
            arguments=parameters.get("arguments", ""),
            parents=parents,
            cursor_field=cursor_field,
            fields=("id", *own_dates, *parameters["fields"].split()),
            relations=tuple(parameters.get("relations", "").split()),
            lists={column: NestedList.parse(text) for column, text in lists.items()},
            objects=parameters.get("objects", {}),
            copies=parameters.get("copies", {}),
            types=parameters.get("types", {}),
            order_by=parameters.get("sync", {}).get("order_by", "createdAt"),
            columns=frozenset(parameters["columns"]) if "columns" in parameters else None,
        )

    @cached_property
    def selections(self) -> Mapping[str, str]:
        """Every queried column with the GraphQL text that brings it, in the manifest's order."""
        everything = {name: name for name in self.fields}
        everything |= {f"{name}Id": f"{name} {{ id }}" for name in self.relations}
        everything |= {column: nested.selection for column, nested in self.lists.items()}
        everything |= {name: f"{name} {{ {text.strip()} }}" for name, text in self.objects.items()}
        return {column: text for column, text in everything.items() if self._is_queried(column)}

    @cached_property
    def roots(self) -> tuple[Root, ...]:
        """The fields of `Query` that are read: the stream's own, or its parents'."""
        selection = " ".join(self.selections.values())
        if not self.parents:
            own = re.sub(r"_(\w)", lambda match: match.group(1).upper(), self.name)
            return (Root(own, self.entity, selection, self.arguments),)
        roots = []
        for text in self.parents:
            entity, _, connection = text.partition(".")
            own = f"{entity[0].lower()}{entity[1:]}s"
            children = replace(NestedList.parse(connection), items=selection)
            if len(self.parents) > 1:
                children = replace(children, alias=f"{own}_{children.name}")
            parent = f"id {CURSOR_FIELD} archivedAt {children.selection}"
            roots.append(Root(own, entity, parent, children=children))
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
    def column_names(self) -> list[str]:
        """Every column that a record of this stream has, but that of `archived_rows: delete`."""
        names = [*self.selections, *self.parent_columns, *self.copies, ARCHIVED_FLAG]
        return [name for name in names if self._is_selected(name)]

    @property
    def page_size(self) -> int:
        """The largest `first` with which the query stays within Linear's cost limit."""
        points = sum(1 + cost(root.selection) for root in self.roots)
        room = MAX_COST - len(self.roots) * cost(PAGE_INFO)
        return min(MAX_PAGE_SIZE, math.floor(room / points))

    def windows_of(self, issues: int) -> int:
        """Into how many windows a first read is cut: each costs a page that is not full, or even empty.

        Args:
            issues: how many there are. How many rows the stream has is not known before it is read; in most
                streams they grow as the issues do.
        """
        return max(1, min(self.windows, math.ceil(issues / (_PAGES_A_WINDOW * self.page_size))))

    @property
    def query(self) -> str:
        """The query that reads the stream, page by page where the root is a connection."""
        return self._query(self.roots)

    @property
    def archivings_query(self) -> str:
        """The query that walks all rows for their `archivedAt`, where no filter can ask for it.

        Its nodes are known by the alias `ARCHIVINGS`. Of a root without a filter they come whole:
        they could not be asked for by id afterwards.
        """
        light = f"id {CURSOR_FIELD} archivedAt"
        return self._query(
            [
                replace(
                    root, selection=f"{ARCHIVINGS}: archivedAt {light if self.filterable else root.selection}"
                )
                for root in self.roots
            ]
        )

    def _query(self, roots: Sequence[Root]) -> str:
        if not self.connection:
            root = roots[0]
            return f"query {self.name} {{ {root.name} {{ {root.selection} }} }}"
        variables = ["$first: Int!"]
        parts = []
        for root in roots:
            after, further = self.variables_of(root)
            arguments = [f"first: $first, after: ${after}, orderBy: {self.order_by}, includeArchived: true"]
            variables.append(f"${after}: String")
            if self.filterable:
                variables.append(f"$filter: {root.entity}Filter")
                arguments.append("filter: $filter")
            arguments += [root.arguments] if root.arguments else []
            if further:
                variables.append(f"${further}: Boolean = true")
            include = f" @include(if: ${further})" if further else ""
            parts.append(
                f"{root.name}({', '.join(arguments)}){include} {{ nodes {{ {root.selection} }} {PAGE_INFO} }}"
            )
        return f"query {self.name}({', '.join(variables)}) {{ {' '.join(parts)} }}"

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

    def variables_of(self, root: Root) -> tuple[str, str | None]:
        """The names of a root's paging variables: its cursor, and whether to read it at all."""
        if len(self.roots) == 1:
            return "after", None
        return f"after_{root.name}", f"with_{root.name}"

    def transformation(self, archived_rows: str = "flag") -> Callable[[Record], None]:
        """How a node becomes a record, in place: a node is decoded once and touched once.

        Args:
            archived_rows: the configuration's `archived_rows`; `delete` adds `_ab_cdc_deleted_at`.

        Returns:
            A function that turns a node as Linear sends it, with its lists complete and its parent's
            columns filled in, into a record with the stream's columns. A missing relation becomes None.
        """
        queried = self.selections
        relations = [(f"{name}Id", name) for name in self.relations if f"{name}Id" in queried]
        lists = [(column, self.lists[column]) for column in self.lists if column in queried]
        copies = [(name, of) for name, of in self.copies.items() if self._is_selected(name)]
        hidden = [name for name in (*queried, *self.parent_columns) if not self._is_selected(name)]
        archived_at = "archivedAt" if self.has_own_dates else f"{self.roots[0].parent}ArchivedAt"
        in_trash = not self.parents  # in a history `trashed` is what happened to the parent
        deletes = archived_rows == "delete"

        def transform(node: Record) -> None:
            for column, name in relations:
                target = node.pop(name)
                node[column] = target["id"] if target else None
            for column, nested in lists:
                items = node.pop(nested.key)
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

    def _is_selected(self, column: str) -> bool:
        required = ("id", self.cursor_field, ARCHIVED_FLAG)
        return self.columns is None or column in self.columns or column in required

    def _is_queried(self, column: str) -> bool:
        """Selected, or needed: for what changed, for the archived flag, or for a copy of it."""
        return (
            self._is_selected(column)
            or column in (CURSOR_FIELD, "archivedAt", "trashed")
            or any(of == column and self._is_selected(name) for name, of in self.copies.items())
        )
