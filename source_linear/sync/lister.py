"""The only pager: lists, lists inside rows, and rows by id.

It splits what fails together, reads on where a list is long, sees circles, and leaves out the rows that
cannot be read, each with a reason. Where a list stands are local variables of who reads it.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeGuard

from source_linear.graphql import (
    MAX_COST,
    MAX_PAGE_SIZE,
    NestedList,
    Question,
    Root,
    affordable,
    all_of,
    document,
    ids_in,
    node,
    ordered,
    page,
)
from source_linear.linear.answers import Answer
from source_linear.linear.api import Api
from source_linear.linear.errors import REFUSALS, Action, Failure, Kind, LinearError, Problem, failure
from source_linear.linear.selection import Selection, parse, price
from source_linear.streams import CURSOR_FIELD, Record, Stream

TRIES = 3  # before what fails is looked into
_IDS = parse("id")
_ALIVE = {"viewer": Question(parse("viewer { id }")[0], {}, ("id",))}
_NULLS_LOOKED_UP = 10  # of a page: a request each
_STEPS_BACK = 3  # rows before a cursor that are tried in its place
_OF_CURSORS = ("cursor", "not found", "could not find")  # in what Linear says of a row that is gone
# docs/linear-api.md, LIMITS-1: 3,000,000 points an hour to 2,500 requests. What costs less is paid for with
# the request.
POINTS_A_REQUEST = 1_200
_A_NODE = 1.1  # points of a row that is asked for once more, for what else is in a list inside of it
_AT_LEAST = 2  # items of a list inside a row that are asked for next


class Reply(NamedTuple):
    """What one question brought: its part of `data`, and what is wrong inside of it."""

    value: Any
    problems: tuple[Problem, ...] = ()


@dataclass
class Nodes:
    """Some nodes of a list.

    Attributes:
        nodes: those that came, in order.
        unread: the ids of those that could not be read, each with the reason, a sentence.
        refused: those of them that these credentials may not see.
        nameless: the reasons of those whose ids did not come either.
        damaged: the ids of nodes that came, but for a part of which asking again may bring more.
        missing: the ids of nodes that a page named, and that did not come when they were asked for.
    """

    nodes: list[Record] = field(default_factory=list)
    unread: dict[str, str] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    nameless: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def add(self, other: "Nodes") -> None:
        """Take up others."""
        self.nodes += other.nodes
        self.unread |= other.unread
        self.refused |= other.refused
        self.nameless += other.nameless
        self.damaged += other.damaged
        self.missing += other.missing


@dataclass
class Listing:
    """Where a list stands that is read page by page.

    Attributes:
        name: the list, for sentences.
        size: how many rows the next page asks for.
        most: more are too complex for a page.
        after: the cursor behind which the next page begins.
        count: how many rows came.
        ended: whether there is no further page.
    """

    name: str
    size: int
    most: int = MAX_PAGE_SIZE
    after: str = ""
    count: int = 0
    ended: bool = False
    _seen: set[str] = field(default_factory=set)
    _cursors: set[str] = field(default_factory=set)
    _last: list[str] = field(default_factory=list)

    def take(self, stream: str, nodes: Sequence[Any], more: bool, cursor: str | None) -> None:
        """A page came.

        Raises:
            LinearError: it was there before, or does not say where the next one begins.
        """
        ids = [row_id for one in nodes if (row_id := id_of(one))]
        if not nodes and (more or cursor):
            said = f"{self.name} has no nodes, but a cursor or a next page"
            raise LinearError(failure(stream, "INCOMPLETE", said))
        if ids and ids[0] in self._seen:
            raise LinearError(failure(stream, "NO_CURSOR", f"{self.name} gives a page that was there before"))
        self._seen.update(ids[:1])
        self.count += len(nodes)
        self._last = ids
        self.ended = not more
        if more:
            if not cursor or cursor in self._cursors or cursor == self.after:
                said = f"{self.name} gives {'a cursor that was there before' if cursor else 'no next cursor'}"
                raise LinearError(failure(stream, "NO_CURSOR", said))
            self._cursors.add(cursor)
            self.after = cursor

    def further(self, points: float, share: float) -> int:
        """How many items of a list inside a row are asked for next: what is asked for is paid for.

        So many that those asked for in vain cost about as much as it costs to ask once more: a list that is
        longer than others is mostly a little longer. More where that costs nothing.

        Args:
            points: what an item costs.
            share: what may be spent on this list, because the request costs as much anyway.
        """
        cheap = int((share - _A_NODE) / points)
        return max(
            1, min(self.most, max(_AT_LEAST, math.isqrt(int(2 * _A_NODE * self.count / points)), cheap))
        )

    def goes_back(self, stream: str, failed: Failure) -> bool:
        """Whether what failed is asked for again from a row earlier: its cursor may be purged.

        Raises:
            LinearError: so it was tried with several rows.
        """
        lost = self.is_lost(failed)
        if lost:
            self.step_back(stream)
        return lost

    def is_lost(self, failed: Failure) -> bool:
        """Whether a failure may be about the row behind which the next page begins."""
        if not self.after or failed.index is not None or not failed.problems:
            return False
        said = failed.problems[0].said.lower()
        return failed.code == "INVALID_INPUT" or (
            failed.code == "INPUT_ERROR" and any(words in said for words in _OF_CURSORS)
        )

    def step_back(self, stream: str) -> None:
        """Begin the next page a row earlier: its cursor may be a row that was purged meanwhile.

        Raises:
            LinearError: so it was tried with several rows.
        """
        self._last = [one for one in self._last if one != self.after][-_STEPS_BACK:]
        if not self._last:
            said = f"the row behind which a page of {self.name} begins was deleted meanwhile"
            raise LinearError(failure(stream, "NO_CURSOR", said))
        self.after = self._last.pop()


class Lister:
    """Asks for the lists and rows of one stream, or of many in the change probe."""

    def __init__(self, api: Api, stream: Stream | None = None) -> None:
        """Ask for a stream; for many, where none is given."""
        self._api = api
        self._stream, self._entity = (stream.name, stream.entity) if stream else ("", "")
        self._operation = stream.operation.name if stream else "sync"
        self._needed = {"id", CURSOR_FIELD, stream.cursor_field if stream else CURSOR_FIELD}
        self.headers: Mapping[str, str] = {}  # of the first answer

    # Asking

    def ask(self, questions: Mapping[str, Question], tries: int = TRIES) -> dict[str, Reply | Failure]:
        """Ask questions, together where that fits; one that fails costs itself.

        Where Linear does not say which of them it is that fails, they are halved.

        Args:
            questions: the questions, each with the name under which it is answered.
            tries: after how many tries what fails together is looked into.

        Returns:
            For each its reply, or why it has none.
        """
        found: dict[str, Reply | Failure] = {}
        waiting = [(group, tries) for group in affordable(questions, lambda name: questions[name].points)]
        while waiting:
            names, tries = waiting.pop(0)
            if not names:
                continue
            try:
                answer = self.send({name: questions[name] for name in names}, tries)
            except LinearError as error:
                failed = error.failure
            else:
                found |= {name: _reply(name, answer) for name in names}
                continue
            own = {name: one for name in names if (one := _own(name, failed))}
            if not own and (len(names) == 1 or self._is_of_all(failed)):
                own = dict.fromkeys(names, failed)
            found |= own
            rest = [name for name in names if name not in own]
            if own:
                waiting.insert(0, (rest, tries))
            else:
                half = len(rest) // 2
                again = 1 if failed.action is Action.RETRY else tries
                waiting[:0] = [(rest[:half], again), (rest[half:], again)]
        return found

    def one(self, name: str, question: Question, tries: int = TRIES) -> Reply:
        """Ask one question.

        Raises:
            LinearError: it has no reply.
        """
        found = self.ask({name: question}, tries)[name]
        if isinstance(found, Failure):
            raise LinearError(found)
        return found

    def send(self, questions: Mapping[str, Question], tries: int | None = None) -> Answer:
        """Ask questions in one query, as they are; `tries` None: until the API's patience ends.

        Raises:
            LinearError: one of them is refused, or Linear does not answer.
        """
        query, variables = document(self._operation, questions)
        keys = {name: one.keys for name, one in questions.items()}
        points = sum(one.points for one in questions.values())
        answer = self._api.ask(self._stream, query, variables, keys, tries, points)
        self.headers = self.headers or answer.headers
        return answer

    def _is_of_all(self, failed: Failure) -> bool:
        """Whether what failed together would fail one by one: credentials, the network, an outage."""
        if failed.kind is Kind.CONFIG and failed.code not in REFUSALS:
            return True
        if failed.action is Action.RETRY:
            try:
                self.send(_ALIVE, 1)
            except LinearError:
                return True
            return False
        return not (failed.problems or failed.action is Action.REDUCE or failed.code == "TOO_LARGE")

    # Fields that are gone

    def selection(self, root: Root) -> Selection:
        """What is asked of a node, without what Linear refuses or no longer has."""
        return self._api.fields.left_of(self._stream, root.fields, root.entity, self._types(root))

    def absent(self, root: Root) -> set[str]:
        """The names at the top of a row that are not asked for any more, or that Linear leaves out."""
        whole, left = _keys(root, root.fields), _keys(root, self.selection(root))
        refused = {name.split(".")[0] for name in self._api.budget.usage[self._stream].refused}
        return (whole - left) | refused

    def _drop(self, root: Root, failed: Failure, asked: Selection) -> bool:
        """Leave out what a failure says is gone, or refused so that no row comes.

        Returns:
            Whether something else is asked now: another thread may have left it out meanwhile.
        """
        if not self._api.fields.drop(self._stream, failed, root.fields, root.entity, self._types(root)):
            return False
        left = self.selection(root)
        if (self._needed & _keys(root, root.fields)) - _keys(root, left):
            raise LinearError(failed)
        first = failed.problems[0]
        if first.code in REFUSALS:
            self._api.note_refused(self._stream, {first.field: first.said})
        return left != asked

    def _types(self, root: Root) -> dict[str, str]:
        """The type of the items of the list inside a root's nodes: the only further one that is known."""
        return {root.children.name: self._entity} if root.children else {}

    # Pages

    def pages(
        self,
        root: Root,
        size: int,
        ask: Callable[[int, str, Selection], Question],
        ends: Callable[[Any], tuple[Sequence[Any], bool, str | None]],
        where: Mapping[str, Any] | None = None,
    ) -> Iterator[tuple[Nodes, bool]]:
        """The nodes of a root, page by page, each with whether it is the last.

        Args:
            root: the root.
            size: how many nodes a page has at the most.
            ask: makes the question for so many nodes, after a cursor, with a selection.
            ends: takes a reply apart: nodes, whether there are more, and the cursor that they are behind.
            where: the filter of the stream, for rows that are asked for by their ids.

        Raises:
            LinearError: the list cannot be read.
        """
        listing = Listing(root.name, size)
        while not listing.ended:
            nodes = self._page(root, listing, ask, ends, where)
            yield nodes, listing.ended

    def _page(
        self,
        root: Root,
        listing: Listing,
        ask: Callable[[int, str, Selection], Question],
        ends: Callable[[Any], tuple[Sequence[Any], bool, str | None]],
        where: Mapping[str, Any] | None,
    ) -> Nodes:
        while True:
            selection = self.selection(root)
            question = ask(listing.size, listing.after, selection)
            try:
                answer = self.send({root.name: question}, TRIES + 1)
            except LinearError as error:
                failed = error.failure
                if self._drop(root, failed, selection):
                    continue
                if failed.action is Action.REDUCE and listing.size > 1:
                    listing.size //= 2
                    continue
                if listing.goes_back(self._stream, failed):
                    continue
                if not root.connection or not self._is_of_the_content(failed, ask, listing):
                    if failed.action is not Action.RETRY:
                        raise
                    answer = self.send({root.name: question})  # an outage: it may pass
                else:
                    return self._one_by_one(root, listing, ask, ends, where, failed)
            reply = _reply(root.name, answer)
            nodes, more, cursor = ends(reply.value)
            begin = listing.after
            listing.take(self._stream, nodes, more, cursor)
            return self._sound(root, Reply(nodes, reply.problems), ask, begin, listing.size)

    def _is_of_the_content(self, failed: Failure, ask: Any, listing: Listing) -> bool:
        """Whether a page fails for what is in it, or for its size: then an id comes all the same."""
        if failed.action is not Action.RETRY:
            return failed.index is not None
        return self._light(ask, 1, listing.after) is not None

    def _light(self, ask: Any, size: int, after: str) -> Any:
        """Nothing but the ids of a page; None where they do not come either."""
        question = ask(size, after, _IDS)
        try:
            return self.send({question.asked.name: question}, TRIES).data[question.asked.name]
        except LinearError:
            return None

    def _one_by_one(
        self,
        root: Root,
        listing: Listing,
        ask: Any,
        ends: Any,
        where: Mapping[str, Any] | None,
        failed: Failure,
    ) -> Nodes:
        """Read the rows of a page that fails for what is in it by their ids."""
        while (light := self._light(ask, listing.size, listing.after)) is None:
            if listing.size == 1:
                raise LinearError(failed)
            listing.size //= 2
        nodes, more, cursor = ends(light)
        listing.take(self._stream, nodes, more, cursor)
        ids = [row_id for one in nodes if (row_id := id_of(one))]
        reasons = {
            one.index: failure("", one.code, one.said).reason
            for one in failed.problems
            if one.index is not None
        }
        bad = {
            row_id: reason
            for at, reason in reasons.items()
            if at < len(nodes) and (row_id := id_of(nodes[at]))
        }
        found = self.rows(root, [row_id for row_id in ids if row_id not in bad], where)
        found.unread |= bad
        found.refused |= {*bad} if failed.code in REFUSALS else set()
        found.nameless += [failed.reason] * (len(nodes) - len(ids))
        came = {one["id"] for one in found.nodes} | found.unread.keys()
        found.missing += [row_id for row_id in ids if row_id not in came]
        order = {row_id: place for place, row_id in enumerate(ids)}
        found.nodes.sort(key=lambda one: order[one["id"]])
        return found

    def _sound(self, root: Root, reply: Reply, ask: Any, begin: str, size: int) -> Nodes:
        """The nodes of a page that are rows; of each other one, what it is."""
        found = Nodes()
        problems = {one.index: one for one in reply.problems if one.index is not None}
        ids: Sequence[str | None] = ()
        if ask is not None and not all(is_sound(one) for one in reply.value):
            ids = self._ids_of(reply.value, ask, begin, size)
        for index, one in enumerate(reply.value):
            problem = problems.get(index)
            if is_sound(one):
                found.nodes.append(one)
                if problem and problem.may_pass:
                    found.damaged.append(one["id"])
                continue
            said = problem.said.rstrip(".") if problem else "Linear sent null and gave no reason"
            row_id = id_of(one) or (ids[index] if index < len(ids) else None)
            if row_id:
                found.unread[row_id] = f"{said}."
                if problem and problem.code in REFUSALS:
                    found.refused.add(row_id)
            else:
                found.nameless.append(f"{said}.")
        return found

    def _ids_of(self, nodes: Sequence[Any], ask: Any, begin: str, size: int) -> list[str | None]:
        """The ids of the nodes of a page; of one that stays null, from the cursor behind it."""
        light = (self._light(ask, size, begin) or {}).get("nodes", [])
        before, asked = begin, 0
        ids: list[str | None] = []
        for index, one in enumerate(nodes):
            known = id_of(one) or (id_of(light[index]) if index < len(light) else None)
            if not known and asked < _NULLS_LOOKED_UP:
                asked += 1
                info = (self._light(ask, 1, before) or {}).get("pageInfo", {})
                known = info.get("endCursor")  # docs/linear-api.md, PAGING-4: the last node's id
            ids.append(known)
            before = known or before
        return ids

    # Rows by id

    def rows(self, root: Root, ids: Sequence[str], where: Mapping[str, Any] | None = None) -> Nodes:
        """The nodes of a root with these ids; one that is in no list of the result is not there.

        Args:
            root: the root.
            ids: the ids.
            where: the filter of the stream.

        Raises:
            LinearError: none of them can be asked for, not even alone.
        """
        found, size = Nodes(), self._size_of(root)
        waiting = [ids[start : start + size] for start in range(0, len(ids), size)]
        while waiting:
            some, selection = waiting.pop(0), self.selection(root)
            asked = self._by_id(root, some, ordered(selection, CURSOR_FIELD), where)
            replies = self.ask(asked)
            failed = next((one for one in replies.values() if isinstance(one, Failure)), None)
            if failed and self._drop(root, failed, selection):
                waiting.insert(0, some)
            elif failed and len(asked) == 1 and len(some) > 1:
                half = len(some) // 2
                waiting[:0] = [some[:half], some[half:]]
            else:
                for name, reply in replies.items():
                    of = some if len(asked) == 1 else [some[int(name[1:])]]
                    found.add(self._found(root, of, reply, where))
        return found

    def there(
        self, root: Root, ids: Sequence[str], where: Mapping[str, Any] | None
    ) -> dict[str, Record] | None:
        """Which of some ids Linear shows, each with its dates: a question of its own, for nothing but that.

        A row that fails is there; None where Linear does not say.
        """
        if not root.connection:
            return self._there_singly(root, ids)
        found: dict[str, Record] = {}
        waiting = [ids[at : at + MAX_PAGE_SIZE] for at in range(0, len(ids), MAX_PAGE_SIZE)]
        while waiting:
            some = waiting.pop(0)
            chosen = all_of(where, ids_in(some))
            question = page(root, "there", root.dates, len(some), where=chosen, info=("hasNextPage",))
            reply = self.ask({"there": question})["there"]
            if isinstance(reply, Failure) and reply.kind is not Kind.CONFIG and len(some) > 1:
                half = len(some) // 2
                waiting[:0] = [some[:half], some[half:]]
            elif isinstance(reply, Failure):
                if reply.action is Action.RETRY and self._is_of_all(reply):
                    return None
                if reply.code in REFUSALS and reply.index is None:
                    return None
                found |= {row_id: {"id": row_id} for row_id in some}
            else:
                nodes = reply.value["nodes"]
                sound = {one["id"]: one for one in nodes if is_sound(one)}
                if reply.value["pageInfo"].get("hasNextPage"):  # the page is short, and says so
                    if not sound:
                        return None
                    waiting.insert(0, [row_id for row_id in some if row_id not in sound])
                    some = [*sound]
                if reply.problems or len(sound) < len(nodes):  # any of the others may be there
                    sound |= {row_id: {"id": row_id} for row_id in some if row_id not in sound}
                found |= sound
        return found

    def _there_singly(self, root: Root, ids: Sequence[str]) -> dict[str, Record] | None:
        """The same of a plain list, which has no archived rows (docs/linear-api.md, ARCHIVING-10)."""
        try:
            nodes = self.rows(replace(root, fields=root.dates), ids)
        except LinearError:
            return None
        shown = {one["id"]: one for one in nodes.nodes if one["archivedAt"] is None}
        return {row_id: {"id": row_id} for row_id in nodes.unread} | shown

    def _size_of(self, root: Root) -> int:
        points = 1 + price(root.fields)
        return max(1, min(MAX_PAGE_SIZE, int(MAX_COST / points)))

    def _by_id(
        self, root: Root, ids: Sequence[str], selection: Selection, where: Mapping[str, Any] | None
    ) -> dict[str, Question]:
        if root.filterable:
            return {"rows": page(root, "rows", selection, len(ids), where=all_of(where, ids_in(ids)))}
        return {f"n{place}": node(root, f"n{place}", selection, row_id) for place, row_id in enumerate(ids)}

    def _found(
        self, root: Root, ids: Sequence[str], reply: Reply | Failure, where: Mapping[str, Any] | None
    ) -> Nodes:
        """What a question for some ids brought; of those that did not come, what they are."""
        if isinstance(reply, Failure):
            return self._not_read(root, ids, reply, where)
        if not root.filterable:
            reply = Reply({"nodes": [reply.value]}, reply.problems)
        nodes = reply.value["nodes"]
        found = self._sound(root, Reply(nodes, reply.problems), None, "", len(ids))
        if len(found.nodes) == len(nodes):
            return found
        # Which of them the others are, their ids alone tell.
        missing = [row_id for row_id in ids if row_id not in {one["id"] for one in found.nodes}]
        there = self.there(root, missing, where) if root.filterable else dict.fromkeys(missing)
        reasons = [*found.unread.values(), *found.nameless]
        shown = missing if there is None else list(there)
        refused = any(one.code in REFUSALS for one in reply.problems)
        found.unread = {row_id: reasons[min(place, len(reasons) - 1)] for place, row_id in enumerate(shown)}
        found.refused, found.nameless = set(shown) if refused else set(), []
        return found

    def _not_read(
        self, root: Root, ids: Sequence[str], failed: Failure, where: Mapping[str, Any] | None
    ) -> Nodes:
        """Whether a row that fails is there at all.

        Raises:
            LinearError: it is not the row that is at fault.
        """
        if failed.kind is Kind.CONFIG and failed.code not in REFUSALS:
            raise LinearError(failed)
        said = failed.problems[0].said.lower() if failed.problems else ""
        if not root.filterable and "not found" in said:
            return Nodes()
        if failed.action is Action.RETRY and self._is_of_all(failed):
            raise LinearError(failed)
        there = self.there(root, ids, where) if root.filterable else dict.fromkeys(ids)
        unread = dict.fromkeys(ids if there is None else there, failed.reason)
        return Nodes(unread=unread, refused=set(unread) if failed.code in REFUSALS else set())

    # Lists inside rows

    def completed(
        self,
        root: Root,
        lists: Sequence[NestedList],
        nodes: Sequence[Record],
        since: str | None = None,
        order: str = CURSOR_FIELD,
    ) -> Nodes:
        """The nodes with their lists read to their ends, in place; those that cannot be completed are unread.

        Args:
            root: where the nodes come from.
            lists: the lists.
            nodes: the nodes.
            since: for lists that are newest first: what is older is not wanted.
            order: by which date they are ordered.

        Raises:
            LinearError: a list does not end, or Linear does not answer.
        """
        found = self.completed_of(root, lists, nodes)
        waiting = {}
        for one in found.nodes:
            for nested in lists:
                if self.goes_on(one, [nested], since):
                    items = items_of(one, nested)
                    listing = Listing(f"the list {nested.name} of {one['id']}", nested.first)
                    listing.take(self._stream, items, True, _last_of(items))
                    waiting[one["id"], nested.name] = (one, nested, listing)
        while waiting:
            waiting = self._further(root, waiting, found, since, order)
        left = found.unread.keys() | set(found.missing)
        found.nodes = [one for one in found.nodes if one["id"] not in left]
        return found

    def goes_on(self, one: Record, lists: Sequence[NestedList], since: str | None) -> bool:
        """Whether a list of a node is as long as what was asked for: it may go on, if that is wanted."""
        for nested in lists:
            items = items_of(one, nested)
            if len(items) >= nested.first and _reaches(items, since):
                return True
        return False

    def completed_of(self, root: Root, lists: Sequence[NestedList], nodes: Sequence[Record]) -> Nodes:
        """The nodes whose lists came; the others are unread."""
        found, absent = Nodes(), self.absent(root) if lists else ()
        for one in nodes:
            lost = [
                nested.name for nested in lists if _items(one, nested) is None and nested.name not in absent
            ]
            if lost:
                found.unread[one["id"]] = f"Linear did not send its {lost[0]}."
            else:
                found.nodes.append(one)
        return found

    def _further(
        self,
        root: Root,
        waiting: Mapping[tuple[str, str], tuple[Record, NestedList, Listing]],
        found: Nodes,
        since: str | None,
        order: str,
    ) -> dict[tuple[str, str], tuple[Record, NestedList, Listing]]:
        """Read one more page of each list; returns those that still go on."""
        questions, names = {}, {}
        share = POINTS_A_REQUEST / len(waiting)
        left = {field.name: nodes.selection for field in self.selection(root) for nodes in field.selection}
        for place, (key, (one, nested, listing)) in enumerate(waiting.items()):
            listing.size = listing.further(price((nested.page(1),)), share)
            names[f"n{place}"] = key
            # The root with a filter, not `issue(id:)`: that fails the whole query where a row was purged.
            inner = (*_IDS, nested.page(listing.size, listing.after, left.get(nested.name), order))
            questions[f"n{place}"] = page(root, f"n{place}", inner, 1, where=ids_in([one["id"]]))
        rest = {}
        for name, reply in self.ask(questions).items():
            key = names[name]
            one, nested, listing = waiting[key]
            if isinstance(reply, Failure):
                if reply.kind is Kind.CONFIG and reply.code not in REFUSALS:
                    raise LinearError(reply)
                if reply.action is Action.REDUCE and listing.size > 1:
                    listing.most = listing.size // 2
                    rest[key] = (one, nested, listing)
                    continue
                if reply.action is Action.RETRY and self._is_of_all(reply):
                    raise LinearError(reply)
                found.unread[one["id"]] = reply.reason
                continue
            parents = reply.value["nodes"]
            if not parents:  # it was purged since, or is not found: what came of it is not all
                found.missing.append(one["id"])
                continue
            items = _items(parents[0], nested)
            if items is None:
                if nested.name not in self.absent(root):
                    found.unread[one["id"]] = f"Linear did not send the rest of its {nested.name}."
                continue
            full = len(items) >= listing.size
            listing.take(self._stream, items, full, _last_of(items))
            one[nested.name]["nodes"] += items
            if not listing.ended and _reaches(items, since):
                rest[key] = (one, nested, listing)
        return rest


