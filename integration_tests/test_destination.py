"""A warehouse that deduplicates and deletes as Airbyte's destinations do holds what the workspace holds."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from integration_tests.connector import Connector
from integration_tests.destination import PostgresDestination
from integration_tests.expected import records
from integration_tests.linear_api import LinearApi, Workspace
from integration_tests.linear_api.workspace import COUNTS
from integration_tests.postgres import Postgres
from source_linear.streams import DELETED_AT, GONE_AT
from tools.schemas import streams

pytestmark = [pytest.mark.clients, pytest.mark.timeout(600)]

STREAMS = {stream.name: stream for stream in streams()}


class Sync:
    """A connection: the connector's process, a database, the states between."""

    def __init__(self, connector: Connector, destination: PostgresDestination, catalog: Any) -> None:
        self._connector = connector
        self._catalog = catalog
        self._states: dict[str, Any] = {}
        self.destination = destination

    def run(self, cut: float = 1.0) -> int:
        """Sync once; of the output only this share arrives. Returns the number of records."""
        output = self._connector.read(self._catalog, list(self._states.values()))
        assert output.exit_code == 0, output.errors
        messages = output.messages[: int(len(output.messages) * cut)]
        self.destination.load(messages)
        for message in messages:
            if message["type"] == "STATE":
                state = message["state"]
                self._states[state["stream"]["stream_descriptor"]["name"]] = state
        return sum(message["type"] == "RECORD" for message in messages)


@pytest.fixture
def make_sync(postgres: Postgres, tmp_path: Path) -> Iterator[Callable[..., Sync]]:
    """A factory of connections of all streams into an empty database: a simulator, configuration."""
    with ExitStack() as stack:

        def make(api: LinearApi, **config: Any) -> Sync:
            connector = Connector.of(api, tmp_path, **config)
            catalog = connector.catalog()
            connection = stack.enter_context(postgres.connect(postgres.create(tmp_path.name)))
            return Sync(connector, PostgresDestination(connection, catalog), catalog)

        yield make


@pytest.fixture
def api(make_linear_api: Callable[..., LinearApi]) -> LinearApi:
    api = make_linear_api(issues=150, seed=5)
    api.clock.advance(2)
    return api


def change(workspace: Workspace) -> dict[str, str]:
    """Change, archive, trash and revive some rows, some of them after one another; returns their ids."""
    live = workspace.ids("Issue", archived=False)
    gone = next(row for row in workspace.ids("Issue") if workspace.expected("Issue", row)["archivedAt"])
    updated, archived, trashed, both = live[:4]
    workspace.update("Issue", updated, title="Changed", priority=1.0)
    workspace.archive("Issue", archived)
    workspace.trash("Issue", trashed)
    workspace.update("Issue", both, title="Changed and archived")
    workspace.archive("Issue", both)
    workspace.unarchive("Issue", gone, touch=True)
    project = workspace.ids("Project", archived=False)[0]
    workspace.archive("Project", project)
    created = workspace.create("Issue", title="Новая задача 🙂")
    return {
        "updated": updated,
        "archived": archived,
        "trashed": trashed,
        "both": both,
        "revived": gone,
        "created": created,
        "project": project,
    }


# What Linear deletes without a trace, and no other row shows.
DELETABLE = ("Comment", "CustomerNeed", "EntityExternalLink", "InitiativeToProject", "ProjectRelation")


def purge(workspace: Workspace) -> set[str]:
    """Delete a row of each of these, with what cannot be without it; returns the ids of all that are gone."""
    before = {row for entity in workspace.rows for row in workspace.ids(entity)}
    for entity in DELETABLE:
        ids = workspace.ids(entity)
        if entity == "Comment":  # its reactions may stand in other rows as well
            ids = [row for row in ids if not workspace.list_ids(entity, row, "reactions")]
        workspace.purge(entity, ids[0])
    return before - {row for entity in workspace.rows for row in workspace.ids(entity)}


