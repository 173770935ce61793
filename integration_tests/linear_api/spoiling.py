"""Faults that spoil an executed answer: nodes, roots, `pageInfo` or fields that are not as they should be."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .failures import reason
from .kinds import Fault, Request
from .selection import Place, places
from .text import parsed, stringify

SPOILING = frozenset(
    {
        "partial",
        "null_node",
        "missing_root",
        "null_root",
        "null_nodes",
        "no_page_info",
        "no_cursor",
        "same_cursor",
    }
)


def spoil(body: dict[str, Any], faults: Iterable[Fault], request: Request) -> tuple[int, dict[str, Any]]:
    """Apply the faults that are `SPOILING` to an executed answer; returns its status, too."""
    status = 200
    spoiling = [fault for fault in faults if fault.kind in SPOILING]
    if not spoiling or not body.get("data"):
        return status, body
    body = parsed(stringify(body))  # rows must not be spoilt with it
    for fault in spoiling:
        status = max(status, fault.options.get("status", 200))
        errors = _spoilt(body["data"], fault, request)
        if errors:
            body.setdefault("errors", []).extend(errors)
    return status, body


def _spoilt(data: dict[str, Any], fault: Fault, request: Request) -> list[dict[str, Any]]:
    """Spoil the data; returns the errors that come with it."""
    options = fault.options
    if fault.kind == "partial":
        several = [{**options, **one} for one in options["errors"] or [{}]]
        return [
            reason(one, 200, place)
            for one in several
            for path in _partial_paths(one, fault, request)
            for place in _nulled(data, path)
        ]
    if fault.kind == "null_node":
        indexes = [options["index"]] if isinstance(options["index"], int) else options["index"]
        nulled = [
            place
            for path in _lists(fault, request)
            for index in indexes
            for place in _nulled(data, (*path, "nodes", index))
        ]
        return [reason(options, 200, place) for place in nulled] if options["errors"] else []
    if fault.kind in ("missing_root", "null_root"):
        for key in request.keys(fault.root):
            _put(data, key, None, missing=fault.kind == "missing_root")
        return []
    for path in _lists(fault, request):
        for _, connection in places(data, path):
            if isinstance(connection, dict):
                _spoil_list(connection, path, fault)
    return []


def _spoil_list(connection: dict[str, Any], path: tuple[str, ...], fault: Fault) -> None:
    if fault.kind == "null_nodes":
        _put(connection, "nodes", None, missing=fault.options["missing"])
    elif fault.kind == "no_page_info":
        _put(connection, "pageInfo", None, missing=fault.options["missing"])
    elif isinstance(connection.get("pageInfo"), dict):
        page_info = connection["pageInfo"]
        if fault.kind == "no_cursor":
            page_info |= {"hasNextPage": True, "endCursor": None}
            return
        back, afters = fault.options["back"], fault.afters.get(path, [])
        if len(afters) >= back:
            page_info["endCursor"] = afters[-back]
        page_info["hasNextPage"] = True


def _lists(fault: Fault, request: Request) -> list[tuple[str, ...]]:
    """The paths of the lists that a fault is about: its roots, or the lists in them called `field`."""
    keys, name = request.keys(fault.root), fault.options["field"]
    if name is None:
        return [(key,) for key in keys]
    return [
        each.path
        for each in request.selected
        if each.name == name and each.path[0] in keys and len(each.path) > 1
    ]


def _partial_paths(options: dict[str, Any], fault: Fault, request: Request) -> list[tuple[Any, ...]]:
    if options["path"]:
        return [tuple(options["path"])]
    owners = {owner for key in request.keys(fault.root) for owner in ((key,), (key, "nodes"))}
    return [
        each.path for each in request.selected if each.name == options["field"] and each.path[:-1] in owners
    ]


def _put(target: dict[str, Any], key: str, value: Any, *, missing: bool) -> None:
    if missing:
        target.pop(key, None)
    elif key in target:
        target[key] = value


def _nulled(data: Any, path: tuple[Any, ...]) -> list[Place]:
    """Set what a path leads to to null; returns the places that were there."""
    found = [place for place, _ in places(data, path)]
    for place in found:
        holder = data
        for step in place[:-1]:
            holder = holder[step]
        holder[place[-1]] = None
    return found
