"""Write what the docs say of streams, options, cost and omissions, and the picture of the streams.

    python -m tools.docs

All of it is derived from the manifest, the contract and the dbt package; it stands between markers in
README.md and pages of docs/, and in docs/streams.svg. A test fails when it drifts
(unit_tests/test_docs.py).
"""

import json
import math
import textwrap
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import yaml
from graphql import GraphQLObjectType, GraphQLSchema

from source_linear import graphql
from source_linear.graphql import MAX_COST, MAX_PAGE_SIZE, NestedList, Root, affordable, ids_in
from source_linear.linear.errors import TABLE, Action
from source_linear.linear.selection import parse, price
from source_linear.packaged import manifest
from source_linear.streams import Stream
from source_linear.sync.lister import Lister, Listing
from source_linear.sync.probe import Probe, Wanted, slices_of
from source_linear.sync.workspace import questions
from tools.diagram import picture
from tools.evidence import EVIDENCE, OTHER_TYPES, columns_of_any_json
from tools.relations import AREAS, area_of, node_type, phrase_of, relations
from tools.schemas import ROOT, contract, streams
from tools.verify.facts import table as verified_facts

MODELS = ROOT / "dbt" / "models" / "marts" / "linear_models.yml"
PICTURE = ROOT / "docs" / "streams.svg"

_WIDTH = 120  # of a line of text

# --- What is left out, and why --------------------------------------------------------------------

# Never queried: they open something, or say how something is locked.
SECRETS = (
    "Webhook.secret",
    "User.calendarHash",
    "User.inviteHash",
    "Team.inviteHash",
    "Organization.aiProviderConfiguration",
    "Organization.authSettings",
    "Organization.samlSettings",
    "Organization.scimSettings",
)
_OWNERS = "of the key's owner, not of the workspace"
_COMPUTED = "computed from the view's filter, which is in `filterData` and the like"
_NO_STREAM = "rows of no stream"
# Fields whose reason neither their type nor a deprecation tells.
REASONS: Mapping[str, str] = {
    "CustomView.initiatives": _COMPUTED,
    "CustomView.issues": _COMPUTED,
    "CustomView.projects": _COMPUTED,
    "CustomView.updates": _COMPUTED,
    "CustomView.userViewPreferences": _OWNERS,
    "CustomView.viewPreferencesValues": _OWNERS,
    "Issue.favorite": _OWNERS,
    "Issue.summary": "internal to Linear",
    "Organization.loops": _OWNERS,
    "Project.attachments": _NO_STREAM,
    "Project.favorite": _OWNERS,
    "Release.history": _NO_STREAM,
    "Team.gitAutomationStates": _NO_STREAM,
    "Team.loops": _OWNERS,
    "Team.membership": _OWNERS,
    "Team.viewerCanJoin": _OWNERS,
    "Team.viewerCanLeave": _OWNERS,
    "Team.viewerMembership": _OWNERS,
    "User.drafts": _OWNERS,
    "User.issueDrafts": _OWNERS,
}


def left_out(stream: Stream, known: Sequence[Stream], linear: GraphQLSchema) -> dict[str, str | None]:
    """Every field of a stream's entity that no column comes from, with the reason; None: unknown."""
    entity = linear.type_map[stream.entity]
    assert isinstance(entity, GraphQLObjectType)
    names = {each.entity: each.name for each in known}
    queried = {*stream.fields, *stream.relations, *stream.objects}
    queried |= {nested.name for nested in stream.lists.values()}
    columns = set(stream.column_names)
    found: dict[str, str | None] = {}
    for name, field in entity.fields.items():
        ids = {f"{name}Id", f"{name.removesuffix('s')}Ids"}
        if name in queried or ids & columns:
            continue
        where = f"{stream.entity}.{name}"
        if where in SECRETS:
            found[name] = "secret"
        elif field.deprecation_reason is not None:
            found[name] = "deprecated by Linear"
        elif where in REASONS:
            found[name] = REASONS[where]
        elif (target := node_type(field.type)) in names:
            found[name] = f"rows of `{names[target]}`"
        else:
            found[name] = None
    return found


