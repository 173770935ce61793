"""Declared deviations: for a fact of docs/linear-api.md, how the simulator can be made not to follow it.

For what compares an API with the facts, such as `make verify`. Some are faults, some change rows, some are
built into pages, filters and limits, which look into `Workspace.deviations`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLSchema, build_schema

from .clock import to_milliseconds, to_text
from .kinds import Request
from .schema import SCHEMA_FILE
from .server import LinearApi
from .workspace import Workspace

Apply = Callable[[LinearApi], object]


@dataclass(frozen=True)
class Deviation:
    """A way not to follow a fact.

    Attributes:
        says: what the simulator does instead.
        apply: makes it do so.
    """

    says: str
    apply: Apply


def deviate(api: LinearApi, fact: str) -> None:
    """Let a simulator not follow a fact.

    Raises:
        KeyError: no deviation from it is declared.
    """
    DEVIATIONS[fact].apply(api)


# --- What is built in ----------------------------------------------------------------------------------


def _built_in(fact: str) -> Apply:
    return lambda api: api.workspace.deviations.add(fact)


def _limits(**settings: Any) -> Apply:
    def apply(api: LinearApi) -> None:
        for name, value in settings.items():
            setattr(api.limits, name, value)

    return apply


# --- Faults --------------------------------------------------------------------------------------------


def _asks(text: str) -> Callable[[Request], bool]:
    return lambda request: request.query.startswith(text)


def _error(text: str, code: str, status: int, message: str = "No.", **options: Any) -> Apply:
    where = options.pop("where", None) or _asks(text)
    return lambda api: api.faults.error(code, status, message=message, where=where, count=None, **options)


def _headers(text: str, without: tuple[str, ...] = (), nth: int = 1, **given: str) -> Apply:
    """Executed queries that begin so are answered with other headers."""
    names = {name.replace("_", "-"): value for name, value in given.items()}

    def wanted(request: Request) -> bool:
        refused = text == "query" and request.query.startswith(("query wrong", "query large"))
        return request.query.startswith(text) and not refused

    return lambda api: api.faults.add(
        "headers", where=wanted, count=None, nth=nth, without=without, set=names
    )


def _with(root: str, field: str, value: Any) -> Apply:
    """A field of the first row of a root has another value, where whole rows are asked for."""

    def change(body: dict[str, Any], _: random.Random) -> dict[str, Any]:
        for node in body["data"][root]["nodes"][:1]:
            node[field] = value
        return body

    def wanted(request: Request) -> bool:
        asked = {one.path for one in request.selected}
        return (root, "nodes", field) in asked and request.variables.get("first") == 250

    return lambda api: api.faults.damage(change=change, where=wanted, count=None)


# --- Rows ----------------------------------------------------------------------------------------------


def _newest(workspace: Workspace, entity: str) -> str:
    rows = workspace.rows[entity].values()
    row_id: str = max(rows, key=lambda row: (row["createdAt"], row["id"]))["id"]
    return row_id


def _row(entity: str, **values: Any) -> Apply:
    """The newest row of an entity has other values; its dates stay."""
    return lambda api: api.workspace.update(entity, _newest(api.workspace, entity), touch=False, **values)


def _stamped(entity: str, seconds: float, after: str) -> Apply:
    """The newest row is stamped so many seconds after a date of its own, or after now."""

    def apply(api: LinearApi) -> None:
        row_id = _newest(api.workspace, entity)
        at = (
            api.clock.milliseconds
            if after == "now"
            else to_milliseconds(api.workspace.rows[entity][row_id][after])
        )
        api.workspace.update(entity, row_id, updatedAt=to_text(at + round(seconds * 1000)))

    return apply


def _touched(entity: str, *keys: str) -> Apply:
    """Each row that rows of an entity refer to, or they themselves, changed just now."""

    def apply(api: LinearApi) -> None:
        rows = list(api.workspace.rows[entity].values())
        for key in keys:
            target = key[0].upper() + key[1:-2]
            for row_id in {row[key] for row in rows if row[key]}:
                api.workspace.update(target, row_id)
        for row in rows if not keys else ():
            api.workspace.update(entity, row["id"])

    return apply


def _archived_with_the_date(api: LinearApi) -> None:
    for entity in api.workspace.rows:
        for row in list(api.workspace.rows[entity].values()):
            if row["archivedAt"] and "updatedAt" in api.workspace.schema.fields(entity):
                api.workspace.update(entity, row["id"], updatedAt=row["archivedAt"])


def _trashed_without_the_date(api: LinearApi) -> None:
    issues = [row for row in api.workspace.rows["Issue"].values() if row["trashed"]]
    row = max(issues, key=lambda one: one["createdAt"])
    api.workspace.update("Issue", row["id"], touch=False, archivedAt=None)


def _late(api: LinearApi) -> None:
    """An issue becomes visible between two looks at the newest, five minutes after its stamp."""
    looks: list[int] = []

    def hook(request: Request, number: int) -> None:
        if request.query.startswith("query newest"):
            looks.append(number)
            if len(looks) == 2:
                at = to_text(api.clock.milliseconds - 300_000)
                api.workspace.create("Issue", title="Late", createdAt=at, updatedAt=at)

    api.before_response(hook)


# --- The schema as it describes itself -----------------------------------------------------------------


def _described(pattern: str, replacement: str) -> Apply:
    def apply(api: LinearApi) -> None:
        text, count = re.subn(pattern, replacement, SCHEMA_FILE.read_text("utf-8"), count=1, flags=re.S)
        assert count == 1, pattern
        schema: GraphQLSchema = build_schema(text)
        api.describe(schema)

    return apply


def _argument(root: str, argument: str) -> Apply:
    """A root takes a further argument."""
    given = rf"(type Query \{{.*?\n  {root})(?:\(([^)]*)\))?:"
    return _described(given, rf"\1({argument}, \2):")


# --- All of them ---------------------------------------------------------------------------------------

_UNSAID = "refuses it in words of its own"

DEVIATIONS: Mapping[str, Deviation] = {
    fact: Deviation(says, apply)
    for fact, says, apply in (
        # queries
        (
            "QUERY-1",
            "takes `webhooks` for invalid where one row is asked for",
            _error(
                "",
                "GRAPHQL_VALIDATION_FAILED",
                400,
                where=lambda one: one.query.startswith("query emojis") and one.variables.get("first") == 1,
            ),
        ),
        (
            "QUERY-2",
            "refuses a page of 250 `emojis`",
            _error(
                "",
                "INVALID_INPUT",
                400,
                where=lambda one: one.query.startswith("query emojis") and one.variables.get("first") == 250,
            ),
        ),
        ("QUERY-3", "has no `IssueFilter.estimate`", lambda api: api.remove("IssueFilter.estimate")),
        (
            "QUERY-4",
            "does not answer the probe's question for comments",
            _error("", "INVALID_INPUT", 400, where=lambda one: "newest_comments" in one.keys("comments")),
        ),
        (
            "ENDPOINT-4",
            "bills 2 points for the question who asks",
            _headers("query who", X_Complexity="2"),
        ),
        (
            "ENDPOINT-6",
            "refuses more than 20 roots in a query",
            _error("", "INPUT_ERROR", 400, "Query too complex", where=lambda one: len(one.roots) > 20),
        ),
        (
            "ENDPOINT-7",
            "refuses `emojis` to everybody",
            lambda api: api.faults.error("FORBIDDEN", 403, root="emojis", count=None),
        ),
        # pages
        ("PAGING-2", "brings 10 rows where `first` is not given", _built_in("PAGING-2")),
        ("PAGING-3", "cuts `first: 251` to 250", _built_in("PAGING-3")),
        ("PAGING-4", "gives an encoded key as `endCursor`", _built_in("PAGING-4")),
        ("PAGING-5", "brings 250 rows of nested lists, whatever is asked for", _built_in("PAGING-5")),
        ("PAGING-6", "takes `first` for `templates`", _argument("templates", "first: Int")),
        ("PAGING-10", "goes on behind all rows with the date of the cursor's", _built_in("PAGING-10")),
        ("PAGING-11", "brings disabled users to everybody", _built_in("PAGING-11")),
        # filters
        ("FILTER-1", "excludes the date of `gte`", _built_in("FILTER-1")),
        ("FILTER-2", "takes a `filter` for `webhooks`", _argument("webhooks", "filter: IssueFilter")),
        (
            "FILTER-4",
            "knows `archivedAt` of projects",
            _described(r"input ProjectFilter \{", "input ProjectFilter {\n  archivedAt: DateComparator"),
        ),
        ("FILTER-5", "does not look at the dates of attachments", _built_in("FILTER-5")),
        ("FILTER-6", "orders by `updatedAt` where nothing is said", _built_in("FILTER-6")),
        ("FILTER-7", "brings the oldest rows first", _built_in("FILTER-7")),
        (
            "FILTER-9",
            "sorts projects by `archivedAt`",
            _described(
                r"input ProjectSortInput \{", "input ProjectSortInput {\n  archivedAt: ProjectCreatedAtSort"
            ),
        ),
        ("FILTER-11", "looks at the first part of `or` only", _built_in("FILTER-11")),
        ("FILTER-12", "looks at the first 100 ids of `in` only", _built_in("FILTER-12")),
        # archiving, and what moves
        ("ARCHIVING-1", "brings archived rows to everybody", _built_in("ARCHIVING-1")),
        ("ARCHIVING-2", "moves `updatedAt` with each archiving", _archived_with_the_date),
        ("ARCHIVING-4", "has an issue in the trash without `archivedAt`", _trashed_without_the_date),
        (
            "ARCHIVING-10",
            "takes `includeArchived` for `templates`",
            _argument("templates", "includeArchived: Boolean"),
        ),
        ("UPDATED-4", "moves issues with their attachments", _touched("Attachment", "issueId")),
        ("UPDATED-5", "moves issues with their relations", _touched("IssueRelation", "issueId")),
        (
            "UPDATED-6",
            "moves initiatives and projects with their links",
            _touched("InitiativeToProject", "initiativeId", "projectId"),
        ),
        ("UPDATED-8", "moves users with `lastSeen`", _touched("User")),
        ("UPDATED-11", "stamps a label two minutes before it", _stamped("IssueLabel", -120, "createdAt")),
        ("UPDATED-12", "stamps a team an hour ahead of its clock", _stamped("Team", 3600, "now")),
        ("UNKNOWN-2", "shows an issue five minutes after its stamp", _late),
        # limits and price
        ("LIMITS-1", "allows 2,000 requests an hour", lambda api: api.limits.set(requests=2_000)),
        ("LIMITS-3", "allows 20,000 points a query", _limits(largest=20_000)),
        ("LIMITS-4", "bills 2,000 points for a short list", _headers("query size", X_Complexity="2000")),
        ("LIMITS-5", "bills `pageInfo` not at all", _headers("query info", X_Complexity="275")),
        ("LIMITS-6", "bills 1 point for each", _headers("query recorded", X_Complexity="1")),
        (
            "LIMITS-7",
            "bills hardly anything for relations that are there",
            _headers("query relations", nth=2, X_Complexity="1"),
        ),
        (
            "LIMITS-9",
            "gives no Reset with emojis",
            _headers("query emojis", without=("X-RateLimit-Requests-Reset",)),
        ),
        ("LIMITS-10", "gives Reset in seconds", _headers("query", X_RateLimit_Requests_Reset="1790000000")),
        ("LIMITS-11", "bills queries that are wrong", _headers("query wrong", X_Complexity="1")),
        ("LIMITS-13", "refills nothing within the hour", _limits(refills=False)),
        ("UNKNOWN-9", "bills queries that it refuses as too complex", _limits(bills_refusals=True)),
        # errors
        ("ERRORS-2", "forbids a wrong key", _error("query stranger", "FORBIDDEN", 403)),
        (
            "ERRORS-3",
            "refuses `integrations` without a reason",
            lambda api: api.faults.refused("No.", root="integrations"),
        ),
        (
            "ERRORS-4",
            _UNSAID,
            _error("query wrong { viewer", "GRAPHQL_VALIDATION_FAILED", 400, "Unknown field noSuchField."),
        ),
        (
            "ERRORS-5",
            "refuses a wrong value as INPUT_ERROR",
            _error("query wrong($filter", "INPUT_ERROR", 400),
        ),
        (
            "ERRORS-6",
            "refuses what is too complex at HTTP 200",
            _error("query large", "INPUT_ERROR", 200, "Query too complex: 14000."),
        ),
        (
            "ERRORS-9",
            "refuses a row that is not there as INVALID_INPUT",
            _error("query none", "INVALID_INPUT", 400),
        ),
        (
            "ERRORS-11",
            "sends data and errors at HTTP 400",
            lambda api: api.faults.partial(root="projects", field="icon", status=400, count=None),
        ),
        ("ERRORS-14", "sends an answer without its root", lambda api: api.faults.missing_root(root="emojis")),
        ("ERRORS-15", _UNSAID, _error("query wrong { issues", "GRAPHQL_VALIDATION_FAILED", 400)),
        # forms
        ("FORMS-1", "sends `reactionData` as an object", _row("Comment", reactionData={"heart": 1})),
        ("FORMS-2", "sends `reactionData` as an object", _row("InitiativeUpdate", reactionData={"heart": 1})),
        ("FORMS-3", "sends `templateData` as an object", _row("Template", templateData={"title": "x"})),
        ("FORMS-4", "sends a plan of texts", _row("AgentSession", plan=["First this, then that"])),
        ("FORMS-5", "sends `context` as an object", _row("AgentSession", context={"issue": 1})),
        ("FORMS-6", "sends `entries` as an object", _row("ProjectHistory", entries={"first": 1})),
        ("FORMS-7", "sends `progressHistory` as an object", _row("Cycle", progressHistory={"day": 1})),
        ("FORMS-8", "sends `currentProgress` as an array", _row("Project", currentProgress=[1])),
        ("FORMS-9", "sends `metadata` as a text", _row("Attachment", metadata="a text")),
        ("FORMS-10", "sends `signalMetadata` as an array", _row("AgentActivity", signalMetadata=[1])),
        ("FORMS-11", "sends `trashed: false`", _row("Issue", trashed=False)),
        ("FORMS-13", "makes URLs without a slug", _row("Issue", title="Plain", url="https://linear.app/i/1")),
        (
            "FORMS-14",
            "sends dates without milliseconds",
            _with("emojis", "createdAt", "2025-01-01T00:00:00Z"),
        ),
        ("FORMS-16", "sends a number as a name", _with("emojis", "name", 5)),
    )
}
