"""What the demo prints, on a terminal and where there is none."""

import io
import re
import sys

import pytest

from tools.demo import report
from tools.demo.questions import QUESTIONS
from tools.demo.screen import Screen

SQL = [question.sql for question in QUESTIONS]
SQL += [report.FLOW, report.CYCLE_TIME, report.TIME_IN_STATE, report.OPEN_ISSUES]


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
    lines[0] = re.sub(r"\d\.\d s", "0.0 s", lines[0])
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


def on_a_terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> Terminal:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", str(columns))
    return terminal


def printed(terminal: Terminal) -> list[str]:
    return re.sub(r"\x1b\[[\d;]*m", "", terminal.getvalue()).splitlines()


@pytest.mark.parametrize("sql", SQL)
def test_sql_on_a_terminal_of_80_columns_can_be_copied_as_it_is(
    monkeypatch: pytest.MonkeyPatch, sql: str
) -> None:
    terminal = on_a_terminal(monkeypatch, 80)

    Screen().sql(sql)

    assert [line.rstrip()[2:] for line in printed(terminal)] == sql.splitlines()


@pytest.mark.parametrize("sql", SQL)
def test_sql_on_a_narrow_terminal_is_wrapped_and_not_cropped(
    monkeypatch: pytest.MonkeyPatch, sql: str
) -> None:
    terminal = on_a_terminal(monkeypatch, 60)

    Screen().sql(sql)

    assert max(map(len, printed(terminal))) <= 60
    assert " ".join(printed(terminal)).split() == sql.split()


def test_bars_are_as_long_as_their_values(capsys: pytest.CaptureFixture[str]) -> None:
    weeks = [("7 Sep", {"created": 16, "completed": 0}), ("14 Sep", {"created": 5, "completed": 8})]

    Screen().bars(weeks)

    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split() == ["created", "completed"]
    assert (first.count("█"), first.split()[-1]) == (24, "0")
    assert second.split() == ["14", "Sep", "█" * 7 + "▌", "5", "█" * 12, "8"]


def test_bars_of_nothing_are_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    Screen().bars([])
    Screen().bars([("7 Sep", {"created": 0})])

    assert "█" not in capsys.readouterr().out


def test_a_picture_fits_into_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_a_terminal(monkeypatch, 80)

    Screen().bars([(f"{day} Sep", {"created": 1234 * day, "completed": 99}) for day in range(1, 30)])

    lines = printed(terminal)
    assert len(lines) == 30 and max(map(len, lines)) <= 80
    assert not any("…" in line for line in lines)
