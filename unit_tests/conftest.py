"""What every unit test starts from."""

from collections.abc import Iterator

import pytest
from airbyte_cdk.utils.airbyte_secrets_utils import update_secrets


@pytest.fixture(autouse=True)
def no_secrets_of_other_tests() -> Iterator[None]:
    """The CDK keeps secrets for the whole process, and hides them in every text from then on."""
    yield
    update_secrets([])
