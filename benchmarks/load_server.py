"""A server that answers as Linear's API does, and is never what limits a benchmark.

    python -m benchmarks.load_server

It prints one JSON line with its URL and serves until it is terminated. Rows are serialised before the
first request; a page is some of them, joined. They come from the simulator through the connector's
own queries, are spread evenly over the workspace's life, and answer filters by date as Linear does.

A client says in the path of the URL which workspace it wants to see, for example
`/issues/20000/comments/60000/days/730/latency/300/run/7/graphql`:

    issues, comments   rows of each stream
    days               age of the workspace, 730 where it is not said
    latency            milliseconds that every answer takes at least
    run                answers carry Linear's rate limits, of a budget that is full when the run begins
"""

import asyncio
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from itertools import cycle, islice
from typing import Any

import orjson
import requests
from graphql import FieldNode, OperationDefinitionNode, parse
from graphql.utilities import value_from_ast_untyped

from benchmarks.streams import STREAMS
from integration_tests.linear_api import LinearApi
from source_linear.graphql import points_a_row
from source_linear.streams import Stream

_DIFFERENT_ROWS = 250
_DAYS = 730
_REQUESTS_AN_HOUR, _POINTS_AN_HOUR = 2_500, 3_000_000  # of an API key
_HOUR = 3600.0
_POINTS_OF_DATES = 1.5  # of a row of which a walk asks for id and dates
_ARCHIVED = ("archivedAt", "trashed")


