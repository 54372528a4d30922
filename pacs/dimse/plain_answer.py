"""The identifiers of C-FIND answers that are plain: in ASCII, little endian, and without sequences.

Most are. The way of all others takes several times as long, and is the reference in a differential test.
"""

from collections.abc import Iterable, Mapping
from struct import pack

from pacs.model import DicomJson

# PS3.5 Table 6.2-1: VRs that are written as text, with a length of 16 bits, and the byte that pads them
_PADDED_BY_BLANKS = ("AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "PN", "SH", "TM")
_PADDING = {**dict.fromkeys(_PADDED_BY_BLANKS, " "), "UI": "\0"}
_NAME_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")
_LONGEST = 0xFFFE  # bytes of a value


class PlainWriter:
    """Writes answers to one request."""

    def __init__(
        self, keys: Iterable[tuple[int, str]], fixed: Mapping[int, tuple[str, str]], explicit: bool
    ) -> None:
        """keys: tag and VR of what is asked for.  fixed: VR and value by tag, the same in each answer."""
        self._explicit = explicit
        self._fixed = {tag: self._element(tag, vr, value) for tag, (vr, value) in fixed.items()}
        asked = {tag: vr for tag, vr in keys if tag not in fixed}
        self._order = [(tag, f"{tag:08X}", asked.get(tag, "")) for tag in sorted({*asked, *fixed})]

    def write(self, attributes: DicomJson) -> bytes | None:
        """The identifier of one answer; None for one that is not plain."""
        elements = []
        for tag, key, vr in self._order:
            element = self._fixed.get(tag)
            if element is None:
                kept = attributes.get(key)
                element = self._element(tag, *(_text(kept) if kept else (vr, "")))
                if element is None:
                    return None
            elements.append(element)
        return b"".join(elements)

    def _element(self, tag: int, vr: str, text: str | None) -> bytes | None:
        if text is None or vr not in _PADDING or not text.isascii() or "\x1b" in text:
            return None  # behind an escape, ASCII may be the bytes of another set
        if len(text) % 2:
            text += _PADDING[vr]
        if len(text) > _LONGEST:
            return None
        value = text.encode("ascii")
        if self._explicit:
            return pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr.encode(), len(value)) + value
        return pack("<HHI", tag >> 16, tag & 0xFFFF, len(value)) + value


def _text(element: DicomJson) -> tuple[str, str | None]:
    """The VR and the value of an element of DICOM JSON as text; None when it is none."""
    vr, values = element["vr"], element.get("Value", ())
    parts = []
    for value in values:
        if isinstance(value, dict):
            if vr != "PN":
                return vr, None
            value = "=".join(value.get(group, "") for group in _NAME_GROUPS).rstrip("=")
        parts.append("" if value is None else str(value))
    return vr, "\\".join(parts)
