"""The short data sets of messages: out of DICOM JSON, as pydicom writes them, and into it."""

from typing import Any

from pydicom import DataElement, Dataset
from pydicom.charset import convert_encodings, decode_bytes, encode_string
from pydicom.sequence import Sequence
from pynetdicom.dsutils import encode

from pacs.dataset.dicom_json import JsonWriter
from pacs.dataset.elements import read_elements
from pacs.dataset.transfer_syntax import encoding_of
from pacs.dimse.negotiation import Context
from pacs.model import DicomJson

UTF_8 = "ISO_IR 192"

_NAME_DELIMITERS = {ord("\\"), ord("^"), ord("=")}
_TEXTS = ("PN", "LO", "SH", "LT", "ST", "UT", "UC")  # VRs of the character set, PS3.5 6.1.2.2


def read_data_set(data: bytes, context: Context) -> DicomJson:
    """A data set as DICOM JSON. Raises MalformedObject when it cannot be read."""
    encoding = encoding_of(context.transfer_syntax)
    elements = read_elements(data, encoding).elements
    return JsonWriter(data, encoding, inline=True).write(elements)


def element_of(tag: int, vr: str, element: DicomJson | None) -> DataElement:
    """An element of DICOM JSON as pydicom has it; empty, and of this VR, when there is none."""
    values = (element or {}).get("Value")
    vr = element["vr"] if element else vr
    if vr == "SQ":
        return DataElement(tag, "SQ", Sequence([data_set_of(item) for item in values or []]))
    if not values:
        return DataElement(tag, vr, None)
    if vr == "PN":
        values = [_name(part) for part in values]
    plain = ["" if part is None else part for part in values]
    if vr in ("DS", "IS", "UI"):
        plain = [str(part) for part in plain]
    return DataElement(tag, vr, plain if len(plain) > 1 else plain[0])


def data_set_of(attributes: DicomJson) -> Dataset:
    """A data set, or an item, without what is binary."""
    data_set = Dataset()
    for key, element in attributes.items():
        if "InlineBinary" not in element and "BulkDataURI" not in element:
            data_set.add(element_of(int(key, 16), element["vr"], element))
    return data_set


def _name(part: dict[str, str] | None) -> str:
    groups = ((part or {}).get(group, "") for group in ("Alphabetic", "Ideographic", "Phonetic"))
    return "=".join(groups).rstrip("=")


class DataSetWriter:
    """Writes data sets for one context, in the character set that was asked in when it can hold them."""

    def __init__(self, context: Context, character_set: Any) -> None:
        """character_set: as pydicom has the asked one; None for none. What it cannot hold is in UTF-8."""
        self._encoding = encoding_of(context.transfer_syntax)
        self._character_set = character_set or None
        self._encodings = convert_encodings(self._character_set)

    def write(self, data_set: Dataset) -> bytes:
        """The bytes of a data set, which is given its Specific Character Set."""
        character_set = self._character_set_for(data_set)
        if character_set:
            data_set.SpecificCharacterSet = character_set
        encoded = encode(data_set, not self._encoding.explicit, self._encoding.little_endian)
        return encoded or b""

    def _character_set_for(self, data_set: Dataset) -> Any:
        texts = [str(element.value) for element in data_set.iterall() if element.VR in _TEXTS]
        if all(text.isascii() for text in texts):
            return self._character_set
        fits = self._character_set and all(self._fits(text) for text in texts)
        return self._character_set if fits else UTF_8

    def _fits(self, text: str) -> bool:
        """Whether the asked character set can write this: what is written must be read back as it was."""
        written = encode_string(text, self._encodings)
        return decode_bytes(written, self._encodings, _NAME_DELIMITERS) == text
