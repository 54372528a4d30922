"""The SCU of Query/Retrieve: other archives are asked, and give what is missing here."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydicom import DataElement, Dataset
from pydicom.uid import ExplicitVRLittleEndian, JPEGLSLossless
from pynetdicom import evt

from pacs.archive import Archive
from pacs.dimse import inquiry, retrieval
from pacs.dimse.remote import STUDY_FIND, STUDY_GET, find
from pacs.dimse.requestor import PeerFailed
from pacs.dimse.retrieval import Entity, Progress, Retrieval, entity_of
from pacs.errors import InvalidQuery, NotFound
from pacs.index import Index
from pacs.model import Level, Peer
from testdata.compressed import compressed
from testdata.ct import ct_series
from testdata.mr import mr_series
from tests.pacs.dimse.conftest import StartFront
from tests.pacs.dimse.peer import store
from tests.pacs.dimse.qrscp import qrscp
from tests.pacs.dimse.scp import serving

BOTH = ["1.2.840.10008.1.2", str(ExplicitVRLittleEndian)]
CT, MR = ct_series(slices=4, rows=16, columns=16), mr_series(slices=3, rows=16, columns=16)
STUDY = str(CT[0].StudyInstanceUID)


def uids(images: Sequence[Dataset]) -> list[str]:
    return sorted(str(image.SOPInstanceUID) for image in images)


def here(archive: Archive, study: str = STUDY) -> list[str]:
    return sorted(one.sop_instance_uid for one in archive.instances(study))


def got(archive: Archive, peer: Peer, entity: Entity, by_move: bool = False) -> list[Progress]:
    return list(Retrieval(archive, peer, "DIAFANA", entity).run(by_move))


def answers(peer: Peer, level: Level, **keys: str) -> list[Dataset]:
    return list(find(peer, "DIAFANA", level, keys, 100))


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Peer]:
    with qrscp(tmp_path / "other", [*CT, *MR]) as peer:
        yield peer


@pytest.mark.needs("dcmqrscp")
def test_another_archive_is_asked_at_each_level(other: Peer) -> None:
    studies = answers(other, Level.STUDY, PatientID=str(CT[0].PatientID))
    assert [one.StudyInstanceUID for one in studies] == [STUDY]
    assert studies[0].PatientName == CT[0].PatientName
    (patient,) = answers(other, Level.PATIENT, PatientID=str(MR[0].PatientID))
    assert patient.PatientName == MR[0].PatientName
    (series,) = answers(other, Level.SERIES, StudyInstanceUID=STUDY)
    assert series.Modality == "CT"
    keys = {"StudyInstanceUID": STUDY, "SeriesInstanceUID": series.SeriesInstanceUID}
    assert uids(list(find(other, "DIAFANA", Level.INSTANCE, keys, 100))) == uids(CT)
    assert len(list(find(other, "DIAFANA", Level.INSTANCE, keys, 2))) == 2
    assert answers(other, Level.STUDY, PatientID="NOBODY") == []


@pytest.mark.needs("dcmqrscp")
@pytest.mark.parametrize(
    "keys",
    [{"Color": "red"}, {"ProcedureCodeSequence": ""}, {"SeriesNumber": "first"}],
)
def test_what_is_no_key_is_named(other: Peer, keys: dict[str, str]) -> None:
    with pytest.raises(InvalidQuery, match=next(iter(keys))):
        list(find(other, "DIAFANA", Level.STUDY, keys, 100))


@pytest.mark.needs("dcmqrscp")
def test_a_study_comes_by_c_get_and_only_what_is_missing(archive: Archive, other: Peer) -> None:
    steps = got(archive, other, Entity(STUDY))
    assert steps == [Progress(number, 4) for number in (0, 1, 2, 3, 4, 4)]
    assert here(archive) == uids(CT)
    assert archive.sending_ae_title(archive.instances(STUDY)[0]) == "QRSCP"
    assert got(archive, other, Entity(STUDY)) == [Progress(4, 4), Progress(4, 4)]
    one = Entity(
        *(str(MR[1][tag].value) for tag in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"))
    )
    assert got(archive, other, one)[-1] == Progress(1, 1)
    assert here(archive, one.study_instance_uid) == uids(MR[1:2])
    with pytest.raises(NotFound, match="QRSCP has no such"):
        got(archive, other, Entity("1.2.3"))


@pytest.mark.needs("dcmqrscp")
@pytest.mark.parametrize(("options", "by_move"), [((), True), (("--disable-get",), False)])
def test_a_study_comes_by_c_move(
    archive: Archive, start_front: StartFront, tmp_path: Path, options: tuple[str, ...], by_move: bool
) -> None:
    ours = start_front()
    with qrscp(tmp_path / "other", CT, *options, ours=ours) as peer:
        steps = got(archive, peer, Entity(STUDY), by_move)
    assert (steps[0], steps[-1]) == (Progress(0, 4), Progress(4, 4))
    assert here(archive) == uids(CT)


def test_an_archive_like_ours_gives_what_it_has_compressed(
    archive: Archive, start_front: StartFront, tmp_path: Path
) -> None:
    """It is kept as it was stored there, by C-GET, too."""
    port = start_front()
    image = compressed(MR[0], JPEGLSLossless)
    assert store(port, image).Status == 0
    second = another_archive(tmp_path / "second")
    assert got(second, Peer("DIAFANA", "127.0.0.1", port), Entity(image.StudyInstanceUID))[-1] == (1, 1)
    (instance,), (first,) = (
        second.instances(image.StudyInstanceUID),
        archive.instances(image.StudyInstanceUID),
    )
    assert (instance.transfer_syntax_uid, instance.digest) == (JPEGLSLossless, first.digest)


def another_archive(folder: Path) -> Archive:
    from pacs.files import DiskFiles
    from pacs.files.derived import DerivedFiles
    from pacs.index import migrate, sqlite_url

    folder.mkdir()
    migrate(sqlite_url(folder / "index.sqlite"))
    index = Index(sqlite_url(folder / "index.sqlite"))
    derived = DerivedFiles(folder / "derived")
    return Archive(DiskFiles(folder), derived, index, "SECOND", "/dicom-web", lambda: None)


Handler = Callable[[evt.Event], Any]


@contextmanager
def scp(find_handler: Handler, get_handler: Handler | None = None) -> Iterator[Peer]:
    """pynetdicom's, which answers as these say."""
    contexts, handlers = [(STUDY_FIND, BOTH)], [(evt.EVT_C_FIND, find_handler)]
    stored = str(CT[0].SOPClassUID)
    if get_handler is not None:
        contexts += [(STUDY_GET, BOTH), (stored, BOTH)]
        handlers.append((evt.EVT_C_GET, get_handler))
    with serving("ODD", contexts, handlers, provided=[stored]) as peer:
        yield peer


