from __future__ import annotations

from typing import Any

import pytest

from unit_tests.linear_api.conftest import Asker

PAGE_INFO = "pageInfo { hasNextPage endCursor }"
TEAMS = f"{{ teams(first: 3) {{ nodes {{ id name }} {PAGE_INFO} }} }}"
TWO = f"{{ teams(first: 3) {{ nodes {{ id }} {PAGE_INFO} }} users(first: 2) {{ nodes {{ id }} }} }}"
LABELS = (
    f"{{ issues(first: 3) {{ nodes {{ id tags: labels(first: 2) {{ nodes {{ id }} {PAGE_INFO} }} }} }} }}"
)
NEXT = f"query($after: String) {{ teams(first: 1, after: $after) {{ nodes {{ id }} {PAGE_INFO} }} }}"


def answered(ask: Asker, query: str, **variables: Any) -> tuple[int, Any, list[Any]]:
    """Status, data and errors."""
    response = ask(query, variables)
    body = response.json()
    return response.status_code, body["data"], body.get("errors", [])


@pytest.mark.parametrize("status", [200, 400, 403, 500])
def test_data_and_errors_come_with_any_status(ask: Asker, status: int) -> None:
    ask.api.faults.partial(root="teams", field="name", status=status)
    given, data, errors = answered(ask, TEAMS)
    assert given == status and len(errors) == 3
    assert [node["name"] for node in data["teams"]["nodes"]] == [None] * 3
    ask.api.faults.null_node(0, root="teams", status=status)
    given, data, errors = answered(ask, TEAMS)
    assert given == status and len(errors) == 1 and data["teams"]["nodes"][0] is None
    assert ask.api.requests[-1].status == status


def test_a_lasting_and_a_passing_error_come_in_one_answer(ask: Asker) -> None:
    text = "Feature 'Project IDs' is not enabled"
    errors = [
        {"field": "name", "code": "INPUT_ERROR", "message": text},
        {"path": ["teams", "nodes", 1, "id"], "code": "INTERNAL_SERVER_ERROR", "message": "timeout"},
    ]
    ask.api.faults.partial(root="teams", errors=errors)
    _, data, errors = answered(ask, TEAMS)
    told = [(error["extensions"]["code"], error["message"], error["path"][2:]) for error in errors]
    lasting = [("INPUT_ERROR", text, [index, "name"]) for index in range(3)]
    assert told == [*lasting, ("INTERNAL_SERVER_ERROR", "timeout", [1, "id"])]
    assert data["teams"]["nodes"][1] == {"id": None, "name": None}


def test_a_field_of_a_single_object_may_be_null(ask: Asker) -> None:
    ask.api.faults.partial(root="viewer", field="name")
    _, data, errors = answered(ask, "{ me: viewer { id title: name } }")
    assert data["me"]["title"] is None and errors[0]["path"] == ["me", "title"]


def test_a_root_is_found_behind_its_alias(ask: Asker) -> None:
    ask.api.faults.null_node(1, root="teams")
    _, data, errors = answered(
        ask, "{ users(first: 3) { nodes { id } } x: teams(first: 3) { nodes { id } } }"
    )
    assert data["x"]["nodes"][1] is None and errors[0]["path"] == ["x", "nodes", 1]
    assert None not in data["users"]["nodes"]


def test_a_null_node_may_come_with_any_error(ask: Asker) -> None:
    ask.api.faults.null_node(0, root="teams", code="FORBIDDEN", message="No", type="forbidden")
    _, _, [error] = answered(ask, TEAMS)
    assert (error["message"], error["extensions"]["code"]) == ("No", "FORBIDDEN")
    assert error["extensions"]["type"] == "forbidden"


def test_a_null_node_may_come_without_an_error(ask: Asker) -> None:
    ask.api.faults.null_node([0, 2], root="teams", errors=False)
    response = ask(TEAMS).json()
    assert [node is None for node in response["data"]["teams"]["nodes"]] == [True, False, True]
    assert "errors" not in response


def test_several_nodes_may_be_null_each_with_an_error(ask: Asker) -> None:
    ask.api.faults.null_node([0, 2, 99], root="teams")
    _, _, errors = answered(ask, TEAMS)
    assert [error["path"] for error in errors] == [["teams", "nodes", 0], ["teams", "nodes", 2]]


def test_a_node_of_a_nested_list_may_be_null(ask: Asker) -> None:
    for issue in ask.ids("issues", "first: 3"):
        ask.api.workspace.set_list("Issue", issue, "labels", 9)
    ask.api.faults.null_node(1, root="issues", field="labels")
    _, data, errors = answered(ask, LABELS)
    assert [node["tags"]["nodes"][1] for node in data["issues"]["nodes"]] == [None] * 3
    assert errors[2]["path"] == ["issues", "nodes", 2, "tags", "nodes", 1]


