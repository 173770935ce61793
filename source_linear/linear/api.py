"""Asking Linear's API: one session, one budget, one way to overcome what can be overcome."""

import logging
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from heapq import heappop, heappush
from itertools import count
from typing import Any, Protocol

import orjson

from source_linear.linear.answers import Answer, judge, judge_silence
from source_linear.linear.budget import Budget
from source_linear.linear.connection import new_session
from source_linear.linear.credentials import Credentials
from source_linear.linear.errors import Action, Failure, LinearError, subject
from source_linear.linear.fields import Fields

_LOGGER = logging.getLogger("airbyte")
CONNECT, READ = 10.0, 120.0  # seconds to connect, and between two bytes of an answer
LONGEST_PAUSE = 60.0  # seconds between two tries
# Seconds after which a rate limit that does not end is given up, and a platform a source that says nothing:
# metadata.yaml, maxSecondsBetweenMessages.
LONGEST_LIMIT = 7_200.0
_TRIES_FOR_THE_REST = 3  # where rows came, but Linear failed on some of their fields
_TOKEN_TIMEOUT = (10, 30)
_AT_ONCE = 1 << 20  # bytes of an answer: between two reads another thread goes on for some milliseconds


class Observer(Protocol):
    """Who is told of each exchange: each try counts, and nothing of what came is judged yet."""

    def sending(self, body: bytes) -> None:
        """A request is about to be sent; an exception stops it."""

    def received(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """A response came."""


class _Slots:
    """So many exchanges at a time. Who waits for anything else holds none.

    Of those who wait for one, who began first is next: else all that is begun would end at the same time, at
    the end, and a sync that is killed would have nothing complete.
    """

    def __init__(self, number: int) -> None:
        self._lock = threading.Lock()
        self._free = number
        self._waiting: list[tuple[int, threading.Event]] = []  # a heap
        self._begun = count()
        self._mine = threading.local()

    def begin(self) -> None:
        """Let this thread wait behind all who began before."""
        self._mine.place = next(self._begun)

    def take(self) -> None:
        """Take a slot for this thread, if it has none."""
        if getattr(self._mine, "held", False):
            return
        if not hasattr(self._mine, "place"):
            self.begin()
        granted = threading.Event()
        with self._lock:
            heappush(self._waiting, (self._mine.place, granted))
            self._grant()
        granted.wait()
        self._mine.held = True

    def leave(self) -> None:
        """Give this thread's slot back, if it has one."""
        if getattr(self._mine, "held", False):
            self._mine.held = False
            with self._lock:
                self._free += 1
                self._grant()

    def _grant(self) -> None:
        if self._free and self._waiting:
            self._free -= 1
            heappop(self._waiting)[1].set()


class Api:
    """Linear's GraphQL API for one process.

    In Python because the CDK's client cannot wait out a rate limit of an hour, and writes request and
    response bodies into its logs and errors.

    Attributes:
        budget: the requests and points that all who ask share.
        fields: the fields that Linear no longer has, or refuses.
        patience: seconds after which a failure that may pass is given up.
        waits: whether it waits for the rate budget; a check does not.
        observer: who is told of each exchange, if anybody.
    """

    def __init__(
        self,
        url: str,
        credentials: Credentials,
        share: float = 1.0,
        slots: int = 10,
        user_agent: str = "",
        method: str = "POST",
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Make ready to ask.

        Args:
            url: the GraphQL endpoint.
            credentials: what Linear knows us by.
            share: the part of the hourly budget that may be used, 0 to 1.
            slots: how many exchanges may be under way at a time.
            user_agent: who asks, as the `User-Agent` header says it.
            method: the HTTP method of a request.
            now: the clock, in seconds since the epoch.
            sleep: what waits.
        """
        self.budget = Budget(share, now, sleep)
        self.patience = 300.0
        self.waits = True
        self.observer: Observer | None = None
        self.fields = Fields()
        self._url, self._method = url, method
        self._credentials = credentials
        self._slots = _Slots(slots)
        self._now, self._sleep = now, sleep
        self._gave_up: defaultdict[str, set[str]] = defaultdict(set)  # each stream's queries
        self._session = new_session(slots)
        self._session.headers["User-Agent"] = user_agent

    def ask(
        self,
        stream: str,
        query: str,
        variables: Mapping[str, Any] | None = None,
        roots: Mapping[str, Collection[str]] | None = None,
        tries: int | None = None,
        points: float = 0.0,
    ) -> Answer:
        """Ask until all roots came, possibly with fields and rows missing that `Answer.problems` name.

        The thread takes a slot for it, and keeps it for what it does with the answer: until it calls `leave`.

        Args:
            stream: the stream that asks, "" outside of any.
            query: the GraphQL document.
            variables: its variables.
            roots: the keys of `data`, each with the keys that must not be null in it.
            tries: after how many tries a failure that may pass is given up; None: after `patience`.
            points: what it costs at the most, by Linear's formula: the budget is asked for as much.

        Raises:
            LinearError: it failed for good, or went on failing.
        """
        body = orjson.dumps({"query": query, "variables": dict(variables or {})})
        return self._persist(stream, query, body, roots or {}, tries, points)

    def begin(self) -> None:
        """This thread begins something new, and waits for a slot behind all who began before."""
        self._slots.begin()

    def leave(self) -> None:
        """This thread is done with the answer that it kept its slot for."""
        self._slots.leave()

    def note_refused(self, stream: str, fields: Mapping[str, str]) -> None:
        """Linear left out fields, each with its reason: a warning says so, once a stream and field."""
        if news := self.budget.refused(stream, fields):
            _LOGGER.warning(
                "%sLinear left out %s (%s); null is written, the rows are kept.",
                subject(stream),
                ", ".join(news),
                "; ".join(sorted(set(news.values()))),
            )

    def _persist(
        self,
        stream: str,
        query: str,
        body: bytes,
        roots: Mapping[str, Collection[str]],
        tries: int | None,
        points: float,
    ) -> Answer:
        # What failed for all that time once need not be tried as long by the next window of the same stream.
        # Another query has its time, once: it is asked to find out why, and decides about the stream.
        left = 0.0 if query in self._gave_up[stream] else self.patience
        attempt, renewed, limited_since = 0, False, None
        while True:
            answer, header = self._exchange(stream, body, roots, points)
            failure = answer.failure
            if failure is None or (failure.has_data and self._suffices(stream, answer, attempt)):
                self._gave_up.pop(stream, None)
                self.note_refused(stream, answer.refused)
                return answer
            self._slots.leave()
            if failure.action is Action.WAIT and self.waits:
                limited_since = self._now() if limited_since is None else limited_since
                if self._now() - limited_since > LONGEST_LIMIT:
                    raise LinearError(_lasting_limit(failure))
                self.budget.exhausted(stream, answer.headers, points)
            elif failure.action is Action.REFRESH and not renewed and self._credentials.refuse(header):
                renewed = True
            else:
                pause = random.uniform(0.5, 1) * min(2**attempt, LONGEST_PAUSE)
                left -= answer.seconds + pause
                if failure.action is not Action.RETRY or left < 0 or attempt + 1 == tries:
                    if failure.has_data and failure.action is Action.RETRY:  # no more will come
                        self.note_refused(stream, answer.refused)
                        return answer
                    if failure.action is Action.RETRY and (left < 0 or self._gave_up[stream]):
                        self._gave_up[stream].add(query)
                    raise LinearError(failure)
                attempt += 1
                _LOGGER.info("%s Trying again in %.1f s.", failure.reason, pause)
                with self.budget.waiting(stream, self._now() + pause):
                    self._sleep(pause)

    def _exchange(
        self, stream: str, body: bytes, roots: Mapping[str, Collection[str]], points: float
    ) -> tuple[Answer, str]:
        """Send one request, once; returns the answer and the `Authorization` that it was sent with."""
        if not self.waits:
            return self._timed(stream, body, roots)
        with self.budget.turn(stream, points, self._slots.leave):
            self._slots.take()
            return self._timed(stream, body, roots)

    def _timed(self, stream: str, body: bytes, roots: Mapping[str, Collection[str]]) -> tuple[Answer, str]:
        started = time.monotonic()
        answer, header = self._send(stream, body, roots)
        return replace(answer, seconds=time.monotonic() - started), header

    def _send(self, stream: str, body: bytes, roots: Mapping[str, Collection[str]]) -> tuple[Answer, str]:
        if failed := self._credentials.renew_if_due(stream, self._post_form):
            return Answer({}, failure=failed), ""
        header = self._credentials.header
        headers = {"Content-Type": "application/json", "Authorization": header}
        timeout = (min(CONNECT, self.patience), min(READ, self.patience))
        if self.observer:
            self.observer.sending(body)
        try:
            response = self._session.request(
                self._method,
                self._url,
                data=body,
                headers=headers,
                timeout=timeout,
                allow_redirects=False,
                stream=True,
            )
            content = b"".join(response.iter_content(_AT_ONCE))
        except OSError as error:
            return Answer({}, failure=judge_silence(stream, error)), header
        self.budget.observe(stream, response.headers)
        status = response.status_code
        if self.observer:
            self.observer.received(status, response.headers, content)
        _LOGGER.debug(
            "%sHTTP %s, %s points, for %s",
            subject(stream),
            status,
            response.headers.get("X-Complexity", "no"),
            body.decode(),
        )
        if status != 200 or b'"errors"' in content:
            content = self._credentials.redacted(content)
        return replace(judge(stream, status, content, roots), headers=response.headers), header

    def _post_form(self, url: str, form: Mapping[str, str]) -> tuple[int, bytes] | Failure:
        try:
            response = self._session.post(url, dict(form), timeout=_TOKEN_TIMEOUT, allow_redirects=False)
        except OSError as error:
            return judge_silence("", error)
        return response.status_code, response.content

    def _suffices(self, stream: str, answer: Answer, attempt: int) -> bool:
        """Whether rows are kept though Linear failed on some of their fields: asking again is no use."""
        passing = [problem for problem in answer.problems if problem.may_pass]
        known = self.budget.usage[stream].refused
        if answer.failure is None or answer.failure.action is not Action.RETRY:
            return False
        return attempt >= _TRIES_FOR_THE_REST or all(one.field and one.field in known for one in passing)


def _lasting_limit(failure: Failure) -> Failure:
    hours = LONGEST_LIMIT / 3600
    reason = failure.reason.replace("is used up", f"was still used up after {hours:.0f} hours of waiting")
    remedy = (
        "Others may use up the same key's limit: see what else reads this workspace, or give the connector "
        "a key of its own; then try again."
    )
    return replace(failure, reason=reason, remedy=remedy)
