"""The DICOMDIR of one study: Basic Directory IOD, PS3.3 Annex F."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from struct import pack

from pydicom import Dataset
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from pacs.dataset.heads import item_of
from pacs.dataset.part10 import FileMeta, file_meta_bytes
from pacs.dataset.rewrite import explicit_element
from pacs.dataset.transfer_syntax import EXPLICIT_LITTLE_ENDIAN
from pacs.model import DicomJson, Instance, Source

_MEDIA_STORAGE_DIRECTORY_STORAGE = "1.2.840.10008.1.3.10"
_UTF_8 = "ISO_IR 192"
_IN_USE = 0xFFFF
_CONTENT = "InstanceNumber ContentDate ContentTime"
_LABELLED = f"{_CONTENT} ContentLabel ContentDescription ContentCreatorName"

# PS3.3 F.5: the keys of each type of record, in the order of the tables.
RECORD_KEYS = {
    "PATIENT": "PatientName PatientID",
    "STUDY": "StudyDate StudyTime StudyDescription StudyInstanceUID StudyID AccessionNumber",
    "SERIES": "Modality SeriesInstanceUID SeriesNumber",
    "IMAGE": "InstanceNumber",
    "RT DOSE": "InstanceNumber DoseSummationType",
    "RT STRUCTURE SET": "InstanceNumber StructureSetLabel StructureSetDate StructureSetTime",
    "RT PLAN": "InstanceNumber RTPlanLabel RTPlanDate RTPlanTime",
    "RT TREAT RECORD": "InstanceNumber TreatmentDate TreatmentTime",
    "PRESENTATION": """PresentationCreationDate PresentationCreationTime InstanceNumber ContentLabel
        ContentDescription ContentCreatorName ReferencedSeriesSequence BlendingSequence""",
    "WAVEFORM": _CONTENT,
    "SR DOCUMENT": f"""{_CONTENT} CompletionFlag VerificationFlag VerificationDateTime
        ConceptNameCodeSequence""",
    "KEY OBJECT DOC": f"{_CONTENT} ConceptNameCodeSequence",
    "SPECTROSCOPY": f"""ImageType {_CONTENT} NumberOfFrames Rows Columns DataPointRows DataPointColumns
        ReferencedImageEvidenceSequence""",
    "RAW DATA": _CONTENT,
    "REGISTRATION": _LABELLED,
    "FIDUCIAL": _LABELLED,
    "ENCAP DOC": f"""{_CONTENT} DocumentTitle HL7InstanceIdentifier ConceptNameCodeSequence
        MIMETypeOfEncapsulatedDocument""",
    "VALUE MAP": _LABELLED,
    "SURFACE": _LABELLED,
    "TRACT": _LABELLED,
}
# Type 1C: left out where the object has none.
_CONDITIONAL = frozenset(
    {"VerificationDateTime", "HL7InstanceIdentifier", "ReferencedSeriesSequence", "BlendingSequence"}
    | {"ReferencedImageEvidenceSequence"}
)

# PS3.3 Table F.4-1, by SOP class, or by what the UIDs of several classes begin with; all others are images.
_STORAGE = "1.2.840.10008.5.1.4.1.1."
_RECORD_TYPES = {
    "88.59": "KEY OBJECT DOC",
    "481.2": "RT DOSE",
    "481.3": "RT STRUCTURE SET",
    "481.4": "RT TREAT RECORD",
    "481.5": "RT PLAN",
    "481.6": "RT TREAT RECORD",
    "481.7": "RT TREAT RECORD",
    "481.8": "RT PLAN",
    "481.9": "RT TREAT RECORD",
    "4.2": "SPECTROSCOPY",
    "66": "RAW DATA",
    "66.1": "REGISTRATION",
    "66.2": "FIDUCIAL",
    "66.3": "REGISTRATION",
    "66.5": "SURFACE",
    "66.6": "TRACT",
    "67": "VALUE MAP",
}
_RECORD_TYPES_OF_KINDS = {"9.": "WAVEFORM", "11.": "PRESENTATION", "88.": "SR DOCUMENT", "104.": "ENCAP DOC"}


def record_type(sop_class_uid: str) -> str:
    """The type of the directory record that refers to an instance of this class."""
    number = sop_class_uid.removeprefix(_STORAGE)
    kinds = (name for start, name in _RECORD_TYPES_OF_KINDS.items() if number.startswith(start))
    return _RECORD_TYPES.get(number) or next(kinds, "IMAGE")


@dataclass(frozen=True, slots=True)
class _Record:
    """level: 0 for the patient, then inwards.  content: of the item, behind the elements of its place."""

    level: int
    content: bytes


class Directory:
    """Gathers the records of one study, series after series, and writes the file that holds them.

    Text is in UTF-8, whatever it was in the objects.
    """

    def __init__(self) -> None:
        self._records: list[_Record] = []
        self._series = ""
        self._described = blake2b(digest_size=16)

    def add(self, instance: Instance, attributes: DicomJson, file_id: tuple[str, ...]) -> None:
        """Refer to an instance. Those of one series come one after the other.

        attributes: of all levels, as DICOM JSON; those that the type of its record asks for (PS3.3 F.5).
        file_id: the names of the folders and of the file, 8 characters at most each (PS3.10 8.2).
        """
        if not self._records:
            self._records += [
                _Record(0, _record("PATIENT", attributes)),
                _Record(1, _record("STUDY", attributes)),
            ]
        if instance.series_instance_uid != self._series:
            self._series = instance.series_instance_uid
            self._records.append(_Record(2, _record("SERIES", attributes)))
        reference = b"".join(
            (
                explicit_element(0x00041500, "CS", _even("\\".join(file_id), b" ")),
                explicit_element(0x00041510, "UI", _even(instance.sop_class_uid)),
                explicit_element(0x00041511, "UI", _even(instance.sop_instance_uid)),
                explicit_element(0x00041512, "UI", _even(instance.transfer_syntax_uid)),
            )
        )
        kind = record_type(instance.sop_class_uid)
        self._records.append(_Record(3, _record(kind, attributes, reference)))
        self._described.update(f"{instance.digest} {file_id}".encode())

    def file(self) -> bytes:
        """The DICOMDIR as a Part 10 file. Its SOP Instance UID is the same for the same content."""
        uid = f"2.25.{int.from_bytes(self._described.digest(), 'big')}"
        meta = FileMeta(_MEDIA_STORAGE_DIRECTORY_STORAGE, uid, EXPLICIT_LITTLE_ENDIAN)
        head = file_meta_bytes(meta, Source(), "")
        first = len(head) + len(_file_set(0))
        items = b"".join(self._items(first + 12))
        return head + _file_set(first + 12) + pack("<HH2sHI", 0x0004, 0x1220, b"SQ", 0, len(items)) + items

    def _items(self, start: int) -> Iterator[bytes]:
        """The records as items, each with the offsets of its next sibling and of its first child."""
        offsets = [start]
        for record in self._records:
            offsets.append(offsets[-1] + 8 + len(_place(0, 0)) + len(record.content))
        following: dict[int, int] = {}
        places = []
        for record, offset in zip(reversed(self._records), reversed(offsets[:-1]), strict=True):
            places.append(_place(following.get(record.level, 0), following.pop(record.level + 1, 0)))
            following[record.level] = offset
        for record, place in zip(self._records, reversed(places), strict=True):
            yield item_of(place + record.content)


def _file_set(first: int) -> bytes:
    """File-set ID, offsets of the first and last root record, which are one, and that all is consistent."""
    return b"".join(
        (
            explicit_element(0x00041130, "CS", b""),
            explicit_element(0x00041200, "UL", pack("<I", first)),
            explicit_element(0x00041202, "UL", pack("<I", first)),
            explicit_element(0x00041212, "US", b"\0\0"),
        )
    )


def _place(following: int, lower: int) -> bytes:
    return b"".join(
        (
            explicit_element(0x00041400, "UL", pack("<I", following)),
            explicit_element(0x00041410, "US", pack("<H", _IN_USE)),
            explicit_element(0x00041420, "UL", pack("<I", lower)),
        )
    )


def _record(kind: str, attributes: DicomJson, reference: bytes = b"") -> bytes:
    keys = {
        f"{tag_for_keyword(k):08X}": dictionary_VR(k)
        for k in RECORD_KEYS[kind].split()
        if _is_there(k, attributes)
    }
    chosen = {key: attributes.get(key, {"vr": vr}) for key, vr in keys.items()}
    dataset = Dataset.from_json({"00080005": {"vr": "CS", "Value": [_UTF_8]}, **chosen})
    buffer = DicomBytesIO()
    buffer.is_implicit_VR, buffer.is_little_endian = False, True
    write_dataset(buffer, dataset)
    return explicit_element(0x00041430, "CS", _even(kind, b" ")) + reference + buffer.getvalue()


def _is_there(keyword: str, attributes: DicomJson) -> bool:
    return keyword not in _CONDITIONAL or f"{tag_for_keyword(keyword):08X}" in attributes


def _even(text: str, padding: bytes = b"\0") -> bytes:
    value = text.encode("ascii", "replace")
    return value + padding * (len(value) % 2)
