"""Asking many roots in one query: what they answer, and which of them may not be read."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from source_linear.linear.answers import Answer
from source_linear.linear.api import Api
from source_linear.linear.errors import Action, LinearError
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
        first: the first answer.
    """

    api: Api
    most: int = 1000
    refused: dict[str, str] = field(default_factory=dict)
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
                if error.failure.action not in (Action.FAIL, Action.REDUCE):
                    break
                waiting[:0] = self._without_refused(names, error)
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

    def _without_refused(self, names: list[str], error: LinearError) -> list[list[str]]:
        """What is to be asked instead of roots that failed together."""
        problems = error.failure.problems
        said = {str(problem.path[0]): problem.said for problem in problems if problem.path}
        if len(names) == 1:
            said = {names[0]: problems[0].said if problems else error.failure.reason}
        news = {name: reason for name, reason in said.items() if name in names}
        self.refused |= news
        rest = [name for name in names if name not in news]
        if not news:
            self.most = len(rest) // 2
        half = 0 if news else len(rest) // 2
        return [part for part in (rest[:half], rest[half:]) if part]


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
