"""C-FIND identifiers: from the keys asked to a Query, from an answer to a data set (PS3.4 C.4.1)."""

from collections.abc import Mapping
from io import BytesIO
from typing import TypeVar

from pydicom import DataElement, Dataset
from pydicom.multival import MultiValue
from pynetdicom.dsutils import decode

from pacs.attributes import BY_PATH, BY_TAG, Key
from pacs.dataset.elements import read_elements
from pacs.dataset.transfer_syntax import encoding_of
from pacs.dimse.data_set import DataSetWriter, element_of
from pacs.dimse.negotiation import Context
from pacs.dimse.plain_answer import PlainWriter
from pacs.errors import InvalidQuery, MalformedObject
from pacs.keys import parse_criteria
from pacs.model import DicomJson, Level
from pacs.query import PLAIN, Criterion, Query, Semantics

# PS3.4 C.4.1.1.3.1 and C.6: what the level is called in an identifier
LEVELS = {"PATIENT": Level.PATIENT, "STUDY": Level.STUDY, "SERIES": Level.SERIES, "IMAGE": Level.INSTANCE}

_CHARACTER_SET, _QUERY_LEVEL, _RETRIEVE_AE_TITLE, _AVAILABILITY = (
    0x00080005,
    0x00080052,
    0x00080054,
    0x00080056,
)
K = TypeVar("K", bound=Key)

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
        attribute: values
        for attribute, values in keys_of(identifier, BY_PATH).items()
        if attribute.level <= level
    }
    return Query(level, tuple(Criterion(*pair) for pair in parse_criteria(keys, semantics)))


def keys_of(
    identifier: Dataset, known: Mapping[tuple[int, ...], K], above: tuple[int, ...] = ()
) -> dict[K, list[str]]:
    """The keys that are known, each with its values, also those within the item of a sequence.

    known: by their paths.  above: the path to this item.
    Raises InvalidQuery for a sequence of several items (PS3.4 C.2.2.2.6).
    """
    keys: dict[K, list[str]] = {}
    for element in identifier:
        path = (*above, int(element.tag))
        if element.VR == "SQ":
            if len(element.value) > 1:
                raise InvalidQuery(f"{element.keyword}: a key has one item", path[-1])
            for item in element.value:
                keys |= keys_of(item, known, path)
        elif path in known and path[0] not in _NOT_MATCHED:
            keys[known[path]] = _values(element)
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
        self._writer = DataSetWriter(context, self._character_set)
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
                answer.add(element_of(tag, vr, attributes.get(f"{tag:08X}")))
        answer.QueryRetrieveLevel = self._level
        answer.RetrieveAETitle = self._ae_title
        answer.InstanceAvailability = "ONLINE"
        return self._writer.write(answer)
