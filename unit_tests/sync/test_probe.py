"""The change probe: what changed, asked for all streams at once, and lists that are walked to their ends."""

import logging

import pytest

from source_linear.linear.errors import Failure
from source_linear.sync.listed import Since
from source_linear.sync.lister import Lister, Reply
from source_linear.sync.probe import Probe, Wanted, refused
from unit_tests.sync.parts import Linear, at, history, links, numbers, problem, row, spans, stream, uuid

OLD, BEGIN, WALKED, END = at(5), at(6), at(6), at(10)
SINCE = Since(BEGIN, WALKED, BEGIN, END)
FIRST = Since(None, None, "", END)
LONG, SMALL = stream(), stream("swept", name="smalls", entity="Small")
FEED = stream("feed", name="feeds", entity="Feed", filterable=False)
BROKEN = (500, {"errors": [problem("INTERNAL_SERVER_ERROR")]})


@pytest.fixture(autouse=True)
def log(caplog):
    caplog.set_level(logging.INFO, "airbyte")
    return caplog


def linear(spoil=None, **rows):
    roots = ("things", "smalls", "feeds", "others", "issueRelations")
    made = Linear({**{root: [] for root in roots}, "viewer": {"id": "v"}, **rows})
    if spoil:
        made.spoil = spoil
    return made


def asks(of, begin=BEGIN, walks=False, **more):
    return Wanted(of, begin, walks, **more)


def find(api, *wanted, since=SINCE, teams=(), span=None, resumed=None):
    lister = Lister(api)
    probe = Probe(lister, wanted, teams)
    replies = lister.ask(probe.questions())
    probe.resume(resumed or {one.stream.name: one.begin for one in wanted})
    if span:
        probe.span(*span)
    return probe.find(replies, {one.stream.name: since for one in wanted if one.walks})


def changed(api, one, **more):
    found = find(api, one, **more)[one.stream.name].changed
    return None if found is None else numbers(found)


def ids_of(listed, among=range(1, 700)):
    return [n for n in among if uuid(n) in listed]


def queries(api):
    return [asked.query for asked in api.asked]


# What changed


def test_what_changed_of_many_streams_is_asked_for_in_one_request():
    api = linear(things=[row(1), row(2, at(7))], smalls=[row(3, at(7)), row(4)])
    found = find(api, asks(LONG), asks(SMALL, walks=True))
    assert (numbers(found["things"].changed), numbers(found["smalls"].changed)) == ([2], [3])
    assert len(api.asked) == 1 and api.asked[0].query.startswith("query sync(")


def test_a_stream_that_is_read_from_the_beginning_is_asked_for_only_where_its_list_is_walked():
    api = linear()
    assert find(api, asks(LONG, None))["things"].changed is None
    assert api.asked == []
    assert find(api, asks(SMALL, None, True), since=FIRST)["smalls"].changed is None
    assert len(api.asked) == 1


def test_nothing_changed():
    assert changed(linear(things=[row(1), row(2)]), asks(LONG)) == []


def test_as_many_as_few_are_told_and_more_are_not():
    for number, known in ((10, list(range(1, 11))), (11, None)):
        rows = [row(n, at(7)) for n in range(1, number + 1)]
        assert changed(linear(things=rows), asks(LONG)) == known


def test_the_newest_changed_rows_are_asked_for_as_the_stream_is_filtered():
    of = stream(team_filter={"team": {"key": {"in": "TEAM_KEYS"}}})
    api = linear()
    find(api, asks(of), teams=("ENG",))
    (where,) = api.asked[0].variables.values()
    assert where == {"and": [{"team": {"key": {"in": ["ENG"]}}}, {"updatedAt": {"gte": BEGIN}}]}
    assert "first: 10" in api.asked[0].query and "orderBy: updatedAt" in api.asked[0].query


@pytest.mark.parametrize("value", [None, "yes", 7])
def test_where_linear_does_not_say_whether_there_are_more_nothing_is_known(value):
    def spoil(asked, document):
        document["data"]["newest_things"]["pageInfo"]["hasNextPage"] = value
        return document

    assert changed(linear(spoil, things=[row(1, at(7))]), asks(LONG)) is None


