"""Linear's API over a world: answers what a connector asks, in memory, and fails as Linear fails."""

import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from typing import Any

import orjson

from source_linear.linear.answers import Answer, judge
from source_linear.linear.budget import Budget
from source_linear.linear.errors import Action, LinearError
from source_linear.linear.fields import Fields
from unit_tests.world.filters import UnknownFilter, test_of
from unit_tests.world.graphql import DEFAULT_FIRST, Field, Malformed, parsed, resolved
from unit_tests.world.schema import schema
from unit_tests.world.world import Row, View, World, text

MOST_POINTS, MOST_ROWS = 10_000, 250
REQUESTS, POINTS = 2_500, 3_000_000  # an hour
STALE = 20.0  # seconds by which an answer may lag behind
_TRIES = 6  # where the caller sets no number
_DATES = frozenset({"id", "createdAt", "updatedAt", "archivedAt", "trashed"})
OUTAGE = "INTERNAL_SERVER_ERROR"
# How a row cannot be read, `World.refused`:
NULL = "null"  # null with an error at its place; its id and dates come
FAILS = "fails"  # the page fails, with an error at its place
POISON = "poison"  # the page fails, and Linear does not say why
ALWAYS = "always"  # the same, also where its id alone is asked for by id


_Answered = tuple[Any, list[dict[str, Any]]]  # a root's value, and what is wrong with it


@dataclass
class Faults:
    """What goes wrong, as parameters; those that are numbers are probabilities.

    Attributes:
        blind: whole rows that are asked for by date or by id do not come. By date only those that a list of
            this sync has, or that the next sync's lookback window brings: nothing else could ever tell.
        stale: a root is answered as it was up to `STALE` seconds ago.
        short: a row is missing from a list of ids.
        cut: a page ends before it is full; `hasNextPage` tells.
        ends: a page of a list of ids ends before it is full, though more would follow. Where `hasNextPage` is
            asked for, neither this nor `short` happens.
        absent: a list of ids cannot be had in this sync.
        limited: the rate limit is used up for a minute.
        failing: roots that fail, each with its code; an outage names no path.
        together: whether they fail only in a query of several roots, as the probe's.
        circles: roots, or lists inside rows, that ignore `after`.
        forgets: whether a cursor that names a purged row is refused.
    """

    blind: float = 0.0
    stale: float = 0.0
    short: float = 0.0
    cut: float = 0.0
    ends: float = 0.0
    absent: float = 0.0
    limited: float = 0.0
    failing: Mapping[str, str] = field(default_factory=dict)
    together: bool = False
    circles: Collection[str] = ()
    forgets: bool = False


@dataclass(frozen=True)
class Request:
    """A request that was answered.

    Attributes:
        stream: the stream that asked.
        query: the document.
        variables: its variables.
        roots: the names of its roots.
        points: what it cost.
        status: the status of the answer.
    """

    stream: str
    query: str
    variables: Mapping[str, Any]
    roots: tuple[str, ...]
    points: int
    status: int


