"""Cover page, and section 1: what is offered, in tables that others refer to."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import version

from pydicom.uid import UID

from diafana.conformance.defaults import of_setting
from diafana.conformance.introduction import REVISIONS
from diafana.conformance.markdown import paragraph, table, yes
from diafana.conformance.offered import in_chapter, offered, roles
from diafana.conformance.sections import link
from diafana.conformance.template import Content
from diafana.wiring import DICOMWEB_ROOT
from dicomweb.transaction import Transaction
from pacs.dataset.transfer_syntax import TRANSFER_SYNTAXES
from pacs.dimse.proposal import PROPOSED_SYNTAXES
from pacs.dimse.retrieval import TAKEN
from pacs.dimse.sop_classes import (
    FIND_LEVELS,
    GET_LEVELS,
    MESSAGE_SYNTAXES,
    MOVE_LEVELS,
    STORAGE,
    VERIFICATION,
    is_stored,
    name_of,
)
from pacs.non_patient import CATEGORY_OF
from pacs.pixels.decode import DECODABLE
from pacs.pixels.encode import CODINGS
from pacs.transcode import LOSSY
from sr.mapping import is_report
from sr.writing.report import TEMPLATE_ID, WRITTEN_CLASS

_QUERY_RETRIEVE = (*FIND_LEVELS, *MOVE_LEVELS, *GET_LEVELS)


def cover() -> Iterator[str]:
    """Name, version, and what a technician looks for first."""
    yield "# DICOM Conformance Statement\n"
    yield paragraph(
        f"Diafana {version('diafana')}: a DICOM archive with DICOMweb and FHIR. Date of this document: "
        f"{REVISIONS[0].date}."
    )
    yield paragraph(
        "Made by `diafana conformance` from the tables that the code runs on; a test fails when it is "
        "stale. What is not listed is not there yet."
    )
    yield paragraph("To connect a system:")
    yield from table(("", "by default", "more in"), _connecting())


def _connecting() -> Iterator[tuple[str, str, str]]:
    web = f"http://localhost:{of_setting('http_port')}"
    tls, unknown = of_setting("dimse_tls_port") or "no port is open", of_setting("unknown_peers")
    yield "AE title", f"`{of_setting('aet')}`; any other is answered, too", link("6.1", "settings")
    yield "port", of_setting("dimse_port"), link("8.3", "ports")
    yield "by TLS", f"{tls}; 2762 is usual", link("8.4.2", "TLS")
    may = f"anybody, to {unknown}, unless settings and `diafana peer` say less"
    yield "who may call", may, link("7.2.1.4", "acceptance")
    classes = f"{link('1.1', 'storage')}, {link('1.2', 'others')}"
    yield "SOP classes", f"{len(STORAGE)} of storage, and others", classes
    yield "transfer syntaxes", f"{len(TRANSFER_SYNTAXES)}, stored as they are sent", link("1.1", "table")
    keys = f"{link('5.2.7.5', 'C-FIND, QIDO-RS')}, {link('5.2.1.2', 'worklist')}"
    yield "keys of queries", "", keys
    yield "what a status means", "", f"{link('7.3.2', 'DIMSE')}, {link('7.3.3', 'web')}"
    yield "DICOMweb", f"`{web}{DICOMWEB_ROOT}`", link("5.3", "services")
    yield "FHIR", f"`{web}/fhir`", link("A.F", "FHIR R4")


def _overview() -> Iterator[str]:
    yield paragraph(
        "Diafana takes in objects over DICOM networking, DICOMweb and from files, keeps them as they "
        "came, and gives them out over the same. It serves a modality worklist, work items and performed "
        "procedure steps, takes orders in HL7 v2, maps structured reports into FHIR R4, and has a page to "
        "look at images."
    )
    yield "```mermaid"
    yield "flowchart LR"
    for remote, service in (
        ("Modality", "Storage, storage commitment, worklist, MPPS"),
        ("Workstation", "Query/Retrieve, DICOMweb"),
        ("Other archive", "Storage, Query/Retrieve, storage commitment"),
        ("RIS", "HL7 v2 orders, MPPS"),
        ("EHR, EMR", "FHIR R4, rendered images"),
    ):
        yield f'  {remote.split()[0].strip(",")}["{remote}"] <-->|"{service}"| Diafana'
    yield "```\n"


def _content() -> Iterator[str]:
    yield paragraph(
        "Storage SOP classes. All are taken in every transfer syntax of the table below that is marked as "
        "stored. DIMSE: SCU and SCP, web: origin server (OS) and no user agent, media: File-set creator "
        "(FSC) and reader (FSR). Create: S for those of which instances are made. Process: reports are "
        "mapped into FHIR. Display: images and videos of any class are drawn by DICOMweb and on the page; "
        "that is of an instance, not of its class. Those of a category belong to no patient. Private, "
        "retired and younger storage classes are taken too, unless the setting "
        "`accept_unknown_sop_classes` says no."
    )
    yield from table(
        ("SOP Class", "UID", "SCU", "SCP", "OS", "FSC", "FSR", "Create", "Process", "Archive", "category"),
        ((name_of(uid), uid, *_of_class(uid), _category(uid)) for uid in sorted(STORAGE, key=_numbers)),
    )
    yield paragraph(
        "Supported transfer syntaxes. Stored: taken and kept as sent. Messages: of all other SOP classes. "
        "Proposed: for messages of ours, and for what is sent, beside the stored one. C-GET: proposed when "
        "objects are got from others. Decoded: pixels can be read, for pictures and other transfer "
        "syntaxes. Given: made for who asks for it over the web, of objects and frames, or of frames alone "
        "(F)."
    )
    yield from table(
        ("Transfer Syntax", "UID", "stored", "messages", "proposed", "C-GET", "decoded", "given"),
        (
            (
                UID(uid).name,
                uid,
                *(
                    yes(uid in some)
                    for some in (TRANSFER_SYNTAXES, MESSAGE_SYNTAXES, PROPOSED_SYNTAXES, TAKEN, DECODABLE)
                ),
                "F" if uid in LOSSY else yes(uid in (PROPOSED_SYNTAXES[0], *CODINGS)),
            )
            for uid in sorted(TRANSFER_SYNTAXES, key=_numbers)
        ),
    )


def _of_class(uid: str) -> tuple[str, ...]:
    """Whether it is sent, taken over DIMSE and the web, written to File-sets, read, made, processed, kept."""
    given, taken = yes(uid not in CATEGORY_OF), yes(is_stored(uid, accept_unknown=False))
    made = "S" if uid == WRITTEN_CLASS else "N"
    return given, taken, taken, given, taken, made, yes(is_report(uid)), taken


def _category(uid: str) -> str:
    category = CATEGORY_OF.get(uid)
    return category.npi_name if category else ""


def _numbers(uid: str) -> list[int]:
    return [int(part) for part in uid.split(".")]


def _templates() -> Iterator[str]:
    yield paragraph(
        "Reports of every template are read; which templates add meaning is told by the page "
        "[sr-to-fhir.md](sr-to-fhir.md)."
    )
    yield from table(("Template", "created"), ((f"TID {TEMPLATE_ID}", "Y"),))


def _classes(uids: Callable[[], Iterable[str]]) -> Content:
    """The roles in some SOP classes."""

    def content() -> Iterator[str]:
        wanted = frozenset(uids())
        yield from table(
            ("SOP Class", "UID", "SCU", "SCP"),
            (
                (role.name, role.uid, yes(role.is_user), yes(role.is_provider))
                for role in roles()
                if role.uid in wanted
            ),
        )

    return content


def _others() -> Iterator[str]:
    """Those that the other sections do not tell of."""
    return (role.uid for role in roles() if role.uid not in (VERIFICATION, *_QUERY_RETRIEVE))


def _storage() -> Iterator[str]:
    yield paragraph(f"The classes of {link('1.1', 'the table above')}, as SCU and SCP where it says so.")


def transactions(rows: Iterable[Transaction]) -> Iterator[str]:
    """Where they are."""
    return table(
        ("Transaction", "PS3.18", "method", "path"),
        ((t.name, t.section, t.method, f"`{t.template}`") for t in rows),
    )


def _services(*sections: str) -> Content:
    """Transactions of PS3.18 of which this is the origin server; it is a user agent of none."""

    def content() -> Iterator[str]:
        yield paragraph("Origin server: Y; user agent: N.")
        yield from transactions(in_chapter(*sections))

    return content


def _uri() -> Iterator[str]:
    yield paragraph("Origin server: Y; user agent: N.")
    yield from transactions([offered().uri])


def _other_services() -> Iterator[str]:
    yield paragraph(
        "Modality procedure steps (PS3.18 14 and 15), sending (Supplement 248), and what is ours (`-`)."
    )
    yield from transactions(in_chapter("14", "15", "Sup 248", "-"))


def _media() -> Iterator[str]:
    yield paragraph(
        "A study, a series or an instance is given out as `application/zip` with a File-set in it, as "
        f"File-set creator ({link('5.4.1', 'details')}). `diafana import` is a File-set reader. No "
        "application profile of PS3.11 is claimed, for no physical medium is written."
    )


def _deidentification() -> Iterator[str]:
    yield from table(
        ("Profile", "by", "more in"),
        (
            (
                "Basic Application Level Confidentiality Profile (PS3.15 E.2)",
                "`anonymize=yes` of WADO-URI",
                link("A.C.2.6", "details"),
            ),
        ),
    )


SECTIONS: Mapping[str, Content] = {
    "1": _overview,
    "1.1": _content,
    "1.1.1": _templates,
    "1.2.1": _classes(lambda: [VERIFICATION]),
    "1.2.2": _storage,
    "1.2.3": _classes(_others),
    "1.2.4": _classes(lambda: _QUERY_RETRIEVE),
    "1.3.1": _uri,
    "1.3.2": _services("10"),
    "1.3.3": _services("11"),
    "1.3.4": _services("12"),
    "1.3.5": _services("13"),
    "1.3.6": _other_services,
    "1.4": _media,
    "1.6": _deidentification,
}
