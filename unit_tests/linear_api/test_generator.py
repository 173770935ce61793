from __future__ import annotations

import itertools
import json
import re
from collections import Counter, defaultdict
from typing import Any

import pytest
from graphql import GraphQLEnumType, get_named_type

from integration_tests.linear_api import Clock, Workspace, generate
from integration_tests.linear_api.schema import Kind
from source_linear.sync.forms import Forms
from tools.schemas import contract, json_columns, streams
from unit_tests.linear_api.selection import SCHEMA

NOW = "2025-06-01T00:00:00.000Z"


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    """A workspace that no test changes."""
    return generate(3, 1500, Clock(NOW))


def records(workspace: Workspace) -> dict[str, dict[str, dict[str, object]]]:
    return {
        type_name: {row_id: workspace.expected(type_name, row_id) for row_id in rows}
        for type_name, rows in workspace.rows.items()
    }


def test_the_same_seed_and_clock_make_the_same_workspace() -> None:
    one, two = (records(generate(5, 60, Clock(NOW))) for _ in range(2))
    assert one == two


def test_another_seed_makes_another_workspace() -> None:
    one, two = (set(generate(seed, 5, Clock(NOW)).ids("Issue")) for seed in (1, 2))
    assert not one & two


@pytest.mark.parametrize("issues", [0, 1, 7, 150])
def test_every_root_has_rows_at_any_size(issues: int) -> None:
    workspace = generate(1, issues, Clock(NOW))
    assert len(workspace.rows["Issue"]) == max(issues, 2 if issues == 0 else issues)
    for root, entity in SCHEMA.roots.items():
        assert workspace.ids(entity, archived=False), root


def test_required_fields_are_filled_and_enums_are_valid(workspace: Workspace) -> None:
    for type_name, rows in workspace.rows.items():
        kind = SCHEMA.type(type_name)
        for name, field in SCHEMA.fields(type_name).items():
            values = [row[field.key or name] for row in rows.values()]
            if field.required and field.kind in (Kind.LEAF, Kind.VALUE, Kind.RELATION):
                assert None not in values, (type_name, name)
            named = get_named_type(kind.fields[name].type)
            if isinstance(named, GraphQLEnumType):
                flat = {item for v in values for item in (v if isinstance(v, list) else [v])}
                assert flat <= {None, *named.values}, (type_name, name)


def test_relations_point_to_rows(workspace: Workspace) -> None:
    for type_name, rows in workspace.rows.items():
        for key, field in SCHEMA.relations(type_name).items():
            targets = {row[key] for row in rows.values()} - {None}
            assert targets <= workspace.rows[field.target].keys(), (type_name, key)


def test_every_column_of_a_stream_is_filled_somewhere(workspace: Workspace) -> None:
    empty = []
    for entity in set(SCHEMA.roots.values()) | {"IssueHistory"}:
        for name, field in SCHEMA.fields(entity).items():
            if field.kind in (Kind.LEAF, Kind.VALUE, Kind.RELATION):
                rows = workspace.rows[entity].values()
                if all(row[field.key or name] is None for row in rows):
                    empty.append(f"{entity}.{name}")
    few = [e for e in empty if len(workspace.rows[e.split(".")[0]]) > 8]
    assert [name for name in few if name not in NEVER] == []


NEVER: set[str] = set()


def test_no_row_is_from_the_future(workspace: Workspace) -> None:
    for type_name, rows in workspace.rows.items():
        for row in rows.values():
            for name in ("createdAt", "updatedAt", "archivedAt", "startedAt", "completedAt"):
                future_cycle = type_name == "Cycle" and name == "completedAt"
                assert row[name] is None or future_cycle or row[name] <= NOW, (type_name, name)
            if row["updatedAt"] is not None:
                assert row["createdAt"] <= row["updatedAt"], type_name
                assert row["archivedAt"] is None or row["archivedAt"] >= row["updatedAt"], type_name


