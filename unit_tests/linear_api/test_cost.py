from __future__ import annotations

from typing import Any

import pytest

from integration_tests.linear_api import LinearApi
from integration_tests.linear_api.auth import Identity
from unit_tests.linear_api.conftest import Asker


def points(api: LinearApi, query: str, variables: dict[str, Any] | None = None) -> int:
    execution = api._execution
    document = execution.document(query)
    assert not document.errors, document.errors
    executor = execution.prepare(document, variables or {}, None, Identity("api_key", "user", None))
    assert not isinstance(executor, list), executor
    return execution.cost(document, executor)


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
        ("{ viewer { id } }", 2),
        ("{ issues(first: 10) { nodes { id } } }", 11),
        ("{ issues { nodes { id } } }", 55),
        ("{ issues(last: 10) { nodes { id } } }", 11),
        ("{ issues(first: 10) { edges { cursor node { id } } } }", 22),
        ("{ issues(first: 10) { pageInfo { hasNextPage endCursor } } }", 2),
        ("{ issues(first: 10) { nodes { id } pageInfo { hasNextPage endCursor } } }", 13),
        ("{ customers(first: 10) { nodes { needs { id } } } }", 21),
        ("{ issues(first: 2) { nodes { comments(first: 5) { nodes { id } } } } }", 13),
        ("{ a: viewer { id } b: viewer { id } }", 3),
        ("{ viewer { ...V } } fragment V on User { id name }", 2),
        ("{ viewer { id @skip(if: true) name @include(if: false) } }", 1),
    ],
)
def test_the_formula(shared_api: LinearApi, query: str, expected: int) -> None:
    assert points(shared_api, query) == expected


def test_members_of_a_union_are_summed(shared_api: LinearApi) -> None:
    query = (
        "{ agentActivities(first: 1) { nodes { content {"
        " ... on AgentActivityThoughtContent { body } ... on AgentActivityErrorContent { type } } } } }"
    )
    assert points(shared_api, query) == 3  # 1 + 1 + 0.1 + 0.1


def test_the_page_size_may_be_a_variable(shared_api: LinearApi) -> None:
    query = "query($n: Int = 20) { issues(first: $n) { nodes { id } } }"
    assert points(shared_api, query, {"n": 100}) == 110
    assert points(shared_api, query) == 22
    assert points(shared_api, query, {"n": None}) == 55


def test_every_answer_tells_its_cost(read: Asker) -> None:
    response = read("{ issues(first: 10) { nodes { id } pageInfo { hasNextPage endCursor } } }")
    assert response.headers["X-Complexity"] == "13"


def test_a_query_over_10000_points_is_rejected_without_headers(read: Asker) -> None:
    inner = " ".join(f"a{i}: comments {{ nodes {{ id }} }}" for i in range(4))
    response = read(f"{{ issues(first: 250) {{ nodes {{ {inner} }} }} }}")
    error = response.json()["errors"][0]
    assert response.status_code == 400
    assert error["extensions"]["code"] == "INPUT_ERROR"
    assert "complex" in error["message"].lower()
    assert not [name for name in response.headers if name.lower().startswith("x-")]
