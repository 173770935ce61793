"""One sync: from states to events, read by workers that read one slice after another."""

import logging
from dataclasses import replace
from itertools import pairwise

import pendulum
import pytest
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_linear.graphql import points_a_row
from source_linear.linear.errors import LinearError
from source_linear.state import MOST_OTHERS, StreamState
from source_linear.sync.progress import Size
from source_linear.sync.sync import Ended, Estimate, Rows, Running, Started, State, Sync
from unit_tests.sync.parts import (
    WORKSPACE,
    Declared,
    Inline,
    Linear,
    at,
    history,
    links,
    numbers,
    option,
    problem,
    row,
    sketch,
    stream,
    uuid,
    with_lists,
)

NOW = pendulum.datetime(2026, 1, 10, tz="UTC")
END = at(10)
OLD, CURSOR, NEWS = at(5), at(9, "20:00:00.000"), at(9, "22:00:00.000")
LONG, SMALL = stream(), stream("swept", name="smalls", entity="Small")
SETTLED = StreamState(
    cursor=CURSOR, workspace=WORKSPACE, scope={}, copy=sketch(1, 2, 3), walked=CURSOR, high=CURSOR, due=False
)
ORGANIZATION = {"id": "w1", "name": "Acme", "urlKey": "acme", "createdAt": at(1), "createdIssueCount": 12}


@pytest.fixture(autouse=True)
def log(caplog):
    caplog.set_level(logging.INFO, "airbyte")
    return caplog


def linear(spoil=None, **rows):
    roots = ("things", "smalls", "others")
    known = {"viewer": {"id": "v1"}, "organization": ORGANIZATION, "teams": []}
    made = Linear({**{root: [] for root in roots}, **known, **rows})
    if spoil:
        made.spoil = spoil
    return made


class Watched:
    """Is told how far a sync is."""

    def __init__(self):
        self.said = []

    def __getattr__(self, name):
        return lambda *given: self.said.append((name, *given))


def made(api, *streams, states=None, workers=None, progress=None, page_size=250, **options):
    declared = {one.name: Declared(one, page_size, options.get("archived_rows", "flag")) for one in streams}
    given = states or {}
    return Sync(declared, given, option(**options), api, workers or Inline(), lambda: NOW, progress)


def run(api, *streams, **more):
    return list(made(api, *streams, **more).events())


def kinds(events):
    return [type(event).__name__ for event in events]


def rows_of(events, name=None):
    return [
        one
        for event in events
        if isinstance(event, Rows) and name in (None, event.stream)
        for one in event.records
    ]


def states_of(events):
    return [event for event in events if isinstance(event, State)]


def last(events, of=LONG):
    return StreamState.decoded(states_of(events)[-1].state, of.cursor_field)


def quiet(*rows, state=SETTLED, of=LONG, **more):
    return run(linear(**{of.roots[0].name: list(rows)}), of, states={of.name: state}, **more)


# A sync from its start to its end


def test_a_first_sync_announces_sends_and_ends():
    events = run(linear(things=[row(1), row(2)]), LONG)
    assert kinds(events) == [
        "Estimate",
        "Started",
        "State",
        "Running",
        "State",
        "Rows",
        "State",
        "Ended",
    ] or (kinds(events) == ["Estimate", "Started", "State", "Running", "Rows", "State", "Ended"])
    assert events[0] == Estimate("things", 2)
    assert numbers(one["id"] for one in rows_of(events)) == [1, 2]
    state = last(events)
    assert (state.cursor, state.workspace, state.scope, state.due) == (END, WORKSPACE, {}, False)
    assert events[-1] == Ended("things")


def test_before_anything_was_read_a_state_says_that_nothing_was():
    first = states_of(run(linear(things=[row(1)]), LONG))[0]
    assert (first.cursor, first.state["updatedAt"]) == (None, "1970-01-01T00:00:00.000Z")
    assert first.state["copy"], "and what the rows that come will make of the copy"


def test_a_sync_without_news_is_two_states_and_three_requests_at_most():
    api = linear(smalls=[row(1), row(2), row(3)])
    sync = made(api, LONG, SMALL, states={"things": SETTLED, "smalls": SETTLED})
    events = list(sync.events())
    assert rows_of(events) == []
    assert sync.quiet == {"things", "smalls"}
    assert sync.cursors == {"things": CURSOR, "smalls": CURSOR}
    assert [event.cursor for event in states_of(events)][-1] == END
    assert len(api.asked) == 1


