"""Selections of GraphQL as trees: text, price, and what is left without a part."""

import json
from pathlib import Path

import pytest

from source_linear.linear.selection import parse, price, text, without

RECORDED = json.loads((Path(__file__).parents[1] / "linear_api" / "recorded_prices.json").read_text("utf-8"))


def inner(query):
    """What stands between a query's outer braces."""
    return query.strip()[1:-1].strip()


@pytest.mark.parametrize("bill", RECORDED["exact"], ids=lambda bill: bill["query"][:60])
def test_a_recorded_bill_is_the_formulas_price_to_the_nearest_point(bill):
    assert round(price(parse(inner(bill["query"])))) == bill["x_complexity"]


@pytest.mark.parametrize("bill", RECORDED["below_the_formula"], ids=lambda bill: bill["query"][:60])
def test_no_recorded_bill_is_above_the_formula(bill):
    assert price(parse(inner(bill["query"]))) >= bill["x_complexity"]


@pytest.mark.parametrize(
    "selection",
    [
        "id",
        'a: users(first: 10, filter: { id: { in: ["x", "y(1)"] } }) { nodes { id } }',
        "content { ... on A { x y } ... on B { z { id } } }",
        "issues(first: $first, after: $after) { nodes { id } pageInfo { endCursor } }",
    ],
)
def test_a_selection_is_written_as_it_was_read(selection):
    assert text(parse(selection)) == selection


@pytest.mark.parametrize("selection", ["a { b", "a } b", "} {"])
def test_braces_that_do_not_match_are_an_error(selection):
    with pytest.raises(ValueError):
        parse(selection)


def test_the_price_of_airbytes_own_issue_node_is_236():
    scalars = " ".join(f"s{i}" for i in range(40))
    relations = " ".join(f"r{i} {{ id }}" for i in range(10))
    lists = " ".join(f"l{i}(first: 50) {{ nodes {{ id }} }}" for i in range(4))
    assert 1 + price(parse(f"{scalars} {relations} {lists}")) == pytest.approx(236)


def test_a_union_costs_the_sum_of_its_members():
    assert price(parse("content { ... on A { x y } ... on B { z { id } } }")) == pytest.approx(2.3)


def test_a_connection_inside_a_connection_multiplies_twice():
    nested = "a(first: 10) { nodes { b(first: 5) { nodes { id } } } }"
    assert price(parse(nested)) == pytest.approx(10 + 50 * 1.1)


def test_page_info_is_multiplied_and_a_variable_is_filled_in():
    assert price(parse("a(first: $n) { nodes { id } pageInfo { endCursor } }"), 10) == pytest.approx(22)


def test_fifty_nodes_are_meant_where_none_are_given():
    assert price(parse("a { nodes { id } }")) == pytest.approx(55)


def test_what_is_left_without_a_field_knows_the_type_that_it_belongs_to():
    selection = parse("id name author { name } ... on Bot { name } comments { nodes { name body } }")

    def left(of):
        kept = without(
            selection, lambda field, on: field.name == "name" and on == of, "Issue", {"comments": "Comment"}
        )
        return text(kept)

    assert left("Issue") == "id author { name } ... on Bot { name } comments { nodes { name body } }"
    assert left("Bot") == "id name author { name } comments { nodes { name body } }"
    assert left("Comment") == "id name author { name } ... on Bot { name } comments { nodes { body } }"
    assert left("") == "id name ... on Bot { name } comments { nodes { name body } }"