def test_times_have_milliseconds_and_z(workspace: Workspace) -> None:
    shape = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
    for type_name, rows in workspace.rows.items():
        fields = SCHEMA.type(type_name).fields
        names = [name for name in fields if get_named_type(fields[name].type).name == "DateTime"]
        for row, name in itertools.product(list(rows.values())[:200], names):
            assert row[name] is None or shape.fullmatch(row[name]), (type_name, name, row[name])


def test_rows_are_spread_over_three_years(workspace: Workspace) -> None:
    years = Counter(row["createdAt"][:4] for row in workspace.rows["Issue"].values())
    assert {"2023", "2024", "2025"} <= years.keys()


def test_states_and_times_of_an_issue_agree(workspace: Workspace) -> None:
    states = workspace.rows["WorkflowState"]
    for row in workspace.rows["Issue"].values():
        kind = states[row["stateId"]]["type"]
        assert states[row["stateId"]]["teamId"] == row["teamId"]
        assert (row["completedAt"] is not None) == (kind == "completed")
        assert (row["canceledAt"] is not None) == (kind == "canceled")


def test_many_rows_share_one_updated_at(workspace: Workspace) -> None:
    stamps = Counter(row["updatedAt"] for row in workspace.rows["Issue"].values())
    assert max(stamps.values()) > 250


def test_many_rows_share_one_created_at(workspace: Workspace) -> None:
    stamps = Counter(row["createdAt"] for row in workspace.rows["Issue"].values())
    assert max(stamps.values()) >= 1500 // 20


def test_issues_are_archived_and_trashed(workspace: Workspace) -> None:
    rows = workspace.rows["Issue"].values()
    assert sum(1 for row in rows if row["archivedAt"] and not row["trashed"]) > 50
    assert sum(1 for row in rows if row["trashed"]) > 5
    assert all(row["archivedAt"] for row in rows if row["trashed"])


def test_there_are_about_three_comments_an_issue(workspace: Workspace) -> None:
    assert 2 < len(workspace.rows["Comment"]) / 1500 < 4
    assert any(row["parentId"] for row in workspace.rows["Comment"].values())


def test_some_nested_lists_are_longer_than_a_page(workspace: Workspace) -> None:
    for field in ("comments", "attachments", "history", "children"):
        sizes = [len(workspace.list_ids("Issue", i, field)) for i in workspace.ids("Issue")]
        assert max(sizes) > 50, field
        assert field == "history" or min(sizes) == 0, field


def test_people_are_of_every_kind(workspace: Workspace) -> None:
    rows = workspace.rows["User"].values()
    for flag in ("guest", "app", "admin", "isMe"):
        assert {row[flag] for row in rows} == {True, False}
    assert {row["active"] for row in rows} == {True, False}


def test_webhooks_have_secrets_that_look_made_up(workspace: Workspace) -> None:
    secrets = [row["secret"] for row in workspace.rows["Webhook"].values()]
    assert all(secret.startswith("standin-webhook-secret") for secret in secrets)


# --- Forms as they were recorded ------------------------------------------------------------------

LINEAR = contract()
WITH_JSON = [stream for stream in streams() if json_columns(stream, LINEAR)]


def values(workspace: Workspace, type_name: str, name: str) -> list[Any]:
    return [row[name] for row in workspace.rows[type_name].values()]


def test_json_has_the_form_that_its_column_declares(workspace: Workspace) -> None:
    for stream in WITH_JSON:
        rows = list(workspace.rows[stream.entity].values())
        columns = json_columns(stream, LINEAR)
        made = [{name: row[name] for name in columns} for row in rows]
        assert Forms(stream.types).deviations(made) == {}
        few = {name for name in columns if all(row[name] is None for row in rows)}
        assert few == set() or len(rows) < 8


