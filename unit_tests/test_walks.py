"""Walking a list to its end: what is whole, and what is not."""

from types import SimpleNamespace
from uuid import UUID

import pytest

from source_linear.packaged import manifest
from source_linear.streams import Stream
from source_linear.sync.roots import Roots
from source_linear.sync.walks import Part, Walk, Whole, created, walk

OLD, CURSOR, NEW = "2025-01-01T00:00:00.000Z", "2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z"
DECLARED = {
    entry["$parameters"]["name"]: Stream.from_parameters(entry["$parameters"])
    for entry in manifest()["streams"]
}
USERS, LINKS = DECLARED["users"], DECLARED["entity_external_links"]


def row_id(number):
    return str(UUID(int=number << 64 | number << 1, version=4))


def node(number, updated=OLD, archived=None, **more):
    return {"id": row_id(number), "updatedAt": updated, "archivedAt": archived, **more}


class Answers(Roots):
    """Asks, and is given one page after the other; None for a root that is refused."""

    def __init__(self, *pages, info=None):
        super().__init__(None)
        self.left = list(pages)
        self.info = info
        self.asked = []

    def ask(self, questions):
        self.asked.append({name: question.text for name, question in questions.items()})
        page = self.left.pop(0)
        return {} if page is None else {name: {"nodes": page, "pageInfo": self.info} for name in questions}


def walked(*pages, length=0, since=CURSOR, floor=""):
    """A list of users that came on these pages, and what was asked for."""
    one, whole = Walk(USERS.roots[0], None, length), Whole(floor)
    one.parts["users"] = Part(since, None, whole)
    answers = Answers(*pages)
    walk(answers, {"list_users": one})
    assert answers.left == [] or one.is_failed
    return SimpleNamespace(walk=one, whole=whole, part=one.parts["users"], asked=answers.asked)


def is_known(found):
    """Whether it is known to be all rows, as the change probe judges it."""
    return found.whole.is_known and not found.walk.is_failed


FULL = [node(number) for number in range(1, 51)]  # as many as are asked for where nothing is known


def test_a_page_that_is_not_full_is_the_last_one():
    found = walked(FULL[:49])
    assert is_known(found)
    assert len(found.asked) == 1
    assert (found.walk.count, found.whole.sketch.rows, found.whole.pages) == (49, 49, 1)


def test_after_a_full_page_the_next_one_begins_behind_its_last_row():
    found = walked(FULL, [node(51)])
    assert is_known(found)
    assert found.whole.sketch.rows == 51 and found.whole.pages == 2
    assert f'after: "{FULL[-1]["id"]}"' in found.asked[1]["list_users"]


def test_a_list_whose_length_is_known_is_asked_for_as_it_is_long():
    found = walked(FULL, length=200)
    assert "first: 220," in found.asked[0]["list_users"]
    assert is_known(found)


@pytest.mark.parametrize(
    "pages",
    [
        [[node(1), node(2), node(1)]],
        [FULL, [FULL[-1]]],
        [FULL, [node(51), FULL[3]]],
        [FULL, [node(51), FULL[-1]]],
    ],
    ids=["on one page", "the cursor's row alone", "a row of the page before", "the cursor's row"],
)
def test_a_list_that_repeats_a_row_is_not_whole(pages):
    assert not is_known(walked(*pages))


@pytest.mark.parametrize(
    "odd",
    [None, {}, {"id": row_id(9)}, node(9, updated=None), {**node(9), "id": None}, {**node(9), "id": "r9"}],
    ids=["null", "empty", "without dates", "without a date", "without an id", "an id that is no UUID"],
)
def test_a_list_with_a_row_that_cannot_be_read_is_not_whole(odd):
    assert not is_known(walked([node(1), odd, node(2)]))


def test_a_list_that_had_rows_and_comes_empty_is_doubtful():
    assert walked([], length=3).walk.is_doubtful
    assert not walked([], length=0).walk.is_doubtful
    assert not walked([node(1)], length=3).walk.is_doubtful
    assert not walked(FULL, [], length=45).walk.is_doubtful


@pytest.mark.parametrize(("cursor", "whole"), [(None, True), (row_id(5), False)], ids=["empty", "lost"])
def test_with_a_page_info_an_empty_list_is_told_from_a_lost_page(cursor, whole):
    one = Walk(USERS.roots[0], None, checks_end=True)
    one.parts["users"] = Part(CURSOR, None, Whole())
    walk(Answers([], info={"endCursor": cursor}), {"list_users": one})
    assert one.is_failed is not whole


@pytest.mark.parametrize("pages", [[None], [FULL, None]], ids=["the first page", "the second"])
def test_a_list_of_which_a_page_is_refused_is_not_whole(pages):
    assert not is_known(walked(*pages))


def test_rows_that_were_changed_or_archived_since_the_cursor_are_news_and_others_are_not():
    found = walked([node(1), node(2, updated=NEW), node(3, archived=NEW), node(4, archived=OLD)])
    assert found.part.changed == [row_id(2), row_id(3)]
    assert found.whole.changed == {row_id(2): False, row_id(3): True}
    assert found.whole.archived == [row_id(3)]


