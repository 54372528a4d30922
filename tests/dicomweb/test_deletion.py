"""DELETE of studies, series and instances: gone from every search and retrieval at once."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydicom import Dataset

from dicomweb.thumbnails import thumbnail_follower
from pacs.index import Task
from testdata.ct import ct_series
from testdata.key_objects import key_objects
from testdata.mr import mr_series
from tests.dicomweb.conftest import Library, Service, serving

JSON = {"Accept": "application/dicom+json"}


@pytest.fixture
def ct(service: Service) -> list[Dataset]:
    """Two slices, and a selection of them in the same study."""
    slices = ct_series(slices=2, rows=16, columns=16)
    service.keep(*slices, key_objects(slices))
    return slices


def series_of(dataset: Dataset) -> str:
    return f"/studies/{dataset.StudyInstanceUID}/series/{dataset.SeriesInstanceUID}"


def path_of(dataset: Dataset) -> str:
    return Library.path(dataset)


def number(service: Service, query: str) -> int:
    answer = service.http.get(query)
    return len(answer.json()) if answer.status_code == 200 else 0


def resources(dataset: Dataset) -> list[str]:
    """Whatever is there of an instance, but for what is there of its series."""
    path = path_of(dataset)
    return [
        path,
        *(f"{path}/{what}" for what in ("metadata", "rendered", "thumbnail", "bulkdata/7FE00010")),
        *(f"{path}/frames/{what}" for what in ("1", "1/rendered", "1/thumbnail")),
    ]


def wado_uri(service: Service, dataset: Dataset) -> str:
    return (
        f"{service.host}/wado?requestType=WADO&studyUID={dataset.StudyInstanceUID}"
        f"&seriesUID={dataset.SeriesInstanceUID}&objectUID={dataset.SOPInstanceUID}"
    )


def test_an_instance_is_gone_from_everywhere(service: Service, ct: list[Dataset]) -> None:
    gone, other = ct
    everything = [*resources(gone), wado_uri(service, gone)]
    before = [service.http.get(url) for url in everything]
    assert [answer.status_code for answer in before] == [200] * len(everything)
    deleted = service.http.delete(path_of(gone))
    assert (deleted.status_code, deleted.content) == (204, b"")
    for url, old in zip(everything, before, strict=True):
        held = {"If-None-Match": old.headers.get("etag", "*")}
        assert [
            service.http.get(url).status_code,
            service.http.head(url).status_code,
            service.http.get(url, headers=held).status_code,
        ] == [404] * 3, url
    assert service.http.get(path_of(other)).status_code == 200
    assert len(service.http.get(f"{series_of(other)}/metadata").json()) == 1
    assert number(service, f"/instances?SOPInstanceUID={gone.SOPInstanceUID}") == 0
    (series,) = service.http.get(f"/series?SeriesInstanceUID={gone.SeriesInstanceUID}").json()
    assert series["00201209"]["Value"] == [1]


def test_a_series_goes_and_the_rest_of_its_study_stays(service: Service, ct: list[Dataset]) -> None:
    assert service.http.delete(series_of(ct[0])).status_code == 204
    for what in ("", "/metadata", "/rendered", "/thumbnail"):
        assert service.http.get(series_of(ct[0]) + what).status_code == 404
    (study,) = service.http.get("/studies").json()
    assert study["00080061"]["Value"] == ["KO"]
    assert (study["00201206"]["Value"], study["00201208"]["Value"]) == ([1], [1])
    assert number(service, "/studies?ModalitiesInStudy=CT") == 0


def test_a_study_goes_with_its_patient(service: Service, ct: list[Dataset]) -> None:
    study = f"/studies/{ct[0].StudyInstanceUID}"
    service.keep(*mr_series(slices=1, rows=16, columns=16))
    assert service.http.delete(study).status_code == 204
    for what in ("", "/metadata", "/rendered", "/thumbnail"):
        assert service.http.get(study + what).status_code == 404
    assert [number(service, path) for path in ("/studies", "/series", "/instances")] == [1, 1, 1]
    assert number(service, f"/studies?PatientID={ct[0].PatientID}") == 0
    assert service.http.delete(study).status_code == 404


def test_what_was_deleted_is_stored_as_new(service: Service, ct: list[Dataset]) -> None:
    service.http.delete(f"/studies/{ct[0].StudyInstanceUID}")
    service.keep(*ct)
    assert number(service, "/instances") == 2
    assert service.http.get(f"{path_of(ct[0])}/rendered").status_code == 200
    metadata = service.http.get(f"{series_of(ct[0])}/metadata").json()
    assert {one["00080018"]["Value"][0] for one in metadata} == {one.SOPInstanceUID for one in ct}


def test_a_long_answer_that_has_begun_goes_on(service: Service) -> None:
    (large,) = ct_series(slices=1, rows=2048, columns=2048)
    service.keep(large)
    with service.http.stream("GET", path_of(large), headers={"Accept": "application/dicom"}) as answer:
        pieces = answer.iter_raw(1 << 16)
        received = len(next(pieces))
        assert service.http.delete(path_of(large)).status_code == 204
        received += sum(map(len, pieces))
        assert received == int(answer.headers["content-length"]) > len(large.PixelData)
    assert service.http.get(path_of(large)).status_code == 404


@pytest.mark.parametrize(
    ("path", "status", "named"),
    [
        ("/studies/1.2.99", 404, ""),
        ("/studies/{study}/series/1.2.99", 404, ""),
        ("/studies/{study}/series/{series}/instances/1.2.99", 404, ""),
        ("/studies/1.2.99/series/{series}", 404, ""),
        ("/studies/1.2.99/series/{series}/instances/{instance}", 404, ""),
        ("/studies/{study}/series/1.2.99/instances/{instance}", 404, ""),
        ("/studies/*", 400, "study"),
        ("/studies/1.2*", 400, "study"),
        ("/studies/1.2%3F", 400, "study"),
        ("/studies/%25", 400, "study"),
        ("/studies/{study}/series/*", 400, "series"),
        ("/studies/{study}/series/{series}/instances/*", 400, "instance"),
        ("/studies/{study}%5C1.2", 400, "study"),
        ("/studies/" + "1." * 40, 400, "study"),
        ("/studies", 405, ""),
        ("/series", 405, ""),
        ("/studies/{study}/metadata", 405, ""),
        ("/studies/{study}/series/{series}/instances/{instance}/frames/1", 405, ""),
    ],
)
def test_a_wrong_address_deletes_nothing(
    service: Service, ct: list[Dataset], path: str, status: int, named: str
) -> None:
    first = ct[0]
    answer = service.http.delete(
        path.format(
            study=first.StudyInstanceUID, series=first.SeriesInstanceUID, instance=first.SOPInstanceUID
        )
    )
    assert answer.status_code == status
    if named:
        assert answer.json()["detail"].startswith(f"{named}: expected a UID")
    assert number(service, "/instances") == 3


@pytest.fixture
def forbidding(tmp_path: Path) -> Iterator[Service]:
    with serving(tmp_path, may_delete=False) as running:
        yield running


def test_where_deletion_is_forbidden_nothing_goes(forbidding: Service) -> None:
    slices = ct_series(slices=2, rows=16, columns=16)
    forbidding.keep(*slices)
    for path in (path_of(slices[0]), series_of(slices[0]), f"/studies/{slices[0].StudyInstanceUID}"):
        answer: httpx.Response = forbidding.http.delete(path)
        assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")
        assert "DIAFANA_DELETE" in answer.json()["detail"]
    assert number(forbidding, "/instances") == 2


def task(dataset: Dataset) -> Task:
    return Task(0, "", dataset.StudyInstanceUID, dataset.SeriesInstanceUID, "", 1, 0)


def test_what_was_made_of_a_series_goes_after_it(service: Service, tmp_path: Path) -> None:
    ct, mr = ct_series(slices=1, rows=16, columns=16)[0], mr_series(slices=1, rows=16, columns=16)[0]
    mr.StudyInstanceUID, mr.PatientID = ct.StudyInstanceUID, ct.PatientID
    service.keep(ct, mr)
    follower = thumbnail_follower(service.archive, service.derived)

    def follow() -> int:
        for one in (ct, mr):
            service.archive.keep_series_metadata(one.StudyInstanceUID, one.SeriesInstanceUID)
            follower.work(task(one))
        return sum(path.is_file() for path in (tmp_path / "derived").rglob("*"))

    assert service.http.get(f"/studies/{ct.StudyInstanceUID}/thumbnail").status_code == 200
    assert follow() == 5
    service.http.delete(series_of(ct))
    assert follow() == 3
    assert service.http.get(f"/studies/{ct.StudyInstanceUID}/thumbnail").status_code == 200
    service.http.delete(f"/studies/{ct.StudyInstanceUID}")
    assert follow() == 0
