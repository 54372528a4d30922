"""Reports whose templates are not known: what was done is told one by one, what was planned is a document."""

import pytest
from pydicom.uid import (
    AcquisitionContextSRStorage,
    ImplantationPlanSRStorage,
    PerformedImagingAgentAdministrationSRStorage,
    PlannedImagingAgentAdministrationSRStorage,
    WaveformAnnotationSRStorage,
)

from testdata.procedure_log import procedure_log
from tests.sr.builders import LENGTH, Triple, code, container, num, report, text
from tests.sr.templates.told import mapped_of, measured, of_type

VOLUME: Triple = ("118565006", "SCT", "Volume")
ML: Triple = ("mL", "UCUM", "mL")
PLANNED: Triple = ("130226", "DCM", "Planned Imaging Agent Administration")
PERFORMED: Triple = ("130227", "DCM", "Performed Imaging Agent Administration")


def test_the_entries_of_a_log_are_told_each_with_its_time() -> None:
    mapped = mapped_of(procedure_log())
    entries = [
        one for one in of_type(mapped, "Observation") if one["code"]["text"] != "Cath Lab Procedure Log"
    ]
    assert [(one["code"]["text"], one["effectiveDateTime"]) for one in entries] == [
        ("Patient Status or Event", "2026-11-03T10:00:00+01:00"),
        ("Patient Status or Event", "2026-11-03T10:01:00+01:00"),
        ("Systolic blood pressure", "2026-11-03T10:02:00+01:00"),
        ("Tech Note", "2026-11-03T10:03:00+01:00"),
    ]
    (log,) = (one for one in of_type(mapped, "Observation") if one not in entries)
    assert [one["reference"] for one in log["hasMember"]] == [f"Observation/{one['id']}" for one in entries]
    assert mapped.unmapped == ()


def test_a_log_is_a_document_and_no_report_of_findings() -> None:
    mapped = mapped_of(procedure_log())
    (document,) = of_type(mapped, "DocumentReference")
    assert document["type"]["text"] == "Cath Lab Procedure Log"
    assert of_type(mapped, "DiagnosticReport") == []


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


def test_what_was_planned_is_not_taken_for_what_was_given() -> None:
    dataset = report(
        container(PLANNED, num(VOLUME, "100", ML)),
        container(PERFORMED, num(VOLUME, "62", ML)),
        SOPClassUID=PerformedImagingAgentAdministrationSRStorage,
    )
    mapped = mapped_of(dataset)
    assert measured(mapped).keys() == {"Volume 62"}
    assert [one.position for one in mapped.unmapped] == ["1.1.1"]


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
