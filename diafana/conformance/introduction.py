"""Section 3: who this is for, what words mean."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from diafana.conformance.markdown import paragraph, table
from diafana.conformance.template import Content


class Revision(NamedTuple):
    """A version of this document.  date: as ISO 8601 has it."""

    version: str
    date: str
    about: str


# The newest first
REVISIONS = (Revision("0.1.0", "2026-11-28", "not released yet; in the form of PS3.2 2024b, Annex N"),)


def _history() -> Iterator[str]:
    yield from table(("Document version", "Date", "Description"), REVISIONS)
    yield paragraph(
        "The document has the version of the product. What each brought is told by "
        "[CHANGELOG.md](../CHANGELOG.md); earlier forms of this page are in the history of the repository."
    )


def _audience() -> Iterator[str]:
    yield paragraph(
        "Who connects a system to this archive, who compares archives, who tests them. DICOM is taken for "
        "known."
    )


def _remarks() -> Iterator[str]:
    yield paragraph(
        "Conformance does not warrant that two systems work together: test it, with the systems that are "
        "to be connected. Order and titles of the sections are those of the template (PS3.2 2024b, Annex "
        "N); the sentences are ours, and long tables stand once. Where a number or a table can be had "
        "from the code it is."
    )


_TERMS = (
    ("known system", "a system whose AE title, host and port were made known by `diafana peer`"),
    ("setting", "a value that is read at the start: command line, `DIAFANA_*` in the environment, TOML file"),
    ("quarantine", "where objects are set aside that conflict with what is kept; a person looks at them"),
    ("follower", "a process that makes what is derived from stored objects, soon after they were stored"),
    ("work item", "a Unified Procedure Step"),
    ("kept durably", "on the device, so that a loss of power does not take it away"),
)
_ABBREVIATIONS = (
    ("AE", "Application Entity"),
    ("FSC, FSR", "File-set Creator, File-set Reader"),
    ("MPPS", "Modality Performed Procedure Step"),
    ("NPI", "Non-Patient Instance"),
    ("OS, UA", "Origin Server, User Agent"),
    ("QIDO-RS, STOW-RS, WADO-RS, WADO-URI", "search, store and retrieve transactions of PS3.18"),
    ("SCU, SCP", "Service Class User, Service Class Provider"),
    ("UPS", "Unified Procedure Step"),
)
_REFERENCES = (
    ("DICOM", "NEMA PS3 / ISO 12052, 2024b, https://www.dicomstandard.org"),
    ("Supplement 248", "DICOMweb Send"),
    ("FHIR", "HL7 FHIR R4, 4.0.1, https://hl7.org/fhir/R4"),
    ("HL7 v2", "HL7 Messaging Standard, versions 2.3.1 to 2.8"),
    ("IHE", "IHE Radiology Technical Framework, https://www.ihe.net"),
    ("HTTP", "RFC 9110; problem details RFC 9457; RFC 9325 for TLS"),
)


def _defined(head: tuple[str, str], rows: tuple[tuple[str, str], ...]) -> Content:
    return lambda: table(head, rows)


SECTIONS: Mapping[str, Content] = {
    "3.1": _history,
    "3.2": _audience,
    "3.3": _remarks,
    "3.4": _defined(("term", "meaning"), _TERMS),
    "3.5": _defined(("abbreviation", "meaning"), _ABBREVIATIONS),
    "3.6": _defined(("reference", "document"), _REFERENCES),
}
