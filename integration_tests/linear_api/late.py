"""Rows that are committed after they were stamped, as Linear's are.

Recorded: a comment's `updatedAt` is 15 to 200 ms before its `createdAt`, an issue's `addedToTeamAt` 320 to
380 ms after its `updatedAt`. So a row is stamped first and can be seen later.
"""

from __future__ import annotations

import bisect
import math
import random
from dataclasses import dataclass, field
from typing import Any

from .clock import to_milliseconds, to_text

CREATED_AFTER_UPDATED = (15, 200)  # milliseconds, of a comment
ADDED_TO_TEAM_AFTER_UPDATED = (320, 380)  # milliseconds, of an issue


@dataclass(order=True)
class Pending:
    """A change that is stamped and not yet to be seen."""

    due: int  # UTC epoch milliseconds
    number: int
    type_name: str = field(compare=False)
    row_id: str = field(compare=False)
    values: dict[str, Any] = field(compare=False)
    is_new: bool = field(compare=False)

    @property
    def visible_at(self) -> str:
        """When it can be seen."""
        return to_text(self.due)


class Late:
    """How late changes are committed, the same for the same seed and history.

    Args:
        seed: of the delays.
        shortest: seconds from the stamp to the commit, at least.
        longest: at most; short delays are as likely as long ones.
    """

    def __init__(self, seed: int = 0, shortest: float = 0.02, longest: float = 30.0) -> None:
        if not 0 < shortest <= longest:
            raise ValueError("shortest must be above 0, and longest not below it")
        self._random = random.Random(f"{seed}:late")
        self._shortest, self._longest = math.log(shortest), math.log(longest)
        self._queue: list[Pending] = []
        self._number = 0
        self._together: int | None = None

    @property
    def pending(self) -> list[Pending]:
        """What is not yet to be seen, in the order in which it will be."""
        return list(self._queue)

    def stamp(self, type_name: str, own: dict[str, Any], now: int) -> None:
        """Give a new row the stamps that Linear sets at other moments than `updatedAt`."""
        if type_name == "Comment":
            own.setdefault("updatedAt", to_text(now))
            own.setdefault("createdAt", to_text(now + self._random.randint(*CREATED_AFTER_UPDATED)))
        elif type_name == "Issue":
            own.setdefault("updatedAt", to_text(now))
            own.setdefault("addedToTeamAt", to_text(now + self._random.randint(*ADDED_TO_TEAM_AFTER_UPDATED)))

    def delay(self) -> int:
        """Milliseconds from a stamp to its commit."""
        seconds = math.exp(self._random.uniform(self._shortest, self._longest))
        return round(seconds * 1000)

    def add(self, type_name: str, row_id: str, values: dict[str, Any], now: int, *, is_new: bool) -> None:
        """Queue a change: no row is seen before the rows that it refers to, nor before its own stamps."""
        due = now + (self.delay() if self._together is None else self._together)
        ids = {row_id, *_texts(values)}
        stamps = (values.get(name) for name in ("createdAt", "addedToTeamAt") if is_new)
        moments = [to_milliseconds(stamp) for stamp in stamps if stamp is not None]
        due = max([due, *moments, *(one.due for one in self._queue if one.row_id in ids)])
        self._number += 1
        bisect.insort(self._queue, Pending(due, self._number, type_name, row_id, values, is_new))

    def at_once(self, together: bool) -> None:
        """Let what follows be committed at one moment, as a bulk operation is; or no longer."""
        self._together = self.delay() if together else None

    def new_row(self, type_name: str, row_id: str) -> Pending | None:
        """The change that will make a row."""
        for one in self._queue:
            if one.is_new and (one.type_name, one.row_id) == (type_name, row_id):
                return one
        return None

    def due(self, now: int | None) -> list[Pending]:
        """Take what can be seen by now; everything without a moment."""
        count = len(self._queue)
        if now is not None:
            count = bisect.bisect_right(self._queue, now, key=lambda one: one.due)
        taken, self._queue = self._queue[:count], self._queue[count:]
        return taken

    def last_due(self, row_id: str) -> int | None:
        """When all of a row's changes can be seen; None where none are pending."""
        return max((one.due for one in self._queue if one.row_id == row_id), default=None)


def _texts(values: dict[str, Any]) -> set[str]:
    found: set[str] = set()
    for value in values.values():
        if isinstance(value, str):
            found.add(value)
        elif isinstance(value, list):
            found.update(one for one in value if isinstance(one, str))
    return found
