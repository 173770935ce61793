"""Linear's filters, as far as a connector writes them: from a value to a test of a row."""

import operator
from collections.abc import Callable, Mapping
from typing import Any

from unit_tests.world.schema import INVERSE
from unit_tests.world.world import Row, View, moment, text

Test = Callable[[Any], bool]
_COMPARATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "neq": operator.ne,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "in": lambda value, values: value in values,
    "nin": lambda value, values: value not in values,
}
_LISTS = {("Project", "accessibleTeams"): "teams"}  # the filter's name for a list -> the row's
_DATES = ("createdAt", "updatedAt", "archivedAt", "startedAt")


class UnknownFilter(ValueError):
    """A filter that the world does not know: ignored it would let a wrong connector pass."""


def test_of(view: View, entity: str, given: Mapping[str, Any] | None) -> Test:
    """The test that a filter puts to a row.

    Args:
        view: what else can be seen.
        entity: what the row is.
        given: the filter, its variables resolved.

    Raises:
        UnknownFilter: part of it is not known.
    """
    tests = [_part(view, entity, name, value) for name, value in (given or {}).items()]
    if len(tests) == 1:
        return tests[0]
    return lambda row: all(test(row) for test in tests)


def _part(view: View, entity: str, name: str, value: Any) -> Test:
    if name in ("and", "or"):
        tests = [test_of(view, entity, one) for one in value]
        if name == "and":
            return lambda row: all(test(row) for test in tests)
        return lambda row: any(test(row) for test in tests)
    if name == "null":
        return lambda row: (row is None) is bool(value)
    if not isinstance(value, Mapping):
        raise UnknownFilter(f"{name}: {value!r}")
    if "some" in value or "every" in value:
        return _of_list(view, entity, name, value)
    if value.keys() <= {*_COMPARATORS, "null"} and not any(
        isinstance(one, Mapping) for one in value.values()
    ):
        if value.keys() == {"null"} and name not in _DATES:
            return lambda row: row is not None and (row.get(name) is None) is bool(value["null"])
        return _compared(name, value)
    inner = test_of(view, "", value)
    return lambda row: row is not None and inner(_related(view, row.get(name)))


def _compared(name: str, value: Mapping[str, Any]) -> Test:
    tests: list[tuple[Callable[[Any, Any], bool], Any]] = []
    for comparator, operand in value.items():
        if comparator == "null":
            tests.append((lambda one, wanted: (one is None) is bool(wanted), operand))
            continue
        if name in _DATES and isinstance(operand, str):
            operand = text(moment(operand))
        if name in _DATES and not isinstance(operand, str):
            raise UnknownFilter(f"{name}: {operand!r} is no date")
        if comparator in ("in", "nin"):
            operand = frozenset(operand)
        compare = _COMPARATORS[comparator]
        tests.append((_present(compare), operand))

    def test(row: Row | None) -> bool:
        if row is None:
            return False
        one = row.get(name)
        return all(compare(one, operand) for compare, operand in tests)

    return test


def _present(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda one, operand: one is not None and compare(one, operand)


def _of_list(view: View, entity: str, name: str, value: Mapping[str, Any]) -> Test:
    if value.keys() != {"some"}:
        raise UnknownFilter(f"{name}: {sorted(value)}")
    listed = INVERSE.get((entity, name))
    inner = test_of(view, listed[0] if listed else "", value["some"])
    of = _LISTS.get((entity, name), name)

    def test(row: Row | None) -> bool:
        if row is None:
            return False
        rows = view.inside(entity, of, row) if listed else [_related(view, one) for one in row.get(of) or ()]
        return any(inner(one) for one in rows or ())

    return test


def _related(view: View, value: Any) -> Row | None:
    """The row that a relation's value stands for."""
    if isinstance(value, str):
        return view.find(value) or {"id": value}
    return value if isinstance(value, dict) else None
