"""The copy: a difference between it and Linear goes away only by being sent."""

from dataclasses import replace

import pytest

from source_linear.state import MOST_LATE, MOST_NEW, MOST_OTHERS, MOST_PENDING, StreamState, looked_back
from source_linear.sync.copy import Copy
from source_linear.sync.listed import Seen, Since
from source_linear.sync.sketch import CAPACITY
from unit_tests.sync.parts import at, held, listed, numbers, seen, sketch, stream, uuid

LOOKBACK = stream().lookback
WALKED, END = at(9), at(10)
OLD = at(5)
# What a sync left that was whole: rows 1, 2 and 3, none of them archived.
SETTLED = StreamState(cursor=WALKED, copy=sketch(1, 2, 3), walked=WALKED, high=WALKED, due=False)


def since(state, end=END):
    return Since(
        begin=looked_back(state.cursor, LOOKBACK) if state.cursor else None,
        walked=state.walked,
        moved=looked_back(state.walked, LOOKBACK) if state.walked else "",
        end=end,
        wave=state.wave,
        pending=state.pending,
    )


def nothing(ids):
    return {}


def walked(state, *rows, confirm=nothing, reports=True, last=True):
    """A copy that was compared with a list of these rows."""
    copy = Copy(state, END, True, reports)
    copy.take(listed(*rows, since=since(state)), confirm, last)
    return copy


def unlisted(state=SETTLED, tracks=True):
    """A copy in a sync that walks no list."""
    return Copy(state, END, tracks)


def rows(*places, **more):
    return [seen(number, **more) for number in places]


def pending(copy):
    return {int(row_id[-12:], 16): doubt for row_id, doubt in copy.state().pending.items()}


def sent(copy, row):
    """A row is announced and sent: its cursor."""
    assert copy.announce([row]) == [row]
    return copy.send(row)


# Gone


def test_a_row_that_is_not_listed_and_not_there_when_asked_for_is_to_be_reported():
    copy = walked(SETTLED, *rows(1, 2))
    assert pending(copy) == {3: True}
    assert held(copy.state()) == {1: False, 2: False}


def test_linear_is_asked_for_the_ids_of_the_rows_that_seem_gone_and_for_no_others():
    asked = []
    walked(SETTLED, *rows(2), confirm=lambda ids: asked.append(list(ids)) or {})
    assert asked == [[uuid(1), uuid(3)]]


def test_linear_is_not_asked_where_nothing_is_gone():
    asked = []
    walked(SETTLED, *rows(1, 2, 3), confirm=lambda ids: asked.append(ids) or {})
    assert asked == []


def test_a_row_that_is_there_when_asked_for_is_not_gone_the_list_was_short():
    copy = walked(SETTLED, *rows(1, 2), confirm=lambda ids: {uuid(3): seen(3)})
    assert pending(copy) == {}
    assert held(copy.state()) == {1: False, 2: False, 3: False}


def test_a_row_that_is_there_but_cannot_be_read_is_asked_for_again():
    state = replace(SETTLED, copy=sketch(1, 2, 3, archived=[3]))
    copy = walked(state, *rows(1, 2), confirm=lambda ids: {uuid(3): None})
    assert pending(copy) == {3: True}
    assert held(copy.state()) == {1: False, 2: False}


def test_where_linear_does_not_say_what_is_there_nothing_is_gone():
    copy = walked(SETTLED, *rows(1), confirm=lambda ids: None)
    assert pending(copy) == {}
    assert held(copy.state()) == {1: False, 2: False, 3: False}


def test_where_linear_does_not_say_what_is_there_a_promise_holds_the_cursor():
    for due, cursor in ((True, WALKED), (False, END)):
        copy = walked(replace(SETTLED, due=due), *rows(1, 2), confirm=lambda ids: None)
        copy.account(None)
        assert copy.state().cursor == cursor


def test_where_nobody_can_be_asked_a_list_that_lacks_rows_is_walked_once_more():
    pending_ = replace(SETTLED, copy=sketch(1, 2), pending={uuid(3): False})
    for state in (SETTLED, pending_):
        copy = Copy(state, END, True)
        assert not copy.take(listed(*rows(1, 2), since=since(state)), None, last=False)
        assert copy.listed is None and pending(copy) == dict.fromkeys(map(int, pending(copy)), False)
        assert copy.take(listed(*rows(1, 2), since=since(state)), None)
        assert (list(pending(copy)), copy.gone) == ([3], {uuid(3)})


def test_where_nobody_can_be_asked_a_list_that_lacks_no_row_is_taken_at_once():
    copy = Copy(SETTLED, END, True)
    assert copy.take(listed(*rows(1, 2, 3), since=since(SETTLED)), None, last=False)
    assert (pending(copy), copy.gone) == ({}, frozenset())
    log = Copy(SETTLED, END, True, False)
    assert log.take(listed(*rows(1), since=since(SETTLED)), None, last=False)


def test_a_log_reports_nothing_and_asks_for_nothing():
    asked = []
    copy = walked(SETTLED, *rows(1), confirm=lambda ids: asked.append(ids) or {}, reports=False)
    assert pending(copy) == {}
    assert asked == []


def test_a_row_that_is_pending_is_not_asked_for_as_gone():
    state = replace(SETTLED, copy=sketch(1, 2), pending={uuid(3): False})
    asked = []
    copy = walked(state, *rows(1, 2), confirm=lambda ids: asked.append(ids) or {})
    assert asked == []
    assert pending(copy) == {3: False}


