"""The fields that Linear no longer has, or refuses so that no row comes: they are asked for no more."""

import logging
import re
import threading
from collections import defaultdict
from collections.abc import Mapping

from source_linear.linear.errors import REFUSALS, Failure, subject
from source_linear.linear.selection import Field, Selection, without

_LOGGER = logging.getLogger("airbyte")
# graphql-js's words for what is not in the schema (docs/linear-api.md, ERRORS-4).
_GONE = re.compile(r'Cannot query field "(\w+)" on type "(\w+)"')
_CHANGED = re.compile(r'Field "(\w+)" (?:of type "[^"]+" must have|must not have) a selection')


class Fields:
    """Knows them by stream. Threads share it: each of its methods locks."""

    def __init__(self) -> None:
        self._gone: defaultdict[str, frozenset[tuple[str, str | None]]] = defaultdict(frozenset)
        self._left: dict[tuple[str, Selection], Selection] = {}
        self._lock = threading.Lock()

    def left_of(self, stream: str, selection: Selection, entity: str, types: Mapping[str, str]) -> Selection:
        """A selection without them.

        Args:
            stream: whose selection it is.
            selection: what is asked of a node.
            entity: the node's type.
            types: the types of the nodes of connections inside it, as far as they are known.
        """
        with self._lock:
            if not self._gone[stream]:
                return selection
            key = (stream, selection)
            if key not in self._left:
                gone = self._gone[stream]

                def is_gone(field: Field, of: str) -> bool:
                    return (field.name, of) in gone or (field.name, None) in gone

                self._left[key] = without(selection, is_gone, entity, dict(types))
            return self._left[key]

    def drop(
        self, stream: str, failed: Failure, selection: Selection, entity: str, types: Mapping[str, str]
    ) -> bool:
        """Note the fields that a failure names, with a warning; returns whether it names any."""
        named = [one for problem in failed.problems if (one := _named(problem.code, problem.said))]
        first = failed.problems[0] if failed.problems else None
        refused = first is not None and first.code in REFUSALS and first.index is not None and first.field
        found = {(name, _type(name, of, selection, entity, types)) for name, of in named}
        if refused and first is not None:
            found.add((first.field.split(".")[-1], None))
        with self._lock:
            news = found - self._gone[stream]
            self._gone[stream] |= found
            if news:
                self._left.clear()
        if news and not refused:
            _LOGGER.warning(
                "%sLinear's API no longer has %s: null is written. A newer version of source-linear is due.",
                subject(stream),
                ", ".join(sorted(f"{of}.{name}" if of else name for name, of in news)),
            )
        return bool(found)


def _named(code: str, said: str) -> tuple[str, str | None] | None:
    if code != "GRAPHQL_VALIDATION_FAILED":
        return None
    if found := _GONE.search(said):
        return found[1], found[2]
    return (found[1], None) if (found := _CHANGED.search(said)) else None


def _type(
    name: str, of: str | None, selection: Selection, entity: str, types: Mapping[str, str]
) -> str | None:
    """The type by which a selection knows a field: of what is embedded only a union's members name theirs."""
    known = False

    def note(field: Field, of_type: str) -> bool:
        nonlocal known
        known = known or (field.name == name and of_type == of)
        return False

    without(selection, note, entity, dict(types))
    return of if known or of is None else ""
