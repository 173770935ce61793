from __future__ import annotations

import time
from typing import Any

import pytest
import requests

from integration_tests.linear_api import LinearApi
from unit_tests.linear_api.conftest import Asker

TEAMS = "{ teams(first: 3) { nodes { id name } } }"
USERS = "{ users(first: 3) { nodes { id } } }"


def test_any_code_comes_with_any_status(ask: Asker) -> None:
    for code, status in [
        ("RATELIMITED", 400),
        ("RATELIMITED", 429),
        ("AUTHENTICATION_ERROR", 401),
        ("AUTHENTICATION_ERROR", 400),
        ("FORBIDDEN", 400),
        ("FORBIDDEN", 403),
        ("FEATURE_NOT_ACCESSIBLE", 200),
        ("GRAPHQL_VALIDATION_FAILED", 500),
        ("INVALID_INPUT", 200),
        ("INPUT_ERROR", 400),
        ("INTERNAL_SERVER_ERROR", 500),
    ]:
        ask.api.faults.error(code, status)
        response = ask(TEAMS)
        body = response.json()
        assert (response.status_code, body["errors"][0]["extensions"]["code"]) == (status, code)
        assert ("data" in body) == (status == 200)
        assert ask(TEAMS).status_code == 200


def test_an_error_may_be_told_by_its_type_alone(ask: Asker) -> None:
    ask.api.faults.error("SOMETHING", 403, type="feature not accessible", message="Not for you")
    extensions = ask(TEAMS).json()["errors"][0]["extensions"]
    assert extensions["type"] == "feature not accessible"
    assert extensions["userPresentableMessage"] == "Not for you"


def test_a_fault_strikes_its_root_only(ask: Asker) -> None:
    fault = ask.api.faults.error("FORBIDDEN", 403, root="users", count=None)
    assert [ask(TEAMS).status_code, ask(USERS).status_code] == [200, 403]
    assert fault.fired == 1


def test_a_fault_strikes_from_the_nth_request_count_times(ask: Asker) -> None:
    ask.api.faults.html(503, root="teams", nth=2, count=2)
    ask(USERS)
    assert [ask(TEAMS).status_code for _ in range(5)] == [200, 503, 503, 200, 200]


def test_a_fault_may_look_at_the_request(ask: Asker) -> None:
    query = "query($n: Int) { teams(first: $n) { nodes { id } } }"
    ask.api.faults.too_complex(where=lambda request: request.variables["n"] > 5, count=None)
    assert ask.error(query, {"n": 6}) == (400, "INPUT_ERROR")
    assert len(ask.data(query, n=2)["teams"]["nodes"]) == 2


def test_faults_can_be_cleared(ask: Asker) -> None:
    ask.api.faults.garbage(count=None)
    ask.api.faults.clear()
    assert ask(TEAMS).status_code == 200


@pytest.mark.parametrize("status", [502, 503, 504])
def test_the_edge_answers_html(ask: Asker, status: int) -> None:
    ask.api.faults.html(status)
    response = ask(TEAMS)
    assert response.status_code == status
    assert response.headers["Content-Type"] == "text/html" and b"<html>" in response.content


@pytest.mark.parametrize("kind", ["truncated", "garbage"])
def test_a_body_may_be_no_json(ask: Asker, kind: str) -> None:
    ask.api.faults.add(kind)
    response = ask(TEAMS)
    assert response.status_code == 200
    with pytest.raises(ValueError, match=r".*"):
        response.json()


def test_a_connection_may_be_reset(ask: Asker) -> None:
    ask.api.faults.reset()
    with pytest.raises(requests.ConnectionError):
        ask(TEAMS)
    assert ask(TEAMS).status_code == 200


def test_an_answer_may_be_slow(ask: Asker) -> None:
    ask.api.faults.slow(0.2)
    started = time.monotonic()
    assert ask(TEAMS).status_code == 200
    assert time.monotonic() - started >= 0.2


def test_a_hang_outlasts_the_timeout_and_ends_with_the_server(linear_api: LinearApi) -> None:
    linear_api.faults.slow(60)
    headers = {"Authorization": linear_api.api_key}
    with pytest.raises(requests.Timeout):
        requests.post(linear_api.url, json={"query": TEAMS}, headers=headers, timeout=0.2)


def test_a_rate_limit_tells_when_it_resets(ask: Asker) -> None:
    ask.api.clock.set("2025-06-01T00:00:00Z")
    ask.api.faults.rate_limited(429, reset_seconds=5)
    response = ask(TEAMS)
    assert response.status_code == 429
    assert response.headers["X-RateLimit-Requests-Remaining"] == "0"
    assert response.headers["X-RateLimit-Requests-Reset"] == "1748736005000"


def test_an_expired_token_is_http_401(ask: Asker) -> None:
    ask.api.faults.token_expired()
    assert ask.error(TEAMS) == (401, "AUTHENTICATION_ERROR")


def test_a_partial_success_nulls_a_field_of_every_node(ask: Asker) -> None:
    ask.api.faults.partial(root="teams", field="name")
    response = ask(TEAMS)
    body: dict[str, Any] = response.json()
    assert response.status_code == 200
    assert [node["name"] for node in body["data"]["teams"]["nodes"]] == [None] * 3
    assert body["errors"][1]["path"] == ["teams", "nodes", 1, "name"]
    assert {error["extensions"]["code"] for error in body["errors"]} == {"FEATURE_NOT_ACCESSIBLE"}
    assert all(node["name"] for node in ask.data(TEAMS)["teams"]["nodes"])


def test_a_partial_success_may_null_any_path(ask: Asker) -> None:
    ask.api.faults.partial(path=["teams"], code="FORBIDDEN")
    body = ask(f"{TEAMS[:-1]} viewer {{ id }} }}").json()
    assert body["data"]["teams"] is None and body["data"]["viewer"]["id"]


def test_a_node_may_be_null(ask: Asker) -> None:
    ask.api.faults.null_node(1, root="teams")
    body = ask(TEAMS).json()
    assert [node is None for node in body["data"]["teams"]["nodes"]] == [False, True, False]
    assert body["errors"][0]["path"] == ["teams", "nodes", 1]


def test_unknown_faults_are_refused(linear_api: LinearApi) -> None:
    with pytest.raises(ValueError, match="unknown fault"):
        linear_api.faults.add("nonsense")
    with pytest.raises(ValueError, match="unknown options"):
        linear_api.faults.add("html", seconds=1)
