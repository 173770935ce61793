"""How few requests a read takes: pages that are full, and one request for the rest of many lists."""

import pytest

from integration_tests.expected import records
from source_linear.graphql import MAX_COST
from tools.schemas import streams

STREAMS = {stream.name: stream for stream in streams()}


@pytest.fixture
def read_issues(make_linear_api, make_connector):
    """Reads the issues of a workspace, completely; returns the requests for pages and for lists."""

    def read(issues, purged=0, subscribers=None):
        api = make_linear_api(issues=issues, seed=1, purged=purged)
        for issue in api.workspace.ids("Issue"):
            if subscribers is not None:
                api.workspace.set_list("Issue", issue, "subscribers", subscribers)
        api.clock.advance(2)
        connector = make_connector(api)
        output = connector.read(connector.catalog(["issues"]))
        assert {one["id"]: one for one in output.records["issues"]} == records(
            api.workspace, STREAMS["issues"]
        )
        assert not any("records from" in line for line in output.logs), "the CDK counts pages"
        asked = [request for request in api.requests.to("issues") if request.status == 200]
        lists = [request for request in asked if "n0: issues" in request.query]
        return [request for request in asked if request.query.startswith("query issues($first")], lists

    return read


def test_a_thousand_issues_are_five_pages(read_issues):
    pages, _ = read_issues(issues=1_000)
    assert len(pages) == 5


def test_a_workspace_of_many_issues_is_read_in_windows(read_issues):
    pages, _ = read_issues(issues=40, purged=6_000)
    assert len(pages) == 4


def test_lists_that_go_on_are_read_on_together_once_their_window_ends(read_issues):
    pages, lists = read_issues(issues=600)
    assert len(pages) == 3
    assert len(lists) <= 5


def test_requests_for_lists_that_go_on_are_full_before_another_is_made(read_issues):
    pages, lists = read_issues(issues=900, subscribers=4)
    *full, _ = [request.complexity for request in lists]
    assert len(pages) == 4
    assert full
    assert all(points <= MAX_COST for points in full)
    assert len(lists) < len(pages) + 3
