"""How much is measured."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Sizes:
    """The sizes of a full run.

    Attributes:
        runs: runs of everything whose time is compared.
        rows: rows that connector and bare loop read.
        usual_rows: rows that the usual manifest reads, fewer because it is slow.
        first_sync: rows of each stream in the first sync.
        latencies: milliseconds a page.
        workers: numbers of workers.
        memory_rows: rows of each run whose memory is measured.
        cost_issues: issues of the workspace whose requests and points are counted.
        quiet_issues: issues of the workspace in which nothing changes.
        lists: rows of the long lists of the workspaces whose syncs are counted.
        walked: comments of the workspace whose walk is counted; a fifth as many issues.
        comments: comments of the workspace that is read at the pace of Linear's limits.
        start_runs: runs of each command whose start is measured.
    """

    runs: int = 5
    rows: int = 100_000
    usual_rows: int = 5_000
    first_sync: Mapping[str, int] = field(default_factory=lambda: {"issues": 20_000, "comments": 60_000})
    latencies: tuple[int, ...] = (0, 100, 300)
    workers: tuple[int, ...] = (2, 4, 10, 20)
    memory_rows: tuple[int, ...] = (10_000, 100_000, 1_000_000)
    cost_issues: int = 5_000
    quiet_issues: int = 2_000
    lists: tuple[int, ...] = (20, 500, 2_000, 10_000)
    walked: int = 100_000
    comments: int = 1_000_000
    start_runs: int = 9


FULL = Sizes()
QUICK = Sizes(
    runs=2,
    rows=20_000,
    usual_rows=500,
    first_sync={"issues": 4_000, "comments": 8_000},
    latencies=(0, 300),
    workers=(2, 10),
    memory_rows=(10_000, 50_000),
    cost_issues=500,
    quiet_issues=200,
    lists=(20, 500),
    walked=10_000,
    comments=20_000,
    start_runs=3,
)
