"""The search parameters of each resource: one table for searching, keeping and the CapabilityStatement."""

from collections.abc import Iterator, Mapping

from fhir_api.people_parameters import PEOPLE_PARAMETERS
from fhir_api.search_parameter import ID as _ID
from fhir_api.search_parameter import LAST_UPDATED as _LAST_UPDATED
from fhir_api.search_parameter import OF_PATIENT as _OF_PATIENT
from fhir_api.search_parameter import PATIENT as _PATIENT
from fhir_api.search_parameter import Kind as Kind
from fhir_api.search_parameter import SearchParameter as SearchParameter

GENDER = "http://hl7.org/fhir/administrative-gender"

# No search goes by it, for all studies have the same.
_ENDPOINT = SearchParameter("endpoint", Kind.REFERENCE, "ImagingStudy-endpoint", ("endpoint",), ("Endpoint",))

_UID = "The UID, bare or as urn:oid:X."

_UNITS = "number|system|code, number||unit or number; units are not converted."

_MADO = "https://profiles.ihe.net/RAD/MADO/SearchParameter/SearchParameterDocumentReference"

_ORDERS = "Studies name their order by its number: ask by Accession Number, with the modifier :identifier."

# http://hl7.org/fhir/R4/searchparameter-registry.html
PARAMETERS: Mapping[str, tuple[SearchParameter, ...]] = {
    "Patient": (
        _ID,
        SearchParameter(
            "identifier",
            Kind.TOKEN,
            "Patient-identifier",
            ("identifier",),
            note="Patient ID, with or without its issuer as system; other patient IDs are not searched.",
        ),
        SearchParameter(
            "name",
            Kind.STRING,
            "Patient-name",
            ("name.text", "name.family", "name.given", "name.prefix", "name.suffix"),
        ),
        SearchParameter("family", Kind.STRING, "individual-family", ("name.family",)),
        SearchParameter("given", Kind.STRING, "individual-given", ("name.given",)),
        SearchParameter(
            "birthdate", Kind.DATE, "individual-birthdate", ("birthDate",), note="Years, months or days."
        ),
        SearchParameter("gender", Kind.TOKEN, "individual-gender", ("gender",), system=GENDER),
    ),
    "ImagingStudy": (
        _ID,
        SearchParameter(
            "identifier",
            Kind.TOKEN,
            "clinical-identifier",
            ("identifier",),
            note="Study Instance UID as urn:dicom:uid|urn:oid:X, urn:dicom:uid|X, urn:ietf:rfc:3986|urn:oid:X"
            " or X; Accession Number with or without its issuer as system.",
        ),
        _OF_PATIENT,
        SearchParameter("subject", Kind.REFERENCE, "ImagingStudy-subject", ("subject",), _PATIENT),
        SearchParameter(
            "started", Kind.DATE, "ImagingStudy-started", ("started",), note="Years, months or days."
        ),
        SearchParameter("modality", Kind.TOKEN, "ImagingStudy-modality", ("modality",)),
        SearchParameter("dicom-class", Kind.TOKEN, "ImagingStudy-dicom-class", ("series.instance.sopClass",)),
        SearchParameter("series", Kind.TOKEN, "ImagingStudy-series", ("series.uid",), note=_UID),
        SearchParameter("instance", Kind.TOKEN, "ImagingStudy-instance", ("series.instance.uid",), note=_UID),
        # R4 calls it the one, R5 and the European guide for R4 the other; so below.
        *(
            SearchParameter(
                name,
                Kind.TOKEN,
                "ImagingStudy-bodysite",
                ("series.bodySite",),
                note="SNOMED CT; body parts that have no code here are not found.",
            )
            for name in ("bodysite", "body-site")
        ),
        *(
            SearchParameter(
                name,
                Kind.REFERENCE,
                "ImagingStudy-basedon",
                ("basedOn",),
                ("ServiceRequest",),
                note=_ORDERS,
                is_logical=True,
            )
            for name in ("basedon", "based-on")
        ),
        SearchParameter(
            "status",
            Kind.TOKEN,
            "ImagingStudy-status",
            ("status",),
            system="http://hl7.org/fhir/imagingstudy-status",
        ),
    ),
    "Observation": (
        _ID,
        SearchParameter(
            "identifier",
            Kind.TOKEN,
            "clinical-identifier",
            ("identifier", "derivedFrom:DocumentReference.identifier"),
            note="Observation UID, tracking identifiers, and the SOP Instance UID of the report.",
        ),
        _OF_PATIENT,
        SearchParameter("subject", Kind.REFERENCE, "Observation-subject", ("subject",), _PATIENT),
        SearchParameter("code", Kind.TOKEN, "clinical-code", ("code",)),
        SearchParameter("category", Kind.TOKEN, "Observation-category", ("category",)),
        SearchParameter(
            "status",
            Kind.TOKEN,
            "Observation-status",
            ("status",),
            system="http://hl7.org/fhir/observation-status",
        ),
        SearchParameter(
            "part-of",
            Kind.REFERENCE,
            "Observation-part-of",
            ("partOf",),
            ("ImagingStudy",),
            note="The id of an ImagingStudy is its Study Instance UID.",
        ),
        SearchParameter(
            "derived-from",
            Kind.REFERENCE,
            "Observation-derived-from",
            ("derivedFrom",),
            ("DocumentReference", "ImagingStudy", "Observation"),
        ),
        SearchParameter(
            "has-member", Kind.REFERENCE, "Observation-has-member", ("hasMember",), ("Observation",)
        ),
        SearchParameter(
            "based-on",
            Kind.REFERENCE,
            "Observation-based-on",
            ("basedOn",),
            ("ServiceRequest",),
        ),
        SearchParameter(
            "performer", Kind.REFERENCE, "Observation-performer", ("performer",), ("Practitioner",)
        ),
        SearchParameter("device", Kind.REFERENCE, "Observation-device", ("device",), ("Device",)),
        SearchParameter("date", Kind.DATE, "clinical-date", ("effectiveDateTime",), to_the_second=True),
        SearchParameter(
            "value-quantity", Kind.QUANTITY, "Observation-value-quantity", ("valueQuantity",), note=_UNITS
        ),
        SearchParameter("value-concept", Kind.TOKEN, "Observation-value-concept", ("valueCodeableConcept",)),
        SearchParameter("component-code", Kind.TOKEN, "Observation-component-code", ("component.code",)),
        SearchParameter(
            "component-value-concept",
            Kind.TOKEN,
            "Observation-component-value-concept",
            ("component.valueCodeableConcept",),
        ),
        SearchParameter(
            "component-value-quantity",
            Kind.QUANTITY,
            "Observation-component-value-quantity",
            ("component.valueQuantity",),
            note=_UNITS,
        ),
        SearchParameter("combo-code", Kind.TOKEN, "Observation-combo-code", ("code", "component.code")),
        SearchParameter(
            "combo-value-concept",
            Kind.TOKEN,
            "Observation-combo-value-concept",
            ("valueCodeableConcept", "component.valueCodeableConcept"),
        ),
        SearchParameter(
            "combo-value-quantity",
            Kind.QUANTITY,
            "Observation-combo-value-quantity",
            ("valueQuantity", "component.valueQuantity"),
            note=_UNITS,
        ),
        _LAST_UPDATED,
    ),
    "DiagnosticReport": (
        _ID,
        SearchParameter(
            "identifier",
            Kind.TOKEN,
            "clinical-identifier",
            ("identifier",),
            note="The SOP Instance UID of the report.",
        ),
        _OF_PATIENT,
        SearchParameter("subject", Kind.REFERENCE, "DiagnosticReport-subject", ("subject",), _PATIENT),
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
        SearchParameter("date", Kind.DATE, "clinical-date", ("effectiveDateTime",), to_the_second=True),
        SearchParameter("issued", Kind.DATE, "DiagnosticReport-issued", ("issued",), to_the_second=True),
        _LAST_UPDATED,
    ),
    "DocumentReference": (
        _ID,
        SearchParameter("identifier", Kind.TOKEN, "clinical-identifier", ("masterIdentifier", "identifier")),
        _OF_PATIENT,
        SearchParameter("subject", Kind.REFERENCE, "DocumentReference-subject", ("subject",), _PATIENT),
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
        _LAST_UPDATED,
    ),
    "Bundle": (
        _ID,
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
        _LAST_UPDATED,
    ),
    "BodyStructure": (
        _ID,
        SearchParameter("identifier", Kind.TOKEN, "BodyStructure-identifier", ("identifier",)),
        SearchParameter("patient", Kind.REFERENCE, "BodyStructure-patient", ("patient",), _PATIENT),
        SearchParameter("location", Kind.TOKEN, "BodyStructure-location", ("location",)),
        _LAST_UPDATED,
    ),
    "Device": (
        _ID,
        SearchParameter("identifier", Kind.TOKEN, "Device-identifier", ("identifier",)),
        SearchParameter("type", Kind.TOKEN, "Device-type", ("type",)),
        _LAST_UPDATED,
    ),
    **PEOPLE_PARAMETERS,
    "Endpoint": (
        _ID,
        SearchParameter(
            "status", Kind.TOKEN, "Endpoint-status", ("status",), system="http://hl7.org/fhir/endpoint-status"
        ),
        SearchParameter("connection-type", Kind.TOKEN, "Endpoint-connection-type", ("connectionType",)),
    ),
    "Subscription": (
        _ID,
        SearchParameter("contact", Kind.TOKEN, "Subscription-contact", ("contact",)),
        SearchParameter("criteria", Kind.STRING, "Subscription-criteria", ("criteria",)),
        SearchParameter("payload", Kind.TOKEN, "Subscription-payload", ("channel.payload",)),
        SearchParameter(
            "status",
            Kind.TOKEN,
            "Subscription-status",
            ("status",),
            system="http://hl7.org/fhir/subscription-status",
        ),
        SearchParameter(
            "type",
            Kind.TOKEN,
            "Subscription-type",
            ("channel.type",),
            system="http://hl7.org/fhir/subscription-channel-type",
        ),
        SearchParameter("url", Kind.URI, "Subscription-url", ("channel.endpoint",)),
    ),
}

