"""The short data sets of messages: out of their bytes into DICOM JSON, back, and as pydicom has them."""

from pydicom import DataElement, Dataset
from pydicom.config import IGNORE
from pydicom.sequence import Sequence

from pacs.dataset.character_set import DEFAULT, UTF_8, CharacterSet, character_set_of
from pacs.dataset.dicom_json import JsonWriter
from pacs.dataset.elements import read_elements
from pacs.dataset.short_encoder import NotHeld, encode_short
from pacs.dataset.transfer_syntax import encoding_of
from pacs.dimse.negotiation import Context
from pacs.model import DicomJson

CHARACTER_SET = "00080005"


def read_data_set(data: bytes, context: Context) -> DicomJson:
    """A data set as DICOM JSON, in Unicode. Raises MalformedObject when it cannot be read."""
    encoding = encoding_of(context.transfer_syntax)
    elements = read_elements(data, encoding).elements
    return JsonWriter(data, encoding, inline=True).write(elements)


def asked_in(data_set: DicomJson) -> CharacterSet:
    """The character set of a data set."""
    return character_set_of(data_set.get(CHARACTER_SET, {}))


def texts_of(element: DicomJson) -> list[str]:
    """The values of an element, as they are written in text; empty where one of several has none."""
    return [_written(value) for value in element.get("Value", ())]


def _written(value: object) -> str:
    if isinstance(value, dict):
        groups = (value.get(group, "") for group in ("Alphabetic", "Ideographic", "Phonetic"))
        return "=".join(groups).rstrip("=")
    return "" if value is None else str(value)


def data_set_of(attributes: DicomJson) -> Dataset:
    """A data set, or an item, as pydicom has it, without what is binary. Raises whatever pydicom raises."""
    data_set = Dataset()
    for key, element in attributes.items():
        if "InlineBinary" not in element and "BulkDataURI" not in element:
            data_set.add(_element_of(int(key, 16), element))
    return data_set


def _element_of(tag: int, element: DicomJson) -> DataElement:
    vr, values = element["vr"], element.get("Value")
    if vr == "SQ":
        return DataElement(tag, "SQ", Sequence([data_set_of(item) for item in values or []]))
    if not values:
        return DataElement(tag, vr, None)
    plain = texts_of(element) if vr in ("PN", "DS", "IS", "UI") else ["" if v is None else v for v in values]
    # Without pydicom's warnings, which quote values
    return DataElement(tag, vr, plain if len(plain) > 1 else plain[0], validation_mode=IGNORE)


class DataSetWriter:
    """Writes data sets for one context, in the character set that was asked in when it can hold them."""

    def __init__(self, context: Context, asked: CharacterSet = DEFAULT) -> None:
        """asked: what it cannot hold is in UTF-8."""
        self._encoding = encoding_of(context.transfer_syntax)
        self._asked = asked

    def write(self, data_set: DicomJson) -> bytes:
        """The bytes of a data set, which tells its Specific Character Set. Binary values are left out."""
        try:
            return encode_short(data_set, self._encoding, self._asked)
        except NotHeld:
            return encode_short(data_set, self._encoding, UTF_8)
