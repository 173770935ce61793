"""Workers that take turns: the CDK's concurrency in one thread, in an order that a seed decides.

With real threads a history could not be played again: which window is read first, and what changes
before which page, would be up to the machine.
"""

import random
from collections.abc import Callable
from concurrent.futures import Executor, Future
from queue import Queue
from typing import Any

from airbyte_cdk.sources.concurrent_source.thread_pool_manager import ThreadPoolManager

from source_linear.source import SourceLinear


class Workers(Executor):
    """Keeps what is submitted until it is its turn."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._waiting: list[tuple[Future[Any], Callable[..., Any], tuple[Any, ...]]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self._waiting.append((future, fn, args))
        return future

    def work(self) -> None:
        """Do one of the waiting tasks, any of them."""
        future, task, args = self._waiting.pop(self._rng.randrange(len(self._waiting)))
        try:
            future.set_result(task(*args))
        except Exception as error:
            future.set_exception(error)


class Items(Queue[Any]):
    """The queue between workers and the reader; whoever finds it empty lets a worker work."""

    def __init__(self, workers: Workers) -> None:
        super().__init__()
        self._workers = workers

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        while self.empty():
            self._workers.work()
        return super().get(block=False)


def take_turns(source: SourceLinear, rng: random.Random) -> None:
    """Let a source's workers take turns."""
    workers = Workers(rng)
    items = Items(workers)
    source._message_repository._queue = items
    source._concurrent_source._queue = items
    source._concurrent_source._threadpool = ThreadPoolManager(workers, source.logger)
