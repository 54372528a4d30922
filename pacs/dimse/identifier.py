"""C-FIND identifiers: from the keys asked to a Query, from an answer to a data set (PS3.4 C.4.1)."""

from io import BytesIO
from typing import Any

from pydicom import DataElement, Dataset
from pydicom.charset import convert_encodings, decode_bytes, encode_string
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pynetdicom.dsutils import decode, encode

from pacs.attributes import BY_PATH, BY_TAG, Attribute
from pacs.dataset.elements import read_elements
from pacs.dataset.transfer_syntax import encoding_of
from pacs.dimse.negotiation import Context
from pacs.dimse.plain_answer import PlainWriter
from pacs.errors import InvalidQuery, MalformedObject
from pacs.keys import parse_criteria
from pacs.model import DicomJson, Level
from pacs.query import PLAIN, Criterion, Query, Semantics

UTF_8 = "ISO_IR 192"
_NAME_DELIMITERS = {ord("\\"), ord("^"), ord("=")}

# PS3.4 C.4.1.1.3.1 and C.6: what the level is called in an identifier
LEVELS = {"PATIENT": Level.PATIENT, "STUDY": Level.STUDY, "SERIES": Level.SERIES, "IMAGE": Level.INSTANCE}

_CHARACTER_SET, _QUERY_LEVEL, _RETRIEVE_AE_TITLE, _AVAILABILITY = (
    0x00080005,
    0x00080052,
    0x00080054,
    0x00080056,
)
# Keys that steer the query or are answered from elsewhere than the index: Specific Character Set,
# Query/Retrieve Level, Retrieve AE Title, Instance Availability, Timezone Offset From UTC
_NOT_MATCHED = frozenset({_CHARACTER_SET, _QUERY_LEVEL, _RETRIEVE_AE_TITLE, _AVAILABILITY, 0x00080201})


def decode_identifier(data: bytes, context: Context) -> Dataset:
    """The identifier as a data set. Raises MalformedObject when it cannot be read."""
    encoding = encoding_of(context.transfer_syntax)
    read_elements(data, encoding)  # pydicom would take a cut-off identifier for a shorter one
    try:
        identifier = decode(BytesIO(data), not encoding.explicit, encoding.little_endian)
        identifier.decode()
    except Exception as error:
        # pydicom raises whatever its parsing meets: all of it means the same
        raise MalformedObject(f"the identifier cannot be read: {type(error).__name__}") from error
    return identifier


def parse_query(identifier: Dataset, levels: tuple[Level, ...], semantics: Semantics = PLAIN) -> Query:
    """The query that an identifier asks.

    levels: of the query model. Keys of levels below the asked one are passed over.
    semantics: of matching, as they were negotiated.
    Raises InvalidQuery.
    """
    text = str(identifier.get("QueryRetrieveLevel", "")).strip()
    level = LEVELS.get(text)
    if level is None or level not in levels:
        raise InvalidQuery("QueryRetrieveLevel is missing, or not one of this query model", _QUERY_LEVEL)
    keys = {
        attribute: _values(element) for attribute, element in _keys(identifier) if attribute.level <= level
    }
    return Query(level, tuple(Criterion(*pair) for pair in parse_criteria(keys, semantics)))


def _keys(identifier: Dataset) -> list[tuple[Attribute, DataElement]]:
    keys = []
    for element in identifier:
        tag = int(element.tag)
        if element.VR == "SQ":
            nested = element.value[0] if element.value else Dataset()
            pairs = [(BY_PATH.get((tag, int(inner.tag))), inner) for inner in nested]
        else:
            pairs = [(BY_TAG.get(tag), element)] if tag not in _NOT_MATCHED else []
        keys += [(attribute, found) for attribute, found in pairs if attribute]
    return keys


def _values(element: DataElement) -> list[str]:
    value = element.value
    if value is None or value == "":
        return []
    return [str(part) for part in value] if isinstance(value, MultiValue | list) else [str(value)]


