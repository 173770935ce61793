"""The load server's pages and the report; what they measure is asserted nowhere."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from benchmarks.by_size import by_pace, fits_up_to, share
from benchmarks.cost import by_stream
from benchmarks.generated import Generated, TooComplex, declared, sync
from benchmarks.load_server import Pages, Server, Workspace
from benchmarks.report import markdown
from benchmarks.sections import Section, Target
from benchmarks.sizes import QUICK
from benchmarks.startup import import_times, times_of
from benchmarks.streams import STREAMS
from benchmarks.usual import transformations

END = 1_700_000_000_000


def _node(number: int) -> dict[str, object]:
    return {"id": "x", "createdAt": "x", "updatedAt": "x", "archivedAt": None, "number": number}


def _moment(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")


@pytest.fixture
def pages() -> Pages:
    return Pages(STREAMS["issues"], [_node(number) for number in range(7)])


def _read(pages: Pages, workspace: Workspace, interval: dict[str, str] | None = None) -> list[str]:
    ids: list[str] = []
    variables: dict[str, object] = {"first": 10}
    if interval is not None:
        variables["filter"] = {"createdAt": interval}
    while True:
        page = json.loads(pages.page(workspace, variables))["data"]["issues"]
        for node in page["nodes"]:
            assert node["createdAt"] == node["updatedAt"]
            if interval:
                assert node["createdAt"] <= interval["lte"]
        ids += [node["id"] for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            return ids
        variables["after"] = page["pageInfo"]["endCursor"]


def test_each_row_of_the_load_server_comes_once_whatever_the_windows(pages: Pages) -> None:
    workspace = Workspace.of("/issues/95/days/3/graphql", END)
    whole = _read(pages, workspace)
    assert len(whole) == len(set(whole)) == 95
    step = (END - workspace.origin) // 4
    found: list[str] = []
    for number in range(5):
        start = workspace.origin + number * step
        interval = {"gte": _moment(start), "lte": _moment(start + step - 1)}
        found += _read(pages, workspace, interval)
    assert sorted(found) == sorted(whole)


def test_an_empty_window_of_the_load_server_is_one_empty_page(pages: Pages) -> None:
    workspace = Workspace.of("/issues/95/graphql", END)
    assert _read(pages, workspace, {"lte": _moment(workspace.origin - 1)}) == []


def test_the_load_server_lists_each_row_once_to_a_walk(pages: Pages) -> None:
    server, ids, after = Server({"issues": pages}), [], ""
    workspace = server.workspace(b"/issues/50/graphql")
    middle = _moment(workspace.created("issues", 25))
    while True:
        root = f"issues(first: 10, includeArchived: true{after}, filter: $filter_list_issues_all_0)"
        query = f"query sync {{ list_issues_all_0: {root} {{ nodes {{ id }} }} }}"
        body = {"query": query, "variables": {"filter_list_issues_all_0": {"createdAt": {"lt": middle}}}}
        _, answer = server.answer(b"/issues/50/graphql", json.dumps(body).encode())
        nodes = json.loads(answer)["data"]["list_issues_all_0"]["nodes"]
        ids += [node["id"] for node in nodes]
        if len(nodes) < 10:
            break
        after = f', after: "{ids[-1]}"'
    assert len(ids) == len(set(ids)) == 25


def test_the_load_server_counts_down_the_budget_of_each_run(pages: Pages) -> None:
    server = Server({"issues": pages})
    body = json.dumps({"operationName": "issues", "variables": {"first": 10}}).encode()
    for left in (b"2499", b"2498"):
        headers, _ = server.answer(b"/issues/5/run/1/graphql", body)
        assert b"X-RateLimit-Requests-Remaining: " + left in headers
    headers, _ = server.answer(b"/issues/5/graphql", body)
    assert b"RateLimit" not in headers


def test_a_filter_that_the_load_server_does_not_know_fails_loudly() -> None:
    with pytest.raises(KeyError):
        Workspace.of("/issues/5/graphql", END).selected("issues", {"archivedAt": {"gte": _moment(END)}})


def test_the_usual_manifest_has_a_pair_for_each_relation_and_list() -> None:
    kinds = [one["type"] for one in transformations(STREAMS["issues"])]
    assert kinds.count("RemoveFields") == 17
    assert kinds.count("AddFields") == 18  # and isArchived


def test_requests_count_for_the_stream_that_made_them() -> None:
    log = [
        {"query": "query issues($first: Int!) {}", "complexity": 5},
        {"query": "query issues($filter_n0: IssueFilter) { n0: issues }", "complexity": 2},
        {"query": "query issue_history {}", "complexity": 7},
        {"query": "query who { viewer { id } }", "complexity": 3},
    ]
    spent = by_stream(log)
    assert (spent["issues"].pages, spent["issues"].lists, spent["issues"].points) == (1, 1, 7)
    assert spent["issue_history"].requests == 1
    assert spent[""].points == 3


def test_import_times_are_summed_by_package_but_for_large_modules() -> None:
    told = "import time: self [us] | cumulative | imported package\n"
    for microseconds, module in ((20, "yaml"), (10, "yaml.nodes"), (900, "cdk.models.all"), (70, "cdk")):
        told += f"import time: {microseconds:9} | {microseconds:10} |   {module}\n"
    expected = {"cdk.models.all": 0.0009, "cdk": 0.00007, "yaml": 0.00003}
    assert import_times(told) == pytest.approx(expected)


def test_what_discover_takes_is_compared_turn_by_turn() -> None:
    cpu = {"discover": [1.1, 2.4, 9.0], "import airbyte_cdk.entrypoint": [1.0, 2.0, 10.0], "spec": [0.1] * 3}
    assert times_of(cpu) == pytest.approx(1.1)


def test_the_report_says_by_how_much_a_target_is_missed() -> None:
    targets = (Target("fast", "9", False, "1"), Target("small", "2", True))
    section = Section("speed", "How fast?", "Nine.", lambda figure: None, targets)
    text = markdown([section], QUICK, 1.6, "2026-01-31", "2 cores")
    assert "| fast | 9 | no, missed by 1 |\n| small | 2 | yes |" in text
    assert "## 1. How fast?\n\n![How fast?](speed.png)\n\nNine.\n" in text
    assert "2 minutes on 2026-01-31: 2 cores" in text


def _walked(
    linear: Generated, root: str, first: int, chosen: str = "", inner: str = ""
) -> list[dict[str, Any]]:
    """All rows of a root, or of those that a filter selects, newest first."""
    nodes: list[dict[str, Any]] = []
    after = ""
    while True:
        given = ", ".join(one for one in (f"first: {first}", chosen, after) if one)
        query = f"query sync {{ {root}({given}) {{ nodes {{ id createdAt updatedAt {inner} }} }} }}"
        page = linear.ask("", query).data[root]["nodes"]
        nodes += page
        if len(page) < first:
            return nodes
        after = f'after: "{page[-1]["id"]}"'


def test_computed_rows_come_once_newest_first_and_each_time_alike() -> None:
    linear = Generated({"comments": 300}, 20)
    rows = _walked(linear, "comments", 7)
    assert len({one["id"] for one in rows}) == len(rows) == 300
    assert rows == sorted(rows, key=lambda one: one["createdAt"], reverse=True)
    assert rows == _walked(Generated({"comments": 300}, 20), "comments", 250)
    assert [linear.place(one["id"]) for one in rows] == [*range(299, -1, -1)]
    assert len(_walked(linear, "users", 250)) == 20


def test_computed_rows_are_selected_by_their_dates_and_ids() -> None:
    linear = Generated({"comments": 300}, 20)
    rows = _walked(linear, "comments", 250)
    middle = rows[100]["createdAt"]
    newer = _walked(linear, "comments", 7, f'filter: {{createdAt: {{gte: "{middle}"}}}}')
    older = _walked(linear, "comments", 7, f'filter: {{createdAt: {{lt: "{middle}"}}}}')
    assert (newer, newer + older) == (rows[:101], rows)
    some = [rows[7]["id"], rows[3]["id"]]
    both = f'{{or: [{{updatedAt: {{gt: "{rows[2]["updatedAt"]}"}}}}, {{archivedAt: {{gte: "{middle}"}}}}]}}'
    assert _walked(linear, "comments", 5, f"filter: {both}") == rows[:2]
    ids = "[" + ", ".join(f'"{one}"' for one in some) + "]"
    assert _walked(linear, "comments", 5, f"filter: {{id: {{in: {ids}}}}}") == [rows[3], rows[7]]


def test_lists_inside_computed_rows_are_of_mixed_length_and_go_on() -> None:
    linear = Generated({"projects": 400}, 20)
    inner = "externalLinks(first: 40) { nodes { id } }"
    lists = [one["externalLinks"]["nodes"] for one in _walked(linear, "projects", 100, inner=inner)]
    lengths = [len(one) for one in lists]
    assert min(lengths) == 0 and 25 <= max(lengths) <= 30
    assert sum(lengths) == linear.items("Project.externalLinks")
    assert 0.2 < lengths.count(0) / 400 < 0.3
    longest = lists[lengths.index(max(lengths))]
    rest = f'externalLinks(first: 40, after: "{longest[9]["id"]}") {{ nodes {{ id }} }}'
    found = _walked(linear, "projects", 100, inner=rest)[lengths.index(max(lengths))]
    assert found["externalLinks"]["nodes"] == longest[10:]


def test_the_computed_workspace_bills_by_the_formula_and_keeps_the_limits() -> None:
    linear = Generated({"comments": 300}, 20)
    query = "query sync { comments(first: 250) { nodes { id createdAt } pageInfo { endCursor } } }"
    answer = linear.ask("comments", query)
    assert linear.requests == [("comments", 575)]
    assert answer.headers["X-RateLimit-Complexity-Remaining"] == str(3_000_000 - 575)
    begun = linear.clock
    for _ in range(2_700):
        linear.ask("comments", "query sync { viewer { id } }")
    assert linear.limited == 0
    assert 280 < linear.clock - begun < 400, "of 2,701 requests 2,500 are there at once, then one each 1.44 s"
    with pytest.raises(TooComplex):
        dear = "projects(first: 250) { nodes { externalLinks(first: 250) { nodes { id } } } }"
        linear.ask("projects", f"query sync {{ {dear} }}")


def test_a_sync_that_was_killed_goes_on_and_all_rows_come() -> None:
    streams, came = declared(("comments",)), set[str]()

    def note(records: list[dict[str, Any]]) -> None:
        came.update(one["id"] for one in records)

    linear = Generated({"comments": 700, "issues": 8_000}, 20)
    killed = sync(linear, streams, until=400, each=note)
    assert 400 <= killed.rows.total() < 700 and killed.checkpoints["comments"] >= 1
    done = sync(linear, streams, killed.states, each=note)
    assert len(came) == 700 and done.rows.total() < 700
    quiet = sync(linear, streams, done.states)
    assert (quiet.rows.total(), quiet.requests) == (0, 1)


def test_what_syncs_use_of_the_limits_is_told_by_the_scarcer_one() -> None:
    assert share(25, 3_000, 60) == pytest.approx(0.01)
    assert share(1, 300_000, 5) == pytest.approx(1.2)
    costs = [(20, 1, 10_000), (500, 1, 40_000), (2_000, 1, 100_000)]
    assert fits_up_to(costs, 1) == pytest.approx(750), "50,000 points a minute"
    assert fits_up_to(costs, 5) == pytest.approx(500 + 1_500 * 210 / 60)
    assert fits_up_to(costs[:2], 0.1) == pytest.approx(20 - 480 * 5 / 30)


def test_the_page_tells_what_syncs_use_by_size_and_pace() -> None:
    facts = {"requests 20": 2, "points 20": 3_000, "daily 20": 1}
    facts |= {"requests 500": 4, "points 500": 10_000, "daily 500": 7}
    text = by_pace(facts)
    assert "| 20 | 2 | 3,000 | 6.0 % | 1.2 % | 0.4 % | 0.1 % | 1 |" in text
    assert "| 500 | 4 | 10,000 | 20 % | 4.0 % | 1.3 % | 0.3 % | 7 |" in text
    assert "| fits up to about |  |  | 3,200 rows |" in text
