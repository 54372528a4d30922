"""The running service over HTTP, as clients of others' making and a FHIR reader would use it."""

import io
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
import pytest
from dicomweb_client import DICOMwebClient
from PIL import Image
from pydicom import Dataset, dcmread

from testdata.ct import ct_series
from testdata.files import part10
from testdata.measurement_report import measurement_report
from testdata.mr import mr_series
from testdata.us import us_cine
from tests.kept_files import contents
from tests.pacs.dimse.peer import store
from tests.service import Service

PATIENCE = 60.0  # seconds for what is made behind the senders' backs

pytestmark = pytest.mark.xdist_group("service")


@dataclass(frozen=True)
class Sent:
    """The service, and what was sent to it by C-STORE."""

    service: Service
    ct: list[Dataset]
    cine: Dataset
    report: Dataset

    @property
    def client(self) -> DICOMwebClient:
        return DICOMwebClient(f"{self.service.url}/dicom-web")


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sent]:
    ct = ct_series(slices=4, rows=64, columns=64)
    cine = us_cine(frames=3, rows=48, columns=64)
    report = measurement_report(ct)
    with Service(tmp_path_factory.mktemp("web") / "data") as service:
        for dataset in (*ct, cine, report):
            assert store(service.dimse_port, dataset).Status == 0
        yield Sent(service, ct, cine, report)


def eventually(look: Callable[[], Any]) -> Any:
    """What is found, as soon as there is something."""
    deadline = time.monotonic() + PATIENCE
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)
    return found


def uids(dataset: Dataset) -> tuple[str, str, str]:
    return dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID


def address(dataset: Dataset) -> str:
    return "/dicom-web/studies/{}/series/{}/instances/{}".format(*uids(dataset))


def as_kept(dataset: Dataset) -> Dataset:
    return dcmread(io.BytesIO(part10(dataset)))


def test_studies_series_and_instances_are_found(sent: Sent) -> None:
    study, series, _ = uids(sent.ct[0])
    [found] = sent.client.search_for_studies(search_filters={"StudyInstanceUID": study})
    assert found["00100010"]["Value"] == [{"Alphabetic": str(sent.ct[0].PatientName)}]
    assert found["00201208"]["Value"] == [5]
    modalities = [one["00080060"]["Value"][0] for one in sent.client.search_for_series(study)]
    assert sorted(modalities) == ["CT", "SR"]
    instances = sent.client.search_for_instances(study, series)
    assert [one["00080018"]["Value"][0] for one in instances] == [d.SOPInstanceUID for d in sent.ct]


def test_a_search_is_narrowed_and_paged(sent: Sent) -> None:
    by_modality = sent.client.search_for_studies(search_filters={"ModalitiesInStudy": "US"})
    assert [one["0020000D"]["Value"][0] for one in by_modality] == [sent.cine.StudyInstanceUID]
    assert sent.client.search_for_studies(search_filters={"PatientName": "NOBODY*"}) == []
    pages = [sent.client.search_for_instances(limit=2, offset=offset) for offset in (0, 2, 4)]
    assert [one for page in pages for one in page] == sent.client.search_for_instances()


def test_metadata_tell_the_whole_object(sent: Sent) -> None:
    study, series, instance = uids(sent.ct[1])
    [*all_of_series] = sent.client.retrieve_series_metadata(study, series)
    assert len(all_of_series) == 4
    one = sent.client.retrieve_instance_metadata(study, series, instance)
    assert one in all_of_series
    known = Dataset.from_json(one, lambda _: b"")
    for keyword in ("PatientName", "Rows", "PixelSpacing", "ImagePositionPatient", "RescaleIntercept"):
        assert known[keyword].value == sent.ct[1][keyword].value
    assert one["7FE00010"]["BulkDataURI"].endswith("/bulkdata/7FE00010")


def test_an_instance_comes_back_as_it_was_sent(sent: Sent) -> None:
    for dataset in (sent.ct[0], sent.report):
        assert sent.client.retrieve_instance(*uids(dataset)) == as_kept(dataset)
    study = sent.client.retrieve_study(sent.ct[0].StudyInstanceUID)
    assert {one.SOPInstanceUID for one in study} == {d.SOPInstanceUID for d in (*sent.ct, sent.report)}


def test_frames_come_back_as_they_were_sent(sent: Sent) -> None:
    [frame] = sent.client.retrieve_instance_frames(*uids(sent.ct[2]), frame_numbers=[1])
    assert frame == sent.ct[2].PixelData
    types = (("image/jpeg", sent.cine.file_meta.TransferSyntaxUID),)
    frames = sent.client.retrieve_instance_frames(*uids(sent.cine), frame_numbers=[1, 3], media_types=types)
    assert [Image.open(io.BytesIO(frame)).size for frame in frames] == [(64, 48)] * 2


@pytest.mark.parametrize(("media_type", "kind"), [("image/jpeg", "JPEG"), ("image/png", "PNG")])
def test_a_picture_is_drawn(media_type: str, kind: str, sent: Sent) -> None:
    content = sent.client.retrieve_instance_rendered(*uids(sent.ct[0]), media_types=(media_type,))
    picture = Image.open(io.BytesIO(content))
    assert (picture.format, picture.size) == (kind, (64, 64))
    assert np.ptp(np.asarray(picture)) > 100


