"""A small workspace of which it is known what every model must say: each issue is there for a rule.

Days are of 2026. Cycles of Engineering run from Monday to Monday, 00:00 UTC, two weeks each; the fourth has
not begun.
"""
# ruff: noqa: E501

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

AS_OF = "2026-02-10T12:00:00.000Z"
Row = dict[str, Any]

STATES = {
    "triage": ("Triage", "triage"),
    "backlog": ("Backlog", "backlog"),
    "todo": ("Todo", "unstarted"),
    "doing": ("In Progress", "started"),
    "review": ("In Review", "started"),
    "done": ("Done", "completed"),
    "canceled": ("Canceled", "canceled"),
    "ops todo": ("Todo", "unstarted"),
    "ops doing": ("In Progress", "started"),
}
_FIELDS = {
    "cycle": "Cycle",
    "estimate": "Estimate",
    "assignee": "Assignee",
    "team": "Team",
    "project": "Project",
}


def moment(text: str) -> str:
    """`01-05` or `01-05 12:30` as Linear writes it."""
    day, _, time = text.partition(" ")
    return f"2026-{day}T{time or '00:00'}:00.000Z"


@dataclass
class Issue:
    """What happened to an issue, in order.

    Attributes:
        name: its id and identifier.
        created: when.
        states: the moments at which it came into states; the first is its creation.
        changes: (moment, field, from, to, who) of its history.
        values: of its fields now, where they are not null.
        stale: spans that Linear has taken back.
    """

    name: str
    created: str
    states: list[tuple[str, str]]
    changes: list[tuple[str, str, Any, Any, str | None]] = field(default_factory=list)
    values: Row = field(default_factory=dict)
    stale: list[tuple[str, str, str | None]] = field(default_factory=list)
    team: str = "ENG"

    def row(self) -> Row:
        last = max([at for at, _ in self.states] + [change[0] for change in self.changes])
        kind = STATES[self.states[-1][1]][1]
        times = {
            k: [at for at, state in self.states if STATES[state][1] == k]
            for k in ("started", "completed", "canceled")
        }
        row = {
            "id": self.name,
            "identifier": self.name,
            "title": f"Issue {self.name}",
            "createdAt": moment(self.created),
            "updatedAt": moment(last),
            "teamId": self.team,
            "stateId": self.states[-1][1],
            "startedAt": moment(times["started"][0]) if times["started"] else None,
            "completedAt": moment(times["completed"][-1]) if kind == "completed" else None,
            "canceledAt": moment(times["canceled"][-1]) if kind == "canceled" else None,
            "labelIds": [],
            "isArchived": False,
        }
        for _, name, _, to, _ in self.changes:
            if name in _FIELDS:
                row["estimate" if name == "estimate" else f"{name}Id"] = to
                if name == "cycle":
                    row["addedToCycleAt"] = None
        return {**row, **self.values}

    def spans(self) -> Iterable[Row]:
        row = self.row()
        of = {"issueId": self.name, "issueUpdatedAt": row["updatedAt"], "isArchived": False}
        ends = [at for at, _ in self.states[1:]] + [None]
        for number, ((at, state), end) in enumerate(zip(self.states, ends, strict=True)):
            yield {
                **of,
                "id": f"{self.name}/{number}",
                "stateId": state,
                "startedAt": moment(at),
                "endedAt": end and moment(end),
            }
        for number, (state, at, end) in enumerate(self.stale):
            yield {
                **of,
                "id": f"{self.name}/stale{number}",
                "stateId": state,
                "startedAt": moment(at),
                "endedAt": end and moment(end),
                "issueUpdatedAt": moment(self.created),
            }

    def history(self) -> Iterable[Row]:
        of = {"issueId": self.name, "isArchived": False}
        for number, (before, after) in enumerate(zip(self.states, self.states[1:], strict=False)):
            at = moment(after[0])
            entry = {"id": f"{self.name}:s{number}", "createdAt": at, "updatedAt": at, "actorId": "ada"}
            yield {**of, **entry, "fromStateId": before[1], "toStateId": after[1]}
        for number, (at, name, before, after, who) in enumerate(self.changes):
            at = moment(at)
            entry = {"id": f"{self.name}:{number}", "createdAt": at, "updatedAt": at, "actorId": who}
            if name in _FIELDS:
                end = _FIELDS[name] + ("" if name == "estimate" else "Id")
                yield {**of, **entry, f"from{end}": before, f"to{end}": after}
            else:
                yield {**of, **entry, name: after}


