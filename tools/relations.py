"""What a stream is about, and which of its columns hold the ids of which stream's rows.

Everything is derived from the manifest and the contract, but for two things that they do not say:
in which area of Linear a stream belongs with what phrase (`AREAS`), and what a handful of columns
refers to whose names do not tell (`_TARGETS`).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from graphql import GraphQLObjectType, GraphQLSchema, get_named_type

from source_linear.streams import Stream

# The order is that of the docs and of the picture. A row is …
AREAS: Mapping[str, Mapping[str, str]] = {
    "Issues": {
        "issues": "an issue",
        "issue_history": "one change of an issue: who, when, from what to what",
        "issue_state_spans": "the time that an issue spent in one state",
        "issue_labels": "a label of issues, or a group of them",
        "issue_relations": "a relation of two issues: blocks, duplicate, related …",
    },
    "Teams": {
        "teams": "a team with its settings",
        "team_memberships": "a person in a team",
        "cycles": "a cycle of a team",
        "workflow_states": "a state of a team's workflow",
        "triage_responsibilities": "who looks after a team's triage",
        "time_schedules": "an on-call schedule",
    },
    "Projects": {
        "projects": "a project",
        "project_milestones": "a milestone of a project",
        "project_updates": "a status update of a project",
        "project_history": "one entry in a project's history",
        "project_labels": "a label of projects, or a group of them",
        "project_statuses": "a status that projects can have",
        "project_relations": "a dependency between two projects",
    },
    "Initiatives": {
        "initiatives": "an initiative",
        "initiative_updates": "a status update of an initiative",
        "initiative_history": "one entry in an initiative's history",
        "initiative_labels": "a label of initiatives, or a group of them",
        "initiative_relations": "an initiative below another",
        "initiative_to_projects": "a project in an initiative",
    },
    "Content": {
        "comments": "a comment on an issue, project, initiative, update or document",
        "attachments": "a link from an issue to something outside of Linear",
        "documents": "a document",
        "entity_external_links": "a link of a project, initiative, cycle or release",
    },
    "Customers": {
        "customers": "a customer",
        "customer_needs": "a customer's request, tied to an issue or project",
        "customer_statuses": "a status that customers can have",
        "customer_tiers": "a tier that customers can have",
    },
    "Releases": {
        "releases": "a release",
        "release_pipelines": "a pipeline of releases",
        "release_stages": "a stage of a pipeline",
        "release_notes": "a note about one or more releases",
        "issue_to_releases": "an issue in a release",
    },
    "Agents": {
        "agent_sessions": "a session of an agent",
        "agent_activities": "one step of an agent's session",
        "agent_skills": "a saved instruction for Linear's agent",
    },
    "Workspace": {
        "organization": "the workspace; a single row",
        "users": "a person or app, disabled ones too",
        "external_users": "somebody from Slack, Jira, GitHub … without an account",
        "organization_invites": "an invitation to the workspace",
        "audit_entries": "an entry in the audit log",
        "integrations": "an integration with another service",
        "webhooks": "a webhook",
        "custom_views": "a saved view, as far as the key's owner may see it",
        "templates": "a template for issues, projects or documents",
        "emojis": "an emoji of the workspace's own",
    },
}

# Columns of ids of another stream that neither their name nor the contract gives away.
_TARGETS: Mapping[str, str] = {"teams.autoCloseStateId": "workflow_states"}

# Columns that are named like ids of rows, and are none.
_NO_ROWS = {"slugId", "externalId", "externalIds", "mainSourceId", "gitHubUserId"} | {
    "documentContentId",  # of documents.documentContentId, which is no key
    "defaultHomeViewTargetId",
    "microsoftTeamsChannelId",
    "slackChannelId",
}

_ID_COLUMN = re.compile(r"(\w+?)Id(s?)(?:UponClose)?")


@dataclass(frozen=True)
class Relation:
    """A column that holds the id of a row of `target`, or a list of them."""

    stream: str
    column: str
    target: str

    @property
    def is_list(self) -> bool:
        return self.column.endswith(("Ids", "IdsUponClose"))


def area_of(stream: str) -> str:
    """The area that a stream belongs to.

    Raises:
        ValueError: `AREAS` does not say.
    """
    for area, members in AREAS.items():
        if stream in members:
            return area
    raise ValueError(f"{stream} is in no area: add it to AREAS in tools/relations.py")


def phrase_of(stream: str) -> str:
    """What a row of the stream is, in a few words."""
    return AREAS[area_of(stream)][stream]


def relations(streams: Iterable[Stream], linear: GraphQLSchema) -> list[Relation]:
    """Every column that holds ids of a stream's rows, in the manifest's order."""
    known = list(streams)
    names = {stream.entity: stream.name for stream in known}
    found = []
    for stream in known:
        for column in stream.column_names:
            where = f"{stream.name}.{column}"
            if target := _TARGETS.get(where) or names.get(_entity(stream, column, linear) or ""):
                found.append(Relation(stream.name, column, target))
    return found


def unexplained(streams: Iterable[Stream], linear: GraphQLSchema) -> list[str]:
    """Columns that are named like ids, and of which nothing says what they refer to."""
    return [
        f"{stream.name}.{column}"
        for stream in streams
        for column in stream.column_names
        if _ID_COLUMN.fullmatch(column)
        and column not in _NO_ROWS
        and f"{stream.name}.{column}" not in _TARGETS
        and not _entity(stream, column, linear)
    ]


def node_type(linear_type: object) -> str:
    """The named type behind lists and connections: `Issue` for `IssueConnection!`."""
    named = get_named_type(linear_type)  # type: ignore[call-overload]
    nodes = getattr(named, "fields", {}).get("nodes")
    return get_named_type(nodes.type).name if nodes else named.name


def _entity(stream: Stream, column: str, linear: GraphQLSchema) -> str | None:
    """The GraphQL type whose ids the column holds, of a stream or not."""
    column = stream.copies.get(column, column)
    match = _ID_COLUMN.fullmatch(column)
    if not match:
        return None
    entity = linear.type_map[stream.entity]
    assert isinstance(entity, GraphQLObjectType)
    base, plural = match.groups()
    if column in stream.lists:
        return node_type(entity.fields[stream.lists[column].name].type)
    if column in stream.parent_columns:
        return next(root.entity for root in stream.roots if root.parent == base)
    for name in (base, f"{base}{plural}"):
        if name in entity.fields:
            return node_type(entity.fields[name].type)
    named = base[0].upper() + base[1:]
    return named if named in linear.type_map else None
