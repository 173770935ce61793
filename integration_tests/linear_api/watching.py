"""Rows that cannot be read, found while a query is executed: faults of kind `row`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .failures import reason
from .kinds import Fault, Request
from .responses import Response, html, refusal
from .selection import Place

# what a query may ask of such a row: it stands in the row's own table
PLAIN = frozenset({"__typename", "id", "createdAt", "updatedAt", "archivedAt"})


@dataclass(frozen=True)
class Met:
    """A row that a query came across: its place in the answer, and its fields by their response keys."""

    row_id: str
    place: Place
    fields: dict[str, str]

    @property
    def nested(self) -> bool:
        """Whether it came in a nested list or as a relation."""
        return len([step for step in self.place if isinstance(step, str)]) > (
            1 + ("nodes" in self.place[1:2]) + 2 * ("edges" in self.place[1:2])
        )


def watched(faults: Iterable[Fault]) -> frozenset[str]:
    """The ids of the rows to look out for."""
    return frozenset(row_id for fault in faults if fault.kind == "row" for row_id in _ids(fault))


def struck(faults: Iterable[Fault], met: Iterable[Met], request: Request) -> tuple[Fault, Place] | None:
    """The first fault that one of the rows met sets off, with the place of the field."""
    for each in met:
        for fault in faults:
            if fault.kind != "row" or each.row_id not in _ids(fault):
                continue
            if (each.nested and not fault.options["nested"]) or each.place[0] not in request.keys(fault.root):
                continue
            field = _field(fault, each)
            if field is not None and fault.fires():
                fault.did.append({"request": request.number, "place": [*each.place, field]})
                return fault, [*each.place, field]
    return None


def unreadable(fault: Fault, place: Place) -> Response:
    """The answer with a row that cannot be read; `how` "hang" is the caller's to wait for."""
    options = fault.options
    if options["how"] != "error":
        return html(options["status"] or (504 if options["how"] == "hang" else 502))
    texts = {
        "code": options["code"] or "INPUT_ERROR",
        "message": options["message"] or "Entity not found: Issue",
        "presentable": options["presentable"] or options["message"] or "Could not find referenced Issue.",
        "type": options["type"],
    }
    status = options["status"] or 200
    return refusal(status, [reason(texts, 400, place)], null_data=True)


def _ids(fault: Fault) -> list[str]:
    given: Any = fault.options["id"]
    return [given] if isinstance(given, str) else list(given or ())


def _field(fault: Fault, met: Met) -> str | None:
    """The response key of the field that cannot be read; None where nothing is asked that fails."""
    wanted = fault.options["field"]
    for key, name in met.fields.items():
        if name == wanted or (wanted is None and name not in PLAIN):
            return key
    return None