def test_what_is_stored_over_the_web_is_found_by_all(sent: Sent) -> None:
    [dataset] = mr_series(slices=1, rows=32, columns=32)
    answer = sent.client.store_instances([as_kept(dataset)])
    [stored] = answer.ReferencedSOPSequence
    assert stored.ReferencedSOPInstanceUID == dataset.SOPInstanceUID
    assert sent.client.retrieve_instance(*uids(dataset)) == as_kept(dataset)
    studies = sent.client.search_for_studies(search_filters={"PatientID": dataset.PatientID})
    assert [one["0020000D"]["Value"][0] for one in studies] == [dataset.StudyInstanceUID]
    assert store(sent.service.dimse_port, dataset).Status == 0  # the very same once more


def test_the_old_address_by_parameters_works(sent: Sent) -> None:
    study, series, instance = uids(sent.ct[0])
    query = {"requestType": "WADO", "studyUID": study, "seriesUID": series, "objectUID": instance}
    url = f"{sent.service.url}/wado"
    picture = httpx.get(url, params=query)
    file = httpx.get(url, params=query | {"contentType": "application/dicom"})
    assert picture.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(picture.content)).size == (64, 64)
    assert file.headers["content-type"].startswith("application/dicom;")
    assert dcmread(io.BytesIO(file.content)) == as_kept(sent.ct[0])
    assert httpx.get(url, params=query | {"objectUID": "1.2.3"}).status_code == 404


def test_what_is_not_there_is_not_found(sent: Sent) -> None:
    for path in ("/studies/1.2.3/metadata", "/studies/1.2.3/series/1.2.4/instances/1.2.5"):
        assert sent.service.get(f"/dicom-web{path}").status_code == 404


def numbers(report: Dataset) -> list[tuple[str, float]]:
    """The code and value of each NUM item of a report (PS3.3 C.17.3)."""
    found = []
    for item in report.ContentSequence:
        if item.ValueType == "NUM":
            concept = item.ConceptNameCodeSequence[0].CodeValue
            found.append((concept, float(item.MeasuredValueSequence[0].NumericValue)))
        if "ContentSequence" in item:
            found += numbers(item)
    return sorted(found)


def observations(sent: Sent) -> list[dict[str, Any]]:
    path = f"/fhir/Observation?part-of=ImagingStudy/{sent.report.StudyInstanceUID}&_count=100"
    bundle = sent.service.get(path).json()
    return [entry["resource"] for entry in bundle.get("entry", [])]


def test_the_measurements_of_a_report_become_observations(sent: Sent) -> None:
    found = eventually(lambda: observations(sent))
    measured = [one for one in found if "valueQuantity" in one]
    told = sorted((one["code"]["coding"][0]["code"], one["valueQuantity"]["value"]) for one in measured)
    assert told == numbers(sent.report)
    assert {one["status"] for one in measured} == {"final"}
    assert {one["resourceType"] for one in found} == {"Observation"}


def test_links_between_resources_lead_somewhere(sent: Sent) -> None:
    found = eventually(lambda: observations(sent))
    references = {one["subject"]["reference"] for one in found if "reference" in one.get("subject", {})}
    references |= {part["reference"] for one in found for part in one["partOf"]}
    assert {reference.partition("/")[0] for reference in references} == {"Patient", "ImagingStudy"}
    for reference in references:
        answer = sent.service.get(f"/fhir/{reference}")
        assert answer.status_code == 200
        assert f"{answer.json()['resourceType']}/{answer.json()['id']}" == reference


def test_the_fhir_server_says_what_it_can_do(sent: Sent) -> None:
    answer = sent.service.get("/fhir/metadata")
    assert answer.headers["content-type"].startswith("application/fhir+json")
    statement = answer.json()
    assert (statement["resourceType"], statement["fhirVersion"]) == ("CapabilityStatement", "4.0.1")
    resources = statement["rest"][0]["resource"]
    offered = {one["type"] for one in resources if {"code": "search-type"} in one["interaction"]}
    assert {"Observation", "ImagingStudy", "Patient"} <= offered
    for resource in offered:
        assert sent.service.get(f"/fhir/{resource}").json()["resourceType"] == "Bundle"


def test_metadata_are_made_ahead_once_a_series_rests(sent: Sent) -> None:
    folder = sent.service.data / "derived" / "metadata"
    eventually(lambda: len([path for path in folder.rglob("*-*") if path.is_file()]) >= 3)
    study, series, _ = uids(sent.ct[0])
    assert len(sent.client.retrieve_series_metadata(study, series)) == 4


def test_thumbnails_are_made_ahead_once_a_series_rests(sent: Sent) -> None:
    derived = sent.service.data / "derived"
    eventually(lambda: [path for path, content in contents(derived, "*-*") if content[:2] == b"\xff\xd8"])
    study, series, _ = uids(sent.ct[0])
    answer = sent.service.get(f"/dicom-web/studies/{study}/series/{series}/thumbnail")
    assert Image.open(io.BytesIO(answer.content)).format == "JPEG"
