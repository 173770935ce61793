"""A node that does not match Linear's schema costs that node, and too many of them the stream."""

import pytest
from airbyte_cdk.models import FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_linear.components.transformation import NodeTransformation
from source_linear.packaged import manifest
from source_linear.shared import MOST_LEFT_OUT, share
from source_linear.sync.reading import ROWS

CONFIG = {"credentials": {"auth_type": "API Key", "api_key": "lin_api_key"}}


@pytest.fixture
def transform():
    (users,) = (one for one in manifest()["streams"] if one["$parameters"]["name"] == "users")
    share(CONFIG)
    return NodeTransformation(CONFIG, users["$parameters"]).transform


def page(rows):
    return {ROWS: [{"id": str(number)} for number in range(rows)]}  # without archivedAt


def test_a_node_that_does_not_match_is_left_out(transform, caplog):
    transform(made := page(2))
    assert made[ROWS] == []
    assert caplog.text.count("does not match Linear's schema") == 2


def test_too_many_of_them_are_said_as_what_they_are(transform):
    with pytest.raises(AirbyteTracedException, match="Stream users: Too many rows") as failed:
        transform(page(MOST_LEFT_OUT + 1))
    assert failed.value.failure_type is FailureType.transient_error
