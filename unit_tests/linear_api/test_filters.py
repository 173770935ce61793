from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from integration_tests.linear_api import Clock, LinearApi, generate
from integration_tests.linear_api.rows import Row
from unit_tests.linear_api.conftest import Asker

STAMP = "2025-03-01T12:00:00.500Z"
BEFORE, AFTER = "2025-03-01T12:00:00.499Z", "2025-03-01T12:00:00.501Z"


def matching(ask: Asker, root: str, input_type: str, value: dict[str, Any]) -> set[str]:
    query = (
        f"query($filter: {input_type}) {{ {root}(first: 250, includeArchived: true,"
        " filter: $filter) { nodes { id } } }"
    )
    return {node["id"] for node in ask.data(query, filter=value)[root]["nodes"]}


def issues(ask: Asker, value: dict[str, Any]) -> set[str]:
    return matching(ask, "issues", "IssueFilter", value)


def rows(ask: Asker, test: Callable[[Row], bool]) -> set[str]:
    every = ask.api.workspace.rows["Issue"].values()
    return {row["id"] for row in every if test(row)}


@pytest.fixture
def three(linear_api: LinearApi) -> dict[str, str]:
    """Three issues a millisecond apart."""
    workspace = linear_api.workspace
    return {
        stamp: workspace.create("Issue", title=f"Titel {number} Größe", updatedAt=stamp, dueDate=None)
        for number, stamp in enumerate((BEFORE, STAMP, AFTER))
    }


def test_dates_compare_to_the_millisecond(three: dict[str, str], ask: Asker) -> None:
    for comparator, expected in [
        ({"eq": STAMP}, {STAMP}),
        ({"neq": STAMP}, {BEFORE, AFTER}),
        ({"gt": STAMP}, {AFTER}),
        ({"gte": STAMP}, {STAMP, AFTER}),
        ({"lt": STAMP}, {BEFORE}),
        ({"lte": STAMP}, {BEFORE, STAMP}),
        ({"in": [BEFORE, AFTER]}, {BEFORE, AFTER}),
        ({"nin": [BEFORE, AFTER]}, {STAMP}),
        ({"gt": BEFORE, "lt": AFTER}, {STAMP}),
        ({"gte": "2025-03-01T13:00:00.500+01:00"}, {STAMP, AFTER}),
        ({"gt": "2025-03-01T12:00:00.500999Z"}, {AFTER}),
    ]:
        found = issues(ask, {"updatedAt": comparator, "id": {"in": list(three.values())}})
        assert found == {three[stamp] for stamp in expected}


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [("-P1D", 86_400), ("-PT90M", 5_400), ("-P2W", 14 * 86_400), ("-P1DT1H", 90_000)],
)
def test_a_duration_counts_from_now(duration: str, seconds: int) -> None:
    api = LinearApi(generate(1, 0, Clock("2025-06-01T00:00:00Z")))
    issue = api.workspace.create("Issue")
    with api:
        ask = Asker(api)
        api.clock.advance(seconds)
        assert issues(ask, {"createdAt": {"gte": duration}}) == {issue}
        api.clock.advance(0.001)
        assert issues(ask, {"createdAt": {"gte": duration}}) == set()
        ask.close()


def test_a_month_is_a_calendar_month() -> None:
    api = LinearApi(generate(1, 0, Clock("2025-03-31T00:00:00Z")))
    issue = api.workspace.create("Issue", createdAt="2025-02-28T00:00:00.000Z")
    with api:
        ask = Asker(api)
        assert issues(ask, {"createdAt": {"gte": "-P1M"}}) == {issue}
        ask.close()


def test_a_text_that_is_no_date_is_invalid_input(read: Asker) -> None:
    query = '{ issues(filter: {updatedAt: {gt: "yesterday"}}) { nodes { id } } }'
    assert read.error(query) == (200, "INVALID_INPUT")


def test_null_tells_empty_from_filled(read: Asker) -> None:
    assert issues(read, {"archivedAt": {"null": True}}) == rows(read, lambda r: not r["archivedAt"])
    assert issues(read, {"dueDate": {"null": False}}) == rows(read, lambda r: r["dueDate"])


def test_only_issues_filter_on_archived_at(read: Asker) -> None:
    query = "{ projects(filter: {archivedAt: {null: false}}) { nodes { id } } }"
    assert read.error(query) == (400, "GRAPHQL_VALIDATION_FAILED")


