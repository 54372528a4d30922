"""A wrong answer is told from a right one."""

import gzip
import io
import json

import pytest
from PIL import Image

from bench.answers import check_frame, check_metadata, check_picture, check_results, json_of
from bench.figures import NotMeasured
from bench.load import Answer

WHOLE = {"00080018": {"vr": "UI"}, "00280010": {"vr": "US"}, "7FE00010": {"vr": "OW"}}


def answer(body: bytes, status: int = 200, **headers: str) -> Answer:
    return Answer(status, headers, body, 0.1)


def picture(form: str, side: int = 8) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (side, side)).save(buffer, form)
    return buffer.getvalue()


def test_the_right_number_of_results_passes() -> None:
    check_results(answer(b"[{}, {}]"), 2)
    check_results(answer(b"", 204), 0)


@pytest.mark.parametrize(
    ("body", "status"), [(b"[{}]", 200), (b"", 204), (b"[{}, {}]", 500), (b"<html>", 200)]
)
def test_any_other_does_not(body: bytes, status: int) -> None:
    with pytest.raises(NotMeasured):
        check_results(answer(body, status), 2)


def test_a_packed_answer_is_unpacked() -> None:
    packed = Answer(200, {"content-encoding": "gzip"}, gzip.compress(b'[{"a": 1}]'), 0.1)
    assert json_of(packed) == [{"a": 1}]


def test_metadata_must_be_whole() -> None:
    check_metadata(answer(json.dumps([WHOLE, WHOLE]).encode()), 2)
    torn = {"00080018": {"vr": "UI"}}
    with pytest.raises(NotMeasured, match="1 whole"):
        check_metadata(answer(json.dumps([WHOLE, torn]).encode()), 2)


def test_a_frame_must_be_the_one_that_was_stored() -> None:
    check_frame(answer(b"--x\r\n\r\n\x01\x02\x03\x04\r\n--x--"), b"\x01\x02\x03\x04")
    with pytest.raises(NotMeasured):
        check_frame(answer(b"--x\r\n\r\n\x00\x00\x00\x00\r\n--x--"), b"\x01\x02\x03\x04")


def test_a_picture_must_be_a_jpeg_of_that_size() -> None:
    check_picture(answer(picture("JPEG")), 8)
    for wrong in (picture("PNG"), picture("JPEG", side=4), b"no picture"):
        with pytest.raises(NotMeasured):
            check_picture(answer(wrong), 8)
