"""A workspace whose rows are computed when they are asked for: as many as there are to be, in no memory.

It answers what a sync asks, in the sync's own process, is billed by the formula (docs/linear-api.md, LIMITS-3
and LIMITS-4), keeps Linear's limits with a clock that only waiting and answers move, and never changes.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any

import orjson
import pendulum
from airbyte_cdk.models import ConfiguredAirbyteCatalogSerializer

from source_linear.config import Config
from source_linear.linear.answers import Answer, judge
from source_linear.linear.budget import Budget
from source_linear.linear.fields import Fields
from source_linear.packaged import manifest
from source_linear.source import SourceLinear
from source_linear.state import StreamState
from source_linear.streams import Record
from source_linear.sync.reader import Declared
from source_linear.sync.sync import Rows, State, Sync
from source_linear.sync.workers import Done, Key
from tools.schemas import contract, schema_of, streams
from unit_tests.world.graphql import Field, parsed, resolved
from unit_tests.world.schema import schema

REQUESTS, POINTS, HOUR = 2_500, 3_000_000, 3_600.0  # an hour's limits of an API key
MOST_POINTS = 10_000
_ODD, _BITS = 0x9E3779B97F4A7C15F39CC0605CEDC835, 1 << 128  # ids are numbers, multiplied: each tells its row
_INVERSE = pow(_ODD, -1, _BITS)
_INSIDE = 64  # items of a list inside a row, at the most
_DAY = 86_400_000
_BORN, _NOW = 1_672_531_200_000, 1_764_547_200_000  # the workspace, and the first sync: milliseconds
_TEXT = "As discussed, the importer has to go on where it stopped. " * 4

# How long lists inside rows are: shares of the rows, and lengths between which they are spread.
Shape = Sequence[tuple[float, int, int]]
MIXED: Shape = ((0.25, 0, 0), (0.35, 1, 3), (0.25, 4, 7), (0.12, 8, 15), (0.03, 16, 30))
FEWER: Shape = ((0.6, 0, 0), (0.25, 1, 1), (0.09, 2, 4), (0.05, 5, 12), (0.01, 13, 30))
SHAPES: Mapping[str, Shape] = {
    "Cycle.links": FEWER,
    "Release.links": FEWER,
    "Issue.history": ((0.1, 1, 3), (0.25, 4, 6), (0.3, 7, 11), (0.2, 12, 15), (0.1, 16, 22), (0.05, 23, 38)),
    "Issue.stateHistory": ((0.35, 1, 1), (0.4, 2, 3), (0.2, 4, 6), (0.05, 7, 20)),
    "Issue.subscribers": ((0.5, 1, 1), (0.25, 2, 2), (0.2, 3, 6), (0.05, 7, 30)),
    "Issue.attachments": ((0.6, 0, 0), (0.25, 1, 1), (0.1, 2, 2), (0.05, 3, 10)),
    "Issue.relations": ((0.7, 0, 0), (0.2, 1, 1), (0.07, 2, 2), (0.03, 3, 10)),
}


class TooComplex(RuntimeError):
    """A query costs more than Linear allows."""


class Generated:
    """Linear's API over computed rows: what a sync asks `source_linear.linear.api.Api` for.

    Attributes:
        requests: what was asked: the stream, and the points.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        rows: Mapping[str, int],
        others: int = 20,
        shapes: Mapping[str, Shape] = SHAPES,
        seconds: float = 0.0,
    ) -> None:
        """Make a workspace.

        Args:
            rows: how many rows a root has.
            others: how many rows each other root has.
            shapes: how long the lists inside rows are; those that are not named are mixed.
            seconds: how long an answer takes.
        """
        self._shapes = shapes
        known = schema()
        self._counts = {entity: rows.get(root, others) for root, entity in known.connections.items()}
        self._counts |= dict.fromkeys(known.plain.values(), others)
        kinds = [*self._counts, *(f"{entity}.{name}" for entity, name in sorted(known.children))]
        self._kinds = {kind: number + 1 for number, kind in enumerate(kinds)}
        self._names = {number: kind for kind, number in self._kinds.items()}
        self.requests: list[tuple[str, int]] = []
        self.clock = _NOW / 1000
        self.fields = Fields()
        self.budget = Budget(1.0, lambda: self.clock, self.wait)
        self.limited = 0
        self._seconds = seconds
        self._used = {"Requests": 0.0, "Complexity": 0.0}
        self._at = self.clock

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.clock += seconds

    def place(self, row_id: str) -> int:
        """The place of a row among those of its kind."""
        return self._row(row_id)[1]

    def items(self, kind: str) -> int:
        """How many items all lists of a kind hold, for example `Issue.history`."""
        return sum(self._length(kind, index) for index in range(self._counts[kind.partition(".")[0]]))

    # What a sync asks

    def ask(
        self,
        stream: str,
        query: str,
        variables: Mapping[str, Any] | None = None,
        roots: Mapping[str, Collection[str]] | None = None,
        tries: int | None = None,
        points: float = 0.0,
    ) -> Answer:
        """Answer a query; `points` is what the budget is asked for.

        Raises:
            TooComplex: it costs over 10,000 points.
        """
        given = variables or {}
        fields = parsed(query)
        billed = round(sum(one.points(given) for one in fields))
        if billed > MOST_POINTS:
            raise TooComplex(f"{billed} points: {query[:2000]}")
        while True:
            with self.budget.turn(stream, points):
                self.clock += self._seconds
                fits = self._bill(billed)
                headers = self._headers(billed)
            if fits:
                break
            self.limited += 1
            self.budget.exhausted(stream, headers, points)
        self.budget.observe(stream, headers)
        self.requests.append((stream, billed))
        body = orjson.dumps({"data": {one.key: self._root(one, given) for one in fields}})
        return replace(judge(stream, 200, body, roots or {}), headers=headers)

    def note_refused(self, stream: str, fields: Mapping[str, str]) -> None:
        """Nothing is refused here."""
        raise AssertionError(fields)

    def _bill(self, points: int) -> bool:
        drained, self._at = (self.clock - self._at) / HOUR, self.clock
        self._used["Requests"] = max(0.0, self._used["Requests"] - drained * REQUESTS)
        self._used["Complexity"] = max(0.0, self._used["Complexity"] - drained * POINTS)
        if self._used["Requests"] + 1 > REQUESTS or self._used["Complexity"] + points > POINTS:
            return False
        self._used["Requests"] += 1
        self._used["Complexity"] += points
        return True

    def _headers(self, points: int) -> dict[str, str]:
        headers = {"Date": formatdate(int(self.clock), usegmt=True), "X-Complexity": str(points)}
        for name, limit in (("Requests", REQUESTS), ("Complexity", POINTS)):
            headers[f"X-RateLimit-{name}-Limit"] = str(limit)
            headers[f"X-RateLimit-{name}-Remaining"] = str(int(limit - self._used[name]))
            full = self.clock + HOUR * self._used[name] / limit
            headers[f"X-RateLimit-{name}-Reset"] = str(int(1000 * full))
        return headers

    # Rows

    def _root(self, asked: Field, variables: Mapping[str, Any]) -> Any:
        known, arguments = schema(), resolved(asked.arguments, variables)
        if asked.name == "viewer":
            return {key: "00000000-0000-4000-8000-000000000001" for key, _ in asked.leaves}
        if asked.name == "organization":
            row = self._node("Issue", 0, asked, variables)
            own = {"createdAt": _text(_BORN), "createdIssueCount": self._counts["Issue"]}
            return row | {key: own[name] for key, name in asked.leaves if name in own}
        if asked.name in known.plain:
            kind = known.plain[asked.name]
            return [self._node(kind, index, asked, variables) for index in range(self._counts[kind])]
        if asked.name in known.singles:
            kind, index = self._row(arguments["id"])
            return self._node(kind, index, asked, variables)
        kind = known.connections[asked.name]
        first, after = arguments["first"], arguments.get("after")
        before = self._row(after)[1] if after else self._counts[kind]
        chosen = _newest(self._chosen(kind, arguments.get("filter") or {}), before)
        page = [index for index, _ in zip(chosen, range(first + 1), strict=False)]
        return self._page(kind, page, first, asked, variables)

    def _page(
        self, kind: str, indices: Sequence[int], first: int, asked: Field, variables: Mapping[str, Any]
    ) -> dict[str, Any]:
        found: dict[str, Any] = {}
        page = indices[:first]
        if asked.nodes:
            found[asked.nodes.key] = [self._node(kind, index, asked.nodes, variables) for index in page]
        if asked.info:
            told = {
                "hasNextPage": len(indices) > first,
                "endCursor": self._id(kind, page[-1]) if page else None,
            }
            found[asked.info.key] = {key: told[name] for key, name in asked.info.leaves}
        return found

    def _node(self, kind: str, index: int, wanted: Field, variables: Mapping[str, Any]) -> dict[str, Any]:
        at = _text(self._created(kind, index))
        row = {"id": self._id(kind, index), "createdAt": at, "updatedAt": at, "body": _TEXT}
        found: dict[str, Any] = {key: row.get(name) for key, name in wanted.leaves}
        for one in wanted.branches:
            if one.is_connection:
                found[one.key] = self._list(f"{kind}.{one.name}", index, one, variables)
            elif one.name in schema().lists:
                found[one.key] = []
            elif [name for _, name in one.leaves] == ["id"] and not one.branches:
                found[one.key] = {"id": self._id("Issue", index)}
            else:
                found[one.key] = None
        return found

    def _list(self, kind: str, parent: int, asked: Field, variables: Mapping[str, Any]) -> dict[str, Any]:
        arguments = resolved(asked.arguments, variables)
        if kind not in self._kinds:
            self._kinds[kind] = len(self._kinds) + 1
            self._names[self._kinds[kind]] = kind
        first, after = arguments["first"], arguments.get("after")
        base = parent * _INSIDE
        end = self._row(after)[1] if after else base + self._length(kind, parent)
        indices = range(end - 1, max(base, end - first - 1) - 1, -1)
        return self._page(kind, indices, first, asked, variables)

    def _length(self, kind: str, parent: int) -> int:
        drawn = ((self._kinds.get(kind, 0) << 40 | parent + 1) * _ODD % _BITS >> 64) / (1 << 64)
        for share, least, most in self._shapes.get(kind, MIXED):
            if drawn < share:
                return least + int((most - least + 1) * drawn / share)
            drawn -= share
        return 0

    def _id(self, kind: str, index: int) -> str:
        text = f"{(self._kinds[kind] << 64 | index + 1) * _ODD % _BITS:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def _row(self, row_id: str) -> tuple[str, int]:
        number = int(row_id.replace("-", ""), 16) * _INVERSE % _BITS
        return self._names[number >> 64], (number & (1 << 64) - 1) - 1

    def _created(self, kind: str, index: int) -> int:
        """Milliseconds. Rows are spread over the life of the workspace, up to a day before the first sync."""
        entity, _, inside = kind.partition(".")
        parent, place = divmod(index, _INSIDE) if inside else (index, 0)
        life = _NOW - _DAY - _BORN
        return _BORN + (parent + 1) * life // (self._counts[entity] + 1) + place

    def _chosen(self, kind: str, wanted: Mapping[str, Any]) -> list[range]:
        """The rows that a filter selects, as ranges that rise."""
        found = [range(self._counts[kind])]
        for name, value in wanted.items():
            if name in ("and", "or"):
                several = [self._chosen(kind, one) for one in value]
                if name == "or":
                    found = _both(found, sorted((one for some in several for one in some), key=_start))
                else:
                    for one in several:
                        found = _both(found, one)
            elif name == "id":
                indices = sorted(self._row(one)[1] for one in value["in"])
                found = _both(found, [range(index, index + 1) for index in indices])
            elif name in ("createdAt", "updatedAt"):
                found = _both(found, [self._since(kind, value)])
            else:  # nothing is archived, and nothing is newer than its row
                found = []
        return found

    def _since(self, kind: str, bounds: Mapping[str, str]) -> range:
        low, high = 0, self._counts[kind]
        for name, at in bounds.items():
            moment = _milliseconds(at) + (name in ("gt", "lte"))
            place = bisect_left(range(self._counts[kind]), moment, key=lambda one: self._created(kind, one))
            low, high = (max(low, place), high) if name in ("gt", "gte") else (low, min(high, place))
        return range(low, max(low, high))


