"""The only pager: whatever pages, ends; what fails costs itself; what cannot be read has a reason."""

import re

import pytest

from source_linear.graphql import Root, page, plain
from source_linear.linear.errors import Failure, LinearError
from source_linear.linear.selection import parse
from source_linear.streams import Stream
from source_linear.sync.lister import Lister, Listing, Reply, id_of, is_sound, items_of
from unit_tests.sync.parts import (
    Declared,
    Linear,
    at,
    history,
    numbers,
    problem,
    row,
    stream,
    uuid,
    with_lists,
)

THINGS = stream()
BROKEN = {"errors": [problem("INTERNAL_SERVER_ERROR")]}


def rows_of(*places, **more):
    """Rows, the newest first by their creation."""
    return [row(n, created=at(1, f"00:{59 - n:02}:00.000"), **more) for n in places]


def linear(*rows, spoil=None, **others):
    made = Linear({"things": list(rows), "viewer": {"id": "v1"}, **others})
    if spoil:
        made.spoil = spoil
    return made


def has(asked, *names):
    """Whether a query asks for more of a node than its id and dates."""
    return any(f" {name} " in f" {asked.query} " for name in names)


def pages(api, of=THINGS, size=2, where=None):
    root, declared = of.roots[0], Declared(of)

    def ask(first, after, selection):
        return of.operation.page(root, selection, {"first": first, "after": after or None})

    lister = Lister(api, of)
    return [(nodes, ended) for nodes, ended in lister.pages(root, size, ask, declared.ends, where)]


def ids(found):
    return [[int(one["id"][-2:], 16) for one in nodes.nodes] for nodes, _ in found]


def only(found):
    (one,) = found
    return one[0]


# One list, page by page


def listing(size=2):
    return Listing("things", size)


def nodes(*places):
    return [{"id": f"t{n}"} for n in places]


def test_a_list_ends_where_linear_says_that_it_ends():
    one = listing()
    one.take("", nodes(1, 2), True, "t2")
    assert (one.after, one.count, one.ended) == ("t2", 2, False)
    one.take("", nodes(3), False, "t3")
    assert (one.count, one.ended) == (3, True)


def test_an_empty_list_is_at_its_end():
    one = listing()
    one.take("", [], False, None)
    assert (one.count, one.ended) == (0, True)


@pytest.mark.parametrize(
    ("taken", "code", "said"),
    [
        (([], True, None), "INCOMPLETE", "things has no nodes, but a cursor or a next page"),
        (([], False, "t9"), "INCOMPLETE", "things has no nodes, but a cursor or a next page"),
        ((nodes(1, 3), True, "t3"), "NO_CURSOR", "things gives a page that was there before"),
        ((nodes(1, 3), False, None), "NO_CURSOR", "things gives a page that was there before"),
        ((nodes(3), True, "t2"), "NO_CURSOR", "things gives a cursor that was there before"),
        ((nodes(3), True, None), "NO_CURSOR", "things gives no next cursor"),
        ((nodes(3), True, ""), "NO_CURSOR", "things gives no next cursor"),
    ],
)
def test_a_list_that_goes_in_a_circle_ends_with_a_sentence(taken, code, said):
    one = listing()
    one.take("x", nodes(1, 2), True, "t2")
    with pytest.raises(LinearError, match=said) as caught:
        one.take("x", *taken)
    assert caught.value.failure.code == code
    assert str(caught.value).startswith("Stream x: ")


def test_a_circle_over_several_pages_is_seen_too():
    one = listing()
    one.take("", nodes(1, 2), True, "t2")
    one.take("", nodes(3, 4), True, "t4")
    with pytest.raises(LinearError, match="there before"):
        one.take("", nodes(1, 2), True, "t5")


def test_a_cursor_that_was_there_before_ends_a_list_though_its_rows_are_new():
    listing = Listing("things", 1)
    listing.take("", [row(1)], True, "a")
    listing.take("", [row(2)], True, "b")
    with pytest.raises(LinearError, match="a cursor that was there before"):
        listing.take("", [row(3)], True, "a")


def test_a_page_of_nothing_but_nulls_is_no_circle():
    one = listing()
    one.take("", [None], True, "t2")
    one.take("", [None], True, "t4")
    assert one.count == 2


def test_behind_a_row_that_was_purged_the_three_before_it_are_tried():
    one = listing(5)
    one.take("", nodes(1, 2, 3, 4, 5), True, "t5")
    tried = []
    for _ in range(3):
        one.step_back("x")
        tried.append(one.after)
    assert tried == ["t4", "t3", "t2"]
    with pytest.raises(
        LinearError, match="the row behind which a page of things begins was deleted meanwhile"
    ):
        one.step_back("x")


# Pages of rows


def test_a_list_is_read_page_by_page_to_its_end_each_row_once():
    api = linear(*rows_of(1, 2, 3, 4, 5))
    found = pages(api)
    assert ids(found) == [[1, 2], [3, 4], [5]]
    assert [ended for _, ended in found] == [False, False, True]
    assert [one.variables["first"] for one in api.asked] == [2, 2, 2]
    assert [one.variables.get("after") for one in api.asked] == [None, uuid(2), uuid(4)]


def test_a_list_without_rows_is_one_empty_page():
    assert ids(pages(linear())) == [[]]


