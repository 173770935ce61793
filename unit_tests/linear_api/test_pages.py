from __future__ import annotations

import json
import random
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integration_tests.linear_api import Clock, LinearApi, generate
from unit_tests.linear_api.conftest import Asker

PAGE = "nodes { id createdAt updatedAt } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"


def walk(ask: Asker, root: str, arguments: str) -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = []
    after = None
    while True:
        query = f"query($after: String) {{ {root}({arguments}, after: $after) {{ {PAGE} }} }}"
        page = ask.data(query, after=after)[root]
        nodes += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return nodes


def ids(nodes: list[dict[str, Any]]) -> list[str]:
    return [node["id"] for node in nodes]


@pytest.mark.parametrize("order", ["createdAt", "updatedAt"])
def test_pages_bring_every_row_once_newest_first(read: Asker, order: str) -> None:
    nodes = walk(read, "issues", f"first: 37, includeArchived: true, orderBy: {order}")
    assert sorted(ids(nodes)) == sorted(read.api.workspace.ids("Issue"))
    keys = [(node[order], node["id"]) for node in nodes]
    assert keys == sorted(keys, reverse=True)


def test_the_default_order_is_created_at(read: Asker) -> None:
    assert read.ids("issues", "first: 60") == read.ids("issues", "first: 60, orderBy: createdAt")


def test_first_is_50_when_absent(read: Asker) -> None:
    assert len(read.ids("issues", "includeArchived: true")) == 50


@pytest.mark.parametrize("arguments", ["first: 251", "first: 0", "first: -1", "last: 251"])
def test_a_size_out_of_range_is_rejected_at_http_200(read: Asker, arguments: str) -> None:
    response = read(f"{{ teams({arguments}) {{ nodes {{ id }} }} }}")
    assert response.status_code == 200
    body = response.json()
    assert body["data"] is None
    assert body["errors"][0]["extensions"]["code"] == "INVALID_INPUT"


def test_first_250_is_accepted(read: Asker) -> None:
    assert len(read.ids("issues", "first: 250, includeArchived: true")) == 250


def test_first_and_last_together_are_rejected(read: Asker) -> None:
    assert read.error("{ teams(first: 1, last: 1) { nodes { id } } }") == (200, "INVALID_INPUT")


def test_the_end_cursor_under_order_by_is_the_last_id(read: Asker) -> None:
    page = read.data(f"{{ issues(first: 3, orderBy: updatedAt) {{ {PAGE} }} }}")["issues"]
    assert page["pageInfo"]["endCursor"] == page["nodes"][-1]["id"]
    assert page["pageInfo"]["startCursor"] == page["nodes"][0]["id"]


def test_sort_ascends_with_a_base64_keyset_as_cursor(read: Asker) -> None:
    sort = "first: 37, includeArchived: true, sort: [{updatedAt: {order: Ascending}}]"
    nodes = walk(read, "issues", sort)
    assert sorted(ids(nodes)) == sorted(read.api.workspace.ids("Issue"))
    stamps = [node["updatedAt"] for node in nodes]
    assert stamps == sorted(stamps)
    page = read.data(f"{{ issues({sort}) {{ {PAGE} }} }}")["issues"]
    assert page["pageInfo"]["endCursor"] != page["nodes"][-1]["id"]


def test_sort_puts_nulls_where_asked(read: Asker) -> None:
    for nulls in ("first", "last"):
        query = (
            "{ issues(first: 250, includeArchived: true,"
            f" sort: [{{dueDate: {{order: Descending, nulls: {nulls}}}}}])"
            " { nodes { dueDate } } }"
        )
        dates = [node["dueDate"] for node in read.data(query)["issues"]["nodes"]]
        present = [date for date in dates if date is not None]
        assert present == sorted(present, reverse=True)
        assert (dates[0] is None) == (nulls == "first")


def test_sort_pages_through_nulls(read: Asker) -> None:
    sort = "first: 20, includeArchived: true, sort: [{completedAt: {order: Ascending}}]"
    assert sorted(ids(walk(read, "issues", sort))) == sorted(read.api.workspace.ids("Issue"))


