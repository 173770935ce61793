"""How many records a second go through the whole process, and against what?"""

import socket
import statistics
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson

from benchmarks.pictures import OTHERS, OTHERS_TOO, OURS, OURS_TOO, QUIET
from benchmarks.process import ROOT, Run, run, server
from benchmarks.sections import Section, Target, median_and_range, say, table
from benchmarks.sides import BARE, CONNECTOR, UNLISTED, USUAL, Sides
from benchmarks.sizes import Sizes
from benchmarks.streams import STREAMS
from benchmarks.usual import PAGE_SIZE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SERVER = "load server alone"
_COMPARED_ROWS = 500
_RATE, _TIMES, _SHARE = 12_000, 40, 0.6  # the targets


def measure(sizes: Sizes) -> Section:
    """Run the sides in turns, several times."""
    runs: defaultdict[str, list[Run]] = defaultdict(list)
    served: list[float] = []
    with tempfile.TemporaryDirectory() as directory, server("-m", "benchmarks.load_server") as at:
        sides = Sides(Path(directory))
        _compare(sides, f"{at['url']}/issues/{_COMPARED_ROWS}")
        many, few = f"{at['url']}/issues/{sizes.rows}", f"{at['url']}/issues/{sizes.usual_rows}"
        commands = {
            CONNECTOR: sides.connector(many),
            UNLISTED: sides.connector(many, detect_deletions="never"),
            USUAL: sides.usual(few),
            BARE: sides.bare(many),
        }
        for number in range(sizes.runs):
            for side, command in commands.items():
                done = run(command)
                runs[side].append(done)
                say(f"  run {number + 1} of {sizes.runs}: {side}: {done.rate:,.0f} records/s")
            served.append(throughput(many, sizes.rows))
    return _section(sizes, runs, served)


def throughput(url: str, rows: int) -> float:
    """Records a second that the load server serves to a client that throws everything away."""
    where = urlsplit(url)
    stream = STREAMS["issues"]
    buffer = bytearray(1 << 20)
    started = time.monotonic()
    with socket.create_connection((where.hostname or "", where.port or 80)) as connection:
        for newest in range(rows - 1, -1, -stream.page_size):
            variables = {"first": stream.page_size, "after": f"{newest + 1:08x}"}
            body = orjson.dumps({"operationName": stream.name, "variables": variables})
            connection.sendall(
                b"POST %b/graphql HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b"
                % (where.path.encode(), len(body), body)
            )
            answer = connection.recv(1 << 16)
            while b"\r\n\r\n" not in answer:
                answer += connection.recv(1 << 16)
            headers, _, begun = answer.partition(b"\r\n\r\n")
            left = int(headers.rpartition(b"Content-Length: ")[2]) - len(begun)
            while left > 0:
                left -= connection.recv_into(buffer, min(left, len(buffer)))
    return rows / (time.monotonic() - started)


def _compare(sides: Sides, url: str) -> None:
    """See that all sides write the same records. The usual manifest writes '' for null."""
    first, *others = (
        _records(command) for command in (sides.connector(url), sides.usual(url), sides.bare(url))
    )
    if len(first) != _COMPARED_ROWS or any(other != first for other in others):
        raise RuntimeError("the sides do not write the same records")
    say(f"  all sides write the same {_COMPARED_ROWS} records")


def _records(command: list[str]) -> dict[str, Any]:
    output = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=300).stdout
    messages = [orjson.loads(line) for line in output.splitlines()]
    records = [message["record"]["data"] for message in messages if message["type"] == "RECORD"]
    return {
        record["id"]: {name: value for name, value in record.items() if value not in (None, "")}
        for record in records
    }


