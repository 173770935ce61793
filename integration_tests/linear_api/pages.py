"""Pages of a connection: order, cursors, what is hidden, what is filtered out.

Paging is by key, not by offset: a cursor stands for a place in the order, so rows that come,
go or move between two pages neither hide nor repeat the others.
"""

from __future__ import annotations

import base64
import binascii
import json
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .errors import InvalidInput, NotInSimulator
from .filters import Filters, Test
from .rows import Row
from .schema import Kind
from .workspace import Workspace

DEFAULT_SIZE = 50
LARGEST = 250

Key = tuple[Any, ...]


class OrderBy:
    """`orderBy`: newest first, ties by id; the cursor is a row's id."""

    def __init__(self, workspace: Workspace, entity: str, field: str) -> None:
        self._workspace = workspace
        self._entity = entity
        self._field = field
        self.name: object = field

    def key(self, row: Row) -> Key:
        """The row's place."""
        return row[self._field], row["id"]

    def sorted(self, rows: list[Row]) -> list[Row]:
        """The rows, newest first."""
        return sorted(rows, key=self.key, reverse=not self._ascends)

    def precedes(self, one: Key, other: Key) -> bool:
        """Whether one place comes strictly before another."""
        if "PAGING-10" in self._workspace.deviations and len(one) == len(other):
            one, other = one[:-1], other[:-1]
        return one < other if self._ascends else one > other

    def cursor(self, row: Row) -> str:
        """The row's cursor."""
        row_id: str = row["id"]
        if "PAGING-4" in self._workspace.deviations:
            return base64.b64encode(row_id.encode()).decode()
        return row_id

    @property
    def _ascends(self) -> bool:
        return "FILTER-7" in self._workspace.deviations

    def place(self, cursor: str) -> Key:
        """Where the row of a cursor stands now, or stood when it was purged.

        Raises:
            InvalidInput: no row ever had that id.
        """
        if "PAGING-4" in self._workspace.deviations and "-" not in cursor:
            cursor = base64.b64decode(cursor).decode()
        row = self._workspace.get(self._entity, cursor)
        row = row or self._workspace.tombstones[self._entity].get(cursor)
        if row is None:
            raise InvalidInput(f"Invalid cursor: {cursor}")
        return self.key(row)


class Sort:
    """`sort`: explicit directions, ties by id ascending; the cursor is a base64 keyset."""

    def __init__(self, fields: Sequence[tuple[str, bool, bool]]) -> None:
        self._fields = fields  # name, descending, nulls first
        self.name: object = tuple(fields)

    def key(self, row: Row) -> Key:
        """The row's place."""
        return (*(row[name] for name, _, _ in self._fields), row["id"])

    def sorted(self, rows: list[Row]) -> list[Row]:
        """The rows in order."""
        ordered = sorted(rows, key=lambda row: row["id"])
        for name, descending, nulls_first in reversed(self._fields):
            present = [row for row in ordered if row[name] is not None]
            absent = [row for row in ordered if row[name] is None]
            # reverse=True keeps ties in their order
            present.sort(key=operator.itemgetter(name), reverse=descending)
            ordered = absent + present if nulls_first else present + absent
        return ordered

    def precedes(self, one: Key, other: Key) -> bool:
        """Whether one place comes strictly before another."""
        for left, right, (_, descending, nulls_first) in zip(one, other, self._fields, strict=False):
            if left == right:
                continue
            if left is None or right is None:
                return (left is None) == nulls_first
            return bool(left > right) if descending else bool(left < right)
        return bool(one[-1] < other[-1])

    def cursor(self, row: Row) -> str:
        """The row's cursor."""
        return base64.b64encode(json.dumps(self.key(row)).encode()).decode()

    def place(self, cursor: str) -> Key:
        """The place that a cursor names.

        Raises:
            InvalidInput: it's not a cursor of this order.
        """
        try:
            place = json.loads(base64.b64decode(cursor, validate=True))
        except (binascii.Error, ValueError):
            place = None
        if not isinstance(place, list) or len(place) != len(self._fields) + 1:
            raise InvalidInput(f"Invalid cursor: {cursor}")
        return tuple(place)


Order = OrderBy | Sort


class Page:
    """One page, as the fields of a connection type read it.

    Whether there is more is found out only when asked for.
    """

    __slots__ = ("_after", "_before", "_order", "_rows")

    def __init__(
        self,
        rows: list[Row],
        order: Order,
        before: Callable[[], bool],
        after: Callable[[], bool],
    ) -> None:
        self._rows = rows
        self._order = order
        self._before = before
        self._after = after

    def __getitem__(self, field: str) -> Any:
        if field == "nodes":
            return self._rows
        if field == "edges":
            return [{"node": row, "cursor": self._order.cursor(row)} for row in self._rows]
        if field == "pageInfo":
            return {
                "hasNextPage": self._after(),
                "hasPreviousPage": self._before(),
                "startCursor": self._order.cursor(self._rows[0]) if self._rows else None,
                "endCursor": self._order.cursor(self._rows[-1]) if self._rows else None,
            }
        raise NotInSimulator(f"a connection's {field}")


