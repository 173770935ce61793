"""What the demo prints, on a terminal and where there is none."""

import io
import sys

import pytest

from tools.demo.screen import Screen


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def show(screen: Screen) -> None:
    with screen.step("read") as step:
        step.result = "5 rows"
        step.update(1, 2)
    screen.title("Tables")
    screen.table(("table", "rows", "note"), [("issues", 2000, None), ("users [all]", 7, "a\tb\nc")])
    screen.sql("SELECT 1\nFROM issues")
    screen.text("a long line " * 20)


def test_without_a_terminal_lines_are_plain_and_whole(capsys: pytest.CaptureFixture[str]) -> None:
    show(Screen())

    lines = capsys.readouterr().out.splitlines()
    assert not any("\x1b" in line or line != line.rstrip() for line in lines)
    assert lines == [
        "  ✓ read       5 rows (0.0 s)",
        "",
        "Tables",
        "  table          rows   note",
        "  issues        2,000   –",
        "  users [all]       7   a b c",
        "  SELECT 1",
        "  FROM issues",
        "  " + "a long line " * 19 + "a long line",
    ]


def test_on_a_terminal_there_is_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)

    show(Screen())

    assert "\x1b[" in terminal.getvalue() and "5 rows" in terminal.getvalue()


def test_a_command_is_never_wrapped(capsys: pytest.CaptureFixture[str]) -> None:
    Screen().command("duckdb " + "x" * 500)

    assert capsys.readouterr().out == "    duckdb " + "x" * 500 + "\n"


def test_a_step_that_fails_is_crossed_and_says_how_far_it_came(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(ValueError, match="no"), Screen().step("read") as step:
        step.result = "3 rows"
        raise ValueError("no")

    assert "✗ read       3 rows" in capsys.readouterr().out
