"""Reading nested lists to their end: one request goes on with the lists of many nodes."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeGuard

from source_linear.linear.errors import Action, LinearError, failure
from source_linear.linear.selection import parse, price
from source_linear.query import Shape, affordable
from source_linear.streams import CURSOR_FIELD, MAX_PAGE_SIZE, NestedList, Record, Root
from source_linear.sync.asking import TRIES, StreamApi
from source_linear.sync.nodes import is_sound

# docs/linear-api.md, LIMITS-1: 3,000,000 points an hour to 2,500 requests. What costs less is paid for with
# the request.
_POINTS_A_REQUEST = 1_200


class _Unfinished(NamedTuple):
    """A list that goes on: its node, which of its lists it is, how much to ask for, and after what.

    Attributes:
        whole: whether its end must be told by `pageInfo`; short lists end in a page that is not full.
        most: as much of it as Linear did not find too complex.
    """

    node: Record
    nested: NestedList
    first: int
    after: str | None = None
    whole: bool = False
    most: int = MAX_PAGE_SIZE

    @property
    def page(self) -> str:
        return self.nested.page(self.first, self.after, self.whole)

    @property
    def points(self) -> float:
        """What a query pays for it, its node and its id included."""
        return 1.1 + price(parse(self.page))


_Lists = list[_Unfinished]  # of one node
_Slice = tuple[str, str] | None  # its first and last millisecond


class Lists:
    """Completes the nested lists of one stream's nodes."""

    def __init__(self, api: StreamApi) -> None:
        """Complete the lists of the nodes of the stream whose `api` it is."""
        self._api = api
        self._held: dict[tuple[_Slice, str], list[_Lists]] = {}

    def completed(
        self,
        root: Root,
        lists: Sequence[NestedList],
        nodes: Sequence[tuple[Record, Shape]],
        window: _Slice,
        goes_on: bool,
        since: str | None = None,
    ) -> list[Record]:
        """The nodes whose lists are complete, or newest first and read until `since`.

        A list is read on that is as long as what was asked for. Its node is held back until the requests for
        such lists are full, or the root has no further page in the window.

        Args:
            root: where the nodes come from.
            lists: the lists to complete.
            nodes: the nodes, each with the shape in which its page was asked for.
            window: the slice that is read; None for nodes that are read apart from those that are held back.
            goes_on: whether the root has further pages in it.
            since: for lists that are newest first: what is older is not wanted.
        """
        waiting = self._held.pop((window, root.name), [])
        complete: list[Record] = []
        for node, shape in nodes:
            if not all(self._came(node, nested) for nested in lists):
                continue
            if unfinished := _unfinished(node, shape, lists, since):
                waiting.append(unfinished)
            else:
                complete.append(node)
        batches = list(_batches(waiting))
        if goes_on and batches:
            self._held[window, root.name] = batches.pop()
        for batch in batches:
            self._finish(root, [one for unfinished in batch for one in unfinished], since)
            complete += [unfinished[0].node for unfinished in batch]
        left_out = self._api.left_out_of(root)
        return [node for node in complete if node["id"] not in left_out]

    def _came(self, node: Record, nested: NestedList) -> bool:
        """Whether a list came with its node; one that is neither there nor refused costs the node."""
        connection = node.get(nested.name)
        if isinstance(connection, dict) and isinstance(connection.get("nodes"), list):
            return True
        if connection is None and nested.name in self._api.absent:
            return True
        self._api.leave_out(node["id"], "", f"Linear did not send its {nested.name}.")
        return False

    def _finish(self, root: Root, unfinished: _Lists, since: str | None) -> None:
        """Read lists to their end or until `since`."""
        while unfinished:
            share = _POINTS_A_REQUEST / len(unfinished)
            asked = [
                one._replace(first=min(one.most, max(one.first, one.nested.items_for(share))))
                for one in unfinished
            ]
            batches = _batches([[one] for one in asked])
            rest = [one for batch in batches for one in self._follow(root, [one for (one,) in batch])]
            unfinished = [one for one in rest if _reaches(items_of(one.node, one.nested), since)]

    def _follow(self, root: Root, unfinished: _Lists) -> _Lists:
        """Read one more page of each list, all in one request; returns those that still go on."""
        asked = list(_together(unfinished))
        query = " ".join(self._part(root, index, some) for index, some in enumerate(asked))
        roots = {f"n{index}": ("nodes",) for index in range(len(asked))}
        try:
            answer = self._api.send(self._api.query.document("_lists", query), {}, roots, TRIES)
        except LinearError as error:
            return self._follow_less(root, unfinished, error)
        rest: _Lists = []
        for index, some in enumerate(asked):
            nodes = answer.data[f"n{index}"]["nodes"]
            found = {node["id"]: node for node in nodes if is_sound(node, dated=False)}
            for one in some:
                # One that is not there was purged since; one that cannot be read may be any of them.
                if one.node["id"] in found or len(found) < len(nodes):
                    more = self._taken(one, found.get(one.node["id"], {}))
                    rest += [more] if more else []
        return rest

    def _taken(self, one: _Unfinished, node: Mapping[str, Any]) -> _Unfinished | None:
        """Take the items that came for a list; returns what of it is still to be asked for."""
        page, items = node.get(one.nested.name), one.node[one.nested.name]
        if page is None and one.nested.name in self._api.absent:
            return None  # refused: what came with the node is what there is
        if not _is_rest(page, one):
            said = f"Linear did not send the rest of its {one.nested.name}."
            self._api.leave_out(one.node["id"], "", said)
            return None
        items["nodes"] = (items["nodes"] if one.after else []) + page["nodes"]
        first = one.nested.after(one.first)
        if not one.whole:  # asked for again with its cursor, where it is that long
            return one._replace(first=first, whole=True) if len(page["nodes"]) >= one.first else None
        info = page["pageInfo"]
        if not info["hasNextPage"]:
            return None
        after = info.get("endCursor")
        if not after or after == one.after or not page["nodes"]:
            said = (
                f"the {one.nested.name} of {one.node['id']} have no next cursor, or one that was there before"
            )
            raise LinearError(failure(self._api.name, "NO_CURSOR", said))
        return one._replace(first=first, after=after)

    def _part(self, root: Root, index: int, some: _Lists) -> str:
        """GraphQL text that asks for the same page of the lists of some nodes."""
        # The root with a filter, not `issue(id:)`: that fails the whole query where a row was purged.
        ids = ", ".join(f'"{one.node["id"]}"' for one in some)
        call = root.call(len(some), f"filter: {{ id: {{ in: [{ids}] }} }}")
        return f"n{index}: {call} {{ nodes {{ id {some[0].page} }} }}"

    def _follow_less(self, root: Root, unfinished: _Lists, error: LinearError) -> _Lists:
        """Do the same as `_follow` in two requests; a single list in smaller pages, or without its node.

        Raises:
            LinearError: it is not the lists that are at fault.
        """
        failed = error.failure
        if failed.action not in (Action.REDUCE, Action.RETRY) and failed.index is None:
            raise error
        if len(unfinished) > 1:
            middle = len(unfinished) // 2
            return self._follow(root, unfinished[:middle]) + self._follow(root, unfinished[middle:])
        (one,) = unfinished
        if failed.action is Action.REDUCE and one.first > 1:
            half = one.first // 2
            return self._follow(root, [one._replace(first=half, most=half)])
        if failed.action is Action.REDUCE:
            raise error
        variables = {"filter": {"id": {"in": [one.node["id"]]}}, "first": 1}
        light = self._api.query.by_ids(root, "id")
        self._api.send(light, variables, {root.name: ("nodes",)})
        self._api.leave_out(one.node["id"], "", failed.reason)
        return []