def test_rows_that_changed_are_sent_with_linears_stamp_after_a_state_that_announces_them():
    api = linear(things=[row(1, NEWS), row(4, NEWS, created=NEWS)])
    events = run(api, LONG, states={"things": SETTLED})
    assert Estimate("things", 2) in events
    assert {one["id"]: one["updatedAt"] for one in rows_of(events)} == {uuid(1): NEWS, uuid(4): NEWS}
    place = next(n for n, event in enumerate(events) if isinstance(event, Rows))
    announced = StreamState.decoded(events[place - 1].state, "updatedAt")
    assert numbers(announced.pending) == [1, 4] and announced.cursor == CURSOR
    assert last(events).new == {uuid(1): False, uuid(4): False}


def test_the_rows_of_a_parent_are_sent_after_a_state_that_names_the_parent():
    parent = row(4, NEWS, created=NEWS, history=[row(9, NEWS)])
    events = quiet(parent, state=replace(SETTLED, copy=sketch(1)), of=history())
    place = next(n for n, event in enumerate(events) if isinstance(event, Rows))
    announced = StreamState.decoded(events[place - 1].state, "updatedAt")
    assert numbers(announced.pending) == [4] and announced.cursor == CURSOR
    done = last(events, history())
    assert (done.pending, done.new) == ({}, {uuid(4): False})


def test_a_row_that_is_gone_is_reported_after_a_state_that_names_it():
    events = quiet(row(1), row(2), of=SMALL)
    (gone,) = rows_of(events)
    assert gone == {"id": uuid(3), "updatedAt": END, "isArchived": True, "deletedAt": END}
    place = next(n for n, event in enumerate(events) if isinstance(event, Rows))
    announced = StreamState.decoded(events[place - 1].state, "updatedAt")
    assert (announced.pending, announced.high > END) == ({uuid(3): True}, True)
    assert last(events, SMALL).pending == {}


def test_where_nobody_can_be_asked_a_row_is_gone_only_where_the_list_walked_once_more_lacks_it():
    of = stream("swept", name="smalls", entity="Small", filterable=False)

    def short(asked, document):
        for one in asked.fields:
            if one.key.startswith("list_") and "pageInfo" not in asked.query:
                del document["data"][one.key]["nodes"][:2]
        return document

    api = linear(short, smalls=[row(1), row(2)])
    events = run(api, of, states={"smalls": SETTLED})
    assert [one["id"] for one in rows_of(events)] == [uuid(3)]
    assert sum("list_smalls" in asked.query for asked in api.asked) == 2
    assert last(events, of).pending == {}


def test_where_the_list_does_not_come_once_more_nothing_is_gone():
    of = stream("swept", name="smalls", entity="Small", filterable=False)

    def once(asked, document):
        return refused_list(asked, document) if "pageInfo" in asked.query else document

    def refused_list(asked, document):
        keys = [one.key for one in asked.fields if one.key.startswith("list_")]
        return {"data": None, "errors": [problem("FORBIDDEN", keys)]} if keys else document

    events = run(linear(once, smalls=[row(1)]), of, states={"smalls": SETTLED})
    assert rows_of(events) == []


def test_a_list_that_differs_too_much_is_walked_once_more_and_then_taken(log):
    state = replace(SETTLED, copy=sketch(*range(1, 1_500)))
    api = linear(smalls=[row(1)])
    events = run(api, SMALL, states={"smalls": state})
    assert sum("list_smalls" in asked.query for asked in api.asked) == 2
    assert (last(events, SMALL).unsure, rows_of(events)) == (True, [])
    assert any("More rows differ from the copy" in one for one in log.messages)


def test_many_rows_that_were_imported_are_no_doubt(log):
    state = replace(SETTLED, copy=sketch(*range(1, 701)))
    events = quiet(
        *(row(n) for n in range(1, 701)), *(row(n, NEWS) for n in range(701, 1401)), state=state, of=SMALL
    )
    assert not any("More rows differ" in one for one in log.messages)
    assert {*numbers(one["id"] for one in rows_of(events))} == {*range(701, 1401)}


