"""Linear's schema, as it describes itself, against the contract and against what it must not have."""

from collections import Counter
from functools import partial

from graphql import GraphQLField, GraphQLInputObjectType, GraphQLSchema, build_client_schema, get_named_type

from tools.contract import Change, compare, unread_in
from tools.schemas import CONTRACT, contract
from tools.verify.asking import Linear, NotSeen, Reply
from tools.verify.claim import Findings, claim, found

# docs/linear-api.md, FILTER-2
_UNFILTERED = """
agentSessions customerStatuses customerTiers externalUsers favorites initiativeRelations initiativeToProjects
integrationTemplates integrations issueRelations issueToReleases notificationSubscriptions organizationInvites
projectRelations projectStatuses roadmapToProjects roadmaps teamMemberships timeSchedules
triageResponsibilities webhooks
"""
_WRAPPINGS = 7  # lists and exclamation marks around a type, at most
_MOST_NAMED = 20


def _introspection(all_inputs: bool) -> str:
    """GraphQL's standard query for a schema, without fragments, descriptions and directives."""
    kind = "kind name"
    for _ in range(_WRAPPINGS):
        kind = f"kind name ofType {{ {kind} }}"
    given = "(includeDeprecated: true)"
    of_inputs = given if all_inputs else ""
    marks = "isDeprecated deprecationReason"
    an_input = f"name type {{ {kind} }} defaultValue {marks if all_inputs else ''}"
    return (
        "query schema { __schema { queryType { name } directives { name locations args { name } } types { "
        f"kind name fields{given} {{ name args{of_inputs} {{ {an_input} }} type {{ {kind} }} {marks} }} "
        f"inputFields{of_inputs} {{ {an_input} }} interfaces {{ {kind} }} possibleTypes {{ {kind} }} "
        f"enumValues{given} {{ name {marks} }} }} }} }}"
    )


def theirs(linear: Linear) -> GraphQLSchema:
    """Linear's schema.

    Raises:
        NotSeen: it does not describe itself.
    """

    def make() -> GraphQLSchema:
        reply: Reply = linear.ask(_introspection(True))
        if reply.failure:
            reply = linear.ask(_introspection(False))
        if reply.failure:
            raise NotSeen(f"Linear does not describe its schema ({reply.refusal})")
        described = dict(reply.data["__schema"])
        described["directives"] = []
        return build_client_schema({"__schema": described})

    schema: GraphQLSchema = linear.once("schema", make)
    return schema


def _roots(schema: GraphQLSchema) -> dict[str, GraphQLField]:
    assert schema.query_type is not None
    return dict(schema.query_type.fields)


@claim(
    "QUERY-3",
    "Linear's schema has all that the contract has, of the same types",
    "What is gone or changed may cost a column or a stream: run `make contract SDK=latest`, and report it.",
)
def as_contracted(linear: Linear) -> Findings:
    ours, schema = contract(), theirs(linear)
    changes = [one for one in compare(ours, schema, list(linear.streams.values())) if _matters(one, ours)]
    lost = [one for one in changes if one.what in ("removed", "changed")]
    by_stream = {
        what: dict(Counter(one.stream for one in changes if one.what == what))
        for what in ("added", "removed", "changed", "deprecated")
    }
    seen = ", ".join(f"{sum(streams.values())} {what}" for what, streams in by_stream.items())
    if lost:
        seen += ": " + "; ".join(
            f"{one.what} {one.where}{one.detail} ({one.stream})" for one in lost[:_MOST_NAMED]
        )
    elif by_stream["added"]:
        seen += f"; added: {', '.join(f'{name} {count}' for name, count in by_stream['added'].items())}"
    places = [one.where for one in changes]
    kept = sum(len(getattr(kind, "fields", ()) or (1,)) for kind in ours.type_map.values())
    return found(kept, min(len(lost), kept), seen, by_stream=by_stream, places=places)