def test_a_page_that_is_too_complex_is_asked_for_in_halves_and_so_are_those_that_follow():
    def spoil(asked, document):
        return (
            (400, {"errors": [problem("INPUT_ERROR", message="Query too complex")]})
            if (asked.variables["first"] > 2)
            else document
        )

    api = linear(*rows_of(1, 2, 3), spoil=spoil)
    assert ids(pages(api, size=9)) == [[1, 2], [3]]
    assert [one.variables["first"] for one in api.asked] == [9, 4, 2, 2]


def test_a_page_of_one_row_that_is_too_complex_fails():
    api = linear(*rows_of(1), spoil=lambda *_: {"errors": [problem("INPUT_ERROR", message="too complex")]})
    with pytest.raises(LinearError, match="too complex"):
        pages(api, size=4)
    assert len(api.asked) == 3


def test_a_cursor_that_does_not_move_ends_the_list():
    def spoil(asked, document):
        document["data"]["things"]["pageInfo"] = {"hasNextPage": True, "endCursor": uuid(2)}
        return document

    with pytest.raises(LinearError, match="there before"):
        pages(linear(*rows_of(1, 2, 3, 4, 5, 6), spoil=spoil))


def test_a_page_goes_on_behind_the_row_before_where_its_cursor_was_purged():
    api = linear(*rows_of(1, 2, 3, 4))

    def spoil(asked, document):
        if len(api.asked) == 1:
            api.rows["things"] = [one for one in api.rows["things"] if one["id"] != uuid(2)]
        return document

    api.spoil = spoil
    assert ids(pages(api)) == [[1, 2], [3, 4]]
    assert [one.variables.get("after") for one in api.asked] == [None, uuid(2), uuid(1)]


def test_an_argument_that_is_refused_on_the_first_page_is_about_no_cursor():
    api = linear(*rows_of(1), spoil=lambda *_: (400, {"errors": [problem("INPUT_ERROR")]}))
    with pytest.raises(LinearError):
        pages(api)
    assert len(api.asked) == 1


def failing(number, code="INTERNAL_SERVER_ERROR", status=200):
    """Linear fails for a row, wherever more is asked of it than its id and dates."""

    def spoil(asked, document):
        one = (document.get("data") or {}).get(asked.fields[0].key)
        found = [node and node["id"] for node in one["nodes"]] if one and "nodes" in one else []
        if uuid(number) in found and has(asked, "title"):
            path = [asked.fields[0].key, "nodes", found.index(uuid(number))]
            return status, {"data": None, "errors": [problem(code, path, "Row is odd")]}
        return document

    return spoil


@pytest.mark.parametrize("code", ["INTERNAL_SERVER_ERROR", "INPUT_ERROR"])
def test_a_row_that_cannot_be_read_costs_itself(code):
    nodes = only(pages(linear(*rows_of(1, 2, 3), spoil=failing(2, code)), size=5))
    assert [one["id"] for one in nodes.nodes] == [uuid(1), uuid(3)]
    assert list(nodes.unread) == [uuid(2)]
    assert "Row is odd" in nodes.unread[uuid(2)]
    assert (nodes.refused, nodes.nameless) == (set(), [])


def test_a_row_that_these_credentials_may_not_see_is_said_to_be_refused():
    nodes = only(pages(linear(*rows_of(1, 2, 3), spoil=failing(2, "FORBIDDEN", 400)), size=5))
    assert (set(nodes.unread), nodes.refused) == ({uuid(2)}, {uuid(2)})


def test_after_a_page_with_such_a_row_the_next_one_follows():
    assert ids(pages(linear(*rows_of(1, 2, 3, 4, 5), spoil=failing(2)))) == [[1], [3, 4], [5]]


def test_rows_by_id_come_in_the_order_of_their_page():
    api = linear(*rows_of(1, 2, 3, 4), spoil=failing(3))
    api.rows["things"][0]["updatedAt"] = at(2)
    assert ids(pages(api, size=9)) == [[1, 2, 4]]


def test_a_row_that_a_page_named_and_that_does_not_come_by_its_id_is_asked_for_again():
    api = linear(*rows_of(1, 2, 3))

    def spoil(asked, document):
        if asked.fields[0].key == "rows":
            nodes = document["data"]["rows"]["nodes"]
            nodes[:] = [one for one in nodes if one["id"] != uuid(3)]
        return failing(2)(asked, document)

    api.spoil = spoil
    nodes = only(pages(api, size=5))
    assert ([one["id"] for one in nodes.nodes], nodes.missing) == ([uuid(1)], [uuid(3)])


def test_where_not_even_the_ids_of_a_page_come_they_are_asked_for_in_halves():
    def spoil(asked, document):
        size = asked.variables.get("first", 1)
        rows = [one["id"] for one in (document["data"].get("things") or {"nodes": []})["nodes"]]
        return (500, BROKEN) if uuid(3) in rows and size > 1 else document

    found = pages(linear(*rows_of(1, 2, 3), spoil=spoil), size=4)
    assert sorted(one for page_ in ids(found) for one in page_) == [1, 2, 3]


def broken(*names):
    """Linear answers with HTTP 500 wherever one of these is asked for."""
    return lambda asked, document: (500, BROKEN) if has(asked, *names) else document


def test_a_page_that_fails_for_its_content_is_read_by_its_ids():
    calls = []

    def spoil(asked, document):
        calls.append(asked.tries)
        rows = "rows: things" in asked.query or "rows:" in asked.query
        return (500, BROKEN) if has(asked, "title") and not rows else document

    assert ids(pages(linear(*rows_of(1, 2, 3), spoil=spoil), size=5)) == [[1, 2, 3]]
    assert calls[0] == 4, "so often what fails is asked before it is looked into"


