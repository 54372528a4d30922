"""Data sets of the DICOM JSON model as bytes (PS3.18 F.2, PS3.5 6.2 and 7.1.2)."""

import io
from typing import Any

import pytest
from pydicom import Dataset
from pydicom.filereader import read_dataset

from pacs.dataset.json_encoder import BulkValue, JsonEncoder
from pacs.errors import MalformedObject
from pacs.model import DicomJson
from tests.pacs.dataset.specimens import RECIPES


def written(data_set: DicomJson, bulk: bytes = b"") -> bytes:
    pieces = JsonEncoder(lambda *_: BulkValue([bulk])).encode(data_set)
    return b"".join(piece for piece in pieces if isinstance(piece, bytes))


def read(content: bytes) -> Dataset:
    return read_dataset(io.BytesIO(content), is_implicit_VR=False, is_little_endian=True)


@pytest.mark.parametrize("name", RECIPES)
def test_what_pydicom_writes_in_json_is_what_it_reads_from_the_bytes(name: str) -> None:
    dataset = RECIPES[name]()
    dataset.pop("PixelData", None)
    back = read(written(dataset.to_json_dict()))
    assert back.keys() == dataset.keys()
    assert {e.keyword for e in dataset if back[e.tag].value != e.value} <= {"SpecificCharacterSet"}


@pytest.mark.parametrize(
    ("vr", "values", "value"),
    [
        ("DS", [1, 2.5, "3.50", None], b"1\\2.5\\3.50\\ "),
        ("DS", [0.1234567890123456789], b"0.12345678901235"),
        ("IS", [1, "2", 3.0], b"1\\2\\3 "),
        ("US", [1, "2"], b"\x01\x00\x02\x00"),
        ("SV", ["-1"], b"\xff" * 8),
        ("FL", ["inf"], b"\x00\x00\x80\x7f"),
        ("AT", ["00100020"], b"\x10\x00\x20\x00"),
        ("UI", ["1.2.3"], b"1.2.3\0"),
        ("PN", [{"Ideographic": "山"}, {"Alphabetic": "A^B"}], "=山\\A^B".encode()),
        ("LT", ["one\\value"], b"one\\value "),
        ("CS", [None, "B"], b"\\B"),
    ],
)
def test_values_are_written_as_their_vr_has_them(vr: str, values: list[Any], value: bytes) -> None:
    content = written({"00091001": {"vr": vr, "Value": values}})
    assert content[-len(value) :] == value
    assert len(content) % 2 == 0


def test_elements_stand_in_the_order_of_their_tags_in_every_item() -> None:
    element = {"vr": "LO", "Value": ["x"]}
    item = {"00100020": element, "00080050": element}
    back = read(written({"00400275": {"vr": "SQ", "Value": [item, None]}, "00081140": {"vr": "SQ"}}))
    assert [e.tag for e in back] == [0x00081140, 0x00400275]
    assert [len(i) for i in back[0x00400275].value] == [2, 0]
    assert [e.tag for e in back[0x00400275].value[0]] == [0x00080050, 0x00100020]


def test_text_beyond_ascii_is_unicode_and_says_so_at_every_level() -> None:
    item = {"00080005": {"vr": "CS", "Value": ["ISO_IR 100"]}, "00100020": {"vr": "LO", "Value": ["é"]}}
    back = read(written({"00400275": {"vr": "SQ", "Value": [item]}}))
    assert back.SpecificCharacterSet == back[0x00400275].value[0].SpecificCharacterSet == "ISO_IR 192"
    assert back[0x00400275].value[0].PatientID == "é"
    plain = {"00080005": {"vr": "CS", "Value": ["ISO_IR 100"]}, "00100020": {"vr": "LO", "Value": ["e"]}}
    assert read(written(plain)).SpecificCharacterSet == "ISO_IR 100"


def test_what_is_too_long_for_its_vr_is_of_unknown_vr() -> None:
    numbers = [number / 8 for number in range(20_000)]
    content = written({"30060050": {"vr": "DS", "Value": numbers}})
    assert content[4:6] == b"UN"
    assert [float(text) for text in content[12:].decode().split("\\")] == numbers


def test_bulk_data_stand_where_their_element_does_padded() -> None:
    icon = {"7FE00010": {"vr": "OB", "BulkDataURI": "x"}}
    back = read(written({"00880200": {"vr": "SQ", "Value": [icon]}}, b"odd"))
    assert back.IconImageSequence[0].PixelData == b"odd\0"


def test_what_no_data_set_holds_is_left_out_and_told() -> None:
    encoder = JsonEncoder(lambda *_: BulkValue([]))
    element = {"vr": "UL", "Value": [1]}
    assert encoder.encode({"00020000": element, "00100000": element, "FFFEE00D": element}) == []
    assert encoder.discarded == [0x00020000, 0x00100000, 0xFFFEE00D]


def test_tags_that_are_spelt_twice_are_one_element() -> None:
    content = written({"0008103e": {"vr": "LO", "Value": ["a"]}, "0008103E": {"vr": "LO", "Value": ["b"]}})
    assert read(content).SeriesDescription == "b"


def test_a_value_that_is_longer_than_its_length_field_is_refused() -> None:
    class Endless:
        def __len__(self) -> int:
            return 1 << 32

    encoder = JsonEncoder(lambda *_: BulkValue([Endless()]))
    with pytest.raises(MalformedObject, match="longer than 4 GB"):
        encoder.encode({"7FE00010": {"vr": "OW", "BulkDataURI": "x"}})
