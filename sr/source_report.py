"""What the resources made of one report share."""

from dataclasses import dataclass
from typing import Any

from sr.coding_schemes import CodingSchemes, read_coding_schemes
from sr.content_tree import ContentTree
from sr.identifiers import document_reference, order_reference, study_reference
from sr.lenient import Source
from sr.primitives import compact, date_time, is_uid, stable_id
from sr.report_header import Header, read_header, status

# One tag for each flag that a report carries, so that the flag itself is never lost in a status.
_FLAG = "urn:x-dicom:flag"


@dataclass(frozen=True, slots=True)
class Report:
    """A report, its resources' common members, and the way they are named.

    status: FHIR ObservationStatus.  patient: reference to the Patient, or "".
    studies: references for derivedFrom to the report's own study.  source: reference to the report itself.
    base: members that all its Observations have.
    """

    header: Header
    schemes: CodingSchemes
    status: str
    patient: str
    studies: tuple[dict[str, Any], ...]
    source: dict[str, Any]
    base: dict[str, Any]

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
    issued = date_time(header.content_time, header.zone)
    base = compact(
        {
            "meta": compact({"tag": flag_tags(header)}),
            "basedOn": orders(header),
            "partOf": list(studies),
            "status": report_status,
            "subject": {"reference": patient} if patient else {},
            "issued": issued if "T" in issued else "",
        }
    )
    source = document_reference(header.sop_instance_uid) if is_known else {}
    schemes = read_coding_schemes(dataset)
    return Report(header, schemes, report_status, patient, studies, source, base)


def flag_tags(header: Header) -> list[dict[str, str]]:
    """The flags of the document as tags."""
    return [{"system": f"{_FLAG}:{flag}", "code": value} for flag, value in header.flags.items()]


def orders(header: Header) -> list[dict[str, Any]]:
    """A reference to the order with the report's accession number, if it has one."""
    if not header.accession_number:
        return []
    return [order_reference(header.accession_number, header.accession_system)]
