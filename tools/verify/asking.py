"""Asking Linear for the claims: queries only, through `Api`, and never beyond the bound."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import orjson
from graphql import OperationDefinitionNode, OperationType
from graphql import parse as parse_document

from source_linear.linear.api import Api
from source_linear.linear.errors import Action, Failure, LinearError, Problem
from source_linear.linear.selection import parse, price
from source_linear.streams import Stream

MOST_REQUESTS = 200
MOST_POINTS = 300_000  # a tenth of what an API key may use in an hour
PATIENCE = 30.0  # seconds after which a failure that may pass is given up
TRIES = 3


class NotSeen(Exception):
    """Nothing can be compared here; the text says why."""


class BoundReached(Exception):
    """The next request could exceed what was said beforehand."""


class NotAQuery(Exception):
    """Something that is no query was about to be sent."""


@dataclass(frozen=True)
class Exchange:
    """A request that was answered.

    Attributes:
        predicted: its points by Linear's published formula.
        status: the HTTP status.
        headers: those of the response.
        body: its body.
    """

    predicted: float
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def billed(self) -> float | None:
        """The points that Linear billed; None where it does not say."""
        return self.number("X-Complexity")

    @property
    def date(self) -> datetime | None:
        """Linear's clock."""
        try:
            return parsedate_to_datetime(self.headers["Date"])
        except (KeyError, ValueError):
            return None

    def number(self, name: str) -> float | None:
        """A header's number."""
        try:
            return float(self.headers[name])
        except (KeyError, ValueError):
            return None

    @property
    def document(self) -> Mapping[str, Any]:
        """The body, {} where it is no JSON object."""
        try:
            document = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return {}
        return document if isinstance(document, dict) else {}

    @property
    def error(self) -> Mapping[str, Any]:
        """The first of its `errors`, as it came."""
        errors = self.document.get("errors")
        first = errors[0] if isinstance(errors, list) and errors else None
        return first if isinstance(first, dict) else {}

    @property
    def code(self) -> str:
        """The code of the first error, as Linear gives it; "" where there is none."""
        extensions = self.error.get("extensions")
        code = extensions.get("code") if isinstance(extensions, dict) else None
        return code if isinstance(code, str) and re.fullmatch("[A-Z_]{1,50}", code) else ""

    @property
    def said(self) -> str:
        """The text of the first error."""
        extensions = self.error.get("extensions")
        presentable = extensions.get("userPresentableMessage") if isinstance(extensions, dict) else None
        return str(presentable or self.error.get("message") or "")


