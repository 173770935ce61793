from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integration_tests.linear_api import LinearApi, Workspace
from integration_tests.linear_api.auth import Identity
from unit_tests.linear_api.conftest import Asker

RECORDED = json.loads(Path(__file__).with_name("recorded_prices.json").read_text("utf-8"))


def points(api: LinearApi, query: str, variables: dict[str, Any] | None = None) -> int:
    execution = api._execution
    document = execution.document(query)
    assert not document.errors, document.errors
    executor = execution.prepare(document, variables or {}, None, Identity("api_key", "user", None))
    assert not isinstance(executor, list), executor
    cost: int = executor.context_value.cost
    return cost


RELATIONS = "assignee creator cycle delegate parent project projectMilestone snoozedBy state team"
SCALARS = """
    id title description number identifier url branchName previousIdentifiers priority
    priorityLabel estimate sortOrder startedAt completedAt canceledAt startedTriageAt triagedAt
    addedToTeamAt addedToProjectAt addedToCycleAt autoClosedAt autoArchivedAt archivedAt dueDate
    slaStartedAt slaBreachesAt slaHighRiskAt slaMediumRiskAt slaType snoozedUntilAt createdAt
    updatedAt trashed labelIds customerTicketCount prioritySortOrder subIssueSortOrder
    boardOrder reactionData integrationSourceType
"""
NODE = " ".join(
    [
        SCALARS,
        *(f"{name} {{ id }}" for name in RELATIONS.split()),
        *(f"{name} {{ nodes {{ id }} }}" for name in ("subscribers", "labels", "comments", "needs")),
    ]
)


def test_the_calibrated_node_costs_236_points(shared_api: LinearApi) -> None:
    assert len(SCALARS.split()) == 40 and len(RELATIONS.split()) == 10
    assert points(shared_api, f"{{ issues(first: 1) {{ nodes {{ {NODE} }} }} }}") == 236
    assert points(shared_api, f"{{ issues(first: 10) {{ nodes {{ {NODE} }} }} }}") == 2360


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("{ viewer { id name email admin } organization { id name urlKey } }", 3),
        ("{ viewer { id } }", 1),
        ("{ issues(first: 10) { nodes { id } } }", 11),
        ("{ issues { nodes { id } } }", 55),
        ("{ issues(last: 10) { nodes { id } } }", 11),
        ("{ issues(first: 10) { edges { cursor node { id } } } }", 22),
        ("{ issues(first: 10) { pageInfo { hasNextPage endCursor } } }", 12),
        ("{ issues(first: 10) { nodes { id } pageInfo { hasNextPage endCursor } } }", 23),
        ("{ customers(first: 10) { nodes { needs { id } } } }", 21),
        ("{ issues(first: 2) { nodes { comments(first: 5) { nodes { id } } } } }", 13),
        ("{ a: viewer { id } b: viewer { id } }", 2),
        ("{ viewer { ...V } } fragment V on User { id name }", 1),
        ("{ viewer { id @skip(if: true) name @include(if: false) } }", 1),
    ],
)
def test_the_formula(shared_api: LinearApi, query: str, expected: int) -> None:
    assert points(shared_api, query) == expected


def test_members_of_a_union_are_summed(shared_api: LinearApi) -> None:
    query = (
        "{ agentActivities(first: 10) { nodes { content {"
        " ... on AgentActivityThoughtContent { body } ... on AgentActivityErrorContent { type } } } } }"
    )
    assert points(shared_api, query) == 22  # 10 x (1 + 1 + 0.1 + 0.1)


def test_the_page_size_may_be_a_variable(shared_api: LinearApi) -> None:
    query = "query($n: Int = 20) { issues(first: $n) { nodes { id } } }"
    assert points(shared_api, query, {"n": 100}) == 110
    assert points(shared_api, query) == 22
    assert points(shared_api, query, {"n": None}) == 55


def test_every_answer_tells_its_cost(read: Asker) -> None:
    response = read("{ issues(first: 10) { nodes { id } pageInfo { hasNextPage endCursor } } }")
    assert response.headers["X-Complexity"] == "23"


def recorded(kind: str) -> Any:
    pairs = [(pair["query"], pair["x_complexity"]) for pair in RECORDED[kind]]
    return pytest.mark.parametrize(("query", "billed"), pairs, ids=[query[:60] for query, _ in pairs])


@recorded("exact")
def test_the_formula_is_what_linear_billed(shared_api: LinearApi, query: str, billed: int) -> None:
    assert points(shared_api, query) == billed


@recorded("below_the_formula")
def test_the_formula_is_the_upper_bound(shared_api: LinearApi, query: str, billed: int) -> None:
    assert points(shared_api, query) > billed


LABELS, ISSUES, COMMENTS = RECORDED["below_the_formula"]


