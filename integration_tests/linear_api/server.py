"""The simulator of Linear's API: `/graphql`, `/oauth/token` and, for other processes, `/control`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from urllib.parse import parse_qs

import orjson
from graphql import GraphQLSchema

from .answering import Answering
from .auth import Auth, OAuthError
from .clock import Clock
from .control import Control
from .errors import error_body
from .execution import Execution
from .faults import Faults, Request
from .generator import generate
from .limits import Limits
from .listener import Listener
from .log import Record, RequestLog, TokenRecord
from .removal import coordinates
from .responses import Response, refusal
from .text import stringify
from .workspace import Workspace

API_KEY = "lin_api_standin"
TELLS, WAITED = "X-Tell-Waits", "X-Waited"  # of a client whose clock is moved, and what moves it

BeforeResponse = Callable[[Request, int], None]


class LinearApi:
    """The simulator of Linear's API; a context manager that starts and stops its server.

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
        self.token_requests: list[TokenRecord] = []
        self.latency = latency
        self._execution = Execution(workspace, self.limits)
        self._answering = Answering(self, self._execution)
        self._control = Control(self)
        self._port = port
        self._hook: BeforeResponse | None = None
        self.stopped = threading.Event()
        self._lock = threading.Lock()
        self.removed: frozenset[str] = frozenset()  # of Linear's schema, see `remove`
        self._server: Listener | None = None
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
        self.stopped.clear()
        endpoints = {"/graphql": self.graphql, "/oauth/token": self.token, "/control": self.control}
        self._server = Listener(endpoints, self.clock, self._port)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop listening, end the waits and close what is open."""
        self.stopped.set()
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

    def remove(self, *what: str) -> None:
        """Remove fields, arguments, values or types from Linear's schema, as Linear does every few weeks.

        Args:
            what: schema coordinates: `Comment.quotedText`, `Query.issues(sort:)`, `IssueFilter.archivedAt`,
                `PaginationOrderBy.updatedAt`, `AgentActivityThoughtContent`.

        Raises:
            ValueError: the schema has no such thing.
        """
        self.removed = coordinates(self.removed | set(what))

    def describe(self, schema: GraphQLSchema | None) -> None:
        """Let introspection tell of another schema than that of the queries; None ends it."""
        self._execution.described = schema

    def restore(self, *what: str) -> None:
        """Put back what was removed; all of it when nothing is named."""
        self.removed = self.removed - set(what) if what else frozenset()

    # --- the endpoints ----------------------------------------------------------------------

    def graphql(self, body: bytes, headers: Mapping[str, str], connection: int = 0) -> Response | None:
        """Answer `POST /graphql`; None resets the connection."""
        started = time.perf_counter()
        try:
            payload = orjson.loads(body)
            query = payload["query"]
            variables = payload.get("variables") or {}
            operation = payload.get("operationName")
            if not isinstance(query, str) or not isinstance(variables, dict):
                raise TypeError
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
            return refusal(400, [error_body("INVALID_INPUT", "The body is not a valid request.")])
        document = self._execution.document(query)
        with self._lock:
            record = Record(
                len(self.requests) + 1,
                query,
                variables,
                operation,
                document.roots(operation),
                _redacted(headers.get("Authorization")),
                self.clock.text,
                user_agent=headers.get("User-Agent", ""),
                connection=connection,
                told=0.0 if TELLS in headers else None,
            )
            self.requests.append(record)
        request = Request(
            record.number,
            query,
            variables,
            operation,
            record.roots,
            record.authorization,
            document.document,
        )
        if self._hook is not None:
            self._hook(request, record.number)
        faults = self.faults.strike(request)
        response = self._answering.answer(request, headers.get("Authorization"), faults, record)
        record.seconds = time.perf_counter() - started
        if response is not None:
            record.status = response.status
            record.response_bytes = len(response.body)
            if record.told is not None:
                response.headers[WAITED] = str(record.told)
        return response

    def token(self, body: bytes, headers: Mapping[str, str], connection: int = 0) -> Response:
        """Answer `POST /oauth/token`."""
        form: dict[str, str] = {}
        if headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
            form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            try:
                response = Response(200, orjson.dumps(self.auth.token(form, headers.get("Authorization"))))
            except OAuthError as error:
                response = Response(400, orjson.dumps(error.body))
        else:
            refused = {"error": "invalid_request", "error_description": "Expected a form"}
            response = Response(400, orjson.dumps(refused))
        self.token_requests.append(
            TokenRecord(
                form.get("grant_type", ""), response.status, headers.get("User-Agent", ""), connection
            )
        )
        return response

    def control(self, body: bytes, *_: object) -> Response:
        """Answer `POST /control`."""
        status, answer = self._control.answer(body)
        return Response(status, stringify(answer))


def _redacted(authorization: str | None) -> str:
    if not authorization:
        return "none"
    return "bearer" if authorization.lower().startswith("bearer ") else "key"
