"""Where the rows of a nested list come from.

One back relation in the schema says it all (`Cycle.documents` are the documents whose `cycle`
is this one); no back relation means that the ids are stored on the row itself
(`Issue.subscribers` under `subscriberIds`). What the schema leaves open is said in `LINKS`.
"""

from __future__ import annotations

from dataclasses import dataclass

from graphql import GraphQLObjectType

from .schema import Kind, Schema


@dataclass(frozen=True)
class Stored:
    """The row holds the ids under `key`."""

    target: str
    key: str


@dataclass(frozen=True)
class Inverse:
    """The rows of `target` whose `key` is this row's `own` value (or holds it, being a list)."""

    target: str
    key: str
    own: str = "id"


@dataclass(frozen=True)
class Through:
    """The rows that join rows point to: `join.near` is this row, `join.far` the other."""

    target: str
    join: str
    near: str
    far: str


@dataclass(frozen=True)
class Every:
    """All rows of a type: the workspace has one organization."""

    target: str


@dataclass(frozen=True)
class Ancestors:
    """The chain of parents, nearest first."""

    target: str
    key: str


Link = Stored | Inverse | Through | Every | Ancestors

LINKS: dict[tuple[str, str], Link] = {
    ("Comment", "agentSessions"): Inverse("AgentSession", "commentId"),
    ("Comment", "aiPromptProgresses"): Inverse("AiPromptProgress", "commentId"),
    ("Comment", "children"): Inverse("Comment", "parentId"),
    ("Comment", "spawnedAgentSessions"): Inverse("AgentSession", "sourceCommentId"),
    ("Cycle", "links"): Inverse("EntityExternalLink", "cycleId"),
    ("Cycle", "uncompletedIssuesUponClose"): Stored("Issue", "uncompletedIssuesUponCloseIds"),
    ("Document", "comments"): Inverse("Comment", "documentContentId", "documentContentId"),
    ("Initiative", "parentInitiatives"): Through(
        "Initiative", "InitiativeRelation", "relatedInitiativeId", "initiativeId"
    ),
    ("Initiative", "projects"): Through("Project", "InitiativeToProject", "initiativeId", "projectId"),
    ("Initiative", "subInitiatives"): Through(
        "Initiative", "InitiativeRelation", "initiativeId", "relatedInitiativeId"
    ),
    ("InitiativeLabel", "initiatives"): Inverse("Initiative", "labelIds"),
    ("Issue", "aiPromptProgresses"): Inverse("AiPromptProgress", "issueId"),
    ("Issue", "attachments"): Inverse("Attachment", "issueId"),
    ("Issue", "formerAttachments"): Inverse("Attachment", "originalIssueId"),
    ("Issue", "formerNeeds"): Inverse("CustomerNeed", "originalIssueId"),
    ("Issue", "history"): Inverse("IssueHistory", "issueId"),
    ("Issue", "incomingSuggestions"): Inverse("IssueSuggestion", "suggestedIssueId"),
    ("Issue", "inverseRelations"): Inverse("IssueRelation", "relatedIssueId"),
    ("Issue", "needs"): Inverse("CustomerNeed", "issueId"),
    ("Issue", "relations"): Inverse("IssueRelation", "issueId"),
    ("Issue", "releases"): Through("Release", "IssueToRelease", "issueId", "releaseId"),
    ("Issue", "stateHistory"): Inverse("IssueStateSpan", "issueId"),
    ("Issue", "suggestions"): Inverse("IssueSuggestion", "issueId"),
    ("IssueLabel", "children"): Inverse("IssueLabel", "parentId"),
    ("IssueLabel", "issues"): Inverse("Issue", "labelIds"),
    ("Project", "attachments"): Inverse("ProjectAttachment", "projectId"),
    ("Project", "initiatives"): Through("Initiative", "InitiativeToProject", "projectId", "initiativeId"),
    ("Project", "inverseRelations"): Inverse("ProjectRelation", "relatedProjectId"),
    ("Project", "relations"): Inverse("ProjectRelation", "projectId"),
    ("ProjectLabel", "children"): Inverse("ProjectLabel", "parentId"),
    ("ProjectLabel", "projects"): Inverse("Project", "labelIds"),
    ("PullRequest", "reactions"): Inverse("Reaction", "pullRequestId"),
    ("Release", "issues"): Through("Issue", "IssueToRelease", "releaseId", "issueId"),
    ("Release", "links"): Inverse("EntityExternalLink", "releaseId"),
    ("Release", "releaseNotes"): Stored("ReleaseNote", "releaseNoteIds"),
    ("Team", "ancestors"): Ancestors("Team", "parentId"),
    ("Team", "children"): Inverse("Team", "parentId"),
    ("Team", "members"): Through("User", "TeamMembership", "teamId", "userId"),
    ("Team", "projects"): Inverse("Project", "teamIds"),
    ("Team", "releasePipelines"): Inverse("ReleasePipeline", "teamIds"),
    ("User", "assignedIssues"): Inverse("Issue", "assigneeId"),
    ("User", "createdIssues"): Inverse("Issue", "creatorId"),
    ("User", "delegatedIssues"): Inverse("Issue", "delegateId"),
    ("User", "teams"): Through("Team", "TeamMembership", "userId", "teamId"),
}


def links(schema: Schema) -> dict[tuple[str, str], Link]:
    """The link of every list of entities in the schema, by type and field."""
    found: dict[tuple[str, str], Link] = {}
    for name, kind in schema.graphql.type_map.items():
        if not isinstance(kind, GraphQLObjectType) or name.startswith("__") or name == "Query":
            continue
        if name in schema.connections:
            continue
        for field in schema.fields(name).values():
            if field.kind in (Kind.LIST, Kind.CONNECTION):
                found[name, field.name] = _link(schema, name, field.name)
    return found


def _link(schema: Schema, owner: str, name: str) -> Link:
    if (owner, name) in LINKS:
        return LINKS[owner, name]
    field = schema.fields(owner)[name]
    back = [key for key, other in schema.relations(field.target).items() if other.target == owner]
    if owner == "Organization" and back in ([], ["organizationId"]):
        return Every(field.target)
    if owner in schema.entities and len(back) == 1:
        return Inverse(field.target, back[0])
    return Stored(field.target, field.key)


def hidden_keys(every_link: dict[tuple[str, str], Link]) -> dict[str, set[str]]:
    """The row keys, by type, that only links know: the schema has no field for them."""
    keys: dict[str, set[str]] = {}
    for (owner, _), link in every_link.items():
        if isinstance(link, Inverse):
            keys.setdefault(link.target, set()).add(link.key)
        elif isinstance(link, Stored):
            keys.setdefault(owner, set()).add(link.key)
    return keys
