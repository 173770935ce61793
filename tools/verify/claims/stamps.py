"""Stamps: which date moves with what, and how they lie to each other and to Linear's clock.

What a change does can only be seen while it happens (`WATCH=1`), but rows bear witness: one that was archived
after its `updatedAt` shows that archiving did not move it.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from source_linear.config import milliseconds, timestamp
from source_linear.streams import Record
from tools.verify.asking import Linear, Reply
from tools.verify.claim import Findings, claim, found, unseen
from tools.verify.claims.limits import PAUSE
from tools.verify.evidence import nodes, nodes_of

_ENOUGH = 20  # rows, of which one would bear witness if the claim held
_LOOKBACK = timedelta(minutes=1)  # of the connector
_TICK = timedelta(seconds=1)  # of the Date header


def _rows(linear: Linear) -> Iterator[tuple[str, Record]]:
    """Every row with dates of its own, with its stream."""
    for name, stream in linear.streams.items():
        if not stream.parents:
            for _, _, some in nodes_of(linear, stream):
                yield from ((name, node) for node in some)


def _witnesses(pairs: Sequence[tuple[str, str]], what: str) -> Findings:
    """The findings of pairs of a row's `updatedAt` and what happened to it: later ones did not move it."""
    later = sum(timestamp(event) > timestamp(updated) + _TICK for updated, event in pairs)
    if not later and len(pairs) < _ENOUGH:
        return unseen(f"{len(pairs)} {what}, none of them later than the row's updatedAt: too few to tell")
    seen = f"{later} of {len(pairs)} {what} are later than the row's updatedAt"
    return found(len(pairs), 0 if later else len(pairs), seen, later=later)


@claim(
    "ARCHIVING-2",
    "archiving does not move `updatedAt`",
    "The connector looks for archived rows by archivedAt as well, which it need not. No row is lost.",
)
def archiving(linear: Linear) -> Findings:
    pairs = [(row["updatedAt"], row["archivedAt"]) for _, row in _rows(linear) if row.get("archivedAt")]
    return _witnesses(pairs, "archivings")


@claim(
    "ARCHIVING-4",
    "a row in the trash has `archivedAt` as well",
    "Rows in the trash would be taken for active by what looks at archivedAt alone: report it.",
)
def trash(linear: Linear) -> Findings:
    trashed = [row for _, row in _rows(linear) if row.get("trashed")]
    without = sum(not row["archivedAt"] for row in trashed)
    if not trashed:
        return unseen("no row of the first pages is in the trash")
    return found(len(trashed), without, f"{len(trashed)} rows in the trash, {without} without archivedAt")


def _linked(linear: Linear, root: str, *owners: str) -> list[tuple[str, str]]:
    asked = " ".join(f"{owner} {{ updatedAt }}" for owner in owners)
    reply: Reply = linear.ask(f"query linked {{ {root}(first: 100) {{ nodes {{ createdAt {asked} }} }} }}")
    return [
        (node[owner]["updatedAt"], node["createdAt"])
        for node in reply.nodes(root)
        for owner in owners
        if node[owner]
    ]


_FEWER = "The connector could rely on the row's own date for its lists. No row is lost; please report it."


@claim("UPDATED-4", "a new attachment does not move its issue's `updatedAt`", _FEWER)
def attachments(linear: Linear) -> Findings:
    return _witnesses(_linked(linear, "attachments", "issue"), "attachments")


@claim("UPDATED-5", "a new relation does not move its issue's `updatedAt`", _FEWER)
def relations(linear: Linear) -> Findings:
    return _witnesses(_linked(linear, "issueRelations", "issue"), "relations")


@claim("UPDATED-6", "linking a project to an initiative moves neither's `updatedAt`", _FEWER)
def links(linear: Linear) -> Findings:
    return _witnesses(_linked(linear, "initiativeToProjects", "initiative", "project"), "links")


