"""The plan: from states and what the probe found to what each stream reads."""

import logging
from dataclasses import replace

import pendulum
import pytest
from airbyte_cdk.models import FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_linear.state import StreamState
from source_linear.sync.listed import Listed, Since
from source_linear.sync.plan import Start, begin_of, due, scope_of, slices, start_of
from source_linear.sync.probe import Finding
from source_linear.sync.reader import Slice
from source_linear.sync.workspace import Workspace
from unit_tests.sync.parts import WORKSPACE, at, history, option, spans, stream

END = pendulum.datetime(2026, 1, 10, tz="UTC")
ACME = Workspace({"id": "v1"}, {"id": "w1", "name": "Acme", "createdAt": "2025-12-31T00:00:00.000Z"}, 10)
OF_TEAMS = {"team": {"key": {"in": "TEAM_KEYS"}}}
STREAM = stream(team_filter=OF_TEAMS)
STATE = StreamState(
    cursor=at(9), workspace=WORKSPACE, scope={}, walked=at(9), length=1234, due=False, high=at(9)
)


@pytest.fixture(autouse=True)
def log(caplog):
    caplog.set_level(logging.INFO, "airbyte")
    return caplog


def start(state=STATE, of=STREAM, workspace=ACME, end=END, **options):
    return start_of(of, state, workspace, end, option(**options))


# Where a stream goes on


def test_a_stream_goes_on_a_minute_before_its_cursor(log):
    assert start() == Start(STATE, at(10), at(8, "23:59:00.000"))
    assert log.messages == []


def test_a_stream_without_a_state_is_read_from_the_beginning_and_knows_whose_rows_they_are(log):
    found = start(StreamState())
    assert (found.begin, found.end) == (None, at(10))
    assert found.state == StreamState(workspace=WORKSPACE, scope={})
    assert begin_of(STREAM, StreamState()) is None
    assert log.messages == []


def test_a_state_of_another_workspace_is_a_config_error_that_names_both():
    other = replace(STATE, workspace={"id": "w2", "name": "Umbrella", "viewer": "v1"})
    with pytest.raises(AirbyteTracedException) as caught:
        start(other)
    assert caught.value.failure_type is FailureType.config_error
    assert caught.value.message == (
        "state: stream things was copied from the workspace Umbrella, and these credentials are of the "
        "workspace Acme. Use credentials of the first one, or clear the state and the destination to copy "
        "the second one."
    )


def test_a_workspace_without_a_name_is_called_by_its_id():
    with pytest.raises(AirbyteTracedException, match="from the workspace w2, and"):
        start(replace(STATE, workspace={"id": "w2"}))


def test_a_cursor_alone_goes_on_without_a_warning(log):
    found = start(StreamState(cursor=at(9)))
    assert found.begin == at(8, "23:59:00.000")
    assert log.messages == []


@pytest.mark.parametrize(
    ("before", "options", "change"),
    [
        (
            {"workspace": {**WORKSPACE, "viewer": "v2"}},
            {},
            "The credentials are another user's than those of its state, and may see other rows",
        ),
        ({"scope": {"team_keys": ["ENG"]}}, {}, "team_keys was ENG and is not set"),
        ({}, {"team_keys": ("OPS", "ENG")}, "team_keys was not set and is ENG, OPS"),
        ({"scope": {"start_date": at(3)}}, {}, f"start_date was {at(3)} and is not set"),
        ({"scope": {"start_date": at(3)}}, {"start_date": at(2)}, f"start_date was {at(3)} and is {at(2)}"),
    ],
)
def test_another_owner_other_teams_and_an_earlier_start_date_read_all_over_the_copy(
    log, before, options, change
):
    found = start(replace(STATE, **before), **options)
    assert (found.begin, found.state.cursor, found.state.due) == (None, None, True)
    assert (found.state.walked, found.state.high) == (STATE.walked, STATE.high), (
        "the destination does not change"
    )
    assert log.messages == [
        f"Stream things: {change}. It is read from the beginning, over the copy that is there: about 1,234 "
        "rows. Rows that are no longer seen are reported as deleted, up to 512 of them. A refresh of the "
        "stream, destination included, removes all."
    ]


def test_where_it_is_not_known_how_many_rows_there_are_all_are_read(log):
    start(replace(STATE, length=0, scope={"team_keys": ["ENG"]}))
    assert "about all rows" in log.messages[0]


