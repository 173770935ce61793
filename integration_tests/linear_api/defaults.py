"""Believable values for every field of every type, driven by the schema alone.

A type's rows share a handful of variants, so that 100,000 issues fit into memory and a type
that Linear adds tomorrow has values without a line of code.
"""

from __future__ import annotations

import random
import re
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLObjectType,
    GraphQLOutputType,
    get_named_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)

from .clock import to_text
from .rows import Row
from .schema import Kind, Schema

VARIANTS = 24
DAY = 86_400_000
HISTORY = 3 * 365 * DAY  # rows reach back about three years

WORDS = (
    "Checkout", "Überarbeitung", "設定画面", "rate limits", "Größe", "café ☕", "l'équipe",
    "naïve cache", "Łódź", "🚀 launch", "مرحبا", "Привет", "quoted \"text\"", "a\ttab",
)  # fmt: skip
PARAGRAPHS = (
    "Steps to reproduce:\n1. Open the page\n2. Click *Save*\n\nExpected: saved. 🙂",
    "Wir sollten das vor dem Release beheben – sonst schlägt der Import fehl.",
    "保存ボタンを押すとエラーになる。\r\n再現率は100%です。",
    "See [the thread](https://example.com/t/1?a=b&c=d) and `code <b>here</b>`.",
    "Too short.",
    'Emoji family 👩‍👩‍👧‍👦, combining é, zero\u200bwidth, back\\slash, "quotes".',
    "| a | b |\n|---|---|\n| 1 | 2 |\n",
)
OBJECTS: tuple[dict[str, Any], ...] = (
    {},
    {"count": 3, "ratio": 0.25, "ok": True, "none": None},
    {"nested": {"list": [1, "zwei", {"drei": 3}], "empty": []}, "名前": "値"},
    {"2024-01-01": {"completed": 4, "started": 2}, "2024-01-02": {"completed": 5, "started": 1}},
)
# JSON that is no object, though a JSONObject by the schema. Recorded: `reactionData`, `plan`, `templateData`;
# the others are described as arrays, and what is in them is made up. Four each, as of OBJECTS: what else is
# drawn of a seed does not depend on the field.
FORMS: dict[str, tuple[Any, ...]] = {
    "context": (
        [],
        [{"type": "issue", "id": "0b0e7c1a-5a70-4a53-9a2e-2d4c1f6f0001"}],
        [{"type": "project", "id": "0b0e7c1a-5a70-4a53-9a2e-2d4c1f6f0002"}, {"type": "設定画面", "id": None}],
        [{}],
    ),
    "entries": (
        [],
        [{"type": "name", "from": "Checkout", "to": "Überarbeitung"}],
        [{"type": "archived", "at": "2025-01-31T08:15:00.123Z"}],
        [
            {"type": "status", "from": None, "to": "started"},
            {"type": "leadId", "nested": {"list": [1, "zwei"]}},
        ],
    ),
    "plan": (
        [],
        [{"content": "Read the issue", "status": "completed"}],
        [{"content": "Ask 山田 太郎", "status": "canceled"}],
        [
            {"content": "Das Problem nachstellen", "status": "completed"},
            {"content": "改善 🚀", "status": "inProgress"},
            {"content": "Open a pull request", "status": "pending"},
        ],
    ),
    "progressHistory": (
        [],
        [{"completed": {"count": 4, "estimate": 6.5}, "started": {"count": 2, "estimate": 3}}],
        [{"completed": {"count": 0, "estimate": 0}}, {"completed": {"count": 5, "estimate": 8}}],
        [{}],
    ),
    "reactionData": ([], [], [], []),
    "templateData": (
        '{"title":"A bug","priority":2}',
        '{"title":"Größe \\"prüfen\\"","labelIds":[],"descriptionData":null}',
        '{"name":"設定画面","teamIds":["0b0e7c1a-5a70-4a53-9a2e-2d4c1f6f0003"]}',
        "{}",
    ),
}
COLORS = ("#5e6ad2", "#26b5ce", "#f2c94c", "#eb5757", "#bec2c8")
ICONS = ("Rocket", "Bug", "Bolt", ":tada:")
ZONES = ("Europe/Berlin", "America/Los_Angeles", "Asia/Tokyo", "Etc/UTC")

# set row by row, never shared
_OWN = frozenset({"id", "createdAt", "updatedAt", "archivedAt", "trashed"})


