"""From nodes to records, and what archived means."""

import pytest

from source_linear.catalog import narrowed
from source_linear.streams import Stream
from source_linear.sync.listed import Seen
from source_linear.sync.records import is_archived, seen, tombstone, transformation
from unit_tests.sync.parts import at, history, row, spans, stream, uuid, with_lists

ARCHIVED = at(4)


@pytest.mark.parametrize(
    ("node", "in_trash", "archived"),
    [
        ({}, True, False),
        ({"archivedAt": None, "trashed": None}, True, False),
        ({"archivedAt": ARCHIVED}, True, True),
        ({"archivedAt": None, "trashed": True}, True, True),
        ({"archivedAt": None, "trashed": False}, True, False),
        ({"archivedAt": None, "trashed": True}, False, False),
        ({"archivedAt": ARCHIVED, "trashed": True}, False, True),
    ],
)
def test_archived_is_what_has_a_date_of_it_or_is_in_the_trash(node, in_trash, archived):
    assert is_archived(node, in_trash) is archived


def test_what_is_seen_of_a_node_is_its_id_flag_and_dates():
    assert seen(row(1, archivedAt=ARCHIVED)) == Seen(uuid(1), True, at(5), at(1), ARCHIVED, False)
    assert seen(row(1, trashed=True)) == Seen(uuid(1), True, at(5), at(1), None, False)
    assert seen(row(1), comes=True).comes


def test_a_node_without_a_date_of_creation_was_created_when_it_was_updated():
    assert seen({"id": uuid(1), "updatedAt": at(5)}) == Seen(uuid(1), False, at(5), at(5), None, False)


def made(of, node, archived_rows="flag"):
    transformation(of, archived_rows)(node)
    return node


def test_a_relation_becomes_the_id_of_what_it_names_or_null():
    assert made(stream(), row(1, owner={"id": "u1"})) == {
        "id": uuid(1),
        "createdAt": at(1),
        "updatedAt": at(5),
        "archivedAt": None,
        "title": "thing 1",
        "ownerId": "u1",
        "isArchived": False,
    }
    assert made(stream(), row(1))["ownerId"] is None


@pytest.mark.parametrize("missing", ["owner", "archivedAt"])
def test_a_node_that_lacks_what_was_asked_for_is_no_row(missing):
    node = row(1)
    del node[missing]
    if missing == "archivedAt":
        assert made(stream(), node)["isArchived"] is False
    else:
        with pytest.raises(KeyError):
            made(stream(), node)


@pytest.mark.parametrize(
    ("items", "ids"),
    [
        ({"nodes": [{"id": "a"}, None, {"id": "b"}]}, ["a", "b"]),
        ({"nodes": []}, []),
        (None, None),
    ],
)
def test_a_list_becomes_the_ids_of_its_items(items, ids):
    assert made(with_lists(), row(1, parts=items))["partIds"] == ids


def test_a_plain_list_becomes_the_ids_of_its_items():
    of = stream(lists={"partIds": "parts"})
    assert made(of, row(1, parts=[{"id": "a"}, {"id": "b"}]))["partIds"] == ["a", "b"]
    assert made(of, row(1, parts=[]))["partIds"] == []


def test_a_second_name_of_a_column_has_its_value():
    assert made(stream(copies={"bossId": "ownerId"}), row(1, owner={"id": "u1"}))["bossId"] == "u1"


def test_a_row_that_is_archived_or_in_the_trash_is_flagged():
    of = stream(fields="title trashed")
    assert made(of, row(1, archivedAt=ARCHIVED, trashed=None))["isArchived"] is True
    assert made(of, row(1, trashed=True))["isArchived"] is True
    assert made(of, row(1, trashed=None))["isArchived"] is False


def test_in_a_history_the_trash_is_what_happened_to_the_parent():
    node = {**row(1, trashed=True), "thingId": uuid(9)}
    del node["owner"]
    assert made(history(fields="trashed title"), node)["isArchived"] is False


@pytest.mark.parametrize(
    ("more", "deleted"), [({}, None), ({"archivedAt": ARCHIVED}, ARCHIVED), ({"trashed": True}, at(5))]
)
def test_delete_says_since_when_a_row_is_to_be_deleted(more, deleted):
    record = made(stream(fields="title trashed"), row(1, **{"trashed": None, **more}), "delete")
    assert record["_ab_cdc_deleted_at"] == deleted


def test_flag_has_no_such_column():
    assert "_ab_cdc_deleted_at" not in made(stream(), row(1, archivedAt=ARCHIVED))


def test_a_row_without_dates_of_its_own_is_archived_with_its_parent():
    parent = {"thingId": uuid(9), "thingUpdatedAt": at(5), "thingArchivedAt": ARCHIVED}
    record = made(spans(), {"id": uuid(1), "title": "x", **parent}, "delete")
    assert (record["isArchived"], record["_ab_cdc_deleted_at"]) == (True, ARCHIVED)
    parent["thingArchivedAt"] = None
    assert made(spans(), {"id": uuid(1), "title": "x", **parent})["isArchived"] is False


def test_what_is_not_selected_is_asked_for_where_it_is_needed_and_not_sent():
    parameters = {"name": "things", "entity": "Thing", "kind": "windowed", "fields": "title trashed"}
    of = Stream.from_parameters(narrowed(parameters, ["id", "updatedAt", "title", "isArchived"]))
    node = {"id": uuid(1), "title": "x", "createdAt": at(1), "updatedAt": at(5)}
    record = made(of, {**node, "archivedAt": None, "trashed": True})
    assert record == {"id": uuid(1), "title": "x", "updatedAt": at(5), "isArchived": True}


def test_a_tombstone_says_that_a_row_is_gone_and_when_that_was_seen():
    gone = {"id": uuid(1), "updatedAt": at(10), "isArchived": True, "deletedAt": at(10)}
    assert tombstone(stream(), uuid(1), at(10), "flag") == gone
    assert tombstone(stream(), uuid(1), at(10), "delete") == {**gone, "_ab_cdc_deleted_at": at(10)}


def test_a_tombstone_has_no_column_that_is_not_selected():
    parameters = {"name": "things", "entity": "Thing", "kind": "windowed", "fields": "title"}
    of = Stream.from_parameters(narrowed(parameters, ["id", "title"]))
    assert tombstone(of, uuid(1), at(10), "flag") == {"id": uuid(1), "updatedAt": at(10), "isArchived": True}
