"""Reports as a whole: what people wrote, in their words and order, and what was concluded."""

from typing import Any

import pytest
from pydicom.dataset import Dataset

from sr.mapping import map_report
from testdata.ct import ct_series
from testdata.dose_report import dose_report
from testdata.key_objects import key_objects
from testdata.measurement_report import measurement_report
from testdata.written_report import heart_report, text_report
from tests.sr.builders import IDENTITY, LENGTH, Triple, code, container, num, report, text
from tests.sr.fhir_rules import faults

IMPRESSIONS: Triple = ("121072", "DCM", "Impressions")
IMPRESSION: Triple = ("121073", "DCM", "Impression")
FINDINGS: Triple = ("121070", "DCM", "Findings")
FINDING: Triple = ("121071", "DCM", "Finding")


def whole(dataset: Dataset) -> dict[str, Any]:
    resources = map_report(dataset, IDENTITY).resources
    assert faults(*resources) == []
    (found,) = (one for one in resources if one["resourceType"] == "DiagnosticReport")
    return found


def test_a_verified_report_in_prose_is_final_and_tells_who_read_it() -> None:
    found = whole(text_report())
    assert found["status"] == "final"
    assert found["code"]["coding"][0] == {
        "system": "http://loinc.org",
        "code": "18748-4",
        "display": "Diagnostic imaging report",
    }
    assert [one["display"] for one in found["resultsInterpreter"]] == ["Ilària Zanella"]
    assert found["conclusion"] == "Nodulo polmonare destro: è opportuna una TC del torace."
    assert found["imagingStudy"][0]["reference"] == f"ImagingStudy/{text_report().StudyInstanceUID}"
    assert found["identifier"][0]["value"] == f"urn:oid:{text_report().SOPInstanceUID}"


def test_prose_stands_in_its_order_under_its_headings() -> None:
    div = whole(text_report())["text"]["div"]
    places = [
        div.index(words) for words in ("History", "Tosse", "Findings", "Non addensamenti", "Impressions")
    ]
    assert places == sorted(places)
    assert "superiore destro.<br/>Ombra cardiaca" in div
    assert "<h3>Findings</h3><p>Non addensamenti" in div


def test_what_looks_like_markup_is_text() -> None:
    said = 'Nodulo < 5 mm & <script>alert("x")</script>'
    found = whole(report(container(FINDINGS, text(FINDING, said))))
    assert "Nodulo &lt; 5 mm &amp; &lt;script&gt;" in found["text"]["div"]
    assert "<script" not in found["text"]["div"]


def test_conclusions_are_told_as_text_and_as_codes() -> None:
    nodule: Triple = ("27925004", "SCT", "Nodule")
    found = whole(
        report(
            container(FINDINGS, text(FINDING, "Un nodulo.")),
            container(
                IMPRESSIONS, text(IMPRESSION, "Benigno."), code(IMPRESSION, nodule), text(IMPRESSION, "Fine.")
            ),
        )
    )
    assert found["conclusion"] == "Benigno.\nFine."
    assert [one["coding"][0]["code"] for one in found["conclusionCode"]] == ["27925004"]


def test_its_results_are_the_outermost_observations() -> None:
    resources = map_report(measurement_report(ct_series(slices=3, rows=32, columns=32)), IDENTITY).resources
    found = whole(measurement_report(ct_series(slices=3, rows=32, columns=32)))
    observations = {f"Observation/{r['id']}": r for r in resources if r["resourceType"] == "Observation"}
    members = {m["reference"] for one in observations.values() for m in one.get("hasMember", [])}
    assert {one["reference"] for one in found["result"]} == observations.keys() - members
    assert "text" not in found


def test_a_part_of_a_report_is_partial_and_an_unverified_one_preliminary() -> None:
    assert whole(report(num(LENGTH, "1"), CompletionFlag="PARTIAL"))["status"] == "partial"
    assert whole(heart_report())["status"] == "preliminary"


@pytest.mark.parametrize(
    "dataset",
    [dose_report(), key_objects(ct_series(slices=3, rows=32, columns=32)), report()],
    ids=["log of a device", "selection", "nothing"],
)
def test_what_is_no_report_of_findings_has_none(dataset: Dataset) -> None:
    kinds = {resource["resourceType"] for resource in map_report(dataset, IDENTITY).resources}
    assert "DiagnosticReport" not in kinds
