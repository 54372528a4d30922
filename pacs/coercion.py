"""Coercion of what a known system sends: what it leaves out is put in, and the object says so.

What was there before is kept in Original Attributes Sequence (PS3.3 C.12.1.1.9). Values are never decoded.
"""

from datetime import datetime
from struct import pack
from typing import NamedTuple

import structlog

from pacs.dataset.elements import ITEM, Buffer, Encoding, read_elements
from pacs.dataset.rewrite import (
    WriteElement,
    copied,
    end_of,
    explicit_element,
    implicit_element,
    rewritten,
)
from pacs.dataset.transfer_syntax import encoding_of, is_deflated
from pacs.model import Coercion

_CHARACTER_SET, _PATIENT_ID, _ISSUER = 0x00080005, 0x00100020, 0x00100021
_ACCESSION_NUMBER, _ACCESSION_ISSUER, _ENTITY_ID = 0x00080050, 0x00080051, 0x00400031
_ORIGINAL_ATTRIBUTES, _MODIFIED_ATTRIBUTES = 0x04000561, 0x04000550
_TIME, _SYSTEM, _SOURCE, _REASON = 0x04000562, 0x04000563, 0x04000564, 0x04000565

_VRS = {_CHARACTER_SET: "CS", _ISSUER: "LO", _ACCESSION_ISSUER: "SQ"}

TIME_LENGTH = 22  # bytes of a time to the microsecond
REASON = "COERCE"  # of Original Attributes Sequence (PS3.3 Table C.12-1)

# What can be put in: the attribute, the rule that says so, and where it holds
COERCED = (
    ("SpecificCharacterSet", "character_set", "it is absent or empty"),
    ("IssuerOfPatientID", "issuer_of_patient_id", "it is absent or empty, and there is a Patient ID"),
    (
        "IssuerOfAccessionNumberSequence.LocalNamespaceEntityID",
        "issuer_of_accession_number",
        "the sequence is absent or empty, and there is an Accession Number",
    ),
)

log = structlog.get_logger()


class Coerced(NamedTuple):
    """A coerced data set: its beginning, and where in what was received the rest of it stands.

    time: where in the beginning the time of the coercion stands, TIME_LENGTH bytes.
    """

    head: bytes
    rest: int
    time: int


class _CannotCoerce(Exception):
    """The object stays as it is. The message says why."""


class Coercer:
    """Coerces what one system sends."""

    def __init__(self, rules: Coercion, source: str, system: str) -> None:
        """source: the AE title of who sends.  system: ours."""
        self._rules = rules
        self._source = source
        self._system = system

    def coerce(self, content: Buffer, transfer_syntax_uid: str, start: int, end: int) -> Coerced | None:
        """The data set from start to end as it is to be kept; None for as it is.

        Raises MalformedObject, UnsupportedObject.
        """
        try:
            return self._coerce(content, transfer_syntax_uid, start, end)
        except _CannotCoerce as error:
            log.warning("not coerced", source=self._source, reason=str(error))
            return None

    def _coerce(self, content: Buffer, transfer_syntax_uid: str, start: int, end: int) -> Coerced | None:
        encoding = encoding_of(transfer_syntax_uid)
        if is_deflated(transfer_syntax_uid) or not encoding.little_endian:
            raise _CannotCoerce("it is deflated, or in big endian")
        elements = read_elements(content, encoding, start, end).elements
        before = [element for element in elements if element.tag <= _ORIGINAL_ATTRIBUTES]
        if not before or elements[: len(before)] != before:
            raise _CannotCoerce("its elements are out of order")
        rest = end_of(content, before[-1])
        part = _Part(bytes(content[start:rest]), encoding)
        new = self._missing(part)
        if not new:
            return None
        if not part.has_readable_history:
            raise _CannotCoerce("its Original Attributes Sequence cannot be read")
        time = _padded(datetime.now().astimezone().strftime("%Y%m%d%H%M%S.%f"))
        sequence = part.write(_ORIGINAL_ATTRIBUTES, "SQ", part.history + self._item(part, new, time))
        changes = {**new, _ORIGINAL_ATTRIBUTES: sequence}
        head = rewritten(part.content, encoding, changes, part.write)
        return Coerced(head, rest, len(head) - len(sequence) + sequence.rindex(time))

    def _missing(self, part: "_Part") -> dict[int, bytes]:
        """The elements to be put in, by tag: what is stated is left alone."""
        rules, write = self._rules, part.write
        new: dict[int, bytes] = {}
        if rules.character_set and not part.states(_CHARACTER_SET):
            new[_CHARACTER_SET] = write(_CHARACTER_SET, "CS", _padded(rules.character_set))
        issuer = rules.issuer_of_accession_number
        if issuer and part.states(_ACCESSION_NUMBER) and not part.states(_ACCESSION_ISSUER):
            item = _item(write(_ENTITY_ID, "UT", _padded(issuer)))
            new[_ACCESSION_ISSUER] = write(_ACCESSION_ISSUER, "SQ", item)
        issuer = rules.issuer_of_patient_id
        if issuer and part.states(_PATIENT_ID) and not part.states(_ISSUER):
            new[_ISSUER] = write(_ISSUER, "LO", _padded(issuer))
        return new

    def _item(self, part: "_Part", new: dict[int, bytes], time: bytes) -> bytes:
        """What was there before, and who has changed it when and why."""
        write = part.write
        old = b"".join(part.elements.get(tag, write(tag, _VRS[tag], b"")) for tag in new)
        return _item(
            write(_MODIFIED_ATTRIBUTES, "SQ", _item(old))
            + write(_TIME, "DT", time)
            + write(_SYSTEM, "LO", _padded(self._system))
            + write(_SOURCE, "LO", _padded(self._source))
            + write(_REASON, "CS", _padded(REASON))
        )


class _Part:
    """The elements up to Original Attributes Sequence.  elements: as they stand there, by tag."""

    def __init__(self, content: bytes, encoding: Encoding) -> None:
        self.content = content
        self.write: WriteElement = explicit_element if encoding.explicit else implicit_element
        read = read_elements(content, encoding).elements
        self.elements = dict(copied(content, read))
        self._read = {element.tag: element for element in read}

    def _value(self, tag: int) -> bytes:
        element = self._read.get(tag)
        return self.content[element.offset : element.offset + element.length] if element else b""

    def states(self, tag: int) -> bool:
        """Whether an element is there, and has a value."""
        return bool(self._value(tag).strip(b" \0"))

    @property
    def history(self) -> bytes:
        """The items of earlier changes."""
        return self._value(_ORIGINAL_ATTRIBUTES)

    @property
    def has_readable_history(self) -> bool:
        """Whether an item can be added to them."""
        if not self.history:
            return True
        is_unknown = self.write is explicit_element and self.elements[_ORIGINAL_ATTRIBUTES][4:6] == b"UN"
        return bool(self._read[_ORIGINAL_ATTRIBUTES].items) and not is_unknown


def _item(content: bytes) -> bytes:
    return pack("<HHI", ITEM >> 16, ITEM & 0xFFFF, len(content)) + content


def _padded(text: str) -> bytes:
    return text.encode("ascii") + b" " * (len(text) % 2)