def test_nothing_compares_with_null(read: Asker) -> None:
    found = issues(read, {"completedAt": {"neq": STAMP}})
    assert found == rows(read, lambda r: r["completedAt"])


def test_days_compare(read: Asker) -> None:
    found = issues(read, {"dueDate": {"gte": "2025-01-01"}})
    assert found == rows(read, lambda r: r["dueDate"] and r["dueDate"] >= "2025-01-01")


def test_several_fields_must_all_hold(read: Asker) -> None:
    found = issues(read, {"priority": {"gte": 2}, "completedAt": {"null": True}})
    assert found == rows(read, lambda r: r["priority"] >= 2 and not r["completedAt"])


def test_and_and_or_nest(read: Asker) -> None:
    value = {
        "or": [
            {"and": [{"priority": {"eq": 1}}, {"completedAt": {"null": False}}]},
            {"archivedAt": {"null": False}},
        ]
    }
    found = issues(read, value)
    assert found == rows(read, lambda r: (r["priority"] == 1 and r["completedAt"]) or r["archivedAt"])


def test_a_relation_is_filtered_by_its_fields(read: Asker) -> None:
    workspace = read.api.workspace
    keys = [row["key"] for row in workspace.rows["Team"].values()][:2]
    teams = {i for i, row in workspace.rows["Team"].items() if row["key"] in keys}
    found = issues(read, {"team": {"key": {"in": keys}}})
    assert found == rows(read, lambda r: r["teamId"] in teams)


def test_a_relation_is_filtered_two_steps_away(read: Asker) -> None:
    issue = next(iter(read.api.workspace.rows["Issue"].values()))
    found = matching(read, "comments", "CommentFilter", {"issue": {"team": {"id": {"eq": issue["teamId"]}}}})
    workspace = read.api.workspace
    expected = {
        i
        for i, row in workspace.rows["Comment"].items()
        if row["issueId"] and workspace.rows["Issue"][row["issueId"]]["teamId"] == issue["teamId"]
    }
    assert found <= expected and found


def test_a_relation_may_be_empty(read: Asker) -> None:
    assert issues(read, {"assignee": {"null": True}}) == rows(read, lambda r: not r["assigneeId"])
    assert issues(read, {"assignee": {"null": False}}) == rows(read, lambda r: r["assigneeId"])


def test_an_empty_relation_matches_only_null(read: Asker) -> None:
    value = {"assignee": {"or": [{"null": True}, {"name": {"contains": "Ada"}}]}}
    people = read.api.workspace.rows["User"]
    found = issues(read, value)
    assert found == rows(read, lambda r: not r["assigneeId"] or "Ada" in people[r["assigneeId"]]["name"])


def test_comments_are_filtered_by_issue_ids(read: Asker) -> None:
    workspace = read.api.workspace
    some = workspace.ids("Issue")[:40]
    found = matching(read, "comments", "CommentFilter", {"issue": {"id": {"in": some}}})
    assert found == {i for i, row in workspace.rows["Comment"].items() if row["issueId"] in some}


def test_texts_compare(three: dict[str, str], ask: Asker) -> None:
    for comparator, matches in [
        ({"eq": "Titel 1 Größe"}, True),
        ({"neq": "Titel 1 Größe"}, False),
        ({"in": ["Titel 1 Größe"]}, True),
        ({"nin": ["Titel 1 Größe"]}, False),
        ({"contains": "Größe"}, True),
        ({"contains": "größe"}, False),
        ({"containsIgnoreCase": "TITEL"}, True),
        ({"containsIgnoreCaseAndAccent": "GROSSE"}, True),
        ({"notContains": "Größe"}, False),
        ({"notContainsIgnoreCase": "titel"}, False),
        ({"startsWith": "Titel"}, True),
        ({"startsWithIgnoreCase": "titel"}, True),
        ({"notStartsWith": "Titel"}, False),
        ({"endsWith": "Größe"}, True),
        ({"notEndsWith": "Größe"}, False),
        ({"eqIgnoreCase": "titel 1 GRÖßE"}, True),
        ({"neqIgnoreCase": "titel 1 größe"}, False),
    ]:
        issue = three[STAMP]
        found = issues(ask, {"id": {"eq": issue}, "title": comparator})
        assert found == ({issue} if matches else set())


