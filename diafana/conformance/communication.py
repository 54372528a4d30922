"""Sections 7.1 and 7.2: associations."""

from collections.abc import Iterator, Mapping

from diafana.conformance.defaults import DEFAULTS, of_setting
from diafana.conformance.markdown import listed, paragraph, table
from diafana.conformance.names import names
from diafana.conformance.offered import offered
from diafana.conformance.sections import link
from diafana.conformance.template import Content
from diafana.wiring import DICOMWEB_ROOT
from pacs.dataset.part10 import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from pacs.dataset.transfer_syntax import IMPLICIT_LITTLE_ENDIAN
from pacs.dimse.association import REQUEST_TIME
from pacs.dimse.negotiation import APPLICATION_CONTEXT_NAME, LARGEST_SENT
from pacs.dimse.proposal import MOST_CONTEXTS, PROPOSED_SYNTAXES
from pacs.dimse.rounds import AT_ONCE
from pacs.dimse.sop_classes import MESSAGE_SYNTAXES
from pacs.dimse.uses import USES
from pacs.dimse.wire import MAXIMUM_ASSOCIATE, MAXIMUM_PDU

# What is worked off for so many systems at once (`couriers`)
IN_ROUNDS = (
    "what is sent, with asking for commitment",
    "reports of commitment",
    "performed steps",
    "availability",
)


def _general() -> Iterator[str]:
    yield from table(
        ("", "Name", "Value"),
        (
            ("Networking Services", "Application Context Name", APPLICATION_CONTEXT_NAME),
            ("", "Implementation Class UID", IMPLEMENTATION_CLASS_UID),
            ("", "Implementation Version Name", IMPLEMENTATION_VERSION_NAME),
            (
                "",
                "Maximum PDU Length",
                f"received {MAXIMUM_PDU}; sent {LARGEST_SENT} or what the peer takes, if that is less",
            ),
            ("", "ARTIM Timeout", f"{REQUEST_TIME:.0f} s"),
            (
                "",
                "Maximum number of simultaneous Associations as Association Initiator",
                f"{AT_ONCE} for each of: {listed(IN_ROUNDS)}. Of C-MOVE, `diafana remote` and `diafana peer "
                "echo` one for each request",
            ),
            (
                "",
                "Maximum number of simultaneous Associations as Association Acceptor",
                f"{of_setting('maximum_associations')} (`maximum_associations`); "
                f"{of_setting('maximum_associations_per_address')} from one address, a process "
                "(`maximum_associations_per_address`)",
            ),
            (
                "",
                "Maximum number of outstanding asynchronous Transactions",
                "1: no asynchronous operations window",
            ),
            (
                "",
                "An association without a request is ended after",
                f"{DEFAULTS['association_idle_seconds']:.0f} s (`association_idle_seconds`)",
            ),
            ("", "Presentation contexts proposed in one association", f"{MOST_CONTEXTS} at most"),
            ("Media Services", "File Meta Information Version", "00\\01"),
            ("", "Implementation Class UID", IMPLEMENTATION_CLASS_UID),
            ("", "Implementation Version Name", IMPLEMENTATION_VERSION_NAME),
            ("Web Services", "Maximum number of connections supported as Server", "no limit of ours"),
        ),
    )


def _sequencing() -> Iterator[str]:
    yield paragraph(
        "A modality asks for the worklist, tells what it performs, stores, and asks for commitment; each "
        "may be in an association of its own, or all in one:"
    )
    yield "```mermaid"
    yield "sequenceDiagram"
    yield "  participant M as Modality"
    yield "  participant A as ARCHIVE"
    yield "  participant K as Known system"
    for arrow in (
        "M->>A: C-FIND (worklist)",
        "A-->>M: scheduled steps",
        "M->>A: N-CREATE (performed step)",
        "A->>K: N-CREATE (mpps_forward)",
        "M->>A: C-STORE",
        "A-->>M: success, once kept durably",
        "M->>A: N-SET (COMPLETED)",
        "A->>K: N-SET (mpps_forward)",
        "M->>A: N-ACTION (commitment)",
        "A-->>M: N-EVENT-REPORT, once read back",
        "A->>K: C-STORE (rules of forwarding)",
        "A->>K: N-ACTION (commitment)",
        "K-->>A: N-EVENT-REPORT",
    ):
        yield f"  {arrow}"
    yield "```\n"


def _initiation() -> Iterator[str]:
    yield paragraph(
        "Systems are called by the host and port that are known of their AE title, by TLS where that is "
        "said of them. Each transfer syntax is proposed in a presentation context of its own: "
        f"{names(PROPOSED_SYNTAXES)}, for C-ECHO {names([IMPLICIT_LITTLE_ENDIAN])} alone; for C-STORE also "
        f"the stored and the preferred ones ({link('5.2.5.1', 'Storage')}), for what C-GET brings those that "
        f"{link('1.1', 'the table')} has as C-GET. No extended negotiation, but for the roles."
    )


def _initiated() -> Iterator[str]:
    yield from table(
        ("Real-World Activity", "message", "SOP Class", "Role"),
        (
            (use.activity, use.name, _classes(use.sop_classes, _SENT), "SCP" if use.is_provider else "SCU")
            for use in USES
        ),
    )


def _acceptance() -> Iterator[str]:
    yield paragraph(
        "Any called AE title is answered, unless settings say which (`called`, `called_otherwise`), and "
        "any system may ask anything, unless they say less of those that are not known (`unknown_peers`), "
        "or `--may` says less of one that is. A context for which a permission lacks is rejected (result "
        "1, user rejection). Of the transfer syntaxes that are proposed in one context the peer's first "
        "is accepted, those that are preferred with it before others. A context whose abstract syntax is not "
        "known here is rejected with result 3, one whose transfer syntaxes are not with result 4; an "
        "association of which no context is accepted is accepted all the same. An A-ASSOCIATE-RQ of more "
        f"than {MAXIMUM_ASSOCIATE:,} bytes is aborted. Storage classes are accepted in all "
        f"transfer syntaxes that {link('1.1', 'the table')} has as stored, all others in "
        f"{names(sorted(MESSAGE_SYNTAXES))}. C-ECHO is answered in any accepted "
        "context. A peer that proposes to be the SCP of storage classes may be sent to by C-GET. Rejected "
        f"associations are told of below ({link('7.3.1.2', 'table')})."
    )


def _accepted() -> Iterator[str]:
    yield from table(
        ("Real-World Activity", "SOP Class", "Role", "needs the permission", "Extended Negotiation"),
        (
            (
                offer.name,
                _classes(offer.sop_classes, "all storage classes"),
                "SCU" if offer.is_from_provider else "SCP",
                offer.needs.value if offer.needs else "-",
                offer.options.hex(" ") if offer.options else "-",
            )
            for offer in offered().offers
        ),
    )


_SENT = "all storage classes but those that belong to no patient"


def _classes(uids: tuple[str, ...], of_storage: str) -> str:
    return names(uids) if uids else of_storage


def _web() -> Iterator[str]:
    yield paragraph(
        f"HTTP/1.1 at the port of {link('8.3', 'the table')}; connections may be kept open. Services are "
        f"below `{DICOMWEB_ROOT}`, the URI Service is `{offered().uri.template}`, FHIR is below `/fhir`."
    )


SECTIONS: Mapping[str, Content] = {
    "7.1.1": _general,
    "7.2.1.1": _sequencing,
    "7.2.1.3": _initiation,
    "7.2.1.3.1": _initiated,
    "7.2.1.4": _acceptance,
    "7.2.1.4.1": _accepted,
    "7.2.2": _web,
}
