"""Who reads: threads, each of which reads one slice after another and hands its pages to the main thread."""

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

_PAGES_AHEAD = 8  # of what is printed: with 16, nothing was faster; with 4, workers waited


@dataclass(frozen=True)
class Done:
    """A reader came to its end; `error` is why, where that was too early."""

    error: BaseException | None = None


Key = tuple[str, int]  # a stream, and the place of one of its slices


class Workers(Protocol):
    """Reads side by side. A test has workers of its own, which a seed orders."""

    def start(self, key: Key, pages: Iterator[Any]) -> None:
        """Let pages be read, as soon as somebody is free."""

    def results(self) -> Iterator[tuple[Key, Any] | None]:
        """What is read, each with its key, and `Done` at the end; None where nothing came for a while.

        It ends when all that was started is done; more may be started meanwhile.
        """


class Threads:
    """Workers that are threads."""

    def __init__(
        self, number: int, begin: Callable[[], None], leave: Callable[[], None], patience: float
    ) -> None:
        """Make workers.

        Args:
            number: how many threads there are at the most.
            begin: is called by a thread that begins a slice.
            leave: is called by a thread that has read a page: others may ask.
            patience: seconds after which `results` says that nothing came.
        """
        self._number, self._begin, self._leave, self._patience = number, begin, leave, patience
        self._tasks: queue.SimpleQueue[tuple[Key, Iterator[Any]]] = queue.SimpleQueue()
        self._results: queue.Queue[tuple[Key, Any]] = queue.Queue(_PAGES_AHEAD)
        self._threads = self._running = 0

    def start(self, key: Key, pages: Iterator[Any]) -> None:
        """Let pages be read, as soon as a thread is free."""
        self._running += 1
        self._tasks.put((key, pages))
        if self._threads < min(self._number, self._running):
            self._threads += 1
            threading.Thread(target=self._work, name=f"reader-{self._threads}", daemon=True).start()

    def results(self) -> Iterator[tuple[Key, Any] | None]:
        """What is read; see `Workers`."""
        while self._running:
            try:
                key, item = self._results.get(timeout=self._patience)
            except queue.Empty:
                yield None
                continue
            self._running -= isinstance(item, Done)
            yield key, item

    def _work(self) -> None:
        while True:
            key, pages = self._tasks.get()
            self._begin()
            error: BaseException | None = None
            try:
                while (page := self._next(pages)) is not None:
                    self._results.put((key, page))
            except BaseException as raised:
                error = raised
            self._results.put((key, Done(error)))

    def _next(self, pages: Iterator[Any]) -> Any:
        """One more page: the only place where a slot is given back."""
        try:
            return next(pages, None)
        finally:
            self._leave()
