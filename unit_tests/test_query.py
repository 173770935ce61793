"""A stream's queries: what Linear no longer has is left out, and what a page costs is learned."""

import pytest

from source_linear.linear.errors import Problem, failure
from source_linear.packaged import manifest
from source_linear.query import Shape, StreamQuery
from source_linear.streams import MAX_PAGE_SIZE, Stream

PARAMETERS = {entry["$parameters"]["name"]: entry["$parameters"] for entry in manifest()["streams"]}


def query_of(name):
    return StreamQuery(Stream.from_parameters(PARAMETERS[name]))


def refused(*said):
    problems = tuple(Problem("GRAPHQL_VALIDATION_FAILED", (), one) for one in said)
    return failure("s", "GRAPHQL_VALIDATION_FAILED", said[0], False, problems)


def rows(query):
    return query.rows(query.stream.roots, query.shape)


@pytest.mark.parametrize(
    ("name", "said", "gone", "column"),
    [
        ("comments", 'Cannot query field "quotedText" on type "Comment".', " quotedText", "quotedText"),
        (
            "comments",
            'Cannot query field "user" on type "Comment".',
            " user { id } botActor",
            "user",
        ),
        ("comments", 'Cannot query field "avatarUrl" on type "ActorBot".', "avatarUrl", None),
        (
            "comments",
            'Unknown type "ExternalEntityInfoJiraMetadata".',
            "ExternalEntityInfoJiraMetadata",
            None,
        ),
        ("projects", 'Unknown argument "includeDisabled" on field "Project.members".', "members(", "members"),
        (
            "agent_activities",
            'Fragment cannot be spread here as objects of type "AgentActivityContent" can never be of type '
            '"AgentActivityErrorContent".',
            "AgentActivityErrorContent",
            None,
        ),
        ("issue_history", 'Cannot query field "toTitle" on type "IssueHistory".', "toTitle", "toTitle"),
        (
            "comments",
            'Field "user" must not have a selection since type "String" has no subfields.',
            " user {",
            "user",
        ),
    ],
)
def test_what_linear_no_longer_has_is_left_out(name, said, gone, column):
    query = query_of(name)
    before = rows(query)
    assert gone in before
    assert query.drop(refused(said))
    after = rows(query)
    assert after.count(gone) < before.count(gone)
    assert query.gone == ({column} if column else set())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("comments", 'Cannot query field "id" on type "Comment".'),
        ("comments", 'Cannot query field "updatedAt" on type "Comment".'),
        ("comments", 'Cannot query field "comments" on type "Query".'),
        ("comments", 'Unknown argument "includeArchived" on field "Query.comments".'),
        ("comments", 'Unknown type "CommentFilter".'),
        ("issue_history", 'Cannot query field "history" on type "Issue".'),
        ("issue_history", 'Unknown argument "orderBy" on field "Issue.history".'),
        (
            "issue_relations",
            'Variable "$orderBy" got invalid value "createdAt"; Value "createdAt" does not exist in '
            '"PaginationOrderBy" enum.',
        ),
        ("comments", "Syntax Error: Unexpected Name."),
    ],
)
def test_what_a_stream_cannot_do_without_is_not_left_out(name, said):
    query = query_of(name)
    before = rows(query)
    assert query.drop(refused(said)) == []
    assert rows(query) == before and query.gone == set()


def test_a_list_is_left_out_whose_argument_has_a_value_that_linear_no_longer_has():
    teams = "teams(first: 10, includeArchived: true, orderBy: updatedAt)"
    query = StreamQuery(Stream.from_parameters({**PARAMETERS["users"], "lists": {"teamIds": teams}}))
    assert teams in rows(query)
    assert query.drop(refused('Value "updatedAt" does not exist in "PaginationOrderBy" enum.'))
    assert "teams(" not in rows(query) and " updatedAt " in rows(query)
    assert query.gone == {"teams"}


def test_what_is_no_longer_there_is_left_out_once():
    query, said = query_of("comments"), 'Cannot query field "url" on type "Comment".'
    assert query.drop(refused(said)) and query.omissions == 1
    assert query.drop(refused(said)) == [] and query.omissions == 1


def test_several_fields_are_left_out_at_once():
    query = query_of("comments")
    said = [f'Cannot query field "{name}" on type "Comment".' for name in ("quotedText", "url")]
    assert len(query.drop(refused(*said))) == 2
    assert query.gone == {"quotedText", "url"}


def test_a_query_without_a_list_declares_no_variable_for_it():
    query = query_of("issue_history")
    assert "$order:" in rows(query)
    assert "$order:" not in query.light(query.stream.roots)


def test_a_page_grows_where_linear_bills_less_than_the_formula():
    query = query_of("issue_history")
    first = query.shape.first
    query.learn(query.shape, 0.2 * first * query.stream.points_a_row)
    assert first < query.shape.first <= MAX_PAGE_SIZE
    # What it grew to stays within the limit by what was billed, with room to spare.
    assert query.shape.first * 0.2 * query.stream.points_a_row <= 8_000


def test_lists_grow_once_pages_are_full():
    query = query_of("issue_history")
    for _ in range(4):
        query.learn(query.shape, 100)
    (root,) = query.stream.roots
    assert query.shape.first == MAX_PAGE_SIZE
    assert query.shape.inline(root.children) > root.children.first
    assert f"history(first: {query.shape.inline(root.children)}" in rows(query)


@pytest.mark.parametrize("name", ["issue_history", "issues", "users", "teams"])
def test_nothing_grows_where_linear_bills_by_the_formula(name):
    query = query_of(name)
    before = query.shape
    query.learn(query.shape, query.shape.first * query.stream.points_a_row)
    assert query.shape == before


@pytest.mark.parametrize("points", [0.0, -5.0, 1e-320, 0.5])
def test_a_bill_that_cannot_be_right_teaches_nothing(points):
    query = query_of("issue_history")
    before = query.shape
    query.learn(query.shape, points)
    assert query.shape == before


def test_a_grown_page_that_is_refused_goes_back_to_the_formula_and_stays_there():
    query = query_of("issue_history")
    for _ in range(4):
        query.learn(query.shape, 100)
    assert query.reduce(query.shape) == Shape(query.stream.page_size)
    query.learn(query.shape, 100)
    assert query.shape == Shape(query.stream.page_size)


def test_a_page_that_is_refused_by_the_formula_is_halved_down_to_one_row():
    query = query_of("issue_history")
    sizes = []
    while query.shape.first > 1:
        query.reduce(query.shape)
        sizes.append(query.shape.first)
    assert sizes[0] == query.stream.page_size // 2 and sizes[-1] == 1