def test_in_an_outage_a_page_is_asked_for_until_the_patience_of_the_api_ends():
    api = linear(*rows_of(1), spoil=lambda *_: (500, BROKEN))
    with pytest.raises(LinearError, match="could not be reached"):
        pages(api)
    assert api.asked[-1].tries is None
    assert len(api.asked) == 3


def test_an_outage_that_passes_costs_nothing():
    api = linear(*rows_of(1, 2))
    api.spoil = lambda asked, document: (500, BROKEN) if len(api.asked) < 3 else document
    assert ids(pages(api)) == [[1, 2]]


def test_what_is_the_users_to_put_right_is_told_at_once():
    api = linear(spoil=lambda *_: (401, {"errors": [problem("AUTHENTICATION_ERROR")]}))
    with pytest.raises(LinearError, match="does not accept the credentials"):
        pages(api)
    assert len(api.asked) == 1


# Nodes that are no rows


def null_at(index, *errors, of=("title",)):
    def spoil(asked, document):
        if has(asked, *of):
            document["data"]["things"]["nodes"][index] = None
            return {**document, **({"errors": list(errors)} if errors else {})}
        return document

    return spoil


@pytest.mark.parametrize(
    ("errors", "reason", "refused"),
    [
        ((), "Linear sent null and gave no reason.", set()),
        ((problem("FORBIDDEN", ["things", "nodes", 1], "Not for you."),), "Not for you.", {uuid(2)}),
        ((problem("INPUT_ERROR", ["things", "nodes", 1], "Odd"),), "Odd.", set()),
    ],
)
def test_a_null_node_costs_itself_and_is_known_by_its_id(errors, reason, refused):
    nodes = only(pages(linear(*rows_of(1, 2, 3), spoil=null_at(1, *errors)), size=5))
    assert [one["id"] for one in nodes.nodes] == [uuid(1), uuid(3)]
    assert (nodes.unread, nodes.refused) == ({uuid(2): reason}, refused)


def test_a_node_that_stays_null_is_known_by_the_cursor_behind_it():
    api = linear(*rows_of(1, 2, 3))

    def spoil(asked, document):
        things = document["data"]["things"]
        for index, one in enumerate(things["nodes"]):
            if one["id"] == uuid(2):
                things["nodes"][index] = None
        return document

    api.spoil = spoil
    nodes = only(pages(api, size=5))
    assert nodes.unread == {uuid(2): "Linear sent null and gave no reason."}
    assert api.asked[-1].variables["first"] == 1 and api.asked[-1].variables["after"] == uuid(1)


def test_a_node_whose_id_no_answer_brings_has_no_name():
    def spoil(asked, document):
        things = document["data"]["things"]
        if has(asked, "title"):
            things["nodes"][-1] = None
        else:
            things["nodes"], things["pageInfo"]["endCursor"] = [], None
        return document

    nodes = only(pages(linear(*rows_of(1, 2), spoil=spoil), size=5))
    assert (len(nodes.nodes), nodes.unread, len(nodes.nameless)) == (1, {}, 1)


def test_nulls_are_looked_up_as_often_as_that_is_worth_it():
    def spoil(asked, document):
        things = document["data"]["things"]
        if not has(asked, "title") and len(things["nodes"]) == 1:
            things["pageInfo"]["endCursor"] = None
        things["nodes"] = [None for _ in things["nodes"]]
        return document

    api = linear(*rows_of(*range(1, 21)), spoil=spoil)
    api.spoil = spoil
    nodes = only(pages(api, size=20))
    assert (len(nodes.nameless), nodes.unread) == (20, {})
    assert len(api.asked) == 2 + 10


@pytest.mark.parametrize("broken_part", [{"updatedAt": None}, {"archivedAt": 7}, {"updatedAt": 7}])
def test_a_node_without_its_dates_is_no_row(broken_part):
    rows = rows_of(1, 2)

    def spoil(asked, document):
        document["data"]["things"]["nodes"][1] |= broken_part
        return document

    assert list(only(pages(linear(*rows, spoil=spoil), size=5)).unread) == [uuid(2)]


def test_a_row_of_which_a_part_did_not_come_but_may_is_asked_for_again():
    error = problem("INTERNAL_SERVER_ERROR", ["things", "nodes", 1, "owner"], "Timed out")
    api = linear(*rows_of(1, 2), spoil=lambda asked, document: {**document, "errors": [error]})
    nodes = only(pages(api, size=5))
    assert (len(nodes.nodes), nodes.damaged) == (2, [uuid(2)])


def test_a_row_of_which_a_part_is_refused_is_whole():
    error = problem("FORBIDDEN", ["things", "nodes", 1, "owner"], "Not for you")
    api = linear(*rows_of(1, 2), spoil=lambda asked, document: {**document, "errors": [error]})
    nodes = only(pages(api, size=5))
    assert (len(nodes.nodes), nodes.damaged) == (2, [])
    assert api.noted == [("things", {"owner": "Not for you"})]
    assert Lister(api, THINGS).absent(THINGS.roots[0]) == {"owner"}


@pytest.mark.parametrize(
    ("node", "sound"),
    [
        (row(1), True),
        ({"id": "a", "updatedAt": at(1)}, True),
        ({"id": "a"}, False),
        ({"id": "", "updatedAt": at(1)}, False),
        ({"id": 7, "updatedAt": at(1)}, False),
        (None, False),
        ("a", False),
    ],
)
def test_a_row_has_an_id_and_dates(node, sound):
    assert is_sound(node) is sound
    assert is_sound({"id": "a"}, dated=False)


