"""Reports under headings (PS3.16 TID 2000, CID 7001): what was found now, and what was not."""

from typing import Any

import pytest
from pydicom.dataset import Dataset

from sr.mapping import Mapped, map_report
from sr.roles import NOT_FOUND_NOW
from tests.sr.builders import IDENTITY, Triple, code, container, num, report, text
from tests.sr.fhir_rules import faults
from tests.sr.files import lean, written

FINDINGS: Triple = ("121070", "DCM", "Findings")
FINDING: Triple = ("121071", "DCM", "Finding")
NODULE: Triple = ("27925004", "SCT", "Nodule")
EFFUSION: Triple = ("60046008", "SCT", "Pleural effusion")
DIAMETER: Triple = ("81827009", "SCT", "Diameter")


def mapped_of(*items: Dataset) -> Mapped:
    mapped = map_report(lean(written(report(*items))), IDENTITY)
    assert faults(*mapped.resources) == []
    return mapped


def of_type(mapped: Mapped, kind: str) -> list[dict[str, Any]]:
    return [one for one in mapped.resources if one["resourceType"] == kind]


@pytest.mark.parametrize("heading", NOT_FOUND_NOW, ids=lambda key: key[1])
def test_what_was_not_found_now_is_read_but_is_no_observation(heading: tuple[str, str]) -> None:
    scheme, value = heading
    before = container(
        (value, scheme, "Heading"),
        code(FINDING, NODULE),
        num(DIAMETER, "8"),
        text(FINDING, "Nodulo di 8 mm, nel 2019."),
    )
    now = container(FINDINGS, code(FINDING, EFFUSION), text(FINDING, "Versamento."))
    mapped = mapped_of(before, now)
    told = str(of_type(mapped, "Observation"))
    assert "Pleural effusion" in told
    assert "Nodule" not in told
    assert "8 mm" not in told
    assert "valueQuantity" not in told
    (whole,) = of_type(mapped, "DiagnosticReport")
    assert "Nodulo di 8 mm, nel 2019." in whole["text"]["div"]
    assert {(one.position, one.reason) for one in mapped.unmapped} == {
        (f"1.1.{number}", NOT_FOUND_NOW[heading]) for number in (1, 2, 3)
    }


def test_a_value_of_the_past_among_findings_is_no_finding() -> None:
    mapped = mapped_of(
        container(FINDINGS, code(("121069", "DCM", "Previous Finding"), NODULE), code(FINDING, EFFUSION))
    )
    values = [one.get("valueCodeableConcept", {}).get("text") for one in of_type(mapped, "Observation")]
    assert values == ["Pleural effusion", None]
    assert [one.position for one in mapped.unmapped] == ["1.1.1"]


def test_an_absent_finding_stays_absent() -> None:
    absent: Triple = ("2667000", "SCT", "Absent")
    mapped = mapped_of(container(FINDINGS, code(EFFUSION, absent)))
    (found,) = (one for one in of_type(mapped, "Observation") if one["code"]["text"] == "Pleural effusion")
    assert found["valueCodeableConcept"]["coding"][0]["code"] == "2667000"