def left_out_list(known: Sequence[Stream], linear: GraphQLSchema) -> Iterator[str]:
    """One line a stream that leaves something out."""
    for stream in _sorted(known):
        reasons: dict[str, list[str]] = {}
        for name, reason in left_out(stream, known, linear).items():
            reasons.setdefault(reason or "?", []).append(f"`{name}`")
        parts = [f"{', '.join(names)} ({reason})" for reason, names in sorted(reasons.items())]
        if parts:
            yield f"- **{stream.name}**: {'; '.join(parts)}."


# --- Streams --------------------------------------------------------------------------------------


def stream_list(known: Sequence[Stream]) -> Iterator[str]:
    """The names, one line an area."""
    yield f"{len(known)} streams with {sum(len(stream.column_names) for stream in known):,} columns:"
    yield ""
    for area, members in AREAS.items():
        yield f"- **{area}**: {', '.join(f'`{name}`' for name in members)}"


def stream_table(known: Sequence[Stream]) -> Iterator[str]:
    """One row a stream; what is the same for all or nearly all is said once, above."""
    usual = max(known, key=lambda one: sum(one.cursor_field == each.cursor_field for each in known))
    others = [each for each in known if each.cursor_field != usual.cursor_field]
    exceptions = ", ".join(f"`{each.cursor_field}` of `{each.name}`" for each in others)
    yield (
        f"Each of the {len(known)} streams has the primary key `id` and the sync modes Full Refresh and "
        f"Incremental. The cursor is `{usual.cursor_field}`, but {exceptions}."
    )
    yield ""
    head = ("Stream", "A row is", "Type in Linear", "Kind", "Columns", "Limited by")
    head += ("Archiving seen", "Deletion seen")
    yield from _table(
        (*head, "Rows a request", "Requests for 1,000 rows", "Points a row"),
        [_stream_row(stream) for stream in _sorted(known)],
    )


def _stream_row(stream: Stream) -> tuple[str, ...]:
    limits = ["`start_date`"] if stream.kind in ("windowed", "child") else []
    limits += ["`team_keys`"] if stream.team_filter else []
    if stream.connection:
        requests = _range(requests_for(stream, 1000))
        page, points = str(stream.page_size), _range(round(each) for each in points_a_row(stream))
    else:
        page, requests, points = "all", "1", f"{round(page_cost(stream))} in all"
    parents = _or([f"{root.entity.lower()}s" for root in stream.roots if root.children])
    return (
        f"`{stream.name}`",
        phrase_of(stream.name),
        f"`{stream.entity}`",
        stream.kind,
        str(len(stream.column_names)),
        ", ".join(limits),
        archiving_seen(stream),
        deletion_seen(stream),
        f"{page} {parents}".strip(),
        requests,
        points,
    )


def archiving_seen(stream: Stream) -> str:
    """When a sync sees that a row was archived and not changed."""
    if not stream.connection:
        return "" if stream.roots[0].is_object else "as a deletion"
    if stream.kind == "swept":
        return "next sync"
    if stream.is_of_issues:
        return "next sync" if stream.name == "issues" else "with its issue"
    return "`detect_deletions`"


def deletion_seen(stream: Stream) -> str:
    """When a sync reports that a row is gone, or sends one that became visible."""
    if not stream.reports_deleted:
        return ""
    return "`detect_deletions`" if stream.is_long else "next sync"


def joins(known: Sequence[Stream], linear: GraphQLSchema) -> Iterator[str]:
    """One line a stream: which of its columns hold the ids of which stream's rows."""
    found = relations(known, linear)
    for stream in _sorted(known):
        targets: dict[str, list[str]] = {}
        for relation in found:
            if relation.stream == stream.name:
                targets.setdefault(relation.target, []).append(f"`{relation.column}`")
        parts = [f"{', '.join(columns)} → {target}" for target, columns in sorted(targets.items())]
        if parts:
            yield f"- **{stream.name}**: {'; '.join(parts)}"


# --- JSON columns ---------------------------------------------------------------------------------


def json_table(known: Sequence[Stream], linear: GraphQLSchema) -> Iterator[str]:
    """One row a column whose form Linear's schema leaves open: its type, and how that is known."""
    rows = [
        (f"`{column}`", ", ".join(names), kind, EVIDENCE[column])
        for column, (kind, names) in columns_of_any_json(known, linear).items()
    ]
    yield from _table(("Column", "Streams", "Type", "How it is known"), rows)


