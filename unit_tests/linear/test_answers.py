"""What an answer is taken for, on recorded answers and on made-up ones: a pure function."""

import json
import socket

import pytest
import requests

from integration_tests.linear_api.answers import answer, answers
from source_linear.linear.answers import decoded, judge, judge_silence, judge_token
from source_linear.linear.errors import TABLE, Action, Kind

CONFIG, TRANSIENT, SYSTEM = Kind.CONFIG, Kind.TRANSIENT, Kind.SYSTEM
USERS = {"users": ("nodes", "pageInfo")}
PAGE = {"nodes": [{"id": "u1"}], "pageInfo": {"hasNextPage": False, "endCursor": None}}


def error(code=None, kind=None, message="Linear's words", path=None):
    entry = {"message": message, "extensions": {"code": code, "type": kind}}
    return entry if path is None else {**entry, "path": path}


def judged(document=None, status=200, text=None, roots=USERS):
    return judge("users", status, (json.dumps(document) if text is None else text).encode(), roots)


def refusal(code=None, status=400, **rest):
    return judged({"errors": [error(code, **rest)]}, status).failure


RETRIED, WAITED = (Action.RETRY, TRANSIENT), (Action.WAIT, TRANSIENT)
REFUSED, BUG, KEY = (Action.FAIL, CONFIG), (Action.FAIL, SYSTEM), (Action.REFRESH, CONFIG)

