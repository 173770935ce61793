"""The source: which streams, columns and states a command is about, and what `check` says."""

import logging

import pytest
from airbyte_cdk.models import (
    AirbyteStateMessageSerializer,
    ConfiguredAirbyteCatalogSerializer,
    Status,
    SyncMode,
)

import source_linear.source
from source_linear.source import SourceLinear
from unit_tests.sync.parts import Linear, problem

CONFIG = {"credentials": {"auth_type": "API Key", "api_key": "lin_api_key"}}
CURSOR = "2026-01-31T08:15:00.123Z"
LOGGER = logging.getLogger("airbyte")


@pytest.fixture(autouse=True)
def log(caplog):
    caplog.set_level(logging.INFO, "airbyte")
    return caplog


def catalog(*names, mode=SyncMode.incremental, columns=()):
    schema = {"properties": {name: {} for name in columns}} if columns else {}
    modes = ["full_refresh", "incremental"]
    streams = [
        {
            "stream": {"name": name, "json_schema": schema, "supported_sync_modes": modes},
            "sync_mode": mode.value,
            "destination_sync_mode": "append_dedup",
        }
        for name in names
    ]
    return ConfiguredAirbyteCatalogSerializer.load({"streams": streams})


def state(name, **said):
    stream = {"stream_descriptor": {"name": name}, "stream_state": said}
    return AirbyteStateMessageSerializer.load({"type": "STREAM", "stream": stream})


def states(*given, names=("users",), mode=SyncMode.incremental):
    source = SourceLinear(catalog(*names, mode=mode), CONFIG, list(given))
    return source._states(source._retrievers(source._manifest_of_catalog()))


def test_a_stream_goes_on_from_its_state(log):
    assert states(state("users", updatedAt=CURSOR))["users"].cursor == CURSOR
    assert log.messages == []


@pytest.mark.parametrize(
    "given",
    [
        (),
        (state("users"),),
        (state("users", __ab_no_cursor_state_message=True),),
        (state("users", __ab_full_refresh_sync_complete=True),),
        (state("teams", updatedAt=CURSOR),),
        (state("epics", page=3),),
    ],
)
def test_a_sentinel_of_the_cdk_and_the_state_of_another_stream_are_none(log, given):
    assert states(*given) == {}
    assert log.messages == []


def test_a_state_that_cannot_be_read_costs_its_own_stream_its_beginning(log):
    found = states(state("users", page=3), state("teams", updatedAt=CURSOR), names=("users", "teams"))
    assert list(found) == ["teams"]
    assert log.messages == [
        "Stream users: its state cannot be read (it has no cursor): it is read from the beginning."
    ]


def test_a_full_refresh_that_goes_on_from_a_state_is_told(log):
    states(state("users", updatedAt=CURSOR), names=("users", "teams"), mode=SyncMode.full_refresh)
    assert log.messages[0].startswith("Full refresh of users: it continues from the state that was passed in")
    log.clear()
    both = (state("users", updatedAt=CURSOR), state("teams", updatedAt=CURSOR))
    states(*both, names=("users", "teams"), mode=SyncMode.full_refresh)
    assert log.messages[0].startswith("Full refresh of all streams: ")
    log.clear()
    states(mode=SyncMode.full_refresh)
    assert log.messages == []


def test_the_streams_are_those_of_the_catalog_with_their_columns():
    source = SourceLinear(catalog("emojis", columns=["id", "name"]), CONFIG)
    (entry,) = source._manifest_of_catalog()["streams"]
    assert entry["$parameters"]["columns"] == ["id", "name"]
    assert [stream.name for stream in source.streams(CONFIG)] == ["emojis"]
    (retriever,) = source._retrievers(source._manifest_of_catalog()).values()
    assert "url" not in retriever.stream.queried and "name" in retriever.stream.queried


def test_without_a_catalog_all_streams_are_there():
    assert len(SourceLinear(config=CONFIG)._manifest_of_catalog()["streams"]) == 50


def test_a_catalog_without_streams_reads_nothing():
    source = SourceLinear(catalog(), CONFIG)
    assert list(source.read(LOGGER, CONFIG, source.catalog)) == []


# check


def checked(monkeypatch, spoil=None, **viewer):
    source = SourceLinear(config=CONFIG)
    roots = {
        root.name: []
        for one in source._retrievers(source._manifest_of_catalog()).values()
        for root in one.stream.roots
    }
    organization = {"id": "w1", "name": "Acme", "urlKey": "acme", "createdAt": CURSOR, "createdIssueCount": 1}
    api = Linear(
        roots | {"viewer": {"id": "v1", "name": "Ada", "admin": True, **viewer}, "organization": organization}
    )
    if spoil:
        api.spoil = spoil
    monkeypatch.setattr(source_linear.source, "new_api", lambda *given: api)
    return source.check(LOGGER, CONFIG), api


@pytest.mark.parametrize(("admin", "said"), [(True, "an admin"), (False, "not an admin")])
def test_a_check_says_where_and_as_whom_it_is_connected(monkeypatch, log, admin, said):
    status, api = checked(monkeypatch, admin=admin)
    assert status.status is Status.SUCCEEDED
    assert log.messages == [f"Connected to the workspace Acme (acme) as Ada, {said}."]
    assert (api.waits, api.patience) == (False, 10.0)


def test_a_check_fails_where_linear_refuses_the_credentials(monkeypatch):
    refused = (401, {"errors": [problem("AUTHENTICATION_ERROR")]})
    status, _ = checked(monkeypatch, lambda *_: refused)
    assert status.status is Status.FAILED
    assert status.message.startswith("Linear does not accept the credentials")


def test_a_check_names_the_streams_that_cannot_be_read_and_succeeds(monkeypatch, log):
    def spoil(asked, document):
        for one in asked.fields:
            if one.name == "emojis":
                return {"data": None, "errors": [problem("FORBIDDEN", [one.key], "Not for you")]}
        return document

    status, _ = checked(monkeypatch, spoil)
    assert status.status is Status.SUCCEEDED
    assert log.messages[1:] == ["Stream emojis cannot be read with these credentials: Not for you."]