def test_numbers_compare(linear_api: LinearApi, ask: Asker) -> None:
    for comparator, expected in [
        ({"eq": 2}, {2.0}),
        ({"neq": 2}, {1.0, 3.0}),
        ({"gt": 2}, {3.0}),
        ({"gte": 2}, {2.0, 3.0}),
        ({"lt": 2}, {1.0}),
        ({"lte": 2}, {1.0, 2.0}),
        ({"in": [1, 3]}, {1.0, 3.0}),
        ({"nin": [1, 3]}, {2.0}),
        ({"or": [{"lt": 2}, {"gt": 2}]}, {1.0, 3.0}),
    ]:
        made = {n: linear_api.workspace.create("Issue", estimate=n) for n in (1.0, 2.0, 3.0)}
        found = issues(ask, {"id": {"in": list(made.values())}, "estimate": comparator})
        assert found == {made[number] for number in expected}


def test_booleans_and_ids_compare(read: Asker) -> None:
    people = read.api.workspace.rows["User"]
    admins = {i for i, row in people.items() if row["admin"] and row["active"]}
    assert matching(read, "users", "UserFilter", {"admin": {"eq": True}}) == admins
    assert matching(read, "users", "UserFilter", {"admin": {"neq": False}}) == admins
    one = next(iter(admins))
    assert one not in matching(read, "users", "UserFilter", {"id": {"neq": one}})
    assert one not in matching(read, "users", "UserFilter", {"id": {"nin": [one]}})


def test_enums_compare(read: Asker) -> None:
    pipelines = read.api.workspace.rows["ReleasePipeline"]
    found = matching(read, "releasePipelines", "ReleasePipelineFilter", {"type": {"eq": "continuous"}})
    assert found == {i for i, row in pipelines.items() if row["type"] == "continuous"}


def test_an_issue_id_may_be_an_identifier(read: Asker) -> None:
    issue = next(iter(read.api.workspace.rows["Issue"].values()))
    assert issues(read, {"id": {"eq": issue["identifier"]}}) == {issue["id"]}


def test_a_list_is_filtered_by_any_every_and_length(linear_api: LinearApi, ask: Asker) -> None:
    workspace = linear_api.workspace
    bug, other = (workspace.create("IssueLabel", name=name) for name in ("bug!", "other!"))
    both = workspace.create("Issue", labels=[bug, other])
    one = workspace.create("Issue", labels=[bug])
    none = workspace.create("Issue", labels=[])
    chosen = {"id": {"in": [both, one, none]}}
    is_bug = {"name": {"eq": "bug!"}}
    assert issues(ask, {**chosen, "labels": is_bug}) == {both, one}
    assert issues(ask, {**chosen, "labels": {"some": is_bug}}) == {both, one}
    assert issues(ask, {**chosen, "labels": {"every": is_bug}}) == {one, none}
    assert issues(ask, {**chosen, "labels": {"length": {"eq": 2}}}) == {both}
    assert issues(ask, {**chosen, "labels": {"null": True}}) == {none}
    assert issues(ask, {**chosen, "labels": {"and": [is_bug, {"length": {"lt": 2}}]}}) == {one}


def test_a_list_of_texts_is_filtered(read: Asker) -> None:
    customers = read.api.workspace.rows["Customer"]
    value = {"domains": {"some": {"endsWith": ".example"}, "length": {"gte": 1}}}
    found = matching(read, "customers", "CustomerFilter", value)
    assert found == {i for i, row in customers.items() if row["domains"]} != set()


def test_a_nested_list_takes_a_filter(linear_api: LinearApi, ask: Asker) -> None:
    workspace = linear_api.workspace
    issue = workspace.ids("Issue")[0]
    comments = workspace.set_list("Issue", issue, "comments", 3)
    workspace.update("Comment", comments[1], body="needle")
    query = (
        'query($id: String!) { issue(id: $id) { comments(filter: {body: {eq: "needle"}}) { nodes { id } } } }'
    )
    assert ask.data(query, id=issue)["issue"]["comments"]["nodes"] == [{"id": comments[1]}]


@pytest.mark.parametrize(
    "value",
    [
        "{hasBlockedByRelations: {eq: true}}",
        "{customerCount: {gt: 1}}",
        "{team: null}",
    ],
)
def test_a_filter_that_the_simulator_does_not_have_fails_loudly(read: Asker, value: str) -> None:
    response = read(f"{{ issues(filter: {value}) {{ nodes {{ id }} }} }}")
    assert response.status_code == 500
    assert "Not in the simulator" in response.text
