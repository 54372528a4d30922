"""Fresh copies: other UIDs, the same picture."""

from pathlib import Path

from pydicom import dcmread

from bench.studies import FIRST_MARK, multipart, template
from testdata.mr import mr_series


def test_a_copy_has_other_identifiers_and_is_otherwise_the_same(tmp_path: Path) -> None:
    series = template(mr_series(slices=3, rows=32, columns=32))
    first = series.write(tmp_path / "first", FIRST_MARK, 3)
    second = series.write(tmp_path / "second", FIRST_MARK + 1, 2)
    assert len(second.files) == 2
    for number, path in enumerate(second.files, start=1):
        copy, original = dcmread(path), dcmread(first.files[number - 1])
        assert copy.StudyInstanceUID == second.study_instance_uid != first.study_instance_uid
        assert copy.SeriesInstanceUID == second.series_instance_uid != first.series_instance_uid
        assert (
            copy.SOPInstanceUID
            == second.sop_instance_uids[number - 1]
            == copy.file_meta.MediaStorageSOPInstanceUID
        )
        assert copy.PatientID == second.patient_id != first.patient_id
        assert copy.PixelData == original.PixelData == series.pixels(number)
        assert path.stat().st_size == first.files[number - 1].stat().st_size


def test_the_path_of_a_series_is_that_of_the_standard(tmp_path: Path) -> None:
    batch = template(mr_series(slices=1, rows=8, columns=8)).write(tmp_path / "one", FIRST_MARK, 1)
    assert batch.path == f"/studies/{batch.study_instance_uid}/series/{batch.series_instance_uid}"


def test_a_multipart_body_holds_each_file_between_boundaries() -> None:
    head = b"--b\r\nContent-Type: application/dicom\r\n\r\n"
    assert multipart([b"one", b"two"], "b") == head + b"one\r\n" + head + b"two\r\n--b--\r\n"
