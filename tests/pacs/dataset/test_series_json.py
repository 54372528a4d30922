"""Writing the data sets of a series one after the other equals writing each alone, whatever follows what."""

import random
from collections.abc import Callable, Iterable
from functools import partial

import pytest
from pydicom import Dataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from pacs.dataset.dicom_json import BulkDataUri, JsonWriter
from pacs.dataset.elements import Encoding, read_elements
from pacs.dataset.series_json import SeriesJson
from pacs.dataset.transfer_syntax import encoding_of
from pacs.errors import ArchiveError
from pacs.model import DicomJson
from testdata.ct import ct_series
from testdata.mr import mr_series
from testdata.raw_bytes import PIXEL_DATA
from tests.pacs.dataset.test_alike import DIFFERENCES, SYNTAXES, encoded
from tests.pacs.objects import Changes, data_set

WITHOUT_PIXELS: dict[int, None] = {PIXEL_DATA: None}
PRIVATE = 0x00090010, 0x00091001

# What may differ beside, as it is written: what is named by URI, and what others decide
MORE: dict[str, Changes] = {
    "bulk data": {PRIVATE[0]: ("LO", b"US"), PRIVATE[1]: ("OB", bytes(2000))},
    "other bulk data": {PRIVATE[0]: ("LO", b"US"), PRIVATE[1]: ("OB", b"b" * 2000)},
    "short bytes": {PRIVATE[0]: ("LO", b"US"), PRIVATE[1]: ("OB", b"b" * 20)},
    "nested": {0x00081140: ("SQ", b"\xfe\xff\x00\xe0\x0c\x00\x00\x00" + b"\x20\x00\x13\x00IS\x04\x001234")},
    "nested otherwise": {
        0x00081140: ("SQ", b"\xfe\xff\x00\xe0\x0c\x00\x00\x00" + b"\x20\x00\x13\x00IS\x04\x004321")
    },
    "signed": {0x00280103: ("US", b"\x01\x00"), 0x00280106: ("US", b"\xff\xff")},
}
CHANGES = {name: change for name, change in (DIFFERENCES | MORE).items() if PIXEL_DATA not in change}


def of(name: str, changes: Changes) -> bytes:
    return data_set(name, {**WITHOUT_PIXELS, **changes})


def alone(data: bytes, encoding: Encoding, uri: BulkDataUri) -> DicomJson:
    return JsonWriter(data, encoding, uri).write(read_elements(data, encoding).elements)


def outcome(write: Callable[[], DicomJson]) -> DicomJson | str:
    try:
        return write()
    except ArchiveError as error:
        return str(error)


def compare(objects: Iterable[bytes], syntax: UID = ExplicitVRLittleEndian) -> list[DicomJson]:
    """Each that can be written: after those before it as alone."""
    series, encoding, all_written = SeriesJson(), encoding_of(syntax), []
    for number, data in enumerate(objects):
        uri = f"{number}/{{}}".format
        after_others = outcome(partial(series.write, data, encoding, uri))
        assert after_others == outcome(partial(alone, data, encoding, uri))
        if isinstance(after_others, dict):
            assert list(after_others) == list(alone(data, encoding, uri))
            all_written.append(after_others)
    return all_written


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("series", [ct_series, mr_series])
def test_the_images_of_a_series(series: Callable[..., list[Dataset]], syntax: UID) -> None:
    images = series(slices=10, rows=16, columns=16)
    for image in images:
        del image.PixelData
    written = compare([encoded(image, syntax) for image in images], syntax)
    assert [one["00080018"]["Value"][0] for one in written] == [image.SOPInstanceUID for image in images]


@pytest.mark.parametrize("first", CHANGES)
@pytest.mark.parametrize("then", CHANGES)
def test_whatever_differs_is_written(first: str, then: str) -> None:
    usual, one, other = of("a", {}), of("b", CHANGES[first]), of("c", CHANGES[then])
    compare([usual, usual, one, one, other, usual, other, one, usual])


def test_what_was_written_stays_as_it_was() -> None:
    first, _, third = compare([of("a", {}), of("b", {0x00200013: ("IS", b"7 ")}), of("a", {})])
    assert first == third


def test_bytes_changed_at_random_are_written_as_they_are() -> None:
    chance = random.Random(20261128)
    usual = of("a", {})
    objects = [usual, usual]
    for _ in range(2000):
        changed = bytearray(usual)
        for _ in range(chance.randrange(1, 4)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        objects += [bytes(changed), usual]
    assert len(compare(objects)) > 2000
