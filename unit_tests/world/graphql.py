"""The GraphQL that a connector writes, read into values, and its price by Linear's published formula."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

DEFAULT_FIRST = 50
_WRAPPERS = ("nodes", "pageInfo")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\.\.\.|[{}()\[\]:$!=]|-?\d+(?:\.\d+)?|\w+|(?P<gap>[\s,]+)|(?P<odd>.)')


class Malformed(ValueError):
    """A document, or what it asks for, that no GraphQL server takes."""


@dataclass(frozen=True)
class Variable:
    """A variable that stands for a value."""

    name: str


class Field:
    """A field of a selection; of an inline fragment the fields count as the object's own.

    Attributes:
        name: its name.
        key: the name that it has in the answer.
        arguments: its arguments, with variables in them.
        selection: the fields selected of it; () for a scalar.
        nodes: for a connection, the fields selected of a node, if any.
        info: for a connection, the fields selected of its `pageInfo`.
        leaves: the scalars of its selection, as (key, name).
        branches: its other fields.
    """

    __slots__ = (
        "arguments",
        "branches",
        "info",
        "is_connection",
        "key",
        "leaves",
        "name",
        "nodes",
        "selection",
    )

    def __init__(
        self, name: str, key: str, arguments: dict[str, Any], selection: "tuple[Field, ...]"
    ) -> None:
        self.name, self.key, self.arguments, self.selection = name, key, arguments, selection
        self.leaves = tuple((one.key, one.name) for one in selection if not one.selection)
        self.branches = tuple(one for one in selection if one.selection)
        inner = {one.name: one for one in self.branches}
        self.is_connection = "nodes" in inner or "pageInfo" in inner
        self.nodes = inner.get("nodes") if self.is_connection else None
        self.info = inner.get("pageInfo") if self.is_connection else None

    def points(self, variables: Mapping[str, Any]) -> float:
        """What it costs."""
        if not self.selection:
            return 0.1
        inner = 0.1 * len(self.leaves) + sum(one.points(variables) for one in self.branches)
        if not self.is_connection:
            return 1 + inner
        first = resolved(self.arguments.get("first"), variables)
        return inner * (DEFAULT_FIRST if first is None else first)


def resolved(value: Any, variables: Mapping[str, Any]) -> Any:
    """A value with the variables' values in it; None for one that is not given."""
    if isinstance(value, Variable):
        return variables.get(value.name)
    if isinstance(value, dict):
        return {name: resolved(one, variables) for name, one in value.items()}
    if isinstance(value, list):
        return [resolved(one, variables) for one in value]
    return value


@lru_cache(maxsize=2048)
def parsed(document: str) -> tuple[Field, ...]:
    """The roots of a query.

    Raises:
        Malformed: it is no query, or not of the kind that is known here.
    """
    return _Reader(document).roots()


class _Reader:
    def __init__(self, document: str) -> None:
        tokens = []
        for token in _TOKEN.finditer(document):
            if token["odd"]:
                raise Malformed(f"Syntax Error: Unexpected character: {token['odd']}")
            if not token["gap"]:
                tokens.append(token[0])
        self._tokens = [*tokens, ""]
        self._at = 0
        self._declared: set[str] = set()
        self._used: set[str] = set()

    def roots(self) -> tuple[Field, ...]:
        if self._takes("query"):
            if self._peek() not in ("(", "{"):
                self._next()
            if self._takes("("):
                self._declarations()
        roots = self._selection()
        if self._peek():
            raise Malformed(f"Syntax Error: Unexpected {self._peek()!r}")
        if undeclared := self._used - self._declared:
            raise Malformed(f'Variable "${min(undeclared)}" is not defined')
        if unused := self._declared - self._used:
            raise Malformed(f'Variable "${min(unused)}" is never used')
        return roots

    def _declarations(self) -> None:
        while not self._takes(")"):
            self._expect("$")
            self._declared.add(self._next())
            self._expect(":")
            while self._peek() not in ("$", ")", ""):
                self._next()

    def _selection(self) -> tuple[Field, ...]:
        self._expect("{")
        fields: list[Field] = []
        while not self._takes("}"):
            if self._takes("..."):
                self._expect("on")
                self._next()
                fields += self._selection()
            else:
                fields.append(self._field())
        if not fields:
            raise Malformed("Syntax Error: an empty selection")
        return tuple({one.key: one for one in fields}.values())

    def _field(self) -> Field:
        key = name = self._name()
        if self._takes(":"):
            name = self._name()
        arguments = {}
        if self._takes("("):
            while not self._takes(")"):
                argument = self._name()
                self._expect(":")
                arguments[argument] = self._value()
        return Field(name, key, arguments, self._selection() if self._peek() == "{" else ())

    def _value(self) -> Any:
        token = self._next()
        if token == "$":
            name = self._name()
            self._used.add(name)
            return Variable(name)
        if token == "{":
            found: dict[str, Any] = {}
            while not self._takes("}"):
                name = self._name()
                self._expect(":")
                found[name] = self._value()
            return found
        if token == "[":
            items = []
            while not self._takes("]"):
                items.append(self._value())
            return items
        if token.startswith('"'):
            return token[1:-1].replace('\\"', '"').replace("\\\\", "\\")
        if token in ("true", "false", "null"):
            return {"true": True, "false": False}.get(token)
        if token.lstrip("-").replace(".", "", 1).isdigit():
            return float(token) if "." in token else int(token)
        return token

    def _name(self) -> str:
        token = self._next()
        if not token.isidentifier():
            raise Malformed(f"Syntax Error: Expected Name, found {token!r}")
        return token

    def _peek(self) -> str:
        return self._tokens[self._at]

    def _next(self) -> str:
        token = self._tokens[self._at]
        if not token:
            raise Malformed("Syntax Error: Unexpected <EOF>")
        self._at += 1
        return token

    def _takes(self, token: str) -> bool:
        if self._tokens[self._at] != token:
            return False
        self._at += 1
        return True

    def _expect(self, token: str) -> None:
        found = self._next()
        if found != token:
            raise Malformed(f"Syntax Error: Expected {token!r}, found {found!r}")
