"""The HTTP server: `/graphql`, `/oauth/token` and, for other processes, `/control`."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import orjson
from graphql import GraphQLError

from .auth import Auth, OAuthError
from .clock import Clock
from .control import Control
from .errors import NotInStandIn, Rejected, error_body
from .execution import Document, Execution
from .faults import Fault, Faults, Request, spoil
from .generator import generate
from .limits import Limits
from .workspace import Workspace

API_KEY = "lin_api_standin"
INVALID_QUERY = "GRAPHQL_VALIDATION_FAILED"
HTML = (
    b"<!DOCTYPE html><html><head><title>%d</title></head>"
    b"<body><h1>Error %d</h1><p>cloudflare</p></body></html>"
)


@dataclass
class Response:
    """An answer before it is sent; without a status the connection is reset."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json; charset=utf-8"


@dataclass
class Record:
    """A line of the request log."""

    number: int
    query: str
    variables: dict[str, Any]
    operation: str | None
    roots: tuple[str, ...]
    authorization: str
    at: str
    status: int = 0
    complexity: int = 0
    code: str | None = None
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0
    response_bytes: int = 0


class RequestLog(list[Record]):
    """Every GraphQL request, oldest first."""

    def to(self, root: str) -> list[Record]:
        """The requests with a root field."""
        return [record for record in self if root in record.roots]

    def summary(self) -> dict[str, Any]:
        """Requests, points and bytes, in all and by root."""
        by_root: dict[str, dict[str, int]] = {}
        for record in self:
            for root in record.roots:
                one = by_root.setdefault(root, {"requests": 0, "points": 0, "bytes": 0})
                one["requests"] += 1
                one["points"] += record.complexity
                one["bytes"] += record.response_bytes
        return {
            "requests": len(self),
            "points": sum(record.complexity for record in self),
            "bytes": sum(record.response_bytes for record in self),
            "statuses": _counted(record.status for record in self),
            "roots": by_root,
        }


BeforeResponse = Callable[[Request, int], None]