C1, C2, C3, C4 = "C1", "C2", "C3", "C4"
LINEAR = None  # who carries over

ISSUES = [
    # Committed, and completed in time.
    Issue(
        "committed", "01-02", [("01-02", "todo"), ("01-06", "doing"), ("01-10", "done")],
        [
            ("01-03", "cycle", None, C1, "ada"),
            ("01-07", "project", None, "app", "ada"),
            ("01-20", "project", "app", None, "ada"),
        ], {"estimate": 3, "assigneeId": "ada", "labelIds": ["bug", "area"]},
    ),
    # Carried over by Linear three minutes after the new cycle began; not estimated.
    Issue(
        "carried", "01-02", [("01-02", "todo"), ("01-20", "doing"), ("01-25", "done")],
        [("01-03", "cycle", None, C1, "ada"), ("01-19 00:03", "cycle", C1, C2, LINEAR)],
        {"assigneeId": "ada", "projectId": "web"},
    ),
    # Came in mid-cycle, carried over, and again more than two hours late.
    Issue(
        "late", "01-07", [("01-07", "todo"), ("01-13", "doing")],
        [
            ("01-12", "cycle", None, C1, "ada"),
            ("01-19 00:03", "cycle", C1, C2, LINEAR),
            ("02-02 02:30", "cycle", C2, C3, LINEAR),
        ],
        {"estimate": 5, "assigneeId": "bob"},
    ),
    # Taken out in the middle.
    Issue(
        "removed", "01-02", [("01-02", "todo")],
        [("01-03", "cycle", None, C1, "ada"), ("01-14", "cycle", C1, None, "ada")], {"estimate": 1},
    ),
    # Completed in time, reopened after the cycle, and completed again; never moved.
    Issue(
        "reopened", "01-02",
        [("01-02", "todo"), ("01-08", "doing"), ("01-15", "done"), ("01-21", "doing"), ("01-28", "done")],
        [("01-04", "cycle", None, C1, "ada"), ("01-20", "assignee", "ada", "bob", "ada")], {"estimate": 2},
    ),
    # Created in the middle of a cycle, in it from the first moment on, and canceled in it; not estimated.
    Issue("canceled", "01-20", [("01-20", "todo"), ("01-22", "canceled")], [], {"cycleId": C2, "addedToCycleAt": moment("01-20")}),
    # Left over in a cycle that ended; a person moved it three days later.
    Issue(
        "moved by hand", "01-21", [("01-21", "backlog"), ("01-30", "todo")],
        [("01-23", "cycle", None, C2, "bob"), ("02-05", "cycle", C2, C3, "bob")], {"estimate": 8},
    ),
    # Estimated anew long after its cycle.
    Issue(
        "estimated anew", "01-02", [("01-02", "todo"), ("01-07", "doing"), ("01-08", "done")],
        [("01-03", "cycle", None, C1, "ada"), ("02-09", "estimate", 3, 13, "ada")],
        {"assigneeId": "bob", "projectId": "app"},
    ),
    # Taken out, and back in before the end: committed all the while.
    Issue(
        "out and in", "01-02", [("01-02", "todo"), ("01-17", "done")],
        [
            ("01-03", "cycle", None, C1, "ada"),
            ("01-09", "cycle", C1, None, "ada"),
            ("01-11", "cycle", None, C1, "ada"),
        ],
        {"estimate": 1},
    ),
    # Completed in the minutes between the end of the cycle and its closing: Linear does not carry it over.
    Issue(
        "in the last minute", "01-02", [("01-02", "todo"), ("01-18", "doing"), ("01-19 00:01", "done")],
        [("01-03", "cycle", None, C1, "ada")], {"estimate": 1},
    ),
    # Planned for the next cycle, and for this one no more.
    Issue(
        "planned", "01-30", [("01-30", "todo")],
        [("01-31", "cycle", None, C3, "ada"), ("02-01", "cycle", C3, C4, "ada")], {"estimate": 2},
    ),
    # In the trash since 8 February, where a past day must not lose it.
    Issue(
        "trashed", "02-03", [("02-03", "todo")], [],
        {"isArchived": True, "trashed": True, "archivedAt": moment("02-08 10:00")},
    ),
    # Archived while it was open, by a person who restored it a week later.
    Issue(
        "restored", "01-05", [("01-05", "backlog")],
        [("01-12", "archived", None, True, "ada"), ("01-26", "archived", None, False, "ada")],
    ),
    # Moved to another team yesterday.
    Issue(
        "other team", "02-02", [("02-02", "todo"), ("02-09", "ops todo")],
        [("02-09", "team", "ENG", "OPS", "ada")], {}, team="OPS",
    ),
    # Linear took back what it had said of its states.
    Issue(
        "taken back", "01-26", [("01-26", "backlog"), ("02-06", "doing")], [], {},
        stale=[("todo", "01-27", "02-03"), ("review", "02-03", None)],
    ),
    # Went back twice, to be reviewed and done at last; paused between.
    Issue(
        "back and forth", "02-02",
        [
            ("02-02", "triage"), ("02-03", "todo"), ("02-04", "doing"), ("02-05", "review"), ("02-06", "doing"),
            ("02-07", "todo"), ("02-08", "review"), ("02-09", "done"),
        ],
        [], {"triagedAt": moment("02-03"), "startedTriageAt": moment("02-02"), "estimate": 3},
    ),
    # SLAs: kept, breached by its date, breached as Linear says, running.
    Issue("kept", "02-02", [("02-02", "todo"), ("02-03", "doing"), ("02-04", "done")], [], {"slaBreachesAt": moment("02-05")}),
    Issue("breached", "02-02", [("02-02", "todo"), ("02-06", "done")], [], {"slaBreachesAt": moment("02-05")}),
    Issue("told", "02-02", [("02-02", "todo")], [("02-05", "toSlaBreached", None, True, None)]),
    Issue("running", "02-02", [("02-02", "todo")], [], {"slaBreachesAt": moment("02-11")}),
]  # fmt: skip


