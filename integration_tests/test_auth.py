"""Three ways to authenticate; tokens are renewed once for all streams and never lost."""

import json
import threading

import pytest

from integration_tests.connector import Connector
from integration_tests.faults.forks import ForkedConnector

STREAMS = ("users", "teams", "issue_labels", "workflow_states", "comments", "projects")


@pytest.fixture
def connect(linear_api, tmp_path, forks, monkeypatch):
    """A factory of connectors that read the simulator with given credentials."""
    monkeypatch.delenv("DEPLOYMENT_MODE", raising=False)
    linear_api.auth.replay_seconds = 0  # a retired refresh token is void at once
    linear_api.clock.advance(2)

    def make(auth_type, **credentials):
        config = {"credentials": {"auth_type": auth_type, **credentials}, "api_url": linear_api.url}
        return ForkedConnector(tmp_path, config, forks=forks)

    return make


def client(api):
    return {"client_id": api.client_id, "client_secret": api.client_secret}


def with_refresh_token(api, **more):
    return {**client(api), "refresh_token": api.refresh_token, **more}


def status(output):
    return output.one("CONNECTION_STATUS")["connectionStatus"]


def configurations(output):
    return [
        message["control"]["connectorConfig"]["config"]
        for message in output.messages
        if message["type"] == "CONTROL"
    ]


def tokens_made(api):
    """How many access tokens were given out; those and refresh tokens are numbered together."""
    number = int(api.access_token.rpartition("-")[2])
    refreshed = api.refresh_token != "standin-refresh-0"
    return (number + 1) // 2 if refreshed else number


def assert_complete(api, output):
    assert output.exit_code == 0, output.errors
    assert {name: statuses[-1] for name, statuses in output.statuses.items()} == dict.fromkeys(
        STREAMS, "COMPLETE"
    )
    for name, entity in (("comments", "Comment"), ("users", "User")):
        assert {record["id"] for record in output.records[name]} == set(api.workspace.ids(entity))


def test_a_key_is_sent_as_it_is(linear_api, connect):
    connector = connect("API Key", api_key=linear_api.api_key)
    assert status(connector.check())["status"] == "SUCCEEDED"
    assert {request.authorization for request in linear_api.requests} == {"key"}


@pytest.mark.parametrize("form", ["Bearer {}", ' "{}" ', "{}\n"])
def test_a_key_that_was_copied_with_something_around_it_is_taken_as_meant(linear_api, connect, form):
    connector = connect("API Key", api_key=form.format(linear_api.api_key))
    assert status(connector.check())["status"] == "SUCCEEDED"


def test_what_cannot_be_a_key_is_refused_before_anything_is_sent(linear_api, connect):
    answer = status(connect("API Key", api_key="lin api key").check())
    assert answer["status"] == "FAILED"
    assert answer["message"].startswith("credentials.api_key: contains white space")
    assert len(linear_api.requests) == 0


def test_client_credentials_get_one_token_for_all_streams(linear_api, connect):
    connector = connect("Client Credentials", **client(linear_api))
    output = connector.read(connector.catalog(STREAMS))
    assert_complete(linear_api, output)
    assert {request.authorization for request in linear_api.requests} == {"bearer"}
    assert tokens_made(linear_api) == 1
    assert configurations(output) == []


def expire_in_the_middle(api):
    """Let the token end while four requests with it are under way."""
    under_way = threading.Barrier(4, action=api.auth.expire_access_tokens)

    def expire(request, number):
        if 8 <= number < 12:
            under_way.wait(timeout=30)

    api.requests.clear()
    api.before_response(expire)


def test_client_credentials_get_one_new_token_when_theirs_is_refused(linear_api, connect):
    connector = connect("Client Credentials", **client(linear_api))
    catalog = connector.catalog(STREAMS)
    expire_in_the_middle(linear_api)
    assert_complete(linear_api, connector.read(catalog))
    assert tokens_made(linear_api) == 2


def test_a_refresh_token_is_used_before_the_access_token_ends(linear_api, connect):
    credentials = with_refresh_token(
        linear_api, access_token=linear_api.access_token, token_expiry_date="2024-01-01T00:00:00Z"
    )
    output = connect("OAuth2.0", **credentials).check()
    assert status(output)["status"] == "SUCCEEDED"
    assert {request.status for request in linear_api.requests} == {200}
    assert tokens_made(linear_api) == 1


def test_an_access_token_that_lasts_is_used(linear_api, connect):
    credentials = with_refresh_token(
        linear_api, access_token=linear_api.access_token, token_expiry_date="2124-01-01T00:00:00Z"
    )
    output = connect("OAuth2.0", **credentials).check()
    assert status(output)["status"] == "SUCCEEDED"
    assert configurations(output) == []
    assert linear_api.refresh_token == "standin-refresh-0"


