"""A history as a plan: what happens to a workspace and its copy, drawn by a seed; cut down where it fails."""

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from unit_tests.world.linear import ALWAYS, FAILS, NULL, OUTAGE, POISON, Faults

KINDS = ("windowed", "swept", "feed", "child")
STREAMS: Mapping[str, tuple[str, ...]] = {
    "windowed": ("comments", "issues", "attachments", "documents"),
    "swept": (
        "issue_labels",
        "projects",
        "team_memberships",
        "templates",
        "users",
        "entity_external_links",
        "project_history",
    ),
    "feed": ("issue_relations", "agent_sessions"),
    "child": ("issue_history", "issue_state_spans"),
}
_CHANGES = ("create", "update", "update", "archive", "restore", "purge", "hide", "show", "import")
_RARE = ("trash", "wave", "odd", "refuse", "give back")
_TURNS = ("viewer", "team_keys", "start_date", "clear")


@dataclass(frozen=True)
class Change:
    """Something that a user does; `pick`, from 0 to 1, says to which row; `late` when it becomes visible."""

    kind: str
    pick: float
    late: int = 0


@dataclass(frozen=True)
class Wait:
    """Time passes."""

    seconds: int


@dataclass(frozen=True)
class Turn:
    """The connection changes.

    Another `viewer`, other `team_keys`, another `start_date`; all is cleared (`clear`), or the last states
    are lost, as from a backup (`restore`).
    """

    kind: str


@dataclass(frozen=True)
class Sync:
    """A sync.

    Attributes:
        seed: decides the faults' moments, what changes meanwhile, and the order of the workers.
        kill: after how many messages it is killed; None for not at all.
        busy: how probable a change is before each answer.
        walks: whether long lists are walked; without meaning in a history that walks them daily.
        behind: by how many seconds Linear's clock is behind.
        faults: what goes wrong.
        lost: how many of its states are lost, though the rows arrived.
    """

    seed: int
    kill: int | None = None
    busy: float = 0
    walks: bool = True
    behind: int = 0
    faults: Faults = field(default_factory=Faults)
    lost: int = 0


Step = Change | Wait | Turn | Sync


@dataclass(frozen=True)
class Plan:
    """A history.

    Attributes:
        seed: decides ids, and the rows that are there before.
        streams: what is read.
        rows: how many rows of each there are before.
        archived_rows: the option.
        others: whether it begins with a state of another connector: a cursor alone, and all rows before it.
        steps: what happens.
        daily: whether long lists are walked once a day, whatever its syncs say.
    """

    seed: int
    streams: tuple[str, ...]
    rows: int
    archived_rows: str
    others: bool
    steps: tuple[Step, ...]
    daily: bool = False

    def __str__(self) -> str:
        head = f"seed {self.seed}: {', '.join(self.streams)}; {self.rows} rows; {self.archived_rows}"
        head += "; daily" if self.daily else ""
        return "\n  ".join([head + ("; a state of others" if self.others else ""), *map(str, self.steps)])