def test_customers_call_it_sorts(read: Asker) -> None:
    query = "{ customers(sorts: [{name: {order: Ascending}}]) { nodes { name } } }"
    names = [node["name"] for node in read.data(query)["customers"]["nodes"]]
    assert names == sorted(names)


def test_a_root_without_sort_rejects_it(read: Asker) -> None:
    query = "{ teams(sort: [{updatedAt: {order: Ascending}}]) { nodes { id } } }"
    assert read.error(query) == (400, "GRAPHQL_VALIDATION_FAILED")


def test_a_sort_that_the_simulator_does_not_have_fails_loudly(read: Asker) -> None:
    response = read("{ issues(sort: [{manual: {order: Ascending}}]) { nodes { id } } }")
    assert response.status_code == 500
    assert "Not in the simulator" in response.text


def test_last_and_before_walk_backwards(read: Asker) -> None:
    forward = ids(walk(read, "issues", "first: 250"))
    backward: list[str] = []
    before = None
    while True:
        query = f"query($before: String) {{ issues(last: 41, before: $before) {{ {PAGE} }} }}"
        page = read.data(query, before=before)["issues"]
        backward = ids(page["nodes"]) + backward
        before = page["pageInfo"]["startCursor"]
        if not page["pageInfo"]["hasPreviousPage"]:
            break
    assert backward == forward


def test_has_previous_page_tells_whether_rows_came_before(read: Asker) -> None:
    first, second = read.ids("teams", "first: 2")
    query = f"query($after: String) {{ teams(first: 1, after: $after) {{ {PAGE} }} }}"
    assert read.data(query)["teams"]["pageInfo"]["hasPreviousPage"] is False
    page = read.data(query, after=first)["teams"]
    assert ids(page["nodes"]) == [second] and page["pageInfo"]["hasPreviousPage"] is True


def test_edges_carry_cursors(read: Asker) -> None:
    edges = read.data("{ teams(first: 2) { edges { cursor node { id } } } }")["teams"]["edges"]
    assert [edge["cursor"] for edge in edges] == [edge["node"]["id"] for edge in edges]


def test_an_empty_page_has_no_cursors(read: Asker) -> None:
    query = f'{{ issues(filter: {{title: {{eq: "no such"}}}}) {{ {PAGE} }} }}'
    info = read.data(query)["issues"]["pageInfo"]
    assert info == {
        "hasNextPage": False,
        "hasPreviousPage": False,
        "startCursor": None,
        "endCursor": None,
    }


@pytest.mark.parametrize("order", ["orderBy: updatedAt", "sort: [{updatedAt: {order: Ascending}}]"])
def test_an_unknown_cursor_is_rejected(read: Asker, order: str) -> None:
    query = f'{{ issues({order}, after: "nonsense") {{ nodes {{ id }} }} }}'
    assert read.error(query) == (200, "INVALID_INPUT")


def test_a_tie_group_wider_than_a_page_is_paged_completely(linear_api: LinearApi, ask: Asker) -> None:
    tied = linear_api.workspace.ids("Issue", archived=False)[:20]
    linear_api.workspace.bulk_update("Issue", tied, title="Same time")
    nodes = walk(ask, "issues", "first: 3, orderBy: updatedAt")
    assert sorted(ids(nodes)) == sorted(linear_api.workspace.ids("Issue", archived=False))
    assert {node["id"] for node in nodes[:20]} == set(tied)


def test_a_nested_list_pages_on_its_own(linear_api: LinearApi, ask: Asker) -> None:
    issue = linear_api.workspace.ids("Issue")[0]
    expected = linear_api.workspace.set_list("Issue", issue, "comments", 120)
    query = (
        "query($id: String!, $after: String) { issue(id: $id)"
        f" {{ comments(first: 50, after: $after, includeArchived: true) {{ {PAGE} }} }} }}"
    )
    found: list[str] = []
    after = None
    for _ in range(3):
        page = ask.data(query, id=issue, after=after)["issue"]["comments"]
        found += ids(page["nodes"])
        after = page["pageInfo"]["endCursor"]
    assert found == expected and page["pageInfo"]["hasNextPage"] is False


