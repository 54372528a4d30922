"""Section 4, and 5.1: the application entities, and what each does."""

from collections.abc import Iterator, Mapping

from diafana.conformance.defaults import of_setting
from diafana.conformance.markdown import paragraph, table, yes
from diafana.conformance.offered import offered
from diafana.conformance.sections import link
from diafana.conformance.template import Content
from pacs.dimse.uses import USES


def _flow() -> Iterator[str]:
    yield paragraph(
        "There are two application entities: ARCHIVE, which speaks DICOM networking under the AE title "
        f"`{of_setting('aet')}` (setting `aet`), and WEB, which speaks HTTP. They share what is stored, and "
        "run in the same processes."
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


# The services of PS3.18, by their chapters, and others, by what the table of transactions says of them
_WEB_SERVICES = {
    "9": "URI Service (PS3.18 9)",
    "10": "Studies Service (PS3.18 10)",
    "11": "Worklist Service (PS3.18 11)",
    "12": "Non-Patient Instance Service (PS3.18 12)",
    "13": "Storage Commitment Service (PS3.18 13)",
    "14": "Modality Scheduled Procedure Step Service (PS3.18 14)",
    "15": "Modality Performed Procedure Step Service (PS3.18 15)",
    "Sup 248": "Send (Supplement 248)",
    "-": "deleting, canceling, procedure steps: ours",
}


def _mapping() -> Iterator[str]:
    parts = [(offer.name, offer.section, not offer.is_from_provider) for offer in offered().offers]
    parts += [(use.name, use.section, use.is_provider) for use in USES]
    providers: dict[str, set[bool]] = {}
    for message, section, is_provider in parts:
        annex = section.partition(",")[0].partition(".")[0]
        providers.setdefault(f"{message} (PS3.4 {annex})", set()).add(is_provider)
    chapters = {t.section.partition(".")[0] for t in (offered().uri, *offered().transactions)}
    yield from table(
        ("Application Entity", "Service", "SCU", "SCP", "Origin Server", "User Agent"),
        [
            *(
                ("ARCHIVE", service, yes(False in some), yes(True in some), "N", "N")
                for service, some in providers.items()
            ),
            *(
                ("WEB", _WEB_SERVICES[chapter], "N", "N", "Y", "N")
                for chapter in sorted(chapters, key=[*_WEB_SERVICES].index)
            ),
        ],
    )
    yield paragraph(
        f"Media: WEB is a File-set creator ({link('5.4.1', 'details')}), `diafana import` a File-set reader "
        f"({link('5.4.2', 'details')})."
    )


SECTIONS: Mapping[str, Content] = {
    "4.1": _flow,
    "4.1.1": _archive,
    "4.1.2": _web,
    "5.1": _mapping,
}
