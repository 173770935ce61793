"""A configuration that is wrong is refused in a sentence that names the field."""

import time
from dataclasses import FrozenInstanceError
from datetime import datetime

import pytest
from airbyte_cdk.models import FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_linear.config import (
    Config,
    milliseconds,
    normalized,
    read_json,
    timestamp,
    unknown_options,
    validate,
)
from source_linear.packaged import manifest

SPECIFICATION = manifest()["spec"]["connection_specification"]
KEY = {"credentials": {"auth_type": "API Key", "api_key": "the-key"}}


def refusal(config):
    with pytest.raises(AirbyteTracedException) as caught:
        validate(normalized(config, SPECIFICATION), SPECIFICATION)
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
        {**KEY, "detect_deletions": "daily"},
        {**KEY, "detect_deletions": "1 hour"},
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
        ({"api_key": 7}, "api_key:"),
        ({"credentials": {"auth_type": "OAuth2.0", "client_id": "i"}}, "credentials.client_secret:"),
        ({**KEY, "start_date": "yesterday"}, "start_date:"),
        ({**KEY, "start_date": "2024-02-30"}, "start_date:"),
        ({**KEY, "start_date": "2124-01-01"}, "start_date:"),
        ({**KEY, "start_date": 20240101}, "start_date:"),
        ({**KEY, "num_workers": "many"}, "num_workers:"),
        ({**KEY, "num_workers": 0}, "num_workers:"),
        ({**KEY, "num_workers": 400}, "num_workers:"),
        ({**KEY, "archived_rows": "hide"}, "archived_rows:"),
        ({**KEY, "archived_rows": "exclude"}, "archived_rows: exclude is gone"),
        ({**KEY, "detect_deletions": "hourly"}, "detect_deletions:"),
        ({**KEY, "detect_deletions": "0 hours"}, "detect_deletions:"),
        ({**KEY, "detect_deletions": "each sync "}, "detect_deletions:"),
        ({**KEY, "detect_deletions": True}, "detect_deletions:"),
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


OAUTH = {"auth_type": "OAuth2.0", "client_id": "i", "client_secret": "s", "refresh_token": "r"}


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_nothing_in_a_field_is_as_if_it_were_left_out(nothing):
    optional = dict.fromkeys(set(SPECIFICATION["properties"]) - {"credentials"}, nothing)
    flat = dict.fromkeys(("api_key", "linear_api_key"), nothing)
    oauth = {**OAUTH, "access_token": nothing, "token_expiry_date": nothing}
    assert len(optional) == 7
    assert normalized({**KEY, **optional, **flat}, SPECIFICATION) == KEY
    assert normalized({"credentials": oauth}, SPECIFICATION) == {"credentials": OAUTH}
    assert normalized({**KEY, "team_keys": ["ENG", nothing]}, SPECIFICATION) == {**KEY, "team_keys": ["ENG"]}


@pytest.mark.parametrize("nothing", [None, ""])
@pytest.mark.parametrize("name", ["client_id", "client_secret", "refresh_token"])
def test_nothing_in_a_required_field_is_a_missing_field(name, nothing):
    assert f"credentials.{name}: is missing" in refusal({"credentials": {**OAUTH, name: nothing}})


@pytest.mark.parametrize(
    ("name", "written", "meant"),
    [
        ("num_workers", 10.0, 10),
        ("num_workers", "10", 10),
        ("num_workers", " 10.0 ", 10),
        ("rate_limit_share", 5e1, 50),
        ("rate_limit_share", "50", 50),
    ],
)
def test_numbers_are_taken_as_terraform_and_templates_write_them(name, written, meant):
    config = normalized({**KEY, name: written}, SPECIFICATION)
    validate(config, SPECIFICATION)
    assert config == {**KEY, name: meant}
    assert type(config[name]) is type(meant)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("num_workers", 10.5),
        ("num_workers", "10.5"),
        ("num_workers", "1e1"),
        ("num_workers", "-4"),
        ("num_workers", True),
        ("num_workers", float("nan")),
        ("num_workers", float("inf")),
        ("num_workers", "9" * 5000),
        ("num_workers", "400"),
        ("num_workers", [10]),
        ("reconcile_archived", "yes"),
        ("reconcile_archived", 1),
        ("team_keys", "ENG"),
        ("start_date", 2024.0),
    ],
)
def test_what_is_no_such_value_is_refused_by_field(name, value):
    assert f"{name}: must be" in refusal({**KEY, name: value})


# --- What it says ---------------------------------------------------------------------------------