# What reports become; made when a report is stored, and kept.
KEPT = (
    *("Observation", "DiagnosticReport", "DocumentReference", "BodyStructure", "Device", "Bundle"),
    *PEOPLE_PARAMETERS,
)


def parameter_of(resource_type: str, name: str) -> SearchParameter | None:
    """The search parameter of a resource type by its name; None when there is none."""
    return next((p for p in PARAMETERS.get(resource_type, ()) if p.name == name), None)


def is_of_patients(resource_type: str) -> bool:
    """Whether resources of a type are about patients (the compartment of FHIR R4 2.1.0)."""
    return resource_type == "Patient" or parameter_of(resource_type, "patient") is not None


def sorts(resource_type: str) -> dict[str, SearchParameter]:
    """What `_sort` may name: ids and dates of what is kept, up and down. The index has its own order."""
    parameters = PARAMETERS[resource_type] if resource_type in KEPT else ()
    ordered = (p for p in parameters if p.kind is Kind.DATE or p.name == "_id")
    return {f"{sign}{parameter.name}": parameter for parameter in ordered for sign in ("", "-")}


def included_with(resource_type: str) -> Iterator[tuple[str, SearchParameter]]:
    """Types and parameters by which `_include` gives what resources of a type refer to."""
    named = (*PARAMETERS[resource_type], *((_ENDPOINT,) if resource_type == "ImagingStudy" else ()))
    for parameter in named:
        if not parameter.is_logical and any(target in PARAMETERS for target in parameter.targets):
            yield resource_type, parameter


def referring_to(resource_type: str) -> Iterator[tuple[str, SearchParameter]]:
    """Types and parameters by which `_revinclude` gives what refers to resources of a type."""
    for source, parameters in PARAMETERS.items():
        for parameter in parameters:
            if resource_type in parameter.targets and not parameter.is_logical:
                yield source, parameter