# What Linear says of the first cycle after each of its days: a series of its own each, to be told apart.
SERIES = {
    name: [hundred + 0.5 * number for number in range(1, 15)]
    for hundred, name in (
        (100, "issueCountHistory"),
        (200, "scopeHistory"),
        (300, "inProgressScopeHistory"),
        (400, "completedIssueCountHistory"),
        (500, "completedScopeHistory"),
    )
}


def tables(issues: Iterable[Issue] = ISSUES) -> dict[str, list[Row]]:
    """The rows of each table by Linear's names of columns; of JSON, Python's lists."""
    issues = list(issues)
    team = {"updatedAt": moment("01-01"), "createdAt": moment("01-01"), "isArchived": False}
    bounds = [("01-05", "01-19"), ("01-19", "02-02"), ("02-02", "02-16"), ("02-16", "03-02")]
    cycles = [
        {
            "id": f"C{number}",
            "number": number,
            "teamId": "ENG",
            "createdAt": moment("01-01"),
            "updatedAt": moment("01-01"),
            "startsAt": moment(starts),
            "endsAt": moment(ends),
            "completedAt": moment(f"{ends} 00:02") if number < 3 else None,
            "isArchived": False,
            **{name: SERIES[name] if number == 1 else [] for name in SERIES},
            "uncompletedIssueIdsUponClose": [],
        }
        for number, (starts, ends) in enumerate(bounds, 1)
    ]
    return {
        "teams": [
            {"id": "ENG", "key": "ENG", "name": "Engineering", "defaultIssueEstimate": 2, "timezone": "America/Los_Angeles", **team},
            {
                "id": "OPS", "key": "OPS", "name": "Operations", "defaultIssueEstimate": 7, "parentId": "ENG",
                "inheritIssueEstimation": True, "timezone": "Europe/Berlin", **team,
            },
        ],
        "users": [{"id": name, "name": name.title(), "isArchived": False, **team} for name in ("ada", "bob")],
        "workflow_states": [
            {
                "id": key, "name": name, "type": kind, "position": position,
                "teamId": "OPS" if key.startswith("ops") else "ENG", **team,
            }
            for position, (key, (name, kind)) in enumerate(STATES.items())
        ],
        "issue_labels": [
            {"id": "area", "name": "Area", "isGroup": True, **team},
            {"id": "bug", "name": "Bug", "isGroup": False, "parentId": "area", **team},
        ],
        "projects": [{"id": name, "name": name.title(), **team} for name in ("app", "web")],
        "initiatives": [
            {"id": "growth", "name": "Growth", **team},
            {"id": "mobile", "name": "Mobile", "parentInitiativeId": "growth", **team},
        ],
        "initiative_to_projects": [
            {"id": "1", "initiativeId": "growth", "projectId": "web", **team},
            {"id": "2", "initiativeId": "mobile", "projectId": "app", **team},
        ],
        "customers": [{"id": "acme", "name": "Acme", **team}],
        "customer_needs": [
            {"id": "by issue", "customerId": "acme", "issueId": "estimated anew", "priority": 1, **team},
            {"id": "by project", "customerId": "acme", "projectId": "web", "priority": 0, **team},
        ],
        "cycles": cycles,
        "issues": [issue.row() for issue in issues],
        "issue_state_spans": [span for issue in issues for span in issue.spans()],
        "issue_history": [entry for issue in issues for entry in issue.history()],
    }  # fmt: skip


