"""The only place that writes GraphQL and prices it, from the parts of a stream."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from source_linear.linear.selection import Field, Selection, parse, price, text

_Item = TypeVar("_Item")
MAX_PAGE_SIZE = 250  # docs/linear-api.md, PAGING-2: `first` is 1 to 250, more is refused
MAX_COST = 10_000  # docs/linear-api.md, LIMITS-3: points that one query may cost
PAGE_INFO = ("hasNextPage", "endCursor")
_IDS = parse("id")
_SEPARATORS = str.maketrans(",:(){}[]", " " * 8)


@dataclass(frozen=True)
class NestedList:
    """A list inside a node: `members(first: 5)`.

    Attributes:
        name: name of the list in Linear's schema.
        first: how many items of a connection come with the node itself; a connection of that length
            is read on to its end. 0 for a plain list, which comes whole.
        arguments: the connection's other arguments, as GraphQL text.
        items: what is queried of an item.
    """

    name: str
    first: int = 0
    arguments: str = ""
    items: Selection = _IDS

    @classmethod
    def parse(cls, declared: str) -> "NestedList":
        """Read the manifest's form: `members(first: 5, includeDisabled: true)`, or `ancestors`.

        Raises:
            ValueError: it is of another form.
        """
        fields = parse(declared)
        if len(fields) != 1 or fields[0].selection or bool(fields[0].first) < bool(fields[0].arguments):
            raise ValueError(f"{declared!r} is not of the form connection(first: N, …)")
        return cls(fields[0].name, int(fields[0].first or 0), fields[0].arguments)

    @property
    def is_ordered(self) -> bool:
        """Whether it is newest first by the date that the sync goes by: `orderBy: $order`."""
        return "$order" in self.arguments

    def page(self, first: int, after: str = "", items: Selection | None = None, order: str = "") -> Field:
        """One page of the connection, newest first by `order` where it is ordered."""
        given = [_text("after", after), self.arguments.replace("$order", order)]
        arguments = ", ".join(one for one in given if one)
        nodes = Field(name="nodes", selection=items or self.items)
        return Field(name=self.name, first=str(first), arguments=arguments, selection=(nodes,))


@dataclass(frozen=True)
class Root:
    """A field of `Query` that a stream reads, and what it reads of each node.

    Attributes:
        name: the field's name, for example `issueLabels`.
        entity: the GraphQL type of its nodes.
        fields: what is queried of a node.
        arguments: further arguments of the root, as GraphQL text.
        children: the connection whose items are the stream's rows, where the nodes themselves are not.
        filterable: whether it takes `filter`.
        connection: whether it is a connection; else it gives a node, or a plain list of nodes.
    """

    name: str
    entity: str
    fields: Selection
    arguments: str = ""
    children: NestedList | None = None
    filterable: bool = True
    connection: bool = True

    @property
    def parent(self) -> str:
        """The name of one node: what the columns that a row takes from its parent begin with, `issue`."""
        return self.entity[0].lower() + self.entity[1:]

    @property
    def is_object(self) -> bool:
        """Whether it gives one node, not a list: then it is named after its entity, as `organization` is."""
        return self.name == self.parent

    @property
    def knows_ids(self) -> bool:
        """Whether single rows can be asked for: by a filter, or of a plain list one by one."""
        return self.filterable if self.connection else not self.is_object

    @property
    def dates(self) -> Selection:
        """What a walk asks of a node: who it is, when it changed, whether it is archived."""
        in_trash = self.children is None and any(one.name == "trashed" for one in self.fields)
        return parse("id createdAt updatedAt archivedAt" + (" trashed" if in_trash else ""))


@dataclass(frozen=True)
class Question:
    """A root with its arguments: alone, or one of many in a query.

    Attributes:
        asked: the root, its arguments and what is asked of it.
        variables: the variables that it uses: each with its type and its value; None is not sent.
        keys: what must not be null in the answer.
    """

    asked: Field
    variables: Mapping[str, tuple[str, Any]] = field(default_factory=dict)
    keys: tuple[str, ...] = ()

    @property
    def points(self) -> float:
        """What it costs, by Linear's published formula."""
        first = self.variables.get(self.asked.first.removeprefix("$"))
        return price((self.asked,), int(first[1])) if first else price((self.asked,))


@dataclass(frozen=True)
class Operation:
    """The query that the manifest declares for a stream.

    Attributes:
        name: the operation's name.
        variables: its variables, each with its type.
        fields: its roots.
    """

    name: str
    variables: Mapping[str, str]
    fields: Selection

    @classmethod
    def parse(cls, query: str) -> "Operation":
        """Read the text of a query.

        Raises:
            ValueError: it is not a single named query.
        """
        fields = parse(" ".join(query.split()))
        if len(fields) != 2 or fields[0].name != "query" or not fields[1].selection:
            raise ValueError(f"not of the form query name(…) {{ … }}: {query}")
        declared = [one.partition(":") for one in fields[1].arguments.split(",") if one.strip()]
        variables = {name.strip().removeprefix("$"): kind.strip() for name, _, kind in declared}
        return cls(fields[1].name, variables, fields[1].selection)

    def page(self, root: Root, selection: Selection, given: Mapping[str, Any]) -> Question:
        """The declared root, asked with these variables for what is left of its fields."""
        declared = next(one for one in self.fields if one.name == root.name)
        if not root.connection:
            return Question(replace(declared, selection=selection), {}, ("id",) if root.is_object else ())
        inner = tuple(
            replace(one, selection=selection) if one.name == "nodes" else one for one in declared.selection
        )
        asked = replace(declared, selection=inner)
        used = _variables(asked)
        variables = {name: (kind, given.get(name)) for name, kind in self.variables.items() if name in used}
        return Question(asked, variables, tuple(one.key for one in inner))