class Linear:
    """Linear, as one sync sees it: each answer is of a moment of its own.

    Attributes:
        requests: what was asked.
        faults: what goes wrong.
        fields: the fields that are asked for no more.
        budget: what is known of refused fields; nothing waits for it.
    """

    def __init__(
        self,
        world: World,
        faults: Faults | None = None,
        rng: random.Random | None = None,
        agitate: Callable[[], None] = lambda: None,
        behind: float = 0,
    ) -> None:
        """Serve a world.

        Args:
            world: the workspace.
            faults: what goes wrong.
            rng: decides when.
            agitate: called before each answer: the world may change.
            behind: how many seconds the clock of the `Date` header is behind the world's.
        """
        self.world = world
        self.faults = faults or Faults()
        self.requests: list[Request] = []
        self._rng = rng or random.Random(0)
        self._agitate = agitate
        self._behind = behind
        self.fields = Fields()
        self.budget = Budget(1.0, lambda: world.now / 1000, world.tick)
        self._walked: set[str] = set()
        self._absent: dict[str, bool] = {}
        self._points = 0

    def ask(
        self,
        stream: str,
        query: str,
        variables: Mapping[str, Any] | None = None,
        roots: Mapping[str, Collection[str]] | None = None,
        tries: int | None = None,
        points: float = 0.0,
    ) -> Answer:
        """Ask, as `source_linear.linear.api.Api` does; waiting moves the world's clock.

        Args:
            stream: the stream that asks, "" outside of any.
            query: the GraphQL document.
            variables: its variables.
            roots: the keys of `data`, each with the keys that must not be null in it.
            tries: after how many tries a failure that may pass is given up.
            points: what it costs at the most, by Linear's formula.

        Raises:
            LinearError: it failed for good, or went on failing.
        """
        attempt = 0
        while True:
            status, body, headers = self.answer(stream, query, variables or {})
            answer = replace(judge(stream, status, body, roots or {}), headers=headers)
            failed = answer.failure
            if failed is None:
                return answer
            attempt += 1
            if failed.action is Action.WAIT:
                self.world.tick(60)
            elif failed.action is not Action.RETRY or attempt >= (tries or _TRIES):
                if failed.has_data and failed.action is Action.RETRY:
                    return answer
                raise LinearError(failed)
            else:
                self.world.tick(1)

    def note_refused(self, stream: str, fields: Mapping[str, str]) -> None:
        """Linear left out fields: no warning is of interest here."""
        self.budget.refused(stream, fields)

    def answer(
        self, stream: str, query: str, variables: Mapping[str, Any]
    ) -> tuple[int, bytes, dict[str, str]]:
        """One exchange: status, body and headers of the answer."""
        self._agitate()
        try:
            fields = parsed(query)
            points = round(sum(one.points(variables) for one in fields))
            if points > MOST_POINTS:
                said = f"Query too complex: {points}, the maximum is {MOST_POINTS}"
                raise _Refusal(400, "INPUT_ERROR", said)
            if self._rng.random() < self.faults.limited:
                raise _Refusal(400, "RATELIMITED", "Rate limit exceeded.")
            status, document = self._executed(fields, variables)
        except _Refusal as refusal:
            points, fields = 0, ()
            status, document = refusal.status, {"errors": [refusal.error]}
            if refusal.status == 200:
                document["data"] = None
        except (Malformed, UnknownFilter) as error:
            points, fields = 0, ()
            status, document = 400, {"errors": [_error("GRAPHQL_VALIDATION_FAILED", str(error))]}
        names = tuple(one.name for one in fields)
        self.requests.append(Request(stream, query, variables, names, points, status))
        return status, orjson.dumps(document), self._headers(points)

    # --- roots ---------------------------------------------------------------------------------

    def _executed(
        self, fields: tuple[Field, ...], variables: Mapping[str, Any]
    ) -> tuple[int, dict[str, Any]]:
        self._fail(fields)
        calls = [_Call(one, resolved(one.arguments, variables), variables) for one in fields]
        self._walked |= {one.field.name for one in calls if one.is_walk}
        data: dict[str, Any] = {}
        errors: list[dict[str, Any]] = []
        lost = False
        now = self.world.view()
        for call in calls:
            view = now
            if self.faults.stale and not call.is_sure and self._rng.random() < self.faults.stale:
                view = self.world.view(self._rng.uniform(0, STALE))
            value, problems = self._root(view, call)
            errors += problems
            lost = lost or (value is None and bool(problems))
            data[call.field.key] = value
        document: dict[str, Any] = {"data": None if lost else data}
        if errors:
            document["errors"] = errors
        return 200, document

    def _fail(self, fields: tuple[Field, ...]) -> None:
        failing = self.faults.failing
        if not failing or (self.faults.together and len(fields) == 1):
            return
        for one in fields:
            if code := failing.get(one.name):
                if code == OUTAGE:
                    raise _Refusal(500, code, "Internal server error")
                raise _Refusal(200, code, "You don't have permission to access this resource.", [one.key])

    def _root(self, view: View, call: "_Call") -> _Answered:
        known, name = schema(), call.field.name
        if name == "viewer":
            viewer = {"id": self.world.viewer, "name": "Viewer", "email": "viewer@example.com", "admin": True}
            return self._selected(view, viewer, call.field, call.variables), []
        if entity := known.singles.get(name):
            return self._single(view, entity, call)
        if entity := known.plain.get(name):
            rows = [row for row in view.rows(entity).values() if row.get("archivedAt") is None]
            return [
                self._selected(view, row, call.field, call.variables) for row in _ordered(rows, "createdAt")
            ], []
        if entity := known.connections.get(name):
            return self._connection(view, entity, call)
        raise Malformed(f'Cannot query field "{name}" on type "Query".')

    def _single(self, view: View, entity: str, call: "_Call") -> _Answered:
        if entity == "Organization":
            return self._selected(view, self.world.organization, call.field, call.variables), []
        row = view.rows(entity).get(call.arguments.get("id"))
        if row is None or (call.is_whole and self._is_lost(call, row)):
            said = f"Entity not found: {entity} - Could not find referenced {entity}."
            return None, [_error("INPUT_ERROR", said, [call.field.key])]
        mode = self.world.refused.get(row["id"])
        if mode == ALWAYS or (mode and call.is_whole):
            if mode in (POISON, ALWAYS):
                raise _Refusal(500, OUTAGE, "Internal server error")
            return None, [_error("INPUT_ERROR", "It cannot be read.", [call.field.key])]
        return self._selected(view, row, call.field, call.variables), []

    def _connection(self, view: View, entity: str, call: "_Call") -> _Answered:
        faults, rng = self.faults, self._rng
        if call.is_walk and faults.absent:
            if call.field.name not in self._absent:
                self._absent[call.field.name] = rng.random() < faults.absent
            if self._absent[call.field.name]:
                raise _Refusal(500, OUTAGE, "Internal server error")
        first = _first(call.arguments)
        rows = self._rows(view, entity, call)
        if call.is_walk and not call.is_sure and faults.short:
            rows = [row for row in rows if rng.random() >= faults.short]
        if call.is_whole and faults.blind:
            rows = [row for row in rows if not self._is_lost(call, row)]
        rows = self._after(rows, call.arguments, call.field.name)
        page, goes_on = rows[:first], len(rows) > first
        if len(page) > 1 and rng.random() < faults.cut:
            page, goes_on = page[: rng.randrange(1, len(page))], True
        if call.is_walk and not call.is_sure and len(page) > 1 and rng.random() < faults.ends:
            page, goes_on = page[: rng.randrange(1, len(page))], False
        nodes, errors = self._nodes(view, entity, call, page)
        if nodes is None:
            return None, errors
        return _connected(call.field, nodes, goes_on, page[-1]["id"] if page else None), errors

    def _rows(self, view: View, entity: str, call: "_Call") -> list[Row]:
        arguments, rows = call.arguments, view.rows(entity)
        wanted = (arguments.get("filter") or {}).get("id", {}).get("in")
        found = list(rows.values()) if wanted is None else [rows[one] for one in wanted if one in rows]
        if not arguments.get("includeArchived"):
            found = [row for row in found if row.get("archivedAt") is None]
        if entity == "User" and not arguments.get("includeDisabled"):
            found = [row for row in found if row.get("active", True)]
        if arguments.get("filter"):
            test = test_of(view, entity, arguments["filter"])
            found = [row for row in found if test(row)]
        return _ordered(found, arguments.get("orderBy") or "createdAt")

    def _after(self, rows: list[Row], arguments: Mapping[str, Any], name: str) -> list[Row]:
        after = arguments.get("after")
        if not after or name in self.faults.circles:
            return rows
        by = arguments.get("orderBy") or "createdAt"
        entity = self.world.entity_of(after)
        row = self.world.rows.get(entity or "", {}).get(after)
        if row is None and not self.faults.forgets:
            row = self.world.purged.get(after)
        if row is None:
            raise _Refusal(200, "INVALID_INPUT", f"Argument Validation Error: Invalid cursor: {after}")
        place = _place(row, by)
        return [one for one in rows if _place(one, by) < place]

    def _nodes(self, view: View, entity: str, call: "_Call", rows: list[Row]) -> tuple[Any, list[Any]]:
        """The nodes of a page; those that cannot be read fail in their way."""
        refused, wanted, variables = self.world.refused, call.field.nodes, call.variables
        if wanted is None:
            return [], []
        nodes: list[Any] = []
        errors = []
        for index, row in enumerate(rows):
            mode = refused.get(row["id"]) if refused else None
            if mode and (call.is_whole or (mode == ALWAYS and call.is_by_id)):
                if mode in (POISON, ALWAYS):
                    raise _Refusal(500, OUTAGE, "Internal server error")
                said = f"Could not find referenced {entity}."
                errors.append(_error("INPUT_ERROR", said, [call.field.key, wanted.key, index]))
                if mode == FAILS:
                    return None, errors
                nodes.append(None)
            else:
                nodes.append(self._selected(view, row, wanted, variables))
        return nodes, errors

    def _selected(self, view: View, row: Row, wanted: Field, variables: Mapping[str, Any]) -> Any:
        """What is selected of a row, or of an embedded object."""
        found = {key: row.get(name) for key, name in wanted.leaves}
        for one in wanted.branches:
            if one.is_connection:
                found[one.key] = self._list(view, row, one, variables)
                continue
            value = row.get(one.name)
            if isinstance(value, str):
                value = view.find(value) or {"id": value}
            if isinstance(value, list | tuple) or (value is None and one.name in schema().lists):
                items = [
                    view.find(item) or {"id": item} if isinstance(item, str) else item for item in value or ()
                ]
                found[one.key] = [self._selected(view, item, one, variables) for item in items]
            else:
                found[one.key] = None if value is None else self._selected(view, value, one, variables)
        return found

    def _list(self, view: View, row: Row, wanted: Field, variables: Mapping[str, Any]) -> dict[str, Any]:
        """A page of a list inside a row."""
        arguments = resolved(wanted.arguments, variables)
        first = _first(arguments)
        rows = view.inside(self.world.entity_of(row["id"]) or "", wanted.name, row)
        if rows is None:
            rows = [view.find(one) or {"id": one} for one in row.get(wanted.name) or ()]
        if not arguments.get("includeArchived"):
            rows = [one for one in rows if one.get("archivedAt") is None]
        rows = self._after(_ordered(rows, arguments.get("orderBy") or "createdAt"), arguments, wanted.name)
        page = rows[:first]
        nodes = [self._selected(view, one, wanted.nodes, variables) for one in page] if wanted.nodes else []
        return _connected(wanted, nodes, len(rows) > first, page[-1]["id"] if page else None)

    def _is_lost(self, call: "_Call", row: Row) -> bool:
        if not self.faults.blind:
            return False
        if call.is_by_id:
            return self._rng.random() < self.faults.blind
        is_young = row.get("updatedAt", "") > text(self.world.now - 30_000)
        may_be = is_young or call.field.name in self._walked
        return may_be and self._rng.random() < self.faults.blind

    def _headers(self, points: int) -> dict[str, str]:
        self._points += points
        reset = str(self.world.now + (60_000 if self.faults.limited else 3_600_000))
        return {
            "Date": formatdate(int(self.world.now // 1000 - self._behind), usegmt=True),
            "X-Complexity": str(points),
            "X-RateLimit-Requests-Limit": str(REQUESTS),
            "X-RateLimit-Requests-Remaining": str(REQUESTS),
            "X-RateLimit-Requests-Reset": reset,
            "X-RateLimit-Complexity-Limit": str(POINTS),
            "X-RateLimit-Complexity-Remaining": str(POINTS),
            "X-RateLimit-Complexity-Reset": reset,
        }


class _Refusal(Exception):
    """A request that is answered with an error alone."""

    def __init__(self, status: int, code: str, said: str, path: list[str | int] | None = None) -> None:
        super().__init__(said)
        self.status = status
        self.error = _error(code, said, path)


class _Call:
    """A root with its arguments' values, and what it asks for.

    Attributes:
        is_whole: more than ids and dates: whole rows.
        is_by_id: rows by their ids.
        is_walk: ids and dates of a list, whatever their date, by `createdAt`, which never moves a row.
        is_sure: what tells whether a row is gone: nothing but ids, by id, or to the told end of a list.
    """

    __slots__ = ("arguments", "field", "is_by_id", "is_sure", "is_walk", "is_whole", "variables")

    def __init__(self, field: Field, arguments: dict[str, Any], variables: Mapping[str, Any]) -> None:
        self.field, self.arguments, self.variables = field, arguments, variables
        self.is_whole = _is_whole(field.nodes or field)
        named = _named(arguments.get("filter"))
        self.is_by_id = "id" in named or "id" in arguments
        newest = arguments.get("orderBy") == "updatedAt"
        is_list = field.is_connection and not newest and not named & {"id", *_DATES}
        self.is_walk = is_list and not self.is_whole
        told = field.info is not None and any(name == "hasNextPage" for _, name in field.info.leaves)
        self.is_sure = not self.is_whole and (self.is_by_id or (self.is_walk and told))


def _is_whole(field: Field) -> bool:
    return any(name not in _DATES for _, name in field.leaves) or any(
        _is_whole(one.nodes) if one.nodes else one.name != "pageInfo" for one in field.branches
    )


def _named(given: Any) -> set[str]:
    """The row's own fields that a filter is about."""
    if not isinstance(given, Mapping):
        return set()
    inner = [one for name in ("and", "or") for one in given.get(name) or ()]
    return set(given).union(*map(_named, inner)) if inner else set(given)


def _first(arguments: Mapping[str, Any]) -> int:
    first = arguments.get("first")
    first = DEFAULT_FIRST if first is None else first
    if not isinstance(first, int) or not 1 <= first <= MOST_ROWS:
        said = f"Argument Validation Error: first must be between 1 and {MOST_ROWS}"
        raise _Refusal(200, "INVALID_INPUT", said)
    return first


def _place(row: Row, by: str) -> tuple[str, str]:
    return row.get(by) or row.get("startedAt") or "", row["id"]


def _ordered(rows: list[Row], by: str) -> list[Row]:
    """Rows, newest first."""
    return sorted(rows, key=lambda row: _place(row, by), reverse=True) if len(rows) > 1 else rows


def _connected(field: Field, nodes: list[Any], goes_on: bool, cursor: str | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if field.nodes:
        found[field.nodes.key] = nodes
    if field.info:
        told = {"hasNextPage": goes_on, "endCursor": cursor}
        found[field.info.key] = {key: told.get(name) for key, name in field.info.leaves}
    return found


def _error(code: str, said: str, path: list[str | int] | None = None) -> dict[str, Any]:
    extensions = {"code": code, "userPresentableMessage": said}
    return {"message": said, "extensions": extensions} | ({"path": path} if path else {})
