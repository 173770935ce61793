"""The sides that are compared: the connector, the usual manifest, the bare loop."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.process import python
from benchmarks.streams import STREAMS, catalog

CONNECTOR = "source-linear"
UNLISTED = "source-linear, `detect_deletions: never`"
USUAL = "usual manifest"
BARE = "bare loop"


class Sides:
    """The commands that read the same rows, their files in one directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._files = 0

    def connector(self, url: str, names: Sequence[str] = ("issues",), **config: Any) -> list[str]:
        """The connector, as users run it."""
        return python("-m", "source_linear.run", "read", *self._read(url, names, config))

    def usual(self, url: str, name: str = "issues") -> list[str]:
        """The usual manifest, run by the CDK."""
        return python("-m", "benchmarks.usual", "read", *self._read(url, [name], {}))

    def bare(self, url: str, names: Sequence[str] = ("issues",)) -> list[str]:
        """The bare loop."""
        streams = []
        for name in names:
            stream = STREAMS[name]
            queried = stream.queried
            streams.append(
                {
                    "name": name,
                    "root": stream.roots[0].name,
                    "query": stream.query,
                    "first": stream.page_size,
                    "relations": [(f"{one}Id", one) for one in stream.relations if f"{one}Id" in queried],
                    "lists": [
                        (column, nested.name) for column, nested in stream.lists.items() if column in queried
                    ],
                    "copies": [
                        (column, of) for column, of in stream.copies.items() if column in stream.column_names
                    ],
                }
            )
        return python("-m", "benchmarks.bare", self._file({"url": f"{url}/graphql", "streams": streams}))

    def _read(self, url: str, names: Sequence[str], config: dict[str, Any]) -> list[str]:
        credentials = {"auth_type": "API Key", "api_key": "lin_api_benchmark"}
        full = {"credentials": credentials, "api_url": f"{url}/graphql", **config}
        return ["--config", self._file(full), "--catalog", self._file(catalog(*names))]

    def _file(self, content: Any) -> str:
        self._files += 1
        path = self._directory / f"{self._files}.json"
        path.write_text(json.dumps(content), "utf-8")
        return str(path)
