from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from integration_tests.linear_api import Clock, LinearApi, generate
from unit_tests.linear_api.conftest import Asker

NOW = "2025-06-01T00:00:00Z"
NOW_MILLISECONDS = 1_748_736_000_000
QUERY = "{ viewer { id } }"  # 1 point


@pytest.fixture
def stopped() -> Iterator[Asker]:
    """Asks a simulator whose clock stands still."""
    with LinearApi(generate(1, 0, Clock(NOW))) as api:
        asker = Asker(api)
        yield asker
        asker.close()


def budget(response: requests.Response, bucket: str) -> tuple[int, int, int]:
    names = (f"X-RateLimit-{bucket}-{part}" for part in ("Limit", "Remaining", "Reset"))
    limit, remaining, reset = (int(response.headers[name]) for name in names)
    return limit, remaining, reset


def test_an_api_key_has_2500_requests_and_3_million_points_an_hour(stopped: Asker) -> None:
    response = stopped(QUERY)
    assert budget(response, "Requests")[:2] == (2_500, 2_499)
    assert budget(response, "Complexity")[:2] == (3_000_000, 2_999_999)


def test_an_oauth_app_has_5000_requests_and_2_million_points_an_hour(stopped: Asker) -> None:
    response = stopped(QUERY, authorization=f"Bearer {stopped.api.access_token}")
    assert budget(response, "Requests")[:2] == (5_000, 4_999)
    assert budget(response, "Complexity")[:2] == (2_000_000, 1_999_999)


def test_reset_is_in_epoch_milliseconds(stopped: Asker) -> None:
    stopped.api.limits.set(requests=10, window=60)
    assert budget(stopped(QUERY), "Requests") == (10, 9, NOW_MILLISECONDS + 6_000)


def test_the_date_header_follows_the_clock(stopped: Asker) -> None:
    assert stopped(QUERY).headers["Date"] == "Sun, 01 Jun 2025 00:00:00 GMT"


def test_an_exhausted_request_budget_is_http_400_ratelimited(stopped: Asker) -> None:
    stopped.api.limits.set(requests=2)
    assert [stopped(QUERY).status_code for _ in range(2)] == [200, 200]
    response = stopped(QUERY)
    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] == "RATELIMITED"
    assert budget(response, "Requests") == (2, 0, NOW_MILLISECONDS + 3_600_000)


def test_an_exhausted_point_budget_is_ratelimited_too(stopped: Asker) -> None:
    stopped.api.limits.set(points=1)
    assert stopped(QUERY).status_code == 200
    response = stopped(QUERY)
    assert response.json()["errors"][0]["extensions"]["code"] == "RATELIMITED"
    assert budget(response, "Complexity")[1] == 0
    assert budget(response, "Requests")[1] == 2_499


def test_the_edge_may_say_429(stopped: Asker) -> None:
    stopped.api.limits.exhaust()
    stopped.api.limits.rejection_status = 429
    assert stopped.error(QUERY) == (429, "RATELIMITED")


def test_the_budget_refills_continuously(stopped: Asker) -> None:
    stopped.api.limits.set(requests=60, window=60)
    stopped.api.limits.exhaust()
    assert stopped(QUERY).status_code == 400
    stopped.api.clock.advance(0.9)
    assert stopped(QUERY).status_code == 400
    stopped.api.clock.advance(0.1)
    assert stopped(QUERY).status_code == 200
    assert stopped(QUERY).status_code == 400
    stopped.api.clock.advance(3)
    assert [stopped(QUERY).status_code for _ in range(4)] == [200, 200, 200, 400]


def test_the_budget_is_full_at_its_reset(stopped: Asker) -> None:
    stopped.api.limits.set(requests=3, window=30)
    for _ in range(4):
        reset = budget(stopped(QUERY), "Requests")[2]
    stopped.api.clock.advance((reset - NOW_MILLISECONDS) / 1000)
    assert [stopped(QUERY).status_code for _ in range(4)] == [200, 200, 200, 400]


def test_keys_of_one_user_share_a_budget(stopped: Asker) -> None:
    stopped.api.auth.api_keys.add("another-key")
    stopped(QUERY)
    assert budget(stopped(QUERY, authorization="another-key"), "Requests")[1] == 2_498


def test_a_query_rejected_before_execution_costs_nothing_and_has_no_headers(stopped: Asker) -> None:
    for query in ("{ nonsense }", "{ issues(first: 250) { nodes { labels { nodes { id } } } } }"):
        response = stopped(query)
        assert response.status_code == 400
        assert not [name for name in response.headers if name.lower().startswith("x-")]
    assert budget(stopped(QUERY), "Requests")[1] == 2_499


def test_an_endpoint_may_have_a_limit_of_its_own(stopped: Asker) -> None:
    stopped.api.limits.endpoints["teams"] = 1
    response = stopped("{ teams { nodes { id } } }")
    assert response.headers["X-RateLimit-Endpoint-Name"] == "teams"
    assert budget(response, "Endpoint-Requests")[:2] == (1, 0)
    assert stopped.error("{ teams { nodes { id } } }") == (400, "RATELIMITED")
    assert stopped(QUERY).status_code == 200


def test_rate_limit_status_tells_what_is_left(stopped: Asker) -> None:
    data = stopped.data("{ rateLimitStatus { kind limits { type allowedAmount remainingAmount reset } } }")
    first = data["rateLimitStatus"]["limits"][0]
    assert first["allowedAmount"] == 2_500 and first["remainingAmount"] == 2_499
