from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from sr import lenient
from tests.sr.builders import coded


def _raw(keyword: str, vr: str, value: bytes) -> Dataset:
    dataset = Dataset()
    dataset[Tag(keyword)] = RawDataElement(Tag(keyword), vr, len(value), value, 0, False, True)
    return dataset


def test_texts_are_as_written_and_without_blanks() -> None:
    assert lenient.texts(_raw("NumericValue", "DS", b" 1.50\\2E3 "), "NumericValue") == [
        "1.50",
        "2E3",
    ]
    assert lenient.text(_raw("TextValue", "UT", b"a \x00"), "TextValue") == "a"


def test_a_name_is_one_text() -> None:
    assert lenient.texts(_raw("PersonName", "PN", b"Doe^John"), "PersonName") == ["Doe^John"]


def test_several_values_are_joined_as_they_were_parted() -> None:
    assert lenient.text(_raw("Manufacturer", "LO", b"A\\B"), "Manufacturer") == "A\\B"


def test_what_is_absent_is_empty() -> None:
    assert lenient.texts(Dataset(), "TextValue") == []
    assert lenient.text(None, "TextValue") == ""
    assert lenient.items(Dataset(), "ContentSequence") == []
    assert lenient.first(Dataset(), "ContentSequence") is None
    assert lenient.numbers(Dataset(), "GraphicData", 10) == ()


def test_bytes_that_cannot_be_converted_count_as_absent() -> None:
    assert lenient.texts(_raw("FloatingPointValue", "FD", b"123"), "FloatingPointValue") == []
    assert lenient.items(_raw("ContentSequence", "SQ", b"\xff\xff\xff\xff\x01"), "ContentSequence") == []


def test_an_element_that_is_no_sequence_has_no_items() -> None:
    assert lenient.items(_raw("ContentSequence", "LO", b"text"), "ContentSequence") == []


def test_the_first_item() -> None:
    dataset = Dataset()
    dataset.ConceptNameCodeSequence = [coded(("1", "A", "")), coded(("2", "A", ""))]
    assert lenient.text(lenient.first(dataset, "ConceptNameCodeSequence"), "CodeValue") == "1"


def test_too_many_numbers_are_not_read() -> None:
    dataset = Dataset()
    dataset.GraphicData = [1.5, 2.0, 3.0]
    assert lenient.numbers(dataset, "GraphicData", 3) == (1.5, 2.0, 3.0)
    assert lenient.numbers(dataset, "GraphicData", 2) is None
