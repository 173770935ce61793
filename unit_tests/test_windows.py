"""Which rows a slice reads."""

from datetime import UTC, datetime

import pytest
from airbyte_cdk.sources.types import StreamSlice

from source_linear.sync.windows import Window, WindowState
from tools.schemas import streams

STREAMS = {stream.kind: stream for stream in streams() if stream.has_own_dates}
SYNC = {"start": "2024-01-01T00:00:00.000Z", "end": "2026-01-01T00:00:00.000Z"}


def window(kind="windowed", start="2025-01-01T00:00:00.000Z", end="2025-06-30T23:59:59.999Z", **sync):
    stream_slice = StreamSlice(partition={}, cursor_slice={"start_time": start, "end_time": end})
    return Window.of(stream_slice, STREAMS[kind], {**SYNC, **sync})


def filter_of(made):
    """The filter that the server is sent for a window, from what the manifest's cursor makes of its slice."""
    field = made.bounds.field
    start = made.start or made.bounds.start
    return made.filter({field: {"gte": start, "lte": made.end}})


def row(updated, archived=None):
    return {"updatedAt": updated, "archivedAt": archived}


def test_a_window_is_closed_at_both_ends():
    assert filter_of(window()) == {
        "updatedAt": {"gte": "2025-01-01T00:00:00.000Z", "lte": "2025-06-30T23:59:59.999Z"}
    }


def test_the_first_window_of_a_first_read_is_open_to_the_past():
    first = window(start=SYNC["start"], open=True, field="createdAt")
    assert filter_of(first) == {"createdAt": {"lte": "2025-06-30T23:59:59.999Z"}}


def test_later_windows_of_a_first_read_are_not_open():
    assert filter_of(window(open=True, field="createdAt"))["createdAt"]["gte"] == "2025-01-01T00:00:00.000Z"


def test_a_full_read_with_a_start_date_goes_by_creation_and_asks_for_what_changed_since():
    full = window(
        start=SYNC["start"], open=True, full=True, field="createdAt", since="2025-03-01T00:00:00.000Z"
    )
    assert filter_of(full) == {
        "createdAt": {"lte": "2025-06-30T23:59:59.999Z"},
        "updatedAt": {"gte": "2025-03-01T00:00:00.000Z"},
    }


def test_issues_are_also_asked_for_archivings_of_rows_older_than_the_sync():
    assert filter_of(window(archived_before="2025-01-01T00:00:00.000Z"))["or"][1] == {
        "archivedAt": {"gte": "2025-01-01T00:00:00.000Z", "lte": "2025-06-30T23:59:59.999Z"},
        "updatedAt": {"lt": "2025-01-01T00:00:00.000Z"},
    }


def test_issues_are_also_asked_for_attachments_that_changed_once_a_sync_and_only_from_a_state():
    start = {"archived_before": "2025-01-01T00:00:00.000Z"}
    in_time = {"gte": "2025-01-01T00:00:00.000Z", "lte": SYNC["end"]}
    *others, attached = filter_of(window(follows=True, **start))["or"]
    assert attached == {
        "attachments": {"some": {"updatedAt": in_time}},
        "updatedAt": {"lt": "2025-01-01T00:00:00.000Z"},
    }
    assert filter_of(window(follows=False, **start))["or"] == others
    later = window(follows=True, start="2025-03-01T00:00:00.000Z", **start)
    assert all("attachments" not in one for one in filter_of(later)["or"])


def test_changed_parents_are_asked_for_from_a_minute_before_and_without_an_upper_bound():
    assert filter_of(window(kind="child")) == {"updatedAt": {"gte": "2024-12-31T23:59:00.000Z"}}


@pytest.mark.parametrize(
    ("updated", "archived", "wanted"),
    [
        ("2025-01-01T00:00:00.000Z", None, True),
        ("2025-06-30T23:59:59.999Z", None, True),
        ("2024-12-31T23:59:59.999Z", None, False),
        ("2025-07-01T00:00:00.000Z", None, False),
        ("2024-01-01T00:00:00.000Z", "2025-02-01T00:00:00.000Z", True),
        ("2024-01-01T00:00:00.000Z", "2024-02-01T00:00:00.000Z", False),
        ("2025-07-01T00:00:00.000Z", "2025-02-01T00:00:00.000Z", False),
    ],
)
def test_a_sweep_wants_what_was_updated_or_archived_in_time_but_nothing_updated_later(
    updated, archived, wanted
):
    assert window(kind="swept").holds(row(updated, archived)) is wanted


def test_a_full_sweep_wants_everything():
    assert window(kind="swept", full=True).holds(row("2030-01-01T00:00:00.000Z"))


def test_the_state_is_the_end_of_what_was_read_without_a_gap():
    state = WindowState()
    moments = [datetime(2025, month, 1, tzinfo=UTC) for month in (1, 2, 3, 4)]
    slices = [
        {"start": moments[0], "end": moments[1], "most_recent_cursor_value": moments[0]},
        {"start": moments[2], "end": moments[3], "most_recent_cursor_value": moments[3]},
    ]
    assert state._get_latest_complete_time(slices) == moments[1]


def test_a_row_without_archivedAt_is_wanted_when_it_was_updated_in_time():
    swept = window("swept")
    assert swept.holds({"updatedAt": "2025-03-01T00:00:00.000Z"})
    assert not swept.holds({"updatedAt": "2024-03-01T00:00:00.000Z"})