def _matters(change: Change, ours: GraphQLSchema) -> bool:
    """Whether a change is in what the contract covers; of the roots, only new lists are news."""
    holder, _, member = change.where.partition(".")
    if change.what != "added":
        return True
    if holder == "Query":
        known = unread_in(CONTRACT.read_text("utf-8")) | set(_roots(ours))
        return "(" in member or (member not in known and change.detail.rstrip("!").endswith("Connection"))
    return holder in ours.type_map and bool(member)


def _with_argument(argument: str, roots: list[str], linear: Linear) -> Findings:
    """Whether roots take an argument that they are said not to take."""
    fields = _roots(theirs(linear))
    there = [root for root in roots if root in fields]
    if not there:
        raise NotSeen("the schema has none of these roots")
    taking = [root for root in there if argument in fields[root].args]
    seen = f"{len(there)} roots, {len(taking)} take {argument}"
    return found(
        len(there), len(taking), ": ".join([seen, *filter(None, [", ".join(taking)])]), taking=taking
    )


def _without_filter(linear: Linear) -> Findings:
    return _with_argument("filter", _UNFILTERED.split(), linear)


unfiltered = claim(
    "FILTER-2",
    f"{len(_UNFILTERED.split())} roots take no `filter`",
    "A root with a filter could be read more cheaply. No row is lost; please report it.",
)(_without_filter)

templates = claim(
    "ARCHIVING-10",
    "`templates` takes no `includeArchived`",
    "Archived templates could be read, which they are not now. Please report it.",
)(partial(_with_argument, "includeArchived", ["templates"]))


@claim(
    "PAGING-6",
    "`templates` is a plain list and `organization` an object: neither has pages",
    "The streams `templates` and `organization` would bring their first page only, or none.",
)
def plain(linear: Linear) -> Findings:
    fields = _roots(theirs(linear))
    wrong = [
        name
        for name in ("templates", "organization")
        if "first" in fields[name].args or get_named_type(fields[name].type).name.endswith("Connection")
    ]
    return found(
        2, len(wrong), f"{len(wrong)} otherwise{': ' if wrong else ''}{', '.join(wrong)}", wrong=wrong
    )


def _inputs(schema: GraphQLSchema, ending: str) -> dict[str, GraphQLInputObjectType]:
    """The input types of root arguments whose names end so."""
    return {
        get_named_type(argument.type).name: get_named_type(argument.type)  # type: ignore[misc]
        for root in _roots(schema).values()
        for argument in root.args.values()
        if get_named_type(argument.type).name.endswith(ending)
    }


@claim(
    "FILTER-4",
    "only filters of issues and notifications know `archivedAt`",
    "Other streams could ask for their archived rows, without `detect_deletions`. Report it.",
)
def archived_filters(linear: Linear) -> Findings:
    filters = _inputs(theirs(linear), "Filter")
    having = [name for name, kind in filters.items() if "archivedAt" in kind.fields]
    other = sorted(set(having) - {"IssueFilter", "NotificationFilter"})
    missing = "IssueFilter" not in having
    seen = f"{len(filters)} filters, with archivedAt: {', '.join(having) or 'none'}"
    return found(len(filters), min(len(filters), len(other) + missing), seen, having=having)


@claim(
    "FILTER-9",
    "nothing sorts by `archivedAt`",
    "Archived rows could be found by their order. No row is lost; please report it.",
)
def archived_sorts(linear: Linear) -> Findings:
    schema = theirs(linear)
    orders = _inputs(schema, "SortInput")
    having = [name for name, kind in orders.items() if "archivedAt" in kind.fields]
    values = getattr(schema.type_map.get("PaginationOrderBy"), "values", {})
    having += ["PaginationOrderBy"] if "archivedAt" in values else []
    compared = len(orders) + bool(values)
    return found(compared, len(having), f"{compared} orders, {len(having)} by archivedAt", having=having)
