"""Limits and price: what is billed, what is refused as too large, and how the buckets fill again."""

import math
from typing import NamedTuple

from source_linear.graphql import MAX_COST
from tools.verify.asking import Exchange, Linear, NotSeen, Reply
from tools.verify.claim import Findings, claim, found, unseen
from tools.verify.evidence import nodes
from tools.verify.words import shown

PAUSE = 3.0  # seconds
_HOUR = 3600.0
_HEADERS = [
    f"X-RateLimit-{kind}-{what}"
    for kind in ("Requests", "Complexity")
    for what in ("Limit", "Remaining", "Reset")
]
# docs/linear-api.md, LIMITS-6: queries whose bills are recorded
_RECORDED = (
    "viewer { id }",
    "viewer { id name email } organization { id name urlKey }",
    "byUpdated: users(first: 10) { nodes { name updatedAt } } byCreated: users(first: 10) "
    "{ nodes { name createdAt } } noOrderBy: users(first: 10) { nodes { name createdAt } }",
    "projects(first: 250) { nodes { id updatedAt archivedAt } pageInfo { hasNextPage endCursor } }",
    "initiatives(first: 250) { nodes { id updatedAt archivedAt } pageInfo { hasNextPage endCursor } }",
    "a: issueLabels(first: 250) { nodes { id name updatedAt } pageInfo { hasNextPage endCursor } } "
    "b: issueLabels(first: 250) { nodes { id name updatedAt } pageInfo { hasNextPage endCursor } }",
)


class _Levels(NamedTuple):
    """The bucket of points: before a query of 14,000 points by the formula, after it, and after a pause."""

    before: Exchange
    large: Reply
    after: Exchange
    later: Exchange
    seconds: float


def _levels(linear: Linear) -> _Levels:
    def make() -> _Levels:
        cheap = "query level { viewer { id } }"
        before = linear.ask(cheap).exchange
        large = linear.ask(
            "query large { users(first: 250) { nodes { teams(first: 50) { nodes { id } } } } }"
        )
        after = linear.ask(cheap).exchange
        started = linear.now()
        linear.sleep(PAUSE)
        later = linear.ask(cheap).exchange
        return _Levels(before, large, after, later, linear.now() - started)

    levels: _Levels = linear.once("levels", make)
    return levels


def _rounded(points: float) -> int:
    """Whole points, a half upwards; sums of tenths may be a little below it."""
    return math.floor(points + 0.5 + 1e-6)


def too_large(linear: Linear) -> Reply:
    """The reply to a query that costs too much."""
    return _levels(linear).large


def _level(exchange: Exchange) -> float:
    level = exchange.number("X-RateLimit-Complexity-Remaining")
    if level is None:
        raise NotSeen("the answers have no X-RateLimit-Complexity-Remaining")
    return level


@claim(
    "LIMITS-3",
    "a query of more than 10,000 points by the formula is refused, a page of almost as many accepted",
    "If less is accepted, pages are refused and the connector halves them: a sync costs more requests.",
)
def largest(linear: Linear) -> Findings:
    refused = too_large(linear)
    most = max((one.predicted for one in linear.replies if not one.failure), default=0.0)
    if most < 0.9 * MAX_COST:
        return unseen("no large page was answered")
    differing = refused.failure is None or refused.failure.code != "TOO_COMPLEX"
    seen = (
        f"accepted up to {most:,.0f} points; {refused.predicted:,.0f} points: {refused.refusal or 'accepted'}"
    )
    if not refused.failure:
        seen += f", billed {refused.exchange.billed or 0:,.0f}"
    return found(2, differing, seen, accepted=round(most), refused=bool(refused.failure))


@claim(
    "ERRORS-6",
    "that refusal is INPUT_ERROR at HTTP 400, and its text names the price by the formula",
    "The connector would not see that a page is too complex, and not halve it: the stream fails. Report it.",
)
def too_complex(linear: Linear) -> Findings:
    reply = too_large(linear)
    if not reply.failure:
        return unseen("the query was not refused")
    said = reply.exchange.said
    figures = [float(word) for word in _numbers(said)]
    named = any(abs(figure - reply.predicted) < 1 for figure in figures)
    as_said = (reply.exchange.code, reply.exchange.status) == ("INPUT_ERROR", 400)
    seen = f"{reply.refusal}, “{shown(said)}”, "
    seen += f"{'with' if named else 'without'} the price of {reply.predicted:,.0f}"
    return found(2, (not as_said) + (not named), seen)


