"""One sync: from states to messages. Everything here runs in the main thread, but what readers do.

    states -> probe -> findings -> plan -> readers -> pages -> rows and states

A reader hands back what it learned in its pages; here they are folded into the copies of the streams. What a
state must say before rows are sent, it says in a message before them.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from source_linear.config import Config
from source_linear.linear.api import Api
from source_linear.linear.errors import Failure, many, subject
from source_linear.state import MOST_NEW, MOST_OTHERS, StreamState, looked_back
from source_linear.streams import CURSOR_FIELD, Record, Stream
from source_linear.sync.copy import Copy
from source_linear.sync.forms import warning
from source_linear.sync.listed import Seen, Since
from source_linear.sync.lister import Lister
from source_linear.sync.plan import Start, begin_of, due, slices, start_of
from source_linear.sync.probe import Finding, Probe, Wanted
from source_linear.sync.progress import Progress, Size
from source_linear.sync.reader import Declared, Page, Reader, Slice
from source_linear.sync.records import seen, tombstone
from source_linear.sync.workers import Done, Workers
from source_linear.sync.workspace import Workspace, questions, time_of, workspace_of

_LOGGER = logging.getLogger("airbyte")
_NAMED = 20  # rows of a stream of which a warning of its own says that they cannot be read


@dataclass(frozen=True)
class Rows:
    """Records to be sent."""

    stream: str
    records: list[Record]


@dataclass(frozen=True)
class State:
    """A state to be sent."""

    stream: str
    state: dict[str, Any]
    cursor: str | None


@dataclass(frozen=True)
class Started:
    """A stream begins to be read."""

    stream: str


@dataclass(frozen=True)
class Running:
    """The first rows of a stream are there."""

    stream: str


@dataclass(frozen=True)
class Ended:
    """A stream was read; `error` is why not all of it."""

    stream: str
    error: BaseException | None = None


@dataclass(frozen=True)
class Estimate:
    """How many rows a stream will bring."""

    stream: str
    rows: int


Event = Rows | State | Started | Running | Ended | Estimate


@dataclass(frozen=True)
class _Prepared:
    """What is known before anything is read."""

    workspace: Workspace
    starts: dict[str, Start]
    copies: dict[str, Copy]
    findings: dict[str, Finding]


class Sync:
    """Reads streams once.

    Attributes:
        quiet: the streams without news.
        cursors: from where each stream is read; None for from the beginning.
    """

    def __init__(
        self,
        declared: Mapping[str, Declared],
        states: Mapping[str, StreamState],
        config: Config,
        api: Api,
        workers: Workers,
        now: Callable[[], datetime],
        progress: Progress | None = None,
    ) -> None:
        """Prepare to read.

        Args:
            declared: the streams that are read.
            states: their states.
            config: the user's configuration.
            api: Linear's API: all that threads share.
            workers: reads side by side.
            now: our own clock.
            progress: is told of each page.
        """
        self._declared, self._config, self._api = declared, config, api
        self._streams = {name: one.stream for name, one in declared.items()}
        self._states = {name: states.get(name) or StreamState() for name in declared}
        self._workers, self._now, self._progress = workers, now, progress
        self._last: State | None = None
        self.quiet: set[str] = set()
        self.cursors: dict[str, str | None] = {name: state.cursor for name, state in self._states.items()}

    def events(self) -> Iterator[Event]:
        """What is to be sent, in its order.

        Raises:
            LinearError: Linear refuses the credentials or cannot be reached.
            AirbyteTracedException: a state is of another workspace, or a team is not known (config_error).
        """
        prepared: _Prepared | None = None
        self._workers.start(("", 0), iter(self._prepare() for _ in (None,)))
        for result in self._workers.results():
            if result is None:
                yield from self._repeated()
            elif isinstance(result[1], Done) and result[1].error:
                raise result[1].error
            elif isinstance(result[1], _Prepared):
                prepared = result[1]
        assert prepared is not None
        yield from self._read(prepared)

    def _read(self, prepared: _Prepared) -> Iterator[Event]:
        courses = {
            name: _Course(
                declared,
                prepared.starts[name],
                prepared.copies[name],
                slices(declared.stream, prepared.starts[name], prepared.findings[name], prepared.workspace),
                self._config,
            )
            for name, declared in self._declared.items()
        }
        self.cursors = {name: one.state.cursor for name, one in prepared.starts.items()}
        self.quiet = {name for name, one in courses.items() if not one.slices and not one.copy.pending}
        for name in self._declared:
            yield from self._estimated(name, courses[name], prepared)
        for name, course in courses.items():
            _LOGGER.debug("%s%s", subject(name), _planned(prepared.starts[name], prepared.findings[name]))
            yield Started(name)
            if self._progress:
                end, created = prepared.starts[name].end, prepared.workspace.created
                size = self._size(prepared.starts[name], prepared.findings[name], prepared.workspace, course)
                self._progress.starts(name, course.slices, end, created, size)
            yield from self._told(course.begin())
            yield from self._go_on(name, course)
        for result in self._workers.results():
            if result is None:
                yield from self._repeated()
                continue
            (name, place), item = result
            course = courses[name]
            if isinstance(item, Done):
                if self._progress:
                    self._progress.read(name, place)
                yield from self._told(course.done(place, item.error))
                yield from self._go_on(name, course)
            else:
                if self._progress:
                    self._progress.came(name, place, item.oldest, len(item.rows), len(item.seen))
                yield from self._told(course.fold(place, item))

    def _go_on(self, name: str, course: "_Course") -> Iterator[Event]:
        """Let what is next be read; where there is nothing, the stream is at its end."""
        for place, part in course.next():
            lister = Lister(self._api, course.stream)
            self._workers.start((name, place), Reader(course.declared, self._config, lister).pages(part))
        if course.is_done:
            if self._progress:
                self._progress.ends(name)
            yield from self._told(course.end())

    def _told(self, events: Iterator[Event]) -> Iterator[Event]:
        for event in events:
            if isinstance(event, State):
                self._last = event
            yield event

    def _repeated(self) -> Iterator[Event]:
        """The last state again, or one that was given: a platform ends a source that is silent for long."""
        if self._last is None:
            for name, state in self._states.items():
                if state.cursor:
                    field = self._streams[name].cursor_field
                    self._last = State(name, state.encoded(field), state.cursor)
                    break
        if self._last is not None:
            yield self._last

    def _estimated(self, name: str, course: "_Course", prepared: _Prepared) -> Iterator[Event]:
        finding, stream = prepared.findings[name], course.stream
        limited = self._config.start_date or self._config.team_keys
        first = prepared.starts[name].begin is None
        if first and finding.listed is not None and not stream.roots[0].children:
            yield Estimate(name, finding.listed.rows)
        elif first and stream.is_of_issues and not stream.roots[0].children and not limited:
            if prepared.workspace.issues:
                yield Estimate(name, prepared.workspace.issues)
        elif not first and finding.changed is not None and not (finding.changed and stream.roots[0].children):
            yield Estimate(name, len(finding.changed))

    def _size(self, start: Start, finding: Finding, workspace: Workspace, course: "_Course") -> Size:
        """How much a first read brings, where that is known."""
        stream = course.stream
        if start.begin is not None or "start_date" in (start.state.scope or {}):
            return Size()
        if finding.listed is not None:
            nodes = finding.listed.rows
        else:
            nodes = workspace.issues if stream.is_of_issues and not self._config.team_keys else 0
        return Size.of(stream, nodes, len(course.slices))

    # Before anything is read

    def _prepare(self) -> _Prepared:
        lister, teams = Lister(self._api), self._config.team_keys
        now = self._now()
        wanted = {
            name: self._wanted(name, stream.is_comparable and not stream.is_long)
            for name, stream in self._streams.items()
        }
        probe = Probe(lister, wanted.values(), teams)
        replies = lister.ask({**questions(teams), **probe.questions()})
        if any(isinstance(replies[name], Failure) for name in questions(teams)):
            replies |= lister.ask(questions(teams))
        workspace = workspace_of(replies, teams)
        end = time_of(lister.headers, probe.stamps(replies), workspace.created, now)
        starts = {
            name: start_of(stream, self._states[name], workspace, end, self._config)
            for name, stream in self._streams.items()
        }
        wanted = {name: replace(one, begin=starts[name].begin) for name, one in wanted.items()}
        probe.resume({name: one.begin for name, one in wanted.items()})
        since = {name: self._since(name, start) for name, start in starts.items()}
        findings = probe.find(replies, {name: since[name] for name, one in wanted.items() if one.walks})
        probe.cut_long_lists(workspace.created, workspace.issues)
        states = {name: one.state for name, one in starts.items()}
        long = due(self._streams, states, self._config, end)
        more = {name: replace(wanted[name], walks=True) for name in long if not wanted[name].walks}
        wanted |= more | {
            name: replace(wanted[name], walks=True) for name, one in findings.items() if one.is_long
        }
        later = [one for name, one in wanted.items() if one.walks and one.stream.is_long]
        for name, (listed, failure) in probe.walk(later, since).items():
            findings[name].listed, findings[name].failure = listed, failure
        copies = {
            name: self._compared(probe, lister, wanted[name], starts[name], findings[name], since[name])
            for name in self._streams
        }
        return _Prepared(workspace, starts, copies, findings)

    def _wanted(self, name: str, walks: bool) -> Wanted:
        stream, state = self._streams[name], self._states[name]
        named = self._tracks(stream) and state.walked is not None and stream.is_long
        room = MOST_NEW - len(state.new) if named else None
        sure = state.walked is None and state.cursor is not None
        return Wanted(stream, begin_of(stream, state), walks, state.length, room, sure)

    def _tracks(self, stream: Stream) -> bool:
        """Whether the rows of a stream that are sent are remembered, to see which are gone."""
        return stream.is_comparable and (not stream.is_long or self._config.detect_deletions is not None)

    def _since(self, name: str, start: Start) -> Since:
        stream, state = self._streams[name], start.state
        return Since(
            begin=start.begin,
            walked=state.walked,
            moved=looked_back(state.walked, stream.lookback) if state.walked else "",
            end=start.end,
            floor=(state.scope or {}).get("start_date", ""),
            wave=state.wave,
            pending=state.pending,
            by_archiving=stream.is_of_issues and not stream.roots[0].children,
        )

    def _compared(
        self, probe: Probe, lister: Lister, wanted: Wanted, start: Start, finding: Finding, since: Since
    ) -> Copy:
        """The copy of a stream, compared with its list where that came."""
        stream, name, listed = wanted.stream, wanted.stream.name, finding.listed
        tracks = self._tracks(stream) and (listed is not None or start.state.walked is not None)
        children = stream.roots[0].children
        parents = start.begin if stream.goes_by_parents and children and children.is_ordered else None
        copy = Copy(start.state, start.end, tracks, stream.reports_deleted, parents)
        if listed is None:
            if wanted.walks:
                copy.missed()
                _LOGGER.warning(
                    "%sLinear's list of its rows did not come (%s). Deletions are reported by the next sync "
                    "whose list comes.",
                    subject(name),
                    finding.failure or "no reason was given",
                )
            return copy

        def confirm(ids: Sequence[str]) -> Mapping[str, Seen | None] | None:
            rows = lister.there(stream.roots[0], ids, stream.filter_of_teams(self._config.team_keys))
            if rows is None:
                return None
            return {row_id: seen(row) if CURSOR_FIELD in row else None for row_id, row in rows.items()}

        root = stream.roots[0]
        by_id = root.knows_ids and not root.children
        asked = confirm if by_id else None
        if listed.refused & set(start.state.roots):  # the copy may hold their rows
            asked = _nobody
        if not copy.take(listed, asked, last=False):
            again, _ = probe.walk([wanted], {name: since}, sure=True)[name]
            copy.take(again or listed, asked if again or asked else _nobody)
        if len(stream.roots) > 1:
            readable = {one.name for one in stream.roots} - listed.refused
            copy.roots = tuple(sorted(readable.union(copy.roots)))
        if copy.is_unsure:
            _LOGGER.warning(
                "%sMore rows differ from the copy than a state can tell apart. Some may be missing or stale. "
                "Refresh this stream, destination included, to correct the copy.",
                subject(name),
            )
        if len(listed.others) > MOST_OTHERS:
            _LOGGER.warning(
                "%s%d of its rows have ids that are no UUIDs: of more than %d deletions are not seen.",
                subject(name),
                len(listed.others),
                MOST_OTHERS,
            )
        return copy


def _planned(start: Start, finding: Finding) -> str:
    """What was found out before a stream is read, for whoever asks why a row was not sent."""
    since = f"since {start.begin}" if start.begin else "from the beginning"
    listed, changed = finding.listed, finding.changed
    walked = f"Linear lists {many(listed.rows, 'row')}" if listed else "no list of all rows was walked"
    named = (
        "which rows changed is not known" if changed is None else f"changed: {', '.join(changed) or 'none'}"
    )
    return f"It is read {since}; {walked}; {named}."


def _nobody(ids: Sequence[str]) -> None:
    """Where nobody can be asked, nothing is gone."""


class _Course:
    """One stream on its way through a sync: first what is pending, then its slices.

    Attributes:
        slices: what is read by date, or by the ids that the probe found.
        is_done: whether nothing more is read.
    """

    def __init__(
        self, declared: Declared, start: Start, copy: Copy, parts: Sequence[Slice], config: Config
    ) -> None:
        self.declared, self.stream, self.copy = declared, declared.stream, copy
        self.slices, self._start, self._archived_rows = list(parts), start, config.archived_rows
        self.is_done = False
        self._error: BaseException | None = None
        self._read: set[int] = set()
        self._prefix = self._running = self._round = 0
        self._sliced = False
        self._warned: set[str] = set()
        self._unread, self._has_rows = 0, False

    def begin(self) -> Iterator[Event]:
        """What is sent before anything is read: what the state promises."""
        yield from self._state()

    def next(self) -> list[tuple[int, Slice]]:
        """What is to be read now, each with its place: of what is pending, a negative one."""
        if self._running or self.is_done:
            return []
        pending = self._pending() if not self._sliced else None
        if pending:
            self._running, self._round = 1, self._round + 1
            return [(-self._round, pending)]
        if not self._sliced and self._error is None:
            self._sliced = True
            self._running = len(self.slices)
            if self.slices:
                return list(enumerate(self.slices))
        self.is_done = True
        return []

    def _pending(self) -> Slice | None:
        """The rows to be asked for by their ids; None where there are none, or none any more."""
        listed, stream = self.copy.listed, self.stream
        by_id = stream.connection and len(stream.roots) == 1
        if self._error is not None or (listed is None and not by_id):
            return None
        wanted = tuple(self.copy.fill() if self._round else self.copy.pending)
        if not wanted:
            return None
        doubtful = frozenset(row_id for row_id in wanted if listed is None or row_id not in listed)
        return Slice(
            start=self._start.begin,
            since=(self._start.state.scope or {}).get("start_date"),
            ids=wanted,
            every=True,
            doubtful=doubtful,
            gone=self.copy.gone & doubtful,
        )

    def fold(self, place: int, page: Page) -> Iterator[Event]:
        """A page came."""
        name, field = self.stream.name, self.stream.cursor_field
        self._warn(page)
        for row_id in page.missing:
            self._unsent(row_id, "Linear named it and did not deliver it; the next sync asks for it again")
        if (page.rows or page.lost) and not self._has_rows:
            self._has_rows = True
            yield Running(name)
        if reported := self.copy.lose(page.lost):
            yield from self._state()
            rows = [
                tombstone(self.stream, row_id, self.copy.report(row_id), self._archived_rows)
                for row_id in reported
            ]
            yield Rows(name, rows)
        if self.stream.goes_by_parents:
            before = {one.id for one in page.seen if place >= 0 and self.copy.was_sent(one)}
            column = f"{self.stream.roots[0].parent}Id"
            rows = [row for row in page.rows if row.get(column) not in before] if before else page.rows
            self.copy.announce(page.seen)
            if rows:
                yield from self._state(only_news=True)
                yield Rows(name, rows)
            for parent in page.seen:
                self.copy.note(parent, whole=place < 0)
        elif page.seen:
            if place < 0:
                self.copy.ahead(page.seen)
                wanted = page.seen
            else:
                wanted = self.copy.announce(page.seen)
            rows = page.rows
            if len(wanted) < len(rows):
                kept = {id(one) for one in wanted}
                for one in page.seen:
                    if id(one) not in kept:
                        why = (
                            "was sent before" if self.copy.was_sent(one) else "cannot be named: more is owed"
                        )
                        self._unsent(one.id, f"as of {one.updated} it {why}")
                rows = [row for row, one in zip(rows, page.seen, strict=True) if id(one) in kept]
            if rows:
                yield from self._state(only_news=True)
                for row, one in zip(rows, wanted, strict=True):
                    at = self.copy.send(one)
                    if at != row[field]:
                        row[field] = at
                yield Rows(name, rows)
        self._leave_out(page)
        if place < 0:
            yield from self._state(only_news=True)

    def _unsent(self, row_id: str, reason: str) -> None:
        _LOGGER.debug("%sThe row %s is not sent: %s.", subject(self.stream.name), row_id, reason)

    def _warn(self, page: Page) -> None:
        """Say what a page learned of the stream as a whole, once each."""
        name = self.stream.name
        said = {column: warning(name, column, *kinds) for column, kinds in page.deviations.items()}
        said |= {
            root: f"{subject(name)}Linear refuses {root}, whose rows are left out: {reason}"
            for root, reason in page.roots.items()
        }
        for about, sentence in said.items():
            if about not in self._warned:
                self._warned.add(about)
                _LOGGER.warning(sentence)

    def _leave_out(self, page: Page) -> None:
        name = self.stream.name
        self.copy.leave_out([*page.unread, *page.missing], page.refused)
        for row_id, reason in page.unread.items():
            self._unread += 1
            if self._unread <= _NAMED and row_id not in page.refused:
                _LOGGER.warning(
                    "%sThe row %s cannot be read and is left out: %s The next sync asks for it again.",
                    subject(name),
                    row_id,
                    reason.removeprefix(subject(name)),
                )
        if page.refused:
            _LOGGER.warning(
                "%sLinear sent null for %s that these credentials may not see.",
                subject(name),
                many(len(page.refused), "row"),
            )
        for reason in page.nameless:
            _LOGGER.warning(
                "%sA row cannot be read and is left out: %s Its id did not come; a refresh asks for it.",
                subject(name),
                reason.removeprefix(subject(name)),
            )

    def done(self, place: int, error: BaseException | None) -> Iterator[Event]:
        """A slice was read, or failed: then the cursor never passes it."""
        self._running -= 1
        if error is not None:
            self._error = self._error or error
            return
        if place < 0:
            return
        self._read.add(place)
        while self._prefix in self._read and self._prefix < len(self.slices) - 1:
            part = self.slices[self._prefix]
            self._prefix += 1
            if part.until is not None:
                self.copy.account(part.until)
                yield from self._state(only_news=True)

    def end(self) -> Iterator[Event]:
        """All was read, or something failed."""
        if self._error is None:
            self.copy.account(None)
        for row_id in self.copy.pending:
            self._unsent(row_id, "it is owed, and asked for again by the next sync")
        if self._unread > _NAMED:
            _LOGGER.warning(
                "%s%s cannot be read.",
                subject(self.stream.name),
                many(self._unread - _NAMED, "more row"),
            )
        yield from self._state()
        yield Ended(self.stream.name, self._error)

    def _state(self, only_news: bool = False) -> Iterator[Event]:
        if only_news and not self.copy.is_news:
            return
        state = self.copy.state()
        yield State(self.stream.name, state.encoded(self.stream.cursor_field), state.cursor)
