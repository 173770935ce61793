"""Reading one slice of one stream: which rows come, and what is learned of the others."""

from dataclasses import replace

import pytest

from source_linear.linear.errors import LinearError
from source_linear.sync.lister import Lister
from source_linear.sync.reader import Page, Reader, Slice, changed_since, unstamped
from unit_tests.sync.parts import (
    Declared,
    Linear,
    at,
    history,
    links,
    numbers,
    option,
    problem,
    row,
    spans,
    uuid,
    with_lists,
)
from unit_tests.sync.parts import stream as things

OF_TEAMS = {"team": {"key": {"in": "TEAM_KEYS"}}}
BEGIN = at(6)
ISSUES = things(name="issues", entity="Issue", dated_by="attachments", team_filter=OF_TEAMS)


def read(of, part, *rows, spoil=None, page_size=250, others=(), **options):
    api = Linear({of.roots[0].name: list(rows), "viewer": {"id": "v"}})
    for root in of.roots[1:]:
        api.rows[root.name] = list(others)
    if spoil:
        api.spoil = spoil
    pages = list(Reader(Declared(of, page_size), option(**options), Lister(api, of)).pages(part))
    return pages, api


def ids(pages):
    return [numbers(one["id"] for one in page.rows) for page in pages]


def flat(pages):
    return sorted(one for page in ids(pages) for one in page)


def filter_of(api, place=0):
    return api.asked[place].variables.get("filter")


# Windows


def test_rows_come_page_by_page_with_what_is_known_of_them():
    pages, api = read(things(), Slice(field="createdAt"), *(row(n) for n in (1, 2, 3)), page_size=2)
    assert ids(pages) == [[2, 3], [1]]
    assert [one.id for one in pages[0].seen] == [one["id"] for one in pages[0].rows]
    assert pages[0].rows[0]["ownerId"] is None and "owner" not in pages[0].rows[0]
    assert pages[0].oldest == at(1)
    assert filter_of(api) is None


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (Slice(at(3), at(4)), {"updatedAt": {"gte": at(3), "lte": at(4)}}),
        (Slice(at(3), None), {"updatedAt": {"gte": at(3)}}),
        (Slice(None, at(4), "createdAt"), {"createdAt": {"lte": at(4)}}),
        (Slice(at(3), at(4), "createdAt"), {"createdAt": {"gte": at(3), "lte": at(4)}}),
        (
            Slice(at(3), None, "createdAt", since=at(2)),
            {"createdAt": {"gte": at(3)}, "updatedAt": {"gte": at(2)}},
        ),
        (Slice(None, None, "createdAt", since=at(2)), {"updatedAt": {"gte": at(2)}}),
    ],
)
def test_a_slice_is_selected_by_its_dates(part, expected):
    _, api = read(things(), part)
    assert filter_of(api) == expected


def test_a_slice_is_selected_by_team_too():
    of = things(team_filter=OF_TEAMS)
    _, api = read(of, Slice(at(3), None), team_keys=("ENG",))
    assert filter_of(api) == {"and": [{"team": {"key": {"in": ["ENG"]}}}, {"updatedAt": {"gte": at(3)}}]}


def test_issues_are_selected_by_when_they_were_archived_and_once_by_their_attachments():
    archived = {"archivedAt": {"gte": BEGIN, "lte": at(8)}, "updatedAt": {"lt": BEGIN}}
    changed = {"updatedAt": {"gte": BEGIN, "lte": at(8)}}
    attached = {"attachments": {"some": {"updatedAt": {"gte": BEGIN}}}, "updatedAt": {"lt": BEGIN}}
    _, api = read(ISSUES, Slice(BEGIN, at(8), first=True))
    assert filter_of(api) == {"or": [changed, archived, attached]}
    _, api = read(ISSUES, Slice(BEGIN, at(8)))
    assert filter_of(api) == {"or": [changed, archived]}


@pytest.mark.parametrize(
    ("of", "part", "changed"),
    [
        (things(), Slice(BEGIN), {"updatedAt": {}}),
        (ISSUES, Slice(BEGIN, field="createdAt"), {"createdAt": {}}),
        (ISSUES, Slice(None), {"updatedAt": {}}),
        (ISSUES, Slice(BEGIN), {}),
    ],
)
def test_what_no_date_of_a_row_tells_is_asked_for_of_issues_that_go_on(of, part, changed):
    assert unstamped(of, part, changed, {}) is changed


