"""What the models of the dbt package must hold, counted over the simulator's rows without any SQL."""

import statistics
from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from integration_tests.linear_api import Workspace

Row = dict[str, Any]
Rows = dict[tuple[Any, ...], Row]

_KINDS = (
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
_DAY = timedelta(days=1)


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
        rows = {}
        for team_id, issues in self._by_team():
            week = monday(min(issue["created_at"] for issue in issues))
            while week <= monday(self._as_of):
                begin = datetime.combine(week, datetime.min.time())
                end = begin + 7 * _DAY
                done = [
                    issue
                    for issue in issues
                    if issue["state_type"] == "completed" and within(issue["completed_at"], begin, end)
                ]
                canceled = [
                    issue
                    for issue in issues
                    if issue["state_type"] in ("canceled", "duplicate")
                    and within(issue["canceled_at"], begin, end)
                ]
                last = min(end, self._as_of)
                running = [
                    issue
                    for issue in issues
                    if issue["started_at"]
                    and issue["started_at"] < last
                    and not (issue["ended_at"] and issue["ended_at"] < last)
                ]
                times = [issue["cycle_time_days"] for issue in done if issue["cycle_time_days"] is not None]
                rows[team_id, week] = {
                    "team_key": self._of("Team", team_id, "key"),
                    "team_name": self._of("Team", team_id, "name"),
                    "created": sum(within(issue["created_at"], begin, end) for issue in issues),
                    "completed": len(done),
                    "canceled": len(canceled),
                    "in_progress": len(running),
                    "median_cycle_time_days": percentile(times, 50),
                    "p85_cycle_time_days": percentile(times, 85),
                }
                week += 7 * _DAY
        return rows

    def linear_daily_open_issues(self) -> Rows:
        """By team_id, day."""
        rows = {}
        for team_id, issues in self._by_team():
            day = min(issue["created_at"] for issue in issues).date()
            while day <= self._as_of.date():
                rows[team_id, day] = {
                    "team_key": self._of("Team", team_id, "key"),
                    "team_name": self._of("Team", team_id, "name"),
                    "opened": sum(issue["created_at"].date() == day for issue in issues),
                    "ended": sum(bool(on := issue["ended_at"]) and on.date() == day for issue in issues),
                    "open_issues": sum(
                        issue["created_at"].date() <= day
                        and (issue["ended_at"] is None or issue["ended_at"].date() > day)
                        for issue in issues
                    ),
                }
                day += _DAY
        return rows

    def linear_cycle_outcomes(self) -> Rows:
        """By cycle_id."""
        return {(row_id,): self._cycle(row) for row_id, row in self._rows["Cycle"].items()}

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
            "is_open": is_open,
            "is_archived": archived is not None,
            "is_deleted": bool(row["trashed"]),
        }

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

    def _cycle(self, row: Row) -> Row:
        starts, ends, closed = (moment(row[name]) for name in ("startsAt", "endsAt", "completedAt"))
        if closed:
            state = "completed"
        elif self._as_of < starts:
            state = "open"
        else:
            state = "active" if self._as_of < ends else "closed"
        is_over = state in ("completed", "closed")
        until = (closed or ends) if is_over else self._as_of
        left_over = set(row["uncompletedIssuesUponCloseIds"] or ())
        counts: dict[str, int] = defaultdict(int)
        points = done_points = 0.0
        for issue_id, issue in self._issues.items():
            inside = issue["cycle_id"] == row["id"]
            if issue["is_deleted"] or not (inside or issue_id in left_over):
                continue
            counts["issues"] += 1
            since = (issue["added_to_cycle_at"] if inside else None) or issue["created_at"]
            counts["committed" if since <= starts else "added"] += 1
            points += issue["estimate"] or 0
            if issue_id not in left_over and issue["completed_at"] and issue["completed_at"] <= until:
                counts["completed"] += 1
                done_points += issue["estimate"] or 0
            elif issue_id not in left_over and issue["ended_at"] and issue["ended_at"] <= until:
                counts["canceled"] += 1
            else:
                counts["carried_over" if is_over else "remaining"] += 1
        numbers = ("issues", "committed", "added", "completed", "canceled", "carried_over", "remaining")
        return {
            "team_id": row["teamId"],
            "team_name": self._of("Team", row["teamId"], "name"),
            "number": row["number"],
            "state": state,
            "is_archived": row["archivedAt"] is not None,
            **{name: counts[name] for name in numbers},
            "points": points,
            "completed_points": done_points,
        }

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
            "points": sum(issue["estimate"] or 0 for issue in issues),
            "completed_points": sum(issue["estimate"] or 0 for issue in done),
            "share_completed": len(done) / (len(issues) - canceled) if len(issues) > canceled else None,
            "linear_progress": row["progress"],
            "last_completed_at": max((issue["completed_at"] for issue in done), default=None),
            "is_overdue": bool(target and target < self._as_of.date() and not over),
            "is_archived": row["archivedAt"] is not None,
        }

    def _by_team(self) -> Iterable[tuple[str, list[Row]]]:
        teams: dict[str, list[Row]] = defaultdict(list)
        for issue in self._counted:
            teams[issue["team_id"]].append(issue)
        return teams.items()

    def _of(self, kind: str, row_id: str | None, field: str) -> Any:
        return self._rows[kind][row_id][field] if row_id in self._rows[kind] else None


def moment(text: str | None) -> Any:
    """A moment as Linear writes it, UTC without time zone."""
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None) if text else None


def days(start: datetime | None, end: datetime | None) -> float | None:
    """The days between two moments in their order."""
    return (end - start) / _DAY if start and end and end >= start else None


def within(at: datetime | None, begin: datetime, end: datetime) -> bool:
    """Whether a moment is in a span of time."""
    return at is not None and begin <= at < end


def monday(at: datetime) -> date:
    """The day on which a moment's week began."""
    return at.date() - at.weekday() * _DAY


def percentile(values: list[float], percent: int) -> float | None:
    """Of the values, between two of them in proportion."""
    if len(values) < 2:
        return values[0] if values else None
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]