def test_of_a_stream_that_is_read_from_the_beginning_nothing_is_news():
    found = walked([node(1), node(2, updated=NEW)], since=None)
    assert found.part.changed == [] and found.whole.changed == {}
    assert found.whole.sketch.rows == 2


def test_rows_from_before_the_start_date_do_not_count():
    found = walked([node(1), node(2, updated=NEW)], floor=CURSOR)
    assert is_known(found) and found.whole.sketch.rows == 1
    assert found.whole.flag(row_id(1)) is None


def test_each_row_of_a_whole_list_is_there_with_its_flag_and_no_other_is():
    found = walked([node(3, archived=OLD), node(1), node(2, archived=OLD)])
    assert [found.whole.flag(row_id(number)) for number in range(5)] == [None, False, True, True, None]


# --- Lists inside of rows -------------------------------------------------------------------------

PROJECTS = next(root for root in LINKS.roots if root.name == "projects")
MOST = PROJECTS.children.first


def parent(number, links):
    return node(number, **{PROJECTS.children.name: links})


def links_of(nodes, *further):
    """The links inside of projects that came on one page, and of what was asked for after it."""
    one, whole = Walk(PROJECTS, None), Whole()
    one.parts["links"] = Part(CURSOR, PROJECTS.children, whole)
    answers = Answers(nodes, *further)
    walk(answers, {"list_projects": one})
    return SimpleNamespace(walk=one, whole=whole, part=one.parts["links"], asked=answers.asked)


def test_the_rows_inside_of_a_lists_rows_are_the_streams():
    found = links_of([parent(1, {"nodes": [node(11)]}), parent(2, {"nodes": []})])
    assert is_known(found)
    assert found.whole.sketch.rows == 1
    assert found.whole.flag(row_id(11)) is False and found.whole.flag(row_id(1)) is None


def test_of_a_history_the_parents_are_known_and_the_newest_entry_tells_of_news():
    (root,) = DECLARED["project_history"].roots
    one, whole = Walk(root, None), Whole()
    one.parts["history"] = Part(CURSOR, root.children, whole)
    entries = (1, [node(11, NEW)]), (2, [node(12)])
    walk(Answers([node(at, history={"nodes": rows}) for at, rows in entries]), {"list_projects": one})
    assert whole.flag(row_id(1)) is whole.flag(row_id(2)) is False
    assert whole.flag(row_id(11)) is None
    assert one.parts["history"].changed == [row_id(1)]


@pytest.mark.parametrize(
    "links",
    [None, {}, [], "x", {"nodes": None}, {"nodes": [None]}, {"nodes": [{**node(11), "updatedAt": 5}]}],
    ids=repr,
)
def test_where_a_list_inside_of_a_row_cannot_be_read_it_is_not_whole(links):
    assert not is_known(links_of([parent(1, links)]))


def test_a_list_inside_of_a_row_that_may_be_longer_is_read_to_its_end():
    short = [node(number) for number in range(11, 11 + MOST)]
    long = [node(number) for number in range(11, 11 + MOST + 20)]
    found = links_of(
        [parent(1, {"nodes": short})], [{"id": row_id(1), PROJECTS.children.name: {"nodes": long}}]
    )
    assert is_known(found)
    assert found.whole.sketch.rows == MOST + 20
    assert "first: 250" in found.asked[1]["long"]


@pytest.mark.parametrize(
    "answer",
    [None, [], [None], [{"id": row_id(1)}], [{"id": row_id(1), PROJECTS.children.name: {"nodes": [None]}}]],
    ids=["refused", "no parent", "null", "no list", "a null row"],
)
def test_where_the_rest_of_a_list_inside_of_a_row_does_not_come_it_is_not_whole(answer):
    short = [node(number) for number in range(11, 11 + MOST)]
    assert not is_known(links_of([parent(1, {"nodes": short})], answer))


# --- Rows that were created -----------------------------------------------------------------------


def new(number, at=NEW):
    return {"id": row_id(number), "createdAt": at}


def test_the_rows_created_since_a_cursor_are_asked_for_newest_first_until_an_older_one_comes():
    pages = [new(number) for number in range(1, 251)], [new(251), new(252, OLD)]
    answers = Answers(*pages)
    assert created(answers, USERS, CURSOR) == {row_id(number) for number in range(1, 252)}
    assert f'after: "{row_id(250)}"' in answers.asked[1]["page"]
    assert all("orderBy: createdAt" in asked["page"] for asked in answers.asked)


def test_where_it_is_refused_no_row_is_known_to_be_created():
    assert created(Answers(None), USERS, CURSOR) == set()


def test_the_parents_created_since_a_cursor_are_asked_for_where_the_stream_goes_by_them():
    answers = Answers([new(1), new(2, OLD)])
    assert created(answers, DECLARED["issue_history"], CURSOR) == {row_id(1)}
    assert answers.asked[0]["page"].startswith("issues(")


@pytest.mark.parametrize(("stream", "cursor"), [(USERS, None), (LINKS, CURSOR)], ids=["no state", "inside"])
def test_rows_without_a_cursor_or_a_root_of_their_own_are_not_asked_for(stream, cursor):
    answers = Answers()
    assert created(answers, stream, cursor) == set()
    assert answers.asked == []
