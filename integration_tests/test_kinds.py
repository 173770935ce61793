"""In which ways a copy may differ from the workspace: each is put right by a later sync, or told."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from integration_tests.connector import Connector, Output
from integration_tests.faults.forks import ForkedConnector
from integration_tests.histories import Destination
from integration_tests.linear_api import PURGED, Clock, LinearApi, Request, generate
from source_linear.streams import DELETED_AT, GONE_AT
from tools.schemas import streams

STREAMS = {stream.name: stream for stream in streams()}
HOUR = 3600
OLD = "2025-01-01T00:00:00.000Z"


def slow(*values: Any) -> Any:
    """A case that is tried with the slow tests only."""
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.fixture
def api() -> Iterator[LinearApi]:
    with LinearApi(generate(1, 20, Clock("2025-06-01T00:00:02.500Z"), PURGED)) as api:
        api.limits.set(requests=10**9, points=10**12)
        api.clock.advance(HOUR)
        yield api


@dataclass
class Copy:
    """The copy that a connection makes, a sync an hour, each a process of its own."""

    api: LinearApi
    connector: Connector
    names: tuple[str, ...]
    destination: Destination = field(default_factory=lambda: Destination(STREAMS))
    states: dict[str, Any] = field(default_factory=dict)

    def sync(self, kill: Callable[[dict[str, Any]], bool] | None = None, fails: bool = False) -> Output:
        """One sync; `kill` says after which message it is killed."""
        given = [*self.states.values()]
        output = self.connector.read(self.connector.catalog(self.names), given, timeout=60)
        assert (output.exit_code != 0) is fails, output.errors
        for message in output.messages:
            if message["type"] == "RECORD":
                record = message["record"]
                data = {name: value for name, value in record["data"].items() if value is not None}
                self.destination.write(record["stream"], data)
            elif message["type"] == "STATE":
                self.states[message["state"]["stream"]["stream_descriptor"]["name"]] = message["state"]
            if kill and kill(message):
                break
        self.api.before_response(None)
        self.api.clock.advance(HOUR)
        return output

    @property
    def rows(self) -> dict[str, Any]:
        """The rows of the only stream."""
        (name,) = self.names
        return self.destination.rows(name)

    def alive(self) -> set[str]:
        """The ids of those that are not said to be gone."""
        return {row_id for row_id, row in self.rows.items() if not is_gone(row)}


@pytest.fixture
def copy(api: LinearApi, make_connector: Callable[..., Connector]) -> Callable[..., Copy]:
    def make(*names: str, **config: Any) -> Copy:
        return Copy(api, make_connector(api, **config), names)

    return make


def is_gone(row: dict[str, Any]) -> bool:
    return bool(row.get(GONE_AT) or row.get(DELETED_AT))


def gone(output: Output) -> set[str]:
    return {row["id"] for rows in output.records.values() for row in rows if is_gone(row)}


def warnings(output: Output) -> list[str]:
    return [line.removeprefix("WARN ") for line in output.logs if line.startswith("WARN")]


def is_probe(request: Request) -> bool:
    return request.query.startswith("query sync")


def is_read(request: Request) -> bool:
    return not is_probe(request)


def named(request: Request) -> str:
    """What a request asks for, in full."""
    return f"{request.query} {json.dumps(request.variables)}"


def asks_for(*ids: str) -> Callable[[Request], bool]:
    return lambda request: any(row_id in named(request) for row_id in ids)


def lists(body: Any) -> list[dict[str, Any]]:
    """The connections in an answer's data, those inside of rows too."""
    if isinstance(body, list):
        return [found for one in body for found in lists(one)]
    if not isinstance(body, dict):
        return []
    return ([body] if isinstance(body.get("nodes"), list) else []) + [
        found for one in body.values() for found in lists(one)
    ]


def lacking(keep: Callable[[list[Any]], list[Any]], **ends: Any) -> Callable[[Any, Any], Any]:
    """What makes an answer's lists lack rows; `ends` is what `pageInfo` says then, where it was asked for."""

    def change(body: Any, chance: Any) -> Any:
        for one in lists(body.get("data")):
            kept = keep(one["nodes"])
            if ends and "pageInfo" in one and len(kept) < len(one["nodes"]):
                one["pageInfo"] |= {name: value for name, value in ends.items() if name in one["pageInfo"]}
            one["nodes"] = kept
        return body

    return change


