"""Filters: which rows they let through, compared with the same list without them."""

import uuid
from collections.abc import Callable, Sequence, Set
from datetime import timedelta
from typing import Any

from source_linear.config import milliseconds, timestamp
from source_linear.graphql import MAX_PAGE_SIZE
from source_linear.streams import Record
from tools.verify.asking import Linear, NotSeen
from tools.verify.claim import Findings, claim, found, unseen
from tools.verify.evidence import fresh, listed, longest

_ROWS = 50  # that a filter is tried on
_LOSES = "Windows of a sync would lose rows, or read some twice: report it, and do not rely on the copy."


def _later(stamp: str, by: int) -> str:
    """A moment some milliseconds later."""
    return milliseconds(timestamp(stamp) + timedelta(milliseconds=by))


def _ask(
    linear: Linear,
    root: str,
    entity: str,
    rows: Sequence[Record],
    filters: dict[str, tuple[dict[str, Any], Callable[[Record], bool]]],
) -> tuple[int, list[str]]:
    """Ask for rows by id and a filter each; how many were compared, and which filters brought others."""
    ids = [row["id"] for row in rows]
    names = list(filters)
    header = ", ".join(f"$f{number}: {entity}Filter" for number in range(len(names)))
    body = " ".join(
        f"f{number}: {root}(first: {_ROWS}, includeArchived: true, filter: $f{number}) {{ nodes {{ id }} }}"
        for number in range(len(names))
    )
    variables = {
        f"f{number}": {"and": [{"id": {"in": ids}}, filters[name][0]]} for number, name in enumerate(names)
    }
    reply = linear.ask(f"query filters({header}) {{ {body} }}", variables)
    if reply.failure:
        return len(names), [f"all ({reply.refusal})"] * len(names)
    wrong = []
    for number, name in enumerate(names):
        wanted = {row["id"] for row in rows if filters[name][1](row)}
        if set(reply.ids(f"f{number}")) != wanted:
            wrong.append(name)
    return len(names), wrong


def _unless_edited(linear: Linear, root: str, wrong: Sequence[str]) -> None:
    if wrong and fresh(linear, root) != listed(linear, root):
        raise NotSeen("the rows changed while they were looked at; run it again")


