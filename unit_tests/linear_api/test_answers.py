from __future__ import annotations

import json

import pytest

from integration_tests.linear_api import linear_schema
from integration_tests.linear_api.answers import DIRECTORY, answer, answers
from integration_tests.linear_api.text import parsed, stringify

ANSWERS = answers()
NO_JSON = {"cut-body", "empty-body", "moved", "not-json-at-the-end", "not-utf-8"}


def test_an_answer_says_how_well_it_is_known_and_what_becomes_of_it() -> None:
    for given in ANSWERS:
        assert given.seen and given.expect
        assert 200 <= given.status < 600
        assert "Content-Type" in given.headers


def test_an_answer_is_to_a_question_that_linear_can_be_asked() -> None:
    for given in ANSWERS:
        roots = linear_schema().graphql.query_type
        assert roots is not None
        assert given.asked_for and set(given.asked_for) <= roots.fields.keys()


def test_a_body_is_json_unless_the_case_is_that_it_is_not() -> None:
    for given in ANSWERS:
        if given.headers["Content-Type"].startswith("text/html") or given.name in NO_JSON:
            with pytest.raises(ValueError, match=r".*"):
                parsed(given.body)
        else:
            parsed(given.body)


def test_a_file_holds_what_its_reader_knows_and_nothing_else() -> None:
    known = {"seen", "status", "headers", "body", "raw_body", "encoding", "asked_for", "expect"}
    for path in DIRECTORY.glob("*.json"):
        keys = json.loads(path.read_text("utf-8")).keys()
        assert keys <= known, path.name
        assert len(keys & {"body", "raw_body"}) == 1, path.name


def test_half_of_an_emoji_is_an_escape_in_the_body() -> None:
    assert rb"\ud83d" in answer("half-an-emoji").body
    assert stringify({"text": "\ud83d", "whole": "\ud83d\ude00"}) == (
        rb'{"text":"\ud83d","whole":"' + "\U0001f600".encode() + b'"}'
    )


def test_an_unknown_answer_is_refused() -> None:
    with pytest.raises(FileNotFoundError):
        answer("nonsense")
