"""What the resources made of one report share."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sr import lenient
from sr.coding_schemes import CodingSchemes, read_coding_schemes
from sr.content_tree import ContentTree
from sr.identifiers import (
    accession_identifier,
    document_reference,
    encounter_reference,
    order_reference,
    study_reference,
)
from sr.lenient import Source
from sr.participants import Participant, physicians, read_participants
from sr.people import People
from sr.primitives import compact, date_and_time, date_time, is_uid, stable_id
from sr.report_header import Header, read_header, status
from sr.service_request import Order, read_orders

# One tag for each flag that a report carries, so that the flag itself is never lost in a status.
_FLAG = "urn:x-dicom:flag"


@dataclass(frozen=True, slots=True)
class Report:
    """A report, its resources' common members, and the way they are named.

    status: FHIR ObservationStatus.  patient: reference to the Patient, or "".
    studies: references for derivedFrom to the report's own study.  source: reference to the report itself.
    base: members that all its Observations have.
    people: all persons that it tells of.  participants: those, and the devices, that had a part in it.
    orders: that it fulfils.
    physicians: references to the physicians of the patient.
    recorded: the instant at which it came to be; "" when that is not known.
    """

    header: Header
    schemes: CodingSchemes
    status: str
    patient: str
    studies: tuple[dict[str, Any], ...]
    source: dict[str, Any]
    base: dict[str, Any]
    people: People
    participants: tuple[Participant, ...]
    orders: tuple[Order, ...]
    physicians: list[dict[str, Any]]
    recorded: str

    @property
    def document_id(self) -> str:
        """The id of its DocumentReference."""
        uid = self.header.sop_instance_uid
        return uid if is_uid(uid) else stable_id("document", uid)

    @property
    def devices(self) -> list[dict[str, Any]]:
        """The Devices that had a part in it, beside its equipment or the same."""
        return [one.device for one in self.participants if one.device is not None]

    def references(self, *kinds: str) -> list[dict[str, Any]]:
        """References to those who had such a part in it, each once, in the order of the kinds."""
        found = [one.who for kind in kinds for one in self.participants if one.kind == kind]
        return list({who["reference"]: who for who in found}.values())

    def resource_id(self, position: str, kind: str = "") -> str:
        """The id of what is made of the item at a position; the same whenever the report is mapped."""
        return stable_id(self.header.sop_instance_uid, position, kind)


def read_report(dataset: Source, tree: ContentTree, identity: str) -> Report:
    """The report of a data set whose content tree is read already."""
    header = read_header(dataset)
    patient = f"Patient/{identity}" if identity else ""
    studies = (study_reference(header.study_instance_uid),) if is_uid(header.study_instance_uid) else ()
    is_known = is_uid(header.sop_instance_uid)
    report_status = status(header, tree.root)
    schemes = read_coding_schemes(dataset)
    place = header.study_instance_uid or header.sop_instance_uid
    people = People(schemes, lenient.text(dataset, "InstitutionName"), place)
    participants = read_participants(dataset, people)
    orders = read_orders(dataset, header, schemes, people, patient)
    issued = date_time(header.content_time, header.zone)
    base = compact(
        {
            "meta": compact({"tag": flag_tags(header)}),
            "basedOn": order_references(orders, header, header.study_instance_uid),
            "partOf": list(studies),
            "status": report_status,
            "subject": {"reference": patient} if patient else {},
            "encounter": encounter_reference(header.admission_id, header.admission_system),
            "issued": issued if "T" in issued else "",
        }
    )
    source = document_reference(header.sop_instance_uid) if is_known else {}
    return Report(
        header,
        schemes,
        report_status,
        patient,
        studies,
        source,
        base,
        people,
        participants,
        orders,
        _physicians(dataset, people),
        _recorded(dataset, header),
    )


def flag_tags(header: Header) -> list[dict[str, str]]:
    """The flags of the document as tags."""
    return [{"system": f"{_FLAG}:{flag}", "code": value} for flag, value in header.flags.items()]


def order_references(orders: Iterable[Order], header: Header, study: str = "") -> list[dict[str, Any]]:
    """References to orders; without any, by the report's Accession Number alone.

    study: what was found belongs to the orders that were fulfilled by it (PS3.3 C.17.5); "" for all.
    """
    if study:
        orders = [order for order in orders if order.study in ("", study)]
    accession = accession_identifier(header.accession_number, header.accession_system)
    otherwise = [order_reference(accession)] if "value" in accession else []
    return [order.reference for order in orders] or otherwise


def _physicians(dataset: Source, people: People) -> list[dict[str, Any]]:
    """The referring physician and the physicians of record (PS3.3 C.7.2.1 and C.7.2.2), each once."""
    persons = (
        *physicians(dataset, "ReferringPhysicianName", "ReferringPhysicianIdentificationSequence"),
        *physicians(dataset, "PhysiciansOfRecord", "PhysiciansOfRecordIdentificationSequence"),
    )
    references = (people.refer(person) for person in persons)
    return list({one["reference"]: one for one in references if one}.values())


def _recorded(dataset: Source, header: Header) -> str:
    """The instant at which the object was made, or else its content; "" without a time zone."""
    day, clock = (lenient.text(dataset, f"InstanceCreation{part}") for part in ("Date", "Time"))
    instants = (date_time(text, header.zone) for text in (date_and_time(day, clock), header.content_time))
    return next((instant for instant in instants if "T" in instant), "")
