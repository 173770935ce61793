"""Syncs streams into a cache: `python sync.py EXECUTABLE CONFIG CACHE STREAM…`, CACHE a file or a port.

Prints the number of records that the sync wrote. Runs where PyAirbyte is installed and nothing of ours.
"""

import json
import sys
from pathlib import Path

import airbyte
from airbyte.caches import CacheBase, DuckDBCache, PostgresCache


def main(executable: str, config: str, cache: str, *streams: str) -> None:
    source = airbyte.get_source(
        "source-linear", local_executable=executable, config=json.loads(Path(config).read_text("utf-8"))
    )
    source.check()
    source.select_streams(list(streams))
    result = source.read(cache=_cache(cache))
    print(result.processed_records)


def _cache(where: str) -> CacheBase:
    if not where.isdecimal():
        return DuckDBCache(db_path=where)
    return PostgresCache(
        host="127.0.0.1",
        port=int(where),
        username="postgres",
        password="any",
        database="pyairbyte",
        schema_name="linear",
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
