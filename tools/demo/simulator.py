"""The simulator of Linear's API as the demo's workspace, with people who work in it.

The simulator forgets everything when it ends, and the next run must find the same workspace a
while later. From size, seed and moment it makes the same rows again; the demo remembers those and
every change since, and has the changes made again in their order.
"""

import hashlib
import random
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from tools.demo.errors import DemoError
from tools.demo.processes import ROOT, running
from tools.simulator import MODULE, Refused, Simulator

_SEED = "1"
_MOVED, _PLANNED, _COMMENTS, _ARCHIVED = 12, 4, 6, 3  # issues and comments that a round touches
_LAST_PEOPLE = 3  # somebody has to do the work
_TITLES = ("Keep the sidebar open", "Login loops on Safari", "Export as CSV", "Flaky deploy job")
_DATES = ("startedAt", "completedAt", "canceledAt")
_DATE_OF = {"started": "startedAt", "completed": "completedAt", "canceled": "canceledAt"}

Order = dict[str, Any]


@dataclass(frozen=True)
class Round:
    """What people did between two runs.

    Attributes:
        at: the moment of it, ISO 8601.
        orders: what the simulator is told to do, in its control channel's words.
        news: the same in a sentence.
    """

    at: str
    orders: list[Order]
    news: str


class DemoSimulator(Simulator):
    """A simulator, in the demo's words."""

    def order(self, op: str, **details: Any) -> Any:
        """Have the simulator do something; returns its answer.

        Raises:
            DemoError: it refuses.
        """
        try:
            return super().order(op, **details)
        except Refused as refused:
            raise DemoError(f"The simulator of Linear's API refused to {op}: {refused}") from None

    def rows(self, type_name: str) -> list[dict[str, Any]]:
        """The rows of a type that are not archived."""
        return [self.row(type_name, row_id) for row_id in self.ids(type_name)]

    def row(self, type_name: str, row_id: str) -> dict[str, Any]:
        """A row."""
        row: dict[str, Any] = self.order("expected", type=type_name, id=row_id)
        return row

    def ids(self, type_name: str) -> list[str]:
        """The ids of the rows of a type that are not archived."""
        ids: list[str] = self.order("ids", type=type_name, archived=False)
        return ids

    def requests(self) -> int:
        """How many requests it has answered."""
        return int(self.order("summary")["requests"])

    def play(self, changes: Round) -> None:
        """Have a round's changes made, at their moment."""
        self.order("clock", set=changes.at)
        for details in changes.orders:
            self.order(**details)

    def go_on(self) -> None:
        """Let time run on, from after everything that has happened."""
        # Its `Date` header, which bounds a sync, knows whole seconds: one more is past them all.
        self.order("clock", set=now(), advance=1, run=True)


@contextmanager
def simulator(issues: int, moment: str) -> Iterator[DemoSimulator]:
    """Run a simulator with the workspace that was made at a moment; its time stands still."""
    arguments = ["--issues", str(issues), "--seed", _SEED, "--now", moment, "--port", "0"]
    with running(MODULE, *arguments) as process:
        line = next(process.lines(), None)
        if line is None:
            raise DemoError(f"The simulator of Linear's API did not start. {process.complaint()}")
        yield DemoSimulator(orjson.loads(line))


