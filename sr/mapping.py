"""The door of this package: a structured report in, FHIR R4 resources out."""

from dataclasses import dataclass
from typing import Any

from sr.content_tree import Problem
from sr.context import Context
from sr.device import device
from sr.diagnostic_report import diagnostic_report
from sr.document import descriptions, document
from sr.ledger import Unmapped
from sr.lenient import Source
from sr.manifest import read_manifest
from sr.manifest_document import manifest_documents
from sr.read_content import read_content
from sr.report_header import KEY_OBJECT_SELECTION
from sr.source_report import read_report
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

_SELECTION = "a key object selection is told as a document; it holds no findings"


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
    """Whether objects of this class can be mapped: structured reports and key object selections."""
    return sop_class_uid in REPORT_CLASSES


def map_report(dataset: Source, identity: str, with_events: bool = False) -> Mapped:
    """The FHIR resources of a report. Mapping it again gives the same resources with the same ids.

    with_events: whether the irradiation events of dose reports are told one by one, beside their totals.
    identity: of its patient, from which the Patient's id is made; "" leaves out references to the patient.
    Never raises, whatever the data set holds.
    """
    tree = read_content(dataset)
    report = read_report(dataset, tree, identity)
    walker = Walker(report, tree.root, CONTAINERS, generic.container, with_events)
    equipment = device(dataset)
    made_by = walker.emit(equipment) if equipment is not None else ""
    source = document(report, tree.root, made_by)
    if report.header.sop_class_uid == KEY_OBJECT_SELECTION:
        walker.ledger.pass_over(tree.root, _SELECTION)
        walker.ledger.tell(descriptions(tree.root), f"DocumentReference/{source['id']}")
        if (manifest := read_manifest(dataset, tree.root, report, identity)) is not None:
            source, made = manifest_documents(source, manifest, report.schemes)
            walker.emit(made)
            walker.ledger.tell(manifest.library.items, walker.emit(manifest.bundle))
    else:
        title = tree.root.concept.key if tree.root.concept is not None else ("", "")
        results = DOCUMENTS.get(title, generic.document)(walker, tree.root, Context(device=made_by))
        whole = diagnostic_report(report, tree.root, results)
        if whole is not None:
            walker.emit(whole)
    return Mapped((source, *walker.finish()), walker.ledger.unmapped(tree), tree.problems)
