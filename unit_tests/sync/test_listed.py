"""What is known of a list's rows, in few bytes each."""

import random
import sys
import tracemalloc

import pytest

from source_linear.sync.listed import Listed, Seen, Since
from source_linear.sync.sketch import Sketch, id_of
from unit_tests.sync.parts import at, listed, numbers, seen, uuid

WALKED, BEGIN, END = at(9), at(8, "23:59:00.000"), at(10)
SINCE = Since(begin=BEGIN, walked=WALKED, moved=BEGIN, end=END)
NEWS = at(9, "12:00:00.000")


def of(*rows, **changes):
    return listed(*rows, since=Since(**{**vars(SINCE), **changes}))


def rows_of(sketch):
    return {(row.number & 0xFFF, row.archived) for row in sketch.difference(Sketch()).left}


def test_what_was_listed_is_known_with_its_flag():
    found = of(seen(1), seen(2, archived=at(4)))
    assert [found.flag(uuid(n)) for n in (1, 2, 3)] == [False, True, None]
    assert [uuid(n) in found for n in (1, 2, 3)] == [True, True, False]
    assert found.rows == 2


def test_a_row_that_was_asked_for_before_it_was_listed_is_known_once_it_is():
    found = of(seen(1))
    assert uuid(2) not in found
    found.take(seen(2))
    assert uuid(2) in found and found.sent(uuid(2), END)


def test_a_row_that_was_found_is_found_where_it_is_after_room_was_made_for_others():
    found = of(seen(1, NEWS))
    assert uuid(1) in found
    for number in range(2, 500):
        found.take(seen(number))
    assert found.sent(uuid(1), NEWS)
    assert list(found.owed(None)) == []


def test_no_more_places_are_kept_than_rows_of_a_few_pages():
    found = of(*map(seen, range(3)))
    for number in range(5000):
        assert (uuid(number) in found) == (number < 3)
        assert len(found._places) <= 1024


def test_a_row_that_moved_while_the_list_was_walked_counts_once_as_it_came_first():
    found = of(seen(1), seen(1, NEWS, archived=NEWS))
    assert (found.rows, found.flag(uuid(1)), found.comes(uuid(1))) == (1, False, False)
    assert rows_of(found.now) == {(1, False)}


def test_an_id_that_is_no_uuid_is_known_like_any_other():
    found = of(Seen("odd", True, NEWS, at(1)), Seen("odd", False, NEWS, at(1)), Seen("new", False, END, END))
    assert found.rows == 2
    assert (found.flag("odd"), found.comes("odd"), found.is_fresh("odd"), found.is_fresh("new")) == (
        True,
        True,
        False,
        True,
    )
    assert "odd" in found and "other" not in found
    assert rows_of(found.now) == set()


@pytest.mark.parametrize(
    ("row", "comes"),
    [
        (seen(1, BEGIN), True),
        (seen(1, at(8, "23:58:59.999")), False),
        (seen(1, at(5), created=BEGIN), True),
        (seen(1)._replace(comes=True), True),
        (seen(1, archived=NEWS), False),
    ],
)
def test_the_cursor_brings_what_changed_or_was_created_since_it_began(row, comes):
    found = of(row)
    assert found.comes(row.id) is comes
    assert list(found.coming()) == ([row.id] if comes else [])


@pytest.mark.parametrize(("archived", "comes"), [(BEGIN, True), (at(8), False), (None, False)])
def test_of_issues_the_cursor_brings_what_was_archived_since(archived, comes):
    assert of(seen(1, archived=archived), by_archiving=True).comes(uuid(1)) is comes


def test_from_the_beginning_the_cursor_brings_all():
    found = of(seen(1), Seen("odd", False, at(5), at(1)), begin=None)
    assert set(found.coming()) == {uuid(1), "odd"}


def test_nothing_comes_that_was_not_listed():
    found = of()
    assert (found.comes(uuid(1)), found.is_fresh(uuid(1)), found.was(uuid(1), True)) == (False, False, None)


