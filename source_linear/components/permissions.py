"""Permissions: which streams the credentials may not read, found out in one request if all is well."""

import time
from collections.abc import Collection

import orjson

from source_linear.components.errors import Action, errors_of, said
from source_linear.components.requester import LinearRequester
from source_linear.queries import Stream

_PAUSE = 1.0  # seconds before a failed question is asked again


def refused_streams(requester: LinearRequester, streams: Collection[Stream]) -> dict[str, str]:
    """The streams that may not be read, each with Linear's reason.

    One query asks for one row of every root. A root that is refused fails it as a whole (its field may
    not be null): then it is asked again without. Where Linear does not say which root it is, or finds
    the query too complex, it is halved.
    """
    wanted = {
        root.name: "(first: 1) { nodes { id } }" if stream.connection else "{ id }"
        for stream in streams
        for root in stream.roots
    }
    reasons: dict[str, str] = {}
    questions = [list(wanted)]
    deadline = time.monotonic() + requester.patience
    while questions and time.monotonic() < deadline:
        roots = questions.pop()
        query = " ".join(f"{root} {wanted[root]}" for root in roots)
        response, failure, _ = requester.exchange(orjson.dumps({"query": f"query permissions {{ {query} }}"}))
        if failure is None or failure.has_data:
            continue
        if failure.action is Action.RETRY:
            questions.append(roots)
            time.sleep(_PAUSE)
        elif response is not None and failure.action in (Action.FAIL, Action.REDUCE):
            errors = {str((error.get("path") or [""])[0]): said(error) for error in errors_of(response)}
            if len(roots) == 1:
                errors = {roots[0]: next(iter(errors.values()), failure.reason)}
            refused = errors.keys() & set(roots)
            reasons |= {root: errors[root] for root in refused}
            rest = [root for root in roots if root not in refused]
            half = 0 if refused else len(rest) // 2
            questions += [part for part in (rest[:half], rest[half:]) if part]
    return {
        stream.name: reasons[root.name] for stream in streams for root in stream.roots if root.name in reasons
    }
