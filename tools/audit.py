"""Whether what is shipped may be shipped: its licences, and vulnerabilities that are known of the locks.

    python -m tools.audit --sbom FILE --pip-audit PROGRAM

`make audit` runs it. It ends with 1 for a licence that is neither permissive nor said here, and for a
vulnerability; where the vulnerability service cannot be reached it says so loudly, and that is all.
"""

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_LOCKS = Path(__file__).resolve().parent.parent / "requirements"
_PERMISSIVE = re.compile(
    r"\b(MIT|BSD|Apache|ISC|0BSD|Zlib|CC0|PSF|CNRI-Python|Unlicense|MPL-2\.0|Mozilla Public License 2\.0)\b"
)
# Packages whose metadata does not say it, or that are not permissive and shipped all the same, and why.
KNOWN: Mapping[str, str] = {
    "protobuf": "BSD-3-Clause by the LICENSE file in it",
    "rich-click": "MIT by the LICENSE file in it",
    "unidecode": "GPL-2.0-or-later; airbyte-cdk requires it, it is shipped as it is and beside our code",
}


def licences(bill: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    """Each component of a CycloneDX document with its licence, and whether that is permissive."""
    for component in bill["components"]:
        found = [
            entry.get("expression") or entry["license"].get("id") or entry["license"].get("name", "")
            for entry in component.get("licenses", [])
        ]
        # A classifier and an expression often say the same; every one of them has to be permissive.
        parts = [part for one in found for part in re.split(r"\bAND\b", one)]
        permissive = bool(parts) and all(_PERMISSIVE.search(part) for part in parts)
        yield component["name"].lower().replace("_", "-"), " / ".join(found) or "not said", permissive


def audit_licences(bill: Mapping[str, Any]) -> list[str]:
    """What is wrong with the licences; prints those that need a word."""
    problems, count = [], 0
    for name, licence, permissive in licences(bill):
        count += 1
        if name in KNOWN:
            print(f"licence of {name}: {KNOWN[name]}")
        elif not permissive:
            problems.append(f"licence of {name} is not permissive, or not known: {licence}")
    print(f"licences of {count} shipped packages read, {len(problems)} in question")
    return problems


def audit_vulnerabilities(pip_audit: str) -> list[str]:
    """The vulnerabilities that are known of the locked versions."""
    problems, count = [], 0
    locks = [_LOCKS / "run.txt", *sorted(_LOCKS.glob("*.txt"))]  # first what is shipped
    for lock in dict.fromkeys(locks):
        command = [pip_audit, "--requirement", str(lock), "--require-hashes", "--disable-pip"]
        done = subprocess.run(
            [*command, "--format", "json", "--progress-spinner", "off"], capture_output=True, text=True
        )
        try:
            answered = [one for one in json.loads(done.stdout)["dependencies"] if "vulns" in one]
        except (ValueError, KeyError):
            answered = []
        if not answered:
            print(f"NOT AUDITED: the vulnerability service does not answer here ({lock.name})")
            break
        count += len(answered)
        problems += [
            f"{lock.name}: {one['name']} {one['version']} has {found['id']}, fixed in "
            f"{', '.join(found['fix_versions']) or 'no version yet'}"
            for one in answered
            for found in one["vulns"]
        ]
    else:
        print(f"{count} locked versions asked for, {len(problems)} vulnerabilities")
    return problems


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tools.audit")
    parser.add_argument("--sbom", type=Path, required=True)
    parser.add_argument("--pip-audit", required=True)
    options = parser.parse_args()
    problems = audit_licences(json.loads(options.sbom.read_text("utf-8")))
    problems += audit_vulnerabilities(options.pip_audit)
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
