"""Many roots in one query: one that fails costs itself, and a failure that is about none costs no more."""

from types import SimpleNamespace

import pytest

from source_linear.linear.answers import Answer
from source_linear.linear.errors import LinearError, Problem, failure
from source_linear.sync.roots import Question, Roots

WANTED = {f"root{number}": Question(f"root{number} {{ id }}") for number in range(52)}


class Linear:
    """Answers queries of roots, but for those for which `judge` has a code and, if it names them, roots."""

    def __init__(self, judge):
        self.judge, self.asked = judge, []

    def ask(self, stream, query, variables, roots, tries):
        self.asked.append(list(roots))
        if found := self.judge(list(roots)):
            code, named = found
            problems = tuple(Problem(code, (name,), "Linear's words") for name in named)
            if named == [""]:
                problems = (Problem(code, (), "Linear's words"),)
            raise LinearError(failure("", code, "Linear's words", problems=problems))
        return Answer({name: {"id": "1"} for name in roots})


def asked(judge):
    linear = Linear(judge)
    roots = Roots(SimpleNamespace(ask=linear.ask))
    return set(roots.ask(WANTED)), linear.asked, roots


def naming(code, *bad):
    return lambda names: (code, [one for one in bad if one in names]) if {*bad} & {*names} else None


def without_name(code, *bad):
    return lambda names: (code, [""]) if {*bad} & {*names} else None


@pytest.mark.parametrize(
    "code", ["FORBIDDEN", "FEATURE_NOT_ACCESSIBLE", "INPUT_ERROR", "INTERNAL_SERVER_ERROR"]
)
def test_roots_that_linear_names_are_left_out_at_once(code):
    answered, requests, _ = asked(naming(code, "root7", "root30"))
    assert answered == WANTED.keys() - {"root7", "root30"}
    assert len(requests) == 2


def test_what_may_pass_is_no_refusal():
    _, _, roots = asked(naming("INTERNAL_SERVER_ERROR", "root7"))
    assert roots.refused == {} and roots.forbidden == set()


def test_only_what_credentials_or_plan_do_not_allow_is_forbidden():
    for code, forbidden in (("FORBIDDEN", {"root7"}), ("INPUT_ERROR", set())):
        _, _, roots = asked(naming(code, "root7"))
        assert roots.refused.keys() == {"root7"} and roots.forbidden == forbidden


def test_a_root_of_which_a_field_is_refused_is_not_forbidden():
    problem = Problem("FORBIDDEN", ("root7", "nodes", 0, "archivedAt"), "Linear's words")
    failed = failure("", "FORBIDDEN", "Linear's words", problems=(problem,))

    def ask(stream, query, variables, roots, tries):
        if "root7" in roots:
            raise LinearError(failed)
        return Answer({name: {"id": "1"} for name in roots})

    roots = Roots(SimpleNamespace(ask=ask))
    assert set(roots.ask(WANTED)) == WANTED.keys() - {"root7"}
    assert roots.refused.keys() == {"root7"} and roots.forbidden == set()


def test_a_root_that_linear_does_not_name_is_found_by_halving():
    answered, requests, _ = asked(without_name("GRAPHQL_VALIDATION_FAILED", "root7"))
    assert answered == WANTED.keys() - {"root7"}
    assert len(requests) <= 2 * 6 + 1


@pytest.mark.parametrize("code", ["NOT_FOUND", "PROXY_REFUSES", "CERTIFICATE", "invalid_grant", "NO_ANSWER"])
def test_a_failure_that_is_about_no_root_ends_it(code):
    answered, requests, _ = asked(lambda names: (code, []))
    assert answered == set() and len(requests) == 1


@pytest.mark.parametrize(
    "code", ["INTERNAL_SERVER_ERROR", "AUTHENTICATION_ERROR", "RATELIMITED", "NOT_FOUND"]
)
def test_what_would_fail_each_root_ends_it(code):
    answered, requests, _ = asked(without_name(code, *WANTED))
    assert answered == set() and len(requests) == 1


@pytest.mark.parametrize("code", ["TOO_LARGE", "TOO_COMPLEX"])
def test_what_is_too_large_is_asked_for_in_parts(code):
    answered, requests, _ = asked(lambda names: (code, []) if len(names) > 20 else None)
    assert answered == WANTED.keys()
    assert len(requests) <= 1 + 1 + 4
