"""Images and regions of reports of any maker, as `derivedFrom` of what was seen in them."""

import json
from decimal import Decimal
from typing import Any

import pytest
from pydicom.dataset import Dataset

from sr import walker as walker_module
from sr.fhir_json import dumps
from sr.imaging_selection import FRAME_OF_REFERENCE, INSTANCE, MOST_VALUES, REGION_3D
from sr.mapping import Mapped, map_report
from tests.sr.builders import (
    GROUP,
    IDENTITY,
    IMAGE,
    LENGTH,
    MM,
    OTHER_STUDY,
    SECTION,
    SOP,
    STUDY,
    by_reference,
    code,
    container,
    content,
    evidence,
    image,
    measurements,
    num,
    report,
    reread,
    text,
)
from tests.sr.fhir_rules import faults, observations

FRAME_UID = "1.2.3.77"
REGION = ("111030", "DCM", "Image Region")
NODULE = ("27925004", "SCT", "Nodule")


def scoord(kind: str, data: list[float], *below: Dataset, rel: str = "INFERRED FROM") -> Dataset:
    """A region in the image."""
    below = below or (image(rel="SELECTED FROM"),)
    return content("SCOORD", REGION, *below, rel=rel, GraphicType=kind, GraphicData=data)


def scoord3d(kind: str, data: list[float], uid: str = FRAME_UID) -> Dataset:
    elements = {"GraphicType": kind, "GraphicData": data, "ReferencedFrameOfReferenceUID": uid}
    return content("SCOORD3D", REGION, rel="INFERRED FROM", **elements)


def mapped_of(dataset: Dataset) -> tuple[Mapped, dict[str, dict[str, Any]]]:
    mapped = map_report(reread(dataset), IDENTITY)
    assert faults(*mapped.resources) == []
    return mapped, observations(mapped.resources)


def measured(*children: Dataset) -> tuple[Mapped, list[dict[str, Any]]]:
    """What a length that was inferred from these is derived from, but for the report itself."""
    mapped, made = mapped_of(report(num(LENGTH, "1", MM, *children)))
    *selected, source = made["1.1"]["derivedFrom"]
    assert source["reference"] == f"DocumentReference/{SOP}"
    return mapped, selected


def parts(selected: dict[str, Any]) -> list[tuple[str, Any]]:
    """What the one extension of a reference has in it."""
    (extension,) = selected["extension"]
    assert extension["url"] == INSTANCE
    return [
        (one["url"], next(value for name, value in one.items() if name != "url"))
        for one in extension["extension"]
    ]


def shape(region: list[dict[str, Any]]) -> tuple[str, list[Decimal]]:
    kind, *numbers = region
    return kind["valueCode"], [one["valueDecimal"] for one in numbers]


def test_an_image_is_named_in_its_study() -> None:
    mapped, (selected,) = measured(image(rel="INFERRED FROM"))
    assert selected["reference"] == f"ImagingStudy/{STUDY}"
    assert selected["identifier"]["value"] == f"urn:oid:{STUDY}"
    assert parts(selected) == [("uid", IMAGE)]
    assert mapped.unmapped == ()


def test_frames_and_segments_are_subsets() -> None:
    framed, segmented = image(rel="INFERRED FROM"), image(rel="INFERRED FROM")
    framed.ReferencedSOPSequence[0].ReferencedFrameNumber = [3, 5]
    segmented.ReferencedSOPSequence[0].ReferencedSegmentNumber = 2
    _, (frames, segments) = measured(framed, segmented)
    assert parts(frames)[1:] == [("subset", "3"), ("subset", "5")]
    assert parts(segments)[1:] == [("subset", "2")]


@pytest.mark.parametrize(
    ("kind", "data", "told"),
    [
        ("POINT", [1.5, 2], "point"),
        ("POLYLINE", [1, 2, 3, 4, 5, 6], "polyline"),
        ("CIRCLE", [1, 2, 3, 4], "circle"),
        ("ELLIPSE", [1, 2, 3, 4, 5, 6, 7, 8], "ellipse"),
    ],
)
def test_a_region_is_told_with_its_image(kind: str, data: list[float], told: str) -> None:
    mapped, (selected,) = measured(scoord(kind, data))
    (uid, region) = parts(selected)
    assert uid == ("uid", IMAGE)
    assert region[0] == "imageRegion2D"
    assert shape(region[1]) == (told, [Decimal(str(number)) for number in data])
    assert mapped.unmapped == ()