def other_types() -> Iterator[str]:
    """One line a column that has another type than in Airbyte's own source-linear."""
    for where, (theirs, ours) in OTHER_TYPES.items():
        stream = where.partition(".")[0]
        yield (
            f"- **`{where}`** is {_a(ours)}, as Linear sends it, where Airbyte's own has {_a(theirs)}. "
            f"Destinations have written null for what was of another type: refresh `{stream}` to fill it."
        )


# --- Options --------------------------------------------------------------------------------------


def options() -> Iterator[str]:
    """The settings of the spec, those of each kind of credentials in a table of its own."""
    properties = manifest()["spec"]["connection_specification"]["properties"]
    head = ("Option", "Type", "Default", "What it does")
    for kind in properties["credentials"]["oneOf"]:
        settings = dict(kind["properties"])
        auth_type = settings.pop("auth_type")["const"]
        yield f"`credentials` with `auth_type` `{auth_type}`:"
        yield ""
        yield from _table(head, [_option(name, settings[name], kind["required"]) for name in settings])
        yield ""
    yield "Beside `credentials`:"
    yield ""
    rest = [name for name in properties if name != "credentials"]
    yield from _table(head, [_option(name, properties[name], ()) for name in rest])


def _option(name: str, schema: Mapping[str, Any], required: Iterable[str]) -> tuple[str, ...]:
    kind = f"list of {schema['items']['type']}s" if schema["type"] == "array" else schema["type"]
    if values := schema.get("enum"):
        kind = _or([f"`{value}`" for value in values])
    elif "minimum" in schema:
        kind = f"{kind}, {schema['minimum']} to {schema['maximum']}"
    default = "required" if name in required else "none"
    if "default" in schema:
        default = f"`{str(schema['default']).lower()}`"
    text = schema["description"]
    if form := schema.get("pattern_descriptor"):
        text += f" Form: {form}."
    if examples := schema.get("examples"):
        text += f" For example `{json.dumps(examples[0])}`."
    if schema.get("airbyte_secret"):
        text += " Secret."
    if schema.get("airbyte_hidden"):
        text += " Not shown in Airbyte's form."
    return f"`{name}`", kind, default, text


# --- Cost -----------------------------------------------------------------------------------------

# Linear's limits an hour (requests, points) by kind of credentials: docs/linear-api.md, LIMITS-1.
LIMITS = {"an API key": (2_500, 3_000_000), "an OAuth app": (5_000, 2_000_000)}
# Of a workspace for which the cost of a first sync is computed; all other streams fit into a page.
ROWS_AN_ISSUE = {"issues": 1, "issue_history": 1, "issue_state_spans": 1, "comments": 3, "attachments": 1}
SIZES = (1_000, 10_000, 100_000)
_FIRST = 50  # rows that a walk asks for at first (source_linear/sync/probe.py)


def page_cost(stream: Stream) -> float:
    """Points of a page of each root, by Linear's formula (LIMITS-4): of what is asked for, not what came."""
    if stream.connection:
        return stream.page_size * sum(graphql.points_a_row(root) for root in stream.roots)
    return sum(1 + price(root.fields) for root in stream.roots)


def _follow_cost(stream: Stream) -> float:
    """Points of reading on all lists of a row, by one more page of each (source_linear/sync/lister.py)."""

    def points(root: Root, nested: NestedList) -> float:
        listing = Listing(nested.name, nested.first, count=nested.first)
        inner = (*parse("id"), nested.page(listing.further(price((nested.page(1),)), 0), "x"))
        return graphql.page(root, "n0", inner, 1, where=ids_in(["x"])).points

    own = sum(points(stream.roots[0], one) for one in stream.lists.values() if one.first)
    return own + max(points(root, root.children) if root.children else 0 for root in stream.roots)


def requests_for(stream: Stream, rows: float, windows: int = 1) -> tuple[int, int]:
    """Requests that read so many rows, or rows of so many parents.

    At least: those for pages. At most: with every nested list longer than what came, but soon at its end.
    """
    pages = windows * max(len(stream.roots), math.ceil(rows / windows / stream.page_size))
    return pages, pages + windows * math.ceil(rows / windows * _follow_cost(stream) / MAX_COST)


