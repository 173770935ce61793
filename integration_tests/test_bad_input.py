"""Bad input gets one clear error that names the field, sends nothing and shows no traceback."""

import json

import pytest

from integration_tests.connector import Connector

KEY = "the-secret-key"
CREDENTIALS = {"auth_type": "API Key", "api_key": KEY}


def error_of(output, exit_code=1):
    """The only error, which must come first, be the user's to mend, and show no secret."""
    assert output.exit_code == exit_code
    assert output.stderr == ""
    first = next(message for message in output.messages if message["type"] != "LOG")
    assert first["type"] == "TRACE"
    (error,) = output.errors
    assert error["failure_type"] == "config_error"
    assert not [line for line in output.logs if "Traceback" in line or line.startswith("FATAL")]
    assert KEY not in json.dumps(output.messages)
    return error["message"]


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({}, "credentials:"),
        ({"credentials": {"auth_type": "Magic", "api_key": KEY}}, "credentials.auth_type:"),
        ({"credentials": {"auth_type": "API Key", "api_key": [KEY]}}, "credentials.api_key:"),
        ({"credentials": CREDENTIALS, "start_date": "yesterday"}, "start_date:"),
        ({"credentials": CREDENTIALS, "start_date": "2124-01-01T00:00:00Z"}, "start_date:"),
        ({"credentials": CREDENTIALS, "api_url": "http://linear.example/graphql"}, "api_url:"),
    ],
)
def test_a_bad_configuration_fails_the_check_by_field(tmp_path, config, field):
    output = Connector(tmp_path, config).check()
    assert output.one("CONNECTION_STATUS")["connectionStatus"]["status"] == "FAILED"
    assert field in error_of(output, exit_code=0)


def test_a_bad_configuration_is_refused_by_discover(tmp_path):
    assert "num_workers:" in error_of(
        Connector(tmp_path, {"credentials": CREDENTIALS, "num_workers": "many"}).discover()
    )


def test_a_bad_configuration_is_refused_by_read(tmp_path):
    assert "credentials:" in error_of(Connector(tmp_path, {}).read({"streams": []}))


@pytest.mark.parametrize("text", ["{", ""])
def test_a_configuration_that_is_not_json_is_refused(tmp_path, text):
    path = tmp_path / "config.json"
    path.write_text(text, "utf-8")
    assert "is not valid JSON" in error_of(Connector(tmp_path, {}).run("discover", "--config", str(path)))


def test_a_configuration_file_that_is_missing_is_refused(tmp_path):
    output = Connector(tmp_path, {}).run("discover", "--config", str(tmp_path / "none.json"))
    assert "--config" in error_of(output) and "none.json" in error_of(output)


def test_no_configuration_at_all_is_a_question_of_usage(tmp_path):
    output = Connector(tmp_path, {}).run("read")
    assert output.exit_code == 2
    assert "--config" in output.stderr and "Traceback" not in output.stderr


def test_an_unknown_command_is_a_question_of_usage(tmp_path):
    output = Connector(tmp_path, {}).run("write")
    assert output.exit_code == 2
    assert "Traceback" not in output.stderr


def test_a_stream_that_does_not_exist_is_refused_by_name(linear_api, connector):
    catalog = connector.catalog(["users"])
    catalog["streams"][0]["stream"]["name"] = "epics"
    message = error_of(connector.read(catalog))
    assert "catalog:" in message and "epics" in message and "users" in message
    assert len(linear_api.requests) == 0


@pytest.mark.parametrize("text", ["[]x", '{"streams": 7}', '{"stream": []}'])
def test_a_catalog_that_is_none_is_refused(connector, text):
    assert "--catalog" in error_of(connector.read(text))


@pytest.mark.parametrize("text", ["{", '[{"type": "STREAM", "stream": 7}]'])
def test_a_state_file_that_is_none_is_refused(connector, text):
    assert "--state" in error_of(connector.read(connector.catalog(["users"]), text))


@pytest.mark.parametrize(
    "state", [{"updatedAt": "last week"}, {"updatedAt": 7}, {"page": 3}, {"updatedAt": None}]
)
def test_a_garbage_state_is_refused_by_stream_and_touches_nothing(linear_api, connector, state):
    states = [{"type": "STREAM", "stream": {"stream_descriptor": {"name": "users"}, "stream_state": state}}]
    message = error_of(connector.read(connector.catalog(["users", "teams"]), states))
    assert "state:" in message and "users" in message
    assert len(linear_api.requests) == 0


def test_an_unknown_team_is_refused_with_the_known_ones(linear_api, make_connector):
    known = linear_api.workspace.expected("Team", linear_api.workspace.ids("Team")[0])["key"]
    connector = make_connector(linear_api, team_keys=[known, "NOPE"])
    message = error_of(connector.read(connector.catalog(["issues"])))
    assert "team_keys:" in message and "NOPE" in message and known in message


@pytest.mark.parametrize("name", ["api_key", "linear_api_key"])
def test_a_flat_key_is_accepted_and_migrated_in_the_file(linear_api, tmp_path, name):
    connector = Connector(tmp_path, {name: linear_api.api_key, "api_url": linear_api.url})
    output = connector.check()
    assert output.one("CONNECTION_STATUS")["connectionStatus"]["status"] == "SUCCEEDED"
    control = output.one("CONTROL")["control"]["connectorConfig"]["config"]
    assert control == json.loads((tmp_path / "config.json").read_text("utf-8"))
    assert control == {
        "credentials": {"auth_type": "API Key", "api_key": linear_api.api_key},
        "api_url": linear_api.url,
    }