def test_a_nested_list_returns_50_when_not_told(linear_api: LinearApi, ask: Asker) -> None:
    issue = linear_api.workspace.ids("Issue")[0]
    linear_api.workspace.set_list("Issue", issue, "subscribers", 51)
    query = f"query($id: String!) {{ issue(id: $id) {{ subscribers {{ {PAGE} }} }} }}"
    page = ask.data(query, id=issue)["issue"]["subscribers"]
    assert len(page["nodes"]) == 50 and page["pageInfo"]["hasNextPage"] is True


def test_a_purged_cursor_row_still_works(linear_api: LinearApi, ask: Asker) -> None:
    every = ask.ids("issues")
    linear_api.workspace.purge("Issue", every[9])
    page = ask.ids("issues", f'first: 250, after: "{every[9]}"')
    assert page == [i for i in every[10:] if i in linear_api.workspace.rows["Issue"]]


def test_archived_rows_are_hidden_unless_asked_for(read: Asker) -> None:
    workspace = read.api.workspace
    shown = set(read.ids("projects"))
    every = set(read.ids("projects", "first: 250, includeArchived: true"))
    assert shown == set(workspace.ids("Project", archived=False))
    assert every == set(workspace.ids("Project")) > shown


def test_disabled_users_are_hidden_unless_asked_for(read: Asker) -> None:
    rows = read.api.workspace.rows["User"]
    shown = read.ids("users")
    every = read.ids("users", "first: 250, includeDisabled: true")
    assert set(every) - set(shown) == {i for i, row in rows.items() if not row["active"]} != set()


def test_disabled_subscribers_are_hidden_unless_asked_for(linear_api: LinearApi, ask: Asker) -> None:
    workspace = linear_api.workspace
    issue = workspace.ids("Issue")[0]
    person = workspace.set_list("Issue", issue, "subscribers", 3)[0]
    workspace.update("User", person, active=False)
    query = (
        "query($id: String!, $all: Boolean) { issue(id: $id)"
        " { subscribers(includeDisabled: $all) { nodes { id } } } }"
    )
    sizes = [
        len(ask.data(query, id=issue, all=every)["issue"]["subscribers"]["nodes"]) for every in (False, True)
    ]
    assert sizes == [2, 3]


def read_between_changes(
    api: LinearApi, choices: random.Random, arguments: str
) -> tuple[list[str], set[str]]:
    """Page through issues while others change; returns what came and who was left alone."""
    workspace = api.workspace
    untouched = set(workspace.ids("Issue", archived=False))
    seen: list[str] = []
    after = None
    while True:
        query = f"query($a: String) {{ issues(first: 5, {arguments}, after: $a) {{ {PAGE} }} }}"
        body = orjson.dumps({"query": query, "variables": {"a": after}})
        response = api.graphql(body, {"Authorization": api.api_key})
        assert response is not None and response.status == 200
        page = json.loads(response.body)["data"]["issues"]
        seen += ids(page["nodes"])
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return seen, untouched
        last = page["nodes"][-1]["id"]
        api.clock.advance(1)
        for _ in range(choices.randrange(4)):
            candidates = workspace.ids("Issue", archived=False)
            action = choices.choice(("create", "update", "archive", "purge", "purge last"))
            if action == "create":
                workspace.create("Issue")
                continue
            victim = last if action == "purge last" else choices.choice(candidates)
            if victim not in workspace.rows["Issue"] or (victim == last and action == "update"):
                continue
            if action == "update":
                workspace.update("Issue", victim, title="Moved")
            elif action == "archive":
                workspace.archive("Issue", victim)
            else:
                workspace.purge("Issue", victim)
            untouched -= {victim}
        untouched &= set(workspace.ids("Issue", archived=False))


@pytest.mark.parametrize(
    "arguments",
    [
        "orderBy: createdAt",
        "orderBy: updatedAt",
        "sort: [{updatedAt: {order: Ascending}}]",
        "sort: [{title: {order: Descending}}]",
    ],
)
@settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000))
def test_changes_between_pages_neither_lose_nor_repeat_other_rows(arguments: str, seed: int) -> None:
    api = LinearApi(generate(seed, 30, Clock("2025-06-01T00:00:00Z")))
    seen, untouched = read_between_changes(api, random.Random(seed), arguments)
    counts = {row: seen.count(row) for row in untouched}
    assert set(counts.values()) <= {1}, counts
