"""The connector's own queries: whether Linear takes them, as they are sent."""

from collections import Counter
from collections.abc import Callable

from source_linear.streams import Stream
from source_linear.sync.probe import Probe
from source_linear.sync.roots import Roots
from tools.verify.asking import Linear, Reply
from tools.verify.claim import Findings, NotSeen, claim, found, unseen
from tools.verify.evidence import is_refusal, now, page, small_page
from tools.verify.words import shown

_NEEDS_ADMIN = {"audit_entries", "webhooks", "integrations", "organization_invites"}
# Streams of features that not every plan includes.
_NEEDS_PLAN = {
    "customers", "customer_needs", "customer_statuses", "customer_tiers", "initiatives", "initiative_history",
    "initiative_labels", "initiative_relations", "initiative_to_projects", "initiative_updates", "releases",
    "release_notes", "release_pipelines", "release_stages", "issue_to_releases", "entity_external_links",
    "triage_responsibilities", "time_schedules", "agent_sessions", "agent_activities", "agent_skills",
}  # fmt: skip


def _taken(linear: Linear, ask: Callable[[Linear, Stream], Reply]) -> Findings:
    taken, refused, silent, wrong = 0, 0, 0, {}
    for name, stream in linear.streams.items():
        try:
            reply = ask(linear, stream)
        except NotSeen:
            silent += 1
            continue
        if is_refusal(reply):
            refused += 1
        elif reply.failure:
            wrong[name] = f"{reply.refusal}: {shown(reply.exchange.said)}"
        else:
            taken += 1
    seen = [f"{taken} of {len(linear.streams)} queries answered"]
    seen += [f"{refused} refused to these credentials"] if refused else []
    seen += [f"{silent} without an answer"] if silent else []
    seen += [f"{name}: {said}" for name, said in wrong.items()]
    if not taken and not wrong:
        return unseen("no query was answered")
    return found(taken + len(wrong), len(wrong), "; ".join(seen), taken=taken, refused=refused, wrong=wrong)


@claim(
    "QUERY-1",
    "the query of each of the 50 streams is valid, as a later sync sends it (one row)",
    "A stream whose query is invalid loses columns, or all of its rows: update source-linear, or report it.",
)
def valid(linear: Linear) -> Findings:
    return _taken(linear, small_page)


@claim(
    "QUERY-2",
    "each query is accepted with as many rows as the formula allows, as a first sync sends it",
    "The connector halves a page that is too complex; any other refusal fails the stream. Report it.",
)
def large(linear: Linear) -> Findings:
    return _taken(linear, page)


@claim(
    "QUERY-4",
    "a change probe of all streams is answered: each root with its rows, or by name as refused",
    "A stream without an answer is read as if there were no probe: a request more, and no row is lost.",
)
def probe(linear: Linear) -> Findings:
    streams = {
        name: (stream, now(linear))
        for name, stream in linear.streams.items()
        if not is_refusal(small_page(linear, stream))
    }
    before, points = linear.meter.requests, linear.meter.points
    asked = Probe(streams)
    asked.ask(Roots(linear.api), {})
    silent = sorted(set(streams) - set(asked.news))
    requests, points = linear.meter.requests - before, linear.meter.points - points
    cost = f"{requests} requests and {points:,.0f} points"
    seen = f"{len(asked.news)} of {len(streams)} streams known after {cost}"
    if silent:
        seen += f"; not {', '.join(silent)}"
    return found(len(streams), len(silent), seen, requests=requests, points=round(points), silent=silent)


@claim(
    "ENDPOINT-6",
    "40 and more roots are accepted under aliases in one query",
    "The connector halves a query with too many roots: a quiet sync costs some requests more.",
)
def aliases(linear: Linear) -> Findings:
    roots = [
        stream.roots[0].name
        for stream in linear.streams.values()
        if stream.connection and not stream.parents and not is_refusal(small_page(linear, stream))
    ]
    if len(roots) < 5:
        return unseen("fewer than five lists may be read")
    body = " ".join(f"r{number}: {root}(first: 1) {{ nodes {{ id }} }}" for number, root in enumerate(roots))
    reply = linear.ask(f"query aliases {{ {body} }}")
    seen = f"{len(roots)} roots, {reply.refusal or 'accepted'}"
    return found(1, bool(reply.failure), seen, roots=len(roots))


