"""The change probe: what changed since the states, asked for all streams at once.

It saves requests and decides nothing else: a stream of which it does not know is read as if there were none.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from source_linear.query import all_of
from source_linear.streams import CURSOR_FIELD, Record, Stream
from source_linear.sync.nodes import is_sound
from source_linear.sync.roots import Question, Roots
from source_linear.sync.walks import DATES, Part, Walk, Whole, has_news, newest, walk
from source_linear.sync.windows import Window

_FEW = 10  # changed rows of a stream: where there are fewer, they are asked for by id


class Probe:
    """Asks what changed since the states.

    Attributes:
        news: for each stream that it knows of: the ids of the rows, or of the parents, that changed; () for a
            stream without news; None for one with news that is to be read as usual.
        lengths: how long the lists of streams are.
        wholes: all rows of the streams for which that was asked for.
    """

    def __init__(
        self,
        streams: Mapping[str, tuple[Stream, str | None]],
        team_keys: Sequence[str] = (),
        lengths: Mapping[str, int] | None = None,
        wholes: Mapping[str, Whole] | None = None,
    ) -> None:
        """Prepare to ask.

        Args:
            streams: the streams, each with the moment since which changes are news; None where it is read
                from the beginning.
            team_keys: the configuration's `team_keys`.
            lengths: how long the lists of streams were, as `lengths` said after an earlier sync.
            wholes: takes up all rows of each stream that is here; a list is walked for it.
        """
        self.lengths: dict[str, int] = {}
        self.news: dict[str, Collection[str] | None] = {}
        self.wholes = dict(wholes or {})
        self._streams = streams
        self._team_keys = team_keys
        self._newest: dict[str, Question] = {}
        self._walks: dict[str, Walk] = {}
        for name, (stream, cursor) in streams.items():
            if stream.connection and (name in self.wholes or (stream.kind == "swept" and cursor)):
                self._add_walk(stream, cursor, (lengths or {}).get(name, 0))
            if not stream.connection and (cursor or name in self.wholes):
                self._newest[f"newest_{name}"] = Question(f"{stream.roots[0].name} {{ {DATES} }}")
            elif cursor and stream.kind != "swept":
                self._newest[f"newest_{name}"] = self._newest_of(stream, cursor)

    def ask(self, roots: Roots, further: Mapping[str, Question]) -> dict[str, Any]:
        """Ask, and see what is news.

        Args:
            roots: asks.
            further: what is asked in the same query.

        Returns:
            What the further roots answered.
        """
        questions = {name: one.question(name) for name, one in self._walks.items()}
        data = roots.ask({**further, **self._newest, **questions})
        walk(roots, self._walks, data)
        self._judge(data)
        return {name: data[name] for name in further if name in data}

    def walk_again(self, roots: Roots, stream: Stream) -> Whole | None:
        """All rows of a stream, once more; None where they cannot be walked."""
        whole = Whole(self.wholes[stream.name].floor)
        walks = {}
        for root in stream.roots:
            walks[root.name] = Walk(root, stream.filter_of_teams(self._team_keys), checks_end=True)
            walks[root.name].parts[stream.name] = Part(None, root.children, whole)
        walk(roots, walks)
        whole.forbidden = [one.root.name for one in walks.values() if one.is_forbidden]
        return whole if whole.is_known and not _could_not(walks.values()) else None

    def _add_walk(self, stream: Stream, cursor: str | None, length: int) -> None:
        of_teams = stream.filter_of_teams(self._team_keys)
        for root in stream.roots:
            name = f"list_{root.name}_{'teams' if of_teams else 'all'}"
            one = self._walks.setdefault(name, Walk(root, of_teams))
            inside = root.children if stream.kind == "swept" else None
            one.parts[stream.name] = Part(cursor, inside, self.wholes.get(stream.name))
            one.length = max(one.length, length if len(stream.roots) == 1 else 0)

    def _newest_of(self, stream: Stream, cursor: str) -> Question:
        root = stream.roots[0]
        arguments = ["orderBy: updatedAt"]
        variables: dict[str, tuple[str, Any]] = {}
        if stream.kind != "feed":
            changed = Window.since(stream, cursor).filter({CURSOR_FIELD: {"gte": cursor}})
            wanted = all_of(stream.filter_of_teams(self._team_keys), changed)
            name = f"newest_{stream.name}"
            arguments.append(f"filter: ${name}")
            variables[name] = (f"{root.entity}Filter", wanted)
        inner = f"{DATES} {newest(root.children)}" if root.children and stream.has_own_dates else DATES
        return Question(f"{root.call(_FEW, *arguments)} {{ nodes {{ {inner} }} }}", variables, ("nodes",))

    def _judge(self, data: Mapping[str, Any]) -> None:
        for name, (stream, cursor) in self._streams.items():
            walks = [one for one in self._walks.values() if name in one.parts]
            if name in self.wholes and walks:
                self.wholes[name].is_known &= not _could_not(walks)
                self.wholes[name].forbidden = [one.root.name for one in walks if one.is_forbidden]
            if len(walks) == 1 and not _tells_little(walks):
                self.lengths[name] = walks[0].count
            if stream.kind == "swept" and stream.connection:
                self._judge_walks(stream, cursor, walks)
            elif f"newest_{name}" in data:
                self._judge_newest(stream, cursor, data[f"newest_{name}"])
            elif name in self.wholes and not stream.connection:
                self.wholes[name].is_known = False

    def _judge_newest(self, stream: Stream, cursor: str | None, found: Any) -> None:
        name = stream.name
        nodes = found["nodes"] if stream.connection else [found] if stream.roots[0].is_object else found
        is_whole = isinstance(nodes, list) and all(is_sound(node) for node in nodes)
        if is_whole and cursor:
            self.news[name] = _news(stream, cursor, nodes)
        if name in self.wholes and not stream.connection:
            whole = self.wholes[name]
            whole.is_known &= is_whole
            for node in nodes if is_whole else ():
                whole.take(node, cursor)
            whole.finish()

    def _judge_walks(self, stream: Stream, cursor: str | None, walks: Sequence[Walk]) -> None:
        if _tells_little(walks):
            return
        changed = tuple(row_id for one in walks for row_id in one.parts[stream.name].changed)
        if cursor:  # rows are asked for by id where that is one root's, and it takes a filter
            self.news[stream.name] = (
                changed if not changed or (stream.filterable and len(walks) == 1) else None
            )


def _could_not(walks: Collection[Walk]) -> bool:
    """Whether lists could not be walked. One of several that is forbidden costs no more than its rows."""
    return any(one.is_failed for one in walks) or all(one.is_forbidden for one in walks)


def _tells_little(walks: Collection[Walk]) -> bool:
    """Whether what is news cannot be told from these lists."""
    return _could_not(walks) or any(one.is_doubtful for one in walks)


def _news(stream: Stream, cursor: str, nodes: Sequence[Record]) -> Collection[str] | None:
    """What the newest rows of a root, or the newest changed parents, say of a stream."""
    inside = stream.roots[0].children if stream.has_own_dates else None
    # The filter has chosen issues by more than their own dates: by those of their attachments, too.
    chosen = stream.entity == "Issue"
    changed = [node["id"] for node in nodes if chosen or has_news(node, cursor, inside)]
    if not changed and (stream.filterable is False or len(nodes) < _FEW):
        return ()
    # Those are all that changed, where there were not as many as were asked for.
    return changed if stream.filterable and stream.connection and len(nodes) < _FEW else None
