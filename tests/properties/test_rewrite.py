"""A data set written anew in Explicit VR Little Endian holds what it held (PS3.5 7 and Annex A)."""

from hypothesis import given, settings
from pydicom import Dataset

from pacs.dataset.dicom_json import JsonWriter
from pacs.dataset.elements import Encoding, read_elements
from pacs.dataset.rewrite import explicit_element, implicit_element, rewritten
from pacs.model import DicomJson
from tests.properties.generated import data_sets
from tests.properties.test_encodings import comparable, written

EXPLICIT = Encoding(explicit=True)


def read(data: bytes) -> DicomJson:
    return comparable(JsonWriter(data, EXPLICIT).write(read_elements(data, EXPLICIT).elements))


@settings(max_examples=40)
@given(data_sets())
def test_what_had_no_written_vrs_gets_them(dataset: Dataset) -> None:
    implicit = Encoding(explicit=False)
    assert read(rewritten(written(dataset, implicit), implicit, {})) == read(written(dataset, EXPLICIT))


@settings(max_examples=40)
@given(data_sets(with_words=False))
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


@settings(max_examples=40)
@given(data_sets())
def test_implicit_vr_holds_the_same(dataset: Dataset) -> None:
    implicit = Encoding(explicit=False)
    data = rewritten(written(dataset, EXPLICIT), EXPLICIT, {}, implicit_element)
    there = comparable(JsonWriter(data, implicit).write(read_elements(data, implicit).elements))
    data = written(dataset, implicit)
    assert there == comparable(JsonWriter(data, implicit).write(read_elements(data, implicit).elements))
