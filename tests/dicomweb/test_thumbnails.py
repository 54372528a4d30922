from io import BytesIO

from PIL import Image

from dicomweb.thumbnails import make_thumbnail, representative, thumbnail_follower
from pacs.index import Task
from pacs.model import Action, Change, Level
from testdata.ct import ct_series
from testdata.dose_report import dose_report
from testdata.segmentation import nodule_segmentation
from tests.dicomweb.conftest import Library, Service

JPEG = {"Accept": "image/jpeg"}


def size(content: bytes) -> tuple[int, int]:
    return Image.open(BytesIO(content)).size


def task(study: str, series: str) -> Task:
    return Task(1, "thumbnail", study, series, "", 1, 0)


def test_an_instance_has_a_thumbnail(library: Library) -> None:
    path = f"{library.path(library.ct[0])}/thumbnail"
    response = library.http.get(path, params={"viewport": "32,32"}, headers=JPEG)
    assert (response.headers["content-type"], size(response.content)) == ("image/jpeg", (32, 32))
    assert size(library.http.get(path, headers=JPEG).content) == (64, 64)  # small images are not enlarged


def test_a_frame_has_a_thumbnail(library: Library) -> None:
    path = f"{library.path(library.cine)}/frames/2/thumbnail"
    response = library.http.get(path, params={"viewport": "16,16"}, headers={"Accept": "image/png"})
    assert (response.headers["content-type"], size(response.content)) == ("image/png", (16, 12))


def test_a_series_is_shown_by_its_middle_image(library: Library) -> None:
    series = library.path(library.ct[0]).partition("/instances")[0]
    thumbnail = library.http.get(f"{series}/thumbnail", headers=JPEG).content
    assert thumbnail == library.http.get(f"{library.path(library.ct[2])}/thumbnail", headers=JPEG).content


def test_a_study_is_shown_by_its_first_series_with_images(library: Library) -> None:
    series = library.path(library.ct[0]).partition("/instances")[0]
    study = series.partition("/series")[0]
    for viewport in ({}, {"viewport": "20,20"}):
        of_study = library.http.get(f"{study}/thumbnail", params=viewport, headers=JPEG)
        of_series = library.http.get(f"{series}/thumbnail", params=viewport, headers=JPEG)
        assert of_study.status_code == 200
        assert of_study.content == of_series.content


def test_images_go_before_what_is_drawn_over_them(service: Service) -> None:
    series = ct_series(slices=4, rows=64, columns=64, series_number=7)
    mask = nodule_segmentation(series, series_number=3)
    service.keep(mask)
    study, first = mask.StudyInstanceUID, mask.SeriesInstanceUID
    assert representative(service.archive, study, [first]).sop_instance_uid == mask.SOPInstanceUID
    service.keep(*series)
    both = [uid for uid, _ in service.archive.series_of(study)]
    assert both[0] == first
    assert representative(service.archive, study, both).sop_instance_uid == series[2].SOPInstanceUID


def test_a_kept_thumbnail_is_read_and_a_stale_one_is_not(service: Service) -> None:
    first, second, third = ct_series(slices=3, rows=32, columns=32)
    service.keep(first)
    study, series = str(first.StudyInstanceUID), str(first.SeriesInstanceUID)
    path = f"/studies/{study}/series/{series}/thumbnail"
    ((_, version),) = service.archive.series_of(study, series)
    service.derived.write("thumbnail", f"{study}/{series}", version, b"kept")
    kept = service.http.get(path, headers=JPEG)
    assert kept.content == b"kept"
    service.keep(second, third)
    drawn = service.http.get(path, headers=JPEG | {"If-None-Match": kept.headers["etag"]})
    assert (drawn.status_code, size(drawn.content)) == (200, (32, 32))
    again = service.http.get(path, headers=JPEG | {"If-None-Match": drawn.headers["etag"]})
    assert again.status_code == 304


def test_the_follower_draws_ahead(service: Service) -> None:
    (dataset,) = ct_series(slices=1, rows=32, columns=32)
    service.keep(dataset)
    study, series = str(dataset.StudyInstanceUID), str(dataset.SeriesInstanceUID)
    follower = thumbnail_follower(service.archive, service.derived)
    assert (follower.level, follower.rest) == (Level.SERIES, 5.0)
    follower.work(task(study, series))
    ((_, version),) = service.archive.series_of(study, series)
    kept = service.derived.read("thumbnail", f"{study}/{series}", version)
    assert kept == make_thumbnail(service.archive, service.derived, study, series)
    assert kept is not None
    assert size(kept) == (32, 32)


def test_the_follower_passes_over_what_has_no_picture(service: Service) -> None:
    report = dose_report()
    service.keep(report)
    follower = thumbnail_follower(service.archive, service.derived)
    change = Change(1, Action.CREATED, "1.2", "1.3", "1.4", report.SOPClassUID)
    assert not follower.wants(change)
    assert follower.wants(Change(1, Action.CREATED, "1.2", "1.3", "1.4", "1.2.840.10008.5.1.4.1.1.2"))
    follower.work(task(report.StudyInstanceUID, report.SeriesInstanceUID))
    follower.work(task("1.2", "1.3"))
    ((_, version),) = service.archive.series_of(report.StudyInstanceUID)
    subject = f"{report.StudyInstanceUID}/{report.SeriesInstanceUID}"
    assert service.derived.read("thumbnail", subject, version) is None


def test_what_has_no_picture_is_told_of(library: Library) -> None:
    series = library.path(library.report).partition("/instances")[0]
    for path in (series, library.path(library.report), f"{library.path(library.report)}/frames/1"):
        response = library.http.get(f"{path}/thumbnail", headers=JPEG)
        assert (response.status_code, response.json()["error"]) == (406, "CannotRender")


def test_what_is_not_there_is_not_found(library: Library) -> None:
    for path in ("/studies/1.2", "/studies/1.2/series/1.3", "/studies/1.2/series/1.3/instances/1.4"):
        assert library.http.get(f"{path}/thumbnail", headers=JPEG).status_code == 404


def test_a_wrong_viewport_is_named(library: Library) -> None:
    for path in (library.path(library.ct[0]), f"/studies/{library.ct[0].StudyInstanceUID}"):
        response = library.http.get(f"{path}/thumbnail", params={"viewport": "1,2,3"}, headers=JPEG)
        assert response.status_code == 400
        assert response.json()["detail"].startswith("viewport")
