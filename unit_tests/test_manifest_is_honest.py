"""The manifest is honest: nonsense in a declared value is noticed, and no stream is named elsewhere.

A stream is read through what the CDK makes of the manifest, over a session in memory.
"""

import ast
import copy
import json
from pathlib import Path
from types import SimpleNamespace

import pendulum
import pytest
from airbyte_cdk.models import Status

import source_linear.source
from source_linear.config import Config
from source_linear.linear.selection import parse
from source_linear.packaged import manifest
from source_linear.shared import new_api
from source_linear.source import SourceLinear
from source_linear.state import StreamState
from source_linear.sync.lister import Lister
from source_linear.sync.plan import begin_of
from source_linear.sync.reader import Reader, Slice
from source_linear.sync.sync import Ended, Rows, Sync
from unit_tests.sync.parts import CONFIG as OPTIONS
from unit_tests.sync.parts import Asked, Inline, Linear, at, uuid

CONFIG = {"credentials": {"auth_type": "API Key", "api_key": "lin_api_key"}}
PACKAGE = Path(source_linear.source.__file__).parent
STREAMS = {entry["$parameters"]["name"]: entry for entry in manifest()["streams"]}
NONSENSE = "nonsense"


class Session:
    """Sends nothing: Linear's answer comes from memory."""

    def __init__(self, linear):
        self.linear, self.sent, self.headers = linear, [], {}

    def request(self, method, url, data, **more):
        body = json.loads(data)
        self.sent.append((method, url, body))
        _, operation = parse(" ".join(body["query"].split()))
        asked = Asked("", body["query"], body["variables"], operation.selection, None)
        content = json.dumps(self.linear._executed(asked)).encode()
        return SimpleNamespace(headers={}, iter_content=lambda size: [content], status_code=200)


def entry(number, **more):
    """An audit entry: the simplest row that is read in windows."""
    moment = at(1 + number % 20, f"00:00:{number % 60:02}.000")
    archived = moment if number % 7 == 0 else None
    return {"id": uuid(number), "createdAt": moment, "updatedAt": moment, "archivedAt": archived, **more}


ROWS = [entry(number, actorId="a", organization={"id": "w1"}) for number in range(1, 300)]


@pytest.fixture(scope="module")
def source():
    return SourceLinear(config=CONFIG)


def retriever_of(source, change, name="audit_entries"):
    changed = manifest()
    change(changed["definitions"])
    changed["streams"] = [entry for entry in changed["streams"] if entry["$parameters"]["name"] == name]
    return source._retrievers(changed)[name]


def outcome(source, change):
    """Rows, requests, and where a sync begins; or the error."""
    try:
        retriever = retriever_of(source, change)
        api = new_api(OPTIONS, retriever.url, retriever.method)
        api._sleep = api.budget._sleep = lambda seconds: None
        api._session = session = Session(Linear({"auditEntries": copy.deepcopy(ROWS), "viewer": {"id": "v"}}))
        begin = begin_of(retriever.stream, StreamState(cursor=at(3)))
        rows = []
        for part in (Slice(begin, at(15)), Slice(None, None, "createdAt")):
            for page in Reader(retriever, OPTIONS, Lister(api, retriever.stream)).pages(part):
                rows += page.rows
    except Exception as error:
        return type(error), str(error)
    return rows, session.sent, begin


def requester(definitions):
    return definitions["retriever"]["requester"]


def paginator(definitions):
    return definitions["retriever"]["paginator"]


def strategy(definitions):
    return paginator(definitions)["pagination_strategy"]


def body(definitions):
    return requester(definitions)["request_body"]["value"]


def put(of, key, value):
    """A change: at one place another value."""

    def change(definitions):
        declared = of(definitions)
        assert declared[key] != value
        declared[key] = value

    return change


def instead(of, key, old, new):
    def change(definitions):
        declared = of(definitions)
        assert old in declared[key]
        declared[key] = declared[key].replace(old, new)

    return change


def windows(definitions):
    return definitions["windowed_stream"]["incremental_sync"]


DECLARED = {
    "url": put(requester, "url", "https://nonsense.example/graphql"),
    "method": put(requester, "http_method", "PUT"),
    "query": put(body, "query", "query nonsense { nonsense }"),
    "the query's name": instead(body, "query", "query {{ parameters['name'] }}", "query nonsense"),
    "the type of a variable": instead(body, "query", "$orderBy: PaginationOrderBy", "$orderBy: Nonsense"),
    "an argument of the root": instead(body, "query", "includeArchived: true", "includeArchived: false"),
    "the order of pages": put(lambda one: body(one)["variables"], "orderBy", NONSENSE),
    "page size": put(strategy, "page_size", 7),
    "the field that the page size goes into": put(
        lambda one: paginator(one)["page_size_option"], "field_path", ["variables", NONSENSE]
    ),
    "the field that the token goes into": put(
        lambda one: paginator(one)["page_token_option"], "field_path", ["variables", NONSENSE]
    ),
    "the field that the start goes into": put(
        lambda one: windows(one)["start_time_option"], "field_path", ["variables", "filter", NONSENSE, "gte"]
    ),
    "the field that the end goes into": put(
        lambda one: windows(one)["end_time_option"], "field_path", ["variables", "filter", NONSENSE, "lte"]
    ),
    "cursor value": put(strategy, "cursor_value", NONSENSE),
    "stop condition, always": put(strategy, "stop_condition", "{{ true }}"),
    "stop condition, never": put(strategy, "stop_condition", "{{ false }}"),
    "extractor": put(
        lambda one: one["retriever"]["record_selector"]["extractor"], "field_path", ["data", "*", NONSENSE]
    ),
    "the extractor's first name": put(
        lambda one: one["retriever"]["record_selector"]["extractor"], "field_path", [NONSENSE, "*", "nodes"]
    ),
    "transformation": put(lambda one: one["windowed_stream"], "transformations", []),
    "lookback": put(windows, "lookback_window", "PT1H"),
    "retriever": put(lambda one: one["retriever"], "class_name", "source_linear.components.Nonsense"),
}


