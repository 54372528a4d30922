"""Other transfer syntaxes than the stored one, over HTTP (PS3.18 8.7.3, 10.4.1.1 and 9.1.2.2.1)."""

from collections.abc import Callable
from io import BytesIO

import httpx
import numpy as np
import pytest
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from dicomweb import transcoding
from pacs.dataset.transfer_syntax import TRANSFER_SYNTAXES
from pacs.transcode import LOSSY, conceivable_syntaxes
from testdata.compressed import compressed
from testdata.ct import ct_series
from testdata.files import part10
from testdata.secondary_capture import secondary_capture
from testdata.us import us_cine
from tests.dicomweb.conftest import Library, Part, Service

PartsOf = Callable[[httpx.Response], list[Part]]
JPEG_XL_LOSSLESS = "1.2.840.10008.1.2.4.110"
MEDIA_TYPES = {
    JPEGLSLossless: "image/jls",
    JPEG2000Lossless: "image/jp2",
    HTJ2KLossless: "image/jphc",
    JPEGLosslessSV1: "image/jpeg",
    RLELossless: "image/dicom-rle",
    JPEG_XL_LOSSLESS: "image/jxl",
}


def octets(syntax: str = "") -> dict[str, str]:
    suffix = f"; transfer-syntax={syntax}" if syntax else ""
    return {"Accept": f"application/octet-stream{suffix}"}


def objects(syntax: str) -> dict[str, str]:
    return {"Accept": f'multipart/related; type="application/dicom"; transfer-syntax={syntax}'}


def pixels(dataset: Dataset) -> bytes:
    return bytes(np.ascontiguousarray(dataset.pixel_array).tobytes())


@pytest.mark.parametrize("kind", ["jpeg_ls", "rle"])
@pytest.mark.parametrize("accept", [octets(), octets(ExplicitVRLittleEndian), octets(ImplicitVRLittleEndian)])
def test_octets_without_a_transfer_syntax_are_uncompressed(
    library: Library, kind: str, accept: dict[str, str]
) -> None:
    dataset = getattr(library, kind)
    response = library.http.get(f"{library.path(dataset)}/frames/1", headers=accept)
    assert response.content == pixels(dataset)
    assert response.headers["content-type"] == "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1"
    bulk = library.http.get(f"{library.path(dataset)}/bulkdata/7FE00010", headers=accept)
    assert bulk.content == response.content


def test_pixels_that_exist_only_with_loss_are_octets_as_stored_unless_named(library: Library) -> None:
    path = f"{library.path(library.cine)}/frames/2"
    stored = list(generate_frames(library.cine.PixelData, number_of_frames=5))
    assert library.http.get(path, headers=octets()).content == stored[1]
    uncompressed = library.http.get(path, headers=octets(ExplicitVRLittleEndian)).content
    assert len(uncompressed) == 48 * 64 * 3


@pytest.mark.parametrize("syntax", MEDIA_TYPES)
def test_frames_are_given_in_every_lossless_form_by_media_type_or_by_name(
    library: Library, parts_of: PartsOf, syntax: str
) -> None:
    path = f"{library.path(library.ct[0])}/frames/1"
    by_type = f'multipart/related; type="{MEDIA_TYPES[syntax]}"'
    ((headers, content),) = parts_of(library.http.get(path, headers={"Accept": by_type}))
    assert headers["content-type"] == f"{MEDIA_TYPES[syntax]}; transfer-syntax={syntax}"
    named = library.http.get(path, headers=octets(syntax))
    assert named.content == content
    assert named.headers["content-type"] == f"application/octet-stream; transfer-syntax={syntax}"


