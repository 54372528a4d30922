"""Short data sets of the DICOM JSON model (PS3.18 F.2), written in one character set: those of messages.

Binary values are left out. What does not fit its VR is written without a value: it was so in some object.
"""

from struct import error as struct_error
from typing import Any

from pacs.dataset.character_set import CharacterSet
from pacs.dataset.dicom_json import SPECIFIC_CHARACTER_SET
from pacs.dataset.elements import Encoding
from pacs.dataset.heads import explicit_head, implicit_head, item_of
from pacs.dataset.json_encoder import EncodeText, encode_values, padding
from pacs.dataset.vr import BINARY_WIDTH, CHARSET_VRS
from pacs.errors import MalformedObject
from pacs.model import DicomJson


class NotHeld(Exception):
    """The character set does not hold some of the text."""


def encode_short(data_set: DicomJson, encoding: Encoding, character_set: CharacterSet) -> bytes:
    """The elements in the order of their tags, told in what character set they are, items of sequences too.

    Raises NotHeld.
    """

    def encode_text(text: str, vr: str) -> bytes:
        if vr not in CHARSET_VRS:
            return text.encode("latin-1", "replace")
        encoded = character_set.encode(text, vr)
        if encoded is None:
            raise NotHeld
        return encoded

    told = {f"{SPECIFIC_CHARACTER_SET:08X}": {"vr": "CS", "Value": list(character_set.terms)}}
    return _Writer(encoding, encode_text).elements(data_set, told if character_set.terms else {})


class _Writer:
    def __init__(self, encoding: Encoding, encode_text: EncodeText) -> None:
        self._explicit = encoding.explicit
        self._order = "<" if encoding.little_endian else ">"
        self._encode_text = encode_text

    def elements(self, data_set: DicomJson, told: DicomJson) -> bytes:
        """One level.  told: what is put in place of the Specific Character Set that it has."""
        others = {key: one for key, one in data_set.items() if int(key, 16) != SPECIFIC_CHARACTER_SET}
        return b"".join(self._element(int(key, 16), one) for key, one in sorted((others | told).items()))

    def _element(self, tag: int, element: dict[str, Any]) -> bytes:
        vr, values = element["vr"], element.get("Value") or []
        if vr == "SQ":
            return self._with_head(tag, vr, b"".join(map(self._item, values)))
        try:
            value = b"" if vr in BINARY_WIDTH else encode_values(vr, values, self._encode_text, self._order)
        except (ValueError, TypeError, OverflowError, MalformedObject, struct_error):
            value = b""
        return self._with_head(tag, vr, value + padding(vr) * (len(value) % 2))

    def _item(self, item: DicomJson | None) -> bytes:
        return item_of(self.elements(item or {}, {}), self._order)

    def _with_head(self, tag: int, vr: str, value: bytes) -> bytes:
        if self._explicit:
            return explicit_head(tag, vr, len(value), self._order) + value
        return implicit_head(tag, len(value), self._order) + value
