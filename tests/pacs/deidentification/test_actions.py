"""PS3.15 Table E.1-1, and what holds for tags that it does not list."""

from collections import Counter

import pytest
from pydicom.datadict import tag_for_keyword

from pacs.deidentification.actions import Action, action_of
from pacs.deidentification.table import OWN_ROWS, TABLE_E_1_1, YOUNGER_ROWS


def test_the_table_has_the_rows_of_2024b() -> None:
    rows = {code: len(keywords.split()) for code, keywords in TABLE_E_1_1.items()}
    assert rows == {
        "X": 380,
        "Z": 42,
        "D": 92,
        "U": 54,
        "X/Z": 11,
        "X/D": 22,
        "Z/D": 6,
        "X/Z/D": 8,
        "X/Z/U*": 2,
    }


def test_no_attribute_stands_in_two_rows_and_each_is_known() -> None:
    tables = (TABLE_E_1_1, YOUNGER_ROWS, OWN_ROWS)
    keywords = Counter(k for table in tables for row in table.values() for k in row.split())
    assert [keyword for keyword, times in keywords.items() if times > 1] == []
    assert [keyword for keyword in keywords if tag_for_keyword(keyword) is None] == []


@pytest.mark.parametrize(
    ("keyword", "action"),
    [
        ("PatientName", Action.EMPTY),  # Z
        ("PatientID", Action.DUMMY),  # Z/D
        ("StudyDate", Action.EMPTY),  # Z
        ("StudyDescription", Action.REMOVE),  # X
        ("AcquisitionDate", Action.EMPTY),  # X/Z
        ("SeriesDate", Action.DUMMY),  # X/D
        ("StationName", Action.DUMMY),  # X/Z/D
        ("SourceImageSequence", Action.KEEP),  # X/Z/U*
        ("SOPInstanceUID", Action.UID),  # U
        ("Modality", Action.KEEP),
        ("ReferencedSeriesSequence", Action.KEEP),
        ("SOPInstanceUIDOfConcatenationSource", Action.UID),
        ("RetrieveURL", Action.DUMMY),
        ("EvaluatorName", Action.DUMMY),
        ("ExpiryDate", Action.DUMMY),
        ("SOPClassUID", Action.KEEP),
        ("CodingSchemeUID", Action.KEEP),
        ("PixelData", Action.REMOVE),  # of an icon: that of the image is not asked after
    ],
)
def test_attributes(keyword: str, action: Action) -> None:
    tag = tag_for_keyword(keyword)
    assert tag is not None
    assert action_of(tag) is action


@pytest.mark.parametrize(
    "tag",
    [
        *(0x00090010, 0x00291001, 0x00020003, 0x00041500, 0x00001000, 0x00080000),
        *(0x50000005, 0x501E3000, 0x60000010, 0x60FE3000),  # curves and overlays
        0x00101FFE,  # the data dictionary does not have it
    ],
)
def test_what_has_no_place_in_it_goes(tag: int) -> None:
    assert action_of(tag) is Action.REMOVE