def document(operation: str, questions: Mapping[str, Question]) -> tuple[str, dict[str, Any]]:
    """A query with its variables.

    Args:
        operation: its name.
        questions: what it asks, each with the name under which it is answered.
    """
    given = {name: value for one in questions.values() for name, value in one.variables.items()}
    header = ", ".join(f"${name}: {kind}" for name, (kind, _) in given.items())
    fields = [
        replace(one.asked, alias="" if name == one.asked.name else name) for name, one in questions.items()
    ]
    query = f"query {operation}{f'({header})' if header else ''} {{ {text(fields)} }}"
    return query, {name: value for name, (_, value) in given.items() if value is not None}


def page(
    root: Root,
    key: str,
    selection: Selection,
    first: int,
    after: str = "",
    where: Mapping[str, Any] | None = None,
    order: str = "",
    info: Sequence[str] = (),
) -> Question:
    """A page of a root.

    Args:
        root: the root.
        key: the name under which it is answered: its variables are named after it.
        selection: what is asked of a node.
        first: how many nodes.
        after: the cursor behind which it begins.
        where: its `filter`.
        order: what it is ordered by, newest first; `createdAt` where nothing is said.
        info: what is asked of its `pageInfo`.
    """
    variables = {f"filter_{key}": (f"{root.entity}Filter", where)} if where else {}
    given = [
        "includeArchived: true",
        root.arguments,
        _text("after", after),
        f"orderBy: {order}" if order else "",
        f"filter: $filter_{key}" if where else "",
    ]
    inner = [Field(name="nodes", selection=selection)]
    if info:
        inner.append(Field(name="pageInfo", selection=tuple(Field(name=one) for one in info)))
    arguments = ", ".join(one for one in given if one)
    asked = Field(name=root.name, first=str(first), arguments=arguments, selection=tuple(inner))
    return Question(asked, variables, tuple(one.name for one in inner))


def node(root: Root, key: str, selection: Selection, row_id: str) -> Question:
    """One node of a root by its id, for a root that takes no filter."""
    asked = Field(name=root.parent, arguments=f"id: $id_{key}", selection=selection)
    return Question(asked, {f"id_{key}": ("String!", row_id)}, ("id",))


def ordered(selection: Selection, order: str) -> Selection:
    """What is asked of a node outside of the declared query: its lists are newest first by this date."""
    return tuple(replace(one, arguments=one.arguments.replace("$order", order)) for one in selection)


def plain(root: Root, selection: Selection) -> Question:
    """A root that is no connection."""
    return Question(Field(name=root.name, selection=selection), {}, ("id",) if root.is_object else ())


def ids_in(ids: Iterable[str]) -> dict[str, Any]:
    """The filter for rows with these ids."""
    return {"id": {"in": list(ids)}}


def all_of(*filters: Mapping[str, Any] | None) -> dict[str, Any]:
    """The filter for what each of some filters selects; {} where there is none."""
    given = [one for one in filters if one]
    return dict(given[0]) if len(given) == 1 else {"and": given} if given else {}


def affordable(items: Iterable[_Item], points: Callable[[_Item], float]) -> Iterator[list[_Item]]:
    """Items in groups that each stay within what one query may cost; `points` tells what one costs."""
    group: list[_Item] = []
    cost = 0.0
    for item in items:
        own = points(item)
        if group and cost + own > MAX_COST:
            yield group
            group, cost = [], 0.0
        group.append(item)
        cost += own
    if group:
        yield group


def page_size(roots: Iterable[Root]) -> int:
    """The largest `first` with which a page of each of these roots stays within what one query may cost."""
    points = max(points_a_row(root) for root in roots)
    return max(1, min(MAX_PAGE_SIZE, int(MAX_COST / points)))


def points_a_row(root: Root) -> float:
    """What a row of a page costs at the most, with its share of the `pageInfo`."""
    return 1 + price(root.fields) + price(parse("pageInfo { hasNextPage endCursor }"))


def _variables(asked: Field) -> set[str]:
    """The names of the variables that a field uses, or a field inside of it."""
    words = f"{asked.first} {asked.arguments}".translate(_SEPARATORS).split()
    used = {word[1:] for word in words if word.startswith("$")}
    return used.union(*(_variables(one) for one in asked.selection))


def _text(name: str, value: str) -> str:
    return f"{name}: {json.dumps(value, ensure_ascii=False)}" if value else ""
