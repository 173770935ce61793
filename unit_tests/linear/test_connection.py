"""Why no answer came, by what requests really raises; and what a .netrc does not do."""

import socket
import threading
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import requests

from source_linear.linear.answers import judge, judge_silence
from source_linear.linear.api import Api
from source_linear.linear.connection import new_session
from source_linear.linear.credentials import Credentials
from source_linear.linear.errors import Action, Kind

URL = "https://linear.invalid/graphql"
VARIABLES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
PASSWORD = "the-password-of-the-proxy"


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """An environment without proxies and CA bundles, to set them in."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


@pytest.fixture
def serve():
    """Starts a server on a port that says the same to whoever comes."""
    servers = []

    def start(said):
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def run():
            while True:
                try:
                    client, _ = server.accept()
                except OSError:  # closed
                    return
                with suppress(OSError), closing(client), client.makefile("rb") as lines:
                    client.settimeout(10)
                    if said.startswith(b"HTTP"):
                        while lines.readline().strip():
                            pass
                    client.sendall(said)
                    client.shutdown(socket.SHUT_WR)
                    lines.read()

        threading.Thread(target=run, daemon=True).start()
        return server.getsockname()[1]

    yield start
    for server in servers:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


def failure(url=URL):
    """What is made of a request that brings no answer."""
    with pytest.raises(OSError) as caught:
        new_session().post(url, data=b"{}", timeout=10, allow_redirects=False)
    made = judge_silence("", caught.value)
    assert PASSWORD not in made.message and "the-user" not in made.message and "0x" not in made.message
    return made


def proxy_at(port):
    return f"http://the-user:{PASSWORD}@127.0.0.1:{port}"


@pytest.mark.parametrize(
    ("status", "action", "failure_type", "says"),
    [
        ("407 Proxy Authentication Required", Action.FAIL, Kind.CONFIG, "refuses to pass"),
        ("403 Forbidden", Action.FAIL, Kind.CONFIG, "refuses to pass"),
        ("502 Bad Gateway", Action.RETRY, Kind.TRANSIENT, "through the proxy"),
        ("503 Service Unavailable", Action.RETRY, Kind.TRANSIENT, "through the proxy"),
        ("405 Method Not Allowed", Action.FAIL, Kind.CONFIG, "does not name an HTTP proxy"),
    ],
)
def test_a_proxy_that_refuses_is_told_with_its_status(environment, serve, status, action, failure_type, says):
    environment.setenv("HTTPS_PROXY", proxy_at(serve(f"HTTP/1.1 {status}\r\n\r\n".encode())))
    told = failure()
    assert (told.action, told.kind) == (action, failure_type)
    assert says in told.reason and f"(HTTP {status[:3]} from the proxy)" in told.reason
    assert "HTTPS_PROXY" in told.remedy or "HTTPS_PROXY" in told.reason


def test_a_proxy_that_refuses_an_http_address_is_told_too():
    response = requests.Response()
    response.status_code, response._content = 407, b"<html>"
    told = judge("", response.status_code, response.content, {}).failure
    assert "The proxy refuses" in told.reason and told.kind is Kind.CONFIG


def test_what_is_no_proxy_is_told_to_be_none(environment, serve):
    environment.setenv("HTTPS_PROXY", proxy_at(serve(b"SSH-2.0-OpenSSH_9\r\n")))
    told = failure()
    assert (told.action, told.kind) == (Action.FAIL, Kind.CONFIG)
    assert "does not name an HTTP proxy (it does not speak HTTP)" in told.reason


def test_a_proxy_of_https_that_speaks_plain_http_is_told_to_be_none(environment, serve):
    environment.setenv("HTTPS_PROXY", proxy_at(serve(b"no TLS\r\n")).replace("http:", "https:"))
    told = failure()
    assert told.kind is Kind.CONFIG
    assert "does not name an HTTP proxy (https, but" in told.reason


def test_a_proxy_that_hangs_up_may_come_back(environment, serve):
    environment.setenv("HTTPS_PROXY", proxy_at(serve(b"")))
    told = failure()
    assert (told.action, told.kind) == (Action.RETRY, Kind.TRANSIENT)
    assert "could not be reached through the proxy" in told.reason


@pytest.fixture
def unused():
    """A port where nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.mark.parametrize("proxy", ["http://the-user:{}@127.0.0.1:{}", "127.0.0.1:{1}", "http://no.invalid:1"])
