import gzip
import resource
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import httpx
import pytest

from dicomweb.stow import BATCH
from testdata.broken import BROKEN
from testdata.ct import ct_series
from testdata.files import part10
from testdata.us import us_cine
from tests.dicomweb.conftest import Library, Service
from tests.waiting import wait_until

BOUNDARY = "DICOM DATA BOUNDARY"
MULTIPART = f'multipart/related; type="application/dicom"; boundary="{BOUNDARY}"'


def body(*files: bytes, end: bytes = b"\r\n") -> bytes:
    head = b"--" + BOUNDARY.encode() + end + b"Content-Type: application/dicom" + end + end
    return b"".join(head + file + end for file in files) + b"--" + BOUNDARY.encode() + b"--" + end


def send(
    service: Service, *files: bytes, path: str = "/studies", content_type: str = MULTIPART
) -> httpx.Response:
    return service.http.post(path, content=body(*files), headers={"Content-Type": content_type})


def stored(service: Service) -> set[str]:
    return {one["00080018"]["Value"][0] for one in service.http.get("/instances").json()}


def files_of(folder: Path) -> list[Path]:
    return [path for path in (folder / "objects").rglob("*") if path.is_file()]


def failures(response: httpx.Response) -> list[int]:
    answer: dict[str, Any] = response.json()
    items = answer.get("00081198", {}).get("Value", []) + answer.get("0008119A", {}).get("Value", [])
    return [item["00081197"]["Value"][0] for item in items]


def test_all_are_stored_and_referenced(service: Service) -> None:
    slices = ct_series(slices=3, rows=32, columns=32)
    response = send(service, *(part10(d) for d in slices))
    assert (response.status_code, response.headers["content-type"]) == (200, "application/dicom+json")
    answer = response.json()
    assert set(answer) == {"00081190", "00081199"}
    assert answer["00081190"] == {
        "vr": "UR",
        "Value": [f"{service.url}/studies/{slices[0].StudyInstanceUID}"],
    }
    for dataset, item in zip(slices, answer["00081199"]["Value"], strict=True):
        assert item["00081150"]["Value"] == [dataset.SOPClassUID]
        assert item["00081155"]["Value"] == [dataset.SOPInstanceUID]
        assert item["00081190"]["Value"] == [service.url + Library.path(dataset)]
    assert stored(service) == {d.SOPInstanceUID for d in slices}


def test_a_bare_object_is_stored(service: Service) -> None:
    dataset = us_cine(frames=2, rows=32, columns=32)
    headers = {"Content-Type": "application/dicom"}
    response = service.http.post("/studies", content=part10(dataset), headers=headers)
    assert response.status_code == 200
    assert stored(service) == {dataset.SOPInstanceUID}


def test_what_is_stored_already_is_a_success(service: Service) -> None:
    (dataset,) = ct_series(slices=1, rows=32, columns=32)
    assert send(service, part10(dataset)).status_code == 200
    assert send(service, part10(dataset), part10(dataset)).status_code == 200
    assert len(service.http.get("/instances").json()) == 1


def test_other_content_under_the_same_uid_is_a_conflict(service: Service) -> None:
    (dataset,) = ct_series(slices=1, rows=32, columns=32)
    send(service, part10(dataset))
    dataset.PixelData = bytes(len(dataset.PixelData))
    response = send(service, part10(dataset))
    assert (response.status_code, failures(response)) == (409, [0x0111])


def test_one_that_fails_does_not_fail_the_others(service: Service) -> None:
    first, second = (part10(d) for d in ct_series(slices=2, rows=32, columns=32))
    response = send(service, first, b"no DICOM", BROKEN["uid_too_long"].data, second)
    assert response.status_code == 202
    answer = response.json()
    assert len(answer["00081199"]["Value"]) == 2
    (named,) = answer["00081198"]["Value"]
    assert named["00081197"]["Value"] == [0x0117]
    (unnamed,) = answer["0008119A"]["Value"]
    assert unnamed["00081197"] == {"vr": "US", "Value": [0xC000]}
    assert "not a DICOM Part 10 file" in unnamed["00000902"]["Value"][0]
    assert len(stored(service)) == 2


