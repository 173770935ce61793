"""source-linear: an Airbyte source connector for Linear, the issue tracker."""

from importlib import import_module
from typing import Any

__all__ = ["SourceLinear"]


def __getattr__(name: str) -> Any:
    """The class where Airbyte's tools look for it, imported late: `spec` is answered without the CDK."""
    if name == "SourceLinear":
        return import_module("source_linear.source").SourceLinear
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
