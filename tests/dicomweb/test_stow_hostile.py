"""Metadata that are wrong or hostile fail for themselves alone, and are named (PS3.18 10.5.3, Annex I)."""

import io
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pydicom import Dataset, dcmread

from dicomweb import metadata_parts
from pacs.model import DicomJson
from pacs.pixels import pictures
from testdata.ct import ct_series
from testdata.dose_report import dose_report
from testdata.files import part10
from tests.dicomweb.conftest import Library, Service
from tests.dicomweb.metadata_bodies import (
    JSON,
    XML,
    body,
    comments,
    failures,
    metadata_of,
    metadata_part,
    store,
)

BILLION_LAUGHS = b"""<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<NativeDicomModel><DicomAttribute tag="00100020" vr="LO"><Value number="1">&b;</Value></DicomAttribute>
</NativeDicomModel>"""
OUTSIDE = (
    b"""<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><NativeDicomModel>&a;</NativeDicomModel>"""
)


def nested(levels: int) -> Any:
    inner: Any = {}
    for _ in range(levels):
        inner = {"00081140": {"vr": "SQ", "Value": [inner]}}
    return inner


WRONG: dict[str, tuple[DicomJson, str]] = {
    "vr unknown": ({"00100020": {"vr": "XX", "Value": ["1"]}}, "00100020"),
    "vr missing": ({"00100020": {"Value": ["1"]}}, "00100020"),
    "vr of a number for text": ({"00100020": {"vr": "US", "Value": ["ID"]}}, "00100020"),
    "number as text that is none": ({"00280010": {"vr": "US", "Value": ["many"]}}, "00280010"),
    "number beyond its vr": ({"00280010": {"vr": "US", "Value": [70000]}}, "00280010"),
    "number with a fraction": ({"00280010": {"vr": "US", "Value": [1.5]}}, "00280010"),
    "true for a number": ({"00280010": {"vr": "US", "Value": [True]}}, "00280010"),
    "object for text": ({"00100020": {"vr": "LO", "Value": [{}]}}, "00100020"),
    "value no array": ({"00100020": {"vr": "LO", "Value": "1"}}, "00100020"),
    "element no object": ({"00100020": "1"}, "00100020"),
    "sequence of text": ({"00081140": {"vr": "SQ", "Value": ["1"]}}, "00081140"),
    "no base64": ({"00282000": {"vr": "OB", "InlineBinary": "not base64!"}}, "00282000"),
    "base64 no text": ({"00282000": {"vr": "OB", "InlineBinary": [1]}}, "00282000"),
    "value and bulk data": ({"00282000": {"vr": "UT", "Value": ["a"], "BulkDataURI": "b"}}, "00282000"),
    "bulk data missing": ({"00282000": {"vr": "OB", "BulkDataURI": "nowhere"}}, "00282000"),
    "pixels missing": ({"7FE00010": {"vr": "OB", "BulkDataURI": "nowhere"}}, "7FE00010"),
    "tag no tag": ({"PatientID": {"vr": "LO", "Value": ["1"]}}, ""),
    "deep": (nested(70), "00081140"),
    "deeper than the writer of JSON goes": (nested(300), ""),
    "study no UID": ({"0020000D": {"vr": "UI", "Value": ["no UID"]}}, "0020000D"),
    "instance missing": ({"00080018": {"vr": "UI"}}, "00080018"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_fails_alone_and_is_named(service: Service, tmp_path: Path, name: str) -> None:
    wrong, tag = WRONG[name]
    good, bad = dose_report(), dose_report()
    bad.SOPInstanceUID = "1.2.3"
    response = store(service, metadata_part(JSON, metadata_of(bad) | wrong, metadata_of(good)))
    assert response.status_code == 202, response.text
    assert len(response.json()["00081199"]["Value"]) == 1
    (failure,) = failures(response)
    assert failure.get("00000901", {"Value": [""]})["Value"] == [tag]
    assert failure["00000902"]["Value"][0]
    assert len([path for path in (tmp_path / "objects").rglob("*") if path.is_file()]) == 1


NO_JSON = [
    b"",
    b"[]",
    b"{",
    b"[{]",
    b"[1, 2]",
    b'["a"]',
    b"[[{}]]",
    b"null",
    b"[{}] x",
    b'[{"a": ',
    b"\xff\xfe",
]
NO_JSON += [b"[" * 100_000, b'{"a": NaN}', b'{"00100020": {"vr": "LO", "Value": ["\xff"]}}']


@pytest.mark.parametrize("text", NO_JSON)
def test_what_is_no_json_is_a_bad_request(service: Service, text: bytes) -> None:
    assert store(service, [(JSON, "", text)]).status_code == 400


DEEP = b"<NativeDicomModel>" + b"<a>" * 200_000 + b"</a>" * 200_000 + b"</NativeDicomModel>"
NO_MODEL = [b"", b"<a/>", b"<NativeDicomModel>", DEEP, BILLION_LAUGHS, OUTSIDE, b"\xff\xfe<", b"<" * 100_000]


@pytest.mark.parametrize("text", NO_MODEL)
def test_what_is_no_native_model_is_a_bad_request(service: Service, text: bytes) -> None:
    response = store(service, [(XML, "", text)], XML)
    assert response.status_code == 400
    assert "root:" not in response.text


def test_ten_million_items_are_refused_before_they_are_made(service: Service) -> None:
    items = b"{}," * 10_000_000
    text = b'[{"00081140": {"vr": "SQ", "Value": [' + items + b"{}]}}]"
    response = store(service, [(JSON, "", text)])
    assert response.status_code == 400
    assert comments(response) == ["a data set has more than 500000 values in its metadata"]
    text = b'[{"00081140": {"vr": "LT", "Value": ["' + b"a" * 10_000_000 + b'"]}}]'
    response = store(service, [(JSON, "", text)])
    assert response.status_code == 400
    assert comments(response) == ["the metadata of one data set exceed 8 MB"]


def test_too_much_metadata_are_refused_as_a_whole(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata_parts, "MOST_METADATA", 1000)
    response = store(service, metadata_part(JSON, metadata_of(dose_report())))
    assert (response.status_code, response.headers["content-type"]) == (413, "application/problem+json")
    assert service.http.get("/instances").json() == []


def test_pictures_larger_than_memory_are_refused(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MOST_BYTES", 100)
    stream = io.BytesIO()
    Image.new("L", (20, 20)).save(stream, "PNG")
    metadata = metadata_of(dose_report()) | {"7FE00010": {"vr": "OB", "BulkDataURI": "p"}}
    response = store(service, [*metadata_part(JSON, metadata), ("image/png", "p", stream.getvalue())])
    assert response.status_code == 409
    assert failures(response)[0]["00000901"]["Value"] == ["7FE00010"]


@pytest.mark.parametrize(
    "media_type", ["image/png", "image/gif", "image/jpeg", "image/jp2", "image/jls", "text/csv"]
)
def test_pictures_that_are_none_are_refused(service: Service, media_type: str) -> None:
    metadata = metadata_of(ct_series(slices=1, rows=8, columns=8)[0])
    response = store(service, [*metadata_part(JSON, metadata), (media_type, "bulk/pixels", b"no picture")])
    assert response.status_code in (400, 409)
    (failure,) = failures(response)
    assert failure["00000901"]["Value"] in (["7FE00010"], ["00020010"])


def test_bulk_data_that_nobody_names_are_told_of(service: Service) -> None:
    response = store(
        service, [*metadata_part(JSON, metadata_of(dose_report())), ("text/plain", "x", b"left over")]
    )
    assert response.status_code == 202
    (other,) = response.json()["0008119A"]["Value"]
    assert "Content-Location" in other["00000902"]["Value"][0]


def test_bulk_data_that_are_named_again_and_again_do_not_fill_the_disk(
    service: Service, tmp_path: Path
) -> None:
    report = metadata_of(dose_report())
    many = {f"0009{number:04X}": {"vr": "OB", "BulkDataURI": "x"} for number in range(0x1001, 0x1100)}
    response = store(
        service, [*metadata_part(JSON, report | many), ("application/octet-stream", "x", bytes(1 << 20))]
    )
    assert (response.status_code, len(failures(response))) == (400, 1)
    assert [path for path in (tmp_path / "objects").rglob("*") if path.is_file()] == []
    few = {key: many[key] for key in list(many)[:2]}  # as when two attributes share a profile
    response = store(
        service, [*metadata_part(JSON, report | few), ("application/octet-stream", "x", bytes(1 << 20))]
    )
    assert response.status_code == 200


def test_what_belongs_to_no_data_set_is_discarded_with_a_warning(service: Service) -> None:
    report = dose_report()
    metadata = metadata_of(report) | {
        "00020010": {"vr": "UI", "Value": ["1.2.840.10008.1.2.4.50"]},
        "00080000": {"vr": "UL", "Value": [12]},
        "FFFCFFFC": {"vr": "OB"},
    }
    response = store(service, metadata_part(JSON, metadata))
    assert response.status_code == 202
    assert response.json()["00081199"]["Value"][0]["00081196"]["Value"] == [0xB006]
    assert not {0x00080000, 0xFFFCFFFC} & stored(service, report).keys()


def test_a_body_that_ends_early_leaves_out_what_missed_its_part(service: Service) -> None:
    slices = ct_series(slices=2, rows=64, columns=64)
    parts = metadata_part(JSON, *(metadata_of(d, f"b{n}") for n, d in enumerate(slices)))
    parts += [("application/octet-stream", f"b{n}", d.PixelData) for n, d in enumerate(slices)]
    whole = body(parts)
    headers = {"Content-Type": 'multipart/related; type="application/dicom+json"; boundary=of-metadata'}
    response = service.http.post("/studies", content=whole[:-500], headers=headers)
    assert response.status_code == 202
    assert [item["00081155"]["Value"] for item in response.json()["00081198"]["Value"]] == [
        [slices[1].SOPInstanceUID]
    ]
    assert len(service.http.get("/instances").json()) == 1


def stored(service: Service, dataset: Dataset) -> Dataset:
    response = service.http.get(Library.path(dataset), headers={"Accept": "application/dicom"})
    return dcmread(io.BytesIO(response.content))


def test_what_a_sender_puts_into_the_preamble_is_not_kept(service: Service, tmp_path: Path) -> None:
    """PS3.10 7.1: an executable, or a TIFF, in front of an object that is sound (CVE-2019-11687)."""
    (dataset,) = ct_series(slices=1, rows=8, columns=8)
    for preamble in (b"MZ" + b"\x90" * 126, b"II*\x00" + b"\x08" * 124):
        dataset.SOPInstanceUID = f"1.2.{preamble[0]}"
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        file = preamble + part10(dataset)[128:]
        response = service.http.post("/studies", content=file, headers={"Content-Type": "application/dicom"})
        assert response.status_code == 200
        given = service.http.get(Library.path(dataset), headers={"Accept": "application/dicom"}).content
        assert given[:132] == bytes(128) + b"DICM"
    for path in (tmp_path / "objects").rglob("*.dcm"):
        assert path.read_bytes()[:128] == bytes(128)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    damage=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.binary(max_size=6), st.integers(0, 40)), max_size=5
    ),
    form=st.sampled_from([JSON, XML]),
)
def test_any_body_is_answered_and_nothing_breaks(
    service: Service, damage: list[tuple[float, bytes, int]], form: str
) -> None:
    (dataset,) = ct_series(slices=1, rows=4, columns=4)
    parts = [
        *metadata_part(form, metadata_of(dataset)),
        ("image/jpeg", "bulk/pixels", b"\xff\xd8\xff" + bytes(40)),
    ]
    content = body(parts)
    for place, new, removed in damage:
        at = int(place * len(content))
        content = content[:at] + new + content[at + removed :]
    headers = {"Content-Type": f'multipart/related; type="{form}"; boundary=of-metadata'}
    response: httpx.Response = service.http.post("/studies", content=content, headers=headers)
    assert response.status_code in (200, 202, 400, 409, 413), response.text
    assert orjson.loads(response.content)
