from __future__ import annotations

import requests

from integration_tests.linear_api import LinearApi
from unit_tests.linear_api.conftest import Asker

QUERY = {"query": "{ viewer { id } }"}


def test_the_log_tells_who_asked(linear_api: LinearApi) -> None:
    headers = {"Authorization": linear_api.api_key, "User-Agent": "source-linear/1.2.3"}
    requests.post(linear_api.url, json=QUERY, headers=headers, timeout=10)
    requests.post(linear_api.url, json=QUERY, headers={"User-Agent": "another"}, timeout=10)
    assert linear_api.requests[0].user_agent == "source-linear/1.2.3"
    assert linear_api.requests.user_agents == {"source-linear/1.2.3", "another"}


def test_the_log_tells_by_how_many_connections(linear_api: LinearApi) -> None:
    one, other = Asker(linear_api), Asker(linear_api)
    for ask in (one, one, other, one):
        ask("{ viewer { id } }")
    assert [record.connection for record in linear_api.requests] == [1, 1, 2, 1]
    assert linear_api.requests.connections == 2
    one.close()
    other.close()


def test_the_summary_counts_connections_and_who_asked(ask: Asker) -> None:
    ask("{ viewer { id } }")
    ask("{ viewer { id } }")
    summary = ask.api.requests.summary()
    assert summary["connections"] == 1
    assert list(summary["user_agents"].values()) == [2]


def test_requests_for_tokens_are_logged_without_their_secrets(linear_api: LinearApi) -> None:
    form = {
        "grant_type": "refresh_token",
        "client_id": linear_api.client_id,
        "client_secret": linear_api.client_secret,
        "refresh_token": linear_api.refresh_token,
    }
    secrets = [form["client_secret"], form["refresh_token"]]
    agent = {"User-Agent": "source-linear/1.2.3"}
    requests.post(linear_api.token_url, data=form, headers=agent, timeout=10)
    requests.post(linear_api.token_url, data={**form, "client_secret": "wrong"}, headers=agent, timeout=10)
    requests.post(linear_api.token_url, json=form, headers=agent, timeout=10)
    records = linear_api.token_requests
    assert [(record.grant, record.status) for record in records] == [
        ("refresh_token", 200),
        ("refresh_token", 400),
        ("", 400),
    ]
    assert {record.user_agent for record in records} == {"source-linear/1.2.3"}
    assert not any(secret in repr(records) for secret in secrets)


def test_a_body_over_10_mib_is_refused(ask: Asker) -> None:
    response = ask("{ viewer { id } }", {"unused": "x" * (10 * 1024 * 1024)})
    assert response.status_code == 413
    assert ask("{ viewer { id } }").status_code == 200
