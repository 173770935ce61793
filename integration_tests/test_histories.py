"""Nothing that changes in Linear is ever missed."""

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from airbyte_cdk.models import Type

from integration_tests import soak
from integration_tests.expected import records
from integration_tests.histories import Connection, Destination, Output
from integration_tests.linear_api import PURGED, Clock, LinearApi, generate
from tools.schemas import streams

STREAMS = {stream.name: stream for stream in streams()}
DAY = 86_400

Connect = Callable[..., Connection]


@pytest.fixture
def api() -> Iterator[LinearApi]:
    """A small workspace whose clock stands still until it is moved; limits are out of the way."""
    workspace = generate(seed=1, issues=20, clock=Clock("2025-06-01T00:00:02Z"), purged=PURGED)
    with ExitStack() as stack:
        api = stack.enter_context(LinearApi(workspace))
        api.limits.set(requests=10**9, points=10**12)
        yield api


@pytest.fixture
def connect(api) -> Connect:
    """A factory of connections: the streams' names, a seed for their workers, further configuration."""

    def connect(*names: str, seed: int = 1, page_size: int = 250, **config: object) -> Connection:
        return Connection.of(api, names, random.Random(seed), page_size, **config)

    return connect


@pytest.mark.parametrize("name", ["issues", "comments"])
@pytest.mark.parametrize("field", ["createdAt", "updatedAt"])
def test_rows_on_the_edges_of_windows_are_read_once(api, connect, name, field):
    """A first read goes by createdAt, the next one by updatedAt."""
    connection = connect(name)
    if field == "updatedAt":
        connection.receive(connection.sync())
        api.clock.advance(100 * DAY)
        for row_id in api.workspace.ids(STREAMS[name].entity)[:12]:  # more than are asked for by id
            api.workspace.update(STREAMS[name].entity, row_id)
    api.requests.clear()
    connection.sync()
    edges = sorted({edge for request in api.requests.to(name) for edge in moments(request.variables)})
    assert len(edges) > 10
    entity = STREAMS[name].entity
    made = [api.workspace.create(entity, createdAt=edge, updatedAt=edge) for edge in edges]
    read = [record["id"] for _, record in connection.sync().records()]
    assert sorted(row_id for row_id in read if row_id in made) == sorted(made)


def moments(filter: object) -> Iterator[str]:
    """The dates in a filter."""
    if isinstance(filter, dict):
        for value in filter.values():
            yield from moments(value)
    elif isinstance(filter, list):
        for value in filter:
            yield from moments(value)
    elif isinstance(filter, str) and filter.endswith("Z"):
        yield filter


def ends_of_windows(output: Output, name: str) -> list[int]:
    """How many messages of a read were there after each state of a stream."""
    return [
        number
        for number, message in enumerate(output.messages, 1)
        if message.type is Type.STATE and message.state.stream.stream_descriptor.name == name
    ]


def test_an_archived_comment_is_found_though_the_sync_was_killed_between_two_windows(api, connect):
    comment = api.workspace.ids("Comment", archived=False)[0]
    first = connect("comments", detect_deletions="each sync")
    first.receive(first.sync())
    api.clock.advance(3600)
    api.workspace.archive("Comment", comment)
    api.clock.advance(9 * DAY)
    for seed in range(4):  # in which order the windows are read
        killed = connect("comments", seed=seed, detect_deletions="each sync")
        killed.states = dict(first.states)
        output = killed.sync()
        for length in ends_of_windows(output, "comments"):
            resumed = connect("comments", detect_deletions="each sync")
            resumed.states = dict(first.states)
            resumed.receive(output.cut(length))
            read = [*output.cut(length).records(), *resumed.sync().records()]
            assert comment in {record["id"] for _, record in read}, f"seed {seed}, after {length} messages"


def test_an_archived_link_is_seen_however_many_links_its_project_has(api, connect):
    project = api.workspace.ids("Project")[0]
    links = api.workspace.set_list("Project", project, "externalLinks", 8)
    for day, link in enumerate(links, 10):
        api.workspace.update("EntityExternalLink", link, updatedAt=f"2025-05-{day}T00:00:00.000Z")
    connection = connect("entity_external_links")
    connection.receive(connection.sync())
    api.clock.advance(60)
    for link in links:
        api.workspace.archive("EntityExternalLink", link)
    api.clock.advance(60)
    assert set(links) == {record["id"] for _, record in connection.sync().records()} & set(links)


@pytest.mark.parametrize("name", ["issues", "projects", "issue_relations"])
def test_a_full_refresh_that_goes_on_from_an_earlier_attempt_ends_with_the_workspace(api, connect, name):
    entity = STREAMS[name].entity
    connection, destination = connect(name), Destination(STREAMS)
    first = connection.full_refresh()
    connection.receive(first)
    api.clock.advance(60)
    changed = api.workspace.ids(entity)[0]
    api.workspace.update(entity, changed)
    api.clock.advance(60)
    second = connection.full_refresh()
    for output in (first, second):
        for _, record in output.records():
            destination.write(name, record)
    assert destination.rows(name) == records(api.workspace, STREAMS[name])
    assert [record["id"] for _, record in second.records()] == [changed]


def test_an_archived_relation_comes_once(api, connect):
    connection = connect("issue_relations", detect_deletions="each sync")
    connection.receive(connection.sync())
    api.clock.advance(60)
    relation = api.workspace.ids("IssueRelation", archived=False)[0]
    api.workspace.archive("IssueRelation", relation)
    api.clock.advance(60)
    assert [record["id"] for _, record in connection.sync().records()] == [relation]


