"""TLS for associations: the BCP 195 RFC 8996, 9325 TLS Secure Transport Connection Profile (PS3.15 B.12)."""

import ssl
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

# RFC 9325 4.2, by the names of OpenSSL
CIPHER_SUITES = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
)

# Those that OpenSSL has by default, and that cannot be chosen from here: all are sound (RFC 9325 4.2.2)
SUITES_OF_TLS_1_3 = ("TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256")


class ClientCertificate(StrEnum):
    """Whether who calls us has to show a certificate."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    NONE = "none"


_VERIFY = {
    ClientCertificate.REQUIRED: ssl.CERT_REQUIRED,
    ClientCertificate.OPTIONAL: ssl.CERT_OPTIONAL,
    ClientCertificate.NONE: ssl.CERT_NONE,
}


class CannotUseTls(Exception):
    """A certificate or key cannot be used. The message names the file, and says why."""


@dataclass(frozen=True)
class TlsFiles:
    """What TLS is made of; all in PEM.

    certificate: ours, followed by those between it and its root. None: we can call others, but show none.
    key: of it; None when it is in the same file.
    authorities: the certificates of those whom we trust to have issued those of others; None for those whom
        this machine trusts.
    """

    certificate: Path | None
    key: Path | None
    authorities: Path | None


def accepting(files: TlsFiles, clients: ClientCertificate) -> ssl.SSLContext:
    """For who calls us. Raises CannotUseTls."""
    if files.certificate is None:
        raise CannotUseTls("a certificate is missing")
    if files.authorities is None and clients is not ClientCertificate.NONE:
        raise CannotUseTls("the certificates of those who issue the certificates of others are missing")
    context = _context(ssl.PROTOCOL_TLS_SERVER, files)
    context.verify_mode = _VERIFY[clients]
    return context


def calling(files: TlsFiles, check_host: bool) -> ssl.SSLContext:
    """For whom we call. Its certificate is always asked for.

    check_host: whether it must name the host that is called.
    Raises CannotUseTls.
    """
    context = _context(ssl.PROTOCOL_TLS_CLIENT, files)
    context.check_hostname = check_host
    return context


def _context(protocol: int, files: TlsFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(":".join(CIPHER_SUITES))
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    if files.certificate is not None:
        _load_certificate(context, files.certificate, files.key)
    if files.authorities is not None:
        _load_authorities(context, files.authorities)
    else:
        context.load_default_certs()
    return context


def _load_certificate(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    for file in (certificate, key or certificate):
        _try_to_open(file)
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except (ssl.SSLError, _Encrypted) as error:
        what = "its key is encrypted" if isinstance(error, _Encrypted) else error.reason or "no PEM"
        raise CannotUseTls(f"{certificate} with {key or 'the key in it'} cannot be used: {what}") from error


def _load_authorities(context: ssl.SSLContext, authorities: Path) -> None:
    _try_to_open(authorities)
    try:
        context.load_verify_locations(authorities)
    except ssl.SSLError as error:
        raise CannotUseTls(f"{authorities} holds no certificates: {error.reason or 'no PEM'}") from error


def _try_to_open(file: Path) -> None:
    """Python does not say which file it could not open."""
    try:
        file.open("rb").close()
    except OSError as error:
        raise CannotUseTls(f"{file} cannot be read: {error.strerror}") from error


class _Encrypted(Exception):
    """There is nobody to be asked for the password."""


def _no_password() -> str:
    raise _Encrypted
