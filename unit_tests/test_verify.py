"""make verify: its claims are the facts of linear-api.md, it holds its bound, nothing holds unseen."""

from collections import Counter

import orjson
import pytest

from tools.verify.asking import BoundReached, Meter, NotAQuery
from tools.verify.claim import Findings, Verdict, found, unseen
from tools.verify.claims import CLAIMS
from tools.verify.facts import COVERED, NOT_CHECKABLE, looked_at
from tools.verify.watch import Event, claims, happened
from tools.verify.words import shown
from unit_tests.test_facts import IDS

QUERY = orjson.dumps({"query": "query one { viewer { id } }"})


def test_each_fact_is_looked_at_or_not_checkable_for_a_reason_and_never_both():
    looked = set(looked_at())
    assert looked & set(NOT_CHECKABLE) == set()
    assert sorted(looked | set(NOT_CHECKABLE)) == sorted(IDS)


def test_each_fact_has_one_claim():
    assert [fact for fact, count in Counter(one.fact for one in CLAIMS).items() if count > 1] == []


def test_what_covers_a_fact_is_a_claim():
    assert {name for names in COVERED.values() for name in names} <= {one.fact for one in CLAIMS}
    assert set(COVERED) & {one.fact for one in CLAIMS} == set()


def test_each_claim_says_what_is_expected_and_what_a_difference_means():
    for one in (*CLAIMS, *claims([])):
        assert one.expected and one.means.endswith("."), one.fact


def test_nothing_holds_of_which_nothing_was_compared():
    assert unseen("there are no rows").verdict is Verdict.UNSEEN
    assert found(0, 0, "0 rows").verdict is Verdict.UNSEEN
    assert found(3, 0, "3 rows").verdict is Verdict.HOLDS
    assert found(3, 1, "3 rows").verdict is Verdict.DIFFERS


@pytest.mark.parametrize(("compared", "differing"), [(0, 0), (0, 1), (2, 3), (2, -1)])
def test_findings_that_cannot_be_are_refused(compared, differing):
    with pytest.raises(ValueError):
        Findings(compared, differing, "seen")


def test_the_bound_on_requests_is_held_before_the_next_one_is_sent():
    meter = Meter(most_requests=2)
    meter.sending(QUERY)
    meter.sending(QUERY)
    with pytest.raises(BoundReached, match="2 requests"):
        meter.sending(QUERY)
    assert meter.requests == 2


def test_the_bound_on_points_is_held_by_what_the_next_request_may_cost():
    meter = Meter(most_points=100)
    with meter.expecting(60.0):
        meter.sending(QUERY)
        with pytest.raises(BoundReached, match="100 points"):
            meter.sending(QUERY)
    assert (meter.requests, meter.points) == (1, 60.0)


def test_a_request_costs_what_is_billed_or_what_was_predicted_where_linear_does_not_say():
    meter = Meter()
    with meter.expecting(60.0):
        meter.sending(QUERY)
        meter.received(200, {"X-Complexity": "3"}, b'{"data": {}}')
        assert meter.points == 3
        meter.sending(QUERY)
        meter.received(400, {}, b"{}")
    assert meter.points == 63


@pytest.mark.parametrize(
    "document",
    [
        "mutation { issueDelete(id: 1) { success } }",
        "query a { viewer { id } } mutation b { issueDelete(id: 1) { success } }",
        "subscription { issueUpdated { id } }",
    ],
)
def test_nothing_but_a_query_is_sent(document):
    with pytest.raises(NotAQuery):
        Meter().sending(orjson.dumps({"query": document}))


def test_of_a_text_of_linears_only_known_words_are_shown():
    said = "You must be a workspace admin to interact with Project Zeus of ada@acme.example (42)."
    assert shown(said) == "You must be a workspace admin to interact with Project … of …)."
    assert shown("Feature 'Customers' is not enabled") == "Feature 'Customers' is not enabled"


ISSUE = {
    "id": "1",
    "createdAt": "2026-01-01T00:00:00.000Z",
    "updatedAt": "2026-01-01T00:00:00.000Z",
    "archivedAt": None,
    "trashed": None,
    "comments": {"nodes": []},
}
ARCHIVED = ISSUE | {"archivedAt": "2026-01-01T00:00:09.000Z"}
TRASHED = ARCHIVED | {"trashed": True}


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        ({}, {}, []),
        ({}, ISSUE, ["created"]),
        (ISSUE, ISSUE, []),
        (ISSUE, ISSUE | {"comments": {"nodes": [{"id": "c"}]}}, ["commented"]),
        (ISSUE, ISSUE | {"updatedAt": "2026-01-01T00:00:05.000Z"}, ["changed"]),
        (ISSUE, ARCHIVED, ["archived"]),
        (ARCHIVED, ISSUE, ["unarchived"]),
        (ISSUE, TRASHED, ["deleted"]),
        (TRASHED, ISSUE, ["restored"]),
        (TRASHED, {}, ["purged"]),
    ],
)
def test_what_happened_to_an_issue_is_told_from_its_stamps(before, after, kinds):
    assert happened(before, after) == kinds


def test_what_happened_together_bears_no_witness():
    both = TRASHED | {"comments": {"nodes": [{"id": "c"}]}, "updatedAt": "2026-01-01T00:00:09.000Z"}
    events = [Event(kind, ISSUE, both, None) for kind in happened(ISSUE, both)]
    verdicts = {one.fact: one.look(None).verdict for one in claims(events)}  # type: ignore[arg-type]
    assert verdicts["UPDATED-2"] is Verdict.UNSEEN
    assert verdicts["ARCHIVING-4"] is Verdict.HOLDS


def test_an_issue_that_was_not_watched_bears_no_witness():
    assert {one.look(None).verdict for one in claims([])} == {Verdict.UNSEEN}  # type: ignore[arg-type]
