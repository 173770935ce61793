"""No module and no function grows beyond what a reader takes in at once."""

import ast
from pathlib import Path

import pytest

MODULES = sorted((Path(__file__).parents[1] / "source_linear").rglob("*.py"))
MOST_LINES, MOST_LINES_OF_A_FUNCTION = 300, 40


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_a_module_and_its_functions_are_short(module):
    text = module.read_text("utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    functions = [
        node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    lengths = {one.name: (one.end_lineno or 0) - one.lineno + 1 for one in functions}
    assert {name: length for name, length in lengths.items() if length > MOST_LINES_OF_A_FUNCTION} == {}
