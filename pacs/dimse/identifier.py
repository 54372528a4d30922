"""C-FIND identifiers: from the keys asked to a Query, from an answer to a data set (PS3.4 C.4.1)."""

from collections.abc import Mapping
from typing import TypeVar

from pydicom.datadict import keyword_for_tag

from pacs.attributes import BY_PATH, BY_TAG, Key
from pacs.dataset.character_set import CharacterSet
from pacs.dataset.transfer_syntax import encoding_of
from pacs.dimse.data_set import DataSetWriter, asked_in, texts_of
from pacs.dimse.negotiation import Context
from pacs.dimse.plain_answer import PlainWriter
from pacs.errors import InvalidQuery
from pacs.keys import parse_criteria, parse_moments
from pacs.model import DicomJson, Level
from pacs.query import PLAIN, Criterion, Moments, Query, Semantics
from pacs.time_zones import OFFSET, asked_offset, in_zone, offset_of, written_offset

# PS3.4 C.4.1.1.3.1 and C.6: what the level is called in an identifier
LEVELS = {"PATIENT": Level.PATIENT, "STUDY": Level.STUDY, "SERIES": Level.SERIES, "IMAGE": Level.INSTANCE}

_CHARACTER_SET, _QUERY_LEVEL, _RETRIEVE_AE_TITLE, _AVAILABILITY, _OFFSET = (
    0x00080005,
    0x00080052,
    0x00080054,
    0x00080056,
    0x00080201,
)
K = TypeVar("K", bound=Key)

# Keys that steer the query, or are answered from elsewhere than the index
_NOT_MATCHED = frozenset({_CHARACTER_SET, _QUERY_LEVEL, _RETRIEVE_AE_TITLE, _AVAILABILITY, _OFFSET})


def parse_query(
    identifier: DicomJson,
    levels: tuple[Level, ...],
    semantics: Semantics = PLAIN,
    zone: int | None = None,
) -> Query:
    """The query that an identifier asks.

    levels: of the query model. Keys of levels below the asked one are passed over.
    semantics: of matching, as they were negotiated.
    zone: in which dates and times are asked, in minutes east of UTC; None for as they are written.
    Raises InvalidQuery.
    """
    level = LEVELS.get(level_of(identifier))
    if level is None or level not in levels:
        raise InvalidQuery("QueryRetrieveLevel is missing, or not one of this query model", _QUERY_LEVEL)
    keys = {
        attribute: values
        for attribute, values in keys_of(identifier, BY_PATH).items()
        if attribute.level <= level
    }
    moments: tuple[Moments, ...] = ()
    if zone is None:
        criteria = parse_criteria(keys, semantics)
    else:
        criteria, moments = parse_moments(keys, semantics)
    return Query(level, tuple(Criterion(*pair) for pair in criteria), moments=moments, zone=zone or 0)


def zone_of(identifier: DicomJson) -> int | None:
    """The time zone that it asks in, in minutes east of UTC; None for none. Raises InvalidQuery."""
    stated = [text for text in texts_of(identifier.get(OFFSET, {})) if text]
    return asked_offset(stated[0]) if stated else None


def level_of(identifier: DicomJson) -> str:
    """What it names as its level."""
    named = texts_of(identifier.get(f"{_QUERY_LEVEL:08X}", {}))
    return named[0] if named else ""


def keys_of(
    identifier: DicomJson, known: Mapping[tuple[int, ...], K], above: tuple[int, ...] = ()
) -> dict[K, list[str]]:
    """The keys that are known, each with its values, also those within the item of a sequence.

    known: by their paths.  above: the path to this item.
    Raises InvalidQuery for a sequence of several items (PS3.4 C.2.2.2.6).
    """
    keys: dict[K, list[str]] = {}
    for key, element in identifier.items():
        path = (*above, int(key, 16))
        if element["vr"] == "SQ":
            items = element.get("Value", ())
            if len(items) > 1:
                raise InvalidQuery(f"{keyword_for_tag(path[-1]) or key}: a key has one item", path[-1])
            for item in items:
                keys |= keys_of(item, known, path)
        elif path in known and path[0] not in _NOT_MATCHED:
            keys[known[path]] = texts_of(element)
    return keys


def has_unsupported_keys(identifier: DicomJson) -> bool:
    """Whether it asks for what the index does not keep, which PS3.4 C.4.1.1.4 wants to be told."""
    return any(tag not in BY_TAG and tag not in _NOT_MATCHED for tag in (int(key, 16) for key in identifier))


class Answerer:
    """Turns answers into identifiers with the keys that were asked for."""

    def __init__(self, asked: DicomJson, context: Context, ae_title: str, zone: int | None = None) -> None:
        """zone: in which dates and times are told, in minutes east of UTC; None for as they are kept."""
        self._zone = zone
        self._asked = {
            key: element["vr"] for key, element in asked.items() if int(key, 16) not in _NOT_MATCHED
        }
        self._fixed = {
            _QUERY_LEVEL: ("CS", level_of(asked)),
            _RETRIEVE_AE_TITLE: ("AE", ae_title),
            _AVAILABILITY: ("CS", "ONLINE"),
        }
        if zone is not None:
            self._fixed[_OFFSET] = ("SH", written_offset(zone))
        character_set = asked_in(asked)
        self._writer = DataSetWriter(context, character_set)
        encoding = encoding_of(context.transfer_syntax)
        self._plain = self._plain_writer(character_set, encoding.explicit) if encoding.little_endian else None

    def _plain_writer(self, character_set: CharacterSet, explicit: bool) -> PlainWriter:
        terms = {_CHARACTER_SET: ("CS", "\\".join(character_set.terms))} if character_set.terms else {}
        asked = [(int(key, 16), vr) for key, vr in self._asked.items()]
        return PlainWriter(asked, self._fixed | terms, explicit)

    def identifier(self, attributes: DicomJson) -> bytes:
        """One answer, in the character set that was asked in when it can hold it, otherwise in UTF-8."""
        if self._zone is not None:
            attributes = in_zone(attributes, offset_of(attributes), self._zone)
        plain = self._plain.write(attributes) if self._plain is not None else None
        return self.any_identifier(attributes) if plain is None else plain

    def any_identifier(self, attributes: DicomJson) -> bytes:
        """The same of any answer."""
        answer: DicomJson = {key: attributes.get(key, {"vr": vr}) for key, vr in self._asked.items()}
        for tag, (vr, value) in self._fixed.items():
            answer[f"{tag:08X}"] = {"vr": vr, "Value": [value]}
        return self._writer.write(answer)
