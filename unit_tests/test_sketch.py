"""Two sketches tell what differs between two sets of rows: all of it, or that it is too much."""

import random
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_linear.sync.sketch import CAPACITY, IdFilter, Sketch

ROWS = st.sets(st.tuples(st.uuids().map(str), st.booleans()), max_size=60)


def sketch(rows):
    made = Sketch()
    for row_id, archived in rows:
        made.add(row_id, archived)
    return made


def some_ids(number, seed):
    rng = random.Random(seed)
    return [str(UUID(int=rng.getrandbits(128))) for _ in range(number)]


def rows(number, seed):
    return {(row_id, False) for row_id in some_ids(number, seed)}


@settings(deadline=None, max_examples=150)
@given(both=ROWS, left=ROWS, right=ROWS)
def test_a_difference_is_what_only_one_side_holds(both, left, right):
    difference = sketch(both | left).difference(sketch(both | right))
    assert difference is not None
    assert set(map(tuple, difference.left)) == (both | left) - (both | right)
    assert set(map(tuple, difference.right)) == (both | right) - (both | left)


@settings(deadline=None, max_examples=50)
@given(held=ROWS)
def test_a_sketch_comes_back_from_its_text(held):
    again = Sketch.parse(sketch(held).text())
    difference = again.difference(sketch(held))
    assert again.rows == len(held)
    assert difference is not None and difference == ([], [])


@pytest.mark.parametrize("seed", range(5))
def test_as_many_differences_as_it_promises_are_found(seed):
    both, left, right = rows(3_000, seed), rows(CAPACITY // 2, f"l{seed}"), rows(CAPACITY // 2, f"r{seed}")
    difference = sketch(both | left).difference(sketch(both | right))
    assert difference is not None
    assert set(map(tuple, difference.left)) == left and set(map(tuple, difference.right)) == right


@pytest.mark.parametrize("number", [900, 1_024, 2_000, 20_000])
@pytest.mark.parametrize("seed", range(3))
def test_more_differences_are_recognised_as_too_many(number, seed):
    both = rows(1_000, seed)
    assert sketch(both | rows(number, f"more {seed}")).difference(sketch(both)) is None


@pytest.mark.parametrize("number", range(520, 900, 20))
def test_a_row_that_is_told_is_never_a_wrong_one(number):
    both, more = rows(500, number), rows(number, f"more {number}")
    difference = sketch(both | more).difference(sketch(both))
    assert difference is None or set(map(tuple, difference.left)) == more


def test_a_removed_row_is_not_held():
    held = rows(10, 1)
    less = sketch(held)
    removed = next(iter(held))
    less.remove(*removed)
    assert less.difference(sketch(held - {removed})) == ([], [])
    assert less.rows == 9


def test_a_copy_goes_its_own_way():
    one = sketch(rows(5, 1))
    other = one.copy()
    other.add(*next(iter(rows(1, 2))))
    assert one.rows == 5 and other.rows == 6
    assert one.difference(sketch(rows(5, 1))) == ([], [])


def test_a_changed_flag_is_a_difference_on_both_sides():
    row_id = some_ids(1, 1)[0]
    assert sketch({(row_id, True)}).difference(sketch({(row_id, False)})) == (
        [(row_id, True)],
        [(row_id, False)],
    )


def test_a_sketch_of_very_many_rows_is_no_larger():
    assert len(sketch(rows(5, 1)).text()) < 1_000
    assert len(sketch(rows(20_000, 1)).text()) < 35_000


@pytest.mark.parametrize(
    "text", ["", "x", "AAAA", "not base64!", sketch(set()).text()[:-8], IdFilter().text()]
)
def test_what_is_not_the_text_of_a_sketch_is_refused(text):
    with pytest.raises(ValueError, match="not the text of a sketch"):
        Sketch.parse(text)


def test_an_id_that_is_not_a_uuid_is_refused():
    with pytest.raises(ValueError):
        Sketch().add("1234", False)


def test_a_filter_forgets_nothing_and_takes_few_for_what_they_are_not():
    known, others, made = some_ids(1_000, 1), some_ids(3_000, 2), IdFilter()
    for one in known:
        made.add(one)
    again = IdFilter.parse(made.text())
    assert all(one in again for one in known)
    assert sum(one in again for one in others) < 15
    assert len(again.text()) < 6_000
