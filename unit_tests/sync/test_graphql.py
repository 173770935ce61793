"""Queries and their prices, from the parts of a stream."""

import pytest

from source_linear.graphql import (
    MAX_COST,
    MAX_PAGE_SIZE,
    NestedList,
    Operation,
    Question,
    Root,
    affordable,
    all_of,
    document,
    ids_in,
    node,
    ordered,
    page,
    page_size,
    plain,
    points_a_row,
)
from source_linear.linear.selection import parse, text

THINGS = Root("things", "Thing", parse("id title"))
QUERY = """query things ($first: Int!, $after: String, $filter: ThingFilter)
    { things(first: $first, after: $after, includeArchived: true, filter: $filter)
    { nodes { id title } pageInfo { hasNextPage endCursor } } }"""


def asked(question):
    return text([question.asked])


# Lists inside nodes


@pytest.mark.parametrize(
    ("declared", "made"),
    [
        ("members(first: 5)", NestedList("members", 5)),
        ("members(first: 5, includeDisabled: true)", NestedList("members", 5, "includeDisabled: true")),
        ("ancestors", NestedList("ancestors")),
    ],
)
def test_a_list_is_read_as_the_manifest_declares_it(declared, made):
    assert NestedList.parse(declared) == made
    assert made.items == parse("id")


@pytest.mark.parametrize("declared", ["", "a b", "a { b }", "members(includeDisabled: true)"])
def test_a_list_of_another_form_is_refused(declared):
    with pytest.raises(ValueError, match=r"is not of the form connection\(first: N, …\)"):
        NestedList.parse(declared)


def test_a_list_is_newest_first_where_it_is_ordered_by_the_date_of_the_sync():
    assert NestedList.parse("history(first: 3, orderBy: $order)").is_ordered
    assert not NestedList.parse("history(first: 3, orderBy: createdAt)").is_ordered


def test_a_page_of_a_list_inside_a_node_begins_behind_a_cursor():
    history = NestedList.parse("history(first: 3, includeArchived: true, orderBy: $order)")
    assert text([history.page(7, "a", parse("id x"), "updatedAt")]) == (
        'history(first: 7, after: "a", includeArchived: true, orderBy: updatedAt) { nodes { id x } }'
    )
    assert text([NestedList.parse("members(first: 5)").page(2)]) == "members(first: 2) { nodes { id } }"


# Roots


@pytest.mark.parametrize(
    ("name", "entity", "parent", "is_object"),
    [
        ("issueLabels", "IssueLabel", "issueLabel", False),
        ("organization", "Organization", "organization", True),
    ],
)
def test_a_root_knows_the_name_of_one_node_and_whether_it_is_one(name, entity, parent, is_object):
    root = Root(name, entity, parse("id"))
    assert (root.parent, root.is_object) == (parent, is_object)


def test_a_walk_asks_for_the_trash_where_the_rows_themselves_can_be_in_it():
    dates = "id createdAt updatedAt archivedAt"
    assert text(THINGS.dates) == dates
    assert text(Root("things", "Thing", parse("id trashed")).dates) == f"{dates} trashed"
    child = NestedList("history", 3)
    assert text(Root("things", "Thing", parse("id trashed"), children=child).dates) == dates


# Questions


def test_a_page_asks_for_so_many_nodes_behind_a_cursor_with_what_the_root_always_takes():
    root = Root("users", "User", parse("id"), "includeDisabled: true")
    question = page(root, "some", parse("id"), 10, "a", {"x": 1}, "updatedAt", ("hasNextPage",))
    assert asked(question) == (
        'users(first: 10, includeArchived: true, includeDisabled: true, after: "a", orderBy: updatedAt, '
        "filter: $filter_some) { nodes { id } pageInfo { hasNextPage } }"
    )
    assert question.variables == {"filter_some": ("UserFilter", {"x": 1})}
    assert question.keys == ("nodes", "pageInfo")


def test_a_page_says_nothing_that_it_need_not():
    question = page(THINGS, "things", parse("id"), 10)
    assert asked(question) == "things(first: 10, includeArchived: true) { nodes { id } }"
    assert (question.variables, question.keys) == ({}, ("nodes",))


def test_a_cursor_is_written_as_text_whatever_is_in_it():
    assert 'after: "a\\"b"' in asked(page(THINGS, "things", parse("id"), 10, 'a"b'))


def test_a_node_is_asked_for_by_its_id():
    question = node(THINGS, "n0", parse("id title"), "a")
    assert asked(question) == "thing(id: $id_n0) { id title }"
    assert (question.variables, question.keys) == ({"id_n0": ("String!", "a")}, ("id",))


def test_a_root_that_is_no_connection_is_asked_for_as_it_is():
    one, many = Root("organization", "Organization", ()), Root("templates", "Template", ())
    assert (asked(plain(one, parse("id"))), plain(one, parse("id")).keys) == ("organization { id }", ("id",))
    assert (asked(plain(many, parse("id"))), plain(many, parse("id")).keys) == ("templates { id }", ())


def test_outside_of_the_declared_query_lists_are_ordered_by_a_date_that_is_written_out():
    selection = parse("id history(first: 3, orderBy: $order) { nodes { id } }")
    assert text(ordered(selection, "updatedAt")) == (
        "id history(first: 3, orderBy: updatedAt) { nodes { id } }"
    )


# The declared query


