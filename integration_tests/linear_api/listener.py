"""The HTTP server itself: sockets, headers, connections."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import struct
from collections.abc import Callable, Mapping
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .clock import Clock
from .errors import error_body
from .responses import Response, html, refusal

LARGEST_BODY = 10 * 1024 * 1024  # more is refused with HTTP 413, as recorded

# what answers a path: the body, the headers, the number of the connection; None resets the connection
Endpoint = Callable[[bytes, Mapping[str, str], int], Response | None]


class Listener(ThreadingHTTPServer):
    """Listens on loopback and hands each request to its endpoint.

    Args:
        endpoints: by path.
        clock: of the `Date` header.
        port: 0 takes any free one.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, endpoints: Mapping[str, Endpoint], clock: Clock, port: int) -> None:
        self.endpoints = endpoints
        self.clock = clock
        self.connections = itertools.count(1)
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection, and remember it."""
        connection, address = super().get_request()
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        """Close a connection."""
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""

    def hang_up(self) -> None:
        """Close the connections that clients keep alive."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "simulator"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Listener

    def setup(self) -> None:
        super().setup()
        self._number = next(self.server.connections)

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if length > LARGEST_BODY:
            self._send(html(413))
            return
        headers = {name.title(): value for name, value in self.headers.items()}
        endpoint = self.server.endpoints.get(self.path)
        response: Response | None
        try:
            response = endpoint(body, headers, self._number) if endpoint else Response(404, b"{}")
        except Exception as error:
            message = f"The simulator failed: {type(error).__name__}: {error}"
            response = refusal(500, [error_body("INTERNAL_SERVER_ERROR", message, 500)])
        if response is None:
            self._reset()
        else:
            self._send(response)

    def do_GET(self) -> None:
        self._send(Response(405, b"{}", {"Allow": "POST"}))

    def log_message(self, format: str, *args: Any) -> None:
        """The request log is kept by `LinearApi.requests`."""

    def _send(self, response: Response) -> None:
        with contextlib.suppress(ConnectionError):
            self.send_response_only(response.status)
            self.send_header("Server", self.version_string())
            if isinstance(response.date, str):
                self.send_header("Date", response.date)
            elif response.date is not None:
                now = self.server.clock.milliseconds / 1000
                self.send_header("Date", formatdate(now + response.date, usegmt=True))
            if response.content_type is not None:
                self.send_header("Content-Type", response.content_type)
            self.send_header("Content-Length", str(len(response.body) + response.missing))
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(response.body)
            self.wfile.flush()
        if response.missing:
            self.close_connection = True

    def _reset(self) -> None:
        """Close with RST instead of FIN."""
        self.close_connection = True
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        os.close(self.connection.detach())
