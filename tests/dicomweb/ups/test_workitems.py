"""Making, reading and changing work items over HTTP (PS3.18 11.4 to 11.8)."""

import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from dicomweb.data_set_body import MAX_BODY
from dicomweb.native_xml import native_xml
from testdata.workitems import dicom_json, discontinued, new_workitem, performed, state_change, without
from tests.dicomweb.ups.conftest import LOCK, MEDIA_TYPE, WorklistService, serving

UID = "2.999.39.7.7"
PATH = f"/workitems/{UID}"


@pytest.fixture
def scheduled(service: WorklistService) -> WorklistService:
    service.create(UID)
    return service


@pytest.fixture
def claimed(scheduled: WorklistService) -> WorklistService:
    assert scheduled.change_state(UID, "IN PROGRESS").status_code == 200
    return scheduled


def kept(service: WorklistService) -> dict[str, Any]:
    response = service.http.get(PATH, headers={"Accept": MEDIA_TYPE})
    assert (response.status_code, response.headers["content-type"]) == (200, MEDIA_TYPE)
    assert response.headers["content-location"] == f"{service.url}{PATH}"
    (workitem,) = response.json()
    assert isinstance(workitem, dict)
    return workitem


@pytest.mark.parametrize("query", [f"?{UID}", f"?workitem={UID}", f"?AffectedSOPInstanceUID={UID}", ""])
def test_a_work_item_is_made_and_found_where_it_is_said_to_be(service: WorklistService, query: str) -> None:
    given = new_workitem() if query else new_workitem(SOPInstanceUID=UID)
    response = service.post(f"/workitems{query}", given)
    assert (response.status_code, response.content) == (201, b"")
    assert response.headers["location"] == response.headers["content-location"] == f"{service.url}{PATH}"
    assert "warning" not in response.headers
    workitem = kept(service)
    assert workitem["00080018"]["Value"] == [UID]
    assert "00081195" not in workitem


def test_a_work_item_may_come_in_an_array(service: WorklistService) -> None:
    assert service.post("/workitems", [new_workitem()]).status_code == 201


def test_a_work_item_may_come_and_be_read_in_xml(service: WorklistService) -> None:
    headers = {"Content-Type": "application/dicom+xml"}
    created = service.http.post(f"/workitems?{UID}", content=native_xml(new_workitem()), headers=headers)
    assert created.status_code == 201, created.text
    read = service.http.get(PATH, headers={"Accept": 'multipart/related; type="application/dicom+xml"'})
    assert native_xml(kept(service)) in read.content


def test_a_uid_is_given_to_what_has_none(service: WorklistService) -> None:
    location = service.post("/workitems", new_workitem()).headers["location"]
    assert service.http.get(location).json()[0]["00080018"]["Value"] == [location.rsplit("/")[-1]]


def test_modifications_are_told(service: WorklistService) -> None:
    response = service.post("/workitems", new_workitem(WorklistLabel=None))
    modified = "The Workitem was created with modifications."
    assert response.headers["warning"] == f"299 {service.url}: {modified}"


def test_a_uid_is_taken_once(scheduled: WorklistService) -> None:
    assert scheduled.post(f"/workitems?{UID}", new_workitem()).status_code == 409


def test_a_work_item_that_lacks_something_is_refused_by_name(service: WorklistService) -> None:
    response = service.post(
        f"/workitems?{UID}", without(new_workitem(), "PatientName", "InputReadinessState")
    )
    assert response.status_code == 400
    assert response.json()["detail"] == "InputReadinessState is missing; PatientName is missing"
    assert service.http.get(PATH).status_code == 404


def test_a_scheduled_work_item_is_updated(scheduled: WorklistService) -> None:
    response = scheduled.post(PATH, dicom_json(ProcedureStepLabel="Altro"))
    assert (response.status_code, response.content) == (200, b"")
    assert kept(scheduled)["00741204"]["Value"] == ["Altro"]


@pytest.mark.parametrize("query", [f"?{LOCK}", f"?transaction-uid={LOCK}", f"?transactionUID={LOCK}"])
def test_a_claimed_work_item_is_updated_by_its_performer(claimed: WorklistService, query: str) -> None:
    change = dicom_json(ProcedureStepLabel="Altro")
    for wrong in ("", "?1.2.3"):
        response = claimed.post(f"{PATH}{wrong}", change)
        assert response.status_code == 400
        assert response.headers["warning"].endswith(": The target URI did not reference a claimed Workitem.")
    assert claimed.post(f"{PATH}{query}", change).status_code == 200
    assert kept(claimed)["00741204"]["Value"] == ["Altro"]
    assert LOCK not in str(kept(claimed))


def test_an_update_that_is_wrong_is_refused_by_name(claimed: WorklistService) -> None:
    response = claimed.post(f"{PATH}?{LOCK}", dicom_json(PatientName="Altro^Nome"))
    assert response.status_code == 400
    assert response.json()["detail"] == "PatientName is not allowed here"
    assert "inconsistent with the current state of the Workitem" in response.headers["warning"]


