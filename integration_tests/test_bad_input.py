"""Bad input gets one clear error that names the field, sends nothing and shows no traceback."""

import json
import subprocess

import pytest

from integration_tests.faults.forks import ForkedConnector

KEY = "the-secret-key"
CREDENTIALS = {"auth_type": "API Key", "api_key": KEY}


def state(stream, **cursor):
    return {
        "type": "STREAM",
        "stream": {"stream_descriptor": {"name": stream}, "stream_state": cursor},
    }


@pytest.fixture
def given_config(tmp_path, patient_forks):
    """A factory of connectors with a configuration; they are forked, which spares each its start."""

    def given(config):
        return ForkedConnector(tmp_path, config, forks=patient_forks, options=())

    return given


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
def test_a_bad_configuration_fails_the_check_by_field(given_config, config, field):
    output = given_config(config).check()
    assert output.one("CONNECTION_STATUS")["connectionStatus"]["status"] == "FAILED"
    assert field in error_of(output, exit_code=0)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"7", b"null", b"[" * 100_000, "{}".encode("utf-16"), b'{"api_key": "\xff"}', None],
    ids=["empty", "cut", "a list", "a number", "null", "too deep", "UTF-16", "Latin-1", "missing"],
)
def test_a_check_ends_with_a_status_whatever_its_configuration_is(tmp_path, given_config, content):
    path = tmp_path / "given.json"
    if content is not None:
        path.write_bytes(content)
    output = given_config({}).run("check", "--config", str(path))
    message = error_of(output, exit_code=0)
    assert output.messages[-1]["connectionStatus"] == {"status": "FAILED", "message": message}


def test_a_check_of_a_directory_ends_with_a_status(tmp_path, given_config):
    output = given_config({}).run("check", "--config", str(tmp_path))
    assert "cannot be read (Is a directory)" in error_of(output, exit_code=0)
    assert output.messages[-1]["connectionStatus"]["status"] == "FAILED"


@pytest.mark.parametrize("nothing", [None, ""])
def test_options_with_nothing_in_them_are_as_if_left_out(linear_api, connector, nothing):
    options = connector.run("spec").one("SPEC")["spec"]["connectionSpecification"]["properties"]
    left_out = set(options) - set(connector.config)
    assert "start_date" in left_out
    plain = connector.read(connector.catalog(["issues", "users"]))
    flat = {"api_key": nothing, "linear_api_key": nothing}
    connector.config = {**connector.config, **dict.fromkeys(left_out, nothing), **flat}
    assert connector.check().one("CONNECTION_STATUS")["connectionStatus"] == {"status": "SUCCEEDED"}
    output = connector.read(connector.catalog(["issues", "users"]))
    assert output.exit_code == 0
    assert [line for line in output.logs if line.startswith("WARN")] == []
    assert {name: len(rows) for name, rows in output.records.items()} == {
        name: len(rows) for name, rows in plain.records.items()
    }
    written = json.loads((connector.directory / "config.json").read_text("utf-8"))
    assert written == connector.config  # what the user wrote is left as it is


def test_numbers_are_taken_as_they_are_meant(linear_api, connector):
    connector.config = {**connector.config, "num_workers": 4.0, "rate_limit_share": "100"}
    output = connector.read(connector.catalog(["users"]))
    assert output.exit_code == 0
    assert len(output.records["users"]) == len(linear_api.workspace.ids("User"))


def test_byte_order_marks_are_read_over_in_all_files(linear_api, connector):
    marked = {name: connector.directory / f"marked-{name}.json" for name in ("config", "catalog", "state")}
    catalog = connector.catalog(["users"])
    states = [state("users", updatedAt="2020-01-01T00:00:00.000Z")]
    for name, content in (("config", connector.config), ("catalog", catalog), ("state", states)):
        marked[name].write_text(json.dumps(content), "utf-8-sig")
    assert connector.run("check", "--config", str(marked["config"])).messages[-1]["connectionStatus"] == {
        "status": "SUCCEEDED"
    }
    arguments = [argument for name, path in marked.items() for argument in (f"--{name}", str(path))]
    output = connector.run("read", *arguments)
    assert output.exit_code == 0 and output.statuses["users"][-1] == "COMPLETE"
    assert len(output.records["users"]) > 0