def many(api: LinearApi, entity: str, number: int, **values: Any) -> list[str]:
    return [api.workspace.create(entity, **values) for _ in range(number)]


# --- 1. A row changes during every sync -------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("comments", "body"),
        ("issue_labels", "name"),
        slow("agent_sessions", "summary"),
        slow("projects", "name"),
    ],
)
def test_a_row_that_changes_during_every_sync_is_sent_as_it_is_seen(api, copy, name, column):
    made, entity = copy(name), STREAMS[name].entity
    row = api.workspace.ids(entity, archived=False)[0]
    made.sync()
    for number in range(3):
        value = f"change {number}"

        def change(request: Request, _: int, value: str = value) -> None:
            if is_probe(request):
                api.clock.advance(5)
            else:
                api.before_response(None)
                api.workspace.update(entity, row, **{column: value})

        api.workspace.update(entity, row, **{column: "before"})
        api.clock.advance(HOUR)
        api.before_response(change)
        made.sync()
        assert made.rows[row][column] == value


# --- 2. The state is of another workspace -----------------------------------------------------------


def test_a_state_of_another_workspace_is_a_config_error_that_names_both(api, copy, make_connector):
    made = copy("comments", "issue_labels")
    made.sync()
    workspace = generate(2, 20, Clock(api.clock.text), PURGED)
    (organization,) = workspace.ids("Organization")
    workspace.update("Organization", organization, name="Another one")
    with LinearApi(workspace) as another:
        other = Copy(another, make_connector(another), made.names, states=made.states)
        output = other.sync(fails=True)
    (error,) = output.errors
    assert error["failure_type"] == "config_error"
    (first,) = api.workspace.ids("Organization")
    assert "Another one" in error["message"]
    assert api.workspace.get("Organization", first)["name"] in error["message"]
    assert not any(output.records.values())


# --- 3. The key is another user's -------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["comments", *map(slow, ("issue_labels", "issue_relations", "issue_history"))]
)
def test_what_only_another_user_sees_comes_with_a_warning(api, copy, name):
    made, entity = copy(name), STREAMS[name].roots[0].entity
    hidden = api.workspace.ids(entity)[:5]
    for one in hidden:
        api.workspace.hide(entity, one)
    made.sync()
    before = len(made.rows)
    for one in hidden:
        api.workspace.show(entity, one)

    def of_another(body: Any, chance: Any) -> Any:
        if "viewer" in (body.get("data") or {}):
            body["data"]["viewer"]["id"] = api.workspace.ids("User")[1]
        return body

    api.faults.damage(change=of_another, where=lambda request: "viewer" in request.query, count=None)
    output = made.sync()
    assert made.rows.keys() == set(api.workspace.ids(STREAMS[name].entity))
    assert len(made.rows) > before
    assert any("another user's" in line for line in warnings(output))
    assert not any(made.sync().records.values())


# --- 4. A page of a list brings fewer rows than there are -------------------------------------------


@pytest.mark.parametrize("archived_rows", ["flag", "delete"])
@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("issue_labels", 300),
        slow("team_memberships", 100),
        slow("comments", 600),
        slow("issue_relations", 300),
    ],
)
def test_a_page_of_a_list_that_lacks_a_row_deletes_nothing(api, copy, name, rows, archived_rows):
    made, entity = copy(name, archived_rows=archived_rows, detect_deletions="each sync"), STREAMS[name].entity
    many(api, entity, rows - len(api.workspace.ids(entity)))
    api.clock.advance(HOUR)
    made.sync()
    before = made.alive()
    short = lacking(lambda nodes: nodes[:-1] if len(nodes) > 20 else nodes, hasNextPage=True)
    fault = api.faults.damage(change=short, where=is_probe, count=2)
    assert gone(made.sync()) == set()
    assert fault.fired
    assert made.alive() == before
    purged = api.workspace.ids(entity, archived=False)[3]
    api.workspace.purge(entity, purged)
    made.sync()
    assert made.alive() == before - {purged}


