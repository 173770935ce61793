"""Whose credentials these are, and what time it is at Linear's."""

import logging

import pendulum
import pytest
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_linear.graphql import document
from source_linear.linear.errors import LinearError, failure
from source_linear.sync.lister import Lister, Reply
from source_linear.sync.workspace import Workspace, questions, time_of, workspace_of
from unit_tests.sync.parts import Linear, at

NOW = pendulum.datetime(2026, 1, 10, 12, tz="UTC")
CREATED = at(1)
VIEWER = {"id": "v1", "name": "Ada", "email": "a@x", "admin": True}
ACME = {"id": "w1", "name": "Acme", "urlKey": "acme", "createdAt": CREATED}


@pytest.fixture(autouse=True)
def log(caplog):
    caplog.set_level(logging.INFO, "airbyte")
    return caplog


def replies(*teams, asked=(), **changes):
    made = {"viewer": VIEWER, "organization": ACME, "counted": {"createdIssueCount": 17}}
    made |= {
        name: {"nodes": [one and {"key": one} for one in keys]}
        for name, keys in (("teams", teams), ("asked", asked))
    }
    return {
        name: one if isinstance(one, type(OUTAGE)) else Reply(one) for name, one in (made | changes).items()
    }


OUTAGE = failure("", "NO_ANSWER", "silence")


def test_who_asks_and_of_which_workspace_is_known_from_the_answer():
    found = workspace_of(replies(), ())
    assert found == Workspace(VIEWER, ACME, 17)
    assert (found.created, found.owner) == (CREATED, {"id": "w1", "name": "Acme", "viewer": "v1"})


@pytest.mark.parametrize(
    ("organization", "name"), [({"name": ""}, "acme"), ({"name": None, "urlKey": None}, "")]
)
def test_a_workspace_without_a_name_is_called_by_its_key(organization, name):
    assert Workspace(VIEWER, {**ACME, **organization}).owner["name"] == name


@pytest.mark.parametrize(
    ("told", "issues"),
    [(None, 0), (17, 17), (17.9, 17), (float("inf"), 0), (float("nan"), 0), ("17", 0), (1e12, 10**9)],
)
def test_a_count_of_issues_that_is_none_is_not_known(told, issues):
    assert workspace_of(replies(counted={"createdIssueCount": told}), ()).issues == issues


def test_the_count_of_issues_may_fail_and_nothing_else_may():
    assert workspace_of(replies(counted=OUTAGE), ()).issues == 0
    for name in ("viewer", "organization"):
        with pytest.raises(LinearError, match="silence"):
            workspace_of(replies(**{name: OUTAGE}), ())


def test_teams_are_asked_for_where_they_matter():
    assert set(questions(())) == {"viewer", "organization", "counted"}
    assert set(questions(("ENG",))) == {"viewer", "organization", "counted", "teams", "asked"}
    query, variables = document("sync", questions(("ENG", "OPS")))
    assert variables == {"keys": ["ENG", "OPS"]}
    assert "teams(first: 250, includeArchived: true, filter: {key: {in: $keys}}) { nodes { key } }" in query


def test_a_team_that_is_not_there_is_a_config_error_that_names_those_that_are():
    with pytest.raises(AirbyteTracedException) as caught:
        workspace_of(replies("ENG", "OPS", None), ("XYZ", "ENG", "ABC"))
    assert caught.value.message == ("team_keys: the workspace has no team ABC, XYZ; its teams are ENG, OPS.")
    assert workspace_of(replies("ENG", asked=("FAR",)), ("ENG", "FAR")).issues == 17, (
        "there may be many teams"
    )


def test_its_questions_are_ones_that_linear_answers():
    api = Linear({"viewer": VIEWER, "organization": {**ACME, "createdIssueCount": 3}, "teams": []})
    found = Lister(api).ask(questions(()))
    assert workspace_of(found, ()) == Workspace(VIEWER, ACME, 3)
    assert len(api.asked) == 1


# Linear's clock


def moment(date=None, *stamps, now=NOW, created=CREATED):
    headers = {} if date is None else {"Date": date}
    return time_of(headers, stamps, created, now).strftime("%d %H:%M:%S")


def test_the_time_is_the_date_of_linears_answer(log):
    assert moment("Sat, 10 Jan 2026 11:59:30 GMT", at(10, "11:59:00.000")) == "10 11:59:30"
    assert log.messages == []


@pytest.mark.parametrize(
    ("date", "said"), [("Sat, 10 Jan 2026 12:01:00 GMT", False), ("Sat, 10 Jan 2026 12:01:01 GMT", True)]
)
def test_clocks_may_be_a_minute_apart(log, date, said):
    assert moment(date) == ("10 12:00:00" if said else "10 12:01:00")
    assert bool(log.messages) is said


def test_a_date_later_than_our_own_clock_counts_as_our_own(log):
    assert moment("Sun, 11 Jan 2026 12:00:00 GMT") == "10 12:00:00"
    assert log.messages == [
        "Linear's response has a Date header later than this machine's clock: this sync reads changes up to "
        "2026-01-10T12:00:00.000Z. Check the clock of this machine, and the proxy if there is one."
    ]


def test_a_stamp_of_linear_that_is_later_than_our_own_clock_is_later_than_it():
    assert moment("Sun, 11 Jan 2026 12:00:00 GMT", at(10, "12:00:50.000")) == "10 12:00:50"


def test_a_date_earlier_than_stamps_of_its_own_rows_is_none(log):
    assert (
        moment("Sat, 10 Jan 2026 09:00:00 GMT", at(10, "11:00:00.000"), at(10, "10:00:00.000"))
        == "10 11:00:00"
    )
    assert "a Date header earlier than stamps of its own rows" in log.messages[0]
    assert moment("Sat, 10 Jan 2026 10:59:00 GMT", at(10, "11:00:00.000")) == "10 10:59:00"


@pytest.mark.parametrize("date", [None, "", "yesterday", "2026-01-10"])
def test_without_a_date_it_is_the_newest_stamp_that_linear_has_set(log, date):
    assert moment(date, at(9), at(8)) == "09 00:00:00"
    assert "no valid Date header" in log.messages[0]
    assert moment(date) == "01 00:00:00", "when the workspace was created"


def test_stamps_that_lie_ahead_or_are_none_tell_nothing():
    assert moment(None, at(9), at(20), "nonsense", "2026") in ("09 00:00:00", "01 00:00:00")
    assert moment(None, at(9), at(20)) == "09 00:00:00"
