import os
from pathlib import Path

import httpx
import pytest

from dicomweb.bodies import AT_ONCE
from testdata.ct import ct_series
from testdata.files import part10
from tests.dicomweb.conftest import Library, Service

BARE = {"Accept": "application/octet-stream"}
FILE = {"Accept": "application/dicom"}


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in (folder / "objects").rglob("*") if path.is_file())


def test_what_is_not_in_the_page_cache_is_read_in_a_thread(service: Service, tmp_path: Path) -> None:
    """The same bytes come, whichever way they are read; where the disk is memory, both ways are one."""
    small, large = (ct_series(slices=1, rows=n, columns=n, series_number=n)[0] for n in (64, 2048))
    service.keep(small, large)
    for file in files_of(tmp_path):
        descriptor = os.open(file, os.O_RDONLY)
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)
    for dataset in (small, large):
        response = service.http.get(f"{Library.path(dataset)}/frames/1", headers=BARE)
        assert response.content == dataset.PixelData
    assert len(large.PixelData) > AT_ONCE


def test_a_part_that_spans_pieces_is_cut_exactly(library: Library) -> None:
    whole = library.http.get(library.path(library.ct[0]), headers=FILE).content
    for first, last in ((0, 0), (100, 5000), (len(whole) - 1, len(whole) + 100)):
        headers = FILE | {"Range": f"bytes={first}-{last}"}
        response = library.http.get(library.path(library.ct[0]), headers=headers)
        assert (response.status_code, response.content) == (206, whole[first : last + 1])


def test_a_range_holds_for_the_version_that_it_was_asked_of(library: Library) -> None:
    path = library.path(library.ct[0])
    whole = library.http.get(path, headers=FILE)
    same = FILE | {"Range": "bytes=0-9", "If-Range": whole.headers["etag"]}
    assert library.http.get(path, headers=same).status_code == 206
    other = FILE | {"Range": "bytes=0-9", "If-Range": '"other"'}
    assert library.http.get(path, headers=other).content == whole.content


def test_a_damaged_store_is_told_of_without_particulars(service: Service, tmp_path: Path) -> None:
    (dataset,) = ct_series(slices=1, rows=64, columns=64)
    service.keep(dataset)
    (file,) = files_of(tmp_path)
    os.truncate(file, 5000)
    response = service.http.get(f"{Library.path(dataset)}/frames/1", headers=BARE)
    assert (response.status_code, response.json()["error"]) == (500, "StorageFailed")
    assert file.name not in response.text
    file.unlink()
    response = service.http.get(f"{Library.path(dataset)}/frames/1", headers=BARE)
    assert (response.status_code, response.json()["error"]) == (404, "NotFound")


def test_a_long_answer_that_fails_is_not_taken_for_whole(service: Service, tmp_path: Path) -> None:
    (dataset,) = ct_series(slices=1, rows=2048, columns=2048)
    service.keep(dataset)
    (file,) = files_of(tmp_path)
    os.truncate(file, 6_000_000)
    assert len(part10(dataset)) > 6_000_000 > AT_ONCE
    with pytest.raises(httpx.RemoteProtocolError):
        service.http.get(Library.path(dataset), headers=FILE)
    assert service.http.get("/studies").status_code == 200