def test_a_scheduled_work_item_has_no_transaction_uid(scheduled: WorklistService) -> None:
    response = scheduled.post(f"{PATH}?{LOCK}", dicom_json(ProcedureStepLabel="Altro"))
    assert response.status_code == 409
    assert "did not reference a claimed Workitem" in response.headers["warning"]


def test_a_work_item_is_claimed_performed_and_completed(claimed: WorklistService) -> None:
    early = claimed.change_state(UID, "COMPLETED")
    assert early.status_code == 409
    assert "UnifiedProcedureStepPerformedProcedureSequence" in early.json()["detail"]
    assert claimed.post(f"{PATH}?{LOCK}", performed()).status_code == 200
    done = claimed.change_state(UID, "COMPLETED")
    assert (done.status_code, done.content, "warning" in done.headers) == (200, b"", False)
    again = claimed.change_state(UID, "COMPLETED")
    assert again.status_code == 200
    assert again.headers["warning"].endswith(": The UPS is already in the requested state of COMPLETED.")
    late = claimed.post(f"{PATH}?{LOCK}", performed())
    assert late.status_code == 400
    assert "inconsistent with the current state of the Workitem" in late.headers["warning"]
    assert claimed.change_state(UID, "CANCELED").status_code == 409


def test_a_performer_cancels(claimed: WorklistService) -> None:
    assert claimed.change_state(UID, "CANCELED").status_code == 409
    assert claimed.post(f"{PATH}?{LOCK}", discontinued()).status_code == 200
    assert claimed.change_state(UID, "CANCELED").status_code == 200
    again = claimed.change_state(UID, "CANCELED")
    assert "already in the requested state of CANCELED." in again.headers["warning"]
    assert kept(claimed)["00741000"]["Value"] == ["CANCELED"]


@pytest.mark.parametrize(
    ("state", "transaction_uid", "status", "text"),
    [
        ("IN PROGRESS", "", 400, "The Transaction UID is missing."),
        ("COMPLETED", "", 400, "The Transaction UID is missing."),
        ("COMPLETED", LOCK, 409, "The submitted request is inconsistent with the state of the UPS Instance."),
        ("SCHEDULED", LOCK, 400, "The submitted request is inconsistent with the state of the UPS Instance."),
        ("DONE", LOCK, 400, "The submitted request is inconsistent with the state of the UPS Instance."),
        ("", LOCK, 400, "The submitted request is inconsistent with the state of the UPS Instance."),
        (
            "IN PROGRESS",
            "../x",
            400,
            "The submitted request is inconsistent with the state of the UPS Instance.",
        ),
    ],
)
def test_a_change_of_state_is_refused_in_the_words_of_the_standard(
    scheduled: WorklistService, state: str, transaction_uid: str, status: int, text: str
) -> None:
    response = scheduled.change_state(UID, state, transaction_uid)
    assert response.status_code == status
    assert response.headers["warning"].endswith(f": {text}")
    assert kept(scheduled)["00741000"]["Value"] == ["SCHEDULED"]


def test_what_another_has_claimed_is_claimed_by_nobody_else(claimed: WorklistService) -> None:
    response = claimed.change_state(UID, "IN PROGRESS", "2.999.1")
    assert response.status_code == 400
    assert response.headers["warning"].endswith(": The Transaction UID is incorrect.")
    assert claimed.change_state(UID, "IN PROGRESS").status_code == 409


def test_what_nobody_has_claimed_is_canceled_on_request(scheduled: WorklistService) -> None:
    response = scheduled.post(f"{PATH}/cancelrequest", dicom_json(ReasonForCancellation="doppione"))
    assert (response.status_code, response.content) == (202, b"")
    assert kept(scheduled)["00741000"]["Value"] == ["CANCELED"]
    again = scheduled.http.post(f"{PATH}/cancelrequest")
    assert again.status_code == 202
    assert "already in the requested state of CANCELED." in again.headers["warning"]


def test_a_request_to_cancel_reaches_nobody_or_comes_too_late(claimed: WorklistService) -> None:
    response = claimed.http.post(f"{PATH}/cancelrequest")
    assert response.status_code == 409
    assert response.headers["warning"].endswith(": The performer cannot be contacted.")
    claimed.post(f"{PATH}?{LOCK}", performed())
    claimed.change_state(UID, "COMPLETED")
    response = claimed.http.post(f"{PATH}/cancelrequest")
    assert response.status_code == 409
    assert response.headers["warning"].endswith(": The UPS is already COMPLETED.")


def test_what_is_not_there_is_not_found(service: WorklistService) -> None:
    assert service.http.get(PATH).status_code == 404
    assert service.post(PATH, {}).status_code == 404
    assert service.change_state(UID, "IN PROGRESS").status_code == 404
    assert service.http.post(f"{PATH}/cancelrequest").status_code == 404


