"""Storing metadata with bulk data (PS3.18 10.5.1.4, 10.5.2; Annex F, PS3.19 A.1)."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import orjson
import pytest
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.encaps import generate_frames
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from testdata.compressed import compressed
from testdata.ct import ct_series
from testdata.dose_report import dose_report
from testdata.key_objects import key_objects
from testdata.pdf import encapsulated_pdf
from testdata.secondary_capture import secondary_capture
from testdata.us import us_cine
from tests.dicomweb.conftest import Library, Service
from tests.dicomweb.metadata_bodies import (
    JSON,
    XML,
    Part,
    comments,
    failures,
    metadata_of,
    metadata_part,
    store,
)

OCTETS = "application/octet-stream"
PIXELS = "7FE00010"
DESCRIPTION = [f"0028{number:04X}" for number in (2, 4, 6, 0x10, 0x11, 0x100, 0x101, 0x102, 0x103)]


def retrieved(service: Service, dataset: Dataset) -> Dataset:
    response = service.http.get(Library.path(dataset), headers={"Accept": "application/dicom"})
    assert response.status_code == 200, response.text
    return dcmread(io.BytesIO(response.content))


def same(stored: Dataset, sent: Dataset) -> None:
    """Element by element; text is Unicode now, and pixels are native or the same frames."""
    differing = {e.keyword for e in sent if e.tag not in stored or stored[e.tag].value != e.value}
    assert differing <= {"SpecificCharacterSet", "PixelData"}
    assert {e.tag for e in stored} == {e.tag for e in sent}
    if "PixelData" in sent and sent.file_meta.TransferSyntaxUID.is_compressed:
        number = int(sent.get("NumberOfFrames", 1))
        frames = [list(generate_frames(d.PixelData, number_of_frames=number)) for d in (stored, sent)]
        assert frames[0] == frames[1]
    elif "PixelData" in sent:
        assert np.array_equal(stored.pixel_array, sent.pixel_array)


def private() -> Dataset:
    dataset: Dataset = ct_series(slices=1, rows=8, columns=8)[0]
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.PatientName = "Müller^Jürgen=山田^太郎"
    for owner in ("DIAFANA TEST", "ANOTHER"):
        block = dataset.private_block(0x0029, owner, create=True)
        block.add_new(0x01, "LO", "a value of its own")
        block.add_new(0x02, "OB", b"\x01\x02\x03\x04")
    return dataset


DATASETS: dict[str, Callable[[], Dataset]] = {
    "ct": lambda: ct_series(slices=1, rows=16, columns=16)[0],
    "report": dose_report,
    "key objects": lambda: key_objects(ct_series(slices=2, rows=8, columns=8)),
    "private": private,
    "big endian": lambda: compressed(ct_series(slices=1, rows=16, columns=16)[0], ExplicitVRBigEndian),
    "colour": lambda: us_cine(frames=2, rows=16, columns=16, transfer_syntax_uid=ExplicitVRLittleEndian),
}


def little_endian_pixels(dataset: Dataset) -> bytes:
    words = np.frombuffer(dataset.PixelData, "u2" if dataset.BitsAllocated == 16 else "u1")
    big = dataset.file_meta.TransferSyntaxUID == ExplicitVRBigEndian
    return bytes(words.byteswap().tobytes() if big else dataset.PixelData)


@pytest.mark.parametrize("form", [JSON, XML])
@pytest.mark.parametrize("name", DATASETS)
def test_an_object_is_what_it_would_be_had_it_come_whole(service: Service, form: str, name: str) -> None:
    dataset = DATASETS[name]()
    parts = metadata_part(form, metadata_of(dataset))
    if "PixelData" in dataset:
        parts.append((OCTETS, "bulk/pixels", little_endian_pixels(dataset)))
    response = store(service, parts, form)
    assert response.status_code == 200, response.text
    (item,) = response.json()["00081199"]["Value"]
    assert item["00081155"]["Value"] == [dataset.SOPInstanceUID]
    stored = retrieved(service, dataset)
    assert stored.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    same(stored, dataset)


def frames_of(dataset: Dataset) -> list[bytes]:
    number = int(dataset.get("NumberOfFrames", 1))
    return list(generate_frames(dataset.PixelData, number_of_frames=number))


COMPRESSED = [
    ("image/jpeg", JPEGBaseline8Bit),
    ("image/jpeg", JPEGLosslessSV1),
    ("image/jp2", JPEG2000Lossless),
    ("image/jls", JPEGLSLossless),
    ("image/x-jls", JPEGLSLossless),
]


def colour(transfer_syntax_uid: str) -> Dataset:
    pixels = np.arange(64 * 48 * 3, dtype=np.uint32).reshape(64, 48, 3) % 251
    return compressed(secondary_capture(pixels.astype(np.uint8), "RGB"), transfer_syntax_uid)


@pytest.mark.parametrize(("media_type", "syntax"), COMPRESSED)
def test_a_compressed_stream_tells_its_form_and_transfer_syntax(
    service: Service, media_type: str, syntax: str
) -> None:
    dataset = colour(syntax)
    metadata = {key: e for key, e in metadata_of(dataset).items() if key not in DESCRIPTION}
    (stream,) = frames_of(dataset)
    response = store(service, [*metadata_part(JSON, metadata), (media_type, "bulk/pixels", stream)])
    assert response.status_code == 200, response.text
    stored = retrieved(service, dataset)
    assert stored.file_meta.TransferSyntaxUID == syntax
    for key in DESCRIPTION:
        assert stored[key].value == dataset[key].value, key
    assert frames_of(stored) == [stream]


def test_a_part_for_each_frame_makes_a_loop(service: Service) -> None:
    dataset = us_cine(frames=3, rows=32, columns=32)
    parts = metadata_part(JSON, metadata_of(dataset))
    parts += [
        ("image/jpeg", f"bulk/pixels/frames/{number}", frame)
        for number, frame in enumerate(frames_of(dataset), 1)
    ]
    assert store(service, parts).status_code == 200
    same(retrieved(service, dataset), dataset)


def test_a_transfer_syntax_that_is_named_counts(service: Service) -> None:
    dataset = compressed(ct_series(slices=1, rows=16, columns=16)[0], RLELossless)
    (frame,) = frames_of(dataset)
    media_type = f"{OCTETS}; transfer-syntax={RLELossless}"
    response = store(
        service, [*metadata_part(JSON, metadata_of(dataset)), (media_type, "bulk/pixels", frame)]
    )
    assert response.status_code == 200, response.text
    same(retrieved(service, dataset), dataset)


def test_what_says_nothing_of_its_form_needs_metadata(service: Service) -> None:
    dataset = compressed(ct_series(slices=1, rows=16, columns=16)[0], RLELossless)
    metadata = metadata_of(dataset)
    del metadata["00280010"]
    (frame,) = frames_of(dataset)
    response = store(service, [*metadata_part(JSON, metadata), ("image/dicom-rle", "bulk/pixels", frame)])
    assert (response.status_code, comments(response)) == (
        400,
        ["Rows is missing, and the pixels do not tell it"],
    )
    assert failures(response)[0]["00000901"]["Value"] == ["00280010"]


def test_metadata_that_contradict_the_pixels_are_refused(service: Service) -> None:
    dataset = colour(JPEGBaseline8Bit)
    dataset.Rows = 63
    (frame,) = frames_of(dataset)
    response = store(
        service, [*metadata_part(JSON, metadata_of(dataset)), ("image/jpeg", "bulk/pixels", frame)]
    )
    assert (response.status_code, failures(response)[0]["00081197"]["Value"]) == (409, [0xA900])


def test_frames_that_are_missing_are_told_of(service: Service) -> None:
    dataset = us_cine(frames=3, rows=32, columns=32)
    parts = [*metadata_part(JSON, metadata_of(dataset)), ("image/jpeg", "bulk/pixels", frames_of(dataset)[0])]
    response = store(service, parts)
    assert (response.status_code, failures(response)[0]["00000901"]["Value"]) == (409, ["00280008"])


def picture(kind: str, mode: str) -> tuple[bytes, np.ndarray]:
    rng = np.random.default_rng(4)
    if mode == "I;16":
        pixels = rng.integers(0, 1 << 16, (9, 7), dtype=np.uint16)
    else:
        pixels = rng.integers(0, 256, (9, 7) if mode == "L" else (9, 7, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind, **({"progressive": True} if kind == "JPEG" else {}))
    return stream.getvalue(), pixels


def bare_metadata(**more: object) -> Dataset:
    """As a sender of photographs writes it: who, what, and no word of pixels."""
    dataset: Dataset = ct_series(slices=1, rows=8, columns=8)[0]
    kept = Dataset()
    for keyword in ("PatientID", "PatientName", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(kept, keyword, dataset[keyword].value)
    for keyword, value in more.items():
        setattr(kept, keyword, value)
    return kept


@pytest.mark.parametrize(
    ("media_type", "mode"), [("image/png", "L"), ("image/png", "RGB"), ("image/png", "I;16")]
)
def test_png_becomes_native_pixels(service: Service, media_type: str, mode: str) -> None:
    stream, pixels = picture("PNG", mode)
    dataset = bare_metadata(Modality="OT")
    metadata = metadata_of(dataset) | {PIXELS: {"vr": "OW", "BulkDataURI": "p"}}
    response = store(service, [*metadata_part(JSON, metadata), (media_type, "p", stream)])
    assert response.status_code == 200, response.text
    stored = retrieved(service, dataset)
    assert stored.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert stored.SOPClassUID == "1.2.840.10008.5.1.4.1.1.7"
    assert np.array_equal(stored.pixel_array, pixels)
    assert "LossyImageCompression" not in stored


def test_an_animated_gif_becomes_a_loop(service: Service) -> None:
    frames = [Image.new("RGB", (6, 4), colour) for colour in ("red", "lime", "blue")]
    stream = io.BytesIO()
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:])
    dataset = bare_metadata(Modality="XC")
    metadata = metadata_of(dataset) | {PIXELS: {"vr": "OB", "BulkDataURI": "p"}}
    assert (
        store(service, [*metadata_part(JSON, metadata), ("image/gif", "p", stream.getvalue())]).status_code
        == 200
    )
    stored = retrieved(service, dataset)
    assert stored.SOPClassUID == "1.2.840.10008.5.1.4.1.1.77.1.4"
    assert stored.pixel_array[:, 0, 0].tolist() == [[255, 0, 0], [0, 255, 0], [0, 0, 255]]


def test_a_progressive_jpeg_is_decoded_for_no_viewer_shows_one(service: Service) -> None:
    stream, _ = picture("JPEG", "L")
    dataset = bare_metadata(Modality="XC")
    metadata = metadata_of(dataset) | {PIXELS: {"vr": "OB", "BulkDataURI": "p"}}
    assert store(service, [*metadata_part(JSON, metadata), ("image/jpeg", "p", stream)]).status_code == 200
    stored = retrieved(service, dataset)
    assert np.array_equal(stored.pixel_array, np.asarray(Image.open(io.BytesIO(stream))))
    assert (stored.LossyImageCompression, stored.LossyImageCompressionMethod) == ("01", "ISO_10918_1")


@pytest.mark.parametrize("form", [JSON, XML])
def test_a_document_tells_what_it_is(service: Service, form: str) -> None:
    pdf = encapsulated_pdf()
    document = pdf.EncapsulatedDocument[: pdf.EncapsulatedDocumentLength]
    metadata = metadata_of(pdf)
    for key in ("00080016", "00420012", "00420015"):
        del metadata[key]
    metadata["00420011"] = {"vr": "OB", "BulkDataURI": "urn:x:1"}
    response = store(
        service, [*metadata_part(form, metadata), ("application/pdf", "urn:x:1", document)], form
    )
    assert response.status_code == 200, response.text
    same(retrieved(service, pdf), pdf)


def test_metadata_alone_are_an_object_where_they_are_all_of_it(service: Service) -> None:
    report, notes = dose_report(), key_objects(ct_series(slices=2, rows=8, columns=8))
    content = orjson.dumps([metadata_of(report)])
    response = service.http.post("/studies", content=content, headers={"Content-Type": JSON})
    assert response.status_code == 200, response.text
    content = metadata_part(XML, metadata_of(notes))[0][2]
    assert service.http.post("/studies", content=content, headers={"Content-Type": XML}).status_code == 200
    same(retrieved(service, report), report)
    same(retrieved(service, notes), notes)


@pytest.mark.parametrize("form", [JSON, XML])
def test_many_objects_share_a_body(service: Service, form: str) -> None:
    slices = ct_series(slices=5, rows=16, columns=16)
    parts = metadata_part(form, *(metadata_of(d, f"b{n}") for n, d in enumerate(slices)))
    parts += [(OCTETS, f"b{n}", d.PixelData) for n, d in reversed(list(enumerate(slices)))]
    assert store(service, parts, form).status_code == 200
    for dataset in slices:
        same(retrieved(service, dataset), dataset)


def test_what_the_archive_itself_gives_can_be_stored_elsewhere(library: Library, service: Service) -> None:
    for dataset in (library.ct[0], library.report, library.pdf):
        metadata = library.http.get(f"{library.path(dataset)}/metadata").json()
        parts: list[Part] = metadata_part(JSON, *metadata)
        uris = [e["BulkDataURI"] for e in metadata[0].values() if "BulkDataURI" in e]
        for uri in uris:
            content = library.http.get(library.service.host + uri, headers={"Accept": OCTETS}).content
            parts.append((OCTETS, uri, content))
        response = store(service, parts)
        assert response.status_code == 202, response.text
        (item,) = response.json()["00081199"]["Value"]
        assert item["00081196"]["Value"] == [0xB006]  # Available Transfer Syntax UID is of the metadata
        same(retrieved(service, dataset), dataset)


def test_the_same_metadata_again_are_a_success_and_other_ones_a_conflict(
    service: Service, tmp_path: Path
) -> None:
    report = dose_report()
    parts = metadata_part(JSON, metadata_of(report))
    assert [store(service, parts).status_code for _ in range(2)] == [200, 200]
    report.SeriesDescription = "another"
    response = store(service, metadata_part(JSON, metadata_of(report)))
    assert (response.status_code, failures(response)[0]["00081197"]["Value"]) == (409, [0x0111])
    assert len(list((tmp_path / "quarantine").iterdir())) == 1


def test_an_object_of_another_study_is_refused(service: Service) -> None:
    report = dose_report()
    response = store(service, metadata_part(JSON, metadata_of(report)), path="/studies/1.2.3")
    assert (response.status_code, failures(response)[0]["00000901"]["Value"]) == (409, ["0020000D"])


def test_bodies_are_read_liberally(service: Service) -> None:
    report = dose_report()
    content = orjson.dumps([metadata_of(report)])
    head = b"--of-metadata\nContent-Type: application/dicom+json\n\n"
    headers = {"Content-Type": "multipart/related; boundary=of-metadata"}
    response = service.http.post("/studies", content=head + content + b"\n--of-metadata--", headers=headers)
    assert response.status_code == 200, response.text
    head = b"--of-metadata\r\n\r\n"  # the part does not say what it is
    headers["Content-Type"] += "; type=application/dicom+json"
    response = service.http.post("/studies", content=head + content + b"\r\n--of-metadata--", headers=headers)
    assert response.status_code == 200, response.text