def _unfinished(node: Record, shape: Shape, lists: Sequence[NestedList], since: str | None) -> _Lists:
    """The lists of a node that are as long as what was asked for."""
    return [
        _Unfinished(node, nested, nested.after(shape.inline(nested)))
        for nested in lists
        if len(items := items_of(node, nested)) >= shape.inline(nested) and _reaches(items, since)
    ]


def _together(unfinished: _Lists) -> Iterator[_Lists]:
    """Lists of which the same page is asked for, with the same words; no more than a page of nodes."""
    groups: defaultdict[str, _Lists] = defaultdict(list)
    for one in unfinished:
        groups[one.page].append(one)
    for group in groups.values():
        for start in range(0, len(group), MAX_PAGE_SIZE):
            yield group[start : start + MAX_PAGE_SIZE]


def _batches(waiting: Sequence[_Lists]) -> Iterator[list[_Lists]]:
    """Lists that together stay within what one query may cost; those of one node stay together."""
    return affordable(waiting, lambda unfinished: sum(one.points for one in unfinished))


def _is_rest(page: Any, one: _Unfinished) -> TypeGuard[Mapping[str, Any]]:
    """Whether a page is of the form that was asked for, and no shorter than what it is to replace."""
    if not isinstance(page, dict) or not isinstance(page.get("nodes"), list):
        return False
    if not one.after and len(page["nodes"]) < min(one.first, len(items_of(one.node, one.nested))):
        return False
    info = page.get("pageInfo")
    return not one.whole or (isinstance(info, dict) and isinstance(info.get("hasNextPage"), bool))


def items_of(node: Record, nested: NestedList) -> list[Record]:
    """The items of a list that came with a node; none where Linear refused it."""
    connection = node.get(nested.name)
    return connection["nodes"] if connection else []


def _reaches(items: list[Record], since: str | None) -> bool:
    """Whether the rest of a list that is newest first may hold items since then."""
    return since is None or not items or not is_sound(items[-1]) or items[-1][CURSOR_FIELD] >= since
