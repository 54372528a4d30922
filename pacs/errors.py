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
├── NotFound                 no such study, series or instance
│   └── FrameNotFound        the instance has no such frame
├── CannotRender             the object has no picture that can be drawn here
└── StorageFailed            the disk or the index failed
    └── OutOfSpace           there is no room left

Each protocol has one table from these leaves to its own codes, and a test holds the tables complete.
"""


class ArchiveError(Exception):
    """Whatever the archive can say no with.

    tag: the element at fault, as an integer such as 0x0020000D, where there is one.
    The message names what, where and why, and never a value that could identify a patient.
    """

    def __init__(self, message: str, tag: int | None = None) -> None:
        super().__init__(message)
        self.tag = tag


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


class NotFound(ArchiveError):
    """There is no such study, series or instance."""


class FrameNotFound(NotFound):
    """The instance has no frame of that number, or no frames."""


class CannotRender(ArchiveError):
    """No picture can be drawn of this object here."""


class StorageFailed(ArchiveError):
    """The disk or the index failed; nothing was acknowledged."""


class OutOfSpace(StorageFailed):
    """There is no room left; reading goes on, and storing resumes when there is room again."""