@pytest.mark.parametrize("name", ["catalog", "state"])
def test_another_encoding_is_named_with_its_file(linear_api, connector, name):
    given = {"config": connector.config, "catalog": connector.catalog(["users"]), "state": []}
    arguments = []
    for kind, content in given.items():
        path = connector.directory / f"given-{kind}.json"
        path.write_text(json.dumps(content), "utf-16" if kind == name else "utf-8")
        arguments += [f"--{kind}", str(path)]
    message = error_of(connector.run("read", *arguments))
    assert message.startswith(f"--{name}: ") and message.endswith("is UTF-16, not UTF-8. Save it as UTF-8.")
    assert len(linear_api.requests) == 0


def test_files_may_be_pipes(linear_api, connector):
    catalog = connector._file("catalog", connector.catalog(["users"]))
    for arguments in (["check"], ["discover"], ["read", "--catalog", catalog]):
        done = subprocess.run(
            [*connector.command, *arguments, "--config", "/dev/stdin"],
            input=json.dumps(connector.config),
            capture_output=True,
            text=True,
            timeout=240,
        )
        assert done.returncode == 0 and '"FAILED"' not in done.stdout, done.stdout


def test_a_bad_configuration_is_refused_by_discover(given_config):
    assert "num_workers:" in error_of(
        given_config({"credentials": CREDENTIALS, "num_workers": "many"}).discover()
    )


def test_a_bad_configuration_is_refused_by_read(given_config):
    assert "credentials:" in error_of(given_config({}).read({"streams": []}))


MISSPELT = {
    **{"startdate": "start_date", "start-date": "start_date", "Start_Date": "start_date"},
    **{"archived_row": "archived_rows", "archivedRows": "archived_rows", "archive_rows": "archived_rows"},
    **{"detect_deletion": "detect_deletions", "detectDeletions": "detect_deletions"},
    **{"deletions": "detect_deletions", "reconcile_archive": "detect_deletions"},
    **{"team_key": "team_keys", "teamkeys": "team_keys", "teams": "team_keys"},
    **{"rate_limit": "rate_limit_share", "ratelimit_share": "rate_limit_share"},
    **{"num_worker": "num_workers", "numWorkers": "num_workers", "workers": "num_workers"},
    **{"url": "api_url", "api-url": "api_url"},
}


@pytest.fixture
def misspelt(connector):
    """A connector whose configuration has each misspelt option, and what shall be said of them."""
    connector.config = {**connector.config, **dict.fromkeys(MISSPELT, "2024-01-01"), "_platform": "its own"}
    return connector, [
        f"The option {written} is unknown and has no effect. Did you mean {meant}?"
        for written, meant in MISSPELT.items()
    ]


def test_misspelt_options_are_named_by_a_check_that_succeeds_all_the_same(linear_api, misspelt):
    connector, sentences = misspelt
    assert len(sentences) == 20
    output = connector.check()
    assert [line for line in output.logs if "unknown" in line] == [f"WARN {one}" for one in sentences]
    assert output.one("CONNECTION_STATUS")["connectionStatus"] == {
        "status": "SUCCEEDED",
        "message": " ".join(sentences),
    }


def test_misspelt_options_are_named_by_a_read_that_brings_the_rows_all_the_same(linear_api, misspelt):
    connector, sentences = misspelt
    output = connector.read(connector.catalog(["users"]))
    assert [line for line in output.logs if "unknown" in line] == [f"WARN {one}" for one in sentences]
    assert output.exit_code == 0
    assert len(output.records["users"]) == len(linear_api.workspace.ids("User"))


def test_a_misspelt_option_is_named_where_the_check_fails_too(linear_api, connector):
    wrong = {"auth_type": "API Key", "api_key": "wrong"}
    connector.config = {**connector.config, "credentials": wrong, "startdate": "2024-01-01"}
    output = connector.check()
    assert output.one("CONNECTION_STATUS")["connectionStatus"]["message"].startswith("Linear does not accept")
    assert [line for line in output.logs if "startdate" in line and line.startswith("WARN ")]


@pytest.mark.parametrize("command", ["check", "read"])
def test_the_key_of_an_example_is_called_a_placeholder_and_not_sent(linear_api, connector, command):
    example = {"auth_type": "API Key", "api_key": "YOUR_API_KEY"}
    catalog = connector.catalog(["users"])
    before = len(linear_api.requests)
    connector.config = {**connector.config, "credentials": example}
    output = connector.check() if command == "check" else connector.read(catalog)
    message = error_of(output, exit_code=0 if command == "check" else 1)
    assert message.startswith("credentials.api_key: is still the placeholder of an example.")
    assert len(linear_api.requests) == before


