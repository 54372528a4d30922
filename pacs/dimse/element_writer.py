"""Writing elements as bytes, for data sets that name instances by the thousand.

pydicom would take half a minute for 100,000 references.
"""

from collections.abc import Iterable
from struct import pack

from pacs.dataset.elements import Encoding

_ITEM = 0xFFFEE000


class ElementWriter:
    """Writes elements in the encoding of a transfer syntax."""

    def __init__(self, encoding: Encoding) -> None:
        self._order = "<" if encoding.little_endian else ">"
        self._explicit = encoding.explicit

    def uid(self, tag: int, uid: str) -> bytes:
        """An element with one UID."""
        value = uid.encode("ascii")
        return self._element(tag, b"UI", value + b"\0" * (len(value) % 2))

    def text(self, tag: int, vr: str, text: str) -> bytes:
        """An element with ASCII text.  vr: one that is padded with a blank."""
        value = text.encode("ascii")
        return self._element(tag, vr.encode("ascii"), value + b" " * (len(value) % 2))

    def number(self, tag: int, number: int) -> bytes:
        """An element with one number of 16 bits (US)."""
        return self._element(tag, b"US", pack(self._order + "H", number))

    def sequence(self, tag: int, items: Iterable[bytes]) -> bytes:
        """A sequence of items, each the bytes of its elements."""
        value = b"".join(self._header(_ITEM) + self._long(len(item)) + item for item in items)
        vr = b"SQ\0\0" if self._explicit else b""
        return self._header(tag) + vr + self._long(len(value)) + value

    def _element(self, tag: int, vr: bytes, value: bytes) -> bytes:
        length = vr + pack(self._order + "H", len(value)) if self._explicit else self._long(len(value))
        return self._header(tag) + length + value

    def _long(self, length: int) -> bytes:
        return pack(self._order + "I", length)

    def _header(self, tag: int) -> bytes:
        return pack(self._order + "HH", tag >> 16, tag & 0xFFFF)