def test_each_option_that_is_left_out_has_the_default_of_the_spec():
    config = Config.of(KEY, SPECIFICATION)
    assert config.credentials == KEY["credentials"]
    assert (config.start_date, config.team_keys, config.detect_deletions) == (None, (), 24.0)
    for name in ("archived_rows", "rate_limit_share", "num_workers", "api_url"):
        assert getattr(config, name) == SPECIFICATION["properties"][name]["default"]


def test_a_default_stands_in_the_spec_and_nowhere_else():
    properties = {name: dict(schema) for name, schema in SPECIFICATION["properties"].items()}
    changed = {
        "archived_rows": "delete",
        "rate_limit_share": 7,
        "num_workers": 3,
        "api_url": "https://x.example",
    }
    for name, default in (changed | {"detect_deletions": "never"}).items():
        properties[name]["default"] = default
    config = Config.of(KEY, {**SPECIFICATION, "properties": properties})
    assert {name: getattr(config, name) for name in changed} == changed
    assert config.detect_deletions is None


def test_each_option_that_is_given_is_taken():
    given = {
        **{"start_date": "2024-02-01", "archived_rows": "delete", "team_keys": ["ENG", "OPS"]},
        **{"rate_limit_share": "50", "num_workers": 4.0, "api_url": "https://proxy.example/graphql"},
    }
    config = Config.of({**KEY, **given}, SPECIFICATION)
    assert config.start_date == "2024-02-01T00:00:00.000Z"
    assert (config.archived_rows, config.team_keys) == ("delete", ("ENG", "OPS"))
    assert (config.rate_limit_share, config.num_workers) == (50, 4)
    assert config.api_url == "https://proxy.example/graphql"


@pytest.mark.parametrize(
    ("given", "hours"),
    [
        *(({"detect_deletions": "daily"}, 24), ({"detect_deletions": "each sync"}, 0)),
        *(({"detect_deletions": "never"}, None), ({"detect_deletions": "6 hours"}, 6)),
        *(({"detect_deletions": "1 hour"}, 1), ({"detect_deletions": ""}, 24)),
        *(({"detect_deletions": "never\n"}, None), ({"detect_deletions": "9999 hours\n"}, 9999)),
        *(({"reconcile_archived": True}, 0), ({"reconcile_archived": "true"}, 0)),
        *(({"reconcile_archived": False}, 24), ({"reconcile_archived": "false"}, 24)),
        ({"reconcile_archived": True, "detect_deletions": "never"}, None),
        ({"reconcile_archived": False, "detect_deletions": "each sync"}, 0),
    ],
)
def test_how_often_deletions_are_looked_for_is_told_in_hours(given, hours):
    assert Config.of({**KEY, **given}, SPECIFICATION).detect_deletions == hours
    assert unknown_options({**KEY, **given}, SPECIFICATION) == []


def test_a_flat_key_is_taken_for_credentials():
    assert Config.of({"linear_api_key": "k"}, SPECIFICATION).credentials == {
        "auth_type": "API Key",
        "api_key": "k",
    }


def test_a_config_can_be_printed_without_its_secrets_and_not_be_changed():
    config = Config.of({"credentials": {**OAUTH, "client_secret": "the-secret"}}, SPECIFICATION)
    assert "the-secret" not in f"{config} {config!r}" and "num_workers=10" in repr(config)
    with pytest.raises(FrozenInstanceError):
        config.num_workers = 3


def test_a_config_is_not_made_of_what_the_spec_refuses():
    with pytest.raises(AirbyteTracedException, match="num_workers: must be at most 40"):
        Config.of({**KEY, "num_workers": 400}, SPECIFICATION)


# --- What is not known ----------------------------------------------------------------------------

MISSPELT = {
    **dict.fromkeys(("startdate", "start-date", "StartDate", "start_data"), "start_date"),
    **dict.fromkeys(("archived_row", "archivedRows", "archive_rows", "archived"), "archived_rows"),
    **dict.fromkeys(("detect_deletion", "detectDeletions", "deletions"), "detect_deletions"),
    **dict.fromkeys(("reconcile_archive", "reconcileArchived"), "detect_deletions"),
    **dict.fromkeys(("team_key", "teamkeys", "teams"), "team_keys"),
    **dict.fromkeys(("rate_limit", "ratelimit_share"), "rate_limit_share"),
    **dict.fromkeys(("workers", "num_worker", "numWorkers"), "num_workers"),
    **dict.fromkeys(("url", "api-url"), "api_url"),
}


