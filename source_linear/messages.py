"""The events of a sync as messages of the Airbyte protocol."""

import time
from collections.abc import Iterator

import orjson
from airbyte_cdk.models import (
    AirbyteEstimateTraceMessage,
    AirbyteMessage,
    AirbyteRecordMessage,
    AirbyteStateBlob,
    AirbyteStateMessage,
    AirbyteStateType,
    AirbyteStreamState,
    AirbyteStreamStatus,
    AirbyteStreamStatusTraceMessage,
    AirbyteTraceMessage,
    EstimateType,
    StreamDescriptor,
    TraceType,
    Type,
)
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_linear.linear.errors import LinearError, subject
from source_linear.shared import traced
from source_linear.sync.summary import told
from source_linear.sync.sync import Ended, Estimate, Event, Rows, Running, Started, State


def message_of(event: Event) -> Iterator[AirbyteMessage]:
    """The messages that say an event."""
    now = int(time.time() * 1000)
    if isinstance(event, Rows):
        for row in event.records:
            record = AirbyteRecordMessage(stream=event.stream, data=row, emitted_at=now)
            yield AirbyteMessage(type=Type.RECORD, record=record)
    elif isinstance(event, State):
        blob = AirbyteStateBlob(event.state)
        stream = AirbyteStreamState(stream_descriptor=StreamDescriptor(name=event.stream), stream_state=blob)
        state = AirbyteStateMessage(type=AirbyteStateType.STREAM, stream=stream)
        yield AirbyteMessage(type=Type.STATE, state=state)
    elif isinstance(event, Started):
        yield _status(event.stream, AirbyteStreamStatus.STARTED, now)
    elif isinstance(event, Running):
        yield _status(event.stream, AirbyteStreamStatus.RUNNING, now)
    elif isinstance(event, Ended):
        if event.error is not None:
            error = failure_of(event.stream, event.error)
            yield error.as_sanitized_airbyte_message(stream_descriptor=StreamDescriptor(name=event.stream))
        complete = AirbyteStreamStatus.INCOMPLETE if event.error else AirbyteStreamStatus.COMPLETE
        yield _status(event.stream, complete, now)
    elif isinstance(event, Estimate):
        estimate = AirbyteEstimateTraceMessage(
            name=event.stream, type=EstimateType.STREAM, row_estimate=event.rows
        )
        trace = AirbyteTraceMessage(type=TraceType.ESTIMATE, emitted_at=now, estimate=estimate)
        yield AirbyteMessage(type=Type.TRACE, trace=trace)


def lines_of(rows: Rows) -> list[bytes]:
    """The lines that print records; their nulls are taken out of them, in place.

    They are what the CDK's serializer makes of a message for each, which takes longer than decoding does.
    """
    begin = b'{"type":"RECORD","record":{"stream":%b,"data":' % orjson.dumps(rows.stream)
    end = b',"emitted_at":%d}}\n' % int(time.time() * 1000)
    lines = []
    for row in rows.records:
        for name in [name for name, value in row.items() if value is None]:  # faster than a new dict
            del row[name]
        lines.append(begin + orjson.dumps(row) + end)
    return lines


def failure_of(stream: str, error: BaseException) -> AirbyteTracedException:
    """Why a stream failed, in the words of Airbyte: what is not an error of ours is a bug of ours."""
    if isinstance(error, LinearError):
        return traced(error)
    if isinstance(error, AirbyteTracedException):
        return error
    said, kind = told(stream, error)
    message = subject(stream) + said
    return AirbyteTracedException(message=message, failure_type=kind, exception=error)


def _status(stream: str, status: AirbyteStreamStatus, now: int) -> AirbyteMessage:
    told = AirbyteStreamStatusTraceMessage(stream_descriptor=StreamDescriptor(name=stream), status=status)
    trace = AirbyteTraceMessage(type=TraceType.STREAM_STATUS, emitted_at=now, stream_status=told)
    return AirbyteMessage(type=Type.TRACE, trace=trace)
