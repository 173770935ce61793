"""A sketch of a set of rows: of a size that does not grow with them, and two of them tell what differs.

It is an invertible Bloom lookup table (Eppstein, Goodrich, Uyeda, Varghese: What's the Difference?, SIGCOMM
2011). It knows nothing of Linear or of Airbyte.
"""

import base64
import re
import struct
import zlib
from hashlib import blake2b
from typing import NamedTuple

CAPACITY = 512  # differences that two sketches tell
_SEGMENT = 256  # cells in each of four segments: twice as many cells as differences
_CELLS = 4 * _SEGMENT
_TABLE = struct.Struct("<" + "iI17s" * _CELLS)  # of each cell count, checksums, ids and flags: 25,600 bytes
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Row(NamedTuple):
    """What a sketch holds of a row: its id as a number (see `number_of`), and whether it is archived."""

    number: int
    archived: bool


class Difference(NamedTuple):
    """The rows that only one of two sketches holds."""

    left: list[Row]
    right: list[Row]


class Sketch:
    """Holds rows. No row may be added twice: whoever adds must know."""

    def __init__(self) -> None:
        self._counts = [0] * _CELLS
        self._checks = [0] * _CELLS
        self._keys = [0] * _CELLS
        self.rows = 0

    def add(self, number: int, archived: bool) -> None:
        """Add a row."""
        self._put(number << 1 | archived, 1)

    def remove(self, number: int, archived: bool) -> None:
        """Remove a row that was added, with the flag that it was added with."""
        self._put(number << 1 | archived, -1)

    def add_all(self, other: "Sketch") -> None:
        """Add the rows of another sketch."""
        self._counts = [a + b for a, b in zip(self._counts, other._counts, strict=True)]
        self._checks = [a ^ b for a, b in zip(self._checks, other._checks, strict=True)]
        self._keys = [a ^ b for a, b in zip(self._keys, other._keys, strict=True)]
        self.rows += other.rows

    def copy(self) -> "Sketch":
        """Another sketch of the same rows."""
        made = Sketch()
        made._counts, made._checks, made._keys = self._counts[:], self._checks[:], self._keys[:]
        made.rows = self.rows
        return made

    def difference(self, other: "Sketch") -> Difference | None:
        """The rows that only this sketch (left) and only the other one (right) holds.

        Returns:
            None where there are too many. CAPACITY of them are told (of 3,000 random differences of that size
            each was), and never a wrong row.
        """
        rest = Sketch()
        rest._counts = [a - b for a, b in zip(self._counts, other._counts, strict=True)]
        rest._checks = [a ^ b for a, b in zip(self._checks, other._checks, strict=True)]
        rest._keys = [a ^ b for a, b in zip(self._keys, other._keys, strict=True)]
        found = Difference([], [])
        waiting = list(range(_CELLS))
        while waiting:
            cell = waiting.pop()
            count, key = rest._counts[cell], rest._keys[cell]
            if count not in (1, -1):
                continue
            check, cells = _hashed(key)
            if check != rest._checks[cell] or cell not in cells:
                continue
            found[0 if count == 1 else 1].append(Row(key >> 1, bool(key & 1)))
            if len(found.left) + len(found.right) > _CELLS:
                return None
            rest._put(key, -count)
            waiting += cells
        return None if any(rest._counts) or any(rest._checks) or any(rest._keys) else found

    def text(self) -> str:
        """The sketch as text, at most 35 kB however many rows it holds."""
        cells: list[int | bytes] = [0] * (3 * _CELLS)
        cells[::3], cells[1::3] = self._counts, self._checks
        cells[2::3] = [key.to_bytes(17) for key in self._keys]
        return _text(_TABLE.pack(*cells))

    @classmethod
    def parse(cls, text: str) -> "Sketch":
        """Read what `text` wrote.

        Raises:
            ValueError: it is not the text of a sketch.
        """
        made = cls()
        cells = _TABLE.unpack(_bytes(text, _TABLE.size))
        made._counts, made._checks = list(cells[::3]), list(cells[1::3])
        made._keys = [int.from_bytes(key) for key in cells[2::3]]
        made.rows = sum(made._counts) // 4
        return made

    def _put(self, key: int, count: int) -> None:
        check, cells = _hashed(key)
        for cell in cells:
            self._counts[cell] += count
            self._checks[cell] ^= check
            self._keys[cell] ^= key
        self.rows += count


def number_of(row_id: str) -> int | None:
    """The number that an id is, if it is a UUID as Linear writes it: `id_of` gives the id back."""
    if len(row_id) != 36 or not _UUID.fullmatch(row_id):
        return None
    return int(row_id.replace("-", ""), 16)


def id_of(number: int) -> str:
    """The id that a number stands for."""
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _hashed(key: int) -> tuple[int, tuple[int, int, int, int]]:
    """The checksum of a key, and its cells, one in each segment."""
    digest = blake2b(key.to_bytes(17), digest_size=8).digest()
    one, two, three, four = digest[:4]
    cells = (one, _SEGMENT + two, 2 * _SEGMENT + three, 3 * _SEGMENT + four)
    return int.from_bytes(digest[4:]), cells


def _text(packed: bytes) -> str:
    return base64.b64encode(zlib.compress(packed, 1)).decode("ascii")


def _bytes(text: str, size: int) -> bytes:
    try:
        packed = zlib.decompress(base64.b64decode(text, validate=True), bufsize=size)
    except (ValueError, zlib.error) as error:
        raise ValueError("not the text of a sketch") from error
    if len(packed) != size:
        raise ValueError("not the text of a sketch")
    return packed
