"""make verify against the simulator: all holds, and of each deviation exactly its claim differs."""

import json
import logging
from collections.abc import Collection, Iterator
from typing import Any

import pytest
from graphql import GraphQLObjectType, get_named_type

from integration_tests.linear_api import LinearApi, Workspace
from integration_tests.linear_api.deviations import DEVIATIONS, deviate
from integration_tests.linear_api.rows import plain
from integration_tests.linear_api.schema import Kind
from source_linear.linear.api import Api
from tools.schemas import streams
from tools.verify.__main__ import DIFFERS, FAILED, HOLDS, look, main
from tools.verify.asking import Linear
from tools.verify.claim import Findings, Verdict
from tools.verify.claims import CLAIMS
from tools.verify.report import document
from tools.verify.settings import api_of, configuration
from tools.verify.watch import claims, watch

STREAMS = {one.name: one for one in streams()}
# Claims that necessarily depend on what another fact's deviation changes: that they differ is no mistake.
TOGETHER: dict[str, set[str]] = {}


def asks(api: LinearApi, key: str) -> Api:
    return api_of(configuration(None, {"LINEAR_API_KEY": key, "LINEAR_API_URL": api.url}))


def linear_of(api: LinearApi) -> Linear:
    """Asks the simulator; a pause takes no time but the simulator's."""
    return Linear(
        asks(api, api.api_key),
        STREAMS,
        sleep=api.clock.advance,
        now=lambda: api.clock.milliseconds / 1000,
        stranger=asks(api, "nobody"),
    )


def looked(api: LinearApi) -> dict[str, Findings]:
    """The findings of all claims, by fact."""
    return {one.claim.fact: one.findings for one in look(linear_of(api))}


def furnish(api: LinearApi) -> None:
    """Give the workspace what some claims need to be seen: refusals, partial data, links, users, news."""
    workspace = api.workspace
    api.faults.admins_only("webhooks", root="webhooks")
    api.faults.partial(root="projects", field="icon", count=None)
    initiatives, projects = workspace.ids("Initiative"), workspace.ids("Project")
    for number in range(12):
        workspace.create(
            "InitiativeToProject",
            initiative=initiatives[number % len(initiatives)],
            project=projects[number % len(projects)],
        )
    for _ in range(12):
        workspace.create("User", active=True)
    relations = workspace.rows["IssueRelation"].values()
    related = {row[key] for row in relations for key in ("issueId", "relatedIssueId")}
    attached = {row["issueId"] for row in workspace.rows["Attachment"].values()}
    free = sorted(set(workspace.ids("Issue", archived=False)) - related - attached)
    api.clock.advance(60)
    for issue in free[:5]:
        workspace.create("Attachment", issue=issue)
    for issue in free[5:]:
        workspace.create("IssueRelation", issue=issue, relatedIssue=free[5])
    api.clock.advance(60)
    for user in workspace.ids("User"):
        workspace.update("User", user, touch=False, lastSeen=api.clock.text)

    def hook(request: object, number: int) -> None:
        if request.query.startswith("query newest"):  # type: ignore[attr-defined]
            workspace.create("Issue", title="New")

    api.before_response(hook)


@pytest.fixture(autouse=True)
def log_level() -> Iterator[None]:
    """The command silences the connector's log, for its process."""
    logger = logging.getLogger("airbyte")
    before = logger.level
    yield
    logger.setLevel(before)


@pytest.fixture
def api():
    with LinearApi(issues=150, seed=1) as api:
        furnish(api)
        yield api


def test_all_claims_hold_against_the_simulator(api):
    findings = looked(api)
    other = {fact: one for fact, one in findings.items() if one.verdict is not Verdict.HOLDS}
    assert other == {}
    assert list(findings) == [one.fact for one in CLAIMS]


def test_each_claim_has_a_deviation():
    assert sorted(DEVIATIONS) == sorted(one.fact for one in CLAIMS)


@pytest.mark.slow
@pytest.mark.parametrize("fact", DEVIATIONS)
def test_of_a_deviation_exactly_its_claim_differs(api, fact):
    deviate(api, fact)
    findings = looked(api)
    differing = {name: one.seen for name, one in findings.items() if one.verdict is Verdict.DIFFERS}
    assert differing.keys() == {fact} | TOGETHER.get(fact, set()), differing


# --- What the report holds -----------------------------------------------------------------------------

CANARY = "Kanarienvogel"