def test_a_root_may_be_missing(ask: Asker) -> None:
    ask.api.faults.missing_root(root="teams")
    assert answered(ask, TWO)[1].keys() == {"users"}
    ask.api.faults.missing_root()
    assert ask(TWO).json() == {"data": {}}


def test_a_root_may_be_null(ask: Asker) -> None:
    ask.api.faults.null_root(root="teams")
    _, data, errors = answered(ask, TWO)
    assert data["teams"] is None and data["users"] and not errors


def test_nodes_may_be_null_or_missing(ask: Asker) -> None:
    ask.api.faults.null_nodes(root="teams")
    _, data, errors = answered(ask, TWO)
    assert data["teams"]["nodes"] is None and data["users"]["nodes"] and not errors
    ask.api.faults.null_nodes(root="teams", missing=True)
    assert answered(ask, TWO)[1]["teams"].keys() == {"pageInfo"}


def test_the_nodes_of_a_nested_list_may_be_null(ask: Asker) -> None:
    ask.api.faults.null_nodes(root="issues", field="labels")
    data = answered(ask, LABELS)[1]
    assert [node["tags"]["nodes"] for node in data["issues"]["nodes"]] == [None] * 3


def test_page_info_may_be_missing_or_null(ask: Asker) -> None:
    ask.api.faults.no_page_info(root="teams")
    assert answered(ask, TEAMS)[1]["teams"].keys() == {"nodes"}
    ask.api.faults.no_page_info(root="teams", missing=False)
    assert answered(ask, TEAMS)[1]["teams"]["pageInfo"] is None


def test_there_may_be_more_and_no_cursor(ask: Asker) -> None:
    ask.api.faults.no_cursor(root="teams", nth=2)
    assert answered(ask, NEXT)[1]["teams"]["pageInfo"]["endCursor"]
    assert answered(ask, NEXT)[1]["teams"]["pageInfo"] == {"hasNextPage": True, "endCursor": None}


def test_there_may_be_more_of_a_nested_list_and_no_cursor(ask: Asker) -> None:
    ask.api.faults.no_cursor(root="issues", field="labels")
    data = answered(ask, LABELS)[1]
    infos = [node["tags"]["pageInfo"] for node in data["issues"]["nodes"]]
    assert infos == [{"hasNextPage": True, "endCursor": None}] * 3


def walk(ask: Asker, pages: int) -> list[str]:
    """The cursors that come when each is asked for what follows it."""
    cursors: list[Any] = [None]
    for _ in range(pages):
        info = answered(ask, NEXT, after=cursors[-1])[1]["teams"]["pageInfo"]
        assert info["hasNextPage"] is True
        cursors.append(info["endCursor"])
    return cursors[1:]


def test_the_same_cursor_may_come_again(ask: Asker) -> None:
    ask.api.faults.same_cursor(root="teams", count=None)
    first, *others = walk(ask, 4)
    assert first and others == [first] * 3


def test_cursors_may_go_in_a_circle(ask: Asker) -> None:
    ask.api.faults.same_cursor(root="teams", back=2, count=None)
    one, two, *others = walk(ask, 5)
    assert one != two and others == [one, two, one]


def test_the_same_cursor_may_come_on_the_last_page_only(ask: Asker) -> None:
    ask.api.faults.same_cursor(root="teams", nth=2)
    cursors = walk(ask, 2)
    assert cursors[0] == cursors[1]


def test_the_cursor_of_a_nested_list_may_come_again(ask: Asker) -> None:
    issue = ask.ids("issues", "first: 1")[0]
    ask.api.workspace.set_list("Issue", issue, "labels", 4)
    query = (
        "query($id: String!, $after: String) { issue(id: $id)"
        " { labels(first: 1, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } } }"
    )
    first = answered(ask, query, id=issue)[1]["issue"]["labels"]["pageInfo"]["endCursor"]
    ask.api.faults.same_cursor(root="issue", field="labels")
    info = answered(ask, query, id=issue, after=first)[1]["issue"]["labels"]["pageInfo"]
    assert info == {"hasNextPage": True, "endCursor": first}


def test_rows_are_not_spoilt_with_an_answer(ask: Asker) -> None:
    for kind in ("missing_root", "null_root", "null_nodes", "no_page_info", "no_cursor"):
        ask.api.faults.add(kind, root="teams")
        ask(TEAMS)
    ask.api.faults.partial(root="teams", field="name")
    ask(TEAMS)
    assert all(node["name"] for node in ask.data(TEAMS)["teams"]["nodes"])