def test_what_changed_before_anything_was_sent_is_not_worth_a_word(log):
    found = start(StreamState(workspace={**WORKSPACE, "viewer": "v2"}, scope={"team_keys": ["A"]}))
    assert found.begin is None and log.messages == []


@pytest.mark.parametrize(
    ("before", "options"),
    [
        ({"scope": {"team_keys": ["ENG", "OPS"]}}, {"team_keys": ("OPS", "ENG", "OPS")}),
        ({"scope": {"start_date": at(3)}}, {"start_date": at(4)}),
        ({"scope": {}}, {"start_date": at(4)}),
        ({"scope": None}, {"team_keys": ("ENG",), "start_date": at(2)}),
        ({"workspace": {}}, {}),
    ],
)
def test_what_is_no_less_than_before_goes_on(log, before, options):
    assert start(replace(STATE, **before), **options).begin == at(8, "23:59:00.000")
    assert log.messages == []


def test_a_copy_holds_rows_since_the_earliest_start_date_that_it_had():
    found = start(replace(STATE, scope={"start_date": at(3)}), start_date=at(4))
    assert found.state.scope == {"start_date": at(3)}
    assert start(replace(STATE, scope={}), start_date=at(4)).state.scope == {}  # it holds all
    never = replace(STATE, scope={"start_date": at(3)}, walked=None)
    assert start(never, start_date=at(4)).state.scope == {"start_date": at(4)}


@pytest.mark.parametrize(
    ("of", "scope"),
    [
        (stream(), {"start_date": at(4)}),
        (STREAM, {"team_keys": ["ENG", "OPS"], "start_date": at(4)}),
        (stream("swept", team_filter=OF_TEAMS), {"team_keys": ["ENG", "OPS"]}),
        (stream("feed"), {}),
        (history(), {"start_date": at(4)}),
    ],
)
def test_only_the_options_that_decide_about_a_streams_rows_are_remembered(of, scope):
    assert scope_of(of, option(team_keys=("OPS", "ENG", "OPS"), start_date=at(4))) == scope
    assert scope_of(of, option()) == {}


# Clocks that go back


def test_the_end_of_a_sync_is_not_before_its_cursor():
    ahead = replace(STATE, cursor=at(10, "00:01:00.000"))
    assert start(ahead) == Start(ahead, at(10, "00:01:00.000"), at(10))


def test_a_cursor_that_is_a_little_ahead_reads_the_day_before_again(log):
    found = start(replace(STATE, cursor=at(10, "00:01:00.001")))
    assert (found.state.cursor, found.begin, found.end) == (at(9), at(8, "23:59:00.000"), at(10))
    assert log.messages == [
        f"Stream things: its state, {at(10, '00:01:00.001')}, is in the future; reading from {at(9)}."
    ]


def test_a_cursor_that_is_a_day_ahead_reads_the_day_before_again_and_one_more_reads_all(log):
    assert start(replace(STATE, cursor=at(11))).state.cursor == at(9)
    assert start(replace(STATE, cursor=at(11, "00:00:00.001"))).begin is None
    assert log.messages[1].endswith("is in the future; reading from the beginning.")


# Which lists are walked

LONG, OTHER = stream(), stream("feed", name="others", entity="Other")
HISTORY, SPANS = history(), spans()
STREAMS = {one.name: one for one in (LONG, OTHER, HISTORY, SPANS, stream("swept", name="small"))}
HOURS = 24.0


def walks(hours, states=None, every=HOURS, streams=STREAMS):
    given = dict.fromkeys(streams, replace(STATE, walked=at(1))) | (states or {})
    return due(streams, given, option(detect_deletions=every), pendulum.datetime(2026, 1, 1).add(hours=hours))


def test_each_long_list_is_walked_in_time_and_short_ones_are_none_of_it():
    assert walks(0) == set()
    assert walks(HOURS) == {"things", "others", "thing_history", "thing_spans"}


def test_where_deletions_are_not_looked_for_nothing_is_walked():
    assert walks(1000, {"things": replace(STATE, walked=None)}, every=None) == set()


def test_where_each_sync_looks_for_deletions_all_are_walked():
    assert walks(0, every=0.0) == {"things", "others", "thing_history", "thing_spans"}


@pytest.mark.parametrize("state", [replace(STATE, walked=None), replace(STATE, walked=at(1), due=True)])
def test_what_was_never_walked_or_has_something_promised_is_walked_at_once_with_all_of_its_parent(state):
    assert walks(0, {"things": state}) == {"things", "thing_history", "thing_spans"}
    assert walks(0, {"others": state}) == {"others"}


