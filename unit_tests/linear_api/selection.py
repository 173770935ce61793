"""Query texts for the tests of the simulator."""

from __future__ import annotations

from graphql import GraphQLObjectType, get_named_type, is_leaf_type, is_non_null_type

from integration_tests.linear_api import linear_schema

SCHEMA = linear_schema()


def all_fields(type_name: str, depth: int = 1) -> str:
    """Every field of a type: scalars, embedded objects, `{ id }` of what is related."""
    kind = SCHEMA.graphql.type_map[type_name]
    if not isinstance(kind, GraphQLObjectType):
        parts = [
            f"... on {member.name} {{ {_aliased(member.name, all_fields(member.name, depth))} }}"
            for member in SCHEMA.possible_types(kind)
        ]
        return f"__typename {' '.join(parts)}"
    selected = []
    for name, field in kind.fields.items():
        named = get_named_type(field.type)
        if any(is_non_null_type(arg.type) for arg in field.args.values()):
            continue
        if is_leaf_type(named):
            selected.append(name)
        elif named.name in SCHEMA.connections:
            selected.append(f"{name}(first: 3) {{ nodes {{ id }} pageInfo {{ hasNextPage }} }}")
        elif named.name in SCHEMA.entities:
            selected.append(f"{name} {{ id }}")
        elif depth < 4:
            selected.append(f"{name} {{ {all_fields(named.name, depth + 1)} }}")
    return " ".join(selected)


def _aliased(prefix: str, selection: str) -> str:
    """Members of a union may have fields of one name and different types."""
    words, level, found = selection.replace("{", " { ").replace("}", " } ").split(), 0, []
    for word in words:
        if word == "{":
            level += 1
        elif word == "}":
            level -= 1
        elif level == 0 and word.isidentifier() and "(" not in word:
            word = f"{prefix}_{word}: {word}"
        found.append(word)
    return " ".join(found)


def root_query(root: str, arguments: str = "first: 3, includeArchived: true") -> str:
    """A query for every field of a root connection's nodes."""
    return f"{{ {root}({arguments}) {{ nodes {{ {all_fields(SCHEMA.roots[root])} }} }} }}"
