from __future__ import annotations

import pytest
from graphql import Executor

from integration_tests.linear_api import LinearApi
from integration_tests.linear_api.auth import Identity
from integration_tests.linear_api.schema import Kind
from unit_tests.linear_api.conftest import Asker
from unit_tests.linear_api.selection import SCHEMA, all_fields, root_query

CONNECTIONS = [name for name, field in SCHEMA.fields("Query").items() if field.kind is Kind.CONNECTION]


def test_every_root_is_there() -> None:
    assert len({*SCHEMA.roots, "organization"}) >= 45


def test_every_field_of_a_root_executes_without_errors(read: Asker) -> None:
    for root in CONNECTIONS:
        nodes = read.data(root_query(root, "first: 25, includeArchived: true"))[root]["nodes"]
        assert nodes


def test_the_short_way_brings_what_graphql_core_brings(shared_api: LinearApi) -> None:
    for root in CONNECTIONS:
        execution = shared_api._execution
        document = execution.document(root_query(root, "first: 10, includeArchived: true"))
        identity = Identity("api_key", "user", None)
        results = []
        for executor_class in (None, Executor):
            executor = execution.prepare(document, {}, None, identity, executor_class)
            assert not isinstance(executor, list)
            results.append(execution.execute(executor))
        assert results[0] == results[1]


def test_organization_and_templates_execute_without_errors(read: Asker) -> None:
    data = read.data(
        f"{{ organization {{ {all_fields('Organization')} }} templates {{ {all_fields('Template')} }} }}"
    )
    assert data["organization"]["urlKey"] == "standin"
    assert data["templates"]


def test_a_page_equals_what_the_workspace_expects(read: Asker) -> None:
    for root in CONNECTIONS:
        entity = SCHEMA.roots[root]
        fields = SCHEMA.fields(entity)
        leaves = [name for name, field in fields.items() if field.kind is Kind.LEAF]
        relations = [
            name
            for name, field in fields.items()
            if field.kind is Kind.RELATION and not SCHEMA.type(entity).fields[name].args
        ]
        selection = " ".join([*leaves, *(f"{name} {{ id }}" for name in relations)])
        query = f"{{ {root}(first: 50, includeArchived: true) {{ nodes {{ {selection} }} }} }}"
        for node in read.data(query)[root]["nodes"]:
            expected = read.api.workspace.expected(entity, node["id"])
            assert {name: node[name] for name in leaves} == {name: expected[name] for name in leaves}
            for name in relations:
                assert (node[name] or {}).get("id") == expected[f"{name}Id"], name


def test_a_single_row_is_found_by_its_id(read: Asker) -> None:
    team = read.ids("teams")[0]
    assert read.data("query($id: String!) { team(id: $id) { id } }", id=team)["team"]["id"] == team


def test_an_issue_is_found_by_its_identifier(read: Asker) -> None:
    issue = read.api.workspace.rows["Issue"][read.ids("issues")[0]]
    data = read.data("query($id: String!) { issue(id: $id) { id } }", id=issue["identifier"])
    assert data["issue"]["id"] == issue["id"]


def test_the_viewer_is_an_admin(read: Asker) -> None:
    viewer = read.data("{ viewer { id name email admin isMe } }")["viewer"]
    assert viewer["admin"] and viewer["isMe"]


def test_fragments_aliases_and_directives_work(read: Asker) -> None:
    data = read.data(
        "query($no: Boolean!) { few: teams(first: 2) { nodes { ...T name @skip(if: $no) } } }"
        " fragment T on Team { name: key }".replace("name @skip", "title: name @skip"),
        no=True,
    )
    assert [set(node) for node in data["few"]["nodes"]] == [{"name"}, {"name"}]


def test_a_union_tells_its_type(read: Asker) -> None:
    data = read.data(
        "{ agentActivities(first: 50) { nodes { content { __typename"
        " ... on AgentActivityThoughtContent { body } } } } }"
    )
    kinds = {node["content"]["__typename"] for node in data["agentActivities"]["nodes"]}
    assert len(kinds) > 3


def test_introspection_answers(read: Asker) -> None:
    data = read.data('{ __type(name: "Issue") { name fields { name } } __typename }')
    assert {"name": "identifier"} in data["__type"]["fields"]


def test_nested_lists_equal_what_the_workspace_expects(read: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    for root in CONNECTIONS:
        entity = SCHEMA.roots[root]
        kinds = (Kind.LIST, Kind.CONNECTION)
        lists = {name: field for name, field in SCHEMA.fields(entity).items() if field.kind in kinds}
        if not lists:
            continue
        selections = []
        for name, field in lists.items():
            args = SCHEMA.type(entity).fields[name].args
            hidden = [arg for arg in ("includeArchived", "includeDisabled") if arg in args]
            arguments = ", ".join(["first: 100", *(f"{arg}: true" for arg in hidden)])
            is_list = field.kind is Kind.LIST
            selections.append(f"{name} {{ id }}" if is_list else f"{name}({arguments}) {{ nodes {{ id }} }}")
        query = f"{{ {root}(first: 50, includeArchived: true) {{ nodes {{ id {' '.join(selections)} }} }} }}"
        monkeypatch.setattr(read.api.limits, "largest", 10**9)
        for node in read.data(query)[root]["nodes"]:
            for name in lists:
                value = node[name] or []
                found = [row["id"] for row in (value["nodes"] if isinstance(value, dict) else value)]
                assert found == read.api.workspace.list_ids(entity, node["id"], name)[:100], name
