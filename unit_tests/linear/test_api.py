"""Asking: what is asked again and for how long, who waits for whom, and what is told of it."""

import json
import logging
import threading
import time
from contextlib import contextmanager
from heapq import heappush
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from source_linear.linear import api as module
from source_linear.linear.api import Api
from source_linear.linear.credentials import Credentials
from source_linear.linear.errors import Kind, LinearError

USERS = {"users": ("nodes",)}
DATA = {"data": {"users": {"nodes": []}}}
QUERY = "query users { users { nodes { id name } } }"
IDS = "query ids { users { nodes { id } } }"


def error(code, status=400, message="No.", **headers):
    return status, {"errors": [{"message": message, "extensions": {"code": code}}]}, headers


PASSING = 502, None, {}
FINE = 200, DATA, {}


class Clock:
    """A time that passes only where somebody sleeps, and not for ever."""

    def __init__(self):
        self.now = self.began = 1_700_000_000.0
        self.slept = []

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds
        assert self.now < self.began + 24 * 3600, "this never ends"


class Together:
    """Lets no exchange end before so many of them are under way."""

    def __init__(self, number):
        self._barrier = threading.Barrier(number)

    def wait(self, timeout):
        self._barrier.wait(timeout)
        return True

    def set(self):
        self._barrier.abort()


class Linear:
    """A server that gives its answers one after the other, the last one for ever."""

    def __init__(self):
        self.answers = [FINE]
        self.requests, self.connections = [], set()
        self.under_way = self.most = 0
        self.hold = threading.Event()
        self.hold.set()
        self.arrived = threading.Semaphore(0)
        self._lock = threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # an answer is one packet: else each one waits 40 ms for the client's ACK

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, document, headers = server.take(body, self.headers, self.client_address)
                content = json.dumps(document).encode()
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}/graphql"

    def take(self, body, headers, address):
        with self._lock:
            self.requests.append((json.loads(body), headers))
            self.connections.add(address)
            self.under_way += 1
            self.most = max(self.most, self.under_way)
        self.arrived.release()
        assert self.hold.wait(60)
        with self._lock:
            self.under_way -= 1
            given = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return given(json.loads(body)) if callable(given) else given


