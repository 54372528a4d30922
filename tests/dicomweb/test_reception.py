from collections.abc import Callable, Iterator
from io import BytesIO
from itertools import repeat
from pathlib import Path
from threading import Thread

import pytest
from pydicom import dcmread

from dicomweb import received, reception
from dicomweb.multipart import MultipartError
from dicomweb.reception import Reception
from pacs.archive import Archive
from pacs.dataset.part10 import read_file_meta
from pacs.errors import MalformedObject
from pacs.files.new_file import STAGE
from pacs.model import Source, Stored
from testdata.ct import ct_series
from testdata.files import part10
from tests.kept_files import open_files

DELIMITER = b"--B\r\n\r\n"
LAST = b"\r\n--B--"


def receive(archive: Archive, boundary: str | None = "B") -> Reception:
    return Reception(archive, Source(address="test"), None, boundary)


def files_of(folder: Path) -> list[Path]:
    return [path for path in (folder / "objects").rglob("*") if path.is_file()]


@pytest.fixture(scope="module")
def objects() -> list[bytes]:
    return [part10(dataset) for dataset in ct_series(slices=5, rows=16, columns=16)]


def test_parts_are_reported_in_their_order(archive: Archive, objects: list[bytes]) -> None:
    receiving = receive(archive)
    parts = [objects[0], b"nothing", objects[1]]
    receiving.take([b"\r\n".join(DELIMITER + part for part in parts) + LAST])
    outcomes = [one.outcome for one in receiving.finish()]
    assert [type(outcome) for outcome in outcomes] == [Stored, MalformedObject, Stored]


def test_the_size_of_chunks_does_not_matter(archive: Archive, objects: list[bytes]) -> None:
    receiving = receive(archive)
    whole = DELIMITER + objects[0] + LAST
    receiving.take([whole[i : i + 7] for i in range(0, len(whole), 7)])
    (received,) = receiving.finish()
    assert isinstance(received.outcome, Stored)
    assert received.sop_instance_uid == received.outcome.sop_instance_uid


@pytest.mark.parametrize("size", [1, 100, 700, 10**7])
def test_what_was_put_into_its_room_is_kept_bit_for_bit(
    archive: Archive, objects: list[bytes], size: int
) -> None:
    receiving = receive(archive)
    body = b"\r\n".join(DELIMITER + part for part in [*objects[:2], b"nothing", *objects[2:]]) + LAST
    receiving.take(in_rooms(receiving, body, size))
    outcomes = [one.outcome for one in receiving.finish()]
    assert [type(outcome) for outcome in outcomes] == [Stored, Stored, MalformedObject, *[Stored] * 3]
    for sent in objects:
        assert stored_data_set(archive, sent) == data_set(sent)


def in_rooms(receiving: Reception, body: bytes, size: int) -> Iterator[bytes | memoryview]:
    """The body in pieces of at most so many bytes, put where the reception wants them."""
    at = 0
    while at < len(body):
        room = receiving.room()
        piece = body[at : at + min(size, len(body) if room is None else len(room))]
        at += len(piece)
        if room is None:
            yield piece
        else:
            room[: len(piece)] = piece
            yield room[: len(piece)]


def stored_data_set(archive: Archive, sent: bytes) -> bytes:
    uids = dcmread(BytesIO(sent))
    instance = archive.instance(uids.StudyInstanceUID, uids.SeriesInstanceUID, uids.SOPInstanceUID)
    with archive.open(instance) as file:
        return data_set(file.read(0, file.size))


def data_set(file: bytes) -> bytes:
    """What follows the file meta information."""
    read = read_file_meta(file)
    assert read is not None
    return file[read[1] :]


def test_many_are_committed_in_groups_as_they_come(
    archive: Archive, objects: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(received, "COMMITTED_TOGETHER", 2)
    receiving = receive(archive)
    receiving.take([b"\r\n".join(DELIMITER + one for one in objects[:3]) + b"\r\n"])
    first = dcmread(BytesIO(objects[0]))
    assert len(archive.instances(first.StudyInstanceUID, first.SeriesInstanceUID)) == 2
    receiving.take([b"--B--"])
    assert len(receiving.finish()) == 3


def test_abandoned_parts_leave_no_file(archive: Archive, objects: list[bytes], tmp_path: Path) -> None:
    receiving = receive(archive)
    receiving.take([DELIMITER + objects[0] + b"\r\n" + DELIMITER + objects[1][:600]])
    receiving.take([bytes(STAGE)])  # so long that it is in a file
    receiving.abandon()
    assert len(files_of(tmp_path)) == 1
    receiving.take([objects[1][600:] + LAST])
    assert len(files_of(tmp_path)) == 1


def test_a_bare_object_that_is_abandoned_leaves_no_file(
    archive: Archive, objects: list[bytes], tmp_path: Path
) -> None:
    receiving = receive(archive, None)
    receiving.take([objects[0][:600]])
    receiving.abandon()
    receiving.abandon()
    assert files_of(tmp_path) == []


@pytest.mark.parametrize("ends", [Reception.abandon, Reception.finish])
def test_metadata_leave_no_file_open(
    archive: Archive, tmp_path: Path, ends: Callable[[Reception], object]
) -> None:
    before = open_files(tmp_path)
    receiving = Reception(archive, Source(address="test"), None, "B", "application/dicom+json")
    receiving.take([DELIMITER + b"[{}]" + LAST])
    assert len(open_files(tmp_path)) == len(before) + 1
    ends(receiving)
    assert open_files(tmp_path) == before


def test_who_is_taking_stops_when_the_request_is_abandoned(archive: Archive, tmp_path: Path) -> None:
    receiving = receive(archive)
    taking = Thread(target=receiving.take, args=(repeat(b"nothing"),), daemon=True)
    taking.start()
    receiving.abandon()
    taking.join(10)
    assert not taking.is_alive()
    assert files_of(tmp_path) == []


def test_there_is_a_most_of_parts(
    archive: Archive, objects: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reception, "MAX_PARTS", 2)
    receiving = receive(archive)
    receiving.take([b"\r\n".join(DELIMITER + one for one in objects[:3]) + LAST])
    outcomes = [one.outcome for one in receiving.finish()]
    assert [type(outcome) for outcome in outcomes] == [Stored, Stored, MalformedObject]
    assert "more than 2 parts" in str(outcomes[2])


def test_headers_without_end_fail_what_follows_only(archive: Archive, objects: list[bytes]) -> None:
    receiving = receive(archive)
    receiving.take([DELIMITER + objects[0] + b"\r\n--B\r\nX: " + b"x" * 40_000])
    outcomes = [one.outcome for one in receiving.finish()]
    assert [type(outcome) for outcome in outcomes] == [Stored, MalformedObject]


@pytest.mark.parametrize("body", [b"", b"--B--", b"text", b"--B\r\n\r\nhalf", b"--B\r\nX: " + b"x" * 40_000])
def test_a_body_without_a_whole_part_is_an_error(archive: Archive, body: bytes) -> None:
    receiving = receive(archive)
    receiving.take([body])
    with pytest.raises(MultipartError):
        receiving.finish()
