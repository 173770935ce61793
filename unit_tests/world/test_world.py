"""The world in memory says what Linear says: by values, and beside the simulator of its API."""

import random
from collections.abc import Mapping
from typing import Any

import pytest
import requests

from integration_tests.linear_api import Clock, LinearApi, Workspace, generate
from integration_tests.linear_api.schema import Kind
from source_linear.linear.errors import LinearError
from unit_tests.world.destination import Destination, Platform
from unit_tests.world.linear import ALWAYS, FAILS, NULL, POISON, Faults, Linear
from unit_tests.world.schema import schema
from unit_tests.world.world import World, fill, moment

ISSUES = """query rows($first: Int!, $after: String, $filter: IssueFilter) {
    issues(first: $first, after: $after, filter: $filter, includeArchived: true) {
        nodes { id updatedAt archivedAt title } pageInfo { hasNextPage endCursor } } }"""
IDS = """query ids($filter: IssueFilter) { there: issues(first: 250, filter: $filter, includeArchived: true) {
    nodes { id } pageInfo { hasNextPage endCursor } } }"""


def ask(linear: Linear, query: str = ISSUES, **variables: Any) -> Any:
    return linear.ask("issues", query, {"first": 250, **variables} if query == ISSUES else variables).data


def ids(found: Any, root: str = "issues") -> list[str]:
    return [node["id"] for node in found[root]["nodes"]]


@pytest.fixture
def world() -> World:
    return World(random.Random(1))


def test_rows_come_newest_first_and_page_by_page(world: World) -> None:
    made = [world.create("Issue", title=str(n)) for n in range(5) if not world.tick(1)]
    linear = Linear(world)
    first = ask(linear, first=2)
    assert ids(first) == [made[4], made[3]]
    assert first["issues"]["pageInfo"] == {"hasNextPage": True, "endCursor": made[3]}
    second = ask(linear, first=2, after=made[3])
    assert ids(second) == [made[2], made[1]]
    assert ids(ask(linear, first=2, after=made[1])) == [made[0]]
    assert first["issues"]["nodes"][0]["title"] == "4" and second["issues"]["nodes"][0]["archivedAt"] is None


def test_a_late_row_is_stamped_before_it_is_visible(world: World) -> None:
    row = world.create("Issue", late=10)
    stamp = world.now
    linear = Linear(world)
    assert ids(ask(linear)) == []
    world.tick(10)
    (node,) = ask(linear)["issues"]["nodes"]
    assert node["id"] == row and moment(node["updatedAt"]) == stamp


def test_a_late_change_of_a_row_that_is_purged_meanwhile_does_not_bring_it_back(world: World) -> None:
    row = world.create("Issue")
    world.update(row, late=10, title="new")
    assert world.is_coming(row)
    world.purge(row)
    world.tick(10)
    assert ids(ask(Linear(world))) == []


def test_archiving_moves_no_stamp_and_hides_the_row_unless_archived_rows_are_asked_for(world: World) -> None:
    row = world.create("Issue")
    stamp = world.now
    world.tick(100)
    world.archive(row)
    (node,) = ask(Linear(world))["issues"]["nodes"]
    assert moment(node["updatedAt"]) == stamp and moment(node["archivedAt"]) == world.now
    assert ids(ask(Linear(world), "{ issues(first: 5) { nodes { id } } }")) == []
    world.restore(row)
    assert ids(ask(Linear(world), "{ issues(first: 5) { nodes { id } } }")) == [row]


def test_a_hidden_row_is_another_viewers(world: World) -> None:
    row = world.create("Issue")
    child = world.create("IssueHistory", inside=(row, "history"))
    world.hide(row)
    assert ids(ask(Linear(world))) == [] and world.view().rows("IssueHistory") == {}
    world.viewer = "somebody else"
    assert ids(ask(Linear(world))) == [row] and list(world.view().rows("IssueHistory")) == [child]


def test_a_purged_row_takes_those_inside_of_it_along(world: World) -> None:
    row = world.create("Issue")
    world.create("IssueHistory", inside=(row, "history"))
    world.purge(row)
    assert world.rows["IssueHistory"] == {} and ids(ask(Linear(world))) == []