def test_an_id_is_text():
    assert [id_of(one) for one in ({"id": "a"}, {"id": ""}, {"id": 7}, {}, None, "a")] == ["a"] + [None] * 5


# Fields that are gone or refused


def without_field(field, of="Thing"):
    message = f'Cannot query field "{field}" on type "{of}".'
    error = {"message": message, "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"}}
    return lambda asked, document: (400, {"errors": [error]}) if has(asked, field) else document


def test_a_field_that_is_gone_costs_its_column():
    api = linear(*rows_of(1, 2, 3), spoil=without_field("title"))
    assert ids(pages(api)) == [[1, 2], [3]]
    assert len(api.asked) == 3, "it is asked for once"
    assert Lister(api, THINGS).absent(THINGS.roots[0]) == {"title"}


@pytest.mark.parametrize("field", ["id", "updatedAt"])
def test_a_stream_whose_id_or_date_is_gone_fails(field):
    api = linear(*rows_of(1), spoil=without_field(field))
    with pytest.raises(LinearError, match="Cannot query field"):
        pages(api)


def test_what_another_thread_has_left_out_meanwhile_is_not_asked_for_again_and_again():
    def spoil(asked, document):
        return (
            without_field("nonsense")(asked, document)
            if len(api.asked) > 1
            else without_field("title")(asked, document)
        )

    api = linear(*rows_of(1), spoil=spoil)
    assert ids(pages(api)) == [[1]]
    always = {
        "message": 'Cannot query field "x" on type "Y".',
        "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"},
    }
    api = linear(*rows_of(1), spoil=lambda *_: (400, {"errors": [always]}))
    with pytest.raises(LinearError):
        pages(api)
    assert len(api.asked) == 1


def test_a_field_that_is_refused_so_that_no_row_comes_is_left_out_and_told():
    path = ["things", "nodes", 0, "title"]
    refused = {"data": None, "errors": [problem("FORBIDDEN", path, "Not for you")]}
    api = linear(*rows_of(1, 2), spoil=lambda asked, document: refused if has(asked, "title") else document)
    nodes = only(pages(api))
    assert [one["id"] for one in nodes.nodes] == [uuid(1), uuid(2)]
    assert api.noted == [("things", {"title": "Not for you"})]


# Several questions


def questions(*names):
    return {name: page(Root(name, "Thing", parse("id title")), name, parse("id title"), 5) for name in names}


def lists(*names, **more):
    return Linear({**{name: rows_of(n) for n, name in enumerate(names, 1)}, "viewer": {"id": "v"}, **more})


def outcomes(found):
    return {
        name: one.code if isinstance(one, Failure) else len(one.value["nodes"]) for name, one in found.items()
    }


def asked_of(api):
    return ["+".join(one.name for one in asked.fields) for asked in api.asked]


def test_questions_are_asked_together():
    api = lists("a", "b", "c")
    assert outcomes(Lister(api).ask(questions("a", "b", "c"))) == {"a": 1, "b": 1, "c": 1}
    assert asked_of(api) == ["a+b+c"]
    assert api.asked[0].tries == 3


def test_no_question_is_no_request():
    api = lists()
    assert Lister(api).ask({}) == {}
    assert api.asked == []


def test_questions_that_cost_too_much_together_are_asked_apart():
    dear = {name: page(Root(name, "Thing", ()), name, parse(f"id {'x ' * 300}"), 250) for name in ("a", "b")}
    api = lists("a", "b")
    assert outcomes(Lister(api).ask(dear)) == {"a": 1, "b": 1}
    assert asked_of(api) == ["a", "b"]


def refusing(name, code="FORBIDDEN", status=200):
    path = [name]
    return lambda asked, document: (
        (status, {"data": None, "errors": [problem(code, path, "Not for you")]})
        if name in [one.key for one in asked.fields]
        else document
    )


@pytest.mark.parametrize("code", ["FORBIDDEN", "INPUT_ERROR", "INTERNAL_SERVER_ERROR"])
def test_a_question_that_linear_names_as_failing_costs_itself(code):
    api = lists("a", "b", "c")
    api.spoil = refusing("b", code)
    assert outcomes(Lister(api).ask(questions("a", "b", "c"))) == {"a": 1, "b": code, "c": 1}
    assert asked_of(api) == ["a+b+c", "a+c"]


def test_a_failure_that_names_no_question_is_found_by_halving():
    api = lists("a", "b", "c", "d")
    api.spoil = lambda asked, document: (
        (500, BROKEN) if "c" in [one.key for one in asked.fields] else document
    )
    found = Lister(api).ask(questions("a", "b", "c", "d"))
    assert outcomes(found) == {"a": 1, "b": 1, "c": "INTERNAL_SERVER_ERROR", "d": 1}
    assert [one for one in asked_of(api) if one != "viewer"] == ["a+b+c+d", "a+b", "c+d", "c", "d"]
    assert [one.tries for one in api.asked if one.fields[0].name != "viewer"] == [3, 1, 1, 1, 1]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, problem("INPUT_ERROR", message="too complex")),
        (400, problem("GRAPHQL_VALIDATION_FAILED")),
        (413, None),
    ],
)
def test_what_is_refused_as_a_whole_is_halved_with_as_many_tries(status, error):
    api = lists("a", "b")
    bad = {"errors": [error]} if error else {}
    api.spoil = lambda asked, document: (
        (status, bad) if "b" in [one.key for one in asked.fields] else document
    )
    found = outcomes(Lister(api).ask(questions("a", "b")))
    assert found["a"] == 1 and found["b"] in ("TOO_COMPLEX", "GRAPHQL_VALIDATION_FAILED", "TOO_LARGE")
    assert asked_of(api) == ["a+b", "a", "b"]
    assert {one.tries for one in api.asked} == {3}