def test_with_delete_a_row_that_is_gone_is_deleted():
    state = replace(SETTLED, scope={"archived_rows": "delete"})
    (gone,) = rows_of(quiet(row(1), row(2), of=SMALL, state=state, archived_rows="delete"))
    assert gone["_ab_cdc_deleted_at"] == END


def test_a_row_that_the_copy_lacks_is_asked_for_by_its_id_before_all_else_and_takes_high():
    events = quiet(row(1), row(2), row(3), row(4), row(1, NEWS, created=OLD) | {"id": uuid(5)}, of=SMALL)
    sent = rows_of(events)
    assert sent[0]["id"] == uuid(4)
    assert sent[0]["updatedAt"] >= END
    assert last(events, SMALL).late == {uuid(4): sent[0]["updatedAt"]}


def test_a_row_that_changed_after_the_sync_began_is_sent_as_it_was_seen():
    later = at(10, "00:00:30.000")
    events = quiet(row(1, later), row(2), row(3))
    assert rows_of(events)[0]["updatedAt"] == later
    assert last(events).cursor == END
    assert last(events).high == later


def test_what_is_pending_is_read_though_nothing_changed():
    state = replace(SETTLED, copy=sketch(1, 2), pending={uuid(3): False})
    sync = made(linear(things=[row(3)]), LONG, states={"things": state})
    events = list(sync.events())
    assert sync.quiet == set()
    assert numbers(one["id"] for one in rows_of(events)) == [3]
    assert last(events).pending == {}


def test_without_a_list_a_row_of_a_stream_that_cannot_be_filtered_is_asked_for_by_its_id():
    feed = stream("feed", name="things", filterable=False)
    state = replace(SETTLED, pending={uuid(4): False, uuid(9): False})
    events = quiet(row(4), state=state, of=feed)
    assert [one["id"] for one in rows_of(events)] == [uuid(4)]
    assert last(events, feed).pending == {uuid(9): False}, "only a list tells that a row is gone"


def test_slices_are_read_and_the_cursor_follows_those_that_are_complete():
    large = {**ORGANIZATION, "createdIssueCount": 100_000}
    rows = [row(n, at(2 * n), created=at(2 * n)) for n in (1, 2, 3, 4)]
    events = run(linear(things=rows, organization=large), LONG)
    cursors = [event.cursor for event in states_of(events)]
    assert cursors == sorted(cursors, key=lambda one: one or "")
    assert len({*cursors}) == 4, "nothing, two slices of three, the end"
    assert cursors[-1] == END


def test_a_slice_that_fails_holds_the_cursor_and_the_others_are_sent():
    large = {**ORGANIZATION, "createdIssueCount": 100_000}

    def spoil(asked, document):
        where = asked.variables.get("filter") or {}
        middle = "gte" in where.get("createdAt", {}) and "lte" in where.get("createdAt", {})
        return (
            {"data": None, "errors": [problem("FORBIDDEN", ["things"], "Not for you")]}
            if middle
            else document
        )

    rows = [row(n, at(2 * n), created=at(2 * n)) for n in (1, 2, 3, 4)]
    events = run(linear(spoil, things=rows, organization=large), LONG)
    assert "Not for you" in str(events[-1].error)
    assert 0 < len(rows_of(events)) < 4
    assert at(1) < last(events).cursor < at(9)


def test_one_streams_failure_stops_no_other():
    def spoil(asked, document):
        if asked.stream == "things":
            return {"data": None, "errors": [problem("FORBIDDEN", ["things"], "Not for you")]}
        return document

    events = run(linear(spoil, things=[row(1)], smalls=[row(2)]), LONG, SMALL)
    ended = {event.stream: event.error for event in events if isinstance(event, Ended)}
    assert isinstance(ended["things"], LinearError) and ended["smalls"] is None
    assert last([one for one in events if getattr(one, "stream", "") == "things"]).cursor is None


def test_several_streams_are_begun_before_any_ends_and_each_ends_once():
    events = run(linear(things=[row(1)], smalls=[row(2)]), LONG, SMALL)
    assert [event.stream for event in events if isinstance(event, Started)] == ["things", "smalls"]
    assert sorted(event.stream for event in events if isinstance(event, Ended)) == ["smalls", "things"]
    assert kinds(events).index("Rows") > kinds(events).index("Started")


def test_the_first_rows_of_a_stream_are_announced_once():
    rows = [row(n) for n in range(1, 6)]
    events = run(linear(smalls=rows), SMALL, page_size=2)
    assert kinds(events).count("Running") == 1
    assert kinds(events).index("Running") < kinds(events).index("Rows")
    assert events[kinds(events).index("Running")] == Running("smalls")


