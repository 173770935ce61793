"""Secrets appear nowhere but in CONTROL messages: not at debug level, not in traces, not in files."""

import json
import os
import sys
from pathlib import Path

import pytest

from integration_tests.connector import Connector
from integration_tests.faults.forks import ForkedConnector

STREAMS = ("users", "projects", "comments")
SECRETS = ("lin_api_", "standin-secret", "standin-access", "standin-refresh", "the-wrong-secret")


@pytest.fixture
def connect(linear_api, tmp_path, forks):
    linear_api.auth.replay_seconds = 0

    def make(credentials):
        config = {"credentials": credentials, "api_url": linear_api.url}
        return ForkedConnector(tmp_path, config, forks=forks)

    return make


def told(connector):
    """Every line that was printed so far, CONTROL aside."""
    lines = [line for printed in connector.printed for line in printed.splitlines()]
    return [line for line in lines if not line.startswith('{"type":"CONTROL"')]


def leaks(connector):
    return [line for line in told(connector) if any(secret in line for secret in SECRETS)]


def credentials_of(api):
    client = {"client_id": api.client_id, "client_secret": api.client_secret}
    return {
        "key": {"auth_type": "API Key", "api_key": api.api_key},
        "wrong key": {"auth_type": "API Key", "api_key": "lin_api_wrong"},
        "key behind Bearer": {"auth_type": "API Key", "api_key": f"Bearer {api.api_key}"},
        "no key": {"auth_type": "API Key", "api_key": "lin_api_ two words"},
        "client": {"auth_type": "Client Credentials", **client},
        "wrong client": {
            "auth_type": "Client Credentials",
            **client,
            "client_secret": "the-wrong-secret",
        },
        "refresh": {"auth_type": "OAuth2.0", **client, "refresh_token": api.refresh_token},
        "void refresh": {"auth_type": "OAuth2.0", **client, "refresh_token": "the-wrong-secret"},
    }


KINDS = (
    "key",
    "wrong key",
    "key behind Bearer",
    "no key",
    "client",
    "wrong client",
    "refresh",
    "void refresh",
)


@pytest.mark.parametrize("kind", KINDS)
def test_no_command_tells_a_secret(linear_api, connect, kind):
    catalog = connect(credentials_of(linear_api)["key"]).catalog(STREAMS)
    connector = connect(credentials_of(linear_api)[kind])
    connector.check()
    config = json.loads((connector.directory / "config.json").read_text())
    connector.config = config  # with the refresh token that replaced the first
    connector.discover()
    connector.read(catalog)
    assert len(told(connector)) >= 4
    assert leaks(connector) == []


def test_the_control_message_does_tell_it(linear_api, connect):
    connector = connect(credentials_of(linear_api)["refresh"])
    connector.check()
    assert any(linear_api.refresh_token in printed for printed in connector.printed)
    assert leaks(connector) == []


@pytest.mark.parametrize(
    ("kind", "quoted"), [("key", "api_key"), ("client", "client_secret"), ("refresh", "refresh_token")]
)
def test_a_secret_that_linear_quotes_is_not_told(linear_api, connect, kind, quoted):
    connector = connect(credentials_of(linear_api)[kind])
    catalog = connector.catalog(STREAMS)
    message = f"No such token: {getattr(linear_api, quoted)}."
    linear_api.faults.error("AUTHENTICATION_ERROR", 401, root="projects", message=message, count=None)
    output = connector.read(catalog)
    assert output.statuses["projects"][-1] == "INCOMPLETE"
    assert all("No such token: ****" in error["message"] for error in output.errors)
    assert leaks(connector) == []


WITH_A_BUG = """
from source_linear.components import transformation
from source_linear.run import main

good = transformation.transformation

def fail(node):
    raise LookupError("{secret}")

transformation.transformation = lambda stream, how: fail if stream.name == "comments" else good(stream, how)
main()
"""


def test_a_bug_of_ours_tells_its_traceback_but_no_secret_and_holds_no_other_stream_up(
    linear_api, connect, tmp_path
):
    catalog = connect(credentials_of(linear_api)["key"]).catalog(STREAMS)
    connector = Connector.of(linear_api, tmp_path, num_workers=2)  # slots, which no failed window may keep
    connector.command = [sys.executable, "-c", WITH_A_BUG.format(secret=linear_api.api_key)]
    output = connector.read(catalog, None, "--debug")
    assert output.exit_code == 1
    assert {name: found[-1] for name, found in output.statuses.items()} == {
        "users": "COMPLETE",
        "projects": "COMPLETE",
        "comments": "INCOMPLETE",
    }
    assert [error["failure_type"] for error in output.errors] == ["system_error"] * 2
    assert any(
        "Traceback" in error["stack_trace"] and "LookupError" in error["stack_trace"]
        for error in output.errors
    )
    assert [one for one in output.messages if linear_api.api_key in json.dumps(one)] == []
    assert linear_api.api_key not in output.stderr


def test_no_copy_of_the_configuration_is_written(linear_api, tmp_path, monkeypatch):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    copies = []

    def look(request, number):
        for directory, _, names in os.walk(temporary):
            copies.extend(
                name for name in names if linear_api.api_key in (Path(directory) / name).read_text()
            )

    linear_api.before_response(look)
    output = Connector.of(linear_api, tmp_path).check()
    assert output.one("CONNECTION_STATUS")["connectionStatus"]["status"] == "SUCCEEDED"
    assert len(linear_api.requests) > 0 and copies == []
