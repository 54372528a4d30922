from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset, dcmread

from testdata.presentation_state import presentation_state
from tests.dicomweb.conftest import FILM, Library


def query(dataset: Dataset, **others: str) -> dict[str, str]:
    return {
        "requestType": "WADO",
        "studyUID": dataset.StudyInstanceUID,
        "seriesUID": dataset.SeriesInstanceUID,
        "objectUID": dataset.SOPInstanceUID,
        **others,
    }


def url(library: Library) -> str:
    return f"{library.service.host}/wado"


def test_an_image_is_a_jpeg_unless_asked_otherwise(library: Library) -> None:
    response = library.http.get(url(library), params=query(library.ct[0]))
    assert response.headers["content-type"] == "image/jpeg"
    assert Image.open(BytesIO(response.content)).size == (64, 64)
    for wanted in ("image/png", "image/png,application/dicom"):
        response = library.http.get(url(library), params=query(library.ct[0], contentType=wanted))
        assert response.headers["content-type"] == "image/png"


def test_the_object_itself_is_given(library: Library) -> None:
    parameters = query(library.report, contentType="application/dicom")
    for asked in (parameters, query(library.report)):
        response = library.http.get(url(library), params=asked)
        assert response.headers["content-type"].startswith("application/dicom")
        assert dcmread(BytesIO(response.content)).SOPInstanceUID == library.report.SOPInstanceUID


def test_the_parameters_of_a_picture_are_heeded(library: Library) -> None:
    small = query(library.ct[0], rows="20", columns="40", imageQuality="50")
    response = library.http.get(url(library), params=small)
    assert Image.open(BytesIO(response.content)).size == (20, 20)
    wide = library.http.get(url(library), params=query(library.ct[0], columns="30"))
    assert Image.open(BytesIO(wide.content)).size == (30, 30)
    dark = query(library.ct[0], windowCenter="3000", windowWidth="10")
    assert np.asarray(Image.open(BytesIO(library.http.get(url(library), params=dark).content))).max() < 10


def test_a_region_is_a_part_of_the_picture(library: Library) -> None:
    whole = np.asarray(_picture(library, contentType="image/png"))
    part = np.asarray(_picture(library, contentType="image/png", region="0.25,0.5,0.75,1"))
    assert np.array_equal(part, whole[32:, 16:48])
    scaled = _picture(library, region="0.25,0.5,0.75,1", rows="64")
    assert scaled.size == (64, 64)


def _picture(library: Library, **asked: str) -> Image.Image:
    response = library.http.get(url(library), params=query(library.ct[0], **asked))
    assert response.status_code == 200, response.text
    return Image.open(BytesIO(response.content))


def test_a_frame_is_chosen_by_number(library: Library) -> None:
    contents = {
        library.http.get(url(library), params=query(library.cine, frameNumber=str(number))).content
        for number in (1, 2)
    }
    assert len(contents) == 2
    missing = library.http.get(url(library), params=query(library.cine, frameNumber="6"))
    assert missing.status_code == 404


def test_a_presentation_state_is_applied(library: Library) -> None:
    state = presentation_state(library.ct, window=(3000.0, 10.0), rotation=90)
    library.service.keep(state)
    of_state = {"presentationSeriesUID": state.SeriesInstanceUID, "presentationUID": state.SOPInstanceUID}
    asked = query(library.ct[0], contentType="image/png", **of_state)
    plain = library.http.get(url(library), params=query(library.ct[0], contentType="image/png"))
    applied = library.http.get(url(library), params=asked)
    assert (applied.status_code, applied.headers["content-type"]) == (200, "image/png")
    assert np.asarray(Image.open(BytesIO(applied.content))).max() < 10
    assert applied.headers["etag"] != plain.headers["etag"]
    assert "not drawn" in applied.headers["warning"]
    for wrong, status, named in (
        ({"presentationUID": ""}, 400, "presentationUID"),
        ({"presentationSeriesUID": ""}, 400, "presentationSeriesUID"),
        ({"windowCenter": "40", "windowWidth": "400"}, 400, "windowCenter"),
        ({"presentationUID": "1.2.3"}, 404, ""),
        ({"presentationUID": "x"}, 400, "presentationUID"),
    ):
        response = library.http.get(url(library), params=asked | wrong)
        assert response.status_code == status
        assert named in response.json()["detail"]
    other = query(library.cine, **of_state)
    assert library.http.get(url(library), params=other).status_code == 404  # of another study


def test_documents_and_films_are_given_as_they_are(library: Library) -> None:
    document = library.http.get(url(library), params=query(library.pdf))
    assert document.headers["content-type"] == "application/pdf"
    film = library.http.get(url(library), params=query(library.film, contentType="video/mp4"))
    assert film.content == FILM


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("requestType", "QIDO"),
        ("requestType", ""),
        ("studyUID", ""),
        ("seriesUID", "x"),
        ("objectUID", "../../x"),
        ("frameNumber", "0"),
        ("frameNumber", "one"),
        ("rows", "99999"),
        ("columns", "-1"),
        ("imageQuality", "101"),
        ("windowWidth", "400"),
        ("windowCenter", "40"),
        ("region", "0,0,1"),
        ("region", "0,0,2,1"),
        ("region", "0.5,0,0.5,1"),
        ("region", "a,b,c,d"),
        ("anonymize", "no"),
        ("presentationUID", "1.2.3"),
    ],
)
def test_the_wrong_parameter_is_named(library: Library, name: str, value: str) -> None:
    response = library.http.get(url(library), params=query(library.ct[0]) | {name: value})
    assert response.status_code == 400
    assert name in response.json()["detail"]


@pytest.mark.parametrize(("center", "width"), [("x", "400"), ("40", "nan"), ("40", "0.5"), ("1e999", "1")])
def test_a_wrong_window_is_named(library: Library, center: str, width: str) -> None:
    parameters = query(library.ct[0], windowCenter=center, windowWidth=width)
    response = library.http.get(url(library), params=parameters)
    assert response.status_code == 400
    assert response.json()["detail"].startswith("window")


def test_a_parameter_that_is_missing_is_named(library: Library) -> None:
    parameters = query(library.ct[0])
    del parameters["seriesUID"]
    response = library.http.get(url(library), params=parameters)
    assert (response.status_code, response.json()["detail"]) == (400, "seriesUID: the parameter is missing")


def test_what_cannot_be_given_is_not_acceptable(library: Library) -> None:
    for other in ({"contentType": "text/html"}, {"contentType": "application/pdf"}):
        response = library.http.get(url(library), params=query(library.ct[0], **other))
        assert response.status_code == 406
    syntax = {"contentType": "application/dicom", "transferSyntax": "1.2.840.10008.1.2.4.50"}
    response = library.http.get(url(library), params=query(library.ct[0], **syntax))
    assert response.status_code == 406
    assert "transferSyntax" in response.json()["detail"]


def test_what_is_not_there_is_not_found(library: Library) -> None:
    response = library.http.get(url(library), params=query(library.ct[0]) | {"objectUID": "1.2.3"})
    assert response.status_code == 404
