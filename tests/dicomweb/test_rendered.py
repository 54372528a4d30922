from collections.abc import Callable
from io import BytesIO

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom.uid import EncapsulatedCDAStorage

from testdata.ct import ct_series
from testdata.secondary_capture import secondary_capture
from tests.dicomweb.conftest import FILM, Library, Part, Service

PartsOf = Callable[[httpx.Response], list[Part]]
JPEG = {"Accept": "image/jpeg"}
JPEG_PARTS = {"Accept": 'multipart/related; type="image/jpeg"'}
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"}


def picture(content: bytes) -> Image.Image:
    image = Image.open(BytesIO(content))
    image.load()
    return image


def test_an_instance_is_drawn_as_jpeg(library: Library) -> None:
    response = library.http.get(f"{library.path(library.ct[0])}/rendered", headers=JPEG)
    assert response.headers["content-type"] == "image/jpeg"
    image = picture(response.content)
    assert (image.format, image.size) == ("JPEG", (64, 64))
    assert np.asarray(image).std() > 10


@pytest.mark.parametrize(("media_type", "form"), [("image/png", "PNG"), ("image/gif", "GIF")])
def test_other_formats_may_be_asked_for(library: Library, media_type: str, form: str) -> None:
    path = f"{library.path(library.ct[0])}/rendered"
    response = library.http.get(path, headers={"Accept": media_type})
    assert (response.headers["content-type"], picture(response.content).format) == (media_type, form)


def test_the_accept_parameter_goes_before_the_header(library: Library) -> None:
    path = f"{library.path(library.cine)}/rendered"
    response = library.http.get(path, params={"accept": "image/jpeg"}, headers={"Accept": "*/*"})
    assert response.headers["content-type"] == "image/jpeg"
    response = library.http.get(path, params={"accept": "image/png"}, headers=JPEG)
    assert response.headers["content-type"] == "image/png"


def test_viewport_window_and_quality_are_heeded(library: Library) -> None:
    path = f"{library.path(library.ct[0])}/rendered"
    small = library.http.get(path, params={"viewport": "32,20"}, headers=JPEG)
    assert picture(small.content).size == (20, 20)
    fine, coarse = (library.http.get(path, params={"quality": q}, headers=JPEG).content for q in (95, 20))
    assert len(coarse) < len(fine)
    dark = library.http.get(path, params={"window": "3000,10,linear"}, headers=JPEG)
    assert np.asarray(picture(dark.content)).max() < 10


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("viewport", "0,0"), ("viewport", "99999,1"), ("window", "40,400"), ("quality", "101")],
)
def test_wrong_parameters_are_named(library: Library, parameter: str, value: str) -> None:
    path = f"{library.path(library.ct[0])}/rendered"
    response = library.http.get(path, params={parameter: value}, headers=JPEG)
    assert response.status_code == 400
    assert response.json()["detail"].startswith(parameter)


def test_the_middle_stands_for_a_loop(library: Library) -> None:
    path = library.path(library.cine)
    whole = library.http.get(f"{path}/rendered", headers=JPEG)
    middle = library.http.get(f"{path}/frames/3/rendered", headers=JPEG)
    first = library.http.get(f"{path}/frames/1/rendered", headers=JPEG)
    assert whole.content == middle.content != first.content


def test_the_frame_that_the_object_names_stands_for_it(service: Service) -> None:
    frames = np.stack([np.full((8, 8), shade, np.uint8) for shade in (10, 100, 200, 250)])
    dataset = secondary_capture(frames)
    dataset.RepresentativeFrameNumber = 4
    service.keep(dataset)
    path = Library.path(dataset)
    named = service.http.get(f"{path}/rendered", headers=JPEG).content
    assert named == service.http.get(f"{path}/frames/4/rendered", headers=JPEG).content
    assert named != service.http.get(f"{path}/frames/1/rendered", headers=JPEG).content


def test_in_parts_every_frame_is_drawn(library: Library, parts_of: PartsOf) -> None:
    path = library.path(library.cine)
    parts = parts_of(library.http.get(f"{path}/rendered", headers=JPEG_PARTS))
    assert [headers["content-type"] for headers, _ in parts] == ["image/jpeg"] * 5
    assert len({content for _, content in parts}) == 5
    chosen = parts_of(library.http.get(f"{path}/frames/5,2/rendered", headers=JPEG_PARTS))
    assert [content for _, content in chosen] == [parts[4][1], parts[1][1]]


def test_a_series_is_one_picture_for_each_instance(library: Library, parts_of: PartsOf) -> None:
    path = library.path(library.ct[0]).partition("/instances")[0]
    parts = parts_of(library.http.get(f"{path}/rendered", headers=JPEG_PARTS))
    single = [library.http.get(f"{library.path(d)}/rendered", headers=JPEG).content for d in library.ct]
    assert [content for _, content in parts] == single


def test_a_study_leaves_out_what_has_no_picture(library: Library, parts_of: PartsOf) -> None:
    response = library.http.get(f"/studies/{library.ct[0].StudyInstanceUID}/rendered", headers=JPEG_PARTS)
    assert len(parts_of(response)) == len(library.ct)


