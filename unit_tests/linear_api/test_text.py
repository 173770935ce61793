from __future__ import annotations

import json

import pytest
import requests

from integration_tests.linear_api.text import stringify
from unit_tests.linear_api.conftest import Asker

HALF = "cut \ud83d"


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        (HALF, rb'"cut \ud83d"'),
        ("\udc00", rb'"\udc00"'),
        ("a\0b", rb'"a\u0000b"'),
        ("a\u2028b", '"a\u2028b"'.encode()),
        ("\U0001f600", '"\U0001f600"'.encode()),
        (HALF + '\0\u2028\U0001f600"\\\n', rb'"cut \ud83d\u0000' + '\u2028\U0001f600\\"\\\\\\n"'.encode()),
    ],
)
def test_a_text_is_sent_as_json_stringify_writes_it(ask: Asker, text: str, sent: bytes) -> None:
    issue = ask.api.workspace.create("Issue", title=text)
    response = ask(f'{{ issue(id: "{issue}") {{ title }} }}')
    assert response.content == b'{"data":{"issue":{"title":' + sent + b"}}}"
    assert json.loads(response.content)["data"]["issue"]["title"] == text


def test_a_large_text_is_sent_whole(ask: Asker) -> None:
    text = "\u00e4b\n" * 1_000_000
    issue = ask.api.workspace.create("Issue", description=text)
    assert ask.data(f'{{ issue(id: "{issue}") {{ description }} }}')["issue"]["description"] == text


def test_half_of_a_character_may_stand_in_a_json_column(ask: Asker) -> None:
    template = ask.api.workspace.create("Template", templateData={HALF: [HALF]})
    response = ask(f'{{ template(id: "{template}") {{ templateData }} }}')
    assert rb'{"cut \ud83d":["cut \ud83d"]}' in response.content


def test_rows_with_odd_texts_can_be_made_and_read_from_outside(ask: Asker) -> None:
    order = {"op": "create", "type": "Issue", "fields": {"title": HALF}}
    answer = requests.post(ask.api.control_url, data=stringify(order), timeout=10).json()
    assert ask.api.workspace.rows["Issue"][answer["result"]]["title"] == HALF
    order = {"op": "expected", "type": "Issue", "id": answer["result"]}
    expected = requests.post(ask.api.control_url, data=stringify(order), timeout=10)
    assert json.loads(expected.content)["result"]["title"] == HALF


def test_a_spoilt_answer_may_hold_half_of_a_character(ask: Asker) -> None:
    ask.api.workspace.create("Team", name=HALF)
    ask.api.faults.partial(root="teams", field="key")
    response = ask("{ teams(first: 1) { nodes { name key } } }")
    assert rb'"cut \ud83d","key":null' in response.content
