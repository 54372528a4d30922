"""ORM^O01 and OMI^O23 as ordered steps (IHE RAD-4, RAD TF-2 Table B-1; HL7 v2.3.1 and v2.5.1 chapter 4)."""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from hl7v2 import values as v
from hl7v2.message import NOTHING, Code, Message, MessageRefused, Segment, Value, first
from hl7v2.patient import patient, visit
from pacs.model import DicomJson
from pacs.procedure_steps.orders import Control, OrderedStep
from pacs.procedure_steps.scheduled import COMPLETED, DISCONTINUED, SCHEDULED, STARTED

MESSAGE_TYPES = (("ORM", "O01"), ("OMI", "O23"))

# Table 0119, what an order filler tells an archive by it, with the status that it brings
CONTROLS: dict[str, tuple[Control, str]] = {
    "NW": (Control.NEW, ""),
    "XO": (Control.CHANGE, ""),
    "CA": (Control.CANCEL, ""),
    "DC": (Control.STATUS, DISCONTINUED),
    "SC": (Control.STATUS, ""),  # that of ORC-5
}

# Table 0038
STATUSES = {
    "SC": SCHEDULED,
    "IP": STARTED,
    "A": STARTED,
    "CM": COMPLETED,
    "DC": DISCONTINUED,
    "CA": DISCONTINUED,
}

# The priority of TQ and TQ1-9 (table 0485) to PS3.3 C.4.11
PRIORITIES = {"S": "STAT", "A": "HIGH", "P": "HIGH", "C": "HIGH", "T": "MEDIUM", "R": "ROUTINE"}


class Group(NamedTuple):
    """An order within a message: its segments, and those of one of its steps.

    ipc: None in ORM.  zds: with the study, None in OMI.
    """

    orc: Segment
    obr: Segment
    tq1: Segment | None
    ipc: Segment | None
    zds: Segment | None


def steps_of(message: Message) -> list[OrderedStep]:
    """The steps that a message orders. Raises MessageRefused."""
    kind = message.header.text(9), message.header.text(9, 2)
    if kind not in MESSAGE_TYPES:
        raise MessageRefused(Code.MESSAGE_TYPE, "MSH-9", "this takes ORM^O01 and OMI^O23")
    about = v.with_values(patient(message) | visit(message))
    steps = [_step(group, about) for group in _groups(message)]
    orders = Counter((step.placer, step.filler) for step in steps)
    for step in steps:
        if not step.step_id and orders[step.placer, step.filler] > 1:
            why = "an order of several steps names each"
            raise MessageRefused(Code.MISSING, "IPC-4" if kind[0] == "OMI" else "OBR-20", why)
    return steps


def _groups(message: Message) -> Iterator[Group]:
    """Each step: ORC [TQ1] OBR {IPC}, or ORC OBR with the ZDS that follows."""
    begins = [number for number, segment in enumerate(message) if segment.name == "ORC"]
    if not begins:
        raise MessageRefused(Code.SEQUENCE, "ORC", "the segment is missing")
    study = next((segment for segment in message if segment.name == "ZDS"), None)
    for begin, end in zip(begins, [*begins[1:], len(message.segments)], strict=True):
        own = message.segments[begin:end]
        by_name = {segment.name: segment for segment in reversed(own)}
        obr = first(own, "OBR")
        controls: list[Segment | None] = [one for one in own if one.name == "IPC"]
        for ipc in controls or [None]:
            yield Group(own[0], obr, by_name.get("TQ1"), ipc, by_name.get("ZDS", study))


def _step(group: Group, about: DicomJson) -> OrderedStep:
    orc, obr = group.orc, group.obr
    control, status = _control(orc)
    placer, filler = (orc.value(field) or obr.value(field) for field in (2, 3))
    study, step_id = _names(group)
    if not (placer or filler or (study and step_id)):
        raise MessageRefused(Code.MISSING, "ORC-2", "the order has no number")
    attributes = about
    if control in (Control.NEW, Control.CHANGE):
        attributes = v.with_values(about | _request(group, placer, filler) | _scheduled(group))
    return OrderedStep(control, study, step_id, placer.part(1), filler.part(1), attributes, status)


def _control(orc: Segment) -> tuple[Control, str]:
    code = orc.text(1)
    if code not in CONTROLS:
        raise MessageRefused(Code.NOT_IN_TABLE, "ORC-1", f"this takes {', '.join(CONTROLS)}")
    control, status = CONTROLS[code]
    if code == "SC":
        if orc.text(5) not in STATUSES:
            raise MessageRefused(Code.NOT_IN_TABLE, "ORC-5", f"this takes {', '.join(STATUSES)}")
        status = STATUSES[orc.text(5)]
    return control, status