def test_a_list_inside_a_row_that_lacks_a_row_once_deletes_nothing(api, copy):
    made = copy("entity_external_links")
    project = api.workspace.ids("Project")[0]
    links = api.workspace.set_list("Project", project, "externalLinks", 30)
    api.clock.advance(HOUR)
    made.sync()
    short = lacking(lambda nodes: nodes[:-1] if nodes and nodes[0].get("id") in links else nodes)
    fault = api.faults.damage(change=short, where=is_probe, count=1)
    assert gone(made.sync()) == set()
    assert fault.fired
    assert set(links) <= made.alive()


# --- 5. The newest rows are fewer than asked for ----------------------------------------------------


@pytest.mark.parametrize("name", ["comments", *map(slow, ("issues", "issue_history", "agent_sessions"))])
def test_fewer_of_the_newest_rows_than_asked_for_are_not_all_that_changed(api, copy, name):
    made, stream = copy(name), STREAMS[name]
    entity = stream.roots[0].entity
    many(api, entity, 40)
    api.clock.advance(HOUR)
    made.sync()
    changed = api.workspace.ids(entity, archived=False)[:30]
    children = {}
    for one in changed:
        api.clock.advance(1)
        api.workspace.update(entity, one)
        if stream.kind == "child":
            children[one] = api.workspace.create(stream.entity, issueId=one)
    api.clock.advance(HOUR)
    short = lacking(lambda nodes: nodes[:7] if len(nodes) == 10 else nodes)
    api.faults.damage(change=short, where=is_probe, count=1)
    made.sync()
    made.sync()
    for one in changed:
        row = children.get(one, one)
        assert made.rows[row]["updatedAt"] == api.workspace.get(stream.entity, row)["updatedAt"]


# --- 6. One root of many fails, in the probe --------------------------------------------------------


ROOT_FAILS = {
    "500 in JSON": lambda faults, **on: faults.error("INTERNAL_SERVER_ERROR", 500, **on),
    "500 at HTTP 200, with a path": lambda faults, **on: faults.error(
        "INTERNAL_SERVER_ERROR", 200, at_root=True, **on
    ),
    "503 in HTML": lambda faults, **on: faults.html(503, **on),
    "the connection is reset": lambda faults, **on: faults.reset(**on),
    "null": lambda faults, **on: faults.null_root(**on),
    "missing": lambda faults, **on: faults.missing_root(**on),
    "no nodes": lambda faults, **on: faults.null_nodes(**on),
}


@pytest.mark.parametrize("how", ["500 in JSON", *map(slow, [*ROOT_FAILS][1:])])
def test_a_root_that_fails_in_the_probe_costs_its_own_stream_and_a_warning_tells(api, tmp_path, forks, how):
    connector = ForkedConnector.of(api, tmp_path)
    connector.forks = forks
    made = Copy(api, connector, ("issue_labels", "teams", "users", "cycles", "documents", "workflow_states"))
    made.sync()
    api.requests.clear()
    made.sync()
    before = len(api.requests)
    ROOT_FAILS[how](api.faults, root="cycles", where=is_probe, count=None)
    label, cycle = api.workspace.ids("IssueLabel")[0], api.workspace.ids("Cycle")[0]
    api.workspace.purge("IssueLabel", label)
    api.workspace.purge("Cycle", cycle)
    api.requests.clear()
    output = made.sync()
    assert gone(output) == {label}
    assert any("cycles" in line for line in warnings(output))
    assert len(api.requests) < before + 60
    api.faults.clear()
    assert gone(made.sync()) == {cycle}


# --- 7. A root is forbidden for one sync ------------------------------------------------------------


@pytest.mark.parametrize("archived_rows", ["flag", slow("delete")])
@pytest.mark.parametrize("name", ["issue_labels", slow("comments"), slow("entity_external_links")])
def test_a_row_that_is_purged_while_its_root_is_forbidden_is_reported_once_it_is_not(
    api, copy, name, archived_rows
):
    made, stream = copy(name, archived_rows=archived_rows, detect_deletions="each sync"), STREAMS[name]
    made.sync()
    row = next(
        one
        for one in api.workspace.ids(stream.entity, archived=False)
        if name != "entity_external_links" or made.rows[one].get("projectId")
    )
    api.workspace.purge(stream.entity, row)
    root = "projects" if name == "entity_external_links" else stream.roots[0].name
    fault = api.faults.error("FORBIDDEN", 200, at_root=True, root=root, where=is_probe, count=None)
    output = made.sync()
    assert fault.fired and gone(output) == set()
    api.faults.clear()
    assert gone(made.sync()) == {row}
    assert gone(made.sync()) == set()


