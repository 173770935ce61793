"""Which rows cannot be without which others: they go, or are hidden, with them."""

from __future__ import annotations

from collections.abc import Iterator

from .links import Inverse, Link, Stored
from .schema import Schema

# relations that may be null, and that a row nevertheless hangs on where they are not
OWNERS: dict[str, tuple[str, ...]] = {
    "AgentSession": ("issueId", "commentId"),
    "Comment": (
        "documentContentId",
        "initiativeId",
        "initiativeUpdateId",
        "issueId",
        "postId",
        "projectId",
        "projectUpdateId",
    ),
    "CustomerNeed": ("issueId", "projectId"),
    "CustomView": ("teamId",),
    "Document": ("cycleId", "initiativeId", "issueId", "projectId", "releaseId", "teamId"),
    "DocumentContent": ("documentId", "initiativeId", "issueId", "projectId", "projectMilestoneId"),
    "EntityExternalLink": ("cycleId", "initiativeId", "projectId", "releaseId"),
    "Integration": ("teamId",),
    "IssueLabel": ("teamId",),
    "Post": ("teamId",),
    "ProjectLabel": ("teamId",),
    "ProjectStatus": ("teamId",),
    "Reaction": ("commentId", "initiativeUpdateId", "issueId", "postId", "projectUpdateId"),
    "Template": ("pipelineId", "teamId"),
    "Webhook": ("teamId",),
}


def references(
    schema: Schema, links: dict[tuple[str, str], Link], target: str
) -> Iterator[tuple[str, str, bool]]:
    """Who refers to rows of a type: the type, its key, and whether its rows hang on what it refers to."""
    for type_name in sorted(schema.entities):
        for key, field in schema.relations(type_name).items():
            if field.target == target:
                yield type_name, key, field.required or key in OWNERS.get(type_name, ())
    for (owner, _), link in links.items():
        if isinstance(link, Stored) and link.target == target and owner in schema.entities:
            yield owner, link.key, False
        elif isinstance(link, Inverse) and owner == target and link.own == "id":
            known = schema.relations(link.target).keys() | schema.fields(link.target).keys()
            if link.key not in known:
                yield link.target, link.key, True
