"""The error table: what each failure is taken for, what is done about it, and what the user is told."""

import json
import socket
import ssl

import pytest
import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.utils.airbyte_secrets_utils import update_secrets
from urllib3.exceptions import MaxRetryError, NameResolutionError, NewConnectionError
from urllib3.exceptions import SSLError as Urllib3SSLError

from source_linear.components.errors import (
    TABLE,
    Action,
    failure_of,
    failure_of_token,
    failure_without_answer,
    refused_fields,
)

CONFIG, TRANSIENT, SYSTEM = (
    FailureType.config_error,
    FailureType.transient_error,
    FailureType.system_error,
)


def answer(status=200, document=None, text=None):
    response = requests.Response()
    response.status_code = status
    response._content = (json.dumps(document) if text is None else text).encode()
    return response


def error(code=None, kind=None, message="Linear's words", path=None):
    entry = {"message": message, "extensions": {"code": code, "type": kind}}
    return entry if path is None else {**entry, "path": path}


def refusal(code=None, status=400, **rest):
    return failure_of("issues", answer(status, {"errors": [error(code, **rest)]}))


def what(failure):
    return failure.action, failure.failure_type


@pytest.mark.parametrize(
    ("code", "status", "action", "failure_type", "remedy"),
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
        ("GRAPHQL_PARSE_FAILED", 400, Action.FAIL, SYSTEM, "bug of source-linear"),
        ("INVALID_INPUT", 200, Action.FAIL, SYSTEM, "bug of source-linear"),
        ("INPUT_ERROR", 400, Action.FAIL, SYSTEM, "bug of source-linear"),
        ("INTERNAL_SERVER_ERROR", 500, Action.RETRY, TRANSIENT, "linearstatus.com"),
        ("INTERNAL_SERVER_ERROR", 200, Action.RETRY, TRANSIENT, "linearstatus.com"),
    ],
)
def test_a_code_decides_whatever_the_http_status(code, status, action, failure_type, remedy):
    failure = refusal(code, status)
    assert what(failure) == (action, failure_type)
    assert failure.message.startswith("Stream issues: ")
    assert f"(HTTP {status}: Linear's words)" in failure.reason
    assert remedy in failure.remedy


@pytest.mark.parametrize(
    ("kind", "action"),
    [
        ("ratelimited", Action.WAIT),
        ("authentication error", Action.REFRESH),
        ("forbidden", Action.FAIL),
        ("Feature not accessible", Action.FAIL),
        ("invalid input", Action.FAIL),
        ("graphql error", Action.FAIL),
        ("internal error", Action.RETRY),
    ],
)
def test_the_type_decides_where_the_code_is_unknown(kind, action):
    assert refusal("SOMETHING_NEW", kind=kind).action is action
    assert refusal(None, kind=kind).action is action


@pytest.mark.parametrize("code", ["INPUT_ERROR", "INVALID_INPUT"])
def test_a_query_that_is_too_complex_is_known_by_its_message(code):
    failure = refusal(code, message="Query too complex. Maximum allowed complexity: 10000.")
    assert failure.action is Action.REDUCE


@pytest.mark.parametrize(
    ("status", "action", "failure_type"),
    [
        (200, Action.RETRY, TRANSIENT),
        (400, Action.RETRY, TRANSIENT),
        (401, Action.REFRESH, CONFIG),
        (403, Action.FAIL, CONFIG),
        (429, Action.WAIT, TRANSIENT),
        (500, Action.RETRY, TRANSIENT),
        (503, Action.RETRY, TRANSIENT),
    ],
)
def test_the_status_decides_where_nothing_else_is_known(status, action, failure_type):
    assert what(refusal("SOMETHING_NEW", status)) == (action, failure_type)


@pytest.mark.parametrize(
    "text", ["<html><h1>502</h1></html>", '{"data": {"issues": {"no', "\x00\x9f", "", "[]"]
)
@pytest.mark.parametrize("status", [200, 400, 403, 502, 503])
def test_what_is_not_the_api_is_asked_again(status, text):
    failure = failure_of("issues", answer(status, text=text))
    assert what(failure) == (Action.RETRY, TRANSIENT)
    assert f"(HTTP {status}, not JSON)" in failure.reason


