"""Errors: how Linear says that something is wrong, in each of the ways that do no harm."""

import re
import uuid

from tools.verify.asking import Linear, Reply
from tools.verify.claim import Findings, claim, found, unseen
from tools.verify.words import shown


def _compared(reply: Reply, code: str, statuses: tuple[int, ...]) -> Findings:
    if not reply.failure and not reply.problems:
        return found(1, 1, "accepted")
    exchange = reply.exchange
    as_said = exchange.code == code and exchange.status in statuses
    seen = f"{exchange.code or 'no code'}, HTTP {exchange.status}, “{shown(exchange.said)}”"
    return found(1, not as_said, seen, code=exchange.code, status=exchange.status)


@claim(
    "ERRORS-2",
    "a key that is not valid is answered with AUTHENTICATION_ERROR at HTTP 400 or 401",
    "A wrong key would not be told from a failure that passes: the connector would ask again for minutes.",
)
def wrong_key(linear: Linear) -> Findings:
    if linear.stranger is None:
        return unseen("there is nobody to ask with a wrong key")
    reply = linear.ask("query stranger { viewer { id } }", api=linear.stranger)
    return _compared(reply, "AUTHENTICATION_ERROR", (400, 401))


@claim(
    "ERRORS-4",
    "a field that is gone is answered with GRAPHQL_VALIDATION_FAILED, in words that name field and type",
    "The connector would not see which column is gone: the stream fails, not one column. Report it.",
)
def unknown_field(linear: Linear) -> Findings:
    reply = linear.ask("query wrong { viewer { id noSuchField } }")
    found_ = _compared(reply, "GRAPHQL_VALIDATION_FAILED", (400, 500))
    words = 'Cannot query field "noSuchField" on type "User"'
    named = any(words in problem.said for problem in reply.problems)
    seen = f"{found_.seen}, {'in' if named else 'not in'} the words that the connector knows"
    return found(2, found_.differing + (not named), seen, **found_.figures)


@claim(
    "ERRORS-15",
    "an argument or a value that is gone is named in graphql-js's words, each mistake by an error of its own",
    "The connector would not see what is gone: the stream fails instead of losing a column. Report it.",
)
def unknown_argument(linear: Linear) -> Findings:
    reply = linear.ask(
        "query wrong { issues(first: 1, noSuchArgument: 1) { nodes { id } } "
        "users(first: 1, orderBy: noSuchValue) { nodes { id } } }"
    )
    words = (
        r'Unknown argument "noSuchArgument" on field "(Query\.)?issues"',
        r'Value "noSuchValue" does not exist in "PaginationOrderBy" enum',
    )
    said = [problem.said for problem in reply.problems]
    missing = sum(not any(re.search(one, text) for text in said) for one in words)
    return found(
        2, missing, f"{reply.refusal or 'accepted'}, {2 - missing} of 2 mistakes named", errors=len(said)
    )


@claim(
    "ERRORS-5",
    "a wrong value of an argument is answered with INVALID_INPUT at HTTP 200 or 400",
    "The connector would call it a bug in other words. It sends no such value; no row is lost.",
)
def wrong_value(linear: Linear) -> Findings:
    reply = linear.ask(
        "query wrong($filter: IssueFilter) { issues(first: 1, filter: $filter) { nodes { id } } }",
        {"filter": {"updatedAt": {"gte": "no date"}}},
    )
    return _compared(reply, "INVALID_INPUT", (200, 400))


@claim(
    "ERRORS-9",
    "a row that is not there is answered with INPUT_ERROR, “Entity not found”, at HTTP 200",
    "A row that cannot be read might fail its page instead of being left out: the stream fails. Report it.",
)
def no_such_row(linear: Linear) -> Findings:
    reply = linear.ask("query none($id: String!) { issue(id: $id) { id } }", {"id": str(uuid.uuid4())})
    compared = _compared(reply, "INPUT_ERROR", (200,))
    said = "Entity not found" in reply.exchange.said
    return found(2, compared.differing + (not said), compared.seen, **compared.figures)
