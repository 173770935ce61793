"""`make mutation`: which faults are planted, and that what no test notices is told."""

from pathlib import Path

import pytest

from tools import mutation
from tools.mutation import Fault, chosen, faults_in, play

SOURCE = b'''
"""A docstring with 1 number."""
def \xc3\xa4(a: int | None, b: int = 3) -> list[int]:
    for x in range(a, b):
        if not x or x < 2:
            continue
        _LOGGER.info("1", 2)
        yield min(x, 1)
    assert b > 1
    return []
'''


def planted(source: bytes) -> dict[str, list[str]]:
    lines: dict[str, list[str]] = {}
    before = source.decode().splitlines()
    for fault in faults_in("m.py", source):
        after = fault.planted(source).decode().splitlines()
        (changed,) = [new for old, new in zip(before, after, strict=True) if old != new]
        lines.setdefault(before[fault.line - 1].strip(), []).append(changed.strip())
    return lines


def test_faults_of_each_kind_are_planted_where_they_decide_something() -> None:
    assert planted(SOURCE) == {
        "def ä(a: int | None, b: int = 3) -> list[int]:": [
            "def ä(a: int | None, b: int = 2) -> list[int]:",
            "def ä(a: int | None, b: int = 4) -> list[int]:",
        ],
        "for x in range(a, b):": ["for x in range(b, a):"],
        "if not x or x < 2:": [
            "if (x) or x < 2:",
            "if False:",
            "if True:",
            "if not x and x < 2:",
            "if not x or x <= 2:",
            "if not x or x >= 2:",
            "if not x or x < 1:",
            "if not x or x < 3:",
        ],
        "continue": ["pass"],
        "yield min(x, 1)": [
            "pass",
            "yield max(x, 1)",
            "yield min(1, x)",
            "yield min(x, 0)",
            "yield min(x, 2)",
        ],
        "return []": ["return None"],
    }


def test_an_operator_is_found_between_the_brackets_and_lines_of_its_operands() -> None:
    assert planted(b"x = a is not\\\n None and (b\n) in c\n") == {
        "x = a is not\\": ["x = a is\\", "None or (b"],
        "None and (b": [") not in c"],
    }


def test_the_choice_is_the_same_each_time_and_takes_no_fault_twice_and_none_that_is_no_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mutation, "ROOT", tmp_path)
    (tmp_path / "m.py").write_text("x = 1\n")
    wrong = [Fault("m.py", n, 0, 0, f"{n} = ", "") for n in range(50)]
    faults = [Fault("m.py", n, 4, 5, str(n), "1") for n in range(500)] + wrong
    first = chosen(faults, 200)
    assert first == chosen(faults, 200) and len(set(first)) == 200
    assert len(chosen(faults[450:], 200)) == 50


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "copy").mkdir()
    for place in (tmp_path, tmp_path / "copy"):
        (place / "source_linear").mkdir()
        (place / "source_linear" / "__init__.py").write_text("def f(x):\n    return x > 1\ny = 5\n")
        (place / "test_f.py").write_text(
            "from source_linear import f\ndef test_f():\n    assert f(2) and not f(1)\n"
        )
    monkeypatch.setattr(mutation, "ROOT", tmp_path)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    return tmp_path


@pytest.mark.slow
def test_what_no_test_notices_is_told_and_the_tree_stays_as_it_is(tree: Path) -> None:
    module = tree / "source_linear" / "__init__.py"
    before = module.read_bytes()
    faults = faults_in("source_linear/__init__.py", before)
    survivors = play(faults, ["test_f.py"], [tree / "copy"])
    assert [str(one) for one in survivors] == [
        "source_linear/__init__.py:3: 5 -> 4",
        "source_linear/__init__.py:3: 5 -> 6",
    ]
    assert len(faults) == 7 and module.read_bytes() == before


@pytest.mark.slow
def test_a_fault_that_makes_the_tests_wait_for_ever_is_noticed(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mutation, "_LEAST", 0.0)
    source = (tree / "source_linear" / "__init__.py").read_bytes()
    (waits,) = [one for one in faults_in("source_linear/__init__.py", source) if one.text == "None"]
    assert (
        play(
            [Fault(waits.path, 2, waits.start, waits.end, "sum(iter(int, 1))", "")],
            ["test_f.py"],
            [tree / "copy"],
        )
        == []
    )


def test_tests_that_fail_without_a_fault_tell_nothing(tree: Path) -> None:
    (tree / "copy" / "test_f.py").write_text("def test_f():\n    assert False\n")
    with pytest.raises(SystemExit, match="fail without a fault"):
        play([], ["test_f.py"], [tree / "copy"])