@pytest.fixture
def linear():
    server = Linear()
    threading.Thread(target=server.http.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.hold.set()
    server.http.shutdown()
    server.http.server_close()


@pytest.fixture
def clock():
    return Clock()


def make(linear, clock, slots=10, share=1.0):
    credentials = Credentials({"auth_type": "API Key", "api_key": "lin_api_key"})
    return Api(
        linear.url, credentials, share, slots, "a-program/1.2", now=lambda: clock.now, sleep=clock.sleep
    )


def ask(api, stream="users", keeps_slot=False, **more):
    """Ask, and be done with the answer unless the slot is kept for it."""
    try:
        return api.ask(stream, QUERY, {}, USERS, **more)
    finally:
        if not keeps_slot:
            api.leave()


def failure_of(api, **more):
    with pytest.raises(LinearError) as caught:
        ask(api, **more)
    return caught.value.failure


@contextmanager
def threads(*targets):
    """Each target in a thread of its own; they have ended afterwards, and what one raised is raised."""
    raised = []

    def run(target):
        try:
            target()
        except BaseException as error:
            raised.append(error)

    started = [threading.Thread(target=run, args=(target,), daemon=True) for target in targets]
    for one in started:
        one.start()
    yield
    for one in started:
        one.join(60)
        assert not one.is_alive()
    if raised:
        raise raised[0]


def test_it_says_who_asks_and_sends_the_key_as_it_is(linear, clock):
    ask(make(linear, clock))
    ((body, headers),) = linear.requests
    assert body == {"query": QUERY, "variables": {}}
    assert headers["User-Agent"] == "a-program/1.2"
    assert headers["Authorization"] == "lin_api_key"


def test_one_connection_serves_one_request_after_the_other(linear, clock):
    api = make(linear, clock)
    for _ in range(5):
        ask(api)
    assert len(linear.requests) == 5 and len(linear.connections) == 1


@pytest.mark.parametrize("passing", [PASSING, error("INTERNAL_SERVER_ERROR", 200), (200, {"data": {}}, {})])
def test_what_passes_is_asked_again(linear, clock, passing):
    linear.answers = [passing, passing, FINE]
    assert ask(make(linear, clock)).data == DATA["data"]
    assert len(linear.requests) == 3


def test_pauses_grow_with_jitter_up_to_a_minute(linear, clock):
    linear.answers = [PASSING]
    failure_of(make(linear, clock))
    for attempt, pause in enumerate(clock.slept):
        assert min(2**attempt, 60) / 2 <= pause <= min(2**attempt, 60)
    assert max(clock.slept) > 30


def test_a_failure_is_given_up_after_five_minutes(linear, clock):
    linear.answers = [PASSING]
    failure = failure_of(make(linear, clock))
    assert failure.kind is Kind.TRANSIENT
    assert 200 <= sum(clock.slept) <= 300


def test_an_answer_that_does_not_come_is_a_failure_that_may_pass(linear, clock, monkeypatch):
    monkeypatch.setattr(module, "READ", 0.05)
    linear.hold.clear()
    failure = failure_of(make(linear, clock), tries=1)
    assert failure.kind is Kind.TRANSIENT and "(ReadTimeout)" in failure.reason


def test_who_asks_for_few_tries_gets_them_and_keeps_its_patience(linear, clock):
    linear.answers = [PASSING]
    api = make(linear, clock)
    failure_of(api, tries=3)
    assert len(linear.requests) == 3
    failure_of(api, tries=3)
    assert len(linear.requests) == 6


def test_what_failed_for_minutes_is_not_tried_as_long_by_the_next_of_its_stream(linear, clock):
    linear.answers = [PASSING]
    api = make(linear, clock)
    failure_of(api)
    before = len(linear.requests)
    failure_of(api)
    assert len(linear.requests) == before + 1
    failure_of(api, stream="teams")
    assert len(linear.requests) > before + 5


def test_another_query_of_its_stream_keeps_its_patience(linear, clock):
    linear.answers = [PASSING]
    api = make(linear, clock)
    failure_of(api)
    linear.answers = [PASSING, PASSING, FINE]
    assert api.ask("users", IDS, {}, USERS).data == DATA["data"]


def test_in_an_outage_no_query_of_a_stream_is_tried_for_long_twice(linear, clock):
    linear.answers = [PASSING]
    api = make(linear, clock)
    failure_of(api)
    for tries in (4, 1):
        before = len(linear.requests)
        with pytest.raises(LinearError):
            api.ask("users", IDS, {}, USERS, tries=4)
        assert len(linear.requests) == before + tries


def test_a_success_brings_the_patience_back(linear, clock):
    linear.answers = [PASSING]
    api = make(linear, clock)
    failure_of(api)
    linear.answers = [FINE]
    ask(api)
    linear.answers = [PASSING, PASSING, FINE]
    ask(api)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("FORBIDDEN", Kind.CONFIG),
        ("GRAPHQL_VALIDATION_FAILED", Kind.SYSTEM),
        ("AUTHENTICATION_ERROR", Kind.CONFIG),
    ],
)
def test_what_does_not_pass_is_asked_once(linear, clock, code, kind):
    linear.answers = [error(code)]
    assert failure_of(make(linear, clock)).kind is kind
    assert len(linear.requests) == 1 and clock.slept == []


def test_a_rate_limit_is_waited_for_and_then_it_goes_on(linear, clock):
    limited = error("RATELIMITED", **{"X-RateLimit-Requests-Remaining": "0"})
    linear.answers = [limited] * 5 + [FINE]
    ask(make(linear, clock))
    assert len(linear.requests) == 6
    assert sum(clock.slept) >= 5 * 60


def test_a_rate_limit_is_waited_for_until_there_is_enough_for_the_query_that_was_refused(linear, clock):
    given = {"X-RateLimit-Complexity-Limit": "3000000", "X-RateLimit-Complexity-Remaining": "9000"}
    linear.answers = [error("RATELIMITED", **given), FINE]
    ask(make(linear, clock), points=9_500)
    # 500 points, and the 2 % that are left alone
    assert sum(clock.slept) == pytest.approx(60_500 / 3_000_000 * 3600, abs=1)


def test_where_the_size_of_a_bucket_is_not_told_too_few_points_for_the_query_are_waited_for_to_its_reset(
    linear, clock
):
    given = {"Remaining": "9000", "Reset": str(int((time.time() + 600) * 1000))}  # by the server's own clock
    limited = error("RATELIMITED", **{f"X-RateLimit-Complexity-{name}": said for name, said in given.items()})
    linear.answers = [limited, FINE]
    ask(make(linear, clock), points=9_500)
    assert sum(clock.slept) == pytest.approx(600, abs=30)


def test_what_a_query_costs_is_waited_for_before_it_is_sent(linear, clock):
    given = {"X-RateLimit-Complexity-Limit": "3000000", "X-RateLimit-Complexity-Remaining": "60000"}
    linear.answers = [(200, DATA, given)]
    api = make(linear, clock)
    ask(api, "teams", points=100)
    assert clock.slept == []
    ask(api, "users", points=10_000)
    assert sum(clock.slept) == pytest.approx(12, abs=1)


