"""Status codes of DIMSE (PS3.7 Annex C), and those that service classes of PS3.4 add."""

from collections.abc import Mapping

from pacs import errors
from pacs.dimse.command import Command

SUCCESS = 0x0000
ATTRIBUTES_NOT_SUPPORTED = 0x0001
NO_SUCH_ATTRIBUTE = 0x0105
INVALID_ATTRIBUTE_VALUE = 0x0106
ATTRIBUTE_LIST_ERROR = 0x0107
PROCESSING_FAILURE = 0x0110
DUPLICATE_INSTANCE = 0x0111
NO_SUCH_INSTANCE = 0x0112
NO_SUCH_EVENT_TYPE = 0x0113
INVALID_ARGUMENT_VALUE = 0x0115
ATTRIBUTE_VALUE_OUT_OF_RANGE = 0x0116
INVALID_INSTANCE = 0x0117
NO_SUCH_SOP_CLASS = 0x0118
MISSING_ATTRIBUTE = 0x0120
MISSING_ATTRIBUTE_VALUE = 0x0121
SOP_CLASS_NOT_SUPPORTED = 0x0122
NO_SUCH_ACTION = 0x0123
NOT_AUTHORIZED = 0x0124
UNRECOGNIZED_OPERATION = 0x0211
RESOURCE_LIMITATION = 0x0213
OUT_OF_RESOURCES = 0xA700
CANNOT_CALCULATE_MATCHES = 0xA701
UNABLE_TO_PERFORM_SUBOPERATIONS = 0xA702
MOVE_DESTINATION_UNKNOWN = 0xA801
DOES_NOT_MATCH_SOP_CLASS = 0xA900
SUBOPERATIONS_WITH_FAILURES = COERCION_OF_ELEMENTS = 0xB000  # as C-GET and C-MOVE mean it, and C-STORE
CANNOT_UNDERSTAND = 0xC000
IDENTIFIER_MISSING, OTHER_PATIENT = 0xC001, 0xC002  # which of them we choose within 'cannot understand'
TRANSFER_SYNTAX_NOT_SUPPORTED = 0xC122  # PS3.18 Table I.2-2
CANCEL = 0xFE00
PENDING = 0xFF00
PENDING_WITHOUT_OPTIONAL_KEYS = 0xFF01

# PS3.7 Annex C; PS3.4 Tables C.4-1, C.4-2 and C.4-3: what the standard calls them
MEANINGS: Mapping[int, str] = {
    SUCCESS: "Success",
    ATTRIBUTES_NOT_SUPPORTED: "Requested optional Attributes are not supported",
    NO_SUCH_ATTRIBUTE: "No such Attribute",
    INVALID_ATTRIBUTE_VALUE: "Invalid Attribute Value",
    ATTRIBUTE_LIST_ERROR: "Attribute List Error",
    PROCESSING_FAILURE: "Processing failure",
    DUPLICATE_INSTANCE: "Duplicate SOP Instance",
    NO_SUCH_INSTANCE: "No such SOP Instance",
    NO_SUCH_EVENT_TYPE: "No such event type",
    INVALID_ARGUMENT_VALUE: "Invalid argument value",
    ATTRIBUTE_VALUE_OUT_OF_RANGE: "Attribute Value out of range",
    INVALID_INSTANCE: "Invalid SOP Instance",
    NO_SUCH_SOP_CLASS: "No such SOP Class",
    MISSING_ATTRIBUTE: "Missing Attribute",
    MISSING_ATTRIBUTE_VALUE: "Missing Attribute Value",
    SOP_CLASS_NOT_SUPPORTED: "SOP Class not supported",
    NO_SUCH_ACTION: "No such Action",
    NOT_AUTHORIZED: "Not authorized",
    UNRECOGNIZED_OPERATION: "Unrecognized operation",
    RESOURCE_LIMITATION: "Resource limitation",
    OUT_OF_RESOURCES: "Out of resources",
    CANNOT_CALCULATE_MATCHES: "Out of resources: unable to calculate number of matches",
    UNABLE_TO_PERFORM_SUBOPERATIONS: "Out of resources: unable to perform sub-operations",
    MOVE_DESTINATION_UNKNOWN: "Move Destination unknown",
    DOES_NOT_MATCH_SOP_CLASS: "Identifier does not match SOP Class",
    SUBOPERATIONS_WITH_FAILURES: "Sub-operations complete: one or more failures or warnings",
    CANNOT_UNDERSTAND: "Unable to process",
    IDENTIFIER_MISSING: "Cannot understand",
    OTHER_PATIENT: "Cannot understand",
    TRANSFER_SYNTAX_NOT_SUPPORTED: "Referenced Transfer Syntax not supported",
    CANCEL: "Canceled",
    PENDING: "Pending",
    PENDING_WITHOUT_OPTIONAL_KEYS: "Pending: one or more Optional Keys were not supported",
}

