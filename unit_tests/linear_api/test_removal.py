from __future__ import annotations

from typing import Any

import pytest

from integration_tests.linear_api import LinearApi
from unit_tests.linear_api.conftest import Asker

COMMENTS = "query Comments {\n  comments(first: 2) { nodes { id quotedText } }\n}"


def refused(ask: Asker, query: str, variables: dict[str, Any] | None = None) -> list[tuple[str, Any]]:
    """Message and place of each mistake in a query that is refused."""
    response = ask(query, variables)
    assert response.status_code == 400, response.text
    errors = response.json()["errors"]
    return [(error["message"], tuple(error["locations"][0].values())) for error in errors]


def test_a_field_that_is_removed_cannot_be_queried(ask: Asker) -> None:
    assert ask(COMMENTS).status_code == 200
    ask.api.remove("Comment.quotedText")
    assert ask(COMMENTS).json()["errors"] == [
        {
            "message": 'Cannot query field "quotedText" on type "Comment".',
            "locations": [{"line": 2, "column": 35}],
            "extensions": {
                "code": "GRAPHQL_VALIDATION_FAILED",
                "type": "graphql error",
                "userError": True,
            },
        }
    ]
    assert ask(COMMENTS.replace("quotedText", "body")).status_code == 200


@pytest.mark.parametrize(
    ("what", "query", "message", "token"),
    [
        (
            "Query.issues(sort:)",
            "{ issues(first: 1, sort: [{updatedAt: {order: Ascending}}]) { nodes { id } } }",
            'Unknown argument "sort" on field "Query.issues".',
            "sort:",
        ),
        (
            "Issue.labels(first:)",
            "{ issues(first: 1) { nodes { labels(first: 1) { nodes { id } } } } }",
            'Unknown argument "first" on field "Issue.labels".',
            "first: 1) { nodes { id } } } } }",
        ),
        (
            "PaginationOrderBy.updatedAt",
            "{ issues(first: 1, orderBy: updatedAt) { nodes { id } } }",
            'Value "updatedAt" does not exist in "PaginationOrderBy" enum.',
            "updatedAt)",
        ),
        (
            "AgentActivityThoughtContent",
            "{ agentActivities(first: 1) { nodes { content {"
            " ... on AgentActivityThoughtContent { body } ... on AgentActivityErrorContent { body } } } } }",
            'Unknown type "AgentActivityThoughtContent".',
            "AgentActivityThoughtContent {",
        ),
        (
            "IssueFilter.archivedAt",
            "{ issues(filter: {and: [{id: {nin: []}, archivedAt: {null: true}}]}) { nodes { id } } }",
            'Field "archivedAt" is not defined by type "IssueFilter".',
            "archivedAt:",
        ),
        (
            "Query.issues",
            "{ issues(first: 1) { nodes { id } } }",
            'Cannot query field "issues" on type "Query".',
            "issues(",
        ),
    ],
)
def test_what_is_removed_is_refused_in_the_words_of_graphql_js(
    ask: Asker, what: str, query: str, message: str, token: str
) -> None:
    assert ask(query).status_code == 200
    ask.api.remove(what)
    assert refused(ask, query) == [(message, (1, query.index(token) + 1))]


def test_a_type_that_is_removed_takes_its_fields_and_arguments_with_it(ask: Asker) -> None:
    ask.api.remove("IssueFilter", "ActorBot")
    query = "query($f: IssueFilter) { issues(filter: $f) { nodes { botActor { id } } } }"
    assert [message for message, _ in refused(ask, query)] == [
        'Unknown type "IssueFilter".',
        'Unknown argument "filter" on field "Query.issues".',
        'Cannot query field "botActor" on type "Issue".',
    ]


def test_several_mistakes_are_several_errors(ask: Asker) -> None:
    ask.api.remove("Comment.quotedText", "Comment.editedAt")
    ask.api.remove("Query.comments(orderBy:)")
    query = "{ comments(orderBy: updatedAt) { nodes { quotedText id editedAt } } }"
    assert [message for message, _ in refused(ask, query)] == [
        'Unknown argument "orderBy" on field "Query.comments".',
        'Cannot query field "quotedText" on type "Comment".',
        'Cannot query field "editedAt" on type "Comment".',
    ]


def test_a_variable_may_not_use_what_is_removed(ask: Asker) -> None:
    query = (
        "query($o: PaginationOrderBy, $f: IssueFilter) { issues(orderBy: $o, filter: $f) { nodes { id } } }"
    )
    variables = {"o": "updatedAt", "f": {"and": [{"archivedAt": {"null": True}}]}}
    assert ask(query, variables).status_code == 200
    ask.api.remove("PaginationOrderBy.updatedAt", "IssueFilter.archivedAt")
    assert [message for message, _ in refused(ask, query, variables)] == [
        'Variable "$o" got invalid value "updatedAt";'
        ' Value "updatedAt" does not exist in "PaginationOrderBy" enum.',
        'Variable "$f" got invalid value { archivedAt: { null: true } } at "f.and[0]";'
        ' Field "archivedAt" is not defined by type "IssueFilter".',
    ]


def test_what_was_removed_can_be_put_back(ask: Asker) -> None:
    query = "{ comments(first: 1) { nodes { quotedText editedAt } } }"
    ask.api.remove("Comment.quotedText", "Comment.editedAt")
    ask.api.restore("Comment.editedAt")
    assert len(refused(ask, query)) == 1
    ask.api.restore()
    assert ask(query).status_code == 200


def test_a_removal_may_be_a_fault_of_one_request(ask: Asker) -> None:
    ask.api.faults.removed("Comment.quotedText", nth=2, count=1)
    assert [ask(COMMENTS).status_code for _ in range(3)] == [200, 400, 200]


def test_what_the_schema_does_not_have_cannot_be_removed(linear_api: LinearApi) -> None:
    for what in ["Comment.nonsense", "Nonsense", "Query.issues(nonsense:)", "Comment quotedText"]:
        with pytest.raises(ValueError, match=r"the schema has no|no schema coordinate"):
            linear_api.remove(what)
        with pytest.raises(ValueError, match=r"the schema has no|no schema coordinate"):
            linear_api.faults.removed(what)


def test_a_removal_costs_nobody_else_anything(ask: Asker) -> None:
    with LinearApi(issues=0) as other:
        asker = Asker(other)
        ask.api.remove("Comment.quotedText")
        assert asker(COMMENTS).status_code == 200
        asker.close()
