"""Answers that are damaged at random: each read ends, and nothing is missing without a word."""

import os
import random

import pytest

from integration_tests.expected import records
from integration_tests.faults.forks import ForkedConnector, Forks, Hurry
from integration_tests.figures import note
from integration_tests.linear_api import LinearApi
from tools.schemas import streams

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


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    with Forks(Hurry(patience=0.3)) as forks, LinearApi(issues=12, seed=9) as api:
        api.clock.advance(2)
        connector = ForkedConnector.of(api, tmp_path_factory.mktemp("fuzz"))
        connector.forks = forks
        catalogs = {name: connector.catalog([name, "users"]) for name in NAMES}
        yield api, connector, catalogs, {name: records(api.workspace, STREAMS[name]) for name in NAMES}


@pytest.mark.parametrize("shard", range(max(1, CASES // SHARD)))
def test_whatever_is_damaged_a_read_ends_and_says_what_is_missing(bench, shard):
    api, connector, catalogs, expected = bench
    figures = {"whole": 0, "said": 0, "failed": 0}
    for seed in range(shard * SHARD, shard * SHARD + SHARD):
        rng = random.Random(seed)
        name = rng.choice(NAMES)
        root = STREAMS[name].roots[0].name
        api.faults.clear()
        api.limits.reset()
        fault = api.faults.damage(
            seed, root=root, nth=rng.randint(1, 3), count=rng.choice([1, 2, None]), times=rng.randint(1, 3)
        )
        output = connector.read(catalogs[name])
        api.faults.clear()
        case = f"seed {seed}, {name}: {fault.did}"
        assert output.stderr == "", case
        assert output.exit_code in (0, 1), case
        assert output.statuses["users"][-1] == "COMPLETE", case
        ended = output.statuses[name][-1]
        missing = expected[name].keys() - {row["id"] for row in output.records[name]}
        told = [line for line in output.logs if line.startswith("WARN") and f"Stream {name}: " in line]
        if ended == "INCOMPLETE":
            assert output.exit_code == 1 and any(name in error["message"] for error in output.errors), case
            figures["failed"] += 1
        elif missing:
            assert told, case
            figures["said"] += 1
        else:
            figures["whole"] += 1
    note(f"fuzz {shard}: {figures}")
    assert sum(figures.values()) == SHARD
