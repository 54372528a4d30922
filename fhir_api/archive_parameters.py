"""The search parameters of what is made from the index
(http://hl7.org/fhir/R4/searchparameter-registry.html)."""

from collections.abc import Mapping
from dataclasses import replace

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

GENDER = "http://hl7.org/fhir/administrative-gender"

_UID = "The UID, bare or as urn:oid:X."
_ORDERS = "Studies name their order by its number: ask by Accession Number, with the modifier :identifier."

_NAMED = (
    "Studies tell persons by name: they are found by id and identifier of a Practitioner who bears that "
    "name, and by name, family and given of whomever."
)
_EVERY_ONE = (TAG, PROFILE)


def _person(name: str, path: str) -> SearchParameter:
    definition = f"ImagingStudy-{name}"
    return SearchParameter(
        name, Kind.REFERENCE, definition, (path,), ("Practitioner",), note=_NAMED, is_named=True
    )


ARCHIVE_PARAMETERS: Mapping[str, tuple[SearchParameter, ...]] = {
    "Patient": (
        ID,
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
        *_EVERY_ONE,
        replace(LAST_UPDATED, note="When the newest study of the patient came, or one went."),
    ),
    "ImagingStudy": (
        ID,
        SearchParameter(
            "identifier",
            Kind.TOKEN,
            "clinical-identifier",
            ("identifier",),
            note="Study Instance UID as urn:dicom:uid|urn:oid:X, urn:dicom:uid|X, urn:ietf:rfc:3986|urn:oid:X"
            " or X; Accession Number with or without its issuer as system.",
        ),
        OF_PATIENT,
        SearchParameter("subject", Kind.REFERENCE, "ImagingStudy-subject", ("subject",), PATIENT),
        SearchParameter(
            "started", Kind.DATE, "ImagingStudy-started", ("started",), note="Years, months or days."
        ),
        SearchParameter("modality", Kind.TOKEN, "ImagingStudy-modality", ("modality",)),
        SearchParameter("dicom-class", Kind.TOKEN, "ImagingStudy-dicom-class", ("series.instance.sopClass",)),
        SearchParameter("endpoint", Kind.REFERENCE, "ImagingStudy-endpoint", ("endpoint",), ("Endpoint",)),
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
        _person("referrer", "referrer"),
        _person("interpreter", "interpreter"),
        _person("performer", "series.performer.actor"),
        SearchParameter(
            "reason",
            Kind.TOKEN,
            "ImagingStudy-reason",
            ("reasonCode",),
            note="Codes; reasons that are told in words alone are not found.",
        ),
        replace(ENCOUNTER, definition="ImagingStudy-encounter"),
        *_EVERY_ONE,
        LAST_UPDATED,
    ),
    "Endpoint": (
        ID,
        SearchParameter(
            "status", Kind.TOKEN, "Endpoint-status", ("status",), system="http://hl7.org/fhir/endpoint-status"
        ),
        SearchParameter("connection-type", Kind.TOKEN, "Endpoint-connection-type", ("connectionType",)),
        SearchParameter("identifier", Kind.TOKEN, "Endpoint-identifier", ("identifier",)),
        *_EVERY_ONE,
    ),
}