def test_an_object_of_another_study_is_refused(service: Service) -> None:
    (dataset,) = ct_series(slices=1, rows=32, columns=32)
    response = send(service, part10(dataset), path="/studies/1.2.3")
    assert (response.status_code, failures(response)) == (409, [0xA900])
    response = send(service, part10(dataset), path=f"/studies/{dataset.StudyInstanceUID}")
    assert response.status_code == 200


@pytest.mark.parametrize("name", [name for name, broken in BROKEN.items() if not broken.accepted])
def test_broken_objects_are_refused_and_leave_no_trace(service: Service, tmp_path: Path, name: str) -> None:
    response = send(service, BROKEN[name].data)
    assert response.status_code in (400, 409), response.text
    assert len(failures(response)) == 1
    assert "00081199" not in response.json()
    assert stored(service) == set()
    assert files_of(tmp_path) == []


def test_odd_objects_are_stored(service: Service) -> None:
    accepted = [broken.data for broken in BROKEN.values() if broken.accepted]
    response = send(service, *accepted)
    assert (response.status_code, failures(response)) == (200, [])
    assert len(stored(service)) == len(accepted)


def test_an_unknown_transfer_syntax_has_a_reason_of_its_own(service: Service) -> None:
    assert failures(send(service, BROKEN["unknown_transfer_syntax"].data)) == [0xC122]


def test_bodies_are_read_liberally(service: Service) -> None:
    slices = [part10(d) for d in ct_series(slices=4, rows=32, columns=32)]
    plain = BOUNDARY.replace(" ", "")
    for file, content_type, content in (
        (slices[0], f'multipart/related; boundary="{BOUNDARY}"', body(slices[0])),
        (slices[1], f"multipart/related; type=application/dicom; boundary={plain}", body(slices[1])),
        (slices[2], MULTIPART, body(slices[2], end=b"\n")),
        (slices[3], MULTIPART, body(slices[3])[:-2]),
    ):
        sent = content.replace(BOUNDARY.encode(), plain.encode()) if f"={plain}" in content_type else content
        response = service.http.post("/studies", content=sent, headers={"Content-Type": content_type})
        assert response.status_code == 200, content_type
        assert file in sent
    assert len(stored(service)) == 4


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 415),
        ("", 415),
        ("nonsense", 415),
        (f'multipart/form-data; boundary="{BOUNDARY}"', 415),
        (f'multipart/related; type="text/csv"; boundary="{BOUNDARY}"', 415),
        ("multipart/related; type=application/dicom", 400),
        (f"multipart/related; boundary={'x' * 500}", 400),
        ("multipart/related; boundary=other", 400),
    ],
)
def test_other_bodies_are_refused(service: Service, content_type: str, status: int) -> None:
    (dataset,) = ct_series(slices=1, rows=8, columns=8)
    response = send(service, part10(dataset), content_type=content_type)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert stored(service) == set()


def test_a_compressed_body_is_refused(service: Service) -> None:
    headers = {"Content-Type": MULTIPART, "Content-Encoding": "gzip"}
    response = service.http.post("/studies", content=gzip.compress(body(b"x")), headers=headers)
    assert response.status_code == 415
    assert "Content-Encoding" in response.json()["detail"]


@pytest.mark.parametrize("content", [b"", body(), b"preamble only"])
def test_a_body_without_parts_is_a_bad_request(service: Service, content: bytes) -> None:
    response = service.http.post("/studies", content=content, headers={"Content-Type": MULTIPART})
    assert response.status_code == 400


