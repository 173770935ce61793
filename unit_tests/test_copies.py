"""What a state remembers of the copy, and what follows: never that a row is gone which may be there."""

import json
import logging
import random
from uuid import UUID

import pytest
from airbyte_cdk.models import AirbyteMessage, AirbyteMessageSerializer, AirbyteStateMessageSerializer, Type

from source_linear.packaged import manifest
from source_linear.shared import MOST_AGAIN, MOST_LEFT_OUT
from source_linear.state import StreamStates
from source_linear.streams import Stream
from source_linear.sync import sketch
from source_linear.sync.copies import Copy, unsure
from source_linear.sync.sketch import CAPACITY, IdFilter, Sketch
from source_linear.sync.walks import Whole

OLD, CURSOR, NEW = "2025-01-01T00:00:00.000Z", "2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z"
END, LATER = "2026-01-03T00:00:00.000Z", "2026-01-04T00:00:00.000Z"
DECLARED = {
    entry["$parameters"]["name"]: Stream.from_parameters(entry["$parameters"])
    for entry in manifest()["streams"]
}
USERS = DECLARED["users"]


def ids(number, seed=0):
    """So many ids, the same for the same seed."""
    rng = random.Random(f"copies {seed}")
    return [str(UUID(int=rng.getrandbits(128), version=4)) for _ in range(number)]


def node(row_id, updated=OLD, archived=None):
    return {"id": row_id, "updatedAt": updated, "archivedAt": archived}


def whole(nodes, pages=1, floor="", unsure=None):
    """All rows that Linear shows; changes since CURSOR are news."""
    made = Whole(floor, unsure=unsure)
    for one in nodes:
        made.take(one, CURSOR)
    made.pages = pages
    made.finish()
    return made


def row(row_id, archived=False, updated=OLD):
    """A record as it is sent."""
    return {"id": row_id, "updatedAt": updated, "isArchived": archived}


def nobody(*_):
    raise AssertionError("nobody need be asked")


def none():
    return ()


def state_of(nodes, scope="scope", stream=USERS):
    """The state after a sync that found these rows."""
    copy = Copy(stream, None, scope)
    copy.compare(whole(nodes), nobody, none)
    return copy.state()


def compared(before, nodes, confirm=nobody, created=none, scope="scope", stream=USERS, **of_whole):
    """The copy after a sync that goes on from a state and finds these rows."""
    copy = Copy(stream, before, scope)
    copy.compare(whole(nodes, **of_whole), confirm, created)
    return copy


def reported_by(copy, archived_rows="flag", end=END):
    """The reports, as they are sent between two states."""
    tombstones = copy.tombstones(end, archived_rows)
    copy.reported()
    return tombstones


# --- What is gone ---------------------------------------------------------------------------------


def test_a_row_that_linear_no_longer_shows_is_gone_and_is_reported_once():
    gone, *rest = map(node, ids(10))
    second = compared(state_of([gone, *rest]), rest)
    assert second.gone == [gone["id"]]
    assert second.appeared == []
    third = compared(second.state(), rest)
    assert third.gone == third.appeared == []


def test_a_first_sync_reports_nothing():
    copy = compared(None, map(node, ids(10)))
    assert copy.gone == copy.appeared == []


def test_nothing_is_concluded_from_a_list_that_is_not_whole():
    rows = list(map(node, ids(10)))
    before = state_of(rows)
    partial = whole(rows[:9])
    partial.is_known = False
    copy = Copy(USERS, before, "scope")
    copy.compare(partial, nobody, none)
    assert copy.gone == copy.appeared == []
    assert copy.state() == before


def test_a_first_sync_that_did_not_see_all_rows_remembers_none():
    copy = Copy(USERS, None, "scope")
    copy.compare(whole([node("not a UUID")]), nobody, none)
    assert copy.state() is None


def test_the_copy_of_another_scope_starts_anew_and_reports_nothing():
    rows = list(map(node, ids(10)))
    copy = compared(state_of(rows), rows[:4], scope="another")
    assert copy.gone == copy.appeared == []
    assert copy.state() == state_of(rows[:4], scope="another")


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"rows": None},
        {"rows": "x"},
        {"rows": 5},
        {"reported": "x", "until": END},
        {"reported": None, "until": END},
    ],
    ids=repr,
)
def test_a_copy_that_cannot_be_read_from_a_state_starts_anew(broken):
    rows = list(map(node, ids(10)))
    before = {**state_of(rows), **broken} if broken else {"scope": "scope"}
    copy = compared(before, rows[:4])
    assert copy.gone == copy.appeared == []
    assert copy.state() == state_of(rows[:4])