def points_a_row(stream: Stream) -> tuple[float, float]:
    """At least and at most, as for requests."""
    own = max(graphql.points_a_row(root) for root in stream.roots)
    return own, own + _follow_cost(stream)


def walk(known: Sequence[Stream], issues: int) -> tuple[int, float]:
    """Requests and points of walking all lists, as a first sync does before it reads.

    Each request is full while there is enough to ask for; a list takes as many as it has pages at the least.
    """
    nothing: Any = None  # is asked
    wanted = [Wanted(stream, None, stream.is_comparable) for stream in known]
    short = Probe(Lister(nothing), [one for one in wanted if not one.stream.is_long], ())
    long = Probe(Lister(nothing), [one for one in wanted if one.stream.is_long], ())
    first = long.questions()
    rounds = defaultdict(
        list, {-1: [*questions(()).values(), *short.questions().values()], 0: [*first.values()]}
    )
    for stream in known:
        if stream.name in ROWS_AN_ISSUE and not stream.parents:
            root, left = stream.roots[0], ROWS_AN_ISSUE[stream.name] * issues - _FIRST
            many = max(1, slices_of(left) if root.filterable else 1)
            page = graphql.page(root, "list", root.dates, MAX_PAGE_SIZE, "x", {"createdAt": {}})
            for number in range(math.ceil(left / many / MAX_PAGE_SIZE)):
                rounds[number + 1] += [page] * many
    asked = [question for one in rounds.values() for question in one]
    full = len(list(affordable(asked, lambda question: question.points)))
    return max(len(rounds), full), sum(question.points for question in asked)


def first_sync(known: Sequence[Stream], issues: int) -> tuple[tuple[int, float], tuple[int, float]]:
    """Requests and points of a first sync, at least and at most, by Linear's published formula."""
    least, most = ([*walk(known, issues)] for _ in range(2))
    for stream in known:
        windows = stream.windows_of(issues) if stream.kind in ("windowed", "child") else 1
        rows = ROWS_AN_ISSUE.get(stream.name, 0) * issues
        requests = requests_for(stream, rows, windows)
        for bound, asked in zip((least, most), requests, strict=True):
            bound[0] += asked
            bound[1] += requests[0] * page_cost(stream)
        most[1] += rows * _follow_cost(stream)
    return (int(least[0]), least[1]), (int(most[0]), most[1])


def hours_of_waiting(requests: float, points: float, limits: tuple[int, int]) -> float:
    """How long Linear's limits hold a sync up: the buckets are full at first, and refill all the time."""
    return max(0.0, requests / limits[0] - 1, points / limits[1] - 1)


def first_sync_table(known: Sequence[Stream]) -> Iterator[str]:
    """What a first sync costs by size of the workspace, with and without its widest stream."""
    widest = max(known, key=lambda stream: points_a_row(stream)[0])
    rows = []
    for chosen, name in ((known, "all"), ([one for one in known if one is not widest], "without")):
        for issues in SIZES:
            bounds = first_sync(chosen, issues)
            waits = (
                _range(round(hours_of_waiting(*bound, limits), 1) for bound in bounds)
                for limits in LIMITS.values()
            )
            rows.append(
                (
                    f"{issues:,}",
                    name if chosen is known else f"all but `{widest.name}`",
                    _range(bound[0] for bound in bounds),
                    _range(round(bound[1] / 1e6, 1) for bound in bounds),
                    *(f"{wait} h" if wait != "0" else "none" for wait in waits),
                )
            )
    waits_with = [f"Waiting with {name}" for name in LIMITS]
    yield from _table(("Issues", "Streams", "Requests", "Million points", *waits_with), rows)


def quiet_sync(known: Sequence[Stream]) -> Iterator[str]:
    """What a sync costs that finds nothing new."""
    points = sum(math.ceil(page_cost(stream)) for stream in known)
    requests = 1 + sum(len(stream.roots) for stream in known)
    yield (
        f"Without the change probe a sync of all streams that finds nothing new would make {requests} "
        f"requests and cost about {round(points, -3):,} points by the formula. "
        "[With it](performance.md#an-incremental-sync) it makes one or two, and more in a workspace with "
        "long lists of users, labels, cycles or memberships: one for each further 250 rows. Where "
        "`detect_deletions` is due, the long lists of issues, comments and the like are walked as well."
    )


