"""A data set written anew in Explicit VR Little Endian holds what it held (PS3.5 7 and Annex A)."""

from io import BytesIO

from hypothesis import given, settings
from pydicom import Dataset, dcmread

from pacs.dataset.dicom_json import SPECIFIC_CHARACTER_SET
from pacs.dataset.elements import Encoding
from pacs.dataset.rewrite import explicit_element, rewritten
from tests.properties.generated import data_sets
from tests.properties.test_encodings import written

EXPLICIT = Encoding(explicit=True)


def is_read_alike(dataset: Dataset) -> bool:
    """What pydicom reads of items before Specific Character Set depends on how their length is written."""
    return min(dataset.keys(), default=SPECIFIC_CHARACTER_SET) >= SPECIFIC_CHARACTER_SET


def read(data: bytes) -> Dataset:
    return dcmread(BytesIO(data), force=True)


@settings(max_examples=40)
@given(data_sets().filter(is_read_alike))
def test_what_had_no_written_vrs_gets_them(dataset: Dataset) -> None:
    implicit = Encoding(explicit=False)
    assert read(rewritten(written(dataset, implicit), implicit, {})) == read(written(dataset, EXPLICIT))


@settings(max_examples=40)
@given(data_sets(with_words=False).filter(is_read_alike))
def test_big_endian_is_turned(dataset: Dataset) -> None:
    big = Encoding(explicit=True, little_endian=False)
    assert read(rewritten(written(dataset, big), big, {})) == read(written(dataset, EXPLICIT))


@settings(max_examples=40)
@given(data_sets())
def test_explicit_little_endian_stays_byte_for_byte(dataset: Dataset) -> None:
    data = written(dataset, EXPLICIT)
    assert rewritten(data, EXPLICIT, {}) == data


@settings(max_examples=40)
@given(data_sets())
def test_changes_take_their_place_and_nothing_else_moves(dataset: Dataset) -> None:
    data = written(dataset, EXPLICIT)
    added = {0x00280004: explicit_element(0x00280004, "CS", b"RGB ")}
    dataset.PhotometricInterpretation = "RGB"
    assert rewritten(data, EXPLICIT, added) == written(dataset, EXPLICIT)
