from __future__ import annotations

import json
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests

from integration_tests.linear_api import LinearApi
from integration_tests.linear_api.kinds import KINDS, SHORT
from unit_tests.linear_api.conftest import Asker

ROOT = Path(__file__).parents[2]
TEAMS = "{ teams(first: 3) { nodes { id name } } }"


def control(url: str, **order: Any) -> Any:
    answer = requests.post(url, json=order, timeout=10).json()
    assert answer["ok"], answer
    return answer["result"]


def test_rows_can_be_changed_from_outside(linear_api: LinearApi) -> None:
    url, rows = linear_api.control_url, linear_api.workspace.rows["Issue"]
    issue = control(url, op="create", type="Issue", fields={"title": "From outside"})
    control(url, op="update", type="Issue", id=issue, fields={"priority": 2.0})
    control(url, op="archive", type="Issue", id=issue)
    assert rows[issue]["priority"] == 2.0 and rows[issue]["archivedAt"]
    control(url, op="unarchive", type="Issue", id=issue, touch=True)
    control(url, op="trash", type="Issue", id=issue, at="2030-01-01T00:00:00.000Z")
    assert rows[issue]["trashed"] and rows[issue]["archivedAt"] == "2030-01-01T00:00:00.000Z"
    stamp = control(url, op="bulk_update", type="Issue", ids=[issue], fields={"title": "Bulk"})
    assert rows[issue]["updatedAt"] == stamp
    ids = control(url, op="set_list", type="Issue", id=issue, field="subscribers", size=4)
    assert control(url, op="expected", type="Issue", id=issue)["subscriberIds"] == ids
    control(url, op="purge", type="Issue", id=issue)
    assert issue not in control(url, op="ids", type="Issue")


def test_the_clock_can_be_moved_from_outside(linear_api: LinearApi) -> None:
    url = linear_api.control_url
    control(url, op="clock", set="2030-01-01T00:00:00Z")
    assert control(url, op="clock", advance=1.5) == "2030-01-01T00:00:01.500Z"


def test_faults_and_limits_can_be_set_from_outside(linear_api: LinearApi, ask: Asker) -> None:
    url = linear_api.control_url
    control(url, op="fault", kind="html", status=504, root="teams")
    assert ask(TEAMS).status_code == 504
    control(url, op="fault", kind="garbage", count=None)
    assert control(url, op="faults")[1]["kind"] == "garbage"
    control(url, op="clear_faults")
    control(url, op="limits", requests=1, window=3600, largest=100)
    assert [ask(TEAMS).status_code for _ in range(2)] == [200, 400]
    control(url, op="limits", requests=100, billing="executed")
    assert linear_api.limits.billing == "executed"
    control(url, op="exhaust", requests=True)
    assert ask.error(TEAMS) == (400, "RATELIMITED")
    control(url, op="expire_tokens")
    control(url, op="latency", seconds=0)


def test_rows_can_be_hidden_and_committed_late_from_outside(linear_api: LinearApi) -> None:
    url = linear_api.control_url
    [issue, *_] = control(url, op="ids", type="Issue")
    control(url, op="hide", type="Issue", ids=[issue])
    assert issue not in control(url, op="ids", type="Issue")
    control(url, op="show", type="Issue", ids=[issue])
    assert issue in control(url, op="ids", type="Issue")
    control(url, op="clock", set="2030-01-01T00:00:00Z")
    control(url, op="late", seed=1, shortest=5, longest=5)
    created = control(url, op="create", type="Issue")
    [pending] = control(url, op="pending")
    assert (pending["id"], pending["visible_at"]) == (created, "2030-01-01T00:00:05.000Z")
    control(url, op="commit")
    assert created in control(url, op="ids", type="Issue")
    control(url, op="late", off=True)
    assert control(url, op="create", type="Issue") in control(url, op="ids", type="Issue")


def test_every_kind_of_fault_can_be_set_from_outside(linear_api: LinearApi) -> None:
    for kind in KINDS:
        control(linear_api.control_url, op="fault", kind=kind, root="teams", nth=1000)
    needed = {"refused": {"text": "No"}, "answered": {"name": "html-502"}, "date": {"date": None}}
    for kind in SHORT:
        control(linear_api.control_url, op="fault", kind=kind, root="teams", **needed.get(kind, {}))
    assert len(linear_api.faults.all) == len(KINDS) + len(SHORT)
    order = {"op": "fault", "kind": "clear"}
    assert requests.post(linear_api.control_url, json=order, timeout=10).status_code == 400