def test_a_rate_limit_of_the_edge_is_waited_for():
    assert failure_of("issues", answer(429, text="<html>")).action is Action.WAIT


@pytest.mark.parametrize(("status", "text"), [(404, "<html>"), (404, "{}"), (301, ""), (405, "{}")])
def test_an_address_without_the_api_is_the_users_to_mend(status, text):
    failure = failure_of("", answer(status, text=text))
    assert what(failure) == (Action.FAIL, CONFIG)
    assert failure.message.startswith("There is no GraphQL API at this address")
    assert "api_url" in failure.remedy


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"data": None},
        {"data": {}},
        {"data": {"issues": None}},
        {"data": "x"},
        {"data": [1]},
        {"errors": 7},
        {"errors": ["x"]},
        {"errors": [{}]},
        {"errors": [{"extensions": 7, "message": None}]},
    ],
)
def test_an_answer_without_data_is_a_failure_whatever_its_form(document):
    assert failure_of("issues", answer(200, document)).action is Action.RETRY


def test_data_is_no_failure():
    assert failure_of("issues", answer(200, {"data": {"issues": {"nodes": []}}})) is None


PARTIAL = {"projects": {"nodes": [{"id": "1", "identifier": None}]}}


def test_data_with_refused_fields_is_no_failure():
    errors = [error("FEATURE_NOT_ACCESSIBLE", path=["projects", "nodes", 0, "identifier"])]
    response = answer(200, {"data": PARTIAL, "errors": errors})
    assert failure_of("projects", response) is None
    assert refused_fields(response) == {"identifier": "Linear's words"}


def test_data_on_which_linear_failed_may_be_whole_when_asked_again():
    response = answer(200, {"data": PARTIAL, "errors": [error("INTERNAL_SERVER_ERROR")]})
    failure = failure_of("projects", response)
    assert failure.action is Action.RETRY and failure.has_data


def test_data_of_one_root_does_not_make_up_for_another():
    document = {"data": {"a": {"nodes": []}, "b": None}, "errors": [error("FORBIDDEN", path=["b"])]}
    assert failure_of("links", answer(200, document)).action is Action.FAIL


def test_refused_fields_are_named_once_with_their_path_and_without_positions():
    errors = [
        error(path=["issues", "nodes", row, "assignee", "email"], message="Hidden.") for row in range(5)
    ]
    errors += [error(path=["issues", "nodes", 3]), error(), error(path=7)]
    assert refused_fields(answer(200, {"errors": errors})) == {"assignee.email": "Hidden"}


def test_the_first_known_error_decides_and_is_quoted():
    errors = [error("ODD", message="odd"), error("FORBIDDEN", message="Admins only.")]
    failure = failure_of("webhooks", answer(200, {"errors": errors}))
    assert failure.action is Action.FAIL
    assert failure.reason.endswith("(HTTP 200: Admins only).")


def test_a_text_for_people_is_preferred_and_cut():
    entry = error("FORBIDDEN", message="internal words")
    entry["extensions"]["userPresentableMessage"] = "Please ask an admin. " + "x" * 5000
    failure = failure_of("webhooks", answer(400, {"errors": [entry]}))
    assert "Please ask an admin" in failure.message and "internal words" not in failure.message
    assert len(failure.message) < 700


def test_a_secret_that_linear_quotes_is_not_told():
    update_secrets(["lin_api_secret"])
    try:
        assert (
            "lin_api_secret"
            not in refusal("AUTHENTICATION_ERROR", message="No such key: lin_api_secret").message
        )
    finally:
        update_secrets([])


def wrapped(kind, reason):
    return kind(MaxRetryError(None, "/graphql", reason))


UNKNOWN_NAME = NameResolutionError("api.linear.app", None, socket.gaierror(-2, "Name or service not known"))
UNKNOWN_NAME.__cause__ = socket.gaierror(-2, "Name or service not known")  # as urllib3 raises it
UNVERIFIED = ssl.SSLCertVerificationError("certificate verify failed: self-signed certificate")