def billed(ask: Asker, query: str, billing: str) -> int:
    ask.api.limits.billing = billing
    response = ask(query)
    assert response.status_code == 200, response.text
    assert ask.api.requests[-1].complexity == int(response.headers["X-Complexity"])
    return int(response.headers["X-Complexity"])


@pytest.fixture
def bare() -> Iterator[Asker]:
    """Asks a workspace of three issues with one comment, and 250 labels that refer to nothing."""
    workspace = Workspace(seed=1)
    workspace.create("Organization")
    user = workspace.create("User", isMe=True)
    for _ in range(3):
        issue = workspace.create("Issue")
    workspace.create("Comment", issue=issue, user=user)
    for _ in range(250):
        workspace.create("IssueLabel")
    with LinearApi(workspace) as api:
        asker = Asker(api)
        yield asker
        asker.close()


def test_issues_are_billed_by_what_was_executed(bare: Asker) -> None:
    assert billed(bare, ISSUES["query"], "executed") == ISSUES["x_complexity"]
    assert billed(bare, COMMENTS["query"], "executed") == COMMENTS["x_complexity"]


def test_labels_are_billed_by_the_formula_but_for_relations_that_are_null(bare: Asker) -> None:
    assert billed(bare, LABELS["query"], "nulls") == LABELS["x_complexity"]


def test_a_relation_that_is_null_is_billed_less_than_one_that_is_not(bare: Asker) -> None:
    query = "{ issueLabels(first: 250) { nodes { id team { id } } } }"
    assert billed(bare, query, "executed") == 250 * 1.1 + 250 * 0.2
    team = bare.api.workspace.create("Team")
    bare.api.workspace.bulk_update("IssueLabel", bare.api.workspace.ids("IssueLabel")[:100], team=team)
    assert billed(bare, query, "executed") == 250 * 1.1 + 150 * 0.2 + 100 * 1.1


@pytest.mark.parametrize("billing", ["executed", "nulls"])
def test_no_bill_is_over_the_formula(ask: Asker, billing: str) -> None:
    query = """{
        issues(first: 60) { nodes { id reactions { id emoji } assignee { id } labels { nodes { id } } }
            edges { cursor node { id } } pageInfo { hasNextPage } }
        agentActivities(first: 5) { nodes { content {
            ... on AgentActivityThoughtContent { body } ... on AgentActivityErrorContent { type } } } }
    }"""
    assert 0 < billed(ask, query, billing) < billed(ask, query, "formula")


def test_a_part_of_a_union_is_billed_where_it_came(ask: Asker) -> None:
    ask.api.workspace.create("AgentActivity")
    kinds = ("Thought", "Error", "Action", "Response", "Elicitation")
    parts = " ".join(f"... on AgentActivity{kind}Content {{ type }}" for kind in kinds)
    query = f"{{ agentActivities(first: 1) {{ nodes {{ content {{ {parts} }} }} }} }}"
    assert billed(ask, query, "formula") == 3  # 1 + 1 + 5 x 0.1
    assert billed(ask, query, "executed") == 2  # 1 + 1 + 0.1


def test_a_page_that_costs_less_by_what_was_executed_is_not_refused(bare: Asker) -> None:
    bare.api.limits.billing = "formula"
    assert bare.error(COMMENTS["query"]) == (400, "INPUT_ERROR")
    assert billed(bare, COMMENTS["query"], "executed") == 6


def test_what_was_executed_is_refused_where_it_costs_too_much(bare: Asker) -> None:
    bare.api.limits.billing = "executed"
    bare.api.limits.largest = 300
    wide = " ".join(f"{name} {{ id }}" for name in ("team", "parent"))
    query = f"{{ issueLabels(first: 250) {{ nodes {{ id {wide} }} }} }}"
    [error] = bare(query).json()["errors"]
    assert (
        "Complexity: 375. Maximum allowed complexity: 300." in error["extensions"]["userPresentableMessage"]
    )
    bare.api.limits.set(requests=1)  # it was not counted
    assert bare(ISSUES["query"]).status_code == 200


def test_an_unknown_billing_is_refused(shared_api: LinearApi) -> None:
    with pytest.raises(ValueError, match="unknown billing"):
        shared_api.limits.billing = "free"


def test_a_query_over_10000_points_is_rejected_without_headers(read: Asker) -> None:
    inner = " ".join(f"a{i}: comments {{ nodes {{ id }} }}" for i in range(4))
    response = read(f"{{ issues(first: 250) {{ nodes {{ {inner} createdAt }} }} }}")
    assert response.status_code == 400
    assert response.json() == {
        "errors": [
            {
                "message": "Query too complex",
                "extensions": {
                    "type": "invalid input",
                    "code": "INPUT_ERROR",
                    "statusCode": 400,
                    "userError": True,
                    "userPresentableMessage": "The query is too complex. Complexity: 55275."
                    " Maximum allowed complexity: 10000.",
                    "http": {"status": 400},
                },
            }
        ]
    }
    assert not [name for name in response.headers if name.lower().startswith("x-")]