@dataclass(frozen=True)
class Workspace:
    """What one URL shows.

    Attributes:
        sizes: the number of rows of each stream.
        origin: when the workspace was created, in milliseconds since the epoch.
        end: when its last row was created.
        latency: seconds that every answer takes at least.
        limited: whether answers carry rate limits.
    """

    sizes: Mapping[str, int]
    origin: int
    end: int
    latency: float = 0.0
    limited: bool = False

    @classmethod
    def of(cls, path: str, end: int) -> "Workspace":
        """Read it from the path of a URL."""
        parts = path.strip("/").removesuffix("graphql").strip("/").split("/")
        asked = dict(zip(parts[::2], map(int, parts[1::2]), strict=True)) if parts[0] else {}
        sizes = {name: asked.get(name, 0) for name in STREAMS}
        origin = end - asked.get("days", _DAYS) * 24 * 3_600_000
        return cls(sizes, origin, end, asked.get("latency", 0) / 1000, "run" in asked)

    def created(self, stream: str, row: int) -> int:
        """When a row was created; row 0 is the oldest."""
        return self.origin + (self.end - self.origin) * (row + 1) // self.sizes[stream]

    def selected(self, stream: str, filters: Mapping[str, Any]) -> range:
        """The rows that a root's `filter` selects.

        Raises:
            KeyError: it is of a kind that is not known here.
        """
        first, last = 0, self.sizes[stream] - 1
        for name, comparison in filters.items():
            if name not in ("createdAt", "updatedAt"):
                raise KeyError(name)
            span = self.end - self.origin
            for operator, text in comparison.items():
                moment = _milliseconds(text) - self.origin
                if operator == "gte":  # the first row that is not older
                    first = max(first, -(-moment * self.sizes[stream] // span) - 1)
                    while first < self.sizes[stream] and self.created(stream, first) < _milliseconds(text):
                        first += 1
                elif operator == "lt":
                    last = min(last, -(-moment * self.sizes[stream] // span))
                    while last >= 0 and self.created(stream, last) >= _milliseconds(text):
                        last -= 1
                elif operator == "lte":
                    last = min(last, moment * self.sizes[stream] // span)
                    while last >= 0 and self.created(stream, last) > _milliseconds(text):
                        last -= 1
                else:
                    raise KeyError(operator)
        return range(first, last + 1)


class Pages:
    """Pages of one stream, made of rows that were serialised before.

    `ends` are the rows' bytes without what differs from page to page: id and dates.
    """

    def __init__(self, stream: Stream, nodes: list[dict[str, Any]]) -> None:
        self.name = stream.name
        self._root = stream.roots[0].name.encode()
        self._point = points_a_row(stream.roots[0])
        some = [*islice(cycle(nodes), _DIFFERENT_ROWS)]
        self._ends = [_serialised(stream, node) for node in some]
        self._listed = [orjson.dumps({name: node.get(name) for name in _ARCHIVED})[1:] for node in some]

    def page(self, workspace: Workspace, variables: Mapping[str, Any]) -> bytes:
        """One page, newest row first; the cursor is the last row's id."""
        rows = workspace.selected(self.name, variables.get("filter") or {})
        shown = _after(rows, variables.get("after"), variables["first"])
        nodes = [_node(workspace, self.name, row, self._ends[row % _DIFFERENT_ROWS]) for row in shown]
        return b'{"data":{"%b":{"nodes":[%b],%b}}}' % (self._root, b",".join(nodes), _page_info(rows, shown))

    def walked(
        self, workspace: Workspace, first: int, after: str | None, filters: Mapping[str, Any]
    ) -> bytes:
        """One page of ids and dates."""
        rows = workspace.selected(self.name, filters)
        shown = _after(rows, after, first)
        nodes = [_node(workspace, self.name, row, self._listed[row % _DIFFERENT_ROWS]) for row in shown]
        return b'{"nodes":[%b],%b}' % (b",".join(nodes), _page_info(rows, shown))

    def points(self, first: int) -> float:
        """What a page costs by Linear's formula (docs/linear-api.md, LIMITS-4)."""
        return first * self._point


@dataclass
class Budget:
    """What is left of Linear's limits to one run."""

    requests: float = _REQUESTS_AN_HOUR
    points: float = _POINTS_AN_HOUR
    at: float = field(default_factory=time.monotonic)

    def headers(self, points: float) -> bytes:
        """Take one request; returns the headers that say what is left."""
        now = time.monotonic()
        share = (now - self.at) / _HOUR
        self.at = now
        self.requests = min(_REQUESTS_AN_HOUR, self.requests + share * _REQUESTS_AN_HOUR) - 1
        self.points = min(_POINTS_AN_HOUR, self.points + share * _POINTS_AN_HOUR) - points
        lines = []
        for kind, limit, remaining in (
            ("Requests", _REQUESTS_AN_HOUR, self.requests),
            ("Complexity", _POINTS_AN_HOUR, self.points),
        ):
            reset = 1000 * (time.time() + _HOUR * (1 - remaining / limit))
            lines += [
                f"X-RateLimit-{kind}-Limit: {limit}\r\n",
                f"X-RateLimit-{kind}-Remaining: {max(0, remaining):.0f}\r\n",
                f"X-RateLimit-{kind}-Reset: {reset:.0f}\r\n",
            ]
        return "".join(lines).encode()


class Server:
    """Answers requests, as many connections at a time as there are."""

    def __init__(self, pages: Mapping[str, Pages]) -> None:
        self._pages = pages
        self._end = time.time_ns() // 1_000_000 - 60_000
        self._workspaces: dict[bytes, Workspace] = {}
        self._budgets: dict[bytes, Budget] = {}

    def answer(self, path: bytes, body: bytes) -> tuple[bytes, bytes]:
        """Headers and body of the answer to a request."""
        workspace = self.workspace(path)
        asked = orjson.loads(body)
        operation = re.match(r"query (\w+)", asked.get("query", "").lstrip())
        name = asked.get("operationName") or (operation.group(1) if operation else "")
        if name in self._pages:
            variables = asked.get("variables") or {}
            answer = self._pages[name].page(workspace, variables)
            points = self._pages[name].points(variables["first"])
        else:
            query, variables = asked.get("query", ""), asked.get("variables") or {}
            answer, points = _beforehand(self._pages, workspace, query, variables)
        headers = b"X-Complexity: %d\r\n" % points
        if workspace.limited:
            headers += self._budgets.setdefault(path, Budget()).headers(points)
        return headers, answer

    def workspace(self, path: bytes) -> Workspace:
        """The workspace that a path asks for."""
        if path not in self._workspaces:
            self._workspaces[path] = Workspace.of(path.decode(), self._end)
        return self._workspaces[path]

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until the client closes it."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                path = head.split(b" ", 2)[1]
                length = re.search(rb"content-length: *(\d+)", head, re.I)
                body = await reader.readexactly(int(length.group(1)) if length else 0)
                if latency := self.workspace(path).latency:
                    await asyncio.sleep(latency)
                headers, answer = self.answer(path, body)
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: %b\r\n%b"
                    b"Content-Length: %d\r\n\r\n" % (formatdate(usegmt=True).encode(), headers, len(answer))
                )
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def serve(self) -> None:
        """Serve until cancelled; prints where."""
        server = await asyncio.start_server(self.handle, "127.0.0.1", 0, limit=2**22)
        port = server.sockets[0].getsockname()[1]
        print(json.dumps({"url": f"http://127.0.0.1:{port}"}), flush=True)
        await server.serve_forever()


def nodes_of(stream: Stream) -> list[dict[str, Any]]:
    """Nodes of a stream as the simulator sends them to the connector's query, their lists complete."""
    with LinearApi(issues=_DIFFERENT_ROWS, seed=1) as api:
        body = {"query": stream.query, "variables": {"first": stream.page_size}}
        answer = requests.post(api.url, json=body, headers={"Authorization": api.api_key}, timeout=60)
    nodes: list[dict[str, Any]] = answer.json()["data"][stream.roots[0].name]["nodes"]
    for node in nodes:  # a list as long as what was asked for would be read on
        for nested in stream.lists.values():
            if nested.first and nested.name in node:
                node[nested.name]["nodes"] = node[nested.name]["nodes"][: nested.first - 1]
    return nodes


def _serialised(stream: Stream, node: Mapping[str, Any]) -> bytes:
    rest = {name: value for name, value in node.items() if name not in ("id", "createdAt", "updatedAt")}
    assert len(rest) == len(node) - 3, f"{stream.name} has no id and dates"
    return orjson.dumps(rest)[1:]


def _beforehand(
    pages: Mapping[str, Pages], workspace: Workspace, query: str, variables: Mapping[str, Any]
) -> tuple[bytes, float]:
    """What a sync asks before it reads: whose credentials these are, and ids and dates of rows."""
    parts, points = [], 3.0
    (operation,) = parse(query).definitions
    assert isinstance(operation, OperationDefinitionNode)
    for field_node in operation.selection_set.selections:
        assert isinstance(field_node, FieldNode)
        root = field_node.name.value
        key = (field_node.alias or field_node.name).value.encode()
        if root in _WHO:
            parts.append(b'"%b":%b' % (key, orjson.dumps(_WHO[root](workspace))))
            continue
        arguments = {
            one.name.value: value_from_ast_untyped(one.value, dict(variables)) for one in field_node.arguments
        }
        first, filters = arguments["first"], arguments.get("filter") or {}
        walked = pages[_BY_ROOT[root]].walked(workspace, first, arguments.get("after"), filters)
        parts.append(b'"%b":%b' % (key, walked))
        points += first * _POINTS_OF_DATES
    return b'{"data":{%b}}' % b",".join(parts), points


def _page_info(rows: range, shown: range) -> bytes:
    more = b"true" if shown and shown[-1] > rows.start else b"false"
    end = b'"%b"' % _id(shown[-1]) if shown else b"null"
    return b'"pageInfo":{"hasNextPage":%b,"endCursor":%b}' % (more, end)


def _after(rows: range, cursor: str | None, first: int) -> range:
    """The next rows of a list behind a cursor, newest first."""
    newest = rows.stop - 1 if cursor is None else int(cursor[:8], 16) - 1
    return range(newest, max(rows.start, newest - first + 1) - 1, -1)


def _node(workspace: Workspace, stream: str, row: int, end: bytes) -> bytes:
    date = _text(workspace.created(stream, row))
    return b'{"id":"%b","createdAt":"%b","updatedAt":"%b",%b' % (_id(row), date, date, end)


def _id(row: int) -> bytes:
    return b"%08x-0000-4000-8000-%012x" % (row, row)  # as different at its end as random ids are


def _organization(workspace: Workspace) -> dict[str, Any]:
    created = _text(workspace.origin).decode()
    issues = workspace.sizes["issues"]
    return {"id": "o", "name": "n", "urlKey": "k", "createdAt": created, "createdIssueCount": issues}


def _viewer(_: Workspace) -> dict[str, Any]:
    return {"id": "u", "name": "n", "email": "e", "admin": True}


_WHO = {"viewer": _viewer, "organization": _organization}
_BY_ROOT = {stream.roots[0].name: name for name, stream in STREAMS.items()}


def _text(milliseconds: int) -> bytes:
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return b"%b.%03dZ" % (moment.encode(), milliseconds % 1000)


def _milliseconds(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return int(moment.timestamp()) * 1000 + moment.microsecond // 1000


def main() -> None:
    """Run the command."""
    pages = {name: Pages(stream, nodes_of(stream)) for name, stream in STREAMS.items()}
    asyncio.run(Server(pages).serve())


if __name__ == "__main__":
    main()
