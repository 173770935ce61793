"""Charts as SVG: text that a browser draws without any script or network."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT = 640, 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 12, 12, 34
_ROW = 40  # height of a row of horizontal bars
_NAMES = 132  # width of their names
_LABELS = 6  # at most so many labels stand on an axis of time
_TICKS = 4

Value = float | None


@dataclass(frozen=True)
class Series:
    """Values of one kind.

    Attributes:
        name: for the legend and the text of each mark.
        colour: of its marks.
        values: one a place on the axis; None where there is none.
    """

    name: str
    colour: str
    values: Sequence[Value]


@dataclass(frozen=True)
class Axes:
    """Where values stand in a chart of places from left to right."""

    count: int
    top: float

    def x(self, place: float) -> float:
        """The middle of a place."""
        return _LEFT + (place + 0.5) * (_WIDTH - _LEFT - _RIGHT) / self.count

    def y(self, value: float) -> float:
        """The height of a value."""
        return _HEIGHT - _BOTTOM - value / self.top * (_HEIGHT - _TOP - _BOTTOM)


def bars(
    title: str, places: Sequence[str], series: Sequence[Series], unit: str, *, unfinished: bool = True
) -> str:
    """Bars side by side at each place; the last place is paler where it is not over yet."""
    axes = _axes(places, series)
    step = (_WIDTH - _LEFT - _RIGHT) / axes.count
    width = step * 0.8 / len(series)
    marks = []
    for number, one in enumerate(series):
        for place, value in enumerate(one.values):
            if value is None:
                continue
            left = axes.x(place) - step * 0.4 + number * width
            pale = ' opacity="0.45"' if unfinished and place == len(places) - 1 else ""
            marks.append(
                f'<rect x="{left:.1f}" y="{axes.y(value):.1f}" width="{width * 0.92:.1f}" '
                f'height="{_HEIGHT - _BOTTOM - axes.y(value):.1f}" fill="{one.colour}"{pale}>'
                f"{_hover(places[place], one.name, value, unit)}</rect>"
            )
    return _svg(title, _HEIGHT, [*_grid(axes, places), *marks])


def lines(
    title: str,
    places: Sequence[str],
    series: Sequence[Series],
    unit: str,
    *,
    dots: bool = True,
    unfinished: bool = False,
) -> str:
    """A line a series, interrupted where there is no value; filled below where there is one series.

    The dot at the last place is hollow where that is not over yet.
    """
    axes = _axes(places, series)
    marks = []
    for one in series:
        for part in _parts(one.values):
            points = " ".join(f"{axes.x(place):.1f},{axes.y(value):.1f}" for place, value in part)
            if len(series) == 1:
                low = axes.y(0)
                area = f"{axes.x(part[0][0]):.1f},{low:.1f} {points} {axes.x(part[-1][0]):.1f},{low:.1f}"
                marks.append(f'<polygon points="{area}" fill="{one.colour}" opacity="0.12"/>')
            marks.append(
                f'<polyline points="{points}" fill="none" stroke="{one.colour}" stroke-width="2" '
                'stroke-linejoin="round"/>'
            )
            opacity = "" if dots else ' opacity="0"'  # there all the same, to be pointed at
            marks += [
                f'<circle cx="{axes.x(place):.1f}" cy="{axes.y(value):.1f}" r="3" '
                f"{_dot(one.colour, unfinished and place == len(places) - 1)}{opacity}>"
                f"{_hover(places[place], one.name, value, unit)}</circle>"
                for place, value in part
            ]
    return _svg(title, _HEIGHT, [*_grid(axes, places), *marks])


def rows(title: str, places: Sequence[str], series: Sequence[Series], unit: str) -> str:
    """Bars from left to right, one below the other at each place, with their values."""
    most = max((value for one in series for value in one.values if value is not None), default=0) or 1
    room = _WIDTH - _NAMES - 64
    thick = (_ROW - 8) / len(series)
    marks = []
    for place, name in enumerate(places):
        middle = place * _ROW + _ROW / 2
        marks.append(
            f'<text class="name" x="{_NAMES - 10}" y="{middle:.1f}" text-anchor="end" '
            f'dominant-baseline="central">{escape(_short(name))}<title>{escape(name)}</title></text>'
        )
        for number, one in enumerate(series):
            value = one.values[place]
            if value is None:
                continue
            top = place * _ROW + 4 + number * thick
            hover = _hover(name, one.name, value, unit)
            marks.append(
                f'<rect x="{_NAMES}" y="{top:.1f}" width="{max(1, value / most * room):.1f}" '
                f'height="{thick * 0.88:.1f}" fill="{one.colour}">{hover}</rect>'
                f'<text x="{_NAMES + value / most * room + 6:.1f}" y="{top + thick * 0.46:.1f}" '
                f'dominant-baseline="central">{number_text(value)}</text>'
            )
    return _svg(title, max(1, len(places)) * _ROW, marks)


def number_text(value: float | None) -> str:
    """A number for people: whole, or with one place."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def _axes(places: Sequence[str], series: Sequence[Series]) -> Axes:
    most = max((value for one in series for value in one.values if value is not None), default=0)
    step = _step(most)
    return Axes(max(1, len(places)), step * max(1, math.ceil(most / step)))


def _step(most: float) -> float:
    """The distance of the ticks: 1, 2 or 5 by a power of ten, and few of them."""
    if most <= 0:
        return 1
    rough = most / _TICKS
    power = 10 ** math.floor(math.log10(rough))
    return next((power * one for one in (1, 2, 5) if power * one >= rough), power * 10)


def _grid(axes: Axes, places: Sequence[str]) -> Iterator[str]:
    step = _step(axes.top)
    for number in range(math.floor(axes.top / step + 1e-9) + 1):
        value = number * step
        yield (
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{axes.y(value):.1f}" y2="{axes.y(value):.1f}" '
            f'stroke="{"#8a8f98" if value == 0 else "#e4e6ea"}"/>'
            f'<text x="{_LEFT - 8}" y="{axes.y(value):.1f}" text-anchor="end" '
            f'dominant-baseline="central">{number_text(value)}</text>'
        )
    every = math.ceil(axes.count / _LABELS)
    for place in range(len(places) - 1, -1, -every):
        end = "end" if place == len(places) - 1 and len(places) > 2 * _LABELS else "middle"
        at = _WIDTH - _RIGHT if end == "end" else axes.x(place)
        yield f'<text x="{at:.1f}" y="{_HEIGHT - 8}" text-anchor="{end}">{escape(places[place])}</text>'


def _dot(colour: str, hollow: bool) -> str:
    return f'fill="#fff" stroke="{colour}" stroke-width="2"' if hollow else f'fill="{colour}"'


def _parts(values: Sequence[Value]) -> Iterator[list[tuple[int, float]]]:
    part: list[tuple[int, float]] = []
    for place, value in enumerate([*values, None]):
        if value is not None:
            part.append((place, value))
        elif part:
            yield part
            part = []


def _hover(place: str, name: str, value: float, unit: str) -> str:
    return f"<title>{escape(place)}: {escape(name)} {number_text(value)} {unit}</title>"


def _short(name: str, most: int = 18) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"


def _svg(title: str, height: float, marks: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height:g}" role="img" aria-label="{escape(title)}">'
        f"{''.join(marks)}</svg>"
    )
