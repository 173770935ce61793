"""What the code cites is in the repository."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("source_linear", "unit_tests", "integration_tests", "benchmarks", "tools", "requirements")
SUFFIXES = (".py", ".sh", ".in")
FILES = [
    *(file for folder in FOLDERS for file in (ROOT / folder).rglob("*") if file.suffix in SUFFIXES),
    *(ROOT / name for name in ("manifest.yaml", "metadata.yaml", "Makefile", "Dockerfile", "pyproject.toml")),
]


def test_each_page_that_a_file_cites_is_there() -> None:
    for file in FILES:
        text = file.read_text("utf-8").replace('"""', " ")
        cited = set(re.findall(r"(?<![\w./:*\"-])[\w./-]+\.md\b", text))  # in quotes: a part of a path
        assert [page for page in sorted(cited) if not _is_there(file, page)] == [], file


def _is_there(file: Path, page: str) -> bool:
    return any((folder / page).is_file() for folder in (ROOT, ROOT / "docs", file.parent))
