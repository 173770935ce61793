"""What became of the streams of one sync, in sentences."""

import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from airbyte_cdk.models import FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_linear.linear.budget import Usage
from source_linear.linear.errors import LinearError, many
from source_linear.sync.sync import Ended, Event, Rows, Started, State, Sync

_LOGGER = logging.getLogger("airbyte")
_LONGEST = 500  # characters of one reason in the final error


@dataclass
class Outcome:
    """What became of one stream.

    Attributes:
        cursor: the cursor in its latest state: where it resumes.
        error: the sentence with which it failed, without the stream's name.
        failure_type: who can fix it.
    """

    cursor: str | None = None
    records: int = 0
    is_complete: bool = False
    error: str = "It was not finished."
    failure_type: FailureType | None = None
    started: float = field(default_factory=time.monotonic)
    seconds: float = 0.0

    @property
    def reason(self) -> str:
        """Why it failed, and whether trying again helps."""
        if self.failure_type is FailureType.config_error:
            helps = "Trying again helps once this is fixed."
        elif self.failure_type is FailureType.transient_error:
            helps = "Trying again helps."
        else:
            helps = "Trying again may help."
        return f"{self.error[:_LONGEST]} {helps}"

    @property
    def resumes(self) -> str:
        """Where the next sync goes on."""
        return f"resumes from {self.cursor}" if self.cursor else "resumes from the beginning"


class Summary:
    """Watches the events of a sync, logs how streams with news fare, and sums up at the end."""

    def __init__(self, sync: Sync, usage: Mapping[str, Usage]) -> None:
        """Watch a sync.

        Args:
            sync: the sync.
            usage: what each stream has met with so far, kept up to date by the budget.
        """
        self._sync, self._usage = sync, usage
        self._outcomes: dict[str, Outcome] = {}
        self._started = time.monotonic()

    def watch(self, events: Iterable[Event]) -> Iterator[Event]:
        """Pass events on, writing down what they say of their streams.

        Raises:
            AirbyteTracedException: at the end, if a stream failed: which, why, and what to do.
        """
        for event in events:
            self._note(event)
            yield event
        failed = {name: outcome for name, outcome in self._outcomes.items() if not outcome.is_complete}
        _LOGGER.log(logging.WARNING if failed else logging.INFO, self._line_of_all())
        if failed:
            raise _failure(failed, len(self._outcomes))

    def _note(self, event: Event) -> None:
        name = event.stream
        outcome = self._outcomes.setdefault(name, Outcome(self._sync.cursors.get(name)))
        if isinstance(event, Started):
            outcome.started = time.monotonic()
            outcome.cursor = self._sync.cursors.get(name)
            if name not in self._sync.quiet:
                _LOGGER.info("Stream %s: reading from %s.", name, outcome.cursor or "the beginning")
        elif isinstance(event, Rows):
            outcome.records += len(event.records)
        elif isinstance(event, State):
            outcome.cursor = event.cursor
        elif isinstance(event, Ended):
            outcome.seconds = time.monotonic() - outcome.started
            outcome.is_complete = event.error is None
            if event.error is not None:
                outcome.error, outcome.failure_type = told(name, event.error)
            if event.error is not None or outcome.records or name not in self._sync.quiet:
                _LOGGER.log(logging.INFO if outcome.is_complete else logging.WARNING, self._line(name))

    def _line_of_all(self) -> str:
        records = sum(outcome.records for outcome in self._outcomes.values())
        requests = sum(usage.requests for usage in self._usage.values())
        points = sum(usage.points for usage in self._usage.values())
        good = sum(outcome.is_complete for outcome in self._outcomes.values())
        quiet = f", {len(self._sync.quiet)} without changes" if self._sync.quiet else ""
        return (
            f"Summary: {good} of {many(len(self._outcomes), 'stream')} complete{quiet}, "
            f"{many(records, 'record')}, {many(requests, 'request')}, {many(round(points), 'point')}, "
            f"{time.monotonic() - self._started:.1f} s."
        )

    def _line(self, name: str) -> str:
        outcome, usage = self._outcomes[name], self._usage.get(name, Usage())
        figures = (
            f"{many(outcome.records, 'record')}, {many(usage.requests, 'request')}, "
            f"{many(round(usage.points), 'point')}, {outcome.seconds:.1f} s"
        )
        refused = f" Linear left out {', '.join(usage.refused)}." if usage.refused else ""
        if outcome.is_complete:
            return f"Stream {name}: {figures}.{refused}"
        failed = f"FAILED after {figures}. {outcome.reason} The next sync {outcome.resumes}."
        return f"Stream {name}: {failed}{refused}"


def told(stream: str, error: BaseException) -> tuple[str, FailureType]:
    """Why a stream failed, as a sentence without its name, and who can fix it."""
    if isinstance(error, LinearError):
        return str(error).removeprefix(f"Stream {stream}: "), FailureType(error.failure.kind.value)
    if isinstance(error, AirbyteTracedException):
        return error.message or str(error), error.failure_type
    kind = type(error).__name__
    said = f"An unexpected error ({kind}). This is a bug of source-linear: please report it with the log."
    return said, FailureType.system_error


def _failure(failed: Mapping[str, Outcome], streams: int) -> AirbyteTracedException:
    kinds = {outcome.failure_type for outcome in failed.values()}
    # It is for the user to act only where nothing but the user's doing failed.
    if kinds == {FailureType.config_error}:
        kind = FailureType.config_error
    elif kinds <= {FailureType.config_error, FailureType.transient_error}:
        kind = FailureType.transient_error
    else:
        kind = FailureType.system_error
    by_reason: defaultdict[str, list[str]] = defaultdict(list)
    for name, outcome in failed.items():
        by_reason[outcome.reason].append(f"{name} ({outcome.resumes})")
    reasons = " ".join(f"{', '.join(names)}: {reason}" for reason, names in by_reason.items())
    others = ", the others are complete" if len(failed) < streams else ""
    message = f"{len(failed)} of {many(streams, 'stream')} failed{others}. {reasons}"
    return AirbyteTracedException(message=message, internal_message=message, failure_type=kind)