def test_a_study_whose_pictures_cannot_be_drawn_is_told_of(library: Library, parts_of: PartsOf) -> None:
    path = f"/studies/{library.film.StudyInstanceUID}"
    assert len(parts_of(library.http.get(f"{path}/rendered", headers=JPEG_PARTS))) == 1
    series = library.path(library.film).partition("/instances")[0]
    response = library.http.get(f"{series}/rendered", headers=JPEG_PARTS)
    assert (response.status_code, response.json()["error"]) == (406, "CannotRender")


def test_a_frame_that_is_not_there_is_named(library: Library) -> None:
    for number in ("6", "0", "1,6"):
        response = library.http.get(
            f"{library.path(library.cine)}/frames/{number}/rendered", headers=JPEG_PARTS
        )
        assert response.status_code == 404
        assert f"frame {number[-1]}" in response.json()["detail"]


def test_a_document_is_given_to_a_browser_as_it_is(library: Library) -> None:
    response = library.http.get(f"{library.path(library.pdf)}/rendered", headers=BROWSER)
    assert response.headers["content-type"] == "application/pdf"
    assert response.headers["content-disposition"].startswith("inline")
    assert response.content == library.pdf.EncapsulatedDocument[: library.document_length]
    as_asked = library.http.get(
        f"{library.path(library.pdf)}/rendered", headers={"Accept": "application/pdf"}
    )
    assert as_asked.content == response.content


def test_a_clinical_document_runs_no_scripts(service: Service) -> None:
    (dataset,) = ct_series(slices=1, rows=8, columns=8)
    for keyword in ("PixelData", "Rows", "Columns", "NumberOfFrames"):
        dataset.pop(keyword, None)
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = EncapsulatedCDAStorage
    dataset.MIMETypeOfEncapsulatedDocument = "text/html"
    dataset.EncapsulatedDocument = b"<ClinicalDocument/>\n"
    service.keep(dataset)
    response = service.http.get(f"{Library.path(dataset)}/rendered", headers=BROWSER)
    assert response.headers["content-type"] == "text/xml"
    assert response.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.content == b"<ClinicalDocument/>\n"


def test_a_film_is_given_as_it_is_and_in_pieces(library: Library) -> None:
    path = f"{library.path(library.film)}/rendered"
    response = library.http.get(path, headers={"Accept": "*/*"})
    assert (response.headers["content-type"], response.content) == ("video/mp4", FILM)
    piece = library.http.get(path, headers={"Range": "bytes=5990-6009"})
    assert (piece.status_code, piece.content) == (206, FILM[5990:6010])
    stale = library.http.get(path, headers={"Range": "bytes=0-9", "If-Range": '"other"'})
    assert (stale.status_code, stale.content) == (200, FILM)


def test_a_report_has_no_picture(library: Library) -> None:
    for path in (library.path(library.report), library.path(library.report).partition("/instances")[0]):
        response = library.http.get(f"{path}/rendered")
        assert (response.status_code, response.json()["error"]) == (406, "CannotRender")


def test_what_is_held_already_is_not_sent_again(library: Library) -> None:
    path = f"{library.path(library.ct[0])}/rendered"
    for other in ({}, {"quality": "50"}):
        tag = library.http.get(path, params=other, headers=JPEG).headers["etag"]
        held = library.http.get(path, params=other, headers=JPEG | {"If-None-Match": tag})
        assert held.status_code == 304
        changed = library.http.get(path, params={"quality": "70"}, headers=JPEG | {"If-None-Match": tag})
        assert changed.status_code == 200
    for dataset, accept in ((library.cine, JPEG_PARTS), (library.pdf, BROWSER)):
        path = f"{library.path(dataset)}/rendered"
        tag = library.http.get(path, headers=accept).headers["etag"]
        assert library.http.get(path, headers=accept | {"If-None-Match": tag}).status_code == 304


def test_head_of_many_pictures_draws_none(library: Library) -> None:
    response = library.http.head(f"/studies/{library.ct[0].StudyInstanceUID}/rendered", headers=JPEG_PARTS)
    assert (response.status_code, response.content) == (200, b"")


def test_what_is_not_drawn_yet_is_told(library: Library) -> None:
    path = f"{library.path(library.ct[0])}/rendered"
    plain = library.http.get(path)
    asked = library.http.get(f"{path}?iccprofile=srgb")
    assert asked.content == plain.content
    assert asked.headers["warning"].endswith("iccprofile is not applied")
    assert "warning" not in library.http.get(f"{path}?iccprofile=no&annotation=").headers
    for query in ("annotation=everything", "iccprofile=cmyk"):
        response = library.http.get(f"{path}?{query}")
        assert response.status_code == 400
        assert query.partition("=")[0] in response.json()["detail"]


def test_patient_and_technique_are_written_on_the_picture(library: Library) -> None:
    """8.3.5.1.1, and 9.4.1.2.2 for the URI service."""

    def drawn(annotation: str) -> NDArray[np.int64]:
        query = f"annotation={annotation}&viewport=512,512"
        response = library.http.get(
            f"{library.path(library.ct[0])}/rendered?{query}", headers={"Accept": "image/png"}
        )
        assert response.status_code == 200
        return np.asarray(Image.open(BytesIO(response.content)), np.int64)

    plain, both = drawn(""), drawn("technique,patient")
    changed = (both != plain).nonzero()
    assert changed[0].max() < 200  # below it the image is untouched
    for term, (left, right) in {"patient": (0, 255), "technique": (256, 511)}.items():
        columns = (drawn(term) != plain).nonzero()[1]
        assert (left <= columns.min(), columns.max() <= right) == (True, True)
