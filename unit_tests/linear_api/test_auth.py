from __future__ import annotations

import requests

from integration_tests.linear_api import Clock, LinearApi, generate
from unit_tests.linear_api.conftest import Asker

QUERY = "{ viewer { id app } }"


def token(api: LinearApi, **form: str) -> requests.Response:
    form = {"client_id": api.client_id, "client_secret": api.client_secret, **form}
    return requests.post(api.token_url, data=form, timeout=10)


def refresh(api: LinearApi, refresh_token: str) -> requests.Response:
    return token(api, grant_type="refresh_token", refresh_token=refresh_token)


def code(response: requests.Response) -> tuple[int, str]:
    return response.status_code, response.json()["errors"][0]["extensions"]["code"]


def test_a_key_goes_without_bearer(ask: Asker) -> None:
    assert ask(QUERY).status_code == 200


def test_a_key_with_bearer_is_an_authentication_error(ask: Asker) -> None:
    response = ask(QUERY, authorization=f"Bearer {ask.api.api_key}")
    assert code(response) == (400, "AUTHENTICATION_ERROR")


def test_an_access_token_goes_with_bearer(ask: Asker) -> None:
    assert ask(QUERY, authorization=f"Bearer {ask.api.access_token}").json()["data"]["viewer"]["app"]
    assert code(ask(QUERY, authorization=ask.api.access_token)) == (401, "AUTHENTICATION_ERROR")


def test_nobody_is_an_authentication_error(ask: Asker) -> None:
    for authorization in (None, "unknown", "Bearer unknown"):
        assert code(ask(QUERY, authorization=authorization)) == (401, "AUTHENTICATION_ERROR")


def test_a_refresh_rotates_both_tokens(linear_api: LinearApi, ask: Asker) -> None:
    old_refresh, old_access = linear_api.refresh_token, linear_api.access_token
    answer = refresh(linear_api, old_refresh).json()
    assert answer["expires_in"] == 86_399 and answer["token_type"] == "Bearer"
    assert answer["refresh_token"] == linear_api.refresh_token != old_refresh
    assert answer["access_token"] != old_access
    assert ask(QUERY, authorization=f"Bearer {answer['access_token']}").status_code == 200
    assert refresh(linear_api, answer["refresh_token"]).status_code == 200


def test_a_retired_refresh_token_is_tolerated_for_half_an_hour() -> None:
    with LinearApi(generate(1, 0, Clock("2025-06-01T00:00:00Z"))) as api:
        old = api.refresh_token
        first = refresh(api, old).json()
        api.clock.advance(30 * 60)
        assert refresh(api, old).json() == first
        api.clock.advance(1)
        response = refresh(api, old)
        assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")


def test_an_access_token_lives_a_day() -> None:
    with LinearApi(generate(1, 0, Clock("2025-06-01T00:00:00Z"))) as api:
        ask = Asker(api)
        authorization = f"Bearer {api.access_token}"
        api.clock.advance(86_398)
        assert ask(QUERY, authorization=authorization).status_code == 200
        api.clock.advance(1)
        assert code(ask(QUERY, authorization=authorization)) == (401, "AUTHENTICATION_ERROR")
        ask.close()


def test_client_credentials_give_a_token_for_30_days_without_refresh(
    linear_api: LinearApi, ask: Asker
) -> None:
    answer = token(linear_api, grant_type="client_credentials").json()
    assert answer["expires_in"] == 30 * 86_400 - 1 and "refresh_token" not in answer
    assert ask(QUERY, authorization=f"Bearer {answer['access_token']}").status_code == 200


def test_a_client_may_use_http_basic(linear_api: LinearApi) -> None:
    credentials = (linear_api.client_id, linear_api.client_secret)
    form = {"grant_type": "client_credentials"}
    response = requests.post(linear_api.token_url, data=form, auth=credentials, timeout=10)
    assert response.status_code == 200


def test_wrong_clients_and_grants_are_http_400(linear_api: LinearApi) -> None:
    cases = {
        "invalid_client": {"client_secret": "wrong", "grant_type": "client_credentials"},
        "invalid_grant": {"grant_type": "refresh_token", "refresh_token": "wrong"},
        "unsupported_grant_type": {"grant_type": "password"},
    }
    for error, form in cases.items():
        response = token(linear_api, **form)
        assert (response.status_code, response.json()["error"]) == (400, error)


def test_the_token_endpoint_wants_a_form(linear_api: LinearApi) -> None:
    response = requests.post(linear_api.token_url, json={}, timeout=10)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


def test_tokens_can_be_made_to_expire(linear_api: LinearApi, ask: Asker) -> None:
    authorization = f"Bearer {linear_api.access_token}"
    linear_api.auth.expire_access_tokens()
    assert code(ask(QUERY, authorization=authorization)) == (401, "AUTHENTICATION_ERROR")
    linear_api.auth.revoke_refresh_tokens()
    assert refresh(linear_api, linear_api.refresh_token).json()["error"] == "invalid_grant"
