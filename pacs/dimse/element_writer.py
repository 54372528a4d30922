"""Writing elements as bytes, for data sets that name instances by the thousand.

pydicom would take half a minute for 100,000 references.
"""

from collections.abc import Iterable
from struct import pack

from pacs.dataset.elements import Encoding
from pacs.dataset.heads import explicit_head, implicit_head, item_of


class ElementWriter:
    """Writes elements in the encoding of a transfer syntax."""

    def __init__(self, encoding: Encoding) -> None:
        self._order = "<" if encoding.little_endian else ">"
        self._explicit = encoding.explicit

    def uid(self, tag: int, uid: str) -> bytes:
        """An element with one UID."""
        value = uid.encode("ascii")
        return self._element(tag, "UI", value + b"\0" * (len(value) % 2))

    def text(self, tag: int, vr: str, text: str) -> bytes:
        """An element with ASCII text.  vr: one that is padded with a blank."""
        value = text.encode("ascii")
        return self._element(tag, vr, value + b" " * (len(value) % 2))

    def number(self, tag: int, number: int) -> bytes:
        """An element with one number of 16 bits (US)."""
        return self._element(tag, "US", pack(self._order + "H", number))

    def sequence(self, tag: int, items: Iterable[bytes]) -> bytes:
        """A sequence of items, each the bytes of its elements."""
        return self._element(tag, "SQ", b"".join(item_of(item, self._order) for item in items))

    def _element(self, tag: int, vr: str, value: bytes) -> bytes:
        if self._explicit:
            return explicit_head(tag, vr, len(value), self._order) + value
        return implicit_head(tag, len(value), self._order) + value
