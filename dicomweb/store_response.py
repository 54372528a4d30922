"""The answer to a store request (PS3.18 10.5.3 and Annex I)."""

from collections.abc import Sequence

from dicomweb.reception import Received
from dicomweb.status import failure_reason, http_status
from pacs.errors import ArchiveError
from pacs.model import DicomJson, Stored


def store_status(received: Sequence[Received]) -> int:
    """PS3.18 Table 10.5.3-1: all stored, some, or none; then what hindered most gives the status."""
    errors = [one.outcome for one in received if isinstance(one.outcome, ArchiveError)]
    if not errors:
        return 200
    return 202 if len(errors) < len(received) else max(http_status(error) for error in errors)


def store_response(received: Sequence[Received], url: str) -> DicomJson:
    """PS3.18 Table I.1-1.  url: of the service, absolute."""
    stored = [one.outcome for one in received if isinstance(one.outcome, Stored)]
    failed = [(one, one.outcome) for one in received if isinstance(one.outcome, ArchiveError)]
    named = [_failed(one, error) for one, error in failed if one.sop_instance_uid]
    others = [_reason(error) for one, error in failed if not one.sop_instance_uid]
    response = {
        "00081190": _study_url(stored, url),
        "00081198": {"vr": "SQ", "Value": named},
        "00081199": {"vr": "SQ", "Value": [_referenced(one, url) for one in stored]},
        "0008119A": {"vr": "SQ", "Value": others},
    }
    return {tag: element for tag, element in response.items() if element["vr"] != "SQ" or element["Value"]}


def _study_url(stored: Sequence[Stored], url: str) -> DicomJson:
    """Where the study is; without a value when there are several, or none."""
    studies = {one.study_instance_uid for one in stored}
    return {"vr": "UR", "Value": [f"{url}/studies/{studies.pop()}"]} if len(studies) == 1 else {"vr": "UR"}


def _referenced(one: Stored, url: str) -> DicomJson:
    path = (
        f"/studies/{one.study_instance_uid}/series/{one.series_instance_uid}/instances/{one.sop_instance_uid}"
    )
    return _reference(one.sop_class_uid, one.sop_instance_uid) | {
        "00081190": {"vr": "UR", "Value": [url + path]}
    }


def _failed(one: Received, error: ArchiveError) -> DicomJson:
    return _reference(one.sop_class_uid, one.sop_instance_uid) | _reason(error)


def _reference(sop_class_uid: str, sop_instance_uid: str) -> DicomJson:
    """PS3.3 Table 10-11."""
    return {
        "00081150": {"vr": "UI", "Value": [sop_class_uid]} if sop_class_uid else {"vr": "UI"},
        "00081155": {"vr": "UI", "Value": [sop_instance_uid]},
    }


def _reason(error: ArchiveError) -> DicomJson:
    return {"00081197": {"vr": "US", "Value": [failure_reason(error)]}}