def test_what_changed_since_a_moment_is_asked_for_without_an_end():
    assert changed_since(things(), BEGIN) == {"updatedAt": {"gte": BEGIN}}
    assert len(changed_since(ISSUES, BEGIN)["or"]) == 3
    assert changed_since(history(), BEGIN) == {"updatedAt": {"gte": at(5, "23:59:00.000")}}
    assert changed_since(spans(), BEGIN) == {"updatedAt": {"gte": BEGIN}}


def test_a_page_asks_for_no_more_rows_than_there_are_and_then_for_as_many_as_it_may():
    rows = [row(n) for n in range(1, 40)]
    _, api = read(things(), Slice(field="createdAt", nodes={"things": 20}), *rows)
    assert [one.variables["first"] for one in api.asked] == [25, 250]
    _, api = read(things(), Slice(field="createdAt", nodes={"things": 38}), *rows, page_size=30)
    assert [one.variables["first"] for one in api.asked] == [30, 13]
    _, api = read(things(), Slice(field="createdAt"), *rows)
    assert [one.variables["first"] for one in api.asked] == [250]


def test_a_page_is_no_larger_than_its_price_allows():
    of = with_lists("windowed", first=100)
    _, api = read(of, Slice(field="createdAt"), row(1, parts=[]))
    assert [one.variables["first"] for one in api.asked] == [of.page_size] != [250]
    _, api = read(of, Slice(field="createdAt"), row(1, parts=[]), page_size=7)
    assert api.asked[0].variables["first"] == 7


# Sweeps and feeds


def test_of_a_whole_list_the_rows_come_that_changed_or_were_archived():
    rows = [row(1), row(2, BEGIN), row(3, at(5), archivedAt=BEGIN), row(4, at(5), archivedAt=at(4))]
    pages, api = read(things("swept"), Slice(BEGIN, first=True), *rows)
    assert ids(pages) == [[2, 3]]
    assert "orderBy" in api.asked[0].variables and api.asked[0].variables["orderBy"] == "createdAt"
    assert filter_of(api) is None


def test_a_first_read_of_a_list_brings_all():
    assert flat(read(things("swept"), Slice(field="createdAt"), row(1), row(2, BEGIN))[0]) == [1, 2]


def test_a_list_is_selected_by_team():
    _, api = read(things("swept", team_filter=OF_TEAMS), Slice(BEGIN), team_keys=("ENG",))
    assert filter_of(api) == {"team": {"key": {"in": ["ENG"]}}}


def test_a_feed_is_read_newest_first_until_its_slice_begins():
    rows = [row(n, at(n), created=at(1)) for n in range(1, 10)]
    pages, api = read(things("feed", filterable=False), Slice(BEGIN), *rows, page_size=2)
    assert ids(pages) == [[8, 9], [6, 7], []]
    assert api.asked[0].variables["orderBy"] == "updatedAt"
    assert len(api.asked) == 3


def test_a_first_read_of_a_feed_goes_by_creation():
    pages, api = read(things("feed", filterable=False), Slice(field="createdAt"), row(1), row(2))
    assert (flat(pages), api.asked[0].variables["orderBy"]) == ([1, 2], "createdAt")


# No connection


def test_a_root_that_is_one_node_is_a_row_if_it_changed():
    of = things("swept", name="thing", connection=False)
    for part, found in ((Slice(field="createdAt"), [[1]]), (Slice(BEGIN), [[]]), (Slice(at(5)), [[1]])):
        api = Linear({"thing": row(1)})
        pages = list(Reader(Declared(of), option(), Lister(api, of)).pages(part))
        assert ids(pages) == found


def test_a_root_that_is_a_plain_list_is_its_rows():
    of = things("swept", connection=False)
    pages, api = read(of, Slice(at(5)), row(1), row(2, at(4)))
    assert ids(pages) == [[1]]
    assert api.asked[0].variables == {}


def test_a_plain_list_that_is_none_fails_the_stream():
    of = things("swept", connection=False)
    with pytest.raises(LinearError, match="things is not a list"):
        read(of, Slice(), spoil=lambda *_: {"data": {"things": {"a": 1}}})