# Apart


def test_a_row_that_the_copy_lacks_and_no_cursor_brings_is_to_be_sent_and_may_be_deleted():
    copy = walked(SETTLED, *rows(1, 2, 3, 4, updated=OLD))
    assert pending(copy) == {4: True}
    assert held(copy.state()) == {1: False, 2: False, 3: False}


def test_a_row_that_the_copy_has_with_another_flag_is_to_be_sent_and_keeps_its_stamp():
    state = replace(SETTLED, copy=sketch(1, 2, 3, archived=[2]))
    copy = walked(state, *rows(1, 2, 3, updated=OLD))
    assert pending(copy) == {2: False}
    assert held(copy.state()) == {1: False, 3: False}
    assert sent(copy, seen(2, OLD)) == OLD
    assert held(copy.state()) == {1: False, 2: False, 3: False}


def test_a_row_that_was_archived_unstamped_since_the_list_before_is_apart():
    copy = walked(SETTLED, *rows(1, 2), seen(3, OLD, archived=at(9, "12:00:00.000")))
    assert pending(copy) == {3: False}


def test_a_row_that_was_archived_before_the_list_before_is_not_apart():
    state = replace(SETTLED, copy=sketch(1, archived=[1]), wave=(at(9), ""))
    copy = walked(state, seen(1, OLD, archived=at(8)))
    assert pending(copy) == {}
    assert held(copy.state()) == {1: True}


def test_a_row_that_the_cursor_brings_is_not_apart_and_the_copy_promises_it():
    news = at(9, "12:00:00.000")
    copy = walked(SETTLED, *rows(1, 2, 3), seen(4, news, created=news), seen(5, news, created=OLD))
    assert pending(copy) == {}
    assert held(copy.state()) == {1: False, 2: False, 3: False, 4: False, 5: False}


def test_a_row_that_is_not_listed_but_shown_with_another_flag_is_apart():
    shown = {uuid(3): seen(3, OLD, archived=at(9, "12:00:00.000"))}
    copy = walked(SETTLED, *rows(1, 2), confirm=lambda ids: shown)
    assert pending(copy) == {3: False}
    assert held(copy.state()) == {1: False, 2: False}


def test_a_row_that_is_not_listed_but_shown_and_changed_is_brought_by_the_cursor():
    news = at(9, "12:00:00.000")
    copy = walked(SETTLED, *rows(1, 2), confirm=lambda ids: {uuid(3): seen(3, news, archived=news)})
    assert pending(copy) == {}
    copy.account(None)
    assert pending(copy) == {3: False}, "it did not come"


def test_from_the_beginning_over_a_copy_rows_not_in_it_may_stand_there_as_deleted():
    state = replace(SETTLED, cursor=None, due=True)
    young = at(9, "12:00:00.000")
    copy = walked(state, *rows(1, 2, 3, 4, updated=OLD), seen(5, young, created=young))
    assert pending(copy) == {4: True}, "5 was created since: no tombstone can stand against it"


def test_from_the_beginning_over_a_copy_other_ids_and_shown_rows_are_judged_alike():
    state = replace(SETTLED, cursor=None, due=True, others={})
    young = at(9, "12:00:00.000")
    strange = [Seen("odd-old", False, OLD, at(1)), Seen("odd-young", False, young, young)]
    copy = walked(state, *rows(1, 2, 3), *strange)
    assert copy.state().pending == {"odd-old": True}


def test_the_first_read_of_all_promises_all_and_names_nothing():
    copy = walked(StreamState(), *rows(1, 2, 3))
    assert pending(copy) == {}
    assert held(copy.state()) == {1: False, 2: False, 3: False}


def test_a_cursor_of_others_is_taken_to_have_sent_all_that_is_listed():
    copy = walked(StreamState(cursor=WALKED), *rows(1, 2), seen(3, OLD, archived=at(3)))
    assert pending(copy) == {}
    assert held(copy.state()) == {1: False, 2: False, 3: True}


def test_a_pending_row_is_in_the_copy_only_once_it_was_sent():
    state = replace(SETTLED, pending={uuid(4): True})
    copy = walked(state, *rows(1, 2, 3, 4, updated=OLD))
    assert held(copy.state()) == {1: False, 2: False, 3: False}
    copy.ahead([seen(4, OLD)])
    copy.send(seen(4, OLD))
    assert held(copy.state()) == {1: False, 2: False, 3: False, 4: False}
    assert pending(copy) == {}


# Rows sent since the last list


def test_a_new_row_that_is_listed_is_known_to_be_there():
    state = replace(SETTLED, new={uuid(4): False})
    copy = walked(state, *rows(1, 2, 3), seen(4, OLD, created=WALKED))
    assert pending(copy) == {}
    assert copy.state().new == {}
    assert held(copy.state()) == {1: False, 2: False, 3: False, 4: False}


def test_a_new_row_that_is_gone_is_reported():
    copy = walked(replace(SETTLED, new={uuid(4): False}), *rows(1, 2, 3))
    assert pending(copy) == {4: True}


def test_a_row_that_was_reported_without_a_list_and_is_there_again_is_sent():
    copy = walked(replace(SETTLED, new={uuid(3): None}), *rows(1, 2, 3))
    assert pending(copy) == {3: True}


