"""The GraphQL that reads a stream, and what is learned of it meanwhile: its price, and what is gone."""

import re
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

from source_linear import streams
from source_linear.linear.errors import Failure
from source_linear.linear.selection import Field, Selection, parse, price, text, without
from source_linear.streams import CURSOR_FIELD, MAX_COST, PAGE_INFO_POINTS, NestedList, Root, Stream

_Item = TypeVar("_Item")
_ROOM = 0.8 * MAX_COST  # what a grown page may cost: the next one may be dearer
_CHEAPER = 0.5  # of the formula's price: where Linear bills no less, larger pages would cost more
_LONGEST_INLINE = 100  # items of a list that are asked for with its node
_MOST_TIMES = 16
# graphql-js's words for what is not in the schema (docs/linear-api.md, ERRORS-5).
_GONE_FIELD = re.compile(r'Cannot query field "(\w+)" on type "(\w+)"')
_GONE_ARGUMENT = re.compile(r'Unknown argument "(\w+)" on field "(?:\w+\.)?(\w+)"')
_GONE_VALUE = re.compile(r'Value "(\w+)" does not exist in "\w+" enum')
_GONE_TYPE = re.compile(r'Unknown type "(\w+)"|Fragment cannot be spread here.* type "(\w+)"')
_CHANGED_FIELD = re.compile(r'Field "(\w+)" (?:of type "[^"]+" must have|must not have) a selection')


class Shape(NamedTuple):
    """How much a page asks for: so many nodes, and so many times the declared items of their lists."""

    first: int
    times: int = 1

    def inline(self, nested: NestedList) -> int:
        """How many items of a list come with its node."""
        return max(nested.first, min(nested.first * self.times, _LONGEST_INLINE))


