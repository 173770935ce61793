"""Whether the JSON that Linear sends is of the type that its column has.

Linear's schema leaves the form of a `JSON` or `JSONObject` field open; the manifest's `types` declare one,
by evidence. Airbyte's destinations write null for a value of another form, and say nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any

# What a decoder makes of each JSON type; exact, for no decoder makes subclasses.
_CLASSES: Mapping[str, tuple[type, ...]] = {
    "array": (list,),
    "boolean": (bool,),
    "number": (int, float),
    "object": (dict,),
    "string": (str,),
}
_NAMES = {of: name for name, classes in _CLASSES.items() for of in classes}


class Forms:
    """Watches the JSON columns of one stream for values that are not of their column's type.

    Several threads may share it: each column is reported by one of them. It costs one look-up a record and
    column, until the column is reported.

    Args:
        types: the JSON type of each column to watch, as `Stream.types` has them.

    Raises:
        KeyError: a type is none of JSON's.
    """

    def __init__(self, types: Mapping[str, str]) -> None:
        none = type(None)
        self._expected = dict(types)
        self._watched = {column: frozenset((none, *_CLASSES[kind])) for column, kind in types.items()}

    def deviations(self, records: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, str]]:
        """The columns of which these records hold the first value of another form. They stay as they are.

        Args:
            records: those of a page; null and a column that is not there are of any form.

        Returns:
            Column to the JSON types expected and seen. A column that was returned once is never again.
        """
        found = {}
        for column, classes in tuple(self._watched.items()):
            for record in records:
                of = type(record.get(column))
                if of not in classes:
                    # Whoever takes the column out reports it: other threads may be at the same point.
                    if self._watched.pop(column, None):
                        found[column] = (self._expected[column], _NAMES.get(of, of.__name__))
                    break
        return found


def warning(stream: str, column: str, expected: str, seen: str) -> str:
    """What the log says of a column that `Forms.deviations` returned."""
    return (
        f"Stream {stream}: {column} is {_a(seen)}, but its column is declared as {_a(expected)}; the "
        "value is sent unchanged, and a typed destination may write null. Please report it, or update "
        "source-linear."
    )


def _a(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
