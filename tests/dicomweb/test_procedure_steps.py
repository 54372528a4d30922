"""The modality workflow over real HTTP (PS3.18 14 and 15)."""

from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from pydicom import Dataset

from testdata.procedure_steps import STUDY, begun_step, elements, ended_step, scheduled_step
from tests.service import Service

SCHEDULED = "/dicom-web/modality-scheduled-procedure-steps"
PERFORMED = "/dicom-web/modality-performed-procedure-steps"
UID = "2.999.15.1"
JSON = "application/dicom+json"

pytestmark = pytest.mark.xdist_group("service")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Service(tmp_path_factory.mktemp("steps") / "data", "--workers", "2") as service:
        yield service


def send(service: Service, method: str, path: str, data_set: Any, form: str = JSON) -> httpx.Response:
    content = data_set if isinstance(data_set, bytes) else orjson.dumps(data_set)
    return httpx.request(method, service.url + path, content=content, headers={"Content-Type": form})


def ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code in (200, 204), answer.text
    found = answer.json() if answer.content else []
    return [one["00400100"]["Value"][0]["00400009"]["Value"][0] for one in found]


def test_a_step_goes_from_the_order_to_its_end(service: Service) -> None:
    """14.4 and 15.4 to 15.6, with what is ours between them."""
    study = "2.999.14.2"
    made = send(service, "POST", SCHEDULED, scheduled_step("SPS 7/a", study=study, station="XA7"))
    assert made.status_code == 201, made.text
    assert made.headers["location"] == f"{service.url}{SCHEDULED}/{study}/SPS%207%2Fa"
    step = send(service, "POST", SCHEDULED, scheduled_step("SPS7", study=study, station="XA7"))
    assert httpx.get(step.headers["location"]).json()["00100020"]["Value"] == ["P1"]
    wanted = f"{SCHEDULED}?ScheduledProcedureStepSequence.ScheduledStationAETitle=XA7"
    assert ids(service.get(wanted)) == ["SPS 7/a", "SPS7"]
    begun = send(service, "POST", f"{PERFORMED}/{UID}", begun_step((study, "SPS7")))
    assert (begun.status_code, begun.headers["location"]) == (201, f"{service.url}{PERFORMED}/{UID}")
    assert send(service, "POST", f"{PERFORMED}/{UID}", begun_step((study, "SPS7"))).status_code == 409
    ended = send(service, "POST", f"{PERFORMED}/{UID}?update", ended_step())
    assert ended.status_code == 200, ended.text
    kept = service.get(f"{PERFORMED}/{UID}").json()
    assert kept["00400252"]["Value"] == ["COMPLETED"]
    assert ids(service.get(wanted)) == ["SPS 7/a"]
    late = send(service, "POST", f"{PERFORMED}/{UID}?update", ended_step("DISCONTINUED"))
    assert (late.status_code, "no longer be updated" in late.json()["detail"]) == (409, True)


def test_of_a_performed_step_is_given_what_is_asked_for(service: Service) -> None:
    """15.6.1.2."""
    path = f"{PERFORMED}/2.999.15.6"
    assert send(service, "POST", path, begun_step()).status_code == 201
    whole = service.get(path).json()
    assert {"00080018", "00100010", "00400252"} <= whole.keys()
    assert service.get(f"{path}?includefield=all").json() == whole
    some = service.get(f"{path}?includefield=PatientName,00400252&includefield=Occupation")
    assert list(some.json()) == ["00080005", "00100010", "00400252"]
    unknown = service.get(f"{path}?includefield=Nonsense")
    assert (unknown.json(), "Nonsense is no attribute" in unknown.headers["warning"]) == (whole, True)


def test_performed_steps_are_found_by_their_study_and_series(service: Service) -> None:
    """The standard has no search for them."""
    study, uid = "2.999.14.77", "2.999.15.77"
    assert send(service, "POST", f"{PERFORMED}/{uid}", begun_step((study, "SPS1"))).status_code == 201
    assert send(service, "POST", f"{PERFORMED}/{uid}?update", ended_step()).status_code == 200
    of_study = f"{PERFORMED}?ScheduledStepAttributesSequence.StudyInstanceUID={study}"
    (found,) = service.get(of_study).json()
    assert (found["00080018"]["Value"], found["00400252"]["Value"]) == ([uid], ["COMPLETED"])
    assert "00400340" not in found
    (found,) = service.get(f"{of_study}&includefield=PerformedSeriesSequence").json()
    (series,) = found["00400340"]["Value"]
    assert series["0020000E"]["Value"] == [f"{STUDY}.1"]
    none = f"{PERFORMED}?PerformedSeriesSequence.SeriesInstanceUID=2.999.404"
    assert service.get(none).status_code == 204


def test_answers_have_what_always_is_in_them(service: Service) -> None:
    """Return Key Types of Table K.6-1; of type 3 is what is asked for."""
    given = scheduled_step("T1", PatientSize=1.6, OtherPatientIDsSequence=[elements(PatientID="X1")])
    assert send(service, "PUT", f"{SCHEDULED}/{STUDY}/T1", given).status_code == 201
    wanted = f"{SCHEDULED}?ScheduledProcedureStepSequence.ScheduledProcedureStepID=T1"
    (found,) = service.get(wanted).json()
    assert found["00321032"] == {"vr": "PN"}
    assert not {"00101020", "00101002"} & found.keys()
    (found,) = service.get(f"{wanted}&includefield=PatientSize,OtherPatientIDsSequence").json()
    assert found["00101020"]["Value"] == [1.6]
    assert found["00101002"]["Value"] == [{"00100020": {"vr": "LO", "Value": ["X1"]}}]


