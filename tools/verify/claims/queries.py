"""The connector's own queries: whether Linear takes them, as they are sent."""

from collections.abc import Callable

from source_linear.sync.roots import Roots

from source_linear.streams import Stream
from source_linear.sync.probe import Probe
from tools.verify.asking import Linear, NotSeen, Reply
from tools.verify.claim import Findings, claim, found, unseen
from tools.verify.evidence import is_refusal, now, page, small_page
from tools.verify.words import shown


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