def test_a_rate_limit_that_does_not_end_is_given_up_after_hours_with_a_sentence(linear, clock):
    linear.answers = [error("RATELIMITED")]
    started = clock.now
    failure = failure_of(make(linear, clock))
    assert 2 * 3600 < clock.now - started < 3 * 3600
    assert failure.kind is Kind.TRANSIENT
    assert "was still used up after 2 hours of waiting" in failure.reason
    assert "a key of its own" in failure.remedy


def test_who_does_not_wait_is_told_of_a_rate_limit_at_once(linear, clock):
    linear.answers = [error("RATELIMITED")]
    api = make(linear, clock)
    api.waits = False
    assert "hourly rate limit is used up" in failure_of(api).reason
    assert clock.slept == []


def test_no_more_exchanges_are_under_way_than_there_are_slots(linear, clock):
    api = make(linear, clock, slots=3)
    linear.hold.clear()
    with threads(*[lambda: ask(api)] * 12):
        for _ in range(3):
            assert linear.arrived.acquire(timeout=30)
        linear.hold.set()
    assert linear.most == 3 and len(linear.requests) == 12


def test_after_an_outage_no_more_requests_are_under_way_than_slots(linear, clock):
    linear.answers = [PASSING] * 8 + [FINE]
    failed = threading.Barrier(8, action=linear.hold.clear)  # all wake at once
    api = make(linear, clock, slots=2)
    api._sleep = lambda seconds: failed.wait(60)
    with threads(*[lambda: ask(api)] * 8):
        for _ in range(8 + 2):
            assert linear.arrived.acquire(timeout=30)
        # The other six are awake: none of them comes.
        assert not linear.arrived.acquire(timeout=0.5)
        linear.hold.set()
    assert linear.most == 2 and len(linear.requests) == 16


def test_a_connection_serves_each_slot_and_no_more_are_opened(linear, clock):
    linear.hold = Together(3)
    api = make(linear, clock, slots=3)

    all_done = threading.Barrier(3)

    def ask_often():
        for _ in range(4):
            ask(api)
            all_done.wait(60)  # all three connections are given back before one is taken

    with threads(*[ask_often] * 3):
        pass
    assert linear.most == 3 and len(linear.requests) == 12
    assert len(linear.connections) == 3


def test_who_waits_to_ask_again_holds_no_slot(linear, clock):
    waiting, go_on = threading.Event(), threading.Event()

    def sleep(seconds):
        waiting.set()
        assert go_on.wait(60)

    api = make(linear, clock, slots=1)
    api._sleep = sleep
    linear.answers = [lambda body: PASSING if not waiting.is_set() else FINE]
    with threads(lambda: ask(api)):
        assert waiting.wait(30)
        ask(api, stream="teams")  # by the only slot
        go_on.set()


def test_a_limit_of_one_endpoint_holds_only_its_stream_up(linear, clock):
    waiting, go_on = threading.Event(), threading.Event()
    limit = {"X-RateLimit-Endpoint-Requests-Remaining": "0", "Retry-After": "60"}
    linear.answers = [error("RATELIMITED", **limit), FINE]
    api = make(linear, clock, slots=1)

    def sleep(seconds):
        waiting.set()
        assert go_on.wait(60)
        clock.now += seconds

    api.budget._sleep = sleep
    with threads(lambda: ask(api)):
        assert waiting.wait(30)
        ask(api, stream="teams")  # while the other still waits
        assert len(linear.requests) == 2
        go_on.set()
    assert len(linear.requests) == 3


def test_who_keeps_its_slot_gives_it_up_while_it_waits_for_the_budget(linear, clock):
    waiting, go_on = threading.Event(), threading.Event()
    api = make(linear, clock, slots=1)

    def sleep(seconds):
        waiting.set()
        assert go_on.wait(60)
        clock.now += seconds

    api.budget._sleep = sleep

    def read():
        ask(api, keeps_slot=True)
        limit = {"X-RateLimit-Endpoint-Requests-Remaining": "0", "Retry-After": "60"}
        api.budget.exhausted("users", limit)
        ask(api)

    with threads(read):
        assert waiting.wait(30)
        ask(api, stream="teams")  # by the only slot
        go_on.set()
    assert len(linear.requests) == 3


def test_who_keeps_its_slot_lets_nobody_else_ask_until_it_leaves(linear, clock):
    api = make(linear, clock, slots=1)
    ask(api, keeps_slot=True)
    assert linear.arrived.acquire(timeout=30)
    with threads(lambda: ask(api, stream="teams")):
        assert len(linear.requests) == 1
        ask(api, keeps_slot=True)  # the same thread has it already
        api.leave()
    assert len(linear.requests) == 3