# Rows of parents


def entries(*days, of=history):
    return [
        {"id": uuid(100 + n), "createdAt": at(n), "updatedAt": at(n), "archivedAt": None, "title": "x"}
        for n in days
    ]


def test_the_entries_of_a_history_come_that_are_new_each_with_its_parent():
    parent = row(1, at(9), history=entries(1, 2, 7, 8))
    pages, api = read(history(), Slice(BEGIN), parent)
    assert ids(pages) == [[107, 108]]
    assert pages[0].rows[0]["thingId"] == uuid(1)
    assert [(one.id, one.updated) for one in pages[0].seen] == [(uuid(1), at(9))]
    assert filter_of(api) == {"updatedAt": {"gte": at(5, "23:59:00.000")}}


def test_a_parent_is_known_by_its_newest_entry_where_that_is_later():
    pages, _ = read(history(), Slice(BEGIN), row(1, at(7), history=entries(8)))
    assert pages[0].seen[0].updated == at(8)


def test_parents_have_no_end_of_their_slice():
    _, api = read(history(), Slice(BEGIN, at(8)), row(1, at(9), history=[]))
    assert filter_of(api) == {"updatedAt": {"gte": at(5, "23:59:00.000")}}


def test_of_parents_that_are_asked_for_by_id_all_entries_come():
    parent = row(1, at(9), history=entries(1, 2, 3, 7, 8))
    part = Slice(BEGIN, ids=(uuid(1),), every=True)
    assert flat(read(history(), part, parent)[0]) == [101, 102, 103, 107, 108]
    assert flat(read(history(), replace(part, since=at(3)), parent)[0]) == [103, 107, 108]
    assert flat(read(history(), Slice(BEGIN, ids=(uuid(1),)), parent)[0]) == [107, 108]


def test_a_first_read_brings_no_entry_before_the_start_date():
    parent = row(1, at(9), history=entries(1, 2, 7))
    assert flat(read(history(), Slice(field="createdAt"), parent, start_date=at(2))[0]) == [102, 107]
    assert flat(read(history(), Slice(field="createdAt"), parent)[0]) == [101, 102, 107]


def test_a_history_that_cannot_be_filtered_by_date_is_read_of_parents_that_changed_or_whose_entries_did():
    parents = [
        row(1, at(4), history=entries(2)),
        row(2, at(4), history=entries(2, 8)),
        row(3, at(9), history=[]),
    ]
    pages, _ = read(history(kind="swept"), Slice(BEGIN), *parents)
    assert flat(pages) == [108]


def test_rows_without_dates_take_those_of_their_parent():
    span = {"id": uuid(7), "title": "x"}
    pages, _ = read(spans(), Slice(BEGIN), row(1, at(9), archivedAt=at(8), spans=[span]))
    (found,) = pages[0].rows
    assert (found["thingUpdatedAt"], found["thingArchivedAt"], found["isArchived"]) == (at(9), at(8), True)


def test_a_row_of_a_parent_that_is_null_leaves_the_parent_to_be_asked_for_again():
    pages, _ = read(
        history(), Slice(BEGIN), row(1, at(9), history=[None, *entries(8)]), row(2, at(9), history=[])
    )
    assert (flat(pages), numbers(pages[0].unread)) == ([108], [1])
    assert [one.id for one in pages[0].seen] == [uuid(2)]


def test_rows_in_lists_of_two_kinds_of_parents_come_from_both():
    link = lambda n: {"id": uuid(n), "createdAt": at(7), "updatedAt": at(7), "archivedAt": None, "title": "x"}  # noqa: E731
    pages, _ = read(links(), Slice(BEGIN), row(1, links=[link(11)]), others=[row(2, links=[link(12)])])
    assert ids(pages) == [[11], [12]]
    assert [one.id for page in pages for one in page.seen] == [uuid(11), uuid(12)]
    assert (pages[0].rows[0]["thingId"], pages[0].rows[0]["otherId"]) == (uuid(1), None)
    assert (pages[1].rows[0]["thingId"], pages[1].rows[0]["otherId"]) == (None, uuid(2))


