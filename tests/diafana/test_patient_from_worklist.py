"""From the worklist item to the right patient of the images, with the real service."""

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydicom import Dataset
from pydicom.uid import generate_uid

from hl7v2.mllp import END, START
from testdata.ct import ct_series
from testdata.files import part10, write_folder
from testdata.orders import orm
from testdata.procedure_steps import scheduled_step
from tests.diafana.commands import diafana
from tests.pacs.dimse.peer import store
from tests.service import Service

STEPS = "/dicom-web/modality-scheduled-procedure-steps"

pytestmark = pytest.mark.xdist_group("service")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    data = tmp_path_factory.mktemp("worklist") / "data"
    for title in ("SENDER", "STORESCU"):
        done = diafana("peer", "add", title, "127.0.0.1", "104", "--patient-from-worklist", "--data", data)
        assert done.code == 0, done.err
    assert "puts in patient from worklist" in diafana("peer", "show", "SENDER", "--data", data).out
    with Service(data, "--workers", "2", "--hl7-port", "0") as service:
        yield service


def typed(study: str, count: int = 1) -> list[Dataset]:
    """Images of a study, of a patient whom somebody has typed."""
    images = ct_series(slices=count, rows=16, columns=16)
    series = generate_uid()
    for image in images:
        image.StudyInstanceUID, image.SeriesInstanceUID = study, series
        image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        image.PatientName, image.PatientID, image.AccessionNumber = "Dalo^Nicolo", "4711", ""
        image.PatientBirthDate, image.PatientSex = "19810101", "O"
        image.SpecificCharacterSet = "ISO_IR 100"
    return images


def order(service: Service, message: bytes) -> None:
    (ready,) = [event for event in service.events() if event["event"] == "ready"]
    port: Any = ready["hl7"]
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(START + message + END)
        received = b""
        while END not in received:
            received += connection.recv(65536)
    assert b"MSA|AA|" in received


def study(service: Service, uid: str) -> Any:
    (found,) = service.get(f"/dicom-web/studies?StudyInstanceUID={uid}&includefield=all").json()
    return found


def patient_in_fhir(service: Service, uid: str) -> Any:
    url = f"/fhir/ImagingStudy?identifier=urn:oid:{uid}&_include=ImagingStudy:patient"
    entries = [one["resource"] for one in service.get(url).json()["entry"]]
    (patient,) = [one for one in entries if one["resourceType"] == "Patient"]
    return patient


@pytest.mark.needs("storescu")
def test_an_order_by_hl7_names_the_patient_of_the_images(service: Service, tmp_path: Path) -> None:
    uid = "2.999.77.1"  # of the order
    order(service, orm())
    files = write_folder(typed(uid, 3), tmp_path)
    command = ["storescu", "-aec", "DIAFANA", "127.0.0.1", str(service.dimse_port), *map(str, files)]
    for _ in range(2):
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    found = study(service, uid)
    assert found["00100010"]["Value"] == [{"Alphabetic": "D'Alò^Niccolò^Maria^Dott."}]
    assert (found["00100020"]["Value"], found["00100021"]["Value"]) == (["PZ4711"], ["OSP"])
    assert found["00201208"]["Value"] == [3]
    patient = patient_in_fhir(service, uid)
    assert (patient["name"][0]["family"], patient["birthDate"], patient["gender"]) == (
        "D'Alò",
        "1980-01-01",
        "male",
    )
    assert not list((service.data / "quarantine").glob("*.dcm"))


def test_so_does_a_step_over_the_web(service: Service) -> None:
    uid = generate_uid()
    body = scheduled_step(study=uid, patient_id="PZ1", name="Wałęsa^Lech")
    answer = httpx.post(
        f"{service.url}{STEPS}", json=body, headers={"Content-Type": "application/dicom+json"}
    )
    assert answer.status_code == 201, answer.text
    (image,) = typed(uid)
    for _ in range(2):  # PS3.4 B.4.1.3: who sent it is told that it was coerced
        assert store(service.dimse_port, image).Status == 0xB000
    url, head = f"{service.url}/dicom-web/studies", {"Content-Type": "application/dicom"}
    again = httpx.post(url, content=part10(image), headers=head)
    assert again.status_code == 202
    assert again.json()["00081199"]["Value"][0]["00081196"]["Value"] == [0xB000]
    assert study(service, uid)["00100010"]["Value"] == [{"Alphabetic": "Wałęsa^Lech"}]
    assert patient_in_fhir(service, uid)["name"][0]["family"] == "Wałęsa"
    (kept,) = service.get(f"/dicom-web/studies/{uid}/metadata").json()
    (item,) = kept["04000561"]["Value"]
    assert item["04000565"]["Value"] == ["CORRECT"]
    (old,) = item["04000550"]["Value"]
    assert (old["00100020"]["Value"], old["00100010"]["Value"]) == (["4711"], [{"Alphabetic": "Dalo^Nicolo"}])
    (right,) = typed(uid)
    right.PatientName, right.PatientID, right.SpecificCharacterSet = "Wałęsa^Lech", "PZ1", "ISO_IR 192"
    right.PatientBirthDate, right.PatientSex = "19580314", "F"
    assert store(service.dimse_port, right).Status == 0
