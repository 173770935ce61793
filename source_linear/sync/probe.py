"""The change probe: what changed since the states, asked for all streams at once.

It saves requests and decides nothing else: a stream of which it does not know is read as if there were none.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from source_linear.streams import CURSOR_FIELD, MAX_PAGE_SIZE, Record, Root, Stream
from source_linear.sync.nodes import is_sound
from source_linear.sync.roots import Question, Roots
from source_linear.sync.windows import Window

_SHORT = 50  # rows of a list that are asked for where it is not known how long it is: most are shorter
_MARGIN = 5  # rows, and a tenth of the list, that may have come since it was counted
_FEW = 10  # changed rows of a stream: where there are fewer, they are asked for by id
_DATES = f"id {CURSOR_FIELD} archivedAt"


@dataclass
class _List:
    """One root, as the streams that read it whole ask for it.

    Attributes:
        root: its name.
        filter: its `filter` argument; None where it has none.
        entity: the GraphQL type of its rows.
        children: further lists in each row, by the stream that they are for.
        streams: the streams whose rows are the root's own.
        nodes: the rows that came.
        length: how many there were when they were last counted; 0 if it is not known.
        asked: how many were asked for last.
        goes_on: whether there may be more.
    """

    root: Root
    filter: Mapping[str, Any] | None
    children: dict[str, Root] = field(default_factory=dict)
    streams: list[str] = field(default_factory=list)
    nodes: list[Record] = field(default_factory=list)
    length: int = 0
    asked: int = 0
    goes_on: bool = True

    def question(self, name: str) -> Question:
        """What asks for its next rows, without `pageInfo`: a page that is not full is the last one."""
        inner = [_DATES]
        inner += [_newest_child(child) for child in self.children.values()]
        left = self.length + max(_MARGIN, self.length // 10) - len(self.nodes) if self.length else 0
        self.asked = min(left if left > 0 else MAX_PAGE_SIZE if self.nodes else _SHORT, MAX_PAGE_SIZE)
        arguments = [f"first: {self.asked}, includeArchived: true"]
        if self.nodes:  # docs/linear-api.md, PAGING-4: a cursor is the id of the last row
            arguments.append(f'after: "{self.nodes[-1]["id"]}"')
        if self.root.arguments:
            arguments.append(self.root.arguments)
        variables: dict[str, tuple[str, Any]] = {}
        if self.filter:
            arguments.append(f"filter: ${name}")
            variables[name] = (f"{self.root.entity}Filter", self.filter)
        selection = " ".join(dict.fromkeys(inner))
        return Question(
            f"{self.root.name}({', '.join(arguments)}) {{ nodes {{ {selection} }} }}", variables, ("nodes",)
        )

    def take(self, nodes: Sequence[Record | None]) -> bool:
        """Take the rows that came; returns whether they can be the next ones.

        A list that had rows and has none is not believed: without `pageInfo` nothing else tells a lost page.
        """
        if self.length and not self.nodes and not nodes:
            return False
        known = {node["id"] for node in self.nodes}
        sound = [node for node in nodes if is_sound(node)]
        if len(sound) < len(nodes) or any(node["id"] in known for node in sound):
            return False
        self.nodes += sound
        self.goes_on = len(nodes) >= self.asked
        return True


class Probe:
    """Asks what changed since the states.

    Attributes:
        news: for each stream that it knows of: the ids of the rows, or of the parents, that changed; () for a
            stream without news; None for one with news that is to be read as usual.
        lengths: how long the lists of streams are.
    """

    def __init__(
        self,
        streams: Mapping[str, tuple[Stream, str]],
        team_keys: Sequence[str] = (),
        lengths: Mapping[str, int] | None = None,
    ) -> None:
        """Prepare to ask.

        Args:
            streams: the streams, each with the cursor in its state.
            team_keys: the configuration's `team_keys`.
            lengths: how long the lists of streams were, as `lengths` said after an earlier sync.
        """
        self.lengths: dict[str, int] = {}
        self.news: dict[str, Collection[str] | None] = {}
        self._streams = streams
        self._team_keys = team_keys
        self._newest: dict[str, Question] = {}
        self._lists: dict[str, _List] = {}
        for name, (stream, cursor) in streams.items():
            if stream.kind == "swept" and stream.connection:
                self._add_list(stream, (lengths or {}).get(name, 0))
            elif stream.connection:
                self._newest[f"newest_{name}"] = self._newest_of(stream, cursor)
            else:
                root = stream.roots[0].name
                self._newest[f"newest_{name}"] = Question(f"{root} {{ {_DATES} }}")

    def ask(self, roots: Roots, further: Mapping[str, Question]) -> dict[str, Any]:
        """Ask, and see what is news.

        Args:
            roots: asks.
            further: what is asked in the same query.

        Returns:
            What the further roots answered.
        """
        wanted = {**further, **self._newest, **self._questions(self._lists)}
        answered = roots.ask(wanted)
        data = dict(answered)
        failed = set(self._lists) - set(answered)
        while True:
            for name, one in self._lists.items():
                if name in answered and one.goes_on and not one.take(answered[name]["nodes"]):
                    failed.add(name)
            going_on = {name: one for name, one in self._lists.items() if one.goes_on and name not in failed}
            if not going_on:
                break
            questions = self._questions(going_on)
            answered = roots.ask(questions)
            failed |= set(questions) - set(answered)
        self._judge(data, failed)
        return {name: data[name] for name in further if name in data}

    def _questions(self, lists: Mapping[str, _List]) -> dict[str, Question]:
        return {name: one.question(name) for name, one in lists.items()}

    def _add_list(self, stream: Stream, length: int) -> None:
        of_teams = stream.filter_of_teams(self._team_keys)
        for root in stream.roots:
            name = f"list_{root.name}_{'teams' if of_teams else 'all'}"
            one = self._lists.setdefault(name, _List(root, of_teams))
            if root.children:
                one.children[stream.name] = root
            else:
                one.streams.append(stream.name)
            one.length = max(one.length, length if len(stream.roots) == 1 else 0)

    def _newest_of(self, stream: Stream, cursor: str) -> Question:
        root = stream.roots[0]
        arguments = [f"first: {_FEW}, orderBy: updatedAt, includeArchived: true"]
        variables: dict[str, tuple[str, Any]] = {}
        if stream.kind != "feed":
            changed = Window.since(stream, cursor).filter({CURSOR_FIELD: {"gte": cursor}})
            filters = [one for one in (stream.filter_of_teams(self._team_keys), changed) if one]
            name = f"newest_{stream.name}"
            arguments.append(f"filter: ${name}")
            variables[name] = (f"{root.entity}Filter", filters[0] if len(filters) == 1 else {"and": filters})
        inner = _DATES if not (root.children and stream.has_own_dates) else f"{_DATES} {_newest_child(root)}"
        return Question(
            f"{root.name}({', '.join(arguments)}) {{ nodes {{ {inner} }} }}", variables, ("nodes",)
        )

    def _judge(self, data: Mapping[str, Any], failed: Collection[str]) -> None:
        for name, (stream, cursor) in self._streams.items():
            if stream.kind == "swept" and stream.connection:
                self._judge_lists(stream, cursor, failed)
            elif f"newest_{name}" in data:
                found = data[f"newest_{name}"]
                nodes = (
                    found["nodes"] if stream.connection else [found] if stream.roots[0].is_object else found
                )
                if isinstance(nodes, list) and all(is_sound(node) for node in nodes):
                    self.news[name] = _news(stream, cursor, nodes)

    def _judge_lists(self, stream: Stream, cursor: str, failed: Collection[str]) -> None:
        name = stream.name
        of = {key: one for key, one in self._lists.items() if name in one.streams or name in one.children}
        if any(key in failed for key in of):
            return
        changed: list[str] = []
        for one in of.values():
            child = one.children.get(name)
            changed += [node["id"] for node in one.nodes if _is_news(node, cursor, child)]
        if len(of) == 1:
            self.lengths[name] = len(next(iter(of.values())).nodes)
        # Rows are asked for by id where that is one root's, and it takes a filter.
        self.news[name] = changed if not changed or (stream.filterable and len(of) == 1) else None


def _newest_child(root: Root) -> str:
    """GraphQL text that asks for the newest row of a list in a parent, or for as many as may be archived."""
    assert root.children is not None
    first = 1 if root.children.is_ordered else root.children.first
    newest = f"{root.children.name}(first: {first}, includeArchived: true, orderBy: updatedAt)"
    return f"{newest} {{ nodes {{ {_DATES} }} }}"


def _news(stream: Stream, cursor: str, nodes: Sequence[Record]) -> Collection[str] | None:
    """What the newest rows of a root, or the newest changed parents, say of a stream."""
    child = stream.roots[0] if stream.roots[0].children and stream.has_own_dates else None
    changed = [node["id"] for node in nodes if _is_news(node, cursor, child)]
    if not changed and (stream.filterable is False or len(nodes) < _FEW):
        return ()
    # Those are all that changed, where there were not as many as were asked for.
    return changed if stream.filterable and stream.connection and len(nodes) < _FEW else None


def _is_news(node: Record, cursor: str, child: Root | None) -> bool:
    """Whether a row, or the newest row of its list, was changed or archived at a moment or after it."""
    if child is None or child.children is None:
        return _is_since(node, cursor)
    rows = node.get(child.children.name)
    nodes = rows.get("nodes") if isinstance(rows, dict) else None
    return not isinstance(nodes, list) or any(not is_sound(row) or _is_since(row, cursor) for row in nodes)


def _is_since(node: Record, cursor: str) -> bool:
    """Whether a row was changed, or archived, at a moment or after it."""
    updated, archived = node.get(CURSOR_FIELD), node.get("archivedAt")
    return not updated or updated >= cursor or (archived is not None and archived >= cursor)
