"""Dose reports: the totals that the report has, one summary for each of them, and nothing counted twice."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset

from sr.mapping import Mapped, map_report
from testdata.dose_report import dose_report
from tests.sr.builders import (
    DOSE,
    IDENTITY,
    LATERALITY,
    LEFT,
    Triple,
    code,
    container,
    content,
    num,
    report,
)
from tests.sr.fhir_rules import faults

CORPUS = Path(__file__).parents[4] / "shared" / "corpus" / "dose-sr"
FILES = sorted(CORPUS.glob("*.dcm")) if CORPUS.is_dir() else []
needs_corpus = pytest.mark.skipif(not FILES, reason="the corpus is not here")

ACCUMULATED = ("113702", "113811", "113502")

X_RAY: Triple = ("113701", "DCM", "X-Ray Radiation Dose Report")
ADMINISTRATION_REPORT: Triple = ("113500", "DCM", "Radiopharmaceutical Radiation Dose Report")
ACCUMULATED_X_RAY: Triple = ("113702", "DCM", "Accumulated X-Ray Dose Data")
PLANE: Triple = ("113764", "DCM", "Acquisition Plane")
PLANE_A: Triple = ("113620", "DCM", "Plane A")
PLANE_B: Triple = ("113621", "DCM", "Plane B")
DOSE_TOTAL: Triple = ("113725", "DCM", "Dose (RP) Total")
GLANDULAR: Triple = ("111637", "DCM", "Accumulated Average Glandular Dose")
PROCEDURE: Triple = ("121058", "DCM", "Procedure reported")
PROJECTION: Triple = ("113704", "DCM", "Projection X-Ray")
START: Triple = ("113809", "DCM", "Start of X-Ray Irradiation")
EVENT: Triple = ("113706", "DCM", "Irradiation Event X-Ray Data")
GRAY: Triple = ("Gy", "UCUM", "Gy")
MGY: Triple = ("mGy", "UCUM", "mGy")
MBQ: Triple = ("MBq", "UCUM", "MBq")


def summaries(mapped: Mapped) -> list[dict[str, Any]]:
    assert faults(*mapped.resources) == []
    return [one for one in observations(mapped) if _code(one["code"]) == "73569-6"]


def observations(mapped: Mapped) -> list[dict[str, Any]]:
    return [one for one in mapped.resources if one["resourceType"] == "Observation"]


def component(summary: dict[str, Any], value: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = [one for one in summary["component"] if _code(one["code"]) == value]
    assert len(found) == 1
    return found[0]


def _code(concept: dict[str, Any]) -> str:
    return next((coding["code"] for coding in concept.get("coding", [])), "")


def plane(which: Triple, dose: str, *others: Dataset) -> Dataset:
    return container(
        ACCUMULATED_X_RAY, code(PLANE, which, rel="HAS CONCEPT MOD"), num(DOSE_TOTAL, dose, GRAY), *others
    )


def test_a_ct_report_is_one_summary_with_its_totals() -> None:
    (summary,) = summaries(map_report(dose_report(), IDENTITY))
    total = component(summary, "113813")["valueQuantity"]
    assert (total["value"], total["code"]) == (Decimal("271.0"), "mGy.cm")
    assert component(summary, "113812")["valueQuantity"]["value"] == 2
    assert _code(component(summary, "121058")["valueCodeableConcept"]) == "77477000"
    assert _code(component(summary, "113705")["valueCodeableConcept"]) == "113014"
    assert "CT Dose Length Product Total: 271.0 mGy.cm" in summary["valueString"]
    assert summary["effectiveDateTime"]
    assert summary["focus"] == summary["partOf"]
    assert summary["identifier"][1]["value"] == f"urn:oid:{dose_report().SOPInstanceUID}"


def test_events_are_left_out_with_a_reason_and_told_on_request() -> None:
    mapped = map_report(dose_report(), IDENTITY)
    left_out = [one for one in mapped.unmapped if "on request" in one.reason]
    assert len(observations(mapped)) == 2  # the summary, and the source of its information
    assert len(left_out) > 15
    told = map_report(dose_report(), IDENTITY, with_events=True)
    assert [one for one in told.unmapped if "on request" in one.reason] == []
    values = [one["valueQuantity"]["value"] for one in observations(told) if "valueQuantity" in one]
    assert Decimal("263.8") in values
    assert len(summaries(told)) == 1


def test_the_planes_of_a_biplane_system_are_kept_apart() -> None:
    mapped = map_report(
        report(
            code(PROCEDURE, PROJECTION, rel="HAS CONCEPT MOD"),
            content("DATETIME", START, rel="HAS OBS CONTEXT", DateTime="20260301101500+0100"),
            plane(PLANE_A, "1.25"),
            plane(PLANE_B, "0.50"),
            container(EVENT, num(DOSE_TOTAL, "9", GRAY)),
            title=X_RAY,
            SOPClassUID=DOSE,
        ),
        IDENTITY,
    )
    a, b = summaries(mapped)
    assert [
        (
            _code(component(one, "113764")["valueCodeableConcept"]),
            component(one, "113725")["valueQuantity"]["value"],
        )
        for one in (a, b)
    ] == [("113620", Decimal("1.25")), ("113621", Decimal("0.50"))]
    assert {one["effectiveDateTime"] for one in (a, b)} == {"2026-03-01T10:15:00+01:00"}
    assert {_code(component(one, "121058")["valueCodeableConcept"]) for one in (a, b)} == {"113704"}
    values = Counter(
        c["valueQuantity"]["value"] for o in (a, b) for c in o["component"] if "valueQuantity" in c
    )
    assert values == {Decimal("1.25"): 1, Decimal("0.50"): 1}


def test_the_dose_of_each_breast_keeps_its_side() -> None:
    right: Triple = ("24028007", "SCT", "Right")
    sides = [
        num(GLANDULAR, dose, MGY, code(LATERALITY, side, rel="HAS CONCEPT MOD"))
        for dose, side in (("1.5", LEFT), ("2.5", right))
    ]
    mapped = map_report(
        report(plane(("113622", "DCM", "Single Plane"), "0.1", *sides), title=X_RAY, SOPClassUID=DOSE),
        IDENTITY,
    )
    (summary,) = summaries(mapped)
    members = {reference["reference"].partition("/")[2] for reference in summary["hasMember"]}
    of_sides = [one for one in observations(mapped) if one["id"] in members]
    assert [
        (one["valueQuantity"]["value"], _code(component(one, "272741003")["valueCodeableConcept"]))
        for one in of_sides
    ] == [(Decimal("1.5"), "7771000"), (Decimal("2.5"), "24028007")]


def test_what_was_administered_is_told_with_its_agent() -> None:
    agent = code(
        ("349358000", "SCT", "Radiopharmaceutical agent"),
        ("35321007", "SCT", "Fluorodeoxyglucose F^18^"),
        code(("89457008", "SCT", "Radionuclide"), ("77004003", "SCT", "^18^Fluorine"), rel="HAS PROPERTIES"),
    )
    mapped = map_report(
        report(
            container(
                ("113502", "DCM", "Radiopharmaceutical Administration"),
                agent,
                content(
                    "DATETIME",
                    ("123003", "DCM", "Radiopharmaceutical Start DateTime"),
                    rel="CONTAINS",
                    DateTime="20260301090000+0100",
                ),
                num(("113507", "DCM", "Administered activity"), "312.4", MBQ),
                code(
                    ("410675002", "SCT", "Route of administration"), ("47625008", "SCT", "Intravenous route")
                ),
            ),
            title=ADMINISTRATION_REPORT,
            SOPClassUID="1.2.840.10008.5.1.4.1.1.88.68",
        ),
        IDENTITY,
    )
    (summary,) = summaries(mapped)
    assert component(summary, "113507")["valueQuantity"]["value"] == Decimal("312.4")
    assert _code(component(summary, "349358000")["valueCodeableConcept"]) == "35321007"
    assert _code(component(summary, "89457008")["valueCodeableConcept"]) == "77004003"
    assert _code(component(summary, "410675002")["valueCodeableConcept"]) == "47625008"
    assert summary["effectiveDateTime"] == "2026-03-01T09:00:00+01:00"


def test_a_total_without_a_value_is_absent_and_never_zero() -> None:
    unknown: Triple = ("114010", "DCM", "Value unknown")
    mapped = map_report(
        report(
            container(ACCUMULATED_X_RAY, num(DOSE_TOTAL, None, qualifier=unknown)),
            title=X_RAY,
            SOPClassUID=DOSE,
        ),
        IDENTITY,
    )
    (summary,) = summaries(mapped)
    assert "valueQuantity" not in component(summary, "113725")
    assert component(summary, "113725")["dataAbsentReason"]["coding"][0]["code"] == "unknown"
    assert "valueString" not in summary


def test_calibration_is_no_dose() -> None:
    calibration = container(
        ("122505", "DCM", "Calibration"),
        num(("122322", "DCM", "Calibration Factor"), "0.9", ("1", "UCUM", "")),
    )
    mapped = map_report(report(plane(PLANE_A, "1", calibration), title=X_RAY, SOPClassUID=DOSE), IDENTITY)
    (summary,) = summaries(mapped)
    assert [_code(one["code"]) for one in summary["component"]] == ["113764", "113725"]
    assert any("calibration" in one.reason for one in mapped.unmapped)


def test_a_report_that_accumulates_nothing_is_told_item_by_item() -> None:
    mapped = map_report(
        report(container(EVENT, num(DOSE_TOTAL, "9", GRAY)), title=X_RAY, SOPClassUID=DOSE), IDENTITY
    )
    assert summaries(mapped) == []
    assert [one["valueQuantity"]["value"] for one in observations(mapped) if "valueQuantity" in one] == [9]


def accumulated(dataset: Dataset) -> Iterator[Dataset]:
    """The containers of accumulated values, found by pydicom alone."""
    for item in dataset.get("ContentSequence", []):
        concept = item.get("ConceptNameCodeSequence", [Dataset()])[0]
        if item.get("ValueType") == "CONTAINER" and concept.get("CodeValue") in ACCUMULATED:
            yield item


def numbers(item: Dataset) -> Iterator[str]:
    """The numbers in a container, but for those of calibrations."""
    for child in item.get("ContentSequence", []):
        if child.get("ConceptNameCodeSequence", [Dataset()])[0].get("CodeValue") == "122505":
            continue
        for measured in child.get("MeasuredValueSequence", []):
            value = measured.get("NumericValue")
            if value not in (None, ""):
                values = value if isinstance(value, pydicom.multival.MultiValue) else [value]
                yield from (str(getattr(one, "original_string", one)) for one in values)
        yield from numbers(child)


@needs_corpus
@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_the_totals_are_those_of_the_accumulated_containers(file: Path) -> None:
    dataset = pydicom.dcmread(file)
    mapped = map_report(dataset, IDENTITY)
    containers = list(accumulated(dataset))
    found = summaries(mapped)
    assert len(found) == len(containers)
    by_id = {one["id"]: one for one in observations(mapped)}
    for summary, item in zip(found, containers, strict=True):
        members = [
            by_id[reference["reference"].partition("/")[2]] for reference in summary.get("hasMember", [])
        ]
        told = Counter(
            c["valueQuantity"]["value"]
            for one in (summary, *members)
            for c in [*one.get("component", []), one]
            if "valueQuantity" in c
        )
        assert told == Counter(Decimal(value.strip()) for value in numbers(item))


def test_the_dose_to_an_organ_stays_with_its_organ() -> None:
    """TID 10023: components of one summary could not tell which of two organs a dose is to."""
    organs = [
        container(
            ("113517", "DCM", "Organ Dose Information"),
            code(("363698007", "SCT", "Finding Site"), organ, rel="HAS CONCEPT MOD"),
            num(("113518", "DCM", "Organ Dose"), dose, MGY),
        )
        for organ, dose in ((("10200004", "SCT", "Liver"), "12.5"), (("64033007", "SCT", "Kidney"), "3.5"))
    ]
    administered = container(("113502", "DCM", "Radiopharmaceutical Administration"), *organs)
    mapped = map_report(report(administered, title=ADMINISTRATION_REPORT, SOPClassUID=DOSE), IDENTITY)
    (summary,) = summaries(mapped)
    doses = {
        one["bodySite"]["text"]: str(one["valueQuantity"]["value"])
        for one in observations(mapped)
        if "valueQuantity" in one
    }
    assert doses == {"Liver": "12.5", "Kidney": "3.5"}
    assert len(summary["hasMember"]) == 2
    assert "component" not in summary