def test_rows_last_updated_before_the_floor_do_not_count():
    found = of(seen(1), seen(2, at(6)), Seen("odd", False, at(5), at(1)), floor=at(6))
    assert (found.rows, found.others, uuid(1) in found, uuid(2) in found) == (1, {}, False, True)


def test_a_row_created_after_the_sync_began_is_fresh_and_in_no_sketch():
    found = of(seen(1, END, created=END), seen(2, NEWS, created=at(9, "23:59:59.999")))
    assert (found.is_fresh(uuid(1)), found.is_fresh(uuid(2))) == (True, False)
    assert rows_of(found.now) == {(2, False)}


def test_what_is_pending_is_in_no_sketch_but_listed():
    found = of(seen(1), seen(2), pending={uuid(2): True})
    assert rows_of(found.now) == rows_of(found.settled) == {(1, False)}
    assert uuid(2) in found


def test_the_list_before_can_have_had_what_was_created_before_it():
    found = of(seen(1), seen(2, created=WALKED), seen(3, at(5), created=at(8, "23:59:59.999")))
    assert rows_of(found.settled) == {(1, False), (3, False)}
    assert rows_of(found.now) == {(1, False), (2, False), (3, False)}
    assert numbers(found.young(True)) == [2]


def test_where_there_was_no_list_before_it_had_nothing():
    found = of(seen(1), walked=None)
    assert rows_of(found.settled) == rows_of(found.moved) == set()
    assert rows_of(found.now) == {(1, False)}


def test_what_was_stamped_since_is_apart_from_what_is_settled():
    found = of(seen(1), seen(2, BEGIN), seen(3, NEWS))
    assert rows_of(found.settled) == {(1, False)}
    assert rows_of(found.moved) == {(2, False), (3, False)}
    assert [found.was(uuid(n), True) for n in (1, 2)] == [False, False]
    assert [found.was(uuid(n), False) for n in (1, 2)] == [False, None]
    assert numbers(found.young(False)) == [2, 3]
    assert numbers(found.young(True)) == []


def test_what_was_archived_after_the_wave_is_taken_for_not_archived():
    wave = (at(9, "10:00:00.000"), uuid(5))
    found = of(
        seen(4, archived=wave[0]),
        seen(5, archived=wave[0]),
        seen(6, archived=wave[0]),
        seen(7, archived=NEWS),
        wave=wave,
    )
    assert rows_of(found.settled) == {(4, True), (5, True), (6, False), (7, False)}
    assert found.archived == {uuid(6): wave[0], uuid(7): NEWS}
    assert [found.was(uuid(n), True) for n in (5, 6)] == [True, False]
    assert [found.flag(uuid(n)) for n in (5, 6)] == [True, True]
    assert found.last_archiving == (NEWS, uuid(7))


def test_without_later_archivings_the_last_one_is_the_waves():
    assert of(seen(1), wave=(WALKED, "")).last_archiving == (WALKED, "")


def test_a_row_that_is_archived_though_nobody_says_when_was_so_before():
    found = of(Seen(uuid(1), True, at(5), at(1), None))
    assert rows_of(found.settled) == {(1, True)}


# Accounting


def test_what_comes_is_owed_until_it_was_sent_in_that_version():
    found = of(seen(1, NEWS), seen(2))
    assert list(found.owed(None)) == [uuid(1)]
    found.sent(uuid(1), at(9, "11:59:59.999"))
    assert list(found.owed(None)) == [uuid(1)]
    found.sent(uuid(1), NEWS)
    assert list(found.owed(None)) == []


def test_a_row_whose_id_is_no_uuid_is_owed_alike():
    found = of(Seen("odd", False, NEWS, at(1)))
    assert list(found.owed(at(9))) == [] and list(found.owed(NEWS)) == ["odd"]
    found.sent("odd", at(9))
    assert list(found.owed(None)) == ["odd"]
    found.sent("odd", NEWS)
    assert list(found.owed(None)) == [] and not found.comes("odd")


def test_only_what_was_stamped_up_to_a_moment_is_owed_then():
    found = of(seen(1, NEWS))
    assert list(found.owed(at(9, "11:59:59.999"))) == []
    assert list(found.owed(NEWS)) == [uuid(1)]


