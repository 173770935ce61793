"""make verify against the simulator: all holds, and of each deviation exactly its claim differs."""

import pytest

from integration_tests.linear_api import LinearApi
from integration_tests.linear_api.deviations import DEVIATIONS, deviate
from source_linear.shared import Shared
from tools.schemas import streams
from tools.verify.__main__ import look
from tools.verify.asking import Linear
from tools.verify.claim import Verdict
from tools.verify.claims import CLAIMS

STREAMS = {one.name: one for one in streams()}
# Claims that necessarily depend on what another fact's deviation changes: that they differ is no mistake.
TOGETHER: dict[str, set[str]] = {}


def shared(api: LinearApi, key: str) -> Shared:
    return Shared(
        {"credentials": {"auth_type": "API Key", "api_key": key}, "api_url": api.url}, lambda _: None
    )


def looked(api: LinearApi) -> dict[str, object]:
    """The findings of all claims, by fact; a pause takes no time but the simulator's."""
    linear = Linear(
        shared(api, api.api_key).api,
        STREAMS,
        sleep=api.clock.advance,
        now=lambda: api.clock.milliseconds / 1000,
        stranger=shared(api, "nobody").api,
    )
    return {one.claim.fact: one.findings for one in look(linear)}


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
    api.clock.advance(60)
    for user in workspace.ids("User"):
        workspace.update("User", user, touch=False, lastSeen=api.clock.text)

    def hook(request: object, number: int) -> None:
        if request.query.startswith("query newest"):  # type: ignore[attr-defined]
            workspace.create("Issue", title="New")

    api.before_response(hook)


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


@pytest.mark.parametrize("fact", DEVIATIONS)
def test_of_a_deviation_exactly_its_claim_differs(api, fact):
    deviate(api, fact)
    findings = looked(api)
    differing = {name: one.seen for name, one in findings.items() if one.verdict is Verdict.DIFFERS}
    assert differing.keys() == {fact} | TOGETHER.get(fact, set()), differing