def plan(seed: int, kind: str = "", loses_states: bool = False) -> Plan:
    """Draw a history.

    Args:
        seed: decides it.
        kind: of which kind its first stream is; else each has its turn.
        loses_states: whether states are lost and restored, too.
    """
    rng = random.Random(f"history {seed}")
    kind = kind or KINDS[seed % len(KINDS)]
    streams = [rng.choice(STREAMS[kind])]
    if rng.random() < 0.15:
        other = rng.choice([one for some in STREAMS.values() for one in some])
        streams += [other] if other not in streams else []
    is_stale, is_bulk = rng.random() < 0.1, rng.random() < 0.2
    latest = (0, 0, 0, 1, 20) if is_stale else (0, 0, 0, 1, 20, 59)
    every, coarse = rng.choice((1, 1, 4)), rng.choice((0, 0, 0, 1))

    def changes(number: int) -> list[Change]:
        kinds = [rng.choice(_RARE if rng.random() < 0.08 else _CHANGES) for _ in range(number)]
        return [Change(one, rng.random(), rng.choice(latest)) for one in kinds]

    steps: list[Step] = []
    for number in range(rng.choice((2, 4, 7))):
        steps += changes(rng.choice((0, 2, 6, 12)) * (4 if is_bulk else 1))
        steps.append(Wait(rng.choice((0, 5, 70, 4000, 90_000))))
        steps.append(
            Sync(
                seed=rng.getrandbits(32),
                kill=rng.choice((None, None, rng.randrange(0, 30))),
                busy=rng.choice((0, 0.3, 0.8)),
                walks=number % every == 0,
                behind=rng.choice((0, 0, 10, 200)) if coarse else 0,
                faults=_faults(rng, is_stale),
                lost=rng.choice((0, 1, 2)) if loses_states else 0,
            )
        )
        steps += changes(rng.choice((0, 0, 3)))
        if rng.random() < 0.12:
            steps.append(Turn(rng.choice((*_TURNS, "restore", "restore") if loses_states else _TURNS)))
    return Plan(
        seed,
        tuple(streams),
        rng.choice((0, 5, 30, 80)),
        rng.choice(("flag", "flag", "delete")),
        rng.random() < 0.1,
        tuple(steps),
        random.Random(f"daily {seed}").random() < 0.3,
    )


def _faults(rng: random.Random, is_stale: bool) -> Faults:
    found = Faults(stale=0.3 if is_stale else 0)
    for fault in rng.choice(((), (), ("blind",), ("short",), ("absent",), ("blind", "short"), ("other",))):
        if fault == "other":
            found = replace(found, **_other(rng))
        else:
            found = replace(found, **{fault: {"blind": 0.2, "short": 0.1, "absent": 0.5}[fault]})
    return found


def _other(rng: random.Random) -> dict[str, Any]:
    return rng.choice(
        (
            {"cut": 0.3},
            {"ends": 0.3},
            {"limited": 0.05},
            {"forgets": True},
            {"failing": {"*": OUTAGE}, "together": True},
            {"failing": {"*": "FORBIDDEN"}, "together": True},
        )
    )


REFUSED = (NULL, FAILS, POISON, ALWAYS)


def shortest(history: Plan, fails: Callable[[Plan], bool]) -> Plan:
    """The shortest history found that still fails: steps are left out, then what makes a sync hard.

    Args:
        history: one that fails.
        fails: whether one does.
    """
    size = max(1, len(history.steps) // 2)
    while size:
        at = 0
        while at < len(history.steps):
            shorter = replace(history, steps=history.steps[:at] + history.steps[at + size :])
            if fails(shorter):
                history = shorter
            else:
                at += size
        size //= 2
    for simpler in (
        {"streams": history.streams[:1]},
        {"streams": history.streams[1:]},
        {"archived_rows": "flag"},
        {"others": False},
        *({"rows": rows} for rows in (0, 1, 5)),
    ):
        if simpler.get("streams", True) and fails(shorter := replace(history, **simpler)):
            history = shorter
    for at, step in enumerate(history.steps):
        for simpler in _simpler(step):
            steps: Sequence[Step] = (*history.steps[:at], simpler, *history.steps[at + 1 :])
            if fails(shorter := replace(history, steps=tuple(steps))):
                history = shorter
    return history


def _simpler(step: Step) -> list[Step]:
    if isinstance(step, Change):
        return [replace(step, late=0)]
    if isinstance(step, Sync):
        easier: list[dict[str, Any]] = [{"kill": None}, {"busy": 0.0}, {"behind": 0}, {"faults": Faults()}]
        return [replace(step, **one) for one in easier]
    return []


def happened(history: Plan) -> Counter[str]:
    """What happens in a history, besides what changes while it is synced."""
    found: Counter[str] = Counter()
    for step in history.steps:
        if isinstance(step, Change | Turn):
            found[step.kind] += 1
        elif isinstance(step, Sync):
            faults = {one.name for one in fields(Faults) if getattr(step.faults, one.name)}
            said = {
                "kill": step.kill is not None,
                "busy": step.busy,
                "behind": step.behind,
                "lost": step.lost,
            }
            found.update(["sync", *faults, *(name for name, is_so in said.items() if is_so)])
    return found
