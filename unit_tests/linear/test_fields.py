"""The fields that Linear no longer has, or refuses: they are asked for no more."""

import logging

import pytest

from source_linear.linear.errors import Problem, failure
from source_linear.linear.fields import Fields
from source_linear.linear.selection import parse, text

WHOLE = parse(
    "id title owner { id name } parts(first: 2) { nodes { id name } } bot { ... on Bot { name kind } }"
)
TYPES = {"parts": "Part"}


@pytest.fixture
def fields():
    return Fields()


@pytest.fixture(autouse=True)
def log(caplog):
    caplog.set_level(logging.INFO, "airbyte")
    return caplog


def failed(*problems):
    return failure("things", problems[0].code, "x", problems=problems)


def gone(field, of, code="GRAPHQL_VALIDATION_FAILED"):
    return Problem(code, (), f'Cannot query field "{field}" on type "{of}".')


def drop(fields, *problems, stream="things"):
    return fields.drop(stream, failed(*problems), WHOLE, "Thing", TYPES)


def left(fields, stream="things"):
    return text(fields.left_of(stream, WHOLE, "Thing", TYPES))


def test_nothing_is_left_out_at_first(fields):
    assert fields.left_of("things", WHOLE, "Thing", TYPES) is WHOLE


@pytest.mark.parametrize(
    ("field", "of", "without"),
    [
        ("title", "Thing", "title "),
        ("name", "Part", None),
        ("name", "Bot", None),
        ("parts", "Thing", "parts(first: 2) { nodes { id name } } "),
    ],
)
def test_a_field_that_is_gone_is_left_out_where_its_type_is_asked_for(fields, field, of, without):
    assert drop(fields, gone(field, of))
    expected = {
        "Part": text(WHOLE).replace("nodes { id name }", "nodes { id }"),
        "Bot": text(WHOLE).replace("name kind", "kind"),
    }.get(of) or text(WHOLE).replace(without, "")
    assert left(fields) == expected


def test_a_field_of_a_type_that_nobody_can_place_goes_where_no_type_is_known(fields):
    assert drop(fields, gone("name", "User"))
    assert left(fields) == text(WHOLE).replace("owner { id name }", "owner { id }")


def test_what_holds_nothing_any_more_goes_too(fields):
    assert drop(fields, gone("id", "User"), gone("name", "User"))
    assert "owner" not in left(fields)
    assert left(fields).startswith("id title parts")


@pytest.mark.parametrize(
    "said",
    [
        'Field "title" of type "Title" must have a selection of subfields.',
        'Field "title" must not have a selection since type "String" has no subfields.',
    ],
)
def test_a_field_that_has_become_another_is_left_out(fields, said):
    assert drop(fields, Problem("GRAPHQL_VALIDATION_FAILED", (), said))
    assert left(fields) == text(WHOLE).replace("title ", "")


def test_all_fields_that_one_answer_names_are_left_out_at_once(fields, log):
    assert drop(fields, gone("title", "Thing"), gone("name", "Part"))
    assert "title" not in left(fields) and "nodes { id }" in left(fields)
    assert log.messages == [
        "Stream things: Linear's API no longer has Part.name, Thing.title: null is written. "
        "A newer version of source-linear is due."
    ]


def test_a_field_that_is_gone_is_told_once(fields, log):
    assert drop(fields, gone("title", "Thing")) and drop(fields, gone("title", "Thing"))
    assert len(log.messages) == 1


def test_what_is_gone_for_one_stream_is_still_asked_by_another(fields):
    drop(fields, gone("title", "Thing"))
    assert left(fields, "others") == text(WHOLE)


def test_more_can_go_later(fields):
    drop(fields, gone("title", "Thing"))
    before = left(fields)
    drop(fields, gone("name", "Part"))
    assert left(fields) == before.replace("nodes { id name }", "nodes { id }")


@pytest.mark.parametrize("code", ["FORBIDDEN", "FEATURE_NOT_ACCESSIBLE"])
def test_a_field_that_linear_refuses_so_that_its_row_does_not_come_is_left_out_in_silence(fields, log, code):
    refused = Problem(code, ("things", "nodes", 3, "owner", "name"), "Not for you.")
    assert drop(fields, refused)
    assert (
        left(fields) == "id title owner { id } parts(first: 2) { nodes { id } } bot { ... on Bot { kind } }"
    )
    assert log.messages == []


@pytest.mark.parametrize(
    "problem",
    [
        Problem("FORBIDDEN", ("things",), "Not for you."),
        Problem("FORBIDDEN", ("things", "nodes", 3), "Not for you."),
        Problem("INTERNAL_SERVER_ERROR", ("things", "nodes", 3, "title"), "Oh."),
        Problem("INPUT_ERROR", (), 'Cannot query field "title" on type "Thing".'),
        Problem("GRAPHQL_VALIDATION_FAILED", (), 'Unknown argument "x" on field "Query.things".'),
    ],
)
def test_what_is_about_no_field_leaves_none_out(fields, problem):
    assert not drop(fields, problem)
    assert left(fields) == text(WHOLE)


def test_a_failure_without_problems_leaves_no_field_out(fields):
    assert not fields.drop("things", failure("things", "NO_ANSWER", "x"), WHOLE, "Thing", TYPES)
