"""C-MOVE and C-GET (PS3.4 C.4.2, C.4.3), asked by pynetdicom and DCMTK over real associations."""

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import (
    CTImageStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
)
from pynetdicom import AE, build_role, evt
from pynetdicom.association import Association

from pacs.index import Index
from pacs.model import Peer
from testdata.ct import ct_series
from testdata.mr import mr_series
from tests.pacs.dimse.peer import store
from tests.pacs.dimse.scp import free_port, receiver, storescp

STUDY_MOVE, PATIENT_MOVE = "1.2.840.10008.5.1.4.1.2.2.2", "1.2.840.10008.5.1.4.1.2.1.2"
STUDY_GET, PATIENT_GET = "1.2.840.10008.5.1.4.1.2.2.3", "1.2.840.10008.5.1.4.1.2.1.3"
BOTH = [str(ExplicitVRLittleEndian), str(ImplicitVRLittleEndian)]
HIGH = 1  # a Priority
Status = tuple[int, list[int | None], list[str]]


@pytest.fixture(scope="module")
def ct() -> list[Dataset]:
    return ct_series(slices=4, rows=16, columns=16)


@pytest.fixture(scope="module")
def mr() -> list[Dataset]:
    return mr_series(slices=3, rows=16, columns=16)


@pytest.fixture
def kept(port: int, ct: list[Dataset], mr: list[Dataset]) -> int:
    """The port of an archive that has both series."""
    for image in (*ct, *mr):
        assert store(port, image).Status == 0
    return port


def identifier(level: str, **keys: str | list[str]) -> Dataset:
    asked = Dataset()
    asked.QueryRetrieveLevel = level
    for keyword, value in keys.items():
        setattr(asked, keyword, value)
    return asked


def told(status: Dataset, answer: Dataset | None) -> Status:
    """The status, the numbers of remaining, completed, failed and warnings, and what failed."""
    names = ("Remaining", "Completed", "Failed", "Warning")
    numbers = [status.get(f"NumberOf{name}Suboperations") for name in names]
    failed = answer.get("FailedSOPInstanceUIDList", []) if answer is not None else []
    return status.Status, numbers, [failed] if isinstance(failed, str) else list(failed)


def move(
    port: int, destination: str, asked: Dataset, model: str = STUDY_MOVE, priority: int = 2
) -> list[Status]:
    user = AE("ASKER")
    user.add_requested_context(model, BOTH)
    association = user.associate("127.0.0.1", port, ae_title="DIAFANA")
    assert association.is_established
    try:
        return [told(*answer) for answer in association.send_c_move(asked, destination, model, 1, priority)]
    finally:
        association.release()


def uids(images: Sequence[Dataset]) -> list[str]:
    return sorted(str(image.SOPInstanceUID) for image in images)


@pytest.fixture
def destination(index: Index) -> Iterator[list[Dataset]]:
    """What came to the system OTHER, which is known."""
    classes = [CTImageStorage, "1.2.840.10008.5.1.4.1.1.4"]
    with receiver(classes, BOTH) as other:
        index.peers.put(other.peer)
        yield other.received


def test_c_4_2_each_level_is_moved(
    kept: int, destination: list[Dataset], ct: list[Dataset], mr: list[Dataset]
) -> None:
    study, series = str(ct[0].StudyInstanceUID), str(ct[0].SeriesInstanceUID)
    two = uids(ct)[:2]
    cases: list[tuple[str, Dataset, list[str]]] = [
        (PATIENT_MOVE, identifier("PATIENT", PatientID=str(mr[0].PatientID)), uids(mr)),
        (STUDY_MOVE, identifier("STUDY", StudyInstanceUID=study), uids(ct)),
        (
            STUDY_MOVE,
            identifier("STUDY", StudyInstanceUID=[study, str(mr[0].StudyInstanceUID)]),
            sorted(uids(ct) + uids(mr)),
        ),
        (STUDY_MOVE, identifier("SERIES", StudyInstanceUID=study, SeriesInstanceUID=series), uids(ct)),
        (STUDY_MOVE, identifier("SERIES", SeriesInstanceUID=series), uids(ct)),  # relational
        (
            STUDY_MOVE,
            identifier("IMAGE", StudyInstanceUID=study, SeriesInstanceUID=series, SOPInstanceUID=two),
            two,
        ),
        (STUDY_MOVE, identifier("STUDY", StudyInstanceUID="1.2.3"), []),
    ]
    for model, asked, expected in cases:
        destination.clear()
        *pending, last = move(kept, "OTHER", asked, model)
        assert last == (0x0000, [None, len(expected), 0, 0], [])
        steps = range(1, len(expected))
        assert pending == [(0xFF00, [len(expected) - n, n, 0, 0], []) for n in steps]
        assert uids(destination) == expected


