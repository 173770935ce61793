"""`WATCH=1`: one issue that somebody changes by hand, and which of its stamps move with what.

poll ──> the issue as it is ──> what happened to it since the last poll ──> claims
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from source_linear.config import timestamp
from source_linear.streams import Record
from tools.verify.asking import BoundReached, Linear, NotSeen
from tools.verify.claim import Claim, Findings, found, unseen

TITLE = "source-linear verify"
INTERVAL = 4.0  # seconds between two polls: the bound on requests lasts for a quarter of an hour
_STAMPS = ("createdAt", "updatedAt", "archivedAt", "trashed")
_MINUTE = 60.0

STEPS = """\
In a workspace for trials, with a pause of ten seconds after each step:
  1. Create an issue with the title “{title}”.
  2. Write a comment on it.
  3. Archive it: in the issue's menu, or with the mutation issueArchive in Linear's API explorer.
  4. Unarchive it, or restore it: the mutation is issueUnarchive.
  5. Delete it: it goes to the trash.
Ctrl-C ends this early; what was seen until then is reported.
"""


@dataclass(frozen=True)
class Event:
    """What happened to the issue between two polls.

    Attributes:
        kind: created, commented, changed, archived, unarchived, deleted, restored or purged.
        before: the issue as it was; {} before it was there.
        after: the issue as it is; {} when it is gone.
        date: Linear's clock when it was seen.
    """

    kind: str
    before: Record
    after: Record
    date: datetime | None

    @property
    def moved(self) -> list[str]:
        """The stamps that moved."""
        return [name for name in _STAMPS if self.before.get(name) != self.after.get(name)]

    @property
    def line(self) -> str:
        """The event as a line of the terminal."""
        stayed = [name for name in _STAMPS if name not in self.moved]
        at = f"{self.date:%H:%M:%S}  " if self.date else ""
        if not self.before:
            return f"{at}created"
        moved, rest = (", ".join(names) or "none" for names in (self.moved, stayed))
        return f"{at}{self.kind}: moved {moved}; stayed {rest}"


WANTED = frozenset({"created", "commented", "archived", "unarchived", "deleted"})


def watch(
    linear: Linear, title: str = TITLE, say: Callable[[str], None] = print, interval: float = INTERVAL
) -> Iterator[Event]:
    """Poll an issue until everything in `WANTED` has happened to it, or the bound is reached.

    Args:
        linear: asks.
        title: the title of the issue, which must not be there yet.
        say: is told each event.
        interval: seconds between two polls.

    Raises:
        NotSeen: there is such an issue already.
    """
    before, _ = _poll(linear, title, None)
    if before:
        raise NotSeen("there is an issue of this title already: choose another, make verify WATCH=1 TITLE=…")
    say(STEPS.format(title=title))
    left = set(WANTED)
    while left:
        linear.sleep(interval)
        try:
            after, date = _poll(linear, title, before.get("id"))
        except BoundReached as reason:
            say(f"Ended: {reason}.")
            return
        except NotSeen:
            continue
        for kind in happened(before, after):
            event = Event(kind, before, after, date)
            left.discard("unarchived" if kind == "restored" else kind)
            say(event.line)
            yield event
        if before and not after:
            return
        before = after


def _poll(linear: Linear, title: str, known: str | None) -> tuple[Record, datetime | None]:
    """The issue as it is, {} where there is none, and Linear's clock."""
    filters = {"id": {"in": [known]}} if known else {"title": {"eq": title}}
    reply = linear.ask(
        "query watch($filter: IssueFilter) { issues(first: 1, includeArchived: true, filter: $filter) "
        "{ nodes { id createdAt updatedAt archivedAt trashed comments(first: 50) { nodes { id } } } } }",
        {"filter": filters},
    )
    nodes = reply.nodes("issues")
    return (nodes[0] if nodes else {}), reply.exchange.date


def happened(before: Record, after: Record) -> list[str]:
    """What happened to an issue between two polls; several things if they were too quick."""
    if not before or not after:
        return ["created"] if after else ["purged"] if before else []
    events = []
    if len(after["comments"]["nodes"]) > len(before["comments"]["nodes"]):
        events.append("commented")
    if after["trashed"] and not before["trashed"]:
        events.append("deleted")
    elif after["archivedAt"] and not before["archivedAt"]:
        events.append("archived")
    if before["archivedAt"] and not after["archivedAt"]:
        events.append("restored" if before["trashed"] else "unarchived")
    if not events and any(before[name] != after[name] for name in _STAMPS):
        events.append("changed")
    return events


def _alone(events: Sequence[Event], *kinds: str) -> list[Event]:
    """The events of some kinds that nothing else happened with."""
    return [
        one
        for one in events
        if one.kind in kinds and not any(one is not other and one.after is other.after for other in events)
    ]


def _move(events: Sequence[Event], kinds: Sequence[str], moves: bool) -> Findings:
    alone = _alone(events, *kinds)
    if not alone:
        return unseen(f"the issue was not {' or '.join(kinds)}, or something else happened within seconds")
    moved = sum("updatedAt" in one.moved for one in alone)
    seen = f"updatedAt moved {moved} of {len(alone)} times; moved: {', '.join(alone[-1].moved) or 'none'}"
    return found(len(alone), len(alone) - moved if moves else moved, seen)


def _visible(events: Sequence[Event]) -> Findings:
    seconds = [
        (one.date - timestamp(one.after["createdAt"])).total_seconds()
        for one in events
        if one.kind == "created" and one.date
    ]
    if not seconds:
        return unseen("the issue was not created while it was watched")
    slow = sum(one > _MINUTE for one in seconds)
    return found(len(seconds), slow, f"visible at most {max(seconds):.1f} s after its createdAt")


def _trashed(events: Sequence[Event]) -> Findings:
    deleted = [one for one in events if one.kind == "deleted"]
    if not deleted:
        return unseen("the issue was not deleted")
    without = sum(not one.after["archivedAt"] for one in deleted)
    return found(len(deleted), without, f"moved: {', '.join(deleted[-1].moved)}")


def claims(events: Sequence[Event]) -> list[Claim]:
    """The claims that a watched issue bears witness to."""
    return [
        Claim(
            "UNKNOWN-2",
            "a new issue is visible less than a minute after its stamp",
            "The connector reads again a minute before a sync's start: later rows would be lost. Report it.",
            lambda _: _visible(events),
        ),
        Claim(
            "UPDATED-2",
            "a comment moves its issue's `updatedAt`",
            "Comments are read by their own dates. No row is lost; please report it.",
            lambda _: _move(events, ["commented"], True),
        ),
        Claim(
            "ARCHIVING-2",
            "archiving does not move `updatedAt`",
            "The connector looks for archived rows by archivedAt as well, which it need not. No row is lost.",
            lambda _: _move(events, ["archived"], False),
        ),
        Claim(
            "UNKNOWN-1",
            "unarchiving moves `updatedAt`",
            "An unarchived row stays archived in the copy until it changes: see Limitations in the README.",
            lambda _: _move(events, ["unarchived", "restored"], True),
        ),
        Claim(
            "ARCHIVING-4",
            "a deleted issue is `trashed`, and has `archivedAt`",
            "Deleted issues would not be seen, or not be told from archived ones: report it.",
            lambda _: _trashed(events),
        ),
    ]
