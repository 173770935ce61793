"""The change probe: what changed since the states, asked for all streams at once.

It saves requests and decides nothing else: a stream of which it does not know is read as if there were none.
Lists that are to be known whole are walked in the same queries: ids and dates of all their rows.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from source_linear.config import milliseconds, timestamp
from source_linear.graphql import (
    MAX_PAGE_SIZE,
    NestedList,
    Question,
    Root,
    affordable,
    all_of,
    ids_in,
    page,
    plain,
)
from source_linear.linear.errors import REFUSALS, Action, Failure, LinearError, subject
from source_linear.linear.selection import Field, parse, price
from source_linear.streams import CREATED_AT, CURSOR_FIELD, Record, Stream
from source_linear.sync.listed import Listed, Seen, Since
from source_linear.sync.lister import (
    POINTS_A_REQUEST,
    Lister,
    Listing,
    Reply,
    expected,
    is_sound,
    items_of,
)
from source_linear.sync.reader import changed_since
from source_linear.sync.records import is_since, seen

_LOGGER = logging.getLogger("airbyte")
_FEW = 10  # changed rows of a stream: where there are no more, they are asked for by id
_SHORT = 50  # rows of a list that are asked for where it is not known how long it is: most are shorter
_ROWS_A_SLICE = 1_000  # of a long list: its slices are walked side by side
_MOST_SLICES = 120
_ROWS_AN_ISSUE = 5  # of a list whose length is not known, at the most
_MANY = 10**9  # rows: more than any list has
_LITTLE = 20  # rows of a page of a list that failed with more


@dataclass(frozen=True)
class Wanted:
    """What a sync wants to know of a stream.

    Attributes:
        stream: the stream.
        begin: since when changes are news; None where it is read from the beginning.
        walks: whether its list is to be walked.
        length: how long the list was when it was last walked; 0 where that is not known.
        room: how many changed rows can be named without a list; None where they need not be.
        sure: whether its list is to be walked to where Linear says that it ends: what it lacks is taken for
            what was never sent, because no list was had when rows were.
    """

    stream: Stream
    begin: str | None
    walks: bool
    length: int = 0
    room: int | None = None
    sure: bool = False


@dataclass
class Finding:
    """What the probe found out of one stream.

    Attributes:
        changed: the ids of the rows, or of the parents, that changed; () for none; None where that is not
            known, or they are many.
        listed: all rows of its list; None where it was not walked, or did not come.
        moved: rows, or parents, that changed with the rows of another root, though no stamp of theirs tells.
        is_long: whether more changed than can be named without a list: it is to be walked first.
        failure: why its list did not come.
    """

    changed: tuple[str, ...] | None = None
    listed: Listed | None = None
    moved: tuple[str, ...] = ()
    is_long: bool = False
    failure: str = ""


@dataclass
class _Walk:
    """One list, as the streams that read it walk it.

    Attributes:
        root: the field of `Query` that gives it.
        where: its `filter`.
        length: about how many rows it has; 0 where that is not known.
        begin: of a list that may be cut into slices: since when its rows were created, but for imported ones.
        limit: how many rows may be left of it at the most, for a list that may be cut.
        created: the filter of a slice; how long each of them is, nobody knows.
        inside: the lists inside its rows that are looked into.
        long: those of them that were as long as what was asked for.
        sure: whether its end is told by `pageInfo`: else by a page that is not full.
        most: how many rows a page may ask for.
        has_gaps: whether rows of it did not come: what is news they may know.
    """

    root: Root
    where: Mapping[str, Any] | None
    length: int = 0
    begin: str = ""
    limit: int = 0
    created: dict[str, str] = field(default_factory=dict)
    sure: bool = False
    most: int = MAX_PAGE_SIZE
    has_gaps: bool = False
    inside: dict[str, Field] = field(default_factory=dict)
    failure: Failure | None = None
    listing: Listing = field(default_factory=lambda: Listing("", _SHORT))
    long: "list[_Inside]" = field(default_factory=list)

    @property
    def left(self) -> int:
        """About how many rows are still to come; where nobody knows, as many as may be."""
        known = self.length - self.listing.count
        return known if known > 0 else _MANY - self.listing.count

    def question(self, key: str) -> Question:
        """What asks for its next rows, by an exact size where its length is known."""
        selection = (*self.root.dates, *self.inside.values())
        known = expected(self.length) if self.length and not self.created else 0
        left = known - self.listing.count
        guessed = left if left > 0 else MAX_PAGE_SIZE if self.listing.count or self.created else _SHORT
        self.listing.size = min(guessed, self.most)
        info = ("hasNextPage", "endCursor") if self.sure else ()
        where = all_of(self.where, {CREATED_AT: self.created} if self.created else None)
        return page(self.root, key, selection, self.listing.size, self.listing.after, where=where, info=info)

    def slices(self, nodes: Sequence[Record]) -> list["_Walk"]:
        """The rest of a long list in slices of `createdAt`, by how close to each other its last rows were.

        None where it is better walked on as it is.
        """
        self.limit -= len(nodes)
        if not self.begin or self.listing.ended or not nodes:
            return []
        first, last = (str(nodes[at].get(CREATED_AT)) for at in (0, -1))
        try:
            walked, rest = timestamp(first) - timestamp(last), timestamp(last) - timestamp(self.begin)
        except ValueError:  # a date that is none
            return []
        if not walked:  # an import: all of one moment
            return []
        left = min(self.limit, len(nodes) * (rest / walked))
        many = slices_of(left)
        if many < 2:
            return []
        self.listing.ended = True
        bounds = cut(self.begin, last, many)
        below = {key: at for key, at in self.created.items() if key == "gte"}
        starts = [below, *({"gte": at} for at in bounds)]
        ends = [*({"lt": at} for at in bounds), {"lte": last}]  # others may be of the same moment
        return [
            replace(
                self,
                length=int(left / many),
                begin=begin,
                created=low | high,
                has_gaps=False,
                listing=Listing(self.root.name, MAX_PAGE_SIZE),
                long=[],
            )
            for begin, low, high in zip([self.begin, *bounds], starts, ends, strict=True)
        ]

    def fail(self, failed: Failure) -> None:
        """A page failed: whether another one may come in its place."""
        if self.listing.goes_back("", failed):
            return
        if failed.action in (Action.RETRY, Action.REDUCE) and self.listing.size > _LITTLE:
            self.most = _LITTLE
        else:
            self.failure = failed

    def take(self, value: Any) -> list[Any]:
        """Take a page; returns its nodes.

        Raises:
            LinearError: it was there before.
        """
        nodes = value["nodes"]
        last = next((one["id"] for one in reversed(nodes) if is_sound(one)), None)
        more = len(nodes) >= self.listing.size
        if self.sure:
            info = value["pageInfo"]
            more, last = bool(info.get("hasNextPage")), info.get("endCursor") or last
        self.listing.take("", nodes, more, last if more else None)
        sound = [one for one in nodes if is_sound(one)]
        self.has_gaps |= len(sound) < len(nodes)
        return sound


@dataclass
class _Inside:
    """One list inside a row of a walked list, which goes on behind what came with the row."""

    walk: _Walk
    row_id: str
    nested: NestedList
    listing: Listing
    left: int = 0  # what walks side by side is walked first

    def question(self, key: str) -> Question:
        """What asks for its next items."""
        inner = self.nested.page(self.listing.size, self.listing.after, self.walk.root.dates, CURSOR_FIELD)
        return page(self.walk.root, key, (*parse("id"), inner), 1, where=ids_in([self.row_id]))

    def fail(self, failed: Failure) -> None:
        """A page failed: without it nobody knows the list that the row is in."""
        if not self.listing.goes_back("", failed):
            self.walk.failure = failed

    def take(self, value: Any) -> list[Any]:
        """Take a page; returns its items.

        Raises:
            LinearError: it was there before.
        """
        items = [row for parent in value["nodes"] for row in items_of(parent or {}, self.nested)]
        sound = [row for row in items if is_sound(row)]
        more = len(items) >= self.listing.size
        self.listing.take("", items, more, sound[-1]["id"] if more and sound else None)
        return sound


class Probe:
    """Asks what changed since the states, and walks lists."""

    def __init__(self, lister: Lister, wanted: Iterable[Wanted], team_keys: Sequence[str]) -> None:
        """Prepare to ask for what is wanted of each stream."""
        self._lister, self._team_keys = lister, team_keys
        self._wanted = {one.stream.name: one for one in wanted}
        self._walks: dict[str, _Walk] = {}
        self._created, self._issues = "", 0
        self._doubted: set[str] = set()

    def questions(self) -> dict[str, Question]:
        """What is asked first: the newest rows, and the first page of each list."""
        asked: dict[str, Question] = {}
        self._walks = self._walks_of([one for one in self._wanted.values() if one.walks])
        for name, one in self._wanted.items():
            if (one.begin and (one.stream.is_long or not one.walks)) or (
                one.walks and not one.stream.connection
            ):
                asked[f"newest_{name}"] = self._newest(one)
        for follows in {
            one.stream.follows for one in self._wanted.values() if one.stream.follows and one.begin
        }:
            asked[f"moved_{_root_of(follows).name}"] = _moved(follows)
        return asked | {key: one.question(key) for key, one in self._walks.items()}

    @staticmethod
    def stamps(replies: Mapping[str, Reply | Failure]) -> Iterator[str]:
        """The stamps of the rows that `questions` brought."""
        for reply in replies.values():
            nodes = (
                reply.value.get("nodes")
                if isinstance(reply, Reply) and isinstance(reply.value, dict)
                else None
            )
            yield from (one[CURSOR_FIELD] for one in nodes or () if is_sound(one))

    def resume(self, begins: Mapping[str, str | None]) -> None:
        """Go on from other moments than were asked for: what was asked of those streams tells nothing."""
        for name, begin in begins.items():
            if begin != self._wanted[name].begin:
                self._doubted.add(name)
                self._wanted[name] = replace(self._wanted[name], begin=begin)

    def find(self, replies: Mapping[str, Reply | Failure], since: Mapping[str, Since]) -> dict[str, Finding]:
        """See what is news.

        Args:
            replies: what `questions` brought.
            since: for each stream what its list is compared with.

        Returns:
            What was found out of each stream.
        """
        found = {name: Finding() for name in self._wanted}
        walked = self._walk(self._walks, since, replies)
        for name, one in self._wanted.items():
            if one.walks:
                found[name].listed, found[name].failure = walked[name]
            listed = found[name].listed
            if listed is not None and not one.stream.is_long:
                gaps = any(self._walks[key].has_gaps for key in self._keys_of(one.stream))
                found[name].changed = None if gaps else _few_of(listed, one)
            elif one.begin and name not in self._doubted:
                found[name].changed = self._changed(one, replies.get(f"newest_{name}"))
        self._count(
            [one for name, one in self._wanted.items() if self._is_to_be_counted(one, found[name])], found
        )
        self._follow(replies, found)
        return found

    def cut_long_lists(self, created: str, issues: int) -> None:
        """Walk long lists in slices of `createdAt`: in a workspace of this age and size."""
        self._created, self._issues = created, issues

    def walk(
        self, wanted: Iterable[Wanted], since: Mapping[str, Since], sure: bool = False
    ) -> dict[str, tuple[Listed | None, str]]:
        """All rows of the lists of some streams, or why they did not come.

        Args:
            wanted: the streams.
            since: for each stream what its list is compared with.
            sure: whether the lists are walked to where Linear says that they end.
        """
        again = {one.stream.name: one for one in wanted}
        walks = self._walks_of([*again.values()])
        for one in walks.values():
            one.sure |= sure
        plain_ones = {
            f"newest_{name}": self._newest(one) for name, one in again.items() if not one.stream.connection
        }
        return self._walk(walks, {name: since[name] for name in again}, self._lister.ask(plain_ones))

    # Walking

    def _walks_of(self, wanted: Sequence[Wanted]) -> dict[str, _Walk]:
        walks: dict[str, _Walk] = {}
        for one in wanted:
            of_teams = one.stream.filter_of_teams(self._team_keys)
            for root in one.stream.roots if one.stream.connection else ():
                walk = walks.setdefault(
                    _key(root, of_teams), _Walk(root, of_teams, listing=Listing(root.name, _SHORT))
                )
                if "trashed" in {field.name for field in root.dates}:
                    walk.root = root
                walk.sure |= one.sure
                walk.length = max(walk.length, one.length if len(one.stream.roots) == 1 else 0)
                if one.stream.is_long and root.filterable:
                    walk.begin, walk.limit = self._created, walk.length or _ROWS_AN_ISSUE * self._issues
                if root.children and one.stream.kind != "child":
                    walk.inside[root.children.name] = _inside(root.children)
        return walks

    def _walk(
        self, walks: dict[str, _Walk], since: Mapping[str, Since], replies: Mapping[str, Reply | Failure]
    ) -> dict[str, tuple[Listed | None, str]]:
        """Walk lists side by side, each to its end, and the lists inside of their rows."""
        lists = {name: Listed(one) for name, one in since.items()}
        of = {name: self._keys_of(self._wanted[name].stream) for name in lists}
        first = {key: replies[key] for key in walks if key in replies}
        while going_on := _going_on(walks):
            found = first or self._next(going_on)
            first = {}
            for key, reply in found.items():
                one = going_on[key]
                walk = one.walk if isinstance(one, _Inside) else one
                try:
                    if isinstance(reply, Failure):
                        one.fail(reply)
                        continue
                    nodes = one.take(reply.value)
                except LinearError as error:
                    walk.failure = error.failure
                    continue
                for name, keys in of.items():
                    if any(walks[mine] is walk for mine in keys):
                        stream = self._wanted[name].stream
                        if isinstance(one, _Inside):
                            _take_items(stream, one, nodes, lists[name])
                        else:
                            self._take(stream, one, nodes, lists[name])
                if isinstance(one, _Walk):
                    parts = {f"{key}_{place}": part for place, part in enumerate(one.slices(nodes))}
                    walks |= parts
                    for keys in of.values():
                        keys += parts if key in keys else ()
        return {name: self._walked(name, listed, of[name], walks, replies) for name, listed in lists.items()}

    def _next(self, going_on: "Mapping[str, _Walk | _Inside]") -> dict[str, Reply | Failure]:
        """Ask for the next page of what goes on for longest, as much as one query may cost.

        What does not fit waits: how many requests a walk takes is told by its longest list, not by all.
        """
        questions = {key: one.question(key) for key, one in going_on.items() if isinstance(one, _Walk)}
        inside = {key: one for key, one in going_on.items() if isinstance(one, _Inside)}
        share = (POINTS_A_REQUEST - sum(one.points for one in questions.values())) / max(1, len(inside))
        for key, one in inside.items():
            an_item = price((one.nested.page(1, "", one.walk.root.dates),))
            one.listing.size = one.listing.further(an_item, share)
            questions[key] = one.question(key)
        longest = sorted(questions, key=lambda key: going_on[key].left, reverse=True)
        some = next(affordable(longest, lambda key: questions[key].points))
        return self._lister.ask({key: questions[key] for key in some})

    def _walked(
        self,
        name: str,
        listed: Listed,
        keys: Sequence[str],
        walks: Mapping[str, _Walk],
        replies: Mapping[str, Reply | Failure],
    ) -> tuple[Listed | None, str]:
        """A stream's list, or why it did not come. Of several roots, one that is refused costs its rows."""
        stream = self._wanted[name].stream
        if not stream.connection:
            reply = replies.get(f"newest_{name}")
            rows = reply.value if isinstance(reply, Reply) else None
            if not isinstance(rows, list) or not all(is_sound(row) for row in rows):
                return None, reply.reason if isinstance(reply, Failure) else "Linear sent no list."
            for row in rows:
                _take(listed, seen(row))
            return listed, ""
        # By root: one slice of a list that fails is as good as none of it.
        failed = {walks[key].root.name: failure for key in keys if (failure := walks[key].failure)}
        listed.refused = {*failed}
        for walk in (walks[key] for key in keys):
            listed.nodes[walk.root.name] = listed.nodes.get(walk.root.name, 0) + walk.listing.count
        lost = [
            one for one in failed.values() if len(failed) == len(listed.nodes) or one.code not in REFUSALS
        ]
        return (None, lost[0].reason) if lost else (listed, "")

    def _keys_of(self, stream: Stream) -> list[str]:
        of_teams = stream.filter_of_teams(self._team_keys)
        return [_key(root, of_teams) for root in stream.roots if stream.connection]

    def _take(self, stream: Stream, walk: _Walk, nodes: Sequence[Record], listed: Listed) -> None:
        children = next((root.children for root in stream.roots if root.name == walk.root.name), None)
        for one in nodes:
            if children is None or stream.kind == "child":
                _take(listed, seen(one))
            elif children.is_ordered:
                newest = items_of(one, children)
                news = listed.since.begin is None or any(
                    not is_sound(row) or is_since(row, listed.since.begin) for row in newest
                )
                updated = max(
                    [row[CURSOR_FIELD] for row in newest if is_sound(row)], default=one[CURSOR_FIELD]
                )
                _take(listed, seen(one, news)._replace(updated=updated))
            else:
                items = [row for row in items_of(one, children) if is_sound(row)]
                for row in items:
                    _take(listed, seen(row))
                if len(items_of(one, children)) >= children.first and items:
                    listing = Listing(f"the list {children.name} of {one['id']}", children.first)
                    listing.take("", items, True, items[-1]["id"])
                    walk.long.append(_Inside(walk, one["id"], children, listing))

    # What changed

    def _newest(self, one: Wanted) -> Question:
        stream, root = one.stream, one.stream.roots[0]
        if not stream.connection:
            return plain(root, root.dates)
        key, selection = f"newest_{stream.name}", root.dates
        if root.children and stream.has_own_dates:
            selection = (*selection, _newest_inside(root.children))
        return page(root, key, selection, _FEW, "", self._changed_since(one), CURSOR_FIELD, ("hasNextPage",))

    def _changed_since(self, one: Wanted) -> dict[str, Any] | None:
        """The filter for what changed; None where the root takes none."""
        stream = one.stream
        if not stream.filterable or one.begin is None:
            return None
        return all_of(stream.filter_of_teams(self._team_keys), changed_since(stream, one.begin))

    def _changed(self, one: Wanted, reply: Reply | Failure | None) -> tuple[str, ...] | None:
        """What the newest rows of a root, or the newest changed parents, say of a stream."""
        stream, root = one.stream, one.stream.roots[0]
        if not isinstance(reply, Reply) or one.begin is None:
            return None
        if not stream.connection:
            rows = [reply.value] if root.is_object else reply.value
            sound = isinstance(rows, list) and all(is_sound(row) for row in rows)
            return () if sound and not any(is_since(row, one.begin) for row in rows) else None
        nodes = reply.value["nodes"]
        more = (reply.value.get("pageInfo") or {}).get("hasNextPage")
        if reply.problems or not all(is_sound(row) for row in nodes) or not isinstance(more, bool):
            return None
        inside = root.children if stream.has_own_dates else None
        # The filter has chosen issues by more than their own dates: by those of their attachments, too.
        chosen = stream.is_of_issues and not root.children
        changed = [row["id"] for row in nodes if chosen or _has_news(row, one.begin, inside)]
        if stream.filterable:
            return None if more else tuple(changed)
        return () if not changed and (len(nodes) >= _FEW or not more) else None

    def _is_to_be_counted(self, one: Wanted, found: Finding) -> bool:
        """Whether it matters how much changed: what is sent without a list is named in the state."""
        return (
            one.room is not None and found.listed is None and found.changed is None and one.begin is not None
        )

    def _count(self, wanted: Sequence[Wanted], found: Mapping[str, Finding]) -> None:
        """Count what changed, as far as it can be named."""
        going_on = {
            one.stream.name: (one, Listing(one.stream.roots[0].name, MAX_PAGE_SIZE)) for one in wanted
        }
        while going_on:
            questions = {
                name: page(
                    one.stream.roots[0],
                    name,
                    one.stream.roots[0].dates,
                    listing.size,
                    listing.after,
                    self._changed_since(one),
                    CURSOR_FIELD,
                    ("hasNextPage",),
                )
                for name, (one, listing) in going_on.items()
                if one.stream.connection
            }
            replies, rest = self._lister.ask(questions), {}
            for name, reply in replies.items():
                one, listing = going_on[name]
                try:
                    if isinstance(reply, Failure):
                        if listing.goes_back(name, reply):
                            rest[name] = (one, listing)
                        continue
                    nodes = [row for row in reply.value["nodes"] if is_sound(row)]
                    more = bool(reply.value["pageInfo"].get("hasNextPage"))
                    past = (
                        bool(nodes)
                        and not one.stream.filterable
                        and nodes[-1][CURSOR_FIELD] < (one.begin or "")
                    )
                    listing.take(
                        name,
                        nodes,
                        more and not past,
                        nodes[-1]["id"] if nodes and more and not past else None,
                    )
                except LinearError:
                    continue  # who reads the stream will meet it
                if listing.count > (one.room or 0) and not past:
                    found[name].is_long = True
                elif not listing.ended:
                    rest[name] = (one, listing)
            going_on = rest

    def _follow(self, replies: Mapping[str, Reply | Failure], found: Mapping[str, Finding]) -> None:
        """Let rows be read that changed with the rows of another root, though no stamp of theirs tells."""
        for name, one in self._wanted.items():
            if not one.stream.follows or one.begin is None:
                continue
            root = _root_of(one.stream.follows)
            moved = self._moved_since(replies.get(f"moved_{root.name}"), one.stream.follows, one.begin)
            if moved is None:
                _LOGGER.warning(
                    "%sLinear did not say which %s changed since %s: the rows that they name may lack the "
                    "latest ones until they change themselves.",
                    subject(name),
                    root.name,
                    one.begin,
                )
            else:
                found[name].moved = moved

    def _moved_since(self, reply: Reply | Failure | None, follows: str, begin: str) -> tuple[str, ...] | None:
        """The ids that the rows of a root name that changed since a moment."""
        root, ids = _root_of(follows), dict[str, None]()
        ends = [field.name for field in root.fields if field.selection]
        listing = Listing(root.name, _FEW)
        while True:
            try:
                if isinstance(reply, Reply):
                    nodes = [one for one in reply.value["nodes"] if is_sound(one)]
                    changed = [one for one in nodes if is_since(one, begin)]
                    ids |= dict.fromkeys(one[end]["id"] for one in changed for end in ends if one.get(end))
                    more = bool(reply.value["pageInfo"].get("hasNextPage")) and len(changed) == len(nodes) > 0
                    listing.take("", nodes, more, nodes[-1]["id"] if more else None)
                elif reply is None or not listing.goes_back("", reply):
                    return None
            except LinearError:
                return None
            if listing.ended:
                return tuple(ids)
            question = page(
                root, "moved", root.fields, MAX_PAGE_SIZE, listing.after, None, CURSOR_FIELD, ("hasNextPage",)
            )
            reply = self._lister.ask({"moved": question})["moved"]


