"""What a canceled work item tells of its cancellation (PS3.4 Table CC.2.5-3, Progress Information)."""

from pydicom.sr.codedict import codes

from pacs.model import DicomJson

_PROGRESS = "00741002"
_CANCELLATION_DATE_TIME = "00404052"
_REASON, _REASON_CODE = "00741238", "0074100E"

# PS3.16 CID 9300, for whoever gives no reason
_UNSPECIFIED = codes.DCM.DiscontinuedForUnspecifiedReason
_UNSPECIFIED_REASON: DicomJson = {
    "vr": "SQ",
    "Value": [
        {
            "00080100": {"vr": "SH", "Value": [_UNSPECIFIED.value]},
            "00080102": {"vr": "SH", "Value": [_UNSPECIFIED.scheme_designator]},
            "00080104": {"vr": "LO", "Value": [_UNSPECIFIED.meaning]},
        }
    ],
}


def with_cancellation_time(attributes: DicomJson, now: DicomJson) -> DicomJson:
    """The attributes with the time of cancellation, unless the performer gave it."""
    item = _progress(attributes)
    if "Value" in item.get(_CANCELLATION_DATE_TIME, {}):
        return attributes
    return _with_progress(attributes, item | {_CANCELLATION_DATE_TIME: now})


def with_cancellation(attributes: DicomJson, information: DicomJson, now: DicomJson) -> DicomJson:
    """The attributes with time and reason of a cancellation that was asked for."""
    why = {_CANCELLATION_DATE_TIME: now, _REASON_CODE: _UNSPECIFIED_REASON}
    why |= {key: information[key] for key in (_REASON, _REASON_CODE) if "Value" in information.get(key, {})}
    return _with_progress(attributes, _progress(attributes) | why)


def _progress(attributes: DicomJson) -> DicomJson:
    item: DicomJson = next(iter(attributes.get(_PROGRESS, {}).get("Value", ())), {})
    return item


def _with_progress(attributes: DicomJson, item: DicomJson) -> DicomJson:
    return attributes | {_PROGRESS: {"vr": "SQ", "Value": [dict(sorted(item.items()))]}}