def _numbers(text: str) -> list[str]:
    words = [word.strip(".,:;()") for word in text.split()]
    return [word for word in words if word.replace(".", "", 1).isdigit()]


@claim(
    "LIMITS-4",
    "no query is billed more than the formula says, rounded",
    "Pages may be refused and halved, and a sync takes more of the limit. Report it.",
)
def bill(linear: Linear) -> Findings:
    billed = {
        (reply.document, round(reply.predicted)): (reply.predicted, reply.exchange.billed)
        for reply in linear.replies
        if not reply.failure and reply.exchange.billed is not None
    }
    pairs = [(predicted, points) for predicted, points in billed.values() if points is not None]
    more = [pair for pair in pairs if pair[1] > _rounded(pair[0])]
    exact = sum(points == _rounded(predicted) for predicted, points in pairs)
    total, predicted = sum(points for _, points in pairs), sum(predicted for predicted, _ in pairs)
    seen = f"{len(pairs)} queries of different form: {exact} billed exactly so, {len(more)} more; "
    seen += f"in all {total:,.0f} of {predicted:,.0f} points"
    if len(pairs) < 20:
        return unseen(f"only {len(pairs)} answers have an X-Complexity")
    return found(len(pairs), len(more), seen, bills=[[round(one, 1), other] for one, other in pairs])


@claim(
    "LIMITS-5",
    "`pageInfo` is multiplied by `first`: at 250 rows 300 points for two fields, 275 for one",
    "Linear bills less: pages could be larger. The connector learns it from X-Complexity; no row is lost.",
)
def page_info(linear: Linear) -> Findings:
    bills = []
    for info in ("", "pageInfo { hasNextPage }", "pageInfo { hasNextPage endCursor }"):
        reply = linear.ask(f"query info {{ users(first: 250) {{ nodes {{ id }} {info} }} }}")
        if reply.exchange.billed is None:
            return unseen("the answers have no X-Complexity")
        bills.append(reply.exchange.billed)
    one, two = bills[1] - bills[0], bills[2] - bills[0]
    return found(
        2, (one != 275) + (two != 300), f"{two:g} points for two fields, {one:g} for one", bills=bills
    )


@claim(
    "LIMITS-6",
    "the formula, rounded, is the bill of the queries whose bills are recorded",
    "Prices have changed. The connector learns them from X-Complexity; page sizes begin by the formula.",
)
def recorded(linear: Linear) -> Findings:
    pairs = []
    for body in _RECORDED:
        reply = linear.ask(f"query recorded {{ {body} }}")
        if not reply.failure and reply.exchange.billed is not None:
            pairs.append((reply.predicted, reply.exchange.billed))
    differing = [(one, other) for one, other in pairs if other != _rounded(one)]
    seen = f"{len(pairs)} queries, {len(differing)} billed otherwise"
    if differing:
        seen += ": " + ", ".join(f"{other:g} instead of {one:g}" for one, other in differing)
    return found(len(pairs), len(differing), seen, bills=pairs)


@claim(
    "LIMITS-7",
    "a relation that is null costs no more than one that is not",
    "Rows with few relations are dearer than the formula says: pages may be refused and halved. Report it.",
)
def null_relations(linear: Linear) -> Findings:
    issues = nodes(linear, "issues")
    for relation in ("parent", "project", "assignee", "cycle", "projectMilestone"):
        empty = [one["id"] for one in issues if one.get(relation, "") is None]
        filled = [one["id"] for one in issues if one.get(relation)]
        size = min(len(empty), len(filled), 20)
        if size:
            break
    else:
        return unseen("no relation of issues is null in some and there in others")
    query = (
        f"query relations($ids: [ID!]!) {{ issues(first: {size}, includeArchived: true, "
        "filter: { id: { in: $ids } }) "
        f"{{ nodes {{ id {relation} {{ id }} }} }} }}"
    )
    bills = [linear.ask(query, {"ids": ids[:size]}).exchange.billed for ids in (empty, filled)]
    if None in bills:
        return unseen("the answers have no X-Complexity")
    null, there = (float(bill or 0) for bill in bills)
    seen = f"{size} issues with a relation that is null {null:g} points, with one that is not {there:g}"
    return found(1, null > there, seen, null=null, there=there, rows=size)


def _answered(linear: Linear) -> list[Exchange]:
    return [one.exchange for one in linear.replies if not one.failure and not one.problems]