@pytest.mark.parametrize("archived_rows", ["flag", "delete"])
def test_a_history_keeps_the_entry_that_says_that_its_issue_was_trashed(api, connect, archived_rows):
    issue = api.workspace.ids("Issue", archived=False)[0]
    entry = api.workspace.create("IssueHistory", issueId=issue, trashed=True)
    api.workspace.update("Issue", issue)
    output = connect("issue_history", archived_rows=archived_rows).sync()
    found = {record["id"]: record for _, record in output.records()}
    assert entry in found
    assert found[entry]["isArchived"] is False


@pytest.mark.parametrize("name", ["issue_history", "project_history"])
def test_a_full_refresh_reads_an_entry_that_changes_between_two_pages_of_its_history(api, connect, name):
    entity, parent = STREAMS[name].entity, STREAMS[name].roots[0].entity
    owner = api.workspace.ids(parent)[0]
    entries = api.workspace.set_list(parent, owner, "history", 300)
    for second, entry in enumerate(entries):
        api.workspace.update(entity, entry, updatedAt=f"2025-05-01T00:{second // 60:02}:{second % 60:02}Z")
    changed: list[str] = []

    def change(request, number) -> None:
        if "n0: " in request.query and 'after: "' in request.query:
            api.before_response(None)
            api.clock.advance(1)
            api.workspace.update(entity, entries[0])
            api.workspace.update(parent, owner)
            changed.append(entries[0])

    api.before_response(change)
    output = connect(name).full_refresh()
    assert changed
    assert set(entries) <= {record["id"] for _, record in output.records()}


def test_an_entry_is_read_that_is_stamped_just_after_its_issue(api, connect):
    connection = connect("issue_history")
    connection.receive(connection.sync())
    issue = api.workspace.ids("Issue", archived=False)[0]
    api.workspace.update("Issue", issue, updatedAt="2025-06-01T00:00:59.998Z")
    entry = api.workspace.create("IssueHistory", issueId=issue, updatedAt="2025-06-01T00:01:00.003Z")
    read = []
    for now in ("2025-06-01T00:01:00.500Z", "2025-06-01T00:02:00.000Z"):
        api.clock.set(now)
        output = connection.sync()
        connection.receive(output)
        read += [record["id"] for _, record in output.records()]
    assert entry in read


@pytest.mark.parametrize(
    ("name", "parent", "list_of_it"),
    [
        ("issue_history", "Issue", "history"),
        ("issue_state_spans", "Issue", "stateHistory"),
        ("project_history", "Project", "history"),
    ],
)
@pytest.mark.parametrize("is_changed", [False, True], ids=["as it was", "changed meanwhile"])
def test_all_rows_of_a_parent_come_that_comes_into_view(api, connect, name, parent, list_of_it, is_changed):
    """Its parent's stream is not read, and a stamp of the parent tells of its latest rows only."""
    owner = next(row for row in api.workspace.ids(parent) if api.workspace.list_ids(parent, row, list_of_it))
    api.workspace.hide(parent, owner)
    connection = connect(name, detect_deletions="each sync")
    connection.receive(connection.sync())
    api.clock.advance(3600)
    api.workspace.show(parent, owner)
    if is_changed:
        api.workspace.update(parent, owner)
    api.clock.advance(3600)
    output = connection.sync()
    assert set(api.workspace.list_ids(parent, owner, list_of_it)) <= {
        row["id"] for _, row in output.records()
    }
    connection.receive(output)
    api.clock.advance(3600)
    assert list(connection.sync().records()) == []


def row_in_view_after_a_sync(api: LinearApi, connection: Connection, entity: str) -> str:
    """The id of a row that was hidden from a connection's first sync, and can be seen since."""
    row = api.workspace.ids(entity, archived=False)[0]
    api.workspace.hide(entity, row)
    connection.receive(connection.sync())
    api.clock.advance(3600)
    api.workspace.show(entity, row)
    api.clock.advance(60)
    return row


def test_a_template_comes_that_comes_into_view(api, connect):
    connection = connect("templates")
    template = row_in_view_after_a_sync(api, connection, "Template")
    output = connection.sync()
    assert output.error is None
    assert template in {record["id"] for _, record in output.records()}


@pytest.mark.parametrize("archived_rows", ["flag", "delete"])
def test_a_row_comes_back_though_the_sync_was_killed_that_reported_it_as_gone(api, connect, archived_rows):
    label = api.workspace.ids("IssueLabel", archived=False)[0]
    connection, destination = connect("issue_labels", archived_rows=archived_rows), Destination(STREAMS)

    def take(output: Output) -> None:
        for _, record in output.records():
            destination.write("issue_labels", record)
        connection.receive(output)
        api.clock.advance(3600)

    take(connection.sync())
    api.workspace.hide("IssueLabel", label)
    reporting = connection.sync()
    (at,) = [number for number, one in enumerate(reporting.messages, 1) if one.type is Type.RECORD]
    take(reporting.cut(at))
    assert "name" not in destination.rows("issue_labels").get(label, {})
    api.workspace.show("IssueLabel", label)
    take(connection.sync())
    assert destination.rows("issue_labels")[label]["name"] == api.workspace.get("IssueLabel", label)["name"]


def test_a_link_that_came_into_view_and_changed_after_the_start_of_the_sync_is_sent_as_it_is_seen(
    api, connect
):
    connection = connect("entity_external_links")
    link = row_in_view_after_a_sync(api, connection, "EntityExternalLink")

    def change(request, number) -> None:
        if "query entity_external_links" in request.query:  # the lists were walked
            api.before_response(None)
            api.clock.advance(5)
            api.workspace.update("EntityExternalLink", link, label="Changed")

    api.before_response(change)
    assert [record["label"] for _, record in connection.sync().records()] == ["Changed"]


@pytest.mark.slow
def test_random_histories_go_well_through_the_process():
    wrong = {seed: found for seed, found in soak.play(range(8)) if found}
    assert wrong == {}