def test_not_all_lists_come_due_in_one_sync():
    many = {f"s{n}": stream("feed", name=f"s{n}", entity=f"E{n}") for n in range(20)}
    counts = [len(walks(hours, streams=many)) for hours in (17.9, 19.5, 21, 22.5, 24)]
    assert counts[0] == 0 and counts[-1] == 20
    assert counts == sorted(counts) and len(set(counts)) == 5
    assert walks(21, streams=many) == walks(21, streams=many)


def test_what_has_no_list_is_not_walked():
    thing = stream("feed", name="thing", connection=False)
    assert walks(1000, streams={"thing": thing}) == set()


# Slices

BEGIN = at(8, "23:59:00.000")


def cut(of=STREAM, begin=BEGIN, finding=None, workspace=ACME, state=STATE):
    return slices(of, Start(state, at(10), begin), finding or Finding(), workspace)


def test_nothing_is_read_of_a_stream_of_which_nothing_changed():
    assert cut(finding=Finding(changed=())) == []


def test_a_few_rows_are_read_by_their_ids_each_once():
    found = cut(finding=Finding(changed=("a", "b"), moved=("b", "c")))
    assert found == [Slice(start=at(8, "23:59:00.000"), ids=("a", "b", "c"))]
    assert cut(finding=Finding(changed=(), moved=("c",))) == [Slice(start=at(8, "23:59:00.000"), ids=("c",))]


@pytest.mark.parametrize("of", [stream("swept"), stream("feed"), history()])
def test_what_is_no_window_is_read_at_once_and_without_an_end(of):
    begin = at(8, "23:59:00.000")
    assert cut(of, finding=Finding(moved=("c",))) == [
        Slice(start=begin, ids=("c",)),
        Slice(start=begin, first=True),
    ]


def test_a_later_sync_is_cut_into_windows_the_last_one_without_an_upper_bound():
    large = replace(ACME, issues=100_000)
    found = cut(begin=at(4), workspace=large)
    assert found == [
        Slice(at(4), at(6), first=True, until=at(6)),
        Slice(at(6, "00:00:00.001"), at(8), until=at(8)),
        Slice(at(8, "00:00:00.001"), None),
    ]
    assert cut(begin=at(4)) == [Slice(at(4), None, first=True)]


def test_no_window_is_shorter_than_a_day():
    large = replace(ACME, issues=100_000)
    assert [one.end for one in cut(begin=at(8), workspace=large)] == [at(9), None]
    assert [one.end for one in cut(begin=at(8, "00:00:00.001"), workspace=large)] == [None]


def test_windows_begin_where_the_workspace_does():
    large = replace(ACME, issues=100_000, organization={**ACME.organization, "createdAt": at(4)})
    found = cut(begin="2020-01-01T00:00:00.000Z", workspace=large)
    assert [(one.start, one.end) for one in found] == [
        ("2020-01-01T00:00:00.000Z", at(6)),
        (at(6, "00:00:00.001"), at(8)),
        (at(8, "00:00:00.001"), None),
    ]


def test_a_first_read_goes_by_creation_and_its_first_slice_is_open_to_the_past():
    large = replace(ACME, issues=100_000, organization={**ACME.organization, "createdAt": at(4)})
    state = StreamState(scope={"start_date": at(2)})
    assert cut(begin=None, workspace=large, state=state) == [
        Slice(None, at(6), "createdAt", at(2), until=at(6)),
        Slice(at(6, "00:00:00.001"), at(8), "createdAt", at(2), until=at(8)),
        Slice(at(8, "00:00:00.001"), None, "createdAt", at(2)),
    ]


@pytest.mark.parametrize("kind", ["swept", "feed"])
def test_a_first_read_of_what_cannot_be_filtered_is_one_slice(kind):
    large = replace(ACME, issues=100_000)
    assert cut(stream(kind), None, workspace=large, state=StreamState()) == [Slice(field="createdAt")]


def test_a_first_read_of_a_list_that_was_walked_knows_how_many_rows_there_are():
    listed = Listed(Since(None, None, "", at(10)), nodes={"things": 17})
    found = cut(begin=None, finding=Finding(listed=listed), state=StreamState())
    assert [one.nodes for one in found] == [{"things": 17}]
    large = replace(ACME, issues=100_000)
    slices_ = cut(begin=None, finding=Finding(listed=listed), state=StreamState(), workspace=large)
    assert [one.nodes for one in slices_] == [{"things": 6}] * 3
    assert cut(begin=None, state=StreamState())[0].nodes is None