@claim(
    "LIMITS-9",
    "each answer carries X-Complexity, and Limit, Remaining and Reset of both buckets",
    "The connector cannot pace itself, and meets the limit unprepared: it waits then. No row is lost.",
)
def headers(linear: Linear) -> Findings:
    exchanges = _answered(linear)
    lacking = [
        [name for name in ("X-Complexity", *_HEADERS) if one.number(name) is None] for one in exchanges
    ]
    names = sorted({name for names in lacking for name in names})
    without = sum(bool(one) for one in lacking)
    seen = f"{len(exchanges)} answers, {without} without {', '.join(names) or 'one'}"
    return found(len(exchanges), without, seen, missing=names)


@claim(
    "LIMITS-10",
    "Reset is in milliseconds since 1970, within the hour after the Date header",
    "The connector waits too long for a limit, or asks too early, a minute at least. No row is lost.",
)
def resets(linear: Linear) -> Findings:
    aheads = []
    for one in _answered(linear):
        for name in _HEADERS[2::3]:
            reset = one.number(name)
            if reset is not None and one.date:
                aheads.append(reset / 1000 - one.date.timestamp())
    differing = sum(not -60 <= ahead <= _HOUR + 60 for ahead in aheads)
    if not aheads:
        return unseen("the answers have no Reset, or no Date")
    seen = f"{len(aheads)} values, {min(aheads):,.0f} to {max(aheads):,.0f} s after Date"
    return found(len(aheads), differing, seen)


@claim(
    "LIMITS-1",
    "the limits an hour are 2,500 requests and 3,000,000 points with a key, 5,000 and 2,000,000 with OAuth",
    "Other limits: the connector goes by the headers, so a sync takes more or less time. No row is lost.",
)
def limits(linear: Linear) -> Findings:
    wanted = [5_000.0, 2_000_000.0] if linear.is_oauth else [2_500.0, 3_000_000.0]
    for one in reversed(_answered(linear)):
        given = [one.number(_HEADERS[0]), one.number(_HEADERS[3])]
        if None not in given:
            differing = sum(value != other for value, other in zip(given, wanted, strict=True))
            seen = " and ".join(
                f"{value:,.0f} {what}" for value, what in zip(given, ("requests", "points"), strict=True)
            )
            return found(2, differing, seen, limits=given)
    return unseen("no answer has the limits")


@claim(
    "LIMITS-11",
    "a query that is refused before it is executed carries none of these headers",
    "Refusals tell the level too, or count against it. The connector reads what comes; no row is lost.",
)
def silent(linear: Linear) -> Findings:
    refused = [
        one.exchange
        for one in linear.replies
        if one.failure and one.failure.code in ("GRAPHQL_VALIDATION_FAILED", "TOO_COMPLEX")
    ]
    telling = sum(
        any(one.number(name) is not None for name in ("X-Complexity", *_HEADERS)) for one in refused
    )
    return found(len(refused), telling, f"{len(refused)} refusals, {telling} with such headers")


@claim(
    "LIMITS-13",
    "the buckets are refilled continuously: in a pause by its part of an hour",
    "The connector asks too early or waits too long where a limit is used up. No row is lost.",
)
def refill(linear: Linear) -> Findings:
    levels = _levels(linear)
    limit = levels.later.number("X-RateLimit-Complexity-Limit")
    if not limit:
        return unseen("the answers have no X-RateLimit-Complexity-Limit")
    expected = levels.seconds * limit / _HOUR
    if limit - _level(levels.after) < expected:
        return unseen("the bucket of points was almost full")
    gained = _level(levels.later) - _level(levels.after) + (levels.later.billed or 0)
    if gained < -1:
        return unseen("others use the same limit at the same time")
    seen = f"{gained:,.0f} points came back in {levels.seconds:.1f} s, where {expected:,.0f} are expected"
    return found(1, not 0.5 <= gained / expected <= 1.5, seen, gained=round(gained), expected=round(expected))


@claim(
    "UNKNOWN-9",
    "a refused query costs no points",
    "Refusals use up the limit: a sync that meets many of them takes longer. No row is lost.",
)
def refused_costs(linear: Linear) -> Findings:
    levels = _levels(linear)
    if not too_large(linear).failure:
        return unseen("no query was refused as too large")
    spent = _level(levels.before) - _level(levels.after) - (levels.after.billed or 0)
    seen = (
        f"a refusal of {too_large(linear).predicted:,.0f} points lowered the level by {max(0.0, spent):,.0f}"
    )
    return found(1, spent > too_large(linear).predicted / 3, seen, spent=round(spent))