@pytest.mark.parametrize(("written", "meant"), MISSPELT.items())
def test_a_misspelt_option_is_named_with_the_one_that_was_meant(written, meant):
    assert unknown_options({**KEY, written: "2024-01-01"}, SPECIFICATION) == [
        f"The option {written} is unknown and has no effect. Did you mean {meant}?"
    ]


@pytest.mark.parametrize(
    ("written", "meant"), [("accessToken", "access_token"), ("expiry", "token_expiry_date")]
)
def test_a_misspelt_field_of_the_credentials_is_named_with_its_place(written, meant):
    assert unknown_options({"credentials": {**OAUTH, written: "the-key"}}, SPECIFICATION) == [
        f"The option credentials.{written} is unknown and has no effect. Did you mean credentials.{meant}?"
    ]


def test_an_option_like_no_other_is_named_with_all_that_there_are():
    (sentence,) = unknown_options({**KEY, "colour": "red"}, SPECIFICATION)
    assert sentence == (
        "The option colour is unknown and has no effect. There are: credentials, start_date, "
        "archived_rows, detect_deletions, team_keys, rate_limit_share, num_workers, api_url."
    )


@pytest.mark.parametrize(
    "config",
    [
        *(KEY, {"api_key": "k"}, {"linear_api_key": "k"}),
        {**KEY, "startdate": None, "workers": ""},  # which counts as left out
        {**KEY, "__injected_declarative_manifest": {}, "_platform": 1},
        {"credentials": {**OAUTH, "api_key": "k"}},  # Airbyte's form may keep what another kind needs
    ],
)
def test_nothing_is_unknown_that_is_an_option_or_the_platforms_own(config):
    assert unknown_options(config, SPECIFICATION) == []


def test_a_key_in_the_place_of_an_options_name_is_not_told():
    assert "lin_api" not in unknown_options({**KEY, "lin_api_the_key": 1}, SPECIFICATION)[0]


@pytest.mark.parametrize(
    ("config", "missing", "written"),
    [
        ({"credential": KEY["credentials"]}, "credentials", "credential"),
        ({"apikey": "the-key"}, "credentials", "apikey"),
        ({"credentials": {"authtype": "API Key", "api_key": "the-key"}}, "credentials.auth_type", "authtype"),
        ({"credentials": {"auth_type": "API Key", "apiKey": "the-key"}}, "credentials.api_key", "apiKey"),
        (
            {"credentials": {**OAUTH, "client_secret": None, "secret": "the-key"}},
            "credentials.client_secret",
            "secret",
        ),
    ],
)
def test_a_misspelt_field_that_is_required_is_named_in_the_error(config, missing, written):
    message = refusal(config)
    assert message.startswith(f"{missing}: ") and message.endswith(f'Did you mean it by "{written}"?')


@pytest.mark.parametrize(
    "placeholder",
    [
        *(
            "YOUR_API_KEY",
            "your-api-key",
            "your api key",
            "MY_LINEAR_KEY",
            "<api-key>",
            "…",
            "...",
            "api_key",
        ),
        *("$LINEAR_API_KEY", "${LINEAR_API_KEY}", "{{ LINEAR_API_KEY }}", '"YOUR_API_KEY"', " YOUR_API_KEY "),
    ],
)
@pytest.mark.parametrize(
    "make",
    [lambda key: {"credentials": {"auth_type": "API Key", "api_key": key}}, lambda key: {"api_key": key}],
)
def test_a_placeholder_that_was_left_in_is_called_one(placeholder, make):
    assert "api_key: is still the placeholder of an example" in refusal(make(placeholder))


@pytest.mark.parametrize(
    ("name", "placeholder"),
    [
        ("client_id", "CLIENT_ID"),
        ("client_secret", "YOUR_CLIENT_SECRET"),
        ("refresh_token", "<refresh token>"),
    ],
)
def test_a_placeholder_in_a_field_of_oauth_is_called_one(name, placeholder):
    message = refusal({"credentials": {**OAUTH, name: placeholder}})
    assert message.startswith(f"credentials.{name}: is still the placeholder")


@pytest.mark.parametrize(
    "key", ["lin_api_xKqT4bYOUR", "lin_oauth_your_key", "<lin_api_0a1b>", "aYOUR_API_KEY"]
)
def test_what_may_be_a_key_is_not_taken_for_a_placeholder(key):
    assert Config.of({"api_key": key}, SPECIFICATION).credentials["api_key"] == key