def test_a_row_that_was_reported_without_a_list_is_not_reported_twice():
    copy = walked(replace(SETTLED, new={uuid(3): None}), *rows(1, 2))
    assert pending(copy) == {}
    assert held(copy.state()) == {1: False, 2: False}


def test_a_new_row_with_another_flag_than_listed_is_apart():
    state = replace(SETTLED, new={uuid(4): True})
    assert pending(walked(state, *rows(1, 2, 3, 4))) == {4: False}


def test_a_row_created_after_the_sync_began_is_named_as_new_once_it_is_sent():
    fresh = seen(4, at(10, "00:00:01.000"), created=at(10, "00:00:00.000"))
    copy = walked(SETTLED, *rows(1, 2, 3), fresh)
    assert held(copy.state()) == {1: False, 2: False, 3: False}
    assert copy.announce([fresh]) == [fresh]
    assert pending(copy) == {4: False}, "it is named before it is sent"
    copy.send(fresh)
    assert copy.state().new == {uuid(4): False}
    assert pending(copy) == {}


def test_a_new_row_that_was_created_after_this_sync_began_stays_named():
    fresh = seen(4, END, created=END)
    state = replace(SETTLED, new={uuid(4): False, uuid(5): False})
    copy = walked(state, *rows(1, 2, 3), fresh, seen(5, OLD, created=WALKED))
    assert copy.state().new == {uuid(4): False}


# Bounds of what is pending


def test_what_does_not_fit_into_pending_differs_still_and_is_seen_by_the_next_list():
    many = range(1, MOST_PENDING + 6)
    state = replace(SETTLED, copy=sketch(1, 2, 3), others={})
    state = replace(state, new={uuid(n): False for n in many if n > 3})  # more than a sketch could tell
    copy = walked(state)
    assert len(pending(copy)) == MOST_PENDING
    left = set(many) - set(pending(copy))
    assert set(held(copy.state(), many)) == left
    for one in list(copy.pending)[:2]:
        copy.pending.pop(one)
    assert len(copy.fill()) == 2
    assert set(held(copy.state(), many)) == left - set(pending(copy))
    copy.account(None)
    assert copy.state().due, "not all of it has a name"


def test_the_cursor_stays_where_what_is_gone_had_been_promised_and_has_no_name():
    state = replace(SETTLED, pending={uuid(1000 + n): False for n in range(MOST_PENDING)})
    for due, cursor in ((True, WALKED), (False, END)):
        copy = walked(replace(state, due=due), *rows(1, 2))
        copy.account(None)
        assert (copy.state().cursor, copy.state().due) == (cursor, True)


def test_tombstones_come_before_rows_that_are_apart():
    state = replace(SETTLED, pending={uuid(1000 + n): False for n in range(MOST_PENDING - 1)})
    copy = walked(state, *rows(1, 2, 4))
    assert set(pending(copy)) & {3, 4} == {3}


def wave_of(number):
    """The list after so many rows were archived, one each minute, unstamped."""
    moments = [at(9, f"{6 + n // 60:02}:{n % 60:02}:00.000") for n in range(number)]
    return [seen(n + 1, OLD, archived=moment) for n, moment in enumerate(moments)], moments


def test_more_archivings_than_pending_holds_are_named_one_wave_after_the_other():
    number = MOST_PENDING + 50
    archived, moments = wave_of(number)
    every = range(1, number + 1)
    copy = walked(replace(SETTLED, copy=sketch(*every), wave=(WALKED, "")), *archived)
    assert sorted(pending(copy)) == list(range(1, MOST_PENDING + 1)), "the first ones by their time"
    assert held(copy.state()) == dict.fromkeys(range(MOST_PENDING + 1, number + 1), False)
    assert copy.state().wave == (moments[MOST_PENDING - 1], uuid(MOST_PENDING))
    for row in archived[:MOST_PENDING]:
        copy.send(row)
    copy.account(None)
    state = copy.state()
    assert state.due
    # The next sync: those that were not sent are taken for not archived, as the copy has them.
    again = Copy(replace(state, high=END), END, True)
    again.take(listed(*archived, since=since(replace(state, walked=WALKED))), nothing)
    assert sorted(pending(again)) == list(range(MOST_PENDING + 1, number + 1))


def test_once_all_archivings_are_named_the_last_one_is_known_to_the_destination():
    archived, moments = wave_of(5)
    copy = walked(replace(SETTLED, copy=sketch(1, 2, 3, 4, 5), wave=(WALKED, "")), *archived)
    assert copy.state().wave == (moments[-1], uuid(5))


def test_as_long_as_some_have_no_name_the_wave_does_not_pass_them():
    archived, moments = wave_of(4)
    full = {uuid(1000 + n): False for n in range(MOST_PENDING - 2)}
    state = replace(SETTLED, copy=sketch(1, 2, 3, 4), wave=(WALKED, ""), pending=full)
    copy = walked(state, *archived)
    assert copy.state().wave == (moments[1], uuid(2))
    copy.pending.clear()
    copy.fill()
    assert copy.state().wave == (moments[3], uuid(4))


def test_a_wave_that_names_none_stays_where_it_was():
    archived, _ = wave_of(2)
    full = {uuid(1000 + n): False for n in range(MOST_PENDING)}
    state = replace(SETTLED, copy=sketch(1, 2), wave=(WALKED, ""), pending=full)
    assert walked(state, *archived).state().wave == (WALKED, "")


