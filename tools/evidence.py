"""How it is known which JSON type a column has that Linear's schema calls `JSON` or `JSONObject`.

The types themselves stand in the manifest. A column means the same in every stream, so it stands here once.
"""

from collections.abc import Mapping, Sequence

from graphql import GraphQLSchema

from source_linear.streams import Stream
from tools.schemas import json_columns

_PROGRESS = "Described as a snapshot, broken down by issue status."
_SETTINGS = "Described as settings, each with a name."
_FILTER = "Described as a structured filter; Linear's filters are objects."
_NAMELESS = "Not described. An object as most are, until something else is seen."
_SUMMARY = "Described as one summary; Linear's other summaries are documents, which are objects."

# In words of our own: what was seen in answers, or else what Linear's schema says in its descriptions.
EVIDENCE: Mapping[str, str] = {
    "activitySummary": _SUMMARY,
    "aiAnalysis": _NAMELESS,
    "changes": "An object in Airbyte's own connector, too. Described as the changed properties.",
    "codingAgentSettings": _SETTINGS,
    "context": "Described in the plural: the entity contexts of the session, such as issues or projects.",
    "contextualMetadata": "Described as metadata; who creates an activity gives it as a `JSONObject`.",
    "currentProgress": _PROGRESS,
    "customersConfiguration": _SETTINGS,
    "diff": "Described as one difference, of two snapshots that are objects (`infoSnapshot`).",
    "entries": "Described in the plural: the events of that history.",
    "feedItemFilterData": _FILTER,
    "filterData": _FILTER,
    "infoSnapshot": "An object in Airbyte's own connector, too. Described as a snapshot of properties.",
    "initiativeFilterData": _FILTER,
    "linearAgentSettings": _SETTINGS,
    "metadata": "Described as fields, which vary by source or event.",
    "modelSelection": _NAMELESS,
    "plan": "Recorded: `[{content, status}]`. Linear refuses an object.",
    "progressHistory": (
        "Described in the plural for releases: the progress snapshots over time (`currentProgress` is one). "
        "For the others by analogy."
    ),
    "projectFilterData": _FILTER,
    "reactionData": (
        "Recorded for issues, comments and project updates: `[]`, or one object an emoji, "
        "`{emoji, reactions: [{id, userId, reactedAt}]}`. For initiative updates by analogy."
    ),
    "requestInformation": "Described as information on the request; Linear's webhook says `JSONObject`, too.",
    "securitySettings": _SETTINGS,
    "signalMetadata": "Described as metadata; Linear's webhook says `JSONObject`.",
    "source": "Described as information on one source; Linear's webhook says `JSONObject`, too.",
    "sourceMetadata": "Described as metadata of one source; Linear's webhook says `JSONObject`.",
    "teamSecuritySettings": "Not described. By analogy with `securitySettings`.",
    "templateData": "Recorded, and described so: a text that holds JSON. Parse it to get at its fields.",
    "themeSettings": _SETTINGS,
    "threadSummary": _SUMMARY,
}

# Columns of Airbyte's own source-linear that have another type here: (theirs, ours). None of another kind.
OTHER_TYPES: Mapping[str, tuple[str, str]] = {"project_updates.reactionData": ("object", "array")}


def columns_of_any_json(
    known: Sequence[Stream], linear: GraphQLSchema
) -> Mapping[str, tuple[str, Sequence[str]]]:
    """Each column whose form Linear's schema leaves open: its JSON type, and the streams that have it.

    Raises:
        KeyError: the manifest declares no type for one.
        ValueError: a column has different types in different streams.
    """
    found: dict[str, tuple[str, list[str]]] = {}
    for stream in known:
        for column in json_columns(stream, linear):
            kind, names = found.setdefault(column, (stream.types[column], []))
            if kind != stream.types[column]:
                raise ValueError(f"{column} is of the type {kind} in {names[0]}, but not in {stream.name}")
            names.append(stream.name)
    return dict(sorted(found.items()))
