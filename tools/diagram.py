"""The picture of the streams, docs/streams.svg: a box for each, in its area, and lines between them.

Drawn with nothing but Python, and the same for the same manifest and contract. A line leads from a
stream to the one that it belongs to; lines to the same stream join on the way. What nearly every
stream refers to (teams, users) is a dot in its box instead.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from xml.sax.saxutils import escape

from tools.relations import AREAS, Relation, area_of

# Columns of areas, left to right; the last one is two boxes wide.
_COLUMNS = (
    ("Teams", "Releases"),
    ("Issues", "Agents"),
    ("Content", "Customers"),
    ("Projects",),
    ("Initiatives",),
)
_BELOW = {"Workspace": ("Projects", "Initiatives")}
_COLORS = {
    "Issues": "#2563eb",
    "Teams": "#0d9488",
    "Projects": "#c2410c",
    "Initiatives": "#7c3aed",
    "Content": "#be185d",
    "Customers": "#4d7c0f",
    "Releases": "#a16207",
    "Agents": "#0369a1",
    "Workspace": "#475569",
}
_DOTS = ("teams", "users")  # in nearly every stream: drawn as dots
_UNDRAWN = (*_DOTS, "organization", "external_users", "integrations", "templates")

# In grid units of `_UNIT` pixels.
_UNIT = 8
_BOX = (22, 3)
_ROW = 5  # from one box to the one below
_GUTTER = 9  # from one box to the one beside
_MARGIN = 4
_TITLE = 3
_PADDING = 2
_LEGEND = 6

_Point = tuple[int, int]
_STEPS = ((1, 0), (0, 1), (-1, 0), (0, -1))
_BEND, _CROSSING, _CLOSE, _ENTRY, _UPRIGHT = 4, 7, 2, 4, 3  # what a line avoids, in steps


@dataclass(frozen=True)
class Box:
    """A rectangle on the grid."""

    x: int
    y: int
    width: int
    height: int

    def border(self) -> Iterator[tuple[_Point, int]]:
        """Points where a line may leave, each with the direction in which it does."""
        for y in range(self.y + 1, self.y + self.height):
            yield (self.x + self.width, y), 0
            yield (self.x, y), 2
        for x in range(self.x + 2, self.x + self.width - 1):
            yield (x, self.y + self.height), 1
            yield (x, self.y), 3

    def holds(self, point: _Point, around: int = 0) -> bool:
        """Whether a point lies in it, or on its border, or at most so far from it."""
        x, y = point
        return (
            self.x - around <= x <= self.x + self.width + around
            and self.y - around <= y <= self.y + self.height + around
        )


@dataclass
class Layout:
    """Where everything is: boxes of streams and areas, and the size of the whole."""

    boxes: dict[str, Box] = field(default_factory=dict)
    areas: dict[str, Box] = field(default_factory=dict)
    width: int = 0
    height: int = 0


def layout() -> Layout:
    """Streams below each other in their area, areas below each other in their column."""
    made = Layout()
    across = _BOX[0] + _GUTTER
    for column, names in enumerate(_COLUMNS):
        x, y = _MARGIN + column * across, _MARGIN
        for area in names:
            y = _place(made, area, x, y, 1)
    for area, above in _BELOW.items():
        x = min(made.areas[name].x for name in above) + _PADDING
        y = max(made.areas[name].y + made.areas[name].height for name in above) + _GUTTER - 2 * _PADDING
        _place(made, area, x, y, len(above))
    made.width = max(box.x + box.width for box in made.areas.values()) + _MARGIN - _PADDING
    made.height = max(box.y + box.height for box in made.areas.values()) + _LEGEND
    return made


def _place(made: Layout, area: str, x: int, y: int, wide: int) -> int:
    """Place an area and its streams; returns where the next area may begin."""
    streams = list(AREAS[area])
    rows = -(-len(streams) // wide)
    for index, stream in enumerate(streams):
        column, row = divmod(index, rows)
        left = x + column * (_BOX[0] + _GUTTER)
        made.boxes[stream] = Box(left, y + _TITLE + row * _ROW, *_BOX)
    height = _TITLE + (rows - 1) * _ROW + _BOX[1] + _PADDING
    width = wide * _BOX[0] + (wide - 1) * _GUTTER + 2 * _PADDING
    made.areas[area] = Box(x - _PADDING, y - 1, width, height + 1)
    return y + height + _GUTTER - 2 * _PADDING


def drawn(relations: Iterable[Relation], entities: Mapping[str, str]) -> list[tuple[str, str]]:
    """The relations that are lines: stream and target, where a column is named after its target.

    Of two streams that refer to each other, the one that holds a list is the one referred to; where
    neither does, or both, it is the later by name.
    """
    chosen: dict[tuple[str, str], bool] = {}
    for relation in relations:
        base = relation.column.partition("Id")[0].lower()
        is_named_after = entities[relation.target].lower().endswith(base)
        if is_named_after and relation.target not in _UNDRAWN and relation.stream != relation.target:
            pair = (relation.stream, relation.target)
            chosen[pair] = chosen.get(pair, True) and relation.is_list
    return [
        (stream, target)
        for (stream, target), is_list in chosen.items()
        if (target, stream) not in chosen or (is_list, stream) < (chosen[target, stream], target)
    ]


class Router:
    """Finds ways for lines on the grid: around boxes, with few bends and crossings.

    Lines to one target form a tree, whose branches join; lines to different targets only cross.
    """

    def __init__(self, made: Layout) -> None:
        self._layout = made
        # Which targets' lines use a point, and in which of the four directions.
        self._used: dict[_Point, dict[str, set[int]]] = {}
        # For each point of a target's tree, the way on to the target.
        self._ways: dict[str, dict[_Point, list[_Point]]] = {}
        titles = [Box(area.x, area.y, 12, _TITLE - 1) for area in made.areas.values()]
        self._blocked = {
            (x, y)
            for box in (*made.boxes.values(), *titles)
            for x in range(box.x, box.x + box.width + 1)
            for y in range(box.y, box.y + box.height + 1)
        }
        self._close = {
            (x, y)
            for box in made.boxes.values()
            for x in range(box.x - 1, box.x + box.width + 2)
            for y in range(box.y - 1, box.y + box.height + 2)
        }

    def route(self, stream: str, target: str) -> list[_Point]:
        """The points of a line from one box to another, both ends on their borders.

        Raises:
            ValueError: there is no room for it.
        """
        goal = self._layout.boxes[target]
        entries = {point: direction for point, direction in goal.border() if point not in self._used}
        tree = self._ways.setdefault(target, {})
        corners = [*tree, (goal.x, goal.y), (goal.x + goal.width, goal.y + goal.height)]
        left, right = min(x for x, _ in corners), max(x for x, _ in corners)
        top, bottom = min(y for _, y in corners), max(y for _, y in corners)

        def rest(point: _Point) -> int:
            x, y = point
            return max(left - x, 0, x - right) + max(top - y, 0, y - bottom)

        came: dict[tuple[_Point, int], tuple[_Point, int] | None] = {}
        costs: dict[tuple[_Point, int], int] = {}
        ahead: list[tuple[int, int, _Point, int, tuple[_Point, int] | None]] = []
        for point, direction in self._layout.boxes[stream].border():
            if point not in self._used:
                cost = _UPRIGHT if direction in (1, 3) else 0
                heapq.heappush(ahead, (cost + rest(point), cost, point, direction, None))
        while ahead:
            _, cost, point, direction, before = heapq.heappop(ahead)
            if (point, direction) in came:
                continue
            came[point, direction] = before
            if before and (point in entries or point in tree):
                return self._keep(target, self._back(came, (point, direction)), tree.get(point, []))
            others = [name for name in self._used.get(point, ()) if name != target]
            for turn, (dx, dy) in enumerate(_STEPS):
                onward = (point[0] + dx, point[1] + dy)
                if turn != direction and (others or before is None or turn == (direction + 2) % 4):
                    continue  # straight out of the box, straight across other lines, never back
                price = self._price(target, entries, onward, turn)
                if price is None:
                    continue
                total = cost + price + (_BEND if turn != direction else 0)
                if total < costs.get((onward, turn), total + 1):
                    costs[onward, turn] = total
                    state = (total + rest(onward), total, onward, turn, (point, direction))
                    heapq.heappush(ahead, state)
        raise ValueError(f"no room for a line from {stream} to {target}")

    def _price(self, target: str, entries: Mapping[_Point, int], point: _Point, direction: int) -> int | None:
        """What it costs to go on to a point; None if a line may not."""
        x, y = point
        if not (1 <= x < self._layout.width and 1 <= y < self._layout.height - _LEGEND + 1):
            return None
        if point in entries:
            if direction != (entries[point] + 2) % 4:
                return None
            return 1 + _ENTRY + (_UPRIGHT if direction in (1, 3) else 0)
        if point in self._blocked:
            return None
        price = 1 + (_CLOSE if point in self._close else 0)
        for name, directions in self._used.get(point, {}).items():
            if name == target:
                continue
            if directions != {(direction + 1) % 4, (direction + 3) % 4}:
                return None
            price += _CROSSING
        return price

    @staticmethod
    def _back(
        came: Mapping[tuple[_Point, int], tuple[_Point, int] | None], end: tuple[_Point, int]
    ) -> list[_Point]:
        points = []
        state: tuple[_Point, int] | None = end
        while state:
            points.append(state[0])
            state = came[state]
        return points[::-1]

    def _keep(self, target: str, found: list[_Point], on: list[_Point]) -> list[_Point]:
        way = found + on
        for one, other in pairwise(found):
            direction = _STEPS.index((other[0] - one[0], other[1] - one[1]))
            self._used.setdefault(one, {}).setdefault(target, set()).add(direction)
            self._used.setdefault(other, {}).setdefault(target, set()).add((direction + 2) % 4)
        for index, point in enumerate(found):
            self._ways[target].setdefault(point, way[index + 1 :])
        return way


def routes(made: Layout, lines: Sequence[tuple[str, str]]) -> dict[tuple[str, str], list[_Point]]:
    """A way for every line, short ones first: they have the least choice."""

    def distance(line: tuple[str, str]) -> int:
        one, other = (made.boxes[name] for name in line)
        return abs(one.x - other.x) + abs(one.y - other.y)

    router = Router(made)
    return {line: router.route(*line) for line in sorted(lines, key=lambda line: (distance(line), line))}


def picture(relations: Sequence[Relation], entities: Mapping[str, str]) -> str:
    """The SVG document. `entities` name each stream's GraphQL type."""
    made = layout()
    ways = routes(made, drawn(relations, entities))
    width, height = made.width * _UNIT, made.height * _UNIT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="Inter, Helvetica, Arial, \'DejaVu Sans\', sans-serif">',
        "<title>The streams of source-linear and how they refer to each other</title>",
        f'<rect width="{width}" height="{height}" rx="12" fill="#ffffff"/>',
    ]
    for name, box in made.areas.items():
        parts.append(_rectangle(box, 10, f'fill="{_COLORS[name]}" fill-opacity="0.07"'))
    for (_, target), way in sorted(ways.items(), key=lambda item: item[0][1]):
        style = f'fill="none" stroke="{_COLORS[area_of(target)]}" stroke-width="1.6"'
        parts.append(f'<path d="{_path(way)}" {style}/>')
    parts += [_arrow(target, way) for (_, target), way in ways.items()]
    for name, box in made.areas.items():
        x, y = (box.x + _PADDING) * _UNIT, (box.y + 2.4) * _UNIT
        parts.append(_text(x, y, name, f'font-size="13" font-weight="700" fill="{_COLORS[name]}"'))
    for name, box in made.boxes.items():
        parts += _box(name, box, relations)
    parts += [*_legend(made), "</svg>"]
    return "\n".join(parts) + "\n"


