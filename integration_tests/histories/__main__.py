"""Play histories: `python -m integration_tests.histories --histories 1000 [--first-seed 1] [--jobs 2]`."""

import argparse
import multiprocessing
import os
import sys
import time
import traceback
from collections.abc import Sequence

from .history import Tally, play

_EVERY = 30.0  # seconds between two lines of progress


def main(arguments: Sequence[str] | None = None) -> int:
    """Play them and sum them up; 1 if one of them went wrong."""
    parser = argparse.ArgumentParser(prog="python -m integration_tests.histories", description=__doc__)
    parser.add_argument("--histories", type=int, default=1000)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args(arguments)
    seeds = range(options.first_seed, options.first_seed + options.histories)
    started = said = time.monotonic()
    tally, wrong = Tally(), []
    with multiprocessing.Pool(min(options.jobs, len(seeds))) as pool:
        for number, (seed, result) in enumerate(pool.imap_unordered(_played, seeds), 1):
            if isinstance(result, Tally):
                tally += result
            else:
                wrong.append(seed)
                print(
                    f"Seed {seed}: {result}\n"
                    f"Again: python -m integration_tests.histories --histories 1 --first-seed {seed}\n"
                )
            if time.monotonic() - said > _EVERY and number < len(seeds):
                said = time.monotonic()
                left = (said - started) / number * (len(seeds) - number)
                print(f"{tally}; {len(wrong)} went wrong; about {left / 60:.0f} min left", flush=True)
    seeds_of_wrong = f" (seeds {', '.join(map(str, sorted(wrong)))})" if wrong else ""
    lost = f"{len(wrong)} histories went wrong{seeds_of_wrong}" if wrong else "0 rows lost"
    print(f"{tally}, {lost}; {time.monotonic() - started:.0f} s")
    return 1 if wrong else 0


def _played(seed: int) -> tuple[int, Tally | str]:
    try:
        return seed, play(seed)
    except AssertionError as error:
        return seed, f"{type(error).__name__}: {error}"
    except Exception:
        return seed, traceback.format_exc()


if __name__ == "__main__":
    sys.exit(main())
