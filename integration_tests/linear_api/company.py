"""What the company of a generated workspace does with its issues, and a diary of it.

People plan cycles, put issues in and take them out, estimate anew, reopen; Linear carries over what is open
when a cycle ends. Each act leaves in the rows what it leaves in Linear, and a line in the diary: what a cycle
began with and what became of its issues is written down as it is done.
"""

from __future__ import annotations

import random
from typing import Any, Protocol

from .clock import to_milliseconds, to_text
from .defaults import DAY
from .diary import Diary, Life, Outcome
from .workspace import Workspace

MINUTE, HOUR = 60_000, 3_600_000
_CLOSED = ("completed", "canceled", "duplicate")


class Generator(Protocol):
    """What the company needs of the generator."""

    workspace: Workspace
    diary: Diary
    now: int
    cycles: dict[str, list[tuple[int, int, str]]]
    states: dict[str, dict[str, list[str]]]
    users: list[str]

    @property
    def blank_entry(self) -> dict[str, Any]: ...

    def make(
        self, type_name: str, created: int | None = ..., updated: int | None = ..., **own: Any
    ) -> str: ...


class Company:
    """The people, with dice of their own: what else is drawn of a seed does not depend on them."""

    def __init__(self, world: Generator) -> None:
        self._world = world
        self._rows = world.workspace.rows
        self._rng = random.Random(f"{world.workspace.seed} company")
        self._outcomes = world.diary.outcomes
        self._closings: dict[str, int] = {}
        self._left_over: dict[str, list[str]] = {}

    def work(self) -> None:
        """Do all that was done to the issues that there are."""
        for cycles in self._world.cycles.values():
            for _, ends, cycle in cycles:
                self._outcomes[cycle] = Outcome()
                if ends <= self._world.now:
                    closing = ends + self._rng.randrange(1, 6) * MINUTE
                    self._closings[cycle] = closing = min(self._world.now, closing)
                    row = self._rows["Cycle"][cycle]
                    row["completedAt"] = to_text(closing)
                    row["updatedAt"] = max(row["updatedAt"], row["completedAt"])
        for issue, life in self._world.diary.lives.items():
            self._reopen(issue, life)
            self._estimate_anew(issue, life)
            self._plan(issue, life)
            self._breach(issue, life)
        for cycle, issues in self._left_over.items():
            self._rows["Cycle"][cycle]["uncompletedIssuesUponCloseIds"] = issues

    def settle(self) -> None:
        """After archivings: what is in the trash has left its cycle; Linear's series say what happened."""
        for issue, life in self._world.diary.lives.items():
            row = self._rows["Issue"][issue]
            if row["archivedAt"] is None:
                continue
            at = to_milliseconds(row["archivedAt"])
            if row["trashed"]:
                own = {**self._world.blank_entry, "issueId": issue, "trashed": True}
                self._world.make("IssueHistory", at, at, **own)
            life.archived, life.gone = (None, at) if row["trashed"] else (at, None)
            cycle = life.at("cycles", at)
            if cycle is None or cycle in self._closings:
                continue
            outcome = self._outcomes[cycle]
            if row["trashed"]:
                for became in (outcome.completed, outcome.canceled, outcome.remaining):
                    became.pop(issue, None)
                outcome.removed[issue] = self._points(life, at)
            elif issue in outcome.remaining:
                outcome.canceled[issue] = outcome.remaining.pop(issue)
        members: dict[tuple[str, str], list[Life]] = {}
        for life in self._world.diary.lives.values():
            for name in ("cycles", "projects"):
                for value in {value for _, value in getattr(life, name)} - {None}:
                    members.setdefault((name, value), []).append(life)
        for cycles in self._world.cycles.values():
            for starts, ends, cycle in cycles:
                until = min(ends, self._closings.get(cycle, self._world.now))
                moments = list(range(starts + DAY, until + 1, DAY))
                self._series("Cycle", cycle, "cycles", members.get(("cycles", cycle), []), moments, until)
        for project, row in self._rows["Project"].items():
            moments = list(range(to_milliseconds(row["createdAt"]) + 7 * DAY, self._world.now, 7 * DAY))
            lives = members.get(("projects", project), [])
            self._series("Project", project, "projects", lives, moments, self._world.now)

    # --- what people do ---------------------------------------------------------------------

    def _reopen(self, issue: str, life: Life) -> None:
        """Some completed issues come back, and most of those are completed again."""
        done_at, done = before = life.states[-1]
        again = done_at + self._rng.randrange(DAY, 12 * DAY)
        if self._kind(done) != "completed" or self._rng.random() > 0.12 or again >= self._world.now:
            return
        row = self._rows["Issue"][issue]
        moves = [(again, self._world.states[row["teamId"]]["started"][0])]
        if (ended := again + self._rng.randrange(DAY // 2, 9 * DAY)) < self._world.now:
            moves.append((ended, done))
        for at, state in moves:
            self._rows["IssueStateSpan"][life.spans[-1]]["endedAt"] = to_text(at)
            span = {"issueId": issue, "stateId": state, "startedAt": to_text(at), "endedAt": None}
            life.spans.append(self._world.make("IssueStateSpan", at, at, **span))
            life.states.append((at, state))
            self._entry(issue, at, self._person(), fromStateId=before[1], toStateId=state)
            before = at, state
        row["stateId"] = before[1]
        row["completedAt"] = to_text(before[0]) if before[1] == done else None

    def _estimate_anew(self, issue: str, life: Life) -> None:
        at = life.created + self._rng.randrange(DAY, 60 * DAY)
        if self._rng.random() > 0.1 or at >= self._world.now or at <= life.estimates[-1][0]:
            return
        earlier, later = life.estimates[-1][1], self._rng.choice((1.0, 2.0, 5.0, 8.0))
        if earlier != later:
            life.estimates.append((at, later))
            self._rows["Issue"][issue]["estimate"] = later
            self._entry(issue, at, self._person(), fromEstimate=earlier, toEstimate=later)

    def _plan(self, issue: str, life: Life) -> None:
        """An issue that is worked on in a cycle is put into it, and stays there or not."""
        row = self._rows["Issue"][issue]
        row["cycleId"] = row["addedToCycleAt"] = None
        ended, state = life.states[-1]
        if self._kind(state) in ("triage", "backlog"):
            return
        if self._kind(state) not in _CLOSED:
            ended = self._world.now
        elif self._kind(life.states[0][1]) in _CLOSED:
            return
        cycles = self._world.cycles[row["teamId"]]
        place = next((n for n, (starts, ends, _) in enumerate(cycles) if starts <= ended < ends), -1)
        # Most are done in the cycle for which they were planned; some were planned for an earlier one.
        place -= self._rng.choices((0, 1, 2), (70, 22, 8))[0]
        if (
            place < 0
            or cycles[place][1] <= life.created
            or self._rng.random() > (0.7 if ended < self._world.now else 0.3)
        ):
            return
        starts, ends, cycle = cycles[place]
        planned = starts - self._rng.randrange(HOUR, 3 * DAY)
        if life.created < planned and self._rng.random() < 0.7:
            self._enter(issue, life, planned, cycle, self._person())
            self._outcomes[cycle].committed[issue] = self._points(life, starts)
        else:
            earliest, latest = max(life.created, starts + HOUR), min(ended, ends - HOUR)
            if earliest >= latest:
                return
            at = self._rng.randrange(earliest, latest)
            self._enter(issue, life, at, cycle, self._person())
            self._outcomes[cycle].added[issue] = self._points(life, at)
        while cycle in self._closings:
            starts, ends, cycle = cycles[place]
            outcome, closing = self._outcomes[cycle], self._closings[cycle]
            out = max(starts, life.cycles[-1][0]) + self._rng.randrange(HOUR, 13 * DAY)
            if self._rng.random() < 0.08 and out < ends and self._kind(life.at("states", out)) not in _CLOSED:
                outcome.removed[issue] = self._points(life, out)
                self._enter(issue, life, out, None, self._person())
                return
            kind = self._kind(life.at("states", closing))
            became = {"completed": outcome.completed, "canceled": outcome.canceled}.get(
                kind, outcome.carried_over
            )
            became[issue] = self._points(life, closing)
            if became is not outcome.carried_over:
                return
            self._left_over.setdefault(cycle, []).append(issue)
            place += 1
            cycle = cycles[place][2]
            carried = min(self._world.now, closing + self._rng.randrange(1, 90 * MINUTE))
            self._enter(issue, life, carried, cycle, None)
            self._outcomes[cycle].committed[issue] = self._points(life, carried)
        outcome, kind = self._outcomes[cycle], self._kind(life.states[-1][1])
        became = {"completed": outcome.completed, "canceled": outcome.canceled}.get(kind, outcome.remaining)
        became[issue] = self._points(life, self._world.now)

    def _breach(self, issue: str, life: Life) -> None:
        """Linear writes down when an SLA is breached."""
        row = self._rows["Issue"][issue]
        if row["slaBreachesAt"] is None:
            return
        at = to_milliseconds(row["slaBreachesAt"])
        if at < self._world.now and self._kind(life.at("states", at)) not in _CLOSED:
            self._entry(issue, at, None, fromSlaBreached=False, toSlaBreached=True)

    # --- how it is written down -------------------------------------------------------------

    def _enter(self, issue: str, life: Life, at: int, cycle: str | None, actor: str | None) -> None:
        earlier = life.cycles[-1][1] if life.cycles else None
        life.cycles.append((at, cycle))
        row = self._rows["Issue"][issue]
        row["cycleId"], row["addedToCycleAt"] = cycle, to_text(at) if cycle else None
        if at > life.created:
            self._entry(issue, at, actor, fromCycleId=earlier, toCycleId=cycle)

    def _entry(self, issue: str, at: int, actor: str | None, **changes: Any) -> None:
        own = {**self._world.blank_entry, "issueId": issue, "actorId": actor, **changes}
        self._world.make("IssueHistory", at, at, **own)
        row = self._rows["Issue"][issue]
        row["updatedAt"] = max(row["updatedAt"], to_text(at))

    def _series(
        self, kind: str, row_id: str, name: str, lives: list[Life], moments: list[int], until: int
    ) -> None:
        def count(at: int) -> tuple[list[float], list[float]]:
            """Issues and points: all, completed, started."""
            issues, points = [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]
            for life in lives:
                if life.at(name, at) != row_id or (life.gone and life.gone <= at):
                    continue
                state = self._kind(life.at("states", at))
                worth = self._points(life, at)
                for place, holds in enumerate((True, state == "completed", state == "started")):
                    issues[place] += holds
                    points[place] += worth * holds
            return issues, points

        told = [count(at) for at in moments]
        total, done, running = count(until)[1]
        self._rows[kind][row_id].update(
            issueCountHistory=[issues[0] for issues, _ in told],
            completedIssueCountHistory=[issues[1] for issues, _ in told],
            scopeHistory=[points[0] for _, points in told],
            completedScopeHistory=[points[1] for _, points in told],
            inProgressScopeHistory=[points[2] for _, points in told],
            progress=(done + running / 4) / total if total else 0.0,
            **({"scope": total} if kind == "Project" else {}),
        )

    def _points(self, life: Life, at: int) -> float:
        """As Linear counts them: an issue without estimate is its team's default."""
        estimate = life.at("estimates", at)
        return float(
            self._rows["Team"][life.at("teams", at)]["defaultIssueEstimate"] if estimate is None else estimate
        )

    def _kind(self, state: str) -> str:
        return str(self._rows["WorkflowState"][state]["type"])

    def _person(self) -> str:
        return self._world.users[self._rng.randrange(len(self._world.users))]
