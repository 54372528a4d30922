"""Files, folders, zip archives and DICOMDIRs into the archive, and going on after a break."""

import gc
import io
import os
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, dcmread
from pydicom.fileset import FileSet
from pydicom.multival import MultiValue

from diafana.importing import Importer, Item, Journal, Summary, find_items
from pacs.archive import Archive
from pacs.errors import OutOfSpace
from pacs.files.new_file import DiskNewFile
from pacs.index import Index, sqlite_url
from testdata import broken
from testdata.ct import ct_series
from testdata.files import part10, write_folder
from tests.diafana.commands import diafana


def slices(number: int) -> list[Dataset]:
    return ct_series(slices=number, rows=16, columns=16)


@contextmanager
def journal_of(folder: Path, *paths: Path) -> Iterator[Journal]:
    """A journal whose file is closed at the end, as when its process ends."""
    journal = Journal(folder, list(paths))
    try:
        yield journal
    finally:
        journal._file.close()


def run(archive: Archive, journals: Path, *paths: Path) -> Summary:
    """One import to its end."""
    with journal_of(journals, *paths) as journal:
        importer = Importer(archive, journal)
        for item in find_items(list(paths)):
            importer.take(item)
        importer.settle()
        journal.forget()
        return importer.summary


def stored(data: Path) -> int:
    index = Index(sqlite_url(data / "index.sqlite"))
    try:
        return index.count()
    finally:
        index.close()


