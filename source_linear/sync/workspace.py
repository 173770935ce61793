"""Whose credentials these are, which workspace they open, and what time it is at Linear's."""

import logging
import math
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import pendulum

from source_linear.config import config_error, milliseconds, timestamp
from source_linear.linear.answers import Answer
from source_linear.linear.api import Api
from source_linear.streams import CURSOR_FIELD, Stream
from source_linear.sync.probe import Probe
from source_linear.sync.roots import Question, Roots

_LOGGER = logging.getLogger("airbyte")
# A root of its own: estimates and the number of windows need it, nothing else does.
_COUNTED = {"counted": Question("organization { createdIssueCount }")}
_MOST_ISSUES = 10**9
_AHEAD = pendulum.duration(minutes=1)  # that Linear's clock may be of ours before one of them is doubted


class Workspace(NamedTuple):
    """A workspace as these credentials see it.

    Attributes:
        viewer: whose credentials they are: `id name email admin`.
        organization: the workspace: `id name urlKey createdAt`.
        answer: the whole answer.
        issues: how many issues were ever created in it, by Linear's own count; 0 where it is not known.
    """

    viewer: dict[str, Any]
    organization: dict[str, Any]
    answer: Answer
    issues: int = 0

    @property
    def created(self) -> datetime:
        """When it was created: nothing but imported rows is older."""
        return timestamp(self.organization["createdAt"])


def ask_who(api: Api, team_keys: Sequence[str] = (), probe: Probe | None = None) -> Workspace:
    """Ask whose credentials these are, and whether the workspace has these teams.

    Args:
        api: Linear's API.
        team_keys: the configuration's `team_keys`.
        probe: what is asked in the same query: what changed since the states.

    Raises:
        LinearError: Linear refuses or cannot be reached.
        AirbyteTracedException: it has no team of a given key (config_error).
    """
    roots, wanted = Roots(api), _questions(team_keys)
    data = probe.ask(roots, wanted | _COUNTED) if probe else {}
    counted = data.pop("counted", None) or {}
    answer = roots.first
    if answer is None or len(data) < len(wanted):
        answer = roots.send(wanted)
        data = answer.data
    if team_keys:
        known, asked = ({team["key"] for team in data[name]["nodes"] if team} for name in ("teams", "asked"))
        if unknown := sorted(set(team_keys) - known - asked):
            raise config_error(
                f"team_keys: the workspace has no team {', '.join(unknown)}; "
                f"its teams are {', '.join(sorted(known))}."
            )
    return Workspace(data["viewer"], data["organization"], answer, _count(counted.get("createdIssueCount")))


def _count(told: Any) -> int:
    return min(int(told), _MOST_ISSUES) if isinstance(told, int | float) and math.isfinite(told) else 0


def _questions(team_keys: Sequence[str]) -> dict[str, Question]:
    # docs/linear-api.md, ENDPOINT-4: it needs no permission beyond a valid key.
    organization = "organization { id name urlKey createdAt }"
    questions = {
        "viewer": Question("viewer { id name email admin }", {}, ("id",)),
        "organization": Question(organization, {}, ("id", "createdAt")),
    }
    if team_keys:
        teams = "teams(first: 250, includeArchived: true{}) {{ nodes {{ key }} }}"
        questions["teams"] = Question(teams.format(""), {}, ("nodes",))
        keys = {"keys": ("[String!]", list(team_keys))}
        questions["asked"] = Question(teams.format(", filter: {key: {in: $keys}}"), keys, ("nodes",))
    return questions


def time_of(workspace: Workspace, api: Api, streams: Collection[Stream]) -> datetime:
    """A moment that is not later than Linear's clock: the `Date` of its answer, where that can be right.

    Where it is missing, or later than our own clock, one of the two is wrong. Then it is the earlier of
    both, or the newest stamp that Linear itself has set, if that is later.

    Args:
        workspace: what was answered.
        api: Linear's API.
        streams: the streams that are about to be read.
    """
    now, dated = pendulum.now("UTC"), None
    with suppress(KeyError, ValueError, TypeError):
        dated = pendulum.instance(parsedate_to_datetime(workspace.answer.headers["Date"]))
    if dated and dated <= now + _AHEAD:
        return dated
    newest = "(first: 1, orderBy: updatedAt, includeArchived: true) { nodes { updatedAt } }"
    roots = {root.name for one in streams if one.connection for root in one.roots}
    data = Roots(api).ask({root: Question(root + newest, {}, ("nodes",)) for root in roots})
    stamps = [node[CURSOR_FIELD] for found in data.values() for node in found["nodes"] if node]
    moment = max((timestamp(stamp) for stamp in stamps), default=workspace.created)
    if dated:
        moment = max(moment, now)
    _LOGGER.warning(
        "Linear's response has %s: this sync reads changes up to %s. Check the clock of this machine, and "
        "the proxy if there is one.",
        "a Date header later than this machine's clock" if dated else "no valid Date header",
        milliseconds(moment),
    )
    return moment