@pytest.mark.parametrize(
    ("type_name", "name"),
    [
        ("AgentSession", "context"),
        ("AgentSession", "plan"),
        ("InitiativeHistory", "entries"),
        ("ProjectHistory", "entries"),
        ("Project", "progressHistory"),
        ("Comment", "reactionData"),
        ("Issue", "reactionData"),
        ("ProjectUpdate", "reactionData"),
    ],
)
def test_arrays_of_json_are_empty_here_and_hold_objects_there(
    workspace: Workspace, type_name: str, name: str
) -> None:
    made = [value for value in values(workspace, type_name, name) if value is not None]
    assert {bool(value) for value in made} == {True, False}
    assert {type(item) for value in made for item in value} == {dict}


def test_reaction_data_is_the_reactions_of_the_row_by_emoji(workspace: Workspace) -> None:
    owners = {"issueId": "Issue", "commentId": "Comment"}
    owners |= {"projectUpdateId": "ProjectUpdate", "initiativeUpdateId": "InitiativeUpdate"}
    expected: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for reaction in workspace.rows["Reaction"].values():
        for key in owners:
            if reaction[key] is not None and reaction["archivedAt"] is None:
                said = {
                    "id": reaction["id"],
                    "userId": reaction["userId"],
                    "reactedAt": reaction["createdAt"],
                }
                expected[reaction[key]][reaction["emoji"]].append(said)
    for row in (row for type_name in owners.values() for row in workspace.rows[type_name].values()):
        assert {one["emoji"]: one["reactions"] for one in row["reactionData"]} == expected[row["id"]]
        assert len(row["reactionData"]) == len(expected[row["id"]])
    sizes = {len(users) for by_emoji in expected.values() for users in by_emoji.values()}
    assert max(sizes) > 1 and max(map(len, expected.values())) > 1


def test_template_data_is_a_text_that_holds_an_object(workspace: Workspace) -> None:
    for text in values(workspace, "Template", "templateData"):
        assert type(json.loads(text)) is dict


def test_a_plan_is_steps_with_content_and_status(workspace: Workspace) -> None:
    steps = [step for plan in values(workspace, "AgentSession", "plan") for step in plan or ()]
    assert {tuple(step) for step in steps} == {("content", "status")}
    assert len({step["status"] for step in steps}) > 1


def test_what_is_not_in_the_trash_says_null_and_not_false(workspace: Workspace) -> None:
    named = [name for name in workspace.rows if "trashed" in SCHEMA.fields(name)]
    said = {value for type_name in named for value in values(workspace, type_name, "trashed")}
    assert said == {None, True}


@pytest.mark.parametrize(
    ("type_name", "name"),
    [
        ("Issue", "sortOrder"),
        ("Issue", "prioritySortOrder"),
        ("Project", "sortOrder"),
        ("Initiative", "sortOrder"),
        ("TeamMembership", "sortOrder"),
    ],
)
def test_a_sort_order_is_fractional_and_may_be_negative(
    workspace: Workspace, type_name: str, name: str
) -> None:
    orders = values(workspace, type_name, name)
    assert any(order < 0 for order in orders)
    assert any(order != int(order) for order in orders)


def test_some_sort_orders_of_issues_are_whole(workspace: Workspace) -> None:
    orders = values(workspace, "Issue", "sortOrder")
    assert any(type(order) is int for order in orders) and any(type(order) is float for order in orders)


@pytest.mark.parametrize(
    ("type_name", "title", "form"),
    [
        ("Issue", "title", r"issue/[A-Z]+\d*-\d+/{slug}"),
        ("Project", "name", r"project/{slug}-[0-9a-f]{{12}}"),
        ("Initiative", "name", r"initiative/{slug}-[0-9a-f]{{12}}"),
        ("Document", "title", r"document/{slug}-[0-9a-f]{{12}}"),
    ],
)
def test_an_url_holds_a_slug_of_the_title(
    workspace: Workspace, type_name: str, title: str, form: str
) -> None:
    for row in workspace.rows[type_name].values():
        slug = re.sub(r"[^a-z0-9]+", "-", row[title].lower()).strip("-")
        wanted = "https://linear.app/standin/" + form.format(slug=slug)
        assert slug and re.fullmatch(wanted, row["url"]), (row[title], row["url"])