def test_filters_choose_by_dates_ids_relations_and_lists(world: World) -> None:
    team = world.create("Team", key="ENG")
    old = world.create("Issue", team=team)
    world.tick(1)
    new = world.create("Issue", createdAt="2025-06-20T00:00:00.000Z")
    world.create("Attachment", issue=old)
    linear = Linear(world)

    def found(**given: Any) -> list[str]:
        return ids(ask(linear, filter=given))

    stamp = world.view().rows("Issue")[new]["updatedAt"]
    assert found(updatedAt={"gte": stamp}) == [new]
    assert found(updatedAt={"lt": stamp}) == found(updatedAt={"lte": stamp, "neq": stamp}) == [old]
    assert found(id={"in": [old, "other"]}) == [old]
    assert found(team={"key": {"in": ["ENG"]}}) == [old]
    assert found(team={"null": True}) == [new]
    assert found(**{"or": [{"team": {"null": True}}, {"team": {"key": {"in": ["ENG"]}}}]}) == [new, old]
    assert found(**{"and": [{"team": {"null": True}}, {"id": {"in": [old]}}]}) == []
    assert found(attachments={"some": {"updatedAt": {"gte": stamp}}}) == [old]
    assert found(archivedAt={"null": True}) == [new, old]
    with pytest.raises(LinearError, match="invalid"):
        found(title={"contains": "a"})


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("{ issues(first: 251) { nodes { id } } }", "between 1 and 250"),
        ("{ unheard(first: 1) { nodes { id } } }", "Cannot query field"),
        ("query a($x: Int) { issues(first: 1) { nodes { id } } }", "never used"),
        ("{ issues(first: $x) { nodes { id } } }", "not defined"),
        ("{ issues(first: 1) { nodes { id } }", "Unexpected"),
        ('{ issues(first: 1, after: "x") { nodes { id } } }', "Invalid cursor"),
        ("{ issues(first: 250) { nodes { history(first: 250) { nodes { id } } } } }", "complex"),
    ],
)
def test_what_linear_refuses_is_refused(world: World, query: str, said: str) -> None:
    with pytest.raises(LinearError, match=said):
        ask(Linear(world), query)


def test_the_price_is_billed_by_linears_formula(world: World) -> None:
    linear = Linear(world, behind=7)
    answer = linear.ask("", ISSUES, {"first": 250})
    assert answer.points == linear.requests[0].points == 650  # 250 * (1.4 + 1.2)
    assert answer.headers["Date"] == "Sun, 15 Jun 2025 15:06:33 GMT"


def test_a_row_that_cannot_be_read_fails_in_its_way(world: World) -> None:
    rows = [world.create("Issue") for _ in range(3) if not world.tick(1)]
    linear = Linear(world)
    world.refused[rows[1]] = NULL
    answer = linear.ask("", ISSUES, {"first": 3})
    assert [node and node["id"] for node in answer.data["issues"]["nodes"]] == [rows[2], None, rows[0]]
    assert answer.problems[0].path == ("issues", "nodes", 1)
    world.refused[rows[1]] = FAILS
    with pytest.raises(LinearError) as failed:
        ask(linear)
    assert failed.value.failure.index == 1
    for mode, is_told in ((POISON, True), (ALWAYS, False)):
        world.refused[rows[1]] = mode
        with pytest.raises(LinearError) as failed:
            ask(linear)
        assert failed.value.failure.index is None
        assert len(ids(ask(linear, "{ issues(first: 3) { nodes { id updatedAt } } }"))) == 3
        asked = {"id": {"in": [rows[1]]}}
        if is_told:
            assert ids(ask(linear, IDS, filter=asked), "there") == [rows[1]]
        else:
            with pytest.raises(LinearError):
                ask(linear, IDS, filter=asked)
    del world.refused[rows[1]]
    assert len(ids(ask(linear))) == 3


def test_a_list_may_lack_rows_and_a_question_of_ids_never_does(world: World) -> None:
    rows = fill(world, "Issue", 40)
    linear = Linear(world, Faults(short=0.5, blind=1))
    walked = ids(ask(linear, "{ issues(first: 250, includeArchived: true) { nodes { id } } }"))
    assert 0 < len(walked) < 40
    asked = {"id": {"in": rows}}
    assert set(ids(ask(linear, IDS, filter=asked), "there")) == set(rows)
    assert ids(ask(linear, filter=asked)) == []


def test_a_row_that_no_list_told_of_is_lost_only_where_the_next_sync_reads_it_again(world: World) -> None:
    old = world.create("Issue")
    world.tick(100)
    world.create("Issue")
    since = {"updatedAt": {"gte": "2025-01-01T00:00:00.000Z"}}
    assert ids(ask(Linear(world, Faults(blind=1)), filter=since)) == [old]


