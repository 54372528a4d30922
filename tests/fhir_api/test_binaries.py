"""The originals, as they are and within resources."""

import base64
from io import BytesIO
from typing import Any

import pytest
from fastapi import FastAPI
from pydicom import Dataset, dcmread
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    EncapsulatedCDAStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
)

from fhir_api import binaries
from fhir_api.r4.xml_reader import from_xml
from fhir_api.router import router
from fhir_api.store import ResourceStore
from pacs.archive import Archive
from pacs.index import Index
from testdata.ct import ct_series
from testdata.measurement_report import measurement_report
from testdata.pdf import encapsulated_pdf
from tests.fhir_api.client import Client
from tests.fhir_api.conftest import World, follow, put
from tests.fhir_api.test_router import issue
from tests.validators import Validators

PDF, DICOM, JSON = "application/pdf", "application/dicom", "application/fhir+json"
XML = "application/fhir+xml"


@pytest.fixture
def client(archive: Archive, store: ResourceStore) -> Client:
    app = FastAPI()
    app.include_router(router(archive, store))
    return Client(app)


@pytest.fixture
def document(archive: Archive) -> Dataset:
    dataset = encapsulated_pdf()
    put(archive, dataset)
    return dataset


def pdf_of(dataset: Dataset) -> bytes:
    return bytes(dataset.EncapsulatedDocument[: dataset.EncapsulatedDocumentLength])


def url(dataset: Dataset) -> str:
    return f"/fhir/Binary/{dataset.SOPInstanceUID}"


def test_a_document_reference_leads_to_the_object(world: World) -> None:
    (document,) = (
        one for one in world.resources("DocumentReference") if one["id"] == world.report.SOPInstanceUID
    )
    attachment = document["content"][0]["attachment"]
    answer = world.client.get(f"/fhir/{attachment['url']}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, DICOM)
    assert dcmread(BytesIO(answer.content)).SOPInstanceUID == world.report.SOPInstanceUID
    assert len(answer.content) == int(answer.headers["content-length"]) == attachment["size"]


def test_any_object_is_there(world: World) -> None:
    answer = world.client.get(url(world.ct[3]))
    assert dcmread(BytesIO(answer.content)).PixelData == world.ct[3].PixelData


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("", PDF),
        ("*/*", PDF),
        ("application/*", PDF),
        ("text/html, */*;q=0.8", PDF),
        (DICOM, DICOM),
        (f"{PDF};q=0.5, {DICOM}", DICOM),
        (f"{DICOM};q=0, {PDF};q=0.1", PDF),
        (JSON, JSON),
        ("application/json", JSON),
        (f"image/png, {JSON};q=0.2", JSON),
    ],
)
def test_a_document_comes_in_the_form_that_is_asked_for(
    client: Client, document: Dataset, accept: str, media_type: str
) -> None:
    answer = client.get(url(document), Accept=accept)
    assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
    assert len(answer.content) == int(answer.headers["content-length"])
    if media_type == PDF:
        assert answer.content == pdf_of(document)
    elif media_type == DICOM:
        assert dcmread(BytesIO(answer.content)).EncapsulatedDocument == document.EncapsulatedDocument
    else:
        assert base64.b64decode(answer.json()["data"]) == pdf_of(document)


@pytest.mark.parametrize("form", ["json", JSON, "application/fhir%2Bjson"])
def test_the_format_goes_before_the_header(client: Client, document: Dataset, form: str) -> None:
    answer = client.get(f"{url(document)}?_format={form}", Accept=PDF)
    assert answer.json()["contentType"] == PDF


@pytest.mark.parametrize("length", [0, 1, 2])
@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
)
def test_a_document_is_exactly_what_was_put_in(
    client: Client, archive: Archive, monkeypatch: pytest.MonkeyPatch, length: int, syntax: UID
) -> None:
    monkeypatch.setattr(binaries, "_PIECE", 300)
    dataset = encapsulated_pdf()
    content = pdf_of(dataset) + b"%" * length
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.EncapsulatedDocumentLength = len(content)
    dataset.EncapsulatedDocument = content + b"\x00" * (len(content) % 2)
    put(archive, dataset)
    assert client.get(url(dataset)).content == content
    assert base64.b64decode(client.get(url(dataset), Accept=JSON).json()["data"]) == content


@pytest.mark.parametrize("accept", [XML, "application/xml", f"{XML}, {JSON};q=0.5"])
def test_a_resource_comes_in_xml(client: Client, document: Dataset, accept: str) -> None:
    answer = client.get(url(document), Accept=accept)
    assert (answer.status_code, answer.headers["content-type"]) == (200, XML)
    assert len(answer.content) == int(answer.headers["content-length"])
    resource = from_xml(answer.content)
    assert base64.b64decode(resource.pop("data")) == pdf_of(document)
    assert resource == {"resourceType": "Binary", "id": document.SOPInstanceUID, "contentType": PDF}