# --- 8. An id is no UUID ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["issue_labels", slow("comments"), slow("issue_relations")])
@pytest.mark.parametrize("odd", ["odd", slow("ABCDEF01-2345-4678-8ABC-DEF012345678"), slow("ünicode\n\t\"'")])
def test_deletions_are_seen_though_the_id_of_a_row_is_no_uuid(api, copy, name, odd):
    made, entity = copy(name, detect_deletions="each sync"), STREAMS[name].entity
    api.workspace.create(entity, id=odd)
    api.clock.advance(HOUR)
    made.sync()
    other = next(one for one in api.workspace.ids(entity) if one != odd)
    api.workspace.purge(entity, other)
    output = made.sync()
    assert gone(output) == {other} and warnings(output) == []
    api.workspace.purge(entity, odd)
    assert gone(made.sync()) == {odd}
    assert not any(made.sync().records.values())


# --- 9. Archived without a stamp, the sync killed after its first window ----------------------------


@pytest.mark.slow
def test_a_wave_of_archivings_is_not_lost_where_the_sync_is_killed_early(api, copy):
    made = copy("comments", detect_deletions="each sync")
    many(api, "Comment", 1500)
    api.clock.advance(HOUR)
    made.sync()
    wave = api.workspace.ids("Comment", archived=False)[:1300]
    for one in wave:
        api.workspace.archive("Comment", one)
    api.clock.advance(10 * 24 * HOUR)
    states = iter(range(3))
    made.sync(kill=lambda message: message["type"] == "STATE" and next(states) == 2)
    for _ in range(4):
        made.sync()
    assert [one for one in wave if not made.rows[one]["isArchived"]] == []


# --- 10. Listed, but refused where it is read -------------------------------------------------------


def refusing(row_id: str, code: str | None) -> Callable[[Any, Any], Any]:
    """What makes a row null, with an error of a code at its place; None for without one."""

    def change(body: Any, chance: Any) -> Any:
        data = body.get("data") or {}
        places = [(name,) for name, value in data.items() if value and value.get("id") == row_id]
        for name, value in data.items():
            for at, node in enumerate((value or {}).get("nodes") or ()):
                places += [(name, "nodes", at)] if node and node.get("id") == row_id else []
        for place in places:
            *path, last = place
            holder = data
            for step in path:
                holder = holder[step]
            holder[last] = None
            if code:
                said = {"message": "It cannot be read.", "extensions": {"code": code}, "path": [*place]}
                body.setdefault("errors", []).append(said)
        return body

    return change


@pytest.mark.parametrize("name", ["comments", slow("issue_labels"), slow("issue_relations")])
@pytest.mark.parametrize("code", ["FORBIDDEN", slow("INTERNAL_SERVER_ERROR"), slow(None)])
def test_a_row_that_is_refused_where_it_is_read_is_sent_once_it_may_be(api, copy, name, code):
    made, entity = copy(name), STREAMS[name].entity
    made.sync()
    row = api.workspace.create(entity)
    api.clock.advance(HOUR)
    api.faults.damage(change=refusing(row, code), where=is_read, count=None)
    for _ in range(2):
        made.sync()
        assert row not in made.rows
    api.faults.clear()
    made.sync()
    assert row in made.rows


# --- 11. Listed, but not found by its id ------------------------------------------------------------


