"""What can go wrong in the archive, as one tree without any protocol's codes.

ArchiveError
├── Refused                  the object is not taken in; nothing of it is served
│   ├── MalformedObject      its bytes cannot be read as a DICOM object
│   ├── InvalidIdentifier    a UID is absent, or no UID
│   ├── MismatchedObject     what was announced is not what came
│   ├── UnsupportedObject    a SOP class or transfer syntax that is not accepted here
│   └── Quarantined          set aside for a person to look at, not archived
│       ├── InstanceConflict the UID is taken by other content
│       └── PatientConflict  the study belongs to another patient
├── InvalidQuery             a search key cannot be understood
├── TooManyMatches           what is found is more than one request can name
├── DataSetTooLong           what is asked is longer than is taken
├── InvalidStep              what a procedure step is made of is wrong, or not allowed there
│   ├── AttributeMissing     an attribute is absent
│   └── AttributeEmpty       an attribute has no value
├── WorkitemConflict         the state of a work item does not allow it; the reason is one of Refusal
├── StepConflict             the state of a procedure step does not allow it; the reason is one of StepRefusal
├── NotFound                 no such study, series, instance, work item, procedure step or subscription
│   ├── FrameNotFound        the instance has no such frame
│   └── WorkitemGone         there was such a work item; it was removed after its end
├── CannotRender             the object has no picture that can be drawn here
├── CannotDeidentify         what it holds besides its header may tell of the patient
└── StorageFailed            the disk or the index failed
    └── OutOfSpace           there is no room left

Each protocol has one table from these leaves to its own codes, and a test holds the tables complete.
"""

from enum import StrEnum


class ArchiveError(Exception):
    """Whatever the archive can say no with.

    tag: the element at fault, as an integer such as 0x0020000D, where there is one.
    The message names what, where and why, and never a value that could identify a patient.
    """

    def __init__(self, message: str, tag: int | None = None) -> None:
        super().__init__(message)
        self.tag = tag

    @classmethod
    def summary(cls) -> str:
        """What went wrong where this is raised, in a line."""
        return (cls.__doc__ or "").splitlines()[0]


class Refused(ArchiveError):
    """The object is not taken in."""


class MalformedObject(Refused):
    """The bytes cannot be read as a DICOM object to their end."""


class InvalidIdentifier(Refused):
    """A UID that the archive needs is absent, or is not a UID (PS3.5 9.1)."""


class MismatchedObject(Refused):
    """The data set is not the one that the request announced."""


class UnsupportedObject(Refused):
    """The SOP class or transfer syntax is not accepted here."""


class Quarantined(Refused):
    """The object was set aside for a person to look at; it is kept, but not archived."""


class InstanceConflict(Quarantined):
    """The SOP Instance UID is taken by other content; the first stays."""


class PatientConflict(Quarantined):
    """The study belongs to a patient with another identifier."""


class InvalidQuery(ArchiveError):
    """A search key cannot be understood; the message names it."""


class TooManyMatches(ArchiveError):
    """What is found is more than one request can name; the message says how many that are."""


class DataSetTooLong(ArchiveError):
    """The data set of a request is longer than is taken here; the message says how long it may be."""


class InvalidStep(ArchiveError):
    """An attribute is absent, empty, wrong or not allowed; the message names it (PS3.4 5.4)."""


class AttributeMissing(InvalidStep):
    """An attribute is absent that must be there."""


class AttributeEmpty(InvalidStep):
    """An attribute has no value that must have one."""


class Refusal(StrEnum):
    """Why a work item stays as it is (PS3.4 Tables CC.2.1-2, CC.2.2-2, CC.2.5-4 and CC.2.6-1)."""

    EXISTS = "there is a work item of this UID already"
    TRANSACTION_UID_MISSING = "it is claimed, and the request has no Transaction UID"
    TRANSACTION_UID_INCORRECT = "the Transaction UID is not the one that it was claimed with"
    FINAL = "it is completed or canceled, and stays as it is"
    IN_PROGRESS = "it is in progress already"
    NOT_IN_PROGRESS = "it is not in progress yet"
    ONLY_CREATED_SCHEDULED = "it can only be made in the state SCHEDULED, not return to it"
    FINAL_STATE_REQUIREMENTS = "it lacks what this final state requires"
    COMPLETED = "it is completed already"
    PERFORMER_UNREACHABLE = "nobody subscribes to it, so that its performer would not hear of the request"


class WorkitemConflict(ArchiveError):
    """The state of the work item does not allow it."""

    def __init__(self, reason: Refusal, detail: str = "") -> None:
        """detail: such as what it lacks."""
        super().__init__(f"work item: {reason}{detail and f': {detail}'}")
        self.reason = reason


class StepRefusal(StrEnum):
    """Why a scheduled or performed procedure step stays as it is (PS3.4 F.7.2.1.4 and F.7.2.2.4)."""

    EXISTS = "there is one of this name already"
    FINAL = "it is completed or discontinued, and may no longer be updated"
    NOT_CREATED = "only what was named when it was made can be set"
    FINAL_STATE_REQUIREMENTS = "it lacks what this final state requires"
    BEGUN = "it has begun, so that it can be discontinued, not cancelled"
    OTHER_PATIENT = "it is another patient's"
    SEVERAL = "there are several of this order, and the one that is meant is not named"


class StepConflict(ArchiveError):
    """The state of the scheduled or performed procedure step does not allow it."""

    def __init__(self, reason: StepRefusal, detail: str = "") -> None:
        """detail: such as what it lacks."""
        super().__init__(f"procedure step: {reason}{detail and f': {detail}'}")
        self.reason = reason


class NotFound(ArchiveError):
    """There is no such study, series, instance, work item, procedure step or subscription."""


class FrameNotFound(NotFound):
    """The instance has no frame of that number, or no frames."""


class WorkitemGone(NotFound):
    """There was such a work item; it has ended, and was removed when its time was over."""


class CannotRender(ArchiveError):
    """No picture can be drawn of this object here."""


class CannotDeidentify(ArchiveError):
    """The object is not given out de-identified; the message says what might tell of the patient."""

    def __init__(self, reason: str, tag: int | None = None) -> None:
        super().__init__(f"the object is not de-identified: {reason}", tag)


class StorageFailed(ArchiveError):
    """The disk or the index failed; nothing was acknowledged."""


class OutOfSpace(StorageFailed):
    """There is no room left; reading goes on, and storing resumes when there is room again."""
