"""What a stream's declaration becomes: query, page size, record."""

import pytest

from source_linear.catalog import narrowed
from source_linear.graphql import MAX_COST, NestedList, document, points_a_row
from source_linear.linear.selection import parse, text
from source_linear.packaged import manifest
from source_linear.streams import GONE_AT, Stream
from source_linear.sync.records import transformation

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


def stream(columns=None, **changes):
    parameters = {**ISSUES, **changes}
    return Stream.from_parameters(narrowed(parameters, columns) if columns else parameters)


def queried(of_stream):
    """What is queried of a node, as GraphQL text."""
    return text(of_stream.roots[0].fields)


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
    transformation(of_stream, archived_rows)(of_node)
    return of_node


def test_a_query_is_one_connection_with_archived_rows():
    bare = stream(lists={}, objects={}, relations="", copies={})
    assert text(parse(bare.query)) == text(
        parse(
            "query issues ($first: Int!, $after: String, $orderBy: PaginationOrderBy, $filter: IssueFilter) "
            "{ issues(first: $first, after: $after, orderBy: $orderBy, includeArchived: true, "
            "filter: $filter) { nodes { id createdAt updatedAt archivedAt title trashed } "
            "pageInfo { hasNextPage endCursor } } }"
        )
    )


def test_a_plain_list_takes_no_filter():
    assert stream(lists={}).filterable
    assert not stream(lists={}, connection=False).filterable


def test_a_root_that_takes_no_filter_is_sent_none():
    assert "filter" not in stream(filterable=False).query


def test_a_plain_object_is_queried_without_pages():
    one = Stream.from_parameters(
        {
            "name": "organization",
            "entity": "Organization",
            "kind": "swept",
            "connection": False,
            "fields": "name",
        }
    )
    assert one.query == "query organization { organization { id createdAt updatedAt archivedAt name } }"


def test_a_narrow_query_asks_for_the_largest_page():
    assert stream().page_size == 250


def test_a_wide_query_asks_for_as_many_nodes_as_ten_thousand_points_buy():
    wide = stream(lists={"subscriberIds": "subscribers(first: 100)"})
    one = points_a_row(wide.roots[0])
    assert wide.page_size * one <= MAX_COST < (wide.page_size + 1) * one


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


def test_a_record_has_exactly_the_columns_of_its_stream_but_when_it_was_gone():
    assert {*record(stream(), node()), GONE_AT} == set(stream().column_names)
    assert GONE_AT not in record(stream(), node())


@pytest.mark.parametrize(
    "unreported",
    [{"append_only": True}, {"kind": "child", "parents": ["Issue.children(first: 5)"]}],
    ids=["a log", "a list inside issues"],
)
def test_a_stream_that_cannot_tell_what_is_gone_has_no_column_for_it(unreported):
    assert GONE_AT in stream(lists={}).column_names
    assert GONE_AT not in stream(lists={}, objects={}, relations="", copies={}, **unreported).column_names


def test_a_column_that_is_not_selected_is_not_queried():
    narrow = stream(columns=["id", "title"])
    assert queried(narrow) == "id createdAt updatedAt archivedAt title trashed"


def test_what_the_cursor_and_the_flag_need_is_queried_but_not_emitted():
    narrow = stream(columns=["title"])
    made = record(narrow, {k: v for k, v in node().items() if k in queried(narrow).split()})
    assert set(made) == {"id", "title", "updatedAt", "isArchived"}


def test_selecting_a_copy_queries_its_original():
    narrow = stream(columns=["milestoneId"])
    assert "projectMilestone { id }" in queried(narrow)
    assert narrow.column_names == ["id", "updatedAt", "milestoneId", "isArchived"]


def test_fewer_columns_cost_less():
    assert points_a_row(stream(columns=["title"]).roots[0]) < points_a_row(stream().roots[0])


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
    assert "issues(first: $first" in text(parse(spans.query))
    assert "archivedAt stateHistory(first: 20) { nodes { id stateId } } }" in spans.query
    assert spans.column_names == [
        "id",
        "stateId",
        "issueId",
        "issueUpdatedAt",
        "issueArchivedAt",
        "isArchived",
    ]


def test_each_of_two_parents_is_paged_by_itself():
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
    projects, initiatives = links.roots
    query, given = document("links", {"p": links.operation.page(projects, projects.fields, {"first": 9})})
    assert "projects(first: $first, after: $after, orderBy" in query and "initiatives" not in query
    assert given == {"first": 9} and "$filter" not in query and "$order:" not in query
    assert initiatives.children is not None and initiatives.children.name == "links"


def test_a_list_that_can_be_ordered_says_by_what():
    history = Stream.from_parameters(
        {
            "name": "issue_history",
            "entity": "IssueHistory",
            "kind": "child",
            "parents": ["Issue.history(first: 5, orderBy: $order)"],
            "fields": "",
        }
    )
    assert "$order: PaginationOrderBy" in history.query
    assert history.roots[0].children.is_ordered and history.roots[0].children.first == 5


def test_every_declared_stream_queries_the_columns_that_it_emits():
    for entry in manifest()["streams"]:
        one = Stream.from_parameters(entry["$parameters"])
        (root, *_) = one.roots
        names = {field.name for field in (root.children.items if root.children else root.fields)}
        lists = {nested.name for nested in one.lists.values()}
        assert names == {*one.fields, *one.relations, *one.objects, *lists}, one.name


def test_a_list_of_another_form_is_refused():
    with pytest.raises(ValueError, match="members"):
        NestedList.parse("members(last: 5)")
