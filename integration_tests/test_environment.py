"""What the environment of the process says of the network, and of other programs' passwords."""

import socket
import threading
from contextlib import closing, suppress

import pytest

from integration_tests.connector import Connector

pytestmark = [pytest.mark.processes, pytest.mark.slow]

LINEAR = "https://linear.invalid/graphql"  # nobody is asked: the name does not exist
PASSWORD = "the-password-of-the-proxy"
CREDENTIALS = {"auth_type": "API Key", "api_key": "the-key"}


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """An environment without proxies and CA bundles, to set them in."""
    names = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
    for name in (*names, "NETRC"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


@pytest.fixture
def refusing_proxy():
    """The port of a proxy that lets in nobody."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def run():
            with suppress(OSError):
                while True:
                    client, _ = server.accept()
                    with closing(client), client.makefile("rb") as lines:
                        while lines.readline().strip():
                            pass
                        client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")

        threading.Thread(target=run, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def catalog():
    return {
        "streams": [
            {
                "stream": {"name": "users", "json_schema": {}, "supported_sync_modes": ["full_refresh"]},
                "sync_mode": "full_refresh",
                "destination_sync_mode": "overwrite",
            }
        ]
    }


def refused(tmp_path):
    """The one sentence with which a check and a read of a Linear that cannot be reached end."""
    connector = Connector(tmp_path, {"credentials": CREDENTIALS, "api_url": LINEAR})
    output = connector.check()
    assert output.exit_code == 0
    status = output.messages[-1]["connectionStatus"]
    assert status["status"] == "FAILED"
    read = connector.read(catalog())
    assert read.exit_code == 1
    (error,) = read.errors
    assert (error["message"], error["failure_type"]) == (status["message"], "config_error")
    assert not [line for line in output.logs + read.logs if "Traceback" in line]
    assert PASSWORD not in str(output.messages) + output.stderr + str(read.messages) + read.stderr
    return error["message"]


@pytest.mark.parametrize("entry", ["machine 127.0.0.1", "default"])
def test_a_netrc_never_replaces_the_key(environment, tmp_path, linear_api, connector, entry):
    environment.setenv("HOME", str(tmp_path))
    netrc = tmp_path / ".netrc"
    netrc.write_text(f"{entry} login somebody password something\n")
    netrc.chmod(0o600)
    assert connector.check().messages[-1]["connectionStatus"] == {"status": "SUCCEEDED"}
    output = connector.read(connector.catalog(["users"]))
    assert output.exit_code == 0
    assert {request.authorization for request in linear_api.requests} == {"key"}


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_ca_bundle_that_names_no_file_is_named(environment, tmp_path, variable):
    environment.setenv(variable, "/nowhere/ca.pem")
    assert refused(tmp_path).startswith(f"The CA bundle cannot be read ({variable}=/nowhere/ca.pem).")


def test_a_proxy_that_refuses_is_named(environment, tmp_path, refusing_proxy):
    environment.setenv("HTTPS_PROXY", f"http://somebody:{PASSWORD}@127.0.0.1:{refusing_proxy}")
    message = refused(tmp_path)
    assert message.startswith("The proxy refuses to pass the request on (HTTP 407 from the proxy).")
    assert "USER:PASSWORD@HOST:PORT" in message


def test_a_proxy_that_cannot_be_understood_is_named(environment, tmp_path):
    environment.setenv("HTTPS_PROXY", f"somebody:{PASSWORD}@proxy:3128")
    assert refused(tmp_path).startswith("The environment variable HTTPS_PROXY, or ALL_PROXY, does not name")
