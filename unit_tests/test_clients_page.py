"""docs/clients.md names the versions that its tests run."""

import re

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
