"""The search parameters of Observation (http://hl7.org/fhir/R4/searchparameter-registry.html)."""

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

_UNITS = "number|system|code, number||unit or number; units are not converted."


def _value(name: str, kind: Kind, *paths: str) -> SearchParameter:
    """A parameter on a code or a value of an Observation, or of its components."""
    note = _UNITS if kind is Kind.QUANTITY else ""
    return SearchParameter(
        name, kind, f"Observation-{name}", paths, note=note, to_the_second=kind is Kind.DATE
    )


def _pair(name: str, element: str, value: SearchParameter) -> SearchParameter:
    """A composite of a code and a value of one element: "" for the Observation itself."""
    return SearchParameter(
        name, Kind.COMPOSITE, f"Observation-{name}", (element,), note=value.note, parts=(_CODE, value)
    )


def _combo(of_itself: SearchParameter) -> SearchParameter:
    """What holds of the Observation itself or of its components."""
    name = f"combo-{of_itself.name}"
    among = (of_itself.name, f"component-{of_itself.name}")
    return replace(of_itself, name=name, definition=f"Observation-{name}", paths=(), among=among)


_CODE = SearchParameter("code", Kind.TOKEN, "clinical-code", ("code",))
_QUANTITY = _value("value-quantity", Kind.QUANTITY, "valueQuantity")
_CONCEPT = _value("value-concept", Kind.TOKEN, "valueCodeableConcept")
_STRING = _value("value-string", Kind.STRING, "valueString", "valueCodeableConcept.text")
_DATE = _value("value-date", Kind.DATE, "valueDateTime", "valuePeriod")
_CODE_AND_QUANTITY = _pair("code-value-quantity", "", _QUANTITY)
_CODE_AND_CONCEPT = _pair("code-value-concept", "", _CONCEPT)

OBSERVATION_PARAMETERS: tuple[SearchParameter, ...] = (
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
    _CODE,
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
    SearchParameter("has-member", Kind.REFERENCE, "Observation-has-member", ("hasMember",), ("Observation",)),
    SearchParameter(
        "based-on",
        Kind.REFERENCE,
        "Observation-based-on",
        ("basedOn",),
        ("ServiceRequest",),
    ),
    SearchParameter("performer", Kind.REFERENCE, "Observation-performer", ("performer",), ("Practitioner",)),
    ENCOUNTER,
    SearchParameter("device", Kind.REFERENCE, "Observation-device", ("device",), ("Device",)),
    SearchParameter("date", Kind.DATE, "clinical-date", ("effectiveDateTime",), to_the_second=True),
    _QUANTITY,
    _CONCEPT,
    _STRING,
    _DATE,
    _value("component-code", Kind.TOKEN, "component.code"),
    _value("component-value-quantity", Kind.QUANTITY, "component.valueQuantity"),
    _value("component-value-concept", Kind.TOKEN, "component.valueCodeableConcept"),
    _combo(_CODE),
    _combo(_QUANTITY),
    _combo(_CONCEPT),
    _CODE_AND_QUANTITY,
    _CODE_AND_CONCEPT,
    _pair("code-value-string", "", replace(_STRING, paths=("valueString",))),
    _pair("code-value-date", "", _DATE),
    _pair("component-code-value-quantity", "component", _QUANTITY),
    _pair("component-code-value-concept", "component", _CONCEPT),
    _combo(_CODE_AND_QUANTITY),
    _combo(_CODE_AND_CONCEPT),
    TAG,
    PROFILE,
    LAST_UPDATED,
)