def _names(group: Group) -> tuple[str, str]:
    """Study Instance UID and Scheduled Procedure Step ID, empty where they are not there."""
    if group.ipc is not None:
        study, step_id, at = group.ipc.text(3), group.ipc.text(4), ("IPC-3", "IPC-4")
    else:
        study = group.zds.text(1) if group.zds is not None else ""
        step_id, at = group.obr.text(20), ("ZDS-1", "OBR-20")
    v.name_of("UI", at[0], study)
    v.name_of("SH", at[1], step_id)
    return study, step_id


def _request(group: Group, placer: Value, filler: Value) -> DicomJson:
    """The imaging service request and the requested procedure."""
    orc, obr, ipc = group.orc, group.obr, group.ipc
    accession = ipc.value(1) if ipc is not None else obr.value(18)
    procedure, at = (ipc.text(2), "IPC-2") if ipc is not None else (obr.text(19), "OBR-19")
    coded = 44 if obr.value(44) else 4
    described = obr.text(coded, 2) or obr.text(coded)
    if not described:
        raise MessageRefused(Code.MISSING, "OBR-4", "it does not say what is to be done")
    priority = group.tq1.text(9) if group.tq1 is not None else orc.text(7, 6) or obr.text(27, 6)
    return {
        "00080050": v.name_of("SH", "IPC-1" if ipc is not None else "OBR-18", accession.part(1)),
        "00080051": v.sequence([v.issuer(accession, 2)]),
        "00402016": v.name_of("LO", "ORC-2", placer.part(1)),
        "00400026": v.sequence([v.issuer(placer, 2)]),
        "00402017": v.name_of("LO", "ORC-3", filler.part(1)),
        "00400027": v.sequence([v.issuer(filler, 2)]),
        "00401001": v.name_of("SH", at, procedure),
        "00321060": v.text("LO", described),
        "00321064": v.sequence(v.codes(obr, coded)[:1]),
        "00401003": v.element("SH", PRIORITIES.get(priority, "")),
        "00401002": v.text("LO", obr.text(31, 2) or obr.text(31)),
        "00401004": v.text("LO", obr.text(30)),
        "00380500": v.text("LO", obr.text(12, 2) or obr.text(12)),
        "00102000": v.text("LO", obr.text(13)),
        "00321032": v.doctors_name(obr.value(16) or orc.value(12)),
    }


def _scheduled(group: Group) -> DicomJson:
    """The item of the Scheduled Procedure Step Sequence, and what of the names the order has."""
    obr, ipc = group.obr, group.ipc
    study, step_id = _names(group)
    modality, at = (ipc.text(5), "IPC-5") if ipc is not None else (obr.text(24), "OBR-24")
    if not modality:
        raise MessageRefused(Code.MISSING, at, "the modality is missing")
    protocol = v.codes(ipc, 6) if ipc is not None else v.codes(obr, 4, first=4)
    told = ipc.text(6, 2) if ipc is not None else obr.text(4, 5)
    technician = obr.value(34)
    item = {
        "00400001": _station(group, modality),
        **_start(group),
        "00080060": v.name_of("CS", at, modality),
        "00400006": v.doctors_name(Value([[""], *_name_parts(technician)]) if technician else NOTHING),
        "00400007": v.text("LO", told or obr.text(4, 2) or obr.text(4)),
        "00400008": v.sequence(protocol),
        "00400009": v.element("SH", step_id),
        "00400010": v.text("SH", ipc.text(7) if ipc is not None else ""),
        "00400011": v.text("SH", (ipc.text(8, 2) or ipc.text(8)) if ipc is not None else ""),
    }
    return {"00400100": v.sequence([v.with_values(item)]), "0020000D": v.element("UI", study)}


def _station(group: Group, modality: str) -> DicomJson:
    """Whose worklist it is on. Where the order names no station, any of its modality, by that name."""
    if group.ipc is not None:
        return v.name_of("AE", "IPC-9", group.ipc.text(9) or modality)
    return v.name_of("AE", "OBR-21", group.obr.text(21) or modality)


def _start(group: Group) -> DicomJson:
    """When: TQ1-7, else component 4 of Quantity/Timing, else OBR-36."""
    start, where = group.tq1.text(7) if group.tq1 is not None else "", "TQ1-7"
    if not start:
        start, where = group.orc.text(7, 4) or group.obr.text(27, 4), "ORC-7"
    if not start:
        start, where = group.obr.text(36), "OBR-36"
    if not start:
        missing = "TQ1-7" if group.ipc is not None else "ORC-7"
        raise MessageRefused(Code.MISSING, missing, "it does not say when it is to be done")
    return {"00400002": v.date(where, start), "00400003": v.time(where, start)}


def _name_parts(technician: Value) -> list[list[str]]:
    """NDL: the name is the first component, its parts (an ID, then a name) are subcomponents; or XCN."""
    if technician.part(1, 2):
        return [[technician.part(1, number)] for number in range(2, 7)]
    return [[technician.part(number)] for number in range(2, 7)]
