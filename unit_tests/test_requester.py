"""How one request is sent, what is asked again and for how long, and what is left out."""

import json
import logging
import time

import orjson
import pytest
import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.streams.http.page_size_reduction_exception import (
    PageSizeReductionRequiredException,
)
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_linear.components import requester as module
from source_linear.components.budget import Budget
from source_linear.components.credentials import Credentials
from source_linear.components.requester import LinearRequester

DATA = {"data": {"users": {"nodes": []}}}
STREAM = {"name": "users", "entity": "User", "kind": "swept", "fields": "id updatedAt archivedAt"}


def answer(status=200, document=None, **headers):
    response = requests.Response()
    response.status_code = status
    response._content = json.dumps(document).encode()
    response.headers.update(headers)
    return response


def error(code, status=400, **headers):
    return answer(status, {"errors": [{"message": "No.", "extensions": {"code": code}}]}, **headers)


PASSING = answer(502, None)


class Wire:
    """What the requester sends, and what comes back: the last answer for ever."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.sent = []

    def post(self, url, data, headers, timeout, allow_redirects):
        assert not allow_redirects
        self.sent.append({"url": url, "body": orjson.loads(data), "headers": headers, "timeout": timeout})
        given = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(given, Exception):
            raise given
        given.request = requests.Request("POST", url, headers=headers).prepare()
        return given


@pytest.fixture
def slept(monkeypatch):
    """The pauses, which take no time: they pass on the requester's clock."""
    pauses = []
    started = time.monotonic()
    monkeypatch.setattr(module.time, "sleep", pauses.append)
    monkeypatch.setattr(module.time, "monotonic", lambda: started + sum(pauses))
    return pauses


def make(wire, credentials=None, parameters=STREAM, budget=None, **more):
    config = {"credentials": credentials or {"auth_type": "API Key", "api_key": "lin_api_key"}}
    config["credentials"] = Credentials(config)
    made = LinearRequester(
        name=parameters.get("name", ""),
        config=config,
        parameters=parameters,
        url="https://api.linear.app/graphql",
        api_budget=budget or Budget(),
        **more,
    )
    made._session = wire
    return made


def send(requester):
    return requester.send_request(request_body_json={"query": "{ users { nodes { id } } }"})


def failure_of(requester):
    with pytest.raises(AirbyteTracedException) as caught:
        send(requester)
    return caught.value


def test_a_key_is_sent_as_it_is():
    wire = Wire(answer(200, DATA))
    send(make(wire))
    (sent,) = wire.sent
    assert sent["url"] == "https://api.linear.app/graphql"
    assert sent["headers"] == {"Content-Type": "application/json", "Authorization": "lin_api_key"}
    assert sent["body"] == {"query": "{ users { nodes { id } } }"}


@pytest.mark.parametrize("passing", [PASSING, requests.ConnectionError(), requests.ReadTimeout()])
def test_what_passes_is_asked_again(slept, passing):
    wire = Wire(passing, passing, answer(200, DATA))
    assert send(make(wire)).status_code == 200
    assert len(wire.sent) == 3 and len(slept) == 2


def test_pauses_grow_with_jitter_up_to_a_minute(slept):
    failure_of(make(Wire(PASSING)))
    for attempt, pause in enumerate(slept):
        longest = min(2**attempt, 60)
        assert longest / 2 <= pause <= longest
    assert max(slept) > 30
    again = list(slept)
    slept.clear()
    failure_of(make(Wire(PASSING)))
    assert slept[: len(again)] != again[: len(slept)]


def test_retries_are_bounded_in_time(slept):
    failure = failure_of(make(Wire(PASSING)))
    assert 200 < sum(slept) <= 300
    assert failure.failure_type is FailureType.transient_error
    assert failure.message.startswith("Stream users: Linear's API could not be reached")


def test_a_check_gives_up_after_seconds_and_asks_for_quick_answers(slept):
    wire = Wire(PASSING)
    failure_of(make(wire, patience=10))
    assert sum(slept) <= 10
    assert {sent["timeout"] for sent in wire.sent} == {(10, 10)}


def test_what_failed_for_minutes_is_not_tried_as_long_in_the_next_window(slept):
    wire = Wire(PASSING)
    requester = make(wire)
    failure_of(requester)
    wire.sent.clear()
    failure_of(requester)
    assert len(wire.sent) == 1


