"""An answer damaged at random: the fault `damage`, for tests that send what nobody thought of."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from .errors import TYPES, error_body
from .kinds import WAYS, Fault, Request
from .selection import Place
from .text import parsed, stringify

_WEIGHTS = {"replace": 5, "drop": 2, "error": 2, "cut": 1}
_INSTEAD: tuple[Any, ...] = (None, {}, [], "", 0, -1, 1.5)
_STATUSES = (200, 400, 401, 403, 404, 409, 413, 422, 429, 500, 502, 503, 504)
_STOPS = 0.2  # the chance, at each step down, that the node is the one: the root's own damage is not rare


def damaged(body: dict[str, Any], fault: Fault, request: Request) -> tuple[int, bytes]:
    """The status and the body of a damaged answer.

    What happens follows from the fault's seed and from how often it struck before. `fault.did` gets a line:
    the number of the request, and each damage.
    """
    chance = random.Random(f"{fault.options['seed']}:{len(fault.did)}")
    change: Callable[..., Any] | None = fault.options["change"]
    if change is not None:
        return _changed(change(parsed(stringify(body)), chance), fault, request)
    status, content, cut, line = 200, parsed(stringify(body)), None, []
    ways = fault.options["ways"] or WAYS
    for _ in range(fault.options["times"]):
        way = chance.choices(ways, [_WEIGHTS[one] for one in ways])[0]
        if way == "cut":
            cut = chance.random()
            line.append({"way": way, "at": cut})
        elif way == "error":
            status, content, told = _with_error(content, chance)
            line.append(told)
        else:
            content, told = _with_damage(content, way, chance)
            line.append(told)
    sent = stringify(content)
    if cut is not None:
        sent = sent[: int(len(sent) * cut)]
    fault.did.append({"request": request.number, "damages": line})
    return status, sent


def _changed(result: Any, fault: Fault, request: Request) -> tuple[int, bytes]:
    status, content = result if isinstance(result, tuple) else (200, result)
    fault.did.append({"request": request.number, "damages": [{"way": "change", "status": status}]})
    return status, content if isinstance(content, bytes) else stringify(content)


def _with_damage(content: Any, way: str, chance: random.Random) -> tuple[Any, dict[str, Any]]:
    """Replace a node, or drop a key."""
    place = _place(content, chance)
    while way == "drop" and place and not isinstance(place[-1], str):
        place = place[:-1]  # keys are dropped, items are not
    if way == "drop" and place:
        holder = _at(content, place[:-1])
        del holder[place[-1]]
        return content, {"way": way, "place": place}
    instead = chance.choice(_INSTEAD)
    told = {"way": "replace", "place": place, "by": instead}
    instead = parsed(stringify(instead))  # a list or an object of its own
    if not place:
        return instead, told
    _at(content, place[:-1])[place[-1]] = instead
    return content, told


def _with_error(content: Any, chance: random.Random) -> tuple[int, Any, dict[str, Any]]:
    """Any code at any status: instead of the data, beside `data: null`, or beside the data."""
    code, status = chance.choice(sorted(TYPES)), chance.choice(_STATUSES)
    place = _place(content, chance)
    beside = chance.choice(("instead", "null", "data"))
    path = place[1:] if place[:1] == ["data"] and chance.random() < 0.7 else None
    error = error_body(code, None, status, path=path)
    if beside == "data" and isinstance(content, dict):
        content = {**content, "errors": [error]}
    elif beside == "null":
        content = {"data": None, "errors": [error]}
    else:
        content = {"errors": [error]}
    return status, content, {"way": "error", "code": code, "status": status, "beside": beside, "path": path}


def _place(content: Any, chance: random.Random) -> Place:
    """Any node: from the root down, a random child each time, until chance says stop."""
    place: Place = []
    while isinstance(content, dict | list) and content and chance.random() >= _STOPS:
        step: Any = chance.choice(sorted(content) if isinstance(content, dict) else range(len(content)))
        place.append(step)
        content = content[step]
    return place


def _at(content: Any, place: Place) -> Any:
    for step in place:
        content = content[step]
    return content
