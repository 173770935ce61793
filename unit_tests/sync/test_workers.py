"""Who reads: threads, each of which hands its pages to the main thread."""

import threading
from collections import defaultdict

import pytest

from source_linear.sync.workers import Done, Threads

WAIT = 60


def threads(number=2, begin=lambda: None, leave=lambda: None, patience=WAIT):
    return Threads(number, begin, leave, patience)


def read(workers):
    pages, ends = defaultdict(list), {}
    for key, item in workers.results():
        if isinstance(item, Done):
            ends[key] = item.error
        else:
            assert key not in ends, "nothing comes after the end"
            pages[key].append(item)
    return dict(pages), ends


def test_the_pages_of_each_slice_come_in_their_order_and_then_its_end():
    workers = threads()
    for place in range(5):
        workers.start(("users", place), iter(range(place)))
    pages, ends = read(workers)
    assert pages == {("users", place): list(range(place)) for place in range(1, 5)}
    assert ends == {("users", place): None for place in range(5)}


def test_nothing_that_was_started_is_nothing_to_wait_for():
    assert list(threads().results()) == []


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), SystemExit()])
def test_what_a_reader_raises_is_its_end_and_no_others(error):
    def pages():
        yield 1
        raise error

    workers = threads(1)
    workers.start(("a", 0), pages())
    workers.start(("b", 0), iter([2]))
    assert read(workers) == ({("a", 0): [1], ("b", 0): [2]}, {("a", 0): error, ("b", 0): None})


def test_more_may_be_started_while_results_come():
    workers, seen = threads(1), []
    workers.start(("a", 0), iter([1]))
    for key, item in workers.results():
        seen.append((key, item))
        if key == ("a", 0) and isinstance(item, Done):
            workers.start(("a", 1), iter([2]))
    assert [key for key, _ in seen] == [("a", 0), ("a", 0), ("a", 1), ("a", 1)]


def test_no_more_threads_read_than_there_may_be():
    under_way, most, lock, together = [], [], threading.Lock(), threading.Barrier(3)

    def pages(name):
        with lock:
            under_way.append(name)
            most.append(len(under_way))
        together.wait(WAIT)
        with lock:
            under_way.remove(name)
        yield name

    workers = threads(3)
    for place in range(9):
        workers.start(("a", place), pages(place))
    pages_, _ = read(workers)
    assert len(pages_) == 9
    assert max(most) == 3


def test_a_thread_begins_each_slice_and_leaves_after_each_page_and_each_end():
    said = []
    workers = threads(1, lambda: said.append("begin"), lambda: said.append("leave"))

    def failing():
        yield 1
        raise ValueError

    workers.start(("a", 0), iter(["x", "y"]))
    workers.start(("a", 1), failing())
    read(workers)
    assert said == ["begin", "leave", "leave", "leave", "begin", "leave", "leave"]


def test_readers_do_not_run_far_ahead_of_what_is_printed():
    made, enough = [], threading.Semaphore(0)

    def pages():
        for number in range(100):
            made.append(number)
            enough.release()
            yield number

    workers = threads(1)
    workers.start(("a", 0), pages())
    for _ in range(9):  # eight pages wait, one more is in the hand of its thread
        assert enough.acquire(timeout=WAIT)
    taken = 0
    for _, item in workers.results():
        if not isinstance(item, Done):
            taken += 1
            assert len(made) <= taken + 10
    assert taken == 100


def test_where_nothing_comes_for_a_while_that_is_said():
    going_on = threading.Event()

    def pages():
        assert going_on.wait(WAIT)
        yield 1

    workers = threads(1, patience=0.001)
    workers.start(("a", 0), pages())
    results = workers.results()
    assert [next(results), next(results)] == [None, None]
    going_on.set()
    rest = [one for one in results if one is not None]
    assert rest == [(("a", 0), 1), (("a", 0), Done())]
