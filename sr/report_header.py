"""What a report says of itself outside its content (PS3.3 C.17.2), and how far it can be relied on."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sr import lenient
from sr.content_tree import Item
from sr.identifiers import issuer_system
from sr.primitives import code, date_and_time, offset

KEY_OBJECT_SELECTION = "1.2.840.10008.5.1.4.1.1.88.59"
ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"
ENCAPSULATED_CDA = "1.2.840.10008.5.1.4.1.1.104.2"

# Documents that a device writes of what it did: nobody reads them over, and they hold what was measured.
LOG_CLASSES = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.88.40",  # Procedure Log
        "1.2.840.10008.5.1.4.1.1.88.67",  # X-Ray Radiation Dose SR
        "1.2.840.10008.5.1.4.1.1.88.68",  # Radiopharmaceutical Radiation Dose SR
        "1.2.840.10008.5.1.4.1.1.88.75",  # Performed Imaging Agent Administration SR
        "1.2.840.10008.5.1.4.1.1.88.76",  # Enhanced X-Ray Radiation Dose SR
    }
)
_LOG_TITLES = frozenset({("DCM", "113701"), ("DCM", "113500")})
_MAX_EVIDENCE = 200_000


@dataclass(frozen=True, slots=True)
class Header:
    """The elements around the content.

    content_time: Content Date and Time as one DT value.  zone: offset from UTC in FHIR's form, or "".
    flags: Completion, Verification and Preliminary Flag by keyword, those that are there.
    predecessors: SOP Instance UIDs of the documents that this one replaces.
    evidence: Study Instance UIDs by the SOP Instance UIDs that the content may refer to.
    """

    sop_class_uid: str
    sop_instance_uid: str
    study_instance_uid: str
    accession_number: str
    accession_system: str
    admission_id: str
    admission_system: str
    content_time: str
    zone: str
    flags: Mapping[str, str]
    predecessors: tuple[str, ...]
    evidence: Mapping[str, str]


def read_header(dataset: lenient.Source) -> Header:
    """The header of a report; what is absent or unreadable is empty."""
    flags = ("CompletionFlag", "VerificationFlag", "PreliminaryFlag")
    return Header(
        sop_class_uid=lenient.text(dataset, "SOPClassUID"),
        sop_instance_uid=lenient.text(dataset, "SOPInstanceUID"),
        study_instance_uid=lenient.text(dataset, "StudyInstanceUID"),
        accession_number=lenient.text(dataset, "AccessionNumber"),
        accession_system=issuer_of(dataset, "IssuerOfAccessionNumberSequence"),
        admission_id=lenient.text(dataset, "AdmissionID"),
        admission_system=issuer_of(dataset, "IssuerOfAdmissionIDSequence"),
        content_time=date_and_time(
            lenient.text(dataset, "ContentDate"), lenient.text(dataset, "ContentTime")
        ),
        zone=offset(lenient.text(dataset, "TimezoneOffsetFromUTC")),
        flags={flag: text for flag in flags if (text := code(lenient.text(dataset, flag).upper()))},
        predecessors=tuple(
            uid
            for study in lenient.each(dataset, "PredecessorDocumentsSequence")
            for uid in _instances(study)
        ),
        evidence=_evidence(dataset),
    )


def issuer_of(dataset: lenient.Source, keyword: str) -> str:
    """The namespace in an item of the HL7v2 Hierarchic Designator Macro (PS3.3 10.14)."""
    issuer = lenient.first(dataset, keyword)
    keywords = ("LocalNamespaceEntityID", "UniversalEntityID", "UniversalEntityIDType")
    return issuer_system(*(lenient.text(issuer, one) for one in keywords))


def is_log(header: Header, root: Item) -> bool:
    """Whether a device wrote the document of what it did."""
    return header.sop_class_uid in LOG_CLASSES or root.key in _LOG_TITLES


def status(header: Header, root: Item) -> str:
    """The FHIR ObservationStatus of what a report holds.

    What nobody has verified is never final, but for the logs that devices write of themselves.
    """
    flags = header.flags
    if flags.get("PreliminaryFlag") == "PRELIMINARY" or flags.get("CompletionFlag") == "PARTIAL":
        return "preliminary"
    if (
        flags.get("VerificationFlag") == "VERIFIED"
        or flags.get("PreliminaryFlag") == "FINAL"
        or (flags.get("CompletionFlag") == "COMPLETE" and is_log(header, root))
    ):
        return "amended" if header.predecessors else "final"
    return "preliminary" if "CompletionFlag" in flags else "unknown"


def _evidence(dataset: lenient.Source) -> dict[str, str]:
    evidence: dict[str, str] = {}
    for keyword in ("CurrentRequestedProcedureEvidenceSequence", "PertinentOtherEvidenceSequence"):
        for study in lenient.each(dataset, keyword):
            study_uid = lenient.text(study, "StudyInstanceUID")
            for uid in _instances(study):
                if len(evidence) < _MAX_EVIDENCE:
                    evidence[uid] = study_uid
    return evidence


def _instances(study: lenient.Source) -> Iterator[str]:
    """The SOP Instance UIDs in an item of the hierarchical SOP instance reference macro (PS3.3 C.17.2.1)."""
    for series in lenient.each(study, "ReferencedSeriesSequence"):
        for instance in lenient.each(series, "ReferencedSOPSequence"):
            if uid := lenient.text(instance, "ReferencedSOPInstanceUID"):
                yield uid
