"""No circle among the imports: each module can be read, and loaded, after those that it stands on."""

import ast
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("source_linear", "tools", "integration_tests", "benchmarks", "unit_tests")


def modules() -> dict[str, Path]:
    """The modules of the repository by name; a package is its `__init__`."""
    found = {}
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(name: str, source: str, is_package: bool) -> set[str]:
    """What a module imports anywhere in it: inside of functions and for types alone, too."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = name.split(".")[: None if is_package and node.level == 1 else -node.level]
            given = node.module.split(".") if node.module else []
            base = ".".join(above + given if node.level else given)
            names |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return names - {name}


def graph(files: Mapping[str, Path]) -> dict[str, set[str]]:
    """The modules, each with those of the repository that it imports."""
    return {
        name: imported(name, path.read_text("utf-8"), path.name == "__init__.py") & files.keys()
        for name, path in files.items()
    }


def circle(edges: Mapping[str, Iterable[str]]) -> list[str]:
    """The names of a circle; [] where there is none."""
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_module_imports_itself_by_a_detour() -> None:
    assert circle(graph(modules())) == []


def test_tools_stand_on_nothing_of_the_tests_and_the_connector_on_nothing_of_both() -> None:
    below = {"source_linear": ["source_linear"], "tools": ["source_linear", "tools"]}
    for name, others in graph(modules()).items():
        package = name.split(".")[0]
        assert {other.split(".")[0] for other in others} <= set(below.get(package, PACKAGES)), name


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import a.b", {"a.b"}),
        ("from a import b", {"a", "a.b"}),
        ("from . import b", {"p", "p.b"}),
        ("from .b import c", {"p.b", "p.b.c"}),
        ("from ..q import c", {"q", "q.c"}),
        ("def f():\n    from .b import c", {"p.b", "p.b.c"}),
        ("if TYPE_CHECKING:\n    import a", {"a"}),
    ],
)
def test_imports_are_found_wherever_they_are(source: str, found: set[str]) -> None:
    assert imported("p.m", source, is_package=False) == found


def test_a_circle_is_found() -> None:
    assert set(circle({"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]})) == {"a", "b", "c"}