# --- What is right ----------------------------------------------------------------------------------

# cycle: issues, then points, of what it began with, what came in and went out, and what became of it.
OUTCOMES: Mapping[str, Mapping[str, float]] = {
    "C1": {
        # committed, carried, removed, reopened, estimated anew, out and in, in the last minute; late
        "committed": 7, "added": 1, "removed": 1, "completed": 5, "canceled": 0, "carried_over": 2, "remaining": 0,
        "committed_points": 3 + 2 + 1 + 2 + 3 + 1 + 1, "added_points": 5, "removed_points": 1,
        "completed_points": 3 + 2 + 3 + 1 + 1, "canceled_points": 0, "carried_over_points": 2 + 5, "remaining_points": 0,
        "issues": 8, "points": 18,
    },
    "C2": {
        # carried, late; canceled, moved by hand
        "committed": 2, "added": 2, "removed": 0, "completed": 1, "canceled": 1, "carried_over": 2, "remaining": 0,
        "committed_points": 2 + 5, "added_points": 2 + 8, "removed_points": 0,
        "completed_points": 2, "canceled_points": 2, "carried_over_points": 5 + 8, "remaining_points": 0,
        "issues": 4, "points": 17,
    },
    "C3": {
        # late; moved by hand
        "committed": 1, "added": 1, "removed": 0, "completed": 0, "canceled": 0, "carried_over": 0, "remaining": 2,
        "committed_points": 5, "added_points": 8, "removed_points": 0,
        "completed_points": 0, "canceled_points": 0, "carried_over_points": 0, "remaining_points": 13,
        "issues": 2, "points": 13,
    },
    "C4": {
        "committed": 1, "added": 0, "removed": 0, "completed": 0, "canceled": 0, "carried_over": 0, "remaining": 1,
        "committed_points": 2, "added_points": 0, "removed_points": 0,
        "completed_points": 0, "canceled_points": 0, "carried_over_points": 0, "remaining_points": 2,
        "issues": 1, "points": 2,
    },
}  # fmt: skip

# The first cycle at the end of each day: scope, completed, started issues; scope, completed points.
FIRST_CYCLE = {
    "01-05": (7, 0, 0, 13, 0),
    "01-06": (7, 0, 1, 13, 0),
    "01-07": (7, 0, 2, 13, 0),
    "01-08": (7, 1, 2, 13, 3),
    "01-09": (6, 1, 2, 12, 3),
    "01-10": (6, 2, 1, 12, 6),
    "01-11": (7, 2, 1, 13, 6),
    "01-12": (8, 2, 1, 18, 6),
    "01-13": (8, 2, 2, 18, 6),
    "01-14": (7, 2, 2, 17, 6),
    "01-15": (7, 3, 1, 17, 8),
    "01-16": (7, 3, 1, 17, 8),
    "01-17": (7, 4, 1, 17, 9),
    "01-18": (7, 4, 2, 17, 9),
}

# Open issues of a team at the end of a day.
OPEN = {
    # committed, carried, removed, reopened, estimated anew, out and in, in the last minute
    ("ENG", "01-02"): 7,
    # and restored, late; without estimated anew
    ("ENG", "01-08"): 8,
    # restored is archived, committed is done
    ("ENG", "01-12"): 6,
    # late, removed, reopened again, moved by hand, carried; canceled is open no more
    ("ENG", "01-22"): 5,
    # late, removed, reopened, moved by hand, restored, taken back
    ("ENG", "01-26"): 6,
    # late, removed, moved by hand, restored, taken back, planned, trashed, other team, back and forth, told, running,
    # breached
    ("ENG", "02-05"): 12,
    # the same without breached; trashed goes on this day
    ("ENG", "02-07"): 11,
    ("ENG", "02-08"): 10,
    # other team has gone, back and forth is done
    ("ENG", "02-09"): 8,
    ("OPS", "02-09"): 1,
}
