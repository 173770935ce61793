"""Syncs all streams into DuckDB: `python sync.py EXECUTABLE CONFIG FILE`.

Prints the number of records that the sync wrote. Runs where PyAirbyte is installed and nothing of ours.
"""

import json
import sys
from pathlib import Path

import airbyte
from airbyte.caches import DuckDBCache


def main(executable: str, config: str, cache: str) -> None:
    source = airbyte.get_source(
        "source-linear", local_executable=executable, config=json.loads(Path(config).read_text("utf-8"))
    )
    source.check()
    source.select_all_streams()
    result = source.read(cache=DuckDBCache(db_path=cache))
    print(result.processed_records)


if __name__ == "__main__":
    main(*sys.argv[1:])
