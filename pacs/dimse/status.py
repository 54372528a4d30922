"""From what went wrong to DIMSE status codes.

PS3.4 Tables B.2-1, C.4-1, C.4-2, C.4-3, K.4-1, F.7.2-2 and F.8.2-2, PS3.7 Annex C.
"""

from collections.abc import Mapping

from pacs import errors
from pacs.dimse.command import Command

SUCCESS = 0x0000
ATTRIBUTES_NOT_SUPPORTED = 0x0001  # a warning: what was asked for is not all there
PENDING = 0xFF00
PENDING_WITHOUT_OPTIONAL_KEYS = 0xFF01
CANCEL = 0xFE00
SUBOPERATIONS_WITH_FAILURES = 0xB000
COERCION_OF_ELEMENTS = 0xB000  # the same number, as C-STORE means it
UNABLE_TO_PERFORM_SUBOPERATIONS = 0xA702
MOVE_DESTINATION_UNKNOWN = 0xA801
NOT_AUTHORIZED = 0x0124
UNRECOGNIZED_OPERATION = 0x0211
PROCESSING_FAILURE = 0x0110
NO_LONGER_UPDATED = 0xA710  # the Error ID of PS3.4 Table F.7.2-2

# PS3.7 C.5: of the DIMSE-N services
NO_SUCH_INSTANCE = 0x0112
NO_SUCH_EVENT_TYPE = 0x0113
INVALID_ARGUMENT_VALUE = 0x0115
NO_SUCH_SOP_CLASS = 0x0118
NO_SUCH_ACTION = 0x0123
RESOURCE_LIMITATION = 0x0213

STATUS: dict[type[errors.ArchiveError], int] = {
    errors.MalformedObject: 0xC000,
    errors.InvalidIdentifier: 0xC001,
    errors.MismatchedObject: 0xA900,
    errors.UnsupportedObject: 0x0122,
    errors.InstanceConflict: 0x0111,
    errors.PatientConflict: 0xC002,
    errors.InvalidQuery: 0xA900,
    errors.TooManyMatches: 0xA701,
    errors.DataSetTooLong: 0xA900,
    errors.InvalidStep: 0x0106,
    errors.AttributeMissing: 0x0120,
    errors.AttributeEmpty: 0x0121,
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

# What is said instead of N-ACTION and N-EVENT-REPORT (PS3.7 10.1.1.1.8 and 10.1.4.1.10)
N_STATUS: dict[type[errors.ArchiveError], int] = {
    errors.MalformedObject: INVALID_ARGUMENT_VALUE,
    errors.InvalidQuery: INVALID_ARGUMENT_VALUE,
    errors.TooManyMatches: RESOURCE_LIMITATION,
    errors.DataSetTooLong: RESOURCE_LIMITATION,
    errors.StorageFailed: PROCESSING_FAILURE,
    errors.OutOfSpace: RESOURCE_LIMITATION,
}

# Where those on performed steps, which are of DIMSE-N, have others (PS3.7 10.1.2.1.9, 10.1.3.1.9, 10.1.5.1.6)
STEP_STATUS: dict[type[errors.ArchiveError], int] = STATUS | {
    errors.MalformedObject: PROCESSING_FAILURE,
    errors.InvalidIdentifier: 0x0117,
    errors.DataSetTooLong: 0x0213,
    errors.OutOfSpace: 0x0213,
}

# Why a performed step stays as it is: Status, and the Error ID and Comment of PS3.4 Table F.7.2-2
STEP_REFUSAL: dict[errors.StepRefusal, Command] = {
    errors.StepRefusal.EXISTS: {"Status": 0x0111},
    errors.StepRefusal.FINAL: {
        "Status": PROCESSING_FAILURE,
        "ErrorID": NO_LONGER_UPDATED,
        "ErrorComment": "Performed Procedure Step Object may no longer be updated",
    },
    errors.StepRefusal.NOT_CREATED: {"Status": 0x0105},
    errors.StepRefusal.FINAL_STATE_REQUIREMENTS: {"Status": 0x0121},
}


Statuses = Mapping[type[errors.ArchiveError], int]


def status_of(error: errors.ArchiveError, statuses: Statuses = STATUS) -> int:
    """The status code of an error; of the nearest kind above it that the table names."""
    return next((statuses[kind] for kind in type(error).__mro__ if kind in statuses), PROCESSING_FAILURE)


def step_failure(error: errors.ArchiveError) -> Command:
    """The same for a request about a performed step."""
    fields = failure(error, STEP_STATUS)
    return fields | STEP_REFUSAL.get(error.reason, {}) if isinstance(error, errors.StepConflict) else fields


def failure(error: errors.ArchiveError, statuses: Statuses = STATUS) -> Command:
    """Status, Error Comment (64 characters) and Offending Element of a response (PS3.7 C.4)."""
    fields: Command = {"Status": status_of(error, statuses), "ErrorComment": str(error)[:64]}
    if error.tag is not None:
        fields["OffendingElement"] = error.tag
    return fields
