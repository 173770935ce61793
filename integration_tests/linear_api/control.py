"""The control channel: the Python handle's powers over HTTP, for other processes.

`POST /control` with `{"op": ..., ...}` answers `{"ok": true, "result": ...}`, or HTTP 400 with
`{"ok": false, "error": ...}`. The server listens on loopback only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .kinds import KINDS, SHORT
from .late import Late
from .parts import Parts
from .text import parsed

MUTATIONS = ("create", "update", "bulk_update", "archive", "unarchive", "trash", "purge")


class Control:
    """Carries out operations on a simulator."""

    def __init__(self, api: Parts) -> None:
        self._api = api
        self._operations: dict[str, Callable[..., Any]] = {
            "set_list": self._set_list,
            "hide": lambda type, ids: api.workspace.hide(type, *ids),
            "show": lambda type, ids: api.workspace.show(type, *ids),
            "late": self._late,
            "commit": api.workspace.commit,
            "pending": self._pending,
            "clock": self._clock,
            "fault": self._fault,
            "faults": self._faults,
            "clear_faults": api.faults.clear,
            "remove": lambda what: api.remove(*what),
            "restore": lambda what=(): api.restore(*what),
            "limits": self._limits,
            "exhaust": api.limits.exhaust,
            "expire_tokens": api.auth.expire_access_tokens,
            "latency": self._latency,
            "requests": lambda: list(api.requests),
            "summary": api.requests.summary,
            "clear_requests": api.requests.clear,
            "counts": api.workspace.counts,
            "ids": self._ids,
            "expected": self._expected,
        }

    def answer(self, body: bytes) -> tuple[int, dict[str, Any]]:
        """Do what a request says; returns the HTTP status and the answer."""
        try:
            order = parsed(body)
            operation = order.pop("op")
            if operation in MUTATIONS:
                result = self._mutate(operation, order)
            elif operation in self._operations:
                result = self._operations[operation](**order)
            else:
                raise ValueError(f"unknown op {operation}")
        except (KeyError, TypeError, ValueError) as error:
            return 400, {"ok": False, "error": f"{type(error).__name__}: {error}"}
        return 200, {"ok": True, "result": result}

    def _mutate(self, operation: str, order: dict[str, Any]) -> Any:
        """`{op, type, id | ids, fields?, at?, touch?}`."""
        target = [order.pop("ids")] if "ids" in order else []
        target = [order.pop("id")] if "id" in order else target
        fields = order.pop("fields", {})
        method = getattr(self._api.workspace, operation)
        return method(order.pop("type"), *target, **order, **fields)

    def _set_list(self, type: str, id: str, field: str, size: int) -> list[str]:
        return self._api.workspace.set_list(type, id, field, size)

    def _late(self, off: bool = False, **late: Any) -> None:
        """Commit late: seed, shortest, longest; or `off`."""
        self._api.workspace.late = None if off else Late(**late)

    def _pending(self) -> list[dict[str, Any]]:
        return [
            {"type": one.type_name, "id": one.row_id, "visible_at": one.visible_at, "new": one.is_new}
            for one in self._api.workspace.pending
        ]

    def _clock(self, set: str | None = None, advance: float | None = None, run: bool = False) -> str:
        clock = self._api.clock
        if set is not None:
            clock.set(set)
        if advance is not None:
            clock.advance(advance)
        if run:
            clock.run()
        return clock.text

    def _fault(self, kind: str, **options: Any) -> None:
        """Any kind by its options, or by the method that fills them in, such as `not_enabled`."""
        faults = self._api.faults
        if kind in KINDS:
            faults.add(kind, **options)
        elif kind in SHORT:
            getattr(faults, kind)(**options)
        else:
            raise ValueError(f"unknown fault {kind}: one of {', '.join((*KINDS, *SHORT))}")

    def _faults(self) -> list[dict[str, Any]]:
        """What the faults in force saw and did, oldest first."""
        return [
            {"kind": fault.kind, "seen": fault.seen, "fired": fault.fired, "did": fault.did}
            for fault in self._api.faults.all
        ]

    def _limits(self, **limits: Any) -> None:
        """Set requests, points, window, largest, billing, rejection_status, endpoints."""
        for name in ("largest", "billing", "rejection_status", "endpoints"):
            if name in limits:
                setattr(self._api.limits, name, limits.pop(name))
        self._api.limits.set(**limits)

    def _latency(self, seconds: float) -> None:
        self._api.latency = seconds

    def _ids(self, type: str, archived: bool = True) -> list[str]:
        return self._api.workspace.ids(type, archived=archived)

    def _expected(self, type: str, id: str) -> dict[str, Any]:
        return self._api.workspace.expected(type, id)