def has_unsupported_keys(identifier: Dataset) -> bool:
    """Whether it asks for what the index does not keep, which PS3.4 C.4.1.1.4 wants to be told."""
    return any(
        int(element.tag) not in BY_TAG and int(element.tag) not in _NOT_MATCHED for element in identifier
    )


class Answerer:
    """Turns answers into identifiers with the keys that were asked for."""

    def __init__(self, asked: Dataset, context: Context, ae_title: str) -> None:
        self._asked = [(int(element.tag), element.VR) for element in asked]
        self._level = asked.QueryRetrieveLevel
        self._character_set = asked.get("SpecificCharacterSet") or None
        self._encodings = convert_encodings(self._character_set)
        self._encoding = encoding_of(context.transfer_syntax)
        self._ae_title = ae_title
        self._plain = self._plain_writer() if self._encoding.little_endian else None

    def _plain_writer(self) -> PlainWriter:
        fixed = {_QUERY_LEVEL: ("CS", self._level), _RETRIEVE_AE_TITLE: ("AE", self._ae_title)}
        fixed[_AVAILABILITY] = ("CS", "ONLINE")
        if terms := self._character_set:
            fixed[_CHARACTER_SET] = ("CS", terms if isinstance(terms, str) else "\\".join(terms))
        keys = [pair for pair in self._asked if pair[0] not in _NOT_MATCHED]
        return PlainWriter(keys, fixed, self._encoding.explicit)

    def identifier(self, attributes: DicomJson) -> bytes:
        """One answer, in the character set that was asked in when it can hold it, otherwise in UTF-8."""
        plain = self._plain.write(attributes) if self._plain is not None else None
        return self.any_identifier(attributes) if plain is None else plain

    def any_identifier(self, attributes: DicomJson) -> bytes:
        """The same of any answer, by pydicom."""
        answer = Dataset()
        for tag, vr in self._asked:
            if tag not in _NOT_MATCHED:
                answer.add(_element(tag, vr, attributes.get(f"{tag:08X}")))
        answer.QueryRetrieveLevel = self._level
        answer.RetrieveAETitle = self._ae_title
        answer.InstanceAvailability = "ONLINE"
        character_set = self._character_set_for(answer)
        if character_set:
            answer.SpecificCharacterSet = character_set
        encoded = encode(answer, not self._encoding.explicit, self._encoding.little_endian)
        return encoded or b""

    def _character_set_for(self, answer: Dataset) -> Any:
        texts = [str(e.value) for e in answer.iterall() if e.VR in ("PN", "LO", "SH", "LT", "ST", "UT", "UC")]
        if all(text.isascii() for text in texts):
            return self._character_set
        fits = self._character_set and all(self._fits(text) for text in texts)
        return self._character_set if fits else UTF_8

    def _fits(self, text: str) -> bool:
        """Whether the asked character set can write this: what is written must be read back as it was."""
        written = encode_string(text, self._encodings)
        return decode_bytes(written, self._encodings, _NAME_DELIMITERS) == text


def _element(tag: int, vr: str, value: Any) -> DataElement:
    """An element of DICOM JSON as pydicom has it; empty when there is none."""
    values = (value or {}).get("Value")
    vr = value["vr"] if value else vr
    if vr == "SQ":
        return DataElement(tag, "SQ", Sequence([_item(item) for item in values or []]))
    if not values:
        return DataElement(tag, vr, None)
    if vr == "PN":
        values = [_name(part) for part in values]
    plain = ["" if part is None else part for part in values]
    if vr in ("DS", "IS", "UI"):
        plain = [str(part) for part in plain]
    return DataElement(tag, vr, plain if len(plain) > 1 else plain[0])


def _item(item: DicomJson) -> Dataset:
    data_set = Dataset()
    for key, value in item.items():
        tag = int(key, 16)
        if "InlineBinary" not in value and "BulkDataURI" not in value:
            data_set.add(_element(tag, value["vr"], value))
    return data_set


def _name(part: dict[str, str] | None) -> str:
    groups = ((part or {}).get(group, "") for group in ("Alphabetic", "Ideographic", "Phonetic"))
    return "=".join(groups).rstrip("=")
