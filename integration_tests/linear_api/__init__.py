"""A simulator of Linear's GraphQL API: real GraphQL over Linear's schema, faults on demand."""

from .clock import Clock
from .faults import Fault, Faults, Request
from .generator import PURGED, generate
from .late import Late
from .limits import Limits
from .schema import linear_schema
from .server import LinearApi, Record, RequestLog
from .workspace import Workspace

__all__ = [
    "PURGED",
    "Clock",
    "Fault",
    "Faults",
    "Late",
    "Limits",
    "LinearApi",
    "Record",
    "Request",
    "RequestLog",
    "Workspace",
    "generate",
    "linear_schema",
]
