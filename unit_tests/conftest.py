"""What every unit test starts from."""

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_secrets_of_other_tests() -> Iterator[None]:
    """The CDK keeps secrets for the whole process, and hides them in every text from then on."""
    yield
    # Tests of linear/ need no CDK: what was not imported keeps no secrets.
    if secrets := sys.modules.get("airbyte_cdk.utils.airbyte_secrets_utils"):
        secrets.update_secrets([])