def test_an_option_that_is_gone_is_refused_with_what_to_use_instead(given_config):
    message = error_of(given_config({"credentials": CREDENTIALS, "archived_rows": "exclude"}).discover())
    assert "Use flag and filter on isArchived, or use delete." in message


@pytest.mark.parametrize("text", ["{", ""])
def test_a_configuration_that_is_not_json_is_refused(tmp_path, given_config, text):
    path = tmp_path / "config.json"
    path.write_text(text, "utf-8")
    assert "is not valid JSON" in error_of(given_config({}).run("discover", "--config", str(path)))


def test_a_configuration_file_that_is_missing_is_refused(tmp_path, given_config):
    output = given_config({}).run("discover", "--config", str(tmp_path / "none.json"))
    assert "--config" in error_of(output) and "none.json" in error_of(output)


@pytest.mark.parametrize("name", ["config", "catalog"])
def test_a_file_without_a_name_is_refused_by_its_option(connector, name):
    given = {"config": connector.config, "catalog": {"streams": []}}
    paths = {kind: connector._file(kind, content) for kind, content in given.items()} | {name: ""}
    arguments = [argument for kind, path in paths.items() for argument in (f"--{kind}", path)]
    assert error_of(connector.run("read", *arguments)).startswith(f"--{name}: ")


def test_no_configuration_at_all_is_a_question_of_usage(given_config):
    output = given_config({}).run("read")
    assert output.exit_code == 2
    assert "--config" in output.stderr and "Traceback" not in output.stderr


def test_an_unknown_command_is_a_question_of_usage(given_config):
    output = given_config({}).run("write")
    assert output.exit_code == 2
    assert "Traceback" not in output.stderr


def test_a_stream_that_does_not_exist_is_refused_by_name(linear_api, connector):
    catalog = connector.catalog(["users"])
    catalog["streams"][0]["stream"]["name"] = "epics"
    message = error_of(connector.read(catalog))
    assert "catalog:" in message and "epics" in message and "users" in message
    assert len(linear_api.requests) == 0


def test_a_stream_that_is_there_twice_is_refused_by_name(linear_api, connector):
    catalog = connector.catalog(["users", "teams"])
    catalog["streams"].append({**catalog["streams"][0], "sync_mode": "full_refresh"})
    assert error_of(connector.read(catalog)).startswith("catalog: users is listed more than once.")
    assert len(linear_api.requests) == 0


@pytest.mark.parametrize("text", ["[]x", '{"streams": 7}', '{"stream": []}'])
def test_a_catalog_that_is_none_is_refused(connector, text):
    assert "--catalog" in error_of(connector.read(text))


@pytest.mark.parametrize("text", ["{", '[{"type": "STREAM", "stream": 7}]'])
def test_a_state_file_that_is_none_is_refused(connector, text):
    assert "--state" in error_of(connector.read(connector.catalog(["users"]), text))


@pytest.mark.parametrize(
    "cursor", [{"updatedAt": "last week"}, {"updatedAt": 7}, {"page": 3}, {"updatedAt": None}]
)
def test_a_garbage_state_is_none_for_its_stream_with_a_warning(linear_api, connector, cursor):
    states = [state("users", **cursor), state("no_such_stream", **cursor)]
    output = connector.read(connector.catalog(["users", "teams"]), states)
    assert output.exit_code == 0
    assert len(output.records["users"]) == len(linear_api.workspace.ids("User"))
    (warning,) = [line for line in output.logs if line.startswith("WARN")]
    assert warning.startswith("WARN Stream users: its state cannot be read")


def test_an_unknown_team_is_refused_with_the_known_ones(linear_api, make_connector):
    known = linear_api.workspace.expected("Team", linear_api.workspace.ids("Team")[0])["key"]
    connector = make_connector(linear_api, team_keys=[known, "NOPE"])
    message = error_of(connector.read(connector.catalog(["issues"])))
    assert "team_keys:" in message and "NOPE" in message and known in message


@pytest.mark.parametrize("name", ["api_key", "linear_api_key"])
def test_a_flat_key_is_accepted_and_migrated_in_the_file(linear_api, tmp_path, given_config, name):
    connector = given_config({name: linear_api.api_key, "api_url": linear_api.url})
    output = connector.check()
    assert output.one("CONNECTION_STATUS")["connectionStatus"]["status"] == "SUCCEEDED"
    control = output.one("CONTROL")["control"]["connectorConfig"]["config"]
    assert control == json.loads((tmp_path / "config.json").read_text("utf-8"))
    assert control == {
        "credentials": {"auth_type": "API Key", "api_key": linear_api.api_key},
        "api_url": linear_api.url,
    }