def test_a_query_is_read_with_its_name_variables_and_roots():
    operation = Operation.parse(QUERY)
    assert operation.name == "things"
    assert operation.variables == {"first": "Int!", "after": "String", "filter": "ThingFilter"}
    assert [one.name for one in operation.fields] == ["things"]
    assert Operation.parse("query one { viewer { id } }").variables == {}


@pytest.mark.parametrize("query", ["", "mutation x { y }", "query x", "query x { y } z"])
def test_what_is_no_single_named_query_is_refused(query):
    with pytest.raises(ValueError, match="not of the form query"):
        Operation.parse(query)


def test_the_declared_root_is_asked_for_what_is_left_of_its_fields():
    question = Operation.parse(QUERY).page(THINGS, parse("id"), {"first": 7, "more": 1})
    assert asked(question) == (
        "things(first: $first, after: $after, includeArchived: true, filter: $filter) "
        "{ nodes { id } pageInfo { hasNextPage endCursor } }"
    )
    assert question.variables == {
        "first": ("Int!", 7),
        "after": ("String", None),
        "filter": ("ThingFilter", None),
    }
    assert question.keys == ("nodes", "pageInfo")


def test_of_several_declared_roots_one_asks_with_the_variables_that_it_uses():
    query = (
        "query x ($a: Int!, $b: B, $c: C, $d: D) { things(first: $a, filter: {x: [$b]}) "
        "{ nodes { id parts(first: 1, orderBy: $c) { nodes { id } } } } others(first: $d) { nodes { id } } }"
    )
    operation = Operation.parse(query)
    whole = operation.fields[0].selection[0].selection
    assert set(operation.page(THINGS, whole, {}).variables) == {"a", "b", "c"}
    assert set(operation.page(THINGS, parse("id"), {}).variables) == {"a", "b"}


def test_of_several_declared_roots_the_one_that_is_read_is_asked():
    operation = Operation.parse(
        "query x { others(first: 1) { nodes { a } } things(first: 2) { nodes { b } } }"
    )
    assert asked(operation.page(THINGS, parse("id"), {})) == "things(first: 2) { nodes { id } }"


@pytest.mark.parametrize(("root", "keys"), [("organization", ("id",)), ("templates", ())])
def test_a_declared_root_that_is_no_connection_is_asked_without_variables(root, keys):
    operation = Operation.parse(f"query x {{ {root} {{ id a }} }}")
    of = Root(root, root.capitalize().removesuffix("s"), parse("id a"), connection=False)
    question = operation.page(of, parse("id"), {"first": 7})
    assert (asked(question), question.variables, question.keys) == (f"{root} {{ id }}", {}, keys)


def test_a_document_asks_several_questions_each_under_its_name():
    one = Question(parse("things(filter: $f) { nodes { id } }")[0], {"f": ("ThingFilter", {"a": 1})})
    two = Question(parse("viewer { id }")[0], {"g": ("Int", None)})
    assert document("sync", {"first": one, "viewer": two}) == (
        "query sync($f: ThingFilter, $g: Int) { first: things(filter: $f) { nodes { id } } viewer { id } }",
        {"f": {"a": 1}},
    )
    assert (
        document("sync", {"viewer": Question(parse("viewer { id }")[0])})[0] == "query sync { viewer { id } }"
    )


# Filters


def test_filters_select_what_each_of_them_selects():
    one, two = {"a": 1}, {"b": 2}
    assert all_of() == all_of(None, {}) == {}
    assert all_of(None, one) == one
    assert all_of(one, None, two) == {"and": [one, two]}
    assert ids_in(iter(["a", "b"])) == {"id": {"in": ["a", "b"]}}


# Prices


def test_a_question_costs_what_linears_formula_says():
    # Ten nodes with two properties of 0.1 point each, and as often the pageInfo: a point and two properties.
    assert page(THINGS, "x", parse("id title"), 10, info=("hasNextPage", "endCursor")).points == (
        pytest.approx(10 * (1 + 0.2 + 1 + 0.2))
    )
    assert plain(THINGS, parse("id")).points == pytest.approx(1.1)


def test_a_question_of_the_manifest_costs_by_the_size_that_its_variable_has():
    operation = Operation.parse(QUERY)
    points = [operation.page(THINGS, parse("id"), {"first": n}).points for n in (1, 250)]
    assert points[1] == pytest.approx(250 * points[0])


def test_a_page_is_as_large_as_linear_takes_and_its_price_allows():
    assert page_size([THINGS]) == MAX_PAGE_SIZE
    dear = Root("things", "Thing", parse(f"id parts(first: 50) {{ nodes {{ {'a ' * 10} }} }}"))
    points = points_a_row(dear)
    assert points == pytest.approx(1 + 0.1 + 50 * 2 + 1.2)
    assert page_size([dear]) == page_size([THINGS, dear]) == int(MAX_COST / points)


def test_a_page_has_a_row_however_dear_it_is():
    dear = Root("things", "Thing", parse(f"parts(first: 250) {{ nodes {{ {'a ' * 1000} }} }}"))
    assert page_size([dear]) == 1


def test_questions_are_asked_together_as_far_as_they_can_be_paid_for():
    prices = {"a": 6_000.0, "b": 4_000.0, "c": 1.0, "d": 20_000.0, "e": 1.0}
    assert list(affordable(prices, prices.__getitem__)) == [["a", "b"], ["c"], ["d"], ["e"]]
    assert list(affordable([], len)) == []
