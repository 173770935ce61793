"""Measure the connector side by side with what it is compared to, and write the report.

    python -m benchmarks [--quick] [--only PART …] [--to DIRECTORY]

Only a full run writes benchmarks/report and the figures in docs/performance.md.
"""

import argparse
import logging
import time
from pathlib import Path

from benchmarks import by_size, cost, first_sync, memory, million, quiet, speed, startup
from benchmarks.docs import update
from benchmarks.process import ROOT
from benchmarks.report import machine, write
from benchmarks.sections import say
from benchmarks.sizes import FULL, QUICK

_PARTS = {
    "speed": speed.measure,
    "cost": cost.measure,
    "first-sync": first_sync.measure,
    "memory": memory.measure,
    "quiet": quiet.measure,
    "by-size": by_size.measure,
    "million": million.measure,
    "startup": startup.measure,
}
_REPORT = ROOT / "benchmarks" / "report"
_TRIAL = ROOT / ".cache" / "benchmarks"


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, in under two minutes")
    parser.add_argument("--only", choices=_PARTS, action="append", help="this part only; may be repeated")
    parser.add_argument("--to", type=Path, help="where to write the report")
    options = parser.parse_args()
    full = not (options.quick or options.only)
    directory = options.to or (_REPORT if full else _TRIAL)
    sizes = QUICK if options.quick else FULL
    logging.getLogger("airbyte").setLevel(logging.ERROR)  # syncs in this process say where they wait
    started, measured_on = time.monotonic(), machine()
    sections = []
    for name, measure in _PARTS.items():
        if not options.only or name in options.only:
            say(f"{name} …")
            sections.append(measure(sizes))
    write(directory, sections, sizes, measured_on, (time.monotonic() - started) / 60)
    if full:
        update(sections)
    say(f"report: {directory / 'README.md'}")


if __name__ == "__main__":
    main()