def test_c_4_2_the_originator_is_named(kept: int, index: Index, ct: list[Dataset]) -> None:
    with receiver([CTImageStorage], BOTH) as other:
        index.peers.put(other.peer)
        move(kept, "OTHER", identifier("STUDY", StudyInstanceUID=str(ct[0].StudyInstanceUID)))
        named = {
            (one.MoveOriginatorApplicationEntityTitle, one.MoveOriginatorMessageID) for one in other.commands
        }
    assert named == {("ASKER", 1)}


def test_c_4_2_1_2_objects_have_the_priority_of_the_request(
    kept: int, index: Index, ct: list[Dataset]
) -> None:
    study = identifier("STUDY", StudyInstanceUID=str(ct[0].StudyInstanceUID))
    with receiver([CTImageStorage], BOTH) as other:
        index.peers.put(other.peer)
        for priority in range(3):
            move(kept, "OTHER", study, priority=priority)
        told = [one.Priority for one in other.commands]
    assert told == sorted([*range(3)] * len(ct))


def test_c_4_2_failures_and_warnings_are_counted_and_listed(
    kept: int, index: Index, ct: list[Dataset]
) -> None:
    answers = {uids(ct)[0]: 0xA900, uids(ct)[1]: 0xB000}
    with receiver(
        [CTImageStorage], BOTH, lambda e: answers.get(e.request.AffectedSOPInstanceUID, 0)
    ) as other:
        index.peers.put(other.peer)
        *_, last = move(kept, "OTHER", identifier("STUDY", StudyInstanceUID=str(ct[0].StudyInstanceUID)))
    assert last == (0xB000, [None, 2, 1, 1], [uids(ct)[0]])


def test_c_4_2_a_destination_that_is_not_known_or_not_there(
    kept: int, index: Index, ct: list[Dataset]
) -> None:
    asked = identifier("STUDY", StudyInstanceUID=str(ct[0].StudyInstanceUID))
    assert move(kept, "NOBODY", asked) == [(0xA801, [None] * 4, [])]
    index.peers.put(Peer("OTHER", "127.0.0.1", free_port()))
    (status, numbers, failed) = move(kept, "OTHER", asked)[-1]
    assert (status, numbers, sorted(failed)) == (0xA702, [None, 0, len(ct), 0], uids(ct))


@pytest.mark.parametrize(
    "asked",
    [
        identifier("STUDY"),
        identifier("STUDY", PatientID="*"),
        identifier("STUDY", StudyInstanceUID=""),
        identifier("IMAGE", StudyInstanceUID="1.2.3"),
        identifier("PATIENT", PatientID="1"),  # not of the Study Root
        identifier("NOWHERE", StudyInstanceUID="1.2.3"),
    ],
)
def test_c_4_2_what_names_nothing_is_refused(kept: int, destination: list[Dataset], asked: Dataset) -> None:
    assert [status for status, _, _ in move(kept, "OTHER", asked)] == [0xA900]
    assert not destination


def test_c_4_2_a_cancelled_move_ends(kept: int, index: Index, ct: list[Dataset]) -> None:
    user = AE("ASKER")
    user.add_requested_context(STUDY_MOVE, BOTH)
    with receiver([CTImageStorage], BOTH) as other:
        index.peers.put(other.peer)
        association = user.associate("127.0.0.1", kept, ae_title="DIAFANA")
        asked = identifier("STUDY", StudyInstanceUID=str(ct[0].StudyInstanceUID))
        statuses = []
        for status, answer in association.send_c_move(asked, "OTHER", STUDY_MOVE, msg_id=7):
            statuses.append(told(status, answer))
            if len(statuses) == 1:
                association.send_c_cancel(7, query_model=STUDY_MOVE)
        association.release()
    last, (remaining, completed, failed, warned), _ = statuses[-1]
    if last == 0x0000:  # all was sent before the cancel came
        assert completed == len(ct)
    else:
        assert last == 0xFE00
        assert (remaining or 0) + (completed or 0) == len(ct)
        assert (failed, warned) == (0, 0)