def test_where_a_row_is_null_or_has_errors_nothing_is_known():
    def null(asked, document):
        document["data"]["newest_things"]["nodes"].append(None)
        return document

    def errors(asked, document):
        return {**document, "errors": [problem("FORBIDDEN", ["newest_things", "nodes", 0, "id"])]}

    for spoil in (null, errors):
        assert changed(linear(spoil, things=[row(1, at(7))]), asks(LONG)) is None


def test_a_stream_of_which_nothing_can_be_asked_is_not_known_and_costs_no_other():
    def spoil(asked, document):
        if "newest_things" in [one.key for one in asked.fields]:
            return {"data": None, "errors": [problem("FORBIDDEN", ["newest_things"])]}
        return document

    found = find(linear(spoil, smalls=[row(3, at(7))]), asks(LONG), asks(SMALL, walks=True))
    assert found["things"].changed is None and numbers(found["smalls"].changed) == [3]


@pytest.mark.parametrize(
    ("rows", "known"),
    [
        ([], []),
        ([row(1)], []),
        ([row(1, at(7))], None),
        ([row(n) for n in range(1, 12)], []),
        ([row(1, at(5), archivedAt=at(7))], None),
    ],
)
def test_of_a_root_without_a_filter_the_newest_rows_tell_only_that_nothing_changed(rows, known):
    api = linear(feeds=rows)
    assert changed(api, asks(FEED)) == known
    assert "filter" not in api.asked[0].query


def test_a_stream_that_goes_on_from_another_moment_than_was_asked_for_is_not_known():
    assert changed(linear(), asks(LONG), resumed={"things": at(5)}) is None
    assert changed(linear(), asks(LONG), resumed={"things": BEGIN}) == []


@pytest.mark.parametrize(("updated", "known"), [(at(5), []), (BEGIN, None)])
def test_of_one_node_its_dates_tell(updated, known):
    of = stream("swept", name="thing", connection=False)
    assert changed(linear(thing=row(1, updated)), asks(of)) == known


def test_of_the_entries_of_parents_the_newest_one_tells():
    old, new = row(8, at(5)), row(9, at(7))
    rows = [row(1, at(7), history=[old]), row(2, at(7), history=[new, old]), row(3, at(7), history=[])]
    assert changed(linear(things=rows), asks(history())) == [2]
    assert changed(linear(things=[row(1, at(7), spans=[])]), asks(spans())) == [1]


def test_an_issue_that_was_chosen_by_its_attachments_changed_though_its_dates_do_not_tell():
    of = stream(name="issues", entity="Issue", dated_by="attachments")
    issue = row(1, at(5), attachments=[{"updatedAt": at(7)}])
    assert changed(linear(issues=[issue]), asks(of)) == [1]


# Walking


def test_a_short_list_is_walked_and_its_rows_are_known():
    api = linear(smalls=[row(n, at(7) if n == 3 else at(5)) for n in range(1, 6)])
    found = find(api, asks(SMALL, walks=True))["smalls"]
    assert (ids_of(found.listed), numbers(found.changed), found.failure) == ([1, 2, 3, 4, 5], [3], "")
    assert len(api.asked) == 1
    assert "nodes { id createdAt updatedAt archivedAt }" in queries(api)[0]
    assert "pageInfo" not in queries(api)[0]


def test_more_changed_than_half_of_a_list_are_not_asked_for_one_by_one():
    rows = [row(n, at(7)) for n in range(1, 12)]
    assert changed(linear(smalls=rows), asks(SMALL, walks=True)) is None
    rows = [row(n, at(7) if n < 16 else at(5)) for n in range(1, 31)]
    assert len(changed(linear(smalls=rows), asks(SMALL, walks=True))) == 15


def test_a_list_is_walked_to_a_page_that_is_not_full():
    api = linear(smalls=[row(n) for n in range(1, 321)])
    assert len(ids_of(find(api, asks(SMALL, walks=True))["smalls"].listed)) == 320
    assert [one.split("first: ")[1].split(",")[0] for one in queries(api)] == ["50", "250", "250"]


