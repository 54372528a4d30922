"""PID, PV1 and AL1 as attributes of the worklist (IHE RAD TF-2, Table B-1)."""

from collections.abc import Iterator

from hl7v2 import values as v
from hl7v2.message import NOTHING, Code, Message, MessageRefused, Segment, Value
from pacs.model import DicomJson

# Table 0001 to PS3.3 C.7.1.1; what is unknown stays without a value
_SEX = {"M": "M", "F": "F", "O": "O", "A": "O", "N": "O"}

# Table 0203: the types of the archive's own kind of identifier, which go before a national one
_LOCAL = ("PI", "MR", "PT", "")
_PREGNANT = "B6"  # of table 0009


def patient(message: Message) -> DicomJson:
    """Who it is. Raises MessageRefused."""
    pid = message.first("PID")
    ids = [value for value in pid.values(3) if value.part(1)]
    if not ids:
        raise MessageRefused(Code.MISSING, "PID-3", "the patient has no identifier")
    own = next((one for one in ids if one.part(5) in _LOCAL), ids[0])
    if not pid.value(5):
        raise MessageRefused(Code.MISSING, "PID-5", "the patient has no name")
    return {
        "00100010": v.patient_name(pid.value(5)),
        **_identifier(own),
        "00101002": v.sequence(_other(one) for one in ids if one is not own),
        "00100030": v.date("PID-7", pid.text(7)),
        "00100040": v.element("CS", _SEX.get(pid.text(8).upper(), "")),
        "00102110": v.element("LO", *_allergies(message)),
    }


def _identifier(value: Value) -> DicomJson:
    """CX, with who issued it (PS3.3 Table 10-18)."""
    universal = {
        "00400032": v.element("UT", value.part(4, 2)),
        "00400033": v.universal_id_type(value.part(4, 3)),
    }
    return {
        "00100020": v.name_of("LO", "PID-3", value.part(1)),
        "00100021": v.text("LO", value.part(4)),
        "00100024": v.sequence([universal] if value.part(4, 2) else []),
    }


def _other(value: Value) -> DicomJson:
    return v.with_values(_identifier(value) | {"00100022": v.element("CS", "TEXT")})


def _allergies(message: Message) -> Iterator[str]:
    for segment in message:
        said = segment.text(3, 2) or segment.text(3)
        if segment.name == "AL1" and said:
            yield said.replace("\\", " ")[: v.LONGEST["LO"]]


def visit(message: Message) -> DicomJson:
    """Where the patient is, and who sends them; a message may have no PV1."""
    pv1 = next((segment for segment in message if segment.name == "PV1"), None)
    if pv1 is None:
        return {}
    place = pv1.value(3)
    number = pv1.value(19)
    return {
        "00380300": v.text("LO", " ".join(place.part(component) for component in (1, 2, 3))),
        "00080090": v.doctors_name(pv1.value(8)),
        "00380010": v.name_of("LO", "PV1-19", number.part(1)),
        "00380014": v.sequence([_authority(number)] if number.part(4) or number.part(4, 2) else []),
        "001021C0": v.element("US", *((3,) if _is_pregnant(pv1) else ())),
    }


def _authority(value: Value) -> DicomJson:
    """HD within CX: its parts are subcomponents."""
    parts = Value([[value.part(4, number)] for number in (1, 2, 3)]) if value else NOTHING
    return v.issuer(parts, 1)


def _is_pregnant(pv1: Segment) -> bool:
    return any(value.part(1) == _PREGNANT for value in pv1.values(15))