@pytest.mark.parametrize("name", ["issue_labels", slow("comments"), slow("projects")])
def test_a_row_that_appeared_and_is_not_found_by_its_id_yet_is_asked_for_again(api, copy, name):
    made, entity = copy(name, detect_deletions="each sync"), STREAMS[name].entity
    row = api.workspace.ids(entity, archived=False)[0]
    api.workspace.hide(entity, row)
    made.sync()
    api.workspace.show(entity, row)
    without = lacking(lambda nodes: [one for one in nodes if one and one.get("id") != row])
    fault = api.faults.damage(change=without, where=is_read, count=None)
    made.sync()
    assert fault.fired and row not in made.rows
    api.faults.clear()
    made.sync()
    assert row in made.rows


# --- 12. Listed, gone when it is read, and back -----------------------------------------------------


@pytest.mark.parametrize("is_first", [True, False], ids=["first sync", "later sync"])
@pytest.mark.parametrize(
    "name", ["issue_labels", *map(slow, ("comments", "issue_relations", "issue_history"))]
)
def test_a_row_that_is_gone_when_it_is_read_and_back_by_the_next_sync_is_sent(api, copy, name, is_first):
    made, stream = copy(name, detect_deletions="each sync"), STREAMS[name]
    if not is_first:
        made.sync()
    hidden = row = api.workspace.create(stream.entity)
    of = stream.roots[0].entity
    if stream.kind == "child":
        hidden = api.workspace.get(stream.entity, row)["issueId"]
        api.workspace.update(of, hidden)
    api.clock.advance(HOUR)

    def hide(request: Request, _: int) -> None:
        if is_read(request):
            api.before_response(None)
            api.workspace.hide(of, hidden)

    api.before_response(hide)
    made.sync()
    api.workspace.show(of, hidden)
    made.sync()
    assert row in made.alive()


# --- 13. `after` is ignored -------------------------------------------------------------------------


def repeated() -> Callable[[Any, Any], Any]:
    """What gives the first page again, whatever is asked for, each time behind another cursor."""
    first: dict[tuple[str, ...], Any] = {}

    def change(body: Any, chance: Any) -> Any:
        for one in lists(body.get("data")):
            if one["nodes"] and len(one["nodes"]) >= 10:
                one["nodes"] = first.setdefault((*one["nodes"][0],), one["nodes"])[: len(one["nodes"])]
                if "pageInfo" in one:
                    told = {"hasNextPage": True, "endCursor": f"cursor {chance.random()}"}
                    one["pageInfo"] = {name: told.get(name) for name in one["pageInfo"]}
        return body

    return change


@pytest.mark.parametrize(
    "name",
    ["issue_relations", "entity_external_links", *map(slow, ("issue_labels", "issue_history"))],
)
def test_a_list_that_ignores_its_cursor_ends_with_a_sentence(api, copy, name):
    made = copy(name, "teams")
    entity = STREAMS[name].entity
    if name == "entity_external_links":
        api.workspace.set_list("Project", api.workspace.ids("Project")[0], "externalLinks", 600)
    elif name == "issue_history":
        api.workspace.set_list("Issue", api.workspace.ids("Issue")[0], "history", 600)
    else:
        many(api, entity, 600)
    api.clock.advance(HOUR)
    root = STREAMS[name].roots[0].name
    api.faults.damage(change=repeated(), root=root, count=None)
    api.requests.clear()
    output = made.sync(fails=True)
    assert len(api.requests) < 100
    assert output.statuses["teams"][-1] == "COMPLETE"
    said = " ".join(error["message"] for error in output.errors)
    assert "there before" in said and "bug" not in said


# --- 14. An import of old rows ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "rows"), [("issue_labels", 600), slow("issues", 600), slow("comments", 1500)]
)
def test_an_import_of_old_rows_is_no_alarm_and_a_deletion_is_seen(api, copy, name, rows):
    made, entity = copy(name, detect_deletions="each sync"), STREAMS[name].entity
    made.sync()
    imported = many(api, entity, rows, createdAt=OLD)
    api.clock.advance(HOUR)
    assert warnings(made.sync()) == []
    assert set(imported) <= made.rows.keys()
    api.workspace.purge(entity, imported[7])
    output = made.sync()
    assert gone(output) == {imported[7]} and warnings(output) == []
    assert not any(made.sync().records.values())


# --- 15. Rows keep Linear's stamps ------------------------------------------------------------------


