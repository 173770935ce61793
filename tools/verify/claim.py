"""A claim about Linear's API, and what was found of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from tools.verify.asking import Linear


class Verdict(Enum):
    """What became of a claim."""

    HOLDS = "holds"
    DIFFERS = "differs"
    UNSEEN = "could not be seen here"


@dataclass
class Findings:
    """What a look at the API has found. It holds figures and forms only, nothing of the workspace's content.

    Attributes:
        compared: how many values were compared with the claim.
        differing: how many of them are not as it says.
        seen: what was seen, for people.
        why: why nothing was compared, where nothing was.
        figures: the same as `seen` for programs.
    """

    compared: int
    differing: int
    seen: str = ""
    why: str = ""
    figures: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 <= self.differing <= self.compared:
            raise ValueError(f"{self.differing} of {self.compared} cannot differ")
        if not self.compared and not self.why:
            raise ValueError("nothing was compared, and nothing says why")

    @property
    def verdict(self) -> Verdict:
        """Nothing holds of which nothing was compared."""
        if not self.compared:
            return Verdict.UNSEEN
        return Verdict.DIFFERS if self.differing else Verdict.HOLDS


def unseen(why: str) -> Findings:
    """The findings where nothing was compared."""
    return Findings(0, 0, why=why)


def found(compared: int, differing: int, seen: str, **figures: Any) -> Findings:
    """The findings of a comparison; see `Findings`."""
    why = "" if compared else "there is nothing to compare in this workspace"
    return Findings(compared, differing, seen, why, figures)


@dataclass(frozen=True)
class Claim:
    """A claim: a fact of docs/linear-api.md.

    Attributes:
        fact: its id there.
        expected: what is claimed.
        means: what a difference means for the connector.
        look: looks at the API; raises `NotSeen` where there is nothing to look at.
    """

    fact: str
    expected: str
    means: str
    look: Callable[[Linear], Findings]


@dataclass(frozen=True)
class Outcome:
    """A claim with what was found of it."""

    claim: Claim
    findings: Findings


def claim(fact: str, expected: str, means: str) -> Callable[[Callable[[Linear], Findings]], Claim]:
    """Make a claim of the function that looks at it; see `Claim`."""
    return lambda look: Claim(fact, expected, means, look)