class Defaults:
    """The values of a type's fields that nobody gave.

    Args:
        schema: Linear's schema.
        seed: the same seed gives the same values.
        now: UTC epoch milliseconds; no date lies after it.
    """

    def __init__(self, schema: Schema, seed: int, now: int) -> None:
        self._schema = schema
        self._seed = seed
        self._now = now
        self._variants: dict[str, list[dict[str, Any]]] = {}
        self._turn: dict[str, int] = {}

    def of(self, type_name: str) -> dict[str, Any]:
        """The next variant of a type: shared, not to be changed."""
        variants = self._variants.setdefault(type_name, [])
        turn = self._turn.get(type_name, 0)
        self._turn[type_name] = turn + 1
        if turn < VARIANTS:
            rng = random.Random(f"{self._seed}:{type_name}:{turn}")
            variants.append(self._variant(type_name, rng))
        return variants[turn % VARIANTS]

    def value(self, kind: GraphQLObjectType, rng: random.Random, depth: int = 0) -> Any:
        """An embedded object of a type, every field in it."""
        values = {"__typename": kind.name, **self._values(kind.name, rng, depth)}
        return Row(values)

    def _variant(self, type_name: str, rng: random.Random) -> dict[str, Any]:
        return {name: value for name, value in self._values(type_name, rng, 0).items() if value is not None}

    def _values(self, type_name: str, rng: random.Random, depth: int) -> dict[str, Any]:
        schema = self._schema
        kind = schema.type(type_name)
        relations = schema.relations(type_name)
        values: dict[str, Any] = {}
        for name, field in schema.fields(type_name).items():
            if (name in _OWN and type_name in schema.entities) or name in relations:
                continue
            if field.kind in (Kind.LEAF, Kind.VALUE):
                values[name] = self._field(name, kind.fields[name].type, rng, depth)
            elif field.kind is Kind.RELATION:
                values[field.key] = None
            elif depth:
                values[field.key] = []
        return values

    def _field(self, name: str, kind: GraphQLOutputType, rng: random.Random, depth: int) -> Any:
        if is_non_null_type(kind):
            kind = kind.of_type
        elif rng.random() < 0.4 or depth > 3:
            return None
        if is_list_type(kind):
            if name.endswith("Ids") or depth > 3:
                return []
            return [self._field(name, kind.of_type, rng, depth + 1) for _ in range(rng.randint(0, 2))]
        named = get_named_type(kind)
        if isinstance(named, GraphQLEnumType):
            return rng.choice(list(named.values))
        if is_leaf_type(named):
            return self._scalar(name, named.name, rng)
        return self.value(rng.choice(self._schema.possible_types(named)), rng, depth + 1)

    def _scalar(self, name: str, kind: str, rng: random.Random) -> Any:
        past = self._now - rng.randrange(HISTORY)
        if kind == "Boolean":
            return rng.random() < 0.5
        if kind == "Int":
            return rng.randrange(100)
        if kind == "Float":
            number = rng.choice((0.0, 1.0, 0.5, -12.75, float(rng.randrange(1000))))
            return sort_order(number / 1000) if name.lower().endswith("sortorder") else number
        if kind == "DateTime":
            return to_text(past)
        if kind == "TimelessDate":
            return to_text(past)[:10]
        if kind in ("JSON", "JSONObject"):
            return rng.choice(FORMS.get(name, OBJECTS))
        if kind == "Duration":
            return "P1D"
        if kind == "ID" or name.endswith("Id"):
            return f"{rng.getrandbits(64):016x}"
        return _text(name, rng)


def sort_order(place: float) -> float:
    """Where a row stands that is at a place between 0 and 1: fractional, often negative, sometimes whole."""
    order = round(place * 12_034.6 - 10_000, 2)
    return int(order) if int(order) % 10 == 0 else order


def slug(*parts: str) -> str:
    """The last part of a page's address: a title in lower case, and what makes it unique."""
    return re.sub(r"[^a-z0-9]+", "-", " ".join(parts).lower()).strip("-")


def _text(name: str, rng: random.Random) -> str:
    lower = name.lower()
    number = rng.randrange(100_000)
    if lower.endswith(("url", "urls")):
        return f"https://linear.app/standin/{number}"
    if "email" in lower:
        return f"person{number}@example.com"
    if "color" in lower:
        return rng.choice(COLORS)
    if lower == "icon":
        return rng.choice(ICONS)
    if lower == "timezone":
        return rng.choice(ZONES)
    if lower in ("body", "description", "content", "summary", "shortsummary", "diffmarkdown"):
        return rng.choice(PARAGRAPHS)
    if lower in ("sortorder", "position"):
        return f"a{number}"
    if lower.endswith(("at", "date")):
        return "2024-05-17T08:30:00.000Z"
    return f"{rng.choice(WORDS)} {number}"
