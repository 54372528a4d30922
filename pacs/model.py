"""Frozen values that the rooms of the archive hand to each other."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any, NamedTuple

# One element is {"vr": "DA", "Value": ["20240101"]}; one object is {"00080020": element, ...} (PS3.18 F.2).
DicomJson = dict[str, Any]


class Level(IntEnum):
    """The levels of the information model, PS3.4 C.6.1.1, from the outermost inwards."""

    PATIENT = 0
    STUDY = 1
    SERIES = 2
    INSTANCE = 3


@dataclass(frozen=True, slots=True)
class Source:
    """Where an object comes from, for file meta information, quarantine and logs.

    ae_title: of the sending application entity; empty when there is none (HTTP, import).
    address: network address or kind of source, such as "10.1.2.3" or "import".
    """

    ae_title: str = ""
    address: str = ""


class PixelLocation(NamedTuple):
    """Where the pixels of a stored instance lie, so that a frame is one positioned read.

    tag: PixelData, FloatPixelData or DoubleFloatPixelData.
    offset: first byte of the value (of the first item when encapsulated), from the start of the file;
        of a deflated object, from the start of its inflated data set.
    length: bytes of the value up to its end or up to the sequence delimiter.
    encapsulated: whether the value is a sequence of fragments (PS3.5 A.4).
    number_of_frames: at least 1.
    frame_bits: bits of one native frame; 0 when encapsulated. Frames are not padded between each other.
    """

    tag: int
    offset: int
    length: int
    encapsulated: bool
    number_of_frames: int
    frame_bits: int


class Instance(NamedTuple):
    """A stored instance: all that is needed to serve it without opening it first.

    file: its key in the file store.  size: bytes of the whole Part 10 file.
    dataset_offset: where the data set begins behind the file meta information.
    digest: BLAKE3 of the data set, hexadecimal.
    """

    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    file: str
    size: int
    dataset_offset: int
    digest: str
    pixels: PixelLocation | None


class Found(NamedTuple):
    """One answer to a query.

    patient_identity: the same for all answers of one patient, and for no other patient.
    levels: what is kept and counted of each level, the outermost first: of patient and study together, of the
        series, of the instance. The outer ones are shared between answers: not to be changed.
    changed: of patients and studies, when they changed last, in seconds since 1970.
    """

    patient_identity: str
    levels: tuple[DicomJson, ...]
    changed: float | None = None

    @property
    def name(self) -> str:
        """What tells a patient or a study from all others: its identity, or its Study Instance UID."""
        uids = (self.get("0020000D") or {}).get("Value")
        return str(uids[0]) if uids else self.patient_identity

    @property
    def attributes(self) -> DicomJson:
        """All levels in one."""
        merged: DicomJson = {}
        for level in self.levels:
            merged |= level
        return merged

    def get(self, key: str) -> Any:
        """One attribute by its tag, such as "00100020"; None when it is not there."""
        return next((level[key] for level in self.levels if key in level), None)


class Kept(NamedTuple):
    """What is kept of an instance, as it lies there: for those who go through thousands.

    number: its Instance Number; None when it has none, or one of more than 63 bits.
    attributes: its level of a `Found`, less what follows from where it is; DICOM JSON as text.
    """

    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    number: int | None
    attributes: bytes


class Outcome(StrEnum):
    """What became of an object that was handed in and not refused.

    REPLACED: it is in the place of other content of its UID, which was removed, or was lost.
    FIRST_KEPT: it was set aside, since other content of its UID is kept.
    """

    STORED = "stored"
    ALREADY_STORED = "already stored"
    REPLACED = "replaced"
    FIRST_KEPT = "first kept"


@dataclass(frozen=True, slots=True)
class Stored:
    """The answer to a success: an instance of this UID is durably kept.

    is_coerced: whether that is not what came, but for what a rule for its sender put in.
    """

    outcome: Outcome
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str
    is_coerced: bool = False


class Action(StrEnum):
    """What a row of the change feed tells of."""

    CREATED = "created"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Workitem:
    """A Unified Procedure Step (PS3.3 B.26).

    key: of its row.  uid: its SOP Instance UID.
    transaction_uid: what it was claimed with, empty before. It is the access lock, and told to nobody.
    attributes: all others. They are not to be changed.
    """

    key: int
    uid: str
    transaction_uid: str
    attributes: DicomJson


@dataclass(frozen=True, slots=True)
class Change:
    """One row of the change feed, in the order of commitment.

    sequence: strictly growing.
    """

    sequence: int
    action: Action
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str


class ScheduledStep(NamedTuple):
    """A Scheduled Procedure Step.

    start: as YYYYMMDDHHMMSS.FFFFFF, in the time of the place.
    status: its Scheduled Procedure Step Status, which the attributes have, too.
    """

    study_instance_uid: str
    step_id: str
    start: str
    status: str
    attributes: DicomJson


class PerformedStep(NamedTuple):
    """A Modality Performed Procedure Step.  uid: its SOP Instance UID.

    status: its Performed Procedure Step Status, which the attributes have, too.
    """

    uid: str
    status: str
    attributes: DicomJson


class Permission(StrEnum):
    """What a system may ask of the archive over DICOM networking."""

    STORE = "store"
    QUERY = "query"
    RETRIEVE = "retrieve"


EVERYTHING = frozenset(Permission)


class Coercion(NamedTuple):
    """What is put into objects of a sender that do not state it themselves; empty for nothing.

    character_set: Specific Character Set, as the element has it.
    issuer_of_patient_id: of those that state a Patient ID.
    issuer_of_accession_number: of those that state one; as Local Namespace Entity ID.
    patient_from_worklist: whether the patient of the worklist item is put in, in the place of what is stated.
    """

    character_set: str = ""
    issuer_of_patient_id: str = ""
    issuer_of_accession_number: str = ""
    patient_from_worklist: bool = False


class Duplicates(StrEnum):
    """What becomes of an object whose SOP Instance UID is taken by other content.

    SET_ASIDE: the first stays, and the sender is told a failure.
    KEEP: the first stays, and the sender is told so with a warning; what came is set aside all the same.
    REPLACE: what came takes its place, and the first is removed, restorable for a while.
    """

    SET_ASIDE = "set aside"
    KEEP = "keep"
    REPLACE = "replace"


class Peer(NamedTuple):
    """Another system that speaks DICOM, known here by its AE title.

    commits: whether it is asked to commit to what is sent to it (PS3.4 Annex J).
    notified: whether it is told which instances are available (PS3.4 Annex R).
    tls: whether it is called by TLS.
    may: what it may ask of us; whatever it may, it can be sent to.
    move_to: AE titles of those that it may have something sent to (C-MOVE); empty for all that are known.
    transfer_syntaxes: the preferred ones first. Of what it proposes they are accepted before others, and what
        it is sent is converted to the first of them that it takes and that loses nothing.
    duplicates: what becomes of objects that it sends in other content than they are here.
    character_set and those that follow: as Coercion has them.
    """

    ae_title: str
    host: str
    port: int
    commits: bool = False
    notified: bool = False
    tls: bool = False
    may: frozenset[Permission] = EVERYTHING
    move_to: tuple[str, ...] = ()
    transfer_syntaxes: tuple[str, ...] = ()
    duplicates: Duplicates = Duplicates.SET_ASIDE
    character_set: str = ""
    issuer_of_patient_id: str = ""
    issuer_of_accession_number: str = ""
    patient_from_worklist: bool = False

    @property
    def coercion(self) -> Coercion:
        """What is put into its objects."""
        return Coercion(
            self.character_set,
            self.issuer_of_patient_id,
            self.issuer_of_accession_number,
            self.patient_from_worklist,
        )


class ForwardRule(NamedTuple):
    """What is sent on to another system as it comes, by itself.

    key: of its row; 0 while it has none.  destination: an AE title.
    source: AE title of who must have sent it here; empty for anybody.
    keys: names and values of a query, as they were given.
    hours: when it is sent, such as "22:00-06:00"; empty for always.
    bytes_per_second: that are sent at most; None without a limit.
    is_prompt: whether it is sent as it comes, not once its series has come to rest.
    """

    name: str
    destination: str
    source: str = ""
    keys: tuple[tuple[str, str], ...] = ()
    hours: str = ""
    bytes_per_second: int | None = None
    is_prompt: bool = False
    is_paused: bool = False
    key: int = 0
