"""Roots without pages, a list or one object: what is not that is no answer, nor one to the change probe."""

import json
from types import SimpleNamespace

import pytest

from source_linear.linear.answers import judge
from source_linear.linear.errors import LinearError
from source_linear.packaged import manifest
from source_linear.query import StreamQuery
from source_linear.streams import Stream
from source_linear.sync.asking import StreamApi
from source_linear.sync.pages import Pages
from source_linear.sync.probe import Probe
from source_linear.sync.roots import Roots

CURSOR = "2026-01-01T00:00:00.000Z"
ROW = {"id": "r1", "updatedAt": "2025-01-01T00:00:00.000Z", "archivedAt": None}
STREAMS = {
    entry["$parameters"]["name"]: Stream.from_parameters(entry["$parameters"])
    for entry in manifest()["streams"]
    if not entry["$parameters"].get("connection", True)
}
# What is not what the root gives. No template is an answer, no organization is none.
ODD = [
    *(("organization", odd) for odd in (None, [], {}, "", 5, False, [ROW], {**ROW, "id": None})),
    *(("templates", odd) for odd in (None, {}, "", 5, False, ROW)),
]


class Answers:
    """Linear's API that answers each root alike, judged as the real one is."""

    def __init__(self, value):
        self._value = value
        self.budget = SimpleNamespace(usage={name: SimpleNamespace(refused={}) for name in ("", *STREAMS)})

    def ask(self, stream, query, variables=None, roots=None, tries=None, keeps_slot=False):
        body = json.dumps({"data": dict.fromkeys(roots, self._value)}).encode()
        answer = judge(stream, 200, body, roots)
        if answer.failure:
            raise LinearError(answer.failure)
        return answer

    def leave(self):
        pass


def fetch(name, value):
    stream = STREAMS[name]
    shared = SimpleNamespace(
        api=Answers(value), left_out={name: {}}, leave_out=lambda *_: pytest.fail("a row was left out")
    )
    pages = Pages(StreamApi(StreamQuery(stream), {}, shared))
    page = pages.fetch({root.name: None for root in stream.roots}, {}, 250)
    return [node for fetched in page.values() for node, _ in fetched.nodes]


def news(name, value):
    probe = Probe({name: (STREAMS[name], CURSOR)})
    probe.ask(Roots(Answers(value)), {})
    return probe.news.get(name, "not known")


def test_these_are_the_roots_without_pages():
    assert set(STREAMS) == {"organization", "templates"}


@pytest.mark.parametrize(("name", "odd"), ODD)
def test_a_page_that_is_not_what_the_root_gives_fails_and_is_not_taken_for_no_rows(name, odd):
    with pytest.raises(LinearError) as caught:
        fetch(name, odd)
    assert "lacks what was asked for" in caught.value.failure.reason


@pytest.mark.parametrize(("name", "odd"), ODD)
def test_the_probe_does_not_take_it_for_no_news(name, odd):
    assert news(name, odd) == "not known"


@pytest.mark.parametrize(
    ("name", "value", "ids"),
    [("organization", ROW, ["r1"]), ("templates", [ROW], ["r1"]), ("templates", [], [])],
)
def test_what_the_root_gives_is_read_and_known_to_the_probe(name, value, ids):
    assert [node["id"] for node in fetch(name, value)] == ids
    assert news(name, value) == ()
