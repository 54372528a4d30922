"""Recipe for certificates: an authority and those whom it vouches for, by the openssl program."""

import subprocess
from pathlib import Path
from typing import NamedTuple

_VALID = "3650"  # days


class Identity(NamedTuple):
    """A certificate with its key, both in PEM."""

    certificate: Path
    key: Path


class Authority:
    """One who issues certificates."""

    def __init__(self, folder: Path, name: str) -> None:
        """folder: where its files are put; it is made."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._own = Identity(folder / f"{name}.pem", folder / f"{name}.key")
        extensions = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
        _openssl(
            "req", "-x509", *_new_key(self._own.key), *_named(name), *extensions, "-out", self.certificate
        )

    @property
    def certificate(self) -> Path:
        """Its own, by which others check those that it has issued."""
        return self._own.certificate

    def issue(self, name: str, *alternatives: str) -> Identity:
        """A certificate.  alternatives: Subject Alternative Names, such as `IP:127.0.0.1`."""
        made = Identity(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        request, extensions = self._folder / f"{name}.csr", self._folder / f"{name}.cnf"
        _openssl("req", *_new_key(made.key), *_named(name), "-out", request)
        lines = [f"subjectAltName={','.join(alternatives or (f'DNS:{name}',))}", "basicConstraints=CA:FALSE"]
        extensions.write_text("\n".join(lines))
        issuer = ("-CA", self._own.certificate, "-CAkey", self._own.key, "-CAcreateserial")
        into = ("-days", _VALID, "-extfile", extensions, "-out", made.certificate)
        _openssl("x509", "-req", "-in", request, *issuer, *into)
        return made


def _new_key(key: Path) -> tuple[str | Path, ...]:
    return ("-newkey", "rsa:2048", "-noenc", "-keyout", key)


def _named(name: str) -> tuple[str, ...]:
    return ("-subj", f"/CN={name}", "-days", _VALID)


def _openssl(*arguments: str | Path) -> None:
    command = ["openssl", *arguments]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - fixed arguments