def test_the_answer_is_in_xml_for_who_accepts_that(service: Service) -> None:
    (dataset,) = ct_series(slices=1, rows=8, columns=8)
    headers = {"Content-Type": MULTIPART, "Accept": "application/dicom+xml"}
    response = service.http.post("/studies", content=body(part10(dataset)), headers=headers)
    assert (response.status_code, response.headers["content-type"]) == (200, "application/dicom+xml")
    stated = {e.text for e in ElementTree.fromstring(response.content).iter() if e.tag.endswith("}Value")}
    assert {dataset.SOPInstanceUID, f"{service.url}/studies/{dataset.StudyInstanceUID}"} <= stated


def test_who_takes_what_cannot_be_given_is_told_before_anything_is_stored(service: Service) -> None:
    (dataset,) = ct_series(slices=1, rows=8, columns=8)
    headers = {"Content-Type": MULTIPART, "Accept": "text/csv"}
    assert service.http.post("/studies", content=body(part10(dataset)), headers=headers).status_code == 406
    assert stored(service) == set()


def test_a_study_that_is_no_uid_is_a_bad_request(service: Service) -> None:
    assert send(service, b"x", path="/studies/x").status_code == 400


def test_a_body_that_ends_early_keeps_what_was_whole(service: Service, tmp_path: Path) -> None:
    first, second = (part10(d) for d in ct_series(slices=2, rows=32, columns=32))
    whole = body(first, second)
    response = service.http.post("/studies", content=whole[:-500], headers={"Content-Type": MULTIPART})
    assert response.status_code == 202
    assert failures(response) == [0xC000]
    assert len(stored(service)) == len(files_of(tmp_path)) == 1
    alone = service.http.post("/studies", content=body(second)[:-500], headers={"Content-Type": MULTIPART})
    assert (alone.status_code, alone.headers["content-type"]) == (400, "application/problem+json")
    assert len(files_of(tmp_path)) == 1


def test_a_body_of_many_batches_in_small_chunks_is_stored(service: Service, tmp_path: Path) -> None:
    slices = ct_series(slices=6, rows=512, columns=512)
    whole = body(*(part10(d) for d in slices))
    assert len(whole) > 3 * BATCH

    def chunks() -> Iterator[bytes]:
        for start in range(0, len(whole), 77_777):
            yield whole[start : start + 77_777]

    response = service.http.post("/studies", content=chunks(), headers={"Content-Type": MULTIPART})
    assert response.status_code == 200
    assert stored(service) == {d.SOPInstanceUID for d in slices}
    assert len(files_of(tmp_path)) == len(slices)


def test_who_leaves_in_the_middle_leaves_nothing_half(service: Service, tmp_path: Path) -> None:
    whole = body(*(part10(d) for d in ct_series(slices=3, rows=512, columns=512)))
    address = urlsplit(service.url)
    with socket.create_connection((address.hostname or "", address.port or 0)) as connection:
        head = f"POST /dicom-web/studies HTTP/1.1\r\nHost: x\r\nContent-Type: {MULTIPART}\r\n"
        connection.sendall(f"{head}Content-Length: {len(whole)}\r\n\r\n".encode())
        connection.sendall(whole[:-100_000])
    wait_until(lambda: 1 <= len(files_of(tmp_path)) == len(stored(service)))  # the rest is tidied up
    assert len(stored(service)) < 3


def test_a_full_disk_is_told_of(service: Service, tmp_path: Path) -> None:
    small, large = (part10(ct_series(slices=1, rows=n, columns=n)[0]) for n in (16, 1024))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, limits[1]))
    try:
        response = send(service, large)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (response.status_code, failures(response)) == (507, [0xA700])
    assert files_of(tmp_path) == []
    assert send(service, small).status_code == 200


def test_several_may_store_at_once(service: Service) -> None:
    slices = ct_series(slices=8, rows=64, columns=64)
    statuses: list[int] = []

    def one(file: bytes) -> None:
        with httpx.Client(timeout=30) as http:
            response = http.post(
                f"{service.url}/studies", content=body(file), headers={"Content-Type": MULTIPART}
            )
            statuses.append(response.status_code)

    threads = [threading.Thread(target=one, args=(part10(d),)) for d in slices]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 8
    assert len(stored(service)) == 8
