"""Two sketches tell what differs between two sets of rows: all of it, or that it is too much."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_linear.sync.sketch import CAPACITY, Row, Sketch, id_of, number_of

ROWS = st.sets(st.tuples(st.integers(0, 2**128 - 1), st.booleans()), max_size=40)


def sketch(rows):
    made = Sketch()
    for row in rows:
        made.add(*row)
    return made


def rows(number, seed):
    rng = random.Random(seed)
    return {Row(rng.getrandbits(128), False) for _ in range(number)}


@settings(deadline=None, max_examples=60)
@given(both=ROWS, left=ROWS, right=ROWS)
def test_a_difference_is_what_only_one_side_holds(both, left, right):
    difference = sketch(both | left).difference(sketch(both | right))
    assert difference is not None
    assert set(map(tuple, difference.left)) == (both | left) - (both | right)
    assert set(map(tuple, difference.right)) == (both | right) - (both | left)


@settings(deadline=None, max_examples=30)
@given(kept=ROWS)
def test_a_sketch_comes_back_from_its_text(kept):
    again = Sketch.parse(sketch(kept).text())
    assert again.rows == len(kept)
    assert again.difference(sketch(kept)) == ([], [])


@pytest.mark.parametrize("seed", range(3))
def test_as_many_differences_as_it_promises_are_found(seed):
    both, left, right = rows(2_000, seed), rows(CAPACITY // 2, f"l{seed}"), rows(CAPACITY // 2, f"r{seed}")
    difference = sketch(both | left).difference(sketch(both | right))
    assert difference is not None
    assert set(difference.left) == left and set(difference.right) == right


@pytest.mark.parametrize("number", [900, 1_024, 2_000, 10_000])
def test_more_differences_are_recognised_as_too_many(number):
    both = rows(1_000, number)
    assert sketch(both | rows(number, f"more {number}")).difference(sketch(both)) is None


@pytest.mark.parametrize("number", range(520, 900, 40))
def test_a_row_that_is_told_is_never_a_wrong_one(number):
    both, more = rows(500, number), rows(number, f"more {number}")
    difference = sketch(both | more).difference(sketch(both))
    assert difference is None or set(difference.left) == more


def test_a_removed_row_is_not_held():
    kept = rows(10, 1)
    less = sketch(kept)
    removed = next(iter(kept))
    less.remove(*removed)
    assert less.difference(sketch(kept - {removed})) == ([], [])
    assert less.rows == 9


def test_rows_that_are_removed_before_they_are_added_are_a_difference_to_the_right():
    less, row = Sketch(), Row(7, True)
    less.remove(*row)
    assert less.difference(Sketch()) == ([], [row])


def test_a_copy_goes_its_own_way():
    one = sketch(rows(5, 1))
    other = one.copy()
    other.add(*next(iter(rows(1, 2))))
    assert (one.rows, other.rows) == (5, 6)
    assert one.difference(sketch(rows(5, 1))) == ([], [])


def test_all_rows_of_another_sketch_are_added_at_once():
    one, other = sketch(rows(5, 1)), sketch(rows(7, 2))
    one.add_all(other)
    assert one.rows == 12
    assert one.difference(sketch(rows(5, 1) | rows(7, 2))) == ([], [])
    assert other.rows == 7


def test_a_changed_flag_is_a_difference_on_both_sides():
    assert sketch({(5, True)}).difference(sketch({(5, False)})) == ([(5, True)], [(5, False)])


def test_a_sketch_of_very_many_rows_is_no_larger():
    assert len(sketch(rows(5, 1)).text()) < 1_000
    assert len(sketch(rows(20_000, 1)).text()) < 35_000


@pytest.mark.parametrize("text", ["", "x", "AAAA", "not base64!", sketch(set()).text()[:-8], "eJwDAAAAAAE="])
def test_what_is_not_the_text_of_a_sketch_is_refused(text):
    with pytest.raises(ValueError, match="not the text of a sketch"):
        Sketch.parse(text)


@settings(deadline=None, max_examples=50)
@given(row_id=st.uuids().map(str))
def test_an_id_comes_back_from_its_number(row_id):
    assert id_of(number_of(row_id)) == row_id


@pytest.mark.parametrize(
    "row_id",
    [
        "",
        "1234",
        "00000000-0000-4000-8000-00000000000",
        "00000000-0000-4000-8000-0000000000001",
        "00000000000040008000000000000001abcd",
        "ABCDEF00-0000-4000-8000-000000000001",
        "g0000000-0000-4000-8000-000000000001",
    ],
)
def test_an_id_that_is_no_uuid_as_linear_writes_it_has_no_number(row_id):
    assert number_of(row_id) is None


def test_the_smallest_number_still_makes_a_whole_id():
    assert id_of(1) == "00000000-0000-0000-0000-000000000001"