def _section(sizes: Sizes, runs: Mapping[str, list[Run]], served: list[float]) -> Section:
    rate = {side: statistics.median(one.rate for one in done) for side, done in runs.items()}
    reading = {side: statistics.median(one.reading_rate for one in done) for side, done in runs.items()}
    serving = statistics.median(served)
    page_size = STREAMS["issues"].page_size
    rows = []
    for side, done in runs.items():
        microseconds = 1e6 * statistics.median(one.cpu for one in done) / done[0].records
        rows.append(
            (
                side,
                f"{done[0].records:,}",
                str(PAGE_SIZE if side == USUAL else page_size),
                median_and_range([one.rate for one in done]),
                median_and_range([one.reading_rate for one in done]),
                f"{microseconds:,.0f}",
                f"{rate[side] / rate[USUAL]:,.1f}",
                f"{100 * rate[side] / rate[BARE]:,.1f} %",
            )
        )
    rows.append((_SERVER, f"{sizes.rows:,}", str(page_size), median_and_range(served), "", "", "", ""))
    head = (
        "Side",
        "Rows",
        "Rows a page",
        "Records/s, whole process",
        "Records/s, from the first record on",
        "CPU µs a record",
        "× usual manifest",
        "of the bare loop",
    )
    columns = len(STREAMS["issues"].column_names)
    text = f"""\
`issues` with {columns} columns, from process start to exit; medians of {sizes.runs} runs, in turns, with
the slowest and the fastest. Before that all sides read {_COMPARED_ROWS} rows and their records were
compared: they are the same, but for '' where the usual manifest should write null. All read the same rows;
the usual manifest fewer of them, because it is slow.

{table(head, rows)}

- **{CONNECTOR}** as users run it: default configuration, {STREAMS["issues"].windows} windows, incremental.
  It reads each row twice: in the list of all rows, which deletions are seen by, and whole.
- **{UNLISTED}**: the same without that list, which the other sides do not read either.
- **{USUAL}**: the same columns, with a DpathExtractor, an AddFields and a RemoveFields for every relation and
  list, Jinja for pages and errors, run by the same CDK (`benchmarks/usual.py`).
- **{BARE}**: requests and orjson in a loop (`benchmarks/bare.py`). No state, no retries, no threads.
- **{_SERVER}**: pages fetched and thrown away. It serves {serving / max(rate.values()):,.0f} times what the
  fastest side reads, so it limits none of them.
"""
    ratio, share = rate[CONNECTOR] / rate[USUAL], rate[CONNECTOR] / rate[BARE]
    unlisted = rate[UNLISTED] / rate[BARE]
    targets = (
        Target(
            f"at least {_RATE:,} records/s of {columns} columns through the whole process",
            f"{rate[CONNECTOR]:,.0f}",
            rate[CONNECTOR] >= _RATE,
            f"{100 * (1 - rate[CONNECTOR] / _RATE):.0f} %",
        ),
        Target(
            f"at least {_TIMES} times the usual manifest",
            f"{ratio:.0f} times",
            ratio >= _TIMES,
            f"{_TIMES - ratio:.0f} times",
        ),
        *(
            Target(
                f"at least {100 * _SHARE:.0f} % of the bare loop{how}",
                f"{100 * of_bare:.0f} %",
                of_bare >= _SHARE,
                f"{100 * (_SHARE - of_bare):.0f} points",
            )
            for of_bare, how in ((share, ""), (unlisted, " without the list of all rows"))
        ),
    )

    def draw(figure: "Figure") -> None:
        axes = figure.subplots()
        order = [USUAL, CONNECTOR, UNLISTED, BARE]
        whole, later = [rate[side] for side in order], [reading[side] for side in order]
        upper, lower = [place - 0.19 for place in range(4)], [place + 0.19 for place in range(4)]
        axes.barh(upper, whole, 0.36, color=[OTHERS, OURS, OURS, OTHERS])
        axes.barh(lower, later, 0.36, color=[OTHERS_TOO, OURS_TOO, OURS_TOO, OTHERS_TOO])
        axes.barh([4], [serving], 0.36, color=OTHERS_TOO)
        for place, value in [*zip(upper, whole, strict=True), (4, serving)]:
            axes.text(value * 1.08, place, f"{value:,.0f}", va="center", fontweight="bold")
        for place, value in zip(lower, later, strict=True):
            axes.text(value * 1.08, place, f"{value:,.0f} from the first record on", va="center", color=QUIET)
        axes.set_yticks(range(5), [*order, _SERVER])
        axes.invert_yaxis()
        axes.set_xscale("log")
        axes.set_xlim(50, serving * 6)
        axes.set_xlabel(f"records a second, {columns} columns (logarithmic)")
        axes.set_title(f"{ratio:,.0f} times the usual manifest, {100 * share:,.0f} % of a bare loop")

    facts = {"columns": columns, "times": ratio, "share": share, "unlisted share": unlisted}
    facts |= {"rate": rate[CONNECTOR], "reading rate": reading[CONNECTOR]}
    return Section("speed", "Records a second through the process", text, draw, targets, facts)