def tells_of(images: Sequence[Dataset]) -> Handler:
    """Answers of series and instances."""

    def answer(event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
        level = event.identifier.QueryRetrieveLevel
        for image in images[:1] if level == "SERIES" else images:
            found = Dataset()
            for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID"):
                setattr(found, keyword, image[keyword].value)
            yield 0xFF00, found

    return answer


@pytest.mark.parametrize("number", [0xA702, 0xB000])
def test_what_tells_of_sub_operations_is_no_end_of_a_search(number: int) -> None:
    def end(_: evt.Event) -> Iterator[tuple[int, None]]:
        yield number, None

    with scp(end) as peer, pytest.raises(PeerFailed, match=f"answers C-FIND with status {number:04X}"):
        answers(peer, Level.STUDY)


def test_a_status_of_failure_is_told(archive: Archive) -> None:
    def refuse(_: evt.Event) -> Iterator[tuple[Any, None]]:
        status = Dataset()
        status.Status, status.ErrorComment = 0xA700, "no\x1b room"
        yield status, None

    with scp(refuse) as peer, pytest.raises(PeerFailed, match="ODD answers C-FIND with status A700: no room"):
        answers(peer, Level.STUDY)
    with scp(tells_of(CT)) as peer, pytest.raises(PeerFailed, match="not C-MOVE"):
        got(archive, peer, Entity(STUDY))


def test_an_object_that_was_not_asked_for_is_refused(archive: Archive) -> None:
    stranger = ct_series(slices=1, rows=16, columns=16)[0]
    stranger.StudyInstanceUID = "1.2.826.0.1.3680043.9.9.9"

    def give(_: evt.Event) -> Iterator[Any]:
        yield 2
        yield 0xFF00, stranger
        yield 0xFF00, CT[1]

    with scp(tells_of(CT[:2]), give) as peer:
        assert got(archive, peer, Entity(STUDY))[-1] == Progress(1, 2)
    assert here(archive) == uids(CT[1:2])


# pynetdicom leaves its socket open when the connection is reset
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_answer_is_read_whatever_its_length_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    def tell(_: evt.Event) -> Iterator[tuple[int, Dataset]]:
        found = Dataset()
        found.StudyInstanceUID = "1.2.3"
        found.PatientComments = "x" * 500_000
        yield 0xFF00, found

    with scp(tell) as peer:
        (answer,) = answers(peer, Level.STUDY)
        assert len(answer.PatientComments) == 500_000
        monkeypatch.setattr(inquiry, "MOST_BYTES", 400_000)
        with pytest.raises(PeerFailed, match="more than 400000 bytes"):
            answers(peer, Level.STUDY)


# pynetdicom leaves its socket open when the connection is reset
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_answer_that_cannot_be_read_is_told() -> None:
    def tell(_: evt.Event) -> Iterator[tuple[int, Dataset]]:
        found = Dataset()
        found.add(DataElement(0x00200013, "IS", "twelve", already_converted=True))
        yield 0xFF00, found

    with scp(tell) as peer, pytest.raises(PeerFailed, match="ODD answers C-FIND with what cannot be read"):
        answers(peer, Level.STUDY)


@pytest.mark.needs("dcmqrscp")
def test_values_of_questions_are_as_they_were_given(other: Peer) -> None:
    """Ranges, wildcards, lists and what is not of the form of its VR."""
    for keys in (
        {"StudyDate": "19000101-"},
        {"PatientName": "*"},
        {"StudyInstanceUID": f"{STUDY}\\1.2.3"},
        {"PatientID": str(CT[0].PatientID)[:-1] + "?"},
    ):
        assert STUDY in [one.StudyInstanceUID for one in find(other, "DIAFANA", Level.STUDY, keys, 9)]
    assert list(find(other, "DIAFANA", Level.STUDY, {"PatientName": "Müller"}, 9)) == []


def test_what_names_no_entity_is_refused() -> None:
    assert entity_of({"StudyInstanceUID": "1.2"}) == Entity("1.2")
    for keys in (
        {},
        {"StudyInstanceUID": ""},
        {"StudyInstanceUID": "*"},
        {"SeriesInstanceUID": "1.2"},
        {"StudyInstanceUID": "1.2", "SOPInstanceUID": "1.3"},
        {"StudyInstanceUID": "1.2", "PatientID": "7"},
    ):
        with pytest.raises(InvalidQuery):
            entity_of(keys)


def test_who_breaks_off_within_an_object_leaves_nothing_of_it(archive: Archive) -> None:
    """The connection is cut while the second object comes; the first is kept."""

    def give(event: evt.Event) -> Iterator[Any]:
        yield 2
        yield 0xFF00, CT[0]
        event.assoc.abort()
        yield 0xFF00, CT[1]

    with scp(tells_of(CT[:2]), give) as peer, pytest.raises(PeerFailed, match="ODD"):
        got(archive, peer, Entity(STUDY))
    assert here(archive) == uids(CT[:1])


# pynetdicom does not close the socket of an association that its peer has aborted
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_who_tells_without_end_is_not_listened_to(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrieval, "MOST_ANSWERS", 3)
    with scp(tells_of(CT)) as peer, pytest.raises(PeerFailed, match="more than 3"):
        got(archive, peer, Entity(STUDY))