# More than a sketch can tell


def test_a_list_that_differs_too_much_is_taken_only_where_it_is_what_there_is():
    many = range(1, CAPACITY + 300)
    state = replace(SETTLED, copy=sketch(*many))
    copy = Copy(state, END, True)
    assert copy.take(listed(since=since(state)), nothing, last=False) is False
    assert (copy.listed, copy.is_unsure, copy.state().due) == (None, False, False)
    assert copy.take(listed(*rows(1, 2), since=since(state)), nothing) is True
    assert copy.is_unsure and copy.state().unsure
    assert (pending(copy), held(copy.state())) == ({}, {1: False, 2: False})


def test_rows_created_since_the_last_list_are_no_differences():
    young = [seen(n, at(9, "12:00:00.000"), created=at(9, "11:00:00.000")) for n in range(10, 900)]
    copy = walked(SETTLED, *rows(1, 2), *young)
    assert not copy.is_unsure
    assert pending(copy) == {3: True}


def test_an_import_of_old_rows_is_left_out_where_it_is_too_much():
    imported = [seen(n, at(9, "12:00:00.000"), created=at(2)) for n in range(10, 900)]
    copy = walked(SETTLED, *rows(1, 2), *imported)
    assert not copy.is_unsure
    assert pending(copy) == {3: True}
    assert set(held(walked(SETTLED, *rows(1, 2), *imported[:40]).state())) == {1, 2, *range(10, 50)}


def test_rows_of_the_copy_that_changed_since_the_last_list_are_no_differences():
    many = range(1, 701)
    state = replace(SETTLED, copy=sketch(*many))
    copy = walked(state, *(seen(n, at(9, "12:00:00.000")) for n in many if n != 7))
    assert not copy.is_unsure
    assert pending(copy) == {7: True}


def test_where_nothing_was_sent_the_first_list_is_taken_at_once():
    copy = Copy(StreamState(), END, True)
    assert copy.take(listed(*rows(1, 2), since=since(StreamState())), nothing, last=False)
    assert (copy.is_unsure, pending(copy)) == (False, {})


def test_rows_archived_since_the_last_list_are_no_differences():
    archived, _ = wave_of(600)
    copy = walked(replace(SETTLED, copy=sketch(*range(1, 601)), wave=(WALKED, "")), *archived)
    assert not copy.is_unsure
    assert len(pending(copy)) == 600


def test_as_many_differences_as_a_sketch_tells_are_taken_as_they_are():
    copy = walked(replace(SETTLED, copy=sketch(*range(1, CAPACITY + 1))))
    assert not copy.is_unsure
    assert len(pending(copy)) == CAPACITY


def test_one_difference_more_than_a_sketch_promises_is_unsure():
    assert walked(replace(SETTLED, copy=sketch(*range(1, CAPACITY + 2)))).is_unsure


def test_what_is_unsure_stays_so():
    copy = walked(replace(SETTLED, unsure=True), *rows(1, 2, 3))
    assert copy.state().unsure


# Ids that no sketch can hold


def odd(number, updated=OLD, archived=None):
    return Seen(f"odd{number}", archived is not None, updated, at(1), archived)


def test_rows_whose_ids_are_no_uuids_are_named():
    copy = walked(StreamState(), odd(1), odd(2, archived=at(3)))
    assert copy.state().others == {"odd1": False, "odd2": True}


def test_a_row_whose_id_is_no_uuid_is_seen_to_be_gone_or_apart():
    state = replace(SETTLED, others={"odd1": False, "odd2": False, "odd3": False})
    copy = walked(state, *rows(1, 2, 3), odd(2, archived=at(3)), odd(3), odd(4))
    assert copy.state().pending == {"odd1": True, "odd2": False, "odd4": True}
    assert copy.state().others == {"odd3": False}


def test_as_many_of_them_are_named_as_a_state_may_and_the_others_are_taken_for_sent():
    many = [odd(n) for n in range(MOST_OTHERS + 6)]
    first = walked(StreamState(), *many)
    for row in many:
        sent(first, row)
    first.account(None)
    state = first.state()
    assert (len(state.others), state.pending) == (MOST_OTHERS, {})
    again = Copy(state, at(11), True)
    again.take(listed(*many, since=since(state, at(11))), nothing)
    assert again.state().pending == {}


def test_a_row_whose_id_is_no_uuid_leaves_the_copy_as_one_with_it_does():
    copy = walked(replace(SETTLED, others={"odd1": False}), *rows(1, 2, 3), odd(1))
    copy.leave_out(["odd1"])
    assert copy.state().others == {}
    assert sent(copy, odd(1)) == OLD
    assert copy.state().others == {"odd1": False}


# Sending


def test_a_row_that_the_copy_has_keeps_linears_stamp():
    news = at(9, "12:00:00.000")
    copy = walked(SETTLED, seen(1, news), *rows(2, 3))
    assert sent(copy, seen(1, news)) == news


def test_a_row_that_may_stand_there_as_deleted_takes_high_and_is_late():
    copy = walked(SETTLED, *rows(1, 2, 3, 4, updated=OLD))
    copy.ahead([seen(4, OLD)])
    assert copy.send(seen(4, OLD)) == END
    assert copy.state().late == {uuid(4): END}


