"""What a check says: who is connected to which workspace, and what the credentials may not read."""

import socket

import pytest

from integration_tests.connector import Connector
from integration_tests.linear_api.faults import Request


@pytest.fixture
def connector(forked_connector):
    return forked_connector


def status(output):
    return output.one("CONNECTION_STATUS")["connectionStatus"]


def refused(output):
    """The streams that the log says cannot be read, each with the line."""
    lines = [line for line in output.logs if line.startswith("WARN Stream ")]
    return {line.split()[2]: line for line in lines if "cannot be read with these credentials" in line}


def test_a_good_check_takes_two_requests_and_says_whose_key_it_is(linear_api, connector):
    output = connector.check()
    assert status(output) == {"status": "SUCCEEDED"}
    assert (
        "INFO Connected to the workspace Standin GmbH & Cø (standin) as Ada Lovelace, an admin."
        in output.logs
    )
    assert refused(output) == {}
    assert len(linear_api.requests) == 2
    assert linear_api.requests[0].roots == ("viewer", "organization", "organization")
    assert linear_api.requests[0].complexity <= 5
    assert len(linear_api.requests[1].roots) > 40
    assert linear_api.requests[1].complexity < 1000


def test_a_key_that_is_not_an_admins_is_said_to_be_none(linear_api, connector):
    for user in linear_api.workspace.ids("User"):
        linear_api.workspace.update("User", user, admin=False)
    assert any(line.endswith("as Ada Lovelace, not an admin.") for line in connector.check().logs)


ADMINS = {
    "auditEntries": "audit_entries",
    "webhooks": "webhooks",
    "integrations": "integrations",
    "organizationInvites": "organization_invites",
}


def test_streams_that_linear_refuses_by_name_are_listed_after_one_more_request(linear_api, connector):
    for root in ADMINS:
        linear_api.faults.partial(root=root, path=[root], code="FORBIDDEN", count=None)
    output = connector.check()
    assert status(output) == {"status": "SUCCEEDED"}
    assert refused(output).keys() == set(ADMINS.values())
    assert all("You don't have permission" in line for line in refused(output).values())
    assert len(linear_api.requests) == 3


def test_streams_that_linear_refuses_without_a_name_are_found(linear_api, connector):
    for root in (*ADMINS, "customers"):
        linear_api.faults.error("FORBIDDEN", 403, root=root, count=None)
    output = connector.check()
    assert status(output) == {"status": "SUCCEEDED"}
    assert refused(output).keys() == {*ADMINS.values(), "customers"}
    assert len(linear_api.requests) < 60


def test_a_stream_of_several_roots_is_listed_where_one_of_them_is_refused(linear_api, connector):
    linear_api.faults.partial(root="initiatives", path=["initiatives"], count=None)
    names = refused(connector.check()).keys()
    assert {"initiatives", "initiative_history", "entity_external_links"} <= names
    assert "projects" not in names


def test_a_failure_that_passes_is_survived(linear_api, connector):
    linear_api.faults.html(502)
    linear_api.faults.reset(nth=3)
    linear_api.faults.error("FORBIDDEN", 403, root="webhooks", count=None)
    output = connector.check()
    assert status(output) == {"status": "SUCCEEDED"}
    assert refused(output).keys() == {"webhooks"}


def test_a_wrong_key_is_said_to_be_wrong(linear_api, connector):
    connector.config = {**connector.config, "credentials": {"auth_type": "API Key", "api_key": "wrong"}}
    output = connector.check()
    assert output.exit_code == 0
    assert status(output)["status"] == "FAILED"
    assert status(output)["message"].startswith("Linear does not accept the credentials (HTTP 401: ")
    assert "Settings > Security & access" in status(output)["message"]
    assert len(linear_api.requests) == 1


def test_an_address_without_the_api_is_said_to_have_none(linear_api, connector):
    connector.config = {**connector.config, "api_url": linear_api.url.replace("graphql", "elsewhere")}
    assert status(connector.check())["message"].startswith(
        "There is no GraphQL API at this address (HTTP 404"
    )


def test_teams_that_do_not_exist_fail_the_check(linear_api, connector):
    connector.config = {**connector.config, "team_keys": ["NOPE"]}
    assert status(connector.check())["message"].startswith("team_keys: the workspace has no team NOPE")


def test_a_hanging_api_is_given_up(linear_api, connector):
    linear_api.faults.slow(600, count=None)
    output = connector.check()
    assert status(output)["status"] == "FAILED"
    assert "could not be reached or did not answer as it should (ReadTimeout)" in status(output)["message"]


def test_an_api_that_hangs_only_on_the_permissions_does_not_fail_the_check(linear_api, connector):
    def asks_for_permissions(request: Request) -> bool:
        return "webhooks" in request.roots

    linear_api.faults.slow(600, where=asks_for_permissions, count=None)
    assert status(connector.check()) == {"status": "SUCCEEDED"}


@pytest.mark.slow
def test_a_dead_api_is_given_up_after_few_tries_with_a_sentence(tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # and does not listen
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        config = {
            "credentials": {"auth_type": "API Key", "api_key": "k"},
            "api_url": f"http://{address}/graphql",
        }
        output = Connector(tmp_path, config).check()
    assert 0 < sum("Trying again" in line for line in output.logs) <= 6
    assert output.exit_code == 0
    assert status(output) == {
        "status": "FAILED",
        "message": (
            "Linear's API could not be reached or did not answer as it should "
            f"({address} refuses the connection). Try again; if it fails again, see https://linearstatus.com."
        ),
    }
