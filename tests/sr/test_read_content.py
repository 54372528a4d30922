from decimal import Decimal
from typing import Any

import pytest
from pydicom.dataset import Dataset

from sr.codes import Code
from sr.content_tree import ContentTree, Coordinates, Item, Number, ObjectReference
from sr.read_content import MAX_DEPTH, read_content
from tests.sr.builders import (
    CT_IMAGE,
    DIAMETER,
    IMAGE,
    LENGTH,
    MM,
    SECTION,
    SITE,
    SOP,
    TITLE,
    by_reference,
    code,
    coded,
    container,
    content,
    image,
    num,
    report,
    reread,
    text,
)
from tests.sr.files import lean, written


def _read(*children: Dataset) -> ContentTree:
    dataset = report(*children)
    tree = read_content(lean(written(dataset)))
    assert tree == read_content(reread(dataset))
    return tree


def _only(*children: Dataset) -> Item:
    tree = _read(*children)
    assert len(tree.root.children) == len(children)
    return tree.root.children[0]


def _reasons(tree: ContentTree) -> list[tuple[str, str]]:
    return [(problem.position, problem.reason) for problem in tree.problems]


def test_a_well_formed_report_has_no_problems() -> None:
    tree = _read(container(SECTION, num(LENGTH, "1.50", MM, code(SITE, ("1", "A", "x"))), text(TITLE, "t")))
    assert tree.problems == ()
    assert tree.root.concept == Code(*TITLE)
    assert [item.position for item in tree.root.walk()] == ["1", "1.1", "1.1.1", "1.1.1.1", "1.1.2"]
    assert [item.value_type for item in tree.root.walk()] == ["CONTAINER", "CONTAINER", "NUM", "CODE", "TEXT"]


@pytest.mark.parametrize(
    ("value_type", "elements", "value"),
    [
        ("TEXT", {"TextValue": "seen"}, "seen"),
        ("DATE", {"Date": "20240229"}, "20240229"),
        ("TIME", {"Time": "1015"}, "1015"),
        ("DATETIME", {"DateTime": "20240229101500"}, "20240229101500"),
        ("UIDREF", {"UID": "1.2.3"}, "1.2.3"),
        ("PNAME", {"PersonName": "Doe^John"}, "Doe^John"),
        ("CODE", {"ConceptCodeSequence": [coded(MM)]}, Code(*MM)),
        ("SCOORD", {"GraphicType": "POINT", "GraphicData": [1.5, 2.0]}, Coordinates("POINT", (1.5, 2.0))),
        (
            "SCOORD3D",
            {"GraphicType": "POINT", "GraphicData": [1, 2, 3], "ReferencedFrameOfReferenceUID": "1.9"},
            Coordinates("POINT", (1.0, 2.0, 3.0), "1.9"),
        ),
        (
            "TCOORD",
            {"TemporalRangeType": "SEGMENT", "ReferencedTimeOffsets": ["1", "2.5"]},
            Coordinates("SEGMENT", (1.0, 2.5)),
        ),
    ],
)
def test_values_by_type(value_type: str, elements: dict[str, Any], value: object) -> None:
    assert _only(content(value_type, SECTION, **elements)).value == value


def test_references_to_frames_and_segments() -> None:
    item = image()
    item.ReferencedSOPSequence[0].ReferencedFrameNumber = [2, 3]
    item.ReferencedSOPSequence[0].ReferencedSegmentNumber = 1
    assert _only(item).value == ObjectReference(CT_IMAGE, IMAGE, (2, 3), (1,))


def test_observation_time_uid_and_template() -> None:
    template = Dataset()
    template.TemplateIdentifier = "1411"
    item = _only(
        content(
            "CONTAINER",
            SECTION,
            ObservationDateTime="20240229",
            ObservationUID="1.2",
            ContentTemplateSequence=[template],
        )
    )
    assert (item.observed, item.observation_uid, item.template) == ("20240229", "1.2", "1411")


@pytest.mark.parametrize(
    "digits", ["1.50", "-119.07385253906", "1.07E-05", "+3", ".5", "12345678901234567890"]
)
def test_a_number_keeps_its_digits(digits: str) -> None:
    value = _only(num(LENGTH, digits.encode())).value
    assert value == Number((Decimal(digits),), unit=Code(*MM))


def test_several_numbers_are_all_kept() -> None:
    value = _only(num(LENGTH, ["8", "8.0", "9"])).value
    assert isinstance(value, Number)
    assert [str(decimal) for decimal in value.decimals] == ["8", "8.0", "9"]


