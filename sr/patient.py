"""A patient of the archive as a FHIR R4 Patient."""

from typing import Any

from sr import json_attributes
from sr.identifiers import V2_IDENTIFIER_TYPE, issuer_system
from sr.json_attributes import Attributes
from sr.names import human_names
from sr.primitives import compact, date, string

# PS3.3 C.7.1.1, Patient's Sex. What it does not list is told as unknown.
GENDERS = {"M": "male", "F": "female", "O": "other"}


def patient(attributes: Attributes, identity: str) -> dict[str, Any]:
    """The Patient of the patient attributes in DICOM JSON (PS3.18 F.2).

    identity: the same for all objects of one patient, and for no other; it is the id.
    """
    sex = json_attributes.text(attributes, "PatientSex")
    others = json_attributes.items(attributes, "OtherPatientIDsSequence")
    identifiers = [_identifier(one) for one in (attributes, *others)]
    names = [
        name
        for keyword in ("PatientName", "OtherPatientNames")
        for groups in json_attributes.items(attributes, keyword)
        for name in human_names(groups)
    ]
    return compact(
        {
            "resourceType": "Patient",
            "id": identity,
            "identifier": [identifier for identifier in identifiers if "value" in identifier],
            "name": names,
            "gender": GENDERS.get(sex.upper(), "unknown") if sex else "",
            "birthDate": date(json_attributes.text(attributes, "PatientBirthDate")),
        }
    )


def _identifier(attributes: Attributes) -> dict[str, Any]:
    """Patient ID with its issuer (PS3.3 Table 10-18), of the patient or of an item of its other ids."""
    issuer = json_attributes.item(attributes, "IssuerOfPatientIDQualifiersSequence")
    return compact(
        {
            "type": {"coding": [{"system": V2_IDENTIFIER_TYPE, "code": "MR"}]},
            "system": issuer_system(
                json_attributes.text(attributes, "IssuerOfPatientID"),
                json_attributes.text(issuer, "UniversalEntityID"),
                json_attributes.text(issuer, "UniversalEntityIDType"),
            ),
            "value": string(json_attributes.text(attributes, "PatientID")),
        }
    )
