"""Whether an answer is the right one. A fast wrong answer is no figure."""

import gzip
import io
import json
from typing import Any

from PIL import Image, UnidentifiedImageError

from bench.figures import NotMeasured
from bench.load import Answer

DICOM_JSON = {"Accept": "application/dicom+json"}
PACKED_DICOM_JSON = {**DICOM_JSON, "Accept-Encoding": "gzip"}
PLAIN_DICOM_JSON = {**DICOM_JSON, "Accept-Encoding": "identity"}


def check_status(answer: Answer) -> None:
    """Raise NotMeasured unless the status is 200."""
    if answer.status != 200:
        raise NotMeasured(f"answered with {answer.status} where 200 was due")


def json_of(answer: Answer) -> list[dict[str, Any]]:
    """The objects of a DICOM JSON answer, PS3.18 F.2. 204 is an empty one."""
    if answer.status == 204:
        return []
    check_status(answer)
    packed = answer.headers.get("content-encoding") == "gzip"
    try:
        found: list[dict[str, Any]] = json.loads(gzip.decompress(answer.body) if packed else answer.body)
    except (ValueError, OSError) as error:
        raise NotMeasured(f"the answer is no JSON: {error}") from error
    return found


def check_results(answer: Answer, count: int) -> None:
    """Raise NotMeasured unless exactly `count` objects were found."""
    found = len(json_of(answer))
    if found != count:
        raise NotMeasured(f"{found} results where {count} were due")


def check_metadata(answer: Answer, count: int) -> None:
    """Raise NotMeasured unless these are `count` whole objects: with UID, Rows and a place for the pixels."""
    objects = json_of(answer)
    whole = [each for each in objects if {"00080018", "00280010", "7FE00010"} <= each.keys()]
    if len(whole) != count:
        raise NotMeasured(f"metadata of {len(whole)} whole instances where {count} were due")


def check_frame(answer: Answer, pixels: bytes) -> None:
    """Raise NotMeasured unless the body holds this very frame."""
    check_status(answer)
    if pixels not in answer.body:
        raise NotMeasured("the answer does not hold the frame that was stored")


def check_picture(answer: Answer, side: int) -> None:
    """Raise NotMeasured unless the body is a JPEG picture of side x side."""
    check_status(answer)
    try:
        with Image.open(io.BytesIO(answer.body), formats=["JPEG"]) as picture:
            size = picture.size
    except UnidentifiedImageError as error:
        raise NotMeasured("the rendered picture is no JPEG") from error
    if size != (side, side):
        raise NotMeasured(f"the rendered picture is {size[0]} x {size[1]} where {side} x {side} was due")