@pytest.mark.parametrize(("length", "first"), [(3, 8), (100, 105), (240, 245), (248, 250), (0, 50)])
def test_a_list_whose_length_is_known_is_asked_for_with_that_length(length, first):
    api = linear()
    find(api, asks(SMALL, walks=True, length=length))
    assert f"first: {first}," in queries(api)[0]


def test_streams_of_one_list_walk_it_together():
    api = linear(things=[row(1)])
    find(api, asks(stream("swept"), walks=True), asks(history(), walks=True))
    assert sum(one.key.startswith("list_") for one in api.asked[0].fields) == 1


def test_a_list_is_walked_as_the_stream_is_filtered():
    of = stream("swept", team_filter={"team": {"key": {"in": "TEAM_KEYS"}}})
    api = linear(things=[row(1, team={"key": "ENG"}), row(2, team={"key": "OPS"})])
    found = find(api, asks(of, walks=True), teams=("ENG",))["things"]
    assert ids_of(found.listed) == [1]


def test_the_trash_is_archived_in_a_list_too():
    of = stream("swept", fields="title trashed")
    found = find(linear(things=[row(1, trashed=True), row(2, trashed=None)]), asks(of, walks=True))["things"]
    assert (found.listed.flag(uuid(1)), found.listed.flag(uuid(2))) == (True, False)


def test_a_list_that_goes_in_a_circle_does_not_come():
    def spoil(asked, document):
        return {"data": {asked.fields[0].key: {"nodes": [row(n) for n in range(1, 251)]}}}

    found = find(linear(spoil), asks(SMALL, walks=True))["smalls"]
    assert found.listed is None
    assert "gives a page that was there before" in found.failure


def test_a_list_goes_on_behind_the_row_before_where_its_cursor_was_purged():
    api = linear(smalls=[row(n) for n in range(1, 101)])

    def spoil(asked, document):
        if len(api.asked) == 1:
            last = document["data"][asked.fields[0].key]["nodes"][-1]["id"]
            api.rows["smalls"] = [one for one in api.rows["smalls"] if one["id"] != last]
        return document

    api.spoil = spoil
    assert len(ids_of(find(api, asks(SMALL, walks=True))["smalls"].listed)) == 100
    assert len(api.asked) == 3


def test_a_list_whose_cursor_is_refused_again_and_again_does_not_come():
    def spoil(asked, document):
        one = asked.fields[0]
        return {"errors": [problem("INVALID_INPUT", [one.key])]} if "after" in one.arguments else document

    api = linear(spoil, smalls=[row(n) for n in range(1, 101)])
    found = find(api, asks(SMALL, walks=True))["smalls"]
    assert found.listed is None and "was deleted meanwhile" in found.failure
    assert len(api.asked) == 5


def test_a_list_that_fails_does_not_come_and_costs_no_other():
    def spoil(asked, document):
        for one in asked.fields:
            if one.name == "smalls":
                return {"data": None, "errors": [problem("FORBIDDEN", [one.key], "Not for you")]}
        return document

    found = find(linear(spoil, things=[row(1)]), asks(SMALL, walks=True), asks(stream("swept"), walks=True))
    assert found["smalls"].listed is None and "Not for you" in found["smalls"].failure
    assert ids_of(found["things"].listed) == [1]


def test_a_page_that_fails_is_tried_with_few_rows():
    def spoil(asked, document):
        first = asked.arguments(asked.fields[0]).get("first", 1)
        return BROKEN if first > 20 else document

    api = linear(spoil, smalls=[row(n) for n in range(1, 31)])
    assert len(ids_of(find(api, asks(SMALL, walks=True))["smalls"].listed)) == 30


def test_a_page_that_fails_with_few_rows_fails():
    found = find(linear(lambda *_: BROKEN), asks(SMALL, walks=True))["smalls"]
    assert found.listed is None and found.failure


def test_where_rows_of_a_list_did_not_come_it_does_not_tell_what_changed():
    def spoil(asked, document):
        document["data"][asked.fields[0].key]["nodes"].append(None)
        return document

    found = find(linear(spoil, smalls=[row(1, at(7))]), asks(SMALL, walks=True))["smalls"]
    assert (ids_of(found.listed), found.changed) == ([1], None)


