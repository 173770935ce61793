"""The issues whose relations changed: that moves no stamp of theirs (docs/linear-api.md, UPDATED-5)."""

import logging

from source_linear.sync.nodes import is_sound
from source_linear.sync.roots import Roots
from source_linear.sync.walks import DATES, is_since

_LOGGER = logging.getLogger("airbyte")
RELATIONS = "issue_relations"
FOLLOWERS = ("issues", "issue_history")  # the streams that show an issue's relations
_ENDS = ("issue", "relatedIssue")


def related_issues(roots: Roots, since: str) -> list[str]:
    """The ids of the issues at both ends of each relation that changed since a moment.

    Args:
        roots: asks. Where it brings no answer, a warning says that these issues are left as they are.
        since: the moment.
    """
    found: dict[str, None] = {}
    selection = f"{DATES} issue {{ id }} relatedIssue {{ id }}"
    for nodes in roots.pages("issueRelations", "orderBy: updatedAt, includeArchived: true", selection):
        if nodes is None:
            _LOGGER.warning(
                "Linear did not say which relations of issues changed since %s: relationIds of issues, and "
                "their histories, may lack the latest ones until the issues change.",
                since,
            )
            break
        changed = [node for node in nodes if is_sound(node) and is_since(node, since)]
        found |= dict.fromkeys(node[end]["id"] for node in changed for end in _ENDS if node.get(end))
        if len(changed) < len(nodes):
            break
    return list(found)