@pytest.mark.slow
def test_rows_keep_linears_stamps_however_many_were_deleted(api, copy):
    made = copy("team_memberships")
    innocent = many(api, "TeamMembership", 200)
    doomed = many(api, "TeamMembership", 2500)
    api.clock.advance(HOUR)
    made.sync()
    for at in range(0, len(doomed), 500):
        for one in doomed[at : at + 500]:
            api.workspace.purge("TeamMembership", one)
        made.sync()
    for one in innocent:
        api.workspace.archive("TeamMembership", one)
    made.sync()
    assert all(made.rows[one]["isArchived"] for one in innocent)
    stamps = {one: api.workspace.get("TeamMembership", one)["updatedAt"] for one in innocent}
    assert {one: made.rows[one]["updatedAt"] for one in innocent} == stamps


# --- 16. In the trash, without a date ---------------------------------------------------------------


@pytest.mark.parametrize("name", ["projects", slow("issues"), slow("documents")])
@pytest.mark.parametrize("archived_rows", ["flag", slow("delete")])
def test_a_row_that_is_in_the_trash_without_a_date_is_sent_once(api, copy, name, archived_rows):
    made, entity = copy(name, archived_rows=archived_rows, detect_deletions="each sync"), STREAMS[name].entity
    made.sync()
    row = api.workspace.ids(entity, archived=False)[0]
    api.workspace.update(entity, row, trashed=True, archivedAt=None)
    api.clock.advance(HOUR)
    assert [one["id"] for one in made.sync().records[name]] == [row]
    if archived_rows == "delete":
        assert row not in made.rows
    else:
        assert made.rows[row]["isArchived"]
    assert made.sync().records[name] == []


# --- 17. A tombstone arrived, the state after it did not --------------------------------------------


@pytest.mark.parametrize("archived_rows", ["flag", slow("delete")])
@pytest.mark.parametrize(
    "name", ["issue_labels", *map(slow, ("comments", "templates", "entity_external_links"))]
)
def test_a_row_that_was_reported_as_gone_by_a_sync_that_was_killed_is_sent_when_it_is_back(
    api, copy, name, archived_rows
):
    made, entity = copy(name, archived_rows=archived_rows, detect_deletions="each sync"), STREAMS[name].entity
    made.sync()
    row = next(one for one in api.workspace.ids(entity, archived=False) if one in made.rows)
    api.workspace.hide(entity, row)
    made.sync(kill=lambda message: message["type"] == "RECORD")
    assert row not in made.alive()
    api.workspace.show(entity, row)
    made.sync()
    assert row in made.alive()


# --- 18. Linear's clock is wrong --------------------------------------------------------------------


@pytest.mark.parametrize("name", ["comments", slow("issue_labels")])
def test_a_date_that_is_hours_behind_linears_own_stamps_is_told_and_holds_nothing_back(api, copy, name):
    made, entity = copy(name), STREAMS[name].entity
    made.sync()
    row = api.workspace.ids(entity, archived=False)[0]
    api.workspace.update(entity, row)
    api.clock.advance(60)
    api.faults.date(-3 * HOUR, count=None)
    output = made.sync()
    assert made.rows[row]["updatedAt"] == api.workspace.get(entity, row)["updatedAt"]
    assert any("Date" in line for line in warnings(output))


# --- 19. A row whose id cannot be asked for ---------------------------------------------------------


@pytest.mark.parametrize("name", ["comments", slow("issue_labels"), slow("issue_relations")])
def test_a_row_whose_id_cannot_be_asked_for_costs_itself(api, tmp_path, forks, name):
    connector = ForkedConnector.of(api, tmp_path)
    connector.forks = forks
    made, entity = Copy(api, connector, (name,)), STREAMS[name].entity
    bad = api.workspace.ids(entity)[0]
    api.faults.row(bad, how="5xx")
    api.faults.error("INTERNAL_SERVER_ERROR", 500, where=asks_for(f'"{bad}"'), count=None)
    for number in range(2):
        api.requests.clear()
        output = made.sync()
        assert made.rows.keys() == set(api.workspace.ids(entity)) - {bad}
        assert any(bad in line for line in warnings(output)), number
    api.faults.clear()
    made.sync()
    assert bad in made.rows


# --- 20. The row that a cursor names is purged between two pages ------------------------------------