def test_a_late_row_keeps_its_cursor_until_its_stamp_has_passed_it():
    state = replace(SETTLED, late={uuid(1): at(9, "10:00:00.000"), uuid(2): at(9, "10:00:00.000")})
    copy = walked(state, *rows(1, 2, 3))
    assert sent(copy, seen(1, at(9, "09:00:00.000"))) == at(9, "10:00:00.000")
    assert sent(copy, seen(2, at(9, "11:00:00.000"))) == at(9, "11:00:00.000")
    assert copy.state().late == {uuid(1): at(9, "10:00:00.000")}


def test_a_row_whose_stamp_equals_its_late_cursor_is_no_longer_late():
    copy = unlisted(replace(SETTLED, late={uuid(1): at(9, "10:00:00.000")}))
    assert sent(copy, seen(1, at(9, "10:00:00.000"))) == at(9, "10:00:00.000")
    assert copy.state().late == {}


def test_more_late_rows_than_can_be_named_let_all_that_are_sent_by_id_take_high():
    late = {uuid(1000 + n): at(9, "01:00:00.000") for n in range(MOST_LATE - 1)}
    had = range(1000, 1000 + MOST_LATE)
    pending_ones = {uuid(n): True for n in (4, 5)} | {uuid(1): False}
    state = replace(SETTLED, copy=sketch(2, 3, *had), late=late, pending=pending_ones)
    copy = walked(state, *rows(1, 2, 3, 4, 5, *had))
    copy.send(seen(4))
    assert (len(copy.state().late), copy.state().crowded) == (MOST_LATE, False)
    copy.send(seen(5))
    assert (len(copy.state().late), copy.state().crowded) == (MOST_LATE, True)
    copy.ahead([seen(1), seen(2)])
    assert pending(copy) == {1: True}
    assert copy.send(seen(1)) == END


def test_however_many_rows_are_gone_those_that_are_there_keep_linears_stamps():
    many = range(1000, 1000 + MOST_LATE + 50)
    copy = walked(replace(SETTLED, copy=sketch(1, 2, 3, *many)), *rows(1, 3), seen(2, archived=at(9)))
    assert len(copy.lose([uuid(n) for n in many])) == len(many)
    for n in many:
        copy.report(uuid(n))
    copy.ahead([seen(2, archived=at(9))])
    assert copy.send(seen(2, archived=at(9))) == OLD
    assert (len(copy.state().late), copy.state().crowded) == (MOST_LATE, False)
    # A row that is sent ahead of its stamp takes the place of those that are gone.
    copy.pending[uuid(3)] = True
    assert copy.send(seen(3)) > OLD
    assert (copy.state().late.keys(), copy.state().crowded) == ({uuid(3)}, False)


def test_without_deletions_being_looked_for_many_tombstones_let_rows_by_id_take_high():
    many = [uuid(n) for n in range(1000, 1001 + MOST_LATE)]
    copy = unlisted(replace(SETTLED, pending=dict.fromkeys(many, True)), tracks=False)
    copy.lose(many)
    for one in many:
        copy.report(one)
    assert copy.state().crowded


def test_a_row_that_appears_with_an_old_stamp_may_have_been_reported_though_the_cursor_brings_it():
    state = replace(SETTLED, copy=sketch(1, 2))
    known = replace(since(state), by_archiving=True)
    archived = seen(3, OLD, archived=at(9, "12:00:00.000"))
    copy = Copy(state, END, True)
    copy.take(listed(*rows(1, 2), archived, since=known), nothing)
    assert pending(copy) == {3: True}
    stamped = seen(3, at(9, "12:00:00.000"), archived=at(9, "12:00:00.000"))
    copy = Copy(state, END, True)
    copy.take(listed(*rows(1, 2), stamped, since=known), nothing)
    assert pending(copy) == {}


def test_a_late_row_that_is_named_already_changes_its_cursor_though_there_is_no_room():
    late = {uuid(n): at(9, "01:00:00.000") for n in range(1, MOST_LATE + 1)}
    copy = unlisted(replace(SETTLED, late=late, pending={uuid(1): True}))
    copy.send(seen(1))
    assert copy.state().late[uuid(1)] == END
    assert not copy.state().crowded


def test_no_cursor_above_high_is_sent_and_high_never_goes_back():
    later = at(10, "00:00:05.000")
    copy = walked(SETTLED, *rows(1, 2, 3))
    assert copy.state().high == END
    copy.announce([seen(1, later), seen(2, at(9))])
    assert copy.state().high == later
    assert Copy(replace(SETTLED, high=at(20)), END, True).state().high == at(20)


def test_rows_that_were_asked_for_by_id_raise_high_before_any_of_them_is_sent():
    later = at(10, "00:00:05.000")
    copy = unlisted(replace(SETTLED, pending={uuid(1): True, uuid(2): True}))
    copy.ahead([seen(1, later), seen(2, OLD)])
    assert copy.state().high == later
    assert copy.send(seen(2, OLD)) == later


def test_an_older_version_of_a_row_never_follows_a_newer_one():
    copy = unlisted()
    newer, older = seen(1, at(9, "12:00:00.000")), seen(1, at(9, "11:00:00.000"))
    sent(copy, newer)
    assert copy.announce([older, newer, seen(2)]) == [seen(2)]
    newest = seen(1, at(9, "13:00:00.000"))
    assert copy.announce([newest]) == [newest]


