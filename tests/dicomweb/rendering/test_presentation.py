import struct

import pytest
from pydicom import Dataset
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from dicomweb.rendering.lookup_table import LookupTable
from dicomweb.rendering.presentation import Presentation, Rescale, read_presentation
from dicomweb.rendering.window import Window, WindowFunction
from testdata.ct import ct_series
from testdata.enhanced_ct import enhanced_ct


def header(**elements: object) -> Dataset:
    dataset = Dataset()
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsStored, dataset.PixelRepresentation = 12, 0
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def table_item(first: int = 0) -> Dataset:
    item = Dataset()
    item.LUTDescriptor = [2, first, 8]
    item.add_new("LUTData", "OW", struct.pack("<2H", 3, 250))
    return item


def read(dataset: Dataset, frame_number: int = 1, window: Window | None = None) -> Presentation:
    return read_presentation(dataset, frame_number, window)


def test_a_bare_header_says_little() -> None:
    assert read(header()) == Presentation(Rescale(1, 0), None, False, None, None)


def test_rescaling_and_the_first_window_are_read() -> None:
    found = read(
        header(
            RescaleSlope="2",
            RescaleIntercept="-1024",
            WindowCenter=["40", "400"],
            WindowWidth=["80", "2000"],
            VOILUTFunction="SIGMOID",
        )
    )
    assert found.modality == Rescale(2, -1024)
    assert found.voi == Window(40, 80, WindowFunction.SIGMOID)


def test_a_window_that_is_asked_for_goes_first() -> None:
    asked = Window(1, 2)
    dataset = header(WindowCenter="40", WindowWidth="80", VOILUTSequence=[table_item()])
    assert read(dataset, window=asked).voi is asked


def test_a_table_goes_before_a_window() -> None:
    voi = read(header(WindowCenter="40", WindowWidth="80", VOILUTSequence=[table_item()])).voi
    assert isinstance(voi, LookupTable)
    assert voi.entries.tolist() == [3, 250]


def test_a_damaged_table_gives_way_to_the_window() -> None:
    dataset = header(WindowCenter="40", WindowWidth="80", VOILUTSequence=[Dataset()])
    assert read(dataset).voi == Window(40, 80)


@pytest.mark.parametrize(
    ("center", "width", "function"),
    [("40", "0", "LINEAR"), ("40", "-1", "SIGMOID"), ("40", None, "LINEAR"), (None, "40", "LINEAR")],
)
def test_a_senseless_window_is_none(center: str | None, width: str | None, function: str) -> None:
    assert read(header(WindowCenter=center, WindowWidth=width, VOILUTFunction=function)).voi is None


def test_an_unknown_function_is_taken_for_linear() -> None:
    found = read(header(WindowCenter="40", WindowWidth="80", VOILUTFunction="CUBIC"))
    assert found.voi == Window(40, 80, WindowFunction.LINEAR)


def test_a_modality_table_goes_before_rescaling() -> None:
    found = read(header(RescaleSlope="2", RescaleIntercept="0", ModalityLUTSequence=[table_item()]))
    assert isinstance(found.modality, LookupTable)


def test_the_input_of_a_voi_table_is_negative_only_without_a_modality_table() -> None:
    signed = header(PixelRepresentation=1, VOILUTSequence=[table_item(first=65000)])
    voi = read(signed).voi
    assert isinstance(voi, LookupTable)
    assert voi.first == 65000 - 65536
    signed.ModalityLUTSequence = [table_item()]
    voi = read(signed).voi
    assert isinstance(voi, LookupTable)
    assert voi.first == 65000


def test_a_slope_of_zero_or_nonsense_is_passed_over() -> None:
    assert read(header(RescaleSlope="0", RescaleIntercept="5")).modality == Rescale(1, 5)
    dataset = header()
    tag = Tag("RescaleSlope")
    dataset[tag] = RawDataElement(tag, "DS", 4, b"1,5 ", 0, False, True)
    assert read(dataset).modality == Rescale(1, 0)


@pytest.mark.parametrize(
    ("photometric_interpretation", "shape", "expected"),
    [
        ("MONOCHROME2", None, False),
        ("MONOCHROME2", "IDENTITY", False),
        ("MONOCHROME2", "INVERSE", True),
        ("MONOCHROME1", None, True),
        ("MONOCHROME1", "INVERSE", True),
    ],
)
def test_what_is_white(photometric_interpretation: str, shape: str | None, expected: bool) -> None:
    dataset = header(PhotometricInterpretation=photometric_interpretation, PresentationLUTShape=shape)
    assert read(dataset).inverted is expected


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ({"BitsStored": 8}, (0, 255)),
        ({"BitsStored": 1}, (0, 1)),
        ({"BitsStored": 8, "PixelRepresentation": 1}, (-128, 127)),
        ({"BitsStored": 9}, None),
        ({"BitsStored": 8, "SegmentationType": "LABELMAP"}, None),
    ],
)
def test_small_ranges_are_shown_whole(elements: dict[str, object], expected: tuple[int, int] | None) -> None:
    assert read(header(**elements)).whole_range == expected


def test_padding_is_a_value_or_a_range() -> None:
    dataset = header(PixelRepresentation=1)
    dataset.add_new("PixelPaddingValue", "SS", -2000)
    assert read(dataset).padding == (-2000, -2000)
    dataset.add_new("PixelPaddingRangeLimit", "SS", -3000)
    assert read(dataset).padding == (-3000, -2000)
    floating = Dataset()
    floating.FloatPixelPaddingValue = -1.0
    assert read(floating).padding == (-1, -1)


def test_the_functional_groups_of_an_enhanced_object_are_read() -> None:
    slices = ct_series(slices=2, rows=32, columns=32)
    plain, enhanced = read(slices[0]), read(enhanced_ct(slices), 2)
    assert isinstance(plain.voi, Window)
    assert (enhanced.modality, enhanced.voi) == (plain.modality, plain.voi)