@claim(
    "UPDATED-8",
    "`lastSeen` does not move a user's `updatedAt`",
    "Users would come with almost every sync, as they would be newer each time. No row is lost.",
)
def last_seen(linear: Linear) -> Findings:
    pairs = [(row["updatedAt"], row["lastSeen"]) for row in nodes(linear, "users") if row.get("lastSeen")]
    return _witnesses(pairs, "dates of lastSeen")


@claim(
    "UPDATED-11",
    "no row's `updatedAt` lies more than a minute before its `createdAt`",
    "Such a row can lie before the moment from which the next sync reads: it would be lost. Report it.",
)
def creation(linear: Linear) -> Findings:
    compared = 0
    before: dict[str, list[float]] = {}
    for name, row in _rows(linear):
        if row.get("createdAt") and row.get("updatedAt"):
            compared += 1
            if row["updatedAt"] < row["createdAt"]:
                distance = timestamp(row["createdAt"]) - timestamp(row["updatedAt"])
                before.setdefault(name, []).append(distance.total_seconds())
    far = sum(seconds > _LOOKBACK.total_seconds() for some in before.values() for seconds in some)
    seen = f"{compared:,} rows, {sum(map(len, before.values()))} with updatedAt before createdAt"
    if before:
        said = (f"{name} {len(some)} by up to {max(some):.3f} s" for name, some in before.items())
        seen += f": {', '.join(said)}"
    return found(compared, far, seen, before={name: max(some) for name, some in before.items()})


@claim(
    "UPDATED-12",
    "no stamp is later than the Date header of the answer that brings it",
    "A sync ends at that Date: what is stamped later is the next sync's. If it is always so, report it.",
)
def ahead(linear: Linear) -> Findings:
    compared = 0
    later: dict[str, float] = {}
    for name, stream in linear.streams.items():
        for _, reply, some in nodes_of(linear, stream):
            date = reply.exchange.date
            for row in some:
                for field in ("createdAt", "updatedAt", "archivedAt"):
                    if date is None or not row.get(field):
                        continue
                    compared += 1
                    if row[field] > milliseconds(date + _TICK):
                        seconds = (timestamp(row[field]) - date).total_seconds()
                        later[name] = max(later.get(name, 0.0), seconds)
    seen = f"{compared:,} stamps, {len(later)} streams with later ones"
    if later:
        seen += ": " + ", ".join(f"{name} by up to {seconds:.1f} s" for name, seconds in later.items())
    return found(compared, len(later), seen, later=later)


@claim(
    "UNKNOWN-2",
    "a row becomes visible less than a minute after its stamp",
    "The connector reads again a minute before a sync's start: later rows would be lost. Report it.",
)
def late(linear: Linear) -> Findings:
    roots = ("issues", "comments", "attachments", "projects", "documents")
    newest = "(first: 20, orderBy: updatedAt, includeArchived: true) { nodes { id updatedAt } }"
    query = f"query newest {{ {' '.join(root + newest for root in roots)} }}"
    first = linear.ask(query)
    linear.sleep(PAUSE)
    second = linear.ask(query)
    date = first.exchange.date
    if date is None:
        return unseen("the answers have no Date")
    known = {(root, row["id"], row["updatedAt"]) for root in roots for row in first.nodes(root)}
    oldest = {root: min((row["updatedAt"] for row in first.nodes(root)), default="") for root in roots}
    new = [
        row["updatedAt"]
        for root in roots
        for row in second.nodes(root)
        if (root, row["id"], row["updatedAt"]) not in known and row["updatedAt"] >= oldest[root]
    ]
    if not new:
        return unseen(f"nothing changed in the {PAUSE:g} seconds between two looks")
    distances = [max(0.0, (date - timestamp(stamp)).total_seconds()) for stamp in new]
    slow = sum(seconds > _LOOKBACK.total_seconds() for seconds in distances)
    seen = (
        f"{len(new)} rows became visible, the latest {max(distances):.1f} s after its stamp, or a little more"
    )
    return found(len(new), slow, seen, seconds=max(distances))