@pytest.mark.parametrize("row", [seen(1, END), seen(4, OLD), seen(1, at(10, "01:00:00.000"))])
def test_a_version_that_was_sent_is_not_sent_again_whether_it_was_listed_or_not(row):
    copy = walked(SETTLED, seen(1, END), *rows(2, 3))
    sent(copy, row)
    assert copy.announce([row]) == []


def test_what_is_pending_or_late_is_remembered_once_it_was_sent():
    state = replace(SETTLED, pending={uuid(4): True}, late={uuid(1): at(9)})
    copy = walked(state, *rows(1, 2, 3, 4))
    copy.send(seen(4))
    sent(copy, seen(1))
    assert copy.announce([seen(4), seen(1), seen(2)]) == [seen(2)]


# Announcing


def test_without_a_list_a_row_is_pending_before_it_is_sent_and_new_afterwards():
    copy = unlisted()
    row = seen(4, archived=at(4))
    assert copy.announce([row]) == [row]
    assert (pending(copy), copy.state().new) == ({4: False}, {})
    copy.send(row)
    assert (pending(copy), copy.state().new) == ({}, {uuid(4): True})


def test_without_a_list_a_row_that_is_named_with_its_flag_is_not_named_again():
    copy = unlisted(replace(SETTLED, new={uuid(4): False}))
    copy.announce([seen(4)])
    assert pending(copy) == {}
    copy.announce([seen(4, archived=at(4))])
    assert pending(copy) == {4: False}


def test_without_a_list_the_copy_stays_as_it_is():
    copy = unlisted()
    sent(copy, seen(4))
    assert held(copy.state()) == {1: False, 2: False, 3: False}


def test_no_more_rows_are_sent_without_a_list_than_can_be_named_as_new():
    copy = unlisted(replace(SETTLED, new={uuid(1000 + n): False for n in range(MOST_NEW - 1)}))
    assert copy.announce([seen(4), seen(5), seen(6)]) == [seen(4)]
    copy.send(seen(4))
    copy.account(None)
    assert (copy.state().cursor, copy.state().due) == (WALKED, True)
    assert len(copy.state().new) == MOST_NEW


def test_no_more_rows_are_sent_without_a_list_than_pending_holds():
    copy = unlisted(replace(SETTLED, pending={uuid(1000 + n): False for n in range(MOST_PENDING - 1)}))
    assert copy.announce([seen(4), seen(5)]) == [seen(4)]
    copy.account(None)
    assert copy.state().cursor == WALKED


def test_rows_that_were_named_before_need_no_room():
    full = {uuid(1000 + n): False for n in range(MOST_NEW)}
    copy = unlisted(replace(SETTLED, new=full))
    named = seen(1000, archived=at(4))
    assert copy.announce([named]) == [named]


def test_with_a_list_a_row_that_is_sent_is_in_the_copy_with_its_flag():
    news = at(9, "12:00:00.000")
    copy = walked(SETTLED, seen(1, news), *rows(2, 3))
    copy.announce([seen(1, news, archived=news)])
    assert held(copy.state()) == {1: True, 2: False, 3: False}
    assert pending(copy) == {}


def test_where_deletions_are_not_looked_for_nothing_of_the_rows_is_remembered():
    copy = unlisted(replace(SETTLED, new={uuid(9): False}, others={"odd": True}), tracks=False)
    sent(copy, seen(4))
    copy.account(None)
    state = copy.state()
    assert (state.copy, state.walked, state.new, state.others, state.pending) == (None, None, {}, {}, {})
    assert state.cursor == END


# Reporting


def test_a_tombstone_is_announced_and_a_row_that_comes_after_it_wins():
    copy = walked(SETTLED, *rows(1, 2))
    assert copy.lose([uuid(3)]) == [uuid(3)]
    announced = copy.state()
    assert announced.pending == {uuid(3): True}
    assert announced.high == at(10, "00:00:00.001")
    assert copy.report(uuid(3)) == END
    assert copy.state().late == {uuid(3): at(10, "00:00:00.001")}
    assert pending(copy) == {}
    assert sent(copy, seen(3, OLD)) == at(10, "00:00:00.001")


def test_several_tombstones_of_one_page_take_the_same_cursor():
    copy = walked(SETTLED, *rows(1))
    copy.lose([uuid(2), uuid(3)])
    assert {copy.report(uuid(2)), copy.report(uuid(3))} == {END}


def test_a_tombstone_without_a_list_is_named_for_the_next_one():
    copy = unlisted(replace(SETTLED, pending={uuid(3): False}))
    assert copy.lose([uuid(3)]) == [uuid(3)]
    assert pending(copy) == {3: True}
    copy.report(uuid(3))
    assert copy.state().new == {uuid(3): None}


def test_a_tombstone_with_a_list_needs_no_name():
    copy = walked(SETTLED, *rows(1, 2))
    copy.lose([uuid(3)])
    copy.report(uuid(3))
    assert copy.state().new == {}


def test_a_row_that_nobody_waits_for_is_not_reported():
    copy = walked(SETTLED, *rows(1, 2, 3))
    assert copy.lose([uuid(7)]) == []
    assert copy.state().high == END