def test_a_log_reports_nothing_as_gone():
    log = next(one for one in DECLARED.values() if one.append_only)
    rows = list(map(node, ids(10)))
    assert compared(state_of(rows, stream=log), rows[1:], stream=log).gone == []


# --- What is asked for before it is called gone ---------------------------------------------------


def test_a_list_of_several_pages_may_have_shifted_so_linear_is_asked_which_rows_it_shows():
    kept, gone, *rest = map(node, ids(10))
    asked = []

    def confirm(some):
        asked.extend(some)
        return [kept["id"]]

    copy = compared(state_of([kept, gone, *rest]), rest, confirm, pages=2)
    assert sorted(asked) == sorted([kept["id"], gone["id"]])
    assert copy.gone == [gone["id"]]
    assert compared(copy.state(), [kept, *rest]).appeared == []  # it was never away


def test_a_list_that_lost_most_of_its_rows_is_asked_for_them_even_if_it_came_on_one_page():
    rows = list(map(node, ids(10)))
    few = compared(state_of(rows), rows[5:])
    assert len(few.gone) == 5
    most = compared(state_of(rows), rows[6:], confirm=lambda some: some)
    assert most.gone == []


def test_a_list_that_is_empty_now_is_empty_only_if_linear_shows_none_of_its_rows_by_id():
    rows = list(map(node, ids(3)))
    assert compared(state_of(rows), [], confirm=lambda some: some, pages=0).gone == []
    assert compared(state_of(rows), [], confirm=lambda some: None, pages=0).gone == []
    assert len(compared(state_of(rows), [], confirm=lambda some: (), pages=0).gone) == 3


def test_nothing_is_gone_where_linear_does_not_say_which_rows_it_shows():
    gone, *rest = map(node, ids(10))
    copy = compared(state_of([gone, *rest]), rest, lambda some: None, pages=2)
    assert copy.gone == []
    assert compared(copy.state(), rest).gone == [gone["id"]]  # the next sync asks again


# --- What the copy lacks --------------------------------------------------------------------------


def test_an_old_row_that_became_visible_has_appeared():
    new, *rest = map(node, ids(10))
    copy = compared(state_of(rest), [new, *rest])
    assert copy.appeared == [new["id"]]
    assert copy.gone == []


@pytest.mark.parametrize("archived", [None, OLD], ids=["unarchived", "archived"])
def test_a_row_that_is_flagged_otherwise_than_the_state_says_has_appeared(archived):
    changed, *rest = ids(10)
    before = state_of([node(changed, archived=None if archived else OLD), *map(node, rest)])
    copy = compared(before, [node(changed, archived=archived), *map(node, rest)])
    assert copy.appeared == [changed]
    assert copy.gone == []


@pytest.mark.parametrize("changes", [{"updated": NEW}, {"archived": NEW}], ids=repr)
def test_a_row_of_which_a_stamp_tells_has_not_appeared(changes):
    changed, *rest = ids(10)
    for before in (rest, [changed, *rest]):
        copy = compared(state_of(map(node, before)), [node(changed, **changes), *map(node, rest)])
        assert copy.appeared == copy.gone == []


# --- Too much for a sketch ------------------------------------------------------------------------


