"""Each fact of docs/linear-api.md: which claim looks at it, or why none does."""

from collections.abc import Iterator, Mapping, Sequence

from tools.verify.claims import CLAIMS
from tools.verify.watch import claims as watched

_BY_HAND = "Only a change shows it, and nothing is changed here."
_RESTS = "Each answer rests on it: without it nothing is answered, which is said at once."
_DAYS = "It takes longer than a run."
_NO_FAILURE = "It cannot be brought about without doing harm."

# Facts that a claim about another one covers.
COVERED: Mapping[str, Sequence[str]] = {
    "ENDPOINT-8": ("QUERY-3",),
    "PAGING-1": ("QUERY-3", "PAGING-11"),
    "PAGING-7": ("QUERY-1", "QUERY-3"),
    "PAGING-8": ("QUERY-3",),
    "PAGING-9": ("QUERY-3",),
    "FILTER-3": ("QUERY-3",),
    "FILTER-8": ("QUERY-3",),
    "UPDATED-1": ("UPDATED-11",),
    "UPDATED-9": ("UPDATED-11", "UNKNOWN-2"),
    "LIMITS-8": ("LIMITS-3", "LIMITS-4"),
    "ERRORS-7": ("ERRORS-3",),
    "ERRORS-8": ("ERRORS-3",),
    "ERRORS-12": ("ERRORS-11",),
    "UNKNOWN-4": ("ERRORS-11",),
    "UNKNOWN-5": ("ERRORS-3",),
    "UNKNOWN-6": ("LIMITS-4", "LIMITS-5", "LIMITS-6", "LIMITS-7"),
    "UNKNOWN-7": ("ENDPOINT-6", "FILTER-12"),
}

# Facts that cannot be checked by a program that only reads, once, for two minutes.
NOT_CHECKABLE: Mapping[str, str] = {
    "ENDPOINT-1": _RESTS,
    "ENDPOINT-2": _RESTS,
    "ENDPOINT-3": _RESTS,
    "ENDPOINT-5": "Nobody is sent a request of 10 MiB.",
    "ENDPOINT-9": "A wish of Linear's, no behaviour of its API.",
    "OAUTH-1": "It takes a person and a browser.",
    "OAUTH-2": "With OAuth credentials each answer rests on it; others get no token.",
    "OAUTH-3": _DAYS,
    "OAUTH-4": "It would use up the refresh token.",
    "OAUTH-5": "It depends on how the application was authorized.",
    "OAUTH-6": _DAYS,
    "OAUTH-7": "It would revoke the application's tokens.",
    "FILTER-10": "That there are no such rows would say nothing. PAGING-10 looks at pages that have some.",
    "ARCHIVING-3": _DAYS,
    "ARCHIVING-5": _DAYS,
    "ARCHIVING-6": _BY_HAND,
    "ARCHIVING-7": _BY_HAND,
    "ARCHIVING-8": "It is about webhooks.",
    "ARCHIVING-9": _BY_HAND,
    "UPDATED-3": _BY_HAND,
    "UPDATED-7": _BY_HAND,
    "UPDATED-10": "It says nothing beyond UPDATED-9, and the connector relies on no such distance.",
    "LIMITS-2": "Nothing is searched.",
    "LIMITS-12": "It would use up the limit that other programs need.",
    "ERRORS-1": "It would use up the limit that other programs need.",
    "ERRORS-10": _NO_FAILURE,
    "ERRORS-13": _NO_FAILURE,
    "FORMS-12": "“May be” can be confirmed and never refuted; FORMS-16 looks at the type.",
    "FORMS-15": "“May hold” can be confirmed and never refuted; such text is read either way.",
    "UNKNOWN-3": _BY_HAND,
    "UNKNOWN-8": _BY_HAND,
    "UNKNOWN-10": _DAYS,
}


def looked_at() -> dict[str, list[str]]:
    """How each fact is looked at that is: in a run, by watching, or by the claims that cover it."""
    how: dict[str, list[str]] = {}
    for claim in CLAIMS:
        how.setdefault(claim.fact, []).append("`make verify`")
    for claim in watched([]):
        how.setdefault(claim.fact, []).append("`make verify WATCH=1`")
    for fact, claims in COVERED.items():
        how.setdefault(fact, []).append(f"by {', '.join(claims)}")
    return how


def table() -> Iterator[str]:
    """The table of docs/linear-api.md: for each fact how it is checked, or why it is not."""
    how = looked_at()
    rows = {fact: ", ".join(ways) for fact, ways in how.items()}
    rows |= {fact: f"Not checkable. {reason}" for fact, reason in NOT_CHECKABLE.items() if fact not in how}
    yield "| Fact | Checked |"
    yield "|---|---|"
    yield from (f"| `{fact}` | {rows[fact]} |" for fact in sorted(rows, key=_order))


def _order(fact: str) -> tuple[str, int]:
    family, _, number = fact.partition("-")
    return family, int(number)
