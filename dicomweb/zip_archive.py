"""A zip archive as it streams: nothing compressed, its length known before its first byte (ISO/IEC 21320-1).

Its check sums are known only behind the data that they are of, so they follow them. An archive of the same
members is the same bytes: the time of all of them is the first that the format knows.
"""

from collections.abc import Iterable
from struct import pack

_LIMIT = 0xFFFFFFFF  # what does not fit in 32 bits stands in the longer fields of zip64
_MOST = 0xFFFF
_PLAIN, _ZIP64 = 20, 45  # versions of the format that a reader needs
_FLAGS = 1 << 3  # sizes and check sum follow the data
_STORED = 0
_TIME, _DATE = 0, 1 << 5 | 1  # 1980-01-01
_UNIX = 3 << 8
_READABLE = 0o100644 << 16


class ZipWriter:
    """Writes what lies around the data: for each member `begin`, its data, `end`; at last `closing`."""

    def __init__(self) -> None:
        self._entries: list[bytes] = []
        self._at = 0
        self._member = ("", 0, 0)

    def begin(self, name: str, size: int) -> bytes:
        """What stands before the data. name: ASCII, with `/` between folders.  size: bytes of the data."""
        self._member = (name, size, self._at)
        extra = pack("<HHQQ", 1, 16, 0, 0) if size >= _LIMIT else b""
        sizes = _LIMIT if extra else 0
        version = _ZIP64 if extra else _PLAIN
        fixed = pack("<4sHHHHH", b"PK\x03\x04", version, _FLAGS, _STORED, _TIME, _DATE)
        lengths = pack("<IIIHH", 0, sizes, sizes, len(name), len(extra))
        head = fixed + lengths + name.encode("ascii") + extra
        self._at += len(head) + size
        return head

    def end(self, check_sum: int) -> bytes:
        """What stands behind the data. check_sum: CRC-32 of them."""
        name, size, start = self._member
        tail = pack("<4sIQQ" if size >= _LIMIT else "<4sIII", b"PK\x07\x08", check_sum, size, size)
        self._at += len(tail)
        long = [value for value in (size, size, start) if value >= _LIMIT]
        extra = pack(f"<HH{len(long)}Q", 1, 8 * len(long), *long) if long else b""
        version = _ZIP64 if long else _PLAIN
        shown = min(size, _LIMIT)
        fixed = pack("<4s6H", b"PK\x01\x02", _UNIX | version, version, _FLAGS, _STORED, _TIME, _DATE)
        lengths = pack("<IIIHH", check_sum, shown, shown, len(name), len(extra))
        place = pack("<HHHII", 0, 0, 0, _READABLE, min(start, _LIMIT))
        self._entries.append(fixed + lengths + place + name.encode("ascii") + extra)
        return tail

    def closing(self) -> bytes:
        """The directory of the archive, behind the last member."""
        directory = b"".join(self._entries)
        count, size, start = len(self._entries), len(directory), self._at
        long = b""
        if count >= _MOST or size >= _LIMIT or start >= _LIMIT:
            end = pack(
                "<4sQHHIIQQQQ", b"PK\x06\x06", 44, _UNIX | _ZIP64, _ZIP64, 0, 0, count, count, size, start
            )
            long = end + pack("<4sIQI", b"PK\x06\x07", 0, start + size, 1)
        shown = min(count, _MOST)
        last = (shown, shown, min(size, _LIMIT), min(start, _LIMIT), 0)
        return directory + long + pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, *last)


def archive_length(members: Iterable[tuple[str, int]]) -> int:
    """Bytes of the archive of these members: name and size of each."""
    writer, length = ZipWriter(), 0
    for name, size in members:
        length += len(writer.begin(name, size)) + size + len(writer.end(0))
    return length + len(writer.closing())
