"""The transformation that the manifest names, as the CDK makes and calls it."""

import pytest

from source_linear.components.transformation import NodeTransformation

PARAMETERS = {
    "name": "things",
    "entity": "Thing",
    "kind": "windowed",
    "fields": "title",
    "relations": "owner",
}
ARCHIVED = "2026-01-04T00:00:00.000Z"


def node(**changes):
    moment = "2026-01-05T00:00:00.000Z"
    return {
        "id": "t1",
        "title": "x",
        "createdAt": moment,
        "updatedAt": moment,
        "archivedAt": None,
        "owner": {"id": "u1"},
        **changes,
    }


def transformed(config, **changes):
    made = node(**changes)
    NodeTransformation(config, PARAMETERS).transform(made, config, {}, None)
    return made


def test_a_node_becomes_the_record_of_its_stream_in_place():
    expected = {**node(), "ownerId": "u1", "isArchived": False}
    del expected["owner"]
    assert transformed({}) == expected


@pytest.mark.parametrize("config", [{}, {"archived_rows": None}, {"archived_rows": "flag"}])
def test_archived_rows_are_flagged_where_nothing_else_is_said(config):
    made = transformed(config, archivedAt=ARCHIVED)
    assert made["isArchived"] is True
    assert "_ab_cdc_deleted_at" not in made


def test_archived_rows_are_deleted_where_the_configuration_says_so():
    config = {"archived_rows": "delete"}
    assert transformed(config, archivedAt=ARCHIVED)["_ab_cdc_deleted_at"] == ARCHIVED
    assert transformed(config)["_ab_cdc_deleted_at"] is None


def test_a_node_that_is_not_as_linears_schema_says_is_an_error():
    with pytest.raises((KeyError, TypeError, AttributeError)):
        NodeTransformation({}, PARAMETERS).transform({"id": "t1"})