# PS3.4 Table B.2-1: what it calls those that have another name elsewhere
OF_STORAGE: Mapping[int, str] = {
    COERCION_OF_ELEMENTS: "Coercion of Data Elements",
    DOES_NOT_MATCH_SOP_CLASS: "Data Set does not match SOP Class",
    CANNOT_UNDERSTAND: "Cannot understand",
}

# PS3.7 C.4: what is done, but not wholly as it was asked
_WARNINGS = (ATTRIBUTES_NOT_SUPPORTED, ATTRIBUTE_LIST_ERROR, ATTRIBUTE_VALUE_OUT_OF_RANGE)

# Error ID of PS3.4 Table F.7.2-2
NO_LONGER_UPDATED = 0xA710

Statuses = Mapping[type[errors.ArchiveError], int]

# The errors of composite objects (DIMSE-C); each service answers those of them that it can meet
STATUS: Statuses = {
    errors.MalformedObject: CANNOT_UNDERSTAND,
    errors.InvalidIdentifier: IDENTIFIER_MISSING,
    errors.MismatchedObject: DOES_NOT_MATCH_SOP_CLASS,
    errors.UnsupportedObject: SOP_CLASS_NOT_SUPPORTED,
    errors.InstanceConflict: DUPLICATE_INSTANCE,
    errors.PatientConflict: OTHER_PATIENT,
    errors.InvalidQuery: DOES_NOT_MATCH_SOP_CLASS,
    errors.TooManyMatches: CANNOT_CALCULATE_MATCHES,
    errors.DataSetTooLong: DOES_NOT_MATCH_SOP_CLASS,
    errors.InvalidStep: INVALID_ATTRIBUTE_VALUE,
    errors.AttributeMissing: MISSING_ATTRIBUTE,
    errors.AttributeEmpty: MISSING_ATTRIBUTE_VALUE,
    errors.WorkitemConflict: PROCESSING_FAILURE,
    errors.StepConflict: PROCESSING_FAILURE,
    errors.NotFound: NO_SUCH_INSTANCE,
    errors.FrameNotFound: NO_SUCH_INSTANCE,
    errors.WorkitemGone: NO_SUCH_INSTANCE,
    errors.CannotRender: PROCESSING_FAILURE,
    errors.CannotDeidentify: PROCESSING_FAILURE,
    errors.StorageFailed: PROCESSING_FAILURE,
    errors.OutOfSpace: OUT_OF_RESOURCES,
}

# Why a performed step stays as it is: Status, and the Error ID and Comment of PS3.4 Table F.7.2-2
STEP_REFUSAL: Mapping[errors.StepRefusal, Command] = {
    errors.StepRefusal.EXISTS: {"Status": DUPLICATE_INSTANCE},
    errors.StepRefusal.FINAL: {
        "Status": PROCESSING_FAILURE,
        "ErrorID": NO_LONGER_UPDATED,
        "ErrorComment": "Performed Procedure Step Object may no longer be updated",
    },
    errors.StepRefusal.NOT_CREATED: {"Status": NO_SUCH_ATTRIBUTE},
    errors.StepRefusal.FINAL_STATE_REQUIREMENTS: {"Status": MISSING_ATTRIBUTE_VALUE},
}


def status_of(error: errors.ArchiveError, statuses: Statuses = STATUS) -> int:
    """The status code of an error; of the nearest kind above it that the table names."""
    return next((statuses[kind] for kind in type(error).__mro__ if kind in statuses), PROCESSING_FAILURE)


def is_pending(status: int) -> bool:
    """Whether other responses follow."""
    return status in (PENDING, PENDING_WITHOUT_OPTIONAL_KEYS)


def class_of(status: int) -> str:
    """The class of a status (PS3.7 C.1 to C.5)."""
    if is_pending(status):
        return "Pending"
    if status in (SUCCESS, CANCEL):
        return "Success" if status == SUCCESS else "Cancel"
    is_warning = status in _WARNINGS or status & 0xF000 == SUBOPERATIONS_WITH_FAILURES
    return "Warning" if is_warning else "Failure"