def _box(name: str, box: Box, relations: Sequence[Relation]) -> Iterator[str]:
    area = area_of(name)
    fill, ink, weight = ("#ffffff", "#0f172a", 400)
    if name == area.lower():  # what its area is about
        fill, ink, weight = (_COLORS[area], "#ffffff", 700)
    yield _rectangle(box, 5, f'fill="{fill}" stroke="{_COLORS[area]}" stroke-width="1.2"')
    x, y = box.x * _UNIT, (box.y + box.height / 2) * _UNIT
    yield _text(x + 9, y + 4, name, f'font-size="12" font-weight="{weight}" fill="{ink}"')
    right = (box.x + box.width) * _UNIT - 10
    own = [relation for relation in relations if relation.stream == name]
    for target in _DOTS:
        if any(relation.target == target != name for relation in own):
            yield _dot(right, y, target)
            right -= 10
    if any(relation.target == name and relation.column.startswith("parent") for relation in own):
        yield _ring(right, y, ink)


def _dot(x: float, y: float, target: str) -> str:
    style = f'fill="{_COLORS[area_of(target)]}" stroke="#ffffff" stroke-width="1"'
    return f'<circle cx="{x:g}" cy="{y:g}" r="3.7" {style}/>'


def _ring(x: float, y: float, color: str) -> str:
    return f'<circle cx="{x:g}" cy="{y:g}" r="2.8" fill="none" stroke="{color}" stroke-width="1.3"/>'