def _key(root: Root, of_teams: Mapping[str, Any] | None) -> str:
    """What the list of a root is called in a query; of a slice, a number follows."""
    return f"list_{root.name}_{'teams' if of_teams else 'all'}"


def slices_of(rows: float) -> int:
    """Into how many slices so many rows of a long list are cut."""
    return min(int(rows / _ROWS_A_SLICE), _MOST_SLICES)


def cut(begin: str, end: str, pieces: int) -> list[str]:
    """The moments that cut a time into so many pieces."""
    first, last = timestamp(begin), timestamp(end)
    return [milliseconds(first + (last - first) * place / pieces) for place in range(1, pieces)]


def refused(lister: Lister, streams: Iterable[Stream]) -> dict[str, str]:
    """The streams that may not be read, each with Linear's reason."""
    asked: dict[str, Question] = {}
    of: dict[str, list[str]] = {}
    for stream in streams:
        for root in stream.roots:
            of.setdefault(root.name, []).append(stream.name)
            ids = parse("id")
            asked[root.name] = page(root, root.name, ids, 1) if root.connection else plain(root, ids)
    found = lister.ask(asked)
    return {
        name: reply.problems[0].said if reply.problems else reply.reason
        for root, reply in found.items()
        if isinstance(reply, Failure)
        for name in of[root]
    }