def mark(workspace: Workspace) -> int:
    """Put a canary into every text of every row, JSON and its keys included; returns into how many fields."""
    objects = [
        one for one in workspace.schema.graphql.type_map.values() if isinstance(one, GraphQLObjectType)
    ]
    named = {(name, get_named_type(field.type).name) for one in objects for name, field in one.fields.items()}
    others = {name for name, of in named if of != "String"}
    texts = {name for name, of in named if of == "String"} - others  # wherever they stand
    marked = 0
    for entity, rows in workspace.rows.items():
        kind = workspace.schema.type(entity)
        for row_id, row in list(rows.items()):
            values = {}
            for name, field in workspace.schema.fields(entity).items():
                of = get_named_type(kind.fields[name].type).name
                if name == "id" or field.kind not in (Kind.LEAF, Kind.VALUE) or row[name] is None:
                    continue
                if of in ("String", "JSON", "JSONObject"):
                    values[name] = canary(row[name])
                elif field.kind is Kind.VALUE:
                    values[name] = canary(plain(row[name]), texts)
            marked += len(values)
            workspace.update(entity, row_id, touch=False, **values)
    return marked


def canary(value: Any, only: Collection[str] | None = None) -> Any:
    """The same form, with the canary in each text and key; of an object with fields, in `only` these."""
    if isinstance(value, dict):
        keys = (lambda name: name) if only is not None else canary
        return {keys(name): canary(one, only) for name, one in value.items() if keep(name, one, only)} | {
            name: one for name, one in value.items() if not keep(name, one, only)
        }
    if isinstance(value, list):
        return [canary(one, only) for one in value]
    return f"{CANARY} {value}" if isinstance(value, str) else value


def keep(name: str, value: Any, only: Collection[str] | None) -> bool:
    """Whether a member of an object is to be marked."""
    return only is None or name in only or isinstance(value, dict | list)


@pytest.mark.slow
def test_the_report_holds_nothing_of_the_workspace(api):
    assert mark(api.workspace) > 5_000
    rows = {row_id: row for of in api.workspace.rows.values() for row_id, row in of.items()}
    stamps = {row["updatedAt"] for row in rows.values() if "updatedAt" in row}
    # Linear's errors may name what is in the workspace.
    api.faults.refused(f"{CANARY} is not allowed to see {CANARY}@example.com", root="integrations")
    linear = linear_of(api)
    outcomes = list(look(linear))
    text = json.dumps(document(outcomes, linear.meter, 1, "api.linear.app", "API Key"), ensure_ascii=False)
    sent = b"".join(one.body for one in linear.meter.exchanges).decode()
    assert sent.count(CANARY) > 5_000  # it was there to be reported
    for secret in (CANARY, "@", *rows, *stamps, api.api_key):
        assert secret not in text, secret
    differing = {one.claim.fact for one in outcomes if one.findings.verdict is Verdict.DIFFERS}
    assert differing <= {"ERRORS-3", "FORMS-1", "FORMS-2", "FORMS-3", "FORMS-4", "FORMS-13"}


# --- The bound, and the command ------------------------------------------------------------------------


def test_it_stays_within_its_bound_and_only_reads(api):
    linear = linear_of(api)
    list(look(linear))
    assert len(api.requests) == linear.meter.requests <= 200
    assert sum(one.complexity or 0 for one in api.requests) <= linear.meter.points <= 300_000
    assert all(one.query.startswith("query ") for one in api.requests)


def test_what_would_exceed_the_bound_is_not_sent_and_said_to_be_unseen(api):
    linear = linear_of(api)
    linear.meter.most_requests = 20
    outcomes = list(look(linear))
    assert len(api.requests) == 20
    unseen = [one for one in outcomes if one.findings.verdict is Verdict.UNSEEN]
    assert any("the bound of 20 requests is reached" in one.findings.why for one in unseen)
    assert not any(one.findings.verdict is Verdict.DIFFERS for one in outcomes)


@pytest.fixture
def command(monkeypatch):
    """Runs the command with a key and an address; returns the exit code and what it printed."""

    def run(api: LinearApi, *arguments: str, key: str | None = None) -> tuple[int, str]:
        monkeypatch.setenv("LINEAR_API_KEY", api.api_key if key is None else key)
        monkeypatch.setenv("LINEAR_API_URL", api.url)
        said: list[str] = []
        return main(arguments, said.append), "\n".join(said)

    return run


