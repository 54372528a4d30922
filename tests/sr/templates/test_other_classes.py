"""Reports whose templates are not known: what was planned is a document."""

import pytest
from pydicom.uid import (
    AcquisitionContextSRStorage,
    ImplantationPlanSRStorage,
    PlannedImagingAgentAdministrationSRStorage,
    WaveformAnnotationSRStorage,
)

from sr.roles import PLANS
from tests.sr.builders import LENGTH, Triple, code, container, num, report, text
from tests.sr.templates.told import mapped_of, measured, of_type

VOLUME: Triple = ("118565006", "SCT", "Volume")
ML: Triple = ("mL", "UCUM", "mL")
PLANNED: Triple = ("130226", "DCM", "Planned Imaging Agent Administration")


@pytest.mark.parametrize(
    "sop_class",
    [ImplantationPlanSRStorage, PlannedImagingAgentAdministrationSRStorage],
    ids=lambda uid: uid.name,
)
def test_a_plan_is_a_document_and_nothing_of_it_was_done(sop_class: str) -> None:
    plan = container(PLANNED, num(VOLUME, "100", ML), text(LENGTH, "x"))
    mapped = mapped_of(report(plan, SOPClassUID=sop_class))
    assert {one["resourceType"] for one in mapped.resources} == {"DocumentReference", "Device"}
    assert [(one.position, one.reason) for one in mapped.unmapped] == [
        (position, "a plan is told as a document; nothing of it was found or done")
        for position in ("1.1.1", "1.1.2")
    ]


@pytest.mark.parametrize("title", PLANS, ids=lambda key: key[1])
def test_a_plan_is_known_by_its_title_too(title: tuple[str, str]) -> None:
    scheme, value = title
    mapped = mapped_of(report(num(VOLUME, "100", ML), title=(value, scheme, "Plan")))
    assert {one["resourceType"] for one in mapped.resources} == {"DocumentReference", "Device"}
    assert [one.position for one in mapped.unmapped] == ["1.1"]


@pytest.mark.parametrize(
    "sop_class", [AcquisitionContextSRStorage, WaveformAnnotationSRStorage], ids=lambda uid: uid.name
)
def test_others_go_the_way_of_all_reports(sop_class: str) -> None:
    kind: Triple = ("121071", "DCM", "Finding")
    sinus: Triple = ("64730000", "SCT", "Normal sinus rhythm")
    mapped = mapped_of(report(code(kind, sinus), num(VOLUME, "3", ML), SOPClassUID=sop_class))
    assert measured(mapped).keys() == {"Volume 3"}
    values = [one.get("valueCodeableConcept", {}).get("text") for one in of_type(mapped, "Observation")]
    assert "Normal sinus rhythm" in values
    assert mapped.unmapped == ()
