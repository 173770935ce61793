"""Answers that are damaged at random: each read ends, and nothing is missing without a word."""

import os
import random
from dataclasses import dataclass, field

import pytest

from integration_tests.connector import Output
from integration_tests.expected import records
from integration_tests.faults.forks import PAGE_SIZE, ForkedConnector, Forks
from integration_tests.figures import note
from integration_tests.histories.changes import Changes
from integration_tests.linear_api import LinearApi
from tools.schemas import streams

pytestmark = pytest.mark.slow

STREAMS = {stream.name: stream for stream in streams()}
# Of each kind one, and those with lists, parents and unions.
NAMES = (
    "issues",
    "comments",
    "projects",
    "teams",
    "agent_sessions",
    "issue_history",
    "issue_state_spans",
    "entity_external_links",
    "organization",
    "templates",
)
CASES = int(os.environ.get("FUZZ_CASES", "25"))
SHARD = 25  # cases a test
INCREMENTAL = 3  # every third case goes on from a state
FEW, MANY = 2, 15  # changed rows of a stream: those that are asked for by id, and more


@dataclass
class Bench:
    """A simulator, a connector for it, and what undamaged reads bring.

    Attributes:
        states: of each stream: None for a first sync, and the states of two good ones: many rows were changed
            after the first of them, few after the second.
        whole: for each of these the ids that an undamaged sync brings which goes on from there.
    """

    api: LinearApi
    connector: ForkedConnector
    catalogs: dict[str, dict] = field(default_factory=dict)
    states: dict[str, list] = field(default_factory=dict)
    whole: dict[str, list[dict[str, set[str]]]] = field(default_factory=dict)

    def prepare(self) -> None:
        """Sync, change many rows, sync, change few, and learn what syncs bring now."""
        changes = Changes(self.api.workspace, list(STREAMS.values()), random.Random(9))
        self.catalogs = {name: self.connector.catalog([name, "users"]) for name in NAMES}
        self.states = {name: [None] for name in NAMES}
        for size in (MANY, FEW):
            for name in NAMES:
                good = self.connector.read(self.catalogs[name], self.states[name][-1])
                assert good.exit_code == 0
                self.states[name].append(good.last_states)
            self.api.clock.advance(60)
            for name in (*NAMES, "users"):
                self._change(changes, name, size)
            self.api.clock.advance(60)
        for name in NAMES:
            reads = [self.connector.read(self.catalogs[name], state) for state in self.states[name]]
            self.whole[name] = [{one: found(read, one) for one in (name, "users")} for read in reads]
            assert self.whole[name][0][name] == records(self.api.workspace, STREAMS[name]).keys()
            assert all(brought[name] for brought in self.whole[name]), name

    def _change(self, changes: Changes, name: str, size: int) -> None:
        stream = STREAMS[name]
        if stream.has_own_dates:
            changes.edit(stream, size)
        if name != "organization":
            changes.bring_in(stream, size // 2)


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    with Forks(PAGE_SIZE) as forks, LinearApi(issues=12, seed=9) as api:
        api.clock.advance(2)
        connector = ForkedConnector.of(api, tmp_path_factory.mktemp("fuzz"))
        connector.forks = forks
        bench = Bench(api, connector)
        bench.prepare()
        yield bench


def found(output: Output, name: str) -> set[str]:
    return {row["id"] for row in output.records[name]}


@pytest.mark.parametrize("shard", range(max(1, CASES // SHARD)))
def test_whatever_is_damaged_a_read_ends_and_says_what_is_missing(bench, shard):
    figures = dict.fromkeys(("whole", "said", "failed", "incremental"), 0)
    misses = []
    for seed in range(shard * SHARD, shard * SHARD + SHARD):
        rng = random.Random(seed)
        name = rng.choice(NAMES)
        root = STREAMS[name].roots[0].name
        bench.api.faults.clear()
        bench.api.limits.reset()
        fault = bench.api.faults.damage(
            seed, root=root, nth=rng.randint(1, 3), count=rng.choice([1, 2, None]), times=rng.randint(1, 3)
        )
        since = rng.randint(1, 2) if seed % INCREMENTAL == INCREMENTAL - 1 else 0
        output = bench.connector.read(bench.catalogs[name], bench.states[name][since])
        bench.api.faults.clear()
        figures["incremental"] += since > 0
        ended, wrong = judged(output, name, bench.whole[name][since])
        figures[ended] += 1
        if wrong:
            misses.append(f"seed {seed}, {name} since {since}: {', '.join(wrong)}; {fault.did}")
    note(f"fuzz {shard}: {figures}")
    assert misses == [], "\n".join(misses)


def judged(output: Output, name: str, whole: dict[str, set[str]]) -> tuple[str, list[str]]:
    """What became of a read, and what is wrong with that."""
    wrong = []
    if output.stderr or output.exit_code not in (0, 1):
        wrong.append(f"exit code {output.exit_code}: {output.stderr}")
    if not output.statuses:  # who asks, and whether they may, is asked for before any stream is read
        return "failed", wrong if output.exit_code == 1 and output.errors else [*wrong, "no word at all"]
    if output.statuses["users"][-1] != "COMPLETE":
        wrong.append("users failed, too")
    ended = output.statuses[name][-1]
    if ended == "INCOMPLETE":
        told = output.exit_code == 1 and any(name in error["message"] for error in output.errors)
        return "failed", wrong if told else [*wrong, "it does not say that it failed"]
    missing = [(one, len(ids - found(output, one))) for one, ids in whole.items()]
    for one, number in missing:
        told = any(line.startswith("WARN") and f"Stream {one}: " in line for line in output.logs)
        if number and not told:
            wrong.append(f"{number} rows of {one} are missing without a word")
    return "said" if any(number for _, number in missing) else "whole", wrong