def test_a_token_that_is_refused_in_the_middle_is_refreshed_once_for_all_threads(linear_api, connect):
    connector = connect("OAuth2.0", **with_refresh_token(linear_api, access_token=linear_api.access_token))
    catalog = connector.catalog(STREAMS)
    expire_in_the_middle(linear_api)
    output = connector.read(catalog)
    assert_complete(linear_api, output)
    assert len([request for request in linear_api.requests if request.status == 401]) >= 4
    assert tokens_made(linear_api) == 1
    assert len(configurations(output)) == 1


def test_a_new_refresh_token_is_out_and_in_the_file_before_it_is_used(linear_api, connect, tmp_path):
    connector = connect("OAuth2.0", **with_refresh_token(linear_api))
    seen = []

    def look(request, number):
        written = json.loads((tmp_path / "config.json").read_text())
        printed = (tmp_path / "stdout").read_text()
        seen.append((written["credentials"]["refresh_token"], linear_api.refresh_token in printed))

    linear_api.before_response(look)
    output = connector.check()
    assert seen[0] == (linear_api.refresh_token, True)
    (control,) = configurations(output)
    assert control == json.loads((tmp_path / "config.json").read_text())
    assert control["credentials"]["refresh_token"] == linear_api.refresh_token != "standin-refresh-0"
    assert control["credentials"]["access_token"] == linear_api.access_token
    assert control["api_url"] == linear_api.url


def test_syncs_go_on_for_ever_with_the_file_that_they_keep_up_to_date(linear_api, connect, tmp_path):
    connector = connect("OAuth2.0", **with_refresh_token(linear_api))
    for expected in (1, 2, 3):
        assert status(connector.check())["status"] == "SUCCEEDED"
        assert tokens_made(linear_api) == expected
        connector.config = json.loads((tmp_path / "config.json").read_text())
        linear_api.auth.expire_access_tokens()


def test_inside_airbyte_only_the_control_message_carries_the_new_token(linear_api, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKER_JOB_ID", "7")
    credentials = {"auth_type": "OAuth2.0", **with_refresh_token(linear_api)}
    connector = Connector(tmp_path, {"credentials": credentials, "api_url": linear_api.url})
    (control,) = configurations(connector.check())
    assert control["credentials"]["refresh_token"] == linear_api.refresh_token
    assert json.loads((tmp_path / "config.json").read_text()) == connector.config


def test_a_void_refresh_token_is_the_users_to_mend(linear_api, connect):
    connector = connect("OAuth2.0", **{**with_refresh_token(linear_api), "refresh_token": "retired"})
    answer = status(connector.check())
    assert answer["status"] == "FAILED"
    assert answer["message"].startswith("Linear does not accept the refresh token (HTTP 400: invalid_grant).")
    output = connector.read(connector.catalog(STREAMS))
    assert output.exit_code == 1
    assert [error["failure_type"] for error in output.errors] == ["config_error"]


def test_a_wrong_client_secret_is_the_users_to_mend(linear_api, connect):
    connector = connect("Client Credentials", client_id=linear_api.client_id, client_secret="wrong")
    answer = status(connector.check())
    assert answer["status"] == "FAILED"
    assert "(HTTP 400: invalid_client). Check client_id and client_secret" in answer["message"]


def test_a_token_endpoint_that_fails_is_asked_again(linear_api, connect, monkeypatch):
    give = linear_api.auth.token
    failures = iter([ConnectionError("down"), ConnectionError("down")])

    def token(*arguments):
        for failure in failures:
            raise failure
        return give(*arguments)

    monkeypatch.setattr(linear_api.auth, "token", token)
    assert status(connect("Client Credentials", **client(linear_api)).check())["status"] == "SUCCEEDED"


def test_the_spec_lets_airbyte_authenticate_as_an_application_with_read_access(connect):
    specification = connect("API Key", api_key="k").spec().one("SPEC")["spec"]
    flow = specification["advanced_auth"]
    assert (flow["auth_flow_type"], flow["predicate_key"], flow["predicate_value"]) == (
        "oauth2.0",
        ["credentials", "auth_type"],
        "OAuth2.0",
    )
    declared = flow["oauth_config_specification"]
    asked = declared["oauth_connector_input_specification"]
    assert asked["consent_url"].startswith("https://linear.app/oauth/authorize?response_type=code&actor=app&")
    assert asked["scope"] == "read"
    assert asked["access_token_url"] == "https://api.linear.app/oauth/token"
    (option,) = (
        option
        for option in specification["connectionSpecification"]["properties"]["credentials"]["oneOf"]
        if option["properties"]["auth_type"]["const"] == flow["predicate_value"]
    )
    for part in ("complete_oauth_output_specification", "complete_oauth_server_output_specification"):
        for target in declared[part]["properties"].values():
            assert target["path_in_connector_config"][0] == "credentials"
            assert target["path_in_connector_config"][1] in option["properties"]
