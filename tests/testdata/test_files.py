from pathlib import Path

from pydicom import dcmread

from testdata.ct import ct_series
from testdata.files import part10, write_folder


def test_part10_begins_with_preamble_and_prefix() -> None:
    data = part10(ct_series(slices=1, rows=16, columns=16)[0])
    assert data[:132] == bytes(128) + b"DICM"


def test_a_folder_has_one_file_for_each_object(tmp_path: Path) -> None:
    series = ct_series(slices=3, rows=16, columns=16)
    paths = write_folder(series, tmp_path)
    assert [dcmread(path).SOPInstanceUID for path in paths] == [dataset.SOPInstanceUID for dataset in series]
    assert sorted(tmp_path.rglob("*.dcm")) == sorted(paths)