@pytest.fixture(scope="module")
def honest(source):
    return outcome(source, lambda definitions: None)


def test_as_it_stands_a_stream_is_read_to_its_end(honest):
    rows, sent, begin = honest
    assert len({row["id"] for row in rows}) == 299
    assert [row["isArchived"] for row in rows].count(True) > 10
    assert [(method, url) for method, url, _ in sent] == [("POST", OPTIONS.api_url)] * 3
    assert begin == at(2, "23:59:00.000")


@pytest.mark.parametrize("what", DECLARED)
def test_nonsense_in_a_declared_value_is_noticed(source, honest, what):
    assert outcome(source, DECLARED[what]) != honest


def test_the_order_of_lists_inside_rows_is_the_declared_one(source):
    def sent(change):
        retriever = retriever_of(source, change, "issue_history")
        api = Linear({"issues": [], "viewer": {"id": "v"}})
        list(Reader(retriever, OPTIONS, Lister(api, retriever.stream)).pages(Slice(at(3), None)))
        return api.asked[0].variables["order"]

    assert sent(lambda definitions: None) == "updatedAt"
    assert sent(put(lambda one: body(one)["variables"], "order", NONSENSE)) == NONSENSE


def test_of_plain_lists_the_extractor_is_their_own(source):
    def rows(change):
        retriever = retriever_of(source, change, "templates")
        return retriever.ends([{"id": "t1"}])

    path = {"field_path": ["data", NONSENSE]}
    for change in (
        lambda one: None,
        lambda one: one["plain_stream"]["retriever"]["record_selector"]["extractor"].update(path),
    ):
        try:
            assert rows(change)[0] == [{"id": "t1"}]
        except Exception as error:
            assert "no nodes" in str(error)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([NONSENSE], f"names {NONSENSE}, which it does not have"),
        (["organization", NONSENSE], f"names {NONSENSE}, which it does not have"),
        ([], "names none"),
    ],
)
def test_a_check_stream_that_there_is_not_is_said(monkeypatch, names, said):
    changed = manifest()
    changed["check"]["stream_names"] = names
    monkeypatch.setattr(source_linear.source, "manifest", lambda: copy.deepcopy(changed))
    status = SourceLinear(config=CONFIG).check(source_linear.source._LOGGER, CONFIG)
    assert (status.status, status.message) == (
        Status.FAILED,
        f"stream_names of check in manifest.yaml {said}: name one of the manifest's streams there.",
    )


# Streams


@pytest.fixture(scope="module")
def retrievers(source):
    return source._retrievers(manifest())


def empty_workspace(retrievers):
    roots = {root.name: [] for one in retrievers.values() for root in one.stream.roots}
    organization = entry(1, name="Acme", urlKey="acme", createdIssueCount=0)
    return Linear(
        roots
        | {
            "organization": organization,
            "viewer": {"id": "v1", "name": "Ada"},
            "issueRelations": [],
        }
    )


def synced(retrievers):
    now = pendulum.datetime(2026, 1, 10, tz="UTC")
    sync = Sync(retrievers, {}, OPTIONS, empty_workspace(retrievers), Inline(), lambda: now)
    events = list(sync.events())
    return (
        {event.stream: event.error for event in events if isinstance(event, Ended)},
        {event.stream for event in events if isinstance(event, Rows)},
    )


def test_all_streams_of_the_manifest_are_read(retrievers):
    ended, rows = synced(retrievers)
    assert set(ended) == set(STREAMS) and len(ended) == 50
    assert set(ended.values()) == {None}
    assert rows == {"organization"}


@pytest.mark.parametrize("deleted", STREAMS)
def test_a_stream_can_be_deleted_from_the_manifest_and_nothing_else_has_to_change(retrievers, deleted):
    ended, rows = synced({name: one for name, one in retrievers.items() if name != deleted})
    assert set(ended) == set(STREAMS) - {deleted}
    assert set(ended.values()) == {None}
    assert rows == {"organization"} - {deleted}


def test_a_source_has_the_streams_that_its_manifest_has(monkeypatch):
    fewer = manifest()
    fewer["streams"] = [
        one for one in fewer["streams"] if one["$parameters"]["name"] in ("organization", "users")
    ]
    monkeypatch.setattr(source_linear.source, "manifest", lambda: copy.deepcopy(fewer))
    source = SourceLinear(config=CONFIG)
    assert [one.name for one in source.streams(CONFIG)] == ["organization", "users"]


# Fields of Linear's `Query` where they stand, and what tells one list from another in a query.
ROOTS = {("sync/workspace.py", "organization"), ("sync/workspace.py", "teams"), ("sync/probe.py", "teams")}


def strings(file):
    """The strings of a module, but its docstrings."""
    tree = ast.parse(file.read_text("utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value


@pytest.mark.parametrize(
    "file", sorted(PACKAGE.rglob("*.py")), ids=lambda file: str(file.relative_to(PACKAGE))
)
def test_no_streams_name_stands_in_python(file):
    where = str(file.relative_to(PACKAGE))
    found = set()
    for text in strings(file):
        words = set(text.replace(",", " ").replace("(", " ").split())
        found |= {name for name in STREAMS if name == text or ("_" in name and name in words)}
    assert found - {name for of, name in ROOTS if of == where} == set()


def test_the_config_that_is_tested_is_one_that_the_spec_knows():
    assert Config.of(CONFIG, manifest()["spec"]["connection_specification"]).num_workers == 10
