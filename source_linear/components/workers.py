"""Workers: the threads that read pages, and who takes the place of one that is held up."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

_MOST = 20  # replaced at a time: in an outage all are held up, and more threads would be no use


class Workers:
    """The threads of a pool. Outside of any pool nobody is replaced."""

    def __init__(self, pool: ThreadPoolExecutor | None = None) -> None:
        self._pool = pool
        self._places = threading.Semaphore(_MOST)

    @contextmanager
    def replaced(self) -> Iterator[None]:
        """Inside, another thread does this one's work: windows that keep failing hold no stream up."""
        if self._pool is None or not self._places.acquire(blocking=False):
            yield
            return
        self._grow(self._pool, 1)
        try:
            yield
        finally:
            self._grow(self._pool, -1)
            self._places.release()

    @staticmethod
    def _grow(pool: ThreadPoolExecutor, number: int) -> None:
        with pool._shutdown_lock:
            pool._max_workers += number
            pool._adjust_thread_count()  # as `submit` does it
