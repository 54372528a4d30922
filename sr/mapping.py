"""The door of this package: a structured report in, FHIR R4 resources out."""

from dataclasses import dataclass
from typing import Any

from sr.content_tree import Item, Problem
from sr.context import Context
from sr.device import device
from sr.diagnostic_report import diagnostic_report
from sr.document import descriptions, document
from sr.encapsulated import MEDIA_TYPES, attachment
from sr.ledger import Unmapped
from sr.lenient import Source
from sr.manifest import read_manifest
from sr.manifest_document import manifest_documents
from sr.observers import MOST, observed_by
from sr.participants import AUTHOR, VERIFIER
from sr.provenance import provenance
from sr.read_content import read_content
from sr.report_header import KEY_OBJECT_SELECTION
from sr.roles import PLANS
from sr.source_report import Report, read_report
from sr.templates import CONTAINERS, DOCUMENTS, generic
from sr.walker import Walker

# PS3.4 Table B.5-1 and B.6-1: storage classes whose content is a tree of content items.
REPORT_CLASSES = frozenset(
    f"1.2.840.10008.5.1.4.1.1.88.{number}"
    for number in (
        *(1, 2, 3, 4),  # trial classes, retired
        11,  # Basic Text SR
        22,  # Enhanced SR
        33,  # Comprehensive SR
        34,  # Comprehensive 3D SR
        35,  # Extensible SR
        40,  # Procedure Log
        50,  # Mammography CAD SR
        59,  # Key Object Selection Document
        65,  # Chest CAD SR
        67,  # X-Ray Radiation Dose SR
        68,  # Radiopharmaceutical Radiation Dose SR
        69,  # Colon CAD SR
        70,  # Implantation Plan SR
        71,  # Acquisition Context SR
        72,  # Simplified Adult Echo SR
        73,  # Patient Radiation Dose SR
        74,  # Planned Imaging Agent Administration SR
        75,  # Performed Imaging Agent Administration SR
        76,  # Enhanced X-Ray Radiation Dose SR
        77,  # Waveform Annotation SR
    )
)

_PLAN = "a plan is told as a document; nothing of it was found or done"

# What is a document alone: by class, the reason why its content becomes nothing.
DOCUMENTS_ALONE = {
    KEY_OBJECT_SELECTION: "a key object selection is told as a document; it holds no findings",
    "1.2.840.10008.5.1.4.1.1.88.70": _PLAN,  # Implantation Plan SR
    "1.2.840.10008.5.1.4.1.1.88.74": _PLAN,  # Planned Imaging Agent Administration SR
}


@dataclass(frozen=True, slots=True)
class Mapped:
    """What a report became.

    resources: the report's DocumentReference first; they may share parts, so none may be changed in place.
    unmapped: the items whose values are in none of them.
    problems: where the report breaks the standard.
    """

    resources: tuple[dict[str, Any], ...]
    unmapped: tuple[Unmapped, ...]
    problems: tuple[Problem, ...]


def is_report(sop_class_uid: str) -> bool:
    """Whether objects of this class can be mapped: structured reports, key object selections, documents."""
    return sop_class_uid in REPORT_CLASSES or sop_class_uid in MEDIA_TYPES


def map_report(dataset: Source, identity: str, with_events: bool = False, size: int = 0) -> Mapped:
    """The FHIR resources of a report. Mapping it again gives the same resources with the same ids.

    with_events: whether the irradiation events of dose reports are told one by one, beside their totals.
    identity: of its patient, from which the Patient's id is made; "" leaves out references to the patient.
    size: bytes of the whole object; 0 when it is not known.
    Never raises, whatever the data set holds.
    """
    tree = read_content(dataset)
    report = read_report(dataset, tree, identity)
    walker = Walker(report, tree.root, CONTAINERS, generic.container, with_events)
    equipment = device(dataset)
    made_by = walker.emit(equipment) if equipment is not None else ""
    observers = _observers(report, tree.root)
    sop_class = report.header.sop_class_uid
    is_document = sop_class in MEDIA_TYPES  # what stands in it, is for its readers
    told = attachment(dataset, sop_class) if is_document else ({"size": size} if size else {})
    source = document(report, tree.root, made_by, told)
    results: list[str] = []
    if alone := DOCUMENTS_ALONE.get(sop_class, _PLAN if tree.root.key in PLANS else ""):
        walker.ledger.pass_over(tree.root, alone)
        walker.ledger.tell(descriptions(tree.root), f"DocumentReference/{source['id']}")
        if (manifest := read_manifest(dataset, tree.root, report, identity)) is not None:
            source, made = manifest_documents(source, manifest, report.schemes)
            walker.emit(made)
            walker.ledger.tell(manifest.library.items, walker.emit(manifest.bundle))
    elif not is_document:
        results = _findings(walker, tree.root, made_by, observers)
    origin = provenance(report, observers, made_by, results)
    around = [*report.devices, *report.people.resources, *(order.request for order in report.orders)]
    for resource in (*around, *([origin] if origin is not None else [])):
        walker.emit(resource)
    resources = (source, *walker.finish())
    if is_document:
        return Mapped(resources, (), ())
    return Mapped(resources, walker.ledger.unmapped(tree), tree.problems)


def _findings(walker: Walker, root: Item, made_by: str, observers: list[dict[str, Any]]) -> list[str]:
    """References of the DiagnosticReport, if there is one, and of the outermost Observations."""
    context = Context(device=made_by, performers=tuple(observers))
    results = DOCUMENTS.get(root.key, generic.document)(walker, root, context)
    whole = diagnostic_report(walker.report, root, observers, results)
    return [walker.emit(whole), *results] if whole is not None else results


def _observers(report: Report, root: Item) -> list[dict[str, Any]]:
    """The persons who observed all that a report tells: as its content says, or else its header (C.17.5)."""
    in_header = report.references(AUTHOR) or report.references(VERIFIER)
    persons = [one for one in in_header if one.get("type") == "Practitioner"]
    return observed_by(root, report.people) or persons[:MOST]