def test_every_refused_update_and_change_of_state_has_a_warning(scheduled: WorklistService) -> None:
    """PS3.18 11.6.3.2 and 11.7.3.2."""
    update = "The submitted request is inconsistent with the current state of the Workitem."
    change = "The submitted request is inconsistent with the state of the UPS Instance."
    unknown = "The target URI did not reference a claimed Workitem."
    post, put, octets = scheduled.http.post, scheduled.http.put, {"Content-Type": "application/octet-stream"}
    for answer, status, text in (
        (scheduled.post("/workitems/2.999.404", {}), 404, unknown),
        (scheduled.post("/workitems/x", {}), 400, update),
        (scheduled.post(f"{PATH}?transaction-uid=x", {}), 400, update),
        (post(PATH, content=b"{}", headers=octets), 415, update),
        (scheduled.change_state("2.999.404", "IN PROGRESS"), 404, change),
        (scheduled.change_state("x", "IN PROGRESS"), 400, change),
        (put(f"{PATH}/state", content=b"{}", headers=octets), 415, change),
    ):
        assert answer.status_code == status, answer.text
        assert answer.headers["warning"] == f"299 {scheduled.url}: {text}"


def test_what_was_removed_after_its_end_is_gone(tmp_path: Path) -> None:
    """PS3.18 Tables 8.5-1, 11.5.3-1, 11.6.3-1 and 11.7.3-1."""
    with serving(tmp_path, days_kept=1e-9) as service:
        for uid in (UID, "2.999.1"):
            service.create(uid)
            assert service.post(f"/workitems/{uid}/cancelrequest").status_code == 202
        for answer in (
            service.http.get(PATH),
            service.post(PATH, {}),
            service.change_state(UID, "IN PROGRESS"),
            service.http.post(f"{PATH}/cancelrequest"),
            service.http.post(f"{PATH}/subscribers/WATCHER"),
        ):
            assert (answer.status_code, answer.json()["error"]) == (410, "WorkitemGone")
        assert service.http.get(f"/workitems?SOPInstanceUID={UID}").status_code == 204
        service.create(UID)
        assert service.http.get(PATH).status_code == 200


@pytest.mark.parametrize("uid", ["abc", "1.2.x", "1" * 65, "..%2F..%2Fx", "%00", "1.2%20", "é"])
def test_what_is_no_uid_is_refused(service: WorklistService, uid: str) -> None:
    assert service.http.get(f"/workitems/{uid}").status_code in (400, 404)
    assert service.post(f"/workitems?{uid}", new_workitem()).status_code == 400
    assert service.post(f"/workitems/{uid}", {}).status_code in (400, 404)
    assert service.http.get("/workitems").status_code == 204


DEEP = b'{"0040A730":{"vr":"SQ","Value":[' * 5000 + b"{}" + b"]}}" * 5000


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"null", 400),
        (b"[]", 400),
        (b'{"00100010": 7}', 400),
        (b"[" * 200_000, 400),
        (DEEP, 400),
        (b" " * (MAX_BODY + 1), 413),
    ],
)
@pytest.mark.parametrize("path", ["/workitems", PATH, f"{PATH}/cancelrequest"])
def test_a_body_that_is_none_is_refused(
    scheduled: WorklistService, path: str, content: bytes, status: int
) -> None:
    if not content and path.endswith("cancelrequest"):
        return  # there it may be left out
    response = scheduled.http.post(path, content=content, headers={"Content-Type": MEDIA_TYPE})
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    assert kept(scheduled)["00741000"]["Value"] == ["SCHEDULED"]


@pytest.mark.parametrize(
    "headers",
    [{"Content-Type": "application/dicom"}, {}, {"Content-Type": MEDIA_TYPE, "Content-Encoding": "gzip"}],
)
def test_a_body_in_another_form_is_refused(service: WorklistService, headers: dict[str, str]) -> None:
    response = service.http.post("/workitems", content=orjson.dumps(new_workitem()), headers=headers)
    assert response.status_code == 415


def test_a_body_may_come_in_chunks_without_its_length(service: WorklistService) -> None:
    content = orjson.dumps(new_workitem())
    chunks = (content[start : start + 100] for start in range(0, len(content), 100))
    response = service.http.post(f"/workitems?{UID}", content=chunks, headers={"Content-Type": MEDIA_TYPE})
    assert response.status_code == 201


def test_other_forms_of_answers_are_not_on_offer(scheduled: WorklistService) -> None:
    assert scheduled.http.get(PATH, headers={"Accept": "image/jpeg"}).status_code == 406


def test_no_refusal_quotes_a_value(scheduled: WorklistService) -> None:
    secret = re.compile("Segretissima|IDSEGRETO")
    for values in ({"PatientBirthDate": "Segretissima"}, {"InputReadinessState": "IDSEGRETO"}):
        response = scheduled.post("/workitems", new_workitem(**values))
        assert response.status_code == 400
        assert not secret.search(response.text + str(response.headers))
    response = scheduled.put(f"{PATH}/state", state_change("Segretissima", "IDSEGRETO"))
    assert not secret.search(response.text + str(response.headers))
