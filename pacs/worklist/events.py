"""What subscribers are told of (PS3.4 CC.2.4), as event reports in DICOM JSON (PS3.18 11.13)."""

from typing import Any

from pacs.model import DicomJson
from pacs.worklist.attributes import UPS_PUSH

WORKLIST = "1.2.840.10008.5.1.4.34.5"  # the well-known UID of the worklist as a whole
FILTERED_WORKLIST = "1.2.840.10008.5.1.4.34.5.1"

# Event Type IDs of Table CC.2.4-1
_STATE_REPORT, _CANCEL_REQUESTED, _PROGRESS_REPORT, _SCP_STATUS_CHANGE, _ASSIGNED = range(1, 6)

_STATE, _READINESS = "00741000", "00404041"
_PROGRESS = "00741002"
_STATION_NAMES, _HUMAN_PERFORMERS = "00404025", "00404034"

# Of the item of Procedure Step Progress Information Sequence
_WHY_CANCELED = ("00741238", "0074100E")
_WHAT_PROGRESSES = ("00741004", "00741006", "00741008")

# Of a request to cancel: reason, reason code, contact URI and display name
CANCEL_INFORMATION = ("00741238", "0074100E", "0074100A", "0074100C")

# Of Subscription List Status, and of Unified Procedure Step List Status, as CC.2.4.3 spells them
_WARM, _COLD = ("WARM START", "WARM START"), ("COLD STARTED", "COLD START")

_PERFORMER_CODE, _PERFORMER_ORGANIZATION = "00404009", "00404036"


def state_report(uid: str, attributes: DicomJson) -> DicomJson:
    """UPS State Report, after a change of state or readiness, and at the beginning of a subscription."""
    reasons = _picked(_progress(attributes), _WHY_CANCELED)
    return _report(uid, _STATE_REPORT, _picked(attributes, (_STATE, _READINESS)) | reasons)


def cancel_requested(uid: str, requesting_ae: str, information: DicomJson) -> DicomJson:
    """UPS Cancel Requested. information: what the request gives of CANCEL_INFORMATION."""
    return _report(
        uid,
        _CANCEL_REQUESTED,
        {"00741236": element("AE", requesting_ae)} | _picked(information, CANCEL_INFORMATION),
    )


def restarted(kept: bool = True) -> DicomJson:
    """SCP Status Change: the service began again.  kept: with its work items and subscriptions."""
    return _scp_status("RESTARTED", kept)


def going_down() -> DicomJson:
    """SCP Status Change: the service is about to end. What it will know when it begins again is all."""
    return _scp_status("GOING DOWN")


def on_creation(uid: str, attributes: DicomJson) -> list[DicomJson]:
    """What those are told who are subscribed to a new work item from its beginning."""
    reports = [state_report(uid, attributes)]
    if any("Value" in attributes.get(key, {}) for key in (_STATION_NAMES, _HUMAN_PERFORMERS)):
        reports.append(_assigned(uid, attributes))
    return reports


def on_change(uid: str, before: DicomJson, after: DicomJson) -> list[DicomJson]:
    """What subscribers are told of a change."""
    reports = []
    if _differ(before, after, (_STATE, _READINESS)):
        reports.append(state_report(uid, after))
    if _differ(before, after, (_STATION_NAMES, _HUMAN_PERFORMERS)):
        reports.append(_assigned(uid, after))
    if _differ(_progress(before), _progress(after), _WHAT_PROGRESSES):
        reports.append(_report(uid, _PROGRESS_REPORT, _picked(after, (_PROGRESS,))))
    return reports


def element(vr: str, value: Any) -> DicomJson:
    """An element of one value."""
    return {"vr": vr, "Value": [value]}


def _scp_status(status: str, kept: bool = True) -> DicomJson:
    """The standing of both lists, of subscriptions and of work items, is of type 1."""
    subscriptions, workitems = _WARM if kept else _COLD
    standing = {
        "00741242": element("CS", status),
        "00741244": element("CS", subscriptions),
        "00741246": element("CS", workitems),
    }
    return _report(WORKLIST, _SCP_STATUS_CHANGE, standing)


def _assigned(uid: str, attributes: DicomJson) -> DicomJson:
    """UPS Assigned. The table wants code and organization of the performer, CC.2.4.3 the whole sequence."""
    first = _first_item(attributes, _HUMAN_PERFORMERS)
    told = _picked(attributes, (_STATION_NAMES, _HUMAN_PERFORMERS))
    return _report(uid, _ASSIGNED, told | _picked(first, (_PERFORMER_CODE, _PERFORMER_ORGANIZATION)))


def _report(uid: str, event_type: int, information: DicomJson) -> DicomJson:
    """PS3.7 Table 10.3-1; the Message ID is given when it is sent."""
    command = {
        "00000002": element("UI", UPS_PUSH),
        "00001000": element("UI", uid),
        "00001002": element("US", event_type),
    }
    return command | dict(sorted(information.items()))


def _progress(attributes: DicomJson) -> DicomJson:
    return _first_item(attributes, _PROGRESS)


def _first_item(attributes: DicomJson, key: str) -> DicomJson:
    """The first item of a sequence; empty when there is none."""
    item: DicomJson = next(iter(attributes.get(key, {}).get("Value", ())), {})
    return item


def _picked(attributes: DicomJson, keys: tuple[str, ...]) -> DicomJson:
    return {key: attributes[key] for key in keys if key in attributes}


def _differ(before: DicomJson, after: DicomJson, keys: tuple[str, ...]) -> bool:
    return _picked(before, keys) != _picked(after, keys)