def warnings(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


def test_where_more_rows_are_gone_than_a_sketch_can_tell_none_is_reported_and_it_is_said(caplog):
    rows = list(map(node, ids(3 * CAPACITY)))
    before = state_of(rows)
    copy = compared(before, rows[: CAPACITY // 2])
    assert copy.gone == copy.appeared == []
    (warning,) = warnings(caplog)
    assert "users" in warning and "Refresh this stream" in warning and warning.endswith(".")


def test_later_deletions_are_reported_though_too_many_were_not_and_each_sync_says_that(caplog):
    rows = list(map(node, ids(3 * CAPACITY)))
    second = compared(state_of(rows), rows[: CAPACITY // 2])
    third = compared(second.state(), rows[1 : CAPACITY // 2])
    assert third.gone == [rows[0]["id"]]
    assert len(warnings(caplog)) == 2
    assert warnings(caplog)[0] == warnings(caplog)[1]


def test_a_first_read_that_was_killed_long_ago_does_not_take_what_was_created_since_for_deleted(caplog):
    """Without a cursor no row is news by its stamp; rows created since the list was walked are."""
    gone, *rest = map(node, ids(10))
    new = [node(row_id, updated=NEW) for row_id in ids(3 * CAPACITY, seed=1)]
    copy = Copy(USERS, state_of([gone, *rest]), "scope")
    made = Whole()
    for one in [*rest, *new]:
        made.take(one, None)
    made.pages = 1
    made.finish()
    copy.compare(made, nobody, lambda: [one["id"] for one in [*rest[:2], *new]], at=END)
    assert (copy.gone, copy.appeared) == ([gone["id"]], [])
    assert copy.walked == copy.state()["walked"] == END
    assert warnings(caplog) == []


def test_as_many_rows_as_are_promised_are_told_apart(caplog):
    rows = list(map(node, ids(2 * CAPACITY)))
    copy = compared(state_of(rows), rows[CAPACITY:])
    assert sorted(copy.gone) == sorted(one["id"] for one in rows[:CAPACITY])
    assert warnings(caplog) == []


def test_more_rows_that_appeared_than_a_state_can_name_are_not_half_remembered(caplog):
    """A sketch may tell more than it promises; what a state cannot hold would be lost with a killed sync."""
    rows = list(map(node, ids(1000)))
    before = state_of(rows[:300])
    assert Sketch.parse(before["rows"]).difference(whole(rows).sketch) is not None
    copy = compared(before, rows)
    assert copy.appeared == []
    assert len(warnings(caplog)) == 1


def test_rows_that_were_created_do_not_count_as_differences(caplog):
    gone, hidden, *rest = map(node, ids(10))
    new = [node(row_id, updated=NEW) for row_id in ids(3 * CAPACITY, seed=1)]
    asked = []

    def created():
        asked.append(1)
        return {one["id"] for one in new}

    copy = compared(state_of([gone, *rest]), [hidden, *rest, *new], created=created)
    assert asked == [1]
    assert (copy.gone, copy.appeared) == ([gone["id"]], [hidden["id"]])
    assert warnings(caplog) == []
    again = compared(copy.state(), [hidden, *rest, *new])
    assert again.gone == again.appeared == []


def test_rows_that_were_archived_together_do_not_count_as_differences(caplog):
    gone, *rest = map(node, ids(10))
    live = ids(3 * CAPACITY, seed=1)
    before = state_of([gone, *rest, *map(node, live)])
    copy = compared(before, [*rest, *(node(row_id, archived=NEW) for row_id in live)])
    assert (copy.gone, copy.appeared) == ([gone["id"]], [])
    assert warnings(caplog) == []


# --- Tombstones -----------------------------------------------------------------------------------


def gone_copy(stream=USERS):
    gone, *rest = map(node, ids(10))
    return gone["id"], compared(state_of([gone, *rest], stream=stream), rest, stream=stream)


@pytest.mark.parametrize("archived_rows", ["flag", "exclude"])
def test_a_row_that_is_gone_is_reported_as_archived_and_deleted_at_the_syncs_start(archived_rows):
    gone, copy = gone_copy()
    report = {"id": gone, "updatedAt": END, "isArchived": True, "deletedAt": END}
    assert reported_by(copy, archived_rows) == [report]


def test_with_delete_a_row_that_is_gone_is_deleted_in_the_destination():
    gone, copy = gone_copy()
    report = {"id": gone, "updatedAt": END, "isArchived": True, "deletedAt": END}
    assert reported_by(copy, "delete") == [{**report, "_ab_cdc_deleted_at": END}]


@pytest.mark.parametrize("columns", [["id", "name"], ["deletedAt"]], ids=["without", "with"])
def test_when_it_was_gone_is_reported_where_that_column_is_selected(columns):
    parameters = next(e["$parameters"] for e in manifest()["streams"] if e["$parameters"]["name"] == "users")
    gone, copy = gone_copy(Stream.from_parameters({**parameters, "columns": columns}))
    (report,) = reported_by(copy)
    assert ("deletedAt" in report) is ("deletedAt" in columns)
    assert {"id": gone, "updatedAt": END, "isArchived": True}.items() <= report.items()


def test_a_reported_row_that_comes_back_takes_the_syncs_time():
    gone, second = gone_copy()
    reported_by(second)
    third = compared(second.state(), [node(gone), *map(node, ids(10)[1:])])
    back, other, newer = row(gone), row(ids(10)[1]), row(gone, updated=LATER)
    third.send([back, other, newer], LATER)
    assert back["updatedAt"] == LATER  # older, it would lose against the report
    assert other["updatedAt"] == OLD
    assert newer["updatedAt"] == LATER


def test_a_change_that_is_committed_late_wins_over_the_time_that_a_row_took_when_it_came_back():
    gone, second = gone_copy()
    reported_by(second)
    third = compared(second.state(), map(node, ids(10)))
    back, late = row(gone), row(gone, updated=END)  # stamped before the row came back, seen after it
    third.send([back], LATER)
    fourth = compared(third.state(), map(node, ids(10)))
    fourth.send([late], "2026-01-05T00:00:00.000Z")
    assert late["updatedAt"] > back["updatedAt"] == LATER


def test_with_delete_a_row_that_comes_back_keeps_its_time():
    """Nothing of it is left in the destination that it could lose against."""
    gone, second = gone_copy()
    reported_by(second, "delete")
    back = row(gone)
    compared(second.state(), map(node, ids(10))).send([back], LATER)
    assert back["updatedAt"] == OLD


@pytest.mark.parametrize("archived_rows", ["flag", "delete", "exclude"])
def test_a_row_comes_again_where_a_sync_was_killed_that_may_have_reported_it_as_gone(archived_rows):
    """The report may be in the destination, and no state knows of it."""
    gone, second = gone_copy()
    second.tombstones(END, archived_rows)
    killed = second.state()
    third = compared(killed, map(node, ids(10)), unsure=unsure(killed))
    assert (third.gone, third.appeared) == ([], [gone])
    back = row(gone)
    third.send([back], LATER)
    assert back["updatedAt"] == LATER
    assert compared(third.state(), map(node, ids(10)), unsure=unsure(third.state())).appeared == []


def test_a_row_that_a_killed_sync_may_have_reported_and_that_is_still_gone_is_reported_again():
    gone, second = gone_copy()
    second.tombstones(END, "flag")
    killed = second.state()
    third = compared(killed, map(node, ids(10)[1:]), unsure=unsure(killed))
    assert (third.gone, third.appeared) == ([gone], [])


def test_where_the_reports_were_sent_no_row_is_in_doubt():
    _, second = gone_copy()
    reported_by(second)
    assert unsure(second.state()) is None


@pytest.mark.parametrize("found", [None, {}, {"pending": True}, {"pending": True, "reported": "garbled"}, 7])
def test_no_row_is_in_doubt_where_the_state_does_not_say_which(found):
    assert unsure(found) is None


def test_what_is_in_doubt_stays_so_where_the_list_is_not_known():
    _, second = gone_copy()
    second.tombstones(END, "flag")
    third = Copy(USERS, second.state(), "scope")
    broken = whole([])
    broken.is_known = False
    third.compare(broken, nobody, none)
    assert unsure(third.state()) is not None


def test_a_state_goes_out_ahead_where_rows_came_or_went_and_not_where_nothing_did():
    rows = list(map(node, ids(3)))
    before = state_of(rows)
    quiet, busy = Copy(USERS, before, "scope"), Copy(USERS, before, "scope")
    quiet.compare(whole(rows), nobody, none, at=END)
    busy.compare(whole([*rows, node(ids(4)[3])]), nobody, none, at=END)
    assert quiet.walked == END and not quiet.is_news
    assert busy.is_news


# --- Parents --------------------------------------------------------------------------------------

HISTORY, SPANS = DECLARED["issue_history"], DECLARED["issue_state_spans"]


@pytest.mark.parametrize("stream", [HISTORY, SPANS, DECLARED["project_history"]], ids=lambda one: one.name)
def test_all_rows_of_a_parent_are_read_that_has_come_even_if_a_stamp_tells_of_it(stream):
    new, changed, *rest = ids(10)
    before = state_of(map(node, [changed, *rest]), stream=stream)
    found = [node(new, updated=NEW), node(changed, updated=NEW), *map(node, rest)]
    assert compared(before, found, stream=stream).appeared == [new]


def test_a_parent_that_was_unarchived_without_a_stamp_is_read_again():
    back, *rest = ids(10)
    before = state_of([node(back, archived=OLD), *map(node, rest)], stream=SPANS)
    assert compared(before, map(node, [back, *rest]), stream=SPANS).appeared == [back]


def test_rows_of_a_parent_that_is_gone_are_not_reported():
    before = state_of(map(node, ids(10)), stream=HISTORY)
    copy = compared(before, map(node, ids(10)[1:]), stream=HISTORY)
    assert copy.gone == []
    assert compared(copy.state(), map(node, ids(10)), stream=HISTORY).appeared == ids(10)[:1]


def test_rows_that_are_sent_are_no_parents():
    copy = compared(None, map(node, ids(3)), stream=HISTORY)
    before = copy.state()
    assert copy.send([row(ids(1, seed=1)[0])], END) is False
    assert copy.state() == before


# --- Written ahead --------------------------------------------------------------------------------


def test_a_row_that_the_walked_list_did_not_have_is_remembered_before_it_is_sent():
    late, *rest = ids(10)
    copy = compared(None, map(node, rest))
    before = copy.state()
    assert copy.send([row(rest[0])], END) is False  # known
    assert copy.state() == before
    assert copy.send([row(late)], END) is True
    assert copy.send([row(late)], END) is False  # by now
    assert compared(copy.state(), map(node, rest)).gone == [late]


def test_a_row_that_is_sent_with_another_flag_than_it_was_walked_with_is_remembered_so():
    changed, *rest = ids(10)
    copy = compared(None, map(node, [changed, *rest]))
    for archived in (True, False, True):
        assert copy.send([row(changed, archived)], END) is True
    after = compared(copy.state(), [node(changed, archived=OLD), *map(node, rest)])
    assert after.gone == after.appeared == []


def test_a_row_from_before_the_start_date_is_no_part_of_the_copy():
    old, new = ids(2)
    copy = compared(None, [node(old), node(new, updated=NEW)], floor=CURSOR)
    assert copy.send([row(old), row(new, updated=NEW)], END) is False
    assert compared(copy.state(), [node(new, updated=NEW)], floor=CURSOR).gone == []


# --- The state ------------------------------------------------------------------------------------


def printed_size(copied, again):
    """How long a stream's state is as it is printed, with all that stands in one."""
    given = {"type": "STREAM", "stream": {"stream_descriptor": {"name": "issues"}}}
    given["stream"]["stream_state"] = {"updatedAt": CURSOR}
    states = StreamStates((), DECLARED)
    scope = {"archived_rows": "exclude", "start_date": OLD, "team_keys": ["ENG", "OPS", "WEB"]}
    for key, value in (("scope", scope), ("copy", copied), ("again", again), ("length", 1_000_000)):
        states.keep("issues", key, value)
    message = AirbyteMessage(type=Type.STATE, state=AirbyteStateMessageSerializer.load(given))
    (decorated,) = states.decorated([message])
    return len(json.dumps(AirbyteMessageSerializer.dump(decorated)).encode())


def test_a_state_is_of_at_most_96_kb_whatever_its_sketch_holds():
    """Bytes that cannot be compressed, in every cell and every bit: no number of rows makes more."""
    rng = random.Random(1)
    cells = Sketch.parse(sketch._text(rng.randbytes(sketch._CELL.size * sketch._CELLS)))
    reported = IdFilter.parse(sketch._text(rng.randbytes(sketch._FILTER_BITS // 8)))
    copied = {"scope": "0" * 16, "rows": cells.text(), "reported": reported.text(), "until": END}
    copied |= {"walked": END, "pending": reported.text(), "incomplete": True}
    copied |= {"unplaced": dict.fromkeys(ids(CAPACITY), False)}
    assert Sketch.parse(copied["rows"]).text() == copied["rows"]
    assert MOST_AGAIN == MOST_LEFT_OUT + CAPACITY
    size = printed_size(copied, ids(MOST_AGAIN))
    assert 90_000 < size <= 98_304


def test_a_state_does_not_grow_with_the_rows():
    gone = ids(CAPACITY, seed=1)
    sizes = []
    for number in (2_000, 20_000):
        rows = list(map(node, ids(number)))
        copy = compared(state_of([*rows, *map(node, gone)]), rows)
        assert len(reported_by(copy)) == CAPACITY
        copy.tombstones(END, "flag")
        assert set(copy.state()) == {"scope", "rows", "walked", "reported", "until", "pending"}
        sizes.append(printed_size(copy.state(), ids(MOST_AGAIN)))
    assert max(sizes) <= 65_536
    assert sizes[1] - sizes[0] < 2_000  # the counts of its cells


def test_a_row_whose_id_is_no_uuid_is_sent_and_not_remembered():
    copy = compared(None, [node(one) for one in ids(3)])
    before = copy.state()
    assert copy.send([row("no UUID")], END) is False
    assert copy.state() == before


def test_more_rows_than_a_state_has_room_for_are_left_to_the_next_sync():
    known, appeared = ids(3), ids(4, 1)
    copy = Copy(USERS, state_of([node(one) for one in known]), "scope")
    copy.compare(whole([node(one) for one in [*known, *appeared]]), nobody, none, room=3)
    assert copy.appeared == [] and copy.state() == copy.before
    copy.compare(whole([node(one) for one in [*known, *appeared]]), nobody, none, room=4)
    assert set(copy.appeared) == set(appeared)


def without_list(before):
    """The copy in a sync to which Linear did not list all rows."""
    copy = Copy(USERS, before, "scope")
    unknown = whole([])
    unknown.is_known = False
    copy.compare(unknown, nobody, none)
    return copy


def test_rows_that_were_sent_without_a_list_are_known_by_the_next_sync_that_has_one():
    there, gone, archived = ids(3, seed=1)
    sent = without_list(state_of([node(there)]))
    assert sent.send([row(there), row(gone), row(archived, archived=True)], END)
    assert not sent.send([row(gone)], END)
    copy = compared(sent.state(), [node(there), node(archived)], confirm=lambda gone: ())
    assert (copy.gone, copy.appeared) == ([gone], [archived])
    assert "unplaced" not in copy.state()


def test_rows_sent_without_a_list_are_remembered_over_several_such_syncs():
    first, second, kept = ids(3, seed=2)
    sent = without_list(state_of([node(kept)]))
    sent.send([row(first)], END)
    sent = without_list(json.loads(json.dumps(sent.state())))
    sent.send([row(second)], END)
    assert compared(sent.state(), [node(kept)], confirm=lambda gone: ()).gone == [first, second]


def test_more_rows_without_a_list_than_a_state_remembers_are_said(caplog):
    sent = without_list(state_of([node(one) for one in ids(1, seed=3)]))
    assert sent.send([row(one) for one in ids(CAPACITY + 1, seed=4)], END)
    assert not sent.send([row(one) for one in ids(CAPACITY + 9, seed=4)], END)
    assert len(sent.state()["unplaced"]) == CAPACITY
    with caplog.at_level(logging.WARNING):
        compared(sent.state(), [node(one) for one in [*ids(1, seed=3), *ids(CAPACITY + 1, seed=4)]])
    assert "Refresh this stream" in caplog.text


def test_a_row_older_than_the_start_date_or_without_a_uuid_is_not_remembered():
    copy = Copy(USERS, state_of([node(one) for one in ids(1)]), "scope")
    unknown = whole([], floor=CURSOR)
    unknown.is_known = False
    copy.compare(unknown, nobody, none)
    assert not copy.send([row(ids(2)[1], updated=OLD), row("no-uuid", updated=NEW)], END)


def test_reports_outlast_another_scope():
    gone, second = gone_copy()
    reported_by(second)
    other = Copy(USERS, second.state(), "other scope")
    unknown = whole([])
    unknown.is_known = False
    other.compare(unknown, nobody, none)
    back = row(gone)
    compared(other.state(), map(node, ids(10)), scope="scope").send([back], LATER)
    assert back["updatedAt"] == LATER


def test_a_report_and_what_returns_are_never_older_than_what_was_read():
    """Linear's clock, or a proxy's, may go back."""
    gone, second = gone_copy()
    second.walked = LATER
    (tombstone,) = reported_by(second, end=END)
    assert tombstone["updatedAt"] == LATER
    back = row(gone)
    second.send([back], END)
    assert back["updatedAt"] == LATER
