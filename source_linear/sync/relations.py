"""The issues whose relations changed: that moves no stamp of theirs (docs/linear-api.md, UPDATED-5)."""

from collections.abc import Iterator

from source_linear.streams import MAX_PAGE_SIZE
from source_linear.sync.nodes import is_sound
from source_linear.sync.roots import Question, Roots
from source_linear.sync.walks import DATES, is_since

RELATIONS = "issue_relations"
FOLLOWERS = ("issues", "issue_history")  # the streams that show an issue's relations
_ENDS = ("issue", "relatedIssue")


def related_issues(roots: Roots, since: str) -> list[str]:
    """The ids of the issues at both ends of each relation that changed since a moment.

    Args:
        roots: asks. Where it is refused, no issue is known: they come when they change.
        since: the moment.
    """
    return list(dict.fromkeys(_related(roots, since)))


def _related(roots: Roots, since: str) -> Iterator[str]:
    after = ""
    while True:
        text = (
            f"issueRelations(first: {MAX_PAGE_SIZE}, orderBy: updatedAt, includeArchived: true{after}) "
            f"{{ nodes {{ {DATES} issue {{ id }} relatedIssue {{ id }} }} }}"
        )
        nodes = roots.ask({"relations": Question(text, {}, ("nodes",))}).get("relations", {}).get("nodes", [])
        for node in nodes:
            if is_sound(node) and is_since(node, since):
                yield from (node[end]["id"] for end in _ENDS if isinstance(node.get(end), dict))
        last = nodes[-1] if nodes else None
        if len(nodes) < MAX_PAGE_SIZE or not is_sound(last) or not is_since(last, since):
            return
        after = f', after: "{last["id"]}"'