@pytest.mark.xdist_group("validators")
def test_a_binary_is_valid(client: Client, document: Dataset, validators: Validators) -> None:
    resource = client.get(url(document), Accept=JSON).json()
    assert set(resource) == {"resourceType", "id", "contentType", "data"}
    assert resource["id"] == document.SOPInstanceUID
    assert validators.faults([resource]) == []


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("bytes=0-99", 0, 99), ("bytes=100-", 100, None), ("bytes=-7", -7, None)],
)
def test_a_stretch_is_given_alone(
    client: Client, document: Dataset, asked: str, first: int, last: int | None
) -> None:
    for accept in (PDF, DICOM):
        whole = client.get(url(document), Accept=accept)
        assert whole.headers["accept-ranges"] == "bytes"
        part = client.get(url(document), Accept=accept, Range=asked, If_Range=whole.headers["etag"])
        assert part.status_code == 206
        assert part.content == whole.content[first : None if last is None else last + 1]
        assert part.headers["content-range"].endswith(f"/{len(whole.content)}")
        other = client.get(url(document), Accept=accept, Range=asked, If_Range='"other"')
        assert (other.status_code, other.content) == (200, whole.content)


def test_a_stretch_behind_the_end_is_refused(client: Client, document: Dataset) -> None:
    answer = client.get(url(document), Range="bytes=999999-")
    assert (answer.status_code, issue(answer)["location"]) == (416, ["http.Range"])
    assert answer.headers["content-range"] == f"bytes */{len(pdf_of(document))}"


def test_each_form_has_a_tag_by_which_it_is_not_sent_twice(client: Client, document: Dataset) -> None:
    tags = set()
    for accept in (PDF, DICOM, JSON, XML):
        tag = client.get(url(document), Accept=accept).headers["etag"]
        again = client.get(url(document), Accept=accept, If_None_Match=tag)
        assert (again.status_code, again.content) == (304, b"")
        tags.add(tag)
    assert len(tags) == 4


def test_head_tells_the_length(client: Client, document: Dataset) -> None:
    answer = client.request("HEAD", url(document))
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(pdf_of(document)))


def test_what_is_too_large_for_a_resource_is_given_as_it_is(
    client: Client, document: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "MAX_IN_RESOURCE", 100)
    refused = client.get(url(document), Accept=JSON)
    assert (refused.status_code, issue(refused)["code"]) == (406, "too-long")
    assert client.get(url(document)).status_code == 200


@pytest.mark.parametrize("accept", ["image/png", "text/xml", f"{PDF};q=0"])
def test_other_forms_are_not_to_be_had(client: Client, document: Dataset, accept: str) -> None:
    answer = client.get(url(document), Accept=accept)
    assert (answer.status_code, issue(answer)["code"]) == (406, "not-supported")


@pytest.mark.parametrize("resource_id", ["1.2.3", "none", "no_id", "%22"])
def test_what_is_not_there(client: Client, resource_id: str) -> None:
    answer = client.get(f"/fhir/Binary/{resource_id}")
    assert (answer.status_code, issue(answer)["code"]) == (404, "not-found")


def test_binaries_are_not_searched(client: Client) -> None:
    answer = client.get("/fhir/Binary")
    assert (answer.status_code, issue(answer)["code"]) == (404, "not-supported")
    assert "read by its id" in str(issue(answer)["diagnostics"])


def test_a_script_in_a_document_is_not_run_in_our_name(client: Client, archive: Archive) -> None:
    dataset = encapsulated_pdf()
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = EncapsulatedCDAStorage
    dataset.EncapsulatedDocument, dataset.EncapsulatedDocumentLength = b"<a/>", 4
    put(archive, dataset)
    answer = client.get(url(dataset))
    assert (answer.content, answer.headers["content-type"]) == (b"<a/>", "text/xml")
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_document_is_found_by_its_study_and_type(
    client: Client, archive: Archive, index: Index, store: ResourceStore, document: Dataset
) -> None:
    put(archive, measurement_report(ct_series(slices=3, rows=32, columns=32)))
    follow(index, archive, store)
    found: dict[str, Any] = client.search(
        "DocumentReference", type="http://loinc.org|18748-4", related=document.StudyInstanceUID
    )
    (entry,) = found["entry"]
    attachment = entry["resource"]["content"][0]["attachment"]
    assert attachment["contentType"] == PDF
    assert attachment["title"] == document.DocumentTitle
    assert client.get(f"/fhir/{attachment['url']}").content == pdf_of(document)