# What the answer of each file is taken for: row of `TABLE`, action and kind; None where its rows are kept.
EXPECTED: dict[str, tuple[str, tuple[Action, Kind]] | None] = {
    "admins-only": ("FORBIDDEN", REFUSED),
    "argument-removed": ("GRAPHQL_VALIDATION_FAILED", BUG),
    "bearer-before-a-key": ("AUTHENTICATION_ERROR", KEY),
    "body-is-a-list": ("NOT_JSON", RETRIED),
    "body-is-a-number": ("NOT_JSON", RETRIED),
    "body-is-a-text": ("NOT_JSON", RETRIED),
    "body-is-an-empty-object": ("INCOMPLETE", RETRIED),
    "body-is-null": ("NOT_JSON", RETRIED),
    "byte-order-mark": ("NOT_JSON", RETRIED),
    "cut-body": ("NOT_JSON", RETRIED),
    "data-and-errors-null": ("INCOMPLETE", RETRIED),
    "data-empty": ("INCOMPLETE", RETRIED),
    "data-null": ("INCOMPLETE", RETRIED),
    "empty-body": ("NOT_JSON", RETRIED),
    "entity-not-found": ("INPUT_ERROR", BUG),
    "enum-value-removed": ("GRAPHQL_VALIDATION_FAILED", BUG),
    "error-without-a-path": ("INTERNAL_SERVER_ERROR", RETRIED),
    "error-without-extensions": ("INTERNAL_SERVER_ERROR", RETRIED),
    "errors-empty": None,
    "field-of-an-add-on": None,
    "field-removed": ("GRAPHQL_VALIDATION_FAILED", BUG),
    "field-removed-with-a-suggestion": ("GRAPHQL_VALIDATION_FAILED", BUG),
    "filter-field-removed": ("GRAPHQL_VALIDATION_FAILED", BUG),
    "forbidden-at-200": ("FORBIDDEN", REFUSED),
    "forbidden-at-400": ("FORBIDDEN", REFUSED),
    "forbidden-at-403": ("FORBIDDEN", REFUSED),
    "forbidden-by-type-alone": ("FEATURE_NOT_ACCESSIBLE", REFUSED),
    "forms-of-json-columns": None,
    "half-an-emoji": None,
    "half-an-emoji-in-a-key": None,
    "html-403": ("NOT_JSON", RETRIED),
    "html-429": ("RATELIMITED", WAITED),
    "html-500": ("NOT_JSON", RETRIED),
    "html-502": ("NOT_JSON", RETRIED),
    "html-503": ("NOT_JSON", RETRIED),
    "html-504": ("NOT_JSON", RETRIED),
    "html-at-200": ("NOT_JSON", RETRIED),
    "internal-error-at-200": ("INTERNAL_SERVER_ERROR", RETRIED),
    "internal-error-at-500": ("INTERNAL_SERVER_ERROR", RETRIED),
    "key-not-valid-at-400": ("AUTHENTICATION_ERROR", KEY),
    "key-not-valid-at-401": ("AUTHENTICATION_ERROR", KEY),
    "moved": ("NOT_FOUND", REFUSED),
    # Whether there is a way on is for those to say who read the pages.
    "no-next-cursor": None,
    "no-next-cursor-in-a-list": None,
    "no-page-info": ("INCOMPLETE", RETRIED),
    "nodes-missing": ("INCOMPLETE", RETRIED),
    "nodes-null": ("INCOMPLETE", RETRIED),
    "not-enabled": ("FEATURE_NOT_ACCESSIBLE", REFUSED),
    "not-json-at-the-end": ("NOT_JSON", RETRIED),
    "not-utf-8": None,
    "nul-and-line-separators": None,
    "null-node-forbidden": None,
    "null-node-passing": ("INTERNAL_SERVER_ERROR", RETRIED),
    "null-node-without-an-error": None,
    "one-passing-one-lasting": ("INTERNAL_SERVER_ERROR", RETRIED),
    "one-root-of-several-refused": ("FEATURE_NOT_ACCESSIBLE", REFUSED),
    "one-row-cannot-be-read": ("INPUT_ERROR", BUG),
    "page-info-null": ("INCOMPLETE", RETRIED),
    "page-size-over-250": ("INVALID_INPUT", BUG),
    "partial-at-200": None,
    "partial-at-400": None,
    "partial-at-403": None,
    "partial-at-500": None,
    "partial-passing": ("INTERNAL_SERVER_ERROR", RETRIED),
    "partial-rate-limited": ("RATELIMITED", WAITED),
    "proxy-refuses": ("PROXY_REFUSES", REFUSED),
    "rate-limited": ("RATELIMITED", WAITED),
    "rate-limited-429": ("RATELIMITED", WAITED),
    "rate-limited-with-headers": ("RATELIMITED", WAITED),
    "root-missing": ("INCOMPLETE", RETRIED),
    "root-null": ("INCOMPLETE", RETRIED),
    "row-cannot-be-read-at-400": ("INPUT_ERROR", BUG),
    "several-removed": ("GRAPHQL_VALIDATION_FAILED", BUG),
    "stamps-before-the-row": None,
    "too-complex": ("TOO_COMPLEX", (Action.REDUCE, SYSTEM)),
    "too-large": ("TOO_LARGE", BUG),
    "type-removed": ("GRAPHQL_VALIDATION_FAILED", BUG),
    "unknown-input-error": ("INPUT_ERROR", BUG),
}
# Of the answers of several errors, or of data with errors: which fields or rows lack something, and why.
PROBLEMS = {
    "field-of-an-add-on": [("FEATURE_NOT_ACCESSIBLE", "identifier", 0)],
    "null-node-forbidden": [("FORBIDDEN", "", 1)],
    "null-node-passing": [("INTERNAL_SERVER_ERROR", "", 1)],
    "one-passing-one-lasting": [
        ("FEATURE_NOT_ACCESSIBLE", "priorityLabel", 0),
        ("INTERNAL_SERVER_ERROR", "lead", 0),
    ],
    "one-root-of-several-refused": [("FEATURE_NOT_ACCESSIBLE", "releases", None)],
    "one-row-cannot-be-read": [("INPUT_ERROR", "issue", 125)],
    "row-cannot-be-read-at-400": [("INPUT_ERROR", "issue", 0)],
    "partial-at-400": [("FEATURE_NOT_ACCESSIBLE", "botActor", 0)],
    "partial-rate-limited": [("FEATURE_NOT_ACCESSIBLE", "identifier", 0), ("RATELIMITED", "lead", 0)],
}
PLAIN_LISTS = ("templates",)  # a root without pages
# Rows that are kept while what is missing is asked for again.
HAVE_DATA = {
    "error-without-a-path",
    "null-node-passing",
    "one-passing-one-lasting",
    "partial-passing",
    "partial-rate-limited",
}
_KINDS = {Kind.CONFIG: "config_error", Kind.TRANSIENT: "as transient"}


