"""Reading nested lists on: one that does not come whole costs its node and is not taken for a shorter one."""

import json
import re
from collections import defaultdict
from types import SimpleNamespace

import pytest

from source_linear.linear.answers import judge
from source_linear.linear.errors import LinearError
from source_linear.packaged import manifest
from source_linear.query import StreamQuery
from source_linear.streams import Stream
from source_linear.sync.asking import StreamApi
from source_linear.sync.lists import Lists

PARAMETERS = {entry["$parameters"]["name"]: entry["$parameters"] for entry in manifest()["streams"]}
STREAM = Stream.from_parameters(PARAMETERS["issue_history"])
(ROOT,) = STREAM.roots
HISTORY = ROOT.children
TOO_COMPLEX = object()
DATES = {"updatedAt": "2025-01-01T00:00:00.000Z", "archivedAt": None}


def rows(first, last):
    return [{"id": f"h{number}", **DATES} for number in range(first, last)]


def page(first, last, cursor=None):
    return {"nodes": rows(first, last), "pageInfo": {"hasNextPage": cursor is not None, "endCursor": cursor}}


class Reading:
    """Lists whose rest Linear answers with these nodes, or what is made of how many items were asked for."""

    def __init__(self, *answers, refused=()):
        self.left_out, self.asked, self._answers = {}, 0, list(answers)
        usage = defaultdict(lambda: SimpleNamespace(refused=dict.fromkeys(refused)))
        api = SimpleNamespace(ask=self._ask, budget=SimpleNamespace(usage=usage))
        self._shared = SimpleNamespace(
            api=api,
            left_out={"issue_history": self.left_out},
            leave_out=lambda stream, row, place, reason: self.left_out.update({row: reason}),
        )

    def _ask(self, stream, query, variables=None, roots=None, tries=None, keeps_slot=False):
        self.asked += 1
        (root,) = roots
        nodes, number = self._answers.pop(0), int(re.search(r"history\(first: (\d+)", query)[1])
        body = {"data": {root: {"nodes": nodes(number) if callable(nodes) else nodes}}}
        if nodes is TOO_COMPLEX:
            body = {"errors": [{"message": "too complex", "extensions": {"code": "INPUT_ERROR"}}]}
        answer = judge(stream, 200, json.dumps(body).encode(), roots)
        if answer.failure:
            raise LinearError(answer.failure)
        return answer

    def completed(self, last=None, since=None):
        """The ids of the rows of the node i1, of which a first part came; None where it is left out."""
        query = StreamQuery(STREAM)
        came = rows(0, HISTORY.first - bool(last)) + ([last[0]] if last else [])
        node = {"id": "i1", **DATES, HISTORY.name: {"nodes": came}}
        lists = Lists(StreamApi(query, {}, self._shared))
        nodes = lists.completed(ROOT, [HISTORY], [(node, query.shape)], "window", False, since)
        return [row["id"] for row in nodes[0][HISTORY.name]["nodes"]] if nodes else None


def of(history):
    """The node i1 with this in place of its list."""
    return [{"id": "i1", HISTORY.name: history}]


def full(number):
    """As many items as were asked for, without `pageInfo`."""
    return of({"nodes": rows(0, number)})


def going_on(number):
    """As many items as were asked for, and a cursor."""
    return of(page(0, number, "c1"))


def ids(number):
    return [f"h{one}" for one in range(number)]


NO_LISTS = [None, {}, [], "", "x", 5, False, {"nodes": None}, {"nodes": 5}, {"nodes": {}}, {"nodes": "x"}]


@pytest.mark.parametrize("odd", [*NO_LISTS, {"nodes": []}, page(0, 5)], ids=repr)
def test_a_list_that_does_not_come_when_it_is_asked_for_again_costs_its_node(odd):
    reading = Reading(of(odd))
    assert reading.completed() is None
    assert "did not send" in reading.left_out["i1"]


LATER = [*NO_LISTS, {"nodes": []}, {"nodes": rows(0, 5)}, {"nodes": [], "pageInfo": None}]
LATER += [{"nodes": rows(0, 5), "pageInfo": odd} for odd in ({}, [], "x", {"hasNextPage": None})]


@pytest.mark.parametrize("odd", LATER, ids=repr)
def test_a_later_page_of_a_list_that_does_not_come_costs_its_node(odd):
    reading = Reading(full, going_on, of(odd))
    assert reading.completed() is None
    assert "did not send" in reading.left_out["i1"] and reading.asked == 3


@pytest.mark.parametrize("nodes", [[None], ["x"], [5], [{}], [{"id": None}], [{"id": 5}]], ids=repr)
def test_a_node_that_does_not_come_whole_with_the_rest_of_its_list_is_not_taken_for_purged(nodes):
    reading = Reading(nodes)
    assert reading.completed() is None and set(reading.left_out) == {"i1"}


def test_a_node_that_was_purged_meanwhile_keeps_what_came():
    reading = Reading([])
    assert reading.completed() == ids(HISTORY.first) and reading.left_out == {}


def test_a_list_that_linear_refuses_keeps_what_came():
    reading = Reading(of(None), refused=[HISTORY.name])
    assert reading.completed() == ids(HISTORY.first) and reading.left_out == {}


def test_fewer_items_than_came_before_are_whole_where_fewer_were_asked_for():
    shorter = []

    def noting(number):
        shorter.append(number)
        return full(number)

    def the_rest(number):
        return of(page(0, 60))

    reading = Reading(*[TOO_COMPLEX] * 6, noting, the_rest)
    assert reading.completed() == ids(60) and reading.left_out == {}
    assert shorter[0] < HISTORY.first


def test_a_list_is_read_to_its_end():
    reading = Reading(full, going_on, of(page(1000, 1003)))
    read = reading.completed()
    assert read == [*ids(len(read) - 3), "h1000", "h1001", "h1002"] and reading.left_out == {}
    assert reading.asked == 3 and len(read) > HISTORY.first + 3


def test_a_list_ends_with_an_empty_page_that_says_so():
    reading = Reading(full, going_on, of(page(0, 0)))
    read = reading.completed()
    assert read == ids(len(read)) and len(read) > HISTORY.first and reading.left_out == {}


def test_a_list_that_ended_with_what_came_first_is_whole():
    reading = Reading(of({"nodes": rows(0, HISTORY.first)}))
    assert reading.completed() == ids(HISTORY.first) and reading.left_out == {}


@pytest.mark.parametrize(
    "odd", [None, 5, "x", [], {}, {"id": "h12"}, {"id": "h12", "updatedAt": 5}], ids=repr
)
def test_a_list_goes_on_behind_an_item_that_does_not_say_how_old_it_is(odd):
    reading = Reading(of({"nodes": rows(0, HISTORY.first + 1)}))
    assert reading.completed(last=[odd], since="2026-01-01T00:00:00.000Z") == ids(HISTORY.first + 1)


def test_a_list_that_is_newest_first_is_read_no_further_than_needed():
    reading = Reading()
    assert reading.completed(since="2026-01-01T00:00:00.000Z") == ids(HISTORY.first) and reading.asked == 0