def test_a_row_whose_dates_are_none_is_in_no_list():
    found = find(linear(smalls=[row(1), row(2, "yesterday")]), asks(SMALL, walks=True))["smalls"]
    assert ids_of(found.listed) == [1]


def test_a_plain_list_is_walked_as_it_comes():
    of = stream("swept", connection=False)
    found = find(linear(things=[row(1), row(2, at(7))]), asks(of, walks=True))["things"]
    assert (ids_of(found.listed), numbers(found.changed)) == ([1, 2], [2])


@pytest.mark.parametrize("rows", [[row(1), None], [{"id": "a"}]])
def test_a_plain_list_with_something_odd_in_it_does_not_come(rows):
    def spoil(asked, document):
        document["data"]["newest_things"] = rows
        return document

    found = find(linear(spoil), asks(stream("swept", connection=False), walks=True))["things"]
    assert (found.listed, found.failure) == (None, "Linear sent no list.")


def test_a_parent_of_entries_that_are_newest_first_is_listed_with_its_newest_one():
    parents = [
        row(1, at(4), history=[row(8, at(7)), row(9, at(2))]),
        row(2, at(4), history=[row(7, at(5))]),
        row(3, at(5), history=[]),
    ]
    found = find(linear(things=parents), asks(history(kind="swept"), walks=True))["thing_history"]
    assert ids_of(found.listed) == [1, 2, 3]
    assert numbers(found.changed) == [1]


def link(number, updated=OLD):
    return {"id": uuid(number), "createdAt": at(1), "updatedAt": updated, "archivedAt": None, "title": "x"}


def test_the_rows_of_lists_inside_of_parents_are_listed_from_all_roots_to_their_ends():
    many = [link(n) for n in range(100, 140)]
    rows = {"things": [row(1, links=many), row(2, links=[])], "others": [row(3, links=[link(11, at(7))])]}
    found = find(linear(**rows), asks(links(), walks=True))["links"]
    assert ids_of(found.listed) == [11, *range(100, 140)]
    assert numbers(found.changed) == [11]


def purging(api, list_of, again=False):
    """Lets the last row of each page be purged once the page was sent; `list_of` finds its list."""
    gone = []

    def spoil(asked, document):
        if again or not gone:
            for rows, nodes in list_of(api, document):
                if nodes:
                    gone.append(nodes[-1]["id"])
                    rows[:] = [one for one in rows if one["id"] != gone[-1]]
        return document

    return spoil


def links_of(api, document):
    parents = [one for root in document["data"].values() for one in root["nodes"] if "links" in one]
    return [(api.rows["things"][0]["links"], one["links"]["nodes"]) for one in parents]


def test_a_list_inside_a_row_goes_on_behind_the_item_before_where_its_cursor_was_purged():
    api = linear(things=[row(1, links=[link(n) for n in range(100, 140)])])
    api.spoil = purging(api, links_of)
    found = find(api, asks(links(), walks=True))["links"]
    assert ids_of(found.listed) == [*range(100, 140)], "the purged one was listed before"


def test_a_list_inside_a_row_whose_cursors_are_refused_again_and_again_does_not_come():
    def spoil(asked, document):
        if any("after" in nested.arguments for nested in inner(asked)):
            return {"errors": [problem("INVALID_INPUT", [one.key]) for one in asked.fields]}
        return document

    def inner(asked):
        return [part for one in asked.fields for some in one.selection for part in some.selection]

    api = linear(spoil, things=[row(1, links=[link(n) for n in range(100, 140)])])
    found = find(api, asks(links(), walks=True))["links"]
    assert found.listed is None and "was deleted meanwhile" in found.failure


def test_of_lists_inside_rows_as_much_is_asked_for_as_comes_with_the_request_anyway():
    long = [row(n, links=[link(100 * n + m) for m in range(40)]) for n in range(1, 3)]
    api = linear(things=long, smalls=[row(n) for n in range(1, 400)])
    find(api, asks(links(), walks=True))
    assert len(api.asked) == 2, "few lists that nothing else is asked beside"
    api = linear(things=long, smalls=[row(n) for n in range(1, 1_600)])
    wanted = [asks(stream("swept", name=f"{one}s", filterable=False), walks=True) for one in "abcd"]
    api.rows |= {f"{one}s": [row(n) for n in range(1, 600)] for one in "abcd"}
    find(api, asks(links(), walks=True), *wanted)
    second = {one.selection[0].selection[1].first for one in api.asked[1].fields if one.name == "things"}
    assert second == {"2"}, "of a request that is dear already, each item costs"