def judgement_of(given):
    """What is made of a file's answer, asked for as the connector does."""
    page = ("nodes", "pageInfo") if given.name in ("no-page-info", "page-info-null") else ("nodes",)
    keys = {root: () if root in PLAIN_LISTS else page for root in given.asked_for}
    return judge("s", given.status, given.body, keys)


@pytest.mark.parametrize("given", answers(), ids=lambda given: given.name)
def test_a_known_answer_is_taken_for_what_it_is(given):
    failure = judgement_of(given).failure
    assert (failure and (failure.code, (failure.action, failure.kind))) == EXPECTED[given.name]
    assert bool(failure and failure.has_data) == (given.name in HAVE_DATA)


@pytest.mark.parametrize("given", answers(), ids=lambda given: given.name)
def test_an_answer_is_taken_for_what_its_file_says(given):
    failure = judgement_of(given).failure
    if given.expect.startswith(("the row is kept", "left out", "rows as they are", "each value")):
        assert failure is None
    if given.expect.startswith(("waits", "asked again later")):
        assert failure and failure.action in (Action.WAIT, Action.RETRY)
    for kind, words in _KINDS.items():
        if words in given.expect:
            assert failure and failure.kind is kind
    if "COMPLETE with 0 rows" in given.expect or given.expect.startswith("an error that says so"):
        assert failure and failure.action is Action.RETRY
    if "where it cannot be read" in given.expect and not given.expect.startswith(("read,", "a row,")):
        assert "cannot be read from character" in failure.reason


@pytest.mark.parametrize("name", PROBLEMS)
def test_what_is_wrong_with_a_field_or_a_row_is_told_with_its_place(name):
    judgement = judgement_of(answer(name))
    assert [(one.code, one.field, one.index) for one in judgement.problems] == PROBLEMS[name]


def test_of_each_file_it_is_known_what_it_is_taken_for():
    assert set(EXPECTED) == {given.name for given in answers()}


@pytest.mark.parametrize("given", answers(), ids=lambda given: given.name)
def test_no_known_answer_is_taken_for_whole_that_lacks_a_root(given):
    judgement = judgement_of(given)
    if judgement.failure is None:
        whole = [judgement.data[root] for root in given.asked_for]
        assert all(isinstance(root if isinstance(root, list) else root["nodes"], list) for root in whole)
    else:
        assert judgement.failure.message.startswith("Stream s: ")
        assert TABLE[judgement.failure.code][0] is judgement.failure.action


@pytest.mark.parametrize(
    ("code", "status", "action", "kind", "remedy"),
    [
        ("RATELIMITED", 400, Action.WAIT, TRANSIENT, "Try again"),
        ("RATELIMITED", 429, Action.WAIT, TRANSIENT, "Try again"),
        ("AUTHENTICATION_ERROR", 401, Action.REFRESH, CONFIG, "Create a new API key"),
        ("AUTHENTICATION_ERROR", 400, Action.REFRESH, CONFIG, "Create a new API key"),
        ("FORBIDDEN", 403, Action.FAIL, CONFIG, "workspace admin"),
        ("FORBIDDEN", 200, Action.FAIL, CONFIG, "deselect the stream"),
        ("FEATURE_NOT_ACCESSIBLE", 400, Action.FAIL, CONFIG, "Upgrade the plan"),
        ("GRAPHQL_VALIDATION_FAILED", 400, Action.FAIL, SYSTEM, "bug of source-linear"),
        ("GRAPHQL_VALIDATION_FAILED", 500, Action.FAIL, SYSTEM, "bug of source-linear"),
        ("INVALID_INPUT", 200, Action.FAIL, SYSTEM, "bug of source-linear"),
        ("INPUT_ERROR", 400, Action.FAIL, SYSTEM, "please report it"),
        ("INTERNAL_SERVER_ERROR", 500, Action.RETRY, TRANSIENT, "linearstatus.com"),
        ("INTERNAL_SERVER_ERROR", 200, Action.RETRY, TRANSIENT, "linearstatus.com"),
    ],
)
def test_a_code_decides_whatever_the_http_status(code, status, action, kind, remedy):
    failure = refusal(code, status)
    assert (failure.action, failure.kind) == (action, kind)
    assert remedy in failure.remedy
    assert "Linear's words" in failure.reason


