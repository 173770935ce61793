"""`make canary` names the versions, and what broke."""

from tools.canary import report, versions

LOCK = """\
airbyte-cdk==7.39.1 \\
    --hash=sha256:00
numpy==2.4.6 ; python_full_version < '3.12' \\
numpy==2.5.5 ; python_full_version >= '3.12' \\
PyYAML==6.0.1 \\
"""
ONE_OF_TWO = """\
<testsuites><testsuite>
<testcase classname="unit_tests.test_run" name="test_a" />
<testcase classname="unit_tests.test_run" name="test_b"><failure message="AttributeError: no _queue&#10;more">
</failure></testcase>
</testsuite></testsuites>
"""


def test_versions_are_named_beside_the_locked_ones() -> None:
    installed = {"airbyte-cdk": "7.50.0", "numpy": "2.5.5", "pyyaml": "6.0.4", "source-linear": "0.1.0"}
    assert list(versions(installed, LOCK)) == [
        "airbyte-cdk 7.50.0 (locked: 7.39.1)",
        "other versions than the lock's: pyyaml 6.0.4",
    ]


def test_a_test_that_failed_is_named_with_the_reason() -> None:
    assert report(1, ONE_OF_TWO, "") == (
        False,
        ["1 of 2 tests failed", "  unit_tests.test_run::test_b: AttributeError: no _queue"],
    )


def test_a_module_that_cannot_be_imported_is_named() -> None:
    results = (
        '<testsuite><testcase classname="" name="unit_tests.test_run"><error message="collection failure">'
    )
    results += "unit_tests/test_run.py:3: in &lt;module&gt;\nE   ImportError: no such name\n"
    well, lines = report(2, results + "</error></testcase></testsuite>", "")
    assert (well, lines[1]) == (False, "  unit_tests.test_run: ImportError: no such name")


def test_of_many_failures_twenty_are_named() -> None:
    case = '<testcase classname="m" name="t"><failure message="no" /></testcase>'
    _, lines = report(1, f"<testsuite>{case * 25}</testsuite>", "")
    assert len(lines) == 22
    assert lines[-1].startswith("  and 5 more: ")


def test_a_run_that_could_not_start_is_no_success() -> None:
    well, lines = report(4, None, "ERROR: no module named pytest_hooks\n")
    assert (well, lines[-1]) == (False, "ERROR: no module named pytest_hooks")


def test_a_run_in_which_all_passed_is_a_success() -> None:
    results = '<testsuite><testcase classname="m" name="t" /></testsuite>'
    assert report(0, results, "") == (True, ["0 of 1 tests failed"])