def refusing(root, code="FORBIDDEN"):
    def spoil(asked, document):
        for one in asked.fields:
            if one.name == root:
                return {"data": None, "errors": [problem(code, [one.key], "Not for you")]}
        return document

    return spoil


def test_of_several_roots_one_that_is_refused_costs_its_rows_and_is_known_to_be():
    api = linear(refusing("things"), others=[row(3, links=[link(11)])])
    found = find(api, asks(links(), walks=True))["links"]
    assert (ids_of(found.listed), found.listed.refused) == ([11], {"things"})


@pytest.mark.parametrize("code", ["FORBIDDEN", "INPUT_ERROR"])
def test_of_several_roots_one_that_fails_otherwise_costs_the_list(code):
    def both(asked, document):
        return refusing("others", code)(asked, refusing("things", code)(asked, document))

    spoil = both if code == "FORBIDDEN" else refusing("things", code)
    found = find(linear(spoil), asks(links(), walks=True))["links"]
    assert found.listed is None and "Not for you" in found.failure


def walk(api, one, since=SINCE, sure=False, created="", issues=0):
    probe = Probe(Lister(api), [one], ())
    probe.cut_long_lists(created, issues)
    return probe.walk([one], {one.stream.name: since}, sure)[one.stream.name]


def test_a_list_that_is_walked_for_sure_ends_where_linear_says_so():
    def short(asked, document):
        for one in document["data"].values():
            if len(one["nodes"]) > 3:
                one["nodes"] = one["nodes"][:3]
                if "pageInfo" in one:
                    one["pageInfo"] = {"hasNextPage": True, "endCursor": one["nodes"][-1]["id"]}
        return document

    rows = [row(n) for n in range(1, 8)]
    listed, _ = walk(linear(short, things=rows), asks(LONG, walks=True))
    assert len(ids_of(listed)) == 3
    listed, _ = walk(linear(short, things=rows), asks(LONG, walks=True), sure=True)
    assert len(ids_of(listed)) == 7