def refusing(root, code="FORBIDDEN"):
    def spoil(asked, document):
        if asked.fields[0].name == root:
            return {"data": None, "errors": [problem(code, [root], "Not for you")]}
        return document

    return spoil


def test_of_several_roots_one_that_is_refused_costs_its_own_rows():
    link = {"id": uuid(12), "createdAt": at(7), "updatedAt": at(7), "archivedAt": None, "title": "x"}
    pages, _ = read(links(), Slice(BEGIN), others=[row(2, links=[link])], spoil=refusing("things"))
    assert flat(pages) == [12]
    assert list(pages[-1].roots) == ["things"]
    assert "Not for you" in pages[-1].roots["things"] and "Stream" not in pages[-1].roots["things"]


@pytest.mark.parametrize(
    ("of", "spoil"),
    [
        (links(), refusing("others", "INPUT_ERROR")),
        (links(), lambda asked, document: refusing(asked.fields[0].name)(asked, document)),
        (things(), refusing("things")),
    ],
)
def test_any_other_root_that_fails_costs_its_stream(of, spoil):
    with pytest.raises(LinearError, match="Not for you"):
        read(of, Slice(BEGIN), spoil=spoil)


# Lists inside rows


def parts(number):
    return [{"id": uuid(500 + n), "createdAt": at(1, f"00:{n:02}:00.000")} for n in range(number)]


def test_a_list_inside_a_row_is_complete_whatever_its_length():
    rows = [row(n, parts=parts(n)) for n in (1, 2, 7, 30)]
    pages, _ = read(with_lists("windowed"), Slice(field="createdAt"), *rows)
    found = {int(one["id"][-2:], 16): len(one["partIds"]) for page in pages for one in page.rows}
    assert found == {1: 1, 2: 2, 7: 7, 30: 30}


def test_long_lists_wait_for_each_other_until_the_last_page():
    rows = [
        row(n, parts=parts(5 if n % 2 else 1), created=at(1, f"00:{60 - n:02}:00.000")) for n in range(1, 7)
    ]
    pages, api = read(with_lists("windowed"), Slice(field="createdAt"), *rows, page_size=2)
    assert ids(pages) == [[2], [4], [1, 3, 5, 6]]
    assert len(api.asked) == 4, "three pages, and one request for all that goes on"


# Rows by id


def test_rows_come_by_their_ids():
    pages, _ = read(things(), Slice(BEGIN, ids=(uuid(1), uuid(3))), row(1), row(2), row(3))
    assert ids(pages) == [[1, 3]]
    assert pages[0].lost == pages[0].missing == []


def test_rows_that_may_be_gone_are_lost_where_linear_does_not_show_them_either():
    asked_for = (uuid(1), uuid(7), uuid(8))
    pages, api = read(things(), Slice(BEGIN, ids=asked_for, doubtful=frozenset([uuid(7)])), row(1))
    assert (ids(pages), pages[0].lost, pages[0].missing) == ([[1]], [uuid(7)], [uuid(8)])
    assert [one.fields[0].key for one in api.asked] == ["rows", "there"]


def test_a_row_that_linear_shows_when_asked_for_nothing_else_is_asked_for_again():
    def spoil(asked, document):
        if asked.fields[0].key == "rows":
            document["data"]["rows"]["nodes"] = []
        return document

    part = Slice(BEGIN, ids=(uuid(1), uuid(7)), doubtful=frozenset([uuid(1), uuid(7)]))
    pages, _ = read(things(), part, row(1), spoil=spoil)
    assert (pages[0].lost, pages[0].missing) == ([uuid(7)], [uuid(1)])


def test_where_linear_does_not_say_who_is_there_none_is_lost():
    def spoil(asked, document):
        if asked.fields[0].key == "there":
            return {"data": None, "errors": [problem("FORBIDDEN", ["there"])]}
        return document

    pages, _ = read(things(), Slice(BEGIN, ids=(uuid(7),), doubtful=frozenset([uuid(7)])), spoil=spoil)
    assert (pages[0].lost, pages[0].missing) == ([], [uuid(7)])


