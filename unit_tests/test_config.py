"""A configuration that is wrong is refused in a sentence that names the field."""

import pytest
from airbyte_cdk.models import FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_linear.config import milliseconds, timestamp, validate
from source_linear.packaged import manifest

SPECIFICATION = manifest()["spec"]["connection_specification"]
KEY = {"credentials": {"auth_type": "API Key", "api_key": "the-key"}}


def refusal(config):
    with pytest.raises(AirbyteTracedException) as caught:
        validate(config, SPECIFICATION)
    assert caught.value.failure_type is FailureType.config_error
    assert "the-key" not in caught.value.message
    return caught.value.message


@pytest.mark.parametrize(
    "config",
    [
        KEY,
        {"api_key": "the-key"},
        {"linear_api_key": "the-key"},
        {
            "credentials": {
                "auth_type": "OAuth2.0",
                "client_id": "i",
                "client_secret": "s",
                "refresh_token": "r",
                "access_token": "a",
                "token_expiry_date": "2026-01-01T00:00:00Z",
            }
        },
        {**KEY, "start_date": "2024-01-01"},
        {**KEY, "start_date": "2024-01-01T10:00:00Z", "num_workers": 4, "archived_rows": "delete"},
        {**KEY, "api_url": "https://proxy.example/linear/graphql"},
        {**KEY, "api_url": "http://127.0.0.1:8080/graphql"},
        {**KEY, "api_url": "http://[::1]:8080/graphql"},
        {**KEY, "api_url": "http://localhost/graphql"},
    ],
)
def test_a_good_configuration_is_accepted(config):
    validate(config, SPECIFICATION)


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ([], "object"),
        ({}, "credentials:"),
        ({"credentials": "the-key"}, "credentials:"),
        ({"credentials": {"api_key": "the-key"}}, "credentials.auth_type:"),
        ({"credentials": {"auth_type": "Magic", "api_key": "the-key"}}, "credentials.auth_type:"),
        ({"credentials": {"auth_type": "API Key"}}, "credentials.api_key:"),
        ({"credentials": {"auth_type": "API Key", "api_key": ["the-key"]}}, "credentials.api_key:"),
        ({"credentials": {"auth_type": "API Key", "api_key": ""}}, "credentials.api_key:"),
        ({"api_key": 7}, "credentials.api_key:"),
        ({"credentials": {"auth_type": "OAuth2.0", "client_id": "i"}}, "credentials.client_secret:"),
        ({**KEY, "start_date": "yesterday"}, "start_date:"),
        ({**KEY, "start_date": "2024-02-30"}, "start_date:"),
        ({**KEY, "start_date": "2124-01-01"}, "start_date:"),
        ({**KEY, "start_date": 20240101}, "start_date:"),
        ({**KEY, "num_workers": "many"}, "num_workers:"),
        ({**KEY, "num_workers": 0}, "num_workers:"),
        ({**KEY, "num_workers": 400}, "num_workers:"),
        ({**KEY, "archived_rows": "hide"}, "archived_rows:"),
        ({**KEY, "api_url": "http://api.linear.app/graphql"}, "api_url:"),
        ({**KEY, "api_url": "http://127.0.0.1.evil.example/graphql"}, "api_url:"),
        ({**KEY, "api_url": "ftp://localhost/graphql"}, "api_url:"),
        ({**KEY, "api_url": "api.linear.app"}, "api_url:"),
        ({**KEY, "api_url": "https://me:the-key@proxy.example/graphql"}, "api_url:"),
        ({**KEY, "api_url": "https://[bad/graphql"}, "api_url:"),
    ],
)
def test_a_bad_configuration_is_refused_by_field(config, field):
    assert field in refusal(config)


def test_every_secret_is_marked_as_one():
    options = SPECIFICATION["properties"]["credentials"]["oneOf"]
    secrets = {
        name
        for option in options
        for name, schema in option["properties"].items()
        if schema.get("airbyte_secret")
    }
    assert secrets == {"api_key", "client_secret", "refresh_token", "access_token"}


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("2024-01-31T08:15:00.123Z", "2024-01-31T08:15:00.123Z"),
        ("2024-01-31T08:15:00.123456Z", "2024-01-31T08:15:00.123Z"),
        ("2024-01-31T08:15:00Z", "2024-01-31T08:15:00.000Z"),
        ("2024-01-31T08:15:00+02:00", "2024-01-31T06:15:00.000Z"),
        ("2024-01-31", "2024-01-31T00:00:00.000Z"),
    ],
)
def test_a_timestamp_is_read_in_every_form_and_written_in_linears(text, cut):
    assert milliseconds(timestamp(text)) == cut


@pytest.mark.parametrize("text", ["", "now", "2024", "2024-13-01", "20240131", "1706688900"])
def test_what_is_no_timestamp_is_refused(text):
    with pytest.raises(ValueError):
        timestamp(text)
