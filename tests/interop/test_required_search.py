"""Each search parameter that is promised for a type is declared, as R4 names and defines it."""

from json import loads
from typing import Any

import pytest

from fhir_api.capability import capability_statement
from tests.validators import FOLDER, are_missing

pytestmark = pytest.mark.skipif(
    are_missing(), reason="the definitions are not there: `npm ci` in tests/validators"
)

_OF_ALL = "_id _profile _tag"
PROMISED = {
    "ImagingStudy": "identifier patient subject basedon bodysite dicom-class encounter endpoint instance"
    " interpreter modality performer reason referrer series started status _lastUpdated",
    "Observation": "patient subject code category date status value-quantity value-concept component-code"
    " combo-code combo-code-value-quantity derived-from part-of has-member based-on device identifier"
    " encounter code-value-quantity code-value-concept combo-code-value-concept"
    " component-code-value-quantity component-code-value-concept _lastUpdated",
    "DiagnosticReport": "patient code category date issued status identifier result based-on performer"
    " encounter _lastUpdated",
    "Patient": "identifier family given name birthdate gender _lastUpdated",
    "Endpoint": "identifier connection-type status",
    "Device": "identifier type _lastUpdated",
    "BodyStructure": "identifier patient location _lastUpdated",
    "ServiceRequest": "identifier patient code status intent requester _lastUpdated",
    "DocumentReference": "identifier patient type status date author related encounter relationship"
    " _lastUpdated",
}
# The European guide for R4 takes these from R5
OF_R5 = {"ImagingStudy": ("based-on", "body-site")}
# IHE RAD.MADO
OF_MADO = {
    "DocumentReference": ("study-instance-uid", "accession-number", "modality", "anatomical-region"),
}

STATEMENT = {
    one["type"]: one for one in capability_statement("http://archive.example/fhir")["rest"][0]["resource"]
}


@pytest.fixture(scope="module")
def definitions() -> list[dict[str, Any]]:
    """The search parameters of R4, as HL7 defines them."""
    folder = FOLDER / "node_modules" / "@medplum" / "definitions" / "dist" / "fhir" / "r4"
    bundle = loads((folder / "search-parameters.json").read_bytes())
    return [entry["resource"] for entry in bundle["entry"]]


@pytest.mark.parametrize(
    ("resource_type", "name"),
    [(kind, name) for kind, names in PROMISED.items() for name in (*names.split(), *_OF_ALL.split())],
)
def test_it_is_declared_as_r4_defines_it(
    definitions: list[dict[str, Any]], resource_type: str, name: str
) -> None:
    (declared,) = (one for one in STATEMENT[resource_type]["searchParam"] if one["name"] == name)
    bases = {resource_type, "Resource"}
    (defined,) = (one for one in definitions if one["code"] == name and not bases.isdisjoint(one["base"]))
    assert (declared["type"], declared["definition"]) == (defined["type"], defined["url"])


@pytest.mark.parametrize("resource_type", STATEMENT)
def test_no_name_is_taken_for_another_than_r4_gives_it(
    definitions: list[dict[str, Any]], resource_type: str
) -> None:
    known = {one["code"]: one["type"] for one in definitions if resource_type in one["base"]}
    declared = STATEMENT[resource_type].get("searchParam", ())
    others = (*OF_R5.get(resource_type, ()), *OF_MADO.get(resource_type, ()))
    assert all(
        known[one["name"]] == one["type"]
        for one in declared
        if not one["name"].startswith("_") and one["name"] not in others
    )
    assert set(others) <= {one["name"] for one in declared}