def get(
    port: int, asked: Dataset, model: str, syntaxes: dict[str, list[str]]
) -> tuple[list[Status], list[Dataset]]:
    """What is told, and what comes.  syntaxes: by storage class."""
    got: list[Dataset] = []

    def keep(event: Any) -> int:
        dataset = event.dataset
        dataset.file_meta = event.file_meta
        got.append(dataset)
        return 0x0000 if event.request.Priority == HIGH else 0xC000  # PS3.4 C.4.3.1.2

    user = AE("ASKER")
    user.add_requested_context(model, BOTH)
    for uid, of_class in syntaxes.items():
        user.add_requested_context(uid, of_class)
    roles: list[Any] = [build_role(uid, scp_role=True) for uid in syntaxes]
    association: Association = user.associate(
        "127.0.0.1", port, ae_title="DIAFANA", ext_neg=roles, evt_handlers=[(evt.EVT_C_STORE, keep)]
    )
    assert association.is_established
    try:
        return [told(*answer) for answer in association.send_c_get(asked, model, 1, HIGH)], got
    finally:
        association.release()


def test_c_4_3_each_level_comes_back(kept: int, ct: list[Dataset], mr: list[Dataset]) -> None:
    both = {str(CTImageStorage): BOTH, str(mr[0].SOPClassUID): BOTH}
    study, series = str(ct[0].StudyInstanceUID), str(ct[0].SeriesInstanceUID)
    for model, asked, expected in (
        (PATIENT_GET, identifier("PATIENT", PatientID=str(mr[0].PatientID)), mr),
        (STUDY_GET, identifier("STUDY", StudyInstanceUID=study), ct),
        (STUDY_GET, identifier("SERIES", StudyInstanceUID=study, SeriesInstanceUID=series), ct),
        (STUDY_GET, identifier("IMAGE", SOPInstanceUID=uids(ct[:2])), ct[:2]),
    ):
        statuses, got = get(kept, asked, model, both)
        assert statuses[-1] == (0x0000, [None, len(expected), 0, 0], [])
        assert uids(got) == uids(expected)
        by_uid = {image.SOPInstanceUID: image for image in expected}
        assert all(image.PixelData == by_uid[image.SOPInstanceUID].PixelData for image in got)


def test_c_4_3_a_class_that_was_not_proposed_fails(kept: int, ct: list[Dataset], mr: list[Dataset]) -> None:
    asked = identifier("STUDY", StudyInstanceUID=[str(ct[0].StudyInstanceUID), str(mr[0].StudyInstanceUID)])
    statuses, got = get(kept, asked, STUDY_GET, {str(CTImageStorage): BOTH})
    status, numbers, failed = statuses[-1]
    assert (status, numbers, sorted(failed)) == (0xB000, [None, len(ct), len(mr), 0], uids(mr))
    assert uids(got) == uids(ct)


def test_c_4_3_what_is_compressed_stays_so_where_it_is_taken(port: int) -> None:
    (image,) = ct_series(slices=1, rows=16, columns=16)
    pixels = image.PixelData
    image.compress(RLELossless)
    assert store(port, image).Status == 0
    asked = identifier("STUDY", StudyInstanceUID=str(image.StudyInstanceUID))
    for syntaxes, expected in (
        ([str(RLELossless)], RLELossless),
        (BOTH, ExplicitVRLittleEndian),
        ([str(ImplicitVRLittleEndian)], ImplicitVRLittleEndian),
    ):
        _, (got,) = get(port, asked, STUDY_GET, {str(CTImageStorage): syntaxes})
        assert got.file_meta.TransferSyntaxUID == expected
        assert got.pixel_array.tobytes() == pixels
    statuses, got_none = get(port, asked, STUDY_GET, {str(CTImageStorage): [str(JPEG2000Lossless)]})
    assert (statuses[-1][0], got_none) == (0xA702, [])


@pytest.mark.needs("movescu")
def test_dcmtk_moves_and_gets(kept: int, index: Index, ct: list[Dataset], tmp_path: Path) -> None:
    keys = ["-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={ct[0].StudyInstanceUID}"]
    with storescp(tmp_path / "moved") as peer:
        index.peers.put(peer)
        asked = ["movescu", "-S", "-aec", "DIAFANA", "-aem", peer.ae_title, *keys, "127.0.0.1", str(kept)]
        subprocess.run(asked, check=True, timeout=60, capture_output=True)
    (tmp_path / "got").mkdir()
    asked = ["getscu", "-S", "-aec", "DIAFANA", *keys, "-od", str(tmp_path / "got"), "127.0.0.1", str(kept)]
    subprocess.run(asked, check=True, timeout=60, capture_output=True)
    for folder in ("moved", "got"):
        found = [dcmread(path) for path in (tmp_path / folder).iterdir()]
        assert uids(found) == uids(ct)