def next_round(workspace: DemoSimulator, number: int) -> Round:
    """What people do next; nothing is done yet.

    Args:
        workspace: where they do it.
        number: how many rounds there were before: each is another.
    """
    rng = random.Random(number)
    moment = now()
    issues = workspace.ids("Issue")
    chosen = rng.sample(issues, min(len(issues), _MOVED + _ARCHIVED))
    archived, moved = chosen[:_ARCHIVED], [workspace.row("Issue", i) for i in chosen[_ARCHIVED:]]
    people = [row for row in workspace.rows("User") if row["active"] and not row["isMe"]]
    states = workspace.rows("WorkflowState")
    projects = workspace.rows("Project")

    orders: list[Order] = []
    for issue in moved:
        others = [state for state in states if state["teamId"] == issue["teamId"]]
        others = [state for state in others if state["id"] != issue["stateId"]]
        orders += _move(workspace, issue, rng.choice(others), rng.choice(people)["id"], moment)
    running = {row["teamId"]: row["id"] for row in workspace.rows("Cycle") if row["isActive"]}
    for issue in moved[:_PLANNED]:
        if cycle := running.get(issue["teamId"]):
            orders += _plan(workspace, issue, cycle, rng.choice(people)["id"], moment)
    for title in _TITLES:
        team = rng.choice(moved)["teamId"]
        state = next(row["id"] for row in states if (row["teamId"], row["type"]) == (team, "unstarted"))
        fields = {"title": title, "teamId": team, "stateId": state, **dict.fromkeys(_DATES)}
        created = _create("Issue", {**fields, "creatorId": rng.choice(people)["id"]})
        span = {"issueId": created["fields"]["id"], "stateId": state, "startedAt": moment, "endedAt": None}
        orders += [created, _create("IssueStateSpan", span)]
    for issue in rng.choices(moved, k=_COMMENTS):
        fields = {"issueId": issue["id"], "userId": rng.choice(people)["id"], "body": "On it."}
        orders.append(_create("Comment", fields))
    orders += [{"op": "archive", "type": "Issue", "id": issue} for issue in archived]
    news = [
        f"{len(moved)} issues went to another state, {len(_TITLES)} were created and "
        f"{len(archived)} archived",
        f"{_PLANNED} came into the running cycles or left them",
        f"{_COMMENTS} comments were written",
    ]
    if projects:
        project = rng.choice(projects)
        orders.append({"op": "archive", "type": "Project", "id": project["id"]})
        news.append(f"the project “{project['name']}” was archived")
    if len(people) > _LAST_PEOPLE:
        leaver = rng.choice(people)
        orders.append(_update("User", leaver["id"], {"active": False}))
        news.append(f"the user {leaver['name']} was disabled")
    return Round(moment, orders, "; ".join(news) + ".")


def version() -> str:
    """Of the simulator's own files: when it changes, the same seed may make another workspace."""
    digest = hashlib.sha256()
    for file in sorted((ROOT / MODULE.replace(".", "/")).glob("*.*")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def now(earlier: timedelta = timedelta()) -> str:
    """This moment, or one so much earlier, as Linear writes it."""
    return (datetime.now(UTC) - earlier).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _move(
    workspace: DemoSimulator, issue: Mapping[str, Any], state: Mapping[str, Any], actor: str, moment: str
) -> list[Order]:
    """An issue goes to another state, with the traces that this leaves in Linear."""
    fields: dict[str, Any] = {"stateId": state["id"], **dict.fromkeys(_DATES)}
    if state["type"] in _DATE_OF:
        fields["startedAt"] = issue["startedAt"] or moment
        fields[_DATE_OF[state["type"]]] = moment
    span = {"issueId": issue["id"], "stateId": state["id"], "startedAt": moment, "endedAt": None}
    entry = {
        **_blank(workspace, "IssueHistory"),
        "issueId": issue["id"],
        "actorId": actor,
        "fromStateId": issue["stateId"],
        "toStateId": state["id"],
    }
    return [
        _update("Issue", issue["id"], fields),
        *(_update("IssueStateSpan", i, {"endedAt": moment}) for i in issue["stateHistoryIds"][:1]),
        _create("IssueStateSpan", span),
        _create("IssueHistory", entry),
    ]


def _plan(
    workspace: DemoSimulator, issue: Mapping[str, Any], cycle: str, actor: str, moment: str
) -> list[Order]:
    """An issue comes into the running cycle, or leaves it."""
    to = None if issue["cycleId"] == cycle else cycle
    entry = {
        **_blank(workspace, "IssueHistory"),
        "issueId": issue["id"],
        "actorId": actor,
        "fromCycleId": issue["cycleId"],
        "toCycleId": to,
    }
    fields = {"cycleId": to, "addedToCycleAt": moment if to else None}
    return [_update("Issue", issue["id"], fields), _create("IssueHistory", entry)]


def _blank(workspace: DemoSimulator, type_name: str) -> dict[str, None]:
    """Fields of a type as null, which the simulator would think something up for."""
    row = workspace.row(type_name, workspace.ids(type_name)[0])
    kept = {"id", "createdAt", "updatedAt"}
    return {name: None for name, value in row.items() if not (name in kept or type(value) is list)}


def _update(type_name: str, row_id: str, fields: Mapping[str, Any]) -> Order:
    return {"op": "update", "type": type_name, "id": row_id, "fields": fields}


def _create(type_name: str, fields: Mapping[str, Any]) -> Order:
    return {"op": "create", "type": type_name, "fields": {"id": str(uuid.uuid4()), **fields}}