def test_one_of_several_frames_is_that_frame(library: Library, parts_of: PartsOf) -> None:
    accept = {"Accept": f'multipart/related; type="application/octet-stream"; transfer-syntax={RLELossless}'}
    several = library.http.get(f"{library.path(library.cine)}/frames/4,1,3", headers=accept)
    single = library.http.get(f"{library.path(library.cine)}/frames/3", headers=accept)
    assert len(parts_of(several)) == 3
    assert parts_of(several)[2][1] == parts_of(single)[0][1]
    assert library.http.get(f"{library.path(library.cine)}/frames/1,9", headers=accept).status_code == 404


def test_lossy_jpeg_is_given_to_who_names_it_and_of_8_bits_only(service: Service) -> None:
    grey = secondary_capture(np.arange(4096, dtype=np.uint8).reshape(64, 64) // 3)
    (ct,) = ct_series(slices=1, rows=32, columns=32)
    service.keep(grey, ct)
    named = {"Accept": f"image/jpeg; transfer-syntax={JPEGBaseline8Bit}"}
    given = service.http.get(f"{Library.path(grey)}/frames/1", headers=named)
    assert given.content.startswith(b"\xff\xd8\xff\xe0")
    unnamed = service.http.get(f"{Library.path(grey)}/frames/1", headers={"Accept": "image/jpeg"})
    assert unnamed.headers["content-type"] == f"image/jpeg; transfer-syntax={JPEGLosslessSV1}"
    refused = service.http.get(f"{Library.path(ct)}/frames/1", headers=named)
    assert refused.status_code == 406
    assert JPEGBaseline8Bit not in refused.json()["detail"]
    assert service.http.get(Library.path(grey), headers=objects(JPEGBaseline8Bit)).status_code == 406


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, *MEDIA_TYPES])
def test_whole_objects_are_given_in_every_lossless_form(
    library: Library, parts_of: PartsOf, syntax: str
) -> None:
    long_enough = [library.deflated] if syntax != JPEGLSLossless else []
    for dataset in (library.ct[0], library.rle, library.cine, *long_enough):
        response = library.http.get(library.path(dataset), headers=objects(syntax))
        ((headers, content),) = parts_of(response)
        made = dcmread(BytesIO(content))
        assert headers["content-type"] == f"application/dicom; transfer-syntax={syntax}"
        assert made.file_meta.TransferSyntaxUID == syntax
        assert (made.SOPInstanceUID, made.PatientName) == (dataset.SOPInstanceUID, dataset.PatientName)
        if syntax != JPEG_XL_LOSSLESS and dataset is not library.cine:
            assert np.array_equal(made.pixel_array, dataset.pixel_array)


