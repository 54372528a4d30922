"""From what went wrong to DIMSE status codes: PS3.4 Tables B.2-1, C.4-1, C.4-2 and C.4-3, PS3.7 Annex C."""

from pacs import errors
from pacs.dimse.command import Command

SUCCESS = 0x0000
PENDING = 0xFF00
PENDING_WITHOUT_OPTIONAL_KEYS = 0xFF01
CANCEL = 0xFE00
SUBOPERATIONS_WITH_FAILURES = 0xB000
UNABLE_TO_PERFORM_SUBOPERATIONS = 0xA702
MOVE_DESTINATION_UNKNOWN = 0xA801
NOT_AUTHORIZED = 0x0124
UNRECOGNIZED_OPERATION = 0x0211
PROCESSING_FAILURE = 0x0110

STATUS: dict[type[errors.ArchiveError], int] = {
    errors.MalformedObject: 0xC000,
    errors.InvalidIdentifier: 0xC001,
    errors.MismatchedObject: 0xA900,
    errors.UnsupportedObject: 0x0122,
    errors.InstanceConflict: 0x0111,
    errors.PatientConflict: 0xC002,
    errors.InvalidQuery: 0xA900,
    errors.TooManyMatches: 0xA701,
    errors.InvalidStep: 0x0106,
    errors.WorkitemConflict: PROCESSING_FAILURE,
    errors.StepConflict: PROCESSING_FAILURE,
    errors.NotFound: 0x0112,
    errors.FrameNotFound: 0x0112,
    errors.WorkitemGone: 0x0112,
    errors.CannotRender: PROCESSING_FAILURE,
    errors.CannotDeidentify: PROCESSING_FAILURE,
    errors.StorageFailed: PROCESSING_FAILURE,
    errors.OutOfSpace: 0xA700,
}


def status_of(error: errors.ArchiveError) -> int:
    """The status code of an error; of the nearest kind above it that the table names."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), PROCESSING_FAILURE)


def failure(error: errors.ArchiveError) -> Command:
    """Status, Error Comment (64 characters) and Offending Element of a response (PS3.7 C.4)."""
    fields: Command = {"Status": status_of(error), "ErrorComment": str(error)[:64]}
    if error.tag is not None:
        fields["OffendingElement"] = error.tag
    return fields
