"""Play histories: `python -m unit_tests.world [--histories 10000] [--first-seed 0] [--loses-states]`."""

import argparse
import logging
import multiprocessing
import os
import sys
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from functools import partial

from unit_tests.world.connector import declared, doubtful, is_walked, source
from unit_tests.world.histories import History
from unit_tests.world.plans import KINDS, Plan, happened, plan, shortest

_EVERY = 30.0  # seconds between two lines of progress


def problems(given: Plan) -> tuple[list[str], Counter[str]]:
    """Play a history: what is wrong in silence, and counts of what else is to be told of it."""
    history = History(given, source, doubtful, is_walked)
    try:
        found = history.play()
    except Exception:
        found = [traceback.format_exc()]
    counts = {"messages": history.messages, "unsure": history.unsure, "told": bool(history.told)}
    return found, Counter({**counts, "stayed": bool(history.stayed)})


def _played(seed: int, loses_states: bool) -> tuple[int, list[str], Counter[str]]:
    logging.disable(logging.CRITICAL)
    return (seed, *problems(plan(seed, loses_states=loses_states)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Play them and sum them up; 1 if one of them went wrong in silence, for a reason that is not known."""
    parser = argparse.ArgumentParser(prog="python -m unit_tests.world", description=__doc__)
    parser.add_argument("--histories", type=int, default=10_000)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--loses-states", action="store_true", help="states are lost and restored, too")
    given = parser.parse_args(arguments)
    logging.disable(logging.CRITICAL)
    for archived_rows in ("flag", "delete"):
        declared(archived_rows)  # once for all jobs, which are forked
    seeds = range(given.first_seed, given.first_seed + given.histories)
    play = partial(_played, loses_states=given.loses_states)
    wrong, total, started = [], Counter[str](), time.monotonic()
    said = started
    with multiprocessing.get_context("fork").Pool(given.jobs) as pool:
        for number, (seed, found, counts) in enumerate(pool.imap_unordered(play, seeds, 8), 1):
            total.update(counts)
            if found:
                wrong.append(seed)
                print(f"Seed {seed}: {'; '.join(found[:3])}", flush=True)
            if time.monotonic() - said > _EVERY:
                said = time.monotonic()
                print(f"{number:,} histories, {len(wrong)} wrong; {said - started:.0f} s", flush=True)
    played = sum((happened(plan(seed, loses_states=given.loses_states)) for seed in seeds), Counter())
    print(", ".join(f"{number:,} × {name}" for name, number in sorted(played.items())))
    kinds = Counter(KINDS[seed % len(KINDS)] for seed in seeds)
    of_kinds = ", ".join(f"{kinds[one]:,} {one}" for one in KINDS)
    print(
        f"{len(seeds):,} histories ({of_kinds}), {total['messages']:,} messages: "
        f"{len(wrong)} wrong in silence, {total['unsure']} with more differences than can be told, "
        f"{total['told']} of them wrong; "
        f"{total['stayed']} keep rows whose states were lost; {time.monotonic() - started:.0f} s"
    )
    if wrong:
        first = plan(wrong[0], loses_states=given.loses_states)
        history = shortest(first, lambda one: bool(problems(one)[0]))
        print(f"The shortest history found of the first:\n{history}\n{'; '.join(problems(history)[0])}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