def test_points_are_regions_of_one_image() -> None:
    _, (selected,) = measured(scoord("MULTIPOINT", [1, 2, 3, 4]))
    shapes = [shape(region) for _, region in parts(selected)[1:]]
    assert shapes == [("point", [Decimal(1), Decimal(2)]), ("point", [Decimal(3), Decimal(4)])]


def test_numbers_have_the_digits_that_32_bits_hold() -> None:
    data = [0.1, 512.25, 1e-7, 123456.789]
    _, (selected,) = measured(scoord("POLYLINE", data))
    numbers = shape(parts(selected)[1][1])[1]
    assert [str(number) for number in numbers] == ["0.1", "512.25", "1E-7", "123456.79"]


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("POINT", [1, 2, 3, 4]),
        ("POLYLINE", [1, 2, 3]),
        ("CIRCLE", [1, 2]),
        ("SPIRAL", [1, 2]),
        ("POLYLINE", [1, 2, float("nan"), 4]),
        ("POLYLINE", [1, 2, float("inf"), 4]),
        ("POLYLINE", [0.0] * (MOST_VALUES + 2)),
    ],
)
def test_what_is_no_region_is_listed_and_its_image_told(kind: str, data: list[float]) -> None:
    mapped, (selected,) = measured(scoord(kind, data))
    assert parts(selected) == [("uid", IMAGE)]
    assert [one.position for one in mapped.unmapped] == ["1.1.1"]
    assert "no selection" in mapped.unmapped[0].reason


def test_a_region_in_space_is_told_in_its_frame_of_reference() -> None:
    mapped, (selected,) = measured(scoord3d("POLYGON", [0, 0, 1, 9, 0, 1, 0, 9, 1, 0, 0, 1]))
    frame, region = selected["extension"]
    assert frame == {"url": FRAME_OF_REFERENCE, "valueId": FRAME_UID}
    assert region["url"] == REGION_3D
    assert shape(region["extension"])[0] == "polygon"
    assert selected["reference"] == f"ImagingStudy/{STUDY}"
    assert mapped.unmapped == ()


def test_a_region_in_space_is_of_the_only_study_that_is_named() -> None:
    item = num(LENGTH, "1", MM, scoord3d("POINT", [1, 2, 3]))
    named = [evidence(OTHER_STUDY, IMAGE)]
    _, made = mapped_of(report(item, CurrentRequestedProcedureEvidenceSequence=named))
    assert made["1.1"]["derivedFrom"][0]["reference"] == f"ImagingStudy/{OTHER_STUDY}"


@pytest.mark.parametrize(
    "item",
    [scoord3d("POINT", [1, 2, 3], ""), scoord3d("CIRCLE", [1, 2, 3]), scoord3d("POINT", [1, 2])],
    ids=["nowhere", "unknown", "flat"],
)
def test_what_is_no_region_in_space_is_listed(item: Dataset) -> None:
    mapped, (study,) = measured(item)
    assert "extension" not in study
    assert [one.position for one in mapped.unmapped] == ["1.1.1"]


def test_a_time_is_listed_and_its_waveform_told() -> None:
    time = content(
        "TCOORD", SECTION, image(rel="SELECTED FROM"), rel="INFERRED FROM", TemporalRangeType="POINT"
    )
    time.ReferencedTimeOffsets = ["1.5"]
    mapped, (study,) = measured(time)
    assert "extension" not in study
    assert [one.position for one in mapped.unmapped] == ["1.1.1", "1.1.1.1"]


