"""Asking many roots in one query: what they answer, and which of them may not be read."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from source_linear.linear.answers import Answer
from source_linear.linear.api import Api
from source_linear.linear.errors import REFUSALS, Action, Failure, Kind, LinearError
from source_linear.linear.selection import parse, price
from source_linear.query import affordable
from source_linear.streams import MAX_PAGE_SIZE, Stream

_TRIES = 3


@dataclass(frozen=True)
class Question:
    """A root of a query of many.

    Attributes:
        text: the root with its arguments and selection, `issues(first: 1) { nodes { id } }`.
        variables: the variables that it uses: each with its type and its value.
        keys: what must not be null in the answer.
    """

    text: str
    variables: Mapping[str, tuple[str, Any]] = field(default_factory=dict)
    keys: tuple[str, ...] = ()

    @property
    def points(self) -> float:
        """What it costs, by Linear's published formula."""
        return price(parse(self.text))


@dataclass
class Roots:
    """Asks many roots in one query, if all is well.

    A root that is refused fails the query as a whole (its field may not be null): then it is asked again
    without. Where Linear does not say which root it is, or refuses the query for its size, it is halved.

    Attributes:
        api: Linear's API.
        most: as many roots as Linear took in one query.
        refused: what Linear says of each root that it refuses.
        forbidden: those of them that these credentials may not read, or the plan does not include.
        first: the first answer.
    """

    api: Api
    most: int = 1000
    refused: dict[str, str] = field(default_factory=dict)
    forbidden: set[str] = field(default_factory=set)
    first: Answer | None = None

    def ask(self, wanted: Mapping[str, Question]) -> dict[str, Any]:
        """Ask some roots.

        Args:
            wanted: the roots, each with the name under which it is answered.

        Returns:
            What each answered. One that is not there is refused, or could not be asked.
        """
        data: dict[str, Any] = {}
        waiting = list(affordable(wanted, lambda name: wanted[name].points))
        while waiting:
            names = waiting.pop(0)
            if len(names) > self.most:
                waiting[:0] = [names[: self.most], names[self.most :]]
                continue
            try:
                answer = self.send({name: wanted[name] for name in names}, _TRIES)
            except LinearError as error:
                instead = self._instead_of(names, error.failure)
                if instead is None:
                    break
                waiting[:0] = instead
                continue
            self.first = self.first or answer
            data |= answer.data
        return data

    def pages(self, root: str, arguments: str, selection: str) -> Iterator[list[Any] | None]:
        """The nodes of one root, page by page, until a page is not full or nobody asks for more.

        Args:
            root: the root's name.
            arguments: its arguments but `first` and `after`, as GraphQL text.
            selection: what is asked of a node: its `id`, and more.

        Yields:
            The nodes of a page; None, and nothing after it, where they could not be asked for.
        """
        nodes: list[Any] | None = None
        after = ""
        while nodes is None or len(nodes) >= MAX_PAGE_SIZE:
            text = f"{root}(first: {MAX_PAGE_SIZE}, {arguments}{after}) {{ nodes {{ {selection} }} }}"
            found = self.ask({"page": Question(text, {}, ("nodes",))}).get("page")
            nodes = found["nodes"] if found and all(isinstance(one, dict) for one in found["nodes"]) else None
            yield nodes
            if not nodes:
                return
            after = f', after: "{nodes[-1]["id"]}"'  # docs/linear-api.md, PAGING-4: the last row's id

    def send(self, wanted: Mapping[str, Question], tries: int | None = None) -> Answer:
        """Ask some roots in one query, as they are.

        Args:
            wanted: the roots, each with the name under which it is answered.
            tries: after how many tries a failure that may pass is given up; None: after the API's patience.

        Raises:
            LinearError: one of them is refused, or Linear does not answer.
        """
        given = {name: value for one in wanted.values() for name, value in one.variables.items()}
        header = ", ".join(f"${name}: {kind}" for name, (kind, _) in given.items())
        query = " ".join(f"{name}: {one.text}" for name, one in wanted.items())
        variables = {name: value for name, (_, value) in given.items()}
        document = f"query roots{f'({header})' if header else ''} {{ {query} }}"
        return self.api.ask("", document, variables, {name: one.keys for name, one in wanted.items()}, tries)

    def _instead_of(self, names: list[str], failed: Failure) -> list[list[str]] | None:
        """What is to be asked instead of roots that failed together; None where others would fail as well."""
        of_roots = {
            str(one.path[0]): one for one in failed.problems if one.path and str(one.path[0]) in names
        }
        if failed.action not in (Action.FAIL, Action.REDUCE):  # it may pass
            return _parts([name for name in names if name not in of_roots]) if of_roots else None
        is_too_large = failed.action is Action.REDUCE or failed.code == "TOO_LARGE"
        is_of_all = failed.kind is Kind.CONFIG and failed.code not in REFUSALS
        if is_of_all or not (failed.problems or is_too_large):
            return None
        if len(names) == 1 and not of_roots:
            self.refused[names[0]] = failed.problems[0].said if failed.problems else failed.reason
            return []
        self.refused |= {name: problem.said for name, problem in of_roots.items()}
        of_whole = {name: one for name, one in of_roots.items() if len(one.path) == 1}  # else of a field
        self.forbidden |= {name for name, one in of_whole.items() if one.code in REFUSALS}
        if of_roots:
            return _parts([name for name in names if name not in of_roots])
        half = len(names) // 2
        if is_too_large:
            self.most = half
        return _parts(names[:half], names[half:])


def _parts(*groups: list[str]) -> list[list[str]]:
    return [group for group in groups if group]


def refused_streams(api: Api, streams: Collection[Stream]) -> dict[str, str]:
    """The streams that may not be read, each with Linear's reason."""
    selection = {True: "(first: 1) { nodes { id } }", False: " { id }"}
    roots = Roots(api)
    roots.ask({r.name: Question(r.name + selection[one.connection]) for one in streams for r in one.roots})
    return {
        one.name: roots.refused[root.name]
        for one in streams
        for root in one.roots
        if root.name in roots.refused
    }
