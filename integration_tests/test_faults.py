"""One stream's failure costs nothing else: every fault at every place, and what it says."""

import json
import math
from dataclasses import dataclass, field

import pytest

from integration_tests.connector import Connector, Output
from integration_tests.expected import records
from integration_tests.faults.forks import ForkedConnector
from integration_tests.faults.matrix import CHECK, FAULTS, PLACES, Fault
from integration_tests.linear_api import PURGED, LinearApi, Request
from source_linear.state import StreamState
from tools.schemas import streams

pytestmark = pytest.mark.slow

STREAMS = {stream.name: stream for stream in streams()}
OTHERS = ("users", "teams", "issue_labels", "workflow_states", "cycles")
ENOUGH_ROWS = 8  # of a target, for at least three pages
# Of a check that meets a fault: it halves its query until it knows which root is refused; ten seconds of
# patience with what may pass allow fewer.
MOST_TRIES = 1 + math.ceil(math.log2(len({root.name for one in STREAMS.values() for root in one.roots})))
SECRETS = ("lin_api_standin", "standin-secret", "standin-access", "standin-refresh")


def is_page(request: Request) -> bool:
    """Whether a stream asks; test_probe.py has the faults of what is asked for all streams at once."""
    return not request.query.startswith("query sync")


@dataclass
class Cell:
    """What became of one fault at one place."""

    injected: int = 0
    survived: bool = False
    left_out: int = 0
    lost: int = 0
    repeated: int = 0


