"""A server of pre-serialised pages, so that it is never what limits a benchmark.

    python -m benchmarks.load_server --records 50000 [--page 250] [--latency-ms 0]

It answers every query on a stream with pages that were serialised before the first request, and
prints one JSON line with its URL. The rows come from the stand-in, through the connector's own query.
"""

import argparse
import asyncio
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from integration_tests.linear_api import LinearApi
from tools.schemas import streams

_AFTER = re.compile(rb'"after":\s*"(\d+)"|after:\s*\\"(\d+)\\"')


def rows(name: str, size: int) -> list[dict[str, Any]]:
    """`size` nodes of a stream as Linear sends them to the connector's query."""
    import requests

    stream = next(stream for stream in streams() if stream.name == name)
    with LinearApi(issues=size, seed=1) as api:
        body = {"query": stream.query, "variables": {"first": size}}
        answer = requests.post(api.url, json=body, headers={"Authorization": api.api_key}, timeout=60)
    nodes: list[dict[str, Any]] = answer.json()["data"][stream.roots[0].name]["nodes"]
    for node in nodes:  # lists that are as long as what was asked for would be read on
        for nested in stream.lists.values():
            if nested.first:
                node[nested.name]["nodes"] = node[nested.name]["nodes"][: nested.first - 1]
    return nodes


class Pages:
    """All answers, serialised."""

    def __init__(self, name: str, records: int, size: int) -> None:
        stream = next(stream for stream in streams() if stream.name == name)
        root = stream.roots[0].name
        template = rows(name, size)
        count = records // size
        moment = datetime.now(UTC) - timedelta(hours=1)
        self.pages = []
        for page in range(count):
            for index, node in enumerate(template):
                node["id"] = f"{page:08x}-{index:04x}-4000-8000-000000000000"
                node["updatedAt"] = node["createdAt"] = moment.isoformat(timespec="milliseconds").replace(
                    "+00:00", "Z"
                )
            info = {"hasNextPage": page + 1 < count, "endCursor": str(page + 1)}
            self.pages.append(orjson.dumps({"data": {root: {"nodes": template, "pageInfo": info}}}))
        created = (datetime.now(UTC) - timedelta(hours=23)).isoformat(timespec="milliseconds")
        self.who = orjson.dumps(
            {
                "data": {
                    "viewer": {"id": "u", "name": "n", "email": "e", "admin": True},
                    "organization": {
                        "id": "o",
                        "name": "n",
                        "urlKey": "k",
                        "createdAt": created.replace("+00:00", "Z"),
                    },
                }
            }
        )

    def answer(self, body: bytes) -> bytes:
        """The response body to a request body."""
        if b"viewer" in body:
            return self.who
        match = _AFTER.search(body)
        return self.pages[int(match.group(1) or match.group(2))] if match else self.pages[0]


async def serve(pages: Pages, latency: float) -> None:
    """Serve until cancelled; prints where."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(re.search(rb"content-length: *(\d+)", head, re.I)[1])  # type: ignore[index]
                body = await reader.readexactly(length)
                if latency:
                    await asyncio.sleep(latency)
                answer = pages.answer(body)
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Complexity: 9975\r\n"
                    b"Content-Length: %d\r\n\r\n" % len(answer)
                )
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, limit=2**22)
    port = server.sockets[0].getsockname()[1]
    print(json.dumps({"url": f"http://127.0.0.1:{port}/graphql"}), flush=True)
    await server.serve_forever()


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stream", default="issues")
    parser.add_argument("--records", type=int, default=50_000)
    parser.add_argument("--page", type=int, default=250)
    parser.add_argument("--latency-ms", type=float, default=0)
    options = parser.parse_args()
    pages = Pages(options.stream, options.records, options.page)
    asyncio.run(serve(pages, options.latency_ms / 1000))


if __name__ == "__main__":
    main()
