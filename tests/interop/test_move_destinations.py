"""C-MOVE by DCMTK's movescu, from the real service to whoever a hospital has."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread

from pacs.model import Peer
from testdata.ct import ct_series
from tests.diafana.sending import keep, know, uids
from tests.pacs.dimse.scp import dcmrecv, storescp
from tests.service import Service

pytestmark = [pytest.mark.xdist_group("service"), pytest.mark.needs("movescu")]


@pytest.fixture(scope="module")
def images() -> list[Dataset]:
    return ct_series(slices=6, rows=32, columns=32)


@pytest.fixture
def service(tmp_path: Path, images: list[Dataset]) -> Iterator[Service]:
    with Service(tmp_path / "data", "--workers", "2") as service:
        keep(service, images)
        yield service


def move(service: Service, destination: str, image: Dataset) -> subprocess.CompletedProcess[str]:
    keys = ["-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={image.StudyInstanceUID}"]
    command = ["movescu", "-v", "-S", "-aec", "ARCHIVE", "-aem", destination, *keys, "127.0.0.1"]
    return subprocess.run(
        [*command, str(service.dimse_port)], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("program", [storescp, dcmrecv])
def test_programs_of_dcmtk_are_sent_everything(
    service: Service,
    tmp_path: Path,
    images: list[Dataset],
    program: Callable[[Path], AbstractContextManager[Peer]],
) -> None:
    folder = tmp_path / "received"
    with program(folder) as peer:
        know(tmp_path / "data", peer.ae_title, peer.port)
        assert move(service, peer.ae_title, images[0]).returncode == 0
        received = [dcmread(file) for file in folder.iterdir()]
    assert sorted(str(one.SOPInstanceUID) for one in received) == uids(images)
    pixels = {image.SOPInstanceUID: image.PixelData for image in images}
    assert all(one.PixelData == pixels[one.SOPInstanceUID] for one in received)


def test_a_second_instance_of_ours_is_sent_everything_and_can_move_it_on(
    service: Service, tmp_path: Path, images: list[Dataset]
) -> None:
    with (
        Service(tmp_path / "second", "--workers", "1") as second,
        storescp(tmp_path / "received") as third,
    ):
        know(tmp_path / "data", "SECOND", second.dimse_port)
        know(tmp_path / "second", third.ae_title, third.port)
        assert move(service, "SECOND", images[0]).returncode == 0
        found = second.get(f"/dicom-web/studies/{images[0].StudyInstanceUID}/instances").json()
        assert sorted(one["00080018"]["Value"][0] for one in found) == uids(images)
        assert move(second, third.ae_title, images[0]).returncode == 0
        assert len(list((tmp_path / "received").iterdir())) == len(images)


def test_nobody_is_sent_anything_under_a_name_that_is_not_known(
    service: Service, images: list[Dataset]
) -> None:
    ended = move(service, "NOBODY", images[0])
    assert ended.returncode != 0
    assert "MoveDestinationUnknown" in ended.stdout + ended.stderr