@claim(
    "ENDPOINT-4",
    "`viewer` and `organization` can be read; id, name, e-mail and URL key of both cost 3 points",
    "The connection check costs something else. Nothing is lost.",
)
def who(linear: Linear) -> Findings:
    query = "query who { viewer { id name email } organization { id name urlKey } }"
    reply = linear.ask(query)
    if reply.failure:
        return found(1, 1, reply.refusal)
    billed = reply.exchange.billed
    if billed is None:
        return unseen("the answer has no X-Complexity")
    return found(1, billed != 3, f"{billed:g} points", points=billed)


def _refused(linear: Linear) -> dict[str, Reply]:
    replies = {}
    for name, stream in linear.streams.items():
        try:
            reply = small_page(linear, stream)
        except NotSeen:
            continue
        if is_refusal(reply):
            replies[name] = reply
    return replies


@claim(
    "ENDPOINT-7",
    "refused are only streams that need an admin or a plan",
    "The docs name the streams that need more than a key: more of them do. `check` names them for your key.",
)
def refusals(linear: Linear) -> Findings:
    refused = _refused(linear)
    if not refused:
        return unseen("these credentials may read everything")
    other = sorted(set(refused) - _NEEDS_ADMIN - _NEEDS_PLAN)
    seen = f"{len(refused)} streams refused: {', '.join(refused)}"
    return found(len(refused), len(other), seen, refused=sorted(refused), unexpected=other)


@claim(
    "ERRORS-3",
    "a refusal says what it is: by its code, or by words that the connector knows",
    "`check` and the stream say what Linear says, but not what to do about it. Report code and text.",
)
def reasons(linear: Linear) -> Findings:
    refused = _refused(linear)
    if not refused:
        return unseen("these credentials may read everything")
    unknown = [
        name for name, reply in refused.items() if reply.failure and reply.failure.code == "INPUT_ERROR"
    ]
    said = Counter(f"{reply.refusal}, “{shown(reply.exchange.said)}”" for reply in refused.values())
    seen = "; ".join(f"{count} × {text}" for text, count in said.items())
    return found(len(refused), len(unknown), seen, answers=dict(said), unknown=sorted(unknown))


@claim(
    "ERRORS-11",
    "`data` beside `errors` comes at HTTP 200, and the fields that the errors name are null",
    "The connector keeps the rows at any status. A named field that is not null would be a value to doubt.",
)
def partial(linear: Linear) -> Findings:
    partly = [reply for reply in linear.replies if reply.problems and reply.data and not reply.failure]
    if not partly:
        return unseen("no answer had both")
    statuses = Counter(reply.exchange.status for reply in partly)
    named = [_at(reply.data, problem.path) for reply in partly for problem in reply.problems if problem.path]
    filled = sum(value is not None for value in named)
    codes = Counter(problem.code for reply in partly for problem in reply.problems)
    differing = sum(count for status, count in statuses.items() if status != 200) + filled
    seen = (
        f"{len(partly)} answers, HTTP {', '.join(map(str, statuses))}; {len(named)} errors with a path, "
        f"{filled} of these fields not null; "
        f"{', '.join(f'{count} × {code}' for code, count in codes.items())}"
    )
    return found(len(partly) + len(named), differing, seen, statuses=dict(statuses), codes=dict(codes))


@claim(
    "ERRORS-14",
    "no successful answer lacks a root that was asked for",
    "The connector asks again; a stream whose root never comes fails with a sentence.",
)
def whole(linear: Linear) -> Findings:
    answered = [reply.exchange for reply in linear.replies if not reply.failure]
    lacking = linear.meter.incomplete
    return found(
        len(answered) + lacking, lacking, f"{len(answered) + lacking} answers, {lacking} without a root"
    )


def _at(value: object, path: tuple[str | int, ...]) -> object:
    for part in path:
        if isinstance(part, str) and isinstance(value, dict):
            value = value.get(part)
        elif isinstance(part, int) and isinstance(value, list) and part < len(value):
            value = value[part]
        else:
            return None
    return value