def assert_mirrored(api: LinearApi, sync: Sync, *, archived: bool) -> int:
    """Every table holds its stream's rows, exactly; returns how many there are."""
    count = 0
    for name, stream in STREAMS.items():
        expected = records(api.workspace, stream)
        if not archived:
            dates = {"archivedAt", "issueArchivedAt"}
            expected = {row_id: row for row_id, row in expected.items() if not row.keys() & dates}
        stored = {row_id: row for row_id, row in sync.destination.rows(name).items() if GONE_AT not in row}
        assert stored.keys() == expected.keys(), name
        for row_id, row in expected.items():
            assert _settled(name, stored[row_id]) == _settled(name, row), f"{name} {row_id}"
        count += len(stored)
    return count


def _settled(name: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row without Linear's counters, which move without the row's `updatedAt`."""
    counted = {field for entity, field in COUNTS if entity == STREAMS[name].entity}
    return {column: value for column, value in row.items() if column not in counted}


def test_flag_keeps_archived_rows_and_says_so(api: LinearApi, make_sync: Callable[..., Sync]) -> None:
    sync = make_sync(api)
    first = sync.run()
    assert first == assert_mirrored(api, sync, archived=True)

    api.clock.advance(60)
    ids = change(api.workspace)
    api.clock.advance(60)
    assert sync.run() < first / 2
    assert_mirrored(api, sync, archived=True)
    rows = sync.destination.rows("issues")
    assert rows[ids["updated"]]["title"] == "Changed"
    assert rows[ids["created"]]["title"] == "Новая задача 🙂"
    for name in ("archived", "trashed", "both"):
        assert rows[ids[name]]["isArchived"] is True
        assert DELETED_AT not in rows[ids[name]]
    assert rows[ids["revived"]]["isArchived"] is False


def test_delete_removes_archived_rows_and_brings_revived_ones_back(
    api: LinearApi, make_sync: Callable[..., Sync]
) -> None:
    sync = make_sync(api, archived_rows="delete")
    sync.run()
    assert_mirrored(api, sync, archived=False)

    api.clock.advance(60)
    ids = change(api.workspace)
    assert ids["archived"] in sync.destination.rows("issues")
    api.clock.advance(60)
    sync.run()
    rows = sync.destination.rows("issues")
    assert not rows.keys() & {ids["archived"], ids["trashed"], ids["both"]}
    assert {ids["updated"], ids["revived"], ids["created"]} <= rows.keys()
    assert ids["project"] not in sync.destination.rows("projects")
    assert_mirrored(api, sync, archived=False)

    api.clock.advance(60)
    api.workspace.unarchive("Issue", ids["archived"], touch=True)
    api.clock.advance(60)
    sync.run()
    assert ids["archived"] in sync.destination.rows("issues")
    assert_mirrored(api, sync, archived=False)


@pytest.mark.parametrize("archived_rows", ["flag", "delete"])
def test_rows_that_are_deleted_in_linear_are_marked_or_removed(
    api: LinearApi, make_sync: Callable[..., Sync], archived_rows: str
) -> None:
    sync = make_sync(api, archived_rows=archived_rows, detect_deletions="each sync")
    sync.run()
    held = {row_id for name in STREAMS for row_id in sync.destination.rows(name)}

    api.clock.advance(60)
    gone = purge(api.workspace) & held
    assert len(gone) >= len(DELETABLE)
    api.clock.advance(60)
    sync.run()
    assert_mirrored(api, sync, archived=archived_rows == "flag")
    marked = {
        row_id
        for name in STREAMS
        for row_id, row in sync.destination.rows(name).items()
        if GONE_AT in row and row["isArchived"]
    }
    assert marked == (gone if archived_rows == "flag" else set())


def test_output_that_was_cut_off_and_came_again_changes_nothing(
    api: LinearApi, make_sync: Callable[..., Sync]
) -> None:
    sync = make_sync(api)
    for cut in (0.2, 0.5, 0.8):
        sync.run(cut)
    sync.run()
    assert_mirrored(api, sync, archived=True)


def test_an_old_version_that_arrives_late_does_not_win(
    api: LinearApi, make_sync: Callable[..., Sync], tmp_path: Path
) -> None:
    sync = make_sync(api)
    before = Connector.of(api, tmp_path).read(sync._catalog)
    api.clock.advance(60)
    change(api.workspace)
    api.clock.advance(60)
    sync.run()
    late = [json.loads(json.dumps(message)) for message in before.messages]
    sync.destination.load(late)
    assert_mirrored(api, sync, archived=True)
