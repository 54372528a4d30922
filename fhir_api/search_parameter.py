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
    COMPOSITE = "composite"


@dataclass(frozen=True, slots=True)
class SearchParameter:
    """One row of the table.

    definition: the canonical URL of its definition; of those of HL7 the last part.
    paths: elements of the resource that it is compared with; "member:Type" keeps the references to one type,
        and "extension:name" the extensions whose URL ends in ".name". Of a composite: the elements in which
        both parts have to hold, "" for the resource itself.
    targets: resource types that a reference may lead to.
    system: the code system of an element of type code, which does not name it itself.
    note: what the CapabilityStatement says of it.
    to_the_second: of a date that is kept, and so compared to the second; others are compared to the day.
    is_logical: of references by identifier alone, which no step of chaining and no _include follows.
    is_named: of references to persons by their names alone; the resources of who bears such a name find them.
    parts: of a composite, the two that it is made of, with paths from its elements.
    among: the parameters that it is all of; what they say is kept under their names alone.
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
    is_named: bool = False
    parts: "tuple[SearchParameter, ...]" = ()
    among: tuple[str, ...] = ()

    @property
    def is_literal(self) -> bool:
        """Whether its references lead to resources, which an _include can follow."""
        return not (self.is_logical or self.is_named)

    @property
    def kept_under(self) -> tuple[str, ...]:
        """The names under which its values are kept."""
        return self.among or (self.name,)


PATIENT = ("Patient",)
ID = SearchParameter("_id", Kind.TOKEN, "Resource-id", ("id",))
LAST_UPDATED = SearchParameter(
    "_lastUpdated", Kind.DATE, "Resource-lastUpdated", ("meta.lastUpdated",), to_the_second=True
)
PROFILE = SearchParameter("_profile", Kind.URI, "Resource-profile", ("meta.profile",))
TAG = SearchParameter("_tag", Kind.TOKEN, "Resource-tag", ("meta.tag",))
ENCOUNTER = SearchParameter(
    "encounter",
    Kind.REFERENCE,
    "clinical-encounter",
    ("encounter",),
    ("Encounter",),
    note="Encounters are kept elsewhere: ask by Admission ID, with the modifier :identifier.",
    is_logical=True,
)
OF_PATIENT = SearchParameter("patient", Kind.REFERENCE, "clinical-patient", ("subject",), PATIENT)
