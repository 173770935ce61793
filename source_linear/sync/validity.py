"""Whether Linear still takes the streams' queries: all of them in one, with a row each.

It is about what would cost rows or columns; what these credentials may not read, `roots` says.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any

from source_linear.linear.api import Api
from source_linear.linear.errors import Failure, LinearError
from source_linear.linear.selection import parse
from source_linear.query import Shape, StreamQuery
from source_linear.streams import MAX_PAGE_SIZE, Stream
from source_linear.sync.bounds import CREATED_AT

_INVALID = "GRAPHQL_VALIDATION_FAILED"
_REMEDY = "Update source-linear; if it is up to date, please report it."


@dataclass
class Validity:
    """What Linear's API no longer takes.

    Attributes:
        lost: the streams that lose columns, each with what Linear no longer has.
        invalid: the streams that cannot be read, each with what Linear says; "" stands for a stream that
            Linear does not name.
        page: what Linear says of a page of 250 rows, if it refuses one.
    """

    lost: dict[str, list[str]] = field(default_factory=dict)
    invalid: dict[str, str] = field(default_factory=dict)
    page: str = ""

    @property
    def sentences(self) -> list[str]:
        """What a user must know: what is lost, and what to do."""
        told = [
            f"Stream {name} loses columns: Linear's API no longer has {', '.join(gone)}. {_REMEDY}"
            for name, gone in self.lost.items()
            if name not in self.invalid
        ]
        told += [
            f"{f'Stream {name}' if name else 'A stream'} cannot be read: Linear refuses its query ({said}). "
            f"{_REMEDY}"
            for name, said in self.invalid.items()
        ]
        if self.page:
            told.append(
                f"No stream can be read: Linear refuses pages of {MAX_PAGE_SIZE} rows ({self.page}). "
                f"{_REMEDY}"
            )
        return told


def validity(api: Api, streams: Collection[Stream]) -> Validity:
    """Ask Linear whether it takes the queries of some streams, in one request, or two where it does not.

    Args:
        api: Linear's API.
        streams: those that these credentials may read.
    """
    found = Validity()
    queries = {one.name: StreamQuery(one) for one in streams}
    failure = _ask(api, queries)
    if failure is None:
        return found
    if failure.code == _INVALID:
        for problem in failure.problems:
            for name in _concerned(streams, problem.said):
                if gone := queries[name].drop(replace(failure, problems=(problem,))):
                    found.lost.setdefault(name, []).extend(gone)
        failure = _ask(api, queries) if found.lost else failure
    if failure is not None and failure.code == _INVALID:
        for problem in failure.problems:
            concerned = _concerned(streams, problem.said)
            named = concerned if len(concerned) < len(streams) else [""]
            found.invalid |= dict.fromkeys(named, problem.said)
    elif failure is not None and failure.code == "INVALID_INPUT":
        refused = _send(api, _page(streams), {})  # Linear does not say what it is about: it may be the page
        found.page = refused.problems[0].said if refused is not None and refused.problems else ""
    return found


def _concerned(streams: Collection[Stream], said: str) -> list[str]:
    """The streams that an error may be about: those whose types or roots it names, or else all."""
    words = set(re.findall(r"\w+", said))
    named = [one.name for one in streams if words & _names(one)]
    return named or [one.name for one in streams]


def _names(stream: Stream) -> set[str]:
    """The types and roots by which Linear may name what is wrong with a stream's query."""
    roots = {name for root in stream.roots for name in (root.name, root.entity, f"{root.entity}Filter")}
    return {stream.entity, *roots}


def _ask(api: Api, queries: dict[str, StreamQuery]) -> Failure | None:
    """Ask all queries at once; returns why they are not answered."""
    header: list[str] = []
    body: list[str] = []
    variables: dict[str, Any] = {}
    for name, query in queries.items():
        stream = query.stream
        operation = parse(query.rows(stream.roots, Shape(1)))[-1]
        given: dict[str, Any] = {"first": 1, "orderBy": CREATED_AT, "order": CREATED_AT}
        header.append(_renamed(operation.arguments, name))
        body += [_renamed(replace(one, alias=f"{name}_{one.name}").text, name) for one in operation.selection]
        declared = re.findall(r"\$(\w+)", operation.arguments)
        variables |= {f"{name}_{one}": value for one, value in given.items() if one in declared}
    body.append(_page([query.stream for query in queries.values()]))
    return _send(api, " ".join(body), variables, ", ".join(one for one in header if one))


def _page(streams: Collection[Stream]) -> str:
    """GraphQL text of a page as long as they get, of ids only."""
    root = next((root.name for one in streams if one.connection for root in one.roots), None)
    return f"page: {root}(first: {MAX_PAGE_SIZE}) {{ nodes {{ id }} }}" if root else ""


def _send(api: Api, body: str, variables: dict[str, Any], header: str = "") -> Failure | None:
    """Ask once; returns why it is not answered."""
    try:
        api.ask("", f"query streams{f'({header})' if header else ''} {{ {body} }}", variables, tries=1)
    except LinearError as error:
        return error.failure
    return None


def _renamed(text: str, stream: str) -> str:
    """GraphQL text with the variables of one stream told from those of the others."""
    return re.sub(r"\$(\w+)", rf"${stream}_\1", text)
