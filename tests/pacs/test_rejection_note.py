"""Reading rejection notes (IHE RAD TF-2 4.66; PS3.16 TID 2010; PS3.3 C.17.6.2.1)."""

import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian

from pacs.archive import Archive
from pacs.errors import MalformedObject
from pacs.files import DiskFiles
from pacs.index import Reference
from pacs.rejection_note import MOST_REFERENCES, RejectionNote, read_rejection_note
from pacs.retrieve import Reader
from testdata.ct import ct_series
from testdata.key_objects import key_objects, rejection_note
from testdata.raw_bytes import item
from tests.pacs.objects import Changes, stored
from tests.pacs.rejection_notes import EVIDENCE, SERIES, STUDY, TITLE, evidence, note, title

UIDS = ["1.2.3.1", "1.2.3.2"]


@pytest.fixture
def reader(files: DiskFiles) -> Reader:
    return Reader(lambda instance: files.open(instance.file))


def read(archive: Archive, reader: Reader, data: bytes) -> RejectionNote | None:
    return read_rejection_note(reader, stored(archive, data))


@pytest.mark.parametrize(
    ("code", "is_lasting"), [("113001", True), ("113037", True), ("113038", True), ("113039", False)]
)
def test_the_four_titles_reject(archive: Archive, reader: Reader, code: str, is_lasting: bool) -> None:
    said = read(archive, reader, note("note", code, UIDS))
    assert said == RejectionNote(code, [Reference(SERIES, uid) for uid in UIDS])
    assert said.is_lasting == is_lasting


@pytest.mark.parametrize(
    "changes",
    [
        {TITLE: ("SQ", title("113000"))},
        {TITLE: ("SQ", title("113001", "99LOCAL"))},
        {TITLE: ("SQ", title(""))},
        {TITLE: ("SQ", b"")},
        {TITLE: ("SQ", item(b""))},
        {TITLE: None},
    ],
    ids=["another title", "another scheme", "no code", "no item", "an empty item", "no title"],
)
def test_another_selection_rejects_nothing(archive: Archive, reader: Reader, changes: Changes) -> None:
    assert read(archive, reader, note("note", "113001", UIDS, changes)) is None


@pytest.mark.parametrize("is_deflated", [False, True])
def test_a_note_that_a_library_wrote_is_read(archive: Archive, reader: Reader, is_deflated: bool) -> None:
    slices = ct_series(slices=3, rows=8, columns=8)
    written = rejection_note(slices[:2])
    if is_deflated:
        written.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    said = read_rejection_note(reader, stored(archive, written))
    assert said is not None
    assert said.references == [Reference(one.SeriesInstanceUID, one.SOPInstanceUID) for one in slices[:2]]
    assert read_rejection_note(reader, stored(archive, key_objects(slices))) is None


@pytest.mark.parametrize(
    "value",
    [
        b"",
        item(b""),
        evidence({}),
        evidence({SERIES: []}),
        evidence({SERIES: UIDS}, study="1.2.3.99"),
    ],
    ids=["no item", "an empty item", "no series", "no instance", "another study"],
)
def test_a_note_that_names_nothing_of_its_study_is_malformed(
    archive: Archive, reader: Reader, value: bytes
) -> None:
    with pytest.raises(MalformedObject, match="names no instance") as caught:
        read(archive, reader, note("note", "113037", [], {EVIDENCE: ("SQ", value)}))
    assert caught.value.tag == EVIDENCE


def test_what_is_named_of_other_studies_is_passed_over(archive: Archive, reader: Reader) -> None:
    both = evidence({SERIES: ["1.9"]}, study="1.2.3.99") + evidence({"1.5": ["1.6"], SERIES: ["1.7"]}, STUDY)
    said = read(archive, reader, note("note", "113001", [], {EVIDENCE: ("SQ", both)}))
    assert said is not None
    assert said.references == [Reference("1.5", "1.6"), Reference(SERIES, "1.7")]


@pytest.mark.parametrize("more", [0, 1])
def test_only_so_many_references_are_heeded(archive: Archive, reader: Reader, more: int) -> None:
    uids = [f"1.2.{number}" for number in range(MOST_REFERENCES + more)]
    data = note("note", "113001", uids)
    if more:
        with pytest.raises(MalformedObject, match="more than 100000 instances"):
            read(archive, reader, data)
    else:
        said = read(archive, reader, data)
        assert said is not None
        assert len(said.references) == MOST_REFERENCES


def test_a_note_of_no_sensible_size_is_not_read(archive: Archive, reader: Reader) -> None:
    kept = stored(archive, note("note", "113001", UIDS))
    with pytest.raises(MalformedObject, match="64 MB"):
        read_rejection_note(reader, kept._replace(size=(64 << 20) + 1))
