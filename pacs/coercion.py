"""Coercion of what a known system sends, and the object says so.

What it leaves out is put in, and the patient of the worklist in the place of what was typed. What was there
before is kept in Original Attributes Sequence (PS3.3 C.12.1.1.9). Values are not decoded, but those that
are compared with the worklist.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

import structlog

from pacs.dataset.dicom_json import JsonWriter
from pacs.dataset.elements import Buffer, Element, Encoding, read_elements
from pacs.dataset.heads import item_of
from pacs.dataset.json_encoder import UNICODE
from pacs.dataset.recoding import in_utf_8, is_plain, value_in
from pacs.dataset.rewrite import (
    Changes,
    WriteElement,
    copied,
    end_of,
    explicit_element,
    implicit_element,
    rewritten,
)
from pacs.dataset.transfer_syntax import encoding_of, is_deflated
from pacs.dataset.vr import implicit_vr
from pacs.model import Coercion, DicomJson
from pacs.worklist_patient import SAID, WorklistPatients, corrections, is_of_another_order

_CHARACTER_SET, _STUDY = 0x00080005, 0x0020000D
_PATIENT_ID, _ISSUER = 0x00100020, 0x00100021
_ACCESSION_NUMBER, _ACCESSION_ISSUER, _ENTITY_ID = 0x00080050, 0x00080051, 0x00400031
_ORIGINAL_ATTRIBUTES, _MODIFIED_ATTRIBUTES = 0x04000561, 0x04000550
_TIME, _SYSTEM, _SOURCE, _REASON = 0x04000562, 0x04000563, 0x04000564, 0x04000565

_PIXELS = 0x7FE00000  # from here on: pixels, and what follows them

# Defined Terms of Reason for the Attribute Modification: what was left out, and what was wrong
LEFT_OUT, WRONG = "COERCE", "CORRECT"

# What can be put in: the attribute, the rule that says so, what becomes of it, and where it holds
COERCED = (
    ("SpecificCharacterSet", "character_set", "ADDED", "it is absent or empty"),
    (
        "IssuerOfPatientID",
        "issuer_of_patient_id",
        "ADDED",
        "it is absent or empty, and there is a Patient ID",
    ),
    (
        "IssuerOfAccessionNumberSequence.LocalNamespaceEntityID",
        "issuer_of_accession_number",
        "ADDED",
        "the sequence is absent or empty, and there is an Accession Number",
    ),
    (
        "PatientName, PatientID, IssuerOfPatientID, IssuerOfPatientIDQualifiersSequence, PatientBirthDate, "
        "PatientSex",
        "patient_from_worklist",
        "MODIFIED",
        "a worklist item has its study, and no other accession number; its patient is another or says more",
    ),
)

log = structlog.get_logger()


class Coerced(NamedTuple):
    """A coerced data set: its beginning, and where in what was received the rest of it stands."""

    head: bytes
    rest: int


class _CannotCoerce(Exception):
    """The object stays as it is. The message says why."""


class Coercer:
    """Coerces what one system sends."""

    def __init__(
        self, rules: Coercion, source: str, system: str, patients: WorklistPatients | None = None
    ) -> None:
        """source: the AE title of who sends.  system: ours.

        patients: of the worklist, to be put in; None for those that the objects state.
        """
        self._rules = rules
        self._source = source
        self._system = system
        self._patients = patients
        self._told = ""

    def coerce(self, content: Buffer, transfer_syntax_uid: str, start: int, end: int) -> Coerced | None:
        """The data set from start to end as it is to be kept; None for as it is.

        Raises MalformedObject, UnsupportedObject, StorageFailed.
        """
        try:
            return self._coerce(content, transfer_syntax_uid, start, end)
        except _CannotCoerce as error:
            self._tell(str(error))
            return None

    def _tell(self, reason: str) -> None:
        """Log why an object stays as it is: once for those that come together."""
        if self._told != reason:
            self._told = reason
            log.warning("not coerced", source=self._source, reason=reason)

    def _coerce(self, content: Buffer, transfer_syntax_uid: str, start: int, end: int) -> Coerced | None:
        encoding = encoding_of(transfer_syntax_uid)
        if is_deflated(transfer_syntax_uid) or not encoding.little_endian:
            raise _CannotCoerce("it is deflated, or in big endian")
        elements = read_elements(content, encoding, start, end).elements
        before = [element for element in elements if element.tag <= _ORIGINAL_ATTRIBUTES]
        if not before or elements[: len(before)] != before:
            raise _CannotCoerce("its elements are out of order")
        part = _Part(bytes(content[start : end_of(content, before[-1])]), encoding)
        corrected, anew = self._of_patient(part, content, elements, start)
        left_out = self._left_out(part, corrected)
        if not corrected and not left_out:
            return None
        if not part.has_readable_history:
            raise _CannotCoerce("its Original Attributes Sequence cannot be read")
        items = self._items(part, {LEFT_OUT: left_out, WRONG: corrected})
        changes = {**left_out, **corrected}
        changes[_ORIGINAL_ATTRIBUTES] = part.write(_ORIGINAL_ATTRIBUTES, "SQ", anew.history + items)
        return Coerced(rewritten(anew.content, encoding, changes, part.write), start + anew.came)

    def _left_out(self, part: "_Part", corrected: Changes) -> Changes:
        """The elements to be put in, by tag: what is stated, or corrected, is left alone."""
        rules, write = self._rules, part.write
        new: dict[int, bytes | None] = {}
        if rules.character_set and not part.states(_CHARACTER_SET) and _CHARACTER_SET not in corrected:
            new[_CHARACTER_SET] = write(_CHARACTER_SET, "CS", _padded(rules.character_set))
        issuer = rules.issuer_of_accession_number
        if issuer and part.states(_ACCESSION_NUMBER) and not part.states(_ACCESSION_ISSUER):
            item = item_of(write(_ENTITY_ID, "UT", _padded(issuer)))
            new[_ACCESSION_ISSUER] = write(_ACCESSION_ISSUER, "SQ", item)
        if _ISSUER in corrected or not part.states(_PATIENT_ID) or part.states(_ISSUER):
            return new
        if rules.issuer_of_patient_id:
            new[_ISSUER] = write(_ISSUER, "LO", _padded(rules.issuer_of_patient_id))
        return new

    def _of_patient(
        self, part: "_Part", content: Buffer, elements: list[Element], start: int
    ) -> "tuple[Changes, _Part]":
        """The elements of the patient that are not as in the worklist, by tag, and what is written anew.

        elements: of the whole data set.
        """
        corrected = self._corrected(part, part.character_set or self._rules.character_set)
        if corrected is not None:
            return corrected, part
        anew = _in_utf_8(part, content, elements, start)
        corrected = self._corrected(part, UNICODE)
        if anew is None or corrected is None:
            if self._patients is not None:
                self._patients.tell(
                    part.text(_STUDY), "the character set of the object cannot hold the patient"
                )
            return {}, part
        return {**corrected, _CHARACTER_SET: part.write(_CHARACTER_SET, "CS", _padded(UNICODE))}, anew

    def _corrected(self, part: "_Part", character_set: str) -> Changes | None:
        """Those elements in a character set; None when it cannot hold one."""
        study = part.text(_STUDY)
        patient = self._patients.of(study) if self._patients is not None and study else None
        if self._patients is None or patient is None:
            return {}
        said = part.json(SAID, self._rules.character_set)
        if is_of_another_order(said, patient):
            self._patients.tell(study, "the accession number is another")
            return {}
        wanted = {int(key, 16): element for key, element in corrections(said, patient.attributes).items()}
        if _ISSUER in wanted and wanted[_ISSUER] is None and self._rules.issuer_of_patient_id:
            wanted[_ISSUER] = {"vr": "LO", "Value": [self._rules.issuer_of_patient_id]}
        return part.written(wanted, character_set)

    def _items(self, part: "_Part", changes: dict[str, Changes]) -> bytes:
        """For each reason what was there before, and who has changed it when."""
        time = _padded(datetime.now().astimezone().strftime("%Y%m%d%H%M%S.%f"))
        write = part.write
        return b"".join(
            item_of(
                write(_MODIFIED_ATTRIBUTES, "SQ", item_of(part.old(sorted(new))))
                + write(_TIME, "DT", time)
                + write(_SYSTEM, "LO", _padded(self._system))
                + write(_SOURCE, "LO", _padded(self._source))
                + write(_REASON, "CS", _padded(reason))
            )
            for reason, new in changes.items()
            if new
        )


def _in_utf_8(part: "_Part", content: Buffer, elements: list[Element], start: int) -> "_Part | None":
    """What is to be written anew for a data set in UTF-8; None where text of it is not sure to be read so."""
    if is_plain(content, elements):
        return part
    texts = [element for element in elements if element.tag < _PIXELS]
    end = end_of(content, texts[-1])
    if texts != elements[: len(texts)] or not is_plain(content, elements[len(texts) :]):
        return None
    try:
        converted = in_utf_8(bytes(content[start:end]), part.encoding, part.write)
    except UnicodeError:
        return None
    return _Part(converted, part.encoding, end - start)


class _Part:
    """The beginning of a data set.

    came: bytes that it had as it came.  elements: as they stand there, by tag.
    """

    def __init__(self, content: bytes, encoding: Encoding, came: int | None = None) -> None:
        self.content = content
        self.came = len(content) if came is None else came
        self.write: WriteElement = explicit_element if encoding.explicit else implicit_element
        self.encoding = encoding
        read = read_elements(content, encoding).elements
        self.elements = dict(copied(content, read))
        self._read = {element.tag: element for element in read}

    def _value(self, tag: int) -> bytes:
        element = self._read.get(tag)
        return self.content[element.offset : element.offset + element.length] if element else b""

    def text(self, tag: int) -> str:
        """A value as text, such as a UID."""
        return self._value(tag).decode("latin-1").strip(" \0")

    def states(self, tag: int) -> bool:
        """Whether an element is there, and has a value."""
        return bool(self._value(tag).strip(b" \0"))

    @property
    def character_set(self) -> str:
        """Its Specific Character Set, as the element has it."""
        return self.text(_CHARACTER_SET)

    def json(self, keys: frozenset[str], character_set: str) -> DicomJson:
        """What some elements say.  character_set: in which they are, where none is stated."""
        before = {f"{_CHARACTER_SET:08X}": {"vr": "CS", "Value": character_set.split("\\")}}
        wanted = [self._read[tag] for tag in sorted(int(key, 16) for key in keys) if tag in self._read]
        if self.character_set:
            wanted.insert(0, self._read[_CHARACTER_SET])
        return JsonWriter(self.content, self.encoding, before=before if character_set else None).write(wanted)

    def written(self, wanted: dict[int, DicomJson | None], character_set: str) -> Changes | None:
        """The elements, None for those to be left out; None when the character set cannot hold one."""
        terms = [term.strip() for term in character_set.split("\\")] if character_set else []
        new: dict[int, bytes | None] = {}
        for tag, element in wanted.items():
            value = None if element is None else value_in(tag, element, terms)
            if element is not None and value is None:
                return None
            new[tag] = None if element is None or value is None else self._element(tag, element["vr"], value)
        return new

    def _element(self, tag: int, vr: str, value: bytes) -> bytes:
        """value: as it stands in explicit VR, which matters to sequences."""
        return rewritten(explicit_element(tag, vr, value), Encoding(explicit=True), {}, self.write)

    def old(self, tags: Iterable[int]) -> bytes:
        """Elements as they stand there, empty where they are absent."""
        return b"".join(self.elements.get(tag, self.write(tag, implicit_vr(tag), b"")) for tag in tags)

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


def _padded(text: str) -> bytes:
    return text.encode("ascii") + b" " * (len(text) % 2)
