"""The change probe saves requests and decides nothing: of what it cannot read it says no more than that."""

import json
from types import SimpleNamespace

import pytest

from source_linear.linear.answers import judge
from source_linear.linear.errors import LinearError
from source_linear.packaged import manifest
from source_linear.streams import Stream
from source_linear.sync.probe import Probe
from source_linear.sync.roots import Roots

CURSOR, OLD, NEW = "2026-01-01T00:00:00.000Z", "2025-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z"
STREAMS = {
    name: Stream.from_parameters(entry["$parameters"])
    for entry in manifest()["streams"]
    if (name := entry["$parameters"]["name"])
    in ("comments", "users", "agent_sessions", "project_history", "issue_history")
}
QUIET = {"id": "r1", "updatedAt": OLD, "archivedAt": None}
ODD_NODES = [None, {}, [], "", "x", 5, True]
ODD_NODES += [{**QUIET, "id": odd} for odd in (None, "", 5, [], {})]
ODD_NODES += [{**QUIET, "updatedAt": odd} for odd in (None, 5, [], {})]
ODD_NODES += [{**QUIET, "archivedAt": odd} for odd in (5, [], {})]


def is_quiet(name, nodes, length=0):
    """Whether the probe takes a stream whose root gives these nodes for one that nobody need read."""

    def answer(stream, query, variables=None, roots=None, tries=None, keeps_slot=False):
        body = json.dumps({"data": {root: {"nodes": nodes} for root in roots}}).encode()
        judged = judge(stream, 200, body, roots)
        if judged.failure:
            raise LinearError(judged.failure)
        return judged

    probe = Probe({name: (STREAMS[name], CURSOR)}, lengths={name: length})
    probe.ask(Roots(SimpleNamespace(ask=answer)), {})
    news = probe.news.get(name)
    assert news is None or news or news == ()  # as the summary knows it
    return news is not None and not news


def with_list(name, rows):
    """A quiet parent with this in place of its list."""
    return {**QUIET, STREAMS[name].roots[0].children.name: rows}


@pytest.mark.parametrize("odd", ODD_NODES, ids=repr)
@pytest.mark.parametrize("name", ["comments", "users", "agent_sessions"])
def test_a_node_that_cannot_be_read_is_not_taken_for_no_news(name, odd):
    assert not is_quiet(name, [odd])


@pytest.mark.parametrize(
    "odd", [None, {}, [], "x", 5, {"nodes": None}, {"nodes": 5}, {"nodes": {}}], ids=repr
)
@pytest.mark.parametrize("name", ["project_history", "issue_history"])
def test_a_list_that_cannot_be_read_is_not_taken_for_no_news(name, odd):
    assert not is_quiet(name, [with_list(name, odd)])


@pytest.mark.parametrize("odd", ODD_NODES, ids=repr)
@pytest.mark.parametrize("name", ["project_history", "issue_history"])
def test_a_row_of_a_list_that_cannot_be_read_is_not_taken_for_no_news(name, odd):
    assert not is_quiet(name, [with_list(name, {"nodes": [odd]})])


def test_a_list_that_had_rows_and_comes_empty_is_not_taken_for_no_news():
    assert is_quiet("users", [], length=0) and is_quiet("users", [QUIET], length=1)
    assert not is_quiet("users", [], length=1)


@pytest.mark.parametrize("name", ["comments", "users", "agent_sessions"])
def test_rows_that_are_older_than_the_state_are_no_news(name):
    assert is_quiet(name, [QUIET])
    assert is_quiet(name, [])


@pytest.mark.parametrize("name", ["project_history", "issue_history"])
def test_lists_that_are_older_than_the_state_are_no_news(name):
    assert is_quiet(name, [with_list(name, {"nodes": [QUIET]})])


@pytest.mark.parametrize("change", [{"updatedAt": NEW}, {"updatedAt": CURSOR}, {"archivedAt": NEW}], ids=repr)
@pytest.mark.parametrize("name", ["comments", "users", "agent_sessions"])
def test_a_row_that_was_changed_or_archived_since_is_news(name, change):
    assert not is_quiet(name, [{**QUIET, **change}])
