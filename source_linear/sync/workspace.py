"""Whose credentials these are, which workspace they open, and what time it is at Linear's."""

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import pendulum

from source_linear.config import config_error, milliseconds, timestamp
from source_linear.graphql import Question
from source_linear.linear.errors import Failure, LinearError
from source_linear.linear.selection import parse
from source_linear.sync.lister import Reply

_LOGGER = logging.getLogger("airbyte")
_MOST_ISSUES = 10**9
_APART = pendulum.duration(minutes=1)  # that clocks may be apart before one of them is doubted


@dataclass(frozen=True)
class Workspace:
    """A workspace as these credentials see it.

    Attributes:
        viewer: whose credentials they are: `id name email admin`.
        organization: the workspace: `id name urlKey createdAt`.
        issues: how many issues were ever created in it, by Linear's own count; 0 where it is not known.
    """

    viewer: Mapping[str, Any]
    organization: Mapping[str, Any]
    issues: int = 0

    @property
    def created(self) -> str:
        """When it was created: nothing but imported rows is older."""
        return milliseconds(timestamp(self.organization["createdAt"]))

    @property
    def owner(self) -> dict[str, str]:
        """What a state remembers of it."""
        name = str(self.organization.get("name") or self.organization.get("urlKey") or "")
        return {"id": self.organization["id"], "name": name, "viewer": self.viewer["id"]}


def questions(team_keys: Sequence[str]) -> dict[str, Question]:
    """What asks whose credentials these are, and whether the workspace has these teams."""

    # docs/linear-api.md, ENDPOINT-4: it needs no permission beyond a valid key.
    def asked(text: str, *keys: str, **variables: tuple[str, Any]) -> Question:
        return Question(parse(text)[0], variables, keys)

    found = {
        "viewer": asked("viewer { id name email admin }", "id"),
        "organization": asked("organization { id name urlKey createdAt }", "id", "createdAt"),
        # A root of its own: estimates and the number of slices need it, nothing else does.
        "counted": asked("organization { createdIssueCount }"),
    }
    if team_keys:
        keys = ("[String!]", list(team_keys))
        found["teams"] = asked("teams(first: 250, includeArchived: true) { nodes { key } }", "nodes")
        text = "teams(first: 250, includeArchived: true, filter: {key: {in: $keys}}) { nodes { key } }"
        found["asked"] = asked(text, "nodes", keys=keys)
    return found


def workspace_of(replies: Mapping[str, Reply | Failure], team_keys: Sequence[str]) -> Workspace:
    """The workspace that answered `questions`.

    Raises:
        LinearError: Linear refuses or cannot be reached.
        AirbyteTracedException: it has no team of a given key (config_error).
    """
    data = {}
    for name in questions(team_keys):
        reply = replies.get(name)
        if isinstance(reply, Reply):
            data[name] = reply.value
        elif isinstance(reply, Failure) and name != "counted":
            raise LinearError(reply)
    if team_keys:
        known, asked = ({team["key"] for team in data[name]["nodes"] if team} for name in ("teams", "asked"))
        if unknown := sorted(set(team_keys) - known - asked):
            raise config_error(
                f"team_keys: the workspace has no team {', '.join(unknown)}; "
                f"its teams are {', '.join(sorted(known))}."
            )
    counted = data.get("counted") or {}
    return Workspace(data["viewer"], data["organization"], _count(counted.get("createdIssueCount")))


def _count(told: Any) -> int:
    return min(int(told), _MOST_ISSUES) if isinstance(told, int | float) and math.isfinite(told) else 0


def time_of(headers: Mapping[str, str], stamps: Iterable[str], created: str, now: datetime) -> datetime:
    """A moment that is not later than Linear's clock: the `Date` of its answer, where that can be right.

    Where it is missing, or later than our own clock, one of the two is wrong. Then it is the earlier of
    both, or the newest stamp that Linear itself has set, if that is later.

    Args:
        headers: those of the answer.
        stamps: stamps of rows that the answer holds.
        created: when the workspace was created.
        now: our own clock.
    """
    dated: datetime | None = None
    with suppress(KeyError, ValueError, TypeError):
        dated = pendulum.instance(parsedate_to_datetime(headers["Date"]))
    latest = milliseconds(now + _APART)  # stamps sort as text
    newest: datetime = timestamp(created)
    with suppress(ValueError):
        newest = max(newest, timestamp(max((stamp for stamp in stamps if stamp <= latest), default=created)))
    if dated and dated <= now + _APART:
        if newest <= dated + _APART:
            return dated
        said, moment = "a Date header earlier than stamps of its own rows", newest
    elif dated:
        said, moment = "a Date header later than this machine's clock", max(newest, now)
    else:
        said, moment = "no valid Date header", newest
    _LOGGER.warning(
        "Linear's response has %s: this sync reads changes up to %s. Check the clock of this machine, and "
        "the proxy if there is one.",
        said,
        milliseconds(moment),
    )
    return moment