class LinearApi:
    """The stand-in of Linear's API; a context manager that starts and stops its server.

    Args:
        workspace: the rows; without one `generate(seed=seed, issues=issues)` makes it.
        issues: size of the generated workspace.
        seed: the same seed and clock make the same workspace.
        purged: how many issues there were that are gone; with many, a first read is cut into windows.
        clock: of the generated workspace; a given workspace has its own.
        port: 0 takes any free one.
        latency: seconds that every answer takes at least.
    """

    def __init__(
        self,
        workspace: Workspace | None = None,
        *,
        issues: int = 50,
        seed: int = 1,
        purged: int = 0,
        clock: Clock | None = None,
        port: int = 0,
        latency: float = 0.0,
    ) -> None:
        if workspace is None:
            workspace = generate(seed=seed, issues=issues, clock=clock, purged=purged)
        self.workspace = workspace
        self.clock = workspace.clock
        self.api_key = API_KEY
        users = workspace.rows["User"].values()
        person = next((row["id"] for row in users if row["isMe"]), None)
        app = next((row["id"] for row in users if row["app"]), person)
        self.auth = Auth(self.clock, self.api_key, person, app)
        self.limits = Limits(self.clock)
        self.faults = Faults()
        self.requests = RequestLog()
        self.latency = latency
        self._execution = Execution(workspace, self.limits)
        self._control = Control(self)
        self._port = port
        self._hook: BeforeResponse | None = None
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> LinearApi:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The port that is listened on."""
        assert self._server is not None, "not started"
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """The GraphQL endpoint."""
        return f"http://127.0.0.1:{self.port}/graphql"

    @property
    def token_url(self) -> str:
        """The OAuth token endpoint."""
        return f"http://127.0.0.1:{self.port}/oauth/token"

    @property
    def client_id(self) -> str:
        """The OAuth client's id."""
        return self.auth.client_id

    @property
    def client_secret(self) -> str:
        """The OAuth client's secret."""
        return self.auth.client_secret

    @property
    def refresh_token(self) -> str:
        """The refresh token that is valid now."""
        return self.auth.refresh_token

    @property
    def access_token(self) -> str:
        """The access token that was given out last; the first one is valid from the start."""
        return self.auth.access_token

    @property
    def control_url(self) -> str:
        """The control channel, see control.py."""
        return f"http://127.0.0.1:{self.port}/control"

    def start(self) -> None:
        """Listen, in a thread."""
        self._stopped.clear()
        self._server = _Server(self, self._port)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop listening, end the waits and close what is open."""
        self._stopped.set()
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server.hang_up()
            self._thread.join()
            self._server = self._thread = None

    def before_response(self, callback: BeforeResponse | None) -> None:
        """Call back with each GraphQL request and its number before it is answered.

        The number starts at 1 and starts again when `requests` is cleared. The callback may
        change the workspace; None ends it.
        """
        self._hook = callback

    # --- the endpoints ----------------------------------------------------------------------

    def graphql(self, body: bytes, headers: Mapping[str, str]) -> Response | None:
        """Answer `POST /graphql`; None resets the connection."""
        started = time.perf_counter()
        authorization = headers.get("Authorization")
        try:
            payload = orjson.loads(body)
            query = payload["query"]
            variables = payload.get("variables") or {}
            operation = payload.get("operationName")
            if not isinstance(query, str) or not isinstance(variables, dict):
                raise TypeError
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
            return _errors(400, [error_body("INVALID_INPUT", "The body is not a valid request.")])
        document = self._execution.document(query)
        with self._lock:
            record = Record(
                len(self.requests) + 1,
                query,
                variables,
                operation,
                document.roots(operation),
                _redacted(authorization),
                self.clock.text,
            )
            self.requests.append(record)
        request = Request(record.number, query, variables, operation, record.roots, record.authorization)
        if self._hook is not None:
            self._hook(request, record.number)
        faults = self.faults.strike(request)
        record.faults = [fault.kind for fault in faults]
        response = self._answer(document, request, authorization, faults, record)
        record.seconds = time.perf_counter() - started
        if response is not None:
            record.status = response.status
            record.response_bytes = len(response.body)
        return response

    def token(self, body: bytes, headers: Mapping[str, str]) -> Response:
        """Answer `POST /oauth/token`."""
        if not headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
            refusal = {"error": "invalid_request", "error_description": "Expected a form"}
            return Response(400, orjson.dumps(refusal))
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        try:
            answer = self.auth.token(form, headers.get("Authorization"))
        except OAuthError as error:
            return Response(400, orjson.dumps(error.body))
        return Response(200, orjson.dumps(answer))

    def control(self, body: bytes) -> Response:
        """Answer `POST /control`."""
        status, answer = self._control.answer(body)
        return Response(status, orjson.dumps(answer))

    def _answer(
        self,
        document: Document,
        request: Request,
        authorization: str | None,
        faults: list[Fault],
        record: Record,
    ) -> Response | None:
        wait = self.latency + sum(fault.options["seconds"] for fault in faults if fault.kind == "slow")
        if wait:
            self._stopped.wait(wait)
        for fault in faults:
            if fault.kind == "reset":
                return None
            if fault.kind in ("error", "html", "garbage"):
                record.code = fault.options.get("code")
                return self._failure(fault)
        try:
            response = self._executed(document, request, authorization, faults, record)
        except Rejected as rejection:
            record.code = rejection.errors[0]["extensions"]["code"]
            return _errors(rejection.status, rejection.errors, rejection.headers)
        if any(fault.kind == "truncated" for fault in faults):
            response.body = response.body[: len(response.body) // 2]
        return response

    def _executed(
        self,
        document: Document,
        request: Request,
        authorization: str | None,
        faults: list[Fault],
        record: Record,
    ) -> Response:
        identity = self.auth.authenticate(authorization)
        if document.errors:
            raise _rejected(INVALID_QUERY, document.errors)
        executor = self._execution.prepare(document, request.variables, request.operation, identity)
        if isinstance(executor, list):
            code = "INVALID_INPUT" if document.has(request.operation) else INVALID_QUERY
            raise _rejected(code, executor)
        cost = executor.context_value.cost
        self.limits.check_size(cost)
        headers = self.limits.spend(identity, cost, request.roots)
        record.complexity = cost
        result = self._execution.execute(executor)
        for error in result.errors or ():
            if isinstance(error.original_error, NotInStandIn):
                message = f"Not in the stand-in: {error.original_error}"
                raise Rejected(500, "INTERNAL_SERVER_ERROR", message)
        body: dict[str, Any] = {}
        if result.errors:
            body["errors"] = [_formatted(error) for error in result.errors]
            record.code = body["errors"][0]["extensions"]["code"]
        body["data"] = result.data
        return Response(200, orjson.dumps(spoil(body, faults)), headers)

    def _failure(self, fault: Fault) -> Response:
        options = fault.options
        if fault.kind == "html":
            status = options["status"]
            return Response(status, HTML % (status, status), content_type="text/html")
        if fault.kind == "garbage":
            return Response(200, b"\x00\x9f\x92 no JSON at all")
        code, status = options["code"], options["status"]
        headers: dict[str, str] = {}
        if options["reset_seconds"] is not None:
            reset = self.clock.milliseconds + round(options["reset_seconds"] * 1000)
            headers = {
                "X-RateLimit-Requests-Limit": str(self.limits.requests["api_key"]),
                "X-RateLimit-Requests-Remaining": "0",
                "X-RateLimit-Requests-Reset": str(reset),
            }
        error = error_body(code, options["message"], status, kind=options["type"])
        return _errors(status, [error], headers)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, api: LinearApi, port: int) -> None:
        self.api = api
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
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
    server_version = "standin"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        api = self.server.api
        headers = {name.title(): value for name, value in self.headers.items()}
        response: Response | None
        try:
            if self.path == "/graphql":
                response = api.graphql(body, headers)
            elif self.path == "/oauth/token":
                response = api.token(body, headers)
            elif self.path == "/control":
                response = api.control(body)
            else:
                response = Response(404, b"{}")
        except Exception as error:
            message = f"Stand-in failed: {type(error).__name__}: {error}"
            response = _errors(500, [error_body("INTERNAL_SERVER_ERROR", message, 500)])
        if response is None:
            self._reset()
        else:
            self._send(response)

    def do_GET(self) -> None:
        self._send(Response(405, b"{}", {"Allow": "POST"}))

    def date_time_string(self, timestamp: float | None = None) -> str:
        seconds = self.server.api.clock.milliseconds / 1000 if timestamp is None else timestamp
        return formatdate(seconds, usegmt=True)

    def log_message(self, format: str, *args: Any) -> None:
        """The request log is kept by `LinearApi.requests`."""

    def _send(self, response: Response) -> None:
        with contextlib.suppress(ConnectionError):
            self.send_response(response.status)
            self.send_header("Content-Type", response.content_type)
            self.send_header("Content-Length", str(len(response.body)))
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(response.body)
            self.wfile.flush()

    def _reset(self) -> None:
        """Close with RST instead of FIN."""
        self.close_connection = True
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        os.close(self.connection.detach())


def _errors(status: int, errors: list[dict[str, Any]], headers: dict[str, str] | None = None) -> Response:
    body: dict[str, Any] = {"errors": errors}
    if status == 200:
        body["data"] = None
    return Response(status, orjson.dumps(body), headers or {})


def _rejected(code: str, errors: Any) -> Rejected:
    rejection = Rejected(400, code)
    rejection.errors = [error_body(code, error.message, 400) for error in errors]
    return rejection


def _formatted(error: GraphQLError) -> dict[str, Any]:
    known = error.extensions or error_body("INTERNAL_SERVER_ERROR", error.message, 500)["extensions"]
    return {"message": error.message, "path": error.path, "extensions": known}


def _redacted(authorization: str | None) -> str:
    if not authorization:
        return "none"
    return "bearer" if authorization.lower().startswith("bearer ") else "key"


def _counted(values: Any) -> dict[str, int]:
    counts: dict[str, int] = {}
    for value in values:
        counts[str(value)] = counts.get(str(value), 0) + 1
    return counts
