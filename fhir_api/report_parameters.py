"""The search parameters of what reports become, but for persons, orders and provenance
(http://hl7.org/fhir/R4/searchparameter-registry.html)."""

from collections.abc import Mapping

from fhir_api.search_parameter import ID, LAST_UPDATED, OF_PATIENT, PATIENT, TAG, Kind, SearchParameter

_UNITS = "number|system|code, number||unit or number; units are not converted."
_MADO = "https://profiles.ihe.net/RAD/MADO/SearchParameter/SearchParameterDocumentReference"

REPORT_PARAMETERS: Mapping[str, tuple[SearchParameter, ...]] = {
    "Observation": (
        ID,
        SearchParameter(
            "identifier",
            Kind.TOKEN,
            "clinical-identifier",
            ("identifier", "derivedFrom:DocumentReference.identifier"),
            note="Observation UID, tracking identifiers, and the SOP Instance UID of the report.",
        ),
        OF_PATIENT,
        SearchParameter("subject", Kind.REFERENCE, "Observation-subject", ("subject",), PATIENT),
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
        TAG,
        LAST_UPDATED,
    ),
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
        SearchParameter("date", Kind.DATE, "clinical-date", ("effectiveDateTime",), to_the_second=True),
        SearchParameter("issued", Kind.DATE, "DiagnosticReport-issued", ("issued",), to_the_second=True),
        TAG,
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
        LAST_UPDATED,
    ),
    "BodyStructure": (
        ID,
        SearchParameter("identifier", Kind.TOKEN, "BodyStructure-identifier", ("identifier",)),
        SearchParameter("patient", Kind.REFERENCE, "BodyStructure-patient", ("patient",), PATIENT),
        SearchParameter("location", Kind.TOKEN, "BodyStructure-location", ("location",)),
        LAST_UPDATED,
    ),
    "Device": (
        ID,
        SearchParameter("identifier", Kind.TOKEN, "Device-identifier", ("identifier",)),
        SearchParameter("type", Kind.TOKEN, "Device-type", ("type",)),
        LAST_UPDATED,
    ),
}
