"""A sketch of a set of rows: of a size that does not grow with them, and two of them tell what differs.

It is an invertible Bloom lookup table (Eppstein, Goodrich, Uyeda, Varghese: What's the Difference?, SIGCOMM
2011). It knows nothing of Linear or of Airbyte.
"""

import base64
import struct
import zlib
from collections.abc import Iterator
from hashlib import blake2b
from typing import NamedTuple
from uuid import UUID

CAPACITY = 512  # differences that two sketches tell
_SEGMENT = 256  # cells in each of four segments: twice as many cells as differences
_CELLS = 4 * _SEGMENT
_CELL = struct.Struct("<iI17s")  # count, checksums, ids and flags: 25,600 bytes in all
_FILTER_BITS = 32_768


class Row(NamedTuple):
    """What a sketch holds of a row: its id, a UUID, and whether it is archived."""

    id: str
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

    def add(self, row_id: str, archived: bool) -> None:
        """Add a row.

        Raises:
            ValueError: its id is not a UUID.
        """
        self._put(_key(row_id, archived), 1)

    def remove(self, row_id: str, archived: bool) -> None:
        """Remove a row that was added, with the flag that it was added with."""
        self._put(_key(row_id, archived), -1)

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
            found[0 if count == 1 else 1].append(Row(str(UUID(int=key >> 1)), bool(key & 1)))
            if len(found.left) + len(found.right) > _CELLS:
                return None
            rest._put(key, -count)
            waiting += cells
        return None if any(rest._counts) or any(rest._checks) or any(rest._keys) else found

    def text(self) -> str:
        """The sketch as text, at most 35 kB however many rows it holds."""
        cells = zip(self._counts, self._checks, self._keys, strict=True)
        packed = b"".join(_CELL.pack(count, check, key.to_bytes(17)) for count, check, key in cells)
        return _text(packed)

    @classmethod
    def parse(cls, text: str) -> "Sketch":
        """Read what `text` wrote.

        Raises:
            ValueError: it is not the text of a sketch.
        """
        made = cls()
        packed = _bytes(text, _CELL.size * _CELLS)
        for cell, (count, check, key) in enumerate(_CELL.iter_unpack(packed)):
            made._counts[cell], made._checks[cell], made._keys[cell] = count, check, int.from_bytes(key)
        made.rows = sum(made._counts) // 4
        return made

    def _put(self, key: int, count: int) -> None:
        check, cells = _hashed(key)
        for cell in cells:
            self._counts[cell] += count
            self._checks[cell] ^= check
            self._keys[cell] ^= key
        self.rows += count


class IdFilter:
    """Remembers ids in 4 kB: it never forgets one, and now and then takes another one for one of them."""

    def __init__(self) -> None:
        self._bits = bytearray(_FILTER_BITS // 8)

    def add(self, row_id: str) -> None:
        """Remember an id."""
        for bit in _bits_of(row_id):
            self._bits[bit >> 3] |= 1 << (bit & 7)

    def update(self, other: "IdFilter") -> None:
        """Remember what another filter remembers."""
        self._bits = bytearray(a | b for a, b in zip(self._bits, other._bits, strict=True))

    def __contains__(self, row_id: str) -> bool:
        """Whether it was added. With 1,000 ids in it, about one in 1,500 others is taken for one of them."""
        return all(self._bits[bit >> 3] & 1 << (bit & 7) for bit in _bits_of(row_id))

    def text(self) -> str:
        """The filter as text, at most 6 kB."""
        return _text(bytes(self._bits))

    @classmethod
    def parse(cls, text: str) -> "IdFilter":
        """Read what `text` wrote.

        Raises:
            ValueError: it is not the text of a filter.
        """
        made = cls()
        made._bits = bytearray(_bytes(text, _FILTER_BITS // 8))
        return made


def is_uuid(row_id: str) -> bool:
    """Whether a sketch can hold a row with this id."""
    try:
        UUID(row_id)
    except ValueError:
        return False
    return True


def _key(row_id: str, archived: bool) -> int:
    return UUID(row_id).int << 1 | archived


def _hashed(key: int) -> tuple[int, tuple[int, int, int, int]]:
    """The checksum of a key, and its cells, one in each segment."""
    digest = blake2b(key.to_bytes(17), digest_size=8).digest()
    one, two, three, four = digest[:4]
    cells = (one, _SEGMENT + two, 2 * _SEGMENT + three, 3 * _SEGMENT + four)
    return int.from_bytes(digest[4:]), cells


def _bits_of(row_id: str) -> Iterator[int]:
    digest = blake2b(row_id.encode(), digest_size=6).digest()
    return (int.from_bytes(digest[at : at + 2]) % _FILTER_BITS for at in (0, 2, 4))


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
