"""GraphQL selections as trees: their text, their price, and what is left when a part is gone.

Knows GraphQL's syntax as far as this connector writes it; nothing of streams.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache

DEFAULT_FIRST = 50  # docs/linear-api.md: nodes of a connection that is asked for without `first`
_PROPERTY, _OBJECT = 0.1, 1.0  # points, by Linear's published formula
_CONNECTION = {"nodes", "edges", "pageInfo"}
_TOKEN = re.compile(
    r"\.\.\.\s*on\s+(?P<on>\w+)"
    r"|(?:(?P<alias>\w+)\s*:\s*)?(?P<name>\w+)\s*(?:\((?P<arguments>(?:[^()\"]|\"[^\"]*\")*)\))?"
    r"|(?P<brace>[{}])"
)


@dataclass(frozen=True)
class Field:
    """A field of a selection, or an inline fragment.

    Attributes:
        name: the field's name; "" for a fragment.
        on: the type that a fragment is about.
        alias: the name under which the field is answered, where it is not its own.
        first: how many nodes of a connection are asked for, a number or a variable; "" where it is not said.
        arguments: what else stands in its parentheses.
        selection: what is selected of it.
    """

    name: str = ""
    on: str = ""
    alias: str = ""
    first: str = ""
    arguments: str = ""
    selection: "Selection" = ()

    @property
    def key(self) -> str:
        """The name under which the field stands in an answer."""
        return self.alias or self.name

    @property
    def text(self) -> str:
        """GraphQL text of the field."""
        head = f"... on {self.on}" if self.on else f"{self.alias}: {self.name}" if self.alias else self.name
        given = ", ".join(part for part in (self.first and f"first: {self.first}", self.arguments) if part)
        arguments = f"({given})" if given else ""
        inner = f" {{ {text(self.selection)} }}" if self.selection else ""
        return f"{head}{arguments}{inner}"


Selection = tuple[Field, ...]


@cache
def parse(source: str) -> Selection:
    """Read a selection, as it stands between two braces.

    Raises:
        ValueError: its braces do not match.
    """
    open_: list[list[Field]] = [[]]
    for token in _TOKEN.finditer(source):
        if token["brace"] == "{":
            open_.append([])
        elif token["brace"] == "}":
            inner = tuple(open_.pop())
            if not open_ or not open_[-1]:
                raise ValueError(f"unmatched braces: {source}")
            open_[-1].append(replace(open_[-1].pop(), selection=inner))
        else:
            open_[-1].append(_field(token))
    if len(open_) > 1:
        raise ValueError(f"unmatched braces: {source}")
    return tuple(open_[0])


def text(selection: Iterable[Field]) -> str:
    """GraphQL text of a selection, on one line."""
    return " ".join(field.text for field in selection)


def price(selection: Iterable[Field], first: int = DEFAULT_FIRST) -> float:
    """Points that a selection costs, by Linear's published formula, an upper bound of the bill.

    A property is 0.1 point, an object 1 point, and a connection multiplies all that it holds by its `first`:
    its `pageInfo`, too, as recorded bills show. The members of a union are summed.

    Args:
        selection: the fields.
        first: what a variable stands for that is given as `first`.
    """
    points = 0.0
    for field in selection:
        inner = price(field.selection, first)
        if not field.selection:
            points += _PROPERTY
        elif field.on:
            points += inner
        elif any(child.name in _CONNECTION for child in field.selection):
            points += inner * (first if field.first.startswith("$") else int(field.first or DEFAULT_FIRST))
        else:
            points += _OBJECT + inner
    return points


def _field(token: re.Match[str]) -> Field:
    given = (token["arguments"] or "").strip()
    first = re.match(r"first:\s*(\$?\w+)(?:,\s*|$)", given)
    return Field(
        name=token["name"] or "",
        on=token["on"] or "",
        alias=token["alias"] or "",
        first=first[1] if first else "",
        arguments=given[first.end() :] if first else given,
    )


def without(
    selection: Selection,
    is_gone: Callable[[Field, str], bool],
    of: str = "",
    types: dict[str, str] | None = None,
) -> Selection:
    """A selection without some of its fields; a field of which nothing is left goes, too.

    Args:
        selection: the fields.
        is_gone: whether a field is to go, by the field and the type that it belongs to ("" if not known).
        of: the type that the selection belongs to, "" if it is not known.
        types: the types of `nodes` further down that are known, by the name of their connection.
    """
    kept = []
    for field in selection:
        if is_gone(field, of):
            continue
        if field.selection:
            inner_type = field.on or (
                of if field.name in ("nodes", "edges") else (types or {}).get(field.name, "")
            )
            inner = without(field.selection, is_gone, inner_type, types)
            if not inner:
                continue
            field = replace(field, selection=inner)
        kept.append(field)
    return tuple(kept)
