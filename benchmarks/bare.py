"""The bare loop: what a script with requests and orjson would do, and nothing else.

    python -m benchmarks.bare PLAN

Reads the streams of a plan (`sides.py` writes it) page by page and prints the lines that the connector
prints. No state, no errors, no limits, no threads: the floor under every connector in Python.
"""

import sys
import time
from pathlib import Path
from typing import Any

import orjson
import requests


def read(session: requests.Session, url: str, stream: dict[str, Any]) -> None:
    """Print all records of one stream."""
    out = sys.stdout.buffer
    variables = {"first": stream["first"]}
    while True:
        body = {"query": stream["query"], "operationName": stream["name"], "variables": variables}
        response = session.post(url, data=orjson.dumps(body), headers={"Content-Type": "application/json"})
        page = orjson.loads(response.content)["data"][stream["root"]]
        lines = []
        for node in page["nodes"]:
            for column, name in stream["relations"]:
                target = node.pop(name)
                node[column] = target["id"] if target else None
            for column, name in stream["lists"]:
                node[column] = [item["id"] for item in node.pop(name)["nodes"]]
            for column, of in stream["copies"]:
                node[column] = node[of]
            node["isArchived"] = node["archivedAt"] is not None or bool(node.get("trashed"))
            record = {
                "stream": stream["name"],
                "data": {name: value for name, value in node.items() if value is not None},
                "emitted_at": time.time_ns() // 1_000_000,
            }
            lines.append(orjson.dumps({"type": "RECORD", "record": record}))
        if lines:
            out.write(b"\n".join(lines) + b"\n")
        if not page["pageInfo"]["hasNextPage"]:
            return
        variables = {"first": stream["first"], "after": page["pageInfo"]["endCursor"]}


def main() -> None:
    """Run the command."""
    plan = orjson.loads(Path(sys.argv[1]).read_bytes())
    with requests.Session() as session:
        for stream in plan["streams"]:
            read(session, plan["url"], stream)


if __name__ == "__main__":
    main()