def test_without_a_filter_a_row_is_lost_only_where_the_list_says_so():
    of = things("feed", filterable=False)
    part = Slice(
        BEGIN, ids=(uuid(7), uuid(8)), doubtful=frozenset([uuid(7), uuid(8)]), gone=frozenset([uuid(7)])
    )
    pages, _ = read(of, part)
    assert (pages[0].lost, pages[0].missing) == ([uuid(7)], [uuid(8)])


def test_rows_by_id_come_in_pages_and_are_selected_by_team():
    of = things(team_filter=OF_TEAMS, fields=" ".join(f"f{n}" for n in range(2000)))
    wanted = tuple(uuid(n) for n in range(1, 101))
    team = {"key": "ENG"}
    pages, api = read(
        of,
        Slice(BEGIN, ids=wanted),
        row(1, team=team),
        row(2, team=None),
        row(99, team=team),
        team_keys=("ENG",),
    )
    assert flat(pages) == [1, 99]
    assert len(pages) == -(-100 // of.page_size) > 1
    assert api.asked[0].variables["filter_rows"]["and"][0] == {"team": {"key": {"in": ["ENG"]}}}


def test_rows_that_can_only_be_read_whole_are_picked():
    link = lambda n: {"id": uuid(n), "createdAt": at(7), "updatedAt": at(7), "archivedAt": None, "title": "x"}  # noqa: E731
    part = Slice(BEGIN, ids=(uuid(11), uuid(13), uuid(14)), gone=frozenset([uuid(13), uuid(11)]))
    pages, _ = read(links(), part, row(1, links=[link(11), link(12)]))
    assert flat(pages) == [11]
    assert [one.id for page in pages for one in page.seen] == [uuid(11)]
    assert pages[-1] == Page(lost=[uuid(13)])


# What cannot be read


def test_a_row_that_does_not_match_the_schema_is_left_out_with_a_reason():
    def spoil(asked, document):
        del document["data"]["things"]["nodes"][0]["owner"]
        return document

    pages, _ = read(things(), Slice(field="createdAt"), row(1), row(2), spoil=spoil)
    assert (ids(pages), pages[0].unread) == ([[1]], {uuid(2): "It does not match Linear's schema."})


def test_a_row_of_which_a_part_may_come_later_is_sent_and_asked_for_again():
    error = problem("INTERNAL_SERVER_ERROR", ["things", "nodes", 0, "owner"], "Timed out")
    pages, _ = read(
        things(), Slice(field="createdAt"), row(1), spoil=lambda asked, d: {**d, "errors": [error]}
    )
    assert (ids(pages), pages[0].unread) == ([[1]], {uuid(1): "A part of it did not come."})


def test_a_column_that_linear_no_longer_has_is_null():
    message = 'Cannot query field "title" on type "Thing".'
    error = {"message": message, "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"}}
    pages, _ = read(
        things(),
        Slice(field="createdAt"),
        row(1),
        spoil=lambda asked, document: (400, {"errors": [error]}) if "title" in asked.query else document,
    )
    assert pages[0].rows[0]["title"] is None


def test_a_column_of_the_rows_inside_parents_that_linear_no_longer_has_is_null():
    message = 'Cannot query field "title" on type "ThingHistory".'
    error = {"message": message, "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"}}
    pages, _ = read(
        history(),
        Slice(field="createdAt"),
        row(1, history=entries(1)),
        spoil=lambda asked, document: (400, {"errors": [error]}) if "title" in asked.query else document,
    )
    assert (pages[0].rows[0]["id"], pages[0].rows[0]["title"]) == (uuid(101), None)


def test_a_list_is_read_on_without_what_linear_no_longer_has():
    message = 'Cannot query field "title" on type "ThingHistory".'
    error = {"message": message, "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"}}
    pages, _ = read(
        history(),
        Slice(field="createdAt"),
        row(1, history=entries(*range(1, 9))),
        spoil=lambda asked, document: (400, {"errors": [error]}) if "title" in asked.query else document,
    )
    assert flat(pages) == [*range(101, 109)]
    assert [page.unread for page in pages] == [{}]


def test_a_value_of_another_form_than_declared_is_said_once():
    of = things(types={"title": "object"})
    pages, _ = read(of, Slice(field="createdAt"), row(1), row(2), page_size=1)
    assert [page.deviations for page in pages] == [{"title": ("object", "string")}, {}]
