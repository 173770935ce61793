from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from integration_tests.linear_api.errors import TYPES
from integration_tests.linear_api.kinds import WAYS
from unit_tests.linear_api.conftest import Asker

QUERY = """{
    teams(first: 3) { nodes { id name states { nodes { id } } } pageInfo { hasNextPage endCursor } }
}"""


def damages(ask: Asker, seed: Any, **options: Any) -> tuple[int, bytes, list[dict[str, Any]]]:
    """Status and body of a damaged answer, and what is said to have been done to it."""
    fault = ask.api.faults.damage(seed, **options)
    response = ask(QUERY)
    ask.api.faults.remove(fault)
    [did] = fault.did
    assert did["request"] == ask.api.requests[-1].number
    return response.status_code, response.content, did["damages"]


def test_the_same_seed_does_the_same_damage(ask: Asker) -> None:
    for seed in range(20):
        assert damages(ask, seed, times=2) == damages(ask, seed, times=2)


def test_every_seed_changes_the_answer_and_says_how(ask: Asker) -> None:
    whole = ask(QUERY).content
    changed = [damages(ask, seed) for seed in range(200)]
    ways = Counter(damage["way"] for _, _, did in changed for damage in did)
    assert set(ways) == set(WAYS)
    harmless = [did for status, body, did in changed if status == 200 and body == whole]
    assert all(damage["way"] == "replace" for did in harmless for damage in did) and len(harmless) < 5
    assert len({body for _, body, _ in changed}) > 60


def test_a_node_is_replaced_anywhere(ask: Asker) -> None:
    replaced = [damages(ask, seed, ways=["replace"])[2][0] for seed in range(150)]
    assert {json.dumps(each["by"]) for each in replaced} == {"null", "{}", "[]", '""', "0", "-1", "1.5"}
    assert {len(each["place"]) for each in replaced} >= {0, 1, 2, 3, 4, 5}
    whole = ask(QUERY).json()
    _, body, [did] = damages(ask, 3, ways=["replace"])
    holder = whole
    for step in did["place"][:-1]:
        holder = holder[step]
    holder[did["place"][-1]] = did["by"]
    assert json.loads(body) == whole


def test_a_key_is_dropped(ask: Asker) -> None:
    whole = ask(QUERY).content
    for seed in range(20):
        _, body, [did] = damages(ask, seed, ways=["drop"])
        if did["way"] == "drop":
            assert isinstance(did["place"][-1], str)
            assert len(body) < len(whole)


def test_any_code_comes_at_any_status(ask: Asker) -> None:
    told = [(status, did) for status, _, [did] in (damages(ask, n, ways=["error"]) for n in range(150))]
    assert all(status == did["status"] for status, did in told)
    assert {did["code"] for _, did in told} == set(TYPES)
    assert {200, 400, 403, 500, 503} <= {status for status, _ in told}
    assert {did["beside"] for _, did in told} == {"instead", "null", "data"}


def test_a_body_is_cut(ask: Asker) -> None:
    whole = ask(QUERY).content
    for seed in range(10):
        status, body, _ = damages(ask, seed, ways=["cut"])
        assert status == 200 and whole.startswith(body) and len(body) < len(whole)


def test_one_fault_does_another_damage_each_time(ask: Asker) -> None:
    fault = ask.api.faults.damage(1, count=None)
    for _ in range(10):
        ask(QUERY)
    assert len({str(did["damages"]) for did in fault.did}) > 5


def test_the_damage_may_be_a_function(ask: Asker) -> None:
    def change(body: dict[str, Any], chance: Any) -> Any:
        body["data"]["teams"]["nodes"].append(chance.choice([7]))
        return 500, body

    ask.api.faults.damage(change=change)
    response = ask(QUERY)
    assert response.status_code == 500 and response.json()["data"]["teams"]["nodes"][-1] == 7
    ask.api.faults.damage(change=lambda body, chance: b"nothing")
    assert ask(QUERY).content == b"nothing"
    assert ask(QUERY).json()["data"]["teams"]["nodes"][-1] != 7


def test_an_unknown_way_is_refused(ask: Asker) -> None:
    with pytest.raises(ValueError, match="unknown way"):
        ask.api.faults.damage(ways=["burn"])