def test_a_row_that_was_not_listed_is_not_accounted_for():
    found = of(seen(1, NEWS))
    found.sent(uuid(2), END)
    found.sent("odd", END)
    assert list(found.owed(None)) == [uuid(1)]


@pytest.mark.parametrize("updated", ["yesterday", "2026-01-05T00:00:00.000", "9"])
def test_a_date_that_is_none_is_refused_and_leaves_no_row(updated):
    found = of()
    with pytest.raises(ValueError):
        found.take(seen(1)._replace(updated=updated))
    assert found.rows == 0


def test_a_stamp_before_1970_counts_as_its_beginning():
    found = of(seen(1, "1960-01-01T00:00:00.000Z", created="1960-01-01T00:00:00.000Z"), begin=None)
    assert list(found.owed("1970-01-01T00:00:00.000Z")) == [uuid(1)]


# Many rows


def many(number):
    rng = random.Random(number)
    for _ in range(number):
        yield Seen(id_of(rng.getrandbits(128)), False, at(5), at(1))


def test_each_of_many_rows_is_found():
    rows = list(many(3_000))
    found = of(*rows, *rows)
    assert found.rows == 3_000
    assert all(row.id in found for row in rows)
    assert not any(row.id in found for row in many(3_001))
    assert {*found.young(True)} == set() and found.settled.rows == 3_000


@pytest.mark.parametrize("ids", [("%032x", 1 << 64), ("%032x", 1)])
def test_ids_that_are_alike_in_half_of_them_are_told_apart(ids):
    form, step = ids
    alike = [id_of(int(form % (n * step), 16)) for n in range(1, 200)]
    found = of(*[Seen(one, n % 2 == 0, at(5), at(1)) for n, one in enumerate(alike)])
    assert found.rows == 199
    assert [found.flag(one) for one in alike] == [n % 2 == 0 for n in range(199)]


@pytest.mark.parametrize("place", [0, 20, 64, 104])
def test_ids_that_differ_in_few_bits_are_spread_like_others(place):
    found = of(*[Seen(id_of((n << place) + 5), False, at(5), at(1)) for n in range(1, 6_000)])
    assert found.rows == 5_999
    assert max(map(len, found._buckets)) // 3 <= 100, "a row is looked for in one of them"


@pytest.fixture
def without_sketches(monkeypatch):
    """Three sketches are as large however many rows there are; the time that they take is theirs."""
    monkeypatch.setattr(Sketch, "add", lambda sketch, number, archived: None)


def bytes_of(found):
    return sum(map(sys.getsizeof, (found._buckets, *found._buckets)))


@pytest.mark.usefixtures("without_sketches")
def test_of_ten_thousand_listed_rows_each_takes_at_most_32_bytes():
    number = 10_000
    rows = list(many(number))
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        found = Listed(SINCE)
        for row in rows:
            found.take(row)
            found.sent(row.id, NEWS)
        used = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    fixed = 3 * 3 * 8 * 1024 + 20_000  # lists of cells, and what else there is once
    assert (used - fixed) / number <= 32
    assert used - fixed <= bytes_of(found) * 1.02 <= used, "there is nothing else that grows with the rows"


@pytest.mark.parametrize("number", [12_300, 100_000])  # just after it has grown, it is the least full
@pytest.mark.usefixtures("without_sketches")
def test_of_very_many_listed_rows_each_takes_at_most_32_bytes(number):
    found = of(*many(number))
    assert found.rows == number
    assert bytes_of(found) / number <= 32


def test_a_row_is_born_where_it_was_created_since_the_cursor_begins():
    found = of(
        seen(1, created=BEGIN), seen(2), Seen("odd", False, NEWS, BEGIN), Seen("old", False, NEWS, at(1))
    )
    assert [found.is_born(one) for one in (uuid(1), uuid(2), "odd", "old")] == [True, False, True, False]
    assert of(seen(2), begin=None).is_born(uuid(2))
