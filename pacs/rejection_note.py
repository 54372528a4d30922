"""Rejection notes: key object selections that say which instances are not to be used (IHE RAD TF-2 4.66)."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from pacs.dataset.elements import Element
from pacs.errors import MalformedObject
from pacs.index import Reference
from pacs.model import Instance
from pacs.retrieve import Reader

KEY_OBJECT_SELECTION = "1.2.840.10008.5.1.4.1.1.88.59"

MOST_REFERENCES = 100_000
MOST_BYTES = 64 << 20  # of a note with so many references

# PS3.16 CID 7010, of its titles those that reject. True: what is named stays out when it comes again, or only
# comes after the note. What went for its age alone may come back.
REJECTIONS = {
    "113001": True,  # Rejected for Quality Reasons
    "113037": True,  # Rejected for Patient Safety Reasons
    "113038": True,  # Incorrect Modality Worklist Entry
    "113039": False,  # Data Retention Policy Expired
}
QUALITY = "113001"

_CODE_VALUE, _CODING_SCHEME_DESIGNATOR = 0x00080100, 0x00080102
_REFERENCED_SERIES_SEQUENCE, _REFERENCED_SOP_SEQUENCE = 0x00081115, 0x00081199
_REFERENCED_SOP_INSTANCE_UID = 0x00081155
_STUDY_INSTANCE_UID, _SERIES_INSTANCE_UID = 0x0020000D, 0x0020000E
_CONCEPT_NAME_CODE_SEQUENCE = 0x0040A043
_CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE = 0x0040A375
_WANTED = frozenset({_CONCEPT_NAME_CODE_SEQUENCE, _CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE})


@dataclass(frozen=True, slots=True)
class RejectionNote:
    """What a note says.

    reason: the code of its title.  references: what it names of its own study.
    """

    reason: str
    references: list[Reference]

    @property
    def is_lasting(self) -> bool:
        """Whether what it names stays out when it comes again."""
        return REJECTIONS[self.reason]


def read_rejection_note(reader: Reader, instance: Instance) -> RejectionNote | None:
    """What a key object selection rejects; None when it is no rejection note.

    Raises MalformedObject when a note names nothing of its own study, or more than can be heeded.
    """
    if instance.size > MOST_BYTES:
        raise MalformedObject(f"a rejection note of more than {MOST_BYTES >> 20} MB is not heeded")
    buffer, elements = reader.elements(instance, _WANTED)
    reason = _title(buffer, elements)
    if reason not in REJECTIONS:
        return None
    named = _references(buffer, elements, instance.study_instance_uid)
    references = list(islice(named, MOST_REFERENCES + 1))
    if not references:
        raise MalformedObject("the rejection note names no instance of its own study as evidence", 0x0040A375)
    if len(references) > MOST_REFERENCES:
        raise MalformedObject(f"the rejection note names more than {MOST_REFERENCES} instances", 0x0040A375)
    return RejectionNote(reason, references)


def _title(buffer: bytes, elements: list[Element]) -> str:
    """The code of the document title (PS3.3 C.17.3); empty when it is not DICOM's own."""
    for concept in _items(elements, _CONCEPT_NAME_CODE_SEQUENCE)[:1]:
        if _text(buffer, concept, _CODING_SCHEME_DESIGNATOR) == "DCM":
            return _text(buffer, concept, _CODE_VALUE)
    return ""


def _references(buffer: bytes, elements: list[Element], study_instance_uid: str) -> Iterator[Reference]:
    """PS3.3 C.17.6.2.1: every instance that the document refers to is listed, by study and series."""
    for study in _items(elements, _CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE):
        if _text(buffer, study, _STUDY_INSTANCE_UID) != study_instance_uid:
            continue
        for series in _items(study, _REFERENCED_SERIES_SEQUENCE):
            uid = _text(buffer, series, _SERIES_INSTANCE_UID)
            for instance in _items(series, _REFERENCED_SOP_SEQUENCE):
                yield Reference(uid, _text(buffer, instance, _REFERENCED_SOP_INSTANCE_UID))


def _items(elements: list[Element], tag: int) -> list[list[Element]]:
    return next((element.items for element in elements if element.tag == tag and element.items), [])


def _text(buffer: bytes, elements: list[Element], tag: int) -> str:
    for element in elements:
        if element.tag == tag:
            value = buffer[element.offset : element.offset + min(element.length, 64)]
            return value.decode("ascii", "replace").strip(" \0")
    return ""
