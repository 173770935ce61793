from __future__ import annotations

from typing import Any

import pytest
import requests

from unit_tests.linear_api.conftest import Asker

COMMENTS = "{ comments(first: 10) { nodes { id body issue { id } } } }"


@pytest.fixture
def broken(ask: Asker) -> str:
    """The sixth comment of ten, as the API lists them."""
    for _ in range(10):
        ask.api.workspace.create("Comment")
    return ask.ids("comments", "first: 10")[5]


def test_a_page_with_the_row_is_an_error_with_its_path(ask: Asker, broken: str) -> None:
    fault = ask.api.faults.row(broken, field="issue")
    for _ in range(2):
        response = ask(COMMENTS)
        assert response.status_code == 200
        assert response.json() == {
            "data": None,
            "errors": [
                {
                    "message": "Entity not found: Issue",
                    "path": ["comments", "nodes", 5, "issue"],
                    "extensions": {
                        "type": "invalid input",
                        "code": "INPUT_ERROR",
                        "statusCode": 400,
                        "userError": True,
                        "userPresentableMessage": "Could not find referenced Issue.",
                    },
                }
            ],
        }
    assert fault.fired == 2
    assert fault.did[0] == {"request": 2, "place": ["comments", "nodes", 5, "issue"]}
    assert ask.api.requests[-1].faults == ["row"] and ask.api.requests[-1].code == "INPUT_ERROR"


def test_a_page_without_the_row_is_whole(ask: Asker, broken: str) -> None:
    ask.api.faults.row(broken)
    assert len(ask.data("{ comments(first: 5) { nodes { id body } } }")["comments"]["nodes"]) == 5
    assert not ask.api.requests[-1].faults
    assert ask.error("{ comments(first: 6) { nodes { id body } } }") == (200, "INPUT_ERROR")


@pytest.mark.parametrize(
    "query",
    [
        "{ x: comments(first: 10) { nodes { id body } } }",
        '{ comments(first: 1, filter: {id: {eq: "ID"}}) { nodes { body } } }',
        '{ comments(first: 1, filter: {id: {in: ["ID"]}}) { nodes { text: body } } }',
        '{ comment(id: "ID") { body } }',
        "{ comments(first: 10) { edges { node { body } } } }",
        "{ comments(first: 10) { nodes { ...C } } } fragment C on Comment { body }",
    ],
)
def test_the_row_is_met_however_it_is_asked_for(ask: Asker, broken: str, query: str) -> None:
    ask.api.faults.row(broken)
    assert ask.error(query.replace("ID", broken)) == (200, "INPUT_ERROR")


def test_its_place_is_told_by_response_keys(ask: Asker, broken: str) -> None:
    ask.api.faults.row(broken, field="body")
    [error] = ask("{ x: comments(first: 10) { nodes { id text: body } } }").json()["errors"]
    assert error["path"] == ["x", "nodes", 5, "text"]


@pytest.mark.parametrize("how", ["error", "5xx", "hang"])
def test_a_query_for_the_id_and_the_dates_alone_succeeds(ask: Asker, broken: str, how: str) -> None:
    ask.api.faults.row(broken, how=how)
    nodes = ask.data("{ comments(first: 10) { nodes { id createdAt updatedAt archivedAt } } }")["comments"][
        "nodes"
    ]
    assert broken in [node["id"] for node in nodes]


def test_a_query_that_does_not_ask_for_the_field_succeeds(ask: Asker, broken: str) -> None:
    ask.api.faults.row(broken, field="issue")
    assert ask.data("{ comments(first: 10) { nodes { id body user { id } } } }")


@pytest.mark.parametrize("status", [500, 503])
def test_a_page_with_the_row_may_be_an_html_error_each_time(ask: Asker, broken: str, status: int) -> None:
    ask.api.faults.row(broken, how="5xx", status=status)
    assert [ask(COMMENTS).status_code for _ in range(2)] == [status, status]


def test_a_page_with_the_row_may_hang(ask: Asker, broken: str) -> None:
    ask.api.faults.row(broken, how="hang", seconds=3600)  # longer than this test may take
    headers = {"Authorization": ask.api.api_key}
    with pytest.raises(requests.Timeout):
        requests.post(ask.api.url, json={"query": COMMENTS}, headers=headers, timeout=0.3)
    ask.api.stop()


def test_code_texts_and_status_may_be_others(ask: Asker, broken: str) -> None:
    ask.api.faults.row(broken, status=400, code="INTERNAL_SERVER_ERROR", message="timeout")
    response = ask(COMMENTS)
    [error] = response.json()["errors"]
    assert response.status_code == 400 and response.json()["data"] is None
    assert (error["message"], error["extensions"]["code"]) == ("timeout", "INTERNAL_SERVER_ERROR")


def test_several_rows_may_be_broken(ask: Asker, broken: str) -> None:
    first, *_, last = ask.ids("comments", "first: 10")
    fault = ask.api.faults.row([last, first])
    ask(COMMENTS)
    ask.api.workspace.purge("Comment", first)
    ask(COMMENTS)
    assert [did["place"][2] for did in fault.did] == [0, 8]


def test_a_row_is_readable_again_once_its_fault_is_gone(ask: Asker, broken: str) -> None:
    fault = ask.api.faults.row(broken)
    assert ask.error(COMMENTS) == (200, "INPUT_ERROR")
    ask.api.faults.remove(fault)
    assert ask.data(COMMENTS)


def test_a_row_in_a_nested_list_counts_only_where_it_is_wanted(ask: Asker, broken: str) -> None:
    issue: Any = ask.api.workspace.rows["Comment"][broken]["issueId"]
    query = f'{{ issue(id: "{issue}") {{ comments {{ nodes {{ id body }} }} }} }}'
    fault = ask.api.faults.row(broken)
    assert ask.data(query)
    ask.api.faults.remove(fault)
    ask.api.faults.row(broken, nested=True)
    [error] = ask(query).json()["errors"]
    assert error["path"][:3] == ["issue", "comments", "nodes"] and error["path"][-1] == "body"
    assert ask.error(COMMENTS) == (200, "INPUT_ERROR")


def test_a_root_may_be_named(ask: Asker, broken: str) -> None:
    ask.api.faults.row(broken, root="comment")
    assert ask.data(COMMENTS)
    assert ask.error(f'{{ comment(id: "{broken}") {{ body }} }}') == (200, "INPUT_ERROR")


@pytest.mark.parametrize("size", ["first: 4", "last: 4", "first: $n", "orderBy: updatedAt"])
def test_a_page_may_be_too_large_for_linear_each_time(ask: Asker, size: str) -> None:
    ask.api.faults.larger_than(3, root="comments", status=504)
    head = "query($n: Int = 4)" if "$" in size else "query"
    query = f"{head} {{ viewer {{ id }} comments({size}) {{ nodes {{ id }} }} }}"
    assert [ask(query).status_code for _ in range(2)] == [504, 504]
    assert ask("{ comments(first: 3) { nodes { id } } }").status_code == 200
    assert ask("{ issues(first: 9) { nodes { id } } }").status_code == 200
    assert [record.faults for record in ask.api.requests[-3:]] == [["larger_than"], [], []]


def test_a_nested_list_may_be_too_large(ask: Asker) -> None:
    ask.api.faults.larger_than(3, root="issues", field="labels")
    assert ask("{ issues(first: 9) { nodes { labels(first: 4) { nodes { id } } } } }").status_code == 502
    assert ask("{ issues(first: 9) { nodes { labels(first: 3) { nodes { id } } } } }").status_code == 200