@pytest.mark.parametrize("written", [b"10.50/ 15.00", b"NaN", b"1,5", b"1E999", b"1\\x", b"9" * 70])
def test_what_is_no_decimal_number_is_kept_as_text(written: bytes) -> None:
    tree = _read(num(LENGTH, written))
    value = tree.root.children[0].value
    assert value == Number((), written.decode(), Code(*MM))
    assert _reasons(tree) == [("1.1", "the value is not a decimal number; it is kept as text")]


def test_a_floating_point_value_stands_in() -> None:
    item = num(LENGTH, "1")
    del item.MeasuredValueSequence[0].NumericValue
    item.MeasuredValueSequence[0].FloatingPointValue = 0.25
    assert _only(item).value == Number((Decimal("0.25"),), unit=Code(*MM))


def test_a_number_without_a_value_has_its_qualifier_or_nothing() -> None:
    unknown = ("114010", "DCM", "Value unknown")
    tree = _read(num(LENGTH, None, qualifier=unknown), num(LENGTH, None))
    assert tree.root.children[0].value == Number(qualifier=Code(*unknown))
    assert tree.root.children[1].value == Number()
    assert [problem.position for problem in tree.problems] == ["1.1", "1.2"]


@pytest.mark.parametrize(
    ("value_type", "elements", "taken_for"),
    [
        ("", {"TextValue": "x"}, "TEXT"),
        ("PERSON NAME", {"PersonName": "Doe^John"}, "PNAME"),
        ("HAS CONCEPT MOD", {"ConceptCodeSequence": [coded(MM)]}, "CODE"),
        ("", {"ContinuityOfContent": "SEPARATE"}, "CONTAINER"),
    ],
)
def test_an_unknown_value_type_is_told_by_the_value(
    value_type: str, elements: dict[str, Any], taken_for: str
) -> None:
    tree = _read(content(value_type, SECTION, **elements))
    assert tree.root.children[0].value_type == taken_for
    assert _reasons(tree) == [("1.1", f"no known value type; taken for {taken_for}")]


def test_an_item_that_says_nothing_costs_no_other() -> None:
    tree = _read(content("", None, rel=""), text(SECTION, "seen"))
    assert tree.root.children[0].value_type == ""
    assert tree.root.children[1].value == "seen"
    assert _reasons(tree) == [
        ("1.1", "no known value type, and no value"),
        ("1.1", "no known relationship to the item above"),
    ]


@pytest.mark.parametrize(
    "item",
    [
        content("CODE", SECTION, ConceptCodeSequence=[]),
        content("CODE", SECTION, ConceptCodeSequence=[Dataset()]),
        content("TEXT", SECTION, TextValue=""),
        content("IMAGE", SECTION),
        content("SCOORD", SECTION),
    ],
)
def test_an_empty_item_has_no_value(item: Dataset) -> None:
    tree = _read(item)
    assert tree.root.children[0].value is None
    assert len(tree.problems) == 1


def test_relationships_are_known_in_other_spellings() -> None:
    item = _only(text(SECTION, "x", rel="HAS_ACQ_CONTEXT"))
    assert item.relationship == "HAS ACQ CONTEXT"


def test_an_item_by_reference_names_its_target() -> None:
    tree = _read(by_reference(1, 2, 3))
    item = tree.root.children[0]
    assert (item.target, item.value_type, item.value) == ("1.2.3", "", None)
    assert tree.problems == ()


def test_a_second_measured_value_is_told_as_lost() -> None:
    item = num(DIAMETER, "1")
    item.MeasuredValueSequence = [*item.MeasuredValueSequence, *num(DIAMETER, "2").MeasuredValueSequence]
    tree = _read(item)
    assert tree.root.children[0].value == Number((Decimal("1"),), unit=Code(*MM))
    assert [problem.lost for problem in tree.problems] == [True]


def test_depth_is_bounded() -> None:
    item = num(LENGTH, "1")
    for _ in range(3000):
        item = container(SECTION, item)
    tree = read_content(report(item))
    assert max(item.position.count(".") + 1 for item in tree.root.walk()) == MAX_DEPTH
    assert [(problem.lost, problem.position.count(".") + 1) for problem in tree.problems] == [
        (True, MAX_DEPTH)
    ]


def test_the_number_of_items_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sr.read_content.MAX_ITEMS", 3)
    tree = _read(text(SECTION, "a"), text(SECTION, "b"), text(SECTION, "c"))
    assert len(tree.root.children) == 2
    assert [(problem.lost, problem.position) for problem in tree.problems] == [(True, "1")]


def test_any_data_set_has_a_tree() -> None:
    other = Dataset()
    other.SOPInstanceUID = SOP
    tree = read_content(other)
    assert tree.root.value_type == ""
    assert list(tree.root.walk()) == [tree.root]
