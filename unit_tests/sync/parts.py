"""What the tests of a sync are made of: streams that no manifest declares, and a Linear of a few rows.

`Linear` stands in for `Api`: its `ask` runs the query over its rows, and `judge` judges what comes of it.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from source_linear.config import Config
from source_linear.linear.answers import judge
from source_linear.linear.budget import Budget
from source_linear.linear.errors import Action, LinearError
from source_linear.linear.fields import Fields
from source_linear.linear.selection import Field, parse
from source_linear.state import StreamState
from source_linear.streams import Stream
from source_linear.sync.listed import Listed, Seen, Since
from source_linear.sync.records import transformation
from source_linear.sync.sketch import Sketch, number_of
from source_linear.sync.workers import Done

CONFIG = Config(
    credentials={"auth_type": "API Key", "api_key": "lin_api_key"},
    start_date=None,
    archived_rows="flag",
    team_keys=(),
    detect_deletions=24.0,
    rate_limit_share=100,
    num_workers=2,
    api_url="https://api.linear.app/graphql",
)
WORKSPACE = {"id": "w1", "name": "Acme", "viewer": "v1"}


def at(day: int, time: str = "00:00:00.000") -> str:
    """A moment in January 2026."""
    return f"2026-01-{day:02}T{time}Z"


def uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012x}"


def option(**changes: Any) -> Config:
    return replace(CONFIG, **changes)


def stream(kind: str = "windowed", **changes: Any) -> Stream:
    """A stream of things."""
    entity = changes.pop("entity", "Thing")
    name = changes.pop("name", "things")
    return Stream.from_parameters(
        {"name": name, "entity": entity, "kind": kind, "fields": "title", "relations": "owner", **changes}
    )


def with_lists(kind: str = "swept", first: int = 2, **changes: Any) -> Stream:
    """A stream of things, each with a list of parts."""
    return stream(kind, lists={"partIds": f"parts(first: {first}, includeArchived: true)"}, **changes)


def history(**changes: Any) -> Stream:
    """A stream of what happened to things: its lists are newest first."""
    given = {"name": "thing_history", "entity": "ThingHistory", "relations": "", "kind": "child"}
    return stream(
        **{
            **given,
            "parents": ["Thing.history(first: 3, includeArchived: true, orderBy: $order)"],
            **changes,
        }
    )


def spans(**changes: Any) -> Stream:
    """A stream of rows without dates of their own."""
    return history(
        name="thing_spans",
        entity="ThingSpan",
        parents=["Thing.spans(first: 3)"],
        cursor_field="thingUpdatedAt",
        **changes,
    )


def links(**changes: Any) -> Stream:
    """A stream of rows that stand in the lists of two kinds of parents, without an order."""
    return history(
        name="links",
        entity="Link",
        kind="swept",
        filterable=False,
        parents=[
            "Thing.links(first: 3, includeArchived: true)",
            "Other.links(first: 2, includeArchived: true)",
        ],
        **changes,
    )


def row(number: int, updated: str = at(5), created: str = at(1), **more: Any) -> dict[str, Any]:
    """A row as Linear has it."""
    made = {"id": uuid(number), "createdAt": created, "updatedAt": updated, "archivedAt": None}
    return {**made, "title": f"thing {number}", "owner": None, **more}


def seen(number: int, updated: str = at(5), created: str = at(1), archived: str | None = None) -> Seen:
    return Seen(uuid(number), archived is not None, updated, created, archived)


def listed(*rows: Seen, since: Since) -> Listed:
    made = Listed(since)
    for one in rows:
        made.take(one)
    return made


def sketch(*rows: int, archived: Sequence[int] = ()) -> Sketch:
    made = Sketch()
    for number in rows:
        made.add(number_of(uuid(number)), number in archived)
    return made


def numbers(ids: Any) -> list[int]:
    """The numbers of the rows with these ids."""
    return sorted(int(one.rpartition("-")[2], 16) for one in ids)


def held(state: StreamState, among: range = range(1, 60)) -> dict[int, bool]:
    """The rows that the sketch of a state holds, of those with these numbers."""
    if state.copy is None:
        return {}
    found = state.copy.difference(Sketch())
    assert found is not None and not found.right, "rows were removed that were not there"
    return {int(one.number & 0xFFFFFFFF): one.archived for one in found.left}


class Declared:
    """What the manifest would declare of a stream."""

    def __init__(self, of: Stream, page_size: int = 250, archived_rows: str = "flag") -> None:
        self.stream, self.page_size = of, page_size
        self._transform = transformation(of, archived_rows)

    def variables(self, first: int, after: str, interval: Mapping[str, str] | None) -> dict[str, Any]:
        made: dict[str, Any] = {"orderBy": "createdAt", "order": "updatedAt", "first": first}
        if after:
            made["after"] = after
        if interval and self.stream.kind in ("windowed", "child"):
            names = {"start": "gte", "end": "lte"}
            made["filter"] = {"updatedAt": {names[name]: moment for name, moment in interval.items()}}
        return made

    def ends(self, value: Any) -> tuple[Sequence[Any], bool, str | None]:
        info = value["pageInfo"]
        return value["nodes"], info["hasNextPage"], info["endCursor"]

    def transform(self, node: dict[str, Any]) -> None:
        self._transform(node)


@dataclass
class Asked:
    """What Linear was asked: the roots of one query."""

    stream: str
    query: str
    variables: dict[str, Any]
    fields: tuple[Field, ...]
    tries: int | None
    points: float = 0.0

    def arguments(self, one: Field) -> dict[str, Any]:
        given = {"first": one.first} if one.first else {}
        for part in one.arguments.split(", ") if one.arguments else ():
            name, _, value = part.partition(": ")
            given[name] = value
        return {name: found for name, value in given.items() if (found := self._value(value)) is not None}

    def _value(self, text: str) -> Any:
        if text.startswith("$"):
            return self.variables.get(text[1:])
        try:
            return json.loads(text)
        except ValueError:
            return text


def problem(code: str, path: Sequence[str | int] = (), message: str = "No.") -> dict[str, Any]:
    return {"message": message, "path": list(path), "extensions": {"code": code}}


Document = dict[str, Any] | tuple[int, dict[str, Any]]


@dataclass
class Linear:
    """Linear's API over a few rows.

    Attributes:
        rows: the nodes of each root, or one node.
        spoil: turns a right answer into what is sent: a document, or a status with one; may raise.
        asked: what was asked.
    """

    rows: dict[str, Any]
    spoil: Callable[[Asked, dict[str, Any]], Document] = lambda asked, document: document
    asked: list[Asked] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=lambda: {"Date": "Sat, 10 Jan 2026 00:00:00 GMT"})

    def __post_init__(self) -> None:
        self.fields, self.budget = Fields(), Budget(now=lambda: 0.0, sleep=lambda seconds: None)
        self.noted: list[tuple[str, dict[str, str]]] = []

    def note_refused(self, stream: str, fields: Mapping[str, str]) -> None:
        if news := self.budget.refused(stream, fields):
            self.noted.append((stream, news))

    def begin(self) -> None:
        pass

    leave = begin

    def ask(self, stream, query, variables=None, roots=None, tries=None, points=0.0):  # type: ignore[no-untyped-def]
        _, operation = parse(" ".join(query.split()))
        asked = Asked(stream, query, dict(variables or {}), operation.selection, tries, points)
        self.asked.append(asked)
        sent = self.spoil(asked, self._executed(asked))
        status, document = sent if isinstance(sent, tuple) else (200, sent)
        answer = judge(stream, status, json.dumps(document).encode(), roots or {})
        failed = answer.failure
        if failed and not (failed.has_data and failed.action is Action.RETRY):
            raise LinearError(failed)
        self.note_refused(stream, answer.refused)
        return replace(answer, headers=self.headers)

    def _executed(self, asked: Asked) -> dict[str, Any]:
        data, errors = {}, []
        for one in asked.fields:
            try:
                data[one.key] = self._root(asked, one)
            except LookupError as error:
                errors.append(problem("INPUT_ERROR", [one.key], str(error.args[0])))
        return {"errors": errors, "data": None} if errors else {"data": data}

    def _root(self, asked: Asked, one: Field) -> Any:
        given = asked.arguments(one)
        if "id" in given:
            everything = [row for rows in self.rows.values() if isinstance(rows, list) for row in rows]
            found = [row for row in everything if row and row["id"] == given["id"]]
            if not found:
                raise LookupError("Entity not found: could not find referenced Thing")
            return _projected(asked, found[0], one.selection)
        rows = self.rows[one.name]
        if any(part.name == "nodes" for part in one.selection):
            return _page(asked, rows, one, given)
        if isinstance(rows, list):
            return [_projected(asked, row, one.selection) for row in rows]
        return _projected(asked, rows, one.selection)


def _page(asked: Asked, rows: Sequence[Any], one: Field, given: Mapping[str, Any]) -> dict[str, Any]:
    where = given.get("filter") or {}
    kept = [row for row in rows if row is None or isinstance(where, str) or _matches(row, where)]
    order = given.get("orderBy", "createdAt")
    if all(isinstance(row, dict) and order in row for row in kept):
        kept.sort(key=lambda row: (row[order], row["id"]), reverse=True)
    if after := given.get("after"):
        ids = [row and row["id"] for row in kept]
        if after not in ids:
            raise LookupError("could not find referenced Thing")
        kept = kept[ids.index(after) + 1 :]
    first = given["first"]
    nodes = kept[:first]
    info = {"hasNextPage": len(kept) > first, "endCursor": nodes[-1]["id"] if nodes and nodes[-1] else None}
    selections = {part.name: part.selection for part in one.selection}
    page: dict[str, Any] = {
        "nodes": [row and _projected(asked, row, selections["nodes"]) for row in nodes],
    }
    if "pageInfo" in selections:
        page["pageInfo"] = {part.name: info[part.name] for part in selections["pageInfo"]}
    return page


def _projected(asked: Asked, row: Mapping[str, Any], selection: Sequence[Field]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for one in selection:
        value = row.get(one.name)
        if any(part.name == "nodes" for part in one.selection):
            made[one.key] = _page(asked, value or [], one, asked.arguments(one))
        elif one.selection and isinstance(value, list):
            made[one.key] = [_projected(asked, item, one.selection) for item in value]
        elif one.selection and value is not None:
            made[one.key] = _projected(asked, value, one.selection)
        else:
            made[one.key] = value
    return made


def _matches(row: Mapping[str, Any], where: Mapping[str, Any]) -> bool:
    for name, wanted in where.items():
        if name in ("and", "or"):
            if not (all if name == "and" else any)(_matches(row, one) for one in wanted):
                return False
            continue
        value = row.get(name)
        for operator, other in wanted.items():
            if operator == "some":
                good = any(_matches(item, other) for item in value or [])
            elif operator == "in":
                good = value in other
            elif isinstance(other, Mapping):
                good = isinstance(value, Mapping) and _matches(value, {operator: other})
            else:
                good = value is not None and _OPERATORS[operator](value, other)
            if not good:
                return False
    return True


_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda value, other: bool(value == other),
    "gte": lambda value, other: bool(value >= other),
    "lte": lambda value, other: bool(value <= other),
    "lt": lambda value, other: bool(value < other),
}


class Inline:
    """Workers in the main thread, one slice after another; silent ones let each page wait."""

    def __init__(self, silent: bool = False) -> None:
        self._tasks: list[tuple[Any, Iterator[Any]]] = []
        self._silent = silent

    def start(self, key: Any, pages: Iterator[Any]) -> None:
        self._tasks.append((key, pages))

    def results(self) -> Iterator[Any]:
        while self._tasks:
            key, pages = self._tasks.pop(0)
            error = None
            try:
                for page in pages:
                    if self._silent:
                        yield None
                    yield key, page
            except Exception as raised:
                error = raised
            yield key, Done(error)