def test_of_a_log_a_row_that_is_gone_is_waited_for_no_more():
    copy = Copy(replace(SETTLED, pending={uuid(3): False}), END, True, False)
    assert copy.lose([uuid(3)]) == []
    assert copy.state().pending == {}


# Accounting


def news(*places):
    return [seen(n, at(9, f"{n:02}:00:00.000"), created=at(9, f"{n:02}:00:00.000")) for n in places]


def test_what_the_list_says_is_to_come_and_did_not_is_pending_before_the_cursor_passes_it():
    copy = walked(SETTLED, *rows(1, 2, 3), *news(11, 12))
    sent(copy, news(11)[0])
    copy.account(None)
    state = copy.state()
    assert (state.cursor, pending(copy)) == (END, {12: False})
    assert set(held(state)) == {1, 2, 3, 11}


def test_what_is_stamped_after_a_moment_is_not_owed_at_that_moment():
    copy = walked(SETTLED, *rows(1, 2, 3), *news(11, 12))
    copy.account(at(9, "11:30:00.000"))
    assert (copy.state().cursor, pending(copy)) == (at(9, "11:30:00.000"), {11: False})
    copy.account(at(9, "12:00:00.000"))
    assert pending(copy) == {11: False, 12: False}


def test_a_row_that_was_sent_in_an_older_version_than_listed_is_owed():
    row = news(11)[0]
    copy = walked(SETTLED, *rows(1, 2, 3), row)
    sent(copy, row._replace(updated=at(9, "10:00:00.000")))
    copy.account(None)
    assert pending(copy) == {11: False}


def test_more_than_can_be_named_is_owed_and_the_cursor_stays_but_reading_goes_on():
    full = {uuid(1000 + n): False for n in range(MOST_PENDING - 1)}
    copy = walked(replace(SETTLED, pending=full), *rows(1, 2, 3), *news(11, 12))
    copy.account(at(9, "11:30:00.000"))
    assert copy.state().cursor == at(9, "11:30:00.000")
    copy.account(None)
    assert copy.state().cursor == at(9, "11:30:00.000")
    assert len(pending(copy)) == MOST_PENDING
    assert copy.state().due


def test_a_cursor_does_not_go_back():
    copy = walked(SETTLED, *rows(1, 2, 3))
    copy.account(at(8))
    assert copy.state().cursor == WALKED


def test_the_next_sync_walks_until_the_promises_of_a_list_were_kept():
    copy = walked(SETTLED, *rows(1, 2, 3))
    assert copy.state().due
    copy.account(at(9, "12:00:00.000"))
    assert copy.state().due
    copy.account(None)
    assert not copy.state().due


def test_a_sync_without_a_list_that_ends_well_lets_the_next_one_do_without():
    copy = unlisted(replace(SETTLED, due=False))
    sent(copy, seen(4))
    copy.account(None)
    assert (copy.state().cursor, copy.state().due) == (END, False)


def test_more_new_rows_than_can_be_named_make_the_next_list_due():
    copy = unlisted(replace(SETTLED, new={uuid(1000 + n): False for n in range(MOST_NEW + 1)}))
    copy.account(None)
    assert (copy.state().cursor, copy.state().due) == (END, True)


def test_a_new_row_that_is_owed_is_pending_and_no_longer_new():
    fresh = seen(4, END, created=END)
    state = replace(SETTLED, new={uuid(4): False})
    copy = walked(state, *rows(1, 2, 3), fresh)
    assert copy.state().new == {uuid(4): False}
    copy.account(None)
    assert (copy.state().new, pending(copy)) == ({}, {4: False})


# Rows that cannot be read


def test_a_row_that_cannot_be_read_is_pending_and_not_in_the_copy():
    copy = walked(SETTLED, *rows(1, 2, 3), *news(11))
    copy.leave_out([uuid(11)])
    assert pending(copy) == {11: False}
    assert held(copy.state()) == {1: False, 2: False, 3: False}
    copy.account(None)
    assert copy.state().cursor == END


def test_a_row_that_is_pending_stays_as_it_is_when_it_cannot_be_read():
    copy = unlisted(replace(SETTLED, pending={uuid(4): True}))
    copy.leave_out([uuid(4)])
    assert pending(copy) == {4: True}


def test_where_a_row_that_cannot_be_read_has_no_name_the_cursor_stays():
    full = {uuid(1000 + n): False for n in range(MOST_PENDING)}
    copy = unlisted(replace(SETTLED, pending=full))
    copy.leave_out([uuid(4)])
    copy.account(None)
    assert (copy.state().cursor, copy.state().due) == (WALKED, True)


def test_a_row_that_these_credentials_may_not_see_does_not_hold_the_cursor():
    full = {uuid(1000 + n): False for n in range(MOST_PENDING)}
    copy = walked(replace(SETTLED, pending=full), *rows(1, 2, 3), *news(11))
    copy.leave_out([uuid(11)], refused=[uuid(11)])
    copy.account(None)
    assert copy.state().cursor == END


# Lists that do not come


def test_a_list_that_does_not_come_holds_the_cursor_where_something_was_promised():
    copy = unlisted(replace(SETTLED, due=True))
    copy.missed()
    copy.account(None)
    state = copy.state()
    assert (state.cursor, state.due, state.unlisted, state.unsure) == (WALKED, True, 1, False)