def _legend(made: Layout) -> Iterator[str]:
    y = (made.height - _LEGEND / 2) * _UNIT + 4
    x = (_MARGIN - _PADDING) * _UNIT
    style = 'font-size="12" fill="#334155"'
    yield f'<path d="M{x} {y - 4:g}H{x + 22}" stroke="#334155" stroke-width="1.6"/>'
    yield f'<path d="M{x + 28} {y - 4:g}l-8 -4v8z" fill="#334155"/>'
    line = "leads to the stream whose ids it has; lines to the same stream join, others cross"
    yield _text(x + 38, y, line, style)
    x += 560
    for target in _DOTS:
        yield _dot(x, y - 4, target)
        yield _text(x + 9, y, f"has the ids of {target}", style)
        x += 170
    yield _ring(x, y - 4, "#334155")
    yield _text(x + 9, y, "has a parent of its own kind", style)


def _rectangle(box: Box, radius: int, style: str) -> str:
    x, y, width, height = (value * _UNIT for value in (box.x, box.y, box.width, box.height))
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="{radius}" {style}/>'


def _text(x: float, y: float, text: str, style: str) -> str:
    return f'<text x="{x:g}" y="{y:g}" {style}>{escape(text)}</text>'


def _corners(way: Sequence[_Point]) -> list[_Point]:
    kept = [way[0]]
    for before, point, after in zip(way, way[1:], way[2:], strict=False):
        if (point[0] - before[0], point[1] - before[1]) != (after[0] - point[0], after[1] - point[1]):
            kept.append(point)
    return [*kept, way[-1]]


