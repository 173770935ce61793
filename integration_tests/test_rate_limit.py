"""A rate limit slows a sync down and never fails it; a page that is too complex is asked for in parts."""

from itertools import pairwise

import pytest

from integration_tests.expected import records
from tools.schemas import streams

STREAMS = {stream.name: stream for stream in streams()}
NAMES = ("comments", "users", "teams", "issue_labels", "projects")


@pytest.fixture
def connector(linear_api, forked_connector):
    linear_api.clock.advance(2)
    return forked_connector


def assert_complete(api, output, names=NAMES):
    assert output.exit_code == 0, output.errors
    for name in names:
        expected = records(api.workspace, STREAMS[name])
        assert {record["id"]: record for record in output.records[name]} == expected
        assert len(output.records[name]) == len(expected)


def waits(output):
    return [line for line in output.logs if "waiting until" in line]


def limited(api):
    return [request for request in api.requests if request.code == "RATELIMITED"]


def test_a_sync_slows_down_instead_of_being_refused(linear_api, connector):
    catalog = connector.catalog(NAMES)
    linear_api.limits.set(requests=20, window=4.0)
    output = connector.read(catalog)
    assert_complete(linear_api, output)
    assert len(linear_api.requests) > 10
    # Ten threads that went on regardless would be refused ten at a time; of a limit as small as this
    # an answer that comes late may hide one or two.
    assert len(limited(linear_api)) < 5
    assert waits(output)[0].startswith(
        "INFO Keeping within the budget of Linear's rate limit: waiting until "
    )


@pytest.mark.parametrize(
    ("bucket", "status"),
    [
        ("points", 400),
        ("requests", 429),
        pytest.param("points", 429, marks=pytest.mark.slow),
        pytest.param("requests", 400, marks=pytest.mark.slow),
    ],
)
def test_a_sync_that_others_leave_nothing_to_waits_and_goes_on(linear_api, connector, status, bucket):
    catalog = connector.catalog(NAMES)
    linear_api.limits.set(window=2.0)
    linear_api.limits.rejection_status = status

    def use_it_all_up(request, number):
        # Again until one was refused: on a busy machine there may be something left by then.
        if number >= 10 and not limited(linear_api):
            linear_api.limits.set(requests=100, points=20_000)
            linear_api.limits.exhaust(requests=bucket == "requests", points=bucket == "points")

    linear_api.before_response(use_it_all_up)
    output = connector.read(catalog)
    assert_complete(linear_api, output)
    assert limited(linear_api)
    assert any(
        line.startswith("INFO Linear's rate limit is used up: waiting until ") for line in waits(output)
    )


def test_all_streams_wait_together(linear_api, connector):
    catalog = connector.catalog(NAMES)
    linear_api.limits.set(requests=1200)  # one each three seconds
    linear_api.faults.rate_limited(400, reset_seconds=3, nth=10)
    at = []
    linear_api.before_response(lambda request, number: at.append(linear_api.clock.milliseconds))
    output = connector.read(catalog)
    assert_complete(linear_api, output)
    # What was under way is answered; then nobody asks until there is enough for one more.
    assert max(after - before for before, after in pairwise(at)) > 2000
    assert len([line for line in waits(output) if "rate limit is used up" in line]) == 1


@pytest.mark.slow
def test_the_limit_of_one_endpoint_holds_only_its_stream(linear_api, connector):
    catalog = connector.catalog(NAMES)
    linear_api.limits.endpoints = {"comments": 12}
    linear_api.limits.window = 2.0
    output = connector.read(catalog)
    assert_complete(linear_api, output)
    assert {request.roots for request in limited(linear_api)} == {("comments",)}


def refused_as_too_complex(api):
    return [request for request in api.requests if request.code == "INPUT_ERROR"]


def test_a_page_that_is_too_complex_is_halved_until_it_is_not_and_no_row_comes_twice(
    make_linear_api, make_connector
):
    api = make_linear_api(issues=60, seed=4)
    api.clock.advance(2)
    names = ("issues", "projects")
    connector = make_connector(api)
    catalog = connector.catalog(names)
    api.limits.largest = 400
    assert_complete(api, connector.read(catalog), names)
    pages = [one for one in api.requests.to("projects") if "first" in one.variables]  # not the walks of lists
    sizes = [request.variables["first"] for request in pages]
    assert sizes == sorted(sizes, reverse=True)
    assert len(refused_as_too_complex(api)) > 1


@pytest.fixture
def read_long_lists(make_linear_api, make_connector):
    """Reads issues with 51 subscribers each, in one window, where a query may cost so many points."""

    def read(largest, refused=None):
        api = make_linear_api(issues=90, seed=4, purged=0)
        for issue in api.workspace.ids("Issue"):
            api.workspace.set_list("Issue", issue, "subscribers", 51)
        api.clock.advance(2)
        connector = make_connector(api)
        catalog = connector.catalog(["issues"], columns={"issues": ["id", "subscriberIds"]})
        api.limits.largest = largest
        if refused:
            api.faults.too_complex(where=lambda request: refused in request.query, count=None)
        return api, connector.read(catalog)

    return read


@pytest.mark.parametrize("largest", [200, pytest.param(20, marks=pytest.mark.slow)])
def test_a_question_for_the_rest_of_lists_that_is_too_complex_is_asked_in_parts(read_long_lists, largest):
    api, output = read_long_lists(largest)
    assert output.exit_code == 0, output.errors
    read = [record["id"] for record in output.records["issues"]]
    assert sorted(read) == sorted(api.workspace.ids("Issue"))
    assert {len(record["subscriberIds"]) for record in output.records["issues"]} == {51}
    assert any("first" not in request.variables for request in refused_as_too_complex(api))


def test_a_list_that_is_too_complex_even_for_one_item_costs_its_rows(read_long_lists):
    _, output = read_long_lists(largest=10_000, refused=": issues(first: 1,")
    assert output.exit_code == 0 and output.records["issues"] == []
    assert any("Linear finds the query too complex" in line for line in output.logs)


def test_a_query_that_is_too_complex_even_for_one_row_fails_its_stream_alone(linear_api, connector):
    linear_api.faults.too_complex(root="projects", count=None)
    output = connector.read(connector.catalog(NAMES))
    assert output.exit_code == 1
    assert output.statuses["projects"][-1] == "INCOMPLETE"
    assert "Deselect columns of this stream" in output.errors[-1]["message"]
    for name in set(NAMES) - {"projects"}:
        assert len(output.records[name]) == len(records(linear_api.workspace, STREAMS[name]))
