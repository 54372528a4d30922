"""What stands before a value: the heads of elements and items, as they are written (PS3.5 7.1.2, 7.1.3, 7.5).

order: of bytes, as struct has it.  length: of the value, in bytes, even.
"""

from struct import pack

from pacs.dataset.elements import ITEM
from pacs.dataset.vr import LONG_VRS

_MOST_SHORT = 0xFFFF  # bytes of a value whose length has 16 bits


def explicit_head(tag: int, vr: str, length: int, order: str = "<") -> bytes:
    """In Explicit VR; as UN where the value is too long for its VR (6.2.2)."""
    is_long = vr in LONG_VRS
    if not is_long and length <= _MOST_SHORT:
        return pack(f"{order}HH2sH", tag >> 16, tag & 0xFFFF, vr.encode(), length)
    return pack(f"{order}HH2sHI", tag >> 16, tag & 0xFFFF, vr.encode() if is_long else b"UN", 0, length)


def implicit_head(tag: int, length: int, order: str = "<") -> bytes:
    """In Implicit VR; items and delimiters have it in any encoding."""
    return pack(f"{order}HHI", tag >> 16, tag & 0xFFFF, length)


def item_of(content: bytes, order: str = "<") -> bytes:
    """An item of a sequence.  content: its elements."""
    return implicit_head(ITEM, len(content), order) + content
