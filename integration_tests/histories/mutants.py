"""Mutants: the connector with one of its safeguards taken out. Histories must notice each of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from airbyte_cdk.sources.streams.concurrent.state_converters.datetime_stream_state_converter import (
    CustomFormatConcurrentStreamStateConverter,
)

from source_linear import source
from source_linear.streams import CURSOR_FIELD, Record
from source_linear.sync import bounds
from source_linear.sync.copies import Copy
from source_linear.sync.deletions import Deletions
from source_linear.sync.probe import Probe
from source_linear.sync.sketch import Sketch
from source_linear.sync.walks import Walk, Whole
from source_linear.sync.windows import Window, WindowState

Mutant = AbstractContextManager[Any]

_NEVER = "9999-12-31T23:59:59.999Z"
_filter = Window.filter


@contextmanager
def _both(one: Mutant, other: Mutant) -> Iterator[None]:
    with one, other:
        yield


def without_upper_bound() -> Mutant:
    """What changes after the start of the sync is read as well."""
    window_of = Window.of

    def unbounded(*given: Any) -> Window:
        window = window_of(*given)
        if window.end != window.bounds.end:
            return window
        return replace(window, end=_NEVER, rows=(window.rows[0], None))

    def later(window: Window, declared: Any) -> Any:
        ends = {field: {**interval, "lte": window.end} for field, interval in declared.items()}
        return _filter(window, ends)

    return _both(patch.object(Window, "of", unbounded), patch.object(Window, "filter", later))


def with_the_newest_row_as_state() -> Mutant:
    """The state is what the CDK makes of it: the newest cursor value that was seen."""
    theirs = CustomFormatConcurrentStreamStateConverter._get_latest_complete_time
    return patch.object(WindowState, "_get_latest_complete_time", theirs)


def with_gt_on_the_server() -> Mutant:
    """Filters ask for what changed after the last sync's end, not at it."""

    def later(value: Any) -> Any:
        if isinstance(value, dict):
            return {"gt" if name == "gte" else name: later(item) for name, item in value.items()}
        return [later(item) for item in value] if isinstance(value, list) else value

    return patch.object(Window, "filter", lambda window, declared: later(_filter(window, declared)))


def with_gt_in_lists() -> Mutant:
    """Of lists that are read whole, what changed after the last sync's end is taken, not at it."""

    def holds(window: Window, row: Record, since: str | None = None) -> bool:
        first, last = window.rows
        first = first if since is None else since
        updated, archived = row[CURSOR_FIELD], row["archivedAt"]
        if last is not None and updated > last:
            return False
        return first is None or updated > first or (archived is not None and archived > first)

    return patch.object(Window, "holds", holds)


def without_archived_on_the_server() -> Mutant:
    """Filters do not ask for what was archived."""

    def unarchived(window: Window, declared: Any) -> Any:
        return _filter(replace(window, bounds=replace(window.bounds, archived_before=None)), declared)

    return patch.object(Window, "filter", unarchived)


def without_archived_in_lists() -> Mutant:
    """Of lists that are read whole, only what was updated is taken."""

    def holds(window: Window, row: Record, since: str | None = None) -> bool:
        first, last = window.rows
        first = first if since is None else since
        return (last is None or row[CURSOR_FIELD] <= last) and (first is None or row[CURSOR_FIELD] >= first)

    return patch.object(Window, "holds", holds)


def without_reconciling() -> Mutant:
    """Nobody asks for the rows that were archived and that no filter can ask for."""
    take = Whole.take

    def unarchived(whole: Whole, row: Record, since: str | None) -> None:
        take(whole, row, since)
        whole.archived.clear()

    return patch.object(Whole, "take", unarchived)


def without_lookback() -> Mutant:
    """Each sync reads from the very end of the last one."""
    declared = source.manifest

    def manifest() -> dict[str, Any]:
        made = declared()
        made["definitions"]["cursor"]["lookback_window"] = "PT0S"
        for name in ("stream", "windowed_stream"):
            made["definitions"][name]["incremental_sync"]["lookback_window"] = "PT0S"
        return made

    # Not the constant: the rules of histories go by it.
    backwards = [patch.object(module, "looked_back", lambda cursor: cursor) for module in (source, bounds)]
    return _both(_both(*backwards), patch.object(source, "manifest", manifest))


def with_streams_called_quiet() -> Mutant:
    """The change probe says of some streams that they have no news."""
    ask = Probe.ask

    def quiet(probe: Probe, roots: Any, further: Any) -> Any:
        data = ask(probe, roots, further)
        probe.news |= {name: () for name in probe.news if name.startswith("issue")}
        return data

    return patch.object(Probe, "ask", quiet)


def with_a_page_of_the_probe_dropped() -> Mutant:
    """The change probe takes half of the first page of a list for the whole of it."""
    return _walks_end_after(lambda nodes: nodes[: len(nodes) // 2])


def with_deletions_of_a_partial_list() -> Mutant:
    """A list whose last row did not come is taken for whole, and nobody asks for what seems to be gone."""
    unasked = patch.object(Deletions, "_still_there", lambda *_: ())
    return _both(_walks_end_after(lambda nodes: nodes[:-1]), unasked)


def with_a_forgetful_sketch() -> Mutant:
    """A sketch holds only some of the rows that are added to it."""
    put = Sketch._put

    def some(sketch: Sketch, key: int, count: int) -> None:
        if key % 5 > 1:
            put(sketch, key, count)

    return patch.object(Sketch, "_put", some)


def with_sent_rows_that_no_state_knows() -> Mutant:
    """A copy remembers what its list showed, and not what was sent since."""
    return patch.object(Copy, "send", lambda copy, rows, end: False)


def _walks_end_after(kept: Callable[[Sequence[Any]], Sequence[Any]]) -> Mutant:
    """Walks take some rows of their first page, and call them all."""
    take = Walk.take

    def short(one: Walk, page: Mapping[str, Any]) -> None:
        take(one, {**page, "nodes": kept(page["nodes"])})
        one.goes_on = False

    return patch.object(Walk, "take", short)
