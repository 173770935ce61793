"""Where a stream's JSON schema comes from."""

import copy
import functools
import json
from collections.abc import Mapping
from dataclasses import InitVar, dataclass
from typing import Any

from airbyte_cdk.sources.declarative.schema.schema_loader import SchemaLoader
from airbyte_cdk.sources.types import Config

from source_linear.packaged import packaged
from source_linear.streams import DELETED_AT


@functools.cache
def _schema(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((packaged("schemas") / f"{name}.json").read_text("utf-8"))
    return schema


@dataclass
class PackagedSchema(SchemaLoader):
    """Reads `schemas/<stream>.json`. In Python so that it works in a wheel and in a checkout alike."""

    config: Config
    parameters: InitVar[Mapping[str, Any]]

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Take the name of the stream that `parameters` declare."""
        self._name = parameters["name"]

    def get_json_schema(self) -> Mapping[str, Any]:
        """The stream's schema, with the column that `archived_rows: delete` adds."""
        schema = copy.deepcopy(_schema(self._name))
        if self.config.get("archived_rows") == "delete":
            schema["properties"][DELETED_AT] = {"type": ["null", "string"], "format": "date-time"}
        return schema