def test_a_list_that_does_not_come_holds_nothing_where_nothing_was_promised():
    copy = unlisted()
    copy.missed()
    copy.account(None)
    assert (copy.state().cursor, copy.state().unlisted) == (END, 1)


def test_the_third_time_that_a_list_does_not_come_the_cursor_goes_on_and_the_stream_is_unsure():
    state = replace(SETTLED, due=True)
    seen_ = []
    for _ in range(3):
        copy = unlisted(state)
        copy.missed()
        copy.account(None)
        state = copy.state()
        seen_.append((state.cursor, state.unsure, state.unlisted))
        state = replace(state, due=True)
    assert seen_ == [(WALKED, False, 1), (WALKED, False, 2), (END, True, 3)]


def test_at_first_a_stream_whose_list_does_not_come_is_read_without_a_copy():
    state = StreamState()
    for _ in range(4):
        copy = Copy(state, END, False)
        copy.missed()
        copy.account(None)
        state = copy.state()
    assert (state.cursor, state.unsure, state.copy) == (END, False, None)


def test_a_list_that_comes_ends_the_count():
    state = replace(SETTLED, unlisted=2)
    assert walked(state, *rows(1, 2, 3)).state().unlisted == 0


def test_the_state_says_how_long_the_list_was_and_when_it_was_walked():
    state = walked(SETTLED, *rows(1, 2), *news(11)).state()
    assert (state.length, state.walked) == (3, END)


# News


def changes(copy):
    copy.state()
    return copy


@pytest.mark.parametrize(
    ("what", "is_news"),
    [
        (lambda copy: copy.announce([]), False),
        (lambda copy: copy.announce([seen(1)]), False),
        (lambda copy: copy.announce([seen(1, archived=at(4))]), True),
        (lambda copy: copy.announce([seen(1, at(11))]), True),
        (lambda copy: copy.send(seen(1)), False),
        (lambda copy: copy.send(seen(7)), True),
        (lambda copy: copy.send(seen(8)), True),
        (lambda copy: copy.lose([]), False),
        (lambda copy: copy.lose([uuid(7)]), True),
        (lambda copy: copy.ahead([seen(7)]), False),
        (lambda copy: copy.ahead([seen(7, at(11))]), True),
        (lambda copy: copy.leave_out([]), False),
        (lambda copy: copy.leave_out([uuid(1)]), True),
        (lambda copy: copy.leave_out([uuid(7)]), False),
        (lambda copy: copy.account(None), True),
        (lambda copy: copy.missed(), True),
        (lambda copy: copy.fill(), True),
    ],
)
def test_a_state_is_news_where_it_says_something_else_than_before(what, is_news):
    state = replace(SETTLED, pending={uuid(7): True}, late={uuid(8): OLD})
    copy = changes(walked(state, *rows(1, 2, 3)))
    assert not copy.is_news
    what(copy)
    assert copy.is_news is is_news


def test_without_a_list_what_is_named_is_news():
    copy = changes(unlisted())
    copy.announce([seen(1)])
    assert copy.is_news
    changes(copy).send(seen(1))
    assert copy.is_news
    changes(copy).announce([seen(1, at(9))])
    assert not copy.is_news


def test_all_rows_of_a_parent_were_sent():
    state = replace(SETTLED, pending={uuid(1): False})
    copy = walked(state, *rows(1, 2, 3), *news(11))
    for parent in (seen(1), *news(11)):
        copy.announce([parent])
        copy.note(parent)
    copy.account(None)
    assert pending(copy) == {}
    assert set(held(copy.state())) == {1, 2, 3, 11}


def test_of_a_parent_that_is_not_in_the_copy_all_rows_are_to_be_read_whatever_its_stamp():
    begin = looked_back(WALKED, LOOKBACK)
    copy = Copy(SETTLED, END, True, False, begin)
    changed = [seen(4, at(9, "12:00:00.000")), *news(11)]
    copy.take(listed(*rows(1, 2, 3), *changed, since=since(SETTLED)), nothing)
    assert pending(copy) == {4: True}, "11 was created since: all its rows are new"


def test_without_a_list_a_parent_that_was_not_created_since_is_not_named():
    copy = Copy(SETTLED, END, True, False, looked_back(WALKED, LOOKBACK))
    old, young = seen(4, at(9, "12:00:00.000")), news(11)[0]
    assert copy.announce([old, young]) == [old, young]
    assert pending(copy) == {11: False}
    copy.note(old)
    copy.note(young)
    assert copy.state().new == {uuid(11): False}


def test_a_first_read_without_a_list_remembers_no_row():
    copy = Copy(StreamState(), END, False)
    sent(copy, seen(1))
    assert copy.announce([seen(1)]) == [seen(1)]


def test_a_state_keeps_what_is_not_the_copys():
    state = replace(SETTLED, workspace={"id": "w1"}, scope={"team_keys": ["ENG"]})
    found = walked(state, *rows(1, 2, 3)).state()
    assert (found.workspace, found.scope) == ({"id": "w1"}, {"team_keys": ["ENG"]})


def test_a_state_is_not_changed_by_what_comes_after_it():
    copy = walked(SETTLED, *rows(1, 2, 3, 4))
    state = copy.state()
    copy.send(seen(4))
    assert numbers(state.pending) == [4]
    assert held(state) == {1: False, 2: False, 3: False}
    assert state.late == {}
