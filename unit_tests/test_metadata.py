"""metadata.yaml is as Airbyte wants it, and says what the other files say."""

import re
import tomllib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from airbyte_cdk.models.connector_metadata import ConnectorLanguage, MetadataFile

from source_linear.packaged import manifest
from tools.schemas import streams

ROOT = Path(__file__).resolve().parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")


@pytest.fixture(scope="module")
def data() -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load((ROOT / "metadata.yaml").read_text("utf-8"))["data"]
    return data


@pytest.fixture(scope="module")
def version() -> str:
    project: dict[str, str] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return project["version"]


def test_it_is_valid_by_airbytes_rules() -> None:
    models = "airbyte_connector_models.metadata.v0.connector_metadata_definition_v0"
    rules = pytest.importorskip(models, reason="it is not made for Python 3.13")
    document = yaml.safe_load((ROOT / "metadata.yaml").read_text("utf-8"))
    rules.ConnectorMetadataDefinitionV0.model_validate(document)
    document["data"]["madeUp"] = True
    with pytest.raises(ValueError, match="madeUp"):
        rules.ConnectorMetadataDefinitionV0.model_validate(document)


def test_the_cdk_takes_it_for_a_python_connector() -> None:
    assert MetadataFile.from_file(ROOT / "metadata.yaml").data.language is ConnectorLanguage.PYTHON


def test_the_version_is_the_packages_everywhere(data: dict[str, Any], version: str) -> None:
    assert data["dockerImageTag"] == version
    for label in ("io.airbyte.version", "org.opencontainers.image.version"):
        assert re.findall(rf"{re.escape(label)}=(\S+)", DOCKERFILE) == [version]
    page = (ROOT / "docs" / "linear.md").read_text("utf-8")
    assert {*re.findall(r"source-linear:(\d[\d.]*\d)", page)} == {version}
    assert re.findall(r"^## (\S+)$", (ROOT / "docs" / "CHANGELOG.md").read_text("utf-8"), re.M)[0] == version


def test_the_documentation_is_this_projects_page_everywhere(data: dict[str, Any]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    page = project["urls"]["Documentation"]
    assert page.endswith("/docs/linear.md") and "airbyte.com" not in page
    assert data["documentationUrl"] == page
    assert manifest()["spec"]["documentation_url"] == page
    assert re.findall(r"image\.documentation=(\S+)", DOCKERFILE) == [page]


def test_name_and_base_image_are_the_dockerfiles(data: dict[str, Any]) -> None:
    assert re.findall(r"io\.airbyte\.name=(\S+)", DOCKERFILE) == [data["dockerRepository"]]
    assert re.findall(r"^ARG BASE_IMAGE=(\S+)", DOCKERFILE, re.M) == [
        data["connectorBuildOptions"]["baseImage"]
    ]


def test_the_suggested_streams_are_there(data: dict[str, Any]) -> None:
    assert set(data["suggestedStreams"]["streams"]) <= {stream.name for stream in streams()}


def test_the_allowed_host_is_the_one_that_is_asked(data: dict[str, Any]) -> None:
    manifest = (ROOT / "manifest.yaml").read_text("utf-8")
    hosts = set(re.findall(r"https://([\w.]+)/graphql", manifest))
    assert set(data["allowedHosts"]["hosts"]) == hosts


def test_the_icon_is_a_small_square_picture(data: dict[str, Any]) -> None:
    path = ROOT / data["icon"]
    _, _, width, height = ElementTree.parse(path).getroot().attrib["viewBox"].split()
    assert width == height
    assert path.stat().st_size < 10_000