def test_a_fault_tells_from_outside_what_it_did(linear_api: LinearApi, ask: Asker) -> None:
    url = linear_api.control_url
    control(url, op="fault", kind="damage", seed=4, ways=["drop"])
    ask(TEAMS)
    [fault] = control(url, op="faults")
    assert fault["fired"] == 1 and fault["did"][0]["request"] == 1 and fault["did"][0]["damages"]


def test_the_schema_can_be_changed_from_outside(linear_api: LinearApi, ask: Asker) -> None:
    url = linear_api.control_url
    control(url, op="remove", what=["Team.name"])
    assert ask.error(TEAMS) == (400, "GRAPHQL_VALIDATION_FAILED")
    control(url, op="restore")
    assert ask(TEAMS).status_code == 200
    order = {"op": "remove", "what": ["Team.nonsense"]}
    assert requests.post(url, json=order, timeout=10).status_code == 400


def test_the_log_can_be_read_from_outside(linear_api: LinearApi, ask: Asker) -> None:
    url = linear_api.control_url
    ask(TEAMS)
    [record] = control(url, op="requests")
    assert record["roots"] == ["teams"] and record["status"] == 200
    assert control(url, op="summary")["roots"]["teams"]["requests"] == 1
    control(url, op="clear_requests")
    assert control(url, op="summary")["requests"] == 0
    assert control(url, op="counts")["Issue"] == 50


def test_a_wrong_order_is_http_400(linear_api: LinearApi) -> None:
    for body in ({"op": "nonsense"}, {"op": "archive", "type": "Issue", "id": "nobody"}, {}):
        response = requests.post(linear_api.control_url, json=body, timeout=10)
        assert response.status_code == 400 and response.json()["ok"] is False


def test_the_log_redacts_the_key(linear_api: LinearApi, ask: Asker) -> None:
    ask(TEAMS)
    ask(TEAMS, authorization="Bearer something")
    ask(TEAMS, authorization=None)
    assert [record.authorization for record in linear_api.requests] == ["key", "bearer", "none"]
    assert linear_api.api_key not in repr(linear_api.requests)


def test_the_log_tells_what_was_asked_and_answered(linear_api: LinearApi, ask: Asker) -> None:
    query = "query Page($n: Int) { teams(first: $n) { nodes { id } } }"
    response = ask(query, {"n": 2})
    [record] = linear_api.requests
    assert (record.number, record.query, record.variables) == (1, query, {"n": 2})
    assert (record.status, record.complexity) == (200, 2)
    assert record.response_bytes == len(response.content) and record.seconds > 0


def test_many_clients_are_answered_while_rows_change(linear_api: LinearApi) -> None:
    def client(_: int) -> set[int]:
        ask = Asker(linear_api)
        query = "{ issues(first: 20, orderBy: updatedAt) { nodes { id labels { nodes { id } } } } }"
        statuses = {ask(query).status_code for _ in range(10)}
        ask.close()
        return statuses

    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(client, range(8))
        for issue in linear_api.workspace.ids("Issue"):
            linear_api.workspace.update("Issue", issue, labels=[])
            linear_api.workspace.create("Issue")
        assert set().union(*answers) == {200}


def test_a_test_may_change_rows_between_two_pages(linear_api: LinearApi, ask: Asker) -> None:
    numbers = []

    def rename(request: Any, number: int) -> None:
        numbers.append((number, request.roots))
        if number == 2:
            linear_api.workspace.create("Team", name="Late")

    linear_api.before_response(rename)
    assert "Late" not in ask(TEAMS).text
    assert "Late" in ask(TEAMS).text
    linear_api.requests.clear()
    ask(TEAMS)
    assert numbers == [(1, ("teams",)), (2, ("teams",)), (1, ("teams",))]


def test_the_command_serves_until_it_is_terminated() -> None:
    command = [sys.executable, "-m", "integration_tests.linear_api", "--issues", "0"]
    limits = ["--rate-limit-requests", "1", "--rate-limit-points", "50", "--latency-ms", "1"]
    limits += ["--billing", "executed", "--late"]
    with subprocess.Popen([*command, *limits], stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        line = json.loads(process.stdout.readline())
        headers = {"Authorization": line["api_key"]}
        statuses = [
            requests.post(line["url"], json={"query": TEAMS}, headers=headers, timeout=10).status_code
            for _ in range(2)
        ]
        assert statuses == [200, 400]
        assert control(line["control_url"], op="counts")["Organization"] == 1
        created = control(line["control_url"], op="create", type="Team")
        assert created in [one["id"] for one in control(line["control_url"], op="pending")]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
