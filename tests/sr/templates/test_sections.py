"""Reports under headings (PS3.16 TID 2000, CID 7001): what was found now, and what was not."""

import pytest

from sr.roles import NOT_FOUND_NOW
from tests.sr.builders import Triple, code, container, num, report, text
from tests.sr.templates.told import mapped_of, of_type

FINDINGS: Triple = ("121070", "DCM", "Findings")
FINDING: Triple = ("121071", "DCM", "Finding")
NODULE: Triple = ("27925004", "SCT", "Nodule")
EFFUSION: Triple = ("60046008", "SCT", "Pleural effusion")
DIAMETER: Triple = ("81827009", "SCT", "Diameter")


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
    mapped = mapped_of(report(before, now))
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
    previous = code(("121069", "DCM", "Previous Finding"), NODULE)
    mapped = mapped_of(report(container(FINDINGS, previous, code(FINDING, EFFUSION))))
    values = [one.get("valueCodeableConcept", {}).get("text") for one in of_type(mapped, "Observation")]
    assert values == ["Pleural effusion", None]
    assert [one.position for one in mapped.unmapped] == ["1.1.1"]


def test_an_absent_finding_stays_absent() -> None:
    absent: Triple = ("2667000", "SCT", "Absent")
    mapped = mapped_of(report(container(FINDINGS, code(EFFUSION, absent))))
    (found,) = (one for one in of_type(mapped, "Observation") if one["code"]["text"] == "Pleural effusion")
    assert found["valueCodeableConcept"]["coding"][0]["code"] == "2667000"


def test_an_impression_of_the_past_concludes_nothing() -> None:
    impression: Triple = ("121073", "DCM", "Impression")
    before = container(("121060", "DCM", "History"), text(impression, "Nodulo."), code(impression, NODULE))
    mapped = mapped_of(report(before, text(impression, "Versamento."), code(impression, EFFUSION)))
    (whole,) = of_type(mapped, "DiagnosticReport")
    assert whole["conclusion"] == "Versamento."
    assert [one["text"] for one in whole["conclusionCode"]] == ["Pleural effusion"]
