"""Looks at the first rows of streams: `python samples.py EXECUTABLE CONFIG STREAM…`. Each read ends early.

Prints a line of JSON for each stream: the ids of its rows, by the call that they came from. Runs where
PyAirbyte is installed and nothing of ours.
"""

import json
import sys
from pathlib import Path

import airbyte

LIMIT = 3


def main(executable: str, config: str, *streams: str) -> None:
    source = airbyte.get_source(
        "source-linear", local_executable=executable, config=json.loads(Path(config).read_text("utf-8"))
    )
    source.select_streams(list(streams))
    source.print_samples(limit=LIMIT)
    samples = source.get_samples(limit=LIMIT)
    for name in streams:
        # A read stops as soon as nobody holds what it gave.
        few, records = source.get_records(name, limit=LIMIT), source.get_records(name)
        rows = {
            "get_samples": [row["id"] for row in samples[name]],
            "get_records": [row["id"] for row in few],
            "the first of all": [next(iter(records))["id"]],
        }
        print(json.dumps({"stream": name, "rows": rows}))


if __name__ == "__main__":
    main(*sys.argv[1:])