# Before anything is read


def test_credentials_that_are_refused_end_the_sync():
    refused = (401, {"errors": [problem("AUTHENTICATION_ERROR")]})
    with pytest.raises(LinearError, match="does not accept the credentials"):
        run(linear(lambda *_: refused), LONG)


def test_a_state_of_another_workspace_ends_the_sync():
    state = replace(SETTLED, workspace={**WORKSPACE, "id": "w2"})
    with pytest.raises(AirbyteTracedException, match="copied from the workspace Acme"):
        run(linear(), LONG, states={"things": state})


def test_who_asks_is_asked_once_more_where_the_probe_failed_together():
    calls = []

    def spoil(asked, document):
        calls.append(len(asked.fields))
        return (500, {"errors": [problem("INTERNAL_SERVER_ERROR")]}) if len(calls) <= 2 else document

    events = run(linear(spoil, smalls=[row(1)]), SMALL)
    assert events[-1] == Ended("smalls")


def test_the_sync_begins_by_linears_clock():
    api = linear(things=[row(1)])
    api.headers = {"Date": "Fri, 09 Jan 2026 23:59:30 GMT"}
    assert last(run(api, LONG)).cursor == at(9, "23:59:30.000")


def test_the_issues_of_a_first_read_are_as_many_as_linear_has_counted():
    issues = stream(name="issues", entity="Issue")
    never = {"detect_deletions": None}
    assert Estimate("issues", 12) in run(linear(issues=[]), issues, **never)
    for limited in ({"start_date": at(2)}, {"team_keys": ("ENG",)}):
        api = linear(issues=[], teams=[row(1, key="ENG")])
        assert "Estimate" not in kinds(run(api, issues, **never, **limited))


def test_of_changed_parents_it_is_not_known_how_many_rows_they_bring():
    parent = row(1, NEWS, history=[row(9, NEWS)])
    events = quiet(parent, state=replace(SETTLED, copy=sketch(1)), of=history())
    assert "Estimate" not in kinds(events)
    assert numbers(one["id"] for one in rows_of(events)) == [9]
    assert Estimate("thing_history", 0) in quiet(state=replace(SETTLED, copy=sketch(1)), of=history())


def test_where_deletions_are_not_looked_for_no_list_is_walked_and_no_copy_kept():
    api = linear(things=[row(1)])
    state = last(run(api, LONG, detect_deletions=None))
    assert (state.copy, state.walked, state.new, state.cursor) == (None, None, {}, END)
    assert not any("list_" in asked.query for asked in api.asked)


def test_more_changed_rows_than_can_be_named_let_the_list_be_walked_first():
    rows = [row(n, NEWS, created=OLD) for n in range(1, 531)]
    copy = sketch(*range(1, 531))
    api = linear(things=rows)
    events = run(api, LONG, states={"things": replace(SETTLED, copy=copy)})
    assert any("list_things" in asked.query for asked in api.asked)
    assert len(rows_of(events)) == 530
    assert (last(events).walked, last(events).new) == (END, {})


# What is told


def test_a_list_that_does_not_come_is_told_and_counted(log):
    def spoil(asked, document):
        for one in asked.fields:
            if one.key.startswith("list_"):
                return {"data": None, "errors": [problem("FORBIDDEN", [one.key], "Not for you")]}
        return document

    events = run(linear(spoil, smalls=[row(1)]), SMALL, states={"smalls": SETTLED})
    assert last(events, SMALL).unlisted == 1
    assert any(
        one.startswith("Stream smalls: Linear's list of its rows did not come (") and "Not for you" in one
        for one in log.messages
    )


def test_a_stream_that_is_unsure_says_so_in_each_sync(log):
    quiet(row(1), row(2), row(3), state=replace(SETTLED, unsure=True), of=SMALL)
    assert any("More rows differ from the copy than a state can tell apart" in one for one in log.messages)


def test_more_odd_ids_than_can_be_named_are_told(log):
    rows = [row(n, id=f"odd{n}") for n in range(MOST_OTHERS + 1)]
    run(linear(smalls=rows), SMALL)
    assert any("65 of its rows have ids that are no UUIDs: of more than 64" in one for one in log.messages)


