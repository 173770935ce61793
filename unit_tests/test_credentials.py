"""What is sent as Authorization, and how access tokens are renewed: early, once, and handed back."""

import json
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_linear.components import credentials as module
from source_linear.components.credentials import Credentials
from source_linear.config import milliseconds

OAUTH = {
    "auth_type": "OAuth2.0",
    "client_id": "the-client",
    "client_secret": "the-secret",
    "refresh_token": "refresh-0",
    "access_token": "access-0",
}
CLIENT = {"auth_type": "Client Credentials", "client_id": "the-client", "client_secret": "the-secret"}


def soon(**when):
    return milliseconds(datetime.now(UTC) + timedelta(**when))


class Endpoint:
    """The token endpoint: tokens are numbered; `answers` go before that."""

    def __init__(self, monkeypatch, latency=0.0):
        self.forms, self.urls, self.answers = [], [], []
        self.latency = latency
        monkeypatch.setattr(module.requests, "post", self.post)

    def post(self, url, form, timeout, allow_redirects):
        assert max(timeout) <= 30 and not allow_redirects
        time.sleep(self.latency)
        self.urls.append(url)
        self.forms.append(form)
        if self.answers:
            given = self.answers.pop(0)
            if isinstance(given, Exception):
                raise given
            return given
        number = len(self.forms)
        document = {"access_token": f"access-{number}", "expires_in": 86_399}
        if form["grant_type"] == "refresh_token":
            document["refresh_token"] = f"refresh-{number}"
        return answer(200, document)


def answer(status, document):
    response = requests.Response()
    response.status_code = status
    response._content = json.dumps(document).encode()
    return response


@pytest.fixture
def endpoint(monkeypatch):
    for name in module._IN_AIRBYTE:
        monkeypatch.delenv(name, raising=False)
    return Endpoint(monkeypatch)


def controls(capsys):
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line["control"]["connectorConfig"]["config"] for line in lines if line["type"] == "CONTROL"]


@pytest.mark.parametrize(
    "given",
    [
        "lin_api_key",
        " lin_api_key\n",
        '"lin_api_key"',
        "'lin_api_key'",
        "Bearer lin_api_key",
        "bearer  lin_api_key",
        '"Bearer lin_api_key"',
        "Authorization: lin_api_key",
        "“lin_api_key”",
    ],
)
def test_a_key_is_taken_as_it_was_meant(given):
    assert Credentials({"credentials": {"auth_type": "API Key", "api_key": given}}).header == "lin_api_key"


@pytest.mark.parametrize(
    "given", [" ", '""', "Bearer ", "lin_api key", "lin_api\nkey", "lin_api_kéy", "two, keys"]
)
def test_what_cannot_be_a_key_is_refused_with_a_hint_and_not_shown(given):
    with pytest.raises(AirbyteTracedException) as caught:
        Credentials({"credentials": {"auth_type": "API Key", "api_key": given}})
    assert caught.value.failure_type is FailureType.config_error
    assert caught.value.message.startswith("credentials.api_key: ")
    assert "without quotes and without Bearer" in caught.value.message
    assert "lin_api" not in caught.value.message


def test_a_secret_with_white_space_around_it_is_taken_as_meant(endpoint):
    credentials = Credentials({"credentials": {**CLIENT, "client_secret": " the-secret\n"}})
    credentials.renew_if_due("")
    assert endpoint.forms[0]["client_secret"] == "the-secret"


def test_a_key_is_never_renewed(endpoint):
    credentials = Credentials({"credentials": {"auth_type": "API Key", "api_key": "k"}})
    assert credentials.renew_if_due("") is None
    assert credentials.refuse("k") is False
    assert endpoint.forms == []


def test_client_credentials_ask_for_a_token_of_their_own(endpoint, capsys):
    credentials = Credentials({"credentials": CLIENT})
    assert credentials.renew_if_due("") is None
    assert credentials.header == "Bearer access-1"
    assert endpoint.urls == ["https://api.linear.app/oauth/token"]
    assert endpoint.forms == [
        {
            "grant_type": "client_credentials",
            "scope": "read",
            "client_id": "the-client",
            "client_secret": "the-secret",
        }
    ]
    assert controls(capsys) == []


def test_the_token_endpoint_is_beside_the_api(endpoint):
    config = {"credentials": CLIENT, "api_url": "https://proxy.example/linear/graphql"}
    Credentials(config).renew_if_due("")
    assert endpoint.urls == ["https://proxy.example/linear/oauth/token"]


@pytest.mark.parametrize(
    ("expiry", "renewed"),
    [({"minutes": 1}, True), ({"days": -1}, True), ({"minutes": 10}, False), ({"hours": 23}, False)],
)
def test_a_token_is_renewed_shortly_before_it_ends(endpoint, expiry, renewed):
    credentials = Credentials({"credentials": {**OAUTH, "token_expiry_date": soon(**expiry)}})
    credentials.renew_if_due("")
    assert len(endpoint.forms) == renewed


