"""The connector's own queries: whether Linear takes them, as they are sent."""

from collections.abc import Callable

from source_linear.linear.errors import Failure
from source_linear.streams import Stream
from source_linear.sync.lister import Lister
from source_linear.sync.probe import Probe, Wanted
from tools.verify.asking import Linear, NotSeen, Reply
from tools.verify.claim import Findings, claim, found, unseen
from tools.verify.evidence import full_pages, is_refusal, is_refused, now, small_pages
from tools.verify.words import shown


def _taken(linear: Linear, ask: Callable[[Linear, Stream], list[Reply]]) -> Findings:
    taken, refused, silent, wrong = 0, 0, 0, {}
    for name, stream in linear.streams.items():
        try:
            failed = [reply for reply in ask(linear, stream) if reply.failure]
        except NotSeen:
            silent += 1
            continue
        if invalid := [reply for reply in failed if not is_refusal(reply)]:
            wrong[name] = f"{invalid[0].refusal}: {shown(invalid[0].exchange.said)}"
        elif failed:
            refused += 1
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
    return _taken(linear, small_pages)


@claim(
    "QUERY-2",
    "each query is accepted with as many rows as the formula allows, as a first sync sends it",
    "The connector halves a page that is too complex; any other refusal fails the stream. Report it.",
)
def large(linear: Linear) -> Findings:
    return _taken(linear, full_pages)


@claim(
    "QUERY-4",
    "a change probe of all streams is answered: each of its questions with rows",
    "A stream without an answer is read as if there were no probe: a request more, and no row is lost.",
)
def probe(linear: Linear) -> Findings:
    wanted = [
        Wanted(stream, now(linear), walks=stream.is_comparable and not stream.is_long)
        for stream in linear.streams.values()
        if not is_refused(linear, stream)
    ]
    before, points = linear.meter.requests, linear.meter.points
    lister = Lister(linear.api)
    replies = lister.ask(Probe(lister, wanted, ()).questions())
    silent = sorted(name for name, reply in replies.items() if isinstance(reply, Failure))
    requests, points = linear.meter.requests - before, linear.meter.points - points
    cost = f"{requests} requests and {points:,.0f} points"
    seen = f"{len(replies) - len(silent)} of {len(replies)} questions answered after {cost}"
    if silent:
        seen += f"; not {', '.join(silent)}"
    return found(len(replies), len(silent), seen, requests=requests, points=round(points), silent=silent)


@claim(
    "ENDPOINT-6",
    "40 and more roots are accepted under aliases in one query",
    "The connector halves a query with too many roots: a quiet sync costs some requests more.",
)
def aliases(linear: Linear) -> Findings:
    roots = [
        stream.roots[0].name
        for stream in linear.streams.values()
        if stream.connection and not stream.parents and not is_refused(linear, stream)
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