@pytest.mark.parametrize(
    ("kind", "action"),
    [("ratelimited", Action.WAIT), ("Forbidden", Action.FAIL), ("authentication error", Action.REFRESH)],
)
def test_the_type_decides_where_the_code_is_unknown(kind, action):
    assert refusal("SOMETHING_NEW", kind=kind).action is action


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("The query is too complex. Complexity: 12304.", "TOO_COMPLEX"),
        ("Feature 'Customers' is not enabled", "FEATURE_NOT_ACCESSIBLE"),
        ("You must be a workspace admin to interact with webhooks.", "FORBIDDEN"),
        ("Could not find referenced Issue.", "INPUT_ERROR"),
    ],
)
def test_an_input_error_is_known_by_its_text(said, code):
    assert refusal("INPUT_ERROR", message=said).code == code


def test_an_unknown_input_error_quotes_sentence_and_path():
    path = ["users", "nodes", 3, "app"]
    failure = refusal("INPUT_ERROR", message="No such thing.", path=path)
    assert "No such thing, at users.nodes.3.app" in failure.reason


@pytest.mark.parametrize("status", [200, 400, 403, 500])
def test_rows_with_a_refused_field_are_kept_at_any_status(status):
    errors = [error("FEATURE_NOT_ACCESSIBLE", path=["users", "nodes", 0, "app"])]
    judgement = judged({"data": {"users": PAGE}, "errors": errors}, status)
    assert judgement.failure is None
    assert [problem.field for problem in judgement.problems] == ["app"]


def test_of_several_errors_one_that_may_pass_decides():
    errors = [error("FEATURE_NOT_ACCESSIBLE"), error("INTERNAL_SERVER_ERROR")]
    failure = judged({"data": {"users": PAGE}, "errors": errors}).failure
    assert (failure.action, failure.has_data) == (Action.RETRY, True)


def test_a_rate_limit_decides_before_all_else():
    errors = [error("INTERNAL_SERVER_ERROR"), error("RATELIMITED")]
    assert judged({"errors": errors}).failure.action is Action.WAIT


@pytest.mark.parametrize(
    "document",
    [
        {"data": {}},
        {"data": None},
        {"data": []},
        {},
        {"data": {"teams": PAGE}},
        {"data": {"users": None}},
        {"data": {"users": []}},
        {"data": {"users": {**PAGE, "nodes": None}}},
        {"data": {"users": {"nodes": []}}},
        {"data": {"users": PAGE | {"pageInfo": None}}},
        {"errors": []},
        {"errors": "no"},
    ],
)
def test_an_answer_without_what_was_asked_for_is_a_failure(document):
    failure = judged(document).failure
    assert (failure.action, failure.kind) == (Action.RETRY, TRANSIENT)
    assert "lacks what was asked for" in failure.reason


def test_an_error_names_the_row_of_a_page():
    path = ["users", "nodes", 125, "app"]
    failure = judged({"data": None, "errors": [error("INPUT_ERROR", path=path)]}).failure
    assert failure.index == 125


@pytest.mark.parametrize(
    ("status", "text", "action", "kind"),
    [
        (502, "<html>", Action.RETRY, TRANSIENT),
        (403, "<html>", Action.RETRY, TRANSIENT),
        (429, "<html>", Action.WAIT, TRANSIENT),
        (401, "<html>", Action.REFRESH, CONFIG),
        (404, "<html>", Action.FAIL, CONFIG),
        (302, "", Action.FAIL, CONFIG),
        (407, "<html>", Action.FAIL, CONFIG),
        (413, "<html>", Action.FAIL, SYSTEM),
        (200, '{"data": {"users"', Action.RETRY, TRANSIENT),
        (200, "[]", Action.RETRY, TRANSIENT),
        (403, "{}", Action.FAIL, CONFIG),
    ],
)
def test_the_status_decides_where_nothing_else_is_known(status, text, action, kind):
    failure = judged(status=status, text=text).failure
    assert (failure.action, failure.kind) == (action, kind)


