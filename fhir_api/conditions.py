"""What a search asks of a resource, whoever answers it."""

import datetime
from dataclasses import dataclass

from fhir_api.search_table import SearchParameter
from pacs.dataset.header import is_uid
from sr.identifiers import DICOM_UID

_URI_SYSTEM = "urn:ietf:rfc:3986"
_OID = "urn:oid:"


@dataclass(frozen=True, slots=True)
class Token:
    """A code or identifier. system, value: None for any; a system "" for having none."""

    system: str | None
    value: str | None


@dataclass(frozen=True, slots=True)
class Reference:
    """A literal reference, such as "Patient/1"."""

    target: str


@dataclass(frozen=True, slots=True)
class LogicalReference:
    """A reference by the identifier of what it leads to."""

    token: Token


@dataclass(frozen=True, slots=True)
class Text:
    """How a text begins, without regard to case and accents (pacs.query.fold)."""

    beginning: str


@dataclass(frozen=True, slots=True)
class Days:
    """A stretch of days, both ends included; None where open."""

    first: datetime.date | None
    last: datetime.date | None


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time or of numbers that is compared with what a resource says.

    prefix: eq, ne, gt, lt, ge, le, sa, eb or ap.  low, high: as `spans.Stretch` has them.
    unit: of a quantity; None for any.
    """

    prefix: str
    low: float
    high: float
    unit: Token | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """A person by name, where no resource is referred to (fhir_api.persons).

    words: patterns of DICOM for names as pacs.query.fold_name has them; of each group one has to fit.
    """

    words: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """What the two parts of a composite ask of one element."""

    first: "Value"
    second: "Value"


Value = Token | Reference | LogicalReference | Text | Days | Span | Named | Pair


@dataclass(frozen=True, slots=True)
class Condition:
    """One search parameter with its values, any of which may hold; without values nothing is found."""

    parameter: SearchParameter
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """A date, an id or a time by which matches are ordered."""

    parameter: SearchParameter
    is_descending: bool


@dataclass(frozen=True, slots=True)
class Window:
    """Which of the matches are wanted: at most `limit` after the first `offset`.

    order: as `search_table.sorts` offers it; without, that in which they are found.
    is_counted: whether the total is wanted, where it has to be counted for that alone.
    """

    offset: int
    limit: int
    order: tuple[Order, ...] = ()
    is_counted: bool = True


def normal_token(system: str | None, value: str | None) -> Token:
    """A token in the form to compare by: a UID bare, under one system, however it is written."""
    if value is not None and value.startswith(_OID) and is_uid(value[len(_OID) :]):
        return Token(DICOM_UID if system in (_URI_SYSTEM, DICOM_UID) else system, value[len(_OID) :])
    if system == _URI_SYSTEM and value is not None and is_uid(value):
        return Token(DICOM_UID, value)
    return Token(system, value)