def test_in_an_outage_nothing_is_halved():
    api = lists("a", "b", "c")
    api.spoil = lambda *_: (500, BROKEN)
    assert set(outcomes(Lister(api).ask(questions("a", "b", "c"))).values()) == {"INTERNAL_SERVER_ERROR"}
    assert asked_of(api) == ["a+b+c", "viewer"]


def test_credentials_that_are_refused_fail_all_questions_at_once():
    api = lists("a", "b", "c")
    api.spoil = lambda *_: (401, {"errors": [problem("AUTHENTICATION_ERROR")]})
    assert set(outcomes(Lister(api).ask(questions("a", "b", "c"))).values()) == {"AUTHENTICATION_ERROR"}
    assert asked_of(api) == ["a+b+c"]


def test_a_reply_knows_what_is_wrong_inside_of_it_and_nothing_else():
    api = lists("a", "b")
    errors = [problem("FORBIDDEN", ["a", "nodes", 0, "title"], "Not for you")]
    api.spoil = lambda asked, document: {**document, "errors": errors}
    found = Lister(api).ask(questions("a", "b"))
    assert [len(found[name].problems) for name in ("a", "b")] == [1, 0]


def test_one_question_without_a_reply_is_an_error():
    api = lists("a")
    assert len(Lister(api).one("a", questions("a")["a"]).value["nodes"]) == 1
    api.spoil = refusing("a")
    with pytest.raises(LinearError, match="may not read it"):
        Lister(api).one("a", questions("a")["a"])


def test_the_headers_of_the_first_answer_are_kept():
    api = lists("a")
    lister = Lister(api)
    lister.ask(questions("a"))
    api.headers = {"Date": "later"}
    lister.ask(questions("a"))
    assert lister.headers["Date"].startswith("Sat, 10 Jan")


def test_a_stream_asks_in_its_own_name():
    api = linear(*rows_of(1))
    pages(api)
    assert api.asked[0].stream == "things" and api.asked[0].query.startswith("query things(")
    lister = Lister(lists_ := lists("a"))
    lister.ask(questions("a"))
    assert lists_.asked[0].stream == "" and lists_.asked[0].query.startswith("query sync")


def test_the_budget_is_told_what_a_query_costs_before_it_is_asked():
    api = lists("a", "b")
    asked = questions("a", "b")
    Lister(api).ask(asked)
    assert api.asked[0].points == sum(one.points for one in asked.values()) > 0


# Rows by id


def by_id(api, *places, of=THINGS, where=None):
    return Lister(api, of).rows(of.roots[0], [uuid(n) for n in places], where)


def found_ids(nodes):
    return numbers(one["id"] for one in nodes.nodes)


def test_rows_are_asked_for_by_their_ids_and_one_that_is_gone_is_nowhere():
    api = linear(*rows_of(1, 2, 3))
    nodes = by_id(api, 1, 3, 7)
    assert (found_ids(nodes), nodes.unread) == ([1, 3], {})
    assert len(api.asked) == 1
    assert api.asked[0].arguments(api.asked[0].fields[0])["first"] == 3


def test_rows_are_asked_for_as_the_stream_is_filtered():
    rows = [*rows_of(1), *rows_of(2, team={"key": "OPS"})]
    assert found_ids(by_id(linear(*rows), 1, 2, where={"team": {"key": {"eq": "OPS"}}})) == [2]


def test_no_more_rows_are_asked_for_at_a_time_than_a_query_may_cost():
    api = linear(*rows_of(1))
    by_id(api, *range(1, 301))
    assert [len(one.variables["filter_rows"]["id"]["in"]) for one in api.asked] == [250, 50]
    dear = stream(fields=" ".join(f"f{n}" for n in range(1000)))
    api = linear(*rows_of(1))
    by_id(api, *range(1, 200), of=dear)
    assert max(len(one.variables["filter_rows"]["id"]["in"]) for one in api.asked) == int(
        10_000 / (1 + 0.1 * 1004 + 1.1)
    )


def test_a_row_that_fails_by_its_id_costs_itself():
    def spoil(asked, document):
        ids_ = asked.variables.get("filter_rows", {}).get("id", {}).get("in", [])
        return (500, BROKEN) if uuid(3) in ids_ and has(asked, "title") else document

    nodes = by_id(linear(*rows_of(1, 2, 3, 4), spoil=spoil), 1, 2, 3, 4)
    assert (found_ids(nodes), numbers(nodes.unread)) == ([1, 2, 4], [3])


def test_a_row_that_cannot_even_be_asked_for_and_is_not_there_is_gone():
    def spoil(asked, document):
        ids_ = asked.variables.get("filter_rows", {}).get("id", {}).get("in", [])
        return (500, BROKEN) if uuid(7) in ids_ and has(asked, "title") else document

    nodes = by_id(linear(*rows_of(1), spoil=spoil), 1, 7)
    assert (found_ids(nodes), nodes.unread) == ([1], {})


