from __future__ import annotations

import json
from email.utils import parsedate_to_datetime

import pytest
import requests

from integration_tests.linear_api.answers import answer, answers
from unit_tests.linear_api.conftest import Asker

TEAMS = "{ teams(first: 3) { nodes { id name } } }"


def refusals(ask: Asker) -> list[dict[str, object]]:
    response = ask(TEAMS.replace("teams", "x: teams"))
    assert response.status_code == 400 and response.json()["data"] is None
    errors: list[dict[str, object]] = response.json()["errors"]
    return errors


@pytest.mark.parametrize("name", ["not-enabled", "admins-only"])
def test_a_root_is_refused_as_recorded(ask: Asker, name: str) -> None:
    if name == "not-enabled":
        ask.api.faults.not_enabled("Customers", root="teams")
    else:
        ask.api.faults.admins_only("webhooks", root="teams")
    [recorded] = answer(name).content["errors"]
    recorded["path"] = ["x"]
    recorded["extensions"]["statusCode"] = 400
    assert refusals(ask) == [recorded] == refusals(ask)  # it lasts


def test_a_refusal_of_one_root_takes_the_whole_answer(ask: Asker) -> None:
    ask.api.faults.not_enabled("Releases", root="users")
    response = ask("{ teams { nodes { id } } users { nodes { id } } }").json()
    assert response["data"] is None and response["errors"][0]["path"] == ["users"]
    assert ask("{ teams { nodes { id } } }").status_code == 200


def test_too_complex_is_worded_as_recorded(ask: Asker) -> None:
    ask.api.faults.too_complex()
    [error] = ask(TEAMS).json()["errors"]
    [recorded] = answer("too-complex").content["errors"]
    del recorded["extensions"]["http"]
    assert error == recorded


def test_a_rate_limit_is_worded_as_recorded(ask: Asker) -> None:
    ask.api.limits.exhaust()
    [error] = ask(TEAMS).json()["errors"]
    [recorded] = answer("rate-limited").content["errors"]
    assert {key: error["extensions"][key] for key in ("code", "type", "statusCode", "userError")} == {
        key: recorded["extensions"][key] for key in ("code", "type", "statusCode", "userError")
    }


def test_a_rate_limit_may_not_tell_when_it_resets(ask: Asker) -> None:
    ask.api.faults.rate_limited(reset_seconds=None)
    response = ask(TEAMS)
    assert response.status_code == 400
    assert not [name for name in response.headers if name.lower().startswith("x-")]


def test_any_bytes_may_come_with_any_status_and_headers(ask: Asker) -> None:
    ask.api.faults.raw(b"\xff\xfe", 418, headers={"X-Strange": "yes"}, content_type=None)
    response = ask(TEAMS)
    assert (response.status_code, response.content) == (418, b"\xff\xfe")
    assert response.headers["X-Strange"] == "yes" and "Content-Type" not in response.headers


def test_an_answer_of_a_file_is_sent_byte_by_byte(ask: Asker) -> None:
    for given in answers():
        ask.api.faults.answered(given.name)
        headers = {"Authorization": ask.api.api_key}
        response = requests.post(
            ask.api.url, json={"query": TEAMS}, headers=headers, timeout=10, allow_redirects=False
        )
        assert (response.status_code, response.content) == (given.status, given.body)
        assert given.headers.items() - {("Server", "cloudflare")} <= response.headers.items()


def test_a_proxy_may_refuse(ask: Asker) -> None:
    ask.api.faults.proxy_refuses()
    response = ask(TEAMS)
    assert response.status_code == 407 and "Proxy-Authenticate" in response.headers


def test_the_edge_may_find_a_body_too_large(ask: Asker) -> None:
    ask.api.faults.html(413)
    assert ask(TEAMS).status_code == 413


def test_a_body_may_be_cut_anywhere_and_look_complete(ask: Asker) -> None:
    for at in [0, 0.9, 10, -1]:
        whole = ask(TEAMS).content
        ask.api.faults.cut(at)
        response = ask(TEAMS)
        assert response.status_code == 200
        assert int(response.headers["Content-Length"]) == len(response.content) < len(whole)
        assert whole.startswith(response.content)
        with pytest.raises(json.JSONDecodeError):
            json.loads(response.content)


def test_a_connection_may_end_before_the_body_does(ask: Asker) -> None:
    ask.api.faults.incomplete(0.9)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        ask(TEAMS)
    assert ask(TEAMS).status_code == 200


@pytest.mark.parametrize("offset", [-3600, 3600])
def test_the_date_may_be_wrong(ask: Asker, offset: int) -> None:
    ask.api.clock.set("2025-06-01T00:00:00Z")
    ask.api.faults.date(offset)
    date = parsedate_to_datetime(ask(TEAMS).headers["Date"])
    assert date.timestamp() == ask.api.clock.milliseconds / 1000 + offset


def test_the_date_may_be_missing_or_no_date(ask: Asker) -> None:
    ask.api.faults.date(None)
    response = ask(TEAMS)
    assert response.status_code == 200 and "Date" not in response.headers
    ask.api.faults.date("yesterday")
    assert ask(TEAMS).headers["Date"] == "yesterday"
    assert "GMT" in ask(TEAMS).headers["Date"]


def test_the_headers_of_the_limits_may_be_missing(ask: Asker) -> None:
    assert "X-Complexity" in ask(TEAMS).headers
    ask.api.faults.no_limits()
    response = ask(TEAMS)
    assert response.status_code == 200
    assert not [name for name in response.headers if name.lower().startswith("x-")]


def test_a_failure_may_have_odd_headers_too(ask: Asker) -> None:
    ask.api.faults.html(503)
    ask.api.faults.date(None)
    response = ask(TEAMS)
    assert response.status_code == 503 and "Date" not in response.headers
