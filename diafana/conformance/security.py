"""Section 8, and annex A.C: security."""

from collections.abc import Iterator, Mapping

from pydicom.uid import UID

from diafana.conformance.defaults import of_setting
from diafana.conformance.markdown import paragraph, table
from diafana.conformance.sections import link
from diafana.conformance.template import Content
from diafana.settings import LOOPBACK, Settings
from pacs.deidentification.admission import OF_NUMBERS, PHOTOGRAPHS, WITHOUT_TEXT
from pacs.dimse.tls import CIPHER_SUITES, SUITES_OF_TLS_1_3

_PROFILE = "BCP 195 RFC 8996, 9325 TLS Secure Transport Connection Profile (PS3.15 B.12)"


def _introduction() -> Iterator[str]:
    yield paragraph(
        "Nobody is asked to log in: who reaches a port may ask. The service listens at this machine alone "
        f"({', '.join(f'`{name}`' for name in LOOPBACK)}) unless the setting `unprotected` says that "
        "something else protects it. Over DICOM networking the AE titles decide who may what. By TLS the "
        "certificates decide who may connect; AE titles are not checked against them, so that whoever shows "
        "a valid one may bear any."
    )


def _network() -> Iterator[str]:
    yield paragraph(
        "A clock that is right, for the times that are written into objects and logs; names of systems "
        "that can be resolved, where they are known by names. No other service of the network is used."
    )


def _ports() -> Iterator[str]:
    fields = Settings.model_fields
    yield from table(
        ("Protocol", "Port", "Configurable", "setting", "Comments"),
        (
            (
                protocol,
                of_setting(name) or "none",
                "SERVICE",
                f"`{name}`",
                fields[name].description or "",
            )
            for protocol, name in (
                ("DICOM", "dimse_port"),
                ("DICOM by TLS", "dimse_tls_port"),
                ("HTTP", "http_port"),
                ("HL7 v2 by MLLP", "hl7_port"),
            )
        ),
    )
    yield paragraph(
        "Calls go to the ports of known systems, and to the addresses of `fhir_push` and "
        "`fhir_subscription_endpoints`."
    )


def _transport() -> Iterator[str]:
    yield from table(
        ("Profile", "Client", "Server", "Reference"), ((_PROFILE, "Y", "Y", link("A.C.2.5", "details")),)
    )


def _confidentiality() -> Iterator[str]:
    yield from table(
        ("Profile", "De-identifier", "Re-identifier", "Reference"),
        (("Basic Application Level Confidentiality (PS3.15 E.2)", "Y", "N", link("A.C.2.6", "details")),),
    )


def _identity_asked() -> Iterator[str]:
    yield paragraph("None is sent.")


def _identity_given() -> Iterator[str]:
    yield paragraph("What a peer sends is passed over, and not answered.")


def _web() -> Iterator[str]:
    yield paragraph(
        "HTTP without TLS: put a proxy before it that has TLS, and knows who may what. Pages of other "
        "origins may ask where the setting `cors_origins` names them. Error messages quote no patient."
    )


def _others() -> Iterator[str]:
    yield paragraph(
        "Associations and requests are limited before memory is given to them; logs name no patient; what "
        "peers were refused is logged with what would permit it."
    )


def _tls() -> Iterator[str]:
    yield paragraph(
        f"{_PROFILE}, as server and client. The port is the setting `dimse_tls_port`. Key management: "
        "certificates and keys are PEM files that settings name, read at the start; certificates are made, "
        "renewed and withdrawn elsewhere. Clients show a certificate unless `tls_client_certificate` says "
        "otherwise; that of a server that we call is always asked for, and has to name its host unless "
        "`tls_check_host` says otherwise. Certificates of others are checked by `tls_authorities`; without "
        "it the port takes `tls_client_certificate=none` alone, and those whom we call are checked by the "
        "authorities that this machine trusts. Key exchange is by ECDHE, in TLS 1.3 also by DHE. Signature "
        "algorithms are those that OpenSSL takes by default: ECDSA, EdDSA, RSA-PSS and RSA PKCS #1 with "
        "SHA-2, never SHA-1. Where a check of integrity fails the connection is closed; the provider reason "
        "of the A-P-ABORT is not specified further, and the log says what TLS says of it."
    )
    yield from table(
        ("TLS", "cipher suite"),
        (
            *(("1.3", name) for name in SUITES_OF_TLS_1_3),
            *(("1.2", name) for name in CIPHER_SUITES),
        ),
    )


def _deidentification() -> Iterator[str]:
    yield paragraph(
        "`anonymize=yes` of WADO-URI gives an object by the Basic Application Level Confidentiality "
        "Profile, by Table E.1-1 of 2024b. The same UID becomes the same other UID each time. No pixel is "
        "changed. An image is given if it says Burned In Annotation NO, or does not say and is of a class "
        "below and not SECONDARY; never a film, a label of a specimen, an image with an overlay within "
        "its pixels, or one with Recognizable Visual Features. Without pixels only what is listed is "
        "given. All else is refused (403)."
    )
    kinds = (
        ("though it does not say that its pixels are clean", WITHOUT_TEXT),
        ("where it says that nobody can be recognized", PHOTOGRAPHS),
        ("without pixels", OF_NUMBERS),
    )
    yield from table(
        ("SOP Class", "UID", "given"),
        ((UID(uid).name, uid, how) for how, classes in kinds for uid in sorted(classes)),
    )


SECTIONS: Mapping[str, Content] = {
    "8.1": _introduction,
    "8.2": _network,
    "8.3": _ports,
    "8.4.2": _transport,
    "8.4.4": _confidentiality,
    "8.5.1": _identity_asked,
    "8.5.2": _identity_given,
    "8.6": _web,
    "8.7.3": _others,
    "A.C.2.5": _tls,
    "A.C.2.6": _deidentification,
}
