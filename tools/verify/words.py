"""What may be shown of a text that Linear sends: words of its schema and of refusals, no others."""

import re
from functools import cache

from tools.schemas import contract

# Words of the refusals that are recorded (docs/linear-api.md, Errors), and what such sentences are made of.
_WORDS = """
a access accessible add admin admins allowed an and application are argument as at authenticated
authentication authorization available basic be bearer business by can cannot complex complexity contact
could credentials customers date denied do does doesn don enabled enterprise entity error exceeded exist
expected failed feature features field find for found free from get guest guests has have header http ids
in include included initiatives input interact internal invalid is issue it key limit list looks maximum
may member members must name need needed no not of on only or owner page path per permission permissions
plan prefix project projects query rate re read referenced refused releases remove request required
requires resource rights role s scope select server should system t team teams the this to token too
trying type unknown upgrade use used user users using validation value view was webhooks with workspace
workspaces you your
"""


@cache
def _known() -> frozenset[str]:
    names = {name for name in contract().type_map if not name.startswith("__")}
    query = contract().query_type
    assert query is not None
    return frozenset(word.lower() for word in (*_WORDS.split(), *names, *query.fields))


def shown(text: str, most: int = 160) -> str:
    """A text of Linear's with every word replaced that is none of its schema or of a refusal.

    Args:
        text: for example the message of an error.
        most: characters that are kept.
    """
    known = _known()
    kept = re.sub(r"[^\W_]+", lambda word: word[0] if word[0].lower() in known else "…", text)
    return re.sub(r"[^\w\s.,:;'\"()…-]|_", "…", re.sub(r"(…[\W_]*)+…", "…", kept))[:most]
