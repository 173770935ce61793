"""The one seam with the CDK: what the manifest declares of a stream, in the words of a reader."""

import pytest
from airbyte_cdk.sources.types import StreamSlice
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_linear.components import retriever as module
from source_linear.components.retriever import _closed, _merged
from source_linear.linear.errors import LinearError
from source_linear.packaged import manifest
from source_linear.source import SourceLinear
from unit_tests.sync.parts import Linear, at, numbers, problem, uuid

CONFIG = {"credentials": {"auth_type": "API Key", "api_key": "lin_api_key"}}


@pytest.fixture(scope="module")
def retrievers():
    names = ("audit_entries", "emojis", "issue_relations", "templates", "issue_history")
    made = manifest()
    made["streams"] = [one for one in made["streams"] if one["$parameters"]["name"] in names]
    return SourceLinear(config=CONFIG)._retrievers(made)


def test_a_page_is_asked_for_where_and_how_the_manifest_says(retrievers):
    retriever = retrievers["audit_entries"]
    assert (retriever.url, retriever.method) == ("https://api.linear.app/graphql", "POST")
    assert retriever.page_size == 250
    assert retriever.stream.lookback.total_seconds() == 60


@pytest.mark.parametrize(
    ("after", "interval", "more"),
    [
        ("", None, {}),
        ("", {}, {}),
        ("a", None, {"after": "a"}),
        ("", {"start": at(3), "end": at(4)}, {"filter": {"updatedAt": {"gte": at(3), "lte": at(4)}}}),
        ("", {"start": at(3)}, {"filter": {"updatedAt": {"gte": at(3)}}}),
        ("", {"end": at(4)}, {"filter": {"updatedAt": {"lte": at(4)}}}),
    ],
)
def test_size_token_and_times_stand_where_the_manifest_says(retrievers, after, interval, more):
    declared = {"orderBy": "createdAt", "order": "updatedAt", "first": 7}
    assert retrievers["audit_entries"].variables(7, after, interval) == {**declared, **more}


def test_a_list_that_is_read_whole_has_no_place_for_times(retrievers):
    assert "filter" not in retrievers["emojis"].variables(7, "", {"start": at(3)})


def page(nodes=(), more=False, cursor=None, **changes):
    return {"nodes": list(nodes), "pageInfo": {"hasNextPage": more, "endCursor": cursor}, **changes}


def test_an_answer_is_taken_apart(retrievers):
    ends = retrievers["emojis"].ends
    assert ends(page([{"id": "a"}], True, "a")) == ([{"id": "a"}], True, "a")
    assert ends(page([{"id": "a"}], False, "a")) == ([{"id": "a"}], False, "a")
    assert ends(page()) == ([], False, None)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "it has no nodes, or no pageInfo"),
        ([], "it has no nodes, or no pageInfo"),
        ({}, "it has no nodes, or no pageInfo"),
        ({"nodes": []}, "it has no nodes, or no pageInfo"),
        (page(nodes=[]) | {"nodes": None}, "it has no nodes, or no pageInfo"),
        (page(pageInfo=[]), "it has no nodes, or no pageInfo"),
        (page(pageInfo={}), "its pageInfo is none"),
        (page(pageInfo={"hasNextPage": "no", "endCursor": None}), "its pageInfo is none"),
        (page(pageInfo={"hasNextPage": False, "endCursor": 7}), "its pageInfo is none"),
    ],
)
def test_an_answer_that_does_not_say_where_it_ends_is_an_error(retrievers, value, said):
    with pytest.raises(LinearError, match=said) as caught:
        retrievers["emojis"].ends(value)
    assert caught.value.failure.code == "INCOMPLETE"
    assert str(caught.value).startswith("Stream emojis: ")


def test_a_node_becomes_a_record(retrievers):
    node = {"id": "a", "archivedAt": at(3), "creator": {"id": "u"}, "organization": None}
    retrievers["emojis"].transform(node)
    assert (node["creatorId"], node["organizationId"], node["isArchived"]) == ("u", None, True)


# In the CDK's own runner


def entry(number, updated, created=None):
    return {"id": uuid(number), "createdAt": created or at(1), "updatedAt": updated, "archivedAt": None}


@pytest.fixture
def linear(monkeypatch):
    api = Linear({"auditEntries": [], "emojis": [], "issueRelations": [], "viewer": {"id": "v"}})
    api.left = 0

    def leave():
        api.left += 1

    api.leave = leave
    monkeypatch.setattr(module, "api_of", lambda given, url, method: api)
    return api


def read(retriever, start=None, end=None):
    times = {name: value for name, value in (("start_time", start), ("end_time", end)) if value}
    window = StreamSlice(partition={}, cursor_slice=times)
    records = list(retriever.read_records({}, window))
    assert all(one.stream_name == retriever.stream.name for one in records)
    assert all(one.associated_slice == window for one in records)
    return numbers(one["id"] for one in records)


ROWS = [entry(1, at(3)), entry(2, at(6)), entry(3, at(9), at(8))]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (None, None, [1, 2, 3]),
        ("1970-01-01T00:00:00.000Z", at(7), [1, 2]),
        (at(5), at(7), [2]),
        (at(5), None, [2, 3]),
    ],
)
def test_a_slice_of_a_window_is_read_row_by_row(retrievers, linear, start, end, expected):
    linear.rows["auditEntries"] = ROWS
    assert read(retrievers["audit_entries"], start, end) == expected
    assert linear.left == 1


@pytest.mark.parametrize(("name", "root"), [("emojis", "emojis"), ("issue_relations", "issueRelations")])
@pytest.mark.parametrize(("start", "expected"), [(None, [1, 2, 3]), (at(5), [2, 3])])
def test_a_list_that_cannot_be_cut_is_read_to_its_end(retrievers, linear, name, root, start, expected):
    linear.rows[root] = ROWS
    assert read(retrievers[name], start, at(7)) == expected


def test_without_a_slice_all_is_read(retrievers, linear):
    linear.rows["emojis"] = ROWS
    assert len(list(retrievers["emojis"].read_records({}))) == 3


def test_a_failure_is_one_of_airbyte_and_the_slot_is_given_back(retrievers, linear):
    linear.spoil = lambda *_: {"data": None, "errors": [problem("FORBIDDEN", ["emojis"], "Not for you")]}
    with pytest.raises(AirbyteTracedException, match="Not for you"):
        list(retrievers["emojis"].read_records({}))
    assert linear.left == 1


# Bodies


def test_two_bodies_become_one():
    one = {"a": {"b": 1, "c": 2}, "d": 3}
    assert _merged(one, {"a": {"c": 4, "e": 5}, "f": {}}) == {"a": {"b": 1, "c": 4, "e": 5}, "d": 3, "f": {}}
    assert one == {"a": {"b": 1, "c": 2}, "d": 3}
    assert _merged({"a": 1}, {"a": {"b": 2}}) == {"a": {"b": 2}}
    assert _merged({"a": {"b": 2}}, {"a": 1}) == {"a": 1}


def test_an_end_of_an_interval_that_is_open_is_not_said():
    assert _closed({"a": {"gte": "-", "lte": 1}, "b": {"gte": "-"}, "c": 0}) == {"a": {"lte": 1}, "c": 0}
