from pydicom import Dataset
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from pacs.pixels.elements import integer, items, number, numbers, text, value


def raw(keyword: str, vr: str, data: bytes) -> Dataset:
    tag = Tag(keyword)
    dataset = Dataset()
    dataset[tag] = RawDataElement(tag, vr, len(data), data, 0, False, True)
    return dataset


def test_what_is_there_is_read() -> None:
    dataset = Dataset()
    dataset.WindowCenter = ["40", "400"]
    dataset.Rows = 12
    dataset.VOILUTFunction = "sigmoid "
    dataset.VOILUTSequence = [Dataset()]
    assert numbers(dataset, "WindowCenter") == (40, 400)
    assert number(dataset, "WindowCenter") == 40
    assert integer(dataset, "Rows") == 12
    assert text(dataset, "VOILUTFunction") == "SIGMOID"
    assert len(items(dataset, "VOILUTSequence")) == 1


def test_what_is_absent_or_empty_is_nothing() -> None:
    dataset = Dataset()
    dataset.WindowCenter = None
    for keyword in ("WindowCenter", "WindowWidth"):
        assert numbers(dataset, keyword) == ()
        assert number(dataset, keyword) is None
        assert integer(dataset, keyword) is None
        assert text(dataset, keyword) == ""
        assert len(items(dataset, keyword)) == 0


def test_what_cannot_be_read_is_nothing() -> None:
    assert number(raw("RescaleSlope", "DS", b"two "), "RescaleSlope") is None
    assert value(raw("Rows", "US", b"\x01"), "Rows") is None
    assert integer(raw("NumberOfFrames", "IS", b"1A"), "NumberOfFrames") is None
    assert len(items(raw("VOILUTSequence", "SQ", b"\x01\x02\x03"), "VOILUTSequence")) == 0
    assert len(items(raw("VOILUTSequence", "OB", b"\x01\x02\x03"), "VOILUTSequence")) == 0


def test_numbers_are_finite_and_integers_whole() -> None:
    assert number(raw("RescaleSlope", "DS", b"1e999 "), "RescaleSlope") is None
    assert number(raw("RescaleSlope", "DS", b"nan "), "RescaleSlope") is None
    assert integer(raw("RescaleSlope", "DS", b"1.5 "), "RescaleSlope") is None
