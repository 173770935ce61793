"""The configured catalog: which streams a read shall bring."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from airbyte_cdk.models import (
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteCatalogSerializer,
    ConfiguredAirbyteStream,
)

from source_linear.config import config_error, nearest, read_json
from source_linear.streams import Stream


def read_catalog(path: str) -> ConfiguredAirbyteCatalog:
    """Read the file that the user named as `--catalog`.

    Raises:
        AirbyteTracedException: it is not a configured catalog (config_error).
    """
    document = read_json(path, "--catalog")
    try:
        return ConfiguredAirbyteCatalogSerializer.load(document)
    except Exception:
        raise config_error(
            f"--catalog: {path} is not a configured catalog. Make one from what discover prints."
        ) from None


def configured_streams(
    catalog: ConfiguredAirbyteCatalog | None, known: Collection[str]
) -> dict[str, ConfiguredAirbyteStream]:
    """The streams of a catalog by name; none where there is no catalog.

    Args:
        catalog: the catalog that was handed over, for `read`.
        known: the names of the streams that this connector has.

    Raises:
        AirbyteTracedException: a stream is there twice, is not known, or its columns cannot be read
            (config_error).
    """
    names = [item.stream.name for item in catalog.streams] if catalog else []
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise config_error(
            f"catalog: {', '.join(twice)} is listed more than once. Keep one entry per stream: its rows "
            "would be sent twice, and a stream has one state."
        )
    if unknown := sorted(set(names) - set(known)):
        meant = [f"Did you mean {near} by {name}? " for name in unknown if (near := nearest(name, known))]
        raise config_error(
            f"catalog: this connector has no stream {', '.join(unknown)}. {''.join(meant)}Run discover "
            f"(refresh the source schema) and select from its streams: {', '.join(sorted(known))}."
        )
    configured = dict(zip(names, catalog.streams, strict=True)) if catalog else {}
    for name, item in configured.items():
        if not isinstance((item.stream.json_schema or {}).get("properties") or {}, Mapping):
            raise config_error(
                f"catalog: the properties of stream {name} are not columns with their types. Run discover "
                "(refresh the source schema), and keep the columns to read of what it prints."
            )
    return configured


def narrowed(parameters: Mapping[str, Any], columns: Sequence[str]) -> dict[str, Any]:
    """The `$parameters` of a stream of which only some columns are selected: no others are queried.

    Args:
        parameters: those of the stream's entry in the manifest.
        columns: the columns that are selected.
    """
    narrow = {**parameters, "columns": list(columns)}
    stream = Stream.from_parameters(narrow)
    for key, suffix in (("fields", ""), ("relations", "Id")):
        names = parameters.get(key, "").split()
        narrow[key] = " ".join(name for name in names if stream.is_queried(name + suffix))
    for key in ("lists", "objects"):
        narrow[key] = {name: of for name, of in parameters.get(key, {}).items() if stream.is_queried(name)}
    return narrow