def test_a_row_that_cannot_be_read_is_told_and_asked_for_again(log):
    def spoil(asked, document):
        found = (document.get("data") or {}).get("smalls") or {"nodes": []}
        for index, one in enumerate(found["nodes"]):
            if one and one["id"] == uuid(2) and "title" in asked.query:
                found["nodes"][index] = None
        return document

    events = run(linear(spoil, smalls=[row(1), row(2)]), SMALL)
    assert last(events, SMALL).pending == {uuid(2): False}
    assert (
        f"Stream smalls: The row {uuid(2)} cannot be read and is left out: Linear sent null and gave no "
        "reason. The next sync asks for it again."
    ) in log.messages
    assert not any("more rows cannot be read" in one for one in log.messages)


def test_of_very_many_rows_that_cannot_be_read_some_are_named_and_the_others_counted(log):
    def spoil(asked, document):
        if "smalls" in document["data"]:
            for one in document["data"]["smalls"]["nodes"]:
                one.pop("owner", None)
        return document

    events = run(linear(spoil, smalls=[row(n) for n in range(1, 31)]), SMALL)
    assert sum("cannot be read and is left out" in one for one in log.messages) == 20
    assert "Stream smalls: 10 more rows cannot be read." in log.messages
    assert len(last(events, SMALL).pending) == 30


def test_rows_that_these_credentials_may_not_see_are_counted(log):
    def spoil(asked, document):
        if "smalls" in document["data"] and "title" in asked.query:
            document["data"]["smalls"]["nodes"][0] = None
            return {**document, "errors": [problem("FORBIDDEN", ["smalls", "nodes", 0], "Not for you")]}
        return document

    run(linear(spoil, smalls=[row(1), row(2)]), SMALL)
    assert "Stream smalls: Linear sent null for 1 row that these credentials may not see." in log.messages
    assert not any("is left out" in one for one in log.messages)


def test_a_column_of_another_form_is_told_once(log):
    of = stream("swept", name="smalls", entity="Small", types={"title": "object"})
    run(linear(smalls=[row(n) for n in range(1, 6)]), of, page_size=2)
    assert (
        sum("title is a string, but its column is declared as an object" in one for one in log.messages) == 1
    )


def test_a_root_that_is_refused_is_told(log):
    def spoil(asked, document):
        for one in asked.fields:
            if one.name == "things":
                return {"data": None, "errors": [problem("FORBIDDEN", [one.key], "Not for you")]}
        return document

    link = {"id": uuid(9), "createdAt": OLD, "updatedAt": OLD, "archivedAt": None, "title": "x"}
    events = run(linear(spoil, others=[row(1, links=[link])]), links())
    assert numbers(one["id"] for one in rows_of(events)) == [9]
    assert last(events).roots == ("others",)
    before = StreamState(cursor=CURSOR, workspace=WORKSPACE, scope={}, copy=sketch(9), walked=CURSOR)
    known = replace(before, roots=("others", "things"))  # whose rows the copy may hold
    again = run(linear(spoil, others=[row(1, links=[link])]), links(), states={"links": known})
    assert last(again).roots == ("others", "things")
    assert any("Linear refuses things, whose rows are left out" in one for one in log.messages)


# While it goes on


def test_while_nothing_comes_the_last_state_is_said_again():
    events = run(linear(smalls=[row(1)]), SMALL, workers=Inline(silent=True))
    states = states_of(events)
    assert any(one == two for one, two in pairwise(states))


def test_before_a_state_was_said_one_that_was_given_is_repeated():
    sync = made(linear(), LONG, states={"things": SETTLED}, workers=Inline(silent=True))
    first = next(sync.events())
    assert first == State("things", SETTLED.encoded("updatedAt"), CURSOR)


def test_where_no_state_was_given_there_is_none_to_repeat():
    assert not isinstance(next(made(linear(), LONG, workers=Inline(silent=True)).events()), State)


def test_who_watches_is_told_of_each_page():
    watched = Watched()
    run(linear(smalls=[row(n) for n in range(1, 4)]), SMALL, progress=watched, page_size=2)
    assert [one[0] for one in watched.said] == ["starts", "came", "came", "read", "ends"]
    assert watched.said[0][1] == "smalls" and watched.said[0][3:5] == (END, at(1))
    assert [one[3:] for one in watched.said[1:3]] == [(at(1), 2, 2), (at(1), 1, 1)]