def test_a_body_that_is_not_json_says_where_it_cannot_be_read():
    text = '{"data": {"users": {"nodes": [{"id": "u1"}, {"id": '
    assert (
        f"{len(text)} bytes that cannot be read from character {len(text)}"
        in judged(text=text).failure.reason
    )


def test_text_that_is_not_valid_unicode_is_repaired():
    assert decoded(b'{"a": "x\\ud83d", "b": ["\\ude00y"], "c": "\\ud83d\\ude00"}') == {
        "a": "x\N{REPLACEMENT CHARACTER}",
        "b": ["\N{REPLACEMENT CHARACTER}y"],
        "c": "\N{GRINNING FACE}",
    }
    assert decoded(b'{"a": "\xff"}') == {"a": "\N{REPLACEMENT CHARACTER}"}


@pytest.mark.parametrize("text", ["\x00", "\u2028", "\\", '"', "a" * 3_000_000])
def test_odd_text_comes_as_it_is(text):
    assert decoded(json.dumps({"a": text}).encode()) == {"a": text}


def test_a_text_for_people_is_preferred_and_cut():
    given = {"message": "short", "extensions": {"code": "FORBIDDEN", "userPresentableMessage": "x" * 900}}
    reason = judged({"errors": [given]}).failure.reason
    assert "x" * 300 in reason and "x" * 301 not in reason and "short" not in reason


@pytest.mark.parametrize(
    ("status", "document", "action", "says"),
    [
        (400, {"error": "invalid_grant"}, Action.FAIL, "Authenticate again"),
        (400, {"error": "invalid_client"}, Action.FAIL, "client_id and client_secret"),
        (401, {"error": "unauthorized_client"}, Action.FAIL, "switched on"),
        (200, {"token": "x"}, Action.FAIL, "no access token"),
        (429, {}, Action.RETRY, "token endpoint, HTTP 429"),
        (503, {"error": "down"}, Action.RETRY, "token endpoint, HTTP 503"),
        (200, [], Action.RETRY, "token endpoint, HTTP 200"),
    ],
)
def test_a_refused_token_is_for_the_user_and_a_failed_one_is_asked_for_again(status, document, action, says):
    tokens, failure = judge_token("", status, json.dumps(document).encode())
    assert tokens == {} and failure.action is action
    assert says in failure.message


def test_an_access_token_is_no_failure():
    assert judge_token("", 200, b'{"access_token": "x"}') == ({"access_token": "x"}, None)


def test_a_name_that_cannot_be_resolved_is_known_as_that(monkeypatch):
    def fail(*_):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(requests.ConnectionError) as caught:
        requests.post("https://no-such-host.invalid/graphql", timeout=10)
    assert "could not be resolved" in judge_silence("issues", caught.value).message


@pytest.mark.parametrize("code", TABLE)
def test_every_row_is_two_sentences_and_helps(code):
    action, kind, reason, remedy = TABLE[code]
    for sentence in (reason, remedy):
        assert sentence[0].isupper() and sentence.endswith(".")
    assert "{detail}" in reason and "{" not in remedy
    # What is not asked again is for somebody to put right; but a list without a cursor may have one later.
    if code not in ("NO_CURSOR", "UNREADABLE"):
        assert (kind is TRANSIENT) == (action in (Action.RETRY, Action.WAIT))


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"data":' * 100_000, b"[1%b]" % (b"0" * 400)])
def test_a_body_that_cannot_be_held_is_not_json(body):
    assert judge("users", 200, body, USERS).failure.code == "NOT_JSON"
    assert judge_token("", 200, body)[1].code == "NOT_JSON"
