"""Of all answers: what is refused to whom, and whether what came was whole."""

from collections import Counter

from tools.verify.asking import Linear, NotSeen, Reply
from tools.verify.claim import Findings, claim, found, unseen
from tools.verify.evidence import is_refusal, small_pages
from tools.verify.words import shown

_NEEDS_ADMIN = {"audit_entries", "webhooks", "integrations", "organization_invites"}
# Streams of features that not every plan includes.
_NEEDS_PLAN = {
    "customers", "customer_needs", "customer_statuses", "customer_tiers", "initiatives", "initiative_history",
    "initiative_labels", "initiative_relations", "initiative_to_projects", "initiative_updates", "releases",
    "release_notes", "release_pipelines", "release_stages", "issue_to_releases", "entity_external_links",
    "triage_responsibilities", "time_schedules", "agent_sessions", "agent_activities", "agent_skills",
}  # fmt: skip


def _refused(linear: Linear) -> dict[str, Reply]:
    replies = {}
    for name, stream in linear.streams.items():
        try:
            refused = [reply for reply in small_pages(linear, stream) if is_refusal(reply)]
        except NotSeen:
            continue
        if refused:
            replies[name] = refused[0]
    return replies


@claim(
    "ENDPOINT-7",
    "refused are only streams that need an admin or a plan",
    "The docs name the streams that need more than a key: more of them do. `check` names them for your key.",
)
def refusals(linear: Linear) -> Findings:
    refused = _refused(linear)
    if not refused:
        return unseen("these credentials may read everything")
    other = sorted(set(refused) - _NEEDS_ADMIN - _NEEDS_PLAN)
    seen = f"{len(refused)} streams refused: {', '.join(refused)}"
    return found(len(refused), len(other), seen, refused=sorted(refused), unexpected=other)


@claim(
    "ERRORS-3",
    "a refusal says what it is: by its code, or by words that the connector knows",
    "`check` and the stream say what Linear says, but not what to do about it. Report code and text.",
)
def reasons(linear: Linear) -> Findings:
    refused = _refused(linear)
    if not refused:
        return unseen("these credentials may read everything")
    unknown = [
        name for name, reply in refused.items() if reply.failure and reply.failure.code == "INPUT_ERROR"
    ]
    said = Counter(f"{reply.refusal}, “{shown(reply.exchange.said)}”" for reply in refused.values())
    seen = "; ".join(f"{count} × {text}" for text, count in said.items())
    return found(len(refused), len(unknown), seen, answers=dict(said), unknown=sorted(unknown))


@claim(
    "ERRORS-11",
    "`data` beside `errors` comes at HTTP 200, and the fields that the errors name are null",
    "The connector keeps the rows at any status. A named field that is not null would be a value to doubt.",
)
def partial(linear: Linear) -> Findings:
    partly = [reply for reply in linear.replies if reply.problems and reply.data and not reply.failure]
    if not partly:
        return unseen("no answer had both")
    statuses = Counter(reply.exchange.status for reply in partly)
    named = [_at(reply.data, problem.path) for reply in partly for problem in reply.problems if problem.path]
    filled = sum(value is not None for value in named)
    codes = Counter(problem.code for reply in partly for problem in reply.problems)
    differing = sum(count for status, count in statuses.items() if status != 200) + filled
    seen = (
        f"{len(partly)} answers, HTTP {', '.join(map(str, statuses))}; {len(named)} errors with a path, "
        f"{filled} of these fields not null; "
        f"{', '.join(f'{count} × {code}' for code, count in codes.items())}"
    )
    return found(len(partly) + len(named), differing, seen, statuses=dict(statuses), codes=dict(codes))


@claim(
    "ERRORS-14",
    "no successful answer lacks a root that was asked for",
    "The connector asks again; a stream whose root never comes fails with a sentence.",
)
def whole(linear: Linear) -> Findings:
    answered = [reply.exchange for reply in linear.replies if not reply.failure]
    lacking = linear.meter.incomplete
    return found(
        len(answered) + lacking, lacking, f"{len(answered) + lacking} answers, {lacking} without a root"
    )


def _at(value: object, path: tuple[str | int, ...]) -> object:
    for part in path:
        if isinstance(part, str) and isinstance(value, dict):
            value = value.get(part)
        elif isinstance(part, int) and isinstance(value, list) and part < len(value):
            value = value[part]
        else:
            return None
    return value
