"""Which part may import what: only linear/ sends requests, and linear/ knows nothing of Airbyte."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "source_linear"
SENDERS = ("requests", "urllib3", "urllib.request", "http.client", "httpx", "aiohttp", "socket")
FILES = sorted(PACKAGE.rglob("*.py"))
LINEAR = [file for file in FILES if file.is_relative_to(PACKAGE / "linear")]
REST = [file for file in FILES if file not in LINEAR]
TESTS_OF_LINEAR = sorted((ROOT / "unit_tests" / "linear").glob("*.py"))

# Runs without airbyte_cdk, and says what of source_linear was imported.
_WITHOUT_THE_CDK = """
import importlib, sys
sys.modules["airbyte_cdk"] = None
for name in sys.argv[1:]:
    importlib.import_module(name)
print(*(name for name in sys.modules if name.startswith("source_linear.")))
"""


def name_of(file: Path) -> str:
    return str(file.relative_to(ROOT))


def module_of(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported(code: str, package: str) -> Iterator[str]:
    """Each module that a module of `package` imports, anywhere in it, with the names taken from it."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) + 1 - node.level]
            base = ".".join([*(parents if node.level else []), *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def is_in(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def sending(code: str, package: str) -> list[str]:
    """What a module imports that could send a request."""
    return [name for name in imported(code, package) if is_in(name, *SENDERS)]


def foreign(code: str, package: str) -> list[str]:
    """What a module imports of Airbyte, or of this connector outside of linear/."""
    return [
        name
        for name in imported(code, package)
        if is_in(name, "airbyte_cdk", "source_linear") and not is_in(name, "source_linear.linear")
    ]


def test_nothing_outside_of_linear_can_send_a_request() -> None:
    for file in REST:
        assert sending(file.read_text("utf-8"), module_of(file.parent)) == [], name_of(file)


def test_linear_and_its_tests_import_nothing_of_airbyte_and_nothing_else_of_the_connector() -> None:
    for file in [*LINEAR, *TESTS_OF_LINEAR]:
        assert foreign(file.read_text("utf-8"), module_of(file.parent)) == [], name_of(file)


def test_linear_and_its_tests_are_imported_where_there_is_no_cdk() -> None:
    # Also what they import imports none of it.
    names = [module_of(file) for file in [*LINEAR, *TESTS_OF_LINEAR]]
    run = subprocess.run(
        [sys.executable, "-c", _WITHOUT_THE_CDK, *names],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert [name for name in run.stdout.split() if not is_in(name, "source_linear.linear")] == []


def test_each_way_to_import_what_sends_is_noticed() -> None:
    for code in [
        "import requests",
        "import requests.adapters",
        "from requests import Session",
        "def f():\n    import requests",
        "from http import client",
        "from urllib import request",
    ]:
        assert sending(code, "source_linear.sync") != []


def test_each_way_out_of_linear_is_noticed() -> None:
    for code in [
        "import airbyte_cdk",
        "from airbyte_cdk.models import Type",
        "def f():\n    from airbyte_cdk import models",
        "import source_linear.config",
        "from source_linear import streams",
        "from source_linear.sync.lister import Lister",
        "from .. import streams",
        "from ..config import read_config",
    ]:
        assert foreign(code, "source_linear.linear") != []


def test_what_stays_inside_of_linear_is_none() -> None:
    for code in ["from . import errors", "from .errors import TABLE", "import orjson"]:
        assert foreign(code, "source_linear.linear") == []