def test_the_command_prints_a_table_and_writes_the_report(api, command, tmp_path):
    code, said = command(api, "--json", str(tmp_path / "report.json"))
    assert code == HOLDS
    assert "at most 200 requests and 300,000 points" in " ".join(said.split())
    assert "All that could be seen holds." in said
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert [one["fact"] for one in report["claims"]] == [one.fact for one in CLAIMS]
    assert all(one["verdict"] == "holds" and one["compared"] > 0 for one in report["claims"])
    assert report["requests"] == len(api.requests)


@pytest.mark.slow
def test_a_difference_is_explained_and_is_the_exit_code(api, command):
    deviate(api, "FILTER-7")
    code, said = command(api)
    assert code == DIFFERS
    assert "DIFFERS" in said
    means = next(one.means for one in CLAIMS if one.fact == "FILTER-7")
    assert f"FILTER-7: {means}" in " ".join(said.split())


def test_without_credentials_it_says_what_to_set(api, command, capsys):
    assert command(api, key="")[0] == FAILED
    assert "Set the environment variable LINEAR_API_KEY" in capsys.readouterr().err
    assert len(api.requests) == 0


def test_a_wrong_key_is_said_to_be_wrong(api, command, capsys):
    assert command(api, key="wrong")[0] == FAILED
    assert "does not accept the credentials" in capsys.readouterr().err


def test_an_address_that_would_send_the_key_in_the_clear_is_refused(api, monkeypatch, capsys):
    monkeypatch.setenv("LINEAR_API_KEY", "key")
    monkeypatch.setenv("LINEAR_API_URL", "http://linear.example/graphql")
    assert main([]) == FAILED
    assert "must be https" in capsys.readouterr().err


@pytest.mark.slow
def test_a_replaced_refresh_token_is_written_into_the_configuration(api, command, tmp_path):
    path = tmp_path / "config.json"
    credentials = {
        "auth_type": "OAuth2.0",
        "client_id": api.client_id,
        "client_secret": api.client_secret,
        "refresh_token": api.refresh_token,
    }
    path.write_text(json.dumps({"credentials": credentials, "num_workers": 3}), "utf-8")
    code, said = command(api, "--config", str(path))
    assert code == HOLDS, said
    written = json.loads(path.read_text("utf-8"))
    assert written["credentials"]["refresh_token"] == api.refresh_token != credentials["refresh_token"]
    assert written["num_workers"] == 3 and "api_url" not in written
    assert api.refresh_token not in said


# --- Watching ------------------------------------------------------------------------------------------


def act(api: LinearApi, steps: list[Any]) -> None:
    """Take a step with every other question for the issue."""

    def hook(request: Any, number: int) -> None:
        if request.query.startswith("query watch") and steps and number % 2:
            api.clock.advance(10)
            steps.pop(0)()

    api.before_response(hook)


@pytest.mark.parametrize("touches", [True, False])
def test_watching_an_issue_tells_which_stamps_moved(api, touches):
    workspace = api.workspace
    made: dict[str, str] = {}

    def create() -> None:
        made["id"] = workspace.create("Issue", title="source-linear verify")

    def comment() -> None:
        workspace.create("Comment", issue=made["id"])
        workspace.update("Issue", made["id"])

    linear, said = linear_of(api), []
    steps = [
        create,
        comment,
        lambda: workspace.archive("Issue", made["id"]),
        lambda: workspace.unarchive("Issue", made["id"], touch=touches),
        lambda: workspace.trash("Issue", made["id"]),
    ]
    act(api, [lambda: None, *steps])
    events = list(watch(linear, "source-linear verify", said.append))
    assert [one.kind for one in events] == ["created", "commented", "archived", "unarchived", "deleted"]
    verdicts = {one.fact: one.look(linear).verdict for one in claims(events)}
    assert verdicts.pop("UNKNOWN-1") is (Verdict.HOLDS if touches else Verdict.DIFFERS)
    assert set(verdicts.values()) == {Verdict.HOLDS}
    assert [line.partition("  ")[2].partition(":")[0] for line in said[1:]] == [one.kind for one in events]


def test_an_issue_that_is_there_already_is_not_watched(api, command, capsys):
    api.workspace.create("Issue", title="source-linear verify")
    assert command(api, "--watch")[0] == FAILED
    assert "choose another" in capsys.readouterr().err