def test_a_configuration_that_is_handed_over_is_not_changed():
    config = {**KEY, "num_workers": "10", "team_keys": [None]}
    normalized(config, SPECIFICATION)
    assert config == {**KEY, "num_workers": "10", "team_keys": [None]}


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf", b"\xef\xbb\xbf" * 2])
def test_a_byte_order_mark_is_read_over(tmp_path, mark):
    path = tmp_path / "config.json"
    path.write_bytes(mark + '{"name": "Gr\u00fcn"}'.encode())
    assert read_json(str(path), "--config") == {"name": "Gr\u00fcn"}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{}".encode("utf-16"), "is UTF-16, not UTF-8. Save it as UTF-8."),
        ("{}".encode("utf-16-le"), "is UTF-16-LE, not UTF-8. Save it as UTF-8."),
        ("{}".encode("utf-32"), "is UTF-32, not UTF-8. Save it as UTF-8."),
        ('{\n"name": "Gr\u00fcn"}'.encode("latin-1"), "is not UTF-8 (line 2). Save it as UTF-8."),
        (b"\xef\xbb\xbf", "is not valid JSON (line 1)."),
        (b"", "is not valid JSON (line 1)."),
        (b'{"a":\n}', "is not valid JSON (line 2)."),
        (b"[" * 100_000, "is not valid JSON."),
    ],
)
def test_what_cannot_be_read_as_json_is_refused_with_a_sentence(tmp_path, content, says):
    path = tmp_path / "state.json"
    path.write_bytes(content)
    with pytest.raises(AirbyteTracedException) as caught:
        read_json(str(path), "--state")
    assert caught.value.failure_type is FailureType.config_error
    assert caught.value.message == f"--state: {path} {says}"


@pytest.mark.parametrize("field", ["rate_limit_share", "start_date", "archived_rows"])
def test_a_key_in_the_wrong_field_is_not_told(field):
    message = refusal({**KEY, field: "lin_api_in_the_wrong_field"})
    assert message.startswith(f"{field}: ")
    assert "lin_api" not in message and "****" in message


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
        ("2024-01-31T08:15:00", "2024-01-31T08:15:00.000Z"),
        ("2024-01-31T08:15:00.1Z", "2024-01-31T08:15:00.100Z"),
        ("2024-01-31T08:15:00.123999999Z", "2024-01-31T08:15:00.123Z"),
        ("2024-01-31T08:15:00-0730", "2024-01-31T15:45:00.000Z"),
        ("2024-12-31T23:59:59.999-01:00", "2025-01-01T00:59:59.999Z"),
        ("2024-02-29", "2024-02-29T00:00:00.000Z"),
    ],
)
def test_a_timestamp_is_read_in_every_form_and_written_in_linears(text, cut):
    assert milliseconds(timestamp(text)) == cut


@pytest.mark.parametrize(
    "text",
    [
        *("", "now", "yesterday", "2024", "2024-01", "20240131", "1706688900", "2024-1-31", " 2024-01-31"),
        *("2024-13-01", "2024-02-30", "2023-02-29", "0000-01-01", "2024-01-31Z"),
        *("2024-W05", "2024-W05-3", "2024W053", "2024-031"),  # weeks and days of the year
        *("08:15:00", "T08:15:00Z", "08:15:00Z"),  # times of an unknown day
        *("2024-01-31T08", "2024-01-31T08:15", "2024-01-31T08:15Z", "20240131T081500Z"),
        *("2024-01-31 08:15:00", "2024-01-31T08:15:00.Z", "2024-01-31T25:00:00Z", "2024-01-31T08:15:00z"),
        *("2024-01-31T08:15:00 Europe/Berlin", "2024-01-31T08:15:00 CET", "2024-01-31T08:15:00+99:00"),
        *("P1D", "2024-05-31/P1D", "2024-01-31/2024-02-01", "2024-01-31T08:15:00/P1D"),
        *("9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00+05:00"),  # no such day in UTC
    ],
)
def test_what_is_no_timestamp_is_refused(text):
    with pytest.raises(ValueError):
        timestamp(text)


@pytest.mark.parametrize("value", [None, 20240131, 1.5, True, [], {}])
def test_a_timestamp_that_is_not_text_is_refused(value):
    with pytest.raises(ValueError):
        timestamp(value)


def test_a_moment_is_written_in_utc_whatever_the_zone_of_the_machine(monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert milliseconds(timestamp("2024-07-01")) == "2024-07-01T00:00:00.000Z"
        assert milliseconds(datetime(2024, 7, 1)) == "2024-07-01T00:00:00.000Z"
    finally:
        monkeypatch.undo()
        time.tzset()
