"""The orders that a report fulfils, as FHIR R4 ServiceRequests (PS3.3 C.17.2 and 10.6; ADR 26)."""

from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sr import lenient
from sr.codes import first_code
from sr.coding_schemes import CodingSchemes
from sr.identifiers import accession_identifier, order_identifier, order_reference
from sr.lenient import Source
from sr.participants import physicians
from sr.people import People
from sr.primitives import compact, stable_id, string
from sr.report_header import Header, issuer_of

# Keyword of the number, keyword of its issuer, its code in HL7 v2 table 0203 and what that means
_NUMBERS = (
    ("PlacerOrderNumberImagingServiceRequest", "OrderPlacerIdentifierSequence", "PLAC", "Placer Identifier"),
    ("FillerOrderNumberImagingServiceRequest", "OrderFillerIdentifierSequence", "FILL", "Filler Identifier"),
)
MOST = 20  # orders of a report; all that was found is based on each of them

# Where orders are told, the first that is there: of reports, and of all else
_SEQUENCES = ("ReferencedRequestSequence", "RequestAttributesSequence")
_PHYSICIANS = (
    ("RequestingPhysician", "RequestingPhysicianIdentificationSequence"),
    ("ReferringPhysicianName", "ReferringPhysicianIdentificationSequence"),
)

Identifier = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Order:
    """An order that a report fulfils. request: the ServiceRequest.  study: of the order, or ""."""

    request: dict[str, Any]
    study: str

    @property
    def reference(self) -> dict[str, Any]:
        """A reference to it, both literal and by identifier."""
        return order_reference(self.request["identifier"][0], self.request["id"])


def read_orders(
    dataset: Source, header: Header, schemes: CodingSchemes, people: People, patient: str
) -> tuple[Order, ...]:
    """The orders of a report that have a number by which they are found.

    patient: reference; FHIR requires one, so that there are none without.
    """
    if not patient:
        return ()
    known = {
        stable_id("order", patient, *_identity(identifiers, item)): (item, identifiers)
        for item, identifiers in _numbered(dataset, header)
    }
    procedures = Counter(_accession(identifiers).get("value") for _, identifiers in known.values())
    orders = []
    for request_id, (item, identifiers) in known.items():
        accession = _accession(identifiers)
        request = compact(
            {
                "resourceType": "ServiceRequest",
                "id": request_id,
                "identifier": identifiers,
                "requisition": accession if procedures[accession.get("value")] > 1 else {},
                **_asked(item, dataset, schemes, people),
                "subject": {"reference": patient},
            }
        )
        orders.append(Order(request, lenient.text(item, "StudyInstanceUID")))
    return tuple(orders)


def _numbered(dataset: Source, header: Header) -> list[tuple[Source, list[Identifier]]]:
    """The items that tell of orders, or else the report itself, with the numbers of each; none without."""
    items = next((found for keyword in _SEQUENCES if (found := _few(dataset, keyword))), [])
    own = accession_identifier(header.accession_number, header.accession_system)
    numbered = [(item, _identifiers(item, own, is_only=len(items) == 1)) for item in items]
    if "value" in own and not any(_has(own, identifiers) for _, identifiers in numbered):
        numbered.append((dataset, [own]))
    return [(item, identifiers) for item, identifiers in numbered if identifiers]


def _asked(item: Source, dataset: Source, schemes: CodingSchemes, people: People) -> dict[str, Any]:
    """What was asked for, by whom, and why."""
    description = string(lenient.text(item, "RequestedProcedureDescription"))
    code = first_code(item, "RequestedProcedureCodeSequence")
    reasons = [first_code(item, "ReasonForRequestedProcedureCodeSequence")]
    reason = string(lenient.text(item, "ReasonForTheRequestedProcedure"))
    return compact(
        {
            # Nothing in a report tells how far its order is.
            "status": "unknown",
            "intent": "order",
            "code": schemes.concept(code) if code is not None else compact({"text": description}),
            "requester": _requester(item, dataset, people),
            "reasonCode": [
                *(schemes.concept(one) for one in reasons if one is not None),
                *([{"text": reason}] if reason else []),
            ],
        }
    )


def _requester(item: Source, dataset: Source, people: People) -> dict[str, Any]:
    """Who asked for it: the requesting physician, or else the referring one."""
    for keywords in _PHYSICIANS:
        for source in (item, dataset):
            for person in physicians(source, *keywords):
                if reference := people.refer(person):
                    return reference
    return {}


def _identifiers(item: Source, own: Identifier, is_only: bool) -> list[Identifier]:
    """The numbers of an order. own: Accession Number of the report.  is_only: whether it is of this order."""
    issuer = issuer_of(item, "IssuerOfAccessionNumberSequence")
    accession = accession_identifier(lenient.text(item, "AccessionNumber"), issuer)
    is_same = accession.get("value") == own.get("value") and not issuer
    numbers = [own if is_same or (is_only and "value" not in accession) else accession]
    for keyword, sequence, code, display in _NUMBERS:
        number = string(lenient.text(item, keyword))
        numbers.append(order_identifier(number, issuer_of(item, sequence), code, display))
    return [one for one in numbers if "value" in one]


def _identity(identifiers: list[Identifier], item: Source) -> tuple[str, ...]:
    """What tells an order from others of the patient: its first number, and the procedure of it."""
    number = identifiers[0]
    procedure = string(lenient.text(item, "RequestedProcedureID"))
    kind = number["type"]["coding"][0]["code"]
    return kind, number.get("system", ""), number["value"], procedure if procedure != number["value"] else ""


def _accession(identifiers: list[Identifier]) -> Identifier:
    return next((one for one in identifiers if one["type"]["coding"][0]["code"] == "ACSN"), {})


def _has(accession: Identifier, identifiers: list[Identifier]) -> bool:
    return any(one["value"] == accession["value"] for one in identifiers)


def _few(dataset: Source, keyword: str) -> list[Source]:
    return list(islice(lenient.each(dataset, keyword), MOST))
