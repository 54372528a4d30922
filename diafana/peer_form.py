"""Known systems as they are typed and written in JSON, and what is wrong with them."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from diafana.permissions import Permissions
from diafana.settings import AeTitle
from pacs.dataset.character_set import DEFINED_TERMS
from pacs.dataset.transfer_syntax import named
from pacs.model import EVERYTHING, Duplicates, Peer

# Of Specific Character Set; Value 1 may be empty
_TERMS = frozenset({"", "ISO_IR 6", *DEFINED_TERMS})


class InvalidPeer(Exception):
    """What is said of a system cannot be; the message says what and why."""


def _listed(value: object) -> object:
    """What is typed is parted by commas."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _transfer_syntax(value: str) -> str:
    """Its UID, given that or the keyword of PS3.6 Table A-1. Raises ValueError."""
    uid = named(value)
    if uid is None:
        raise ValueError("expected transfer syntaxes by UID or keyword, such as JPEG2000Lossless")
    return uid


def _character_set(value: str) -> str:
    """Defined terms, parted by backslashes where there are several (PS3.3 C.12.1.1.2). Raises ValueError."""
    terms = value.split("\\")
    if value and not all(term in _TERMS for term in terms):
        raise ValueError("expected defined terms of Specific Character Set, such as ISO_IR 100")
    return value


def _host(value: str) -> str:
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError("expected a name or an address")
    return value


def _issuer(value: str) -> str:
    """Of LO (PS3.5 6.2), in ASCII: it is put into objects of whatever character set. Raises ValueError."""
    if not value.isascii() or not value.isprintable() or "\\" in value or len(value) > 64:
        raise ValueError("expected up to 64 printable ASCII characters without backslash")
    return value.strip()


_Issuer = Annotated[str, AfterValidator(_issuer)]


class PeerForm(BaseModel):
    """A system that is to be known; as Peer has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ae_title: AeTitle
    host: Annotated[str, Field(min_length=1, max_length=253), AfterValidator(_host)]
    port: Annotated[int, Field(ge=1, le=65_535)]
    commits: bool = False
    notified: bool = False
    tls: bool = False
    may: Permissions = EVERYTHING
    move_to: Annotated[tuple[AeTitle, ...], BeforeValidator(_listed)] = ()
    transfer_syntaxes: Annotated[
        tuple[Annotated[str, AfterValidator(_transfer_syntax)], ...], BeforeValidator(_listed)
    ] = ()
    duplicates: Duplicates = Duplicates.SET_ASIDE
    character_set: Annotated[str, AfterValidator(_character_set)] = ""
    issuer_of_patient_id: _Issuer = ""
    issuer_of_accession_number: _Issuer = ""
    patient_from_worklist: bool = False


def peer_from(values: dict[str, Any]) -> Peer:
    """The system. Raises InvalidPeer."""
    try:
        return Peer(**dict(PeerForm.model_validate(values)))
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
        raise InvalidPeer("; ".join(problems)) from error


def told(peer: Peer) -> dict[str, Any]:
    """The system as it is written in JSON, and read again by `peer_from`."""
    return peer._asdict() | {"may": sorted(peer.may)}
