"""A believable workspace of any size.

The same seed and the same clock make the same workspace. What isn't said here comes from
`defaults.py`, so a type that Linear adds has rows without a line of code.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from .clock import Clock, to_milliseconds, to_text
from .company import Company
from .defaults import DAY, FORMS, HISTORY, OBJECTS, PARAGRAPHS, VARIANTS, WORDS, slug, sort_order
from .diary import Diary, Life
from .ownership import OWNERS
from .rows import embedded
from .workspace import Workspace

HOUR = 3_600_000

NAMES = (
    "Ada Lovelace", "José Álvarez", "Zoë Müller", "Łukasz Żak", "山田 太郎", "Nguyễn Thị Hoa",
    "Олена Коваль", "Fatma Şahin", "O'Brien, Siobhán", "محمد علي", "Anaïs Lefèvre", "Björk Þórsdóttir",
)  # fmt: skip
TEAMS = (
    ("ENG", "Engineering"), ("DES", "Design"), ("OPS", "Ops & Sécurité"), ("QA", "品質保証"),
    ("MKT", "Marketing"), ("SUP", "Support"), ("DAT", "Data"), ("MOB", "Mobile"),
)  # fmt: skip
STATES = (
    ("Triage", "triage"), ("Backlog", "backlog"), ("Todo", "unstarted"),
    ("In Progress", "started"), ("In Review", "started"), ("Done", "completed"),
    ("Canceled", "canceled"), ("Duplicate", "canceled"),
)  # fmt: skip
LABELS = ("Bug", "Feature", "Améliorer", "Sécurité", "P0", "ドキュメント", "good first issue", "🔥 hot")
VERBS = ("Fix", "Add", "Investigate", "Beheben:", "Remove", "改善", "Speed up", "Document")
PRIORITIES = ("No priority", "Urgent", "High", "Medium", "Low")
PROJECT_STATES = (
    ("Backlog", "backlog"), ("Planned", "planned"), ("In Progress", "started"),
    ("Paused", "paused"), ("Completed", "completed"), ("Canceled", "canceled"),
)  # fmt: skip
INTEGRATIONS = ("github", "slack", "sentry", "zendesk", "intercom", "figma")
AUDITED = ("login", "logout", "issueDelete", "teamCreate", "userRoleChange", "apiKeyCreated")
EMOJI = ("👍", "🎉", "heart", "eyes", "party-parrot")


# What an entry of an issue's history says of the issue, and must be true.
TOLD = (
    *(f"from{name}Id" for name in ("State", "Team", "Cycle", "Assignee", "Project")),
    *(f"to{name}Id" for name in ("State", "Team", "Cycle", "Assignee", "Project")),
    "fromEstimate", "toEstimate", "fromSlaBreached", "toSlaBreached", "archived", "trashed",
)  # fmt: skip

PURGED = 100_000  # issues: of a workspace that a connector would read in all the windows that it can


def generate(seed: int = 1, issues: int = 2000, clock: Clock | None = None, purged: int = 0) -> Workspace:
    """Make a workspace; all 45 roots have rows, however few issues there are.

    Args:
        seed: chooses everything.
        issues: how many issues; the rest grows with them.
        clock: rows reach from about three years before its now up to its now.
        purged: how many issues there were that are gone, but for the organization's count of them.
    """
    workspace = Workspace(clock, seed)
    with workspace.lock:
        _Generator(workspace, issues, purged).run()
    return workspace


class _Generator:
    def __init__(self, workspace: Workspace, issues: int, purged: int) -> None:
        self.workspace = workspace
        self.size = issues
        self.purged = purged
        self.now = workspace.clock.milliseconds
        self.start = self.now - HISTORY
        self.rng = random.Random(workspace.seed)
        self.diary = workspace.diary = Diary()
        self.bulk = sorted(self.moment(self.start) for _ in range(6))

    def run(self) -> None:
        self.people()
        self.teams()
        self.labels()
        self.templates()
        self.projects()
        self.initiatives()
        self.customers()
        self.releases()
        self.issues()
        company = Company(self)
        company.work()
        self.comments()
        self.attachments()
        self.documents()
        self.agents()
        self.administration()
        self.reactions()
        self.bulk_edits()
        self.archivings()
        self.other_archivings()
        company.settle()
        self.remaining()
        self.optional_relations()
        self.long_lists()
        self.plain_ids()
        self.more_reactions()
        self.reaction_data()

    # --- helpers ----------------------------------------------------------------------------

    def moment(self, start: int, end: int | None = None) -> int:
        """A moment between two, the end being now unless given."""
        end = self.now if end is None else min(end, self.now)
        return self.rng.randint(start, end) if start < end else end

    def some(self, ids: Sequence[str], share: float = 1.0) -> str | None:
        """One of some ids with a probability of `share`."""
        if not ids or self.rng.random() >= share:
            return None
        return ids[int(self.rng.random() * len(ids))]

    def one(self, ids: Sequence[str]) -> str:
        return ids[int(self.rng.random() * len(ids))]

    def few(self, ids: Sequence[str], most: int) -> list[str]:
        """Up to `most` different ids, often none."""
        count = min(len(ids), int(self.rng.random() ** 2 * (most + 1)))
        return self.rng.sample(ids, count) if count else []

    def json(self, name: str) -> Any:
        """A value of a field that is JSON, but no object."""
        return self.rng.choice(FORMS[name])

    def title(self) -> str:
        return f"{self.rng.choice(VERBS)} {self.rng.choice(WORDS)}"

    def make(self, type_name: str, created: int | None = None, updated: int | None = None, **own: Any) -> str:
        """A row: `create` without its lookups, with times spread over the history.

        Of a type that the contract doesn't have (any more), nothing is stored.
        """
        if type_name not in self.workspace.rows:
            return ""
        if created is None:
            created = self.moment(self.start)
        if updated is None:
            updated = created if self.rng.random() < 0.3 else self.moment(created)
        own["id"] = self.workspace.new_id(type_name)
        own["createdAt"] = to_text(created)
        own["updatedAt"] = to_text(updated)
        return self.workspace.insert(type_name, own)

    def retire(self, type_name: str, share: float) -> None:
        """Archive some rows of a type, after their last update."""
        for row_id, row in self.workspace.rows[type_name].items():
            if self.rng.random() < share:
                at = self.moment(to_milliseconds(row["updatedAt"]))
                self.workspace.archive(type_name, row_id, at=to_text(at))

    # --- people, teams, workflow ------------------------------------------------------------

    def people(self) -> None:
        self.organization = self.make(
            "Organization",
            self.start,
            name="Standin GmbH & Cø",
            urlKey="standin",
            deletionRequestedAt=None,
            createdIssueCount=self.size + self.purged,
            slackProjectChannelIntegrationId=None,
        )
        count = max(6, min(600, 8 + self.size // 40))
        self.users = [self.user(number) for number in range(count)]
        self.active = [user for user in self.users if self.workspace.rows["User"][user]["active"]]
        self.admin = self.users[0]
        self.externals = [
            self.make(
                "ExternalUser",
                name=self.rng.choice(NAMES),
                displayName=f"external{number}",
                organizationId=self.organization,
            )
            for number in range(max(3, self.size // 100))
        ]

    def user(self, number: int) -> str:
        name = f"{NAMES[number % len(NAMES)]}{'' if number < len(NAMES) else f' {number}'}"
        active = number < 2 or number % 7 != 3
        app = number == 1 or (number > 5 and number % 31 == 0)
        created = self.moment(self.start, self.start + 300 * DAY) if number else self.start
        return self.make(
            "User",
            created,
            name=name,
            displayName=name.split()[0].lower(),
            initials="".join(part[0] for part in name.split()[:2]).upper(),
            email=f"user{number}@standin.example",
            url=f"https://linear.app/standin/profiles/user{number}",
            active=active,
            disableReason=None if active else "admin",
            admin=number == 0 or number % 13 == 0,
            owner=number == 0,
            guest=number > 1 and number % 11 == 5,
            app=app,
            supportsAgentSessions=app,
            isMe=number == 0,
            isAssignable=active,
            isMentionable=active,
            organizationId=self.organization,
        )

    def teams(self) -> None:
        self.team_ids: list[str] = []
        self.states: dict[str, dict[str, list[str]]] = {}
        self.cycles: dict[str, list[tuple[int, int, str]]] = {}
        count = max(4, min(40, 3 + self.size // 120))
        for number in range(count):
            key, name = TEAMS[number % len(TEAMS)]
            if number >= len(TEAMS):
                key, name = f"{key}{number}", f"{name} {number}"
            retired = to_text(self.moment(self.now - 90 * DAY)) if number == 3 else None
            created = self.moment(self.start, self.start + 200 * DAY)
            team = self.make(
                "Team",
                created,
                key=key,
                name=name,
                displayName=name,
                organizationId=self.organization,
                parentId=self.team_ids[0] if number in (1, 5) else None,
                retiredAt=retired,
                private=number == 2,
                visibility="private" if number == 2 else "public",
                inviteHash=f"invite-{number}",
                defaultIssueEstimate=(1.0, 2.0)[number % 2],
                inheritIssueEstimation=False,
            )
            self.team_ids.append(team)
            self.workflow(team, created)
            self.team_cycles(team)
            members = [self.admin, *self.few(self.users[1:], 2 + len(self.users) // 3)]
            for user in members:
                self.make(
                    "TeamMembership",
                    self.moment(created),
                    teamId=team,
                    userId=user,
                    owner=user == self.admin,
                    sortOrder=sort_order(self.rng.random()),
                )
        last = self.team_ids[-1]
        self.workspace.archive("Team", last)
        self.open_teams = self.team_ids[:-1]

    def workflow(self, team: str, created: int) -> None:
        by_type: dict[str, list[str]] = {}
        for position, (name, kind) in enumerate(STATES):
            state = self.make(
                "WorkflowState",
                created,
                name=name,
                type=kind,
                position=float(position * 1000),
                teamId=team,
                description=None,
                color="#bec2c8",
            )
            by_type.setdefault(kind, []).append(state)
        self.states[team] = by_type
        row = self.workspace.rows["Team"][team]
        row["defaultIssueStateId"] = by_type["unstarted"][0]
        row["triageIssueStateId"] = by_type["triage"][0]
        if self.rng.random() < 0.5:
            old = self.make("WorkflowState", created, name="Old", type="backlog", position=9e3, teamId=team)
            self.workspace.archive("WorkflowState", old)

    def team_cycles(self, team: str) -> None:
        cycles: list[tuple[int, int, str]] = []
        monday = self.now - (self.now // DAY + 3) % 7 * DAY  # the first day of 1970 was a Thursday
        begin = monday - monday % DAY - 287 * DAY
        for number in range(1, 23):
            starts = begin + (number - 1) * 14 * DAY
            ends = starts + 14 * DAY
            past = ends <= self.now
            cycle = self.make(
                "Cycle",
                self.moment(self.now + (14 * (number - 21) - 28) * DAY),
                number=float(number),
                name=f"Sprint {number} ☀" if number % 4 == 0 else None,
                startsAt=to_text(starts),
                endsAt=to_text(ends),
                completedAt=to_text(ends) if past else None,
                autoArchivedAt=None,
                teamId=team,
                isActive=starts <= self.now < ends,
                isFuture=starts > self.now,
                isNext=starts > self.now >= starts - 14 * DAY,
                isPast=past,
                isPrevious=past and ends + 14 * DAY > self.now,
                progress=self.rng.random() if past else 0.0,
                uncompletedIssuesUponCloseIds=[],
            )
            cycles.append((starts, ends, cycle))
        self.workspace.archive("Cycle", cycles[0][2])
        self.cycles[team] = cycles
        self.workspace.rows["Team"][team]["activeCycleId"] = cycles[20][2]

    def labels(self) -> None:
        self.label_ids: list[str] = []
        group = self.label("IssueLabel", "Area", isGroup=True)
        for number, name in enumerate(LABELS):
            label = self.label("IssueLabel", name, parentId=group if number % 3 == 0 else None)
            self.label_ids.append(label)
        for team in self.team_ids:
            own = self.label("IssueLabel", "Team area", teamId=team, isGroup=True)
            for name in LABELS[:2]:
                label = self.label("IssueLabel", f"{name} (team)", teamId=team, parentId=own)
                self.label_ids.append(label)
        for number in range(self.size // 400):
            self.label_ids.append(self.label("IssueLabel", f"label-{number}"))
        self.retire("IssueLabel", 0.1)
        self.project_labels = [self.label("ProjectLabel", name) for name in LABELS[:5]]
        self.initiative_labels = [self.label("InitiativeLabel", name) for name in LABELS[:4]]
        for type_name, ids in (
            ("ProjectLabel", self.project_labels),
            ("InitiativeLabel", self.initiative_labels),
        ):
            group = self.label(type_name, "Group", isGroup=True)
            self.workspace.rows[type_name][ids[0]]["parentId"] = group
            self.workspace.archive(type_name, ids[-1])

    def label(self, type_name: str, name: str, **own: Any) -> str:
        own = {"isGroup": False, **own}
        own |= {"name": name, "creatorId": self.some(self.users, 0.8)}
        return self.make(type_name, organizationId=self.organization, **own)

    def templates(self) -> None:
        self.template_ids = [
            self.make(
                "Template",
                name=self.title(),
                type=("issue", "project", "document")[number % 3],
                teamId=self.some(self.team_ids, 0.6),
                creatorId=self.some(self.users, 0.9),
                organizationId=self.organization,
                templateData=self.json("templateData"),
            )
            for number in range(8)
        ]
        self.retire("Template", 0.2)

    # --- projects and initiatives -----------------------------------------------------------

    def projects(self) -> None:
        self.project_statuses = [
            self.make(
                "ProjectStatus",
                self.start,
                name=name,
                type=kind,
                position=float(position),
                indefinite=kind == "paused",
                teamId=None,
                color="#5e6ad2",
            )
            for position, (name, kind) in enumerate(PROJECT_STATES)
        ]
        self.project_ids: list[str] = []
        self.milestones: dict[str, list[str]] = {}
        self.project_updates: list[str] = []
        for number in range(4 + self.size // 40):
            self.project_ids.append(self.project(number))
        for number, project in enumerate(self.project_ids[1:], 1):
            if number % 4 == 1:
                self.make(
                    "ProjectRelation",
                    projectId=self.project_ids[number - 1],
                    relatedProjectId=project,
                    type="dependency",
                    anchorType="end",
                    relatedAnchorType="start",
                    userId=self.some(self.users, 0.7),
                )
        self.retire("ProjectMilestone", 0.05)
        self.retire("ProjectUpdate", 0.05)
        closed = self.project_ids[1::9]
        for number, project in enumerate(closed):
            row = self.workspace.rows["Project"][project]
            at = to_text(self.moment(to_milliseconds(row["updatedAt"])))
            if number % 2:
                self.workspace.trash("Project", project, at=at)
            else:
                self.workspace.archive("Project", project, at=at)
                row["autoArchivedAt"] = at

    def project(self, number: int) -> str:
        created = self.moment(self.start)
        status = number % len(PROJECT_STATES)
        kind = PROJECT_STATES[status][1]
        begun = self.moment(created)
        lead_team = self.one(self.open_teams)
        teams = list(dict.fromkeys([lead_team, *self.few(self.open_teams, 3)]))
        slug_id = f"{number:08x}cafe"
        updated = self.moment(begun)
        name = f"{self.rng.choice(WORDS)} {number}"
        project = self.make(
            "Project",
            created,
            updated,
            name=name,
            slugId=slug_id,
            url=f"https://linear.app/standin/project/{slug(name, slug_id)}",
            identifier=f"PRJ-{number + 1}" if number % 2 else None,
            description=self.rng.choice(("", "Short", "Größer, schneller – weiter")),
            content=self.rng.choice((None, *PARAGRAPHS)),
            statusId=self.project_statuses[status],
            state=kind,
            startedAt=to_text(begun) if kind in ("started", "paused", "completed") else None,
            completedAt=to_text(self.moment(begun)) if kind == "completed" else None,
            canceledAt=to_text(self.moment(begun)) if kind == "canceled" else None,
            autoArchivedAt=None,
            leadId=self.some(self.users, 0.8),
            leadTeamId=lead_team,
            creatorId=self.some(self.users, 0.9),
            lastAppliedTemplateId=self.some(self.template_ids, 0.2),
            teamIds=teams,
            memberIds=self.few(self.users, 8),
            labelIds=self.few(self.project_labels, 3),
            priority=number % 5,
            priorityLabel=PRIORITIES[number % 5],
            syncedWith=None if number % 3 else [self.synced()],
        )
        self.milestones[project] = [
            self.make(
                "ProjectMilestone",
                self.moment(created),
                name=f"M{step + 1} 🎯",
                projectId=project,
                sortOrder=float(step),
                targetDate=to_text(self.now + step * 30 * DAY)[:10],
            )
            for step in range(self.rng.randrange(4))
        ]
        for step in range(self.rng.randrange(4)):
            update = self.make(
                "ProjectUpdate",
                self.moment(created),
                projectId=project,
                userId=self.one(self.users),
                body=self.rng.choice(PARAGRAPHS),
                slugId=f"{slug_id}-{step}",
            )
            self.project_updates.append(update)
            self.workspace.rows["Project"][project]["lastUpdateId"] = update
        for _ in range(self.rng.randrange(4)):
            self.make("ProjectHistory", self.moment(created), projectId=project, entries=self.json("entries"))
        for step in range(self.rng.randrange(3)):
            self.make(
                "EntityExternalLink",
                self.moment(created),
                projectId=project,
                label=f"Lien {step}",
                url=f"https://example.com/{slug_id}/{step}",
                sortOrder=float(step),
                creatorId=self.some(self.users, 0.8),
            )
            self.make(
                "ProjectAttachment",
                self.moment(created),
                projectId=project,
                title=self.title(),
                creatorId=self.some(self.users, 0.8),
            )
        return project

    def initiatives(self) -> None:
        self.initiative_ids: list[str] = []
        self.initiative_updates: list[str] = []
        for number in range(4 + self.size // 400):
            created = self.moment(self.start)
            parent = self.initiative_ids[0] if number in (1, 2) else None
            name, slug_id = f"{self.rng.choice(WORDS)} {2023 + number}", f"{number:08x}beef"
            initiative = self.make(
                "Initiative",
                created,
                name=name,
                slugId=slug_id,
                url=f"https://linear.app/standin/initiative/{slug(name, slug_id)}",
                identifier=f"INI-{number + 1}",
                ownerId=self.some(self.users, 0.8),
                creatorId=self.some(self.users, 0.9),
                leadTeamId=self.some(self.team_ids, 0.5),
                parentInitiativeId=parent,
                organizationId=self.organization,
                labelIds=self.few(self.initiative_labels, 2),
                canceledAt=None,
                completedAt=None,
            )
            self.initiative_ids.append(initiative)
            if parent:
                self.make(
                    "InitiativeRelation",
                    self.moment(created),
                    initiativeId=parent,
                    relatedInitiativeId=initiative,
                    userId=self.some(self.users, 0.8),
                    sortOrder=float(number),
                )
            for step in range(self.rng.randrange(1, 4)):
                update = self.make(
                    "InitiativeUpdate",
                    self.moment(created),
                    initiativeId=initiative,
                    userId=self.one(self.users),
                    body=self.rng.choice(PARAGRAPHS),
                    slugId=f"{number}-{step}",
                )
                self.initiative_updates.append(update)
                self.workspace.rows["Initiative"][initiative]["lastUpdateId"] = update
                self.make(
                    "InitiativeHistory",
                    self.moment(created),
                    initiativeId=initiative,
                    entries=self.json("entries"),
                )
            self.make(
                "EntityExternalLink",
                self.moment(created),
                initiativeId=initiative,
                label="Vision",
                url=f"https://example.com/vision/{number}",
                creatorId=self.some(self.users, 0.8),
            )
        for project in self.project_ids:
            for initiative in self.few(self.initiative_ids, 2):
                self.make(
                    "InitiativeToProject",
                    projectId=project,
                    initiativeId=initiative,
                    sortOrder=f"a{self.rng.randrange(1000)}",
                )
        if not self.workspace.rows["InitiativeToProject"]:
            self.make(
                "InitiativeToProject",
                projectId=self.project_ids[0],
                initiativeId=self.initiative_ids[0],
                sortOrder="a0",
            )
        self.workspace.trash("Initiative", self.initiative_ids[-1])
        for field, initiative in zip(("completedAt", "canceledAt"), self.initiative_ids, strict=False):
            row = self.workspace.rows["Initiative"][initiative]
            row[field], row["status"] = row["updatedAt"], field.removesuffix("At").capitalize()
        self.retire("InitiativeUpdate", 0.1)

    # --- customers and releases -------------------------------------------------------------

    def customers(self) -> None:
        statuses = [
            self.make(
                "CustomerStatus", self.start, name=name, displayName=name, type=kind, position=float(position)
            )
            for position, (name, kind) in enumerate(
                (("Active", "active"), ("Prospect", "active"), ("Churned 🙁", "inactive"))
            )
        ]
        tiers = [
            self.make("CustomerTier", self.start, name=name, displayName=name, position=float(position))
            for position, name in enumerate(("Enterprise", "Größe M", "Free"))
        ]
        self.customer_ids = [
            self.make(
                "Customer",
                name=f"{self.rng.choice(WORDS)} AG {number}",
                domains=[f"kunde{number}.example"][: number % 3],
                externalIds=[f"crm-{number}", f"zd-{number}"][: number % 3],
                slugId=f"customer-{number}",
                ownerId=self.some(self.users, 0.6),
                statusId=self.one(statuses),
                tierId=self.some(tiers, 0.7),
                revenue=self.rng.choice((None, 0, 1200, 2_000_000_000)),
            )
            for number in range(5 + self.size // 50)
        ]
        self.retire("Customer", 0.05)

    def releases(self) -> None:
        self.release_ids: list[str] = []
        for number in range(3):
            pipeline = self.make(
                "ReleasePipeline",
                self.start + number * DAY,
                name=("App", "API", "Webseite")[number],
                slugId=f"pipeline-{number}",
                teamIds=self.few(self.team_ids, 4),
                type="scheduled" if number else "continuous",
                isProduction=number != 2,
            )
            stages = [
                self.make(
                    "ReleaseStage",
                    self.start + number * DAY,
                    name=kind.title(),
                    type=kind,
                    position=float(position),
                    pipelineId=pipeline,
                )
                for position, kind in enumerate(("planned", "started", "completed", "canceled"))
            ]
            for step in range(4 + self.size // 200):
                self.release_ids.append(self.release(pipeline, stages, number, step))
        self.workspace.archive("ReleaseStage", stages[-1])
        self.workspace.trash("Release", self.release_ids[-1])
        self.workspace.trash("ReleasePipeline", pipeline)
        self.retire("Release", 0.1)

    def release(self, pipeline: str, stages: list[str], number: int, step: int) -> str:
        created = self.moment(self.start)
        kind = step % 4
        release = self.make(
            "Release",
            created,
            name=f"v{number}.{step}",
            version=f"{number}.{step}.0" if step % 2 else None,
            slugId=f"release-{number}-{step}",
            pipelineId=pipeline,
            stageId=stages[kind],
            creatorId=self.some(self.users, 0.8),
            startedAt=to_text(self.moment(created)) if kind in (1, 2) else None,
            completedAt=to_text(self.moment(created)) if kind == 2 else None,
            canceledAt=to_text(self.moment(created)) if kind == 3 else None,
            autoArchivedAt=None,
        )
        self.make("ReleaseHistory", self.moment(created), releaseId=release, entries=self.json("entries"))
        self.make(
            "EntityExternalLink",
            self.moment(created),
            releaseId=release,
            label="Changelog",
            url=f"https://example.com/changelog/{number}/{step}",
        )
        if kind == 2:
            note = self.make(
                "ReleaseNote",
                self.moment(created),
                title=f"Notes v{number}.{step}",
                pipelineId=pipeline,
                slugId=f"note-{number}-{step}",
                firstReleaseId=release,
                lastReleaseId=release,
                releaseCount=1,
            )
            row = self.workspace.rows["Release"][release]
            row["releaseNoteId"], row["releaseNoteIds"] = note, [note]
            self.workspace.rows["ReleasePipeline"][pipeline]["latestReleaseNoteId"] = note
        return release

    # --- issues -----------------------------------------------------------------------------

    def issues(self) -> None:
        self.issue_ids: list[str] = []
        self.issue_times: list[tuple[int, int]] = []
        imported = self.start + 40 * DAY  # one import: many rows under one createdAt
        size = self.size
        weights = [1 / (rank + 1) for rank in range(len(self.open_teams))]
        teams = self.rng.choices(self.open_teams, weights, k=size)
        for number in range(size):
            if number < size // 20:
                created = imported
            else:
                created = self.start + int(HISTORY * (number / size) ** 0.8)
                created = min(self.now, created + self.rng.randrange(3 * DAY))
            self.issue_ids.append(self.issue(number, teams[number], created))
        self.relations()

    def issue(self, number: int, team: str, created: int) -> str:
        rng, now = self.rng, self.now
        chance = rng.random
        age = (now - created) / HISTORY
        roll = chance()
        by_type = self.states[team]
        if roll < 0.35 + age * 0.4:
            kind = "completed"
        elif roll < 0.45 + age * 0.4:
            kind = "canceled"
        else:
            kind = ("started", "unstarted", "backlog", "triage")[int(chance() ** 2 * 4)]
        started = self.moment(created, created + 30 * DAY)
        closed = self.moment(started, started + 60 * DAY)
        was_started = kind in ("started", "completed") or (kind == "canceled" and chance() < 0.5)
        is_closed = kind in ("completed", "canceled")
        last = closed if is_closed else started if was_started else created
        updated = last if chance() < 0.4 else self.moment(last, last + 40 * DAY)
        state = self.one(by_type[kind])
        project = self.some(self.project_ids, 0.5)
        milestone = self.some(self.milestones[project], 0.5) if project else None
        cycle = None
        if chance() < 0.4:
            running = [c for starts, ends, c in self.cycles[team] if starts <= started < ends]
            cycle = running[0] if running else None
        assignee = self.some(self.users, 0.75)
        creator = self.some(self.users, 0.95)
        issue_number = self.workspace.next_issue_number(team)
        identifier = f"{self.workspace.rows['Team'][team]['key']}-{issue_number}"
        priority = int(chance() * 5)
        subscribers = self.few(self.users, 5)
        if creator and creator not in subscribers:
            subscribers.append(creator)
        title = f"{VERBS[number % len(VERBS)]} {rng.choice(WORDS)} #{number}"
        own: dict[str, Any] = {
            "title": title,
            "description": rng.choice(PARAGRAPHS) if chance() < 0.8 else None,
            "number": float(issue_number),
            "identifier": identifier,
            "url": f"https://linear.app/standin/issue/{identifier}/{slug(title)}",
            "branchName": f"user/{identifier.lower()}",
            "previousIdentifiers": [f"OLD-{number}"] if chance() < 0.03 else [],
            "teamId": team,
            "stateId": state,
            "assigneeId": assignee,
            "creatorId": creator,
            "delegateId": self.some(self.users[1:2], 0.05),
            "snoozedUntilAt": to_text(now + DAY) if chance() < 0.02 else None,
            "projectId": project,
            "projectMilestoneId": milestone,
            "cycleId": cycle,
            "parentId": self.parent(number),
            "lastAppliedTemplateId": self.some(self.template_ids, 0.05),
            "labelIds": self.few(self.label_ids, 4),
            "subscriberIds": subscribers,
            "priority": float(priority),
            "priorityLabel": PRIORITIES[priority],
            "estimate": rng.choice((None, 0.0, 1.0, 2.0, 3.0, 5.0, 0.5)),
            "sortOrder": sort_order(chance()),
            "startedAt": to_text(started) if was_started else None,
            "completedAt": to_text(closed) if kind == "completed" else None,
            "canceledAt": to_text(closed) if kind == "canceled" else None,
            "startedTriageAt": to_text(created) if kind == "triage" else None,
            "triagedAt": to_text(started) if chance() < 0.1 else None,
            "addedToTeamAt": to_text(created),
            "addedToProjectAt": to_text(started) if project else None,
            "addedToCycleAt": to_text(started) if cycle else None,
            "autoClosedAt": to_text(closed) if kind == "canceled" and chance() < 0.3 else None,
            "autoArchivedAt": None,
            "dueDate": to_text(closed + 20 * DAY)[:10] if chance() < 0.3 else None,
            "slaStartedAt": None,
            "slaBreachesAt": None,
            "slaHighRiskAt": None,
            "slaMediumRiskAt": None,
            "slaType": None,
            "syncedWith": [self.synced()] if chance() < 0.05 else None,
            "botActor": None,
        }
        if chance() < 0.05:
            own["slaStartedAt"] = to_text(created)
            days = (7, 45)[number % 2]
            own["slaMediumRiskAt"] = to_text(created + (days - 2) * DAY)
            own["slaHighRiskAt"] = to_text(created + (days - 1) * DAY)
            own["slaBreachesAt"] = to_text(created + days * DAY)
            own["slaType"] = rng.choice(("all", "onlyBusinessDays"))
        if creator is None:
            own["botActor"] = self.bot()
            own["externalUserCreatorId"] = self.some(self.externals, 0.5)
        issue = self.make("Issue", created, updated, **own)
        self.issue_times.append((created, updated))
        self.history(issue, own, created, started if was_started else None, is_closed, closed)
        return issue

    def parent(self, number: int) -> str | None:
        """One issue has more than 50 children, most have none."""
        if 200 <= number < 252:
            return self.issue_ids[0]
        return self.some(self.issue_ids[-200:], 0.12)

    def history(
        self, issue: str, own: dict[str, Any], created: int, started: int | None, is_closed: bool, closed: int
    ) -> None:
        by_type = self.states[own["teamId"]]
        final = own["stateId"]
        moves: list[tuple[int, str]] = [(created, by_type["backlog"][0])]
        if started is not None:
            moves.append((started, by_type["started"][0]))
        if is_closed:
            moves.append((closed, final))
        if moves[-1][1] != final:
            moves.append((self.moment(moves[-1][0], moves[-1][0] + DAY), final))
        life = Life(created, moves, [(created, own["teamId"])], [], [], [], [])
        self.diary.lives[issue] = life
        for index, (at, state) in enumerate(moves):
            ended = moves[index + 1][0] if index + 1 < len(moves) else None
            span = self.make(
                "IssueStateSpan",
                at,
                at,
                issueId=issue,
                stateId=state,
                startedAt=to_text(at),
                endedAt=None if ended is None else to_text(ended),
            )
            life.spans.append(span)
            if index:
                self.entry(issue, at, own["creatorId"], fromStateId=moves[index - 1][1], toStateId=state)
        if own["assigneeId"]:
            at = self.moment(created, created + DAY)
            number = len(self.diary.lives)
            earlier = self.users[number % len(self.users)] if number % 4 == 0 else None
            life.assignees += [(created, earlier), (at, own["assigneeId"])]
            self.entry(issue, at, own["creatorId"], fromAssigneeId=earlier, toAssigneeId=own["assigneeId"])
        if own["labelIds"] and self.rng.random() < 0.5:
            at = self.moment(created, created + DAY)
            self.entry(issue, at, None, addedLabelIds=own["labelIds"], botActor=self.bot())
        if self.rng.random() < 0.3:
            at = self.moment(created, created + 9 * DAY)
            actor, change = self.some(self.users), self.change(own)
            self.entry(issue, at, actor, **change)
            for values, name in (
                (life.teams, "Team"),
                (life.projects, "Project"),
                (life.estimates, "Estimate"),
            ):
                key = name if name == "Estimate" else f"{name}Id"
                if change.get(f"from{key}") != change.get(f"to{key}"):
                    values[:] = [(created, change.get(f"from{key}")), (at, change.get(f"to{key}"))]
        life.projects = life.projects or [(created, own["projectId"])]
        life.estimates = life.estimates or [(created, own["estimate"])]

    def entry(self, issue: str, at: int, actor: str | None, **changes: Any) -> str:
        """One entry of an issue's history: what didn't change is null, in all but a few."""
        blank = dict.fromkeys(TOLD) if self.rng.random() < 0.02 else self.blank_entry
        return self.make("IssueHistory", at, at, issueId=issue, actorId=actor, **{**blank, **changes})

    @cached_property
    def blank_entry(self) -> dict[str, Any]:
        """Every field of a history entry that has a default, as null."""
        names = {name for _ in range(VARIANTS) for name in self.workspace.defaults.of("IssueHistory")}
        return dict.fromkeys(names - {"__typename"})

    def change(self, own: dict[str, Any]) -> dict[str, Any]:
        """What one history entry says to have changed."""
        changes: tuple[dict[str, Any], ...] = (
            {"fromPriority": 0.0, "toPriority": own["priority"]},
            {"fromEstimate": 4.0, "toEstimate": own["estimate"]},
            {"fromDueDate": "2025-01-31", "toDueDate": None},
            {"fromTitle": "Untitled", "toTitle": own["title"]},
            {"toProjectId": own["projectId"], "toProjectMilestoneId": own["projectMilestoneId"]},
            {"fromProjectId": self.some(self.project_ids), "toProjectId": own["projectId"]},
            {"fromParentId": own["parentId"], "toParentId": None},
            {"toParentId": own["parentId"]},
            {"fromTeamId": self.one(self.team_ids), "toTeamId": own["teamId"]},
            {"removedLabelIds": self.few(self.label_ids, 3)},
            {"addedToReleaseIds": self.few(self.release_ids, 2)},
            {"updatedDescription": True, "descriptionUpdatedByIds": self.few(self.users, 3)},
            {"archived": False, "autoArchived": False},
            {"updatedDescription": True},
            {"relationChanges": [embedded({"identifier": own["identifier"], "type": "blocks"})]},
        )
        return self.rng.choice(changes)

    def bulk_edits(self) -> None:
        """Many rows under one `updatedAt`; one group is wider than a page, if there are so many.

        What was archived by then stays as it is.
        """
        stamps = [(self.now - 20 * DAY, 300), *((stamp, 12) for stamp in self.bulk)]
        for type_name in ("Issue", "Comment", "Project", "Cycle", "Attachment", "Customer"):
            rows = list(self.workspace.rows[type_name].values())
            for stamp, most in stamps:
                text = to_text(stamp)
                edited = [row for row in rows if row["archivedAt"] is None and row["updatedAt"] <= text]
                for row in edited[-min(most, len(rows) // 4 or 1) :]:
                    row["updatedAt"] = text

    def archivings(self) -> None:
        """Old closed issues go to the archive, a few to the trash."""
        for issue in self.issue_ids:
            row = self.workspace.rows["Issue"][issue]
            updated = to_milliseconds(row["updatedAt"])
            closed = row["completedAt"] or row["canceledAt"]
            due = updated + 120 * DAY
            if closed and due < self.now and self.rng.random() < 0.5:
                row["archivedAt"] = row["autoArchivedAt"] = to_text(due)
            elif self.rng.random() < 0.015:
                row["archivedAt"] = to_text(self.moment(updated))
                row["trashed"] = True

    def other_archivings(self) -> None:
        """No type is without an archived row, if it has a few rows at all."""
        for type_name, rows in self.workspace.rows.items():
            known = "archivedAt" in self.workspace.schema.fields(type_name)
            if not known or any(row["archivedAt"] for row in rows.values()):
                continue
            for row in list(rows.values())[2::20]:
                row["archivedAt"] = to_text(
                    self.moment(to_milliseconds(row["updatedAt"] or row["createdAt"]))
                )
        for type_name in ("Cycle", "Release"):
            for row in self.workspace.rows[type_name].values():
                row["autoArchivedAt"] = row["archivedAt"]

    def relations(self) -> None:
        ids = self.issue_ids
        for issue, (created, _) in zip(ids, self.issue_times, strict=True):
            roll = self.rng.random()
            if roll < 0.12 and len(ids) > 1:
                related = self.one(ids)
                if related != issue:
                    self.make(
                        "IssueRelation",
                        self.moment(created),
                        issueId=issue,
                        relatedIssueId=related,
                        type=self.rng.choice(("blocks", "duplicate", "related", "similar")),
                    )
            if roll > 0.85:
                self.make(
                    "IssueToRelease",
                    self.moment(created),
                    issueId=issue,
                    releaseId=self.one(self.release_ids),
                )
            if 0.4 < roll < 0.48:
                self.need(issueId=issue, created=created)
            if 0.5 < roll < 0.53:
                self.make(
                    "IssueSuggestion",
                    self.moment(created),
                    issueId=issue,
                    type="label",
                    suggestedLabelId=self.one(self.label_ids),
                    suggestedUserId=None,
                    suggestedIssueId=None,
                    stateChangedAt=to_text(self.moment(created)),
                )
        for project in self.project_ids[:3]:
            self.need(projectId=project, created=self.start)

    def need(self, created: int, **own: Any) -> None:
        self.make(
            "CustomerNeed",
            self.moment(created),
            customerId=self.some(self.customer_ids, 0.95),
            creatorId=self.some(self.users, 0.8),
            priority=float(self.rng.randrange(2)),
            body=self.rng.choice(PARAGRAPHS),
            **own,
        )

    def synced(self) -> Any:
        service = self.rng.choice(("github", "jira", "slack"))
        number = self.rng.randrange(10_000)
        metadata: dict[str, dict[str, Any]] = {
            "github": {
                "__typename": "ExternalEntityInfoGithubMetadata",
                "number": float(number),
                "owner": "standin",
                "repo": "wüste",
            },
            "jira": {
                "__typename": "ExternalEntityInfoJiraMetadata",
                "issueKey": f"J-{number}",
                "issueTypeId": "10001",
                "projectId": None,
            },
            "slack": {
                "__typename": "ExternalEntitySlackMetadata",
                "channelId": f"C{number}",
                "channelName": "général",
                "isFromSlack": True,
                "messageUrl": None,
            },
        }
        return embedded({"id": f"{service}-{number}", "service": service, "metadata": metadata[service]})

    def bot(self) -> Any:
        return embedded(
            {
                "id": None,
                "type": "integration",
                "subType": "slack",
                "name": "Slack 🤖",
                "avatarUrl": None,
                "userDisplayName": None,
            }
        )

    # --- around issues ----------------------------------------------------------------------

    def comments(self) -> None:
        self.comment_ids: list[str] = []
        roots: list[tuple[str, str, int]] = []
        for issue, (created, _) in zip(self.issue_ids, self.issue_times, strict=True):
            for _ in range(int(self.rng.random() ** 2 * 10)):
                at = self.moment(created, created + 90 * DAY)
                thread = roots[-1] if roots and self.rng.random() < 0.4 else None
                parent = thread[1] if thread and thread[0] == issue and thread[2] <= at else None
                comment = self.comment(at, issueId=issue, parentId=parent)
                if parent is None:
                    roots.append((issue, comment, at))
        elsewhere = [("projectUpdateId", i) for i in self.project_updates]
        elsewhere += [("initiativeUpdateId", i) for i in self.initiative_updates]
        elsewhere += [("projectId", i) for i in self.project_ids[::2]]
        for key, owner in elsewhere:
            for _ in range(self.rng.randrange(3)):
                self.comment(self.moment(self.start), **{key: owner})
        if not self.comment_ids:
            self.comment(self.now, projectId=self.project_ids[0])

    def comment(self, at: int, **own: Any) -> str:
        chance = self.rng.random()
        user = self.some(self.users, 0.93)
        number = len(self.comment_ids)
        updated = at if chance < 0.7 else self.moment(at, at + 20 * DAY)
        comment = self.make(
            "Comment",
            at,
            updated,
            body=f"{self.rng.choice(PARAGRAPHS)} ({number})",
            url=f"https://linear.app/standin/comment/{number}",
            userId=user,
            externalUserId=None if user else self.some(self.externals, 0.7),
            botActor=None if user else self.bot(),
            editedAt=to_text(updated) if chance > 0.9 else None,
            resolvedAt=None,
            syncedWith=[self.synced()] if chance > 0.97 else None,
            archivedAt=to_text(self.moment(updated)) if 0.5 < chance < 0.51 else None,
            **own,
        )
        if chance < 0.03 and own.get("parentId"):
            root = self.workspace.rows["Comment"][own["parentId"]]
            if root["resolvedAt"] is None and root["updatedAt"] >= to_text(at):
                root["resolvedAt"] = root["updatedAt"]
                root["resolvingCommentId"], root["resolvingUserId"] = comment, user
        self.comment_ids.append(comment)
        return comment

    def attachments(self) -> None:
        for issue, (created, _) in zip(self.issue_ids, self.issue_times, strict=True):
            for _ in range(int(self.rng.random() ** 3 * 3)):
                at = self.moment(created, created + 30 * DAY)
                number = self.rng.randrange(100_000)
                self.make(
                    "Attachment",
                    at,
                    issueId=issue,
                    creatorId=self.some(self.users, 0.8),
                    externalUserCreatorId=self.some(self.externals, 0.1),
                    title=f"PR #{number}: {self.rng.choice(WORDS)}",
                    url=f"https://github.example/standin/app/pull/{number}",
                    sourceType=self.rng.choice(("github", "slack", "zendesk", None)),
                    metadata=self.rng.choice(OBJECTS),
                )
        self.retire("Attachment", 0.02)

    def documents(self) -> None:
        owners = [("projectId", i) for i in self.project_ids]
        owners += [("initiativeId", i) for i in self.initiative_ids]
        owners += [("issueId", i) for i in self.issue_ids[::50]]
        owners += [("teamId", i) for i in self.team_ids[:2]]
        owners += [("releaseId", i) for i in self.release_ids[::5]]
        owners += [("cycleId", self.cycles[self.team_ids[0]][20][2])]
        previous = None
        for number, (key, owner) in enumerate(owners):
            own: dict[str, Any] = {key: owner}
            content = self.make("DocumentContent", content=self.rng.choice(PARAGRAPHS))
            title, slug_id = f"{self.title()} ({number})", f"{number:08x}d0c5"
            previous = self.make(
                "Document",
                title=title,
                content=self.rng.choice(PARAGRAPHS),
                slugId=slug_id,
                url=f"https://linear.app/standin/document/{slug(title, slug_id)}",
                documentContentId=content,
                creatorId=self.some(self.users, 0.9),
                updatedById=self.some(self.users, 0.9),
                ownerId=self.some(self.users, 0.5),
                parentDocumentId=previous if number % 10 == 9 else None,
                subscriberIds=self.few(self.users, 4),
                **own,
            )
            self.workspace.rows["DocumentContent"][content]["documentId"] = previous
            if number % 5 == 0:
                self.comment(self.moment(self.start), documentContentId=content)
            if number % 12 == 7:
                self.workspace.trash("Document", previous)
        self.retire("Document", 0.05)

    def agents(self) -> None:
        for number in range(4):
            self.make(
                "AgentSkill",
                title=self.title(),
                body=self.rng.choice(PARAGRAPHS),
                creatorId=self.one(self.users),
                ownerId=self.one(self.users),
                teamId=self.some(self.team_ids, 0.5),
                slugId=f"skill-{number}",
                recentUsageCount=float(number),
            )
        app = self.users[1]
        kinds = self.workspace.schema.possible_types(
            self.workspace.schema.graphql.type_map["AgentActivityContent"]
        )
        for number in range(3 + self.size // 40):
            created = self.moment(self.start)
            session = self.make(
                "AgentSession",
                created,
                appUserId=app,
                creatorId=self.some(self.users, 0.8),
                issueId=self.some(self.issue_ids, 0.9),
                commentId=self.some(self.comment_ids, 0.3),
                sourceCommentId=self.some(self.comment_ids, 0.2),
                startedAt=to_text(self.moment(created)),
                slugId=f"session-{number}",
                context=self.json("context"),
            )
            for step in range(self.rng.randrange(1, 6)):
                self.make(
                    "AgentActivity",
                    self.moment(created),
                    agentSessionId=session,
                    userId=app if step else self.one(self.users),
                    content=self.workspace.defaults.value(kinds[(number + step) % len(kinds)], self.rng, 1),
                )
        self.retire("AgentSession", 0.05)

    # --- administration ---------------------------------------------------------------------

    def administration(self) -> None:
        org, make, rng = self.organization, self.make, self.rng
        self.integration_ids = [
            make(
                "Integration",
                service=service,
                creatorId=self.one(self.users),
                teamId=self.some(self.team_ids, 0.4),
                organizationId=org,
            )
            for service in INTEGRATIONS
        ]
        for number in range(4):
            webhook = make(
                "Webhook",
                label=f"Hook {number} ⚓" if number else None,
                url=f"https://hooks.example.com/{number}",
                secret=f"standin-webhook-secret-{number}",
                creatorId=self.some(self.users, 0.8),
                teamId=self.team_ids[0] if number % 2 else None,
                teamIds=[self.team_ids[0]] if number % 2 else None,
                resourceTypes=["Issue", "Comment"][: number % 3],
                failures=[],
            )
            row = self.workspace.rows["Webhook"][webhook]
            row["failures"] = [
                embedded(
                    {
                        "id": f"failure-{number}",
                        "webhookId": webhook,
                        "url": row["url"],
                        "createdAt": row["createdAt"],
                        "executionId": f"run-{number}",
                        "httpStatus": 500.0,
                        "responseOrError": None,
                    }
                )
            ][: number % 2]
        for number in range(20 + self.size // 4):
            at = self.moment(self.start)
            actor = self.some(self.users, 0.9)
            make(
                "AuditEntry",
                at,
                at,
                type=AUDITED[number % len(AUDITED)],
                actorId=actor,
                organizationId=org,
                ip=f"192.0.2.{number % 250}",
                countryCode="DE",
                metadata=rng.choice(OBJECTS),
                requestInformation=rng.choice(OBJECTS),
            )
        schedules = [
            make(
                "TimeSchedule",
                name=f"Bereitschaft {number}",
                organizationId=org,
                integrationId=self.some(self.integration_ids, 0.3),
            )
            for number in range(3)
        ]
        for team in self.team_ids[:3]:
            responsibility = make(
                "TriageResponsibility",
                teamId=team,
                timeScheduleId=self.some(schedules, 0.6),
                currentUserId=self.some(self.active, 0.7),
            )
            self.workspace.rows["Team"][team]["triageResponsibilityId"] = responsibility
        for number in range(6):
            make(
                "Emoji",
                name=f"standin-{number}",
                creatorId=self.some(self.users, 0.8),
                organizationId=org,
                url=f"https://files.example/emoji/{number}.png",
            )
        for number in range(8):
            user = self.one(self.users)
            make(
                "CustomView",
                name=f"{self.title()} view {number}",
                slugId=f"view-{number}",
                creatorId=user,
                ownerId=user,
                updatedById=self.some(self.users, 0.5),
                organizationId=org,
                teamId=self.some(self.team_ids, 0.5),
                issueIds=self.few(self.issue_ids, 5),
                projectIds=self.few(self.project_ids, 3),
                modelName="Issue",
                filterData=rng.choice(OBJECTS),
                filters={},
            )
        for number in range(5):
            created = self.moment(self.start)
            make(
                "OrganizationInvite",
                created,
                email=f"invited{number}@example.com",
                inviterId=self.admin,
                inviteeId=self.some(self.users, 0.4),
                organizationId=org,
                role=rng.choice(("user", "guest", "admin")),
                external=number % 2 == 0,
                acceptedAt=to_text(self.moment(created)) if number % 2 else None,
                expiresAt=to_text(created + 30 * DAY),
            )
        for type_name in ("CustomView", "Emoji", "Webhook", "Integration", "OrganizationInvite"):
            last = self.workspace.ids(type_name)[-1]
            self.workspace.archive(type_name, last)

    def reactions(self) -> None:
        targets: list[tuple[str, str]] = [("issueId", i) for i in self.issue_ids[::9]]
        targets += [("commentId", i) for i in self.comment_ids[::7]]
        targets += [("projectUpdateId", i) for i in self.project_updates[::2]]
        for key, owner in targets:
            own: dict[str, Any] = {key: owner, "userId": self.some(self.users, 0.9)}
            self.make("Reaction", emoji=self.rng.choice(EMOJI), **own)

    def more_reactions(self) -> None:
        """Some rows have several, of one emoji or of more."""
        targets: list[tuple[str, str]] = [("issueId", i) for i in self.issue_ids[::18]]
        targets += [("commentId", i) for i in self.comment_ids[::21]]
        targets += [("projectUpdateId", i) for i in self.project_updates[::4]]
        targets += [("initiativeUpdateId", i) for i in self.initiative_updates[::2]]
        for key, owner in targets:
            for emoji in self.rng.choices(EMOJI, k=self.rng.randrange(1, 4)):
                own: dict[str, Any] = {key: owner, "userId": self.some(self.users, 0.9)}
                self.make("Reaction", emoji=emoji, **own)

    def reaction_data(self) -> None:
        """What is reacted to says so in a JSON of its own, by emoji."""
        for key, type_name in (
            ("issueId", "Issue"),
            ("commentId", "Comment"),
            ("projectUpdateId", "ProjectUpdate"),
            ("initiativeUpdateId", "InitiativeUpdate"),
        ):
            by_owner: dict[str, dict[str, list[dict[str, Any]]]] = {}
            for row_id, row in self.workspace.rows["Reaction"].items():
                if row[key] is not None and row["archivedAt"] is None:
                    one = {"id": row_id, "userId": row["userId"], "reactedAt": row["createdAt"]}
                    by_owner.setdefault(row[key], {}).setdefault(row["emoji"], []).append(one)
            for owner, by_emoji in by_owner.items():
                self.workspace.rows[type_name][owner]["reactionData"] = [
                    {"emoji": emoji, "reactions": reactions} for emoji, reactions in by_emoji.items()
                ]

    def remaining(self) -> None:
        """Two rows of every type that has none yet; then no required relation is empty."""
        workspace = self.workspace
        for type_name in sorted(workspace.schema.entities):
            if not workspace.rows[type_name]:
                for _ in range(2):
                    self.make(type_name)
        for type_name, rows in workspace.rows.items():
            fields = workspace.schema.fields(type_name)
            for key, field in workspace.schema.relations(type_name).items():
                scalar = fields.get(key)
                if not field.required and not (scalar and scalar.required):
                    continue
                ids = workspace.ids(field.target)
                for row in rows.values():
                    if row[key] is None:
                        row[key] = self.one(ids)

    def optional_relations(self) -> None:
        """No relation is empty in every row: some rows of each type get one."""
        workspace = self.workspace
        for type_name, rows in workspace.rows.items():
            share = 0.05 if len(rows) > 1000 else 0.25
            for key, field in workspace.schema.relations(type_name).items():
                ids = workspace.ids(field.target)
                told = type_name == "IssueHistory" and key in TOLD
                if told or any(row[key] is not None for row in rows.values()) or not ids:
                    continue
                for number, row in enumerate(rows.values()):
                    others = [self.one(ids), ids[0], ids[-1]]
                    other = next((i for i in others if i != row["id"]), None)
                    if number == 0 or self.rng.random() < share:
                        row[key] = other
        self.one_owner("EntityExternalLink")

    def one_owner(self, type_name: str) -> None:
        """Each row of a type hangs on one other row only; of each kind of owner some row keeps one."""
        kept = Counter[str]()
        for row in self.workspace.rows[type_name].values():
            owners = [key for key in OWNERS[type_name] if row[key] is not None]
            own = min(owners, key=lambda key: kept[key], default="")
            kept[own] += 1
            for key in owners:
                row[key] = row[key] if key == own else None

    def plain_ids(self) -> None:
        """Ids that the schema does not call relations are those of rows, too."""
        for type_name, key, target in (
            ("IssueHistory", "customerNeedId", "CustomerNeed"),
            ("Team", "autoCloseStateId", "WorkflowState"),
        ):
            ids = self.workspace.ids(target)
            for number, row in enumerate(self.workspace.rows[type_name].values()):
                if row[key] is not None:
                    row[key] = ids[number % len(ids)]

    def long_lists(self) -> None:
        """A few nested lists are longer than a page of 50."""
        if self.size < 100:
            return
        for issue, field, size in zip(
            self.issue_ids[:: self.size // 5],
            ("comments", "attachments", "history", "subscribers"),
            (60, 55, 70, min(51, len(self.users))),
            strict=False,
        ):
            self.workspace.set_list("Issue", issue, field, size)
            if field == "history":
                for entry in self.workspace.list_ids("Issue", issue, field):
                    row = self.workspace.rows["IssueHistory"][entry]
                    row.update({name: None for name in TOLD if name not in row})
