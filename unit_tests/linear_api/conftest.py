from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from integration_tests.linear_api import LinearApi
from integration_tests.linear_api.fixtures import linear_api, make_linear_api

__all__ = ["linear_api", "make_linear_api"]


class Asker:
    """Asks a simulator over HTTP."""

    def __init__(self, api: LinearApi) -> None:
        self.api = api
        self._session = requests.Session()

    def __call__(
        self, query: str, variables: dict[str, Any] | None = None, authorization: str | None = ""
    ) -> requests.Response:
        """The response; `authorization` None sends none."""
        headers = {"Authorization": authorization or self.api.api_key}
        if authorization is None:
            headers = {}
        body = {"query": query, "variables": variables or {}}
        return self._session.post(self.api.url, json=body, headers=headers, timeout=10)

    def data(self, query: str, **variables: Any) -> Any:
        """The data of a query that must succeed."""
        response = self(query, variables)
        body = response.json()
        assert response.status_code == 200 and "errors" not in body, body
        return body["data"]

    def ids(self, root: str, arguments: str = "first: 250") -> list[str]:
        """The ids on one page of a root connection."""
        data = self.data(f"{{ {root}({arguments}) {{ nodes {{ id }} }} }}")
        return [node["id"] for node in data[root]["nodes"]]

    def error(self, query: str, variables: dict[str, Any] | None = None) -> tuple[int, str]:
        """HTTP status and code of a query that must fail."""
        response = self(query, variables)
        return response.status_code, response.json()["errors"][0]["extensions"]["code"]

    def close(self) -> None:
        self._session.close()


@pytest.fixture(scope="session")
def shared_api() -> Iterator[LinearApi]:
    """A simulator that no test changes."""
    with LinearApi(issues=300, seed=7) as api:
        api.limits.set(requests=1_000_000, points=1_000_000_000)
        yield api


@pytest.fixture
def read(shared_api: LinearApi) -> Iterator[Asker]:
    """Asks the shared simulator."""
    asker = Asker(shared_api)
    yield asker
    asker.close()


@pytest.fixture
def ask(linear_api: LinearApi) -> Iterator[Asker]:
    """Asks the test's own simulator."""
    asker = Asker(linear_api)
    yield asker
    asker.close()