@pytest.mark.parametrize(("faults", "info"), [(Faults(cut=1), "hasNextPage"), (Faults(ends=1), "endCursor")])
def test_a_page_may_end_early(world: World, faults: Faults, info: str) -> None:
    rows = fill(world, "Issue", 10)
    page = f"{{ issues(first: 10, includeArchived: true) {{ nodes {{ id }} pageInfo {{ {info} }} }} }}"
    found = ask(Linear(world, faults), page)["issues"]
    assert 0 < len(found["nodes"]) < len(rows)
    assert found["pageInfo"] == {info: True if info == "hasNextPage" else found["nodes"][-1]["id"]}


def test_an_answer_may_lag_behind_but_a_question_of_ids_does_not(world: World) -> None:
    world.tick(100)
    rows = [world.create("Issue") for _ in range(20) if not world.tick(1)]
    linear = Linear(world, Faults(stale=1))
    assert len(ids(ask(linear))) < 20
    assert len(ids(ask(linear, IDS, filter={"id": {"in": rows}}), "there")) == 20


def test_a_root_fails_alone_or_only_with_others(world: World) -> None:
    both = "{ issues(first: 1) { nodes { id } } teams(first: 1) { nodes { id } } }"
    faults = Faults(failing={"issues": "FORBIDDEN"}, together=True)
    with pytest.raises(LinearError, match="may not read") as failed:
        ask(Linear(world, faults), both)
    assert failed.value.failure.problems[0].path == ("issues",)
    assert ids(ask(Linear(world, faults))) == []
    with pytest.raises(LinearError) as failed:
        ask(Linear(world, Faults(failing={"teams": "INTERNAL_SERVER_ERROR"})), both)
    assert failed.value.failure.problems[0].path == ()


def test_a_circle_gives_the_same_page_again(world: World) -> None:
    fill(world, "Issue", 3)
    linear = Linear(world, Faults(circles=["issues"]))
    first = ask(linear, first=2)
    assert ask(linear, first=2, after=first["issues"]["pageInfo"]["endCursor"]) == first


def test_the_cursor_of_a_purged_row_keeps_its_place_unless_linear_forgets_it(world: World) -> None:
    rows = [world.create("Issue") for _ in range(3) if not world.tick(1)]
    world.purge(rows[1])
    assert ids(ask(Linear(world), after=rows[1])) == [rows[0]]
    with pytest.raises(LinearError, match="Invalid cursor"):
        ask(Linear(world, Faults(forgets=True)), after=rows[1])


def test_the_world_changes_before_each_answer(world: World) -> None:
    linear = Linear(world, agitate=lambda: world.create("Issue"))
    assert [len(ids(ask(linear))) for _ in range(3)] == [1, 2, 3]


def test_the_rate_limit_is_waited_out(world: World) -> None:
    linear = Linear(world, Faults(limited=0.5), random.Random(3))
    before = world.now
    ask(linear)
    assert world.now > before and linear.requests[0].status == 400 and linear.requests[-1].status == 200


def test_the_destination_keeps_the_later_cursor_and_of_equal_ones_the_later_message() -> None:
    destination = Destination()
    for version, stamp in enumerate(["2", "1", "2"]):
        destination.write("issues", {"id": "a", "updatedAt": stamp, "version": version})
    assert destination.rows("issues")["a"]["version"] == 2
    destination.write("issues", {"id": "a", "updatedAt": "3", "deletedAt": "3"})
    destination.write("issues", {"id": "a", "updatedAt": "2", "version": 3})
    assert destination.rows("issues") == {} and list(destination.kept("issues")) == ["a"]


def test_the_platform_keeps_states_and_can_lose_or_restore_them() -> None:
    platform = Platform(Destination())
    platform.receive([("state", "issues", 1), ("row", "issues", {"id": "a", "updatedAt": "1"})])
    assert platform.states == {"issues": 1}
    platform.receive([("state", "issues", 2), ("state", "issues", 3)], behind=1)
    assert platform.states == {"issues": 2}
    platform.restore(1)
    assert platform.states == {"issues": 1}
    platform.restore(5)
    assert platform.states == {}


# --- beside the simulator ------------------------------------------------------------------------

