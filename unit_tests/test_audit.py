"""What may be shipped is told from what may not."""

import json
from pathlib import Path

import pytest

from tools.audit import KNOWN, audit_licences, audit_vulnerabilities


def bill(name: str, *licences: dict[str, object]) -> dict[str, object]:
    return {"components": [{"name": name, "licenses": list(licences)}]}


@pytest.mark.parametrize(
    "licence",
    [
        {"license": {"id": "MIT"}},
        {"license": {"name": "License :: OSI Approved :: Apache Software License"}},
        {"expression": "MPL-2.0 AND (Apache-2.0 OR MIT)"},
    ],
)
def test_a_permissive_licence_passes(licence: dict[str, object]) -> None:
    assert audit_licences(bill("some", licence)) == []


@pytest.mark.parametrize("licence", [{"license": {"id": "AGPL-3.0-only"}}, {"expression": "MIT AND GPL-3.0"}])
def test_another_licence_is_named(licence: dict[str, object]) -> None:
    (problem,) = audit_licences(bill("some", licence))
    assert "some" in problem and "GPL" in problem


def test_no_licence_at_all_is_named() -> None:
    assert "not said" in audit_licences(bill("some"))[0]


def test_what_is_known_passes_and_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert audit_licences(bill("Unidecode", {"license": {"name": "GPL"}})) == []
    assert KNOWN["unidecode"] in capsys.readouterr().out


def program(folder: Path, prints: object) -> str:
    path = folder / "pip-audit"
    path.write_text(f"#!/bin/sh\ncat <<'EOF'\n{json.dumps(prints)}\nEOF\n")
    path.chmod(0o755)
    return str(path)


def test_a_vulnerability_is_named_with_its_lock(tmp_path: Path) -> None:
    found = {"id": "CVE-1", "fix_versions": ["2.0"]}
    answer = {"dependencies": [{"name": "some", "version": "1.0", "vulns": [found]}]}
    problems = audit_vulnerabilities(program(tmp_path, answer))
    assert "run.txt: some 1.0 has CVE-1, fixed in 2.0" in problems


def test_a_service_that_does_not_answer_is_said_loudly_and_fails_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = {"dependencies": [{"name": "some", "skip_reason": "not found"}]}
    assert audit_vulnerabilities(program(tmp_path, answer)) == []
    assert "NOT AUDITED" in capsys.readouterr().out
