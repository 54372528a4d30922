"""The search parameters of what reports become, but for persons, orders and provenance
(http://hl7.org/fhir/R4/searchparameter-registry.html)."""

from collections.abc import Mapping
from dataclasses import replace

from fhir_api.observation_parameters import OBSERVATION_PARAMETERS
from fhir_api.search_parameter import (
    ENCOUNTER,
    ID,
    LAST_UPDATED,
    OF_PATIENT,
    PATIENT,
    PROFILE,
    TAG,
    Kind,
    SearchParameter,
)

_MADO = "https://profiles.ihe.net/RAD/MADO/SearchParameter/SearchParameterDocumentReference"

_RELATES_TO = SearchParameter(
    "relatesto", Kind.REFERENCE, "DocumentReference-relatesto", ("relatesTo.target",), ("DocumentReference",)
)
_RELATION = SearchParameter(
    "relation",
    Kind.TOKEN,
    "DocumentReference-relation",
    ("relatesTo.code",),
    system="http://hl7.org/fhir/document-relationship-type",
)

REPORT_PARAMETERS: Mapping[str, tuple[SearchParameter, ...]] = {
    "Observation": OBSERVATION_PARAMETERS,
    "DiagnosticReport": (
        ID,
        SearchParameter(
            "identifier",
            Kind.TOKEN,
            "clinical-identifier",
            ("identifier",),
            note="The SOP Instance UID of the report.",
        ),
        OF_PATIENT,
        SearchParameter("subject", Kind.REFERENCE, "DiagnosticReport-subject", ("subject",), PATIENT),
        SearchParameter("code", Kind.TOKEN, "clinical-code", ("code",)),
        SearchParameter("category", Kind.TOKEN, "DiagnosticReport-category", ("category",)),
        SearchParameter(
            "status",
            Kind.TOKEN,
            "DiagnosticReport-status",
            ("status",),
            system="http://hl7.org/fhir/diagnostic-report-status",
        ),
        SearchParameter("result", Kind.REFERENCE, "DiagnosticReport-result", ("result",), ("Observation",)),
        SearchParameter(
            "based-on",
            Kind.REFERENCE,
            "DiagnosticReport-based-on",
            ("basedOn",),
            ("ServiceRequest",),
        ),
        SearchParameter(
            "performer", Kind.REFERENCE, "DiagnosticReport-performer", ("performer",), ("Practitioner",)
        ),
        SearchParameter(
            "results-interpreter",
            Kind.REFERENCE,
            "DiagnosticReport-results-interpreter",
            ("resultsInterpreter",),
            ("Practitioner",),
        ),
        ENCOUNTER,
        SearchParameter("date", Kind.DATE, "clinical-date", ("effectiveDateTime",), to_the_second=True),
        SearchParameter("issued", Kind.DATE, "DiagnosticReport-issued", ("issued",), to_the_second=True),
        TAG,
        PROFILE,
        LAST_UPDATED,
    ),
    "DocumentReference": (
        ID,
        SearchParameter("identifier", Kind.TOKEN, "clinical-identifier", ("masterIdentifier", "identifier")),
        OF_PATIENT,
        SearchParameter("subject", Kind.REFERENCE, "DocumentReference-subject", ("subject",), PATIENT),
        SearchParameter("type", Kind.TOKEN, "clinical-type", ("type",)),
        SearchParameter(
            "status",
            Kind.TOKEN,
            "DocumentReference-status",
            ("status",),
            system="http://hl7.org/fhir/document-reference-status",
        ),
        SearchParameter(
            "related",
            Kind.REFERENCE,
            "DocumentReference-related",
            ("context.related",),
            ("ImagingStudy", "Practitioner", "ServiceRequest"),
        ),
        SearchParameter(
            "author", Kind.REFERENCE, "DocumentReference-author", ("author",), ("Device", "Practitioner")
        ),
        SearchParameter(
            "authenticator",
            Kind.REFERENCE,
            "DocumentReference-authenticator",
            ("authenticator",),
            ("Practitioner",),
        ),
        replace(ENCOUNTER, paths=("context.encounter",)),
        _RELATES_TO,
        _RELATION,
        SearchParameter(
            "relationship",
            Kind.COMPOSITE,
            "DocumentReference-relationship",
            ("relatesTo",),
            parts=(replace(_RELATES_TO, paths=("target",)), replace(_RELATION, paths=("code",))),
        ),
        SearchParameter("date", Kind.DATE, "DocumentReference-date", ("date",), to_the_second=True),
        # IHE RAD.MADO
        SearchParameter(
            "study-instance-uid",
            Kind.TOKEN,
            f"{_MADO}StudyInstanceUid",
            ("context.related:ImagingStudy.identifier",),
        ),
        SearchParameter(
            "accession-number",
            Kind.TOKEN,
            f"{_MADO}AccessionNumber",
            ("context.related:ServiceRequest.identifier",),
        ),
        SearchParameter(
            "modality",
            Kind.TOKEN,
            f"{_MADO}Modality",
            ("extension:modality.valueCodeableConcept",),
            note="Of imaging manifests.",
        ),
        SearchParameter(
            "anatomical-region",
            Kind.TOKEN,
            f"{_MADO}BodySite",
            ("extension:bodySite.extension.valueCodeableConcept",),
            note="Of imaging manifests.",
        ),
        TAG,
        PROFILE,
        LAST_UPDATED,
    ),
    "Bundle": (
        ID,
        SearchParameter(
            "identifier",
            Kind.TOKEN,
            "Bundle-identifier",
            ("identifier",),
            note="The SOP Instance UID of the manifest.",
        ),
        SearchParameter(
            "type", Kind.TOKEN, "Bundle-type", ("type",), system="http://hl7.org/fhir/bundle-type"
        ),
        SearchParameter("timestamp", Kind.DATE, "Bundle-timestamp", ("timestamp",), to_the_second=True),
        TAG,
        PROFILE,
        LAST_UPDATED,
    ),
    "BodyStructure": (
        ID,
        SearchParameter("identifier", Kind.TOKEN, "BodyStructure-identifier", ("identifier",)),
        SearchParameter("patient", Kind.REFERENCE, "BodyStructure-patient", ("patient",), PATIENT),
        SearchParameter("location", Kind.TOKEN, "BodyStructure-location", ("location",)),
        TAG,
        PROFILE,
        LAST_UPDATED,
    ),
    "Device": (
        ID,
        SearchParameter("identifier", Kind.TOKEN, "Device-identifier", ("identifier",)),
        SearchParameter("type", Kind.TOKEN, "Device-type", ("type",)),
        TAG,
        PROFILE,
        LAST_UPDATED,
    ),
}
