"""What became of the streams of one sync, in sentences."""

import logging
import re
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from airbyte_cdk.models import (
    AirbyteErrorTraceMessage,
    AirbyteMessage,
    AirbyteStreamStatus,
    FailureType,
    Type,
)
from airbyte_cdk.utils.airbyte_secrets_utils import filter_secrets
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_linear.linear.budget import Usage

_LOGGER = logging.getLogger("airbyte")
_UNEXPECTED = "An unexpected error occurred in stream"  # the CDK's words for what is not an error of ours
_COUNTED = re.compile(r"Read \d+ records from \w+ stream")  # by the CDK: it counts pages
_FIGURES = re.compile(r"\d[\d,]*")
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
    status: AirbyteStreamStatus | None = None
    error: str = "It was not finished."
    failure_type: FailureType | None = None
    started: float = field(default_factory=time.monotonic)
    seconds: float = 0.0

    @property
    def is_complete(self) -> bool:
        """Whether everything was read."""
        return self.status is AirbyteStreamStatus.COMPLETE

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
    """Watches the messages of a sync, logs how each stream fares, and sums up at the end."""

    def __init__(
        self, cursors: Mapping[str, str | None], usage: Mapping[str, Usage], quiet: Collection[str] = ()
    ) -> None:
        """Watch the streams that `cursors` name.

        Args:
            cursors: each stream's cursor before the sync.
            usage: what each stream has met with so far, kept up to date by the budget.
            quiet: the streams of which the change probe knows that they have no news.
        """
        self._outcomes = {name: Outcome(cursor) for name, cursor in cursors.items()}
        self._usage = usage
        self._quiet = quiet
        self._started = time.monotonic()

    def watch(self, messages: Iterable[AirbyteMessage]) -> Iterator[AirbyteMessage]:
        """Pass messages on, writing down what they say of their streams.

        Raises:
            AirbyteTracedException: at the end, if a stream failed: which, why, and what to do.
        """
        try:
            for message in messages:
                if self._note(message):
                    yield message
        except AirbyteTracedException:
            # The CDK's own summary of the same failures carries bodies and headers.
            if all(outcome.status is None for outcome in self._outcomes.values()):
                raise
        failed = {name: outcome for name, outcome in self._outcomes.items() if not outcome.is_complete}
        for line in self._lines():
            _LOGGER.log(logging.WARNING if failed else logging.INFO, line)
        if failed:
            raise _failure(failed, len(self._outcomes))

    def _note(self, message: AirbyteMessage) -> bool:
        """Returns whether the message is worth passing on."""
        if message.type is Type.RECORD and message.record:
            self._outcomes[message.record.stream].records += 1
        elif message.type is Type.STATE and message.state and message.state.stream:
            stream = message.state.stream
            state = vars(stream.stream_state) if stream.stream_state else {}
            self._outcomes[stream.stream_descriptor.name].cursor = next(iter(state.values()), None)
        elif message.type is Type.TRACE and message.trace:
            if message.trace.stream_status:
                status = message.trace.stream_status
                self._note_status(status.stream_descriptor.name, status.status)
            elif message.trace.error and message.trace.error.stream_descriptor:
                return self._note_error(message.trace.error.stream_descriptor.name, message.trace.error)
        return True

    def _note_error(self, name: str, error: AirbyteErrorTraceMessage) -> bool:
        """Returns whether it is news: every window of a stream may fail in the same way."""
        for part in ("message", "internal_message", "stack_trace"):  # the CDK does so at the end only
            setattr(error, part, filter_secrets(getattr(error, part) or ""))
        if error.message.startswith(_UNEXPECTED):
            kind = error.message.rpartition(" ")[2]
            error.message = (
                f"Stream {name}: An unexpected error ({kind}). This is a bug of source-linear: please report "
                "it with the log."
            )
        outcome = self._outcomes[name]
        known = outcome.error
        outcome.error = error.message.removeprefix(f"Stream {name}: ")
        outcome.failure_type = error.failure_type
        # Windows that fail alike may differ in a figure.
        return _FIGURES.sub("", outcome.error) != _FIGURES.sub("", known)

    def _note_status(self, name: str, status: AirbyteStreamStatus) -> None:
        outcome = self._outcomes[name]
        outcome.status = status
        if status is AirbyteStreamStatus.STARTED:
            outcome.started = time.monotonic()
            _LOGGER.info("Stream %s: reading from %s.", name, outcome.cursor or "the beginning")
        elif status is not AirbyteStreamStatus.RUNNING:
            outcome.seconds = time.monotonic() - outcome.started
            _LOGGER.log(logging.INFO if outcome.is_complete else logging.WARNING, self._line(name))

    def _lines(self) -> Iterator[str]:
        records = sum(outcome.records for outcome in self._outcomes.values())
        requests = sum(usage.requests for usage in self._usage.values())
        points = sum(usage.points for usage in self._usage.values())
        good = sum(outcome.is_complete for outcome in self._outcomes.values())
        quiet = f", {len(self._quiet)} without changes" if self._quiet else ""
        yield (
            f"Summary: {good} of {len(self._outcomes)} streams complete{quiet}, {records:,} records, "
            f"{requests:,} requests, {points:,.0f} points, {time.monotonic() - self._started:.1f} s."
        )
        yield from (f"  {self._line(name)}" for name in self._outcomes)

    def _line(self, name: str) -> str:
        outcome, usage = self._outcomes[name], self._usage.get(name, Usage())
        figures = (
            f"{outcome.records:,} records, {usage.requests:,} requests, {usage.points:,.0f} points, "
            f"{outcome.seconds:.1f} s"
        )
        refused = f" Linear left out {', '.join(usage.refused)}." if usage.refused else ""
        if outcome.is_complete and name in self._quiet and not outcome.records:
            return f"Stream {name}: no changes."
        if outcome.is_complete:
            return f"Stream {name}: {figures}.{refused}"
        failed = f"FAILED after {figures}. {outcome.reason} The next sync {outcome.resumes}."
        return f"Stream {name}: {failed}{refused}"


def is_not_told_here(record: logging.LogRecord) -> bool:
    """A logging filter: leaves out what the CDK says of streams, in tracebacks, reprs and wrong counts."""
    exception = record.exc_info[1] if record.exc_info else None
    told = isinstance(exception, AirbyteTracedException)
    text = record.getMessage()
    return not (told or text.startswith("During the sync, the following streams") or _COUNTED.match(text))


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
    message = f"{len(failed)} of {streams} streams failed{others}. {reasons}"
    return AirbyteTracedException(message=message, internal_message=message, failure_type=kind)