class StreamQuery:
    """The queries of one stream. Its windows share it: what one has learned, all go by.

    Attributes:
        shape: how much the next page asks for.
        gone: what Linear's API no longer has, by the names that an answer would have at the top of a node.
        omissions: how often something was left out of the queries.
    """

    def __init__(self, stream: Stream) -> None:
        """Make the queries of `stream`, as large as Linear's published formula allows."""
        operation = parse(stream.query)[-1]
        self.stream = stream
        self._variables = operation.arguments.split(", ") if operation.arguments else []
        self._roots = {root.name: root for root in operation.selection}
        self.shape = Shape(stream.page_size)
        self.gone: set[str] = set()
        self.omissions = 0
        self._fields: dict[str, Selection] = {root.name: root.fields for root in stream.roots}
        self._entities = {stream.entity, "Query", *(root.entity for root in stream.roots)}
        self._billed = 0.0  # points a row
        self._grows = True
        self._lock = threading.Lock()

    def rows(self, roots: Collection[Root], shape: Shape) -> str:
        """The query for a page of whole nodes."""
        return self._pages("", {root.name: self._shaped(root, shape) for root in roots})

    def light(self, roots: Collection[Root], fields: str = "id") -> str:
        """The query for the same page, of scalars only that cannot be at fault."""
        return self._pages("_ids", {root.name: parse(fields) for root in roots})

    def by_ids(self, root: Root, fields: str = "") -> str:
        """The query for nodes by a filter (`$filter`) of their ids, where the root takes one."""
        inner = fields or text(self._fields[root.name])
        return self.document("_by_id", f"{root.call('$first', 'filter: $filter')} {{ nodes {{ {inner} }} }}")

    def by_id(self, root: Root) -> tuple[str, str]:
        """The query for one node by its id (`$id`), where the root takes no filter, and its key in `data`."""
        body = f"{root.parent}(id: $id) {{ {text(self._fields[root.name])} }}"
        return self.document("_by_id", body, "$id: String!"), root.parent

    def document(self, suffix: str, body: str, *variables: str) -> str:
        """A query of this stream.

        Args:
            suffix: what its name ends in, behind the stream's.
            body: what stands between its braces.
            variables: its own variables; those that the declared query has, and the body uses, are added.
        """
        used = [one for one in self._variables if re.search(rf"\{one.partition(':')[0]}\b", body)]
        header = ", ".join([*variables, *used])
        return f"query {self.stream.name}{suffix}{f'({header})' if header else ''} {{ {body} }}"

    def cursor_variable(self, root: Root) -> str:
        """The name of the variable that holds a root's cursor."""
        return f"after_{root.name}" if root.children else "after"

    def _pages(self, suffix: str, selections: Mapping[str, Selection]) -> str:
        asked = []
        for name, selection in selections.items():
            root = self._roots[name]
            inner = tuple(
                replace(child, selection=selection) if child.name == "nodes" else child
                for child in root.selection
            )
            asked.append(replace(root, selection=inner if self.stream.connection else selection))
        return self.document(suffix, text(asked))

    def _shaped(self, root: Root, shape: Shape) -> Selection:
        fields = self._fields[root.name]
        if shape.times == 1:
            return fields
        lists = {nested.name: nested for nested in self._lists(root) if nested.first}
        return tuple(
            replace(field, first=str(shape.inline(lists[field.key]))) if field.key in lists else field
            for field in fields
        )

    def _lists(self, root: Root) -> Sequence[NestedList]:
        return [root.children] if root.children else list(self.stream.lists.values())

    # What was learned

    def learn(self, shape: Shape, points: float) -> None:
        """A full page of that shape was billed so many points: where there is room, the next asks for more.

        Args:
            shape: what the page asked for, and got.
            points: what `X-Complexity` said.
        """
        with self._lock:
            if not self._grows or points < 1:  # which no query costs
                return
            self._billed = max(points / shape.first, 0.8 * self._billed)
            part = self._billed / self._priced(shape.times)
            if part > _CHEAPER:
                return
            first = min(streams.MAX_PAGE_SIZE, int(_ROOM / self._billed))
            if first < streams.MAX_PAGE_SIZE:
                self.shape = Shape(max(first, self.shape.first), self.shape.times)
                return
            times = self.shape.times * 2
            fits = first * part * self._priced(times) <= _ROOM and times <= _MOST_TIMES
            self.shape = Shape(first, times if fits else self.shape.times)

    def reduce(self, shape: Shape) -> Shape:
        """A page of that shape was refused as too complex, or cannot be answered: what to ask for instead."""
        with self._lock:
            self._grows = False
            base = self.stream.page_size
            first = base if shape.first > base or shape.times > 1 else max(1, shape.first // 2)
            self.shape = Shape(min(first, self.shape.first))
            return Shape(first)

    def _priced(self, times: int) -> float:
        """What a row costs by the formula, with so many times the declared items of its lists."""
        shape = Shape(1, times)
        return sum(1 + price(self._shaped(root, shape)) + PAGE_INFO_POINTS for root in self.stream.roots)

    # What is gone

    def drop(self, failure: Failure) -> list[str]:
        """Leave out what Linear says is no longer there; returns what, [] where nothing can be left out."""
        dropped: list[str] = []
        with self._lock:
            for problem in failure.problems:
                if problem.code == "GRAPHQL_VALIDATION_FAILED":
                    dropped += self._drop(problem.said)
        return dropped

    def refuse(self, field: str) -> list[str]:
        """Leave out a field by its path, `history.botActor`, which fails the page as a whole."""
        name = field.split(".")[-1]
        with self._lock:
            return self._without(lambda one, of: one.name == name, name)

    def _drop(self, said: str) -> list[str]:
        if found := _GONE_FIELD.search(said):
            name, entity = found[1], found[2]
            what = f"{entity}.{name}"
            if entity in self._entities:
                return self._without(lambda one, of: one.name == name and of == entity, what)
            # Of what is embedded only a union's members name their type.
            known = self._without(lambda one, of: one.name == name and of == entity, what)
            return known or self._without(lambda one, of: one.name == name and not of, what)
        if found := _CHANGED_FIELD.search(said):
            name = found[1]
            return self._without(lambda one, of: one.name == name, name)
        if found := _GONE_ARGUMENT.search(said):
            argument, name = re.compile(rf"\b{found[1]}:"), found[2]
            return self._without(
                lambda one, of: one.name == name and bool(argument.search(one.arguments)),
                f"{name}({found[1]})",
            )
        if found := _GONE_VALUE.search(said):
            value = re.compile(rf"\b{found[1]}\b")
            return self._without(lambda one, of: bool(value.search(one.arguments)), found[1])
        if found := _GONE_TYPE.search(said):
            kinds = found.groups()
            return self._without(lambda one, of: one.on in kinds, found[1] or found[2])
        return []

    def _without(self, is_gone: Callable[[Field, str], bool], what: str) -> list[str]:
        """Leave out fields, but none that the stream cannot do without."""
        needed = {"id", self.stream.cursor_field, CURSOR_FIELD, "nodes", "pageInfo"}
        lost = False

        def goes(field: Field, of: str) -> bool:
            nonlocal lost
            gone = is_gone(field, of)
            lost = lost or (gone and field.name in needed and of in self._entities)
            return gone

        left = {}
        for root in self.stream.roots:
            types = {root.children.name: self.stream.entity} if root.children else {}
            left[root.name] = without(self._fields[root.name], goes, root.entity, types)
        before = _keys(self._fields, self.stream)
        if lost or left == self._fields or before - _keys(left, self.stream) & needed:
            return []
        self._fields = left
        self.omissions += 1
        self.gone |= before - _keys(left, self.stream)
        return [what]


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


def all_of(*filters: Mapping[str, Any] | None) -> dict[str, Any]:
    """The filter for what each of some filters selects; {} where there is none."""
    given = [one for one in filters if one]
    return dict(given[0]) if len(given) == 1 else {"and": given} if given else {}


def _keys(fields: Mapping[str, Selection], stream: Stream) -> set[str]:
    """The names at the top of the rows."""
    keys: set[str] = set()
    for root in stream.roots:
        selection = fields[root.name]
        if root.children:
            lists = [field for field in selection if field.key == root.children.name]
            selection = tuple(row for one in lists for nodes in one.selection for row in nodes.selection)
        keys |= {field.key for field in selection}
    return keys
