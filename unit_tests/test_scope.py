"""What a copy will not get when its options changed, in a sentence for each of them."""

import pytest
from airbyte_cdk.models import (
    AirbyteStateMessageSerializer,
    ConfiguredAirbyteStream,
    ConfiguredAirbyteStreamSerializer,
)

from source_linear.scope import missed, renew, scope_of
from source_linear.state import StreamStates
from tools.schemas import streams

DECLARED = {stream.name: stream for stream in streams()}
CURSOR = "2026-01-31T08:15:00.123Z"
OPTIONS = {"archived_rows": "exclude", "team_keys": ["OPS", "ENG", "ENG"], "start_date": "2024-01-01"}


def configured(*names, sync_mode="incremental") -> dict[str, ConfiguredAirbyteStream]:
    return {
        name: ConfiguredAirbyteStreamSerializer.load(
            {
                "stream": {"name": name, "json_schema": {}, "supported_sync_modes": ["incremental"]},
                "sync_mode": sync_mode,
                "destination_sync_mode": "append",
            }
        )
        for name in names
    }


def states_of(**states):
    return StreamStates(
        [
            AirbyteStateMessageSerializer.load(
                {"type": "STREAM", "stream": {"stream_descriptor": {"name": name}, "stream_state": state}}
            )
            for name, state in states.items()
        ],
        DECLARED,
    )


def warnings(before, config, *names, cursor=CURSOR, sync_mode="incremental"):
    """What is warned of when streams with this scope in their state are read with this configuration."""
    names = names or ("issues",)
    beside = {} if before is None else {"scope": before}
    states = states_of(**{name: {DECLARED[name].cursor_field: cursor, **beside} for name in names})
    return renew(states, configured(*names, sync_mode=sync_mode), DECLARED, config)


def test_a_scope_holds_what_matters_to_the_stream_and_is_not_the_default():
    everything = {
        "archived_rows": "exclude",
        "team_keys": ["ENG", "OPS"],
        "start_date": "2024-01-01T00:00:00.000Z",
    }
    assert scope_of(DECLARED["issues"], OPTIONS) == everything
    assert scope_of(DECLARED["issue_history"], OPTIONS) == everything
    assert scope_of(DECLARED["users"], OPTIONS) == {"archived_rows": "exclude"}
    assert scope_of(DECLARED["projects"], OPTIONS).keys() == {"archived_rows", "team_keys"}
    assert scope_of(DECLARED["attachments"], OPTIONS).keys() == {"archived_rows", "start_date"}
    defaults = {"archived_rows": "flag", "team_keys": [], "num_workers": 4}
    assert scope_of(DECLARED["issues"], defaults) == scope_of(DECLARED["issues"], {}) == {}


@pytest.mark.parametrize(
    "before", [None, "x", 7, {"team_keys": 7}, {"team_keys": [7]}, {"archived_rows": []}]
)
def test_a_state_that_remembers_no_scope_of_ours_is_not_warned_of(before):
    assert warnings(before, OPTIONS) == []


@pytest.mark.parametrize("config", [{}, OPTIONS])
def test_a_scope_that_stayed_is_not_warned_of(config):
    names = ("issues", "users", "projects", "issue_state_spans")
    for name in names:
        assert warnings(scope_of(DECLARED[name], config), config, name) == []


@pytest.mark.parametrize(
    ("before", "now", "says"),
    [
        (
            ["ENG"],
            ["ENG", "OPS"],
            "it was ENG and is ENG, OPS; existing rows of the added teams are sent only when they",
        ),
        (
            ["ENG"],
            [],
            "it was ENG and is not set; existing rows of the added teams are sent only when they change",
        ),
        (
            ["ENG", "OPS"],
            ["ENG"],
            "it was ENG, OPS and is ENG; copied rows of the removed teams are no longer",
        ),
        ([], ["ENG"], "it was not set and is ENG; copied rows of the removed teams are no longer"),
    ],
)
def test_teams_that_came_in_or_went_out_are_named(before, now, says):
    (warning,) = warnings({"team_keys": before}, {"team_keys": now})
    assert warning.startswith(f"team_keys was changed since the state of issues was written: {says}")
    assert warning.endswith("Refresh these streams (clear their state) to correct the copy.")


def test_teams_that_took_the_place_of_others_are_warned_of_in_both_ways():
    came, went = warnings({"team_keys": ["ENG"]}, {"team_keys": ["OPS"]})
    assert "added teams" in came and "removed teams" in went


@pytest.mark.parametrize("now", [{}, {"start_date": "2023-01-01"}])
def test_an_earlier_start_date_brings_nothing_of_before_the_former_one(now):
    (warning,) = warnings({"start_date": "2024-01-01T00:00:00.000Z"}, now)
    assert "start_date was changed since the state of issues was written: rows last changed" in warning
    assert "before 2024-01-01T00:00:00.000Z, the previous start date, are not sent" in warning


def test_a_later_start_date_takes_nothing_away_unless_it_is_later_than_the_state():
    before = {"start_date": "2023-01-01T00:00:00.000Z"}
    assert warnings(before, {"start_date": "2024-01-01"}) == []
    (warning,) = warnings(before, {"start_date": "2024-01-01"}, cursor="2023-05-01T00:00:00.000Z")
    assert "changes in between, until 2024-01-01T00:00:00.000Z, are not sent" in warning


CHANGES = {
    ("flag", "delete"): "not marked as deleted",
    ("delete", "flag"): "are not restored",
    ("exclude", "flag"): "archived before are not sent",
    ("exclude", "delete"): "archived before are not sent",
    ("flag", "exclude"): "still look active",
    ("delete", "exclude"): "still look active",
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_of_archived_rows_says_what_the_copy_will_not_get(change):
    before, now = ({} if option == "flag" else {"archived_rows": option} for option in change)
    ((option, what),) = missed(before, now, CURSOR)
    assert option == "archived_rows"
    assert what.startswith(f"it was {change[0]} and is {change[1]}; ") and CHANGES[change] in what


def test_a_change_is_told_once_with_the_streams_that_it_is_about():
    names = ("issues", "users", "projects", "comments")
    (warning,) = warnings({}, {"team_keys": ["ENG"]}, *names)
    assert "the state of issues, projects, comments was written" in warning
    (warning,) = warnings({}, {"archived_rows": "exclude"}, *names)
    assert "the state of all streams was written" in warning


def test_a_stream_that_starts_afresh_is_not_warned_of():
    states = states_of(users={})
    assert renew(states, configured("issues", "users"), DECLARED, OPTIONS) == []


def test_a_full_refresh_that_goes_on_from_a_state_says_so_and_what_to_do():
    (warning,) = warnings(None, {}, "users", sync_mode="full_refresh")
    assert warning.startswith("Full refresh of users: it continues from the state")
    assert "clear the state of these streams" in warning and "omit --state" in warning
    states = states_of()
    assert renew(states, configured("users", sync_mode="full_refresh"), DECLARED, {}) == []