def _root_of(follows: str) -> Root:
    """The root that `follows` declares: its rows name rows of the stream."""
    (declared,) = parse(follows)
    ends = tuple(Field(name=one.name, selection=parse("id")) for one in declared.selection)
    entity = declared.name[0].upper() + declared.name[1:-1]
    return Root(declared.name, entity, (*parse(f"id {CURSOR_FIELD} archivedAt"), *ends), filterable=False)


def _moved(follows: str) -> Question:
    root = _root_of(follows)
    return page(root, "moved", root.fields, _FEW, "", None, CURSOR_FIELD, ("hasNextPage",))


def _inside(nested: NestedList) -> Field:
    """What a walk asks of a list in a parent: its newest row, or as many as most of these lists have."""
    if nested.is_ordered:
        return _newest_inside(nested)
    return nested.page(nested.first, "", parse("id createdAt updatedAt archivedAt"))


def _newest_inside(nested: NestedList) -> Field:
    """The newest row of a list in a parent, or as many as may be archived where it has no order."""
    first = 1 if nested.is_ordered else nested.first
    return nested.page(first, "", parse(f"id {CURSOR_FIELD} archivedAt"), CURSOR_FIELD)


def _going_on(walks: Mapping[str, _Walk]) -> "dict[str, _Walk | _Inside]":
    """What of some lists is still to be walked: themselves, and lists inside of their rows."""
    found: dict[str, _Walk | _Inside] = {}
    for key, walk in walks.items():
        if not walk.failure:
            found |= {} if walk.listing.ended else {key: walk}
            walk.long = [one for one in walk.long if not one.listing.ended]
            found |= {f"n{len(found) + place}": one for place, one in enumerate(walk.long)}
    return found


def _take_items(stream: Stream, inside: _Inside, items: Sequence[Record], listed: Listed) -> None:
    nested = next((root.children for root in stream.roots if root.name == inside.walk.root.name), None)
    if nested is not None and not nested.is_ordered and nested.name == inside.nested.name:
        for row in items:
            _take(listed, seen(row))


def _take(listed: Listed, row: Seen) -> None:
    try:
        listed.take(row)
    except ValueError:
        _LOGGER.debug("The row %s has dates that are none: it is in no list.", row.id)


def _few_of(listed: Listed, one: Wanted) -> tuple[str, ...] | None:
    """The rows that the cursor brings, where it is cheaper to ask for them by id."""
    if one.begin is None:
        return None
    changed = []
    for row_id in listed.coming():
        changed.append(row_id)
        if len(changed) > max(_FEW, listed.rows // 2):
            return None
    return tuple(changed)


def _has_news(node: Record, begin: str, inside: NestedList | None) -> bool:
    """Whether a row, or a row of a list inside it, was changed or archived at a moment or after it."""
    if inside is None:
        return is_since(node, begin)
    return any(not is_sound(row) or is_since(row, begin) for row in items_of(node, inside))
