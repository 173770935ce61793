"""Write what the dbt package derives: its sources, its staging models and their tests.

    python -m tools.dbt_package

All of it comes from the manifest, the contract and the docs' texts. A test fails when it drifts
(unit_tests/test_dbt_package.py).
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from graphql import GraphQLObjectType, GraphQLSchema, get_named_type, is_enum_type

from source_linear.streams import ARCHIVED_FLAG, Stream
from tools.docs import archiving_seen
from tools.evidence import EVIDENCE
from tools.relations import Relation, phrase_of, relations
from tools.schemas import ROOT, contract, json_columns, schema_of, streams

PACKAGE = ROOT / "dbt"
STAGING = PACKAGE / "models" / "staging"
RELATIONS = PACKAGE / "tests" / "relations"  # STAGING and this hold generated files only
TOMBSTONE = "deletedAt"  # a tombstone's column: staging leaves such rows out, and has no such column
_TRASHED = "trashed"
_HEAD = "Written by `make docs`, not by hand."
_FORMATS = {"date-time": "timestamp", "date": "date"}
_TYPES = {"string": "text", "number": "number", "boolean": "boolean"}
_FRESHNESS = {
    "loaded_at_field": "{{ var('linear_loaded_at', '_airbyte_extracted_at') }}",
    "freshness": {
        "warn_after": {"count": 24, "period": "hour"},
        "error_after": {"count": 72, "period": "hour"},
    },
}
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def snake_case(column: str) -> str:
    """The name that a column of a stream has in staging: `createdAt` becomes `created_at`."""
    return _WORD.sub("_", column).lower()


def column_type(schema: Mapping[str, Any]) -> str:
    """What staging makes of a column: text, number, boolean, timestamp, date, or json for all else."""
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    (name,) = (each for each in types if each != "null")
    return _FORMATS.get(schema.get("format", ""), _TYPES.get(name, "json"))


def files() -> dict[Path, str]:
    """The text of every generated file."""
    known, linear = streams(), contract()
    found = relations(known, linear)
    made = {
        PACKAGE / "models" / "linear_sources.yml": sources(known, linear, found),
        STAGING / "stg_linear__staging.yml": staging_descriptions(known, linear, found),
    }
    never = {stream.name for stream in known if archiving_seen(stream) == "as a deletion"}
    for stream in known:
        made[STAGING / f"stg_linear__{stream.name}.sql"] = staging_model(stream, linear)
        if test := relations_test(stream, found, never):
            made[RELATIONS / f"linear_relations_of_{stream.name}.sql"] = test
    return made


# --- Sources --------------------------------------------------------------------------------------


def sources(known: Sequence[Stream], linear: GraphQLSchema, found: Iterable[Relation]) -> str:
    """The sources: every table, its columns described."""
    targets = {(each.stream, each.column): each for each in found}
    tables = []
    for stream in known:
        columns = schema_of(stream, linear)["properties"]
        # Of all tables only that of issues changes in every workspace every day.
        fresh = {"config": _FRESHNESS} if stream.name == "issues" else {}
        tables.append(
            {
                "name": stream.name,
                "identifier": _in_case(stream.name),
                **fresh,
                "description": f"A row is {phrase_of(stream.name)}. `{stream.entity}` in Linear's API.",
                "columns": [
                    {
                        "name": name,
                        "description": _description(stream, linear, name, targets.get((stream.name, name))),
                        "data_type": column_type(schema),
                    }
                    for name, schema in columns.items()
                ],
            }
        )
    source = {
        "name": "linear",
        "description": "The tables that a destination writes for the streams of source-linear.",
        "database": "{{ var('linear_database', none) or target.database }}",
        "schema": "{{ var('linear_schema', none) or target.schema }}",
        "quoting": {"identifier": True},
        "tables": tables,
    }
    return _yaml({"version": 2, "sources": [source]})


def _in_case(table: str) -> str:
    # A macro cannot be called here.
    return f"{{{{ '{table}' if var('linear_column_case', 'as_is') != 'upper' else '{table.upper()}' }}}}"


def _description(stream: Stream, linear: GraphQLSchema, column: str, relation: Relation | None) -> str:
    entity = linear.type_map[stream.entity]
    assert isinstance(entity, GraphQLObjectType)
    if column == "id":
        return "The primary key."
    if column == ARCHIVED_FLAG:
        return "Whether the row is archived or in the trash."
    if column == TOMBSTONE:
        return "When the row was found to be deleted in Linear. Of its other columns most are null then."
    if of := stream.copies.get(column):
        return f"The same as `{of}`, under the name of Airbyte's own connector."
    if relation and relation.is_list:
        return f"The ids of rows of `{relation.target}`, complete."
    if relation:
        return f"The id of a row of `{relation.target}`."
    if column in json_columns(stream, linear):
        return f"Any JSON in Linear's schema. {EVIDENCE[column]}"
    if column not in entity.fields:
        return _without_field(stream, column)
    kind = entity.fields[column].type
    text = f"`{stream.entity}.{column}` in Linear's API, `{kind}`"
    if is_enum_type(named := get_named_type(kind)):
        return f"{text}: {', '.join(named.values)}."
    if isinstance(named, GraphQLObjectType):
        return f"{text}, with {', '.join(named.fields)}."
    return f"{text}."


def _without_field(stream: Stream, column: str) -> str:
    if column in stream.parent_columns:  # issueUpdatedAt
        parent, field = snake_case(column).split("_", 1)
        kind = snake_case(stream.entity).replace("_", " ")
        return f"`{field}` of the row's {parent}: the {kind} has no such moment itself."
    return "An id of what no stream reads."


# --- Staging --------------------------------------------------------------------------------------


def staging_model(stream: Stream, linear: GraphQLSchema) -> str:
    """A staging model: each column with its type; the macro does the rest."""
    columns = {
        name: column_type(schema)
        for name, schema in schema_of(stream, linear)["properties"].items()
        if name not in (TOMBSTONE, ARCHIVED_FLAG)
    }
    listed = ",\n".join(f"    '{name}': ('{snake_case(name)}', '{kind}')" for name, kind in columns.items())
    return (
        f"-- {_HEAD}\n"
        f"{{{{ linear_staging(source('linear', '{stream.name}'), {{\n{listed},\n}}"
        f"{', has_trash=true' if has_trash(stream, linear) else ''}) }}}}\n"
    )


def staging_descriptions(known: Sequence[Stream], linear: GraphQLSchema, found: Iterable[Relation]) -> str:
    """The staging models' columns described, and the tests of keys."""
    targets = {(each.stream, each.column): each for each in found}
    models = []
    for stream in known:
        columns = [
            {
                "name": snake_case(name),
                "description": _description(stream, linear, name, targets.get((stream.name, name))),
                **({"data_tests": ["linear_key"]} if name == "id" else {}),
            }
            for name in schema_of(stream, linear)["properties"]
            if name not in (TOMBSTONE, ARCHIVED_FLAG)
        ]
        if has_trash(stream, linear):
            columns.append({"name": "is_deleted", "description": "Whether the row is in the trash."})
        columns.append({"name": "is_archived", "description": "Whether the row is archived or in the trash."})
        models.append(
            {
                "name": f"stg_linear__{stream.name}",
                "description": (
                    f"A row is {phrase_of(stream.name)}. Without rows that were deleted in Linear."
                ),
                "columns": columns,
            }
        )
    return _yaml({"version": 2, "models": models})


