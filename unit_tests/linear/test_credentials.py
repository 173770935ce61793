"""What is sent as Authorization, and how access tokens are renewed: early, once, and handed back."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest

from source_linear.linear.answers import judge_silence
from source_linear.linear.credentials import Credentials
from source_linear.linear.errors import Kind

OAUTH = {
    "auth_type": "OAuth2.0",
    "client_id": "the-client",
    "client_secret": "the-secret",
    "refresh_token": "refresh-0",
    "access_token": "access-0",
}
CLIENT = {"auth_type": "Client Credentials", "client_id": "the-client", "client_secret": "the-secret"}
URL = "https://api.linear.app/oauth/token"


def soon(**when):
    return (datetime.now(UTC) + timedelta(**when)).isoformat()


class Endpoint:
    """The token endpoint: tokens are numbered; `answers` go before that."""

    def __init__(self):
        self.forms, self.urls, self.answers = [], [], []
        self.entered, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()

    def post(self, url, form):
        self.entered.set()
        assert self.go_on.wait(30)
        self.urls.append(url)
        self.forms.append(form)
        if self.answers:
            return self.answers.pop(0)
        number = len(self.forms)
        document = {"access_token": f"access-{number}", "expires_in": 86_399}
        if form["grant_type"] == "refresh_token":
            document["refresh_token"] = f"refresh-{number}"
        return 200, json.dumps(document).encode()


@pytest.fixture
def endpoint():
    return Endpoint()


def key(given):
    return Credentials({"auth_type": "API Key", "api_key": given})


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
    assert key(given).header == "lin_api_key"


@pytest.mark.parametrize(
    "given", [" ", '""', "Bearer ", "lin_api key", "lin_api\nkey", "lin_api_kéy", "two, keys"]
)
def test_what_cannot_be_a_key_is_refused_with_a_hint_and_not_shown(given):
    with pytest.raises(ValueError) as caught:
        key(given)
    assert str(caught.value).startswith("credentials.api_key: ")
    assert "without quotes and without Bearer" in str(caught.value)
    assert "lin_api" not in str(caught.value)


def test_a_repr_shows_no_secret():
    assert repr(Credentials(OAUTH)) == "Credentials(OAuth2.0)"


def test_a_body_that_quotes_a_secret_is_redacted_also_when_it_was_replaced(endpoint):
    credentials = Credentials({**OAUTH, "access_token": ""}, URL)
    credentials.renew_if_due("", endpoint.post)
    body = b"refresh-0 refresh-1 access-1 the-secret the-client"
    assert credentials.redacted(body) == b"**** **** **** **** the-client"


def test_a_secret_with_white_space_around_it_is_taken_as_meant(endpoint):
    Credentials({**CLIENT, "client_secret": " the-secret\n"}, URL).renew_if_due("", endpoint.post)
    assert endpoint.forms[0]["client_secret"] == "the-secret"


def test_a_key_is_never_renewed(endpoint):
    credentials = key("k")
    assert credentials.renew_if_due("", endpoint.post) is None
    assert credentials.refuse("k") is False
    assert endpoint.forms == []


def test_client_credentials_ask_for_a_token_of_their_own(endpoint):
    replaced = []
    credentials = Credentials(CLIENT, URL, replaced.append)
    assert credentials.renew_if_due("", endpoint.post) is None
    assert credentials.header == "Bearer access-1"
    assert endpoint.urls == [URL]
    assert endpoint.forms == [
        {
            "grant_type": "client_credentials",
            "scope": "read",
            "client_id": "the-client",
            "client_secret": "the-secret",
        }
    ]
    assert replaced == []


@pytest.mark.parametrize(
    ("expiry", "renewed"),
    [({"minutes": 1}, True), ({"days": -1}, True), ({"minutes": 30}, False), ({"hours": 23}, False)],
)
def test_a_token_is_renewed_shortly_before_it_ends(endpoint, expiry, renewed):
    Credentials({**OAUTH, "token_expiry_date": soon(**expiry)}, URL).renew_if_due("", endpoint.post)
    assert len(endpoint.forms) == renewed


@pytest.mark.parametrize("expiry", [{}, {"token_expiry_date": ""}, {"token_expiry_date": "soon"}])
def test_a_token_whose_end_is_not_known_is_used_until_it_is_refused(endpoint, expiry):
    credentials = Credentials({**OAUTH, **expiry}, URL)
    credentials.renew_if_due("", endpoint.post)
    assert credentials.header == "Bearer access-0"
    assert credentials.refuse("Bearer access-0") is True
    credentials.renew_if_due("", endpoint.post)
    assert credentials.header == "Bearer access-1"
    assert [form["refresh_token"] for form in endpoint.forms] == ["refresh-0"]


def test_a_refresh_uses_the_refresh_token_that_the_last_one_brought(endpoint):
    credentials = Credentials(OAUTH, URL)
    for number in range(3):
        credentials.refuse(credentials.header)
        credentials.renew_if_due("", endpoint.post)
        assert credentials.header == f"Bearer access-{number + 1}"
    assert [form["refresh_token"] for form in endpoint.forms] == ["refresh-0", "refresh-1", "refresh-2"]


def test_ten_threads_that_are_refused_renew_it_once(endpoint):
    credentials = Credentials(OAUTH, URL)
    endpoint.go_on.clear()
    ready = threading.Barrier(11)
    headers = []

    def ask_again():
        refused = credentials.header
        ready.wait(timeout=30)
        credentials.refuse(refused)
        credentials.renew_if_due("", endpoint.post)
        headers.append(credentials.header)

    threads = [threading.Thread(target=ask_again) for _ in range(10)]
    for thread in threads:
        thread.start()
    ready.wait(timeout=30)
    assert endpoint.entered.wait(30)
    endpoint.go_on.set()
    for thread in threads:
        thread.join(timeout=30)
    assert headers == ["Bearer access-1"] * 10
    assert len(endpoint.forms) == 1


def test_a_refusal_of_a_token_that_was_renewed_meanwhile_renews_nothing(endpoint):
    credentials = Credentials(OAUTH, URL)
    for _ in range(2):
        credentials.refuse("Bearer access-0")
        credentials.renew_if_due("", endpoint.post)
    assert len(endpoint.forms) == 1


def test_a_new_refresh_token_is_handed_back_with_all_values(endpoint):
    replaced = []
    credentials = Credentials(OAUTH, URL, replaced.append)
    credentials.refuse(credentials.header)
    credentials.renew_if_due("", endpoint.post)
    (values,) = replaced
    assert values["refresh_token"] == "refresh-1"
    assert values["access_token"] == "access-1"
    lasts = datetime.fromisoformat(values["token_expiry_date"]) - datetime.now(UTC)
    assert timedelta(hours=23) < lasts < timedelta(hours=24)


def test_a_refused_refresh_token_is_for_the_user(endpoint):
    document = {"error": "invalid_grant", "error_description": "refresh-0 is retired"}
    endpoint.answers = [(400, json.dumps(document).encode())]
    failure = Credentials({**OAUTH, "access_token": ""}, URL).renew_if_due("users", endpoint.post)
    assert failure.kind is Kind.CONFIG
    assert failure.message.startswith("Stream users: Linear does not accept the refresh token")
    assert "refresh-0" not in failure.message


def test_a_token_endpoint_that_fails_is_asked_again_later(endpoint):
    endpoint.answers = [judge_silence("", OSError()), (503, b"null")]
    credentials = Credentials(CLIENT, URL)
    for _ in range(2):
        assert credentials.renew_if_due("", endpoint.post) is not None
    assert credentials.renew_if_due("", endpoint.post) is None
    assert credentials.header == "Bearer access-3"


@pytest.mark.parametrize("expires_in", [None, "soon"])
def test_a_token_without_a_usable_lifetime_lasts_an_hour(endpoint, expires_in):
    replaced = []
    document = {"access_token": "a", "refresh_token": "r", "expires_in": expires_in}
    endpoint.answers = [(200, json.dumps(document).encode())]
    credentials = Credentials({**OAUTH, "access_token": ""}, URL, replaced.append)
    assert credentials.renew_if_due("", endpoint.post) is None
    assert datetime.fromisoformat(replaced[0]["token_expiry_date"]) < datetime.now(UTC) + timedelta(hours=1.1)


@pytest.mark.parametrize("expires_in", [0, -5, 240, float("nan"), True])
def test_a_token_that_hardly_lasts_is_used_until_it_is_refused(endpoint, expires_in):
    endpoint.answers = [(200, json.dumps({"access_token": "short", "expires_in": expires_in}).encode())]
    credentials = Credentials(CLIENT, URL)
    for _ in range(3):
        credentials.renew_if_due("", endpoint.post)
        assert credentials.header == "Bearer short"


@pytest.mark.parametrize("expires_in", [1e13, 1e300])
def test_a_token_that_lasts_for_ages_loses_no_refresh_token(endpoint, expires_in):
    replaced = []
    document = {"access_token": "long", "refresh_token": "refresh-1", "expires_in": expires_in}
    endpoint.answers = [(200, json.dumps(document).encode())]
    credentials = Credentials({**OAUTH, "token_expiry_date": soon(minutes=1)}, URL, replaced.append)
    assert credentials.renew_if_due("", endpoint.post) is None
    assert [values["refresh_token"] for values in replaced] == ["refresh-1"]


def test_a_token_endpoint_that_repeats_a_secret_is_not_quoted_with_it(endpoint):
    endpoint.answers = [(400, b'{"error": "the-secret is wrong"}')]
    failed = Credentials(CLIENT, URL).renew_if_due("", endpoint.post)
    assert "is wrong" in failed.message and "the-secret" not in failed.message