@pytest.mark.parametrize("expiry", [{}, {"token_expiry_date": ""}, {"token_expiry_date": "soon"}])
def test_a_token_whose_end_is_not_known_is_used_until_it_is_refused(endpoint, expiry):
    credentials = Credentials({"credentials": {**OAUTH, **expiry}})
    credentials.renew_if_due("")
    assert credentials.header == "Bearer access-0"
    assert credentials.refuse("Bearer access-0") is True
    credentials.renew_if_due("")
    assert credentials.header == "Bearer access-1"
    assert [form["refresh_token"] for form in endpoint.forms] == ["refresh-0"]


def test_a_refresh_uses_the_refresh_token_that_the_last_one_brought(endpoint):
    credentials = Credentials({"credentials": OAUTH})
    for number in range(3):
        credentials.refuse(credentials.header)
        credentials.renew_if_due("")
        assert credentials.header == f"Bearer access-{number + 1}"
    assert [form["refresh_token"] for form in endpoint.forms] == ["refresh-0", "refresh-1", "refresh-2"]


def test_ten_threads_that_are_refused_renew_it_once(endpoint):
    endpoint.latency = 0.05
    credentials = Credentials({"credentials": OAUTH})
    ready = threading.Barrier(10)
    headers = []

    def sync():
        refused = credentials.header
        ready.wait(timeout=10)
        credentials.refuse(refused)
        credentials.renew_if_due("")
        headers.append(credentials.header)

    threads = [threading.Thread(target=sync) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)
    assert headers == ["Bearer access-1"] * 10
    assert len(endpoint.forms) == 1


def test_a_refusal_of_a_token_that_was_renewed_meanwhile_renews_nothing(endpoint):
    credentials = Credentials({"credentials": OAUTH})
    credentials.refuse("Bearer access-0")
    credentials.renew_if_due("")
    credentials.refuse("Bearer access-0")
    credentials.renew_if_due("")
    assert len(endpoint.forms) == 1


def test_a_new_refresh_token_leaves_at_once_as_a_control_message(endpoint, capsys):
    config = {"credentials": OAUTH, "start_date": "2024-01-01"}
    credentials = Credentials(config)
    credentials.refuse(credentials.header)
    credentials.renew_if_due("")
    (control,) = controls(capsys)
    assert control["start_date"] == "2024-01-01"
    assert control["credentials"]["refresh_token"] == "refresh-1"
    assert control["credentials"]["access_token"] == "access-1"
    expiry = datetime.fromisoformat(control["credentials"]["token_expiry_date"])
    assert timedelta(hours=23) < expiry - datetime.now(UTC) < timedelta(hours=24)


def renewed(config_path):
    config = {"credentials": OAUTH, "start_date": "2024-01-01"}
    credentials = Credentials(config, str(config_path))
    credentials.refuse(credentials.header)
    assert credentials.renew_if_due("") is None


def test_outside_airbyte_the_configuration_file_is_kept_up_to_date(endpoint, tmp_path, capsys):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"credentials": OAUTH, "start_date": "2024-01-01"}))
    path.chmod(0o600)
    renewed(path)
    assert json.loads(path.read_text()) == controls(capsys)[0]
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["WORKER_JOB_ID", "DEPLOYMENT_MODE"])
def test_inside_airbyte_the_file_is_left_alone(endpoint, tmp_path, capsys, monkeypatch, name):
    monkeypatch.setenv(name, "1")
    path = tmp_path / "config.json"
    path.write_text("{}")
    renewed(path)
    assert path.read_text() == "{}"
    assert len(controls(capsys)) == 1


def test_a_file_that_cannot_be_written_is_a_warning_without_the_token(endpoint, tmp_path, capsys, caplog):
    renewed(tmp_path)  # a directory
    assert len(controls(capsys)) == 1
    (warning,) = caplog.messages
    assert "CONTROL" in warning and "refresh-" not in warning


def test_a_refused_refresh_token_is_the_users_to_mend(endpoint):
    endpoint.answers = [answer(400, {"error": "invalid_grant", "error_description": "refresh-0 is retired"})]
    credentials = Credentials({"credentials": {**OAUTH, "access_token": ""}})
    failure = credentials.renew_if_due("users")
    assert failure.failure_type is FailureType.config_error
    assert failure.message.startswith("Stream users: Linear does not accept the refresh token")
    assert "refresh-0" not in failure.message


def test_a_token_endpoint_that_fails_is_asked_again_later(endpoint):
    endpoint.answers = [requests.ConnectionError(), answer(503, None)]
    credentials = Credentials({"credentials": CLIENT})
    for _ in range(2):
        assert credentials.renew_if_due("").failure_type is FailureType.transient_error
    assert credentials.renew_if_due("") is None
    assert credentials.header == "Bearer access-3"


@pytest.mark.parametrize("expires_in", [None, "soon"])
def test_a_token_without_a_usable_lifetime_lasts_an_hour(endpoint, expires_in):
    endpoint.answers = [answer(200, {"access_token": "a", "expires_in": expires_in})]
    credentials = Credentials({"credentials": CLIENT})
    assert credentials.renew_if_due("") is None
    assert datetime.fromisoformat(credentials["token_expiry_date"]) < datetime.now(UTC) + timedelta(hours=1.1)