@pytest.mark.parametrize("is_first", [True, slow(False)], ids=["first sync", "later sync"])
@pytest.mark.parametrize(
    "name", ["comments", *map(slow, ("issue_labels", "issue_relations", "issue_history"))]
)
def test_a_list_is_read_on_though_the_row_was_purged_that_its_cursor_names(api, copy, name, is_first):
    made, stream = copy(name, detect_deletions="each sync"), STREAMS[name]
    entity = stream.roots[0].entity
    many(api, entity, 600)
    api.clock.advance(HOUR)
    if not is_first:
        made.sync()
        for one in api.workspace.ids(entity, archived=False):
            api.workspace.update(entity, one)
        api.clock.advance(HOUR)
    purged: set[str] = set()

    def purge(request: Request, _: int) -> None:
        for one in request.selected:
            after = one.arguments.get("after")
            if len(one.path) == 1 and after in api.workspace.rows[entity] and len(purged) < 3:
                api.workspace.purge(entity, after)
                api.workspace.tombstones[entity].pop(after, None)
                purged.add(after)

    api.before_response(purge)
    made.sync()
    assert purged
    made.sync()
    assert made.alive() == set(api.workspace.ids(stream.entity))


# --- 21. Foreign states -----------------------------------------------------------------------------


FOREIGN: dict[str, Any] = {
    "a sentinel of the CDK": {"__ab_full_refresh_sync_complete": True},
    "another one": {"__ab_no_cursor_state_message": True},
    "slices": {"states": [{"partition": {}, "cursor": {"updatedAt": OLD}}]},
    "partitions": {"use_global_cursor": False, "states": [], "state": {}, "lookback_window": 0},
    "a cursor that is a number": {"updatedAt": 1735689600},
    "a cursor of another name": {"updated_at": OLD},
    "a later version": {"updatedAt": {"value": OLD}, "version": 99},
    "nothing": {},
    "null": {"updatedAt": None},
}


@pytest.mark.parametrize(
    "given", [*[*FOREIGN][:3:2], *map(slow, [*FOREIGN][1::2]), *map(slow, [*FOREIGN][4::2])]
)
@pytest.mark.parametrize("where", ["of a stream", "of a stream outside the catalog"])
def test_a_foreign_state_is_none_for_its_stream_and_others_go_on(api, copy, given, where):
    made = copy("issue_labels", "teams")
    made.sync()
    name = "issue_labels" if where == "of a stream" else "comments"
    descriptor = {"stream_descriptor": {"name": name}, "stream_state": FOREIGN[given]}
    made.states[name] = {"type": "STREAM", "stream": descriptor}
    output = made.sync()
    assert output.records["teams"] == []
    labels = {row["id"] for row in output.records["issue_labels"]}
    assert labels == (set(api.workspace.ids("IssueLabel")) if where == "of a stream" else set())
    assert "traceback" not in output.stderr.lower()


# --- 22. A rate limit lasts for hours ---------------------------------------------------------------


@pytest.mark.parametrize("headers", [{}, slow({"Retry-After": "20000"})])
def test_while_a_rate_limit_lasts_the_last_state_is_repeated(api, copy, headers):
    made = copy("comments")
    made.sync()
    body = {"errors": [{"message": "Rate limit exceeded", "extensions": {"code": "RATELIMITED"}}]}
    script = (
        "import sys, source_linear.source as source, source_linear.linear.budget as budget\n"
        "source._REPEATED_EVERY = 0.05\n"
        "budget.UNTOLD = budget._LONGEST_BLOCK = 0.4\n"
        "from source_linear.run import main\n"
        "main(sys.argv[1:])\n"
    )
    made.connector = Connector(
        made.connector.directory, made.connector.config, [sys.executable, "-c", script]
    )
    api.faults.raw(json.dumps(body), 429, headers=headers, count=2)
    given = made.states["comments"]
    output = made.sync()
    at = [number for number, one in enumerate(output.messages) if one["type"] == "STATE"]
    assert len(at) > 5
    repeated = [output.messages[number]["state"]["stream"] for number in at[:3]]
    assert all(one["stream_state"] == given["stream"]["stream_state"] for one in repeated)
