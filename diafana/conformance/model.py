"""Section 4, and 5.1: the application entities, and what each does."""

from collections.abc import Iterator, Mapping

from diafana.conformance.markdown import paragraph, table, yes
from diafana.conformance.offered import offered
from diafana.conformance.sections import link
from diafana.conformance.template import Content
from diafana.settings import Settings
from pacs.dimse.uses import USES

_AE_TITLE = Settings.model_fields["aet"].default


def _flow() -> Iterator[str]:
    yield paragraph(
        "There are two application entities: ARCHIVE, which speaks DICOM networking under the AE title "
        f"`{_AE_TITLE}` (setting `aet`), and WEB, which speaks HTTP. They share what is stored, and run in "
        "the same processes."
    )
    yield "```mermaid"
    yield "flowchart LR"
    yield "  ARCHIVE((ARCHIVE)) --- store[(objects, index)]"
    yield "  WEB((WEB)) --- store"
    for number, offer in enumerate(_messages()):
        yield f'  P{number}["peer: {offer}"] --> ARCHIVE'
    for number, use in enumerate(dict.fromkeys(use.name for use in USES)):
        yield f'  ARCHIVE --> U{number}["known system: {use}"]'
    yield '  B["browser, program: DICOMweb, FHIR"] --> WEB'
    yield '  R["RIS: HL7 v2"] --> store'
    yield "```\n"


def _messages() -> list[str]:
    return list(dict.fromkeys(offer.name for offer in offered().offers))


def _archive() -> Iterator[str]:
    yield paragraph(
        f"It accepts associations at the ports of {link('8.3', 'the table')}, decides by both AE titles "
        "what the peer may ask, and answers each request in the thread of its association. It asks for "
        "associations itself when:"
    )
    yield from table(("message", "when"), ((use.name, use.activity) for use in USES))
    yield paragraph(
        "Success of C-STORE is answered once file, folder and index are on the device. What is to be sent "
        "or told is noted durably first, and worked off by one process, one request after the other for "
        "each system."
    )


def _web() -> Iterator[str]:
    yield paragraph(
        f"It answers the {len(offered().transactions) + 1} transactions of {link('5.3', 'the services')} "
        f"at one port, and FHIR ({link('A.F', 'annex')}). It calls nobody by DICOMweb."
    )


# The services of PS3.18, by their chapters
_WEB_SERVICES = (
    ("9", "URI"),
    ("10", "Studies"),
    ("11", "Worklist"),
    ("12", "Non-Patient Instance"),
    ("13", "Storage Commitment"),
    ("14", "Modality Scheduled Procedure Step"),
    ("15", "Modality Performed Procedure Step"),
)


def _mapping() -> Iterator[str]:
    parts = [(offer.name, offer.section, not offer.is_from_provider) for offer in offered().offers]
    parts += [(use.name, use.section, use.is_provider) for use in USES]
    providers: dict[str, set[bool]] = {}
    for message, section, is_provider in parts:
        annex = section.partition(",")[0].partition(".")[0]
        providers.setdefault(f"{message} (PS3.4 {annex})", set()).add(is_provider)
    yield from table(
        ("Application Entity", "Service", "SCU", "SCP", "Origin Server", "User Agent"),
        [
            *(
                ("ARCHIVE", service, yes(False in some), yes(True in some), "N", "N")
                for service, some in providers.items()
            ),
            *(
                ("WEB", f"{name} Service (PS3.18 {chapter})", "N", "N", "Y", "N")
                for chapter, name in _WEB_SERVICES
            ),
        ],
    )
    yield paragraph(f"Media: WEB is a File-set creator ({link('5.4.1', 'details')}).")


SECTIONS: Mapping[str, Content] = {
    "4.1": _flow,
    "4.1.1": _archive,
    "4.1.2": _web,
    "5.1": _mapping,
}
