"""The archive's errors in DICOMweb: HTTP statuses, and Failure Reasons of the store transaction."""

from collections.abc import Mapping

from pacs.errors import (
    ArchiveError,
    AttributeEmpty,
    AttributeMissing,
    CannotDeidentify,
    CannotRender,
    DataSetTooLong,
    FrameNotFound,
    InstanceConflict,
    InvalidIdentifier,
    InvalidQuery,
    InvalidStep,
    MalformedObject,
    MismatchedObject,
    NotFound,
    OutOfSpace,
    PatientConflict,
    StepConflict,
    StorageFailed,
    TooManyMatches,
    UnsupportedObject,
    WorkitemConflict,
    WorkitemGone,
)

# PS3.18 8.5, 10.4.3.1, 10.5.3.1, 10.6.3.1; RFC 9110 15; RFC 4918 11.5 (507).
HTTP_STATUS: Mapping[type[ArchiveError], int] = {
    MalformedObject: 400,
    InvalidIdentifier: 400,
    MismatchedObject: 409,
    UnsupportedObject: 409,
    InstanceConflict: 409,
    PatientConflict: 409,
    InvalidQuery: 400,
    TooManyMatches: 400,
    DataSetTooLong: 413,
    InvalidStep: 400,
    AttributeMissing: 400,
    AttributeEmpty: 400,
    WorkitemConflict: 409,
    StepConflict: 409,
    NotFound: 404,
    FrameNotFound: 404,
    WorkitemGone: 410,
    CannotRender: 406,
    CannotDeidentify: 403,
    StorageFailed: 500,
    OutOfSpace: 507,
}

# What is refused whatever the archive would say (RFC 9110 15.5 and 15.6)
REFUSED: Mapping[int, str] = {
    400: "the body cannot be read as what its Content-Type says, or broke off",
    403: "deleting is not allowed here, or an event channel is opened by a page of another host",
    404: "there is nothing at this path",
    405: "the resource does not take this method; the Allow field tells which it takes",
    406: "nothing can be given as the client accepts it; the answer tells what can",
    409: "the Transaction UID was used already, or what it names has ended",
    413: "the body is longer than is taken",
    415: "the Content-Type or Content-Encoding of the body is not taken",
    416: "the Range field names no byte of it",
    500: "a defect of ours; the log says more",
    503: "too many event channels are open",
}

# Failure Reason (0008,1197): PS3.18 Table I.2-2, and PS3.7 Annex C where that table has no fitting value.
FAILURE_REASON: Mapping[type[ArchiveError], int] = {
    MalformedObject: 0xC000,  # cannot understand
    InvalidIdentifier: 0x0117,  # invalid SOP instance
    MismatchedObject: 0xA900,  # data set does not match
    UnsupportedObject: 0x0122,  # SOP class not supported
    InstanceConflict: 0x0111,  # duplicate SOP instance
    PatientConflict: 0x0106,  # invalid attribute value
    StorageFailed: 0x0110,  # processing failure
    OutOfSpace: 0xA700,  # out of resources
}

# Warning Reason (0008,1196): PS3.18 Table I.2-1. What comes is not coerced here, but the same may have been
# before, when a known system sent it. No IOD is checked.
COERCION_OF_ELEMENTS = 0xB000
ELEMENTS_DISCARDED = 0xB006

_OF_TRANSFER_SYNTAX = (0x00020010, 0x7FE00010)  # TransferSyntaxUID, PixelData
TRANSFER_SYNTAX_NOT_SUPPORTED = 0xC122


def http_status(error: ArchiveError) -> int:
    """The HTTP status of an error; 500 for one that no table knows."""
    return next((HTTP_STATUS[kind] for kind in type(error).__mro__ if kind in HTTP_STATUS), 500)


def failure_reason(error: ArchiveError) -> int:
    """The Failure Reason of an instance that was not stored; processing failure for an unknown error."""
    if isinstance(error, UnsupportedObject) and error.tag in _OF_TRANSFER_SYNTAX:
        return TRANSFER_SYNTAX_NOT_SUPPORTED
    return next((FAILURE_REASON[kind] for kind in type(error).__mro__ if kind in FAILURE_REASON), 0x0110)
