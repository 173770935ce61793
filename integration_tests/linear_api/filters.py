"""Linear's filters: from the coerced argument to a test of a row.

What a filter input names must exist on the entity, else the query fails loudly
(`NotInSimulator`): a filter that is silently ignored would let a wrong connector pass.
"""

from __future__ import annotations

import operator
import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from graphql import GraphQLInputObjectType, get_named_type

from .clock import to_milliseconds, to_text
from .errors import InvalidInput, NotInSimulator
from .rows import Row
from .schema import Kind
from .workspace import Workspace

Test = Callable[[Any], bool]

# filter field -> the entity's field, where the names differ
ALIASES = {
    ("Project", "accessibleTeams"): "teams",
    ("Team", "users"): "members",
}
DATES = frozenset({"DateComparator", "NullableDateComparator"})
DAYS = frozenset({"NullableTimelessDateComparator"})
IDS = frozenset({"IDComparator", "IssueIDComparator", "EntityIdentifierIdComparator"})
DURATION = re.compile(
    r"(?P<sign>-?)P(?=.)(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?"
    r"(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?"
)


def _accentless(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign))


TEXT_OPERATIONS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda value, part: part in value,
    "containsIgnoreCase": lambda value, part: part.casefold() in value.casefold(),
    "containsIgnoreCaseAndAccent": lambda value, part: _accentless(part) in _accentless(value),
    "endsWith": str.endswith,
    "eqIgnoreCase": lambda value, other: value.casefold() == other.casefold(),
    "neqIgnoreCase": lambda value, other: value.casefold() != other.casefold(),
    "notContains": lambda value, part: part not in value,
    "notContainsIgnoreCase": lambda value, part: part.casefold() not in value.casefold(),
    "notEndsWith": lambda value, part: not value.endswith(part),
    "notStartsWith": lambda value, part: not value.startswith(part),
    "startsWith": str.startswith,
    "startsWithIgnoreCase": lambda value, part: value.casefold().startswith(part.casefold()),
}
OPERATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "neq": operator.ne,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "in": lambda value, values: value in values,
    "nin": lambda value, values: value not in values,
    **TEXT_OPERATIONS,
}


