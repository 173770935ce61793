"""What the models of the dbt package must hold, counted without any SQL.

What an issue is now is counted over the simulator's rows. What happened is taken from the diary of the
company in it, which was written as the issues were made, and not from the rows.
"""

import statistics
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from typing import Any

from integration_tests.linear_api import Workspace
from integration_tests.linear_api.diary import Life

Row = dict[str, Any]
Rows = dict[tuple[Any, ...], Row]

_KINDS = (
    "Comment",
    "Cycle",
    "Issue",
    "IssueLabel",
    "IssueStateSpan",
    "Project",
    "ProjectMilestone",
    "ProjectStatus",
    "Team",
    "User",
    "WorkflowState",
)
_CLOSED = ("completed", "canceled", "duplicate")
_REFUSED = ("canceled", "duplicate")
_DAY = timedelta(days=1)
_MILLISECONDS = 86_400_000  # of a day


class ExpectedModels:
    """The rows of each model by key.

    Args:
        workspace: the simulator's.
        as_of: the moment up to which is counted, UTC without time zone.
        gone: ids of rows that a tombstone has removed from the copy; what refers to them still does.
    """

    def __init__(self, workspace: Workspace, as_of: datetime, gone: Collection[str] = ()) -> None:
        self._as_of = as_of
        self._rows = {
            kind: {row_id: workspace.expected(kind, row_id) for row_id in workspace.ids(kind)}
            for kind in _KINDS
        }
        for rows in self._rows.values():
            for row_id in gone:
                rows.pop(row_id, None)
        self._spans: list[tuple[str, Row]] = [
            (issue_id, self._rows["IssueStateSpan"][span_id])
            for issue_id, issue in self._rows["Issue"].items()
            for span_id in issue["stateHistoryIds"]
        ]
        assert workspace.diary is not None
        self._diary = workspace.diary
        self._comments = Counter(row["issueId"] for row in self._rows["Comment"].values())
        self._lives = {
            row_id: life for row_id, life in self._diary.lives.items() if row_id in self._rows["Issue"]
        }
        self._now = milliseconds(as_of)
        self._issues = {row_id: self._issue(row) for row_id, row in self._rows["Issue"].items()}
        self._counted = [row for row in self._issues.values() if not row["is_deleted"]]

    def linear_issues(self) -> Rows:
        """By issue_id."""
        return {(row_id,): row for row_id, row in self._issues.items()}

    def linear_issue_time_in_state(self) -> Rows:
        """By issue_id, state_id."""
        spans: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for issue_id, span in self._spans:
            if not self._issues[issue_id]["is_deleted"]:
                spans[issue_id, span["stateId"]].append(span)
        rows = {}
        for (issue_id, state_id), held in spans.items():
            issue = self._issues[issue_id]
            days = 0.0
            for span in held:
                until = moment(span["endedAt"]) or issue["archived_at"] or self._as_of
                days += max(0.0, (until - moment(span["startedAt"])) / _DAY)
            ends = [moment(span["endedAt"]) for span in held]
            current = None in ends
            rows[issue_id, state_id] = {
                "identifier": issue["identifier"],
                "team_id": issue["team_id"],
                "team_name": issue["team_name"],
                "state_name": self._of("WorkflowState", state_id, "name"),
                "state_type": self._of("WorkflowState", state_id, "type"),
                "times_entered": len(held),
                "first_entered_at": min(moment(span["startedAt"]) for span in held),
                "left_at": None if current else max(ends),
                "is_current": current,
                "days": days,
            }
        return rows

    def linear_team_flow(self) -> Rows:
        """By team_id, week_start."""
        counts: dict[tuple[str, date], dict[str, Any]] = defaultdict(lambda: defaultdict(set))
        times: dict[tuple[str, date], dict[str, float]] = defaultdict(dict)
        for issue_id, life in self._lives.items():
            counts[life.at("teams", life.created), monday(moment_of(life.created))]["created"].add(issue_id)
            started = None
            before = ""
            for at, state in seen(life.states):
                kind = self._kind(state)
                week = life.at("teams", at), monday(moment_of(at))
                gone = life.gone is not None and at >= life.gone
                if kind == "started" and started is None:
                    started = at
                if kind == "completed" != before and not gone:
                    counts[week]["completed"].add(issue_id)
                    counts[week].setdefault("points", {})[issue_id] = self._points(life, at)
                    if started is not None:
                        times[week][issue_id] = max(
                            times[week].get(issue_id, 0.0), (at - started) / _MILLISECONDS
                        )
                if kind == "canceled" != before and not gone:
                    counts[week]["canceled"].add(issue_id)
                if before in _CLOSED and kind not in _CLOSED and not gone:
                    counts[week]["reopened"].add(issue_id)
                before = kind
        rows = {}
        for team_id, first in self._first_days().items():
            week = monday(datetime.combine(first, datetime.min.time()))
            while week <= monday(self._as_of):
                found, took = counts[team_id, week], sorted(times[team_id, week].values())
                end = min(
                    self._now,
                    milliseconds(datetime.combine(week, datetime.min.time())) + 7 * _MILLISECONDS - 1,
                )
                rows[team_id, week] = {
                    "team_key": self._of("Team", team_id, "key"),
                    "team_name": self._of("Team", team_id, "name"),
                    "is_complete": week + 7 * _DAY <= self._as_of.date(),
                    **{name: len(found[name]) for name in ("created", "completed", "canceled", "reopened")},
                    "completed_points": float(sum((found.get("points") or {}).values())),
                    "in_progress": sum(
                        self._kind_at(life, end) == "started" for life in self._of_team(team_id, end)
                    ),
                    "median_cycle_time_days": percentile(took, 50),
                    "p85_cycle_time_days": percentile(took, 85),
                }
                week += 7 * _DAY
        return rows

    def linear_user_activity(self) -> Rows:
        """By user_id, week_start."""
        done: dict[tuple[str, date], dict[str, float]] = defaultdict(dict)
        for issue_id, at, before, kind in self._moves():
            life = self._lives[issue_id]
            if kind == "completed" != before and (user_id := life.at("assignees", at)):
                held = done[user_id, monday(moment_of(at))]
                held[issue_id] = max(held.get(issue_id, 0.0), self._points(life, at))
        return {
            key: {
                "user_name": self._of("User", key[0], "name"),
                "completed": len(points),
                "completed_points": float(sum(points.values())),
            }
            for key, points in done.items()
        }

    def linear_team_triage(self) -> Rows:
        """By team_id, week_start."""
        rows: Rows = {}
        for issue_id, at, before, kind in self._moves():
            if "triage" in (before, kind) and before != kind:
                key = self._lives[issue_id].at("teams", at), monday(moment_of(at))
                row = rows.setdefault(key, {"entered": 0, "accepted": 0, "declined": 0})
                to = "entered" if kind == "triage" else "declined" if kind in _REFUSED else "accepted"
                row[to] += 1
        return rows

    def linear_project_weekly(self) -> Rows:
        """By project_id, week_start."""
        rows: Rows = {}
        for project_id, row in self._rows["Project"].items():
            lives = [
                life for life in self._lives.values() if any(project_id == to for _, to in life.projects)
            ]
            if row["trashed"] or not lives:
                continue
            week = min(
                monday(moment_of(at)) for life in lives for at, to in seen(life.projects) if to == project_id
            )
            while week <= monday(self._as_of):
                end = min(self._now, milliseconds(datetime.combine(week, datetime.min.time()) + 7 * _DAY) - 1)
                held = [
                    (self._kind_at(life, end), self._points(life, end))
                    for life in lives
                    if life.at("projects", end) == project_id and not (life.gone and life.gone <= end)
                ]
                figures: Row = {"scope": len(held), "scope_points": float(sum(points for _, points in held))}
                for name in ("started", "completed"):
                    figures[name] = sum(kind == name for kind, _ in held)
                    figures[f"{name}_points"] = float(sum(points for kind, points in held if kind == name))
                rows[project_id, week] = figures
                week += 7 * _DAY
        return rows

    def linear_team_daily(self) -> Rows:
        """By team_id, day, state_type; those days on which there is an issue."""
        rows: Rows = {}
        for team_id, day, end in self._days():
            for life in self._of_team(team_id, end):
                key = team_id, day, self._kind_at(life, end)
                row = rows.setdefault(key, {"issues": 0, "points": 0.0})
                row["issues"] += 1
                row["points"] += self._points(life, end)
        return rows

    def linear_daily_open_issues(self) -> Rows:
        """By team_id, day."""
        return {
            (team_id, day): {
                "team_key": self._of("Team", team_id, "key"),
                "team_name": self._of("Team", team_id, "name"),
                "open_issues": sum(
                    self._kind_at(life, end) not in (*_CLOSED, "archived")
                    for life in self._of_team(team_id, end)
                ),
            }
            for team_id, day, end in self._days()
        }

    def linear_cycle_outcomes(self) -> Rows:
        """By cycle_id."""
        rows = {}
        for row_id, row in self._rows["Cycle"].items():
            outcome = self._diary.outcomes[row_id]
            starts, ends = (moment(row[name]) for name in ("startsAt", "endsAt"))
            figures: Row = {}
            for name in fields(outcome):
                points = {
                    issue_id: value
                    for issue_id, value in getattr(outcome, name.name).items()
                    if issue_id in self._lives
                }
                figures[name.name] = len(points)
                figures[f"{name.name}_points"] = float(sum(points.values()))
            if row["completedAt"]:
                state = "completed"
            elif self._as_of < starts:
                state = "open"
            else:
                state = "active" if self._as_of < ends else "closed"
            rows[row_id,] = {
                "team_id": row["teamId"],
                "team_name": self._of("Team", row["teamId"], "name"),
                "number": row["number"],
                "state": state,
                "is_archived": row["archivedAt"] is not None,
                "history": "complete",
                "issues": figures["committed"] + figures["added"],
                **figures,
            }
        return rows

    def linear_cycle_daily(self) -> Rows:
        """By cycle_id, day: the figures in which the company counts too."""
        rows = {}
        for row_id, row in self._rows["Cycle"].items():
            starts = milliseconds(moment(row["startsAt"]))
            over = min(milliseconds(moment(row["endsAt"])) - 1, self._now)
            lives = [
                life for life in self._lives.values() if any(row_id == cycle for _, cycle in life.cycles)
            ]
            for at in range(starts, over + 1, _MILLISECONDS):
                end = min(at + _MILLISECONDS - 1, over)
                held = [
                    (self._kind_at(life, end), self._points(life, end))
                    for life in lives
                    if life.at("cycles", end) == row_id and not (life.gone is not None and life.gone <= end)
                ]
                figures: Row = {"scope": len(held), "scope_points": float(sum(points for _, points in held))}
                for name in ("started", "completed"):
                    figures[name] = sum(kind == name for kind, _ in held)
                    figures[f"{name}_points"] = float(sum(points for kind, points in held if kind == name))
                rows[row_id, moment_of(at).date()] = figures
        return rows

    def linear_project_progress(self) -> Rows:
        """By project_id."""
        return {
            (row_id,): self._project(row)
            for row_id, row in self._rows["Project"].items()
            if not row["trashed"]
        }

    def _issue(self, row: Row) -> Row:
        state_type = self._of("WorkflowState", row["stateId"], "type")
        created, started, done = (moment(row[name]) for name in ("createdAt", "startedAt", "completedAt"))
        archived = moment(row["archivedAt"])
        is_open = archived is None and state_type not in _CLOSED
        ended = done or moment(row["canceledAt"]) or archived or moment(row["updatedAt"])
        triaged = moment(row["triagedAt"])
        triage_began = moment(row["startedTriageAt"]) or created
        ancestors = self._ancestors(row)
        labels = sorted(
            self._rows["IssueLabel"][label]["name"]
            for label in row["labelIds"]
            if label in self._rows["IssueLabel"]
        )
        return {
            "identifier": row["identifier"],
            "title": row["title"],
            "priority": row["priority"],
            "estimate": row["estimate"],
            "points": self._worth(row["teamId"], row["estimate"]),
            "due_date": date.fromisoformat(row["dueDate"]) if row["dueDate"] else None,
            "team_id": row["teamId"],
            "team_key": self._of("Team", row["teamId"], "key"),
            "team_name": self._of("Team", row["teamId"], "name"),
            "state_name": self._of("WorkflowState", row["stateId"], "name"),
            "state_type": state_type,
            "assignee_name": self._of("User", row["assigneeId"], "name"),
            "creator_name": self._of("User", row["creatorId"], "name"),
            "project_id": row["projectId"],
            "project_name": self._of("Project", row["projectId"], "name"),
            "project_milestone_name": self._of("ProjectMilestone", row["projectMilestoneId"], "name"),
            "cycle_id": row["cycleId"],
            "cycle_number": self._of("Cycle", row["cycleId"], "number"),
            "label_names": ", ".join(labels) or None,
            "comments": self._comments[row["id"]],
            "parent_identifier": self._of("Issue", row["parentId"], "identifier"),
            "is_sub_issue": row["parentId"] is not None,
            "depth": len(ancestors),
            "project_depth": self._project_depth(row, ancestors),
            "created_at": created,
            "updated_at": moment(row["updatedAt"]),
            "started_at": started,
            "completed_at": done,
            "canceled_at": moment(row["canceledAt"]),
            "archived_at": archived,
            "added_to_cycle_at": moment(row["addedToCycleAt"]),
            "ended_at": None if is_open else max(created, ended),
            "lead_time_days": days(created, done),
            "cycle_time_days": days(started, done),
            "triage_time_days": days(triage_began, triaged),
            **self._life(row["id"]),
            "is_open": is_open,
            "is_archived": archived is not None,
            "is_deleted": bool(row["trashed"]),
        }

    def _life(self, issue_id: str) -> Row:
        """What happened to an issue until now, or until it came into the trash."""
        life = self._lives[issue_id]
        moves = [move[1:] for move in self._moves(issue_id)]
        ends = [at for at, _, _ in moves[1:]] + [self._now]
        over = [at for at in (life.gone, life.archived) if at is not None]
        return {
            "first_started_at": next((moment_of(at) for at, _, kind in moves if kind == "started"), None),
            "first_completed_at": next((moment_of(at) for at, _, kind in moves if kind == "completed"), None),
            "times_reopened": sum(before in _CLOSED and kind not in _CLOSED for _, before, kind in moves),
            "active_days": sum(
                max(0, min([end, *over]) - at) / _MILLISECONDS
                for (at, _, kind), end in zip(moves, ends, strict=True)
                if kind == "started"
            ),
        }

    def _moves(self, issue_id: str | None = None) -> Iterator[tuple[str, int, str, str]]:
        """Of each issue, or one: the moments at which its state changed, and the types before and after."""
        for each in self._lives if issue_id is None else (issue_id,):
            life = self._lives[each]
            before = ""
            for at, state in seen(life.states):
                if life.gone is None or at < life.gone:
                    yield each, at, before, self._kind(state)
                    before = self._kind(state)

    def _ancestors(self, row: Row) -> list[Row | None]:
        """Parent, parent's parent, …; None for one that is not in the copy."""
        found: list[Row | None] = []
        while row and row["parentId"]:
            above = self._rows["Issue"].get(row["parentId"])
            found.append(above)
            if above is None:
                break
            row = above
        return found

    def _project_depth(self, row: Row, ancestors: Iterable[Row | None]) -> int | None:
        if row["projectId"] is None:
            return None
        depth = 1
        for above in ancestors:
            if above is None or above["projectId"] != row["projectId"]:
                break
            depth += 1
        return depth

    def _project(self, row: Row) -> Row:
        issues = [issue for issue in self._counted if issue["project_id"] == row["id"]]
        done = [issue for issue in issues if issue["state_type"] == "completed"]
        live = [issue for issue in issues if issue["is_open"]]
        canceled = len(issues) - len(done) - len(live)
        target = date.fromisoformat(row["targetDate"]) if row["targetDate"] else None
        over = row["completedAt"] or row["canceledAt"] or row["archivedAt"]
        return {
            "name": row["name"],
            "status_name": self._of("ProjectStatus", row["statusId"], "name"),
            "status_type": self._of("ProjectStatus", row["statusId"], "type"),
            "lead_name": self._of("User", row["leadId"], "name"),
            "issues": len(issues),
            "completed": len(done),
            "started": sum(issue["state_type"] == "started" for issue in live),
            "waiting": sum(issue["state_type"] != "started" for issue in live),
            "canceled": canceled,
            "points": sum(issue["points"] for issue in issues),
            "completed_points": sum(issue["points"] for issue in done),
            "share_completed": len(done) / (len(issues) - canceled) if len(issues) > canceled else None,
            "linear_progress": row["progress"],
            "last_completed_at": max((issue["completed_at"] for issue in done), default=None),
            "is_overdue": bool(target and target < self._as_of.date() and not over),
            "is_archived": row["archivedAt"] is not None,
        }

    def _days(self) -> Iterator[tuple[str, date, int]]:
        """Each team and day until today, with the last moment of it."""
        for team_id, day in self._first_days().items():
            while day <= self._as_of.date():
                end = milliseconds(datetime.combine(day, datetime.min.time())) + _MILLISECONDS - 1
                yield team_id, day, min(end, self._now)
                day += _DAY

    def _first_days(self) -> dict[str, date]:
        """The day on which a team had its first issue."""
        found: dict[str, date] = {}
        for life in self._lives.values():
            for at, team_id in life.teams:
                day = moment_of(at).date()
                found[team_id] = min(found.get(team_id, day), day)
        return found

    def _of_team(self, team_id: str, at: int) -> Iterator[Life]:
        """The issues that a team had at a moment; none that was in the trash then."""
        for life in self._lives.values():
            if life.at("teams", at) == team_id and not (life.gone is not None and life.gone <= at):
                yield life

    def _kind_at(self, life: Life, at: int) -> str:
        kind = self._kind(life.at("states", at))
        is_archived = life.archived is not None and life.archived <= at
        return "archived" if is_archived and kind not in _CLOSED else kind

    def _kind(self, state_id: str) -> str:
        return str(self._of("WorkflowState", state_id, "type"))

    def _points(self, life: Life, at: int) -> float:
        return self._worth(life.at("teams", at), life.at("estimates", at))

    def _worth(self, team_id: str, estimate: float | None) -> float:
        return float(self._of("Team", team_id, "defaultIssueEstimate") if estimate is None else estimate)

    def _of(self, kind: str, row_id: str | None, field: str) -> Any:
        return self._rows[kind][row_id][field] if row_id in self._rows[kind] else None


def moment(text: str | None) -> Any:
    """A moment as Linear writes it, UTC without time zone."""
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None) if text else None


def milliseconds(at: datetime) -> int:
    """A moment of UTC as the diary has it."""
    return round(at.replace(tzinfo=UTC).timestamp() * 1000)


def moment_of(at: int) -> datetime:
    """The reverse."""
    return datetime.fromtimestamp(at / 1000, UTC).replace(tzinfo=None)


def seen(states: list[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """States that lasted, however short."""
    for place, (at, state) in enumerate(states):
        if place + 1 == len(states) or states[place + 1][0] > at:
            yield at, state


def days(start: datetime | None, end: datetime | None) -> float | None:
    """The days between two moments in their order."""
    return (end - start) / _DAY if start and end and end >= start else None


def monday(at: datetime) -> date:
    """The day on which a moment's week began."""
    return at.date() - at.weekday() * _DAY


def percentile(values: list[float], percent: int) -> float | None:
    """Of the values, between two of them in proportion."""
    if len(values) < 2:
        return values[0] if values else None
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]