def sizes(api, *streams, **more):
    """How many nodes each stream was said to have, at its start."""
    run(api, *streams, progress=(watched := Watched()), **more)
    return {one[1]: one[5].nodes for one in watched.said if one[0] == "starts"}


def test_who_watches_is_told_how_much_a_first_read_brings():
    rows = {"smalls": [row(n) for n in range(1, 4)], "things": [row(n) for n in range(1, 6)]}
    issues = stream(name="issues", entity="Issue")
    rows["issues"] = []
    assert sizes(linear(**rows), SMALL, LONG, issues, detect_deletions=24) == {
        "smalls": 3,
        "things": 5,
        "issues": 0,
    }
    assert sizes(linear(**rows), LONG, issues, detect_deletions=None) == {"things": 0, "issues": 12}
    assert sizes(linear(**rows), LONG, detect_deletions=24, start_date=at(3)) == {"things": 0}
    teams = {"teams": [{"id": "t1", "key": "ENG"}]}
    assert sizes(linear(**rows, **teams), issues, detect_deletions=None, team_keys=("ENG",)) == {"issues": 0}
    assert sizes(linear(things=[row(1, history=[]), row(2, history=[])]), history()) == {"thing_history": 2}
    assert sizes(linear(**rows), LONG, states={"things": SETTLED}, detect_deletions=24) == {"things": 0}


def test_the_size_of_a_first_read_is_priced_by_the_formula():
    assert Size.of(LONG, 600, 3) == Size(600, 3, 600 * points_a_row(LONG.roots[0]))
    assert Size.of(LONG, 2_500, 3).requests == 2_500 / LONG.page_size > 3


def test_lists_inside_of_rows_are_complete():
    parts = [{"id": uuid(500 + n), "createdAt": at(1, f"00:{n:02}:00.000")} for n in range(9)]
    events = run(linear(things=[row(1, parts=parts)]), with_lists())
    assert len(rows_of(events)[0]["partIds"]) == 9


# Why a row was not sent, at debug level


def explained(log, row_id):
    return [one for one in log.messages if f"The row {row_id} is not sent" in one]


def test_before_a_stream_is_read_it_is_told_what_was_found(log):
    log.set_level(logging.DEBUG, "airbyte")
    quiet(row(1), row(2, NEWS), row(3))
    assert (
        f"Stream things: It is read since {at(9, '19:59:00.000')}; no list of all rows was walked; "
        f"changed: {uuid(2)}."
    ) in log.messages
    quiet(row(1), row(2), row(3), of=SMALL)
    assert any(
        "Stream smalls: It is read since" in one and "Linear lists 3 rows" in one for one in log.messages
    )


def test_a_row_that_is_owed_is_said_to_be(log):
    log.set_level(logging.DEBUG, "airbyte")
    feed = stream("feed", name="things", filterable=False)
    quiet(row(4), state=replace(SETTLED, pending={uuid(9): False}), of=feed)
    assert explained(log, uuid(9)) == [
        f"Stream things: The row {uuid(9)} is not sent: Linear named it and did not deliver it; the next "
        "sync asks for it again.",
        f"Stream things: The row {uuid(9)} is not sent: it is owed, and asked for again by the next sync.",
    ]


def test_a_row_of_a_feed_that_has_not_changed_is_said_not_to_have(log):
    log.set_level(logging.DEBUG, "airbyte")
    feed = stream("feed", name="things", filterable=False)
    quiet(*(row(n, NEWS) for n in range(4, 20)), row(1), state=SETTLED, of=feed)
    assert explained(log, uuid(1)) == [
        f"Stream things: The row {uuid(1)} is not sent: unchanged since {at(9, '19:59:00.000')}."
    ]


def test_a_version_of_a_row_that_was_sent_before_is_said_to_be(log):
    log.set_level(logging.DEBUG, "airbyte")
    state = replace(SETTLED, copy=sketch(1), pending={uuid(3): False})
    feed = stream("feed", name="things", filterable=False)
    events = quiet(*(row(n, NEWS) for n in range(3, 20)), row(1), state=state, of=feed)
    assert numbers(one["id"] for one in rows_of(events)).count(3) == 1
    assert explained(log, uuid(3)) == [
        f"Stream things: The row {uuid(3)} is not sent: as of {NEWS} it was sent before."
    ]