@claim(
    "FILTER-1",
    "a date is compared to the millisecond: `gte` and `lte` include it, `gt` and `lt` do not",
    _LOSES,
)
def dates(linear: Linear) -> Findings:
    root, entity = longest(linear)
    rows = listed(linear, root)[:_ROWS]
    stamps = sorted({row["updatedAt"] for row in rows})
    if len(stamps) < 3:
        return unseen(f"the rows of {root} have fewer than three dates")
    at = stamps[len(stamps) // 2]
    before, after = _later(at, -1), _later(at, 1)
    comparisons: dict[str, tuple[Any, Callable[[str], bool]]] = {
        "gte": (at, lambda stamp: stamp >= at),
        "gt": (at, lambda stamp: stamp > at),
        "lte": (at, lambda stamp: stamp <= at),
        "lt": (at, lambda stamp: stamp < at),
        "eq": (at, lambda stamp: stamp == at),
        "neq": (at, lambda stamp: stamp != at),
        "in": ([at], lambda stamp: stamp == at),
        "nin": ([at], lambda stamp: stamp != at),
    }
    filters: dict[str, tuple[dict[str, Any], Callable[[Record], bool]]] = {
        name: ({"updatedAt": {name: value}}, lambda row, test=test: test(row["updatedAt"]))  # type: ignore[misc]
        for name, (value, test) in comparisons.items()
    }
    filters["gte, a millisecond later"] = (
        {"updatedAt": {"gte": after}},
        lambda row: row["updatedAt"] >= after,
    )
    filters["lte, a millisecond earlier"] = (
        {"updatedAt": {"lte": before}},
        lambda row: row["updatedAt"] <= before,
    )
    compared, wrong = _ask(linear, root, entity, rows, filters)
    _unless_edited(linear, root, wrong)
    seen = f"{compared} comparisons on {len(rows)} rows of {root}, {len(wrong)} with other rows"
    return found(compared, len(wrong), f"{seen}{': ' if wrong else ''}{', '.join(wrong)}", wrong=wrong)


def _between(taken: Set[str], archived: Sequence[Record]) -> str:
    """A moment after half of some archivings that is no stamp itself: FILTER-1 looks at those."""
    at = sorted(row["archivedAt"] for row in archived)[len(archived) // 2]
    while at in taken:
        at = _later(at, 1)
    return at


@claim(
    "FILTER-11",
    "`or` of `updatedAt` and `archivedAt` finds the issues that either is true of",
    "A sync would not see archived issues, or lose changed ones: report it, and do not rely on the copy.",
)
def either(linear: Linear) -> Findings:
    issues = listed(linear, "issues")
    archived = [row for row in issues if row["archivedAt"]][: _ROWS // 2]
    others = [row for row in issues if not row["archivedAt"]][: _ROWS - len(archived)]
    if not archived or not others:
        return unseen("of the newest 250 issues none is archived" if others else "there are no issues")
    at = _between({row[field] for row in issues for field in ("updatedAt", "archivedAt")}, archived)
    filters: dict[str, tuple[dict[str, Any], Callable[[Record], bool]]] = {
        "or": (
            {"or": [{"updatedAt": {"gte": at}}, {"archivedAt": {"gte": at}, "updatedAt": {"lt": at}}]},
            lambda row: row["updatedAt"] >= at or (row["archivedAt"] or "") >= at,
        ),
        "archivedAt": ({"archivedAt": {"gte": at}}, lambda row: (row["archivedAt"] or "") >= at),
    }
    compared, wrong = _ask(linear, "issues", "Issue", [*archived, *others], filters)
    _unless_edited(linear, "issues", wrong)
    seen = (
        f"{compared} filters on {len(archived)} archived issues and {len(others)} others, {len(wrong)} wrong"
    )
    return found(compared, len(wrong), f"{seen}{': ' if wrong else ''}{', '.join(wrong)}", wrong=wrong)


@claim(
    "FILTER-12",
    "`id: {in: …}` takes 250 ids and brings exactly those rows",
    "The connector asks for changed rows by id: they would be lost. Report it, and do not rely on the copy.",
)
def by_ids(linear: Linear) -> Findings:
    root, _ = longest(linear)
    rows = listed(linear, root)
    ids = [row["id"] for row in rows]
    # Ids that nobody has bring nothing; where there are as many rows, every other is left out.
    wanted = ids[::2] if len(ids) > MAX_PAGE_SIZE // 2 else ids
    strange = [str(uuid.uuid4()) for _ in range(MAX_PAGE_SIZE - len(wanted))]
    reply = linear.ask(
        f"query ids($ids: [ID!]!) {{ {root}(first: 250, includeArchived: true, "
        "filter: { id: { in: $ids } }) { nodes { id } } }",
        {"ids": [*strange, *wanted]},
    )
    if reply.failure:
        return found(1, 1, f"250 ids: {reply.refusal}")
    brought = reply.ids(root)
    missing, other = set(wanted) - set(brought), set(brought) - set(wanted)
    if missing or other:
        _unless_edited(linear, root, ["ids"])
    seen = (
        f"250 ids accepted; {len(missing)} of {len(wanted)} rows of {root} missing, {len(other)} others came"
    )
    return found(len(wanted) + len(other), len(missing) + len(other), seen)


@claim(
    "FILTER-5",
    "`attachments: {some: {updatedAt: …}}` finds issues by the dates of their attachments",
    "Attachments that are newer than their issue could not be found by it. Nothing relies on it yet.",
)
def by_attachments(linear: Linear) -> Findings:
    reply = linear.ask(
        "query attached { attachments(first: 100, orderBy: updatedAt) "
        "{ nodes { updatedAt issue { id archivedAt } } } }"
    )
    newest: dict[str, str] = {}
    for node in reply.nodes("attachments"):
        if node["issue"] and not node["issue"]["archivedAt"]:
            stamp = newest.get(node["issue"]["id"], "")
            newest[node["issue"]["id"]] = max(stamp, node["updatedAt"])
    if len(newest) < 2:
        return unseen("fewer than two issues have attachments")
    at = sorted(newest.values())[len(newest) // 2]
    while at in newest.values():
        at = _later(at, 1)
    filters = {
        "attachments": {"some": {"updatedAt": {"gte": at}}},
        "id": {"in": list(newest)[:MAX_PAGE_SIZE]},
    }
    answer = linear.ask(
        "query attached($filter: IssueFilter) { issues(first: 100, filter: $filter) { nodes { id } } }",
        {"filter": filters},
    )
    if answer.failure:
        return found(1, 1, answer.refusal)
    wanted = {issue for issue, stamp in newest.items() if stamp >= at}
    brought = set(answer.ids("issues"))
    # An issue may have a further attachment that is older than the newest hundred, none that is newer.
    differing = len(wanted ^ brought)
    seen = f"{len(newest)} issues with attachments: {len(wanted & brought)} of {len(wanted)} found, "
    seen += f"{len(brought - wanted)} others"
    return found(len(newest), min(differing, len(newest)), seen)


@claim(
    "ARCHIVING-1",
    "archived rows come with `includeArchived: true` only",
    "Archived rows would be missing, or could not be told apart: report it, and do not rely on `isArchived`.",
)
def archived(linear: Linear) -> Findings:
    compared = differing = 0
    seen = []
    for root in ("issues", "projects", "issueLabels"):
        try:
            both = listed(linear, root)
            active = listed(linear, root, further="")
        except NotSeen:
            continue
        if not any(row["archivedAt"] for row in both):
            continue
        hidden = [row["id"] for row in both if row["archivedAt"]]
        shown = {row["id"] for row in active}
        wrong = [one for one in hidden if one in shown]
        wrong += [row["id"] for row in both if not row["archivedAt"] and row["id"] not in shown]
        compared += len(both)
        differing += len(wrong)
        seen.append(
            f"{root}: {len(hidden)} of {len(both)} archived, {len(wrong)} wrong without includeArchived"
        )
    if not compared:
        return unseen("no issue, project or label is archived, of the newest 250 of each")
    return found(compared, differing, "; ".join(seen))


@claim(
    "PAGING-11",
    "`users` brings disabled users with `includeDisabled: true` only",
    "Disabled users would be missing from the copy: report it.",
)
def disabled(linear: Linear) -> Findings:
    query = "query disabled {{ users(first: 250, includeArchived: true{}) {{ nodes {{ id active }} }} }}"
    both = linear.ask(query.format(", includeDisabled: true")).nodes("users")
    enabled = set(linear.ask(query.format("")).ids("users"))
    gone = [user["id"] for user in both if not user["active"]]
    if not gone:
        return unseen("no user is disabled")
    wrong = [one for one in gone if one in enabled]
    wrong += [user["id"] for user in both if user["active"] and user["id"] not in enabled]
    return found(
        len(both), len(wrong), f"{len(gone)} of {len(both)} users disabled, {len(wrong)} wrong without it"
    )
