"""The Storage Commitment Service (PS3.18 13): what is safe, what is not, and why."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest
from pydicom import Dataset

from dicomweb import commitment
from dicomweb.native_xml import native_xml
from testdata.ct import ct_series
from testdata.mr import mr_series
from tests.dicomweb.conftest import Service
from tests.pacs.objects import file_of

TRANSACTION = "2.999.1.1"
PATH = f"/commitment-requests/{TRANSACTION}"
JSON = "application/dicom+json"
NO_SUCH, CONFLICT, PROCESSING = 0x0112, 0x0119, 0x0110


def ui(uid: str) -> dict[str, Any]:
    return {"vr": "UI", "Value": [uid]}


def sq(*items: Any) -> dict[str, Any]:
    return {"vr": "SQ", "Value": list(items)}


def reference(dataset: Dataset, **others: Any) -> dict[str, Any]:
    return {"00081150": ui(dataset.SOPClassUID), "00081155": ui(dataset.SOPInstanceUID), **others}


def ask(service: Service, data_set: Any, path: str = PATH, media_type: str = JSON) -> httpx.Response:
    content = data_set if isinstance(data_set, bytes) else json.dumps(data_set)
    return service.http.post(path, content=content, headers={"Content-Type": media_type, "Accept": JSON})


def failures(response: httpx.Response) -> dict[str, int]:
    items = response.json().get("00081198", {}).get("Value", [])
    return {item["00081155"]["Value"][0]: item["00081197"]["Value"][0] for item in items}


@pytest.fixture
def ct(service: Service) -> list[Dataset]:
    series = ct_series(slices=4, rows=16, columns=16)
    service.keep(*series)
    return series


def test_what_is_stored_is_committed(service: Service, ct: list[Dataset]) -> None:
    response = ask(service, {"00081199": sq(*map(reference, ct))})
    assert (response.status_code, response.headers["content-type"]) == (200, JSON)
    assert response.json() == {"00081199": sq(*map(reference, ct))}
    again = service.http.get(PATH, headers={"Accept": JSON})
    assert (again.status_code, again.json()) == (200, response.json())


def test_what_is_not_safe_is_named_with_its_reason(
    service: Service, ct: list[Dataset], tmp_path: Path
) -> None:
    (elsewhere,) = mr_series(slices=1, rows=16, columns=16)
    changed, lost, other, sound = ct
    file = file_of(tmp_path, changed)
    file.chmod(0o600)
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    file_of(tmp_path, lost).unlink()
    wrong_class = reference(other) | {"00081150": ui(elsewhere.SOPClassUID)}
    wanted = [reference(changed), reference(lost), wrong_class, reference(sound), reference(elsewhere)]
    response = ask(service, {"00081199": sq(*wanted)})
    assert response.status_code == 200
    assert response.json()["00081199"] == sq(reference(sound))
    assert failures(response) == {
        changed.SOPInstanceUID: PROCESSING,
        lost.SOPInstanceUID: PROCESSING,
        other.SOPInstanceUID: CONFLICT,
        elsewhere.SOPInstanceUID: NO_SUCH,
    }


def placed(study: str, series: str, sop_class: str, *uids: str) -> dict[str, Any]:
    instances = sq(*({"00081155": ui(uid)} for uid in uids))
    by_class = sq({"00081150": ui(sop_class), "0008114A": instances})
    in_series = sq({"0020000E": ui(series), "00081112": by_class})
    return {"0020000D": ui(study), "00081115": in_series}


def test_instances_may_be_named_in_their_studies(service: Service, ct: list[Dataset]) -> None:
    one = ct[0]
    uids = [dataset.SOPInstanceUID for dataset in ct]
    sound = placed(one.StudyInstanceUID, one.SeriesInstanceUID, one.SOPClassUID, *uids)
    elsewhere = placed("2.999.5", one.SeriesInstanceUID, one.SOPClassUID, uids[0])
    answer = ask(service, {"00081110": sq(sound, elsewhere)}).json()
    assert answer["00081110"] == sq(sound)
    (study,) = answer["0008119B"]["Value"]
    failed = study["00081115"]["Value"][0]["00081112"]["Value"][0]["0008114A"]["Value"]
    assert study["0020000D"] == ui("2.999.5")
    assert failed == [{"00081155": ui(uids[0]), "00081197": {"vr": "US", "Value": [NO_SUCH]}}]


def test_what_was_deleted_is_not_committed(service: Service, ct: list[Dataset]) -> None:
    assert service.http.delete(f"/studies/{ct[0].StudyInstanceUID}").status_code == 204
    response = ask(service, {"00081199": sq(reference(ct[0]))})
    assert failures(response) == {ct[0].SOPInstanceUID: NO_SUCH}


def test_a_transaction_is_used_once(service: Service, ct: list[Dataset]) -> None:
    wanted = {"00081199": sq(reference(ct[0]))}
    assert ask(service, wanted).status_code == 200
    response = ask(service, wanted)
    assert response.status_code == 409
    assert "transaction" in response.json()["detail"]
    assert ask(service, wanted, "/commitment-requests/2.999.1.2").status_code == 200


def test_request_and_answer_may_be_xml(service: Service, ct: list[Dataset]) -> None:
    media_type = "application/dicom+xml"
    headers = {"Content-Type": media_type, "Accept": media_type}
    body = native_xml({"00081199": sq(reference(ct[0]))})
    response = service.http.post(PATH, content=body, headers=headers)
    assert (response.status_code, response.headers["content-type"]) == (200, media_type)
    told = {e.text for e in ElementTree.fromstring(response.content).iter() if e.tag.endswith("}Value")}
    assert ct[0].SOPInstanceUID in told


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"{", JSON, 400),
        (b"[]", JSON, 400),
        (b"{}", JSON, 400),
        (b'{"00081199": {"vr": "SQ", "Value": [{}]}}', JSON, 400),
        (b'{"00081199": {"vr": "SQ", "Value": [{"00081155": {"vr": "UI", "Value": ["../x"]}}]}}', JSON, 400),
        (b'{"00081199": {"vr": "CS", "Value": ["x"]}}', JSON, 400),
        (b"<x/>", "application/dicom+xml", 400),
        (b"{}", "text/plain", 415),
        (b"", JSON, 400),
    ],
)
def test_what_is_no_request_is_refused(
    service: Service, content: bytes, media_type: str, status: int
) -> None:
    response = ask(service, content, media_type=media_type)
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    assert service.http.get(PATH).status_code == 404


def test_a_request_is_bounded(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    (one,) = ct_series(slices=1, rows=8, columns=8)
    monkeypatch.setattr(commitment, "MOST_INSTANCES", 2)
    response = ask(service, {"00081199": sq(*[reference(one)] * 3)})
    assert (response.status_code, "more than 2" in response.json()["detail"]) == (400, True)
    monkeypatch.setattr(commitment, "MOST_BYTES", 10)
    assert ask(service, {"00081199": sq(reference(one))}).status_code == 413


@pytest.mark.parametrize("uid", ["x", "..%2F..", "1" * 65])
def test_what_is_no_transaction_uid_is_a_bad_request(service: Service, uid: str) -> None:
    for method in ("GET", "POST"):
        assert service.http.request(method, f"/commitment-requests/{uid}").status_code in (400, 404)
