"""Bodies of metadata and bulk data, as senders write them (PS3.18 10.5.1.4)."""

import json
from collections.abc import Iterable

import httpx
from pydicom import Dataset

from dicomweb.native_xml import native_xml
from pacs.model import DicomJson
from tests.dicomweb.conftest import Service

BOUNDARY = "of-metadata"
JSON, XML = "application/dicom+json", "application/dicom+xml"

Part = tuple[str, str, bytes]  # media type, location, content


def metadata_of(dataset: Dataset, location: str = "bulk/pixels") -> DicomJson:
    """By pydicom, with the pixels elsewhere."""
    described: DicomJson = {
        f"{e.tag:08X}": e.to_json_dict(None, 0) for e in dataset if e.keyword != "PixelData"
    }
    if "PixelData" in dataset:
        described["7FE00010"] = {"vr": "OW", "BulkDataURI": location}
    return described


def metadata_part(form: str, *data_sets: DicomJson) -> list[Part]:
    if form == JSON:
        return [(JSON, "", json.dumps(data_sets).encode())]
    return [(XML, "", native_xml(one)) for one in data_sets]


def body(parts: Iterable[Part]) -> bytes:
    written = b""
    for media_type, location, content in parts:
        where = f"Content-Location: {location}\r\n" if location else ""
        head = f"--{BOUNDARY}\r\nContent-Type: {media_type}\r\n{where}\r\n"
        written += head.encode() + content + b"\r\n"
    return written + f"--{BOUNDARY}--\r\n".encode()


def store(
    service: Service, parts: Iterable[Part], form: str = JSON, path: str = "/studies"
) -> httpx.Response:
    headers = {"Content-Type": f'multipart/related; type="{form}"; boundary={BOUNDARY}'}
    return service.http.post(path, content=body(parts), headers=headers)


def failures(response: httpx.Response) -> list[DicomJson]:
    answer = response.json()
    found: list[DicomJson] = answer.get("00081198", {}).get("Value", [])
    return found + list(answer.get("0008119A", {}).get("Value", []))


def comments(response: httpx.Response) -> list[str]:
    return [item["00000902"]["Value"][0] for item in failures(response)]
