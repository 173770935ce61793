"""What was done in a generated workspace, written down as it was done."""

from dataclasses import dataclass, field
from typing import Any

At = tuple[int, Any]  # since a moment, a value


@dataclass
class Life:
    """What an issue was since when, each list in order.

    Attributes:
        created: when.
        spans: the ids of the spans of its states.
        gone: since when it is in the trash.
        archived: since when it is archived.
    """

    created: int
    states: list[At]
    teams: list[At]
    assignees: list[At]
    estimates: list[At]
    projects: list[At]
    spans: list[str]
    cycles: list[At] = field(default_factory=list)
    gone: int | None = None
    archived: int | None = None

    def at(self, name: str, moment: int) -> Any:
        """What it was when a moment had passed; None before."""
        value = None
        for since, then in getattr(self, name):
            if since <= moment:
                value = then
        return value


@dataclass
class Outcome:
    """A cycle: by what became of an issue, the issues, each with its points of that moment."""

    committed: dict[str, float] = field(default_factory=dict)
    added: dict[str, float] = field(default_factory=dict)
    removed: dict[str, float] = field(default_factory=dict)
    completed: dict[str, float] = field(default_factory=dict)
    canceled: dict[str, float] = field(default_factory=dict)
    carried_over: dict[str, float] = field(default_factory=dict)
    remaining: dict[str, float] = field(default_factory=dict)


@dataclass
class Diary:
    """All of it: lives by issue, outcomes by cycle."""

    lives: dict[str, Life] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
