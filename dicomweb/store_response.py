"""The answer to a store request (PS3.18 10.5.3 and Annex I)."""

from collections.abc import Sequence
from http import HTTPStatus

from dicomweb.received import Received
from dicomweb.status import COERCION_OF_ELEMENTS, ELEMENTS_DISCARDED, failure_reason, http_status
from pacs.errors import ArchiveError
from pacs.model import DicomJson, Stored
from pacs.non_patient import CATEGORY_OF

_LONG_STRING = 64  # characters of an LO (PS3.5 6.2)


def store_status(received: Sequence[Received], status_of_part: HTTPStatus = HTTPStatus.ACCEPTED) -> int:
    """PS3.18 Table 10.5.3-1: all stored, some or with warnings, or none; then what hindered most gives it.

    status_of_part: for some or with warnings.
    """
    errors = [one.outcome for one in received if isinstance(one.outcome, ArchiveError)]
    if len(errors) == len(received):
        return max(http_status(error) for error in errors)
    return status_of_part if errors or any(map(_warning, received)) else HTTPStatus.OK


def store_response(received: Sequence[Received], url: str) -> DicomJson:
    """PS3.18 Table I.1-1.  url: of the service, absolute."""
    stored = [(one, one.outcome) for one in received if isinstance(one.outcome, Stored)]
    failed = [(one, one.outcome) for one in received if isinstance(one.outcome, ArchiveError)]
    named = [_failed(one, error) for one, error in failed if one.sop_instance_uid]
    others = [_reason(error) for one, error in failed if not one.sop_instance_uid]
    response = {
        "00081190": _study_url([outcome for _, outcome in stored], url),
        "00081198": {"vr": "SQ", "Value": named},
        "00081199": {"vr": "SQ", "Value": [_referenced(*pair, url) for pair in stored]},
        "0008119A": {"vr": "SQ", "Value": others},
    }
    return {tag: element for tag, element in response.items() if element["vr"] != "SQ" or element["Value"]}


def _study_url(stored: Sequence[Stored], url: str) -> DicomJson:
    """Where the study is; without a value when there are several, or none."""
    studies = {one.study_instance_uid for one in stored if one.study_instance_uid}
    return {"vr": "UR", "Value": [f"{url}/studies/{studies.pop()}"]} if len(studies) == 1 else {"vr": "UR"}


def _referenced(received: Received, one: Stored, url: str) -> DicomJson:
    item = _reference(one.sop_class_uid, one.sop_instance_uid)
    item["00081190"] = {"vr": "UR", "Value": [url + _path(one)]}
    reason = _warning(received)
    return item | {"00081196": {"vr": "US", "Value": [reason]}} if reason else item


def _warning(received: Received) -> int:
    """The Warning Reason of what is stored; 0 for none."""
    if received.discarded:
        return ELEMENTS_DISCARDED
    outcome = received.outcome
    return COERCION_OF_ELEMENTS if isinstance(outcome, Stored) and outcome.is_coerced else 0


def _path(one: Stored) -> str:
    category = CATEGORY_OF.get(one.sop_class_uid)
    if category is not None:
        return f"/{category.npi_name}/{one.sop_instance_uid}"
    return (
        f"/studies/{one.study_instance_uid}/series/{one.series_instance_uid}/instances/{one.sop_instance_uid}"
    )


def _failed(one: Received, error: ArchiveError) -> DicomJson:
    return _reference(one.sop_class_uid, one.sop_instance_uid) | _reason(error)


def _reference(sop_class_uid: str, sop_instance_uid: str) -> DicomJson:
    """PS3.3 Table 10-11."""
    return {
        "00081150": {"vr": "UI", "Value": [sop_class_uid]} if sop_class_uid else {"vr": "UI"},
        "00081155": {"vr": "UI", "Value": [sop_instance_uid]},
    }


def _reason(error: ArchiveError) -> DicomJson:
    """The Failure Reason, with the status fields that PS3.4 Table B.2-1 has beside it (PS3.7 C.5)."""
    reason: DicomJson = {"00081197": {"vr": "US", "Value": [failure_reason(error)]}}
    comment = str(error)[:_LONG_STRING].strip()
    if http_status(error) >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return reason  # of a failure inside the archive the client learns no particulars
    if error.tag is not None:
        reason["00000901"] = {"vr": "AT", "Value": [f"{error.tag:08X}"]}
    if comment:
        reason["00000902"] = {"vr": "LO", "Value": [comment]}
    return reason