def expected(rows: int) -> int:
    """How many rows are asked for of a list that had so many: it may have grown since."""
    return rows + max(5, rows // 100)


def is_sound(one: Any, dated: bool = True) -> TypeGuard[Record]:
    """Whether a node has what every row must have: an id and, if it is `dated`, its dates."""
    if not isinstance(one, dict) or not isinstance(one.get("id"), str) or not one["id"]:
        return False
    return not dated or (
        isinstance(one.get(CURSOR_FIELD), str) and isinstance(one.get("archivedAt"), str | None)
    )


def id_of(one: Any) -> str | None:
    """The id of a node, where it has one."""
    row_id = one.get("id") if isinstance(one, dict) else None
    return row_id if isinstance(row_id, str) and row_id else None


def _last_of(items: Sequence[Any]) -> str | None:
    """The cursor behind a page: the id of its last row (docs/linear-api.md, PAGING-4)."""
    return next((row_id for one in reversed(items) if (row_id := id_of(one))), None)


def _reply(name: str, answer: Answer) -> Reply:
    mine = tuple(one for one in answer.problems if one.path and str(one.path[0]) == name)
    return Reply(answer.data[name], mine)


def _own(name: str, failed: Failure) -> Failure | None:
    """What failed of one question; None where Linear says nothing of it."""
    mine = tuple(one for one in failed.problems if one.path and str(one.path[0]) == name)
    if not mine or failed.action in (Action.WAIT, Action.REFRESH):
        return None
    return replace(failure("", mine[0].code, mine[0].said), problems=mine)


def _items(one: Any, nested: NestedList) -> list[Any] | None:
    """The items of a list that came with a node; None where it did not come."""
    found = one.get(nested.name) if isinstance(one, dict) else None
    items = found.get("nodes") if isinstance(found, dict) else None
    return items if isinstance(items, list) else None


def items_of(one: Record, nested: NestedList) -> list[Record]:
    """The items of a list that came with a node; none where Linear refused it."""
    return _items(one, nested) or []


def _reaches(items: Sequence[Any], since: str | None) -> bool:
    """Whether the rest of a list that is newest first may hold items since then."""
    return since is None or not items or not is_sound(items[-1]) or items[-1][CURSOR_FIELD] >= since


def _keys(root: Root, selection: Selection) -> set[str]:
    """The names at the top of a row: of a node, or of an item of the list inside it."""
    if root.children is not None:
        lists = [one for one in selection if one.name == root.children.name]
        selection = tuple(row for one in lists for nodes in one.selection for row in nodes.selection)
    return {one.key for one in selection}