def test_a_row_that_fails_is_there_where_linear_does_not_say_whether_it_is():
    def spoil(asked, document):
        if "there" in [one.key for one in asked.fields]:
            return {"data": None, "errors": [problem("FORBIDDEN", ["there"])]}
        return (400, {"errors": [problem("INPUT_ERROR", message="Odd")]})

    nodes = by_id(linear(*rows_of(1), spoil=spoil), 1)
    assert list(nodes.unread) == [uuid(1)]


def test_a_null_among_rows_by_id_is_known_by_who_is_missing():
    def spoil(asked, document):
        if has(asked, "title"):
            places = [one["id"] for one in document["data"]["rows"]["nodes"]]
            document["data"]["rows"]["nodes"][places.index(uuid(2))] = None
            path = ["rows", "nodes", places.index(uuid(2))]
            document["errors"] = [problem("FORBIDDEN", path, "Not for you.")]
        return document

    nodes = by_id(linear(*rows_of(1, 2, 3), spoil=spoil), 1, 2, 3, 7)
    assert found_ids(nodes) == [1, 3]
    assert (nodes.unread, nodes.refused) == ({uuid(2): "Not for you."}, {uuid(2)})


def test_where_nobody_says_who_is_there_each_missing_row_is():
    def spoil(asked, document):
        if has(asked, "title"):
            document["data"]["rows"]["nodes"][0] = None
            return document
        return {"data": None, "errors": [problem("FORBIDDEN", ["there"])]}

    nodes = by_id(linear(*rows_of(1, 2), spoil=spoil), 1, 2, 7)
    assert numbers(nodes.unread) == [1, 7]


@pytest.mark.parametrize("status", [401, 500])
def test_where_no_row_can_be_asked_for_the_stream_fails(status):
    bad = {"errors": [problem("AUTHENTICATION_ERROR")]} if status == 401 else BROKEN
    api = linear(*rows_of(1), spoil=lambda *_: (status, bad))
    with pytest.raises(LinearError):
        by_id(api, 1)


def test_a_field_that_is_gone_is_left_out_of_rows_by_id():
    api = linear(*rows_of(1, 2), spoil=without_field("title"))
    assert found_ids(by_id(api, 1, 2)) == [1, 2]
    assert len(api.asked) == 2


UNFILTERED = stream(filterable=False, kind="feed")


def test_where_a_root_takes_no_filter_each_row_is_asked_for_alone_in_one_request():
    api = linear(*rows_of(1, 2, 3))
    nodes = by_id(api, 1, 3, of=UNFILTERED)
    assert found_ids(nodes) == [1, 3]
    assert asked_of(api) == ["thing+thing"]


def test_without_a_filter_a_row_that_is_not_found_is_gone_and_the_others_come():
    nodes = by_id(linear(*rows_of(1, 2)), 1, 7, 2, of=UNFILTERED)
    assert (found_ids(nodes), nodes.unread) == ([1, 2], {})


def test_without_a_filter_a_row_that_fails_is_unread():
    def spoil(asked, document):
        for one in asked.fields:
            if one.key.startswith("n") and asked.variables.get(f"id_{one.key}") == uuid(2):
                return {"data": None, "errors": [problem("INPUT_ERROR", [one.key], "Odd")]}
        return document

    nodes = by_id(linear(*rows_of(1, 2, 3), spoil=spoil), 1, 2, 3, of=UNFILTERED)
    assert (found_ids(nodes), list(nodes.unread)) == ([1, 3], [uuid(2)])


def test_without_a_filter_lists_inside_are_ordered_by_a_date_that_is_written_out():
    of = stream(kind="feed", filterable=False, lists={"ids": "parts(first: 2, orderBy: $order)"})
    api = linear(row(1, parts=[]))
    by_id(api, 1, of=of)
    assert "orderBy: updatedAt" in api.asked[0].query and "$order" not in api.asked[0].query


# Which rows are there


def there(api, *places, where=None):
    found = Lister(api, THINGS).there(THINGS.roots[0], [uuid(n) for n in places], where)
    return None if found is None else numbers(found)


def test_linear_is_asked_for_nothing_but_ids_and_dates_to_know_who_is_there():
    api = linear(*rows_of(1, 2, 3))
    assert there(api, 1, 3, 7) == [1, 3]
    assert "nodes { id createdAt updatedAt archivedAt }" in api.asked[0].query
    assert "pageInfo { hasNextPage }" in api.asked[0].query


def test_who_is_there_is_asked_as_the_stream_is_filtered():
    rows = [*rows_of(1), *rows_of(2, team={"key": "OPS"})]
    assert there(linear(*rows), 1, 2, where={"team": {"key": {"eq": "OPS"}}}) == [2]


def test_many_ids_are_asked_for_in_pages():
    api = linear(*rows_of(1))
    assert there(api, *range(1, 502)) == [1]
    assert [one.arguments(one.fields[0])["first"] for one in api.asked] == [250, 250, 1]


def test_no_id_is_no_request():
    api = linear()
    assert there(api) == [] and api.asked == []


def test_a_row_that_fails_is_there():
    def spoil(asked, document):
        in_ = asked.variables["filter_there"]["id"]["in"] if "filter_there" in asked.variables else []
        return (500, BROKEN) if uuid(2) in in_ else document

    api = linear(*rows_of(1, 2, 3), spoil=spoil)
    found = Lister(api, THINGS).there(THINGS.roots[0], [uuid(n) for n in (1, 2, 3, 7)], None)
    assert numbers(found) == [1, 2, 3]
    assert found[uuid(2)] == {"id": uuid(2)} and found[uuid(1)]["updatedAt"] == at(5)


