"""Annexes A.A, A.B, A.D and A.E: what instances that we make hold, and what attributes become."""

from collections.abc import Iterator, Mapping

from pydicom.uid import UID

from diafana.conformance.markdown import listed, paragraph, size, table
from diafana.conformance.other_services import directory_records
from diafana.conformance.sections import link
from diafana.conformance.template import Content
from hl7v2.message import Code
from hl7v2.mllp import Limits
from hl7v2.order import CONTROLS, MESSAGE_TYPES, PRIORITIES, STATUSES
from sr.coding_schemes import NAMED
from sr.writing.of_study import KEYWORDS
from sr.writing.report import MANUFACTURER, SERIES_DESCRIPTION, SERIES_NUMBER, TEMPLATE_ID, WRITTEN_CLASS


def _common() -> Iterator[str]:
    yield paragraph(
        f"What is stored is given out as it came, but for coercion ({link('5.2.5.2', 'storage')}). "
        "Instances are made of what is posted as FHIR Observations. They have of the study that they are "
        f"written for, as any object of it has it: {listed(KEYWORDS)}."
    )


def _no_private() -> Iterator[str]:
    yield paragraph("No private attributes are written.")


def _report() -> Iterator[str]:
    yield paragraph(
        f"{UID(WRITTEN_CLASS).name} ({WRITTEN_CLASS}), a standard SOP class. One report of each "
        "measurement, or group of them, that is posted."
    )
    yield from table(
        ("Module", "Attribute", "Value"),
        (
            ("SR Document Series", "SeriesDescription", SERIES_DESCRIPTION),
            ("", "SeriesNumber", str(SERIES_NUMBER)),
            ("", "SeriesInstanceUID", "one of each study and day"),
            ("General Equipment", "Manufacturer, ManufacturerModelName", MANUFACTURER),
            ("", "SoftwareVersions", "the version"),
            ("SR Document General", "CompletionFlag", "COMPLETE"),
            ("", "VerificationFlag", "UNVERIFIED"),
            ("", "PreliminaryFlag", "FINAL where the Observation is final, else PRELIMINARY"),
            (
                "",
                "CurrentRequestedProcedureEvidenceSequence",
                "the images that the selections refer to; absent without",
            ),
            ("SR Document Content", "ContentSequence", f"TID {TEMPLATE_ID} ({link('A.B.1', 'encoding')})"),
        ),
    )


def _encoding() -> Iterator[str]:
    yield paragraph(
        "An Imaging Measurement Report with one measurement group. The observer is the person who is "
        "named, or else this software as a device. How the content of reports that are read becomes FHIR: "
        "[sr-to-fhir.md](sr-to-fhir.md)."
    )


def _code_sets() -> Iterator[str]:
    yield paragraph("Measurements, units, sites and methods are the codes of what was posted.")


def _steps() -> Iterator[str]:
    yield paragraph(
        "This is no modality: it makes no MPPS of its own. What it is told is passed on as it came "
        f"({link('5.2.2.1', 'MPPS as SCU')})."
    )


def _orders() -> Iterator[str]:
    yield paragraph(
        "Where `hl7_port` is set, and by `diafana hl7 FILE`: "
        f"{listed('^'.join(one) for one in MESSAGE_TYPES)} of version 2.3.1 to 2.8, framed by MLLP, "
        f"{size(Limits().frame)} at most, one after the other on a connection. All of a message is done, "
        "durably, or nothing; then the acknowledgement comes, AA, AE or AR, with ERR and in MSA-3 the "
        "field that is wrong and why. The same message again changes nothing. A message for another "
        "patient than the step is of is refused, and so are XO, CA, DC and SC of a step that is not "
        "known. A step without study or step ID (ZDS-1, IPC-3; OBR-20, IPC-4) is known by its order's "
        "numbers. Which field becomes what is that of IHE RAD TF-2, Table B-1:"
    )
    yield paragraph(
        "PID-3 (the first of type PI, MR, PT or none; all others are other patient IDs, such as a codice "
        "fiscale), 5, 7, 8; PV1-3, 8, 15 (B6: pregnant), 19; AL1-3; ORC-1, 2, 3, 5, 7.4 (start), 7.6 "
        "(priority), 12; OBR-2, 3, 4.1 to 3 (procedure), 4.4 to 6 (protocol), 12, 13, 16, 18 (accession), "
        "19 (requested procedure ID), 20 (step ID), 21 (station AE title), 24 (modality), 27, 30, 31, 34, "
        "36, 44; ZDS-1; TQ1-7, 9; IPC-1 to 9. A step whose order names no station has its modality for "
        "its station AE title."
    )
    yield from table(
        ("ORC-1", "the step"),
        ((code, f"{control.value} {status}".strip()) for code, (control, status) in CONTROLS.items()),
    )
    yield from table(("ORC-5, of SC", "Scheduled Procedure Step Status"), STATUSES.items())
    yield from table(("priority", "Requested Procedure Priority"), PRIORITIES.items())
    yield from table(
        ("ERR-3", "text"), ((str(number), text) for number, text in (code.value for code in Code))
    )


def _codes() -> Iterator[str]:
    yield paragraph(
        "Codes are kept, and given, as they are sent. These coding schemes have a system in FHIR:"
    )
    yield from table(
        ("Coding Scheme Designator", "system"), ((name, f"`{uri}`") for name, uri in NAMED.items())
    )


SECTIONS: Mapping[str, Content] = {
    "A.A.1.1": _common,
    "A.A.1.3": _no_private,
    "A.A.4.1": _report,
    "A.A.5": directory_records,
    "A.B.1": _encoding,
    "A.B.1.1": _code_sets,
    "A.D.1": _steps,
    "A.D.2": _orders,
    "A.E": _codes,
}
