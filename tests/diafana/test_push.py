"""Sending to another FHIR server, and one object as it would be sent, with the real service and command."""

import json
import time
from pathlib import Path

import httpx
import pytest
from pydicom import Dataset

from testdata.ct import ct_series
from testdata.files import part10
from testdata.manifest import manifest
from testdata.measurement_report import measurement_report
from tests.diafana.commands import diafana
from tests.fhir_api.push.fhir_server import FhirServer
from tests.service import Service

pytestmark = pytest.mark.xdist_group("service")


@pytest.fixture(scope="module")
def study() -> list[Dataset]:
    series = ct_series(slices=3, rows=32, columns=32)
    return [*series, measurement_report(series)]


def pushing(data: Path, server: FhirServer, dry_run: bool = False) -> Service:
    return Service(
        data,
        "--workers",
        "1",
        DIAFANA_FHIR_PUSH=server.base,
        DIAFANA_FHIR_PUSH_DRY_RUN=str(dry_run),
        DIAFANA_REST_SECONDS="0.2",
    )


def keep(service: Service, datasets: list[Dataset]) -> None:
    for dataset in datasets:
        form = {"Content-Type": "application/dicom"}
        url = f"{service.url}/dicom-web/studies"
        httpx.post(url, content=part10(dataset), headers=form).raise_for_status()


def test_a_stored_study_is_sent_when_it_has_come_to_rest(tmp_path: Path, study: list[Dataset]) -> None:
    data = tmp_path / "data"
    with FhirServer() as server, pushing(data, server) as service:
        keep(service, study)
        server.wait_for("DocumentReference", 1)
        server.wait_for("ImagingStudy", 1)
        assert server.of_type("Observation")
        assert service.stop() == 0
    assert "Rossi" not in service.log.read_text()
    assert diafana("push", "list", "--data", data).out == ""


def test_a_dry_run_sends_nothing_and_what_it_went_through_is_sent_after_it(
    tmp_path: Path, study: list[Dataset]
) -> None:
    data = tmp_path / "data"
    with FhirServer() as server:
        with pushing(data, server, dry_run=True) as service:
            keep(service, study[:1])
            while "would be sent" not in service.log.read_text():
                time.sleep(0.05)
            assert service.stop() == 0
        assert server.requests == []
        with pushing(data, server) as service:
            server.wait_for("ImagingStudy", 1)
            assert service.stop() == 0
    assert list(data.glob("*dry-run*")) == []


def test_what_cannot_be_sent_is_listed_and_sent_when_asked(tmp_path: Path, study: list[Dataset]) -> None:
    data = tmp_path / "data"
    with FhirServer() as server:
        server.failures = [422] * 1000
        with pushing(data, server) as service:
            keep(service, study[:1])
            with server.changed:
                while not server.requests:
                    server.changed.wait(0.05)
            listed = diafana("push", "list", "--data", data).out
            while "answered with 422" not in listed:
                listed = diafana("push", "list", "--data", data).out
            assert study[0].StudyInstanceUID in listed
            assert diafana("push", "retry", "--data", data).out == "Studies that are sent again: 1.\n"
            server.failures = []
            diafana("push", "retry", "--data", data)  # of its own accord it may come much later
            server.wait_for("ImagingStudy", 1)


def test_one_report_as_it_would_be_sent(tmp_path: Path, study: list[Dataset]) -> None:
    file = tmp_path / "report.dcm"
    file.write_bytes(part10(study[-1]))
    done = diafana("fhir", file)
    bundle = json.loads(done.out)
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "transaction")
    kinds = {entry["resource"]["resourceType"] for entry in bundle["entry"]}
    assert {"Patient", "ImagingStudy", "DocumentReference", "Observation"} <= kinds
    assert "content items are in none" in done.err


def test_an_image_becomes_its_patient_and_study(tmp_path: Path, study: list[Dataset]) -> None:
    file = tmp_path / "image.dcm"
    file.write_bytes(part10(study[0]))
    entries = json.loads(diafana("fhir", file).out)["entry"]
    assert [entry["resource"]["resourceType"] for entry in entries] == ["Patient", "ImagingStudy"]
    assert entries[1]["resource"]["series"][0]["instance"][0]["uid"] == study[0].SOPInstanceUID


def test_a_manifest_becomes_its_document(tmp_path: Path, study: list[Dataset]) -> None:
    file = tmp_path / "manifest.dcm"
    file.write_bytes(part10(manifest([study[0]])))
    bundle = json.loads(diafana("fhir", file).out)
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "document")
    assert bundle["entry"][0]["resource"]["resourceType"] == "Composition"
    assert bundle["entry"][1]["resource"]["series"][0]["instance"][0]["uid"] == study[0].SOPInstanceUID


@pytest.mark.parametrize("content", [None, b"no DICOM"])
def test_what_is_no_object_is_said(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "some.dcm"
    if content is not None:
        file.write_bytes(content)
    done = diafana("fhir", file)
    assert (done.code, done.out) == (1, "")
    assert str(file) in done.err
