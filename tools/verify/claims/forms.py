"""Forms: of which JSON type and shape the values are, in up to 250 rows of each stream."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import jsonschema

from source_linear.streams import Record, Stream
from tools.schemas import contract, json_columns
from tools.verify.asking import Linear
from tools.verify.claim import Claim, Findings, claim, found, unseen
from tools.verify.evidence import json_schema, nodes, records

_NULLED = "A typed destination writes NULL for these values, and a warning names the column. Report the form."
_NAMES = {dict: "object", list: "array", str: "string", bool: "boolean", int: "number", float: "number"}
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def _rows(linear: Linear, stream: Stream) -> list[Record]:
    rows: list[Record] = linear.once(f"records {stream.name}", lambda: records(linear, stream))
    return rows


def _values(linear: Linear, stream: str, column: str) -> Iterator[Any]:
    for row in _rows(linear, linear.streams[stream]):
        if row.get(column) is not None:
            yield row[column]


def _columns(linear: Linear) -> list[tuple[str, str, str]]:
    """The columns of any JSON: stream, column, and the type that the manifest declares."""
    schema = contract()
    return [
        (stream.name, column, stream.types[column])
        for stream in linear.streams.values()
        for column in json_columns(stream, schema)
    ]


def _form(value: Any) -> str:
    """The form of a value, without anything of its content."""
    if isinstance(value, list):
        kinds = sorted({_NAMES.get(type(item), "null") for item in value})
        return f"array of {' and '.join(kinds)}" if kinds else "empty array"
    return "empty object" if value == {} else _NAMES.get(type(value), "null")


def _has_keys(value: Any, *keys: str) -> bool:
    return isinstance(value, dict) and set(value) == set(keys)


def _is_reactions(value: Any) -> bool:
    return isinstance(value, list) and all(
        _has_keys(one, "emoji", "reactions")
        and isinstance(one["reactions"], list)
        and all(_has_keys(each, "id", "userId", "reactedAt") for each in one["reactions"])
        for one in value
    )


def _is_json_text(value: Any) -> bool:
    try:
        json.loads(value)
    except (TypeError, ValueError):
        return False
    return True


def _is_plan(value: Any) -> bool:
    return isinstance(value, list) and all(_has_keys(one, "content", "status") for one in value)


def _declared(kind: str) -> Callable[[Any], bool]:
    return lambda value: _NAMES.get(type(value)) == kind


def _of(
    fact: str, expected: str, wanted: Callable[[str, str], bool], test: Callable[[Any], bool] | None
) -> Claim:
    """A claim about the values of some columns.

    Args:
        fact: its id.
        expected: what is claimed.
        wanted: which columns, by stream and column.
        test: whether a value is as claimed; None: whether it is of the type that the manifest declares.
    """

    @claim(fact, expected, _NULLED)
    def look(linear: Linear) -> Findings:
        forms: dict[str, Counter[str]] = {}
        differing = 0
        for stream, column, kind in _columns(linear):
            if not wanted(stream, column):
                continue
            for value in _values(linear, stream, column):
                forms.setdefault(f"{stream}.{column}", Counter())[_form(value)] += 1
                differing += not (test or _declared(kind))(value)
        compared = sum(sum(counts.values()) for counts in forms.values())
        if not compared:
            return unseen("the first pages have no value of these columns")
        said = (
            f"{name} {', '.join(f'{count} × {form}' for form, count in counts.items())}"
            for name, counts in forms.items()
        )
        seen = f"{compared} values, {differing} of another form: {'; '.join(said)}"
        return found(compared, differing, seen, forms={name: dict(one) for name, one in forms.items()})

    return look


_AGENT_METADATA = {
    ("agent_activities", "signalMetadata"),
    ("agent_activities", "sourceMetadata"),
    ("agent_activities", "contextualMetadata"),
    ("agent_sessions", "sourceMetadata"),
}
_SPECIAL = (
    "reactionData",
    "templateData",
    "plan",
    "context",
    "entries",
    "progressHistory",
    "currentProgress",
)


def _is_other(stream: str, column: str) -> bool:
    return column not in _SPECIAL and (stream, column) not in _AGENT_METADATA


reactions = _of(
    "FORMS-1",
    "`reactionData` of issues, comments and project updates is an array of `{emoji, reactions}`",
    lambda stream, column: column == "reactionData" and stream != "initiative_updates",
    _is_reactions,
)
update_reactions = _of(
    "FORMS-2",
    "`initiative_updates.reactionData` is the same",
    lambda stream, column: (stream, column) == ("initiative_updates", "reactionData"),
    _is_reactions,
)
template_data = _of(
    "FORMS-3",
    "`templates.templateData` is a text that holds JSON",
    lambda stream, column: column == "templateData",
    _is_json_text,
)
plans = _of(
    "FORMS-4",
    "`agent_sessions.plan` is an array of `{content, status}`",
    lambda stream, column: column == "plan",
    _is_plan,
)
contexts = _of(
    "FORMS-5", "`agent_sessions.context` is an array", lambda stream, column: column == "context", None
)
entries = _of(
    "FORMS-6",
    "`entries` of the histories of projects and initiatives are arrays",
    lambda stream, column: column == "entries",
    None,
)
progress_history = _of(
    "FORMS-7",
    "`progressHistory` is of the type that its column declares",
    lambda stream, column: column == "progressHistory",
    None,
)
progress = _of(
    "FORMS-8", "`currentProgress` is an object", lambda stream, column: column == "currentProgress", None
)
objects = _of("FORMS-9", "the other JSON columns hold objects", _is_other, None)
metadata = _of(
    "FORMS-10",
    "the metadata of agent sessions and activities are objects",
    lambda stream, column: (stream, column) in _AGENT_METADATA,
    None,
)


@claim(
    "FORMS-11",
    "`trashed` is null or true, never false",
    "`isArchived` is right all the same: false counts as not in the trash.",
)
def trashed(linear: Linear) -> Findings:
    values = [
        row["trashed"]
        for stream in linear.streams.values()
        for row in _rows(linear, stream)
        if "trashed" in row
    ]
    empty, true = (sum(value is one for value in values) for one in (None, True))
    other = len(values) - empty - true
    return found(len(values), other, f"{empty} × null, {true} × true, {other} × another value")


@claim(
    "FORMS-13",
    "an issue's URL ends in its identifier and a slug of its title",
    "Nothing relies on it: URLs are passed on as they come.",
)
def urls(linear: Linear) -> Findings:
    plain = [row for row in nodes(linear, "issues") if re.fullmatch(r"[A-Za-z0-9 #-]+", row["title"])]
    wrong = 0
    for row in plain:
        *_, identifier, ending = ["", "", *urlsplit(row["url"]).path.split("/")]
        slug = re.sub(r"[ #-]+", "-", row["title"].lower()).strip("-")
        wrong += identifier != row["identifier"] or not (ending and slug.startswith(ending))
    if not plain:
        return unseen("no issue has a title of plain letters and digits")
    return found(
        len(plain), wrong, f"{len(plain)} issues with a title of plain letters and digits, {wrong} otherwise"
    )


def _dated(stream: Stream) -> dict[str, re.Pattern[str]]:
    """The columns of dates of a stream, each with the form of its values."""
    patterns = {"date-time": _DATE, "date": _DAY}
    properties = json_schema(stream)["properties"]
    return {
        name: patterns[kind["format"]] for name, kind in properties.items() if kind.get("format") in patterns
    }


@claim(
    "FORMS-14",
    "dates have milliseconds and end in Z; days are written YYYY-MM-DD",
    "Dates are compared as texts: cursors would be wrong. Report it, and do not rely on the copy.",
)
def dates(linear: Linear) -> Findings:
    compared, wrong = 0, Counter[str]()
    for stream in linear.streams.values():
        columns = _dated(stream)
        for row in _rows(linear, stream):
            for column, pattern in columns.items():
                value = row.get(column)
                if isinstance(value, str):
                    compared += 1
                    wrong[f"{stream.name}.{column}"] += not pattern.fullmatch(value)
    names = [f"{name} {count}" for name, count in wrong.items() if count]
    seen = f"{compared:,} dates, {sum(wrong.values())} of another form"
    return found(compared, sum(wrong.values()), f"{seen}{': ' if names else ''}{', '.join(names)}")


@claim(
    "FORMS-16",
    "each value has the JSON type that its column is declared with",
    "A typed destination may refuse the row, or write NULL: report the columns.",
)
def types(linear: Linear) -> Findings:
    any_json = {(stream, column) for stream, column, _ in _columns(linear)}
    values, rows, wrong = 0, 0, Counter[str]()
    for stream in linear.streams.values():
        properties = {
            name: kind
            for name, kind in json_schema(stream)["properties"].items()
            if (stream.name, name) not in any_json
        }
        validator = jsonschema.Draft7Validator({"type": "object", "properties": properties})
        for row in _rows(linear, stream):
            rows += 1
            values += len(row)
            for error in validator.iter_errors(row):
                wrong[f"{stream.name}.{error.path[0]}"] += 1
    seen = f"{values:,} values in {rows:,} rows, {len(wrong)} columns with others"
    named = ", ".join(f"{name} {count}" for name, count in wrong.items())
    return found(values, sum(wrong.values()), f"{seen}{': ' if named else ''}{named}", wrong=dict(wrong))
