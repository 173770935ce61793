"""Nothing that changes in Linear is ever missed."""

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from airbyte_cdk.models import Type

from integration_tests.expected import records
from integration_tests.histories import Connection, Destination, Output
from integration_tests.linear_api import Clock, LinearApi, generate
from tools.schemas import streams

STREAMS = {stream.name: stream for stream in streams()}
DAY = 86_400

Connect = Callable[..., Connection]


@pytest.fixture
def api() -> Iterator[LinearApi]:
    """A small workspace whose clock stands still until it is moved; limits are out of the way."""
    workspace = generate(seed=1, issues=20, clock=Clock("2025-06-01T00:00:02Z"))
    with ExitStack() as stack:
        api = stack.enter_context(LinearApi(workspace))
        api.limits.set(requests=10**9, points=10**12)
        yield api


@pytest.fixture
def connect(api) -> Connect:
    """A factory of connections: the streams' names, a seed for their workers, further configuration."""

    def connect(*names: str, seed: int = 1, **config: object) -> Connection:
        credentials = {"auth_type": "API Key", "api_key": api.api_key}
        return Connection(
            {"credentials": credentials, "api_url": api.url, **config}, names, random.Random(seed)
        )

    return connect


def ends_of_windows(output: Output, name: str) -> list[int]:
    """How many messages of a read were there after each state of a stream."""
    return [
        number
        for number, message in enumerate(output.messages, 1)
        if message.type is Type.STATE and message.state.stream.stream_descriptor.name == name
    ]


@pytest.mark.xfail(
    reason="BUG: archivings are looked for after the last window; a state of an earlier one passes them"
)
def test_an_archived_comment_is_found_though_the_sync_was_killed_between_two_windows(api, connect):
    comment = api.workspace.ids("Comment", archived=False)[0]
    first = connect("comments", reconcile_archived=True)
    first.receive(first.sync())
    api.clock.advance(3600)
    api.workspace.archive("Comment", comment)
    api.clock.advance(9 * DAY)
    for seed in range(4):  # in which order the windows are read
        killed = connect("comments", seed=seed, reconcile_archived=True)
        killed.states = dict(first.states)
        output = killed.sync()
        for length in ends_of_windows(output, "comments"):
            resumed = connect("comments", reconcile_archived=True)
            resumed.states = dict(first.states)
            resumed.receive(output.cut(length))
            read = [*output.cut(length).records(), *resumed.sync().records()]
            assert comment in {record["id"] for _, record in read}, f"seed {seed}, after {length} messages"


@pytest.mark.xfail(
    reason="BUG: of a swept parent's list only what was updated since is read on, not what was archived"
)
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


@pytest.mark.xfail(
    reason="BUG: with the state of an earlier attempt a full refresh misses what changed since in rows "
    "created before, and emits swept streams and feeds once more"
)
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