def test_answers_come_in_every_form(service: Service) -> None:
    """Table 14.1.3-1."""
    send(service, "PUT", f"{SCHEDULED}/{STUDY}/F1", scheduled_step("F1", modality="US"))
    asked = f"{service.url}{SCHEDULED}?ScheduledProcedureStepID=F1&Modality=US"
    asked = asked.replace("Scheduled", "ScheduledProcedureStepSequence.Scheduled", 1)
    for accept, form in (
        (JSON, JSON),
        ("application/json", "application/json"),
        ("application/dicom+xml", "application/dicom+xml"),
        ('multipart/related; type="application/dicom+xml"', "multipart/related"),
        ('multipart/related; type="application/dicom+json"', "multipart/related"),
    ):
        answer = httpx.get(asked, headers={"Accept": accept})
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith(form)
        assert b"F1" in answer.content
    one = httpx.get(f"{service.url}{SCHEDULED}/{STUDY}/F1", headers={"Accept": "application/dicom+xml"})
    assert one.headers["content-type"] == "application/dicom+xml"
    assert httpx.get(asked, headers={"Accept": "text/html"}).status_code == 406


def test_several_steps_are_one_part_in_json_and_no_document_in_xml(service: Service) -> None:
    """Table 14.1.3-1, F.2 and PS3.19 A.1."""
    for name in ("M1", "M2"):
        send(service, "PUT", f"{SCHEDULED}/{STUDY}/{name}", scheduled_step(name, modality="MG"))
    asked = f"{service.url}{SCHEDULED}?ScheduledProcedureStepSequence.Modality=MG"
    answer = httpx.get(asked, headers={"Accept": 'multipart/related; type="application/dicom+json"'})
    head = f"Content-Type: {answer.headers['content-type']}\r\n\r\n".encode()
    (part,) = message_from_bytes(head + answer.content, policy=default).iter_parts()
    assert part.get_content_type() == JSON
    steps = orjson.loads(part.get_content())
    assert [step["00400100"]["Value"][0]["00400009"]["Value"] for step in steps] == [["M1"], ["M2"]]
    refused = httpx.get(asked, headers={"Accept": "application/dicom+xml"})
    assert (refused.status_code, "2 results" in refused.json()["detail"]) == (406, True)
    for other in (
        'multipart/related; type="application/dicom+xml"',
        'multipart/related; type="application/dicom+xml";q=0.5',
        f"{JSON};q=0.1",
    ):
        answer = httpx.get(asked, headers={"Accept": f"application/dicom+xml, {other}"})
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith(other.partition(";")[0])


def test_bodies_may_be_xml(service: Service) -> None:
    given = Dataset.from_json(scheduled_step("X1"))
    given.PatientName = "Yamada^Tarou=山田^太郎"
    body = _native_xml(given)
    answer = send(service, "PUT", f"{SCHEDULED}/{STUDY}/X1", body, "application/dicom+xml")
    assert answer.status_code == 201, answer.text
    assert ids(service.get(f"{SCHEDULED}?PatientName=山田*")) == ["X1"]


def _native_xml(dataset: Dataset) -> bytes:
    from dicomweb.native_xml import native_xml

    return native_xml(dataset.to_json_dict())


def test_steps_are_replaced_and_removed(service: Service) -> None:
    path = f"{SCHEDULED}/{STUDY}/R1"
    assert send(service, "PUT", path, scheduled_step("R1")).status_code == 201
    assert send(service, "PUT", path, scheduled_step("R1", station="CT9")).status_code == 204
    assert service.get(path).json()["00400100"]["Value"][0]["00400001"]["Value"] == ["CT9"]
    assert httpx.delete(service.url + path).status_code == 204
    assert httpx.delete(service.url + path).status_code == 404
    assert service.get(path).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "data_set", "status", "named"),
    [
        ("POST", SCHEDULED, elements(PatientName="Rossi^Maria"), 400, "ScheduledProcedureStepSequence"),
        ("POST", SCHEDULED, scheduled_step("BAD", date="soon"), 400, "ScheduledProcedureStepStartDate"),
        ("POST", SCHEDULED, b"{", 400, ""),
        ("POST", f"{PERFORMED}/{UID}?update", elements(SOPInstanceUID="1.2"), 400, "not that of the request"),
        ("PUT", f"{SCHEDULED}/{STUDY}/{'9' * 17}", scheduled_step(), 400, "step"),
        ("PUT", f"{SCHEDULED}/x/S", scheduled_step(), 400, "study"),
        ("POST", f"{PERFORMED}/2.999.15.9", ended_step(), 400, "PerformedProcedureStepID is missing"),
        ("POST", f"{PERFORMED}/2.999.15.9?update", ended_step(), 404, ""),
        ("POST", f"{PERFORMED}/x", begun_step(), 400, "mpps"),
    ],
)
def test_what_is_wrong_is_named(
    service: Service, method: str, path: str, data_set: Any, status: int, named: str
) -> None:
    answer = send(service, method, path, data_set)
    assert (answer.status_code, named in answer.json()["detail"]) == (status, True), answer.text


def test_steps_outlive_kill_9_and_a_new_index(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with Service(data, "--workers", "2") as service:
        assert send(service, "PUT", f"{SCHEDULED}/{STUDY}/K1", scheduled_step("K1")).status_code == 201
        assert send(service, "POST", f"{PERFORMED}/{UID}", begun_step((STUDY, "K1"))).status_code == 201
        service.kill()
    with Service(data, "--workers", "2") as service:
        assert ids(service.get(SCHEDULED)) == ["K1"]
        assert send(service, "POST", f"{PERFORMED}/{UID}?update", ended_step()).status_code == 200
        assert ids(service.get(SCHEDULED)) == []
