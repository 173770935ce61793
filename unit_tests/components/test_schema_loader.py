"""Where a stream's JSON schema comes from, and the column that `archived_rows: delete` adds."""

import pytest

from source_linear.components.schemas import PackagedSchema


def schema(**config):
    return PackagedSchema(config, {"name": "emojis"}).get_json_schema()


@pytest.mark.parametrize("config", [{}, {"archived_rows": "flag"}, {"archived_rows": None}])
def test_a_schema_is_the_packaged_one(config):
    assert "isArchived" in schema(**config)["properties"]
    assert "_ab_cdc_deleted_at" not in schema(**config)["properties"]


def test_delete_adds_its_column_and_to_no_other_schema():
    added = schema(archived_rows="delete")["properties"]["_ab_cdc_deleted_at"]
    assert added == {"type": ["null", "string"], "format": "date-time"}
    assert "_ab_cdc_deleted_at" not in schema()["properties"]


def test_a_schema_that_somebody_writes_to_is_that_ones_own():
    schema()["properties"].clear()
    assert schema()["properties"]