def test_an_image_elsewhere_in_the_report_is_told_where_it_is_referred_to() -> None:
    """Programs that mark images name each in their library once (PS3.16 TID 4000)."""
    library = container(("111028", "DCM", "Image Library"), image())
    region = scoord("POINT", [1, 2], by_reference(1, 1, 1, rel="SELECTED FROM"), rel="HAS PROPERTIES")
    mapped, made = mapped_of(report(library, code(SECTION, NODULE, region)))
    (selected, _) = made["1.2"]["derivedFrom"]
    assert parts(selected)[0] == ("uid", IMAGE)
    assert [one.position for one in mapped.unmapped] == ["1.1.1"]


@pytest.mark.parametrize("rel", ["INFERRED FROM", "HAS PROPERTIES"])
def test_a_region_elsewhere_in_the_report_is_told_where_it_is_referred_to(rel: str) -> None:
    marked = code(SECTION, NODULE, scoord("POINT", [1, 2], rel="HAS PROPERTIES"))
    mapped, made = mapped_of(report(marked, num(LENGTH, "1", MM, by_reference(1, 1, 1, rel=rel))))
    for position in ("1.1", "1.2"):
        assert shape(parts(made[position]["derivedFrom"][0])[1][1])[0] == "point"
    assert mapped.unmapped == ()


def test_regions_of_a_group_hold_for_its_members_unless_they_have_their_own() -> None:
    group = container(
        GROUP,
        scoord("CIRCLE", [1, 2, 3, 4], rel="CONTAINS"),
        num(LENGTH, "1", MM, scoord("POINT", [5, 6])),
        num(LENGTH, "2"),
        text(SECTION, "seen"),
        container(("C0034375", "UMLS", "Qualitative Evaluations"), text(SECTION, "seen")),
    )
    mapped, made = mapped_of(measurements(group))
    kinds = {position: shape(parts(one["derivedFrom"][0])[1][1])[0] for position, one in made.items()}
    assert kinds == {
        "1.1.1": "circle",
        "1.1.1.2": "point",
        "1.1.1.3": "circle",
        "1.1.1.4": "circle",
        "1.1.1.5.1": "circle",
    }
    assert mapped.unmapped == ()


def test_other_containers_keep_their_images_to_themselves() -> None:
    _, made = mapped_of(report(container(SECTION, image(), text(SECTION, "seen"))))
    assert parts(made["1.1"]["derivedFrom"][0]) == [("uid", IMAGE)]
    assert "extension" not in made["1.1.2"]["derivedFrom"][0]
    assert made["1.1.2"]["derivedFrom"][0]["reference"] == f"ImagingStudy/{STUDY}"


def test_a_report_does_not_become_many_times_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walker_module, "MOST_SHARED", 1000)
    line = [float(number) for number in range(200)]
    groups = [container(GROUP, scoord("POLYLINE", line, rel="CONTAINS"), num(LENGTH, "1")) for _ in range(5)]
    mapped, made = mapped_of(measurements(*groups))
    shared = [position for position, one in made.items() if "imageRegion2D" in json.dumps(one, default=str)]
    assert {f"1.1.{number}" for number in range(1, 6)} < set(shared)
    assert len(shared) == 6
    assert mapped.unmapped == ()


def test_one_region_that_many_refer_to_is_told_as_often_as_there_is_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(walker_module, "MOST_SELECTED", 1000)
    line = [float(number) for number in range(200)]
    marked = code(SECTION, NODULE, scoord("POLYLINE", line, rel="HAS PROPERTIES"))
    others = [num(LENGTH, "1", MM, by_reference(1, 1, 1, rel="HAS PROPERTIES")) for _ in range(9)]
    mapped, made = mapped_of(report(marked, *others, num(LENGTH, "1", MM, image(rel="INFERRED FROM"))))
    told = [one for one in made.values() if "imageRegion2D" in json.dumps(one, default=str)]
    assert len(told) == 4
    assert len(mapped.unmapped) == 7


def test_uids_that_are_none_select_nothing() -> None:
    mapped, (study,) = measured(image("1.2.x", rel="INFERRED FROM"))
    assert "extension" not in study
    assert [one.position for one in mapped.unmapped] == ["1.1.1"]


def test_it_is_json() -> None:
    mapped, _ = measured(scoord("POLYLINE", [0.1, 2, 3e10, 4]))
    assert all(dumps(resource) for resource in mapped.resources)
