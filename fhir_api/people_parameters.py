"""The search parameters of persons, orders and provenance (http://hl7.org/fhir/R4/searchparameter-registry.html)."""

from collections.abc import Mapping

from fhir_api.search_parameter import (
    ID,
    LAST_UPDATED,
    OF_PATIENT,
    PATIENT,
    PROFILE,
    TAG,
    Kind,
    SearchParameter,
)

PEOPLE_PARAMETERS: Mapping[str, tuple[SearchParameter, ...]] = {
    "Practitioner": (
        ID,
        SearchParameter(
            "identifier",
            Kind.TOKEN,
            "Practitioner-identifier",
            ("identifier",),
            note="Codes that identify a person, with their coding scheme as system; login names.",
        ),
        SearchParameter(
            "name",
            Kind.STRING,
            "Practitioner-name",
            ("name.text", "name.family", "name.given", "name.prefix", "name.suffix"),
        ),
        SearchParameter("family", Kind.STRING, "individual-family", ("name.family",)),
        SearchParameter("given", Kind.STRING, "individual-given", ("name.given",)),
        TAG,
        PROFILE,
        LAST_UPDATED,
    ),
    "PractitionerRole": (
        ID,
        SearchParameter(
            "practitioner",
            Kind.REFERENCE,
            "PractitionerRole-practitioner",
            ("practitioner",),
            ("Practitioner",),
        ),
        SearchParameter("role", Kind.TOKEN, "PractitionerRole-role", ("code",)),
        SearchParameter(
            "organization",
            Kind.REFERENCE,
            "PractitionerRole-organization",
            ("organization",),
            ("Organization",),
            note="Organizations are kept elsewhere: ask by identifier, with the modifier :identifier.",
            is_logical=True,
        ),
        TAG,
        PROFILE,
        LAST_UPDATED,
    ),
    "ServiceRequest": (
        ID,
        SearchParameter(
            "identifier",
            Kind.TOKEN,
            "clinical-identifier",
            ("identifier",),
            note="Accession, placer order and filler order number, with or without issuer as system.",
        ),
        SearchParameter("requisition", Kind.TOKEN, "ServiceRequest-requisition", ("requisition",)),
        OF_PATIENT,
        SearchParameter("subject", Kind.REFERENCE, "ServiceRequest-subject", ("subject",), PATIENT),
        SearchParameter("code", Kind.TOKEN, "clinical-code", ("code",)),
        SearchParameter(
            "status",
            Kind.TOKEN,
            "ServiceRequest-status",
            ("status",),
            system="http://hl7.org/fhir/request-status",
        ),
        SearchParameter(
            "intent",
            Kind.TOKEN,
            "ServiceRequest-intent",
            ("intent",),
            system="http://hl7.org/fhir/request-intent",
        ),
        SearchParameter(
            "requester", Kind.REFERENCE, "ServiceRequest-requester", ("requester",), ("Practitioner",)
        ),
        TAG,
        PROFILE,
        LAST_UPDATED,
    ),
    "Provenance": (
        ID,
        SearchParameter(
            "target",
            Kind.REFERENCE,
            "Provenance-target",
            ("target",),
            ("DiagnosticReport", "DocumentReference", "Observation"),
            note="The outermost resources of a report; what is below them is found through them.",
        ),
        SearchParameter(
            "agent", Kind.REFERENCE, "Provenance-agent", ("agent.who",), ("Device", "Practitioner")
        ),
        SearchParameter("agent-type", Kind.TOKEN, "Provenance-agent-type", ("agent.type",)),
        SearchParameter(
            "entity", Kind.REFERENCE, "Provenance-entity", ("entity.what",), ("DocumentReference",)
        ),
        SearchParameter("recorded", Kind.DATE, "Provenance-recorded", ("recorded",), to_the_second=True),
        SearchParameter("when", Kind.DATE, "Provenance-when", ("occurredDateTime",), to_the_second=True),
        TAG,
        PROFILE,
        LAST_UPDATED,
    ),
}