def test_a_success_brings_the_patience_back(slept):
    wire = Wire(PASSING)
    requester = make(wire)
    failure_of(requester)
    wire.answers = [answer(200, DATA)]
    send(requester)
    wire.answers, wire.sent = [PASSING, answer(200, DATA)], []
    send(requester)
    assert len(wire.sent) == 2


@pytest.mark.parametrize(
    ("code", "failure_type"),
    [
        ("FORBIDDEN", FailureType.config_error),
        ("GRAPHQL_VALIDATION_FAILED", FailureType.system_error),
        ("AUTHENTICATION_ERROR", FailureType.config_error),
    ],
)
def test_what_does_not_pass_is_asked_once(slept, code, failure_type):
    wire = Wire(error(code))
    assert failure_of(make(wire)).failure_type is failure_type
    assert len(wire.sent) == 1 and slept == []


def test_a_rate_limit_is_waited_for_however_often_and_long_and_then_it_goes_on(slept):
    waits = []
    clock = [1e9]

    def sleep(seconds):
        waits.append(seconds)
        clock[0] += seconds

    limited = error("RATELIMITED", 400, **{"Retry-After": "900"})
    wire = Wire(*[limited] * 10, PASSING, answer(200, DATA))
    assert send(make(wire, budget=Budget(now=lambda: clock[0], sleep=sleep))).status_code == 200
    assert sum(waits) == 9000
    assert len(slept) == 1  # patience with what comes after is not used up by the waiting


def test_a_check_does_not_wait_for_the_rate_limit(slept):
    failure = failure_of(make(Wire(error("RATELIMITED")), waits=False))
    assert "hourly rate limit is used up" in failure.message
    assert failure.failure_type is FailureType.transient_error


def test_a_page_that_is_too_complex_asks_for_a_smaller_one():
    complex_page = answer(
        400, {"errors": [{"message": "Query too complex.", "extensions": {"code": "INPUT_ERROR"}}]}
    )
    with pytest.raises(PageSizeReductionRequiredException) as caught:
        send(make(Wire(complex_page)))
    assert "Query too complex" in caught.value.error_message


REFUSED = {
    "data": {"users": {"nodes": [{"id": "1", "email": None}]}},
    "errors": [
        {
            "message": "Hidden.",
            "path": ["users", "nodes", 0, "email"],
            "extensions": {"code": "FEATURE_NOT_ACCESSIBLE"},
        }
    ],
}


def test_refused_fields_are_warned_of_once_a_stream(caplog):
    budget = Budget()
    first = make(Wire(answer(200, REFUSED)), budget=budget)
    second = make(Wire(answer(200, REFUSED)), budget=budget)  # as for the rest of nested lists
    with caplog.at_level(logging.WARNING, "airbyte"):
        for requester in (first, first, second):
            assert send(requester).status_code == 200
    assert caplog.messages == [
        "Stream users: Linear left out email (Hidden); null is written, the rows are kept."
    ]


def failing(fields=("email",)):
    errors = [{"message": "Oops", "path": ["users", "nodes", 0, field]} for field in fields]
    return answer(200, {**REFUSED, "errors": errors})


def test_fields_on_which_linear_failed_are_asked_for_again(slept):
    wire = Wire(failing(), failing(), answer(200, DATA))
    assert send(make(wire)).json() == DATA
    assert len(wire.sent) == 3


def test_fields_on_which_linear_keeps_failing_are_left_out_and_not_asked_for_on_every_page(slept):
    wire = Wire(failing())
    requester = make(wire)
    assert send(requester).status_code == 200
    assert len(wire.sent) == 4
    send(requester)
    assert len(wire.sent) == 5


def test_the_budget_knows_what_was_spent():
    budget = Budget()
    send(make(Wire(answer(200, DATA, **{"X-Complexity": "42"})), budget=budget))
    assert (budget.usage["users"].requests, budget.usage["users"].points) == (1, 42)


def test_a_failure_shows_neither_request_nor_headers(slept, caplog):
    with caplog.at_level(logging.DEBUG, "airbyte"):
        failure = failure_of(make(Wire(answer(500, {"internal": "response body"}, Secret="header"))))
    told = " ".join([*caplog.messages, failure.message, str(failure.internal_message)])
    for hidden in ("response body", "nodes", "header", "lin_api_key"):
        assert hidden not in told