class Pages:
    """Makes pages over a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._schema = workspace.schema
        self._filters = Filters(workspace)
        self._sorted: dict[tuple[str, object], tuple[int, list[Row]]] = {}

    def root(self, entity: str, args: Mapping[str, Any], input_types: Mapping[str, str]) -> Page:
        """A page of all rows of an entity.

        Args:
            entity: the type.
            args: the connection's arguments, coerced.
            input_types: the names of the arguments' types.

        Raises:
            InvalidInput: an argument's value is wrong.
            NotInSimulator: the simulator doesn't have that filter or order.
        """
        order = self._order(entity, args)
        version = self._workspace.versions[entity]
        known = self._sorted.get((entity, order.name))
        if known is None or known[0] != version:
            rows = order.sorted(list(self._workspace.rows[entity].values()))
            known = self._sorted[entity, order.name] = (version, rows)
        return self._page(entity, known[1], order, args, input_types)

    def nested(
        self, entity: str, rows: list[Row], args: Mapping[str, Any], input_types: Mapping[str, str]
    ) -> Page:
        """A page of a nested list; arguments and errors as for `root`."""
        order = self._order(entity, args)
        rows = order.sorted(rows) if len(rows) > 1 else rows
        if "PAGING-5" in self._workspace.deviations:
            args = {**args, "first": LARGEST}
        return self._page(entity, rows, order, args, input_types)

    def _order(self, entity: str, args: Mapping[str, Any]) -> Order:
        sort = args.get("sort") or args.get("sorts")
        if sort:
            return Sort([self._sort_field(entity, one) for one in sort])
        fields = self._schema.fields(entity)
        otherwise = "FILTER-6" in self._workspace.deviations
        field = args.get("orderBy") or ("updatedAt" if otherwise else "createdAt")
        return OrderBy(self._workspace, entity, field if field in fields else "startedAt")

    def _sort_field(self, entity: str, sort: Mapping[str, Any]) -> tuple[str, bool, bool]:
        if len(sort) != 1:
            raise NotInSimulator("a sort input with several fields: use several inputs")
        ((name, options),) = sort.items()
        field = self._schema.fields(entity).get(name)
        unknown = set(options or ()) - {"order", "nulls"}
        if field is None or field.kind is not Kind.LEAF or name == "priority" or unknown:
            raise NotInSimulator(f"sort by {name} of {entity}")
        if not options or not options.get("order"):
            raise NotInSimulator(f"sort by {name} without an order")
        return name, options["order"] == "Descending", options.get("nulls") == "first"

    def _visible(self, entity: str, args: Mapping[str, Any], input_types: Mapping[str, str]) -> Test:
        tests: list[Test] = []
        deviations = self._workspace.deviations
        if not args.get("includeArchived") and "ARCHIVING-1" not in deviations:
            tests.append(lambda row: row["archivedAt"] is None)
        if "includeDisabled" in input_types and not (
            args.get("includeDisabled") or "PAGING-11" in deviations
        ):
            tests.append(lambda row: row["active"] is not False)
        if args.get("filter"):
            tests.append(self._filters.test(entity, input_types["filter"], args["filter"]))
        if len(tests) == 1:
            return tests[0]
        return lambda row: all(test(row) for test in tests)

    def _page(
        self,
        entity: str,
        rows: list[Row],
        order: Order,
        args: Mapping[str, Any],
        input_types: Mapping[str, str],
    ) -> Page:
        for name in ("includeSubTeams", "includeSubInitiatives"):
            if args.get(name):
                raise NotInSimulator(name)
        if "PAGING-3" in self._workspace.deviations and (args.get("first") or 0) > LARGEST:
            args = {**args, "first": LARGEST}
        first, last = _size("first", args), _size("last", args)
        if first is not None and last is not None:
            raise InvalidInput("Use either first or last, not both.")
        visible = self._visible(entity, args, input_types)
        low, high = 0, len(rows)
        if args.get("after") is not None:
            place = order.place(args["after"])
            low = _partition(rows, lambda row: not order.precedes(place, order.key(row)))
        if args.get("before") is not None:
            place = order.place(args["before"])
            high = _partition(rows, lambda row: order.precedes(order.key(row), place))
        if last is None:
            size = first or (10 if "PAGING-2" in self._workspace.deviations else DEFAULT_SIZE)
            found = _matches(rows, range(low, high), visible, size)
        else:
            found = _matches(rows, range(high - 1, low - 1, -1), visible, last)[::-1]
        start = found[0] if found else low
        end = found[-1] + 1 if found else max(low, high)
        return Page(
            [rows[position] for position in found],
            order,
            before=lambda: bool(_matches(rows, range(start - 1, -1, -1), visible, 1)),
            after=lambda: bool(_matches(rows, range(end, len(rows)), visible, 1)),
        )


def _size(name: str, args: Mapping[str, Any]) -> int | None:
    size = args.get(name)
    if size is not None and not 1 <= size <= LARGEST:
        raise InvalidInput(f"Argument Validation Error: {name} must be between 1 and {LARGEST}")
    return size


def _partition(rows: list[Row], is_left: Callable[[Row], bool]) -> int:
    """The number of rows on the left, all of which come before all others."""
    low, high = 0, len(rows)
    while low < high:
        middle = (low + high) // 2
        if is_left(rows[middle]):
            low = middle + 1
        else:
            high = middle
    return low


def _matches(rows: list[Row], positions: range, visible: Test, limit: int) -> list[int]:
    found: list[int] = []
    for position in positions:
        if visible(rows[position]):
            found.append(position)
            if len(found) == limit:
                break
    return found
