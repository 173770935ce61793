"""A catalog names streams that there are, each of them once, with their columns."""

import pytest
from airbyte_cdk.models import ConfiguredAirbyteCatalogSerializer, FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_linear.catalog import configured_streams

KNOWN = ["issues", "teams", "users"]


def catalog(*names):
    return ConfiguredAirbyteCatalogSerializer.load(
        {
            "streams": [
                {
                    "stream": {"name": name, "json_schema": {}, "supported_sync_modes": ["incremental"]},
                    "sync_mode": "incremental",
                    "destination_sync_mode": "append_dedup",
                }
                for name in names
            ]
        }
    )


def refusal(*names):
    with pytest.raises(AirbyteTracedException) as caught:
        configured_streams(catalog(*names), KNOWN)
    assert caught.value.failure_type is FailureType.config_error
    return caught.value.message


def test_the_streams_of_a_catalog_are_found_by_name():
    configured = configured_streams(catalog("users", "issues"), KNOWN)
    assert [(name, item.stream.name) for name, item in configured.items()] == [
        ("users", "users"),
        ("issues", "issues"),
    ]


def test_no_catalog_and_an_empty_one_have_no_streams():
    assert configured_streams(None, KNOWN) == configured_streams(catalog(), KNOWN) == {}


def test_streams_that_are_there_twice_are_refused_by_name():
    message = refusal("users", "teams", "issues", "users", "teams", "users")
    assert message.startswith("catalog: teams, users is listed more than once.")


def test_a_stream_that_is_not_known_is_refused_with_the_known_ones():
    message = refusal("users", "epics")
    assert "no stream epics." in message and message.endswith("issues, teams, users.")


def test_a_misspelt_stream_is_named_with_the_one_that_was_meant():
    message = refusal("user", "epics", "Teams")
    assert "Did you mean teams by Teams? Did you mean users by user? Run discover" in message
    assert "by epics" not in message


@pytest.mark.parametrize("properties", [5, "id", ["id", "name"]])
def test_columns_that_are_none_are_refused_by_stream(properties):
    given = catalog("users", "issues")
    given.streams[1].stream.json_schema = {"properties": properties}
    with pytest.raises(AirbyteTracedException, match="properties of stream issues") as refused:
        configured_streams(given, KNOWN)
    assert refused.value.failure_type is FailureType.config_error