def test_a_dead_proxy_is_not_taken_for_linear(environment, unused, proxy):
    environment.setenv("HTTPS_PROXY", proxy.format(PASSWORD, unused))
    told = failure()
    assert (told.action, told.kind) == (Action.RETRY, Kind.TRANSIENT)
    how = "no connection to no.invalid:1" if "no." in proxy else f"127.0.0.1:{unused} refuses the connection"
    assert f"could not be reached through the proxy ({how})" in told.reason
    assert "HTTPS_PROXY" in told.remedy


def test_a_refused_connection_names_host_and_port(unused):
    told = failure(f"http://127.0.0.1:{unused}/graphql")
    assert (told.action, told.kind) == (Action.RETRY, Kind.TRANSIENT)
    assert f"(127.0.0.1:{unused} refuses the connection)" in told.reason


@pytest.mark.parametrize(("port", "named"), [("", 443), (":8443", 8443)])
def test_a_connection_that_does_not_come_about_names_host_and_port(monkeypatch, port, named):
    def hang(*_, **__):
        raise TimeoutError("timed out")

    monkeypatch.setattr("urllib3.util.connection.create_connection", hang)
    assert f"(no connection to linear.invalid:{named})" in failure(f"https://linear.invalid{port}/").reason


def test_a_name_that_cannot_be_resolved_is_named(monkeypatch):
    def fail(*_):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    assert "could not be resolved (linear.invalid:443)" in failure().reason


@pytest.mark.parametrize(
    "proxy",
    [
        "http://",
        "http:/proxy:3128",
        "http://proxy:port",
        "http://[bad",
        "http://my proxy:3128",
        "ftp://proxy:3128",
        "socks5://127.0.0.1:1080",
        f"the-user:{PASSWORD}@proxy:3128",
        f"http://the-user:{PASSWORD}#{PASSWORD}@proxy:3128",
    ],
)
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_proxy_that_cannot_be_understood_is_the_users_to_mend(environment, variable, proxy):
    environment.setenv(variable, proxy)
    told = failure()
    assert (told.action, told.kind) == (Action.FAIL, Kind.CONFIG)
    assert "HTTPS_PROXY, or ALL_PROXY, does not name an HTTP proxy" in told.reason
    assert "http://HOST:PORT" in told.remedy


def test_a_proxy_that_is_not_used_for_the_address_is_not_told_of(environment):
    environment.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    environment.setenv("NO_PROXY", "linear.invalid")
    assert "proxy" not in failure().message


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
@pytest.mark.parametrize("content", [None, "", "no certificate", "-----BEGIN CERTIFICATE-----\nAA\n-----END"])
def test_a_ca_bundle_that_cannot_be_read_is_named(environment, serve, tmp_path, variable, content):
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    environment.setenv(variable, str(path))
    told = failure(f"https://127.0.0.1:{serve(b'')}/graphql")
    assert (told.action, told.kind) == (Action.FAIL, Kind.CONFIG)
    assert told.reason == f"The CA bundle cannot be read ({variable}={path})."
    assert "REQUESTS_CA_BUNDLE" in told.remedy


@pytest.fixture
def linear():
    """A server that writes down the headers that it gets."""
    got = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            got.append(self.headers)
            body = b'{"access_token": "the-token", "expires_in": 3600}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", got
        server.shutdown()


@pytest.mark.parametrize("entry", ["machine 127.0.0.1", "default"])
@pytest.mark.parametrize("place", ["home", "variable"])
def test_a_netrc_replaces_no_key_and_adds_none(environment, tmp_path, linear, entry, place):
    url, got = linear
    netrc = tmp_path / ".netrc"
    netrc.write_text(f"{entry} login somebody password something\n")
    netrc.chmod(0o600)
    environment.setenv("HOME", str(tmp_path if place == "home" else tmp_path / "none"))
    environment.setenv("NETRC", str(netrc)) if place == "variable" else environment.delenv("NETRC", False)
    requests.post(f"{url}/graphql", data=b"{}", headers={"Authorization": "the-key"}, timeout=10)
    assert got.pop()["Authorization"].startswith("Basic ")  # so requests does by itself

    new_session().post(f"{url}/graphql", data=b"{}", headers={"Authorization": "the-key"}, timeout=10)
    assert got.pop()["Authorization"] == "the-key"

    client = {"auth_type": "Client Credentials", "client_id": "i", "client_secret": "s"}
    credentials = Credentials(client, f"{url}/oauth/token")
    assert credentials.renew_if_due("", Api(url, credentials)._post_form) is None
    assert got.pop()["Authorization"] is None
    assert credentials.header == "Bearer the-token"
