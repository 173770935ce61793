"""A thread that is held up is replaced, so that the others' work goes on."""

import threading
from concurrent.futures import ThreadPoolExecutor

from source_linear.components import workers as module
from source_linear.components.workers import Workers

SECONDS = 10  # before a test that hangs fails


def test_while_a_thread_is_held_up_another_one_does_its_work():
    with ThreadPoolExecutor(max_workers=1) as pool:
        workers = Workers(pool)
        done = threading.Event()

        def held_up():
            with workers.replaced():
                return done.wait(SECONDS)

        waiting = pool.submit(held_up)
        pool.submit(done.set)
        assert waiting.result(SECONDS)


def test_work_that_comes_while_a_thread_is_held_up_is_done():
    with ThreadPoolExecutor(max_workers=1) as pool:
        workers = Workers(pool)
        inside, done = threading.Event(), threading.Event()

        def held_up():
            with workers.replaced():
                inside.set()
                return done.wait(SECONDS)

        waiting = pool.submit(held_up)
        assert inside.wait(SECONDS)
        pool.submit(done.set)
        assert waiting.result(SECONDS)


def test_no_more_than_so_many_are_replaced_at_a_time(monkeypatch):
    monkeypatch.setattr(module, "_MOST", 2)
    with ThreadPoolExecutor(max_workers=1) as pool:
        workers = Workers(pool)
        with workers.replaced(), workers.replaced(), workers.replaced():
            assert pool._max_workers == 3
        assert pool._max_workers == 1
        with workers.replaced():
            assert pool._max_workers == 2


def test_without_a_pool_nobody_is_replaced():
    with Workers().replaced():
        pass
