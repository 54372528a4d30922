"""Storing images in the real service, having it send them, and what it has and tells then."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE

from testdata.files import part10
from tests.diafana.commands import Done, diafana
from tests.service import Service
from tests.waiting import wait_until

SEND = "/dicom-web/studies/send-requests"


def command(data: Path, *arguments: object) -> Done:
    """`diafana`, for a data folder."""
    return diafana(*map(str, arguments), "--data", data)


def know(data: Path, name: str, port: int) -> None:
    """Make a system known that listens here."""
    assert command(data, "peer", "add", name, "127.0.0.1", port).code == 0


def keep(service: Service, images: Sequence[Dataset]) -> None:
    """Store over the web."""
    for image in images:
        form = {"Content-Type": "application/dicom"}
        httpx.post(f"{service.url}/dicom-web/studies", content=part10(image), headers=form).raise_for_status()


def send(to: Service, images: Sequence[Dataset], calling: str = "CT1") -> None:
    """Store by C-STORE.  calling: the AE title of who does."""
    user = AE(calling)
    user.add_requested_context(images[0].SOPClassUID, [ExplicitVRLittleEndian])
    association = user.associate("127.0.0.1", to.dimse_port)
    assert association.is_established
    for image in images:
        assert association.send_c_store(image).Status == 0
    association.release()


def ask(service: Service, uid: str, destination: str, resource: str, **keys: str) -> httpx.Response:
    """The answer to a request to send what a search of the resource with these keys finds."""
    url = f"{service.url}/dicom-web{resource}/send-requests/{uid}"
    return httpx.post(url, params={"destination": destination} | keys)


def send_study(service: Service, uid: str, destination: str, image: Dataset) -> httpx.Response:
    """The answer to a request to send the study of an image."""
    return ask(service, uid, destination, "/studies", StudyInstanceUID=image.StudyInstanceUID)


def result(service: Service, uid: str) -> dict[str, Any]:
    """What became of a request, once it has ended."""
    answer = httpx.Response(202)

    def is_there() -> bool:
        nonlocal answer
        answer = service.get(f"{SEND}/{uid}")
        return answer.status_code == 200

    wait_until(is_there)
    told = answer.json()
    assert isinstance(told, dict)
    return told


def numbers(told: dict[str, Any]) -> list[int]:
    """Remaining, completed, failed and warnings (PS3.7 9.1.4)."""
    return [told[f"0000102{last}"]["Value"][0] for last in range(4)]


def uids(images: Sequence[Dataset]) -> list[str]:
    """Of instances, in their order."""
    return sorted(str(image.SOPInstanceUID) for image in images)


def here(at: Service) -> list[str]:
    """The UIDs of all instances that a service has."""
    found = at.get("/dicom-web/instances")
    return sorted(one["00080018"]["Value"][0] for one in found.json()) if found.status_code == 200 else []