@pytest.mark.parametrize(
    ("exception", "action", "failure_type", "says"),
    [
        (
            wrapped(requests.ConnectionError, UNKNOWN_NAME),
            Action.RETRY,
            TRANSIENT,
            "could not be resolved",
        ),
        (
            wrapped(requests.exceptions.SSLError, Urllib3SSLError(UNVERIFIED)),
            Action.FAIL,
            CONFIG,
            "REQUESTS_CA_BUNDLE",
        ),
        (
            wrapped(requests.exceptions.SSLError, Urllib3SSLError(ssl.SSLEOFError("EOF occurred"))),
            Action.RETRY,
            TRANSIENT,
            "(TLS)",
        ),
        (
            wrapped(requests.ConnectionError, NewConnectionError(None, "Connection refused")),
            Action.RETRY,
            TRANSIENT,
            "(ConnectionError)",
        ),
        (requests.ConnectionError("Connection aborted."), Action.RETRY, TRANSIENT, "(ConnectionError)"),
        (requests.ConnectTimeout(), Action.RETRY, TRANSIENT, "(ConnectTimeout)"),
        (requests.ReadTimeout(), Action.RETRY, TRANSIENT, "(ReadTimeout)"),
        (requests.exceptions.ProxyError(), Action.RETRY, TRANSIENT, "(ProxyError)"),
        (requests.exceptions.ChunkedEncodingError(), Action.RETRY, TRANSIENT, "(ChunkedEncodingError)"),
        (requests.exceptions.InvalidURL(), Action.FAIL, CONFIG, "api_url"),
        (requests.exceptions.InvalidHeader(), Action.FAIL, CONFIG, "credentials"),
    ],
)
def test_no_answer_is_classified_by_its_cause_and_shows_no_address(exception, action, failure_type, says):
    failure = failure_without_answer("issues", exception)
    assert what(failure) == (action, failure_type)
    assert failure.message.startswith("Stream issues: ")
    assert says in failure.message
    assert "0x" not in failure.message and "/graphql" not in failure.message


def test_a_real_dns_failure_is_known_as_one():
    with pytest.raises(requests.ConnectionError) as caught:
        requests.post(
            "https://no-such-host.invalid/graphql", timeout=10, proxies={"https": "", "no_proxy": "*"}
        )
    assert "could not be resolved" in failure_without_answer("issues", caught.value).message


@pytest.mark.parametrize(
    ("status", "document", "action", "says"),
    [
        (400, {"error": "invalid_grant"}, Action.FAIL, "Authenticate again"),
        (
            400,
            {"error": "invalid_client", "error_description": "no"},
            Action.FAIL,
            "client_id and client_secret",
        ),
        (401, {"error": "unauthorized_client"}, Action.FAIL, "switched on"),
        (200, {"token": "x"}, Action.FAIL, "no access token"),
        (429, {}, Action.RETRY, "token endpoint, HTTP 429"),
        (503, {"error": "down"}, Action.RETRY, "token endpoint, HTTP 503"),
        (200, [], Action.RETRY, "token endpoint, HTTP 200"),
    ],
)
def test_a_refused_token_is_the_users_to_mend_and_a_failed_one_is_asked_for_again(
    status, document, action, says
):
    failure = failure_of_token("", answer(status, document))
    assert failure.action is action
    assert says in failure.message


def test_an_access_token_is_no_failure():
    assert failure_of_token("", answer(200, {"access_token": "x"})) is None


@pytest.mark.parametrize("code", TABLE)
def test_every_row_is_two_sentences_and_helps(code):
    action, failure_type, reason, remedy = TABLE[code]
    for sentence in (reason, remedy):
        assert sentence[0].isupper() and sentence.endswith(".")
    assert "{detail}" in reason and "{" not in remedy
    # What is not retried is for somebody to mend; what is retried is for nobody.
    assert (failure_type is TRANSIENT) == (action in (Action.RETRY, Action.WAIT))
