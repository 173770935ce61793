"""What a stream's declaration becomes: query, cost, page size, record."""

import pytest

from source_linear.queries import MAX_COST, NestedList, Stream, cost

ISSUES = {
    "name": "issues",
    "entity": "Issue",
    "kind": "windowed",
    "fields": "title trashed",
    "relations": "assignee projectMilestone",
    "lists": {"subscriberIds": "subscribers(first: 2, includeDisabled: true)", "ancestorIds": "ancestors"},
    "objects": {"botActor": "id name"},
    "copies": {"milestoneId": "projectMilestoneId"},
}


def stream(**changes):
    return Stream.from_parameters({**ISSUES, **changes})


def node(**changes):
    return {
        "id": "i1",
        "title": "Ångström",
        "trashed": None,
        "archivedAt": None,
        "createdAt": "2025-12-01T00:00:00.000Z",
        "updatedAt": "2026-01-01T00:00:00.000Z",
        "assignee": {"id": "u1"},
        "projectMilestone": None,
        "subscribers": {"nodes": [{"id": "u1"}, {"id": "u2"}]},
        "ancestors": [{"id": "a1"}],
        "botActor": None,
        **changes,
    }


def record(of_stream, of_node, archived_rows="flag"):
    of_stream.transformation(archived_rows)(of_node)
    return of_node


def test_the_cost_of_airbytes_own_issue_node_is_236():
    scalars = " ".join(f"s{i}" for i in range(40))
    relations = " ".join(f"r{i} {{ id }}" for i in range(10))
    lists = " ".join(f"l{i}(first: 50) {{ nodes {{ id }} }}" for i in range(4))
    assert 1 + cost(f"{scalars} {relations} {lists}") == pytest.approx(236)


def test_a_union_costs_the_sum_of_its_members():
    assert cost("content { ... on A { x y } ... on B { z { id } } }") == pytest.approx(1 + 0.2 + 1.1)


def test_a_connection_inside_a_connection_multiplies_twice():
    assert cost("a(first: 10) { nodes { b(first: 5) { nodes { id } } } }") == pytest.approx(10 + 50 * 1.1)
    assert cost("a(first: 10) { nodes { id } pageInfo { endCursor } }") == pytest.approx(10 * 1.1 + 1.1)


def test_a_query_is_one_connection_with_archived_rows():
    assert stream(lists={}, objects={}, relations="", copies={}).query == (
        "query issues($first: Int!, $after: String, $filter: IssueFilter) { issues(first: $first, "
        "after: $after, orderBy: createdAt, includeArchived: true, filter: $filter) "
        "{ nodes { id createdAt updatedAt archivedAt title trashed } pageInfo { hasNextPage endCursor } } }"
    )


def test_a_narrow_query_asks_for_the_largest_page():
    assert stream().page_size == 250


def test_a_wide_query_asks_for_as_many_nodes_as_ten_thousand_points_buy():
    wide = stream(lists={"subscriberIds": "subscribers(first: 100)"})
    one = 1 + cost(wide.roots[0].selection)
    assert wide.page_size * one + 1.2 <= MAX_COST < (wide.page_size + 1) * one + 1.2


def test_a_relation_becomes_an_id_and_a_missing_one_null():
    made = record(stream(), node())
    assert made["assigneeId"] == "u1"
    assert made["projectMilestoneId"] is None
    assert "assignee" not in made and "projectMilestone" not in made


def test_a_connection_and_a_plain_list_become_lists_of_ids():
    made = record(stream(), node())
    assert made["subscriberIds"] == ["u1", "u2"]
    assert made["ancestorIds"] == ["a1"]


def test_a_copy_has_the_value_of_its_original():
    made = record(stream(), node(projectMilestone={"id": "m1"}))
    assert made["milestoneId"] == made["projectMilestoneId"] == "m1"


@pytest.mark.parametrize(
    ("archived_at", "trashed", "flag"),
    [(None, None, False), ("2026-01-02T00:00:00.000Z", None, True), (None, True, True)],
)
def test_archived_and_trashed_rows_are_flagged(archived_at, trashed, flag):
    assert record(stream(), node(archivedAt=archived_at, trashed=trashed))["isArchived"] is flag


def test_archived_rows_delete_marks_the_time_of_deletion():
    made = record(stream(), node(archivedAt="2026-01-02T00:00:00.000Z"), archived_rows="delete")
    assert made["_ab_cdc_deleted_at"] == "2026-01-02T00:00:00.000Z"


def test_a_record_has_exactly_the_columns_of_its_stream():
    assert set(record(stream(), node())) == set(stream().column_names)


def test_a_column_that_is_not_selected_is_not_queried():
    narrow = stream(columns=["id", "title"])
    assert narrow.roots[0].selection == "id updatedAt archivedAt title trashed"


def test_what_the_cursor_and_the_flag_need_is_queried_but_not_emitted():
    narrow = stream(columns=["title"])
    made = record(narrow, {k: v for k, v in node().items() if k in narrow.roots[0].selection.split()})
    assert set(made) == {"id", "title", "updatedAt", "isArchived"}


def test_selecting_a_copy_queries_its_original():
    narrow = stream(columns=["milestoneId"])
    assert "projectMilestone { id }" in narrow.roots[0].selection
    assert narrow.column_names == ["id", "updatedAt", "milestoneId", "isArchived"]


def test_fewer_columns_cost_less():
    assert cost(stream(columns=["title"]).roots[0].selection) < cost(stream().roots[0].selection)


def test_a_child_stream_queries_its_parents():
    spans = Stream.from_parameters(
        {
            "name": "issue_state_spans",
            "entity": "IssueStateSpan",
            "kind": "child",
            "parents": ["Issue.stateHistory(first: 20)"],
            "cursor_field": "issueUpdatedAt",
            "fields": "stateId",
        }
    )
    assert "issues(first: $first" in spans.query
    assert "{ id updatedAt archivedAt stateHistory(first: 20) { nodes { id stateId } } }" in spans.query
    assert spans.column_names == [
        "id",
        "stateId",
        "issueId",
        "issueUpdatedAt",
        "issueArchivedAt",
        "isArchived",
    ]


def test_two_parents_are_paged_apart_in_one_query():
    links = Stream.from_parameters(
        {
            "name": "links",
            "entity": "Link",
            "kind": "swept",
            "parents": ["Project.externalLinks(first: 8)", "Initiative.links(first: 8)"],
            "fields": "",
            "filterable": False,
        }
    )
    assert [links.variables_of(root) for root in links.roots] == [
        ("after_projects", "with_projects"),
        ("after_initiatives", "with_initiatives"),
    ]
    assert "initiatives(first: $first, after: $after_initiatives" in links.query
    assert "@include(if: $with_initiatives)" in links.query


def test_a_list_of_another_form_is_refused():
    with pytest.raises(ValueError, match="members"):
        NestedList.parse("members(last: 5)")