QUERIES = [  # as the connector writes them
    """query issues($first: Int!, $after: String, $orderBy: PaginationOrderBy, $filter: IssueFilter) {
    issues(first: $first, after: $after, orderBy: $orderBy, includeArchived: true, filter: $filter) {
    nodes { id updatedAt archivedAt createdAt description labelIds number priority title trashed url
    assignee { id } project { id } team { id } attachments(first: 1, includeArchived: true) { nodes { id } }
    relations(first: 1, includeArchived: true) { nodes { id } }
    sharedAccess { isShared } syncedWith { id service } }
    pageInfo { hasNextPage endCursor } } }""",
    """query issue_history($first: Int!, $orderBy: PaginationOrderBy, $order: PaginationOrderBy,
    $filter: IssueFilter) { issues(first: $first, orderBy: $orderBy, includeArchived: true, filter: $filter) {
    nodes { id updatedAt archivedAt history(first: 3, includeArchived: true, orderBy: $order) {
    nodes { id updatedAt archivedAt createdAt fromTitle toTitle toState { id } } } }
    pageInfo { hasNextPage endCursor } } }""",
    """query roots($filter: IssueFilter) { viewer { id } organization { id name urlKey createdAt }
    newest: issues(first: 10, includeArchived: true, orderBy: updatedAt, filter: $filter) {
    nodes { id updatedAt archivedAt } } list_users: users(first: 50, includeArchived: true,
    includeDisabled: true) { nodes { id updatedAt archivedAt } } teams(first: 9, includeArchived: true,
    filter: {key: {in: ["ENG", "OPS"]}}) { nodes { key } pageInfo { endCursor } } templates { id } }""",
    """query links { projects(first: 40, includeArchived: true) { nodes { id updatedAt archivedAt
    externalLinks(first: 4, includeArchived: true) { nodes { id updatedAt label url creator { id } } } } }
    cycles(first: 50, includeArchived: true) { nodes { id links(first: 2, includeArchived: true) {
    nodes { id label } pageInfo { hasNextPage endCursor } } } } }""",
]


def world_of(workspace: Workspace) -> World:
    """The world that has the rows of a simulated workspace."""
    world = World(random.Random(1))
    known, at_home = workspace.schema, schema()
    stood = {child: [] for child in at_home.children.values()}
    for (parent, name), child in at_home.children.items():
        for row in workspace.rows[parent].values():
            stood[child] += [(one["id"], (row["id"], name)) for one in workspace.linked(parent, row, name)]
    for entity in {*at_home.entities.values()}:
        places = dict(stood.get(entity, ()))
        for row in workspace.rows[entity].values():
            values: dict[str, Any] = {}
            for name, field in known.fields(entity).items():
                if field.kind in (Kind.LEAF, Kind.VALUE):
                    values[name] = row[name]
                elif field.kind is Kind.RELATION:
                    values[name] = row[field.key]
            values.pop("id")
            if entity == "Organization":
                world.organization |= {**values, "id": row["id"]}
            else:
                world.create(entity, row_id=row["id"], inside=places.get(row["id"]), **values)
    return world


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("order", ["createdAt", "updatedAt"])
def test_it_answers_as_the_simulator_does(query: str, order: str) -> None:
    workspace = generate(3, 30, Clock("2025-06-01T00:00:02.500Z"))
    world = world_of(workspace)
    issues = sorted(world.rows["Issue"].values(), key=lambda row: row["updatedAt"])
    somewhat = {"updatedAt": {"gte": issues[5]["updatedAt"], "lte": issues[-5]["updatedAt"]}}
    either = {"or": [{"archivedAt": {"null": False}}, {"id": {"in": [row["id"] for row in issues[:9]]}}]}
    with LinearApi(workspace) as api:
        for chosen in (somewhat, either):
            given = {"first": 7, "orderBy": order, "order": order, "filter": chosen}
            variables = {name: value for name, value in given.items() if f"${name}" in query}
            pages = 0
            while pages < 3:
                theirs = _post(api, query, variables)
                ours = Linear(world).ask("", query, variables)
                if "viewer" in ours.data:
                    world.viewer = theirs["data"]["viewer"]["id"]
                    ours = Linear(world).ask("", query, variables)
                assert ours.data == theirs["data"]
                assert any(one.get("nodes") for one in ours.data.values() if isinstance(one, dict))
                assert ours.points == theirs["points"]
                pages += 1
                info = ours.data.get("issues", {}).get("pageInfo", {})
                if "$after" not in query or not info.get("hasNextPage"):
                    break
                variables["after"] = info["endCursor"]


def _post(api: LinearApi, query: str, variables: Mapping[str, Any]) -> Any:
    body = {"query": query, "variables": dict(variables)}
    response = requests.post(api.url, json=body, headers={"Authorization": api.api_key}, timeout=10)
    return {**response.json(), "points": float(response.headers.get("X-Complexity", -1))}
