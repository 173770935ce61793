"""What the world knows of Linear's schema, as the manifest names it: roots, entities, lists inside rows."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from source_linear.packaged import manifest

# Lists that follow from another entity's relation: (entity, list) -> (entity of its rows, relation).
INVERSE = {
    ("Issue", "attachments"): ("Attachment", "issue"),
    ("Issue", "relations"): ("IssueRelation", "issue"),
}
_PARENT = re.compile(r"(?P<entity>\w+)\.(?P<list>\w+)\(")


@dataclass(frozen=True)
class Schema:
    """What queries may name.

    Attributes:
        entities: each stream's entity.
        connections: each root that gives pages, with the entity of its nodes.
        plain: each root that gives a plain list, likewise.
        singles: each root that gives one row by its id, likewise.
        children: rows that have no root of their own: (entity, list inside its rows) -> their entity.
        lists: plain lists inside rows: never null.
        undated: entities whose rows have no dates of their own.
        marks: for each entity, a scalar field that its streams read and that may hold any text.
    """

    entities: dict[str, str] = field(default_factory=dict)
    connections: dict[str, str] = field(default_factory=dict)
    plain: dict[str, str] = field(default_factory=dict)
    singles: dict[str, str] = field(default_factory=dict)
    children: dict[tuple[str, str], str] = field(default_factory=dict)
    lists: set[str] = field(default_factory=set)
    undated: set[str] = field(default_factory=set)
    marks: dict[str, str] = field(default_factory=dict)


@cache
def schema() -> Schema:
    """Read the manifest's streams."""
    known = Schema(singles={"organization": "Organization"})
    for declared in manifest()["streams"]:
        _add(known, declared["$parameters"])
    return known


def _add(known: Schema, stream: Mapping[str, Any]) -> None:
    name, entity = stream["name"], stream["entity"]
    known.entities[name] = entity
    if "cursor_field" in stream:
        known.undated.add(entity)
    known.lists.update(one for one in stream.get("lists", {}).values() if "(" not in one)
    scalars = [
        one for one in stream["fields"].split() if one != "trashed" and one not in stream.get("types", ())
    ]
    if names := scalars or stream["fields"].split():
        known.marks[entity] = names[0]
    for parent in stream.get("parents", ()):
        found = _PARENT.match(parent)
        assert found, parent
        known.children[found["entity"], found["list"]] = entity
    if stream.get("parents"):
        return
    first, *others = name.split("_")
    root = first + "".join(word.capitalize() for word in others)
    if root == entity[0].lower() + entity[1:]:
        known.singles[root] = entity
    elif not stream.get("connection", True):
        known.plain[root] = entity
        known.singles[entity[0].lower() + entity[1:]] = entity
    else:
        known.connections[root] = entity
        known.singles[entity[0].lower() + entity[1:]] = entity