def _path(way: Sequence[_Point]) -> str:
    """A line with round corners, that ends where its arrow begins."""
    corners = [(x * _UNIT, y * _UNIT) for x, y in _corners(way)]
    parts = [f"M{corners[0][0]} {corners[0][1]}"]
    for before, corner, after in zip(corners, corners[1:], corners[2:], strict=False):
        one, other = _towards(corner, before, 5), _towards(corner, after, 5)
        parts.append(f"L{one[0]} {one[1]}Q{corner[0]} {corner[1]} {other[0]} {other[1]}")
    end = _towards(corners[-1], corners[-2], 7)
    return "".join(parts) + f"L{end[0]} {end[1]}"


def _towards(start: _Point, end: _Point, length: int) -> _Point:
    dx, dy = end[0] - start[0], end[1] - start[1]
    size = max(abs(dx), abs(dy), 1)
    length = min(length, size // 2 if size < 2 * length else length)
    return start[0] + dx * length // size, start[1] + dy * length // size


def _arrow(target: str, way: Sequence[_Point]) -> str:
    (x0, y0), (x, y) = way[-2], way[-1]
    dx, dy = x - x0, y - y0
    tip = (x * _UNIT, y * _UNIT)
    back = (tip[0] - 8 * dx, tip[1] - 8 * dy)
    points = [tip, (back[0] + 4 * dy, back[1] + 4 * dx), (back[0] - 4 * dy, back[1] - 4 * dx)]
    d = "M" + "L".join(f"{px} {py}" for px, py in points) + "z"
    return f'<path d="{d}" fill="{_COLORS[area_of(target)]}"/>'