class Filters:
    """Compiles filters over a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._schema = workspace.schema

    def test(self, entity: str, input_type: str, value: Mapping[str, Any]) -> Test:
        """The test that a filter puts to a row of an entity.

        Args:
            entity: the type of the rows.
            input_type: the filter's input type, such as `IssueFilter`.
            value: the filter as coerced by graphql-core.

        Raises:
            InvalidInput: a date cannot be read.
            NotInSimulator: the simulator doesn't have that filter.
        """
        return self._item(entity, self._input(input_type), value)

    def _input(self, name: str) -> GraphQLInputObjectType:
        kind = self._schema.graphql.type_map[name]
        assert isinstance(kind, GraphQLInputObjectType), name
        return kind

    def _item(self, entity: str, kind: GraphQLInputObjectType, value: Mapping[str, Any]) -> Test:
        """A test of one row, which is None when a relation is empty."""
        tests: list[Test] = []
        for name, part in value.items():
            if part is None:
                raise NotInSimulator(f"{kind.name}.{name}: null as a filter")
            if name == "and":
                tests.append(_all([self._item(entity, kind, one) for one in part]))
            elif name == "or":
                kept = part[:1] if "FILTER-11" in self._workspace.deviations else part
                tests.append(_any([self._item(entity, kind, one) for one in kept]))
            elif name == "null":
                tests.append(_is_none(part))
            else:
                tests.append(_present(self._field(entity, kind, name, part)))
        return _all(tests)

    def _field(self, entity: str, kind: GraphQLInputObjectType, name: str, value: Any) -> Test:
        named = get_named_type(kind.fields[name].type)
        if not isinstance(named, GraphQLInputObjectType):
            raise NotInSimulator(f"{kind.name}.{name}")
        if named.name.endswith("Comparator"):
            read = self._reader(entity, kind, name)
            test = self._comparator(named.name, value, entity if name == "id" else "")
            return lambda row: test(read(row))
        fields = self._schema.fields(entity)
        field = fields.get(ALIASES.get((entity, name), name))
        if field is None:
            raise NotInSimulator(f"{kind.name}.{name}: {entity} has no such field here")
        if named.name.endswith("CollectionFilter"):
            if field.kind not in (Kind.LIST, Kind.CONNECTION):
                raise NotInSimulator(f"{kind.name}.{name}: not a list")
            linked, list_name = self._workspace.linked, field.name
            of_list = self._collection(field.target, named, value)
            return lambda row: of_list(linked(entity, row, list_name))
        if field.kind is not Kind.RELATION:
            raise NotInSimulator(f"{kind.name}.{name}: not a relation")
        rows, key = self._workspace.rows[field.target], field.key
        of_row = self._item(field.target, named, value)
        return lambda row: of_row(rows.get(row[key]))

    def _reader(self, entity: str, kind: GraphQLInputObjectType, name: str) -> Callable[[Row], Any]:
        field = self._schema.fields(entity).get(name)
        if entity == "AgentActivity" and name == "type":
            return lambda row: row["content"]["type"]
        if name == "id" and entity == "Issue":
            return lambda row: (row["id"], row["identifier"])
        if (field and field.kind is Kind.LEAF) or name in self._schema.relations(entity):
            return operator.itemgetter(name)
        raise NotInSimulator(f"{kind.name}.{name}: {entity} has no such scalar here")

    def _collection(self, entity: str, kind: GraphQLInputObjectType, value: Mapping[str, Any]) -> Test:
        """A test of a list of rows; plain fields ask for one row that has them all."""
        tests: list[Test] = []
        plain: dict[str, Any] = {}
        for name, part in value.items():
            if part is None:
                raise NotInSimulator(f"{kind.name}.{name}: null as a filter")
            if name == "and":
                tests.append(_all([self._collection(entity, kind, one) for one in part]))
            elif name == "or":
                tests.append(_any([self._collection(entity, kind, one) for one in part]))
            elif name == "length":
                tests.append(_length(self._comparator("NumberComparator", part)))
            elif name == "null":
                tests.append(_is_empty(part))
            elif name in ("some", "every"):
                if entity == "Attachment" and "FILTER-5" in self._workspace.deviations:
                    part = {}
                item_kind = get_named_type(kind.fields[name].type)
                assert isinstance(item_kind, GraphQLInputObjectType)
                tests.append(_over(name, self._item(entity, item_kind, part)))
            else:
                plain[name] = part
        if plain:
            tests.append(_over("some", self._item(entity, kind, plain)))
        return _all(tests)

    def _comparator(self, kind: str, value: Mapping[str, Any], entity: str = "") -> Test:
        tests: list[Test] = []
        for name, operand in value.items():
            if operand is None:
                raise NotInSimulator(f"{kind}.{name}: null as a value")
            if name == "and":
                tests.append(_all([self._comparator(kind, one) for one in operand]))
            elif name == "or":
                tests.append(_any([self._comparator(kind, one) for one in operand]))
            elif name == "null":
                tests.append(_is_none(operand))
            elif kind == "StringArrayComparator" and name == "length":
                tests.append(_length(self._comparator("NumberComparator", operand)))
            elif kind == "StringArrayComparator":
                tests.append(_over(name, self._comparator("StringItemComparator", operand)))
            elif name not in OPERATIONS:
                raise NotInSimulator(f"{kind}.{name}")
            elif kind in IDS and name == "in" and "FILTER-12" in self._workspace.deviations:
                tests.append(_identified(name, list(operand)[:100]) if entity == "Issue" else _all([]))
            elif kind in DATES and name == "gte" and "FILTER-1" in self._workspace.deviations:
                tests.append(_compare(OPERATIONS["gt"], self._operand(kind, operand)))
            elif kind in IDS and entity == "Issue":
                tests.append(_identified(name, operand))
            else:
                tests.append(_compare(OPERATIONS[name], self._operand(kind, operand)))
        return _all(tests)

    def _operand(self, kind: str, value: Any) -> Any:
        if isinstance(value, list):
            return frozenset(self._operand(kind, item) for item in value)
        if kind in DATES:
            return to_text(self._moment(value))
        if kind in DAYS:
            return to_text(self._moment(value))[:10]
        return value

    def _moment(self, value: Any) -> int:
        """Epoch milliseconds of a `DateTimeOrDuration`: a date, or a duration from now."""
        text = str(value)
        duration = DURATION.fullmatch(text)
        try:
            if duration is None:
                return to_milliseconds(text)
            return to_milliseconds(_shifted(self._workspace.clock.milliseconds, duration))
        except ValueError:
            raise InvalidInput(f"Invalid date: {text}") from None


def _shifted(now: int, duration: re.Match[str]) -> datetime:
    parts = {name: int(value or 0) for name, value in duration.groupdict().items() if name != "sign"}
    sign = -1 if duration["sign"] else 1
    moment = datetime.fromtimestamp(now / 1000, UTC)
    months = moment.year * 12 + moment.month - 1 + sign * (parts["years"] * 12 + parts["months"])
    year, month = divmod(months, 12)
    for day in range(moment.day, 0, -1):
        try:
            moment = moment.replace(year=year, month=month + 1, day=day)
            break
        except ValueError:
            if day <= 28:
                raise
    return moment + sign * timedelta(
        weeks=parts["weeks"],
        days=parts["days"],
        hours=parts["hours"],
        minutes=parts["minutes"],
        seconds=parts["seconds"],
    )


def _all(tests: list[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]
    if len(tests) == 2:
        first, second = tests
        return lambda value: first(value) and second(value)
    return lambda value: all(test(value) for test in tests)


def _any(tests: list[Test]) -> Test:
    return lambda value: any(test(value) for test in tests)


def _present(test: Test) -> Test:
    return lambda row: row is not None and test(row)


def _is_none(wanted: bool) -> Test:
    return lambda value: (value is None) == wanted


def _is_empty(wanted: bool) -> Test:
    return lambda rows: (not rows) == wanted


def _length(test: Test) -> Test:
    return lambda items: test(len(items or ()))


def _over(quantifier: str, test: Test) -> Test:
    every = quantifier == "every"
    return lambda items: (all if every else any)(test(item) for item in items or ())


def _compare(operation: Callable[[Any, Any], bool], operand: Any) -> Test:
    """Nothing compares with null, not even `neq`, as in SQL."""
    return lambda value: value is not None and operation(value, operand)


def _identified(name: str, operand: str | Collection[str]) -> Test:
    """An issue's `id` also goes by its identifier (`ENG-12`)."""
    ids = {operand} if isinstance(operand, str) else set(operand)
    if name in ("eq", "in"):
        return lambda names: not ids.isdisjoint(names)
    return lambda names: ids.isdisjoint(names)