@pytest.fixture
def journals(tmp_path: Path) -> Path:
    return tmp_path / "journals"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Every path that is opened by pathlib for reading bytes, in order."""
    paths: list[Path] = []
    original = Path.open

    def noting(self: Path, mode: str = "r", *rest: Any, **named: Any) -> Any:
        if mode == "rb":
            paths.append(self)
        return original(self, mode, *rest, **named)

    monkeypatch.setattr(Path, "open", noting)
    return paths


def test_a_folder_is_walked_to_its_leaves(archive: Archive, index: Index, tmp_path: Path) -> None:
    series = slices(3)
    write_folder(series, tmp_path / "cd")
    (tmp_path / "cd" / "README.TXT").write_text("Open index.html with a browser.\n" * 20)
    (tmp_path / "cd" / "empty").touch()
    summary = run(archive, tmp_path / "journals", tmp_path / "cd")
    assert summary.counts == {"stored": 3, "no DICOM object": 2}
    assert summary.refused == []
    study, name = series[0].StudyInstanceUID, {dataset.SOPInstanceUID for dataset in series}
    assert {instance.sop_instance_uid for instance in archive.instances(study)} == name
    assert index.count() == 3


def test_what_is_imported_twice_is_stored_once(archive: Archive, index: Index, tmp_path: Path) -> None:
    write_folder(slices(3), tmp_path / "cd")
    first = run(archive, tmp_path / "journals", tmp_path / "cd")
    second = run(archive, tmp_path / "journals", tmp_path / "cd")
    assert (first.counts, second.counts) == ({"stored": 3}, {"already stored": 3})
    assert index.count() == 3
    assert list((tmp_path / "journals").iterdir()) == []


def test_files_are_named_one_by_one(archive: Archive, tmp_path: Path) -> None:
    paths = write_folder(slices(3), tmp_path / "cd")
    summary = run(archive, tmp_path / "journals", paths[0], paths[2])
    assert summary.counts == {"stored": 2}


def test_a_zip_archive_is_read_without_being_unpacked(archive: Archive, index: Index, tmp_path: Path) -> None:
    series = slices(3)
    with zipfile.ZipFile(tmp_path / "study.ZIP", "w", zipfile.ZIP_DEFLATED) as file:
        file.mkdir("images")
        file.writestr("readme.txt", "nothing to see")
        for number, dataset in enumerate(series):
            file.writestr(f"images/{number}", part10(dataset))
        file.writestr("../../outside.dcm", broken.truncated_in_header())
    summary = run(archive, tmp_path / "journals", tmp_path / "study.ZIP")
    assert summary.counts == {"stored": 3, "no DICOM object": 1, "refused": 1}
    [(name, reason)] = summary.refused
    assert name == f"{tmp_path / 'study.ZIP'}!../../outside.dcm"
    assert reason
    assert not list(tmp_path.parent.parent.rglob("outside.dcm"))
    assert index.count() == 3


def test_zip_archives_in_a_folder_are_opened(archive: Archive, tmp_path: Path) -> None:
    (one, two) = slices(2)
    write_folder([one], tmp_path / "cd")
    with zipfile.ZipFile(tmp_path / "cd" / "rest.zip", "w") as file:
        file.writestr("two", part10(two))
    assert run(archive, tmp_path / "journals", tmp_path / "cd").counts == {"stored": 2}


def test_broken_members_do_not_stop_the_others(archive: Archive, tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for number, dataset in enumerate(slices(3)):
            file.writestr(str(number), part10(dataset))
    content = bytearray(stream.getvalue())
    place = content.index(b"Fantoccio", content.index(b"Fantoccio") + 1000)  # within the second or so
    content[place] ^= 1
    (tmp_path / "a.zip").write_bytes(content)
    summary = run(archive, tmp_path / "journals", tmp_path / "a.zip")
    assert summary.counts == {"stored": 2, "refused": 1}
    assert "CRC" in summary.refused[0][1]


def test_members_that_cannot_be_inflated_do_not_stop_the_others(archive: Archive, tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        for number, dataset in enumerate(slices(2)):
            file.writestr(str(number), part10(dataset))
        start = file.getinfo("0").header_offset + 31
    content = bytearray(stream.getvalue())
    content[start] = 0xFF  # a block of a type that there is none of
    content[start + 1 : start + 40] = b"\xff" * 39
    (tmp_path / "a.zip").write_bytes(content)
    summary = run(archive, tmp_path / "journals", tmp_path / "a.zip")
    assert summary.counts == {"stored": 1, "refused": 1}


def test_members_behind_a_password_are_refused(archive: Archive, tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("0", part10(slices(1)[0]))
    content = bytearray(stream.getvalue())
    content[6] |= 1  # bit 0 of the general purpose flags: encrypted
    content[content.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(content)
    summary = run(archive, tmp_path / "journals", tmp_path / "a.zip")
    assert summary.counts == {"refused": 1}
    assert "password" in summary.refused[0][1]


def file_set(folder: Path, datasets: list[Dataset]) -> Path:
    """A folder with a DICOMDIR as a modality writes it on a disc; returns the DICOMDIR."""
    files = FileSet()
    for dataset in datasets:
        files.add(dataset)
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        files.write(folder)
        del files
        gc.collect()  # pydicom leaves the folders where it prepared the files to the collector
    return folder / "DICOMDIR"


def refer_last_to(path: Path, way: list[str]) -> None:
    """Let the last record of a DICOMDIR name another file, whatever its VR has to say."""
    directory = dcmread(path)
    directory.DirectoryRecordSequence[-1]["ReferencedFileID"]._value = MultiValue(str, way)
    directory.save_as(path)


def test_what_a_dicomdir_names_is_imported(archive: Archive, index: Index, tmp_path: Path) -> None:
    path = file_set(tmp_path / "cd", slices(3))
    (tmp_path / "cd" / "unnamed.dcm").write_bytes(broken.sound())
    summary = run(archive, tmp_path / "journals", path)
    assert summary.counts == {"stored": 3}
    assert index.count() == 3


def test_a_dicomdir_met_in_a_folder_is_no_object(archive: Archive, tmp_path: Path) -> None:
    path = file_set(tmp_path / "cd", slices(3))
    (tmp_path / "cd" / "unnamed.dcm").write_bytes(broken.sound())
    summary = run(archive, tmp_path / "journals", path.parent)
    assert summary.counts == {"stored": 4, "no DICOM object": 1}


@pytest.mark.parametrize("how", ["dots", "absolute", "link"])
def test_a_dicomdir_does_not_lead_out_of_its_folder(how: str, tmp_path: Path) -> None:
    path = file_set(tmp_path / "cd", slices(2))
    outside = tmp_path / "OUTSIDE"
    outside.write_bytes(broken.sound())
    way = {"dots": ["..", "OUTSIDE"], "absolute": [str(outside)], "link": ["LINK"]}[how]
    if how == "link":
        (tmp_path / "cd" / "LINK").symlink_to(outside)
    refer_last_to(path, way)
    [item] = find_items([path])
    assert item.path.is_relative_to((tmp_path / "cd").resolve())


def test_a_dicomdir_that_is_none_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "DICOMDIR").write_text("not a directory of media")
    assert list(find_items([tmp_path / "DICOMDIR"])) == []


def test_what_a_dicomdir_names_in_vain_is_told(archive: Archive, tmp_path: Path) -> None:
    path = file_set(tmp_path / "cd", slices(2))
    lost = next(item.path for item in find_items([path]))
    lost.unlink()
    summary = run(archive, tmp_path / "journals", path)
    assert summary.counts == {"stored": 1, "refused": 1}
    assert summary.refused[0][0] == str(lost)


@pytest.mark.parametrize("name", ["A\0B", "A" * 5000])
def test_names_that_no_file_can_bear_are_passed_over(name: str, tmp_path: Path) -> None:
    path = file_set(tmp_path / "cd", slices(2))
    refer_last_to(path, [name])
    assert len(list(find_items([path]))) == 1


@pytest.mark.parametrize("length", [140, 400, 700])
def test_a_dicomdir_that_breaks_off_is_told(length: int, data: Path, tmp_path: Path) -> None:
    path = file_set(tmp_path / "cd", slices(2))
    path.write_bytes(path.read_bytes()[:length])
    done = diafana("import", path, "--data", data)
    assert done.code == 1
    assert str(path) in done.err


def test_a_broken_zip_archive_does_not_stop_the_others(archive: Archive, tmp_path: Path) -> None:
    write_folder(slices(1), tmp_path / "cd")
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("0", part10(slices(1)[0]))
    (tmp_path / "cd" / "a.zip").write_bytes(stream.getvalue().replace(b"PK\x01\x02", b"PK\x01\x00"))
    summary = run(archive, tmp_path / "journals", tmp_path / "cd")
    assert summary.counts == {"stored": 1, "refused": 1}


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_members_of_one_name_are_all_read(archive: Archive, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        for dataset in slices(2):
            file.writestr("same", part10(dataset))
    assert run(archive, tmp_path / "journals", tmp_path / "a.zip").counts == {"stored": 2}


def test_names_of_another_age_are_no_hindrance(archive: Archive, tmp_path: Path) -> None:
    (path,) = write_folder(slices(1), tmp_path / "cd")
    path.rename(tmp_path / "cd" / os.fsdecode("Rossi Nicolò".encode("latin-1")))
    assert run(archive, tmp_path / "journals", tmp_path / "cd").counts == {"stored": 1}


def test_a_file_that_vanished_meanwhile_is_refused(archive: Archive, journals: Path, tmp_path: Path) -> None:
    paths = sorted(write_folder(slices(2), tmp_path / "cd"))
    with journal_of(journals, tmp_path / "cd") as journal:
        importer = Importer(archive, journal)
        items = list(find_items([tmp_path / "cd"]))
        paths[0].unlink()
        for item in items:
            importer.take(item)
        importer.settle()
    assert importer.summary.counts == {"stored": 1, "refused": 1}


def test_a_path_that_leads_nowhere_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nothing-here"):
        list(find_items([tmp_path / "nothing-here"]))


def test_broken_files_are_refused_each_with_its_reason(
    archive: Archive, index: Index, tmp_path: Path
) -> None:
    for name in ("truncated_in_pixel_data", "missing_study_instance_uid", "unknown_transfer_syntax"):
        (tmp_path / f"{name}.dcm").write_bytes(getattr(broken, name)())
    (good,) = slices(1)
    write_folder([good], tmp_path / "good")
    paths = sorted(tmp_path.glob("*.dcm"))
    summary = run(archive, tmp_path / "journals", *paths, tmp_path / "good")
    assert summary.counts == {"refused": 3, "stored": 1}
    assert sorted(name for name, _ in summary.refused) == [str(path) for path in paths]
    assert all(reason for _, reason in summary.refused)
    assert index.count() == 1
    assert len(list((tmp_path / "objects").rglob("*.dcm"))) == 1


def test_what_was_refused_is_tried_again(archive: Archive, journals: Path, tmp_path: Path) -> None:
    path = tmp_path / "cd" / "one.dcm"
    path.parent.mkdir()
    path.write_bytes(broken.truncated_in_pixel_data())
    assert run(archive, journals, path.parent).counts == {"refused": 1}
    path.write_bytes(broken.sound())
    assert run(archive, journals, path.parent).counts == {"stored": 1}


class Broken(Exception):
    """What breaks an import off in these tests."""


def break_off(archive: Archive, journals: Path, folder: Path, after: int, settled: bool = True) -> None:
    """An import that ends in the middle, as by the power or by Ctrl-C."""
    with pytest.raises(Broken), journal_of(journals, folder) as journal:
        importer = Importer(archive, journal)
        for number, item in enumerate(find_items([folder])):
            if number == after:
                raise Broken
            importer.take(item)
            if settled:
                importer.settle()


def test_going_on_does_not_read_what_is_done(
    archive: Archive, journals: Path, tmp_path: Path, opened: list[Path]
) -> None:
    write_folder(slices(6), tmp_path / "cd")
    (tmp_path / "cd" / "z.txt").write_text("passed over")
    break_off(archive, journals, tmp_path / "cd", after=4)
    done = [path for path in opened if path.is_relative_to(tmp_path / "cd")]
    opened.clear()
    summary = run(archive, journals, tmp_path / "cd")
    assert len(done) == 4
    assert summary.counts == {"done before": 4, "stored": 2, "no DICOM object": 1}
    assert not set(done) & set(opened)
    assert run(archive, journals, tmp_path / "cd").counts == {"already stored": 6, "no DICOM object": 1}


def test_what_was_not_certain_is_read_again(archive: Archive, journals: Path, tmp_path: Path) -> None:
    write_folder(slices(6), tmp_path / "cd")
    break_off(archive, journals, tmp_path / "cd", after=4, settled=False)
    summary = run(archive, journals, tmp_path / "cd")
    assert summary.counts["done before"] == 0
    assert summary.counts["stored"] + summary.counts["already stored"] == 6


def test_a_file_that_changed_meanwhile_is_read_again(
    archive: Archive, journals: Path, tmp_path: Path
) -> None:
    series = slices(4)
    paths = sorted(write_folder(series[:3], tmp_path / "cd"))
    break_off(archive, journals, tmp_path / "cd", after=3 - 1)
    paths[0].write_bytes(part10(series[3]))
    summary = run(archive, journals, tmp_path / "cd")
    assert summary.counts == {"done before": 1, "stored": 2}
    assert len(archive.instances(series[0].StudyInstanceUID)) == 4


def test_members_of_a_zip_archive_are_gone_on_with(archive: Archive, journals: Path, tmp_path: Path) -> None:
    (tmp_path / "cd").mkdir()
    with zipfile.ZipFile(tmp_path / "cd" / "a.zip", "w") as file:
        for number, dataset in enumerate(slices(4)):
            file.writestr(str(number), part10(dataset))
    break_off(archive, journals, tmp_path / "cd", after=3)
    assert run(archive, journals, tmp_path / "cd").counts == {"done before": 3, "stored": 1}


def test_each_list_of_paths_has_its_own_journal(archive: Archive, journals: Path, tmp_path: Path) -> None:
    write_folder(slices(3), tmp_path / "cd")
    break_off(archive, journals, tmp_path / "cd", after=2)
    with journal_of(journals, tmp_path / "cd", tmp_path) as other:
        assert not any(other.has(item) for item in find_items([tmp_path / "cd"]))
    with journal_of(journals, tmp_path / "other" / ".." / "cd") as same:
        assert sum(same.has(item) for item in find_items([tmp_path / "cd"])) == 2


@pytest.fixture
def full_after_three(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """A disk that takes three objects and then no more."""
    original, made = DiskNewFile.complete, [0]

    def complete(self: DiskNewFile) -> None:
        made[0] += not self.key
        if made[0] > 3:
            raise OutOfSpace("no room left on the storage device")
        original(self)

    with monkeypatch.context() as patch:
        patch.setattr(DiskNewFile, "complete", complete)
        yield patch


@pytest.mark.parametrize("group", [1, 32])
def test_a_full_disk_breaks_off_what_can_be_gone_on_with(
    group: int, archive: Archive, journals: Path, tmp_path: Path, full_after_three: pytest.MonkeyPatch
) -> None:
    full_after_three.setattr("diafana.importing.GROUP", group)
    write_folder(slices(5), tmp_path / "cd")
    with pytest.raises(OutOfSpace):
        run(archive, journals, tmp_path / "cd")
    full_after_three.undo()
    summary = run(archive, journals, tmp_path / "cd")
    assert summary.counts.total() == 5
    assert summary.refused == []
    assert summary.counts["done before"] == (3 if group == 1 else 0)


def test_a_journal_knows_items_by_name_size_and_time(journals: Path, tmp_path: Path) -> None:
    path = tmp_path / "one"
    path.write_bytes(b"1")
    with journal_of(journals, path) as journal:
        journal.add([Item("one", path)])
    with journal_of(journals, path) as again:
        assert again.has(Item("one", path))
        assert not again.has(Item("two", path))
        path.write_bytes(b"11")
        assert not again.has(Item("one", path))


def test_the_command_tells_what_became_of_the_files(data: Path, tmp_path: Path) -> None:
    write_folder(slices(2), tmp_path / "cd")
    (tmp_path / "cd" / "notes").write_text("no object")
    first = diafana("import", tmp_path / "cd", "--data", data)
    assert (first.code, first.err) == (0, "")
    assert [line.split(maxsplit=1) for line in first.out.splitlines()] == [
        ["1", "no DICOM object"],
        ["2", "stored"],
    ]
    (tmp_path / "cd" / "bad.dcm").write_bytes(broken.truncated_in_pixel_data())
    second = diafana("import", tmp_path / "cd", DIAFANA_DATA=str(data))
    assert second.code == 1
    assert f"refused {tmp_path / 'cd' / 'bad.dcm'}: " in second.err
    assert [line.split(maxsplit=1) for line in second.out.splitlines()] == [
        ["2", "already stored"],
        ["1", "no DICOM object"],
        ["1", "refused"],
    ]
    assert stored(data) == 2


def test_the_command_says_which_path_is_not_there(data: Path, tmp_path: Path) -> None:
    done = diafana("import", tmp_path / "nothing-here", "--data", data)
    assert done.code == 2
    assert str(tmp_path / "nothing-here") in done.err


def test_the_command_fills_an_archive_that_was_never_served(tmp_path: Path) -> None:
    write_folder(slices(1), tmp_path / "cd")
    done = diafana("import", tmp_path / "cd", "--data", tmp_path / "new")
    assert done.code == 0
    assert done.out.split() == ["1", "stored"]


def test_names_that_look_like_markup_are_printed_as_they_are(data: Path, tmp_path: Path) -> None:
    (tmp_path / "cd").mkdir()
    (tmp_path / "cd" / "[bold]one[").write_bytes(broken.truncated_in_header())
    (tmp_path / "cd" / "two[dim]").write_bytes(broken.truncated_in_header())
    done = diafana("import", tmp_path / "cd", "--data", data)
    assert done.code == 1
    assert "[bold]one[" in done.err
    assert "two[dim]" in done.err