# --- Errors ---------------------------------------------------------------------------------------


def errors() -> Iterator[str]:
    """What the connector says of a failed exchange, and what to do about it."""
    said: dict[str, tuple[str, str]] = {}
    for action, _, reason, remedy in TABLE.values():
        by_itself = "yes" if action in (Action.RETRY, Action.WAIT, Action.REDUCE) else ""
        if action is Action.REFRESH:
            by_itself = "once, with a new access token"
        said.setdefault(reason.partition(" ({detail})")[0], (remedy, by_itself))
    rows = [(f"{reason[0].upper()}{reason[1:]} …", *rest) for reason, rest in said.items()]
    yield from _table(("Message", "What to do", "Retried automatically"), rows)


# --- Models of the dbt package --------------------------------------------------------------------


def models() -> Iterator[str]:
    """A table a model: its columns and what they mean."""
    for model in yaml.safe_load(MODELS.read_text("utf-8"))["models"]:
        yield f"### {model['name']}"
        yield ""
        yield textwrap.fill(model["description"], _WIDTH, break_long_words=False, break_on_hyphens=False)
        yield ""
        rows = [(f"`{column['name']}`", column["description"]) for column in model["columns"]]
        yield from _table(("Column", "What it holds"), rows)
        yield ""


# --- Text -----------------------------------------------------------------------------------------


def blocks() -> dict[str, dict[str, str]]:
    """The generated parts of each file, by name."""
    known, linear = streams(), contract()
    return {
        "README.md": {"streams": "\n".join(stream_list(known))},
        "docs/linear-api.md": {"checked": "\n".join(verified_facts())},
        "docs/linear.md": {
            "options": "\n".join(options()),
            "streams": "\n".join(stream_table(known)),
            "joins": "\n".join(joins(known, linear)),
            "first sync": "\n".join(first_sync_table(known)),
            "quiet sync": "\n".join(quiet_sync(known)),
            "errors": "\n".join(errors()),
        },
        "docs/columns.md": {
            "json columns": "\n".join(json_table(known, linear)),
            "secrets": ", ".join(f"`{where}`" for where in SECRETS) + ".",
            "left out": "\n".join(left_out_list(known, linear)),
        },
        "docs/migrating.md": {"other types": "\n".join(other_types())},
        "docs/dbt.md": {"models": "\n".join(models())},
    }


def streams_picture() -> str:
    """docs/streams.svg."""
    known = streams()
    return picture(relations(known, contract()), {stream.name: stream.entity for stream in known})


def filled(text: str, parts: Mapping[str, str]) -> str:
    """The text with each part between its markers.

    Raises:
        ValueError: the text does not hold the markers of a part exactly once.
    """
    for name, part in parts.items():
        start, end = f"<!-- generated: {name} -->\n", f"<!-- end of {name} -->"
        if text.count(start) != 1 or text.count(end) != 1:
            raise ValueError(f"the markers of {name!r} must be there once")
        before, _, rest = text.partition(start)
        text = f"{before}{start}{part}\n{end}{rest.partition(end)[2]}"
    return text


def _sorted(known: Sequence[Stream]) -> list[Stream]:
    by_name = {stream.name: stream for stream in sorted(known, key=lambda stream: area_of(stream.name))}
    return [by_name[name] for members in AREAS.values() for name in members if name in by_name]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    yield from (f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows)


def _range(bounds: Iterable[float]) -> str:
    shown = [f"{bound:,.0f}" if bound == int(bound) else f"{bound:,}" for bound in bounds]
    return " to ".join(dict.fromkeys(shown))


def _a(word: str) -> str:
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


def _or(words: Sequence[str]) -> str:
    return " or ".join(part for part in (", ".join(words[:-1]), "".join(words[-1:])) if part)


def main() -> None:
    """Write the generated parts of the docs and the picture."""
    for name, parts in blocks().items():
        path = ROOT / name
        path.write_text(filled(path.read_text("utf-8"), parts), "utf-8")
    PICTURE.write_text(streams_picture(), "utf-8")
    print("README.md, the pages in docs/ and docs/streams.svg are up to date")


if __name__ == "__main__":
    main()