@dataclass
class Meter:
    """Counts what is sent, and lets nothing pass that could exceed the bound, or is no query.

    Attributes:
        requests: how many were sent, each try counted.
        points: what they cost: as billed, or as predicted where Linear does not say.
        exchanges: those that were answered.
        incomplete: how many answers without an error lacked a root that was asked for.
    """

    most_requests: int = MOST_REQUESTS
    most_points: float = MOST_POINTS
    requests: int = 0
    points: float = 0.0
    exchanges: list[Exchange] = field(default_factory=list)
    incomplete: int = 0
    _predicted: float = 0.0
    _price: float = 0.0
    _roots: Collection[str] = ()

    @contextmanager
    def expecting(self, points: float, roots: Collection[str] = ()) -> Iterator[None]:
        """What is asked inside costs so many points a try, by the formula, and has these roots."""
        self._predicted, self._roots = points, roots
        yield
        self._predicted, self._roots = 0.0, ()

    def sending(self, body: bytes) -> None:
        """See `Observer`.

        Raises:
            BoundReached: this request could exceed the bound.
            NotAQuery: it is a mutation, or a subscription.
        """
        query = orjson.loads(body)["query"]
        if not is_query(query):
            raise NotAQuery("only queries may be sent")
        self._price = self._predicted or price_of(query)
        points = self._price
        if self.requests >= self.most_requests:
            raise BoundReached(f"the bound of {self.most_requests:,} requests is reached")
        if self.points + points > self.most_points:
            raise BoundReached(f"the bound of {self.most_points:,.0f} points is reached")
        self.requests += 1
        self.points += points  # until the answer says what it cost

    def received(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """See `Observer`."""
        exchange = Exchange(self._price, status, headers, body)
        if exchange.billed is not None:
            self.points += exchange.billed - self._price
        self.exchanges.append(exchange)
        document = exchange.document
        data = document.get("data")
        if status == 200 and isinstance(data, dict) and "errors" not in document:
            self.incomplete += any(data.get(root) is None for root in self._roots)


def is_query(document: str) -> bool:
    """Whether a GraphQL document holds queries and nothing else that is executed."""
    operations = [
        one.operation
        for one in parse_document(document).definitions
        if isinstance(one, OperationDefinitionNode)
    ]
    return bool(operations) and set(operations) == {OperationType.QUERY}


def price_of(document: str, first: int = 0) -> float:
    """What a query costs by the formula.

    Args:
        document: the query, with the word `query` before its braces.
        first: what its variable `$first` stands for.
    """
    return price(parse(document)[-1].selection, first)


@dataclass(frozen=True)
class Reply:
    """What a query was answered with.

    Attributes:
        document: the query.
        predicted: its points by the formula.
        exchange: the last exchange; the tries before it failed for a while.
        data: the `data`, {} where none came.
        problems: the `errors`, as the connector understands them.
        failure: what the connector takes it for, if it is no success.
    """

    document: str
    predicted: float
    exchange: Exchange
    data: Mapping[str, Any]
    problems: Sequence[Problem] = ()
    failure: Failure | None = None

    @property
    def refusal(self) -> str:
        """How it was refused, in a few words: code and HTTP status; "" where it was not."""
        return f"{self.exchange.code or 'no code'}, HTTP {self.exchange.status}" if self.failure else ""

    def nodes(self, root: str) -> list[dict[str, Any]]:
        """The nodes of one of its roots.

        Raises:
            NotSeen: it was refused.
        """
        if self.failure:
            raise NotSeen(f"the query is refused ({self.refusal})")
        given = self.data.get(root)
        nodes = given.get("nodes") if isinstance(given, dict) else given
        return [node for node in nodes if isinstance(node, dict)] if isinstance(nodes, list) else []

    def ids(self, root: str) -> list[str]:
        """The ids of the nodes of one of its roots."""
        return [node["id"] for node in self.nodes(root)]


class Linear:
    """Linear's API, as the claims ask it; what was asked once is not asked again.

    Attributes:
        api: asks.
        meter: counts, and holds the bound.
        streams: those of the connector, by name.
        is_oauth: whether an application asks, not the key of a person.
        replies: every reply, in the order of asking.
        sleep: what waits.
        now: a clock, in seconds.
        stranger: asks with a key that nobody has.
    """

    def __init__(
        self,
        api: Api,
        streams: Mapping[str, Stream],
        is_oauth: bool = False,
        meter: Meter | None = None,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.monotonic,
        stranger: Api | None = None,
    ) -> None:
        self.stranger = stranger
        self.meter = meter or Meter()
        self.api = api
        self.streams = streams
        self.is_oauth = is_oauth
        self.replies: list[Reply] = []
        self.sleep, self.now = sleep, now
        self._kept: dict[str, Any] = {}
        for one in (api, stranger):
            if one:
                observe(one, self.meter)

    def ask(
        self,
        document: str,
        variables: Mapping[str, Any] | None = None,
        first: int = 0,
        api: Api | None = None,
    ) -> Reply:
        """Ask; a refusal is a reply as well.

        Args:
            document: the query, with the word `query` before its braces.
            variables: its variables.
            first: how many rows its variable `$first` asks for.
            api: another one than the usual.

        Raises:
            NotSeen: Linear did not answer, or failed.
            BoundReached: it could exceed the bound.
        """
        given = {**(variables or {}), **({"first": first} if first else {})}
        predicted = price_of(document, first)
        roots = {field.key: () for field in parse(document)[-1].selection}
        before = len(self.meter.exchanges)
        data: Mapping[str, Any] = {}
        problems: Sequence[Problem] = ()
        failure = None
        with self.meter.expecting(predicted, roots):
            try:
                answer = (api or self.api).ask("", document, given, roots, TRIES)
                data, problems = answer.data, answer.problems
            except LinearError as error:
                failure = error.failure
                problems = failure.problems
        if len(self.meter.exchanges) == before:
            raise NotSeen(f"there was no answer ({failure.code if failure else 'none'})")
        exchange = self.meter.exchanges[-1]
        if failure and failure.action in (Action.RETRY, Action.WAIT):
            raise NotSeen(f"Linear did not answer ({failure.code}, HTTP {exchange.status})")
        reply = Reply(document, predicted, exchange, data, problems, failure)
        self.replies.append(reply)
        return reply

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """What was made under this name before, or is made now; a `NotSeen` is kept as well."""
        if name not in self._kept:
            try:
                self._kept[name] = make()
            except NotSeen as reason:
                self._kept[name] = reason
        if isinstance(self._kept[name], NotSeen):
            raise self._kept[name]
        return self._kept[name]


def observe(api: Api, meter: Meter) -> None:
    """Let a meter count what an `Api` sends, and give up early what does not come."""
    api.observer, api.patience, api.waits = meter, PATIENCE, False