def _start(one: range) -> int:
    return one.start


def _both(left: Sequence[range], right: Sequence[range]) -> list[range]:
    """What is in both; ranges of one side that overlap count once."""
    found, last = [], 0
    for two in right:
        for one in left:
            both = range(max(one.start, two.start, last), min(one.stop, two.stop))
            if both:
                found.append(both)
                last = both.stop
    return found


def _newest(chosen: Sequence[range], before: int) -> Iterator[int]:
    for one in reversed(chosen):
        yield from reversed(range(one.start, min(one.stop, before)))


def _text(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")[:23] + "Z"


def _milliseconds(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


class InTurn:
    """Workers that read one slice after another: as the limits let slices be read, the oldest first."""

    def __init__(self) -> None:
        self._readers: list[tuple[Key, Iterator[Any]]] = []

    def start(self, key: Key, pages: Iterator[Any]) -> None:
        """Let pages be read."""
        self._readers.append((key, pages))

    def results(self) -> Iterator[tuple[Key, Any]]:
        """What is read."""
        while self._readers:
            key, pages = self._readers.pop(0)
            for page in pages:
                yield key, page
            yield key, Done()


@dataclass
class Synced:
    """What a sync did.

    Attributes:
        requests: how many requests it made.
        points: what they cost.
        rows: how many rows came of each stream.
        states: the last state of each stream.
        checkpoints: how many states with another cursor came of each stream.
        seconds: how long it took, by the workspace's clock.
        course: seconds since the begin, and the rows that had come by then.
        by_stream: points by stream; "" is what is asked for many.
    """

    requests: int = 0
    points: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    states: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    checkpoints: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    course: list[tuple[float, int]] = field(default_factory=list)
    by_stream: Counter[str] = field(default_factory=Counter)


def declared(names: Collection[str] = ()) -> dict[str, Declared]:
    """What the manifest declares of some streams; of all, where none is named."""
    linear = contract()
    chosen = [
        {
            "stream": {
                "name": one.name,
                "json_schema": schema_of(one, linear),
                "supported_sync_modes": ["full_refresh", "incremental"],
            },
            "sync_mode": "incremental",
            "destination_sync_mode": "append_dedup",
        }
        for one in streams()
        if not names or one.name in names
    ]
    catalog = ConfiguredAirbyteCatalogSerializer.load({"streams": chosen})
    source = SourceLinear(catalog, _config())
    return dict(source._retrievers(source._manifest_of_catalog()))


def _config(**given: Any) -> dict[str, Any]:
    return {"credentials": {"auth_type": "API Key", "api_key": "lin_api_benchmark"}, **given}


def sync(
    linear: Generated,
    streams: Mapping[str, Declared],
    states: Mapping[str, Mapping[str, Any]] | None = None,
    until: int | None = None,
    each: Callable[[list[Record]], None] = lambda records: None,
    **config: Any,
) -> Synced:
    """Sync once.

    Args:
        linear: the workspace.
        streams: the streams, as they are declared.
        states: the states of the sync before.
        until: after so many rows it is killed.
        each: is given the records as they come.
        config: options, where they are not at their defaults.
    """
    specification: Mapping[str, Any] = manifest()["spec"]["connection_specification"]
    read = {
        name: StreamState.decoded(state, streams[name].stream.cursor_field)
        for name, state in (states or {}).items()
    }
    done = Synced(states=dict(states or {}))
    begun, before = linear.clock, len(linear.requests)
    api: Any = linear
    events = Sync(
        streams,
        read,
        Config.of(_config(**config), specification),
        api,
        InTurn(),
        lambda: pendulum.from_timestamp(linear.clock),
    ).events()
    for event in events:
        if isinstance(event, Rows):
            done.rows[event.stream] += len(event.records)
            done.course.append((linear.clock - begun, done.rows.total()))
            each(event.records)
        elif isinstance(event, State):
            cursor = streams[event.stream].stream.cursor_field
            is_new = event.state.get(cursor) != done.states.get(event.stream, {}).get(cursor)
            done.checkpoints[event.stream] += event.cursor is not None and is_new
            done.states[event.stream] = event.state
        if until is not None and done.rows.total() >= until:
            break
    made = linear.requests[before:]
    done.requests, done.points = len(made), sum(points for _, points in made)
    done.seconds = linear.clock - begun
    for name, points in made:
        done.by_stream[name] += points
    return done
