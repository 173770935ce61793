"""What the streams of one process share: one API, with one budget of the size that the user said."""

import pytest

from source_linear.shared import share, shared_by

CONFIG = {"credentials": {"auth_type": "API Key", "api_key": "lin_api_key"}}
FULL = {"X-RateLimit-Requests-Limit": "100", "X-RateLimit-Requests-Remaining": "100"}


def test_all_that_is_made_for_one_configuration_spends_from_one_budget():
    budget = share(CONFIG).api.budget
    assert shared_by(dict(CONFIG)).api.budget is budget
    assert shared_by({**CONFIG, "rate_limit_share": 50}).api.budget is not budget


@pytest.mark.parametrize(("configured", "waits"), [({}, False), ({"rate_limit_share": 10}, True)])
def test_the_budget_is_the_share_that_was_configured(configured, waits):
    slept = []
    budget = share({**CONFIG, **configured}).api.budget
    budget._now = lambda: 1_700_000_000.0 + sum(slept)
    budget._sleep = slept.append
    for _ in range(20):
        with budget.turn("users"):
            budget.observe("users", FULL)
    assert bool(slept) is waits
