"""What a search parameter is, and those that many resource types have."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Search parameter types (http://hl7.org/fhir/search-param-type)."""

    TOKEN = "token"  # noqa: S105 - a kind of search parameter
    REFERENCE = "reference"
    STRING = "string"
    DATE = "date"
    QUANTITY = "quantity"
    URI = "uri"


@dataclass(frozen=True, slots=True)
class SearchParameter:
    """One row of the table.

    definition: the canonical URL of its definition; of those of HL7 the last part.
    paths: elements of the resource that it is compared with; "member:Type" keeps the references to one type,
        and "extension:name" the extensions whose URL ends in ".name".
    targets: resource types that a reference may lead to.
    system: the code system of an element of type code, which does not name it itself.
    note: what the CapabilityStatement says of it.
    to_the_second: of a date that is kept, and so compared to the second; others are compared to the day.
    is_logical: of references by identifier alone, which no step of chaining and no _include follows.
    """

    name: str
    kind: Kind
    definition: str
    paths: tuple[str, ...]
    targets: tuple[str, ...] = ()
    system: str = ""
    note: str = ""
    to_the_second: bool = False
    is_logical: bool = False


PATIENT = ("Patient",)
ID = SearchParameter("_id", Kind.TOKEN, "Resource-id", ("id",))
LAST_UPDATED = SearchParameter(
    "_lastUpdated", Kind.DATE, "Resource-lastUpdated", ("meta.lastUpdated",), to_the_second=True
)
TAG = SearchParameter("_tag", Kind.TOKEN, "Resource-tag", ("meta.tag",))
OF_PATIENT = SearchParameter("patient", Kind.REFERENCE, "clinical-patient", ("subject",), PATIENT)