@pytest.mark.parametrize("stored", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_an_object_without_pixels_changes_its_encoding_only(
    service: Service, parts_of: PartsOf, library: Library, stored: str
) -> None:
    report = dcmread(BytesIO(part10(library.report)))
    report.file_meta.TransferSyntaxUID = UID(stored)
    stream = BytesIO()
    little, implicit = stored != ExplicitVRBigEndian, stored == ImplicitVRLittleEndian
    dcmwrite(stream, report, implicit_vr=implicit, little_endian=little, force_encoding=True)
    service.keep(stream.getvalue())
    response = service.http.get(Library.path(report), headers=objects(ExplicitVRLittleEndian))
    made = dcmread(BytesIO(parts_of(response)[0][1]))
    assert made.to_json_dict() == library.report.to_json_dict()
    assert service.http.get(Library.path(report), headers=objects(RLELossless)).status_code == 406


def test_what_a_study_cannot_give_so_is_left_out_and_the_status_says_it(
    library: Library, parts_of: PartsOf
) -> None:
    study = f"/studies/{library.ct[0].StudyInstanceUID}"
    response = library.http.get(study, headers=objects(HTJ2KLossless))
    assert response.status_code == 206
    found = [dcmread(BytesIO(content), stop_before_pixels=True) for _, content in parts_of(response)]
    assert [d.SOPInstanceUID for d in found] == [d.SOPInstanceUID for d in library.ct]
    assert "content-length" not in response.headers
    head = library.http.head(study, headers=objects(HTJ2KLossless))
    assert (head.status_code, head.content) == (206, b"")


def test_uri_service_gives_the_transfer_syntax_that_is_named(library: Library) -> None:
    dataset = library.rle
    query = {
        "requestType": "WADO",
        "studyUID": dataset.StudyInstanceUID,
        "seriesUID": dataset.SeriesInstanceUID,
        "objectUID": dataset.SOPInstanceUID,
        "contentType": "application/dicom",
        "transferSyntax": ExplicitVRLittleEndian,
    }
    response = library.http.get(f"{library.service.host}/wado", params=query)
    assert np.array_equal(dcmread(BytesIO(response.content)).pixel_array, dataset.pixel_array)
    assert int(response.headers["content-length"]) == len(response.content)


def test_each_form_has_a_tag_of_its_own_and_comes_in_pieces(library: Library) -> None:
    path = f"{library.path(library.rle)}/frames/1"
    whole = library.http.get(path, headers=octets())
    tags = {library.http.get(path, headers=octets(uid)).headers["etag"] for uid in ("*", *MEDIA_TYPES)}
    assert len(tags | {whole.headers["etag"]}) == 1 + len(MEDIA_TYPES)
    again = library.http.get(path, headers=octets() | {"If-None-Match": whole.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    part = library.http.get(path, headers=octets() | {"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    bare = {"Accept": f"application/dicom; transfer-syntax={ExplicitVRLittleEndian}"}
    file = library.http.get(library.path(library.rle), headers=bare)
    tail = library.http.get(library.path(library.rle), headers=bare | {"Range": "bytes=-100"})
    assert (tail.status_code, tail.content) == (206, file.content[-100:])


def test_an_object_too_long_to_be_made_at_once_is_made_as_it_is_sent(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = {"Accept": f"application/dicom; transfer-syntax={RLELossless}"}
    at_once = library.http.get(library.path(library.cine), headers=bare)
    monkeypatch.setattr(transcoding, "MADE_AT_ONCE", 100)
    streamed = library.http.get(library.path(library.cine), headers=bare)
    assert streamed.content == at_once.content
    assert "content-length" not in streamed.headers


def test_a_film_is_not_transcoded(library: Library) -> None:
    assert library.http.get(library.path(library.film), headers=objects(RLELossless)).status_code == 406


def broken(kind: str) -> Dataset:
    cine = us_cine(frames=1, rows=32, columns=32)
    match kind:
        case "truncated":
            (mono,) = ct_series(slices=1, rows=64, columns=64)
            cine = compressed(mono, JPEG2000Lossless)
            frame = next(generate_frames(cine.PixelData, number_of_frames=1))
            cine.PixelData = encapsulate([frame[: len(frame) // 2]])
        case "lying":
            cine.Rows, cine.Columns = 65535, 65535
        case "other size":
            cine.Rows = 33
        case "no size":
            del cine.Rows
        case "no frames":
            cine.NumberOfFrames = 0
            cine.BitsAllocated = 12
    return cine


def test_subsampled_colour_is_given_with_all_its_samples(service: Service, parts_of: PartsOf) -> None:
    colour = secondary_capture(np.full((16, 32, 3), 77, np.uint8), "YBR_FULL")
    colour.PhotometricInterpretation = "YBR_FULL_422"
    pairs = np.random.default_rng(2).integers(0, 256, (16, 16, 4), np.uint8)  # two of Y, one of CB and CR
    colour.PixelData = pairs.tobytes()
    service.keep(colour)
    ((_, content),) = parts_of(service.http.get(Library.path(colour), headers=objects(RLELossless)))
    made = dcmread(BytesIO(content))
    assert made.PhotometricInterpretation == "YBR_FULL"
    made.pixel_array_options(raw=True)
    assert np.array_equal(made.pixel_array[:, ::2, 0], pairs[:, :, 0])
    assert np.array_equal(made.pixel_array[:, 1::2, 1:], pairs[:, :, 2:])


def test_octets_of_a_big_endian_object_are_little_endian(service: Service) -> None:
    (ct,) = ct_series(slices=1, rows=16, columns=16)
    service.keep(compressed(ct, ExplicitVRBigEndian))
    frame = service.http.get(f"{Library.path(ct)}/frames/1", headers=octets())
    assert frame.content == ct.PixelData
    assert frame.headers["content-type"].endswith(f"transfer-syntax={ExplicitVRLittleEndian}")


def test_an_object_with_fewer_frames_than_it_announces_is_not_transcoded(service: Service) -> None:
    cine = us_cine(frames=3, rows=16, columns=16)
    cine.NumberOfFrames = 5
    service.keep(cine)
    response = service.http.get(Library.path(cine), headers=objects(RLELossless))
    assert response.status_code == 406
    assert "fewer frames" in response.json()["detail"]


@pytest.mark.parametrize("kind", ["truncated", "lying", "other size", "no size", "no frames"])
def test_damaged_pixels_are_refused_and_given_as_they_are(service: Service, kind: str) -> None:
    dataset = broken(kind)
    service.keep(dataset)
    path = Library.path(dataset)
    for address in (path, f"{path}/frames/1", f"{path}/bulkdata/7FE00010"):
        media_type = "application/dicom" if address == path else "application/octet-stream"
        parts = f'multipart/related; type="{media_type}"; transfer-syntax='
        refused = service.http.get(address, headers={"Accept": parts + ExplicitVRLittleEndian})
        assert refused.status_code == 406, (address, refused.text)
        assert service.http.get(address, headers={"Accept": parts + "*"}).status_code == 200


def test_damage_behind_the_first_object_breaks_the_answer_off(service: Service) -> None:
    sound, damaged = (compressed(ct, JPEG2000Lossless) for ct in ct_series(slices=2, rows=64, columns=64))
    frame = next(generate_frames(damaged.PixelData, number_of_frames=1))
    damaged.PixelData = encapsulate([frame[: len(frame) // 2]])
    service.keep(sound, damaged)
    series = Library.path(sound).partition("/instances")[0]
    with pytest.raises(httpx.RemoteProtocolError):
        service.http.get(series, headers=objects(ExplicitVRLittleEndian))
    assert service.http.get(Library.path(sound), headers=objects(RLELossless)).status_code == 200


def test_a_thousand_ranges_are_read_no_further_than_the_others(library: Library) -> None:
    accept = {"Accept": ", ".join(f"image/jls; transfer-syntax=1.2.{n}" for n in range(1000))}
    response = library.http.get(f"{library.path(library.ct[0])}/frames/1", headers=accept)
    assert response.status_code == 406
    assert f"transfer-syntax={JPEGLSLossless}" in response.json()["detail"]


def test_jpeg_xl_that_was_given_is_stored_drawn_and_given_back(library: Library, service: Service) -> None:
    path = library.path(library.ct[0])
    bare = {"Accept": f"application/dicom; transfer-syntax={JPEG_XL_LOSSLESS}"}
    service.keep(library.http.get(path, headers=bare).content)
    frame = service.http.get(f"{path}/frames/1", headers=octets(ExplicitVRLittleEndian))
    assert frame.content == library.ct[0].PixelData
    png = {"Accept": "image/png"}
    drawn, expected = (http.get(f"{path}/rendered", headers=png) for http in (service.http, library.http))
    assert drawn.content == expected.content


def test_what_is_offered_is_of_the_standard_and_never_the_stored_one() -> None:
    for stored in TRANSFER_SYNTAXES:
        offered = conceivable_syntaxes(stored)
        assert stored not in offered
        assert set(offered) <= TRANSFER_SYNTAXES
        assert not set(offered[:-1]) & LOSSY  # what loses something comes last
