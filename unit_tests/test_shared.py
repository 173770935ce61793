"""Linear's API as one configuration asks it."""

from dataclasses import replace
from importlib.metadata import version

import pytest
from airbyte_cdk.models import FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_linear.linear.errors import LinearError, failure
from source_linear.shared import api_of, new_api, traced
from unit_tests.sync.parts import CONFIG

URL = "https://linear.example/graphql"
GIVEN = {"credentials": {"auth_type": "API Key", "api_key": "lin_api_shared"}}


def test_an_api_asks_where_and_how_it_is_told_to_in_our_name():
    sent = []
    api = new_api(CONFIG, URL, "PUT")
    api.patience = 0

    def request(method, url, **more):
        sent.append((method, url, more["headers"]["Authorization"]))
        raise OSError

    api._session.request = request
    with pytest.raises(LinearError):
        api.ask("", "{ viewer { id } }")
    assert sent == [("PUT", URL, "lin_api_key")]
    assert api._session.headers["User-Agent"] == f"source-linear/{version('source-linear')}"


@pytest.mark.parametrize(("share", "part"), [(100, 1.0), (25, 0.25)])
def test_an_api_uses_the_share_of_the_limits_that_the_configuration_allows(share, part):
    api = new_api(replace(CONFIG, rate_limit_share=share, num_workers=7), URL, "POST")
    assert api.budget._points._share == api.budget._requests._share == part
    assert api._slots._free == 7


@pytest.mark.parametrize("url", [URL, f"{URL}/", "https://linear.example", "https://linear.example/"])
def test_tokens_are_asked_for_beside_the_endpoint(url):
    credentials = {"auth_type": "Client Credentials", "client_id": "c", "client_secret": "s"}
    api = new_api(replace(CONFIG, credentials=credentials), url, "POST")
    asked = []

    def post(where, form, **more):
        asked.append(where)
        raise OSError

    api._session.post, api.patience = post, 0
    with pytest.raises(LinearError):
        api.ask("", "{ viewer { id } }")
    assert asked == ["https://linear.example/oauth/token"]


def test_a_key_that_can_be_none_is_a_config_error():
    credentials = {"auth_type": "API Key", "api_key": "lin\napi"}
    with pytest.raises(AirbyteTracedException) as caught:
        new_api(replace(CONFIG, credentials=credentials), URL, "POST")
    assert caught.value.failure_type is FailureType.config_error
    assert "lin\napi" not in str(caught.value.message)


def test_in_the_cdks_own_runner_all_who_are_made_for_one_configuration_share_an_api():
    assert api_of(GIVEN, URL, "POST") is api_of(dict(GIVEN), URL, "POST")
    assert api_of(GIVEN, URL, "POST") is not api_of(GIVEN, f"{URL}2", "POST")
    assert api_of(GIVEN, URL, "POST") is not api_of(GIVEN, URL, "PUT")
    assert api_of(GIVEN, URL, "POST") is not api_of({**GIVEN, "num_workers": 3}, URL, "POST")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("FORBIDDEN", FailureType.config_error),
        ("NO_ANSWER", FailureType.transient_error),
        ("TOO_LARGE", FailureType.system_error),
    ],
)
def test_an_error_of_linear_is_one_of_airbyte_with_the_same_words(code, kind):
    error = LinearError(failure("users", code, "detail"))
    made = traced(error)
    assert (made.message, made.internal_message, made.failure_type) == (str(error), str(error), kind)
