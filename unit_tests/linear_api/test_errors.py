from __future__ import annotations

import pytest
import requests

from unit_tests.linear_api.conftest import Asker


@pytest.mark.parametrize(
    "query",
    [
        "{ nonsense }",
        "{ issues { nodes { nonsense } } }",
        "{ issues(nonsense: 1) { nodes { id } } }",
        "{ issues(filter: {nonsense: {eq: 1}}) { nodes { id } } }",
        '{ issues(orderBy: "updatedAt") { nodes { id } } }',
        "{ issues { nodes } }",
        "{ unfinished",
        "query($x: Strange) { viewer { id } }",
    ],
)
def test_a_wrong_query_fails_validation(read: Asker, query: str) -> None:
    assert read.error(query) == (400, "GRAPHQL_VALIDATION_FAILED")


def test_an_error_has_the_shape_of_linears(read: Asker) -> None:
    assert read("{ nonsense }").json() == {
        "errors": [
            {
                "message": 'Cannot query field "nonsense" on type "Query".',
                "locations": [{"line": 1, "column": 3}],
                "extensions": {
                    "code": "GRAPHQL_VALIDATION_FAILED",
                    "type": "graphql error",
                    "userError": True,
                },
            }
        ]
    }


def test_nothing_is_suggested(read: Asker) -> None:
    [error] = read("{ initiatives { nodes { priorityLabel } } }").json()["errors"]
    assert error["message"] == 'Cannot query field "priorityLabel" on type "Initiative".'


def test_a_wrong_variable_is_invalid_input(read: Asker) -> None:
    query = "query($n: Int!) { issues(first: $n) { nodes { id } } }"
    assert read.error(query, {"n": "many"}) == (400, "INVALID_INPUT")
    assert read.error(query) == (400, "INVALID_INPUT")


def test_an_unknown_operation_fails_validation(read: Asker) -> None:
    body = {"query": "query A { viewer { id } } query B { viewer { id } }", "operationName": "C"}
    headers = {"Authorization": read.api.api_key}
    response = requests.post(read.api.url, json=body, headers=headers, timeout=10)
    assert response.json()["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


def test_a_missing_row_is_an_error_with_a_path(read: Asker) -> None:
    response = read('{ issue(id: "nobody") { id } }')
    assert response.status_code == 200
    body = response.json()
    assert body["data"] is None
    assert body["errors"][0]["path"] == ["issue"]
    assert body["errors"][0]["message"] == "Entity not found: Issue"


@pytest.mark.parametrize("body", [b"{", b"[]", b'"text"', b"{}", b'{"query": 1}', b"\xff"])
def test_a_malformed_body_is_http_400(read: Asker, body: bytes) -> None:
    headers = {"Authorization": read.api.api_key}
    response = requests.post(read.api.url, data=body, headers=headers, timeout=10)
    assert response.status_code == 400
    assert response.json()["errors"]


def test_only_post_is_answered(read: Asker) -> None:
    assert requests.get(read.api.url, timeout=10).status_code == 405
    elsewhere = read.api.url.replace("/graphql", "/elsewhere")
    assert requests.post(elsewhere, timeout=10).status_code == 404