def test_where_an_answer_has_errors_or_nulls_any_row_may_be_there():
    error = problem("FORBIDDEN", ["there", "nodes", 0, "title"])
    api = linear(*rows_of(1), spoil=lambda asked, document: {**document, "errors": [error]})
    assert there(api, 1, 7) == [1, 7]

    def null(asked, document):
        document["data"]["there"]["nodes"].append(None)
        return document

    assert there(linear(*rows_of(1), spoil=null), 1, 7) == [1, 7]


@pytest.mark.parametrize(
    "bad",
    [
        (500, BROKEN),
        (200, {"data": None, "errors": [problem("FORBIDDEN", ["there"])]}),
    ],
)
def test_where_linear_does_not_answer_nobody_knows_who_is_there(bad):
    assert there(linear(*rows_of(1), spoil=lambda *_: bad), 1) is None


# Lists inside rows

LISTS = with_lists()
PARTS = LISTS.lists_inside


def parts(number):
    moments = [at(2, f"{n // 60:02}:{n % 60:02}:00.000") for n in range(number)]
    return [row(1000 + n, updated=moment, created=moment) for n, moment in enumerate(moments)]


def completed(api, *places, since=None, of=LISTS):
    root = of.roots[0]
    lister = Lister(api, of)
    lists_ = [root.children] if root.children else of.lists_inside
    nodes = lister.rows(root, [uuid(n) for n in places]).nodes
    del api.asked[:]
    return lister.completed(root, lists_, nodes, since)


def lengths(nodes, name="parts"):
    return {int(one["id"][-2:], 16): len(one[name]["nodes"]) for one in nodes.nodes}


@pytest.mark.parametrize("number", [0, 1, 2, 3, 60, 700])
def test_a_list_inside_a_row_is_read_to_its_end(number):
    api = linear(row(1, parts=parts(number)))
    nodes = completed(api, 1)
    ids_ = [one["id"] for one in nodes.nodes[0]["parts"]["nodes"]]
    assert len(ids_) == len(set(ids_)) == number
    assert len(api.asked) <= 4
    assert bool(api.asked) is (number >= 2)


def test_long_lists_of_many_rows_are_read_on_in_one_request():
    api = linear(*[row(n, parts=parts(5 + n)) for n in range(1, 6)])
    assert lengths(completed(api, 1, 2, 3, 4, 5)) == {n: 5 + n for n in range(1, 6)}
    assert len(api.asked) == 1


def test_of_many_long_lists_each_request_asks_for_more():
    many = range(1, 61)
    api = linear(*[row(n, parts=parts(100)) for n in many])
    assert lengths(completed(api, *many)) == dict.fromkeys(many, 100)
    firsts = [{int(n) for n in re.findall(r"parts\(first: (\d+)", asked.query)} for asked in api.asked]
    assert [max(one) for one in firsts] == [17, 17, 17, 17, 17, 17], "17 each are paid for with a request"


@pytest.mark.parametrize(
    ("count", "points", "share", "first"),
    [
        (4, 1.4, 0, 2),
        (16, 1.4, 0, 5),
        (10, 17.4, 0, 2),
        (4, 1.4, 15.2, 10),
        (4, 1.4, -900, 2),
        (4, 1.4, 1e6, 9),
    ],
)
def test_of_a_list_inside_a_row_are_asked_for_as_many_as_are_cheaper_than_asking_again(
    count, points, share, first
):
    assert Listing("parts", 4, most=9 if share == 1e6 else 250, count=count).further(points, share) == first


def test_a_page_of_who_is_there_that_is_short_and_says_so_is_asked_for_the_others():
    def spoil(asked, document):
        page_ = document["data"]["there"]
        if len(page_["nodes"]) > 1:
            page_["pageInfo"]["hasNextPage"] = True
            del page_["nodes"][1:]
        return document

    assert there(linear(*rows_of(1, 2, 3), spoil=spoil), 1, 2, 3, 7) == [1, 2, 3]


def test_a_page_of_who_is_there_that_is_empty_and_not_the_last_says_nothing():
    def spoil(asked, document):
        document["data"]["there"] = {"nodes": [], "pageInfo": {"hasNextPage": True}}
        return document

    assert there(linear(*rows_of(1), spoil=spoil), 1) is None


def test_a_row_that_is_not_found_while_its_list_is_read_on_is_asked_for_again():
    api = linear(row(1, parts=parts(9)))
    lister, root = Lister(api, LISTS), LISTS.roots[0]
    nodes = lister.rows(root, [uuid(1)]).nodes
    api.rows["things"] = []
    found = lister.completed(root, PARTS, nodes)
    assert (found.nodes, found.missing) == ([], [uuid(1)])


def test_a_list_that_did_not_come_leaves_its_row_unread():
    def spoil(asked, document):
        if "rows" in document["data"]:
            document["data"]["rows"]["nodes"][0]["parts"] = None
        return document

    nodes = completed(linear(row(1, parts=parts(1)), spoil=spoil), 1)
    assert (nodes.nodes, nodes.unread) == ([], {uuid(1): "Linear did not send its parts."})


