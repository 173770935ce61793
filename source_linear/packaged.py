"""What is packed into the wheel beside the code: the manifest and the schemas."""

from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import yaml


def packaged(name: str) -> Path:
    """Path of a file or directory that stands at the repository's top and inside the wheel.

    Raises:
        FileNotFoundError: it is in neither place.
    """
    package = Path(__file__).resolve().parent
    for directory in (package, package.parent):
        if (directory / name).exists():
            return directory / name
    raise FileNotFoundError(f"{name} is neither in {package} nor beside it")


@cache
def _manifest() -> dict[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml takes a tenth of the time
    loaded: dict[str, Any] = yaml.load(packaged("manifest.yaml").read_text("utf-8"), Loader=loader)
    return loaded


def manifest() -> dict[str, Any]:
    """The connector's manifest, as it stands in the repository or the wheel; a copy of your own."""
    return deepcopy(_manifest())
