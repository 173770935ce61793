"""Runs the tests on the newest airbyte-cdk, and says in a few lines what broke.

    python -m tools.canary [ARGUMENT OF PYTEST …]

`make canary` runs it, in an environment of the newest versions (requirements/canary.in). It ends with 1 if a
test failed or none could be run. test_wheel.py is left out: it installs the locked versions.
"""

import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import distributions
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
CDK = "airbyte-cdk"
_LOCK = ROOT / "requirements" / "test.txt"
_LOG = ROOT / ".cache" / "canary" / "pytest.log"
_RESULTS = _LOG.with_name("pytest.xml")
_MOST = 20  # failures that are named


def versions(installed: Mapping[str, str], lock: str) -> Iterator[str]:
    """Which CDK it is, and what else is of another version than the lock has."""
    locked = defaultdict(set)  # some packages have another version on another Python
    for name, version in re.findall(r"^([\w.-]+)==(\S+)", lock, re.M):
        locked[_plain(name)].add(version)
    yield f"{CDK} {installed[CDK]} (locked: {', '.join(locked[CDK])})"
    others = [
        f"{name} {version}"
        for name, version in sorted(installed.items())
        if name != CDK and name in locked and version not in locked[name]
    ]
    if others:
        yield f"other versions than the lock's: {', '.join(others)}"


def failures(results: str) -> tuple[int, list[str]]:
    """How many tests there were, and each that failed, with the first line of why.

    Args:
        results: what pytest wrote with `--junit-xml`.
    """
    count, found = 0, []
    for case in ElementTree.fromstring(results).iter("testcase"):
        count += 1
        for failed in (*case.iterfind("failure"), *case.iterfind("error")):
            name = "::".join(part for part in (case.get("classname"), case.get("name")) if part)
            found.append(f"{name}: {_reason(failed)[:200]}")
    return count, found


def _reason(failed: ElementTree.Element) -> str:
    """The first line of why: the message, or of a module that could not be imported the last error."""
    errors = re.findall(r"^E +(\S.*)$", failed.text or "", re.M)
    message = (failed.get("message") or "").strip().partition("\n")[0]
    return str(errors[-1]) if message == "collection failure" and errors else message


def report(code: int, results: str | None, log: str) -> tuple[bool, list[str]]:
    """Whether all is well, and the lines that say so or what broke.

    Args:
        code: what pytest ended with.
        results: what it wrote with `--junit-xml`, if it came to that.
        log: what it printed.
    """
    count, failed = failures(results) if results else (0, [])
    lines = [f"{len(failed)} of {count:,} tests failed", *(f"  {one}" for one in failed[:_MOST])]
    if len(failed) > _MOST:
        lines.append(f"  and {len(failed) - _MOST} more: {_LOG.relative_to(ROOT)}")
    if code and not failed:
        lines = [f"The tests did not run to their end. pytest ended with {code}:"]
        lines += log.rstrip().splitlines()[-10:]
    return code == 0, lines


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    installed = {_plain(found.metadata["Name"]): found.version for found in distributions()}
    print("\n".join(versions(installed, _LOCK.read_text("utf-8"))))
    print(f"running the tests; what they print is in {_LOG.relative_to(ROOT)} …", flush=True)
    command = [sys.executable, "-m", "pytest", "unit_tests", "integration_tests", "-q", "-n", "2"]
    command += ["--dist", "loadfile", "--ignore", "integration_tests/test_wheel.py"]
    _RESULTS.unlink(missing_ok=True)
    with _LOG.open("w", encoding="utf-8") as log:
        done = subprocess.run(
            [*command, f"--junit-xml={_RESULTS}", *arguments], cwd=ROOT, stdout=log, stderr=subprocess.STDOUT
        )
    results = _RESULTS.read_text("utf-8") if _RESULTS.exists() else None
    well, lines = report(done.returncode, results, _LOG.read_text("utf-8"))
    print("\n".join(lines))
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