def test_a_list_that_is_refused_is_no_reason_to_leave_its_row_out():
    def spoil(asked, document):
        document["data"]["rows"]["nodes"][0]["parts"] = None
        return {**document, "errors": [problem("FORBIDDEN", ["rows", "nodes", 0, "parts"])]}

    nodes = completed(linear(row(1, parts=parts(1)), spoil=spoil), 1)
    assert ([one["parts"] for one in nodes.nodes], nodes.unread) == ([None], {})


def reading_on(asked):
    return asked.fields[0].key.startswith("n0")


def test_a_list_whose_rest_fails_leaves_its_row_unread_and_no_other():
    def spoil(asked, document):
        if any(one.key == "n0" for one in asked.fields):
            return {"data": None, "errors": [problem("INPUT_ERROR", ["n0"], "Odd")]}
        return document

    nodes = completed(linear(row(1, parts=parts(9)), row(2, parts=parts(9)), spoil=spoil), 1, 2)
    assert len(nodes.nodes) == 1 and len(nodes.unread) == 1
    assert "Odd" in next(iter(nodes.unread.values()))


def test_a_list_whose_rest_is_null_leaves_its_row_unread():
    def spoil(asked, document):
        if reading_on(asked):
            document["data"]["n0"]["nodes"][0]["parts"] = None
        return document

    nodes = completed(linear(row(1, parts=parts(9)), spoil=spoil), 1)
    assert nodes.unread == {uuid(1): "Linear did not send the rest of its parts."}


def test_a_list_inside_a_row_that_goes_in_a_circle_ends_the_stream():
    first = parts(60)[-2:]

    def spoil(asked, document):
        if reading_on(asked):
            document["data"]["n0"]["nodes"][0]["parts"]["nodes"] = [{"id": first[-1]["id"]}] * 500
        return document

    with pytest.raises(LinearError, match=f"the list parts of {uuid(1)} gives a page that was there before"):
        completed(linear(row(1, parts=parts(60)), spoil=spoil), 1)


def test_a_list_inside_a_row_whose_cursor_does_not_move_ends_the_stream():
    def spoil(asked, document):
        if reading_on(asked):
            nodes = [{"id": f"x{len(api.asked)}-{n}"} for n in range(499)] + [{"id": "same"}]
            document = {"data": {"n0": {"nodes": [{"id": uuid(1), "parts": {"nodes": nodes}}]}}}
        return document

    api = linear(row(1, parts=parts(600)), spoil=spoil)
    with pytest.raises(LinearError, match="gives a cursor that was there before"):
        completed(api, 1)


def test_the_rest_of_a_list_that_is_too_complex_is_asked_for_in_halves():
    sizes = []

    def spoil(asked, document):
        if reading_on(asked):
            inner = next(one for one in asked.fields[0].selection[0].selection if one.name == "parts")
            sizes.append(int(inner.first))
            if sizes[-1] > 10:
                return {"errors": [problem("INPUT_ERROR", ["n0"], "too complex")]}
        return document

    nodes = completed(linear(row(1, parts=parts(12)), spoil=spoil), 1)
    assert lengths(nodes) == {1: 12}
    assert sizes[0] // 2 == sizes[1]


@pytest.mark.parametrize("status", [401, 500])
def test_where_linear_does_not_answer_the_stream_fails(status):
    bad = {"errors": [problem("AUTHENTICATION_ERROR")]} if status == 401 else BROKEN
    api = linear(row(1, parts=parts(9)))
    lister, root = Lister(api, LISTS), LISTS.roots[0]
    nodes = lister.rows(root, [uuid(1)]).nodes
    api.spoil = lambda *_: (status, bad)
    with pytest.raises(LinearError):
        lister.completed(root, PARTS, nodes)


HISTORY = history()


def test_a_list_that_is_newest_first_is_read_on_only_as_far_as_it_is_wanted():
    api = linear(row(1, history=parts(40)))
    whole = completed(api, 1, of=HISTORY)
    assert lengths(whole, "history") == {1: 40}
    api = linear(row(1, history=parts(40)))
    some = completed(api, 1, since=at(2, "00:39:00.000"), of=HISTORY)
    assert lengths(some, "history") == {1: 3}
    assert api.asked == []


def test_a_list_is_wanted_to_the_moment_itself():
    api = linear(row(1, history=parts(40)))
    some = completed(api, 1, since=at(2, "00:37:00.000"), of=HISTORY)
    assert lengths(some, "history")[1] > 3


def test_a_list_goes_on_where_it_is_as_long_as_what_was_asked_for():
    lister = Lister(linear(), LISTS)
    assert lister.goes_on({"parts": {"nodes": [{}, {}]}}, PARTS, None)
    assert not lister.goes_on({"parts": {"nodes": [{}]}}, PARTS, None)
    assert not lister.goes_on({"parts": None}, PARTS, None)


@pytest.mark.parametrize("value", [{}, {"parts": None}, {"parts": {}}, {"parts": {"nodes": 7}}, {"parts": 7}])
def test_a_list_that_is_none_has_no_items(value):
    assert items_of(value, PARTS[0]) == []


def test_a_root_that_is_no_connection_is_read_as_it_is():
    of = stream("swept", connection=False, name="thing", entity="Thing")
    api = linear(thing=row(1))
    reply = Lister(api).one("thing", plain(of.roots[0], parse("id")))
    assert reply == Reply({"id": uuid(1)}, ())


def test_streams_with_one_name_are_one():
    assert (
        isinstance(THINGS, Stream)
        and Lister(linear(), THINGS).selection(THINGS.roots[0]) == THINGS.roots[0].fields
    )