def has_trash(stream: Stream, linear: GraphQLSchema) -> bool:
    """Whether a stream's rows go to a trash.

    In the history of a row, `trashed` says what happened to that row.
    """
    return _TRASHED in schema_of(stream, linear)["properties"] and not stream.parents


def relations_test(stream: Stream, found: Sequence[Relation], never: Collection[str]) -> str | None:
    """The test of a stream's relations; None if it has none.

    One for all of its columns, as a query is what a test costs. It is no generic test: dbt has changed how
    arguments are written for those.

    Args:
        stream: whose.
        found: the relations of all streams.
        never: streams whose archived rows are not listed by Linear: what refers to those refers to no row.
    """
    single, lists = (
        "".join(
            f"        '{snake_case(relation.column)}': ref('stg_linear__{relation.target}'),\n"
            for relation in found
            if (relation.stream, relation.is_list) == (stream.name, is_list) and relation.target not in never
        )
        for is_list in (False, True)
    )
    if not single + lists:
        return None
    return (
        f"-- {_HEAD}\n"
        "{%- set severity = var('linear_relation_severity', 'off') %}\n"
        "{{ config(enabled=severity != 'off', severity='error' if severity == 'error' else 'warn') }}\n"
        f"{{{{ linear_without_row(\n    ref('stg_linear__{stream.name}'),\n"
        f"    {{\n{single}    }},\n    {{\n{lists}    }},\n) }}}}\n"
    )


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _yaml(content: Mapping[str, Any]) -> str:
    return f"# {_HEAD}\n" + yaml.dump(
        content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110, default_flow_style=False
    )


def main() -> None:
    """Write the generated files and delete those of streams that are gone."""
    made = files()
    for path in {*STAGING.glob("*"), *RELATIONS.glob("*")} - set(made):
        path.unlink()
    for path, text in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    print(f"{len(made)} files of dbt/ are up to date")


if __name__ == "__main__":
    main()
