"""Airbyte's standard tests, all of them: in this process and, marked image_tests, on the image."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airbyte_cdk.test.models import ConnectorTestScenario
from airbyte_cdk.test.standard_tests import docker_base
from airbyte_cdk.test.standard_tests._spec_compatibility import PublishedSpec, compare_specs
from airbyte_cdk.test.standard_tests.source_base import SourceTestSuiteBase

from integration_tests.connector import Connector
from integration_tests.linear_api import LinearApi
from source_linear import SourceLinear

ROOT = Path(__file__).resolve().parent.parent
# What the last release printed for `spec`. It changes with a release and only then.
RELEASED = json.loads((ROOT / "integration_tests" / "released_spec.json").read_text("utf-8"))

pytestmark = pytest.mark.timeout(600)


class TestStandard(SourceTestSuiteBase):
    """The suite; its scenarios are in acceptance-test-config.yml."""

    @classmethod
    def get_connector_root_dir(cls) -> Path:
        return ROOT

    @classmethod
    def create_connector(cls, scenario: ConnectorTestScenario | None) -> SourceLinear:
        return SourceLinear()  # by itself the suite looks for a class that the folder is named after


# What the next release breaks on purpose: docs/migrating.md says what to do. Emptied by each release.
ANNOUNCED = [
    "`connectionSpecification.properties.archived_rows.enum` no longer allows 'exclude'",
    "`connectionSpecification.properties.reconcile_archived` was removed",  # and is still understood
]


def test_a_released_configuration_is_still_valid_but_for_what_is_announced(connector: Connector) -> None:
    spec = connector.spec().one("SPEC")["spec"]
    assert compare_specs(RELEASED["spec"], spec).breaking == ANNOUNCED


@pytest.mark.parametrize(
    ("name", "changed", "breaking"),
    [
        ("a_field_that_must_be_given", {"required": ["credentials", "start_date"]}, True),
        ("a_field_that_may_be_given", {"properties": {"new": {"type": "string"}}}, False),
        ("a_narrower_range", {"properties": {"num_workers": {"maximum": 20}}}, True),
        ("a_wider_range", {"properties": {"num_workers": {"maximum": 80}}}, False),
        ("another_description", {"properties": {"num_workers": {"description": "Other."}}}, False),
    ],
)
def test_what_breaks_a_released_configuration_is_told_from_what_does_not(
    name: str, changed: dict[str, Any], breaking: bool
) -> None:
    specification = RELEASED["spec"]["connectionSpecification"]
    merged = {"connectionSpecification": _merged(specification, changed)}
    released = {"connectionSpecification": specification}
    assert bool(compare_specs(released, merged).breaking) is breaking


@pytest.fixture(scope="module")
def api() -> Iterator[LinearApi]:
    with LinearApi(issues=50, seed=1) as running:
        running.clock.advance(2)
        yield running


@pytest.fixture(autouse=True)
def simulator(api: LinearApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scenarios' configurations lead to the simulator, from containers as well."""
    tokens = {"client_id": api.auth.client_id, "client_secret": api.auth.client_secret}

    def get_config_dict(
        scenario: ConnectorTestScenario, *, connector_root: Path, empty_if_missing: bool
    ) -> dict[str, Any]:
        if scenario.config_path is None:
            return {}
        name = scenario.config_path.as_posix()
        credentials = {
            "secrets/config.json": {"auth_type": "API Key", "api_key": api.api_key},
            "secrets/config_client_credentials.json": {"auth_type": "Client Credentials", **tokens},
            "secrets/config_oauth.json": {
                "auth_type": "OAuth2.0",
                "refresh_token": api.auth.refresh_token,
                **tokens,
            },
        }.get(name)
        config = {"credentials": credentials} if credentials else json.loads((ROOT / name).read_text())
        return {**config, "api_url": api.url}

    monkeypatch.setattr(ConnectorTestScenario, "get_config_dict", get_config_dict)
    for name in ("run_docker_airbyte_command", "run_docker_command"):
        run = getattr(docker_base, name)
        monkeypatch.setattr(docker_base, name, _on_the_hosts_network(run))
    published = PublishedSpec(RELEASED["version"], RELEASED["spec"], url="released_spec.json")
    monkeypatch.setattr(docker_base, "fetch_published_spec", lambda repository, registry: published)


@pytest.fixture
def connector_image_override(image: str) -> str:
    return image


@pytest.fixture
def read_from_streams() -> str:
    return "all"


@pytest.fixture
def read_scenarios() -> str:
    return "all"


def _on_the_hosts_network(run: Any) -> Any:
    def run_there(command: list[str], **options: Any) -> Any:
        assert command[:2] == ["docker", "run"]
        return run([*command[:2], "--network", "host", *command[2:]], **options)

    return run_there


def _merged(old: Any, new: Any) -> Any:
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    return {**old, **{name: _merged(old.get(name), value) for name, value in new.items()}}