def minutes(number):
    """As many rows, one created each minute from the second of January on."""
    return [row(n, created=at(2 + n // 1440, f"{n // 60 % 24:02}:{n % 60:02}:00.000")) for n in range(number)]


def roots_of(api):
    return [len(asked.fields) for asked in api.asked]


def test_a_long_list_is_walked_in_slices_by_creation_side_by_side():
    api = linear(things=minutes(4_000))
    listed, _ = walk(api, asks(LONG, walks=True, length=4_000), created=at(2), issues=0)
    assert listed.rows == 4_000
    # A page, and by how close its rows are to each other what is left in three slices.
    assert roots_of(api)[:2] == [1, 3]
    assert len(api.asked) <= 8
    first, *_, last = (one["createdAt"] for one in api.asked[1].variables.values() if "createdAt" in one)
    assert (set(first), set(last)) == ({"lt"}, {"gte", "lte"})
    assert last["lte"] == at(4, "14:30:00.000"), "the last row that came: others may be of the same moment"


def test_where_rows_are_further_apart_in_the_past_slices_are_longer_than_a_page_takes():
    dense = [row(n, created=at(8, f"00:{n // 60:02}:{n % 60:02}.000")) for n in range(3_000)]
    sparse = [row(5_000 + n, created=at(2, f"{n:02}:00:00.000")) for n in range(20)]
    api = linear(things=[*dense, *sparse])
    listed, _ = walk(api, asks(LONG, walks=True, length=3_020), created=at(1), issues=0)
    assert listed.rows == 3_020


def test_a_slice_whose_rows_are_closer_than_thought_is_cut_again():
    dense = [
        row(n, created=at(3, f"{n // 60 // 60:02}:{n // 60 % 60:02}:{n % 60:02}.000")) for n in range(6_000)
    ]
    sparse = [
        row(9_000 + n, created=at(4 + n // 96, f"{n // 4 % 24:02}:{n % 4 * 15:02}:00.000"))
        for n in range(500)
    ]
    api = linear(things=[*dense, *sparse])
    listed, _ = walk(api, asks(LONG, walks=True, length=6_500), created=at(1), issues=0)
    assert listed.rows == 6_500
    assert max(roots_of(api)) > 3 and len(api.asked) < 20


def test_a_slice_that_is_refused_costs_the_whole_list():
    def spoil(asked, document):
        for one in asked.fields:
            if one.key.endswith("_1") and document.get("data"):
                return {"data": None, "errors": [problem("FORBIDDEN", [one.key], "Not for you")]}
        return document

    listed, reason = walk(
        linear(spoil, things=minutes(4_000)), asks(LONG, walks=True, length=4_000), created=at(2)
    )
    assert listed is None and "Not for you" in reason


def test_many_rows_of_one_moment_are_walked_page_by_page():
    api = linear(things=[row(n, created=at(3)) for n in range(1_000)])
    listed, _ = walk(api, asks(LONG, walks=True, length=100_000), created=at(2), issues=0)
    assert listed.rows == 1_000


@pytest.mark.parametrize(
    ("of", "length", "issues", "slices"),
    [
        (LONG, 0, 700, 3),
        (LONG, 2_200, 9_000, 0),
        (LONG, 10**9, 0, 3),
        (FEED, 9_000, 9_000, 0),
        (SMALL, 9_000, 9_000, 0),
    ],
)
def test_only_a_long_list_that_can_be_filtered_is_cut_and_into_no_more_slices_than_it_can_fill(
    of, length, issues, slices
):
    api = linear(things=minutes(4_000), smalls=minutes(4_000))
    walk(api, asks(of, walks=True, length=length), created=at(2), issues=issues)
    assert max(roots_of(api)) == max(1, slices)


def test_slices_whose_lengths_nobody_knows_are_walked_by_full_pages():
    rows = [row(n, created=at(2)) for n in range(1, 600)]
    api = linear(things=rows)
    listed, _ = walk(api, asks(LONG, walks=True, length=2_000), created=at(1))
    assert listed.rows == 599
    assert {one.first for asked in api.asked for one in asked.fields} == {"250"}


def test_what_is_walked_for_longest_is_asked_for_first_and_each_request_is_full():
    dear = history(name="dear", entity="Dear", kind="swept", parents=["Thing.dears(first: 60)"])
    rows = {"smalls": [row(n) for n in range(1, 900)], "things": [row(n, dears=[]) for n in range(1, 111)]}
    wanted = [asks(dear, walks=True, length=110), asks(SMALL, walks=True, length=899)]
    api = linear(**rows)
    listed = Probe(Lister(api), wanted, ()).walk(wanted, {"dear": SINCE, "smalls": SINCE})
    assert (listed["smalls"][0].nodes, listed["dear"][0].nodes) == ({"smalls": 899}, {"things": 110})
    asked = [[one.name for one in some.fields] for some in api.asked]
    assert asked == [["smalls"]] * 4 + [["things"]]


def test_lists_of_which_nobody_knows_how_long_they_are_take_turns_and_come_first():
    names = [f"{one}{other}s" for one in "abcdefgh" for other in "klmno"]
    wanted = [asks(stream("swept", name=name, filterable=False), walks=True) for name in names]
    wanted.append(asks(SMALL, walks=True, length=5))
    api = linear(smalls=[row(1)], **{name: [row(n) for n in range(1, 400)] for name in names})
    listed = Probe(Lister(api), wanted, ()).walk(wanted, {one.stream.name: SINCE for one in wanted})
    assert [found.rows for found, _ in listed.values()] == [399] * 40 + [1]
    first, *rest = ([one.name for one in some.fields] for some in api.asked)
    assert (first, len(rest)) == ([*names, "smalls"], 3), (
        "40 pages of 50 rows, then 80 of 250, 28 to a request"
    )


# How much changed


@pytest.mark.parametrize(("room", "is_long"), [(11, True), (12, False), (None, False)])
def test_a_stream_of_which_more_changed_than_can_be_named_is_to_be_walked(room, is_long):
    api = linear(things=[row(n, at(7)) for n in range(1, 13)])
    found = find(api, asks(LONG, room=room))["things"]
    assert (found.is_long, found.changed) == (is_long, None)


def of_root(name):
    return lambda api, document: [
        (api.rows[name], root["nodes"]) for root in document["data"].values() if isinstance(root, dict)
    ]


def test_what_changed_is_counted_on_where_its_cursor_was_purged():
    api = linear(things=[row(n, at(7)) for n in range(1, 400)])
    full = of_root("things")
    api.spoil = purging(api, lambda api, document: [one for one in full(api, document) if len(one[1]) == 250])
    assert find(api, asks(LONG, room=300))["things"].is_long


def test_few_changes_need_not_be_counted():
    api = linear(things=[row(1, at(7))])
    assert not find(api, asks(LONG, room=0))["things"].is_long
    assert len(api.asked) == 1


@pytest.mark.parametrize(("room", "is_long"), [(11, True), (12, False)])
def test_of_a_feed_what_is_older_does_not_count(room, is_long):
    rows = [row(n, at(7)) for n in range(1, 13)] + [row(n) for n in range(50, 550)]
    found = find(linear(feeds=rows), asks(FEED, room=room))["feeds"]
    if not is_long:
        assert not found.is_long
    else:
        assert found.is_long or found.changed is None


# What moves with others


MOVING = stream(name="issues", entity="Issue", follows="issueRelations { issue relatedIssue }")


def relation(number, updated, *ends):
    issue, related = ends
    return row(
        number, updated, issue=issue and {"id": uuid(issue)}, relatedIssue=related and {"id": uuid(related)}
    )


def test_rows_that_changed_with_the_rows_of_another_root_are_read_too():
    relations = [relation(91, at(7), 1, 2), relation(92, at(8), 2, None), relation(93, at(5), 3, 4)]
    found = find(linear(issues=[], issueRelations=relations), asks(MOVING))["issues"]
    assert sorted(numbers(found.moved)) == [1, 2]


def test_such_rows_are_looked_for_on_where_the_cursor_was_purged():
    relations = [relation(100 + n, at(7, f"00:{n:02}:00.000"), n, None) for n in range(1, 31)]
    api = linear(issues=[], issueRelations=relations)
    full = of_root("issueRelations")
    api.spoil = purging(api, lambda api, document: [one for one in full(api, document) if len(one[1]) == 10])
    assert sorted(numbers(find(api, asks(MOVING))["issues"].moved)) == [*range(1, 31)]


def test_such_rows_are_looked_for_until_they_are_older():
    relations = [relation(100 + n, at(7, f"00:{n:02}:00.000"), n, None) for n in range(1, 31)]
    found = find(linear(issues=[], issueRelations=relations), asks(MOVING))["issues"]
    assert len(found.moved) == 30


def test_where_linear_does_not_say_who_moved_a_warning_tells(log):
    found = find(linear(refusing("issueRelations"), issues=[]), asks(MOVING))["issues"]
    assert found.moved == ()
    assert log.messages == [
        f"Stream issues: Linear did not say which issueRelations changed since {BEGIN}: the rows that they "
        "name may lack the latest ones until they change themselves."
    ]


# Stamps, and what may not be read


def test_the_stamps_of_all_rows_that_came_are_known():
    replies = {
        "a": Reply({"nodes": [row(1), None, {"id": "x"}]}),
        "b": Reply({"id": "v"}),
        "c": Reply([row(3)]),
        "d": Failure("x", None, None, "", ""),
        "e": Reply({"nodes": [row(2, at(7))]}),
    }
    assert list(Probe.stamps(replies)) == [at(5), at(7)]


def test_the_streams_that_may_not_be_read_are_named_with_the_reason():
    api = linear(refusing("things"), organization={"id": "o"})
    streams = [
        LONG,
        SMALL,
        history(),
        stream("swept", name="organization", entity="Organization", connection=False),
    ]
    assert refused(Lister(api), streams) == {"things": "Not for you", "thing_history": "Not for you"}
    assert refused(Lister(linear(organization={"id": "o"})), streams) == {}
