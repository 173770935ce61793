"""What an answer is taken for, on recorded answers and on made-up ones: a pure function."""

import json

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


# What each recorded answer must be taken for: action and kind, None where its rows are kept.
RECORDED = {
    "admins-only": (Action.FAIL, CONFIG),
    "not-enabled": (Action.FAIL, CONFIG),
    "field-removed": (Action.FAIL, SYSTEM),
    "rate-limited": (Action.WAIT, TRANSIENT),
    "too-complex": (Action.REDUCE, SYSTEM),
    "root-missing": (Action.RETRY, TRANSIENT),
    "one-passing-one-lasting": (Action.RETRY, TRANSIENT),
    "one-row-cannot-be-read": (Action.FAIL, SYSTEM),
    "partial-at-400": None,
    "half-an-emoji": None,
    "no-next-cursor": None,
}


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_answer_is_taken_for_what_it_is(name):
    given = answer(name)
    roots = dict.fromkeys(given.asked_for, ("nodes",))
    failure = judge("s", given.status, given.body, roots).failure
    assert (failure and (failure.action, failure.kind)) == RECORDED[name]


@pytest.mark.parametrize("given", answers(), ids=lambda given: given.name)
def test_no_known_answer_is_taken_for_whole_that_lacks_a_root(given):
    judgement = judge("s", given.status, given.body, dict.fromkeys(given.asked_for, ("nodes",)))
    if judgement.failure is None:
        assert all(judgement.data[root]["nodes"] is not None for root in given.asked_for)
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


def test_text_that_is_not_valid_unicode_is_mended():
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


def test_a_real_dns_failure_is_known_as_one(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
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
