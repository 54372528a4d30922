"""Data types of HL7 v2 (chapter 2.A) as elements of DICOM JSON."""

import re
from collections.abc import Iterable

from hl7v2.message import Code, MessageRefused, Segment, Value
from pacs.model import DicomJson
from pacs.query import normal_date, normal_time

# PS3.5 Table 6.2-1: characters of a value; what is longer is cut where it is text, refused where it names
LONGEST = {"SH": 16, "LO": 64, "AE": 16, "CS": 16, "UI": 64, "PN": 64}

_NOT_OF_NAMES = str.maketrans("^=\\", "   ")
_UID = re.compile(r"[0-9.]{1,64}")
_CODE = re.compile(r"[A-Z0-9 _]{1,16}")


def element(vr: str, *values: object) -> DicomJson:
    """An element; without a value where all are empty."""
    kept = [value for value in values if value not in ("", None, {})]
    return {"vr": vr, "Value": kept} if kept else {"vr": vr}


def text(vr: str, value: str) -> DicomJson:
    """Text for people, cut to what the VR holds."""
    return element(vr, " ".join(value.replace("\\", " ").split())[: LONGEST[vr]].strip())


def name_of(vr: str, where: str, value: str) -> DicomJson:
    """What names something, and so cannot be cut. Raises MessageRefused."""
    if len(value) > LONGEST[vr] or "\\" in value or not value.isprintable():
        raise MessageRefused(
            Code.DATA_TYPE, where, f"expected {LONGEST[vr]} characters at most, no backslash"
        )
    if vr == "UI" and value and not _UID.fullmatch(value):
        raise MessageRefused(Code.DATA_TYPE, where, "expected a UID")
    if vr == "CS" and value and not _CODE.fullmatch(value):
        raise MessageRefused(Code.DATA_TYPE, where, "expected capital letters and digits")
    if vr == "AE" and not value.isascii():
        raise MessageRefused(Code.DATA_TYPE, where, "expected an AE title")
    return element(vr, value)


def patient_name(value: Value) -> DicomJson:
    """XPN: family, given, second, suffix, prefix."""
    return _person(*(value.part(number) for number in (1, 2, 3, 5, 4)))


def doctors_name(value: Value) -> DicomJson:
    """XCN: an ID, then as XPN."""
    return _person(*(value.part(number) for number in (2, 3, 4, 6, 5)))


def _person(*components: str) -> DicomJson:
    """family, given, middle, prefix, suffix (PS3.5 6.2.1.1)."""
    cleaned = (" ".join(one.translate(_NOT_OF_NAMES).split()) for one in components)
    written = "^".join(cleaned).rstrip("^")[: LONGEST["PN"]]
    return element("PN", {"Alphabetic": written} if written else "")


def date(where: str, value: str) -> DicomJson:
    """TS, of which the day. Raises MessageRefused."""
    day = value[:8]
    if day and normal_date(day) is None:
        raise MessageRefused(Code.DATA_TYPE, where, "expected YYYYMMDD")
    return element("DA", day)


def time(where: str, value: str) -> DicomJson:
    """TS, of which the time of the day; midnight where it has none. Raises MessageRefused."""
    moment = re.split(r"[+-]", value[8:], maxsplit=1)[0] or "000000"
    if normal_time(moment) is None:
        raise MessageRefused(Code.DATA_TYPE, where, "expected YYYYMMDDHHMM")
    return element("TM", moment)


def issuer(value: Value, first: int) -> DicomJson:
    """HD within EI, as PS3.3 Table 10-17 has it.  first: the component of its namespace."""
    item = {
        "00400031": element("UT", value.part(first)),
        "00400032": element("UT", value.part(first + 1)),
        "00400033": universal_id_type(value.part(first + 2)),
    }
    return with_values(item) if value.part(first) or value.part(first + 1) else {}


def universal_id_type(text: str) -> DicomJson:
    """Of HD, as DICOM writes it; without a value for what cannot be one."""
    return element("CS", text.upper() if _CODE.fullmatch(text.upper()) else "")


def codes(segment: Segment, field: int, first: int = 1) -> list[DicomJson]:
    """CE: the coded entries of a field (PS3.3 Table 8.8-1); what has no coding scheme is no code.

    first: the component with the code.
    """
    items = [_code(value, first) for value in segment.values(field)]
    return [item for item in items if item]


def _code(value: Value, first: int) -> DicomJson:
    code, meaning, scheme = (value.part(first + number) for number in range(3))
    if not code or not scheme:
        return {}
    key, vr = ("00080100", "SH") if len(code) <= LONGEST["SH"] else ("00080119", "UC")
    item = {key: element(vr, code), "00080102": text("SH", scheme), "00080104": text("LO", meaning)}
    return with_values(item)


def sequence(items: Iterable[DicomJson]) -> DicomJson:
    """A sequence of those that have anything."""
    return element("SQ", *items)


def with_values(attributes: DicomJson) -> DicomJson:
    """Those that have a value, in the order of their tags."""
    return {key: one for key, one in sorted(attributes.items()) if "Value" in one}
