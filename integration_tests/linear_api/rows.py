"""How a row is stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Row(dict[str, Any]):
    """A row's own values over the defaults that it shares with other rows of its type.

    `row[field]` is the value or None. Relations are ids under `<field>Id`, stored lists ids
    under the singular plus `Ids`. An embedded object is a row without defaults.
    """

    __slots__ = ("defaults",)

    def __init__(self, values: Mapping[str, Any], defaults: Mapping[str, Any] | None = None) -> None:
        super().__init__(values)
        self.defaults = defaults or {}

    def __missing__(self, key: str) -> Any:
        return self.defaults.get(key)


def embedded(value: Any) -> Any:
    """Turn plain objects into rows, for a field that embeds them."""
    if isinstance(value, Mapping) and not isinstance(value, Row):
        return Row({key: embedded(item) for key, item in value.items()})
    if isinstance(value, list | tuple):
        return [embedded(item) for item in value]
    return value


def plain(value: Any) -> Any:
    """Turn embedded rows back into plain objects, without their `__typename`."""
    if isinstance(value, Row):
        return {key: plain(item) for key, item in value.items() if key != "__typename"}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def ids_in(value: Any) -> tuple[Any, ...] | list[Any]:
    """The ids that a row's relation or stored list holds."""
    if value is None:
        return ()
    return value if isinstance(value, list) else (value,)
