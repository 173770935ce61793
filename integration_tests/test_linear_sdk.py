"""Linear's own client against the simulator: what nobody here wrote must understand its answers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from graphql import FieldNode, OperationType, get_operation_ast, parse

from integration_tests.linear_api import LinearApi
from tools.contract import parts

SDK = Path(__file__).resolve().parent / "sdk"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with Linear's client installed as locked."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("Linear's own client was not tried: it needs node and npm")
    folder = tmp_path_factory.mktemp("sdk")
    for name in ("package.json", "package-lock.json", ".npmrc", "check.mjs"):
        shutil.copy(SDK / name, folder)
    install = ["npm", "ci", "--omit=dev", "--no-progress"]
    done = subprocess.run(install, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"Linear's own client was not tried: npm ci failed\n{done.stderr[-2000:]}")
    return folder


@pytest.fixture
def api() -> Iterator[LinearApi]:
    with LinearApi(issues=450, seed=1) as running:
        yield running


def test_its_own_paging_reads_every_row_exactly_once(client: Path, api: LinearApi) -> None:
    read = _client(client, api, "read")
    expected = {name: api.workspace.ids(name) for name in ("Issue", "Comment", "Team")}
    assert {name: len(ids) for name, ids in read.items()} == {
        "issues": len(expected["Issue"]),
        "comments": len(expected["Comment"]),
        "teams": len(expected["Team"]),
    }
    assert sorted(read["issues"]) == sorted(expected["Issue"])
    assert sorted(read["comments"]) == sorted(expected["Comment"])
    assert sorted(read["teams"]) == sorted(expected["Team"])
    assert len(api.requests.to("issues")) > 1, "one page is no paging"


def test_every_query_that_it_has_for_our_roots_is_answered(client: Path, api: LinearApi) -> None:
    roots = parts(api.workspace.schema.graphql)
    answered, failed = 0, {}
    for name, text in _client(client, api, "queries").items():
        operation = get_operation_ast(parse(text))
        assert operation is not None
        field = operation.selection_set.selections[0]
        assert isinstance(field, FieldNode)
        wanted = {each.variable.name.value for each in operation.variable_definitions or ()}
        if (
            operation.operation is not OperationType.QUERY
            or (root := f"Query.{field.name.value}") not in roots
        ):
            continue
        variables: dict[str, Any] = {"first": 5} if "first" in wanted else {}
        if "id" in wanted:
            entity = roots[root].about
            variables["id"] = next(iter(api.workspace.ids(entity)), None)
        body = {"query": text, "variables": variables}
        answer = requests.post(api.url, json=body, headers={"Authorization": api.api_key}).json()
        answered += 1
        if "errors" in answer:
            failed[name] = answer["errors"]
    assert failed == {}
    assert answered > 200


def test_it_understands_an_invalid_input(client: Path, api: LinearApi) -> None:
    failure = _client(client, api, "fail", "workflowStates", "251")
    assert failure["error"] == "InvalidInputLinearError"
    assert failure["type"] == "InvalidInput"
    assert failure["status"] == 200


def test_it_understands_a_rate_limit_and_its_headers(client: Path, api: LinearApi) -> None:
    api.limits.exhaust()
    failure = _client(client, api, "fail", "issues", "1")
    assert failure["error"] == "RatelimitedLinearError"
    assert (failure["status"], failure["type"]) == (400, "Ratelimited")
    assert (failure["requestsLimit"], failure["requestsRemaining"]) == (2_500, 0)
    assert failure["complexityLimit"] == 3_000_000
    assert failure["requestsResetAt"] > api.clock.milliseconds


def test_it_understands_that_a_key_is_refused(client: Path, api: LinearApi) -> None:
    failure = _client(client, api, "fail", "issues", "1", api_key="lin_api_wrong")
    assert failure["error"] == "AuthenticationLinearError"
    assert failure["type"] == "AuthenticationError"


def _client(folder: Path, api: LinearApi, *arguments: str, api_key: str | None = None) -> dict[str, Any]:
    settings = {"LINEAR_API_URL": api.url, "LINEAR_API_KEY": api_key or api.api_key}
    done = subprocess.run(
        ["node", "check.mjs", *arguments],
        cwd=folder,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    parsed: dict[str, Any] = json.loads(done.stdout)
    return parsed