def test_of_those_who_wait_for_a_slot_who_began_first_is_next(linear, clock, monkeypatch):
    queued = threading.Semaphore(0)
    monkeypatch.setattr(module, "heappush", lambda *given: (heappush(*given), queued.release()))
    api = make(linear, clock, slots=1)
    began, younger_waits = threading.Event(), threading.Event()

    def older():
        api.begin()
        began.set()
        assert younger_waits.wait(60)
        api.ask("", "query older { users }")
        api.leave()

    def younger():
        assert began.wait(60)
        api.begin()
        api.ask("", "query younger { users }")
        api.leave()

    ask(api, keeps_slot=True)
    assert queued.acquire(timeout=60)
    with threads(older, younger):
        assert queued.acquire(timeout=60)
        younger_waits.set()
        assert queued.acquire(timeout=60)  # the older one waits behind the younger
        api.leave()
    assert [body["query"].split()[1] for body, _ in linear.requests] == ["users", "older", "younger"]


def test_a_failure_gives_the_slot_back(linear, clock):
    api = make(linear, clock, slots=1)
    linear.answers = [error("FORBIDDEN"), FINE]
    failure_of(api, keeps_slot=True)
    with threads(lambda: ask(api)):
        pass


def test_a_key_is_sent_nowhere_else(linear, clock):
    linear.answers = [(307, None, {"Location": linear.url + "/elsewhere"})]
    failure = failure_of(make(linear, clock))
    assert failure.kind is Kind.CONFIG and "api_url" in failure.remedy
    assert len(linear.requests) == 1


def test_a_token_that_is_refused_again_after_its_renewal_is_for_the_user(linear, clock):
    class Renewable(Credentials):
        refused = 0

        def refuse(self, header):
            self.refused += 1
            assert self.refused < 5, "this never ends"
            return True

    given = {"auth_type": "API Key", "api_key": "lin_api_key"}
    linear.answers = [error("AUTHENTICATION_ERROR")]
    api = Api(linear.url, Renewable(given), 1.0, 1, "", now=lambda: clock.now, sleep=clock.sleep)
    assert failure_of(api).kind is Kind.CONFIG
    assert len(linear.requests) == 2 and clock.slept == []


def partial(code):
    path = ["users", "nodes", 0, "app"]
    return 200, {**DATA, "errors": [{"message": "No.", "path": path, "extensions": {"code": code}}]}, {}


def test_refused_fields_are_warned_of_once_a_stream(linear, clock, caplog):
    linear.answers = [partial("FEATURE_NOT_ACCESSIBLE")]
    api = make(linear, clock)
    for _ in range(3):
        ask(api)
    assert caplog.messages == ["Stream users: Linear left out app (No); null is written, the rows are kept."]
    assert len(linear.requests) == 3


def test_fields_on_which_linear_failed_are_asked_for_again(linear, clock):
    linear.answers = [partial("INTERNAL_SERVER_ERROR"), FINE]
    assert ask(make(linear, clock)).problems == ()


def test_fields_on_which_linear_keeps_failing_are_left_out_and_not_asked_for_on_every_page(linear, clock):
    linear.answers = [partial("INTERNAL_SERVER_ERROR")]
    api = make(linear, clock)
    ask(api)
    assert len(linear.requests) == 4
    ask(api)
    assert len(linear.requests) == 5


def test_the_budget_knows_what_was_spent(linear, clock):
    linear.answers = [(200, DATA, {"X-Complexity": "12"})]
    api = make(linear, clock)
    ask(api)
    ask(api)
    assert (api.budget.usage["users"].requests, api.budget.usage["users"].points) == (2, 24)


def test_the_budget_keeps_to_its_share(linear, clock):
    full = {"X-RateLimit-Requests-Limit": "100", "X-RateLimit-Requests-Remaining": "100"}
    linear.answers = [(200, DATA, full)]
    api = make(linear, clock, share=0.1)
    for _ in range(10):
        ask(api)
    assert clock.slept == []
    ask(api)
    assert sum(clock.slept) == pytest.approx(360)


def test_a_failure_shows_neither_request_nor_headers_nor_a_secret_that_linear_quotes(linear, clock, caplog):
    caplog.set_level(logging.DEBUG, "airbyte")
    linear.answers = [error("INTERNAL_SERVER_ERROR", 500, "lin_api_key is odd")]
    message = failure_of(make(linear, clock)).message
    told = " ".join([message, *caplog.messages])
    assert "**** is odd" in message
    assert "lin_api_key" not in told and "127.0.0.1" not in told
    said = [one.getMessage() for one in caplog.records if one.levelno > logging.DEBUG]
    assert "nodes" not in " ".join([message, *said])
    assert any("nodes" in one for one in caplog.messages), "at debug level the request is told"


def test_nothing_waits_longer_between_two_tries_than_a_minute():
    assert module.LONGEST_PAUSE == 60
