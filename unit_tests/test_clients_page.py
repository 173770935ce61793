"""docs/clients.md names the versions that its tests run, and says what a reader asks of each client."""

import re
import tomllib

import pytest

from tools.schemas import ROOT

LOCKS = {
    "airbyte": "pyairbyte",
    "tap-airbyte": "tap-airbyte",
    "singer-sdk": "singer",
    "airbyte-serverless": "airbyte-serverless",
    "dlt": "dlt",
    "airbyte-cdk": "test",
}
PAGE = (ROOT / "docs" / "clients.md").read_text("utf-8")
NAMED = re.findall(r"([a-z-]+) (\d+\.\d+(?:\.\d+)?)(?=[, |])", PAGE.split("\nAll of them")[0])


@pytest.mark.parametrize(("name", "version"), NAMED)
def test_a_version_is_the_one_of_the_lock(name, version):
    lock = (ROOT / "requirements" / f"{LOCKS[name]}.txt").read_text("utf-8")
    assert re.search(rf"^{name}==(\S+)", lock, re.MULTILINE)[1] == version


def test_every_client_has_its_version():
    assert {name for name, _ in NAMED} == LOCKS.keys()


SECTIONS = {part.partition("\n")[0]: part for part in PAGE.split("\n## ")[1:]}


@pytest.mark.parametrize("client", SECTIONS)
def test_each_client_says_once_whether_oauth_works_there(client):
    text = " ".join(SECTIONS[client].split())
    assert len(re.findall(r"OAuth with a refresh token (?:works|does not work)\b[^.]*:", text)) == 1


def test_every_client_of_the_table_has_its_section():
    linked = re.findall(r"^\| \[[^\]]+\]\(#([^)]+)\)", PAGE, re.MULTILINE)
    assert linked == [re.sub(r"[^\w\- ]", "", name.lower()).replace(" ", "-") for name in SECTIONS]


def test_the_versions_of_python_are_said_once_and_as_the_package_has_them():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    least, above = re.findall(r"3\.(\d+)", project["requires-python"])
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
    said = [
        (path.name, range_)
        for path in pages
        for range_ in re.findall(r"3\.\d\d(?:, 3\.\d\d)* (?:to|or|and) 3\.\d\d", path.read_text("utf-8"))
    ]
    assert said == [("README.md", f"3.{least} to 3.{int(above) - 1}")]
