"""The manifest of IHE RAD.MADO and the FHIR document beside it, row by row of Table 4.3-1."""

import json
from typing import Any

import pytest

from sr.mapping import map_report
from tests.conftest import CORPUS
from tests.sr.builders import IDENTITY
from tests.sr.files import lean

PAIR = CORPUS / "mado"

pytestmark = pytest.mark.skipif(not PAIR.is_dir(), reason="the MADO pair is not at hand")

Resource = dict[str, Any]

# Rows in which their document does not say what their manifest does; what ours says of each.
DIFFERENT = {
    # Their zone is that of summer, +02:00; the manifest has +0100
    "Study Started": "2022-08-22T08:31:17.658+01:00",
    "Study series.started": ["2022-08-22T16:47:58.337+01:00"] * 2,
    # Theirs is "Head CT"
    "Study procedureCodes": [{"text": "CT HEAD"}],
    # The entries of the manifest have no numbers; theirs come from the images
    "Study series.instancesInTheSeries.instanceNumber": [None] * 86,
    # The manifest has no issuer of the accession number, and another of the patient's
    "RequestedProcedure Accession Number": [None, "1731954284869428", None],
    "Patient ID": [["http://example.org/fhir/ris-ids", "UV59569735"]],
    # Institution Name has no id in the manifest
    "MADO Author institution id": [],
    # The table says SOP Instance UID; theirs is a name of its own
    "Document identifier": "urn:oid:2.25.57007867845839123962305187603289084537",
}


def _of(bundle: Resource, kind: str) -> Resource:
    return next(e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == kind)


def _rows(bundle: Resource) -> dict[str, Any]:
    """What a document says in each row, in a form to compare; its series by number, instances by UID."""
    study, patient, order = (_of(bundle, kind) for kind in ("ImagingStudy", "Patient", "ServiceRequest"))
    device, owner = _of(bundle, "Device"), _of(bundle, "Organization")
    by_url = {entry["fullUrl"]: entry["resource"] for entry in bundle["entry"]}
    series = sorted(study["series"], key=lambda one: one["number"])
    endpoints = [by_url[endpoint["reference"]] for one in series for endpoint in one["endpoint"]]
    instances = sorted((one for each in series for one in each["instance"]), key=lambda one: one["uid"])
    accession = study["basedOn"][0]["identifier"]
    assert by_url[study["subject"]["reference"]] == patient
    assert by_url[study["basedOn"][0]["reference"]] == order
    assert [by_url[one["reference"]] for one in bundle["entry"][0]["resource"]["author"]] == [device, owner]
    assert by_url[device["owner"]["reference"]] == owner
    return {
        "Study Instance UID": study["identifier"][0],
        "Study Modalities": study["modality"],
        "Study Started": study["started"],
        "Study anatomical region": [
            (one["url"], one["valueCodeableConcept"]["coding"]) for one in study["extension"]
        ],
        "Study procedureCodes": study["procedureCode"],
        "Study description": study["description"],
        "Study numberOfSeries": study["numberOfSeries"],
        "Study display endpoint": study.get("endpoint"),
        "Study series.seriesUid": [one["uid"] for one in series],
        "Study series.number": [one["number"] for one in series],
        "Study series.seriesModality": [one["modality"] for one in series],
        "Study series.description": [one["description"] for one in series],
        "Study series.started": [one["started"] for one in series],
        "Study series.numberOfInstances": [one["numberOfInstances"] for one in series],
        "Study series.bodySite": [one["bodySite"] for one in series],
        "Study series.laterality": [one.get("laterality") for one in series],
        "Study series.seriesRetrieveEndpoint.retrieveUrl": [
            (one["address"], one["connectionType"]["code"], one["payloadType"][0]["text"])
            for one in endpoints
        ],
        "Study series.seriesRetrieveEndpoint.locationUID": [one["extension"] for one in endpoints],
        "Study series.instancesInTheSeries.instanceUid": [one["uid"] for one in instances],
        "Study series.instancesInTheSeries.sopClass": [one["sopClass"]["code"] for one in instances],
        "Study series.instancesInTheSeries.instanceNumber": [one.get("number") for one in instances],
        "Study series.instancesInTheSeries.number of frames, key object document title": [
            one.get("extension") for one in instances
        ],
        "Study series.instancesInTheSeries.koDescription": [one.get("title") for one in instances],
        "Patient Name": [(one["family"], one["given"]) for one in patient["name"]],
        "Patient ID": [[one["system"], one["value"]] for one in patient["identifier"]],
        "Patient Birthdate": patient["birthDate"],
        "Patient Sex": patient["gender"],
        "RequestedProcedure Accession Number": [
            accession.get("system"),
            accession["value"],
            order["identifier"][0].get("system"),
        ],
        "RequestedProcedure Accession Number, its types": [
            sorted(coding["code"] for coding in one["type"]["coding"])
            for one in (accession, order["identifier"][0])
        ],
        "RequestedProcedure Placer Order Number": order["identifier"][1:],
        "MADO Author manufacturer": device["manufacturer"],
        "MADO Author, its type": device["type"],
        "MADO Author institution name": owner["name"],
        "MADO Author institution id": owner.get("identifier", []),
        "Document identifier": bundle["identifier"]["value"],
    }


def test_each_row_of_the_mapping_table() -> None:
    theirs = _rows(json.loads((PAIR / "bundle-101.json").read_bytes()))
    mapped = map_report(lean((PAIR / "kos-101.dcm").read_bytes()), IDENTITY)
    ours = _rows(next(one for one in mapped.resources if one["resourceType"] == "Bundle"))
    assert {row: told for row, told in ours.items() if row not in DIFFERENT} == {
        row: told for row, told in theirs.items() if row not in DIFFERENT
    }
    for row, told in DIFFERENT.items():
        assert ours[row] == told
        assert theirs[row] != told


def test_the_document_reference_beside_it() -> None:
    theirs = json.loads((PAIR / "docref-101.json").read_bytes())
    mapped = map_report(lean((PAIR / "kos-101.dcm").read_bytes()), IDENTITY)
    _, ours = sorted(
        (one for one in mapped.resources if one["resourceType"] == "DocumentReference"),
        key=lambda one: "relatesTo" in one,
    )
    for member in "status", "category":
        assert ours[member] == theirs[member]
    assert ours["type"]["coding"][0]["code"] == theirs["type"]["coding"][0]["code"]
    assert ours["content"][0]["format"] == theirs["content"][0]["format"]
    mine, other = (one["content"][0]["attachment"] for one in (ours, theirs))
    assert mine["contentType"] == other["contentType"]
    assert mine["url"].partition("/")[0] == other["url"].partition("/")[0] == "Bundle"
    assert [one["url"] for one in ours["extension"]] == [one["url"] for one in theirs["extension"]]
    mine, other = (one["context"]["related"] for one in (ours, theirs))
    assert mine[0]["identifier"] == other[0]["identifier"]
    assert mine[1]["identifier"]["value"] == other[1]["identifier"]["value"]