@dataclass
class Bench:
    """A simulator, a connector for it, and the matrix as far as it is known."""

    api: LinearApi
    connector: ForkedConnector
    cells: dict[tuple[str, str], Cell] = field(default_factory=dict)
    catalogs: dict[str, dict] = field(default_factory=dict)
    pages: dict[str, list[list[str]]] = field(default_factory=dict)
    expected: dict[str, dict] = field(default_factory=dict)

    def prepare(self, target: str) -> None:
        """Learn which pages the target's stream has: the ids of their rows, in the order of requests."""
        if target in self.pages:
            return
        self.catalogs[target] = self.connector.catalog([target, *OTHERS])
        root, pages = STREAMS[target].roots[0].name, []

        def note(body, _):
            pages.append([node["id"] for node in body["data"][root]["nodes"]])
            return body

        self.api.faults.clear()
        self.api.faults.damage(root=root, count=None, change=note, where=is_page)
        self.connector.read(self.catalogs[target])
        self.pages[target] = pages
        for name in (target, *OTHERS):
            self.expected[name] = records(self.api.workspace, STREAMS[name])

    def strike(self, fault: Fault, place: str):
        """Put the fault into the simulator."""
        self.api.limits.reset()  # else the connector would slow down: it is many syncs within the hour
        pages = self.pages[fault.target]
        on = {"root": STREAMS[fault.target].roots[0].name}
        at = {"first page": 0, "middle page": len(pages) // 2, "last page": -1}
        if fault.of_rows:
            filled = [page for page in pages if page]  # a window may be empty
            if place != "every page":
                filled = [filled[min(at[place], len(filled) // 2)]]
            on["row_id"] = [page[len(page) // 2] for page in filled]
        elif place == "every page":
            on |= {"count": None, "where": fault.every and fault.every()}
        else:
            on |= {"nth": at[place] % len(pages) + 1, "where": is_page}
        return fault.strike(self.api, **on)


@pytest.fixture(scope="module")
def bench(tmp_path_factory, forks):
    with LinearApi(issues=20, seed=5, purged=PURGED) as api:
        for entity in ("Project", "Customer"):
            while len(api.workspace.ids(entity)) < ENOUGH_ROWS:
                api.workspace.create(entity)
        api.clock.advance(2)
        connector = ForkedConnector.of(api, tmp_path_factory.mktemp("faults"))
        connector.forks = forks
        yield Bench(api, connector)


def by_id(read):
    return {record["id"]: record for record in read}


def pending(state):
    """The rows of a stream that its state names, to be asked for again."""
    stream = STREAMS[state["stream_descriptor"]["name"]]
    return StreamState.decoded(state["stream_state"], stream.cursor_field).pending


def warnings(output: Output):
    return [line for line in output.logs if line.startswith("WARN")]


@pytest.mark.parametrize(
    ("fault", "place"), [(fault, place) for fault in FAULTS for place in fault.places], ids=str
)
def test_a_stream_that_fails_costs_the_other_five_nothing(bench, fault, place):
    bench.prepare(fault.target)
    catalog, cell = bench.catalogs[fault.target], Cell()
    bench.api.faults.clear()
    struck = bench.strike(fault, place)
    read = bench.connector.read(catalog)
    bench.api.faults.clear()
    cell.injected, cell.survived = struck.fired, read.statuses[fault.target][-1] == "COMPLETE"
    outcome = fault.always if place == "every page" else fault.once
    # What Linear left out comes again when the row changes, or with a refresh.
    leaves_out = fault.leaves_out and bool(outcome.says)
    comes_again = fault.comes_again and bool(outcome.says)
    following = bench.connector.read(catalog, None if leaves_out else read.last_states)

    for name, expected in bench.expected.items():
        if name not in (fault.target, *OTHERS):
            continue
        for output in (read, following):
            cell.repeated += len(output.records[name]) - len(by_id(output.records[name]))
        destination = by_id(read.records[name]) | by_id(following.records[name])
        cell.lost += len(expected.keys() - destination.keys())
        assert destination == expected
        assert following.statuses[name][-1] == "COMPLETE"
        if name != fault.target:
            assert by_id(read.records[name]) == expected
            assert read.statuses[name] == ["STARTED", "RUNNING", "COMPLETE"]
    cell.left_out = len(bench.expected[fault.target].keys() - by_id(read.records[fault.target]).keys())
    bench.cells[fault.name, place] = cell

    assert struck.fired > 0
    assert cell.repeated == cell.lost == 0
    assert read.stderr == ""
    assert not [line for line in read.logs if "Traceback" in line]
    if outcome.failure_type is None:
        assert read.exit_code == 0 and read.errors == []
        assert cell.survived
        assert cell.left_out == 0 or leaves_out or comes_again
        again = {row for one in read.last_states for row in pending(one["stream"])}
        lost = bench.expected[fault.target].keys() - by_id(read.records[fault.target]).keys()
        assert not comes_again or (lost and again == lost)
        assert any(outcome.says in line for line in warnings(read)) == bool(outcome.says)
    else:
        assert_it_says_what_to_do(read, fault.target, outcome)


def assert_it_says_what_to_do(read, target, outcome):
    assert read.exit_code == 1
    assert read.statuses[target][-1] == "INCOMPLETE"
    told, final = read.errors
    assert told["stream_descriptor"]["name"] == target
    assert told["message"].startswith(f"Stream {target}: ")
    assert "stream_descriptor" not in final
    assert final["message"].startswith("1 of 6 streams failed, the others are complete.")
    assert f"{target} (resumes from " in final["message"]
    assert "Trying again" in final["message"]
    for error in (told, final):
        assert error["failure_type"] == outcome.failure_type
        assert outcome.says in error["message"]
        assert len(error["message"]) < 700
    assert any(f"Stream {target}: FAILED after" in line for line in warnings(read))
    assert any("Summary: 5 of 6 streams complete" in line for line in warnings(read))


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.checked], ids=str)
def test_a_check_says_after_few_tries_what_is_wrong(bench, fault):
    bench.prepare(fault.target)
    bench.api.faults.clear()
    struck = fault.strike(bench.api, **{"count": None, **fault.check_on})
    output = bench.connector.check()
    bench.api.faults.clear()
    cell = bench.cells[fault.name, CHECK] = Cell(struck.fired)
    answer = output.one("CONNECTION_STATUS")["connectionStatus"]
    cell.survived = answer["status"] == "SUCCEEDED"
    assert 0 < struck.fired <= MOST_TRIES
    assert output.exit_code == 0 and output.stderr == ""
    if fault.check.failure_type is None:
        assert cell.survived
        assert [fault.check.says in line for line in warnings(output)] == [True] * bool(fault.check.says)
    else:
        assert not cell.survived
        assert answer["message"].startswith("Linear") and answer["message"].endswith(".")
        assert fault.check.says in answer["message"]


def test_no_row_was_lost_and_no_secret_told_in_the_whole_matrix(bench, capsys):
    cells = bench.cells
    if len(cells) < sum(len(fault.places) + fault.checked for fault in FAULTS):
        pytest.skip("only a part of the matrix was run")
    with capsys.disabled():
        print("\n\n" + table(cells))
    assert sum(cell.lost for cell in cells.values()) == 0
    assert sum(cell.repeated for cell in cells.values()) == 0
    told = [line for printed in bench.connector.printed for line in printed.splitlines()]
    assert len(told) > 1000 and any(json.loads(line)["type"] == "DEBUG" for line in told)
    assert [line for line in told if any(secret in line for secret in SECRETS)] == []


def table(cells):
    """The matrix: faults injected at each place, and whether the stream survived (+) or failed as it must."""
    width = max(len(fault.name) for fault in FAULTS)
    columns = (*PLACES, CHECK)
    lines = [f"{'faults injected':<{width}}  " + "  ".join(f"{name:>11}" for name in columns)]
    for fault in FAULTS:
        shown = []
        for place in columns:
            cell = cells.get((fault.name, place))
            if cell is None:
                shown.append("-")
                continue
            shown.append(f"{cell.injected} {'survived' if cell.survived else 'told'}")
        lines.append(f"{fault.name:<{width}}  " + "  ".join(f"{text:>11}" for text in shown))
    all_cells = cells.values()
    lines.append(
        f"{sum(cell.injected for cell in all_cells)} faults injected in {len(cells)} cells: "
        f"{sum(cell.survived for cell in all_cells)} survived, "
        f"{sum(not cell.survived for cell in all_cells)} failed as they must and said why. "
        f"Rows lost = {sum(cell.lost for cell in all_cells)}, "
        f"emitted twice = {sum(cell.repeated for cell in all_cells)}, "
        f"left out with a warning = {sum(cell.left_out for cell in all_cells if cell.survived)}."
    )
    return "\n".join(lines)


def test_a_stream_that_keeps_failing_holds_no_other_up(make_linear_api, tmp_path):
    """With two threads and ten failing windows: Linear recovers only when the others are through."""
    api = make_linear_api(issues=20, seed=5)
    api.clock.advance(2)
    connector = Connector.of(api, tmp_path, num_workers=2)
    catalog = connector.catalog(["comments", *OTHERS])
    waiting = {STREAMS[name].roots[0].name for name in OTHERS}

    def mend(request, number):
        waiting.difference_update(request.roots if is_page(request) else ())
        if not waiting:
            api.faults.clear()

    api.faults.html(502, root="comments", count=None)
    api.before_response(mend)
    output = connector.read(catalog)
    assert output.exit_code == 0
    for name in ("comments", *OTHERS):
        assert by_id(output.records[name]) == records(api.workspace, STREAMS[name])
    assert any("Stream comments: " in line and "Trying again in" in line for line in output.logs)


def test_the_command_itself_survives_what_passes_and_names_what_does_not(make_linear_api, tmp_path):
    api = make_linear_api(issues=20, seed=5)
    api.clock.advance(2)
    connector = Connector.of(api, tmp_path)
    good = ("users", "teams", "issue_labels", "workflow_states", "cycles", "projects", "comments")
    catalog = connector.catalog([*good, "audit_entries", "customers"])
    api.faults.html(503, root="users")
    api.faults.reset(root="teams")
    api.faults.truncated(root="issueLabels")
    api.faults.garbage(root="workflowStates")
    api.faults.error("INTERNAL_SERVER_ERROR", 200, root="cycles")
    api.faults.too_complex(root="projects")
    api.faults.rate_limited(429, reset_seconds=1, root="comments")
    api.faults.error("FORBIDDEN", 403, root="auditEntries", count=None)
    api.faults.error("FEATURE_NOT_ACCESSIBLE", 200, root="customers", count=None)
    output = connector.read(catalog)
    for name in good:
        assert by_id(output.records[name]) == records(api.workspace, STREAMS[name])
        assert output.statuses[name][-1] == "COMPLETE"
    assert output.exit_code == 1 and output.stderr == ""
    final = output.errors[-1]
    assert final["failure_type"] == "config_error"
    assert final["message"].startswith(
        "2 of 9 streams failed, the others are complete. audit_entries (resumes"
    )
    assert "customers (resumes" in final["message"] and "Upgrade the plan" in final["message"]


def test_good_windows_of_a_failed_stream_are_kept(make_linear_api, tmp_path):
    api = make_linear_api(issues=40, seed=5)
    api.clock.advance(2)
    connector = Connector.of(api, tmp_path)
    catalog = connector.catalog(["comments"])

    def is_of_the_newest_window(request):
        """The last window has no end."""
        asked = request.variables.get("filter", {}).get("createdAt", {})
        return request.query.startswith("query comments(") and "gte" in asked and "lte" not in asked

    api.faults.error("GRAPHQL_VALIDATION_FAILED", 400, where=is_of_the_newest_window, count=None)
    failed = connector.read(catalog)
    assert failed.statuses["comments"][-1] == "INCOMPLETE"
    expected = records(api.workspace, STREAMS["comments"])
    assert 0 < len(failed.records["comments"]) < len(expected)
    assert failed.cursor("comments") in failed.errors[-1]["message"]
    api.faults.clear()
    api.requests.clear()
    following = connector.read(catalog, failed.last_states)
    destination = by_id(failed.records["comments"]) | by_id(following.records["comments"])
    assert destination == expected
    # Only what was not read is read, not the good windows again.
    assert len(following.records["comments"]) < len(expected) / 2
