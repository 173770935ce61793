"""docs/linear-api.md: each fact has an id and says what it rests on, and what is cited is there."""

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "linear-api.md"
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.read_text("utf-8").splitlines()
    if re.match(r"\| [A-Z]+-\d+ \|", line)
]
IDS = [row[0].strip("| ") for row in ROWS]
FAMILIES = "|".join(sorted({name.split("-")[0] for name in IDS}))
_TEXT = (".py", ".md")
_EVIDENCE = ("schema", "documented", "recorded", "reported", "assumed", "follows from", "by analogy")


def cited() -> dict[str, set[str]]:
    """Each fact that a file outside of the page cites, with the files."""
    found: dict[str, set[str]] = {}
    folders = ("source_linear", "unit_tests", "integration_tests", "benchmarks", "tools", "docs")
    files = [file for folder in folders for file in (ROOT / folder).rglob("*") if file.suffix in _TEXT]
    files += [ROOT / name for name in ("manifest.yaml", "README.md", "CONTRIBUTING.md", "Makefile")]
    for file in files:
        if file not in (PAGE, Path(__file__)):
            for name in re.findall(rf"\b(?:{FAMILIES})-\d+\b", file.read_text("utf-8")):
                found.setdefault(name, set()).add(str(file.relative_to(ROOT)))
    return found


def test_each_fact_has_an_id_of_its_own() -> None:
    assert [name for name, count in Counter(IDS).items() if count > 1] == []
    assert len(IDS) > 80


def test_each_fact_says_what_it_rests_on() -> None:
    without = [
        row[0] for row in ROWS if not row[0].startswith("UNKNOWN-") and not row[-1].startswith(_EVIDENCE)
    ]
    assert without == []


def test_each_fact_that_is_cited_is_there() -> None:
    assert {name: files for name, files in cited().items() if name not in IDS} == {}


def test_facts_that_the_page_refers_to_itself_are_there() -> None:
    named = set(re.findall(rf"\b(?:{FAMILIES})-\d+\b", PAGE.read_text("utf-8")))
    assert named - set(IDS) == set()
